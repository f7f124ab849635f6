//! `barometer query`: figures on the command line.

mod against;
mod comparison;
pub(crate) mod condition;
mod csv;
pub(crate) mod duration;
pub(crate) mod json;
pub(crate) mod number;
mod spark;
pub(crate) mod table;
mod trend;

use std::collections::BTreeMap;

use barometer_chassis::clock::Micros;
use barometer_proto::metrics::v1::{
    Completeness, Freshness, Granularity, MetricResult, QueryComparisonsRequest, QueryMetricsRequest,
    QueryMetricsResponse, QueryTrendsRequest, Row, RowState, Unit, WatchMetricsResponse,
};
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;

use self::against::Against;
pub(crate) use self::condition::{Condition, condition, filters, parameter};
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::suite::Suite;
use crate::{instant, output};

/// Show a figure, by period and group
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct QueryArgs {
    #[command(flatten)]
    question: Question,

    /// Compare each figure, and say whether the difference is more than chance: with the time before (`previous`, as long as from
    /// --from to --to), with another time (FROM..TO), with everything that is not in its group (`rest`), or with one group: its
    /// value of the only dimension of --by, or DIMENSION=VALUE,…
    #[arg(long, value_name = "WHAT", value_parser = against::parse, conflicts_with_all = ["every", "trend"])]
    against: Option<Against>,

    /// Say whether each series rises or falls, how steeply from period to period, and when it turned
    #[arg(long, requires = "every")]
    trend: bool,

    /// Go on: print the rows that changed whenever facts change them, until it is interrupted. As JSON a line for each row
    #[arg(long, conflicts_with_all = ["against", "trend"])]
    watch: bool,

    /// How the answer looks
    #[arg(long, value_enum, default_value = "table")]
    format: Format,

    #[command(flatten)]
    endpoint: Endpoint,
}

/// What is asked for.
#[derive(Debug, Args)]
pub(crate) struct Question {
    /// Name of the metric; `barometer catalogue` lists them
    #[arg(value_name = "METRIC")]
    metric: String,

    /// Start of the time asked for: a year, month or date (its first moment), a local time, or an instant with offset.
    /// From the first fact on when absent
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// End of the time asked for, itself excluded: `--from 2017 --to 2018` is the year 2017. Up to the last fact when
    /// absent, but to now for metrics that tell how things stand
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    /// Length of the periods; one for the whole time when absent
    #[arg(long, value_enum, value_name = "PERIOD")]
    every: Option<Every>,

    /// Dimensions to group by, built-in or declared, at most 4
    #[arg(long, value_name = "DIMENSION,…", value_delimiter = ',')]
    by: Vec<String>,

    /// Only facts with this value of a dimension; repeat it for other values and dimensions. `!=` excludes; an empty
    /// value stands for facts without the dimension
    #[arg(long = "where", value_name = "DIMENSION=VALUE", value_parser = condition)]
    conditions: Vec<Condition>,

    /// Parameter of the metric; the catalogue lists them
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,

    /// Time zone that decides where days begin, those of --from and --to too; the server's when absent
    #[arg(long, value_name = "ZONE", value_parser = instant::time_zone)]
    time_zone: Option<TimeZone>,

    /// Position that a write or an import gave: the answer waits until the figures include it; repeat it for each service
    #[arg(long, value_name = "POSITION")]
    at_least: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  barometer query nps --every month
  barometer query nps --from 2017 --to 2018 --by language --param weighted=true
  barometer query revenue --every quarter --time-zone Europe/Chisinau --where country=Moldova
  barometer query repeat_purchase_rate --where channel=web --where channel=app --format json
  barometer query csat --where country!=Moldova --by channel,country
  barometer query time_to_first_response --by channel --param statistic=median
  barometer query nps --from 2017-05 --to 2017-06 --against previous
  barometer query csat --by channel --against rest
  barometer query nps --by language --every month --trend
  barometer query nps --from 2017-05 --by channel --watch
  barometer query cohort_retention --from 2024-01 --to 2025-01 --format csv > cohorts.csv";

/// Length of the periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Every {
    Day,
    /// From Monday, as in ISO 8601.
    Week,
    Month,
    Quarter,
    Year,
}

/// How the answer looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs: one object, numbers unrounded.
    Json,
    /// For spreadsheets: a line for each row, numbers unrounded.
    Csv,
}

/// A metric's figures, and what they are made of.
struct Answer {
    result: MetricResult,
    freshness: Vec<Freshness>,
}

