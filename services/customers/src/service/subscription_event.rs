//! What the RPCs on events of subscriptions do.

use barometer_chassis::{
    door::Door, error::Error, fingerprint, import::Acknowledgements, layers::Principal, store::Batch,
};
use barometer_proto::customers::v1 as wire;
use tonic::{Request, Response, Streaming};

use super::{
    Customers,
    recorded::{Common, equals},
};
use crate::{noun::By, subscription_event};

impl Customers {
    pub(super) async fn record_subscription_event(
        &self,
        actor: &Principal,
        request: wire::RecordSubscriptionEventRequest,
    ) -> Result<wire::SubscriptionEvent, Error> {
        let wire::RecordSubscriptionEventRequest { subscription_event, request_id } = request;
        self.record::<subscription_event::Model>("RecordSubscriptionEvent", actor, subscription_event, &request_id)
            .await
    }

    pub(super) fn import_subscription_events(
        &self,
        request: Request<Streaming<wire::ImportSubscriptionEventsRequest>>,
    ) -> Response<Acknowledgements<wire::ImportSubscriptionEventsResponse>> {
        let parts = |wire::SubscriptionEventRow { row, subscription_event }| (row, subscription_event);
        let rows = move |batch: wire::ImportSubscriptionEventsRequest| batch.rows.into_iter().map(parts).collect();
        let answer = |Batch { recorded, unchanged, rejected, position }| wire::ImportSubscriptionEventsResponse {
            recorded,
            unchanged,
            rejected,
            position,
        };
        self.import::<subscription_event::Model, _, _>("ImportSubscriptionEvents", request, rows, answer)
    }

    pub(super) async fn get_subscription_event(
        &self,
        request: wire::GetSubscriptionEventRequest,
    ) -> Result<wire::SubscriptionEvent, Error> {
        use wire::get_subscription_event_request::By as Named;
        let by = request.by.map(|by| match by {
            Named::SubscriptionEventId(id) => By::Id(id),
            Named::ExternalId(key) => By::Key(key),
        });
        self.get::<subscription_event::Model>(by).await
    }

    pub(super) async fn list_subscription_events(
        &self,
        request: wire::ListSubscriptionEventsRequest,
    ) -> Result<wire::ListSubscriptionEventsResponse, Error> {
        let wire::ListSubscriptionEventsRequest {
            page_size,
            page_token,
            customer_id,
            start_time,
            end_time,
            show_withdrawn,
            subscription,
        } = request;
        let common = Common { page_size, page_token, customer_id, start_time, end_time, show_withdrawn };
        let (page, filter) = Door::open(|door| {
            let (page, filter) = common.parse(door);
            (page, filter.add_option(equals(door, "subscription", subscription, 128)))
        })?;
        let (subscription_events, next_page_token) = self.list::<subscription_event::Model>(page, filter).await?;
        Ok(wire::ListSubscriptionEventsResponse { subscription_events, next_page_token })
    }

    pub(super) async fn amend_subscription_event(
        &self,
        actor: &Principal,
        mut request: wire::AmendSubscriptionEventRequest,
    ) -> Result<wire::SubscriptionEvent, Error> {
        let request_id = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::AmendSubscriptionEventRequest { subscription_event, update_mask, request_id: _ } = request;
        let patch = (subscription_event, update_mask);
        self.amend::<subscription_event::Model>("AmendSubscriptionEvent", actor, patch, &request_id, fingerprint).await
    }

    pub(super) async fn withdraw_subscription_event(
        &self,
        actor: &Principal,
        request: wire::WithdrawSubscriptionEventRequest,
    ) -> Result<wire::SubscriptionEvent, Error> {
        let wire::WithdrawSubscriptionEventRequest { subscription_event_id, etag, request_id } = request;
        self.withdraw::<subscription_event::Model>(
            "WithdrawSubscriptionEvent",
            actor,
            &subscription_event_id,
            etag,
            &request_id,
        )
        .await
    }
}
