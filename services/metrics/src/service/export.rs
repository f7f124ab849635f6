//! The RPCs of tables: parse, act, render.

use std::sync::Arc;

use barometer_chassis::{
    door::Door,
    error::{Error, Violation},
    layers::Deadline,
    position::Position,
    shutdown::Shutdown,
};
use barometer_proto::metrics::v1::{self as wire, export_service_server::ExportService};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status};

use super::{Metrics, analysis::seen};
use crate::{
    Upstreams,
    analysis::states::{self, States, Who},
    columns::Facts,
    export::{
        Format,
        facts::{FactRows, Wanted},
        figures::FigureRows,
        kinds::FactKind,
        states::StateRows,
        stream::{Chunks, stream},
    },
    fold::{Feed, Source, complaints_feed, customers_feed, surveys_feed},
    query::{self, Figures, Vocabulary, Zones},
};

/// Tables that are made at once.
const TABLES: usize = 4;
/// The longest name of a kind.
const MAX_NAME: usize = 64;

/// The service.
#[derive(Clone)]
pub(crate) struct Exports {
    metrics: Metrics,
    upstreams: Upstreams,
    places: Arc<Semaphore>,
    /// Tables end with the server.
    ending: Shutdown,
}

impl Exports {
    /// The service beside that of the figures.
    pub(crate) fn new(metrics: Metrics, upstreams: Upstreams, ending: Shutdown) -> Self {
        Exports { metrics, upstreams, places: Arc::new(Semaphore::new(TABLES)), ending }
    }

    /// Facts of a feed as a table.
    async fn facts<F: Feed>(&self, feed: F, wanted: Wanted, format: Format) -> Result<Chunks, Error> {
        let place = place(&self.places)?;
        let name = wanted.kind.name.clone();
        let rows = FactRows::open(feed, wanted).await?;
        Ok(stream(rows, name, format, place, self.ending.clone()))
    }
}

/// A place for one more table.
fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Error> {
    let full = |_| Error::Exhausted("as many tables are exported as can be at once");
    Arc::clone(places).try_acquire_owned().map_err(full)
}

fn parse_format(door: &mut Door, format: i32) -> Format {
    Format::find(door.optional_choice("format", format))
}

/// A query of one metric.
fn parse_metrics(request: wire::ExportMetricsRequest) -> (wire::QueryMetricsRequest, Result<Format, Error>) {
    let wire::ExportMetricsRequest { query, format } = request;
    let is_one = query.as_ref().is_none_or(|query| query.metrics.len() <= 1);
    let checked = Door::open(|door| {
        door.required("query", query.as_ref().map(|_| ()));
        if !is_one {
            door.refuse("query.metrics", "TOO_MANY", "a table has the rows of one metric");
        }
        parse_format(door, format)
    });
    (query.unwrap_or_default(), checked)
}

