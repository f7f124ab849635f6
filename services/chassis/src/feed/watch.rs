//! Following a feed: a stream of batches for one watcher.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::Status;

use super::{Batch, Feed};
use crate::{clock::Micros, door::Door, error::Error, position::Position, shutdown::Shutdown};

/// How often a watcher hears of a feed in which nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Batches that wait for a slow watcher. Beyond it the feed is not read for it until it has taken one.
const WAITING: usize = 2;
/// The most bytes of facts in one message: callers take messages of 4 MiB unless told otherwise.
const MAX_BYTES: usize = 3 * 1024 * 1024;
/// The most facts in one message.
const MAX_FACTS: usize = 1_000;

/// One batch for a watcher.
#[derive(Clone, Debug)]
pub struct Delivery<F> {
    /// Facts in the order of their positions.
    pub facts: Vec<F>,
    /// Token of the position reached.
    pub position: String,
    /// Whether this was all there was.
    pub caught_up: bool,
    /// When it was read.
    pub read_time: Micros,
    /// W3C trace parents of writes in it that this process made; with the last part of a batch that is cut.
    pub trace_parents: Vec<String>,
}

/// The stream of one watcher.
pub struct Watch<R> {
    batches: mpsc::Receiver<Result<R, Status>>,
}

impl<R> Stream for Watch<R> {
    type Item = Result<R, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.batches.poll_recv(context)
    }
}

impl<F: Clone + Send + Sync + 'static> Feed<F> {
    /// Follows the feed after a position: facts of the kinds given, of all when there are none. Ends when the watcher
    /// goes, with the process, or with an error, [`Error::Gone`] among them. `size` tells the bytes that a fact takes.
    ///
    /// Errors: INVALID for a token that is none of this service, and for kinds that it does not have.
    pub fn watch<R: Send + 'static>(
        &self,
        after: &str,
        kinds: Vec<i32>,
        shutdown: Shutdown,
        size: fn(&F) -> usize,
        render: fn(Delivery<F>) -> R,
    ) -> Result<Watch<R>, Error> {
        let after = Door::open(|door| {
            for (place, tag) in kinds.iter().enumerate() {
                if !self.inner.kinds.iter().any(|kind| kind.tag == *tag) {
                    door.refuse(&format!("kinds[{place}]"), "UNKNOWN_VALUE", "is no kind of fact of this service");
                }
            }
            self.parse_token(door, "after", after)
        })?;
        let (sender, batches) = mpsc::channel(WAITING);
        let watcher = Watcher { feed: self.clone(), kinds, at: after, sender, size, render };
        tokio::spawn(watcher.run(shutdown));
        Ok(Watch { batches })
    }

    /// The position of a token, which must be of this service.
    fn parse_token(&self, door: &mut Door, field: &str, token: &str) -> Position {
        if token.is_empty() {
            return Position::START;
        }
        match Position::decode(token) {
            Some((service, position)) if service == self.inner.service => return position,
            Some((service, _)) => {
                door.refuse(field, "NOT_A_POSITION", format!("is a position of the {service} service"));
            }
            None => door.refuse(field, "NOT_A_POSITION", "is not a position"),
        }
        Position::START
    }
}

/// One who follows a feed.
struct Watcher<F, R> {
    feed: Feed<F>,
    kinds: Vec<i32>,
    at: Position,
    sender: mpsc::Sender<Result<R, Status>>,
    size: fn(&F) -> usize,
    render: fn(Delivery<F>) -> R,
}

impl<F: Clone + Send + Sync + 'static, R: Send + 'static> Watcher<F, R> {
    async fn run(mut self, shutdown: Shutdown) {
        let sender = self.sender.clone();
        tokio::select! {
            () = shutdown.cancelled() => {
                let _full_or_gone = sender.try_send(Err(Error::stopping().into()));
            }
            () = sender.closed() => {}
            result = self.follow() => if let Err(error) = result {
                let _gone = sender.send(Err(error.into())).await;
            }
        }
    }

    /// Delivers batch after batch: what the poller read last when it fits, else from the database.
    async fn follow(&mut self) -> Result<(), Error> {
        let mut latest = self.feed.inner.latest.subscribe();
        let mut told = tokio::time::Instant::now();
        let mut first = true;
        loop {
            let batches = latest.borrow_and_update().clone();
            let last = &batches[batches.len() - 1];
            let news = last.until != self.at;
            if first || news {
                let batch = match batches.iter().find(|batch| batch.after == self.at && batch.until != self.at) {
                    Some(batch) => Arc::clone(batch),
                    None => Arc::new(self.read().await?),
                };
                self.deliver(&batch).await?;
                (first, told) = (false, tokio::time::Instant::now());
                if !batch.caught_up || self.at.n < last.until.n {
                    continue;
                }
            } else if told.elapsed() >= HEARTBEAT {
                // Whatever this batch holds, the watcher has it: it has read up to here.
                let (entries, trace_parents) = (Vec::new(), Vec::new());
                self.deliver(&Batch { entries, trace_parents, ..Batch::clone(last) }).await?;
                told = tokio::time::Instant::now();
            }
            if latest.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// Reads in a task of its own, which ends even when the watcher goes: the driver forgets a transaction whose BEGIN was
    /// broken off, and the pool would lend it to the next.
    async fn read(&self) -> Result<Batch<F>, Error> {
        let (feed, at) = (self.feed.clone(), self.at);
        let read = tokio::spawn(async move { feed.read(at).await });
        read.await.map_err(|error| Error::Internal(error.to_string()))?
    }

    /// Sends a batch, in as many parts as messages are needed. A part ends with a fact: there its position is.
    async fn deliver(&mut self, batch: &Batch<F>) -> Result<(), Error> {
        let wanted = |tag: i32| self.kinds.is_empty() || self.kinds.contains(&tag);
        let (mut facts, mut bytes, mut reached) = (Vec::new(), 0, batch.after);
        for entry in batch.entries.iter().filter(|entry| wanted(entry.tag)) {
            let size = (self.size)(&entry.fact);
            if (bytes + size > MAX_BYTES && !facts.is_empty()) || facts.len() >= MAX_FACTS {
                self.send(std::mem::take(&mut facts), reached, batch, None).await;
                bytes = 0;
            }
            bytes += size;
            facts.push(entry.fact.clone());
            reached.n = entry.position;
        }
        self.send(facts, batch.until, batch, Some(&batch.trace_parents)).await;
        self.at = batch.until;
        Ok(())
    }

    /// Sends a part of a batch; `last` are the batch's traces when it is the last one.
    async fn send(&self, facts: Vec<F>, reached: Position, batch: &Batch<F>, last: Option<&[String]>) {
        let position = reached.encode(self.feed.inner.service);
        let caught_up = last.is_some() && batch.caught_up;
        let trace_parents = last.unwrap_or_default().to_vec();
        let delivery = Delivery { facts, position, caught_up, read_time: batch.read_time, trace_parents };
        // The watcher's end is noticed by its closed channel.
        let _gone = self.sender.send(Ok((self.render)(delivery))).await;
    }
}
