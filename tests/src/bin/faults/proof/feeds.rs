//! The feeds against the facts: from the beginning, as watchers followed them, and from positions on the way.

use std::{collections::BTreeMap, time::Duration};

use futures_util::StreamExt;
use tonic::{Status, transport::Channel};

use super::{differences, direct, facts::Facts, patiently};
use crate::{
    kinds::feed::{self, State},
    load::Shared,
    watching::{Known, Watching},
    world::{SERVICES, World},
};

/// A feed that says nothing for so long is broken.
const SILENCE: Duration = Duration::from_secs(20);
/// Positions that are tried with each process.
const POSITIONS: usize = 100;

/// Every replica's feed tells the facts that the services list, in versions that fit what was acknowledged; and so does
/// what watchers know who lived through the faults.
pub(super) async fn compare(
    world: &World,
    shared: &Shared,
    facts: &Facts,
    watching: &Watching,
) -> Result<String, Vec<String>> {
    let (mut wrong, mut told) = (Vec::new(), 0);
    for service in SERVICES.iter().filter(|service| service.keeps) {
        let listed: BTreeMap<&str, Option<&_>> = shared
            .kinds
            .iter()
            .zip(&facts.of_kind)
            .filter(|(kind, _)| kind.service() == service.name)
            .flat_map(|(_, facts)| facts.values())
            .map(|fact| (fact.id.as_str(), (!fact.withdrawn).then_some(&fact.shown)))
            .collect();
        let mut tellers = Vec::new();
        for process in world.replicas(service.name) {
            let to = direct(process).await;
            match patiently(async || read(service.name, to.clone()).await).await {
                Ok(known) => tellers.push((format!("the feed of {}", process.name), known)),
                Err(status) => wrong.push(format!("the feed of {}: {status:?}", process.name)),
            }
        }
        let reached = tellers.iter().map(|(_, known)| known.reached).max().unwrap_or_default();
        match watching.known(service.name, reached).await {
            Some(known) => tellers.push((format!("a watcher of {}", service.name), known)),
            None => wrong.push(format!("a watcher of {} does not come to {reached}", service.name)),
        }
        for (teller, known) in &tellers {
            let fed: BTreeMap<&str, Option<&_>> = known
                .facts
                .values()
                .filter_map(|fact| match &fact.state {
                    State::Live(shown) => Some((fact.id.as_str(), Some(shown))),
                    State::Tombstone => Some((fact.id.as_str(), None)),
                    State::Other => None,
                })
                .collect();
            told += fed.len();
            wrong.extend(differences(teller, &listed, &fed));
            wrong.extend(versions(teller, shared, facts, known));
        }
    }
    if wrong.is_empty() { Ok(format!("{told} facts told")) } else { Err(wrong) }
}

/// A version grows by one with each change: no change that was acknowledged is missing, and none happened twice. A case that
/// came in while customers was away is changed once more, when it is known what its customer is worth.
fn versions(teller: &str, shared: &Shared, facts: &Facts, known: &Known) -> Vec<String> {
    let inner = shared.ledger.lock();
    let mut wrong = Vec::new();
    for fact in known.facts.values() {
        let listed = facts.of_kind.iter().enumerate().find_map(|(kind, facts)| Some((kind, facts.get(&fact.id)?)));
        let Some((kind, listed)) = listed else { continue };
        let entry = listed.shown.number.and_then(|number| inner.entries.get(&(kind, number)));
        let Some(entry) = entry else { continue };
        let (least, most) = entry.changes;
        let most = most + i64::from(shared.kinds[kind].service() == "complaints");
        if !(least..=most).contains(&(fact.version - 1)) {
            wrong.push(format!("{teller}: {fact:?} was changed {least} to {most} times"));
        }
    }
    wrong
}

/// Reads a feed from the beginning to where it is caught up.
async fn read(service: &str, to: Channel) -> Result<Known, Status> {
    let mut batches = feed::open(service, to, String::new()).await?;
    let mut known = Known::default();
    loop {
        let batch = tokio::time::timeout(SILENCE, batches.next()).await;
        let batch = batch.map_err(|late| Status::from_error(Box::new(late)))?;
        let batch = batch.unwrap_or_else(|| Err(Status::unavailable("the feed ended")))?;
        let caught_up = batch.caught_up;
        known.take(batch).map_err(Status::data_loss)?;
        if caught_up {
            return Ok(known);
        }
    }
}

/// Nothing was rewound: every position that a write was answered with is one to go on from, at every replica.
pub(super) async fn positions(world: &World, shared: &Shared) -> Result<String, Vec<String>> {
    let mut positions = shared.ledger.lock().positions.clone();
    fastrand::shuffle(&mut positions);
    positions.truncate(POSITIONS);
    let mut wrong = Vec::new();
    for token in &positions {
        let Some((service, _)) = barometer_chassis::position::Position::decode(token) else { continue };
        for process in world.replicas(&service) {
            let to = direct(process).await;
            let first = patiently(async || {
                let mut batches = feed::open(&service, to.clone(), token.clone()).await?;
                batches.next().await.unwrap_or_else(|| Err(Status::unavailable("the feed ended")))
            });
            if let Err(status) = first.await {
                wrong.push(format!("{} does not go on after {token}: {status:?}", process.name));
            }
        }
    }
    if wrong.is_empty() { Ok(format!("{} tried", positions.len())) } else { Err(wrong) }
}
