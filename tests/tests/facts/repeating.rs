//! Repeats: by a `request_id`, by the caller's own key.

use std::collections::BTreeSet;

use barometer_tests::{
    samples::mask,
    services::{Services, told},
};
use tonic::Code;
use uuid::Uuid;

use crate::{
    for_each_kind,
    kind::{Fact, Wanted, World},
};

for_each_kind! {
    a_repeated_request_does_nothing: requests;
    a_request_repeated_at_the_same_moment_does_nothing: at_once;
    a_key_is_recorded_once: keys;
}

async fn requests<F: Fact>(services: &Services, world: &World) {
    let [to_record, to_amend, to_withdraw] = std::array::from_fn(|_| Uuid::new_v4().to_string());
    let record = async || F::sample(world).record(services, &to_record).await;
    let first = record().await.expect("recorded");
    assert_eq!(record().await.expect("the same"), first);

    let patch = F::default().with_id(first.id()).with_region("south").with_etag("1");
    let amend = async || patch.clone().amend(services, mask(&["dimensions"]), &to_amend).await;
    let amended = amend().await.expect("amended");
    assert_eq!(amend().await.expect("the same, though its etag is stale now"), amended);

    // As it is now, at the first write's position.
    let again = record().await.expect("the same");
    assert_eq!((again.region(), again.etag()), ("south", "2"));
    assert_eq!(again.position(), first.position());

    let withdraw = async || F::withdraw(services, first.id(), "2", &to_withdraw).await;
    let withdrawn = withdraw().await.expect("withdrawn");
    assert_eq!(withdraw().await.expect("the same"), withdrawn);
    let again = record().await.expect("the same, withdrawn or not");
    assert_eq!(again.withdraw_time(), withdrawn.withdraw_time());
    assert_eq!(again.position(), first.position());
    let again = amend().await.expect("the same, withdrawn or not");
    assert_eq!((again.position(), again.withdraw_time()), (amended.position(), withdrawn.withdraw_time()));

    let other = F::sample(world).with_region("west");
    let refused = other.clone().record(services, &to_record).await.expect_err("other values");
    assert_eq!((told(&refused).0, told(&refused).1.as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    // Of another method it is another request.
    other.record(services, &to_amend).await.expect("recorded");
}

async fn at_once<F: Fact>(services: &Services, world: &World) {
    let request_id = Uuid::new_v4().to_string();
    let calls = (0..20).map(|_| F::sample(world).record(services, &request_id));
    let ids: BTreeSet<String> = futures_util::future::join_all(calls)
        .await
        .into_iter()
        .map(|answer| answer.expect("recorded").id().to_owned())
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(F::list(services, Wanted::default()).await.expect("a list").0.len(), 1);
}

async fn keys<F: Fact>(services: &Services, world: &World) {
    let fact = F::sample(world).with_key("k-1");
    let first = fact.clone().record(services, "").await.expect("recorded");
    assert_eq!(fact.clone().record(services, "").await.expect("unchanged"), first);
    let refused = fact.clone().with_region("south").record(services, "").await.expect_err("other values");
    assert_eq!((told(&refused).0, told(&refused).1.as_str()), (Code::AlreadyExists, "KEY_REUSED"));

    // What was recorded first is recorded, whatever became of it.
    F::default().with_id(first.id()).with_region("west").amend(services, None, "").await.expect("amended");
    let again = fact.clone().record(services, "").await.expect("unchanged");
    assert_eq!((again.id(), again.region()), (first.id(), "west"));
    F::withdraw(services, first.id(), "", "").await.expect("withdrawn");
    assert!(fact.clone().record(services, "").await.expect("unchanged").withdraw_time().is_some());

    let calls = (0..20).map(|_| F::sample(world).with_key("k-2").record(services, ""));
    let answers = futures_util::future::join_all(calls).await;
    let ids: BTreeSet<String> = answers.into_iter().map(|fact| fact.expect("recorded").id().to_owned()).collect();
    assert_eq!(ids.len(), 1);
}
