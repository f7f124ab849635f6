//! Verification: figures computed again, straight from the facts of the other services, and compared with those of the fold.
//!
//! [`reading`] opens the feeds of the sources that the metrics need from their beginning, and folds everything into facts of its
//! own. When these stand at the same positions as the fold's, both are asked the same, and [`comparing`] tells where they differ. A
//! second way, [`recount`], shares nothing with the columns and the queries: it counts facts one by one. [`kept`] remembers what
//! came of the last verifications, [`schedule`] asks for one again and again.

pub(crate) mod comparing;
mod instruments;
pub(crate) mod kept;
pub(crate) mod reading;
pub(crate) mod recount;
pub(crate) mod schedule;

#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use barometer_chassis::{clock::Micros, door::Door, error::Error, id};
use barometer_proto::metrics::v1::{self as wire, VerificationOutcome, VerificationTrigger};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use self::{
    comparing::{Compared, Differences},
    instruments::Instruments,
    kept::Kept,
    reading::{Anew, Reading},
    recount::Recount,
};
use crate::{
    Upstreams,
    catalogue::{self, METRICS},
    columns::Facts,
    fold::{Fold, Source},
    query::{
        Figure, MAX_ROWS, Query, Setting, Vocabulary, Zones,
        parse::{parse_metrics, parse_of},
    },
    wire::verification as render,
};

/// Longest time that both sides are given to come to the same positions.
const MEETING: Duration = Duration::from_secs(60);
/// Longest time for which the fold stands still, so that the other side comes to where it is.
const STILL: Duration = Duration::from_secs(2);
/// How soon it is tried again, also when nothing was told.
const AGAIN: Duration = Duration::from_secs(1);
/// Differences that are logged one by one.
const LOGGED: usize = 100;

/// Who is told how far a verification has come.
pub(crate) type Tell<'t> = &'t (dyn Fn(wire::VerificationProgress) + Send + Sync);

/// What verifies the figures of a process. One verification at a time.
#[derive(Debug)]
pub(crate) struct Verifier {
    fold: Arc<Fold>,
    upstreams: Upstreams,
    /// Queries that may be computed at the same time.
    queries: Arc<Semaphore>,
    most_facts: u64,
    place: Arc<Semaphore>,
    kept: Mutex<Kept>,
    instruments: Instruments,
}

/// Parses what is to be verified: a query for each metric.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn parse(
    request: wire::VerifyMetricsRequest,
    vocabulary: &Vocabulary,
    zones: &Zones,
    setting: Setting,
) -> Result<Vec<Query>, Error> {
    let parsed = Door::open(|door| {
        let wire::VerifyMetricsRequest { query } = request;
        let mut query = query.unwrap_or_default();
        door.inside("query", |door| {
            let metrics = match std::mem::take(&mut query.metrics) {
                none if none.is_empty() => METRICS.to_vec(),
                names => parse_metrics(door, names, vocabulary),
            };
            parse_of(door, metrics, query, vocabulary, zones, setting, &[])
        })
    })?;
    let all = parsed.ok_or_else(|| Error::Internal("there is no reporting zone".to_owned()))?;
    Ok(all.metrics.iter().map(|metric| Query { metrics: vec![*metric], ..all.clone() }).collect())
}

/// The sources that these queries are made of.
pub(crate) fn sources_of(queries: &[Query]) -> Vec<Source> {
    catalogue::sources_of(queries.iter().flat_map(|query| &query.metrics))
}

impl Verifier {
    /// Of a fold, whose facts come from `upstreams`; refuses more than so many facts. `queries` are the places for those.
    pub(crate) fn new(fold: Arc<Fold>, upstreams: Upstreams, queries: Arc<Semaphore>, most_facts: u64) -> Self {
        Verifier {
            fold,
            upstreams,
            queries,
            most_facts,
            place: Arc::new(Semaphore::new(1)),
            kept: Mutex::default(),
            instruments: Instruments::new(),
        }
    }

