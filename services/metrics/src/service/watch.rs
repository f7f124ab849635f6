//! Figures that are told again when they change.

use std::{collections::BTreeMap, pin::Pin, time::Duration};

use barometer_chassis::{clock::Micros, door::Door, error::Error};
use barometer_proto::metrics::v1 as wire;
use futures_util::{Stream, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::Instant,
};
use tonic::Status;

use super::Metrics;
use crate::{
    catalogue::{self, Metric},
    columns::Facts,
    fold::Source,
    query::{Looked, Query, Setting, Vocabulary, Zones, parse::parse_in},
    wire as render,
};

/// The least time between two computations, where nobody says it, and what may be said.
const INTERVAL: Duration = Duration::from_secs(1);
const INTERVALS: std::ops::RangeInclusive<Duration> = Duration::from_millis(200)..=Duration::from_secs(3_600);
/// How often something is said when nothing changes.
const QUIET: Duration = Duration::from_secs(30);
/// Rows that a watch holds.
const MAX_ROWS: usize = 10_000;

/// Figures as they change.
pub(crate) type Watching = Pin<Box<dyn Stream<Item = Result<wire::WatchMetricsResponse, Status>> + Send>>;

/// Which row it is: the place of its metric, its label, its group.
type Key = (usize, String, BTreeMap<String, String>);

/// A watch on its way. Nothing is computed but when the message before was taken.
struct Watch {
    metrics: Metrics,
    query: wire::QueryMetricsRequest,
    /// Those that it names, as they are defined now.
    asked: Vec<&'static Metric>,
    interval: Duration,
    progress: watch::Receiver<u64>,
    /// Facts taken in when it was computed last, and when that was.
    computed: (u64, Instant),
    /// What the reader knows, and since when.
    known: BTreeMap<Key, wire::Row>,
    told: Instant,
    /// When the next period of them is over. What ends now has no end to wait for.
    next_end: Option<i64>,
    first: Option<wire::WatchMetricsResponse>,
    _permit: OwnedSemaphorePermit,
}

impl Metrics {
    /// Begins a watch with its first answer.
    pub(super) async fn watch(
        &self,
        request: wire::WatchMetricsRequest,
        left: Option<Duration>,
    ) -> Result<Watching, Error> {
        let progress = self.fold.progress();
        let seen = *progress.borrow();
        let (interval, mut query) = (parse_interval(&request), request.query.clone().unwrap_or_default());
        let permit = std::sync::Arc::clone(&self.watches.room).try_acquire_owned();
        let begun = Micros::now();
        let (answer, asked) = self.answer(request, left).await?;
        // When nothing is wrong with it.
        let permit = permit.map_err(|_| Error::Exhausted("too many figures are watched"))?;
        query.at_least.clear();
        let now = Instant::now();
        let mut watch = Watch {
            metrics: self.clone(),
            query,
            asked,
            interval: interval.unwrap_or(INTERVAL),
            progress,
            computed: (seen, now),
            known: BTreeMap::new(),
            told: now,
            next_end: None,
            first: None,
            _permit: permit,
        };
        watch.know(keyed(&answer.results), begun);
        watch.first = Some(self.checked(answer)?);
        Ok(Box::pin(stream::unfold(Some(watch), |watch| async move {
            let mut watch = watch?;
            match watch.next().await {
                Ok(answer) => Some((Ok(answer), Some(watch))),
                Err(error) => Some((Err(error.into()), None)),
            }
        })))
    }