/// The errors of a query are those of a field of the request; with those of the other fields. Of a query that is not there, or names
/// several metrics, the request itself has told.
fn join<T>(checked: Result<Format, Error>, answer: Result<T, Error>) -> Result<(Format, T), Error> {
    match (checked, answer) {
        (Ok(format), Ok(answer)) => Ok((format, answer)),
        (Err(Error::Invalid(mut violations)), Err(Error::Invalid(of_query))) => {
            let has_query = violations.iter().all(|violation| violation.field != "query");
            violations.extend(inside_query(of_query).filter(|_| has_query));
            Err(Error::Invalid(violations))
        }
        (Ok(_), Err(Error::Invalid(of_query))) => Err(Error::Invalid(inside_query(of_query).collect())),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

fn inside_query(violations: Vec<Violation>) -> impl Iterator<Item = Violation> {
    violations.into_iter().map(|violation| Violation { field: format!("query.{}", violation.field), ..violation })
}

/// Which facts, and how they are written.
fn parse_facts(request: wire::ExportFactsRequest) -> Result<(Wanted, Format), Error> {
    Door::open(|door| {
        let wire::ExportFactsRequest { kind, start_time, end_time, at_least, format } = request;
        let format = parse_format(door, format);
        let name = door.required_text("kind", kind, MAX_NAME);
        let kind = FactKind::find(&name);
        if kind.is_none() && !name.is_empty() {
            let names: Vec<_> = FactKind::all().iter().map(|kind| kind.name.as_str()).collect();
            door.refuse("kind", "UNKNOWN_VALUE", format!("is no kind of facts; there are {}", names.join(", ")));
        }
        let (asked_from, asked_until) = (start_time.is_some(), end_time.is_some());
        let (start, end) = door.optional_span(("start_time", start_time), ("end_time", end_time));
        if start.is_some() && start == end {
            door.refuse("end_time", "OUT_OF_RANGE", "must lie after `start_time`");
        }
        for (field, is_asked) in [("start_time", asked_from), ("end_time", asked_until)] {
            if is_asked && kind.is_some_and(|kind| !kind.has_instant()) {
                door.refuse(field, "NOT_TOGETHER", format!("{name} happens at no instant: export all of it"));
            }
        }
        let time = (asked_from || asked_until)
            .then(|| start.map_or(i64::MIN, |start| start.0)..end.map_or(i64::MAX, |end| end.0));
        let at_least = parse_position(door, &at_least, kind);
        Some((Wanted { kind: kind?, time, at_least }, format))
    })?
    .ok_or_else(|| Error::Internal("a kind that was not refused".to_owned()))
}

fn parse_position(door: &mut Door, tokens: &[String], kind: Option<&FactKind>) -> Option<Position> {
    if tokens.len() > 1 {
        door.refuse("at_least", "TOO_MANY", "at most one: facts of one service are exported");
    }
    let mut found = None;
    for (index, token) in tokens.iter().enumerate() {
        let field = format!("at_least[{index}]");
        match (Position::decode(token), kind) {
            (Some((service, _)), Some(kind)) if service != kind.source.name() => {
                door.refuse(
                    &field,
                    "NOT_A_POSITION",
                    format!("is a position of {service}, not of {}", kind.source.name()),
                );
            }
            (Some((_, position)), _) => found = Some(position),
            (None, _) => door.refuse(&field, "NOT_A_POSITION", "is not a position"),
        }
    }
    found
}

#[tonic::async_trait]
impl ExportService for Exports {
    type ExportMetricsStream = Chunks;
    type ExportFactsStream = Chunks;
    type ExportCustomerStatesStream = Chunks;

    async fn export_metrics(
        &self,
        request: Request<wire::ExportMetricsRequest>,
    ) -> Result<Response<Self::ExportMetricsStream>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let (query, checked) = parse_metrics(request.into_inner());
        let (names, at_least) = (query.metrics.clone(), query.at_least.clone());
        let (places, is_right) = (Arc::clone(&self.places), checked.is_ok());
        let compute = move |facts: &Facts, vocabulary: &Vocabulary, zones: &Zones, setting| {
            let query = query::parse(query, vocabulary, zones, setting)?;
            if !is_right {
                return Ok(None);
            }
            // When nothing is wrong, and before anything is computed.
            let place = place(&places)?;
            let figures = query.run(facts)?;
            let grouped = |figures: Figures| (query.group_by_of(figures.metric), figures);
            Ok(figures.into_iter().next().map(grouped).map(|(group_by, figures)| (group_by, figures, place)))
        };
        let (format, (table, freshness)) = join(checked, self.metrics.compute(names, &at_least, left, compute).await)?;
        let (group_by, figures, place) = table.ok_or_else(|| Error::Internal("no figures".to_owned()))?;
        let name = figures.metric.id.to_owned();
        let rows = FigureRows::new(figures, group_by, freshness);
        Ok(Response::new(stream(rows, name, format, place, self.ending.clone())))
    }

    async fn export_facts(
        &self,
        request: Request<wire::ExportFactsRequest>,
    ) -> Result<Response<Self::ExportFactsStream>, Status> {
        let (wanted, format) = parse_facts(request.into_inner())?;
        let Upstreams { customers, surveys, complaints } = self.upstreams.clone();
        let chunks = match wanted.kind.source {
            Source::Customers => self.facts(customers_feed(customers), wanted, format).await?,
            Source::Surveys => self.facts(surveys_feed(surveys), wanted, format).await?,
            Source::Complaints => self.facts(complaints_feed(complaints), wanted, format).await?,
        };
        Ok(Response::new(chunks))
    }

    async fn export_customer_states(
        &self,
        request: Request<wire::ExportCustomerStatesRequest>,
    ) -> Result<Response<Self::ExportCustomerStatesStream>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let wire::ExportCustomerStatesRequest { filter, view, format } = request.into_inner();
        self.metrics.fold.include(&query::positions(seen(view.as_ref())), left).await?;
        let places = Arc::clone(&self.places);
        let answer = self.metrics.analyse(
            move |vocabulary, _, _| {
                let mut written = Format::Csv;
                let asked = states::parse(view, |door| {
                    written = parse_format(door, format);
                    Who::All(states::parse_filter(door, filter, vocabulary))
                })?;
                // When nothing is wrong, and before anything is computed.
                Ok((asked, written, place(&places)?))
            },
            |(asked, ..): &(States, _, _), source| asked.reads(source),
            |(asked, ..), facts| asked.run(facts),
            |(_, written, place), (states, _), freshness| (StateRows::new(states, freshness), written, place),
        );
        let (rows, format, place) = answer.await?;
        Ok(Response::new(stream(rows, "customer_states".to_owned(), format, place, self.ending.clone())))
    }
}