    /// The place for one verification.
    ///
    /// Errors: RESOURCE_EXHAUSTED while another one runs.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, Error> {
        let busy = |_| Error::Exhausted("figures are being verified already");
        Arc::clone(&self.place).try_acquire_owned().map_err(busy)
    }

    /// What came of the last verifications.
    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Verifies the answers of these queries, of one metric each; keeps what came of it, and tells the log and the counters.
    ///
    /// Errors: see [`Verifier::attempt`].
    pub(crate) async fn verify(
        &self,
        place: OwnedSemaphorePermit,
        trigger: VerificationTrigger,
        queries: Vec<Query>,
        tell: Tell<'_>,
    ) -> Result<wire::Verification, Error> {
        let begin = Micros::now();
        let mut verification = wire::Verification {
            verification_id: id::new().to_string(),
            trigger: trigger.into(),
            begin_time: Some(begin.to_wire()),
            ..Default::default()
        };
        let attempt = self.attempt(Arc::new(place), queries, tell).await;
        verification.end_time = Some(Micros::now().to_wire());
        let failed = match attempt {
            Ok((compared, sources)) => {
                report(&compared);
                let outcome = outcome_of(&compared);
                let count = |way| compared.iter().map(|of| of.differences.count_of(way)).sum();
                self.instruments.compared(count);
                verification.outcome = outcome.into();
                verification.sources = sources;
                verification.difference_count = render::whole(compared.iter().map(|of| of.differences.count()).sum());
                verification.metrics = render::compared(compared);
                self.instruments.ended(trigger, outcome, begin);
                None
            }
            Err(error) => {
                verification.outcome = VerificationOutcome::Failed.into();
                verification.error = error.to_string();
                self.instruments.ended(trigger, VerificationOutcome::Failed, begin);
                Some(error)
            }
        };
        self.kept().add(verification.clone());
        failed.map_or(Ok(verification), Err)
    }

    /// Refuses more facts than may be read.
    pub(crate) fn check(&self, facts: u64) -> Result<(), Error> {
        if facts <= self.most_facts {
            return Ok(());
        }
        let message = format!("there are more than {} facts: see --verify-most-facts", self.most_facts);
        Err(Error::State { reason: "TOO_MANY_FACTS", message })
    }

    /// Computes again and compares.
    ///
    /// Errors: UNAVAILABLE when a source can not be read, or the two sides do not come to the same positions;
    /// FAILED_PRECONDITION when there are too many facts.
    async fn attempt(
        &self,
        place: Arc<OwnedSemaphorePermit>,
        queries: Vec<Query>,
        tell: Tell<'_>,
    ) -> Result<(Vec<Compared>, Vec<wire::VerificationSource>), Error> {
        let sources = sources_of(&queries);
        let metrics: Vec<_> = queries.iter().flat_map(|query| &query.metrics).map(|metric| metric.id).collect();
        let mut reading = Reading::open(self.upstreams.clone(), &sources, Recount::of(&metrics)).await?;
        let to_read = self.facts_of(&sources).await?;
        reading
            .read(|read| {
                self.check(read.facts())?;
                tell(wire::VerificationProgress { sources: read.sources(), facts_to_read: render::whole(to_read) });
                Ok(())
            })
            .await?;
        let queries = Arc::new(queries);
        let live = self.meet(&mut reading, &queries).await?;
        let sources = reading.sources();
        let anew = reading.into_anew()?;
        let query = self.query_place().await?;
        let compared = away(move || {
            // Kept until it is compared, also when nobody waits any more.
            let _places = (place, query);
            compare_all(&queries, live, &anew)
        });
        let compared = compared.await?;
        Ok((compared, sources))
    }

    /// A place among the queries.
    async fn query_place(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.queries).acquire_owned().await.map_err(|error| Error::Internal(error.to_string()))
    }

    /// How many facts of these sources the fold holds.
    pub(crate) async fn facts_of(&self, sources: &[Source]) -> Result<u64, Error> {
        let (fold, sources) = (Arc::clone(&self.fold), sources.to_vec());
        away(move || count_facts(&fold.read().facts, &sources)).await
    }

    /// Brings both sides to the same positions, and gives the fold's answers there.
    async fn meet(&self, reading: &mut Reading, queries: &Arc<Vec<Query>>) -> Result<Vec<Answer>, Error> {
        let until = Instant::now() + MEETING;
        loop {
            let mut progress = self.fold.progress();
            progress.borrow_and_update();
            // Before the fold stands still, which is not to wait for queries.
            let place = self.query_place().await?;
            let still = self.fold.still().await;
            let position = |source: Source| self.fold.link(source).reached.position;
            if reading.come_to(position, Instant::now() + STILL, |read| self.check(read)).await? {
                let (fold, queries) = (Arc::clone(&self.fold), Arc::clone(queries));
                let answers = away(move || {
                    let _place = place;
                    answers(&queries, &fold.read().facts)
                });
                let answers = answers.await;
                drop(still);
                return answers;
            }
            drop((still, place));
            if Instant::now() >= until {
                let message = "the figures and what was read again did not come to the same positions".to_owned();
                return Err(Error::Unavailable { reason: "NOT_AT_ONE", message });
            }
            // That it did not change is seen by the positions.
            let _changed = tokio::time::timeout(AGAIN, progress.changed()).await;
        }
    }
}