    /// The whole answer, and the metrics that were asked for.
    async fn answer(
        &self,
        request: wire::WatchMetricsRequest,
        left: Option<Duration>,
    ) -> Result<(wire::WatchMetricsResponse, Vec<&'static Metric>), Error> {
        let (names, at_least) = match &request.query {
            Some(query) => (query.metrics.clone(), query.at_least.clone()),
            None => Default::default(),
        };
        let answer = |facts: &Facts, vocabulary: &Vocabulary, zones: &Zones, setting| {
            let query = parse(request, vocabulary, zones, setting)?;
            let figures = query.run(facts)?;
            if figures.iter().map(|of_metric| of_metric.figures.len()).sum::<usize>() > MAX_ROWS {
                let told = format!("a watch has at most {MAX_ROWS} rows: ask for less time, groups or metrics");
                return Err(Error::invalid("query", "TOO_MANY", told));
            }
            Ok((figures.into_iter().map(render::result).collect(), query.metrics))
        };
        let ((results, asked), freshness) = self.compute(names, &at_least, left, answer).await?;
        Ok((wire::WatchMetricsResponse { results, removed: Vec::new(), freshness }, asked))
    }
}

impl Watch {
    /// What changed as soon as something did, or nothing was said for long. Fails when the server stops.
    async fn next(&mut self) -> Result<wire::WatchMetricsResponse, Error> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        let ending = self.metrics.watches.ending.clone();
        tokio::select! {
            () = ending.cancelled() => Err(Error::stopping()),
            answer = self.change() => answer,
        }
    }

    async fn change(&mut self) -> Result<wire::WatchMetricsResponse, Error> {
        loop {
            let quiet = self.told + QUIET;
            let taken = *self.progress.borrow_and_update();
            let now = Instant::now();
            let moves = now >= self.computed.1 + QUIET && self.moves_by_time();
            if now >= quiet {
                self.told = now;
                if self.is_redefined().await?
                    && let Some(changed) = self.compute().await?
                {
                    return Ok(changed);
                }
                let freshness = self.freshness().await?;
                return Ok(wire::WatchMetricsResponse { freshness, ..Default::default() });
            }
            if taken != self.computed.0 || moves || self.is_over() {
                let next = self.computed.1 + self.interval;
                tokio::time::sleep_until(next.min(quiet)).await;
                if next > quiet {
                    continue;
                }
                // Those that came meanwhile are among them.
                self.computed = (*self.progress.borrow_and_update(), Instant::now());
                if let Some(changed) = self.compute().await? {
                    self.told = Instant::now();
                    return Ok(changed);
                }
            } else {
                let left =
                    self.next_end.map(|end| end.saturating_sub(Micros::now().0).saturating_add(1).unsigned_abs());
                let wake = left.map_or(quiet, |left| quiet.min(now + Duration::from_micros(left)));
                // The fold lives as long as the service does.
                let _woken = tokio::time::timeout_at(wake, self.progress.changed()).await;
            }
        }
    }

    /// Asks anew; tells what is another, if anything is.
    async fn compute(&mut self) -> Result<Option<wire::WatchMetricsResponse>, Error> {
        let (begun, request) =
            (Micros::now(), wire::WatchMetricsRequest { query: Some(self.query.clone()), min_interval: None });
        let answer = match self.metrics.answer(request, None).await {
            Ok((answer, asked)) => {
                // Who watches a definition is told by its latest version.
                self.asked = asked;
                answer
            }
            // A source is read anew.
            Err(Error::Unavailable { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let rows = keyed(&answer.results);
        let wire::WatchMetricsResponse { mut results, freshness, .. } = answer;
        for (metric, result) in results.iter_mut().enumerate() {
            let is_another =
                |row: &wire::Row| self.known.get(&key(metric, row)).is_none_or(|known| said(known) != said(row));
            result.rows.retain(is_another);
        }
        let gone = self.known.keys().filter(|key| !rows.contains_key(*key));
        let removed: Vec<_> = gone
            .map(|(metric, label, group)| wire::RemovedRow {
                metric: self.query.metrics.get(*metric).cloned().unwrap_or_default(),
                label: label.clone(),
                group: group.clone(),
            })
            .collect();
        self.know(rows, begun);
        results.retain(|result| !result.rows.is_empty());
        if results.is_empty() && removed.is_empty() {
            return Ok(None);
        }
        self.metrics.checked(wire::WatchMetricsResponse { results, removed, freshness }).map(Some)
    }

    /// Takes rows for known that were asked for at an instant: what is over by then was told to be.
    fn know(&mut self, rows: BTreeMap<Key, wire::Row>, asked: Micros) {
        self.next_end = rows.values().filter_map(end_of).filter(|end| *end > asked.0).min();
        self.known = rows;
    }

    /// Whether a period is over that was not, or a source was read up to the end of one that is.
    fn is_over(&self) -> bool {
        let read_until = self.read_until();
        let is_read = |row: &wire::Row| {
            row.completeness() == wire::Completeness::Behind
                && end_of(row).is_some_and(|end| read_until.is_some_and(|until| until >= end))
        };
        self.next_end.is_some_and(|end| Micros::now().0 > end) || self.known.values().any(is_read)
    }

    /// Whether one of the metrics was revised, or retired: looked up when nothing was said for long.
    async fn is_redefined(&self) -> Result<bool, Error> {
        let looked = self.metrics.definitions.look_up(&self.query.metrics).await?;
        let now = |id: &String| match looked.get(id) {
            Some(Looked::Found(metric)) => Some(metric.version),
            _ => None,
        };
        let is_another = |(id, asked): (&String, &&Metric)| asked.defined.is_some() && now(id) != Some(asked.version);
        Ok(self.query.metrics.iter().zip(&self.asked).any(is_another))
    }

    /// Whether the figures are others at another time, also when no facts come.
    fn moves_by_time(&self) -> bool {
        self.asked.iter().any(|metric| metric.is_state || !metric.awaits.is_empty())
    }

    /// Until when all sources of the metrics were read.
    fn read_until(&self) -> Option<i64> {
        let until = |source: &Source| self.metrics.fold.link(*source).complete_until();
        self.sources().iter().map(until).min().flatten()
    }

    fn sources(&self) -> Vec<Source> {
        catalogue::sources_of(&self.asked)
    }

    async fn freshness(&self) -> Result<Vec<wire::Freshness>, Error> {
        let (fold, sources) = (std::sync::Arc::clone(&self.metrics.fold), self.sources());
        // The lock may have to wait for facts that are taken in.
        let told = tokio::task::spawn_blocking(move || render::freshness(&fold, &fold.read(), &sources));
        told.await.map_err(|error| Error::Internal(error.to_string()))
    }
}

/// Parses a request that is made now.
fn parse(
    request: wire::WatchMetricsRequest,
    vocabulary: &Vocabulary,
    zones: &Zones,
    setting: Setting,
) -> Result<Query, Error> {
    Door::open(|door| {
        if request.min_interval.is_some() && parse_interval(&request).is_none() {
            door.refuse("min_interval", "OUT_OF_RANGE", "must be from 0.2 seconds to 1 hour");
        }
        let query = door.required("query", request.query);
        door.inside("query", |door| parse_in(door, query, vocabulary, zones, setting, &[]))
    })?
    .ok_or_else(|| Error::Internal("there is no reporting zone".to_owned()))
}

/// The interval of a request, when it is one.
fn parse_interval(request: &wire::WatchMetricsRequest) -> Option<Duration> {
    let interval = request.min_interval.and_then(|interval| Duration::try_from(interval).ok());
    interval.filter(|interval| INTERVALS.contains(interval))
}

fn keyed(results: &[wire::MetricResult]) -> BTreeMap<Key, wire::Row> {
    let rows = results.iter().enumerate().flat_map(|(metric, of)| of.rows.iter().map(move |row| (metric, row)));
    rows.map(|(metric, row)| (key(metric, row), row.clone())).collect()
}

fn key(metric: usize, row: &wire::Row) -> Key {
    (metric, row.label.clone(), row.group.clone())
}

fn end_of(row: &wire::Row) -> Option<i64> {
    row.end_time.as_ref().and_then(Micros::from_wire).map(|at| at.0)
}

/// What of a row makes it another.
fn said(row: &wire::Row) -> wire::Row {
    // Of a row that runs the end may be now.
    let end_time = row.end_time.filter(|_| row.completeness() != wire::Completeness::Running);
    wire::Row { end_time, revise_time: None, ..row.clone() }
}
