//! The RPCs on invitations: parse, act, render.

use barometer_chassis::{
    door::Door,
    fingerprint,
    import::{self, Acknowledgements},
    layers::Principal,
    store::Batch,
};
use barometer_proto::surveys::v1::{self as wire, invitation_service_server::InvitationService};
use tonic::{Request, Response, Status, Streaming};

use super::Surveys;
use crate::{invitation::Model, noun::By, wire::parse_list_invitations};

#[tonic::async_trait]
impl InvitationService for Surveys {
    async fn record_invitation(
        &self,
        request: Request<wire::RecordInvitationRequest>,
    ) -> Result<Response<wire::Invitation>, Status> {
        let actor = Principal::of(&request);
        let wire::RecordInvitationRequest { invitation, request_id } = request.into_inner();
        let (parsed, request_id) = self.parse::<Model>(&actor, invitation, &request_id).await?;
        let customers = self.directory.resolve([&parsed.1].into_iter()).await?;
        Ok(Response::new(self.record("RecordInvitation", &actor, parsed, &customers, request_id).await?))
    }

    type ImportInvitationsStream = Acknowledgements<wire::ImportInvitationsResponse>;

    async fn import_invitations(
        &self,
        request: Request<Streaming<wire::ImportInvitationsRequest>>,
    ) -> Result<Response<Self::ImportInvitationsStream>, Status> {
        let actor = Principal::of(&request);
        let (preparing, recording) = (self.clone(), self.clone());
        let prepare = move |batch: wire::ImportInvitationsRequest| {
            let (service, actor) = (preparing.clone(), actor.clone());
            let rows =
                batch.rows.into_iter().map(|wire::InvitationRow { row, invitation }| (row, invitation)).collect();
            async move { service.prepare::<Model>("ImportInvitations", &actor, rows).await }
        };
        let record = move |rows| {
            let service = recording.clone();
            async move { service.import::<Model>(rows).await.map(acknowledge) }
        };
        let ending = self.ending.clone();
        Ok(Response::new(import::acknowledge_in_stages(request.into_inner(), ending, prepare, record)))
    }

    async fn get_invitation(
        &self,
        request: Request<wire::GetInvitationRequest>,
    ) -> Result<Response<wire::Invitation>, Status> {
        use wire::get_invitation_request::By as Named;
        let by = request.into_inner().by.map(|by| match by {
            Named::InvitationId(id) => By::Id(id),
            Named::ExternalId(key) => By::Key(key),
        });
        Ok(Response::new(self.get::<Model>(by).await?))
    }

    async fn list_invitations(
        &self,
        request: Request<wire::ListInvitationsRequest>,
    ) -> Result<Response<wire::ListInvitationsResponse>, Status> {
        let (page, filter) = Door::open(|door| parse_list_invitations(door, request.into_inner()))?;
        let (invitations, next_page_token) = self.list::<Model>(page, filter).await?;
        Ok(Response::new(wire::ListInvitationsResponse { invitations, next_page_token }))
    }

    async fn amend_invitation(
        &self,
        request: Request<wire::AmendInvitationRequest>,
    ) -> Result<Response<wire::Invitation>, Status> {
        let actor = Principal::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::AmendInvitationRequest { invitation, update_mask, request_id: _ } = request;
        let patch = (invitation, update_mask);
        let amended = self.amend::<Model>("AmendInvitation", &actor, patch, &request_id, fingerprint).await;
        Ok(Response::new(amended?))
    }

    async fn withdraw_invitation(
        &self,
        request: Request<wire::WithdrawInvitationRequest>,
    ) -> Result<Response<wire::Invitation>, Status> {
        let actor = Principal::of(&request);
        let wire::WithdrawInvitationRequest { invitation_id, etag, request_id } = request.into_inner();
        let withdrawn = self.withdraw::<Model>("WithdrawInvitation", &actor, &invitation_id, etag, &request_id).await;
        Ok(Response::new(withdrawn?))
    }
}

/// Acknowledges a batch of invitations.
fn acknowledge(batch: Batch) -> wire::ImportInvitationsResponse {
    let Batch { recorded, unchanged, rejected, position } = batch;
    wire::ImportInvitationsResponse { recorded, unchanged, rejected, position }
}