/// How many facts of these sources there are.
pub(crate) fn count_facts(facts: &Facts, sources: &[Source]) -> u64 {
    let kinds = sources.iter().flat_map(|source| match source {
        Source::Customers => facts.count_customers(),
        Source::Surveys => facts.count_surveys(),
        Source::Complaints => facts.count_complaints(),
    });
    kinds.map(|(_, count)| count.unsigned_abs()).sum()
}

/// The rows that a query was answered with, or why it was not, in words.
pub(crate) type Answer = Result<Vec<Figure>, String>;

/// The answers of queries of one metric each: together no more rows than an answer of QueryMetrics may have.
pub(crate) fn answers(queries: &[Query], facts: &Facts) -> Vec<Answer> {
    let mut left = MAX_ROWS;
    let answer = |query: &Query| {
        let figures = query.run(facts).map_err(|error| error.to_string())?;
        let figures: Vec<_> = figures.into_iter().flat_map(|of_metric| of_metric.figures).collect();
        let fewer = left.checked_sub(figures.len());
        left = fewer.ok_or_else(|| format!("with it there are more than {MAX_ROWS} rows: verify fewer metrics"))?;
        Ok(figures)
    };
    queries.iter().map(answer).collect()
}

/// Compares what the fold answered with what comes out anew, metric by metric.
pub(crate) fn compare_all(queries: &[Query], live: Vec<Answer>, anew: &Anew) -> Vec<Compared> {
    let recomputed = answers(queries, &anew.facts);
    let mut left = Differences::TOLD_OF_ALL;
    let compare = |((query, live), recomputed): ((&Query, Answer), Answer)| {
        let metric = query.metrics[0];
        let mut compared = Compared::of(metric, left);
        match (live, recomputed) {
            (Ok(live), Ok(recomputed)) => {
                compared.rows = live.len();
                compared.compare_folded(&live, &recomputed);
                if let Some(counted) = anew.recount.count(query, &live) {
                    compared.compare_counted(&live, counted);
                }
            }
            (Err(error), Err(_)) => compared.error = error,
            // What one of them refuses, and the other one does not, differs.
            (live, recomputed) => {
                let said = |answer: Answer| answer.map_or_else(|error| error, |rows| format!("{} rows", rows.len()));
                compared.differ(said(live), said(recomputed));
            }
        }
        left = left.saturating_sub(compared.differences.first().len());
        compared
    };
    queries.iter().zip(live).zip(recomputed).map(compare).collect()
}

fn outcome_of(compared: &[Compared]) -> VerificationOutcome {
    if compared.iter().any(|of| of.differences.count() > 0) {
        VerificationOutcome::Different
    } else if compared.iter().any(|of| !of.error.is_empty()) {
        VerificationOutcome::Incomplete
    } else {
        VerificationOutcome::Same
    }
}

/// Tells the log of each difference, up to so many. Groups are left out: they are in the answer.
fn report(compared: &[Compared]) {
    let differences = compared.iter().flat_map(|of| of.differences.first().iter().map(|one| (of.metric.id, one)));
    for (metric, difference) in differences.take(LOGGED) {
        tracing::error!(
            metric,
            start = %Micros(difference.start).to_wire(),
            end = %Micros(difference.end).to_wire(),
            field = difference.field,
            way = ?difference.way,
            live = difference.live,
            recomputed = difference.recomputed,
            "a figure is not that of the facts"
        );
    }
    for of in compared.iter().filter(|of| !of.error.is_empty()) {
        tracing::warn!(metric = of.metric.id, error = of.error, "a metric was not verified");
    }
}

/// Computes away from the threads that serve calls.
async fn away<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(compute).await.map_err(|error| Error::Internal(error.to_string()))
}
