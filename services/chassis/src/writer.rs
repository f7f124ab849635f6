//! The one writer of a process: commands that wait share a transaction, and so a commit.
//!
//! The transaction begins by locking the service's counter, so writers of several replicas follow one another, every
//! look-up inside sees what was committed before, and positions become visible in order and without gaps. No timers:
//! what arrives while a commit runs makes up the next one.

mod counter;
mod insert;
mod instruments;
mod ledger;
mod record;

use std::{
    any::{Any, TypeId},
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, EntityTrait, TransactionTrait,
    sea_query::{Expr, ExprTrait},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::Instant,
};
use tracing::Instrument;
use uuid::Uuid;

use self::{counter::Counter, instruments::Instruments};
pub use self::{
    insert::{any_of, insert},
    ledger::{Done, Request, forget_old_requests},
    record::{Head, HeadMut, Outcome, Pending, Recorded, current, insert_with, replace, withdraw},
};
use crate::{
    clock::Micros,
    database::Database,
    error::Error,
    feed::{
        Traces, handover,
        handover::Told,
        marker::{self, Markers},
    },
    position::Position,
    shutdown::Shutdown,
    telemetry::spans,
};

/// Rows that may wait to be written, by default: so many of single writes and so many of imports. Beyond it single writes
/// are answered with RESOURCE_EXHAUSTED and imports wait.
pub const DEFAULT_QUEUE: u32 = 4_096;
/// The most rows of imports that wait, and so share a commit: what a statement may have of parameters, and others of
/// patience.
const MAX_PATIENT: u32 = 4_096;
/// The most commands that share a commit.
const MAX_SHARED: usize = 256;

/// How long a commit may take on PostgreSQL, where a connection may be lost without a word: longer than any statement may.
/// Then the connection is given up, and those who wait are told that their writes are not confirmed.
const LONGEST_COMMIT: Duration = Duration::from_secs(40);

/// Hands commands to the writer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Writer {
    commands: mpsc::UnboundedSender<Queued>,
    /// Bounds the channel: one permit for each single write that waits.
    room: Arc<Semaphore>,
    /// The same for who waits for room. Apart, because there everybody else would be refused meanwhile.
    patient: Arc<Semaphore>,
    patient_capacity: u32,
    instruments: Arc<Instruments>,
}

/// A transaction of the writer, as commands see it.
#[derive(Debug)]
pub struct Write<'w> {
    /// The connection, inside the transaction.
    pub db: &'w DatabaseTransaction,
    /// The instant of the transaction.
    pub now: Micros,
    /// The last position taken.
    position: &'w AtomicI64,
    /// What the feed is handed over; none when it takes nothing.
    told: Option<&'w Mutex<Told>>,
}

impl Write<'_> {
    /// Takes the next position for a changed fact.
    pub fn next_position(&self) -> i64 {
        self.position.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The last position taken.
    pub fn position(&self) -> i64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Hands over to the feed rows that were written at consecutive positions from `first` on, in their order. A shortcut:
    /// what the feed is not told it reads.
    pub fn tell<M: Clone + Send + 'static>(&self, first: i64, rows: &[M]) {
        if let Some(told) = self.told {
            told.lock().unwrap_or_else(PoisonError::into_inner).add(first, rows);
        }
    }

    /// Gives back positions of what was rolled back.
    fn rewind(&self, position: i64) {
        self.position.store(position, Ordering::Relaxed);
        if let Some(told) = self.told {
            told.lock().unwrap_or_else(PoisonError::into_inner).rewind(position);
        }
    }
}

