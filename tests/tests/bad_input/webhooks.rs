//! Every RPC of the webhooks of complaints.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    CreateWebhookRequest, DeleteWebhookRequest, GetDeliveryRequest, GetWebhookRequest, ListDeliveriesRequest,
    ListWebhooksRequest, RetryDeliveryRequest, RotateWebhookSecretRequest, TestWebhookRequest, UpdateWebhookRequest,
    Webhook,
};
use barometer_tests::{
    samples::{mask, webhook},
    services::Services,
};
use prost::Message;
use tonic::Code;

use crate::{
    facts::pages,
    nouns::texts,
    table::{Table, clear, copies, number, numbers, text, texts as list},
    world::{DONE, NOBODY},
};

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = kept(&services).await;
        let before = everything(&services).await;
        let mut table = Table::of("barometer.complaints.v1.WebhookService");
        create(&mut table);
        change(&mut table, &id);
        read(&mut table, &id);
        deliveries(&mut table);
        table.check(&services.channel).await;
        assert_eq!(everything(&services).await, before, "webhooks are in no feed");
        services.stop().await;
    })
    .await;
}

/// Two webhooks, of which the second has an etag of 3; everything was done by the `request_id` [`DONE`].
async fn kept(services: &Services) -> String {
    let mut client = services.webhooks.clone();
    let disabled = |name: &str| Webhook { disabled: true, ..webhook(name, "https://receiver.invalid/hook") };
    for (name, request_id) in [("other", ""), ("pager", DONE)] {
        let request = CreateWebhookRequest { webhook: Some(disabled(name)), request_id: request_id.to_owned() };
        client.create_webhook(request).await.expect("created");
    }
    let webhooks = client.list_webhooks(ListWebhooksRequest::default()).await.expect("a list").into_inner().webhooks;
    let webhook_id = webhooks.into_iter().find(|one| one.name == "pager").expect("there").webhook_id;
    let request_id = DONE.to_owned();
    let patch = Webhook { webhook_id: webhook_id.clone(), disabled: true, ..Webhook::default() };
    let request = UpdateWebhookRequest { webhook: Some(patch), request_id: request_id.clone(), ..Default::default() };
    client.update_webhook(request).await.expect("updated");
    let request = RotateWebhookSecretRequest { webhook_id: webhook_id.clone(), request_id, ..Default::default() };
    client.rotate_webhook_secret(request).await.expect("rotated");
    webhook_id
}

async fn everything(services: &Services) -> Vec<Webhook> {
    let mut client = services.webhooks.clone();
    client.list_webhooks(ListWebhooksRequest::default()).await.expect("a list").into_inner().webhooks
}

fn create(table: &mut Table) {
    let good = CreateWebhookRequest {
        webhook: Some(webhook("new", "https://receiver.invalid/hook")),
        request_id: String::new(),
    };
    let rpc = &mut table.rpc("CreateWebhook", &good.encode_to_vec());
    rpc.invalid("no message", vec![clear("webhook")], &["webhook"])
        .invalid("a garbage request id", vec![text("request_id", "x")], &["request_id"])
        .refused("a name that is taken", vec![text("webhook.name", "other")], Code::AlreadyExists, "NAME_TAKEN")
        .refused("done before", vec![text("request_id", DONE)], Code::AlreadyExists, "REQUEST_ID_REUSED")
        .invalid("no name", vec![text("webhook.name", "")], &["webhook.name"])
        .invalid("no events", vec![clear("webhook.events")], &["webhook.events"])
        .invalid("17 events", vec![copies("webhook.events", 17)], &["webhook.events"])
        .invalid(
            "events",
            vec![numbers("webhook.events", vec![0, 1, 99, 2])],
            &["webhook.events[0]", "webhook.events[1]", "webhook.events[2]"],
        )
        .invalid(
            "several at once",
            vec![text("webhook.name", ""), text("webhook.url", ""), clear("webhook.events")],
            &["webhook.name", "webhook.url", "webhook.events"],
        );
    texts(rpc, "webhook", &[("name", 128)]);
    let long = format!("https://receiver.invalid/{}", "p".repeat(2_048));
    for url in ["", "x", "/hook", "ftp://receiver.invalid", "https://u:p@receiver.invalid", "https://a.b/#c", &long] {
        rpc.invalid("a url", vec![text("webhook.url", url)], &["webhook.url"]);
    }
    for url in ["https://169.254.169.254/", "http://[fe80::1]/", "https://0.0.0.0/", "https://[::ffff:169.254.0.1]/"] {
        rpc.invalid("an address", vec![text("webhook.url", url)], &["webhook.url"]);
    }
    for secret in ["x", "whsec_", "whsec_AAAA", "whsec_%%%%", &format!("whsec_{}", "A".repeat(88))] {
        rpc.invalid("a secret", vec![text("webhook.secret", secret)], &["webhook.secret"]);
    }
}

