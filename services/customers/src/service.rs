//! The RPCs: parse, act, render. All in one file, since a gRPC service is one `impl`; what they do for the four kinds of
//! recorded facts alike is in [`recorded`].

mod customer;
mod recorded;
mod value;

use std::sync::Arc;

use barometer_chassis::{
    door::{Door, Stages},
    feed::{Delivery, Watch},
    fingerprint,
    import::{self, Acknowledgements},
    layers::Principal,
    shutdown::Shutdown,
    store::{Batch, Store},
    writer::Request as Mutation,
};
use barometer_proto::customers::v1::{self as wire, customer_service_server::CustomerService};
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use self::recorded::{Common, equals};
use crate::{
    attribute_change, interaction, noun::By, purchase, subscription_event, value::Thresholds, wire::attribute_filter,
};

/// The service.
#[derive(Clone)]
pub(crate) struct Customers {
    store: Store<wire::Fact>,
    stages: Stages,
    thresholds: Arc<Thresholds>,
    ending: Shutdown,
}

impl Customers {
    /// The service over its store. Streams end with `ending`.
    pub(crate) fn new(store: Store<wire::Fact>, stages: Stages, thresholds: Thresholds, ending: Shutdown) -> Self {
        Customers { store, stages, thresholds: Arc::new(thresholds), ending }
    }
}

/// Who asks for a change, by which request.
fn mutation(method: &'static str, actor: &Principal, id: Option<Uuid>, fingerprint: i64) -> Mutation {
    Mutation { method, actor: actor.to_string(), id, fingerprint }
}

