//! Requests that were acknowledged, sent once more.

use super::{Facts, direct, patiently};
use crate::{
    ledger::Receipt,
    load::{
        Shared,
        send::{Order, attempt},
    },
    world::World,
};

/// Repeats a part of what was acknowledged: every repeat is answered with what the first request did, and nothing is
/// changed by any.
pub(super) async fn repeat(world: &World, shared: &Shared, facts: &Facts) -> Result<String, Vec<String>> {
    let receipts = shared.ledger.lock().receipts.clone();
    let mut wrong = Vec::new();
    for (nth, receipt) in receipts.iter().enumerate() {
        let Receipt { kind, act, row, request_id, id, position } = receipt.clone();
        let replicas: Vec<_> = world.replicas(shared.kinds[kind].service()).collect();
        let to = direct(replicas[nth % replicas.len()]).await;
        let order = Order { kind, act, row, id: id.clone(), request_id };
        match patiently(async || attempt(shared, &order, to.clone()).await).await {
            Ok(again) if (&again.id, &again.position) == (&id, &position) => {}
            other => wrong.push(format!("{receipt:?}, repeated, was answered {other:?}")),
        }
    }
    let after = Facts::read(world, shared).await?;
    for (before, after) in facts.of_kind.iter().zip(&after.of_kind) {
        wrong.extend(super::differences("after repeats", before, after));
    }
    if wrong.is_empty() { Ok(format!("{} repeated", receipts.len())) } else { Err(wrong) }
}
