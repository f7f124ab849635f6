//! `barometer transitions`: how customers moved between detractors, passives and promoters.

mod csv;
mod json;
mod table;

use barometer_proto::metrics::v1::{Granularity, LoyaltyCategory, QueryTransitionsRequest, Span};
use clap::Args;
use jiff::tz::TimeZone;

use crate::failure::Failure;
use crate::query::{Every, Format};
use crate::scope::{ScopeArgs, dimensions, flag_of};
use crate::suite::Suite;
use crate::{instant, output};

/// Show how customers moved between detractors, passives and promoters from one period to another
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TransitionsArgs {
    /// Length of the periods, each of which is compared with the next one; months when absent
    #[arg(long, value_enum, value_name = "PERIOD", conflicts_with_all = ["before", "after"])]
    every: Option<Every>,

    /// The one time, as in 2024-01..2024-04 (the end excluded); without a start it begins with the first answer
    #[arg(long, value_name = "FROM..TO", requires = "after", conflicts_with_all = ["from", "to"])]
    before: Option<String>,

    /// The other time, with which it is compared; without an end it lasts until now
    #[arg(long, value_name = "FROM..TO", requires = "before")]
    after: Option<String>,

    /// Who gave no answer in a period stays in the category of the last answer before
    #[arg(long)]
    carry: bool,

    /// Dimensions to group by, at most 2; names that end in _now keep each customer in one group
    #[arg(long, value_name = "DIMENSION,…", value_delimiter = ',')]
    by: Vec<String>,

    #[command(flatten)]
    scope: ScopeArgs,
}

const EXAMPLES: &str = "\
Examples:
  barometer transitions
  barometer transitions --every quarter --from 2024 --to 2025 --by tier_now
  barometer transitions --before 2024-01..2024-04 --after 2025-01..2025-04 --carry
  barometer transitions --every year --format csv > moves.csv";

impl TransitionsArgs {
    /// Asks and shows the answer.
    ///
    /// # Errors
    /// When the flags are wrong, the suite does not answer, or nothing can be printed.
    pub async fn run(self) -> Result<(), Failure> {
        let suite = Suite::new(&self.scope.endpoint)?;
        let mut scope = self.scope.scope(&suite).await?;
        if scope.time_zone.is_empty() && (self.before.is_some() || self.after.is_some()) {
            scope.time_zone = suite.time_zone().await?;
        }
        let days = TimeZone::get(&scope.time_zone).unwrap_or(TimeZone::UTC);
        let (before, after) = match (span("--before", &self.before, &days), span("--after", &self.after, &days)) {
            (Ok(before), Ok(after)) => (before, after),
            (before, after) => {
                let wrong: Vec<_> = [before.err(), after.err()].into_iter().flatten().collect();
                return Err(Failure::usage(wrong.join("; ")));
            }
        };
        let zone = scope.time_zone.clone();
        let request = QueryTransitionsRequest { scope: Some(scope), before, after, ..self.to_request() };
        let answer = suite.transitions(&request, |field| flag_of(field, &FLAGS)).await?;
        let by = dimensions(answer.matrices.iter().map(|matrix| &matrix.group), &self.by);
        output::print(|out| match self.scope.format {
            Format::Json => json::write(&answer, out),
            Format::Csv => csv::write(&answer, &by, out),
            Format::Table => table::write(&answer, &by, &zone, out),
        })
    }

    fn to_request(&self) -> QueryTransitionsRequest {
        QueryTransitionsRequest {
            scope: None,
            granularity: self.every.map_or(Granularity::Unspecified, Granularity::from).into(),
            before: None,
            after: None,
            carry: self.carry,
            group_by: self.by.clone(),
        }
    }
}

/// The flags behind the fields of the request.
const FLAGS: [(&str, &str); 5] = [
    ("granularity", "--every"),
    ("before", "--before"),
    ("after", "--after"),
    ("carry", "--carry"),
    ("group_by", "--by"),
];

