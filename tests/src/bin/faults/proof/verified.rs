//! Figures that the metrics service computes again itself, and compares.

use barometer_proto::metrics::v1::{
    QueryMetricsRequest, Verification, VerificationOutcome, VerifyMetricsRequest,
    verification_service_client::VerificationServiceClient, verify_metrics_response::Part,
};
use tonic::{Status, transport::Channel};

use super::{direct, patiently};
use crate::{load::Shared, world::World};

/// Every replica of metrics verifies all of its figures, with everything that was acknowledged: nothing differs.
pub(super) async fn verify(world: &World, shared: &Shared) -> Result<String, Vec<String>> {
    let (mut wrong, mut rows) = (Vec::new(), 0);
    for process in world.replicas("metrics") {
        let to = direct(process).await;
        match patiently(async || ask(to.clone(), shared).await).await {
            Ok(verified) if verified.outcome() == VerificationOutcome::Same => {
                rows += verified.metrics.iter().map(|metric| metric.rows).sum::<i64>();
            }
            Ok(verified) => wrong.extend(told(&process.name, &verified)),
            Err(status) => wrong.push(format!("{} does not verify: {status:?}", process.name)),
        }
    }
    if wrong.is_empty() { Ok(format!("{rows} rows of all metrics")) } else { Err(wrong) }
}

async fn ask(to: Channel, shared: &Shared) -> Result<Verification, Status> {
    let at_least = shared.ledger.lock().last.values().map(|(_, token)| token.clone()).collect();
    let query = Some(QueryMetricsRequest { at_least, ..Default::default() });
    let mut client = VerificationServiceClient::new(to).max_decoding_message_size(usize::MAX);
    let mut parts = client.verify_metrics(VerifyMetricsRequest { query }).await?.into_inner();
    while let Some(part) = parts.message().await? {
        if let Some(Part::Verification(verification)) = part.part {
            return Ok(verification);
        }
    }
    Err(Status::unavailable("it ended without a verdict"))
}

/// What differs, and what could not be verified.
fn told(whose: &str, verified: &Verification) -> Vec<String> {
    let of_metric = verified.metrics.iter().filter(|metric| metric.difference_count > 0 || !metric.error.is_empty());
    let tell = of_metric.map(|metric| {
        let first = metric.differences.first();
        format!("{whose}: {} has {} differences: {first:?} {}", metric.metric, metric.difference_count, metric.error)
    });
    tell.collect()
}
