//! A feed that a test writes.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
    time::Duration,
};

use barometer_chassis::{clock::Micros, error::Error, position::Position};
use barometer_proto::{complaints::v1 as complaints, customers::v1 as customers, surveys::v1 as surveys};
use futures_util::{Stream, future::BoxFuture, stream};
use tokio::sync::watch;
use tonic::{Request, Response, Status, body::Body, server::NamedService};
use tower::Service;
use uuid::Uuid;

use super::Shared;

/// Facts of a batch.
const BATCH: usize = 3;

/// The feed of one source: its facts, each at its position.
#[derive(Clone)]
pub struct Feed<F> {
    service: &'static str,
    log: Shared<Log<F>>,
    changed: watch::Sender<u64>,
}

#[derive(Clone)]
struct Log<F> {
    /// Markers, the oldest first.
    markers: Vec<Position>,
    facts: Vec<(i64, F)>,
    n: i64,
    /// Streams that were opened in an older era end.
    era: u64,
    /// Nobody is let in.
    closed: bool,
    /// Who reads from the beginning is told nothing.
    stalled: bool,
}

/// A message with facts of a source.
pub trait Fact: Clone + Send + Sync + 'static {
    const NAME: &'static str;
    type Request: prost::Message + Default + 'static;
    type Response: prost::Message + Default + Send + 'static;
    fn number(&self) -> i64;
    /// Sets its number, and an id by it if it has none.
    fn set_number(&mut self, number: i64);
    fn after(request: Self::Request) -> String;
    fn batch(facts: Vec<Self>, position: String, caught_up: bool) -> Self::Response;
}

macro_rules! fact {
    ($area:ident, $name:literal) => {
        impl Fact for $area::Fact {
            const NAME: &'static str = $name;
            type Request = $area::WatchFactsRequest;
            type Response = $area::WatchFactsResponse;

            fn number(&self) -> i64 {
                self.number
            }

            fn set_number(&mut self, number: i64) {
                self.number = number;
                if self.id.is_empty() {
                    self.id = Uuid::from_u128(1_000_000 + u128::from(number.unsigned_abs())).to_string();
                }
            }

            fn after(request: Self::Request) -> String {
                request.after
            }

            fn batch(facts: Vec<Self>, position: String, caught_up: bool) -> Self::Response {
                let read_time = Some(Micros::now().to_wire());
                $area::WatchFactsResponse { facts, position, caught_up, read_time, trace_parents: Vec::new() }
            }
        }
    };
}

fact!(customers, "barometer.customers.v1.CustomerService");
fact!(surveys, "barometer.surveys.v1.SurveyService");
fact!(complaints, "barometer.complaints.v1.ComplaintService");

impl<F: Fact> Feed<F> {
    pub fn new(service: &'static str) -> Self {
        let feed = Feed { service, log: Arc::new(Mutex::new(Log::new())), changed: watch::Sender::new(0) };
        feed.mark();
        feed
    }

    /// Writes facts in one go; one without a number is new. Gives the numbers and the token of the write.
    pub fn write(&self, facts: impl IntoIterator<Item = F>) -> (Vec<i64>, String) {
        let mut numbers = Vec::new();
        let mut log = self.log();
        for mut fact in facts {
            log.n += 1;
            let n = log.n;
            let number = if fact.number() == 0 { n } else { fact.number() };
            fact.set_number(number);
            numbers.push(fact.number());
            log.facts.retain(|(_, other)| other.number() != fact.number());
            log.facts.push((n, fact));
        }
        let token = log.position().encode(self.service);
        drop(log);
        self.tell();
        (numbers, token)
    }

    /// Writes a marker, as a process that starts does.
    pub fn mark(&self) {
        let mut log = self.log();
        log.n += 1;
        let marker = Position { n: log.n, marker: Uuid::new_v4() };
        log.markers.push(marker);
        drop(log);
        self.tell();
    }

    /// Begins another history, with these facts.
    pub fn rewind(&self, facts: impl IntoIterator<Item = F>) -> String {
        let mut log = self.log();
        *log = Log { era: log.era + 1, closed: log.closed, stalled: log.stalled, ..Log::new() };
        drop(log);
        self.mark();
        self.write(facts).1
    }

    /// Ends all streams; they may be opened again unless `closed`.
    pub fn hang_up(&self, closed: bool) {
        let mut log = self.log();
        log.era += 1;
        log.closed = closed;
        drop(log);
        self.tell();
    }

    /// Makes a fact another one behind everybody's back: at the position that it had.
    pub fn tamper(&self, number: i64, change: impl FnOnce(&mut F)) {
        let mut log = self.log();
        let (_, fact) = log.facts.iter_mut().find(|(_, fact)| fact.number() == number).expect("a fact");
        change(fact);
    }

