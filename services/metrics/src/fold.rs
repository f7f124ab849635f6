//! The fold: the facts as far as they have come from each source, kept current by one watcher per source.
//!
//! A batch takes effect together with its position, in one step that no query can see half of. Queries share one lock
//! for reading, so all figures of an answer are of the same moment.

mod follow;
mod instruments;
mod reached;
pub(crate) mod snapshot;
mod source;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};

use barometer_chassis::{clock::Micros, error::Error, position::Position, shutdown::Shutdown};
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, task::JoinSet, time::Instant};

use self::{instruments::Instruments, snapshot::Snapshots};
pub(crate) use self::{
    reached::{Reached, Standing},
    source::{Batches, Feed, Source, complaints_feed, customers_feed, surveys_feed},
};
use crate::{
    Upstreams,
    catalogue::{METRICS, Metric},
    columns::{Facts, cold::ColdFiles},
};

/// Longest time that a query waits for the writes it is to include.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Left of a query's deadline for telling that it waited in vain.
const TO_ANSWER: Duration = Duration::from_millis(50);

/// A source that could not be reached so often in a row is waited for no more, after 2 to 3 seconds of refusals.
const ATTEMPTS: u32 = 6;

/// The facts, and how far they have come.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// The facts themselves.
    pub(crate) facts: Facts,
    reached: [Reached; Source::ALL.len()],
}

impl State {
    /// How far the facts of a source have come.
    pub(crate) fn reached(&self, source: Source) -> &Reached {
        &self.reached[source as usize]
    }

    /// Whether the facts of a source are whole: it was caught up with at some time.
    pub(crate) fn has(&self, source: Source) -> bool {
        self.reached(source).ready
    }
}

/// How a source is doing, as this process sees it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Link {
    /// Whether its feed is open.
    pub(crate) connected: bool,
    /// How often it was started over.
    pub(crate) restarts: i64,
    /// Why the feed is not open.
    pub(crate) last_error: String,
    /// Whether its last batch was all there was.
    caught_up: bool,
    /// Attempts to open it in a row that came to nothing.
    failures: u32,
    /// Whether the service's health waits for it no more: it was caught up with, or can not be reached.
    settled: bool,
    /// Batches taken in. Each confirms the history that it goes on with.
    batches: u64,
    /// What the state says of it, or said a moment ago: to be read without waiting for long queries.
    pub(crate) reached: Reached,
}

impl Link {
    /// Until when everything that the source acknowledged is included, in microseconds.
    pub(crate) fn complete_until(&self) -> Option<i64> {
        self.reached.complete_until.map(|until| until.0)
    }
}

/// The fold of one process. Shared by its watchers and all queries.
#[derive(Debug)]
pub(crate) struct Fold {
    state: RwLock<State>,
    /// Held by whoever changes the state, and while a snapshot is written: so nobody waits to write while that reads,
    /// which would keep queries out as well.
    changing: tokio::sync::Mutex<()>,
    links: Mutex<[Link; Source::ALL.len()]>,
    /// Facts taken in so far by this process; its change wakes whoever waits.
    progress: watch::Sender<u64>,
    ready: watch::Sender<bool>,
    snapshots: Snapshots,
    cold: ColdFiles,
    instruments: Instruments,
    /// Whether it began with a snapshot.
    pub(crate) resumed: bool,
}

impl Fold {
    /// A fold that begins with the last snapshot, if there is one that fits, and whose columns go into files when they must.
    pub(crate) fn open(snapshots: Snapshots, cold: ColdFiles) -> Self {
        let state = snapshots.load();
        let resumed = state.is_some();
        let mut state = state.unwrap_or_default();
        cold.keep(&mut state.facts);
        let links = state.reached.clone().map(|reached| Link { settled: reached.ready, reached, ..Link::default() });
        Fold {
            ready: watch::Sender::new(is_healthy(&links)),
            state: RwLock::new(state),
            changing: tokio::sync::Mutex::new(()),
            links: Mutex::new(links),
            progress: watch::Sender::new(0),
            snapshots,
            cold,
            instruments: Instruments::new(),
            resumed,
        }
    }

