//! Rows on their way from the writer to the feed of the same process, which so need not read them back.

use std::{any::Any, sync::Arc};

use tokio::sync::{Notify, mpsc};

use crate::position::Position;

/// Commits that may wait for the poller. When it takes none, as without watchers, nothing more is handed over: who follows
/// later reads the database.
const WAITING: usize = 8;

/// Rows of one kind.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Position of the first.
    first: i64,
    /// One position each.
    count: usize,
    /// A vector of the kind's model.
    pub(super) models: Box<dyn Any + Send>,
}

/// What a transaction has written so far, as far as it was told.
#[derive(Debug, Default)]
pub(crate) struct Told(Vec<Rows>);

impl Told {
    /// Adds rows of which the first is at `first`.
    pub(crate) fn add<M: Clone + Send + 'static>(&mut self, first: i64, rows: &[M]) {
        self.0.push(Rows { first, count: rows.len(), models: Box::new(rows.to_vec()) });
    }

    /// Forgets what was rolled back: everything after a position.
    pub(crate) fn rewind(&mut self, position: i64) {
        self.0.retain(|rows| rows.first <= position);
    }

    /// All that a commit wrote between two positions, when it was told of each.
    pub(crate) fn complete(self, after: Position, until: Position) -> Option<Commit> {
        let told: usize = self.0.iter().map(|rows| rows.count).sum();
        (told > 0 && i64::try_from(told) == Ok(until.n - after.n)).then_some(Commit { after, until, rows: self.0 })
    }
}

/// Everything that a commit wrote.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(super) after: Position,
    pub(super) until: Position,
    pub(super) rows: Vec<Rows>,
}

/// The writer's end.
#[derive(Debug)]
pub(crate) struct Sender {
    commits: mpsc::Sender<Commit>,
    wake: Arc<Notify>,
}

/// The poller's end.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(super) commits: mpsc::Receiver<Commit>,
    /// Told of every commit, handed over or not.
    pub(super) wake: Arc<Notify>,
}

/// From the writer to the poller.
pub(crate) fn channel() -> (Sender, Receiver) {
    let (commits, receiver) = mpsc::channel(WAITING);
    let wake = Arc::new(Notify::new());
    (Sender { commits, wake: wake.clone() }, Receiver { commits: receiver, wake })
}

impl Sender {
    /// Whether the poller has room.
    pub(crate) fn has_room(&self) -> bool {
        self.commits.capacity() > 0
    }

    /// Tells that something was committed, and hands it over if it can be.
    pub(crate) fn send(&self, commit: Option<Commit>) {
        if let Some(commit) = commit {
            // What finds no room is read.
            let _full = self.commits.try_send(commit);
        }
        self.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: i64) -> Position {
        Position { n, ..Position::START }
    }

    #[test]
    fn only_what_was_told_of_every_position_is_handed_over() {
        let told = || {
            let mut told = Told::default();
            told.add(5, &["a", "b"]);
            told.add(7, &["c"]);
            told
        };
        assert_eq!(told().complete(at(4), at(7)).map(|commit| commit.rows.len()), Some(2));
        assert!(told().complete(at(4), at(8)).is_none());
        assert!(Told::default().complete(at(4), at(4)).is_none());
    }

    #[test]
    fn what_was_rolled_back_is_forgotten() {
        let mut told = Told::default();
        told.add(5, &["a", "b"]);
        told.add(7, &["lost"]);
        told.rewind(6);
        told.add(7, &["c"]);
        let commit = told.complete(at(4), at(7)).expect("it is complete");
        let last = commit.rows.into_iter().last().expect("rows").models.downcast::<Vec<&str>>().expect("texts");
        assert_eq!(*last, ["c"]);
    }
}