    /// Tells those nothing who read from the beginning, until it is taken back.
    pub fn stall(&self, stalled: bool) {
        self.log().stalled = stalled;
        self.tell();
    }

    fn log(&self) -> MutexGuard<'_, Log<F>> {
        self.log.lock().expect("no panic")
    }

    fn tell(&self) {
        self.changed.send_modify(|changes| *changes += 1);
    }

    fn watch(&self, after: &str) -> Result<Batches<F>, Status> {
        let at = match Position::decode(after) {
            Some((service, position)) if service == self.service => position,
            _ if after.is_empty() => Position::START,
            _ => panic!("`{after}` is no position of {}", self.service),
        };
        let log = self.log();
        if log.closed {
            return Err(Error::Unavailable { reason: "CLOSED", message: "closed".to_owned() }.into());
        }
        let watcher = Watcher { feed: self.clone(), changed: self.changed.subscribe(), at, era: log.era, first: true };
        Ok(Box::pin(stream::unfold(Some(watcher), Watcher::next)))
    }
}

impl<F: Fact> Log<F> {
    fn new() -> Self {
        Log { markers: Vec::new(), facts: Vec::new(), n: 0, era: 0, closed: false, stalled: false }
    }

    fn position(&self) -> Position {
        self.at(self.n)
    }

    fn at(&self, n: i64) -> Position {
        let marker = self.markers.iter().rev().find(|marker| marker.n <= n).map(|marker| marker.marker);
        Position { n, marker: marker.unwrap_or_default() }
    }
}

type Batches<F> = Pin<Box<dyn Stream<Item = Result<<F as Fact>::Response, Status>> + Send>>;

struct Watcher<F> {
    feed: Feed<F>,
    changed: watch::Receiver<u64>,
    at: Position,
    era: u64,
    first: bool,
}

impl<F: Fact> Watcher<F> {
    /// One batch after another, none over a marker.
    async fn next(watcher: Option<Self>) -> Option<(Result<F::Response, Status>, Option<Self>)> {
        let mut watcher = watcher?;
        loop {
            watcher.changed.borrow_and_update();
            let log = watcher.feed.log().clone();
            if log.era != watcher.era {
                return None;
            }
            if watcher.at.n > log.n || log.at(watcher.at.n) != watcher.at {
                return Some((Err(Error::Gone.into()), None));
            }
            if log.stalled && watcher.at == Position::START {
                watcher.changed.changed().await.ok()?;
                continue;
            }
            if watcher.at.n < log.n || watcher.first {
                watcher.first = false;
                let marker = log.markers.iter().find(|marker| marker.n > watcher.at.n);
                let mut until = marker.map_or(log.n, |marker| marker.n);
                let mut facts: Vec<_> = log.facts.iter().filter(|(n, _)| *n > watcher.at.n && *n <= until).collect();
                facts.sort_by_key(|(n, _)| *n);
                if let Some((n, _)) = facts.get(BATCH - 1) {
                    until = *n;
                    facts.truncate(BATCH);
                }
                watcher.at = log.at(until);
                let facts = facts.into_iter().map(|(_, fact)| fact.clone()).collect();
                let batch = F::batch(facts, watcher.at.encode(watcher.feed.service), until == log.n);
                return Some((Ok(batch), Some(watcher)));
            }
            if tokio::time::timeout(Duration::from_millis(100), watcher.changed.changed()).await.is_err() {
                let batch = F::batch(Vec::new(), watcher.at.encode(watcher.feed.service), true);
                return Some((Ok(batch), Some(watcher)));
            }
        }
    }
}

impl<F: Fact> NamedService for Feed<F> {
    const NAME: &'static str = F::NAME;
}

impl<F: Fact> Service<http::Request<Body>> for Feed<F> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        assert!(request.uri().path().ends_with("/WatchFacts"), "{}", request.uri());
        let method = Watch(self.clone());
        Box::pin(async move {
            let codec = tonic_prost::ProstCodec::<F::Response, F::Request>::default();
            Ok(tonic::server::Grpc::new(codec).server_streaming(method, request).await)
        })
    }
}

struct Watch<F>(Feed<F>);

impl<F: Fact> tonic::server::ServerStreamingService<F::Request> for Watch<F> {
    type Response = F::Response;
    type ResponseStream = Batches<F>;
    type Future = std::future::Ready<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<F::Request>) -> Self::Future {
        std::future::ready(self.0.watch(&F::after(request.into_inner())).map(Response::new))
    }
}
