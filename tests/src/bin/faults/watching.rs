//! Watchers that follow the feeds through all faults, always on from where they were: at the end they must know every
//! fact as it is.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use barometer_chassis::position::Position;
use futures_util::StreamExt;
use tokio::task::JoinHandle;
use tonic::{Code, transport::Channel};

use crate::{
    kinds::feed::{self, Batch, Fed},
    ledger::Ledger,
    world::{SERVICES, World},
};

/// A feed says something every second; one that is silent for so long is opened again.
const SILENCE: Duration = Duration::from_secs(5);

/// What a watcher has come to know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Facts by their number.
    pub(crate) facts: BTreeMap<i64, Fed>,
    position: String,
    pub(crate) reached: i64,
}

impl Known {
    /// Takes a batch in; says what is wrong with it.
    pub(crate) fn take(&mut self, batch: Batch) -> Result<(), String> {
        let Some((_, Position { n, .. })) = Position::decode(&batch.position) else {
            return Err(format!("{:?} is no position", batch.position));
        };
        if n < self.reached {
            return Err(format!("the feed went back from {} to {n}", self.reached));
        }
        for fact in batch.facts {
            if let Some(known) = self.facts.get(&fact.number) {
                if known.id != fact.id {
                    return Err(format!("{} and {} have one number, {}", known.id, fact.id, fact.number));
                }
                // A batch may come twice, but its facts do not get older.
                if known.version > fact.version {
                    return Err(format!("{known:?} came again as it had been: {fact:?}"));
                }
            }
            self.facts.insert(fact.number, fact);
        }
        (self.reached, self.position) = (n, batch.position);
        Ok(())
    }
}

/// The watchers of all feeds.
pub(crate) struct Watching {
    watchers: Vec<Watcher>,
}

/// The watcher of one service's feed.
struct Watcher {
    service: &'static str,
    known: Arc<Mutex<Known>>,
    task: JoinHandle<()>,
}

impl Watching {
    pub(crate) fn start(world: &World, ledger: &Arc<Ledger>) -> Self {
        let kept = SERVICES.iter().filter(|service| service.keeps);
        let watchers = kept.map(|service| {
            let known = Arc::<Mutex<Known>>::default();
            let watch = watch(service.name, world.call(service.name), Arc::clone(&known), Arc::clone(ledger));
            Watcher { service: service.name, known, task: tokio::spawn(watch) }
        });
        Watching { watchers: watchers.collect() }
    }

    /// What the watcher of a service knows once it has come to a position; `None` when it does not come to it.
    pub(crate) async fn known(&self, service: &str, position: i64) -> Option<Known> {
        let Watcher { known, .. } = self.watchers.iter().find(|watcher| watcher.service == service)?;
        for _ in 0..600 {
            let known = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if known.reached >= position {
                return Some(known);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        None
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.watchers.iter().for_each(|watcher| watcher.task.abort());
    }
}

async fn watch(service: &'static str, to: Channel, known: Arc<Mutex<Known>>, ledger: Arc<Ledger>) {
    loop {
        let after = known.lock().unwrap_or_else(PoisonError::into_inner).position.clone();
        if let Ok(Ok(mut batches)) = tokio::time::timeout(SILENCE, feed::open(service, to.clone(), after)).await {
            while let Ok(Some(batch)) = tokio::time::timeout(SILENCE, batches.next()).await {
                match batch {
                    Ok(batch) => {
                        if let Err(wrong) = known.lock().unwrap_or_else(PoisonError::into_inner).take(batch) {
                            ledger.violate(format!("a watcher of {service}: {wrong}"));
                        }
                    }
                    Err(status) => {
                        if status.code() == Code::OutOfRange {
                            ledger.violate(format!("a watcher of {service} is told that its history is gone"));
                        }
                        break;
                    }
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
