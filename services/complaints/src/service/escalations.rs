//! The RPCs of escalations: parse, act, render.

use barometer_chassis::{
    door::{Door, fit},
    error::Error,
    store::Store,
};
use barometer_proto::complaints::v1::{self as wire, escalation_service_server::EscalationService};
use tonic::{Request, Response, Status};

use crate::{
    escalation::Model,
    store,
    wire::{parse_list_escalations, render_escalation},
};

/// The service.
#[derive(Clone)]
pub(crate) struct Escalations {
    store: Store<wire::Fact>,
}

impl Escalations {
    /// The service over its store.
    pub(crate) fn new(store: Store<wire::Fact>) -> Self {
        Escalations { store }
    }

    async fn get(&self, request: wire::GetEscalationRequest) -> Result<wire::Escalation, Error> {
        let id = Door::open(|door| door.id("escalation_id", &request.escalation_id))?;
        self.render(store::get_escalation(self.store.db(), id).await?).await
    }

    async fn list(&self, request: wire::ListEscalationsRequest) -> Result<wire::ListEscalationsResponse, Error> {
        let (page, filter) = Door::open(|door| parse_list_escalations(door, request))?;
        let (rows, next) = store::list_escalations(self.store.db(), page, filter).await?;
        let places: Vec<_> = rows.iter().map(store::place_of_escalation).collect();
        let mut escalations = Vec::with_capacity(rows.len());
        for row in rows {
            escalations.push(self.render(row).await?);
        }
        let (escalations, next_page_token) = fit(escalations, &places, next);
        Ok(wire::ListEscalationsResponse { escalations, next_page_token })
    }

    async fn render(&self, row: Model) -> Result<wire::Escalation, Error> {
        let position = self.store.feed.token(row.position).await?;
        Ok(render_escalation(row, position))
    }
}

#[tonic::async_trait]
impl EscalationService for Escalations {
    async fn get_escalation(
        &self,
        request: Request<wire::GetEscalationRequest>,
    ) -> Result<Response<wire::Escalation>, Status> {
        Ok(Response::new(self.get(request.into_inner()).await?))
    }

    async fn list_escalations(
        &self,
        request: Request<wire::ListEscalationsRequest>,
    ) -> Result<Response<wire::ListEscalationsResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }
}