impl Writer {
    /// Starts the writer of a service in this process. `capacity` is how many rows may wait; `commits` is told after each
    /// commit, and what it wrote. It ends, having written everything that waits, when `shutdown` comes and all handles are
    /// gone.
    pub(crate) async fn start(
        service: &'static str,
        database: Database,
        capacity: u32,
        markers: Arc<Markers>,
        traces: Arc<Traces>,
        commits: handover::Sender,
        shutdown: Shutdown,
    ) -> Result<(Writer, tokio::task::JoinHandle<()>), Error> {
        let (commands, queue) = mpsc::unbounded_channel();
        let room = |rows: u32| Arc::new(Semaphore::new(rows as usize));
        let patient_capacity = Ord::min(capacity, MAX_PATIENT);
        let instruments = Arc::new(Instruments::new(service, traces));
        let (room, patient) = (room(capacity), room(patient_capacity));
        instruments.observe_queue("single", &room, capacity);
        instruments.observe_queue("bulk", &patient, patient_capacity);
        let writer = Writer { commands, room, patient, patient_capacity, instruments: instruments.clone() };
        let mut task = Task { database, queue, markers, commits, instruments, incarnation: None, written: 0 };
        // An empty transaction writes the marker of this start, before any fact.
        task.commit(Vec::new()).await?;
        let handle = tokio::spawn(task.run(shutdown));
        Ok((writer, handle))
    }

    /// Runs a command in a savepoint of its own. A repeated request does nothing and answers what the first one did.
    pub async fn run<W>(&self, request: Request, work: W) -> Result<Done, Error>
    where
        W: for<'w> FnOnce(&'w Write<'w>) -> BoxFuture<'w, Result<Done, Error>> + Send + 'static,
    {
        let permit = self.try_acquire()?;
        self.run_with(permit, request, work).await
    }

    /// The same, but waits for room in the queue: for rows of imports and for calls of other services.
    pub async fn run_in_turn<W>(&self, request: Request, work: W) -> Result<Done, Error>
    where
        W: for<'w> FnOnce(&'w Write<'w>) -> BoxFuture<'w, Result<Done, Error>> + Send + 'static,
    {
        let permit = self.patient.clone().acquire_owned().await.map_err(|_| UNCONFIRMED())?;
        self.run_with(permit, request, work).await
    }

    async fn run_with<W>(&self, permit: OwnedSemaphorePermit, request: Request, work: W) -> Result<Done, Error>
    where
        W: for<'w> FnOnce(&'w Write<'w>) -> BoxFuture<'w, Result<Done, Error>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Box::new(Command { request, work, reply }), permit)?;
        answer.await.map_err(|_| UNCONFIRMED())?
    }

    /// Records a row, or refuses it when too much is waiting.
    pub async fn record_one<M: Recorded>(&self, row: Pending<M>) -> Result<Outcome<M>, Error> {
        let permit = self.try_acquire()?;
        let outcome = self.record_with(permit, vec![row]).await?.pop();
        outcome.unwrap_or_else(|| Err(Error::Internal("a row without an outcome".to_owned())))
    }

    /// Records rows of one kind together with whatever else waits, when there is room. Each row succeeds or fails alone.
    pub async fn record<M: Recorded>(&self, rows: Vec<Pending<M>>) -> Result<Vec<Result<Outcome<M>, Error>>, Error> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let room = Ord::min(u32::try_from(rows.len()).unwrap_or(u32::MAX), self.patient_capacity);
        let permit = self.patient.clone().acquire_many_owned(room).await.map_err(|_| UNCONFIRMED())?;
        self.record_with(permit, rows).await
    }

    async fn record_with<M: Recorded>(
        &self,
        permit: OwnedSemaphorePermit,
        rows: Vec<Pending<M>>,
    ) -> Result<Vec<Result<Outcome<M>, Error>>, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Box::new(record::Recording { rows, reply }), permit)?;
        answer.await.map_err(|_| UNCONFIRMED())
    }

    /// Room for a single write, if there is any.
    fn try_acquire(&self) -> Result<OwnedSemaphorePermit, Error> {
        self.room.clone().try_acquire_owned().map_err(|_| {
            self.instruments.refused();
            FULL
        })
    }

    fn send(&self, job: Box<dyn Job>, permit: OwnedSemaphorePermit) -> Result<(), Error> {
        let queued = Queued { job, span: spans::sampled(), _permit: permit };
        self.commands.send(queued).map_err(|_| UNCONFIRMED())
    }
}

const FULL: Error = Error::Exhausted("too many writes are waiting");

/// The answer when it is not known whether a write was committed.
#[allow(non_snake_case, reason = "stands beside FULL, but owns a text")]
fn UNCONFIRMED() -> Error {
    Error::Unavailable {
        reason: "WRITE_UNCONFIRMED",
        message: "the write could not be confirmed: repeat it with the same request_id".to_owned(),
    }
}

