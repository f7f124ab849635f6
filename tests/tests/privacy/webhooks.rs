//! Every method of the webhooks of complaints.

use barometer_proto::complaints::v1::{
    CreateWebhookRequest, DeleteWebhookRequest, DeleteWebhookResponse, Delivery, GetDeliveryRequest, GetWebhookRequest,
    ListDeliveriesRequest, ListDeliveriesResponse, ListWebhooksRequest, ListWebhooksResponse, RetryDeliveryRequest,
    RotateWebhookSecretRequest, TestWebhookRequest, UpdateWebhookRequest, Webhook,
};
use barometer_tests::samples::webhook;

use crate::caller::{Caller, MARK};

const SERVICE: &str = "barometer.complaints.v1.WebhookService";

pub(crate) async fn call_all(caller: &mut Caller) {
    let method = |name: &str| format!("{SERVICE}/{name}");
    // A receiver's address may be a secret too: tokens stand in it.
    let path = MARK.replace('@', "%40");
    let hook = webhook(MARK, &format!("https://receiver.invalid/{path}"));
    let create = CreateWebhookRequest { webhook: Some(hook), request_id: String::new() };
    let Webhook { webhook_id, .. } = caller.call(&method("CreateWebhook"), &create).await;
    let id = || webhook_id.clone();
    let patch = Webhook { webhook_id: id(), name: format!("{MARK} two"), ..Webhook::default() };
    let update = UpdateWebhookRequest { webhook: Some(patch), ..Default::default() };
    let _: Webhook = caller.call(&method("UpdateWebhook"), &update).await;
    let rotate = RotateWebhookSecretRequest { webhook_id: id(), ..Default::default() };
    let _: Webhook = caller.call(&method("RotateWebhookSecret"), &rotate).await;
    let _: Webhook = caller.call(&method("GetWebhook"), &GetWebhookRequest { webhook_id: id() }).await;
    let _: ListWebhooksResponse = caller.call(&method("ListWebhooks"), &ListWebhooksRequest::default()).await;
    let test = TestWebhookRequest { webhook_id: id(), request_id: String::new() };
    let Delivery { delivery_id, .. } = caller.call(&method("TestWebhook"), &test).await;
    let get = GetDeliveryRequest { delivery_id: delivery_id.clone() };
    let _: Delivery = caller.call(&method("GetDelivery"), &get).await;
    let _: ListDeliveriesResponse = caller.call(&method("ListDeliveries"), &ListDeliveriesRequest::default()).await;
    let retry = RetryDeliveryRequest { delivery_id, request_id: String::new() };
    let _: Delivery = caller.call(&method("RetryDelivery"), &retry).await;
    let delete = DeleteWebhookRequest { webhook_id: id(), ..Default::default() };
    let _: DeleteWebhookResponse = caller.call(&method("DeleteWebhook"), &delete).await;
}
