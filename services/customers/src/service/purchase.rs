//! What the RPCs on purchases do.

use barometer_chassis::{
    door::Door, error::Error, fingerprint, import::Acknowledgements, layers::Principal, store::Batch,
};
use barometer_proto::customers::v1 as wire;
use tonic::{Request, Response, Streaming};

use super::{Customers, recorded::Common};
use crate::{noun::By, purchase};

impl Customers {
    pub(super) async fn record_purchase(
        &self,
        actor: &Principal,
        request: wire::RecordPurchaseRequest,
    ) -> Result<wire::Purchase, Error> {
        let wire::RecordPurchaseRequest { purchase, request_id } = request;
        self.record::<purchase::Model>("RecordPurchase", actor, purchase, &request_id).await
    }

    pub(super) fn import_purchases(
        &self,
        request: Request<Streaming<wire::ImportPurchasesRequest>>,
    ) -> Response<Acknowledgements<wire::ImportPurchasesResponse>> {
        let parts = |wire::PurchaseRow { row, purchase }| (row, purchase);
        let rows = move |batch: wire::ImportPurchasesRequest| batch.rows.into_iter().map(parts).collect();
        let answer = |Batch { recorded, unchanged, rejected, position }| wire::ImportPurchasesResponse {
            recorded,
            unchanged,
            rejected,
            position,
        };
        self.import::<purchase::Model, _, _>("ImportPurchases", request, rows, answer)
    }

    pub(super) async fn get_purchase(&self, request: wire::GetPurchaseRequest) -> Result<wire::Purchase, Error> {
        use wire::get_purchase_request::By as Named;
        let by = request.by.map(|by| match by {
            Named::PurchaseId(id) => By::Id(id),
            Named::ExternalId(key) => By::Key(key),
        });
        self.get::<purchase::Model>(by).await
    }

    pub(super) async fn list_purchases(
        &self,
        request: wire::ListPurchasesRequest,
    ) -> Result<wire::ListPurchasesResponse, Error> {
        let wire::ListPurchasesRequest { page_size, page_token, customer_id, start_time, end_time, show_withdrawn } =
            request;
        let common = Common { page_size, page_token, customer_id, start_time, end_time, show_withdrawn };
        let (page, filter) = Door::open(|door| common.parse(door))?;
        let (purchases, next_page_token) = self.list::<purchase::Model>(page, filter).await?;
        Ok(wire::ListPurchasesResponse { purchases, next_page_token })
    }

    pub(super) async fn amend_purchase(
        &self,
        actor: &Principal,
        mut request: wire::AmendPurchaseRequest,
    ) -> Result<wire::Purchase, Error> {
        let request_id = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::AmendPurchaseRequest { purchase, update_mask, request_id: _ } = request;
        let patch = (purchase, update_mask);
        self.amend::<purchase::Model>("AmendPurchase", actor, patch, &request_id, fingerprint).await
    }

    pub(super) async fn withdraw_purchase(
        &self,
        actor: &Principal,
        request: wire::WithdrawPurchaseRequest,
    ) -> Result<wire::Purchase, Error> {
        let wire::WithdrawPurchaseRequest { purchase_id, etag, request_id } = request;
        self.withdraw::<purchase::Model>("WithdrawPurchase", actor, &purchase_id, etag, &request_id).await
    }
}
