//! Every method of the metrics service.

use barometer_proto::metrics::v1::{
    Filter, Fold, GetFoldRequest, GetMetricRequest, ListMetricsRequest, ListMetricsResponse, Metric,
    QueryMetricsRequest, QueryMetricsResponse, QueryRetentionRequest, QueryRetentionResponse, QuerySurvivalRequest,
    QuerySurvivalResponse,
};

use crate::caller::Caller;

/// Calls them; `survey` is the name of one.
pub(crate) async fn call_all(caller: &mut Caller, survey: &str) {
    let method = |name: &str| format!("barometer.metrics.v1.MetricsService/{name}");
    let _: ListMetricsResponse = caller.call(&method("ListMetrics"), &ListMetricsRequest::default()).await;
    let _: Metric = caller.call(&method("GetMetric"), &GetMetricRequest { id: "nps".to_owned() }).await;
    let _: Fold = caller.call(&method("GetFold"), &GetFoldRequest::default()).await;
    let only = Filter { dimension: "survey".to_owned(), values: vec![survey.to_owned()], ..Default::default() };
    let query = QueryMetricsRequest { metrics: vec!["nps".to_owned()], filters: vec![only], ..Default::default() };
    let _: QueryMetricsResponse = caller.call(&method("QueryMetrics"), &query).await;
    let method = |name: &str| format!("barometer.metrics.v1.AnalysisService/{name}");
    let by = || vec!["tier".to_owned()];
    let cohorts = QueryRetentionRequest { group_by: by(), ..Default::default() };
    let _: QueryRetentionResponse = caller.call(&method("QueryRetention"), &cohorts).await;
    let curves = QuerySurvivalRequest { group_by: by(), ..Default::default() };
    let _: QuerySurvivalResponse = caller.call(&method("QuerySurvival"), &curves).await;
}
