//! The feed of a service: its facts in the order of their positions, for whoever follows them.
//!
//! There is no separate log. A fact is a row with a position; a changed fact moves to a new position. Reading
//! everything after a position and then following gives every fact in its latest state.

mod instruments;
pub mod marker;
mod traces;
mod watch;

use std::{
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
use tokio::{
    sync::{Notify, watch as channel},
    time::Instant,
};

use self::instruments::Instruments;
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
}

type ReadKind<F> =
    dyn for<'d> Fn(&'d DatabaseTransaction, i64, i64) -> BoxFuture<'d, Result<Vec<Entry<F>>, Error>> + Send + Sync;

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
        E::Model: Send,
    {
        let read: Box<ReadKind<F>> =
            Box::new(move |db, after, until| Box::pin(read_kind::<E, F>(db, after, until, tag, position, render)));
        Kind { tag, read }
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
    /// The poller's latest batch, an empty one when nothing happened.
    latest: channel::Sender<Arc<Batch<F>>>,
    /// Whether the last poll reached the database.
    healthy: channel::Sender<bool>,
}

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

impl<F: Clone + Send + Sync + 'static> Feed<F> {
    /// Opens the feed and starts its poller, which ends with `shutdown`. `wake` tells it that this process wrote.
    pub async fn start(
        service: &'static str,
        database: &Database,
        kinds: Vec<Kind<F>>,
        markers: Arc<Markers>,
        traces: Arc<Traces>,
        wake: Arc<Notify>,
        shutdown: Shutdown,
    ) -> Result<Self, Error> {
        let head = Head::read(&database.read).await?;
        let empty = Batch {
            after: head.position(),
            until: head.position(),
            entries: Vec::new(),
            caught_up: true,
            read_time: Micros::now(),
            trace_parents: Vec::new(),
        };
        let inner = Inner {
            service,
            db: database.read.clone(),
            postgres: database.is_postgres(),
            kinds,
            markers,
            traces,
            instruments: Instruments::new(service),
            complete_until: AtomicI64::new(empty.read_time.0),
            latest: channel::Sender::new(Arc::new(empty)),
            healthy: channel::Sender::new(true),
        };
        let feed = Feed { inner: Arc::new(inner) };
        instruments::observe(&feed.inner);
        tokio::spawn(feed.clone().poll(wake, shutdown));
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

    /// Reads the feed at its end, again and again, for all watchers of this process.
    async fn poll(self, wake: Arc<Notify>, shutdown: Shutdown) {
        let mut at = self.inner.latest.borrow().until;
        let mut pause = FASTEST_POLL;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = wake.notified() => pause = FASTEST_POLL,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(SLOWEST_POLL),
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
                    } else {
                        self.inner.complete_until.store(batch.read_time.0, Ordering::Relaxed);
                    }
                    self.inner.latest.send_replace(Arc::new(batch));
                    self.inner.traces.published(at.n);
                }
                Err(Error::Gone) => {
                    tracing::warn!(service = self.inner.service, "the history was rewound: watchers start over");
                    match tokio::time::timeout(LONGEST_POLL, Head::read(&self.inner.db)).await {
                        Ok(Ok(head)) => at = head.position(),
                        Ok(Err(_)) | Err(_) => self.set_healthy(false),
                    }
                }
                Err(error) => {
                    if *self.inner.healthy.borrow() {
                        let source = std::error::Error::source(&error).map(ToString::to_string);
                        tracing::warn!(service = self.inner.service, %error, source, "the feed can not be read");
                    }
                    self.set_healthy(false);
                }
            }
        }
    }

    fn set_healthy(&self, healthy: bool) {
        self.inner.healthy.send_if_modified(|was| std::mem::replace(was, healthy) != healthy);
    }

    /// What came after `at`. When nothing did, one statement tells.
    async fn poll_once(&self, at: Position) -> Result<Batch<F>, Error> {
        let read_time = Micros::now();
        if Head::read(&self.inner.db).await?.position() == at {
            let (entries, trace_parents) = (Vec::new(), Vec::new());
            return Ok(Batch { after: at, until: at, entries, caught_up: true, read_time, trace_parents });
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