impl QueryArgs {
    /// Asks and shows the answer.
    ///
    /// # Errors
    /// When the flags are wrong, the suite does not answer, or nothing can be printed.
    pub async fn run(self) -> Result<(), Failure> {
        let suite = Suite::new(&self.endpoint)?;
        let names_days = self.against.as_ref().is_some_and(Against::names_days);
        let zone = self.question.zone(&suite, names_days).await?;
        let query = self.question.to_request(zone.as_ref())?;
        if let Some(against) = &self.against {
            let query = against.to_request(query, zone.as_ref().unwrap_or(&TimeZone::UTC))?;
            return self.compare(&suite, &query).await;
        }
        if let (Some(every), true) = (self.question.every, self.trend) {
            return self.show_trends(&suite, every, query).await;
        }
        if self.watch {
            return self.follow(&suite, &query).await;
        }
        let QueryMetricsResponse { results, freshness } = suite.query(&query, flag_of).await?;
        let result = results.into_iter().next();
        let result = result.ok_or_else(|| Failure::internal("the suite answered without figures"))?;
        let answer = Answer { result, freshness };
        if self.format == Format::Json {
            return output::print(|out| json::write(&answer, out));
        }
        let metric = suite.metric(&self.question.metric).await?;
        output::print(|out| match self.format {
            Format::Csv => csv::write(&answer, &metric, &self.question.by, out),
            _ => table::write(&answer, &metric, &self.question.by, &query, out),
        })
    }

    /// Shows the figures, and the rows that change as they do.
    async fn follow(&self, suite: &Suite, query: &QueryMetricsRequest) -> Result<(), Failure> {
        let metric = suite.metric(&self.question.metric).await?;
        let by = &self.question.by;
        let mut first = true;
        let show = |changed: WatchMetricsResponse| {
            let WatchMetricsResponse { results, removed, freshness } = changed;
            let is_first = std::mem::take(&mut first);
            let answers = results.into_iter().map(|result| Answer { result, freshness: freshness.clone() });
            let answers: Vec<_> = answers.collect();
            output::print(|out| match self.format {
                Format::Json => answers.iter().try_for_each(|answer| json::write_lines(answer, out)),
                Format::Csv => {
                    answers.iter().try_for_each(|answer| csv::write_rows(answer, &metric, by, is_first, out))
                }
                Format::Table => {
                    answers
                        .iter()
                        .try_for_each(|answer| table::write_changed(answer, &metric, by, query, is_first, out))?;
                    removed.iter().try_for_each(|row| table::write_removed(row, out))
                }
            })
        };
        suite.watch(query, flag_of, show).await
    }

    /// Asks for comparisons and shows them.
    async fn compare(&self, suite: &Suite, query: &QueryComparisonsRequest) -> Result<(), Failure> {
        let answer = suite.compare(query, flag_of).await?;
        if self.format == Format::Json {
            return output::print(|out| comparison::write_json(&answer, out));
        }
        let metric = suite.metric(&self.question.metric).await?;
        output::print(|out| match self.format {
            Format::Csv => comparison::write_csv(&answer, &self.question.by, out),
            _ => comparison::write_table(&answer, &metric, query, out),
        })
    }

    /// Asks for trends and shows them.
    async fn show_trends(&self, suite: &Suite, every: Every, query: QueryMetricsRequest) -> Result<(), Failure> {
        let answer = suite.trends(&QueryTrendsRequest { query: Some(query.clone()) }, flag_of).await?;
        if self.format == Format::Json {
            return output::print(|out| trend::write_json(&answer, out));
        }
        let metric = suite.metric(&self.question.metric).await?;
        output::print(|out| match self.format {
            Format::Csv => trend::write_csv(&answer, &self.question.by, out),
            _ => trend::write_table(&answer, &metric, every, &query, out),
        })
    }
}

impl Question {
    /// The request, its times in the days of the suite when no zone is named.
    ///
    /// # Errors
    /// When a time is none, or the suite does not tell its zone.
    pub(crate) async fn request(&self, suite: &Suite) -> Result<QueryMetricsRequest, Failure> {
        self.to_request(self.zone(suite, false).await?.as_ref())
    }

    /// The zone of the days, if there are any: in the times asked for, or beside them.
    async fn zone(&self, suite: &Suite, names_days: bool) -> Result<Option<TimeZone>, Failure> {
        let is_local = [&self.from, &self.to].into_iter().any(|time| instant::is_local(time.as_deref()));
        match &self.time_zone {
            None if names_days || is_local => {
                instant::time_zone(&suite.time_zone().await?).map(Some).map_err(Failure::internal)
            }
            zone => Ok(zone.clone()),
        }
    }