fn span(flag: &str, text: &Option<String>, zone: &TimeZone) -> Result<Option<Span>, String> {
    let Some(text) = text else { return Ok(None) };
    let wrong = || format!("{flag}: {text:?} is not a time such as 2024-01..2024-04");
    let (start, end) = text.split_once("..").ok_or_else(wrong)?;
    let at = |text: &str| match text {
        "" => Ok(None),
        text => instant::boundary(text, zone).map(|at| Some(at.to_wire())).ok_or_else(wrong),
    };
    Ok(Some(Span { start_time: at(start)?, end_time: at(end)? }))
}

/// A category in words.
pub(crate) fn category(category: LoyaltyCategory) -> &'static str {
    match category {
        LoyaltyCategory::Unspecified => "",
        LoyaltyCategory::Detractor => "detractor",
        LoyaltyCategory::Passive => "passive",
        LoyaltyCategory::Promoter => "promoter",
    }
}

#[cfg(test)]
mod tests {
    use barometer_proto::metrics::v1::{
        CategoryCounts, PairedTest, QueryTransitionsResponse, TestState, TransitionCell, TransitionMatrix,
        TransitionPeriod,
    };
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        transitions: TransitionsArgs,
    }

    /// A matrix of two months, and one of too few.
    pub(super) fn answer() -> QueryTransitionsResponse {
        let at = |text: &str| instant::instant(text, &TimeZone::UTC).map(barometer_chassis::clock::Micros::to_wire);
        let period = |label: &str, start: &str, end: &str, partial| {
            Some(TransitionPeriod { start_time: at(start), end_time: at(end), label: label.to_owned(), partial })
        };
        let counts = [6, 3, 1, 0, 0, 2, 1, 0, 9];
        let cells = (0..).zip(counts).map(|(index, customers): (i32, i64)| {
            let row: i64 =
                counts.chunks(3).nth(usize::try_from(index / 3).expect("small")).expect("a row").iter().sum();
            let percent = Some(100.0 * customers as f64 / row as f64);
            TransitionCell { from: 1 + index / 3, to: 1 + index % 3, customers, percent }
        });
        let test = |statistic, degrees_of_freedom, p_value| Some(PairedTest { statistic, degrees_of_freedom, p_value });
        let matrix = TransitionMatrix {
            group: [("survey_type".to_owned(), "relational".to_owned())].into(),
            before: period("2024-01", "2024-01-01", "2024-02-01", false),
            after: period("2024-02", "2024-02-01", "2024-03-01", true),
            cells: cells.collect(),
            joined: Some(CategoryCounts { detractors: 1, passives: 0, promoters: 4 }),
            lost: Some(CategoryCounts { detractors: 2, passives: 0, promoters: 0 }),
            customers: 22,
            raised: 6,
            kept: 15,
            lowered: 1,
            symmetry: test(5.0, 3, 0.171_797),
            homogeneity: test(4.2, 2, 0.122_456),
            test_state: TestState::Ok.into(),
            suppressed: false,
        };
        let few = TransitionMatrix {
            suppressed: true,
            ..TransitionMatrix { group: matrix.group.clone(), ..Default::default() }
        };
        QueryTransitionsResponse { matrices: vec![matrix, few], freshness: Vec::new() }
    }

    #[test]
    fn flags_become_a_request() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).map(|cli| cli.transitions);
        let args = parse("x --every quarter --carry --by tier_now,survey").expect("good flags");
        let request = args.to_request();
        assert_eq!((request.granularity(), request.carry, request.group_by.len()), (Granularity::Quarter, true, 2));
        assert_eq!(parse("x").expect("good flags").to_request().granularity(), Granularity::Unspecified);
        for wrong in ["x --before 2024..2025", "x --before 2024..2025 --after 2025..2026 --every year"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn spans_may_be_open() {
        let of = |text: &str| span("--before", &Some(text.to_owned()), &TimeZone::UTC);
        let whole = of("2024..2025").expect("a span").expect("given");
        assert_eq!(whole.start_time.map(|at| at.seconds), Some(1_704_067_200));
        assert!(of("..2024-05").is_ok_and(|span| span.is_some_and(|span| span.start_time.is_none())));
        assert!(of("2024").is_err() && of("then..now").is_err());
        assert_eq!(flag_of("before.end_time", &FLAGS), "--before");
    }
}
