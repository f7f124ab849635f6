//! `barometer survival`: how long customers stay, and whether those of groups differ.

mod csv;
mod json;
mod plot;
mod table;

use barometer_proto::metrics::v1::{Beginning, QuerySurvivalRequest, query_survival_request::Ending};
use clap::{Args, ValueEnum};

use crate::cohorts::Begins;
use crate::failure::Failure;
use crate::output;
use crate::query::Format;
use crate::scope::{ScopeArgs, flag_of};
use crate::suite::Suite;

/// Show how long customers stay: curves with intervals, and whether those of groups differ
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SurvivalArgs {
    /// From when time is counted
    #[arg(long, value_enum, default_value = "first-purchase", value_name = "BEGINNING")]
    beginning: Begins,

    /// With what it ends
    #[arg(long, value_enum, default_value = "inactivity", value_name = "ENDING")]
    ending: Ends,

    /// Days without a sale after which a customer is gone, 1 to 3,650; 90 when absent
    #[arg(long, default_value = "0", hide_default_value = true, value_name = "DAYS")]
    inactivity_days: i32,

    /// Only ends of contracts for this reason; repeat it for others
    #[arg(long = "reason", value_name = "REASON")]
    reasons: Vec<String>,

    /// Only ends of contracts that the customer chose, or only those it did not choose
    #[arg(long, value_name = "BOOLEAN")]
    voluntary: Option<bool>,

    /// Show too for which reason contracts ended, as risks that compete
    #[arg(long)]
    by_reason: bool,

    /// Dimensions to group by, at most 2, as they were at the beginning
    #[arg(long, value_name = "DIMENSION,…", value_delimiter = ',')]
    by: Vec<String>,

    /// Show curves up to so many days, 1 to 36,500; to the end of what is known when absent
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i32).range(1..=36_500))]
    max_days: Option<i32>,

    /// Level of the intervals
    #[arg(long, default_value = "0.95", value_name = "SHARE")]
    level: f64,

    #[command(flatten)]
    scope: ScopeArgs,
}

const EXAMPLES: &str = "\
Examples:
  barometer survival
  barometer survival --ending second-purchase --max-days 180
  barometer survival --beginning first-subscription --ending contract --by tier
  barometer survival --ending contract --voluntary true --from 2024 --to 2025
  barometer survival --beginning first-subscription --ending contract --by-reason
  barometer survival --by country --format csv > curves.csv";

/// With what time ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ends {
    /// No sale for some days
    Inactivity,
    /// The last subscription ends
    Contract,
    /// The second sale, on a later day than the first
    SecondPurchase,
    /// The first complaint or loss
    FirstComplaint,
    /// Leaving the loyalty programme
    Programme,
}

impl SurvivalArgs {
    /// Asks and shows the answer.
    ///
    /// # Errors
    /// When the flags are wrong, the suite does not answer, or nothing can be printed.
    pub async fn run(self) -> Result<(), Failure> {
        let suite = Suite::new(&self.scope.endpoint)?;
        let scope = self.scope.scope(&suite).await?;
        let zone = scope.time_zone.clone();
        let request = QuerySurvivalRequest { scope: Some(scope), ..self.to_request() };
        let answer = suite.survival(&request, |field| flag_of(field, &FLAGS)).await?;
        output::print(|out| match self.scope.format {
            Format::Json => json::write(&answer, out),
            Format::Csv => csv::write(&answer, &self.by, self.by_reason, out),
            Format::Table => table::write(&answer, &self.title(), &self.by, &zone, self.scope.colours(), out),
        })
    }

    fn to_request(&self) -> QuerySurvivalRequest {
        let ending = match self.ending {
            Ends::Inactivity => Ending::Inactivity,
            Ends::Contract => Ending::Contract,
            Ends::SecondPurchase => Ending::SecondPurchase,
            Ends::FirstComplaint => Ending::FirstComplaint,
            Ends::Programme => Ending::Programme,
        };
        QuerySurvivalRequest {
            scope: None,
            beginning: Beginning::from(self.beginning).into(),
            ending: ending.into(),
            inactivity_days: self.inactivity_days,
            reasons: self.reasons.clone(),
            voluntary: self.voluntary,
            group_by: self.by.clone(),
            max_days: self.max_days.unwrap_or_default(),
            level: self.level,
            by_reason: self.by_reason,
        }
    }

