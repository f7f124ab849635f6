//! Every method of the verifications.

use barometer_proto::metrics::v1::{
    GetVerificationRequest, ListVerificationsRequest, ListVerificationsResponse, QueryMetricsRequest, Verification,
    VerifyMetricsRequest, VerifyMetricsResponse,
};

use crate::caller::Caller;

/// Calls them.
pub(crate) async fn call_all(caller: &mut Caller) {
    let method = |name: &str| format!("barometer.metrics.v1.VerificationService/{name}");
    let query = QueryMetricsRequest { group_by: vec!["tier".to_owned()], ..Default::default() };
    let query = QueryMetricsRequest { metrics: vec!["nps".to_owned(), "revenue".to_owned()], ..query };
    let request = VerifyMetricsRequest { query: Some(query) };
    let _: VerifyMetricsResponse = caller.call(&method("VerifyMetrics"), &request).await;
    let list = ListVerificationsRequest::default();
    let kept: ListVerificationsResponse = caller.call(&method("ListVerifications"), &list).await;
    let verification_id = kept.verifications[0].verification_id.clone();
    let _: Verification = caller.call(&method("GetVerification"), &GetVerificationRequest { verification_id }).await;
}
