//! Every method of the metrics service.

use barometer_proto::metrics::v1::{
    BatchGetCustomerStatesRequest, BatchGetCustomerStatesResponse, Driver, DriverFact, Filter, Fold, GetFoldRequest,
    GetMetricRequest, ListCategoryMovesRequest, ListCategoryMovesResponse, ListCustomerStatesRequest,
    ListCustomerStatesResponse, ListMetricsRequest, ListMetricsResponse, Metric, QueryDriversRequest,
    QueryDriversResponse, QueryJourneysRequest, QueryJourneysResponse, QueryMetricsRequest, QueryMetricsResponse,
    QueryRetentionRequest, QueryRetentionResponse, QuerySurvivalRequest, QuerySurvivalResponse,
    QueryTransitionsRequest, QueryTransitionsResponse, driver,
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
    let moves = QueryTransitionsRequest { group_by: by(), ..Default::default() };
    let _: QueryTransitionsResponse = caller.call(&method("QueryTransitions"), &moves).await;
    let journeys = QueryJourneysRequest { group_by: by(), ..Default::default() };
    let _: QueryJourneysResponse = caller.call(&method("QueryJourneys"), &journeys).await;
    let contacts = Driver { driver: Some(driver::Driver::Fact(DriverFact::Contacts.into())) };
    let drivers = QueryDriversRequest { drivers: vec![contacts], group_by: by(), ..Default::default() };
    let _: QueryDriversResponse = caller.call(&method("QueryDrivers"), &drivers).await;
    let moves = ListCategoryMovesRequest::default();
    let _: ListCategoryMovesResponse = caller.call(&method("ListCategoryMoves"), &moves).await;
    let listed: ListCustomerStatesResponse =
        caller.call(&method("ListCustomerStates"), &ListCustomerStatesRequest::default()).await;
    let customer_ids: Vec<_> = listed.customer_states.into_iter().map(|state| state.customer_id).take(10).collect();
    assert!(!customer_ids.is_empty(), "somebody is known");
    let states = BatchGetCustomerStatesRequest { customer_ids, view: None };
    let _: BatchGetCustomerStatesResponse = caller.call(&method("BatchGetCustomerStates"), &states).await;
}
