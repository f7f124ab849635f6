//! `barometer explain`: what one figure is made of.

mod csv;
mod formula;
mod json;
mod table;

use std::collections::BTreeMap;

use barometer_proto::metrics::v1::ExplainMetricRequest;
use clap::Args;
use jiff::tz::TimeZone;

use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::query::{Condition, Format, condition, filters, parameter};
use crate::suite::Suite;
use crate::{instant, output};

/// Show what one figure is made of: its definition, its counts and the facts behind them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArgs {
    /// Name of the metric; `barometer catalogue` lists them
    #[arg(value_name = "METRIC")]
    metric: String,

    /// Start of the time: a year, month or date (its first moment), a local time, or an instant with offset. From the first
    /// fact on when absent
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// End of the time, itself excluded. As for `barometer query` when absent
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    /// Only facts with this value of a dimension; repeat it for other values and dimensions. `!=` excludes; an empty value
    /// stands for facts without the dimension
    #[arg(long = "where", value_name = "DIMENSION=VALUE", value_parser = condition)]
    conditions: Vec<Condition>,

    /// Parameter of the metric; the catalogue lists them
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,

    /// Which row, where the metric has several: of a currency, a survey type, a clock, a cohort; repeat it for others
    #[arg(long = "row", value_name = "DIMENSION=VALUE", value_parser = parameter)]
    group: Vec<(String, String)>,

    /// Only facts that add to this count, as in promoters
    #[arg(long, value_name = "COUNT", default_value = "", hide_default_value = true)]
    count: String,

    /// Facts of a page, at most 1,000
    #[arg(long, value_name = "FACTS", default_value = "20", value_parser = clap::value_parser!(i32).range(1..=1_000))]
    limit: i32,

    /// The next page, as the page before named it
    #[arg(long, value_name = "TOKEN", default_value = "", hide_default_value = true)]
    page: String,

    /// Time zone that decides where days begin, those of --from and --to too; the server's when absent
    #[arg(long, value_name = "ZONE", value_parser = instant::time_zone)]
    time_zone: Option<TimeZone>,

    /// Position that a write or an import gave: the answer waits until the figure includes it; repeat it for each service
    #[arg(long, value_name = "POSITION")]
    at_least: Vec<String>,

    /// How the answer looks
    #[arg(long, value_enum, default_value = "table")]
    format: Format,

    #[command(flatten)]
    endpoint: Endpoint,
}

const EXAMPLES: &str = "\
Examples:
  barometer explain nps --from 2017 --to 2018
  barometer explain nps --from 2017 --where language=en --count detractors
  barometer explain revenue --row currency=GBP --limit 100
  barometer explain cohort_retention --row cohort=2009-12 --row periods_since=1 --count active
  barometer explain csat --limit 1000 --format csv > answers.csv";

impl ExplainArgs {
    /// Asks and shows the answer.
    ///
    /// # Errors
    /// When the flags are wrong, the suite does not answer, or nothing can be printed.
    pub async fn run(self) -> Result<(), Failure> {
        let suite = Suite::new(&self.endpoint)?;
        let is_local = [&self.from, &self.to].into_iter().any(|time| instant::is_local(time.as_deref()));
        let zone = match &self.time_zone {
            None if is_local => Some(instant::time_zone(&suite.time_zone().await?).map_err(Failure::internal)?),
            zone => zone.clone(),
        };
        let request = self.to_request(zone.as_ref())?;
        let answer = suite.explain(&request, flag_of).await?;
        if self.format == Format::Csv && !answer.next_page_token.is_empty() {
            let (told, all) = (answer.facts.len(), answer.total_facts);
            output::remark(&format!("{told} of {all} facts; the next ones: --page {}", answer.next_page_token));
        }
        output::print(|out| match self.format {
            Format::Json => json::write(&answer, out),
            Format::Csv => csv::write(&answer, out),
            Format::Table => table::write(&answer, &request.time_zone, out),
        })
    }

    fn to_request(&self, zone: Option<&TimeZone>) -> Result<ExplainMetricRequest, Failure> {
        let (start_time, end_time) = instant::span(self.from.as_deref(), self.to.as_deref(), zone)?;
        let pairs = |of: &[(String, String)]| of.iter().cloned().collect::<BTreeMap<_, _>>();
        Ok(ExplainMetricRequest {
            metric: self.metric.clone(),
            start_time,
            end_time,
            time_zone: zone.and_then(TimeZone::iana_name).unwrap_or_default().to_owned(),
            filters: filters(&self.conditions),
            parameters: pairs(&self.parameters),
            at_least: self.at_least.clone(),
            group: pairs(&self.group),
            count: self.count.clone(),
            page_size: self.limit,
            page_token: self.page.clone(),
        })
    }
}

