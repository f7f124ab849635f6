//! What is said of figures: comparisons, trends, and what they are made of.

use barometer_chassis::layers::Deadline;
use barometer_proto::metrics::v1::{self as wire, figure_service_server::FigureService};
use tonic::{Request, Response, Status};

use super::{Metrics, watch::Watching};
use crate::{
    analysis::{comparison, explanation, trend},
    columns::Facts,
    query::{Vocabulary, Zones},
    wire::{comparison as render_comparison, explanation as render_explanation, trend as render_trend},
};

#[tonic::async_trait]
impl FigureService for Metrics {
    type WatchMetricsStream = Watching;

    async fn watch_metrics(
        &self,
        request: Request<wire::WatchMetricsRequest>,
    ) -> Result<Response<Self::WatchMetricsStream>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        Ok(Response::new(self.watch(request.into_inner(), left).await?))
    }

    async fn query_comparisons(
        &self,
        request: Request<wire::QueryComparisonsRequest>,
    ) -> Result<Response<wire::QueryComparisonsResponse>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let request = request.into_inner();
        let (names, at_least) = (request.metrics.clone(), request.at_least.clone());
        let answer = |facts: &Facts, vocabulary: &Vocabulary, zones: &Zones, setting| {
            let comparing = comparison::parse(request, vocabulary, zones, setting)?;
            Ok(comparing.run(facts)?.into_iter().map(render_comparison::comparisons).collect::<Vec<_>>())
        };
        let (results, freshness) = self.compute(names, &at_least, left, answer).await?;
        let tested = render_comparison::tested(&results);
        self.fitting(wire::QueryComparisonsResponse { results, tested, freshness })
    }

    async fn query_trends(
        &self,
        request: Request<wire::QueryTrendsRequest>,
    ) -> Result<Response<wire::QueryTrendsResponse>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let request = request.into_inner();
        let (names, at_least) = match &request.query {
            Some(query) => (query.metrics.clone(), query.at_least.clone()),
            None => Default::default(),
        };
        let answer = |facts: &Facts, vocabulary: &Vocabulary, zones: &Zones, setting| {
            let query = trend::parse(request, vocabulary, zones, setting)?;
            Ok(trend::run(&query, facts)?.into_iter().map(render_trend::trends).collect())
        };
        let (results, freshness) = self.compute(names, &at_least, left, answer).await?;
        self.fitting(wire::QueryTrendsResponse { results, freshness })
    }

    async fn explain_metric(
        &self,
        request: Request<wire::ExplainMetricRequest>,
    ) -> Result<Response<wire::ExplainMetricResponse>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let request = request.into_inner();
        let (names, at_least) = (vec![request.metric.clone()], request.at_least.clone());
        let answer = |facts: &Facts, vocabulary: &Vocabulary, zones: &Zones, setting| {
            explanation::parse(request, vocabulary, zones, setting)?.run(facts)
        };
        let (explained, freshness) = self.compute(names, &at_least, left, answer).await?;
        self.fitting(render_explanation::explanation(explained, freshness))
    }
}
