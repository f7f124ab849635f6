//! The RPCs: parse, act, render.

mod case;
mod clocks;
mod command;
mod escalations;
mod follow_ups;
mod history;
mod incidents;
mod link;
mod outcome;
mod policies;
mod privacy;
mod promises;
mod webhooks;
mod work;

use std::sync::Arc;

use barometer_chassis::{
    door::Stages,
    feed::{Delivery, Watch},
    import::{self, Acknowledgements},
    layers::Principal,
    shutdown::Shutdown,
    store::Store,
};
use barometer_proto::complaints::v1::{self as wire, complaint_service_server::ComplaintService};
use tonic::{Request, Response, Status, Streaming};

pub(crate) use self::{
    escalations::Escalations, follow_ups::FollowUps, incidents::Incidents, policies::Policies, privacy::Privacy,
    promises::Promises, webhooks::Webhooks, work::Work,
};
use crate::{case::Rules, customers::Customers, store::Book};

/// The service.
#[derive(Clone)]
pub(crate) struct Complaints {
    store: Store<wire::Fact>,
    customers: Customers,
    stages: Stages,
    rules: Rules,
    book: Arc<Book>,
    ending: Shutdown,
}

impl Complaints {
    /// The service over its store. Streams end with `ending`.
    pub(crate) fn new(
        store: Store<wire::Fact>,
        customers: Customers,
        stages: Stages,
        rules: Rules,
        book: Arc<Book>,
        ending: Shutdown,
    ) -> Self {
        Complaints { store, customers, stages, rules, book, ending }
    }
}