#[tonic::async_trait]
impl CustomerService for Customers {
    async fn create_customer(
        &self,
        request: Request<wire::CreateCustomerRequest>,
    ) -> Result<Response<wire::Customer>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(Customers::create_customer(self, &actor, request.into_inner()).await?))
    }

    async fn get_customer(
        &self,
        request: Request<wire::GetCustomerRequest>,
    ) -> Result<Response<wire::Customer>, Status> {
        Ok(Response::new(Customers::get_customer(self, request.into_inner()).await?))
    }

    async fn batch_get_customers(
        &self,
        request: Request<wire::BatchGetCustomersRequest>,
    ) -> Result<Response<wire::BatchGetCustomersResponse>, Status> {
        Ok(Response::new(Customers::batch_get_customers(self, request.into_inner()).await?))
    }

    async fn batch_get_customer_values(
        &self,
        request: Request<wire::BatchGetCustomerValuesRequest>,
    ) -> Result<Response<wire::BatchGetCustomerValuesResponse>, Status> {
        Ok(Response::new(self.batch_get_values(request.into_inner()).await?))
    }

    async fn lookup_customer(
        &self,
        request: Request<wire::LookupCustomerRequest>,
    ) -> Result<Response<wire::Customer>, Status> {
        Ok(Response::new(Customers::lookup_customer(self, request.into_inner()).await?))
    }

    async fn update_customer(
        &self,
        request: Request<wire::UpdateCustomerRequest>,
    ) -> Result<Response<wire::Customer>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(Customers::update_customer(self, &actor, request.into_inner()).await?))
    }

    async fn list_customers(
        &self,
        request: Request<wire::ListCustomersRequest>,
    ) -> Result<Response<wire::ListCustomersResponse>, Status> {
        Ok(Response::new(Customers::list_customers(self, request.into_inner()).await?))
    }

    async fn resolve_customers(
        &self,
        request: Request<wire::ResolveCustomersRequest>,
    ) -> Result<Response<wire::ResolveCustomersResponse>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(Customers::resolve_customers(self, &actor, request.into_inner()).await?))
    }

    type ImportCustomersStream = Acknowledgements<wire::ImportCustomersResponse>;

    async fn import_customers(
        &self,
        request: Request<Streaming<wire::ImportCustomersRequest>>,
    ) -> Result<Response<Self::ImportCustomersStream>, Status> {
        let (service, actor) = (self.clone(), Principal::of(&request));
        let handle = move |batch: wire::ImportCustomersRequest| {
            let (service, actor) = (service.clone(), actor.clone());
            async move { Customers::import_customers(&service, &actor, batch.rows).await }
        };
        Ok(Response::new(import::acknowledge(request.into_inner(), self.ending.clone(), handle)))
    }

    async fn record_attribute_change(
        &self,
        request: Request<wire::RecordAttributeChangeRequest>,
    ) -> Result<Response<wire::AttributeChange>, Status> {
        let actor = Principal::of(&request);
        let wire::RecordAttributeChangeRequest { attribute_change, request_id } = request.into_inner();
        let recorded = self
            .record::<attribute_change::Model>("RecordAttributeChange", &actor, attribute_change, &request_id)
            .await?;
        Ok(Response::new(recorded))
    }

    type ImportAttributeChangesStream = Acknowledgements<wire::ImportAttributeChangesResponse>;

    async fn import_attribute_changes(
        &self,
        request: Request<Streaming<wire::ImportAttributeChangesRequest>>,
    ) -> Result<Response<Self::ImportAttributeChangesStream>, Status> {
        let parts = |wire::AttributeChangeRow { row, attribute_change }| (row, attribute_change);
        let rows = move |batch: wire::ImportAttributeChangesRequest| batch.rows.into_iter().map(parts).collect();
        let answer = |Batch { recorded, unchanged, rejected, position }| wire::ImportAttributeChangesResponse {
            recorded,
            unchanged,
            rejected,
            position,
        };
        Ok(self.import::<attribute_change::Model, _, _>("ImportAttributeChanges", request, rows, answer))
    }

    async fn get_attribute_change(
        &self,
        request: Request<wire::GetAttributeChangeRequest>,
    ) -> Result<Response<wire::AttributeChange>, Status> {
        use wire::get_attribute_change_request::By as Named;
        let by = request.into_inner().by.map(|by| match by {
            Named::AttributeChangeId(id) => By::Id(id),
            Named::ExternalId(key) => By::Key(key),
        });
        Ok(Response::new(self.get::<attribute_change::Model>(by).await?))
    }

    async fn list_attribute_changes(
        &self,
        request: Request<wire::ListAttributeChangesRequest>,
    ) -> Result<Response<wire::ListAttributeChangesResponse>, Status> {
        let wire::ListAttributeChangesRequest {
            page_size,
            page_token,
            customer_id,
            start_time,
            end_time,
            show_withdrawn,
            attribute,
        } = request.into_inner();
        let common = Common { page_size, page_token, customer_id, start_time, end_time, show_withdrawn };
        let (page, filter) = Door::open(|door| {
            let (page, filter) = common.parse(door);
            (page, filter.add_option(attribute_filter(door, attribute)))
        })?;
        let (attribute_changes, next_page_token) = self.list::<attribute_change::Model>(page, filter).await?;
        Ok(Response::new(wire::ListAttributeChangesResponse { attribute_changes, next_page_token }))
    }

    async fn amend_attribute_change(
        &self,
        request: Request<wire::AmendAttributeChangeRequest>,
    ) -> Result<Response<wire::AttributeChange>, Status> {
        let actor = Principal::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::AmendAttributeChangeRequest { attribute_change, update_mask, request_id: _ } = request;
        let patch = (attribute_change, update_mask);
        let amended = self
            .amend::<attribute_change::Model>("AmendAttributeChange", &actor, patch, &request_id, fingerprint)
            .await?;
        Ok(Response::new(amended))
    }

    async fn withdraw_attribute_change(
        &self,
        request: Request<wire::WithdrawAttributeChangeRequest>,
    ) -> Result<Response<wire::AttributeChange>, Status> {
        let actor = Principal::of(&request);
        let wire::WithdrawAttributeChangeRequest { attribute_change_id, etag, request_id } = request.into_inner();
        let withdrawn = self
            .withdraw::<attribute_change::Model>(
                "WithdrawAttributeChange",
                &actor,
                &attribute_change_id,
                etag,
                &request_id,
            )
            .await?;
        Ok(Response::new(withdrawn))
    }

    async fn record_purchase(
        &self,
        request: Request<wire::RecordPurchaseRequest>,
    ) -> Result<Response<wire::Purchase>, Status> {
        let actor = Principal::of(&request);
        let wire::RecordPurchaseRequest { purchase, request_id } = request.into_inner();
        let recorded = self.record::<purchase::Model>("RecordPurchase", &actor, purchase, &request_id).await?;
        Ok(Response::new(recorded))
    }

    type ImportPurchasesStream = Acknowledgements<wire::ImportPurchasesResponse>;

    async fn import_purchases(
        &self,
        request: Request<Streaming<wire::ImportPurchasesRequest>>,
    ) -> Result<Response<Self::ImportPurchasesStream>, Status> {
        let parts = |wire::PurchaseRow { row, purchase }| (row, purchase);
        let rows = move |batch: wire::ImportPurchasesRequest| batch.rows.into_iter().map(parts).collect();
        let answer = |Batch { recorded, unchanged, rejected, position }| wire::ImportPurchasesResponse {
            recorded,
            unchanged,
            rejected,
            position,
        };
        Ok(self.import::<purchase::Model, _, _>("ImportPurchases", request, rows, answer))
    }

    async fn get_purchase(
        &self,
        request: Request<wire::GetPurchaseRequest>,
    ) -> Result<Response<wire::Purchase>, Status> {
        use wire::get_purchase_request::By as Named;
        let by = request.into_inner().by.map(|by| match by {
            Named::PurchaseId(id) => By::Id(id),
            Named::ExternalId(key) => By::Key(key),
        });
        Ok(Response::new(self.get::<purchase::Model>(by).await?))
    }

    async fn list_purchases(
        &self,
        request: Request<wire::ListPurchasesRequest>,
    ) -> Result<Response<wire::ListPurchasesResponse>, Status> {
        let wire::ListPurchasesRequest { page_size, page_token, customer_id, start_time, end_time, show_withdrawn } =
            request.into_inner();
        let common = Common { page_size, page_token, customer_id, start_time, end_time, show_withdrawn };
        let (page, filter) = Door::open(|door| common.parse(door))?;
        let (purchases, next_page_token) = self.list::<purchase::Model>(page, filter).await?;
        Ok(Response::new(wire::ListPurchasesResponse { purchases, next_page_token }))
    }

    async fn amend_purchase(
        &self,
        request: Request<wire::AmendPurchaseRequest>,
    ) -> Result<Response<wire::Purchase>, Status> {
        let actor = Principal::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::AmendPurchaseRequest { purchase, update_mask, request_id: _ } = request;
        let patch = (purchase, update_mask);
        let amended = self.amend::<purchase::Model>("AmendPurchase", &actor, patch, &request_id, fingerprint).await?;
        Ok(Response::new(amended))
    }

    async fn withdraw_purchase(
        &self,
        request: Request<wire::WithdrawPurchaseRequest>,
    ) -> Result<Response<wire::Purchase>, Status> {
        let actor = Principal::of(&request);
        let wire::WithdrawPurchaseRequest { purchase_id, etag, request_id } = request.into_inner();
        let withdrawn =
            self.withdraw::<purchase::Model>("WithdrawPurchase", &actor, &purchase_id, etag, &request_id).await?;
        Ok(Response::new(withdrawn))
    }

    async fn record_interaction(
        &self,
        request: Request<wire::RecordInteractionRequest>,
    ) -> Result<Response<wire::Interaction>, Status> {
        let actor = Principal::of(&request);
        let wire::RecordInteractionRequest { interaction, request_id } = request.into_inner();
        let recorded = self.record::<interaction::Model>("RecordInteraction", &actor, interaction, &request_id).await?;
        Ok(Response::new(recorded))
    }

    type ImportInteractionsStream = Acknowledgements<wire::ImportInteractionsResponse>;

    async fn import_interactions(
        &self,
        request: Request<Streaming<wire::ImportInteractionsRequest>>,
    ) -> Result<Response<Self::ImportInteractionsStream>, Status> {
        let parts = |wire::InteractionRow { row, interaction }| (row, interaction);
        let rows = move |batch: wire::ImportInteractionsRequest| batch.rows.into_iter().map(parts).collect();
        let answer = |Batch { recorded, unchanged, rejected, position }| wire::ImportInteractionsResponse {
            recorded,
            unchanged,
            rejected,
            position,
        };
        Ok(self.import::<interaction::Model, _, _>("ImportInteractions", request, rows, answer))
    }

    async fn get_interaction(
        &self,
        request: Request<wire::GetInteractionRequest>,
    ) -> Result<Response<wire::Interaction>, Status> {
        use wire::get_interaction_request::By as Named;
        let by = request.into_inner().by.map(|by| match by {
            Named::InteractionId(id) => By::Id(id),
            Named::ExternalId(key) => By::Key(key),
        });
        Ok(Response::new(self.get::<interaction::Model>(by).await?))
    }

    async fn list_interactions(
        &self,
        request: Request<wire::ListInteractionsRequest>,
    ) -> Result<Response<wire::ListInteractionsResponse>, Status> {
        let wire::ListInteractionsRequest {
            page_size,
            page_token,
            customer_id,
            start_time,
            end_time,
            show_withdrawn,
            channel,
        } = request.into_inner();
        let common = Common { page_size, page_token, customer_id, start_time, end_time, show_withdrawn };
        let (page, filter) = Door::open(|door| {
            let (page, filter) = common.parse(door);
            (page, filter.add_option(equals(door, "channel", channel, 64)))
        })?;
        let (interactions, next_page_token) = self.list::<interaction::Model>(page, filter).await?;
        Ok(Response::new(wire::ListInteractionsResponse { interactions, next_page_token }))
    }

    async fn amend_interaction(
        &self,
        request: Request<wire::AmendInteractionRequest>,
    ) -> Result<Response<wire::Interaction>, Status> {
        let actor = Principal::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::AmendInteractionRequest { interaction, update_mask, request_id: _ } = request;
        let patch = (interaction, update_mask);
        let amended =
            self.amend::<interaction::Model>("AmendInteraction", &actor, patch, &request_id, fingerprint).await?;
        Ok(Response::new(amended))
    }

    async fn withdraw_interaction(
        &self,
        request: Request<wire::WithdrawInteractionRequest>,
    ) -> Result<Response<wire::Interaction>, Status> {
        let actor = Principal::of(&request);
        let wire::WithdrawInteractionRequest { interaction_id, etag, request_id } = request.into_inner();
        let withdrawn = self
            .withdraw::<interaction::Model>("WithdrawInteraction", &actor, &interaction_id, etag, &request_id)
            .await?;
        Ok(Response::new(withdrawn))
    }

    async fn record_subscription_event(
        &self,
        request: Request<wire::RecordSubscriptionEventRequest>,
    ) -> Result<Response<wire::SubscriptionEvent>, Status> {
        let actor = Principal::of(&request);
        let wire::RecordSubscriptionEventRequest { subscription_event, request_id } = request.into_inner();
        let recorded = self
            .record::<subscription_event::Model>("RecordSubscriptionEvent", &actor, subscription_event, &request_id)
            .await?;
        Ok(Response::new(recorded))
    }

    type ImportSubscriptionEventsStream = Acknowledgements<wire::ImportSubscriptionEventsResponse>;

    async fn import_subscription_events(
        &self,
        request: Request<Streaming<wire::ImportSubscriptionEventsRequest>>,
    ) -> Result<Response<Self::ImportSubscriptionEventsStream>, Status> {
        let parts = |wire::SubscriptionEventRow { row, subscription_event }| (row, subscription_event);
        let rows = move |batch: wire::ImportSubscriptionEventsRequest| batch.rows.into_iter().map(parts).collect();
        let answer = |Batch { recorded, unchanged, rejected, position }| wire::ImportSubscriptionEventsResponse {
            recorded,
            unchanged,
            rejected,
            position,
        };
        Ok(self.import::<subscription_event::Model, _, _>("ImportSubscriptionEvents", request, rows, answer))
    }

    async fn get_subscription_event(
        &self,
        request: Request<wire::GetSubscriptionEventRequest>,
    ) -> Result<Response<wire::SubscriptionEvent>, Status> {
        use wire::get_subscription_event_request::By as Named;
        let by = request.into_inner().by.map(|by| match by {
            Named::SubscriptionEventId(id) => By::Id(id),
            Named::ExternalId(key) => By::Key(key),
        });
        Ok(Response::new(self.get::<subscription_event::Model>(by).await?))
    }

    async fn list_subscription_events(
        &self,
        request: Request<wire::ListSubscriptionEventsRequest>,
    ) -> Result<Response<wire::ListSubscriptionEventsResponse>, Status> {
        let wire::ListSubscriptionEventsRequest {
            page_size,
            page_token,
            customer_id,
            start_time,
            end_time,
            show_withdrawn,
            subscription,
        } = request.into_inner();
        let common = Common { page_size, page_token, customer_id, start_time, end_time, show_withdrawn };
        let (page, filter) = Door::open(|door| {
            let (page, filter) = common.parse(door);
            (page, filter.add_option(equals(door, "subscription", subscription, 128)))
        })?;
        let (subscription_events, next_page_token) = self.list::<subscription_event::Model>(page, filter).await?;
        Ok(Response::new(wire::ListSubscriptionEventsResponse { subscription_events, next_page_token }))
    }

    async fn amend_subscription_event(
        &self,
        request: Request<wire::AmendSubscriptionEventRequest>,
    ) -> Result<Response<wire::SubscriptionEvent>, Status> {
        let actor = Principal::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::AmendSubscriptionEventRequest { subscription_event, update_mask, request_id: _ } = request;
        let patch = (subscription_event, update_mask);
        let amended = self
            .amend::<subscription_event::Model>("AmendSubscriptionEvent", &actor, patch, &request_id, fingerprint)
            .await?;
        Ok(Response::new(amended))
    }

    async fn withdraw_subscription_event(
        &self,
        request: Request<wire::WithdrawSubscriptionEventRequest>,
    ) -> Result<Response<wire::SubscriptionEvent>, Status> {
        let actor = Principal::of(&request);
        let wire::WithdrawSubscriptionEventRequest { subscription_event_id, etag, request_id } = request.into_inner();
        let withdrawn = self
            .withdraw::<subscription_event::Model>(
                "WithdrawSubscriptionEvent",
                &actor,
                &subscription_event_id,
                etag,
                &request_id,
            )
            .await?;
        Ok(Response::new(withdrawn))
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