    /// The request; its days are those of `zone`, or the server's.
    fn to_request(&self, zone: Option<&TimeZone>) -> Result<QueryMetricsRequest, Failure> {
        let (start_time, end_time) = instant::span(self.from.as_deref(), self.to.as_deref(), zone)?;
        Ok(QueryMetricsRequest {
            metrics: vec![self.metric.clone()],
            start_time,
            end_time,
            granularity: self.every.map_or(Granularity::Unspecified, Granularity::from).into(),
            time_zone: zone.and_then(TimeZone::iana_name).unwrap_or_default().to_owned(),
            group_by: self.by.clone(),
            filters: filters(&self.conditions),
            parameters: self.parameters.iter().cloned().collect::<BTreeMap<_, _>>(),
            at_least: self.at_least.clone(),
        })
    }
}

impl Every {
    /// In a word.
    fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

impl From<Every> for Granularity {
    fn from(every: Every) -> Self {
        match every {
            Every::Day => Self::Day,
            Every::Week => Self::Week,
            Every::Month => Self::Month,
            Every::Quarter => Self::Quarter,
            Every::Year => Self::Year,
        }
    }
}

/// The flag behind a field of the request.
pub(crate) fn flag_of(field: &str) -> String {
    const FLAGS: [(&str, &str); 13] = [
        ("against", "--against"),
        ("other", "--against"),
        ("reference", "--against"),
        ("rest", "--against"),
        ("metrics", "METRIC"),
        ("start_time", "--from"),
        ("end_time", "--to"),
        ("granularity", "--every"),
        ("time_zone", "--time-zone"),
        ("group_by", "--by"),
        ("filters", "--where"),
        ("parameters", "--param"),
        ("at_least", "--at-least"),
    ];
    // The query of a trend, and the time of a comparison.
    let field = field.strip_prefix("query.").or_else(|| field.strip_prefix("side.")).unwrap_or(field);
    let (head, rest) = field.split_at(field.find(['[', '.']).unwrap_or(field.len()));
    match FLAGS.iter().find(|(name, _)| *name == head) {
        // Which parameter is told, which of the repeated flags is not: their order was changed.
        Some((_, flag)) if head == "parameters" && rest.starts_with('.') => format!("{flag} {}", &rest[1..]),
        Some((_, flag)) => (*flag).to_owned(),
        None => field.to_owned(),
    }
}

/// The unit in one word.
pub(crate) fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Unspecified => "unspecified",
        Unit::Count => "count",
        Unit::Percent => "percent",
        Unit::Points => "points",
        Unit::Money => "money",
        Unit::Seconds => "seconds",
        Unit::PerThousand => "per thousand",
        Unit::Ratio => "ratio",
    }
}

/// An instant from the wire in RFC 3339, in UTC; empty when there is none.
pub(crate) fn utc(at: Option<&prost_types::Timestamp>) -> String {
    at.and_then(Micros::from_wire).map(|at| at.to_string()).unwrap_or_default()
}

/// How complete a row is, in one word.
fn completeness(row: &Row) -> &'static str {
    match row.completeness() {
        Completeness::Unspecified => "",
        Completeness::Complete => "complete",
        Completeness::Behind => "behind",
        Completeness::Running => "running",
        Completeness::Open => "open",
    }
}

/// Whether a row has a figure, in one word.
fn state(row: &Row) -> &'static str {
    match row.state() {
        RowState::Unspecified => "",
        RowState::Ok => "ok",
        RowState::NoFacts => "no_facts",
        RowState::Suppressed => "suppressed",
    }
}

