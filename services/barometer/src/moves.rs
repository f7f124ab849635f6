//! `barometer moves`: customers who became detractors, passives or promoters.

mod csv;
mod json;
mod table;

use barometer_proto::metrics::v1::{ListCategoryMovesRequest, LoyaltyCategory};
use barometer_proto::surveys::v1::SurveyType;
use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::output;
use crate::query::Format;
use crate::scope::{ScopeArgs, flag_of};
use crate::suite::Suite;

/// List the customers whose answer made another category of them than the answer before: whom, when, from what to what
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct MovesArgs {
    /// Only moves of these customers, by their ids; at most 1,000
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    customer: Vec<String>,

    /// Only moves from this category
    #[arg(long, value_enum, value_name = "CATEGORY")]
    was: Option<Category>,

    /// Only moves to this category
    #[arg(long, value_enum, value_name = "CATEGORY")]
    became: Option<Category>,

    /// The oldest first; else the newest are
    #[arg(long)]
    oldest_first: bool,

    /// Moves of a page, at most 1,000
    #[arg(long, value_name = "MOVES", default_value = "20", value_parser = clap::value_parser!(i32).range(1..=1_000))]
    limit: i32,

    /// The next page, as the page before named it
    #[arg(long, value_name = "TOKEN", default_value = "", hide_default_value = true)]
    page: String,

    #[command(flatten)]
    scope: ScopeArgs,
}

const EXAMPLES: &str = "\
Examples:
  barometer moves
  barometer moves --was promoter --became detractor --from 2025-05
  barometer moves --became detractor --where tier_now=gold
  barometer moves --oldest-first --limit 1000 --format csv > moves.csv";

/// What an answer makes of its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Category {
    /// 0 to 6
    Detractor,
    /// 7 or 8
    Passive,
    /// 9 or 10
    Promoter,
}

impl From<Category> for LoyaltyCategory {
    fn from(category: Category) -> Self {
        match category {
            Category::Detractor => Self::Detractor,
            Category::Passive => Self::Passive,
            Category::Promoter => Self::Promoter,
        }
    }
}

impl MovesArgs {
    /// Asks and shows the answer.
    ///
    /// # Errors
    /// When the flags are wrong, the suite does not answer, or nothing can be printed.
    pub async fn run(self) -> Result<(), Failure> {
        let suite = Suite::new(&self.scope.endpoint)?;
        let scope = self.scope.scope(&suite).await?;
        let request = ListCategoryMovesRequest { scope: Some(scope), ..self.to_request() };
        let answer = suite.moves(&request, |field| flag_of(field, &FLAGS)).await?;
        if self.scope.format == Format::Csv && !answer.next_page_token.is_empty() {
            output::remark(&format!("there are more; the next ones: --page {}", answer.next_page_token));
        }
        output::print(|out| match self.scope.format {
            Format::Json => json::write(&answer, out),
            Format::Csv => csv::write(&answer, out),
            Format::Table => table::write(&answer, out),
        })
    }

    fn to_request(&self) -> ListCategoryMovesRequest {
        let category = |of: Option<Category>| of.map_or(LoyaltyCategory::Unspecified, LoyaltyCategory::from).into();
        ListCategoryMovesRequest {
            scope: None,
            customer_ids: self.customer.clone(),
            from: category(self.was),
            to: category(self.became),
            oldest_first: self.oldest_first,
            page_size: self.limit,
            page_token: self.page.clone(),
        }
    }
}

/// The flags behind the fields of the request.
const FLAGS: [(&str, &str); 6] = [
    ("customer_ids", "--customer"),
    ("from", "--was"),
    ("to", "--became"),
    ("oldest_first", "--oldest-first"),
    ("page_size", "--limit"),
    ("page_token", "--page"),
];

/// A type of surveys in words.
fn survey_type(of: SurveyType) -> &'static str {
    match of {
        SurveyType::Unspecified => "",
        SurveyType::Relational => "relational",
        SurveyType::Transactional => "transactional",
    }
}

#[cfg(test)]
mod tests {
    use barometer_proto::metrics::v1::{CategoryMove, ListCategoryMovesResponse};
    use clap::Parser;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::instant;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        moves: MovesArgs,
    }

    /// A promoter became a detractor, and there are more.
    pub(super) fn answer() -> ListCategoryMovesResponse {
        let at = |text: &str| instant::instant(text, &TimeZone::UTC).map(barometer_chassis::clock::Micros::to_wire);
        let moved = CategoryMove {
            customer_id: "0198b2a0-0000-7000-8000-000000000001".to_owned(),
            survey_type: SurveyType::Relational.into(),
            survey: "yearly".to_owned(),
            from: LoyaltyCategory::Promoter.into(),
            from_score: 9,
            from_time: at("2024-01-05"),
            to: LoyaltyCategory::Detractor.into(),
            to_score: 3,
            time: at("2025-01-07"),
            answer_number: 77,
        };
        ListCategoryMovesResponse { moves: vec![moved], next_page_token: "more".to_owned() }
    }

    #[test]
    fn flags_become_a_request_and_fields_flags() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).map(|cli| cli.moves);
        let request = parse("x --was promoter --became detractor --customer a,b --limit 7 --oldest-first");
        let request = request.expect("good flags").to_request();
        assert_eq!((request.from(), request.to()), (LoyaltyCategory::Promoter, LoyaltyCategory::Detractor));
        assert_eq!((request.customer_ids.len(), request.page_size, request.oldest_first), (2, 7, true));
        assert_eq!(parse("x").expect("good flags").to_request().from(), LoyaltyCategory::Unspecified);
        for wrong in ["x --was 9", "x --limit 0", "x --limit 1001"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        for (field, flag) in [("customer_ids[1]", "--customer"), ("scope.filters[0].dimension", "--where")] {
            assert_eq!(flag_of(field, &FLAGS), flag);
        }
    }
}
