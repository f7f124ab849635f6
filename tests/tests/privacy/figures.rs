//! Every method of the figure service.

use barometer_proto::metrics::v1::{
    ExplainMetricRequest, ExplainMetricResponse, Filter, Granularity, QueryComparisonsRequest,
    QueryComparisonsResponse, QueryMetricsRequest, QueryTrendsRequest, QueryTrendsResponse, Rest, Side,
    WatchMetricsRequest, WatchMetricsResponse, query_comparisons_request::Against,
};

use crate::caller::Caller;

/// Calls them; `survey` is the name of one.
pub(crate) async fn call_all(caller: &mut Caller, survey: &str) {
    let method = |name: &str| format!("barometer.metrics.v1.FigureService/{name}");
    let only = Filter { dimension: "survey".to_owned(), values: vec![survey.to_owned()], ..Default::default() };
    let comparisons = QueryComparisonsRequest {
        metrics: vec!["nps".to_owned()],
        side: Some(Side::default()),
        against: Some(Against::Rest(Rest {})),
        group_by: vec!["channel".to_owned()],
        filters: vec![only.clone()],
        ..Default::default()
    };
    let _: QueryComparisonsResponse = caller.call(&method("QueryComparisons"), &comparisons).await;
    let query = QueryMetricsRequest {
        metrics: vec!["nps".to_owned()],
        filters: vec![only.clone()],
        granularity: Granularity::Month.into(),
        ..Default::default()
    };
    let explained = ExplainMetricRequest { metric: "responses".to_owned(), filters: vec![only], ..Default::default() };
    let _: ExplainMetricResponse = caller.call(&method("ExplainMetric"), &explained).await;
    let watched = WatchMetricsRequest { query: Some(query.clone()), min_interval: None };
    let _: WatchMetricsResponse = caller.call(&method("WatchMetrics"), &watched).await;
    let _: QueryTrendsResponse = caller.call(&method("QueryTrends"), &QueryTrendsRequest { query: Some(query) }).await;
}