/// The flag behind a field of the request.
fn flag_of(field: &str) -> String {
    let head = &field[..field.find(['[', '.']).unwrap_or(field.len())];
    match head {
        "metric" => "METRIC".to_owned(),
        "group" => "--row".to_owned(),
        "count" => "--count".to_owned(),
        "page_size" => "--limit".to_owned(),
        "page_token" => "--page".to_owned(),
        _ => crate::query::flag_of(field),
    }
}

#[cfg(test)]
mod tests {
    use barometer_proto::common::v1::Money;
    use barometer_proto::metrics::v1::{
        ExplainMetricResponse, ExplainedCount, FactOfFigure, Interval, Metric, Row, RowState, Unit,
    };
    use clap::Parser;

    use super::*;

    /// A score of three answers, of which one is told.
    pub(super) fn answer() -> ExplainMetricResponse {
        let at = |text: &str| instant::boundary(text, &TimeZone::UTC).map(barometer_chassis::clock::Micros::to_wire);
        let count = |name: &str, number, meaning: &str| ExplainedCount {
            name: name.to_owned(),
            number,
            meaning: meaning.to_owned(),
            computed: false,
        };
        let metric = Metric {
            id: "nps".into(),
            version: 1,
            title: "Net promoter score".into(),
            description: "Share of promoters minus share of detractors.".into(),
            formula: "100 * (promoters - detractors) / answers, of surveys of the kind NPS.".into(),
            unit: Unit::Points.into(),
            ..Metric::default()
        };
        let row = Row {
            start_time: at("2017-05-01"),
            end_time: at("2017-06-01"),
            group: [("survey_type".to_owned(), "transactional".to_owned())].into(),
            value: Some(33.333_333),
            state: RowState::Ok.into(),
            counts: [("promoters".to_owned(), 2.0), ("detractors".to_owned(), 1.0), ("answers".to_owned(), 3.0)].into(),
            interval: Some(Interval { low: -40.0, high: 80.0, level: 0.95 }),
            ..Row::default()
        };
        let fact = FactOfFigure {
            source: "surveys".into(),
            kind: "response".into(),
            id: "0198b2a0-0000-7000-8000-000000000001".into(),
            time: at("2017-05-02"),
            customer_id: String::new(),
            counts: [("answers".to_owned(), 1.0), ("promoters".to_owned(), 0.25)].into(),
            value: Some(9.0),
            amount: Some(Money { currency_code: "EUR".into(), units: 12, nanos: 0 }),
        };
        ExplainMetricResponse {
            metric: Some(metric),
            parameters: [("level".to_owned(), "0.95".to_owned())].into(),
            filters: vec!["`language` is `en`".to_owned()],
            row: Some(row),
            freshness: Vec::new(),
            counts: vec![
                count("promoters", 2.0, "answers with a score of 9 or 10"),
                count("detractors", 1.0, "answers with a score of 0 to 6"),
                count("answers", 3.0, "answers with a score"),
            ],
            facts: vec![fact],
            next_page_token: "more".into(),
            total_facts: 3,
        }
    }

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        explain: ExplainArgs,
    }

    #[test]
    fn flags_become_a_request_and_fields_flags() {
        let flags = "x nps --from 2017 --where language=en --row survey_type=relational --count promoters --limit 7";
        let explain = Cli::try_parse_from(flags.split(' ')).expect("flags parse").explain;
        let request = explain.to_request(None).expect("a request");
        assert_eq!((request.metric.as_str(), request.page_size, request.count.as_str()), ("nps", 7, "promoters"));
        assert_eq!((request.filters.len(), request.group["survey_type"].as_str()), (1, "relational"));
        assert!(Cli::try_parse_from(["x", "nps", "--limit", "0"]).is_err());
        for (field, flag) in [
            ("metric", "METRIC"),
            ("group", "--row"),
            ("page_token", "--page"),
            ("filters[0].dimension", "--where"),
            ("parameters.level", "--param level"),
        ] {
            assert_eq!(flag_of(field), flag);
        }
    }
}
