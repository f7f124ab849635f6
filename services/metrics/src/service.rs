//! The RPCs: parse, act, render.

mod analysis;
mod definition;
pub(crate) mod export;
mod figures;
pub(crate) mod verification;
mod watch;

use std::{sync::Arc, time::Duration};

use barometer_chassis::{
    clock::Micros,
    door::{Door, PageToken, fit},
    error::Error,
    layers::Deadline,
    shutdown::Shutdown,
};
use barometer_proto::metrics::v1::{self as wire, metrics_service_server::MetricsService};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    catalogue,
    columns::Facts,
    definitions::Definitions,
    fold::{Fold, Source},
    query::{self, Looked, Setting, Vocabulary, Zones},
    wire as render,
};

/// The service.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(super) fold: Arc<Fold>,
    pub(super) zones: Arc<Zones>,
    pub(super) definitions: Definitions,
    /// Queries that may be computed at the same time.
    pub(super) places: Arc<Semaphore>,
    pub(super) max_message_bytes: usize,
    /// Rows of a smaller sample are suppressed.
    pub(super) minimum_sample: u64,
    pub(super) watches: Watches,
}

/// Room for watches, and when they end.
#[derive(Clone)]
pub(crate) struct Watches {
    room: Arc<Semaphore>,
    /// They end with the server.
    ending: Shutdown,
}

impl Watches {
    /// Of the room for watches of the server those of figures have half.
    pub(crate) fn new(max_watches: u32, ending: Shutdown) -> Self {
        let room = usize::try_from((max_watches / 2).max(1)).unwrap_or(Semaphore::MAX_PERMITS);
        Watches { room: Arc::new(Semaphore::new(room)), ending }
    }
}

impl Metrics {
    /// Parses and computes with `compute`, away from the threads that serve calls, once the positions are included; `left` is
    /// what is left of the time for the call. All of it is of one state of the facts, and so is the freshness of what the metrics
    /// of these names are made of.
    async fn compute<T: Send + 'static>(
        &self,
        names: Vec<String>,
        at_least: &[String],
        left: Option<Duration>,
        compute: impl FnOnce(&Facts, &Vocabulary, &Zones, Setting) -> Result<T, Error> + Send + 'static,
    ) -> Result<(T, Vec<wire::Freshness>), Error> {
        // First, because the writes may bring the dimensions that are asked about.
        self.fold.include(&query::positions(at_least), left).await?;
        let defined = self.definitions.look_up(&names).await?;
        let place =
            Arc::clone(&self.places).acquire_owned().await.map_err(|error| Error::Internal(error.to_string()))?;
        let Metrics { fold, zones, minimum_sample, .. } = self.clone();
        let computed = tokio::task::spawn_blocking(move || {
            // Kept until it is computed, also when nobody waits any more.
            let _place = place;
            let state = fold.read();
            let vocabulary = Vocabulary::of(&state.facts).with(defined);
            let metrics: Vec<_> = names.iter().filter_map(|name| vocabulary.find(name)).collect();
            let sources = catalogue::sources_of(&metrics);
            if let Some(missing) = sources.iter().find(|source| !state.has(**source)) {
                return Err(not_ready(*missing));
            }
            let complete_until = Source::ALL.map(|source| state.reached(source).complete_until.map(|until| until.0));
            let told = compute(&state.facts, &vocabulary, &zones, Setting { complete_until, minimum_sample })?;
            Ok((told, render::freshness(&fold, &state, &sources)))
        });
        computed.await.map_err(|error| Error::Internal(error.to_string()))?
    }

    /// An answer that a message can hold.
    fn fitting<M: prost::Message>(&self, answer: M) -> Result<Response<M>, Status> {
        Ok(Response::new(self.checked(answer)?))
    }

    fn checked<M: prost::Message>(&self, answer: M) -> Result<M, Error> {
        let (size, most) = (answer.encoded_len(), self.max_message_bytes);
        if size > most {
            let told = format!("the answer has {size} bytes, a message {most}: ask for less time, groups or metrics");
            return Err(Error::invalid("metrics", "ANSWER_TOO_LARGE", told));
        }
        Ok(answer)
    }
}

pub(crate) fn not_ready(missing: Source) -> Error {
    Error::Unavailable {
        reason: "NOT_READY",
        message: format!("the figures are not whole yet: the facts of {} were not all read", missing.name()),
    }
}

#[tonic::async_trait]
impl MetricsService for Metrics {
    async fn list_metrics(
        &self,
        request: Request<wire::ListMetricsRequest>,
    ) -> Result<Response<wire::ListMetricsResponse>, Status> {
        let wire::ListMetricsRequest { page_size, page_token } = request.into_inner();
        let page = Door::open(|door| door.page(page_size, &page_token))?;
        // Definitions keep their places: they are in the order in which they came, and none is ever deleted.
        let defined = self.definitions.in_use().await?;
        let built_in = catalogue::METRICS.iter().copied().zip(i64::MIN..).map(|(metric, index)| (index, metric));
        let all = built_in.chain(defined);
        let rest = all.filter(|(index, _)| page.after.is_none_or(|after| *index > after.key));
        let place = |(index, _): &(i64, _)| PageToken { key: *index, id: Uuid::nil() };
        let (metrics, next) = page.cut(rest.collect(), place);
        let places: Vec<_> = metrics.iter().map(place).collect();
        let metrics = metrics.into_iter().map(|(_, metric)| render::metric(metric)).collect();
        let (metrics, next_page_token) = fit(metrics, &places, next);
        Ok(Response::new(wire::ListMetricsResponse { metrics, next_page_token }))
    }

    async fn get_metric(&self, request: Request<wire::GetMetricRequest>) -> Result<Response<wire::Metric>, Status> {
        let id = Door::open(|door| door.required_text("id", request.into_inner().id, 64))?;
        let metric = match catalogue::find(&id) {
            None => match self.definitions.look_up(std::slice::from_ref(&id)).await?.remove(&id) {
                Some(Looked::Found(metric)) => Some(metric),
                Some(Looked::Retired | Looked::Outdated) | None => None,
            },
            found => found,
        };
        let metric = metric.ok_or_else(|| Error::not_found("metric", id))?;
        Ok(Response::new(render::metric(metric)))
    }

    async fn query_metrics(
        &self,
        request: Request<wire::QueryMetricsRequest>,
    ) -> Result<Response<wire::QueryMetricsResponse>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let request = request.into_inner();
        let (names, at_least) = (request.metrics.clone(), request.at_least.clone());
        let answer = |facts: &Facts, vocabulary: &Vocabulary, zones: &Zones, setting| {
            let figures = query::parse(request, vocabulary, zones, setting)?.run(facts)?;
            Ok(figures.into_iter().map(render::result).collect())
        };
        let (results, freshness) = self.compute(names, &at_least, left, answer).await?;
        self.fitting(wire::QueryMetricsResponse { results, freshness })
    }

    async fn get_fold(&self, _request: Request<wire::GetFoldRequest>) -> Result<Response<wire::Fold>, Status> {
        let Metrics { fold, zones, minimum_sample, .. } = self.clone();
        let rendered = tokio::task::spawn_blocking(move || render::fold(&fold, &zones, minimum_sample, Micros::now()));
        let rendered = rendered.await;
        Ok(Response::new(rendered.map_err(|error| Error::Internal(error.to_string()))?))
    }
}