fn change(table: &mut Table, id: &str) {
    let all = Webhook { webhook_id: id.to_owned(), ..webhook("pager", "https://receiver.invalid/hook") };
    let good = UpdateWebhookRequest { webhook: Some(all), update_mask: mask(&["*"]), request_id: String::new() };
    let rpc = &mut table.rpc("UpdateWebhook", &good.encode_to_vec());
    rpc.invalid("no message", vec![clear("webhook")], &["webhook"])
        .invalid("no id", vec![clear("webhook.webhook_id")], &["webhook.webhook_id"])
        .invalid(
            "garbage",
            vec![text("webhook.webhook_id", "x"), text("request_id", "x")],
            &["webhook.webhook_id", "request_id"],
        )
        .invalid("a url", vec![text("webhook.url", "nowhere")], &["webhook.url"])
        .invalid(
            "all at once",
            vec![
                list("update_mask.paths", &["url", "secret", "name"]),
                text("webhook.url", "nowhere"),
                text("webhook.name", ""),
                clear("webhook.events"),
                text("webhook.webhook_id", "x"),
            ],
            &["webhook.url", "webhook.name", "webhook.webhook_id", "update_mask.paths[1]"],
        )
        .unknown("an unknown id", vec![text("webhook.webhook_id", NOBODY)])
        .refused("a stale etag", vec![text("webhook.etag", "1")], Code::Aborted, "STALE_ETAG")
        .refused("a name that is taken", vec![text("webhook.name", "other")], Code::AlreadyExists, "NAME_TAKEN")
        .refused("done before", vec![text("request_id", DONE)], Code::AlreadyExists, "REQUEST_ID_REUSED")
        .invalid(
            "what can not be changed",
            vec![list("update_mask.paths", &["secret", "name", "waiting"])],
            &["update_mask.paths[0]", "update_mask.paths[2]"],
        );

    let good = RotateWebhookSecretRequest { webhook_id: id.to_owned(), ..Default::default() };
    let rpc = &mut table.rpc("RotateWebhookSecret", &good.encode_to_vec());
    rpc.invalid("no id", vec![clear("webhook_id")], &["webhook_id"])
        .invalid(
            "garbage",
            vec![text("webhook_id", "x"), text("request_id", "x"), text("secret", "x")],
            &["webhook_id", "request_id", "secret"],
        )
        .unknown("an unknown id", vec![text("webhook_id", NOBODY)])
        .refused("a stale etag", vec![text("etag", "1")], Code::Aborted, "STALE_ETAG")
        .refused(
            "done before",
            vec![text("request_id", DONE), text("etag", "9")],
            Code::AlreadyExists,
            "REQUEST_ID_REUSED",
        );
    for seconds in [-1, 7 * 86_400 + 1, i64::MAX] {
        rpc.invalid("an overlap", vec![number("overlap.seconds", seconds)], &["overlap"]);
    }

    let good = DeleteWebhookRequest { webhook_id: id.to_owned(), ..Default::default() };
    let rpc = &mut table.rpc("DeleteWebhook", &good.encode_to_vec());
    rpc.invalid("no id", vec![clear("webhook_id")], &["webhook_id"])
        .invalid("garbage", vec![text("webhook_id", "x"), text("request_id", "x")], &["webhook_id", "request_id"])
        .unknown("an unknown id", vec![text("webhook_id", NOBODY)])
        .refused("a stale etag", vec![text("etag", "1")], Code::Aborted, "STALE_ETAG");
}

fn read(table: &mut Table, id: &str) {
    let good = GetWebhookRequest { webhook_id: id.to_owned() };
    table
        .rpc("GetWebhook", &good.encode_to_vec())
        .invalid("no id", vec![clear("webhook_id")], &["webhook_id"])
        .invalid("a garbage id", vec![text("webhook_id", "x")], &["webhook_id"])
        .unknown("an unknown id", vec![text("webhook_id", NOBODY)]);
    pages(&mut table.rpc("ListWebhooks", &[]));
    let good = TestWebhookRequest { webhook_id: id.to_owned(), request_id: String::new() };
    table
        .rpc("TestWebhook", &good.encode_to_vec())
        .invalid("no id", vec![clear("webhook_id")], &["webhook_id"])
        .invalid("garbage", vec![text("webhook_id", "x"), text("request_id", "x")], &["webhook_id", "request_id"])
        .unknown("an unknown id", vec![text("webhook_id", NOBODY)])
        .refused("a disabled one", vec![], Code::FailedPrecondition, "DISABLED");
}

fn deliveries(table: &mut Table) {
    let good = GetDeliveryRequest { delivery_id: NOBODY.to_owned() };
    table
        .rpc("GetDelivery", &good.encode_to_vec())
        .invalid("no id", vec![clear("delivery_id")], &["delivery_id"])
        .invalid("a garbage id", vec![text("delivery_id", "x")], &["delivery_id"])
        .unknown("an unknown id", vec![]);
    let rpc = &mut table.rpc("ListDeliveries", &ListDeliveriesRequest::default().encode_to_vec());
    pages(rpc);
    rpc.invalid("a garbage id", vec![text("webhook_id", "x")], &["webhook_id"])
        .invalid("states", vec![numbers("states", vec![0, 9])], &["states[0]", "states[1]"])
        .invalid("17 states", vec![numbers("states", vec![1; 17])], &["states"]);
    let good = RetryDeliveryRequest { delivery_id: NOBODY.to_owned(), request_id: String::new() };
    table
        .rpc("RetryDelivery", &good.encode_to_vec())
        .invalid("no id", vec![clear("delivery_id")], &["delivery_id"])
        .invalid("garbage", vec![text("delivery_id", "x"), text("request_id", "x")], &["delivery_id", "request_id"])
        .unknown("an unknown id", vec![]);
}
