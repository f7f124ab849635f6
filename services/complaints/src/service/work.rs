//! The RPCs of teams, queues, claims and workloads: parse, act, render.

mod claims;
mod queue;
mod teams;

use std::sync::Arc;

use barometer_chassis::{layers::Principal, shutdown::Shutdown, store::Store, writer::Request as Mutation};
use barometer_proto::complaints::v1::{self as wire, work_service_server::WorkService};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use self::queue::Watching;
use crate::store::Book;

/// The service.
#[derive(Clone)]
pub(crate) struct Work {
    store: Store<wire::Fact>,
    book: Arc<Book>,
    claim_limit: u32,
    watching: Arc<Semaphore>,
    ending: Shutdown,
}

impl Work {
    /// The service over its store. At most so many claims of an employee run at a time. Of the room for watches, those of
    /// queues take half at most: the rest is for whoever follows facts. Streams end with `ending`.
    pub(crate) fn new(
        store: Store<wire::Fact>,
        book: Arc<Book>,
        claim_limit: u32,
        max_watches: u32,
        ending: Shutdown,
    ) -> Self {
        let room = usize::try_from((max_watches / 2).max(1)).unwrap_or(Semaphore::MAX_PERMITS);
        Work { store, book, claim_limit, watching: Arc::new(Semaphore::new(room)), ending }
    }
}

/// Who asks for a change, by which request.
fn mutation(method: &'static str, actor: &Principal, id: Option<Uuid>, fingerprint: i64) -> Mutation {
    Mutation { method, actor: actor.to_string(), id, fingerprint }
}

#[tonic::async_trait]
impl WorkService for Work {
    async fn create_team(&self, request: Request<wire::CreateTeamRequest>) -> Result<Response<wire::Team>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.create(&actor, request.into_inner()).await?))
    }

    async fn update_team(&self, request: Request<wire::UpdateTeamRequest>) -> Result<Response<wire::Team>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.update(&actor, request.into_inner()).await?))
    }

    async fn get_team(&self, request: Request<wire::GetTeamRequest>) -> Result<Response<wire::Team>, Status> {
        Ok(Response::new(self.team(request.into_inner()).await?))
    }

    async fn list_teams(
        &self,
        request: Request<wire::ListTeamsRequest>,
    ) -> Result<Response<wire::ListTeamsResponse>, Status> {
        Ok(Response::new(self.teams(request.into_inner()).await?))
    }

    async fn list_queue(
        &self,
        request: Request<wire::ListQueueRequest>,
    ) -> Result<Response<wire::ListQueueResponse>, Status> {
        Ok(Response::new(self.queue(request.into_inner()).await?))
    }

    type WatchQueueStream = Watching;

    async fn watch_queue(
        &self,
        request: Request<wire::WatchQueueRequest>,
    ) -> Result<Response<Self::WatchQueueStream>, Status> {
        Ok(Response::new(self.watch(request.into_inner())?))
    }

    async fn claim_next(
        &self,
        request: Request<wire::ClaimNextRequest>,
    ) -> Result<Response<wire::ClaimNextResponse>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.next(&actor, request.into_inner()).await?))
    }

    async fn heartbeat_claim(
        &self,
        request: Request<wire::HeartbeatClaimRequest>,
    ) -> Result<Response<wire::Claim>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.heartbeat(&actor, request.into_inner()).await?))
    }

    async fn release_claim(
        &self,
        request: Request<wire::ReleaseClaimRequest>,
    ) -> Result<Response<wire::Claim>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.release(&actor, request.into_inner()).await?))
    }

    async fn finish_claim(&self, request: Request<wire::FinishClaimRequest>) -> Result<Response<wire::Claim>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.finish(&actor, request.into_inner()).await?))
    }

    async fn get_claim(&self, request: Request<wire::GetClaimRequest>) -> Result<Response<wire::Claim>, Status> {
        Ok(Response::new(self.claim(request.into_inner()).await?))
    }

    async fn list_claims(
        &self,
        request: Request<wire::ListClaimsRequest>,
    ) -> Result<Response<wire::ListClaimsResponse>, Status> {
        Ok(Response::new(self.claims(request.into_inner()).await?))
    }

    async fn list_employee_workloads(
        &self,
        request: Request<wire::ListEmployeeWorkloadsRequest>,
    ) -> Result<Response<wire::ListEmployeeWorkloadsResponse>, Status> {
        Ok(Response::new(self.employee_workloads(request.into_inner()).await?))
    }

    async fn list_team_workloads(
        &self,
        request: Request<wire::ListTeamWorkloadsRequest>,
    ) -> Result<Response<wire::ListTeamWorkloadsResponse>, Status> {
        Ok(Response::new(self.team_workloads(request.into_inner()).await?))
    }
}
