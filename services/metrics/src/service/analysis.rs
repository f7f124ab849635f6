//! Cohorts, curves, moves, journeys, drivers and states: parse, act, render.

use std::sync::Arc;

use barometer_chassis::{error::Error, layers::Deadline};
use barometer_proto::metrics::v1::{self as wire, analysis_service_server::AnalysisService};
use prost::Message;
use tonic::{Request, Response, Status};

use super::{Metrics, not_ready};
use crate::{
    analysis::{drivers, journey, moves, retention, states, survival, transition},
    columns::Facts,
    fold::Source,
    query::{self, Vocabulary, Zones},
    wire as render,
};

impl Metrics {
    /// Parses and computes, away from the threads that serve calls. All of it is of one state of the facts; which sources it
    /// is made of is known when it is parsed.
    pub(super) async fn analyse<A, T, R>(
        &self,
        parse: impl FnOnce(&Vocabulary, &Zones, u64) -> Result<A, Error> + Send + 'static,
        reads: impl Fn(&A, Source) -> bool + Send + 'static,
        run: impl FnOnce(&A, &Facts) -> Result<T, Error> + Send + 'static,
        rendered: impl FnOnce(A, T, Vec<wire::Freshness>) -> R + Send + 'static,
    ) -> Result<R, Error>
    where
        R: Send + 'static,
    {
        let place =
            Arc::clone(&self.places).acquire_owned().await.map_err(|error| Error::Internal(error.to_string()))?;
        let Metrics { fold, zones, minimum_sample, .. } = self.clone();
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
        computed.await.map_err(|error| Error::Internal(error.to_string()))?
    }

    /// An answer that a message can hold.
    fn holding<M: Message>(&self, answer: M) -> Result<Response<M>, Status> {
        let (size, most) = (answer.encoded_len(), self.max_message_bytes);
        if size > most {
            let told = format!("the answer has {size} bytes, a message {most}: ask for less time or groups");
            return Err(Error::invalid("group_by", "ANSWER_TOO_LARGE", told).into());
        }
        Ok(Response::new(answer))
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
        self.holding(answer.await?)
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
        self.holding(answer.await?)
    }

    async fn query_transitions(
        &self,
        request: Request<wire::QueryTransitionsRequest>,
    ) -> Result<Response<wire::QueryTransitionsResponse>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let request = request.into_inner();
        self.fold.include(&query::positions(at_least(request.scope.as_ref())), left).await?;
        let answer = self.analyse(
            |vocabulary, zones, minimum| transition::parse(request, vocabulary, zones, minimum),
            transition::Transitions::reads,
            transition::Transitions::run,
            |_, matrices, freshness| render::transition::transitions(matrices, freshness),
        );
        self.holding(answer.await?)
    }

    async fn query_journeys(
        &self,
        request: Request<wire::QueryJourneysRequest>,
    ) -> Result<Response<wire::QueryJourneysResponse>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let request = request.into_inner();
        self.fold.include(&query::positions(at_least(request.scope.as_ref())), left).await?;
        let answer = self.analyse(
            |vocabulary, zones, minimum| journey::parse(request, vocabulary, zones, minimum),
            journey::Ask::reads,
            journey::Ask::run,
            |asked, journeys, freshness| {
                render::journey::journeys(journeys, asked.level, asked.minimum_sample, freshness)
            },
        );
        self.holding(answer.await?)
    }

    async fn query_drivers(
        &self,
        request: Request<wire::QueryDriversRequest>,
    ) -> Result<Response<wire::QueryDriversResponse>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let request = request.into_inner();
        self.fold.include(&query::positions(at_least(request.scope.as_ref())), left).await?;
        let answer = self.analyse(
            |vocabulary, zones, minimum| drivers::parse(request, vocabulary, zones, minimum),
            drivers::Ask::reads,
            drivers::Ask::run,
            |asked, found, freshness| render::driver::drivers(found, &asked.drivers, freshness),
        );
        self.holding(answer.await?)
    }

    async fn list_category_moves(
        &self,
        request: Request<wire::ListCategoryMovesRequest>,
    ) -> Result<Response<wire::ListCategoryMovesResponse>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let request = request.into_inner();
        self.fold.include(&query::positions(at_least(request.scope.as_ref())), left).await?;
        let answer = self.analyse(
            |vocabulary, zones, _| moves::parse(request, vocabulary, zones),
            moves::Moves::reads,
            moves::Moves::run,
            |_, page, _| render::transition::moves(page),
        );
        self.holding(answer.await?)
    }

    async fn batch_get_customer_states(
        &self,
        request: Request<wire::BatchGetCustomerStatesRequest>,
    ) -> Result<Response<wire::BatchGetCustomerStatesResponse>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let wire::BatchGetCustomerStatesRequest { customer_ids, view } = request.into_inner();
        self.fold.include(&query::positions(seen(view.as_ref())), left).await?;
        let answer = self.analyse(
            |_, _, _| states::parse(view, |door| states::parse_ids(door, customer_ids)),
            states::States::reads,
            states::States::run,
            |_, states, freshness| render::state::these(states, freshness),
        );
        self.holding(answer.await?)
    }

    async fn list_customer_states(
        &self,
        request: Request<wire::ListCustomerStatesRequest>,
    ) -> Result<Response<wire::ListCustomerStatesResponse>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let wire::ListCustomerStatesRequest { filter, view, page_size, page_token } = request.into_inner();
        self.fold.include(&query::positions(seen(view.as_ref())), left).await?;
        let answer = self.analyse(
            move |vocabulary, _, _| {
                states::parse(view, |door| {
                    let filter = states::parse_filter(door, filter, vocabulary);
                    states::Who::Page(filter, door.page(page_size, &page_token))
                })
            },
            states::States::reads,
            states::States::run,
            |_, states, _| render::state::page(states),
        );
        self.holding(answer.await?)
    }
}

/// The positions that a view asks for.
pub(super) fn seen(view: Option<&wire::CustomerStateView>) -> &[String] {
    view.map_or(&[], |view| &view.at_least)
}