#[tonic::async_trait]
impl ComplaintService for Complaints {
    async fn open_case(&self, request: Request<wire::OpenCaseRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.open(&actor, request.into_inner()).await?))
    }

    type ImportCasesStream = Acknowledgements<wire::ImportCasesResponse>;

    async fn import_cases(
        &self,
        request: Request<Streaming<wire::ImportCasesRequest>>,
    ) -> Result<Response<Self::ImportCasesStream>, Status> {
        let actor = Principal::of(&request);
        let (preparing, recording) = (self.clone(), self.clone());
        let prepare = move |batch: wire::ImportCasesRequest| {
            let (service, actor) = (preparing.clone(), actor.clone());
            async move { service.prepare(&actor, batch.rows).await }
        };
        let record = move |rows| {
            let service = recording.clone();
            async move { service.import(rows).await }
        };
        let ending = self.ending.clone();
        Ok(Response::new(import::acknowledge_in_stages(request.into_inner(), ending, prepare, record)))
    }

    type ImportCaseHistoriesStream = Acknowledgements<wire::ImportCaseHistoriesResponse>;

    async fn import_case_histories(
        &self,
        request: Request<Streaming<wire::ImportCaseHistoriesRequest>>,
    ) -> Result<Response<Self::ImportCaseHistoriesStream>, Status> {
        let actor = Principal::of(&request);
        let (preparing, recording) = (self.clone(), self.clone());
        let prepare = move |batch: wire::ImportCaseHistoriesRequest| {
            let (service, actor) = (preparing.clone(), actor.clone());
            async move { service.prepare_histories(&actor, batch.histories).await }
        };
        let record = move |histories| {
            let service = recording.clone();
            async move { service.import_histories(histories).await }
        };
        let ending = self.ending.clone();
        Ok(Response::new(import::acknowledge_in_stages(request.into_inner(), ending, prepare, record)))
    }

    async fn get_case(&self, request: Request<wire::GetCaseRequest>) -> Result<Response<wire::Case>, Status> {
        Ok(Response::new(self.get(request.into_inner()).await?))
    }

    async fn list_cases(
        &self,
        request: Request<wire::ListCasesRequest>,
    ) -> Result<Response<wire::ListCasesResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    async fn list_case_entries(
        &self,
        request: Request<wire::ListCaseEntriesRequest>,
    ) -> Result<Response<wire::ListCaseEntriesResponse>, Status> {
        Ok(Response::new(self.list_entries(request.into_inner()).await?))
    }

    async fn amend_case(&self, request: Request<wire::AmendCaseRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.amend(&actor, request.into_inner()).await?))
    }

    async fn withdraw_case(&self, request: Request<wire::WithdrawCaseRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.withdraw(&actor, request.into_inner()).await?))
    }

    async fn acknowledge_case(
        &self,
        request: Request<wire::AcknowledgeCaseRequest>,
    ) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.acknowledge(&actor, request.into_inner()).await?))
    }

    async fn respond_to_case(
        &self,
        request: Request<wire::RespondToCaseRequest>,
    ) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.respond(&actor, request.into_inner()).await?))
    }

    async fn record_customer_message(
        &self,
        request: Request<wire::RecordCustomerMessageRequest>,
    ) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.hear(&actor, request.into_inner()).await?))
    }

    async fn await_customer(
        &self,
        request: Request<wire::AwaitCustomerRequest>,
    ) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.await_customer(&actor, request.into_inner()).await?))
    }

    async fn await_third_party(
        &self,
        request: Request<wire::AwaitThirdPartyRequest>,
    ) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.await_third_party(&actor, request.into_inner()).await?))
    }

    async fn resume_case(&self, request: Request<wire::ResumeCaseRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.resume(&actor, request.into_inner()).await?))
    }

    async fn answer_by_self_service(
        &self,
        request: Request<wire::AnswerBySelfServiceRequest>,
    ) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.self_serve(&actor, request.into_inner()).await?))
    }

    async fn resolve_case(&self, request: Request<wire::ResolveCaseRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.resolve(&actor, request.into_inner()).await?))
    }

    async fn reopen_case(&self, request: Request<wire::ReopenCaseRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.reopen(&actor, request.into_inner()).await?))
    }

    async fn close_case(&self, request: Request<wire::CloseCaseRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.close(&actor, request.into_inner()).await?))
    }

    async fn cancel_case(&self, request: Request<wire::CancelCaseRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.cancel(&actor, request.into_inner()).await?))
    }

    async fn prioritize_case(
        &self,
        request: Request<wire::PrioritizeCaseRequest>,
    ) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.prioritize(&actor, request.into_inner()).await?))
    }

    async fn assign_case(&self, request: Request<wire::AssignCaseRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.assign(&actor, request.into_inner()).await?))
    }

    async fn annotate_case(&self, request: Request<wire::AnnotateCaseRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.annotate(&actor, request.into_inner()).await?))
    }

    async fn batch_get_clocks(
        &self,
        request: Request<wire::BatchGetClocksRequest>,
    ) -> Result<Response<wire::BatchGetClocksResponse>, Status> {
        Ok(Response::new(self.batch_get_clocks(request.into_inner()).await?))
    }

    async fn explain_clock(
        &self,
        request: Request<wire::ExplainClockRequest>,
    ) -> Result<Response<wire::Clock>, Status> {
        Ok(Response::new(self.explain_clock(request.into_inner()).await?))
    }

    async fn link_cases(&self, request: Request<wire::LinkCasesRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.link(&actor, request.into_inner()).await?))
    }

    async fn unlink_cases(&self, request: Request<wire::UnlinkCasesRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.unlink(&actor, request.into_inner()).await?))
    }

    async fn merge_case(&self, request: Request<wire::MergeCaseRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.merge(&actor, request.into_inner()).await?))
    }

    async fn unmerge_case(&self, request: Request<wire::UnmergeCaseRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.unmerge(&actor, request.into_inner()).await?))
    }

    async fn set_outcome(&self, request: Request<wire::SetOutcomeRequest>) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.decide(&actor, request.into_inner()).await?))
    }

    async fn ask_for_acceptance(
        &self,
        request: Request<wire::AskForAcceptanceRequest>,
    ) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.ask(&actor, request.into_inner()).await?))
    }

    async fn record_acceptance(
        &self,
        request: Request<wire::RecordAcceptanceRequest>,
    ) -> Result<Response<wire::Case>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.hear_acceptance(&actor, request.into_inner()).await?))
    }

    type WatchFactsStream = Watch<wire::WatchFactsResponse>;

    async fn watch_facts(
        &self,
        request: Request<wire::WatchFactsRequest>,
    ) -> Result<Response<Self::WatchFactsStream>, Status> {
        let wire::WatchFactsRequest { kinds, after } = request.into_inner();
        let render = |delivery: Delivery<wire::Fact>| wire::WatchFactsResponse {
            facts: delivery.facts,
            position: delivery.position,
            caught_up: delivery.caught_up,
            read_time: Some(delivery.read_time.to_wire()),
            trace_parents: delivery.trace_parents,
        };
        Ok(Response::new(self.store.feed.watch(
            &after,
            kinds,
            self.ending.clone(),
            prost::Message::encoded_len,
            render,
        )?))
    }
}
