//! `barometer drivers`: what scores go with.

mod csv;
mod json;
mod table;

use barometer_proto::metrics::v1::{
    Driver, DriverFact, DriverMethod, DriverState, KeyDriversState, Outcome, QueryDriversRequest, driver,
};
use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::output;
use crate::query::Format;
use crate::scope::{ScopeArgs, dimensions, flag_of};
use crate::suite::Suite;

/// Show what scores go with: key drivers among operational facts, by their shares of R²
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DriversArgs {
    /// Whose score is to be explained
    #[arg(long, value_enum, default_value = "nps", value_name = "SCORE")]
    outcome: Of,

    /// Facts of the customer in the days before the answer. When no driver is named: all that are numbers of things, but
    /// purchases
    #[arg(long = "driver", value_enum, value_name = "FACT,…", value_delimiter = ',')]
    facts: Vec<Fact>,

    /// Declared dimensions of the answers that are numbers
    #[arg(long, value_name = "DIMENSION,…", value_delimiter = ',')]
    dimension: Vec<String>,

    /// Days before the answer that are looked at, 1 to 3,650; 90 when absent
    #[arg(long, default_value = "0", hide_default_value = true, value_name = "DAYS")]
    window_days: i32,

    /// Currency of spend, as in EUR
    #[arg(long, default_value = "", hide_default_value = true, value_name = "CODE")]
    currency: String,

    /// How R² is divided
    #[arg(long, value_enum, default_value = "relative-weights")]
    method: Method,

    /// Dimensions of the answers to group by, at most 2
    #[arg(long, value_name = "DIMENSION,…", value_delimiter = ',')]
    by: Vec<String>,

    #[command(flatten)]
    scope: ScopeArgs,
}

const EXAMPLES: &str = "\
Examples:
  barometer drivers
  barometer drivers --driver first-response,hand-offs,broken-promises --window-days 30
  barometer drivers --outcome csat --driver contacts,spend --currency EUR --method shapley
  barometer drivers --by survey --from 2025 --format csv > drivers.csv";

/// A score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Of {
    /// The recommend question, 0 to 10
    Nps,
    /// Satisfaction, 1 to 5
    Csat,
    /// Effort or ease, 1 to 7
    Ces,
}

/// How R² is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Johnson's relative weights
    RelativeWeights,
    /// Shapley's value, or LMG
    Shapley,
}

/// A fact of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Fact {
    /// Mean time to the first response to a case
    FirstResponse,
    /// How often cases changed hands
    HandOffs,
    /// How often cases were reopened
    Reopenings,
    /// Promises that were not kept when they were due
    BrokenPromises,
    /// Complaints and losses
    Complaints,
    /// Payments that were not there when they were due
    LatePayments,
    /// Contacts in which the customer turned to the company
    Contacts,
    /// Mean working time of contacts
    HandlingTime,
    /// Redresses of resolved cases
    Redresses,
    /// Sales
    Purchases,
    /// What was bought less what was brought back
    Spend,
    /// Time since the customer became known
    Tenure,
}

impl From<Fact> for DriverFact {
    fn from(fact: Fact) -> Self {
        match fact {
            Fact::FirstResponse => Self::FirstResponse,
            Fact::HandOffs => Self::HandOffs,
            Fact::Reopenings => Self::Reopenings,
            Fact::BrokenPromises => Self::BrokenPromises,
            Fact::Complaints => Self::Complaints,
            Fact::LatePayments => Self::LatePayments,
            Fact::Contacts => Self::Contacts,
            Fact::HandlingTime => Self::HandlingTime,
            Fact::Redresses => Self::Redresses,
            Fact::Purchases => Self::Purchases,
            Fact::Spend => Self::Spend,
            Fact::Tenure => Self::Tenure,
        }
    }
}

/// When no driver is named.
const USUAL: [Fact; 7] = [
    Fact::HandOffs,
    Fact::Reopenings,
    Fact::BrokenPromises,
    Fact::Complaints,
    Fact::LatePayments,
    Fact::Contacts,
    Fact::Redresses,
];

impl DriversArgs {
    /// Asks and shows the answer.
    ///
    /// # Errors
    /// When the flags are wrong, the suite does not answer, or nothing can be printed.
    pub async fn run(self) -> Result<(), Failure> {
        let suite = Suite::new(&self.scope.endpoint)?;
        let scope = self.scope.scope(&suite).await?;
        let zone = scope.time_zone.clone();
        let request = QueryDriversRequest { scope: Some(scope), ..self.to_request() };
        let answer = suite.drivers(&request, |field| flag_of(field, &FLAGS)).await?;
        let by = dimensions(answer.key_drivers.iter().map(|of| &of.group), &self.by);
        output::print(|out| match self.scope.format {
            Format::Json => json::write(&answer, out),
            Format::Csv => csv::write(&answer, &by, out),
            Format::Table => table::write(&answer, &by, &zone, out),
        })
    }

