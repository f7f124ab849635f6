//! The RPCs of calendars and policies: parse, act, render.

mod calendar;
mod effect;
mod policy_set;

use std::sync::Arc;

use barometer_chassis::{layers::Principal, store::Store, writer::Request as Mutation};
use barometer_proto::complaints::v1::{self as wire, policy_service_server::PolicyService};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{case::PriorityTable, store::Book};

/// The service.
#[derive(Clone)]
pub(crate) struct Policies {
    store: Store<wire::Fact>,
    book: Arc<Book>,
    priorities: PriorityTable,
}

impl Policies {
    /// The service over its store. Described cases have their priorities by a table, as cases have.
    pub(crate) fn new(store: Store<wire::Fact>, book: Arc<Book>, priorities: PriorityTable) -> Self {
        Policies { store, book, priorities }
    }
}

/// Who asks for a change, by which request.
fn mutation(method: &'static str, actor: &Principal, id: Option<Uuid>, fingerprint: i64) -> Mutation {
    Mutation { method, actor: actor.to_string(), id, fingerprint }
}

#[tonic::async_trait]
impl PolicyService for Policies {
    async fn create_calendar(
        &self,
        request: Request<wire::CreateCalendarRequest>,
    ) -> Result<Response<wire::Calendar>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.create(&actor, request.into_inner()).await?))
    }

    async fn update_calendar(
        &self,
        request: Request<wire::UpdateCalendarRequest>,
    ) -> Result<Response<wire::Calendar>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.update(&actor, request.into_inner()).await?))
    }

    async fn load_holidays(
        &self,
        request: Request<wire::LoadHolidaysRequest>,
    ) -> Result<Response<wire::Calendar>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.load(&actor, request.into_inner()).await?))
    }

    async fn get_calendar(
        &self,
        request: Request<wire::GetCalendarRequest>,
    ) -> Result<Response<wire::Calendar>, Status> {
        Ok(Response::new(self.calendar(request.into_inner()).await?))
    }

    async fn list_calendars(
        &self,
        request: Request<wire::ListCalendarsRequest>,
    ) -> Result<Response<wire::ListCalendarsResponse>, Status> {
        Ok(Response::new(self.calendars(request.into_inner()).await?))
    }

    async fn list_calendar_versions(
        &self,
        request: Request<wire::ListCalendarVersionsRequest>,
    ) -> Result<Response<wire::ListCalendarVersionsResponse>, Status> {
        Ok(Response::new(self.calendar_versions(request.into_inner()).await?))
    }

    async fn publish_policies(
        &self,
        request: Request<wire::PublishPoliciesRequest>,
    ) -> Result<Response<wire::PolicySet>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.publish(&actor, request.into_inner()).await?))
    }

    async fn get_policy_set(
        &self,
        request: Request<wire::GetPolicySetRequest>,
    ) -> Result<Response<wire::PolicySet>, Status> {
        Ok(Response::new(self.policy_set(request.into_inner()).await?))
    }

    async fn list_policy_sets(
        &self,
        request: Request<wire::ListPolicySetsRequest>,
    ) -> Result<Response<wire::ListPolicySetsResponse>, Status> {
        Ok(Response::new(self.policy_sets(request.into_inner()).await?))
    }

    async fn lookup_policy(
        &self,
        request: Request<wire::LookupPolicyRequest>,
    ) -> Result<Response<wire::LookupPolicyResponse>, Status> {
        Ok(Response::new(self.lookup(request.into_inner()).await?))
    }

    async fn list_policy_effects(
        &self,
        request: Request<wire::ListPolicyEffectsRequest>,
    ) -> Result<Response<wire::ListPolicyEffectsResponse>, Status> {
        Ok(Response::new(self.list_effects(request.into_inner()).await?))
    }

    async fn rebase_cases(
        &self,
        request: Request<wire::RebaseCasesRequest>,
    ) -> Result<Response<wire::RebaseCasesResponse>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.rebase(&actor, request.into_inner()).await?))
    }
}
