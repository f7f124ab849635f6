//! What the report shows, as any caller would ask for it: queries of the metrics service.

use barometer_proto::metrics::v1::{Filter, Granularity, MetricResult, QueryMetricsRequest, Row};
use barometer_simulator::{Timeline, company::Survey, rows, timeline::MONTHS};

use crate::{failure::Failure, suite::Suite};

/// The figures of the report. Those by month have one row for each, in order.
pub(super) struct Figures {
    /// NPS of the relation, by month.
    pub(super) nps: Vec<Row>,
    pub(super) complaints: Vec<Row>,
    /// Median seconds until the first answer, by month.
    pub(super) first_response: Vec<Row>,
    /// Share of complaints answered within 24 hours, by month.
    pub(super) on_time: Vec<Row>,
    pub(super) churn: Vec<Row>,
    /// Active when the month ends.
    pub(super) active: Vec<Row>,
    /// In euros, by month.
    pub(super) revenue: Vec<Row>,
    /// Complaints by category.
    pub(super) categories: Vec<Row>,
    /// NPS after deliveries, by whether they were late.
    pub(super) deliveries: Vec<Row>,
}

impl Figures {
    /// Asks for all of them, once they include these positions.
    pub(super) async fn ask(suite: &Suite, timeline: &Timeline, positions: &[String]) -> Result<Self, Failure> {
        let query = |metrics: &[&str]| QueryMetricsRequest {
            metrics: metrics.iter().map(ToString::to_string).collect(),
            start_time: Some(rows::wire(timeline.start())),
            end_time: Some(rows::wire(timeline.until())),
            at_least: positions.to_vec(),
            ..QueryMetricsRequest::default()
        };
        let by_month = |metrics| QueryMetricsRequest { granularity: Granularity::Month.into(), ..query(metrics) };
        let only = |dimension: &str, value: &str| {
            vec![Filter { dimension: dimension.to_owned(), values: vec![value.to_owned()], exclude: false }]
        };

        let asked = QueryMetricsRequest { filters: only("survey", Survey::Relationship.name()), ..by_month(&["nps"]) };
        let [nps] = ask(suite, asked).await?;
        let of_cases = QueryMetricsRequest {
            parameters: [("statistic".to_owned(), "median".to_owned()), ("limit".to_owned(), "24h".to_owned())].into(),
            ..by_month(&[
                "complaints_opened",
                "time_to_first_response",
                "on_time_rate",
                "churn_rate",
                "active_customers",
            ])
        };
        let [complaints, first_response, on_time, churn, active] = ask(suite, of_cases).await?;
        let asked = QueryMetricsRequest { filters: only("currency", "EUR"), ..by_month(&["revenue"]) };
        let [revenue] = ask(suite, asked).await?;
        let asked = QueryMetricsRequest { group_by: vec!["category".to_owned()], ..query(&["complaints_opened"]) };
        let [categories] = ask(suite, asked).await?;
        let asked = QueryMetricsRequest {
            filters: only("survey", Survey::Delivery.name()),
            group_by: vec!["delivery".to_owned()],
            ..query(&["nps"])
        };
        let [deliveries] = ask(suite, asked).await?;

        let by_months = [&nps, &complaints, &first_response, &on_time, &churn, &active, &revenue];
        if by_months.iter().any(|rows| rows.len() != MONTHS) {
            return Err(Failure::internal("the suite answered with figures of other months"));
        }
        Ok(Self { nps, complaints, first_response, on_time, churn, active, revenue, categories, deliveries })
    }
}

/// The rows of as many metrics as were asked for.
async fn ask<const N: usize>(suite: &Suite, query: QueryMetricsRequest) -> Result<[Vec<Row>; N], Failure> {
    let answer = suite.query(&query, str::to_owned).await?;
    let rows: Vec<Vec<Row>> = answer.results.into_iter().map(|MetricResult { rows, .. }| rows).collect();
    rows.try_into().map_err(|_| Failure::internal("the suite answered other metrics than it was asked for"))
}
