//! The RPCs of webhooks: parse, act, render.

use barometer_chassis::{
    door::Door, error::Error, fingerprint, layers::Principal, mask, store::Store, writer::Request as Mutation,
};
use barometer_proto::complaints::v1::{self as wire, WebhookEvent, webhook_service_server::WebhookService};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    store,
    webhook::WebhookId,
    webhooks::test_body,
    wire::{
        WEBHOOK_CHANGEABLE, parse_list_deliveries, parse_overlap, parse_secret, parse_webhook, render_delivery,
        render_webhook,
    },
};

/// The service.
#[derive(Clone)]
pub(crate) struct Webhooks {
    store: Store<wire::Fact>,
    /// Whether private addresses may be called, and http spoken.
    private: bool,
}

impl Webhooks {
    /// The service over its store; `private` allows private addresses, and http.
    pub(crate) fn new(store: Store<wire::Fact>, private: bool) -> Self {
        Webhooks { store, private }
    }

    async fn create(&self, actor: &Principal, request: wire::CreateWebhookRequest) -> Result<wire::Webhook, Error> {
        let fingerprint = fingerprint::of_message(&request.webhook.clone().unwrap_or_default());
        let wire::CreateWebhookRequest { webhook, request_id } = request;
        let (values, secret, request_id) = Door::open(|door| {
            let webhook = door.required("webhook", webhook);
            let (values, secret) = door.inside("webhook", |door| {
                let secret = parse_secret(door, &webhook.secret);
                (parse_webhook(door, webhook, self.private), secret)
            });
            (values, secret, door.request_id(&request_id))
        })?;
        let request = mutation("CreateWebhook", actor, request_id, fingerprint);
        let actor = actor.to_string();
        let work = self.store.writer.run(request, move |write| {
            Box::pin(async move { store::create_webhook(write, values, secret, actor).await })
        });
        self.with_secret(WebhookId(work.await?.id)).await
    }

    async fn update(&self, actor: &Principal, mut request: wire::UpdateWebhookRequest) -> Result<wire::Webhook, Error> {
        let request_text = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::UpdateWebhookRequest { webhook, update_mask, request_id: _ } = request;
        let (patch, id, request_id) = Door::open(|door| {
            let patch = door.required("webhook", webhook);
            let id = door.inside("webhook", |door| door.id("webhook_id", &patch.webhook_id));
            let parse = |door: &mut Door, set| parse_webhook(door, set, self.private);
            mask::check(door, "webhook", &patch, (update_mask.as_ref(), &WEBHOOK_CHANGEABLE), parse);
            (patch, WebhookId(id), door.request_id(&request_text))
        })?;
        let (request, private) = (mutation("UpdateWebhook", actor, request_id, fingerprint), self.private);
        let work = self.store.writer.run(request, move |write| {
            Box::pin(async move {
                store::change_webhook(write, id, &patch.etag, |last| {
                    let shown = render_webhook(last.clone());
                    let merged = mask::merge(&shown, &patch, update_mask.as_ref(), &WEBHOOK_CHANGEABLE, "webhook")?;
                    Door::open(|door| door.inside("webhook", |door| parse_webhook(door, merged, private)))
                })
                .await
            })
        });
        work.await?;
        self.get(id).await
    }

    async fn rotate(
        &self,
        actor: &Principal,
        mut request: wire::RotateWebhookSecretRequest,
    ) -> Result<wire::Webhook, Error> {
        let request_text = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::RotateWebhookSecretRequest { webhook_id, secret, overlap, etag, request_id: _ } = request;
        let (id, secret, overlap, request_id) = Door::open(|door| {
            let id = WebhookId(door.id("webhook_id", &webhook_id));
            (id, parse_secret(door, &secret), parse_overlap(door, overlap), door.request_id(&request_text))
        })?;
        let request = mutation("RotateWebhookSecret", actor, request_id, fingerprint);
        let work = self.store.writer.run(request, move |write| {
            Box::pin(async move { store::rotate_secret(write, id, &etag, secret, overlap).await })
        });
        work.await?;
        self.with_secret(id).await
    }

    async fn delete(
        &self,
        actor: &Principal,
        request: wire::DeleteWebhookRequest,
    ) -> Result<wire::DeleteWebhookResponse, Error> {
        let wire::DeleteWebhookRequest { webhook_id, etag, request_id } = request;
        let (id, request_id) = Door::open(|door| (door.id("webhook_id", &webhook_id), door.request_id(&request_id)))?;
        let request = mutation("DeleteWebhook", actor, request_id, fingerprint::of(&(id, &etag))?);
        let work = self.store.writer.run(request, move |write| {
            Box::pin(async move { store::delete_webhook(write, WebhookId(id), &etag).await })
        });
        work.await?;
        Ok(wire::DeleteWebhookResponse {})
    }

    async fn list(&self, request: wire::ListWebhooksRequest) -> Result<wire::ListWebhooksResponse, Error> {
        let page = Door::open(|door| door.page(request.page_size, &request.page_token))?;
        let (rows, next_page_token) = store::list_webhooks(self.store.db(), page).await?;
        Ok(wire::ListWebhooksResponse { webhooks: rows.into_iter().map(render_webhook).collect(), next_page_token })
    }

