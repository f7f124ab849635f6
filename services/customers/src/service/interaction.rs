//! What the RPCs on interactions do.

use barometer_chassis::{
    door::Door, error::Error, fingerprint, import::Acknowledgements, layers::Principal, store::Batch,
};
use barometer_proto::customers::v1 as wire;
use tonic::{Request, Response, Streaming};

use super::{
    Customers,
    recorded::{Common, equals},
};
use crate::{interaction, noun::By};

impl Customers {
    pub(super) async fn record_interaction(
        &self,
        actor: &Principal,
        request: wire::RecordInteractionRequest,
    ) -> Result<wire::Interaction, Error> {
        let wire::RecordInteractionRequest { interaction, request_id } = request;
        self.record::<interaction::Model>("RecordInteraction", actor, interaction, &request_id).await
    }

    pub(super) fn import_interactions(
        &self,
        request: Request<Streaming<wire::ImportInteractionsRequest>>,
    ) -> Response<Acknowledgements<wire::ImportInteractionsResponse>> {
        let parts = |wire::InteractionRow { row, interaction }| (row, interaction);
        let rows = move |batch: wire::ImportInteractionsRequest| batch.rows.into_iter().map(parts).collect();
        let answer = |Batch { recorded, unchanged, rejected, position }| wire::ImportInteractionsResponse {
            recorded,
            unchanged,
            rejected,
            position,
        };
        self.import::<interaction::Model, _, _>("ImportInteractions", request, rows, answer)
    }

    pub(super) async fn get_interaction(
        &self,
        request: wire::GetInteractionRequest,
    ) -> Result<wire::Interaction, Error> {
        use wire::get_interaction_request::By as Named;
        let by = request.by.map(|by| match by {
            Named::InteractionId(id) => By::Id(id),
            Named::ExternalId(key) => By::Key(key),
        });
        self.get::<interaction::Model>(by).await
    }

    pub(super) async fn list_interactions(
        &self,
        request: wire::ListInteractionsRequest,
    ) -> Result<wire::ListInteractionsResponse, Error> {
        let wire::ListInteractionsRequest {
            page_size,
            page_token,
            customer_id,
            start_time,
            end_time,
            show_withdrawn,
            channel,
        } = request;
        let common = Common { page_size, page_token, customer_id, start_time, end_time, show_withdrawn };
        let (page, filter) = Door::open(|door| {
            let (page, filter) = common.parse(door);
            (page, filter.add_option(equals(door, "channel", channel, 64)))
        })?;
        let (interactions, next_page_token) = self.list::<interaction::Model>(page, filter).await?;
        Ok(wire::ListInteractionsResponse { interactions, next_page_token })
    }

    pub(super) async fn amend_interaction(
        &self,
        actor: &Principal,
        mut request: wire::AmendInteractionRequest,
    ) -> Result<wire::Interaction, Error> {
        let request_id = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::AmendInteractionRequest { interaction, update_mask, request_id: _ } = request;
        let patch = (interaction, update_mask);
        self.amend::<interaction::Model>("AmendInteraction", actor, patch, &request_id, fingerprint).await
    }

    pub(super) async fn withdraw_interaction(
        &self,
        actor: &Principal,
        request: wire::WithdrawInteractionRequest,
    ) -> Result<wire::Interaction, Error> {
        let wire::WithdrawInteractionRequest { interaction_id, etag, request_id } = request;
        self.withdraw::<interaction::Model>("WithdrawInteraction", actor, &interaction_id, etag, &request_id).await
    }
}
