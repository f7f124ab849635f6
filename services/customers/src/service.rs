//! The RPCs of the customers service itself. All in one file, since a gRPC service is one `impl`; each is done (parse, act,
//! render) in the file of its noun, and what is done for all kinds of recorded facts alike in [`recorded`]. The services
//! that are served beside it are [`loyalty`] and [`costs`].

mod attribute_change;
mod costs;
mod customer;
mod interaction;
mod loyalty;
mod purchase;
mod recorded;
mod rpcs;
mod subscription_event;
mod value;

use std::sync::Arc;

use barometer_chassis::{
    door::Stages,
    feed::{Delivery, Watch},
    import::{self, Acknowledgements},
    layers::Principal,
    shutdown::Shutdown,
    store::Store,
    writer::Request as Mutation,
};
use barometer_proto::customers::v1::{self as wire, customer_service_server::CustomerService};
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use crate::value::Thresholds;

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
        Ok(Response::new(Customers::record_attribute_change(self, &actor, request.into_inner()).await?))
    }

    type ImportAttributeChangesStream = Acknowledgements<wire::ImportAttributeChangesResponse>;

    async fn import_attribute_changes(
        &self,
        request: Request<Streaming<wire::ImportAttributeChangesRequest>>,
    ) -> Result<Response<Self::ImportAttributeChangesStream>, Status> {
        Ok(Customers::import_attribute_changes(self, request))
    }

    async fn get_attribute_change(
        &self,
        request: Request<wire::GetAttributeChangeRequest>,
    ) -> Result<Response<wire::AttributeChange>, Status> {
        Ok(Response::new(Customers::get_attribute_change(self, request.into_inner()).await?))
    }

    async fn list_attribute_changes(
        &self,
        request: Request<wire::ListAttributeChangesRequest>,
    ) -> Result<Response<wire::ListAttributeChangesResponse>, Status> {
        Ok(Response::new(Customers::list_attribute_changes(self, request.into_inner()).await?))
    }

    async fn amend_attribute_change(
        &self,
        request: Request<wire::AmendAttributeChangeRequest>,
    ) -> Result<Response<wire::AttributeChange>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(Customers::amend_attribute_change(self, &actor, request.into_inner()).await?))
    }

    async fn withdraw_attribute_change(
        &self,
        request: Request<wire::WithdrawAttributeChangeRequest>,
    ) -> Result<Response<wire::AttributeChange>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(Customers::withdraw_attribute_change(self, &actor, request.into_inner()).await?))
    }

    async fn record_purchase(
        &self,
        request: Request<wire::RecordPurchaseRequest>,
    ) -> Result<Response<wire::Purchase>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(Customers::record_purchase(self, &actor, request.into_inner()).await?))
    }

    type ImportPurchasesStream = Acknowledgements<wire::ImportPurchasesResponse>;

    async fn import_purchases(
        &self,
        request: Request<Streaming<wire::ImportPurchasesRequest>>,
    ) -> Result<Response<Self::ImportPurchasesStream>, Status> {
        Ok(Customers::import_purchases(self, request))
    }

    async fn get_purchase(
        &self,
        request: Request<wire::GetPurchaseRequest>,
    ) -> Result<Response<wire::Purchase>, Status> {
        Ok(Response::new(Customers::get_purchase(self, request.into_inner()).await?))
    }

    async fn list_purchases(
        &self,
        request: Request<wire::ListPurchasesRequest>,
    ) -> Result<Response<wire::ListPurchasesResponse>, Status> {
        Ok(Response::new(Customers::list_purchases(self, request.into_inner()).await?))
    }

    async fn amend_purchase(
        &self,
        request: Request<wire::AmendPurchaseRequest>,
    ) -> Result<Response<wire::Purchase>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(Customers::amend_purchase(self, &actor, request.into_inner()).await?))
    }

    async fn withdraw_purchase(
        &self,
        request: Request<wire::WithdrawPurchaseRequest>,
    ) -> Result<Response<wire::Purchase>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(Customers::withdraw_purchase(self, &actor, request.into_inner()).await?))
    }

    async fn record_interaction(
        &self,
        request: Request<wire::RecordInteractionRequest>,
    ) -> Result<Response<wire::Interaction>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(Customers::record_interaction(self, &actor, request.into_inner()).await?))
    }

    type ImportInteractionsStream = Acknowledgements<wire::ImportInteractionsResponse>;

    async fn import_interactions(
        &self,
        request: Request<Streaming<wire::ImportInteractionsRequest>>,
    ) -> Result<Response<Self::ImportInteractionsStream>, Status> {
        Ok(Customers::import_interactions(self, request))
    }

    async fn get_interaction(
        &self,
        request: Request<wire::GetInteractionRequest>,
    ) -> Result<Response<wire::Interaction>, Status> {
        Ok(Response::new(Customers::get_interaction(self, request.into_inner()).await?))
    }

    async fn list_interactions(
        &self,
        request: Request<wire::ListInteractionsRequest>,
    ) -> Result<Response<wire::ListInteractionsResponse>, Status> {
        Ok(Response::new(Customers::list_interactions(self, request.into_inner()).await?))
    }

    async fn amend_interaction(
        &self,
        request: Request<wire::AmendInteractionRequest>,
    ) -> Result<Response<wire::Interaction>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(Customers::amend_interaction(self, &actor, request.into_inner()).await?))
    }

    async fn withdraw_interaction(
        &self,
        request: Request<wire::WithdrawInteractionRequest>,
    ) -> Result<Response<wire::Interaction>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(Customers::withdraw_interaction(self, &actor, request.into_inner()).await?))
    }

    async fn record_subscription_event(
        &self,
        request: Request<wire::RecordSubscriptionEventRequest>,
    ) -> Result<Response<wire::SubscriptionEvent>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(Customers::record_subscription_event(self, &actor, request.into_inner()).await?))
    }

    type ImportSubscriptionEventsStream = Acknowledgements<wire::ImportSubscriptionEventsResponse>;

    async fn import_subscription_events(
        &self,
        request: Request<Streaming<wire::ImportSubscriptionEventsRequest>>,
    ) -> Result<Response<Self::ImportSubscriptionEventsStream>, Status> {
        Ok(Customers::import_subscription_events(self, request))
    }

    async fn get_subscription_event(
        &self,
        request: Request<wire::GetSubscriptionEventRequest>,
    ) -> Result<Response<wire::SubscriptionEvent>, Status> {
        Ok(Response::new(Customers::get_subscription_event(self, request.into_inner()).await?))
    }

    async fn list_subscription_events(
        &self,
        request: Request<wire::ListSubscriptionEventsRequest>,
    ) -> Result<Response<wire::ListSubscriptionEventsResponse>, Status> {
        Ok(Response::new(Customers::list_subscription_events(self, request.into_inner()).await?))
    }

    async fn amend_subscription_event(
        &self,
        request: Request<wire::AmendSubscriptionEventRequest>,
    ) -> Result<Response<wire::SubscriptionEvent>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(Customers::amend_subscription_event(self, &actor, request.into_inner()).await?))
    }

    async fn withdraw_subscription_event(
        &self,
        request: Request<wire::WithdrawSubscriptionEventRequest>,
    ) -> Result<Response<wire::SubscriptionEvent>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(Customers::withdraw_subscription_event(self, &actor, request.into_inner()).await?))
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
