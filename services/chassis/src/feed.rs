//! The feed of a service: its facts in the order of their positions, for whoever follows them.
//!
//! There is no separate log. A fact is a row with a position; a changed fact moves to a new position. Reading
//! everything after a position and then following gives every fact in its latest state.

pub(crate) mod handover;
mod instruments;
pub mod marker;
mod traces;
mod watch;

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, FromQueryResult, IsolationLevel,
    QueryFilter, QueryOrder, QuerySelect, Statement, TransactionTrait,
    sea_query::{Expr, ExprTrait, Order},
};
use tokio::{sync::watch as channel, time::Instant};

use self::{handover::Commit, instruments::Instruments};
pub use self::{
    marker::Markers,
    traces::Traces,
    watch::{Delivery, Watch},
};
use crate::{clock::Micros, database::Database, error::Error, position::Position, shutdown::Shutdown};

/// The most facts of a batch.
pub const MAX_BATCH: u64 = 1_000;
/// How long the poller waits when nothing happens: from this, doubled each time, up to [`SLOWEST_POLL`].
const FASTEST_POLL: Duration = Duration::from_millis(10);
const SLOWEST_POLL: Duration = Duration::from_millis(250);
/// How long the poller waits for the database.
const LONGEST_POLL: Duration = Duration::from_secs(20);

/// A kind of fact: how its rows are read and shown.
pub struct Kind<F> {
    /// The kind's number in the contract.
    tag: i32,
    read: Box<ReadKind<F>>,
    adopt: Box<AdoptKind<F>>,
}

type ReadKind<F> =
    dyn for<'d> Fn(&'d DatabaseTransaction, i64, i64) -> BoxFuture<'d, Result<Vec<Entry<F>>, Error>> + Send + Sync;

/// Shows rows that the writer hands over, or gives them back when they are of another kind.
type AdoptKind<F> = dyn Fn(Box<dyn Any + Send>) -> Result<Vec<Entry<F>>, Box<dyn Any + Send>> + Send + Sync;

/// A fact at its position.
#[derive(Clone, Debug)]
struct Entry<F> {
    position: i64,
    tag: i32,
    fact: F,
}

impl<F: Send + 'static> Kind<F> {
    /// The kind of number `tag`: rows of `E`, placed by `position` and shown by `render`.
    pub fn new<E: EntityTrait>(tag: i32, position: fn(&E::Model) -> i64, render: fn(E::Model) -> F) -> Self
    where
        E::Model: Send + 'static,
    {
        let read: Box<ReadKind<F>> =
            Box::new(move |db, after, until| Box::pin(read_kind::<E, F>(db, after, until, tag, position, render)));
        let entry = move |row: E::Model| Entry { position: position(&row), tag, fact: render(row) };
        let adopt: Box<AdoptKind<F>> =
            Box::new(move |rows| Ok(rows.downcast::<Vec<E::Model>>()?.into_iter().map(entry).collect()));
        Kind { tag, read, adopt }
    }
}

/// Reads the rows of one kind after one position and until another, as many as a batch holds.
async fn read_kind<E: EntityTrait, F>(
    db: &DatabaseTransaction,
    after: i64,
    until: i64,
    tag: i32,
    position: fn(&E::Model) -> i64,
    render: fn(E::Model) -> F,
) -> Result<Vec<Entry<F>>, Error> {
    let rows = E::find()
        .filter(Expr::col("position").gt(after))
        .filter(Expr::col("position").lte(until))
        .order_by(Expr::col("position"), Order::Asc)
        .limit(MAX_BATCH)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| Entry { position: position(&row), tag, fact: render(row) }).collect())
}

/// The feed of one service in one process. Cheap to clone.
pub struct Feed<F> {
    inner: Arc<Inner<F>>,
}

impl<F> Clone for Feed<F> {
    fn clone(&self) -> Self {
        Feed { inner: Arc::clone(&self.inner) }
    }
}

