//! Webhooks: notices arrive, signed, at least once; whatever their receivers do.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use barometer_chassis::testing::{DatabaseKind, TestDatabase, on_each_database};
use barometer_complaints::webhook::Secret;
use barometer_proto::complaints::v1::{
    CreateWebhookRequest, DeleteWebhookRequest, Delivery, DeliveryError, DeliveryState, GetDeliveryRequest,
    GetWebhookRequest, ListDeliveriesRequest, ListWebhooksRequest, RetryDeliveryRequest, RotateWebhookSecretRequest,
    TestWebhookRequest, UpdateWebhookRequest, Webhook, WebhookEvent,
};
use barometer_tests::{
    eventually,
    receiver::{Manner, Received, Receiver},
    samples::{mask, webhook},
    services::{Services, told},
};
use tonic::{Code, Status};
use uuid::Uuid;

async fn create(services: &Services, webhook: Webhook, request_id: &str) -> Result<Webhook, Status> {
    let request = CreateWebhookRequest { webhook: Some(webhook), request_id: request_id.to_owned() };
    Ok(services.webhooks.clone().create_webhook(request).await?.into_inner())
}

async fn get(services: &Services, id: &str) -> Result<Webhook, Status> {
    let request = GetWebhookRequest { webhook_id: id.to_owned() };
    Ok(services.webhooks.clone().get_webhook(request).await?.into_inner())
}

async fn test(services: &Services, id: &str) -> Result<String, Status> {
    let request = TestWebhookRequest { webhook_id: id.to_owned(), request_id: String::new() };
    Ok(services.webhooks.clone().test_webhook(request).await?.into_inner().delivery_id)
}

async fn delivery(services: &Services, id: &str) -> Delivery {
    let request = GetDeliveryRequest { delivery_id: id.to_owned() };
    services.webhooks.clone().get_delivery(request).await.expect("there").into_inner()
}

async fn retry(services: &Services, id: &str) -> Result<Delivery, Status> {
    let request = RetryDeliveryRequest { delivery_id: id.to_owned(), request_id: String::new() };
    Ok(services.webhooks.clone().retry_delivery(request).await?.into_inner())
}

async fn reaches(services: &Services, id: &str, state: DeliveryState) -> Delivery {
    let there = async || delivery(services, id).await.state() == state;
    eventually("the delivery gets there", there).await;
    delivery(services, id).await
}

/// What a receiver checks.
fn signed_by(received: &Received, secret: &str) -> bool {
    let seconds = received.header("webhook-timestamp").parse().expect("seconds");
    let expected =
        Secret::parse(secret).expect("a secret").sign(received.header("webhook-id"), seconds, &received.body);
    received.header("webhook-signature").split(' ').any(|signature| signature == expected)
}