/// A command in the queue.
#[derive(Debug)]
struct Queued {
    job: Box<dyn Job>,
    /// Of the call, when its trace is sampled.
    span: Option<tracing::Span>,
    _permit: OwnedSemaphorePermit,
}

/// What is done after the commit: tells the caller.
type Settle = Box<dyn FnOnce() + Send>;

/// A command, or rows to be recorded.
trait Job: Send + std::fmt::Debug {
    /// How many positions it is expected to take.
    fn expected(&self) -> i64;

    /// Jobs of one lane are run together.
    fn lane(&self) -> Option<TypeId>;

    /// For joining another job of its lane.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;

    /// Runs together with others of its lane. An error fails the whole transaction.
    fn run<'w>(
        self: Box<Self>,
        others: Vec<Box<dyn Any + Send>>,
        write: &'w Write<'w>,
    ) -> BoxFuture<'w, Result<Settle, Error>>;
}

/// A command with its savepoint.
struct Command<W> {
    request: Request,
    work: W,
    reply: oneshot::Sender<Result<Done, Error>>,
}

impl<W> std::fmt::Debug for Command<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Command").field("method", &self.request.method).finish()
    }
}

impl<W> Job for Command<W>
where
    W: for<'w> FnOnce(&'w Write<'w>) -> BoxFuture<'w, Result<Done, Error>> + Send + 'static,
{
    fn expected(&self) -> i64 {
        1
    }

    fn lane(&self) -> Option<TypeId> {
        None
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }

    fn run<'w>(
        self: Box<Self>,
        _others: Vec<Box<dyn Any + Send>>,
        write: &'w Write<'w>,
    ) -> BoxFuture<'w, Result<Settle, Error>> {
        Box::pin(async move {
            let Command { request, work, reply } = *self;
            let result = attempt(write, |inner| {
                Box::pin(async move {
                    if let Some(done) = ledger::find(inner, &request).await? {
                        return Ok(done);
                    }
                    let done = work(inner).await?;
                    ledger::note(inner, vec![(request, done)]).await?;
                    Ok(done)
                })
            })
            .await?;
            Ok(Box::new(move || drop(reply.send(result))) as Settle)
        })
    }
}