struct Inner<F> {
    service: &'static str,
    db: DatabaseConnection,
    postgres: bool,
    kinds: Vec<Kind<F>>,
    markers: Arc<Markers>,
    traces: Arc<Traces>,
    instruments: Instruments,
    /// When the poller last saw all there was.
    complete_until: AtomicI64,
    /// The poller's latest batches, the last one empty when nothing happened.
    latest: channel::Sender<Latest<F>>,
    /// Whether the last poll reached the database.
    healthy: channel::Sender<bool>,
}

/// Some batches, one after the other, the latest last; never none.
type Latest<F> = Arc<[Arc<Batch<F>>]>;

/// How many of the latest batches a watcher finds: so far it may lag behind without reading the database itself.
const LATEST: usize = 4;

/// What happened between two positions.
#[derive(Clone, Debug)]
struct Batch<F> {
    after: Position,
    until: Position,
    entries: Vec<Entry<F>>,
    /// Whether this was all there was.
    caught_up: bool,
    /// When it was read.
    read_time: Micros,
    /// Traces of this process's commits in it.
    trace_parents: Vec<String>,
}

impl<F> Batch<F> {
    /// At the end of the feed, where nothing has happened.
    fn empty(at: Position) -> Self {
        let (entries, trace_parents) = (Vec::new(), Vec::new());
        Batch { after: at, until: at, entries, caught_up: true, read_time: Micros::now(), trace_parents }
    }
}