    fn to_request(&self) -> QueryDriversRequest {
        let named = !(self.facts.is_empty() && self.dimension.is_empty());
        let facts = if named { self.facts.as_slice() } else { &USUAL };
        let facts = facts.iter().map(|fact| driver::Driver::Fact(DriverFact::from(*fact).into()));
        let own = self.dimension.iter().map(|name| driver::Driver::Dimension(name.clone()));
        let outcome = match self.outcome {
            Of::Nps => Outcome::Nps,
            Of::Csat => Outcome::Csat,
            Of::Ces => Outcome::Ces,
        };
        let method = match self.method {
            Method::RelativeWeights => DriverMethod::RelativeWeights,
            Method::Shapley => DriverMethod::Shapley,
        };
        QueryDriversRequest {
            scope: None,
            outcome: outcome.into(),
            drivers: facts.chain(own).map(|driver| Driver { driver: Some(driver) }).collect(),
            window_days: self.window_days,
            currency: self.currency.clone(),
            method: method.into(),
            group_by: self.by.clone(),
        }
    }
}

/// The flags behind the fields of the request.
const FLAGS: [(&str, &str); 6] = [
    ("outcome", "--outcome"),
    ("drivers", "--driver, --dimension"),
    ("window_days", "--window-days"),
    ("currency", "--currency"),
    ("method", "--method"),
    ("group_by", "--by"),
];

/// A driver by its name on the command line, and the unit of its mean.
fn name(driver: Option<&Driver>) -> (String, &'static str) {
    let (name, unit) = match driver.and_then(|driver| driver.driver.as_ref()) {
        None => ("", ""),
        Some(driver::Driver::Dimension(name)) => (name.as_str(), ""),
        Some(driver::Driver::Fact(fact)) => match DriverFact::try_from(*fact).unwrap_or_default() {
            DriverFact::Unspecified => ("", ""),
            DriverFact::FirstResponse => ("first-response", "seconds"),
            DriverFact::HandOffs => ("hand-offs", ""),
            DriverFact::Reopenings => ("reopenings", ""),
            DriverFact::BrokenPromises => ("broken-promises", ""),
            DriverFact::Complaints => ("complaints", ""),
            DriverFact::LatePayments => ("late-payments", ""),
            DriverFact::Contacts => ("contacts", ""),
            DriverFact::HandlingTime => ("handling-time", "seconds"),
            DriverFact::Redresses => ("redresses", ""),
            DriverFact::Purchases => ("purchases", ""),
            DriverFact::Spend => ("spend", ""),
            DriverFact::Tenure => ("tenure", "days"),
        },
    };
    (name.to_owned(), unit)
}

/// The state of a group in a word.
fn state(state: KeyDriversState) -> &'static str {
    match state {
        KeyDriversState::Unspecified => "",
        KeyDriversState::Ok => "ok",
        KeyDriversState::TooFew => "too_few",
        KeyDriversState::NoSpread => "no_spread",
        KeyDriversState::Suppressed => "suppressed",
        KeyDriversState::OutOfRange => "out_of_range",
    }
}

/// The state of a driver in a word.
fn state_of_driver(state: DriverState) -> &'static str {
    match state {
        DriverState::Unspecified => "",
        DriverState::Ok => "ok",
        DriverState::NoSpread => "no_spread",
        DriverState::Redundant => "redundant",
    }
}

#[cfg(test)]
mod tests {
    use barometer_proto::metrics::v1::{DriverShare, KeyDrivers, QueryDriversResponse};
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        drivers: DriversArgs,
    }

    /// A group with drivers, and one of too few.
    pub(super) fn answer() -> QueryDriversResponse {
        let share = |driver, state: DriverState, share, correlation, mean| DriverShare {
            driver: Some(Driver { driver: Some(driver) }),
            state: state.into(),
            share,
            correlation,
            mean,
            missing: 0,
        };
        let fact = |fact: DriverFact| driver::Driver::Fact(fact.into());
        let told = KeyDrivers {
            group: [("survey_type".to_owned(), "transactional".to_owned())].into(),
            state: KeyDriversState::Ok.into(),
            answers: 1_200,
            anonymous: 150,
            complete: 1_000,
            outcome_mean: Some(7.25),
            r_squared: Some(0.25),
            rank: 2,
            drivers: vec![
                share(fact(DriverFact::Contacts), DriverState::Ok, Some(0.05), Some(-0.2), Some(1.5)),
                share(fact(DriverFact::FirstResponse), DriverState::Ok, Some(0.2), Some(-0.5), Some(7_200.0)),
                share(driver::Driver::Dimension("wait".to_owned()), DriverState::NoSpread, Some(0.0), None, Some(3.0)),
            ],
        };
        let few = KeyDrivers {
            group: [("survey_type".to_owned(), "relational".to_owned())].into(),
            state: KeyDriversState::TooFew.into(),
            answers: 3,
            ..Default::default()
        };
        QueryDriversResponse { key_drivers: vec![few, told], freshness: Vec::new() }
    }

    #[test]
    fn flags_become_a_request() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).expect("good flags").drivers.to_request();
        let request = parse("x --outcome csat --driver spend,tenure --dimension wait --currency EUR --method shapley");
        assert_eq!((request.outcome(), request.method()), (Outcome::Csat, DriverMethod::Shapley));
        assert_eq!((request.drivers.len(), request.currency.as_str()), (3, "EUR"));
        assert_eq!(name(request.drivers.last()).0, "wait");
        assert_eq!(parse("x").drivers.len(), USUAL.len());
        assert_eq!(flag_of("drivers[1].dimension", &FLAGS), "--driver, --dimension");
    }

    #[test]
    fn drivers_are_called_as_they_are_named() {
        for fact in Fact::value_variants() {
            let driver = Driver { driver: Some(driver::Driver::Fact(DriverFact::from(*fact).into())) };
            let named = fact.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(Some(name(Some(&driver)).0), named);
        }
    }
}