    fn title(&self) -> String {
        let left = match (self.ending, self.inactivity_days) {
            (Ends::Inactivity, 0) => "have not been without a sale for 90 days".to_owned(),
            (Ends::Inactivity, days) => format!("have not been without a sale for {days} days"),
            (Ends::Contract, _) => "still have a subscription".to_owned(),
            (Ends::SecondPurchase, _) => "have not bought again".to_owned(),
            (Ends::FirstComplaint, _) => "have not complained".to_owned(),
            (Ends::Programme, _) => "are still members of the programme".to_owned(),
        };
        format!("Per cent of customers who {left}, by days since {}", self.beginning.words())
    }
}

/// The flags behind the fields of the request.
const FLAGS: [(&str, &str); 9] = [
    ("beginning", "--beginning"),
    ("ending", "--ending"),
    ("inactivity_days", "--inactivity-days"),
    ("reasons", "--reason"),
    ("voluntary", "--voluntary"),
    ("by_reason", "--by-reason"),
    ("group_by", "--by"),
    ("max_days", "--max-days"),
    ("level", "--level"),
];

#[cfg(test)]
mod tests {
    use barometer_proto::metrics::v1::{
        Interval, LogRankTest, QuerySurvivalResponse, ReasonCurve, ReasonStep, SurvivalCurve, SurvivalStep,
        log_rank_test::Expected,
    };
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        survival: SurvivalArgs,
    }

    pub(super) fn curve(tier: &str, steps: &[(f64, f64)]) -> SurvivalCurve {
        let step = |(days, survival): &(f64, f64)| SurvivalStep {
            days: *days,
            at_risk: 20,
            events: 5,
            survival: *survival,
            interval: (*survival > 0.0).then_some(Interval { low: survival - 0.1, high: survival + 0.1, level: 0.95 }),
        };
        SurvivalCurve {
            group: [("tier".to_owned(), tier.to_owned())].into(),
            customers: 1_020,
            events: 10,
            steps: steps.iter().map(step).collect(),
            median_days: steps.iter().find(|(_, survival)| *survival <= 0.5).map(|(days, _)| *days),
            median_low_days: Some(20.0),
            median_high_days: None,
            restricted_mean_days: Some(61.25),
            until_days: 100.0,
            suppressed: false,
            reasons: Vec::new(),
        }
    }

    /// The same with the reasons of the second curve.
    pub(super) fn answer_by_reason() -> QuerySurvivalResponse {
        let mut answer = answer();
        let step = |days, share| ReasonStep {
            days,
            events: 5,
            share,
            interval: Some(Interval { low: share - 0.1, high: share + 0.1, level: 0.95 }),
        };
        answer.curves[1].reasons = vec![
            ReasonCurve { reason: "price".to_owned(), events: 5, steps: vec![step(25.0, 0.25)] },
            ReasonCurve { reason: String::new(), events: 5, steps: vec![step(50.0, 0.25)] },
        ];
        answer
    }

    /// Two groups that differ, and one of too few.
    pub(super) fn answer() -> QuerySurvivalResponse {
        let few = SurvivalCurve {
            group: [("tier".to_owned(), "basic".to_owned())].into(),
            suppressed: true,
            ..SurvivalCurve::default()
        };
        let groups = [(0, 0.0), (9, 19.25), (21, 10.75)];
        QuerySurvivalResponse {
            curves: vec![few, curve("gold", &[(25.0, 0.75), (50.0, 0.5)]), curve("", &[(10.0, 0.5), (80.0, 0.0)])],
            test: Some(LogRankTest {
                statistic: 16.793,
                degrees_of_freedom: 1,
                p_value: 4.17e-5,
                groups: groups.map(|(observed, expected)| Expected { observed, expected }).to_vec(),
            }),
            freshness: Vec::new(),
        }
    }

    #[test]
    fn flags_become_a_request() {
        let line = "x --beginning first-subscription --ending contract --reason price --voluntary true --max-days 365";
        let args =
            Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string()).expect("good flags").survival;
        let request = args.to_request();
        assert_eq!((request.beginning(), request.ending()), (Beginning::FirstSubscription, Ending::Contract));
        assert_eq!((request.reasons.as_slice(), request.voluntary), (&["price".to_owned()][..], Some(true)));
        let title = "Per cent of customers who still have a subscription, by days since first subscription";
        assert_eq!((args.title().as_str(), request.max_days), (title, 365));
    }
}