    /// Tells how it stands whenever metrics are exported.
    pub(crate) fn observe(self: &Arc<Self>) {
        instruments::observe(self);
    }

    /// Follows the feeds and writes snapshots until `shutdown`; then writes a last one. `ending` is said before that, when the
    /// process begins to stop.
    pub(crate) async fn run(self: Arc<Self>, upstreams: Upstreams, ending: Shutdown, shutdown: Shutdown) {
        let Upstreams { customers, surveys, complaints } = upstreams;
        let mut tasks = JoinSet::new();
        tasks.spawn(follow::follow(Arc::clone(&self), customers_feed(customers), ending.clone(), shutdown.clone()));
        tasks.spawn(follow::follow(Arc::clone(&self), surveys_feed(surveys), ending.clone(), shutdown.clone()));
        tasks.spawn(follow::follow(Arc::clone(&self), complaints_feed(complaints), ending.clone(), shutdown.clone()));
        tasks.spawn(Arc::clone(&self).write_snapshots(shutdown));
        tasks.join_all().await;
        self.write_snapshot().await;
    }

    /// The state, for reading. Waits when somebody waits to write, so not for code that serves calls itself.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the facts as they are for as long as this is held. Queries go on; the watchers wait.
    pub(crate) async fn still(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// Facts taken in so far by this process; its change tells that the facts, or what is known of a source, changed.
    pub(crate) fn progress(&self) -> watch::Receiver<u64> {
        self.progress.subscribe()
    }

    /// How a source is doing.
    pub(crate) fn link(&self, source: Source) -> Link {
        self.links()[source as usize].clone()
    }

    /// When the last snapshot was written, by this process or the one before.
    pub(crate) fn snapshot_time(&self) -> Option<Micros> {
        self.snapshots.last()
    }

    /// Whether the service can be asked, and whenever that changes: each source was caught up with, or has turned out to be
    /// out of reach, and some metric needs none of the latter. A source that comes later, or goes, changes nothing.
    pub(crate) fn readiness(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// Waits until the facts include the positions given, at most until `deadline` and never longer than 10 seconds.
    ///
    /// Errors: GONE for a position of a history that is no more; UNAVAILABLE (NOT_YET_INCLUDED) in time's want.
    pub(crate) async fn include(&self, positions: &[(Source, Position)], time: Option<Duration>) -> Result<(), Error> {
        let wait = time.map_or(LONGEST_WAIT, |time| time.saturating_sub(TO_ANSWER).min(LONGEST_WAIT));
        let until = Instant::now() + wait;
        let mut progress = self.progress.subscribe();
        let before = Source::ALL.map(|source| self.link(source).batches);
        loop {
            progress.borrow_and_update();
            if self.includes(positions, before)? {
                return Ok(());
            }
            if !matches!(tokio::time::timeout_at(until, progress.changed()).await, Ok(Ok(()))) {
                return Err(Error::Unavailable {
                    reason: "NOT_YET_INCLUDED",
                    message: "the figures do not include the positions of `at_least` yet: try again".to_owned(),
                });
            }
        }
    }

    /// Whether the facts include the positions. A position of another history than that of the facts is gone only once a
    /// batch came after `before` and confirmed that history: else the other one may be the newer.
    fn includes(&self, positions: &[(Source, Position)], before: [u64; Source::ALL.len()]) -> Result<bool, Error> {
        let links = self.links();
        let mut all = true;
        for (source, position) in positions {
            let Link { reached, batches, .. } = &links[*source as usize];
            let confirmed = reached.ready && *batches > before[*source as usize];
            match reached.standing(*position) {
                Standing::Included => {}
                Standing::Gone if confirmed => return Err(Error::Gone),
                Standing::Gone | Standing::Ahead => all = false,
            }
        }
        Ok(all)
    }

    /// Takes in a batch: its facts and its position, or nothing. Says what is wrong with a position that is none.
    async fn apply<F: Feed>(self: &Arc<Self>, batch: source::Batch<F::Fact>) -> Result<(), String> {
        let source::Batch { facts, position, caught_up, read_time, trace_parents } = batch;
        let (begun, count) = (Instant::now(), facts.len());
        let _spans = instruments::spans(F::SOURCE, count, &trace_parents);
        let position = match Position::decode(&position) {
            Some((service, decoded)) if service == F::SOURCE.name() => decoded,
            Some((service, _)) => return Err(format!("this is the feed of {service}")),
            None => return Err("the feed names no position".to_owned()),
        };
        let _alone = self.changing.lock().await;
        let fold = Arc::clone(self);
        // The lock may have to wait for long queries.
        let applied = tokio::task::spawn_blocking(move || {
            let mut state = fold.state.write().unwrap_or_else(PoisonError::into_inner);
            let left_out = F::put_all(&mut state.facts, facts);
            fold.cold.keep(&mut state.facts);
            for (number, unreadable) in &left_out {
                tracing::error!(source = F::SOURCE.name(), number, %unreadable, "a fact is left out");
            }
            let reached = &mut state.reached[F::SOURCE as usize];
            reached.advance(position, read_time.filter(|_| caught_up));
            (left_out.len(), reached.clone())
        });
        let (left_out, reached) = applied.await.map_err(|error| error.to_string())?;
        self.note(F::SOURCE, u64::try_from(count).unwrap_or_default(), |link| {
            link.connected = true;
            link.caught_up = caught_up;
            link.failures = 0;
            link.batches += 1;
            link.last_error.clear();
            link.reached = reached;
        });
        self.instruments.folded(F::SOURCE, count, left_out, begun.elapsed());
        Ok(())
    }

    /// Forgets everything of a source, whose history is another now. There are no figures of it until it was read again.
    async fn start_over(self: &Arc<Self>, source: Source) {
        tracing::warn!(source = source.name(), "the history of the source is another: reading all of it again");
        let _alone = self.changing.lock().await;
        let fold = Arc::clone(self);
        let forget = tokio::task::spawn_blocking(move || {
            let mut state = fold.state.write().unwrap_or_else(PoisonError::into_inner);
            source.forget(&mut state.facts);
            state.reached[source as usize] = Reached::default();
        });
        // It does not panic, and is not cancelled.
        let _done = forget.await;
        self.instruments.restarted(source);
        self.note(source, 1, |link| {
            link.restarts += 1;
            link.caught_up = false;
            link.failures = 0;
            link.settled = false;
            link.reached = Reached::default();
        });
    }

    /// Notes how a source is doing after a change, and wakes whoever waits.
    fn note(&self, source: Source, facts: u64, change: impl FnOnce(&mut Link)) {
        let ready = {
            let mut links = self.links();
            let link = &mut links[source as usize];
            change(link);
            link.settled |= link.reached.ready || link.failures >= ATTEMPTS;
            is_healthy(&links)
        };
        self.ready.send_if_modified(|was| std::mem::replace(was, ready) != ready);
        self.progress.send_modify(|taken| *taken += facts);
    }

    fn links(&self) -> MutexGuard<'_, [Link; Source::ALL.len()]> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the service can be asked: see [`Fold::readiness`].
fn is_healthy(links: &[Link; Source::ALL.len()]) -> bool {
    let has = |source: Source| links[source as usize].reached.ready;
    let can_answer = |metric: &Metric| Source::ALL.into_iter().all(|source| has(source) || !metric.reads(source));
    links.iter().all(|link| link.settled) && METRICS.iter().copied().any(can_answer)
}