#[tokio::test]
async fn a_notice_arrives_and_is_signed() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let receiver = Receiver::start(Manner::Status(204)).await;
        let created = create(&services, webhook("pager", &receiver.url), "").await.expect("created");
        let (id, first) = (created.webhook_id.as_str(), created.secret.as_str());
        assert!(get(&services, id).await.expect("there").secret.is_empty());
        let sent = test(&services, id).await.expect("sent");
        let done = reaches(&services, &sent, DeliveryState::Delivered).await;
        assert_eq!((done.attempts, done.last_status, done.last_error()), (1, 204, DeliveryError::Unspecified));
        assert!(done.next_attempt_time.is_none() && done.settle_time.is_some());

        let [received] = &receiver.received()[..] else { panic!("once: {:?}", receiver.received()) };
        assert_eq!((received.path.as_str(), received.header("webhook-id")), ("/hook", sent.as_str()));
        assert_eq!(received.header("content-type"), "application/json");
        assert_eq!((&received.json()["type"], &received.json()["data"]), (&"test".into(), &serde_json::json!({})));
        assert!(signed_by(received, first) && !signed_by(received, Secret::new().text()));

        // Another secret: both for a while, or the new one alone.
        let rotate = async |overlap: Option<prost_types::Duration>| {
            let request = RotateWebhookSecretRequest {
                webhook_id: id.to_owned(),
                overlap,
                ..RotateWebhookSecretRequest::default()
            };
            services.webhooks.clone().rotate_webhook_secret(request).await.expect("rotated").into_inner()
        };
        let second = rotate(None).await;
        assert!(second.previous_secret_expire_time.is_some() && second.secret != first);
        let sent = test(&services, id).await.expect("sent");
        reaches(&services, &sent, DeliveryState::Delivered).await;
        let last = receiver.received().pop().expect("the second");
        assert!(signed_by(&last, first) && signed_by(&last, &second.secret));
        let third = rotate(Some(prost_types::Duration::default())).await;
        assert!(third.previous_secret_expire_time.is_none());
        let sent = test(&services, id).await.expect("sent");
        reaches(&services, &sent, DeliveryState::Delivered).await;
        let last = receiver.received().pop().expect("the third");
        assert!(!signed_by(&last, &second.secret) && signed_by(&last, &third.secret));
        assert_eq!(get(&services, id).await.expect("there").waiting, 0);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_fails_is_tried_again_and_then_given_up() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        for (manner, error, status) in [
            (Manner::Status(500), DeliveryError::Status, 500),
            (Manner::Status(410), DeliveryError::Status, 410),
            (Manner::Redirect, DeliveryError::Redirect, 307),
            (Manner::HangUp, DeliveryError::Protocol, 0),
            (Manner::Hang, DeliveryError::Timeout, 0),
        ] {
            let receiver = Receiver::start(manner).await;
            let id = create(&services, webhook(&format!("{manner:?}"), &receiver.url), "").await.expect("created");
            let sent = test(&services, &id.webhook_id).await.expect("sent");
            let dead = reaches(&services, &sent, DeliveryState::Dead).await;
            assert_eq!((dead.attempts, dead.last_error(), dead.last_status), (4, error, status), "{manner:?}");
            let received = receiver.received();
            assert!(received.iter().all(|one| one.path == "/hook"), "redirects are not followed");
            let ids: BTreeSet<_> = received.iter().map(|one| one.header("webhook-id").to_owned()).collect();
            assert_eq!((received.len(), ids), (4, BTreeSet::from([sent.clone()])), "{manner:?}");
            let failing = get(&services, &id.webhook_id).await.expect("there");
            assert_eq!((failing.waiting, failing.failures), (0, 4), "{manner:?}");

            receiver.set(Manner::Flood);
            assert_eq!(retry(&services, &sent).await.expect("retried").state(), DeliveryState::Waiting);
            let done = reaches(&services, &sent, DeliveryState::Delivered).await;
            assert_eq!(done.attempts, 1);
            assert_eq!(get(&services, &id.webhook_id).await.expect("there").failures, 0);
            assert_eq!(told(&retry(&services, &sent).await.expect_err("delivered")).1, "DELIVERED");
        }
        let listed = async |states: Vec<DeliveryState>, page_size, page_token| {
            let states = states.into_iter().map(i32::from).collect();
            let request = ListDeliveriesRequest { page_size, page_token, webhook_id: String::new(), states };
            services.webhooks.clone().list_deliveries(request).await.expect("a page").into_inner()
        };
        assert!(
            listed(vec![DeliveryState::Dead, DeliveryState::Waiting], 0, String::new()).await.deliveries.is_empty()
        );
        let first = listed(vec![], 3, String::new()).await;
        let second = listed(vec![], 3, first.next_page_token.clone()).await;
        assert_eq!((first.deliveries.len(), second.deliveries.len(), second.next_page_token.as_str()), (3, 2, ""));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_notice_waits_for_its_receiver_and_for_a_restart() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let url = Receiver::start(Manner::Hang).await.url.clone();
        let id = create(&services, webhook("later", &url), "").await.expect("created").webhook_id;
        let sent = test(&services, &id).await.expect("sent");
        let tried = async || delivery(&services, &sent).await.last_error() == DeliveryError::Connection;
        eventually("nobody is there", tried).await;
        services.stop().await;

        let receiver = Receiver::start_at(&url, Manner::Status(200)).await;
        let services = Services::start(database).await;
        reaches(&services, &sent, DeliveryState::Delivered).await;
        assert_eq!(receiver.received().len(), 1);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_hangs_holds_up_nobody_else() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let good = Receiver::start(Manner::Status(200)).await;
        let hook = create(&services, webhook("good", &good.url), "").await.expect("created").webhook_id;
        let mut bad = Vec::new();
        for name in 0..8 {
            let receiver = Receiver::start(Manner::Hang).await;
            let id =
                create(&services, webhook(&name.to_string(), &receiver.url), "").await.expect("created").webhook_id;
            for _ in 0..5 {
                test(&services, &id).await.expect("sent");
            }
            bad.push(receiver);
        }
        let all_hang = async || bad.iter().all(|receiver| !receiver.received().is_empty());
        eventually("all of them are called", all_hang).await;
        let begun = Instant::now();
        for _ in 0..40 {
            test(&services, &hook).await.expect("sent");
        }
        eventually("all arrive", async || good.received().len() == 40).await;
        // An attempt that hangs takes a second, and forty of them hang.
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        // While somebody fails only one attempt at a time is made.
        assert!(bad.iter().all(|receiver| receiver.received().len() <= 10));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn replicas_do_not_send_what_another_one_sends() {
    let database = TestDatabase::new(DatabaseKind::Postgres).await;
    let (one, two) = (Services::start(&database).await, Services::start(&database).await);
    let receiver = Receiver::start(Manner::Status(200)).await;
    let id = create(&one, webhook("pager", &receiver.url), "").await.expect("created").webhook_id;
    let mut sent = BTreeSet::new();
    for number in 0..200 {
        let services = if number % 2 == 0 { &one } else { &two };
        sent.insert(test(services, &id).await.expect("sent"));
    }
    let done = async || get(&two, &id).await.expect("there").waiting == 0;
    eventually("all are delivered", done).await;
    let received = receiver.received();
    let ids: BTreeSet<_> = received.iter().map(|one| one.header("webhook-id").to_owned()).collect();
    assert_eq!((received.len(), ids), (200, sent));
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn webhooks_are_made_changed_and_deleted() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let receiver = Receiver::start(Manner::Hang).await;
        let request_id = Uuid::new_v4().to_string();
        let secret = Secret::new().text().to_owned();
        let given = Webhook { secret: secret.clone(), ..webhook("pager", &receiver.url) };
        let first = create(&services, given.clone(), &request_id).await.expect("created");
        let expected = Webhook {
            webhook_id: first.webhook_id.clone(),
            etag: "1".to_owned(),
            create_time: first.create_time,
            update_time: first.create_time,
            ..given.clone()
        };
        assert_eq!(first, expected);
        assert_eq!(create(&services, given, &request_id).await.expect("the same"), first);
        let refused = create(&services, webhook("other", &receiver.url), &request_id).await.expect_err("another");
        assert_eq!(told(&refused).1, "REQUEST_ID_REUSED");
        assert_eq!(
            told(&create(&services, webhook("pager", "https://a.b"), "").await.expect_err("taken")).1,
            "NAME_TAKEN"
        );

        let update = async |patch: Webhook, paths: &[&str]| {
            let patch = Webhook { webhook_id: first.webhook_id.clone(), ..patch };
            let request =
                UpdateWebhookRequest { webhook: Some(patch), update_mask: mask(paths), request_id: String::new() };
            services.webhooks.clone().update_webhook(request).await.map(|answer| answer.into_inner())
        };
        let stale = Webhook { etag: "7".to_owned(), disabled: true, ..Webhook::default() };
        assert_eq!(told(&update(stale, &["disabled"]).await.expect_err("stale")).1, "STALE_ETAG");
        let disabled = update(Webhook { disabled: true, ..Webhook::default() }, &["disabled"]).await.expect("updated");
        assert_eq!(
            (disabled.etag.as_str(), disabled.disabled, disabled.url.as_str()),
            ("2", true, receiver.url.as_str())
        );
        assert_eq!(told(&test(&services, &first.webhook_id).await.expect_err("disabled")).1, "DISABLED");
        update(Webhook::default(), &["disabled"]).await.expect("updated");
        let sent = test(&services, &first.webhook_id).await.expect("sent");

        let delete = async || {
            let request =
                DeleteWebhookRequest { webhook_id: first.webhook_id.clone(), ..DeleteWebhookRequest::default() };
            services.webhooks.clone().delete_webhook(request).await
        };
        delete().await.expect("deleted");
        assert_eq!(delete().await.expect_err("gone").code(), Code::NotFound);
        assert_eq!(get(&services, &first.webhook_id).await.expect_err("gone").code(), Code::NotFound);
        assert_eq!(retry(&services, &sent).await.expect_err("gone with it").code(), Code::NotFound);
        let listed = services.webhooks.clone().list_deliveries(ListDeliveriesRequest::default()).await;
        assert!(listed.expect("a page").into_inner().deliveries.is_empty());

        // Its name is free again; there are 32 at most.
        for name in 0..31 {
            create(&services, webhook(&name.to_string(), &receiver.url), "").await.expect("created");
        }
        create(&services, webhook("pager", &receiver.url), "").await.expect("free again");
        let refused = create(&services, webhook("one more", &receiver.url), "").await.expect_err("too many");
        assert_eq!(told(&refused).1, "TOO_MANY_WEBHOOKS");
        let request = ListWebhooksRequest { page_size: 30, page_token: String::new() };
        let page = services.webhooks.clone().list_webhooks(request).await.expect("a page").into_inner();
        assert_eq!((page.webhooks.len(), page.webhooks[0].name.as_str()), (30, "pager"));
        assert!(!page.next_page_token.is_empty() && page.webhooks.iter().all(|one| one.secret.is_empty()));
        services.stop().await;
    })
    .await;
}

/// The events that tests want.
#[test]
fn the_sample_wants_every_event() {
    let all = (2..).map_while(|number| WebhookEvent::try_from(number).ok()).map(i32::from);
    assert_eq!(webhook("", "").events, all.collect::<Vec<_>>());
}