/// The dimensions of the groups: those asked for in their order, then those the metric always has.
fn group_names(result: &MetricResult, by: &[String]) -> Vec<String> {
    table::names(result.rows.iter().flat_map(|row| row.group.keys()), by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use barometer_proto::common::v1::Money;
    use barometer_proto::metrics::v1::{Interval, Metric};
    use clap::Parser;

    pub(super) fn metric() -> Metric {
        Metric {
            id: "nps".into(),
            title: "Net promoter score".into(),
            unit: Unit::Points as i32,
            counts: vec!["answers".into()],
            amounts: vec!["net".into()],
            statistics: vec!["p50".into(), "p75".into()],
            ..Metric::default()
        }
    }

    /// Three months: one without facts, and one of which nothing is told.
    pub(super) fn answer() -> Answer {
        let at = |text: &str| instant::instant(text, &TimeZone::UTC).map(Micros::to_wire);
        let net = Money { currency_code: "GBP".into(), units: 8_348_208, nanos: 560_001_000 };
        let may = Row {
            start_time: at("2017-05-01"),
            end_time: at("2017-06-01"),
            label: "2017-05".into(),
            group: [("language".to_owned(), "en".to_owned())].into(),
            value: Some(39.84),
            state: RowState::Ok as i32,
            counts: [("answers".to_owned(), 2746.0)].into(),
            amounts: [("net".to_owned(), net)].into(),
            interval: Some(Interval { low: 38.1, high: 41.5, level: 0.95 }),
            partial: true,
            statistics: [("p50".to_owned(), 41.0)].into(),
            statistics_error: 0.0,
            completeness: Completeness::Behind as i32,
            revise_time: at("2017-06-03T10:00:00Z"),
        };
        let june = Row {
            start_time: at("2017-06-01"),
            end_time: at("2017-07-01"),
            label: "2017-06".into(),
            group: [("language".to_owned(), String::new())].into(),
            state: RowState::NoFacts as i32,
            counts: [("answers".to_owned(), 0.0)].into(),
            completeness: Completeness::Complete as i32,
            ..Row::default()
        };
        let july = Row {
            start_time: at("2017-07-01"),
            end_time: at("2017-08-01"),
            label: "2017-07".into(),
            group: [("language".to_owned(), "ro".to_owned())].into(),
            state: RowState::Suppressed as i32,
            completeness: Completeness::Open as i32,
            ..Row::default()
        };
        let customers = Freshness {
            source: "customers".into(),
            position: "p".into(),
            complete_until: at("2026-01-02T03:04:05.678Z"),
            connected: false,
        };
        let result =
            MetricResult { metric: "nps".into(), version: 1, unit: Unit::Points as i32, rows: vec![may, june, july] };
        Answer { result, freshness: vec![customers] }
    }

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        query: QueryArgs,
    }

    fn query(flags: &str) -> Result<QueryMetricsRequest, Failure> {
        let flags = std::iter::once("x").chain(flags.split_whitespace());
        let query = Cli::try_parse_from(flags).expect("flags parse").query;
        query.question.to_request(query.question.time_zone.as_ref())
    }

    fn start(query: &QueryMetricsRequest) -> String {
        utc(query.start_time.as_ref())
    }

    #[test]
    fn dates_are_in_the_zone_of_the_days() {
        let asked = query("nps --from 2017-05 --time-zone Europe/Chisinau --every month").expect("a query");
        assert_eq!((start(&asked).as_str(), asked.time_zone.as_str()), ("2017-04-30T21:00:00Z", "Europe/Chisinau"));
        let asked = query("nps --from 2017").expect("a query");
        assert_eq!((start(&asked).as_str(), asked.time_zone.as_str()), ("2017-01-01T00:00:00Z", ""));
        // Nothing that depends on a zone: the server's days.
        assert_eq!(query("nps --to 2017-01-01T00:00:00Z").map(|asked| asked.time_zone), Ok(String::new()));
        let failure = query("nps --from then --to now").expect_err("no times");
        assert!(failure.to_string().contains("--from: \"then\" is not") && failure.to_string().contains("--to: "));
    }

    #[test]
    fn conditions_on_one_dimension_go_together() {
        let flags = "nps --where language=en --where area!=A --where language=ja --where area!= --where note=a=b!=c";
        let filters = query(flags).expect("a query").filters;
        let told: Vec<_> = filters.iter().map(|f| (f.dimension.as_str(), f.values.join("|"), f.exclude)).collect();
        let expected = [
            ("language", "en|ja".to_owned(), false),
            ("area", "A|".to_owned(), true),
            ("note", "a=b!=c".to_owned(), false),
        ];
        assert_eq!(told, expected);
        assert!(condition("language").is_err());
        assert!(condition("!=x").is_err());
    }

    #[test]
    fn fields_of_the_request_are_told_as_flags() {
        assert_eq!(flag_of("metrics[0]"), "METRIC");
        assert_eq!(flag_of("filters[1].dimension"), "--where");
        assert_eq!(flag_of("parameters.weighted"), "--param weighted");
        assert_eq!(flag_of("start_time"), "--from");
        assert_eq!(flag_of("query.parameters.level"), "--param level");
        assert_eq!(flag_of("side.end_time"), "--to");
        assert_eq!(flag_of("other.end_time"), "--against");
        assert_eq!(flag_of("elsewhere"), "elsewhere");
    }
}
