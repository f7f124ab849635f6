//! `barometer cohorts`: of customers by when they began, how many came again so many periods later.

mod csv;
mod json;
mod table;

use barometer_proto::metrics::v1::{
    Activity, Beginning, Bracket, Granularity, QueryRetentionRequest, query_retention_request::Definition,
};
use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::output;
use crate::query::{Every, Format};
use crate::scope::{ScopeArgs, flag_of};
use crate::suite::Suite;

/// Show cohorts: of customers by when they began, how many came again so many periods later
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CohortsArgs {
    /// With what customers begin
    #[arg(long, value_enum, default_value = "first-purchase", value_name = "BEGINNING")]
    beginning: Begins,

    /// What makes them active later
    #[arg(long, value_enum, default_value = "purchase", value_name = "ACTIVITY")]
    activity: Does,

    /// Length of the periods: cohorts are those who began in the same one
    #[arg(long, value_enum, default_value = "month", value_name = "PERIOD")]
    every: Every,

    /// Count periods since of so many times 24 hours from the beginning of each customer, 1 to 366, instead of those of the
    /// calendar
    #[arg(long, default_value = "0", hide_default_value = true, value_name = "DAYS")]
    rolling_days: i32,

    /// One cohort of all
    #[arg(long)]
    together: bool,

    /// How many periods are shown, that of the beginning included; 13 when absent
    #[arg(long, default_value = "0", hide_default_value = true, value_name = "NUMBER")]
    periods: i32,

    /// Several periods since as one, as in 1..4 (the last one excluded); repeat it for others
    #[arg(long = "bracket", value_name = "FROM..TO", value_parser = bracket)]
    brackets: Vec<Bracket>,

    /// Count who was active in a period or in any later one
    #[arg(long)]
    or_after: bool,

    /// A customer belongs to the cohort of every period in which it was active
    #[arg(long)]
    recurring: bool,

    /// Dimensions to group by, at most 2, as they were at the beginning
    #[arg(long, value_name = "DIMENSION,…", value_delimiter = ',')]
    by: Vec<String>,

    /// Level of the intervals, which JSON and CSV have
    #[arg(long, default_value = "0.95", value_name = "SHARE")]
    level: f64,

    #[command(flatten)]
    scope: ScopeArgs,
}

const EXAMPLES: &str = "\
Examples:
  barometer cohorts
  barometer cohorts --from 2024 --to 2025 --by channel
  barometer cohorts --beginning first-answer --activity answer --every quarter
  barometer cohorts --rolling-days 30 --or-after
  barometer cohorts --activity contact --by channel
  barometer cohorts --every week --bracket 1..4 --bracket 4..13 --format csv > cohorts.csv";

/// With what customers begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Begins {
    /// The first sale
    FirstPurchase,
    /// Becoming known
    Acquisition,
    /// The first answer to a survey
    FirstAnswer,
    /// The start of the first subscription
    FirstSubscription,
    /// Joining the loyalty programme
    Enrolment,
}

/// What makes them active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Does {
    /// A sale
    Purchase,
    /// An answer to a survey
    Answer,
    /// A subscription that runs
    Subscription,
    /// Points earned or redeemed, or a voucher redeemed
    Programme,
    /// A contact in which they turned to the company
    Contact,
}

impl From<Begins> for Beginning {
    fn from(begins: Begins) -> Self {
        match begins {
            Begins::FirstPurchase => Self::FirstPurchase,
            Begins::Acquisition => Self::Acquisition,
            Begins::FirstAnswer => Self::FirstAnswer,
            Begins::FirstSubscription => Self::FirstSubscription,
            Begins::Enrolment => Self::Enrolment,
        }
    }
}

impl Begins {
    /// In words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Begins::FirstPurchase => "first purchase",
            Begins::Acquisition => "acquisition",
            Begins::FirstAnswer => "first answer",
            Begins::FirstSubscription => "first subscription",
            Begins::Enrolment => "enrolment",
        }
    }
}

impl CohortsArgs {
    /// Asks and shows the answer.
    ///
    /// # Errors
    /// When the flags are wrong, the suite does not answer, or nothing can be printed.
    pub async fn run(self) -> Result<(), Failure> {
        let suite = Suite::new(&self.scope.endpoint)?;
        let scope = self.scope.scope(&suite).await?;
        let zone = scope.time_zone.clone();
        let request = QueryRetentionRequest { scope: Some(scope), ..self.to_request() };
        let answer = suite.retention(&request, |field| flag_of(field, &FLAGS)).await?;
        let heat = if self.scope.colours() { table::Heat::Colours } else { table::Heat::Shades };
        output::print(|out| match self.scope.format {
            Format::Json => json::write(&answer, out),
            Format::Csv => csv::write(&answer, &self.by, out),
            Format::Table => table::write(&answer, &self.title(), &self.by, &zone, heat, out),
        })
    }