/// Runs `work` in a savepoint; when it fails, what it wrote and the positions it took are given back, and the transaction
/// goes on. Fails itself in an outage only, after which it can not.
pub async fn attempt<T, W>(write: &Write<'_>, work: W) -> Result<Result<T, Error>, Error>
where
    W: for<'w> FnOnce(&'w Write<'w>) -> BoxFuture<'w, Result<T, Error>>,
{
    let before = write.position();
    let savepoint = write.db.begin().await?;
    let inner = Write { db: &savepoint, now: write.now, position: write.position, told: write.told };
    let result = work(&inner).await;
    let result = match result {
        // It fails when a statement has failed before and the work has made nothing of it. Then dropping rolls back.
        Ok(value) => savepoint.commit().await.map(|()| value).map_err(Error::from),
        Err(error) => {
            savepoint.rollback().await?;
            Err(error)
        }
    };
    match result {
        Err(error) if error.is_outage() => Err(error),
        Err(error) => {
            write.rewind(before);
            Ok(Err(error))
        }
        Ok(value) => Ok(Ok(value)),
    }
}

/// The task that writes.
struct Task {
    database: Database,
    queue: mpsc::UnboundedReceiver<Queued>,
    markers: Arc<Markers>,
    instruments: Arc<Instruments>,
    /// To the feed.
    commits: handover::Sender,
    /// The server that was written to last.
    incarnation: Option<String>,
    /// The position of this process's last commit.
    written: i64,
}

impl Task {
    async fn run(mut self, shutdown: Shutdown) {
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                biased;
                n = self.queue.recv_many(&mut batch, MAX_SHARED) => if n == 0 { break },
                () = shutdown.cancelled() => {
                    // Whoever still holds a handle may finish; nobody begins anew.
                    self.queue.close();
                    if self.queue.recv_many(&mut batch, MAX_SHARED).await == 0 { break }
                }
            }
            let (size, begun) = (batch.len(), Instant::now());
            let span = self.instruments.begin(&batch);
            let limit = if self.database.is_postgres() { LONGEST_COMMIT } else { Duration::MAX };
            let commit = self.commit(batch);
            let commit =
                async { tokio::time::timeout(limit, commit).await.unwrap_or_else(|_late| Err(Error::silent())) };
            // Who panics takes its commit with it, but not the writer.
            let result = AssertUnwindSafe(commit).catch_unwind().instrument(span.clone()).await;
            let facts = result.as_ref().ok().and_then(|committed| committed.as_ref().ok().copied());
            self.instruments.ended(begun.elapsed(), size, facts);
            let _in_span = span.entered();
            match result {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => {
                    let source = std::error::Error::source(&error);
                    tracing::warn!(%error, source, commands = size, "a commit failed");
                }
                Err(_) => tracing::error!(commands = size, "a commit panicked"),
            }
        }
        self.database.close().await;
    }

    /// Runs a batch in one transaction and tells how many positions it took. When it fails as a whole the replies are
    /// dropped, which tells the callers.
    async fn commit(&mut self, batch: Vec<Queued>) -> Result<i64, Error> {
        let transaction = self.database.write.begin().await?;
        let expected: i64 = batch.iter().map(|queued| queued.job.expected()).sum();
        let counter = Counter::lock(&transaction, expected).await?;
        let position = AtomicI64::new(counter.position);
        let told = self.commits.has_room().then(Mutex::default);
        let write = Write { db: &transaction, now: Micros::now(), position: &position, told: told.as_ref() };
        let mut last = counter.marker;
        let rewound = counter.position < self.written;
        if rewound || self.incarnation.as_ref() != Some(&counter.incarnation) {
            last = Some(marker::write(&write, &counter.incarnation).await?);
        }
        // Anybody else's marker is learned of here too: tokens of this commit must name the last one.
        let markers = match self.markers.ends_with(last) {
            true => None,
            false => Some(marker::all(&transaction).await?),
        };

        let mut permits = Vec::with_capacity(batch.len());
        let mut settle = Vec::with_capacity(batch.len());
        for (job, others, held) in by_lane(batch) {
            permits.extend(held);
            settle.push(job.run(others, &write).await?);
        }
        let reached = write.position();
        if reached != counter.position + expected || last != counter.marker {
            Counter::store(&transaction, reached, last).await?;
        }
        self.instruments.committing(reached);
        transaction.commit().await?;

        self.incarnation = Some(counter.incarnation);
        self.written = reached;
        match markers {
            Some(markers) => self.markers.replace(markers, reached),
            None => self.markers.extend(reached),
        }
        // Who is told finds room for the next.
        drop(permits);
        for tell in settle {
            tell();
        }
        let at = |n: i64| Position { n, marker: counter.marker.unwrap_or_default() };
        let told = told.map(|told| told.into_inner().unwrap_or_else(PoisonError::into_inner));
        let told = told.filter(|_| last == counter.marker);
        self.commits.send(told.and_then(|told| told.complete(at(counter.position), at(reached))));
        Ok(reached - counter.position)
    }
}

/// A job, the others of its lane, and the permits of all.
type Lane = (Box<dyn Job>, Vec<Box<dyn Any + Send>>, Vec<OwnedSemaphorePermit>);

/// Puts jobs of the same lane together, each lane where its first job stood.
fn by_lane(batch: Vec<Queued>) -> Vec<Lane> {
    let mut lanes: Vec<(Option<TypeId>, Lane)> = Vec::new();
    for Queued { job, _permit: permit, .. } in batch {
        let lane = job.lane();
        match lanes.iter_mut().find(|(other, _)| lane.is_some() && *other == lane) {
            Some((_, (_, others, permits))) => {
                others.push(job.into_any());
                permits.push(permit);
            }
            None => lanes.push((lane, (job, Vec::new(), vec![permit]))),
        }
    }
    lanes.into_iter().map(|(_, lane)| lane).collect()
}

/// Finds the row of an entity by its id.
pub(crate) async fn by_ids<E: EntityTrait>(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<E::Model>, Error> {
    use sea_orm::QueryFilter;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(E::find().filter(Expr::col("id").is_in(any_of(ids))).all(db).await?)
}
