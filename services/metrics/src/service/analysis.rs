//! Cohorts and curves: parse, act, render.

use std::sync::Arc;

use barometer_chassis::{error::Error, layers::Deadline};
use barometer_proto::metrics::v1::{self as wire, analysis_service_server::AnalysisService};
use prost::Message;
use tonic::{Request, Response, Status};

use super::{Metrics, not_ready};
use crate::{
    analysis::{retention, survival},
    columns::Facts,
    fold::Source,
    query::{self, Vocabulary, Zones},
    wire as render,
};

impl Metrics {
    /// Parses and computes, away from the threads that serve calls. All of it is of one state of the facts; which sources it
    /// is made of is known when it is parsed.
    async fn analyse<A, T, R>(
        &self,
        parse: impl FnOnce(&Vocabulary, &Zones, u64) -> Result<A, Error> + Send + 'static,
        reads: impl Fn(&A, Source) -> bool + Send + 'static,
        run: impl FnOnce(&A, &Facts) -> Result<T, Error> + Send + 'static,
        rendered: impl FnOnce(A, T, Vec<wire::Freshness>) -> R + Send + 'static,
    ) -> Result<R, Error>
    where
        R: Message + 'static,
    {
        let place =
            Arc::clone(&self.places).acquire_owned().await.map_err(|error| Error::Internal(error.to_string()))?;
        let Metrics { fold, zones, minimum_sample, max_message_bytes, .. } = self.clone();
        let computed = tokio::task::spawn_blocking(move || {
            // Kept until it is computed, also when nobody waits any more.
            let _place = place;
            let state = fold.read();
            // Before their facts are there nothing can be said of dimensions either.
            if !state.has(Source::Customers) {
                return Err(not_ready(Source::Customers));
            }
            let asked = parse(&Vocabulary::of(&state.facts), &zones, minimum_sample)?;
            let sources: Vec<_> = Source::ALL.into_iter().filter(|source| reads(&asked, *source)).collect();
            if let Some(missing) = sources.iter().find(|source| !state.has(**source)) {
                return Err(not_ready(*missing));
            }
            let answer = run(&asked, &state.facts)?;
            let freshness = render::freshness(&fold, &state, &sources);
            drop(state);
            Ok(rendered(asked, answer, freshness))
        });
        let answer = computed.await.map_err(|error| Error::Internal(error.to_string()))??;
        let size = answer.encoded_len();
        if size > max_message_bytes {
            let told =
                format!("the answer has {size} bytes, a message {max_message_bytes}: ask for less time or groups");
            return Err(Error::invalid("group_by", "ANSWER_TOO_LARGE", told));
        }
        Ok(answer)
    }
}

/// The positions that a scope asks for.
fn at_least(scope: Option<&wire::Scope>) -> &[String] {
    scope.map_or(&[], |scope| &scope.at_least)
}

#[tonic::async_trait]
impl AnalysisService for Metrics {
    async fn query_retention(
        &self,
        request: Request<wire::QueryRetentionRequest>,
    ) -> Result<Response<wire::QueryRetentionResponse>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let request = request.into_inner();
        self.fold.include(&query::positions(at_least(request.scope.as_ref())), left).await?;
        let answer = self.analyse(
            |vocabulary, zones, minimum| retention::parse(request, vocabulary, zones, minimum),
            retention::Retention::reads,
            retention::Retention::run,
            |asked, cohorts, freshness| render::analysis::retention(cohorts, asked.level, freshness),
        );
        Ok(Response::new(answer.await?))
    }

    async fn query_survival(
        &self,
        request: Request<wire::QuerySurvivalRequest>,
    ) -> Result<Response<wire::QuerySurvivalResponse>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let request = request.into_inner();
        self.fold.include(&query::positions(at_least(request.scope.as_ref())), left).await?;
        let answer = self.analyse(
            |vocabulary, zones, minimum| survival::parse(request, vocabulary, zones, minimum),
            survival::Survival::reads,
            survival::Survival::run,
            |asked, curves, freshness| render::analysis::survival(curves, asked.level, freshness),
        );
        Ok(Response::new(answer.await?))
    }
}