    fn to_request(&self) -> QueryRetentionRequest {
        let activity = match self.activity {
            Does::Purchase => Activity::Purchase,
            Does::Answer => Activity::Answer,
            Does::Subscription => Activity::Subscription,
            Does::Programme => Activity::Programme,
            Does::Contact => Activity::Contact,
        };
        QueryRetentionRequest {
            scope: None,
            beginning: Beginning::from(self.beginning).into(),
            activity: activity.into(),
            granularity: Granularity::from(self.every).into(),
            rolling_days: self.rolling_days,
            together: self.together,
            periods: self.periods,
            brackets: self.brackets.clone(),
            definition: if self.or_after { Definition::OnOrAfter } else { Definition::Unspecified }.into(),
            recurring: self.recurring,
            group_by: self.by.clone(),
            level: self.level,
        }
    }

    fn title(&self) -> String {
        let cohorts = if self.recurring { "activity" } else { self.beginning.words() };
        let did = match self.activity {
            Does::Purchase => "bought",
            Does::Answer => "answered",
            Does::Subscription => "had a subscription",
            Does::Programme => "were active in the programme",
            Does::Contact => "turned to the company",
        };
        let periods = match (self.rolling_days, self.every) {
            (0, Every::Day) => "days later".to_owned(),
            (0, Every::Week) => "weeks later".to_owned(),
            (0, Every::Month) => "months later".to_owned(),
            (0, Every::Quarter) => "quarters later".to_owned(),
            (0, Every::Year) => "years later".to_owned(),
            (days, _) => format!("times {days} days later"),
        };
        let later = if self.or_after { ", or after that" } else { "" };
        format!("Customers by {cohorts}: per cent who {did} so many {periods}{later}")
    }
}

/// The flags behind the fields of the request.
const FLAGS: [(&str, &str); 10] = [
    ("beginning", "--beginning"),
    ("activity", "--activity"),
    ("granularity", "--every"),
    ("rolling_days", "--rolling-days"),
    ("together", "--together"),
    ("periods", "--periods"),
    ("brackets", "--bracket"),
    ("definition", "--or-after"),
    ("group_by", "--by"),
    ("level", "--level"),
];

fn bracket(text: &str) -> Result<Bracket, String> {
    let ends = text.split_once("..").and_then(|(start, end)| Some((start.parse().ok()?, end.parse().ok()?)));
    let (start, end) = ends.ok_or("expected FROM..TO, as in 1..4")?;
    Ok(Bracket { start, end })
}

#[cfg(test)]
mod tests {
    use barometer_chassis::clock::Micros;
    use barometer_proto::metrics::v1::{Cohort, Interval, QueryRetentionResponse, RetentionCell};
    use clap::Parser;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::instant;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        cohorts: CohortsArgs,
    }

    fn cell(start: i32, customers: i64, retained: i64, unfinished: i64) -> RetentionCell {
        let percent = 100.0 * retained as f64 / customers as f64;
        RetentionCell {
            start,
            end: start + 1,
            customers,
            retained,
            unfinished,
            percent: Some(percent),
            interval: Some(Interval { low: percent / 2.0, high: percent, level: 0.95 }),
            suppressed: false,
        }
    }

    /// Two cohorts of the web, the second of too few, and the average.
    pub(super) fn answer() -> QueryRetentionResponse {
        let at = |text: &str| instant::instant(text, &TimeZone::UTC).map(Micros::to_wire);
        let group = [("channel".to_owned(), "web".to_owned())];
        let first = Cohort {
            group: group.clone().into(),
            start_time: at("2009-12-01"),
            end_time: at("2010-01-01"),
            label: "2009-12".into(),
            customers: 955,
            suppressed: false,
            cells: vec![cell(0, 955, 955, 0), cell(1, 955, 337, 0), cell(2, 955, 120, 955)],
        };
        let none = |start| RetentionCell { start, end: start + 1, suppressed: true, ..Default::default() };
        let few = Cohort {
            label: "2010-01".into(),
            suppressed: true,
            customers: 0,
            cells: (0..3).map(none).collect(),
            ..first.clone()
        };
        let average = Cohort {
            label: String::new(),
            customers: 957,
            cells: vec![
                cell(0, 957, 957, 0),
                cell(1, 957, 338, 0),
                RetentionCell { start: 2, end: 3, ..Default::default() },
            ],
            ..first.clone()
        };
        QueryRetentionResponse { cohorts: vec![first, few], averages: vec![average], freshness: Vec::new() }
    }

    #[test]
    fn flags_become_a_request() {
        let line =
            "x --beginning enrolment --activity programme --every week --bracket 1..4 --bracket 4..13 --by tier,member";
        let args = Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string()).expect("good flags").cohorts;
        let request = args.to_request();
        assert_eq!((request.beginning(), request.activity()), (Beginning::Enrolment, Activity::Programme));
        assert_eq!(request.brackets, [Bracket { start: 1, end: 4 }, Bracket { start: 4, end: 13 }]);
        assert_eq!((request.group_by.as_slice(), request.level), (&["tier".to_owned(), "member".to_owned()][..], 0.95));
        assert_eq!(
            args.title(),
            "Customers by enrolment: per cent who were active in the programme so many weeks later"
        );
        assert!(Cli::try_parse_from(["x", "--bracket", "1-4"]).is_err());
    }
}