impl<F: Clone + Send + Sync + 'static> Feed<F> {
    /// Opens the feed and starts its poller, which ends with `shutdown`. `handed_over` tells it that this process wrote,
    /// and what.
    pub(crate) async fn start(
        service: &'static str,
        database: &Database,
        kinds: Vec<Kind<F>>,
        markers: Arc<Markers>,
        traces: Arc<Traces>,
        handed_over: handover::Receiver,
        shutdown: Shutdown,
    ) -> Result<Self, Error> {
        let head = Head::read(&database.read).await?;
        let empty = Batch::empty(head.position());
        let inner = Inner {
            service,
            db: database.read.clone(),
            postgres: database.is_postgres(),
            kinds,
            markers,
            traces,
            instruments: Instruments::new(service),
            complete_until: AtomicI64::new(empty.read_time.0),
            latest: channel::Sender::new(Arc::new([Arc::new(empty)])),
            healthy: channel::Sender::new(true),
        };
        let feed = Feed { inner: Arc::new(inner) };
        instruments::observe(&feed.inner);
        tokio::spawn(feed.clone().poll(handed_over, shutdown));
        Ok(feed)
    }

    /// Whether the service's database can be reached, as the poller sees it.
    pub fn healthy(&self) -> channel::Receiver<bool> {
        self.inner.healthy.subscribe()
    }

    /// The token of a position that a write of this service was given.
    pub async fn token(&self, n: i64) -> Result<String, Error> {
        let marker = match self.inner.markers.last(n) {
            Some(marker) => marker,
            None => marker::last(&self.inner.db, n).await?,
        };
        Ok(Position { n, marker }.encode(self.inner.service))
    }

    /// The token of the end of the feed.
    pub async fn end(&self) -> Result<String, Error> {
        Ok(Head::read(&self.inner.db).await?.position().encode(self.inner.service))
    }

    /// Reads the feed at its end for all watchers of this process, until `shutdown`.
    async fn poll(self, handed_over: handover::Receiver, shutdown: Shutdown) {
        tokio::select! {
            // First, since then the database is closed under what is being read: nobody asks for that any more.
            biased;
            () = shutdown.cancelled() => {}
            () = self.poll_without_end(handed_over) => {}
        }
    }

    /// Reads the feed at its end, again and again.
    async fn poll_without_end(self, handed_over: handover::Receiver) {
        let handover::Receiver { mut commits, wake } = handed_over;
        let mut at = self.latest().until;
        let (mut pause, mut was_followed) = (FASTEST_POLL, false);
        loop {
            let woken = tokio::select! {
                () = wake.notified() => true,
                () = tokio::time::sleep(pause) => false,
            };
            pause = if woken { FASTEST_POLL } else { (pause * 2).min(SLOWEST_POLL) };
            let followed = self.inner.latest.receiver_count() > 0;
            if !followed && woken {
                // Nobody waits for it, and that the database is there the commit has shown.
                self.pass_by();
                was_followed = false;
                continue;
            }
            if !followed || !was_followed {
                // What came while nobody followed, a new watcher reads for itself.
                match self.head().await {
                    Ok(head) => at = head.position(),
                    Err(error) => {
                        self.lose(&error);
                        continue;
                    }
                }
                self.pass_by();
                was_followed = followed;
            }
            if !followed {
                continue;
            }
            let before = at;
            while let Ok(commit) = commits.try_recv() {
                if commit.after == at
                    && let Some(batch) = self.adopt(commit)
                {
                    at = batch.until;
                    self.publish(batch);
                }
            }
            if at != before {
                self.set_healthy(true);
                continue;
            }
            // A connection may be lost without a word: the next poll takes another.
            let polled = tokio::time::timeout(LONGEST_POLL, self.poll_once(at)).await;
            match polled.unwrap_or_else(|_late| Err(Error::silent())) {
                Ok(batch) => {
                    if batch.until != at {
                        pause = FASTEST_POLL;
                    }
                    at = batch.until;
                    self.set_healthy(true);
                    // More may be there than a batch holds: then do not wait.
                    if !batch.caught_up {
                        wake.notify_one();
                    }
                    self.publish(batch);
                }
                Err(Error::Gone) => {
                    tracing::warn!(service = self.inner.service, "the history was rewound: watchers start over");
                    match self.head().await {
                        Ok(head) => at = head.position(),
                        Err(_) => self.set_healthy(false),
                    }
                    // Nobody gets from memory what is no more.
                    self.inner.latest.send_replace(Arc::new([Arc::new(Batch::empty(at))]));
                }
                Err(error) => self.lose(&error),
            }
        }
    }

    /// How far the feed goes, for the poller.
    async fn head(&self) -> Result<Head, Error> {
        let head = tokio::time::timeout(LONGEST_POLL, Head::read(&self.inner.db)).await;
        head.unwrap_or_else(|_late| Err(Error::silent()))
    }

    /// Notes that the database is there, and that nobody waits for what it holds.
    fn pass_by(&self) {
        self.set_healthy(true);
        self.inner.complete_until.store(Micros::now().0, Ordering::Relaxed);
        self.inner.traces.published(i64::MAX);
    }

    /// Tells once that the database can not be read.
    fn lose(&self, error: &Error) {
        if *self.inner.healthy.borrow() {
            let source = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(service = self.inner.service, %error, source, "the feed can not be read");
        }
        self.set_healthy(false);
    }

    /// The poller's latest batch.
    fn latest(&self) -> Arc<Batch<F>> {
        let latest = self.inner.latest.borrow();
        Arc::clone(&latest[latest.len() - 1])
    }

    /// Gives a batch to the watchers.
    fn publish(&self, batch: Batch<F>) {
        if batch.caught_up {
            self.inner.complete_until.store(batch.read_time.0, Ordering::Relaxed);
        }
        let until = batch.until.n;
        let before = self.inner.latest.borrow().clone();
        let kept = before.iter().skip((before.len() + 1).saturating_sub(LATEST)).cloned();
        self.inner.latest.send_replace(kept.chain([Arc::new(batch)]).collect());
        self.inner.traces.published(until);
    }

    /// The batch of a commit, unless it holds rows that are of no kind.
    fn adopt(&self, Commit { after, until, rows }: Commit) -> Option<Batch<F>> {
        let mut entries = Vec::new();
        for rows in rows {
            let mut models = rows.models;
            let mut adopted = None;
            for kind in &self.inner.kinds {
                match (kind.adopt)(models) {
                    Ok(of_kind) => {
                        adopted = Some(of_kind);
                        break;
                    }
                    Err(others) => models = others,
                }
            }
            entries.append(&mut adopted?);
        }
        entries.sort_unstable_by_key(|entry| entry.position);
        let trace_parents = self.inner.traces.between(after.n, until.n);
        let batch = Batch { after, until, entries, caught_up: true, read_time: Micros::now(), trace_parents };
        self.inner.instruments.holds(&batch);
        Some(batch)
    }

    fn set_healthy(&self, healthy: bool) {
        self.inner.healthy.send_if_modified(|was| std::mem::replace(was, healthy) != healthy);
    }

    /// What came after `at`. When nothing did, one statement tells.
    async fn poll_once(&self, at: Position) -> Result<Batch<F>, Error> {
        let read_time = Micros::now();
        if Head::read(&self.inner.db).await?.position() == at {
            return Ok(Batch { read_time, ..Batch::empty(at) });
        }
        self.read(at).await
    }

    /// Reads the batch after a position, from one snapshot of the database. [`Error::Gone`] when the position belongs to
    /// another history.
    ///
    /// A batch never spans a marker, so that whoever follows gets to know every marker.
    async fn read(&self, after: Position) -> Result<Batch<F>, Error> {
        let (read_time, begun) = (Micros::now(), Instant::now());
        let transaction = match self.inner.postgres {
            true => {
                let isolation = Some(IsolationLevel::RepeatableRead);
                self.inner.db.begin_with_config(isolation, Some(AccessMode::ReadOnly)).await?
            }
            false => self.inner.db.begin().await?,
        };
        let head = Head::read(&transaction).await?;
        if after.n > head.n || marker::last(&transaction, after.n).await? != after.marker {
            return Err(Error::Gone);
        }
        let next = marker::next(&transaction, after.n).await?;
        let mut until = next.map_or(head.n, |next| next.n);
        let mut entries = Vec::new();
        for kind in &self.inner.kinds {
            let mut of_kind = (kind.read)(&transaction, after.n, until).await?;
            if of_kind.len() as u64 >= MAX_BATCH {
                until = of_kind.last().map_or(until, |last| last.position);
            }
            entries.append(&mut of_kind);
        }
        transaction.commit().await?;
        entries.sort_unstable_by_key(|entry| entry.position);
        if let Some(cut) = entries.get(usize::try_from(MAX_BATCH).unwrap_or(usize::MAX) - 1) {
            until = Ord::min(until, cut.position);
        }
        entries.retain(|entry| entry.position <= until);
        let marker = next.filter(|next| next.n == until).map_or(after.marker, |next| next.marker);
        let until = Position { n: until, marker };
        let trace_parents = self.inner.traces.between(after.n, until.n);
        let batch = Batch { after, until, entries, caught_up: until.n == head.n, read_time, trace_parents };
        self.inner.instruments.read(&batch, begun.elapsed());
        Ok(batch)
    }
}

/// How far the feed goes.
#[derive(Debug, FromQueryResult)]
struct Head {
    n: i64,
    marker: Option<uuid::Uuid>,
}

impl Head {
    async fn read(db: &impl ConnectionTrait) -> Result<Self, Error> {
        let sql = "SELECT position AS n, marker FROM feed_counter WHERE id = 1";
        let statement = Statement::from_string(db.get_database_backend(), sql);
        let head = Head::find_by_statement(statement).one(db).await?;
        head.ok_or_else(|| Error::Internal("the feed has no counter".to_owned()))
    }

    fn position(&self) -> Position {
        Position { n: self.n, marker: self.marker.unwrap_or_default() }
    }
}
