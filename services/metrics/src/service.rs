//! The RPCs: parse, act, render.

use std::sync::Arc;

use barometer_chassis::{
    clock::Micros,
    door::{Door, PageToken},
    error::Error,
    layers::Deadline,
};
use barometer_proto::metrics::v1::{self as wire, metrics_service_server::MetricsService};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    catalogue,
    fold::{Fold, Source},
    query::{self, Vocabulary, Zones},
    wire as render,
};

/// The service.
#[derive(Clone)]
pub(crate) struct Metrics {
    fold: Arc<Fold>,
    zones: Arc<Zones>,
    /// Queries that may be computed at the same time.
    places: Arc<Semaphore>,
    max_message_bytes: usize,
}

impl Metrics {
    /// The service over a fold.
    pub(crate) fn new(fold: Arc<Fold>, zones: Zones, queries: usize, max_message_bytes: usize) -> Self {
        Metrics { fold, zones: Arc::new(zones), places: Arc::new(Semaphore::new(queries)), max_message_bytes }
    }

    /// Parses and computes, away from the threads that serve calls. All of it is of one state of the facts.
    async fn answer(&self, request: wire::QueryMetricsRequest) -> Result<wire::QueryMetricsResponse, Error> {
        let place =
            Arc::clone(&self.places).acquire_owned().await.map_err(|error| Error::Internal(error.to_string()))?;
        let Metrics { fold, zones, .. } = self.clone();
        let computed = tokio::task::spawn_blocking(move || {
            // Kept until it is computed, also when nobody waits any more.
            let _place = place;
            let state = fold.read();
            let metrics: Vec<_> = request.metrics.iter().filter_map(|name| catalogue::find(name)).collect();
            let needs = |source: &Source| metrics.iter().any(|metric| metric.reads(*source));
            let sources: Vec<_> = Source::ALL.into_iter().filter(needs).collect();
            if let Some(missing) = sources.iter().find(|source| !state.has(**source)) {
                return Err(not_ready(*missing));
            }
            let query = query::parse(request, &Vocabulary::of(&state.facts), &zones)?;
            let figures = query.run(&state.facts)?;
            let freshness = render::freshness(&fold, &state, &sources);
            drop(state);
            Ok(wire::QueryMetricsResponse { results: figures.into_iter().map(render::result).collect(), freshness })
        });
        computed.await.map_err(|error| Error::Internal(error.to_string()))?
    }
}

fn not_ready(missing: Source) -> Error {
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
        let place = |index: i64| PageToken { key: index, id: Uuid::nil() };
        let rest =
            (0..).zip(&catalogue::METRICS).filter(|(index, _)| page.after.is_none_or(|after| *index > after.key));
        let (metrics, next_page_token) = page.cut(rest.collect(), |(index, _)| place(*index));
        let metrics = metrics.into_iter().map(|(_, metric)| render::metric(metric)).collect();
        Ok(Response::new(wire::ListMetricsResponse { metrics, next_page_token }))
    }

    async fn get_metric(&self, request: Request<wire::GetMetricRequest>) -> Result<Response<wire::Metric>, Status> {
        let id = Door::open(|door| door.required_text("id", request.into_inner().id, 64))?;
        let metric = catalogue::find(&id).ok_or_else(|| Error::not_found("metric", id))?;
        Ok(Response::new(render::metric(metric)))
    }

    async fn query_metrics(
        &self,
        request: Request<wire::QueryMetricsRequest>,
    ) -> Result<Response<wire::QueryMetricsResponse>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let request = request.into_inner();
        // First, because the writes may bring the dimensions that are asked about.
        self.fold.include(&query::positions(&request.at_least), left).await?;
        let answer = self.answer(request).await?;
        let size = prost::Message::encoded_len(&answer);
        if size > self.max_message_bytes {
            let most = self.max_message_bytes;
            let told = format!("the answer has {size} bytes, a message {most}: ask for less time, groups or metrics");
            return Err(Error::invalid("metrics", "ANSWER_TOO_LARGE", told).into());
        }
        Ok(Response::new(answer))
    }

    async fn get_fold(&self, _request: Request<wire::GetFoldRequest>) -> Result<Response<wire::Fold>, Status> {
        let Metrics { fold, zones, .. } = self.clone();
        let rendered = tokio::task::spawn_blocking(move || render::fold(&fold, &zones, Micros::now())).await;
        Ok(Response::new(rendered.map_err(|error| Error::Internal(error.to_string()))?))
    }
}
