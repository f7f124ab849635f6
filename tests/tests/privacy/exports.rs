//! Every method of the tables, and the tables of all kinds of facts.

use barometer_proto::metrics::v1::{
    ExportChunk, ExportCustomerStatesRequest, ExportFactsRequest, ExportMetricsRequest, Filter, QueryMetricsRequest,
};

use crate::caller::Caller;

const SERVICE: &str = "barometer.metrics.v1.ExportService";

/// Calls them; `survey` is the name of one.
pub(crate) async fn call_all(caller: &mut Caller, survey: &str) {
    let method = |name: &str| format!("{SERVICE}/{name}");
    let only = Filter { dimension: "survey".to_owned(), values: vec![survey.to_owned()], ..Default::default() };
    let query = QueryMetricsRequest { metrics: vec!["nps".to_owned()], filters: vec![only], ..Default::default() };
    let request = ExportMetricsRequest { query: Some(query), ..Default::default() };
    let _: ExportChunk = caller.call(&method("ExportMetrics"), &request).await;
    let request = ExportFactsRequest { kind: "customers.purchase".to_owned(), ..Default::default() };
    let _: ExportChunk = caller.call(&method("ExportFacts"), &request).await;
    let request = ExportCustomerStatesRequest::default();
    let _: ExportChunk = caller.call(&method("ExportCustomerStates"), &request).await;
}

/// All facts that there are, of every kind, as CSV.
pub(crate) async fn tables(caller: &Caller) -> Vec<u8> {
    let mut bytes = Vec::new();
    for kind in [
        "complaints.case",
        "complaints.case_clock",
        "complaints.case_entry",
        "complaints.claim",
        "complaints.escalation",
        "complaints.follow_up",
        "complaints.incident",
        "complaints.promise",
        "customers.attribute_change",
        "customers.cost",
        "customers.customer",
        "customers.interaction",
        "customers.membership_event",
        "customers.purchase",
        "customers.referral",
        "customers.subscription_event",
        "surveys.invitation",
        "surveys.response",
        "surveys.survey",
    ] {
        let table = caller.table(&format!("{SERVICE}/ExportFacts"), kind).await;
        assert!(table.len() > 300, "there are facts of {kind}: {}", String::from_utf8_lossy(&table));
        bytes.extend(table);
    }
    bytes
}
