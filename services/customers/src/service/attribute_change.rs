//! What the RPCs on changes of attributes do.

use barometer_chassis::{
    door::Door, error::Error, fingerprint, import::Acknowledgements, layers::Principal, store::Batch,
};
use barometer_proto::customers::v1 as wire;
use tonic::{Request, Response, Streaming};

use super::{Customers, recorded::Common};
use crate::{attribute_change, noun::By, wire::attribute_filter};

impl Customers {
    pub(super) async fn record_attribute_change(
        &self,
        actor: &Principal,
        request: wire::RecordAttributeChangeRequest,
    ) -> Result<wire::AttributeChange, Error> {
        let wire::RecordAttributeChangeRequest { attribute_change, request_id } = request;
        self.record::<attribute_change::Model>("RecordAttributeChange", actor, attribute_change, &request_id).await
    }

    pub(super) fn import_attribute_changes(
        &self,
        request: Request<Streaming<wire::ImportAttributeChangesRequest>>,
    ) -> Response<Acknowledgements<wire::ImportAttributeChangesResponse>> {
        let parts = |wire::AttributeChangeRow { row, attribute_change }| (row, attribute_change);
        let rows = move |batch: wire::ImportAttributeChangesRequest| batch.rows.into_iter().map(parts).collect();
        let answer = |Batch { recorded, unchanged, rejected, position }| wire::ImportAttributeChangesResponse {
            recorded,
            unchanged,
            rejected,
            position,
        };
        self.import::<attribute_change::Model, _, _>("ImportAttributeChanges", request, rows, answer)
    }

    pub(super) async fn get_attribute_change(
        &self,
        request: wire::GetAttributeChangeRequest,
    ) -> Result<wire::AttributeChange, Error> {
        use wire::get_attribute_change_request::By as Named;
        let by = request.by.map(|by| match by {
            Named::AttributeChangeId(id) => By::Id(id),
            Named::ExternalId(key) => By::Key(key),
        });
        self.get::<attribute_change::Model>(by).await
    }

    pub(super) async fn list_attribute_changes(
        &self,
        request: wire::ListAttributeChangesRequest,
    ) -> Result<wire::ListAttributeChangesResponse, Error> {
        let wire::ListAttributeChangesRequest {
            page_size,
            page_token,
            customer_id,
            start_time,
            end_time,
            show_withdrawn,
            attribute,
        } = request;
        let common = Common { page_size, page_token, customer_id, start_time, end_time, show_withdrawn };
        let (page, filter) = Door::open(|door| {
            let (page, filter) = common.parse(door);
            (page, filter.add_option(attribute_filter(door, attribute)))
        })?;
        let (attribute_changes, next_page_token) = self.list::<attribute_change::Model>(page, filter).await?;
        Ok(wire::ListAttributeChangesResponse { attribute_changes, next_page_token })
    }

    pub(super) async fn amend_attribute_change(
        &self,
        actor: &Principal,
        mut request: wire::AmendAttributeChangeRequest,
    ) -> Result<wire::AttributeChange, Error> {
        let request_id = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::AmendAttributeChangeRequest { attribute_change, update_mask, request_id: _ } = request;
        let patch = (attribute_change, update_mask);
        self.amend::<attribute_change::Model>("AmendAttributeChange", actor, patch, &request_id, fingerprint).await
    }

    pub(super) async fn withdraw_attribute_change(
        &self,
        actor: &Principal,
        request: wire::WithdrawAttributeChangeRequest,
    ) -> Result<wire::AttributeChange, Error> {
        let wire::WithdrawAttributeChangeRequest { attribute_change_id, etag, request_id } = request;
        self.withdraw::<attribute_change::Model>(
            "WithdrawAttributeChange",
            actor,
            &attribute_change_id,
            etag,
            &request_id,
        )
        .await
    }
}