    async fn test(&self, actor: &Principal, request: wire::TestWebhookRequest) -> Result<wire::Delivery, Error> {
        let wire::TestWebhookRequest { webhook_id, request_id } = request;
        let (id, request_id) = Door::open(|door| (door.id("webhook_id", &webhook_id), door.request_id(&request_id)))?;
        let request = mutation("TestWebhook", actor, request_id, fingerprint::of(&id)?);
        let work = self.store.writer.run(request, move |write| {
            Box::pin(async move {
                let body = test_body(write.now);
                store::add_delivery(write, WebhookId(id), WebhookEvent::Test, body).await
            })
        });
        self.delivery(work.await?.id).await
    }

    async fn list_deliveries(
        &self,
        request: wire::ListDeliveriesRequest,
    ) -> Result<wire::ListDeliveriesResponse, Error> {
        let (page, filter) = Door::open(|door| parse_list_deliveries(door, request))?;
        let (rows, next_page_token) = store::list_deliveries(self.store.db(), page, filter).await?;
        let deliveries = rows.into_iter().map(render_delivery).collect();
        Ok(wire::ListDeliveriesResponse { deliveries, next_page_token })
    }

    async fn retry(&self, actor: &Principal, request: wire::RetryDeliveryRequest) -> Result<wire::Delivery, Error> {
        let wire::RetryDeliveryRequest { delivery_id, request_id } = request;
        let (id, request_id) = Door::open(|door| (door.id("delivery_id", &delivery_id), door.request_id(&request_id)))?;
        let request = mutation("RetryDelivery", actor, request_id, fingerprint::of(&id)?);
        let work = self
            .store
            .writer
            .run(request, move |write| Box::pin(async move { store::retry_delivery(write, id).await }));
        work.await?;
        self.delivery(id).await
    }

    async fn get(&self, id: WebhookId) -> Result<wire::Webhook, Error> {
        Ok(render_webhook(store::get_webhook(self.store.db(), id).await?))
    }

    async fn with_secret(&self, id: WebhookId) -> Result<wire::Webhook, Error> {
        let row = store::get_webhook(self.store.db(), id).await?;
        let secret = row.secret.text().to_owned();
        Ok(wire::Webhook { secret, ..render_webhook(row) })
    }

    async fn delivery(&self, id: Uuid) -> Result<wire::Delivery, Error> {
        let row = store::get_delivery(self.store.db(), id).await?;
        // Its webhook may be deleted already.
        store::get_webhook(self.store.db(), row.webhook_id).await.map_err(|_| Error::not_found("delivery", id))?;
        Ok(render_delivery(row))
    }
}

fn mutation(method: &'static str, actor: &Principal, id: Option<Uuid>, fingerprint: i64) -> Mutation {
    Mutation { method, actor: actor.to_string(), id, fingerprint }
}

#[tonic::async_trait]
impl WebhookService for Webhooks {
    async fn create_webhook(
        &self,
        request: Request<wire::CreateWebhookRequest>,
    ) -> Result<Response<wire::Webhook>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.create(&actor, request.into_inner()).await?))
    }

    async fn update_webhook(
        &self,
        request: Request<wire::UpdateWebhookRequest>,
    ) -> Result<Response<wire::Webhook>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.update(&actor, request.into_inner()).await?))
    }

    async fn rotate_webhook_secret(
        &self,
        request: Request<wire::RotateWebhookSecretRequest>,
    ) -> Result<Response<wire::Webhook>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.rotate(&actor, request.into_inner()).await?))
    }

    async fn delete_webhook(
        &self,
        request: Request<wire::DeleteWebhookRequest>,
    ) -> Result<Response<wire::DeleteWebhookResponse>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.delete(&actor, request.into_inner()).await?))
    }

    async fn get_webhook(&self, request: Request<wire::GetWebhookRequest>) -> Result<Response<wire::Webhook>, Status> {
        let id = Door::open(|door| door.id("webhook_id", &request.get_ref().webhook_id))?;
        Ok(Response::new(self.get(WebhookId(id)).await?))
    }

    async fn list_webhooks(
        &self,
        request: Request<wire::ListWebhooksRequest>,
    ) -> Result<Response<wire::ListWebhooksResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    async fn test_webhook(
        &self,
        request: Request<wire::TestWebhookRequest>,
    ) -> Result<Response<wire::Delivery>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.test(&actor, request.into_inner()).await?))
    }

    async fn get_delivery(
        &self,
        request: Request<wire::GetDeliveryRequest>,
    ) -> Result<Response<wire::Delivery>, Status> {
        let id = Door::open(|door| door.id("delivery_id", &request.get_ref().delivery_id))?;
        Ok(Response::new(self.delivery(id).await?))
    }

    async fn list_deliveries(
        &self,
        request: Request<wire::ListDeliveriesRequest>,
    ) -> Result<Response<wire::ListDeliveriesResponse>, Status> {
        Ok(Response::new(self.list_deliveries(request.into_inner()).await?))
    }

    async fn retry_delivery(
        &self,
        request: Request<wire::RetryDeliveryRequest>,
    ) -> Result<Response<wire::Delivery>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.retry(&actor, request.into_inner()).await?))
    }
}
