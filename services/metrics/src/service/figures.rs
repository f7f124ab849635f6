//! What is said of figures: comparisons and trends.

use barometer_chassis::layers::Deadline;
use barometer_proto::metrics::v1::{self as wire, figure_service_server::FigureService};
use tonic::{Request, Response, Status};

use super::Metrics;
use crate::{
    analysis::{comparison, trend},
    columns::Facts,
    query::{Vocabulary, Zones},
    wire::{comparison as render_comparison, trend as render_trend},
};

#[tonic::async_trait]
impl FigureService for Metrics {
    async fn query_comparisons(
        &self,
        request: Request<wire::QueryComparisonsRequest>,
    ) -> Result<Response<wire::QueryComparisonsResponse>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let request = request.into_inner();
        let (names, at_least) = (request.metrics.clone(), request.at_least.clone());
        let answer = |facts: &Facts, zones: &Zones, setting| {
            let comparing = comparison::parse(request, &Vocabulary::of(facts), zones, setting)?;
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
        let answer = |facts: &Facts, zones: &Zones, setting| {
            let query = trend::parse(request, &Vocabulary::of(facts), zones, setting)?;
            Ok(trend::run(&query, facts)?.into_iter().map(render_trend::trends).collect())
        };
        let (results, freshness) = self.compute(names, &at_least, left, answer).await?;
        self.fitting(wire::QueryTrendsResponse { results, freshness })
    }
}
