//! A consumer of the feed, as the contract asks of one: keeps the latest state of each fact and the position reached.

use std::collections::BTreeMap;

use barometer_chassis::{
    clock::Micros,
    feed::{Delivery, MAX_BATCH, Watch},
};
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tonic::Status;

use crate::{
    nouns::Fact,
    replica::{PATIENCE, Replica, position_of},
};

/// What a watcher knows.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    /// By kind and number.
    facts: BTreeMap<(i32, i64), Fact>,
    /// Token of the position reached.
    pub(crate) position: String,
    /// Facts that were delivered, one for each version seen.
    pub(crate) delivered: usize,
    /// How many of each delivery.
    pub(crate) sizes: Vec<usize>,
}

impl Follower {
    /// Applies one delivery; nothing in it may be older than what is known, nor known already.
    pub(crate) fn apply(&mut self, delivery: Delivery<Fact>) {
        let Delivery { facts, position, caught_up: _, read_time, trace_parents: _ } = delivery;
        assert!(read_time > Micros(0));
        assert!(facts.len() as u64 <= MAX_BATCH, "{} facts in a batch", facts.len());
        assert!(facts.is_sorted_by_key(|fact| fact.position));
        let (before, reached) = (self.n(), position_of(&position).n);
        assert!(reached >= before, "from {before} back to {reached}");
        assert!(facts.iter().all(|fact| before < fact.position && fact.position <= reached));
        self.delivered += facts.len();
        self.sizes.push(facts.len());
        for fact in facts {
            let known = self.facts.insert((fact.kind, fact.number), fact.clone());
            assert!(known.is_none_or(|known| known.version < fact.version), "twice: {fact:?}");
        }
        self.position = position;
    }

    /// Follows until all of `holds` is true.
    pub(crate) async fn follow_until(
        &mut self,
        watch: &mut Watch<Delivery<Fact>>,
        mut holds: impl FnMut(&Follower) -> bool,
    ) -> Result<(), Status> {
        while !holds(self) {
            let delivery = timeout(PATIENCE, watch.next()).await;
            let delivery = delivery.unwrap_or_else(|_| panic!("the feed ends at {}: {:?}", self.n(), self.texts()));
            self.apply(delivery.expect("a watch goes on")?);
        }
        Ok(())
    }

    /// Follows until the replica's head as it is now.
    pub(crate) async fn catch_up(&mut self, replica: &Replica, watch: &mut Watch<Delivery<Fact>>) {
        let head = replica.head().await;
        self.follow_until(watch, |follower| follower.n() >= head).await.expect("the watch goes on");
    }

    /// The position reached.
    pub(crate) fn n(&self) -> i64 {
        if self.position.is_empty() { 0 } else { position_of(&self.position).n }
    }

    /// Texts of what was not withdrawn, in the order of the kinds and numbers.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.facts.values().filter_map(|fact| fact.text.as_deref()).collect()
    }

    /// How many facts, withdrawn ones included.
    pub(crate) fn len(&self) -> usize {
        self.facts.len()
    }

    /// Checks that it knows exactly the notes that the replica has.
    pub(crate) async fn expect_notes_of(&self, replica: &Replica) {
        let notes = replica.notes().await;
        let expected: Vec<_> = notes.iter().map(|note| (note.number, note.version, note.position)).collect();
        let known: Vec<_> = self.facts.values().map(|fact| (fact.number, fact.version, fact.position)).collect();
        assert_eq!(known, expected);
    }
}

/// The next delivery, or why the watch ended.
pub(crate) async fn next(watch: &mut Watch<Delivery<Fact>>) -> Result<Delivery<Fact>, Status> {
    timeout(PATIENCE, watch.next()).await.expect("something comes").expect("the watch goes on")
}
