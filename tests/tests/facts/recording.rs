//! Recording, reading, amending and withdrawing one.

use barometer_tests::{
    samples::{hour, key, mask},
    services::{Services, count, told},
};
use tonic::Code;

use crate::{
    for_each_kind, for_each_movable_kind,
    kind::{Fact, Wanted, World},
};

for_each_kind! {
    what_is_recorded_is_read_back: read_back;
    an_amendment_may_move_a_fact_to_another_customer: moved;
    what_is_withdrawn_leaves_lists_and_can_still_be_read: withdrawn;
    watchers_see_the_latest_of_each: watched;
}

for_each_movable_kind! {
    an_amendment_sets_what_its_mask_names: amended;
}

async fn read_back<F: Fact>(services: &Services, world: &World) {
    let recorded = F::sample(world).with_key("k-1").record(services, "").await.expect("recorded").bare();
    assert_eq!(F::get(services, recorded.id()).await.expect("there").bare(), recorded);
    assert_eq!(F::get_by_key(services, key("k-1")).await.expect("there").bare(), recorded);
    assert_eq!(recorded.customer_id(), world.customers[0]);
    assert_eq!((recorded.time(), recorded.region()), (Some(hour(1)), "north"));
    assert_eq!((recorded.etag(), recorded.withdraw_time()), ("1", None));
    assert_eq!(recorded.key(), Some(key("k-1")));

    // What is output only is not taken from callers.
    let forged = F::sample(world).with_id(recorded.id()).with_etag("7");
    let second = forged.record(services, "").await.expect("recorded");
    assert_ne!(second.id(), recorded.id());
    assert_eq!(second.etag(), "1");
    assert!(count(second.position()) > count(recorded.position()));

    let by_key = F::sample(world).with_customer_key("c-2");
    assert_eq!(by_key.record(services, "").await.expect("recorded").customer_id(), world.customers[1]);
    let by_key = F::sample(world).with_customer_key(F::ID);
    let first = by_key.clone().record(services, "").await.expect("recorded");
    let second = by_key.record(services, "").await.expect("recorded");
    assert_eq!(first.customer_id(), second.customer_id(), "one new customer");
}

async fn amended<F: Fact>(services: &Services, world: &World) {
    let old = F::sample(world).record(services, "").await.expect("recorded");
    let patch = F::sample(world).with_id(old.id()).with_region("south").with_time(Some(hour(5)));
    let of_region = patch.clone().amend(services, mask(&["dimensions"]), "").await.expect("amended");
    assert_eq!((of_region.region(), of_region.time()), ("south", Some(hour(1))));
    assert_eq!((old.etag(), of_region.etag()), ("1", "2"));
    assert!(count(of_region.position()) > count(old.position()));
    assert_ne!(of_region.update_time(), old.update_time());
    assert_eq!(F::get(services, old.id()).await.expect("there"), of_region);

    // Without a mask: what is present. With `*`: everything.
    let only_time = F::default().with_id(old.id()).with_time(Some(hour(7))).with_etag("2");
    let of_time = only_time.clone().amend(services, None, "").await.expect("amended");
    assert_eq!((of_time.region(), of_time.time()), ("south", Some(hour(7))));
    let refused = only_time.amend(services, None, "").await.expect_err("stale");
    assert_eq!(told(&refused).0, Code::Aborted);
    let whole = patch.clone().amend(services, mask(&["*"]), "").await.expect("amended");
    assert_eq!((whole.region(), whole.time()), ("south", Some(hour(5))));

    let same = patch.amend(services, None, "").await.expect("nothing to amend");
    assert_eq!((same.etag(), same.position()), (whole.etag(), whole.position()), "nothing was written");
}

async fn moved<F: Fact>(services: &Services, world: &World) {
    let fact = F::sample(world).record(services, "").await.expect("recorded");
    let of = |customer: &str| Wanted { customer_id: customer.to_owned(), ..Wanted::default() };
    let patch = F::default().with_id(fact.id());
    let amended = patch
        .clone()
        .with_customer(&world.customers[1])
        .amend(services, mask(&["customer_id"]), "")
        .await
        .expect("amended");
    assert_eq!(amended.customer_id(), world.customers[1]);
    let (before, _) = F::list(services, of(&world.customers[0])).await.expect("a list");
    let (after, _) = F::list(services, of(&world.customers[1])).await.expect("a list");
    assert!(before.iter().all(|other| other.id() != fact.id()));
    assert!(after.contains(&amended));

    for paths in [None, mask(&["customer_key"])] {
        let back = patch.clone().with_customer_key("c-1").amend(services, paths.clone(), "").await.expect("amended");
        assert_eq!(back.customer_id(), world.customers[0], "{paths:?}");
        let new = patch
            .clone()
            .with_customer_key(&format!("new {}", F::ID))
            .amend(services, paths, "")
            .await
            .expect("amended");
        assert!(!world.customers.iter().any(|known| known == new.customer_id()));
    }
}

async fn withdrawn<F: Fact>(services: &Services, world: &World) {
    let fact = F::sample(world).with_key("withdrawn").record(services, "").await.expect("recorded");
    let refused = F::withdraw(services, fact.id(), "9", "").await.expect_err("stale");
    assert_eq!(told(&refused).0, Code::Aborted);
    let gone = F::withdraw(services, fact.id(), "1", "").await.expect("withdrawn");
    assert!(gone.withdraw_time().is_some());
    assert_eq!(gone.etag(), "2");
    assert!(count(gone.position()) > count(fact.position()));
    assert_eq!(F::get(services, fact.id()).await.expect("readable").bare(), gone);
    assert_eq!(F::get_by_key(services, key("withdrawn")).await.expect("readable").bare(), gone);

    let (shown, _) = F::list(services, Wanted::default()).await.expect("a list");
    assert!(shown.iter().all(|other| other.id() != fact.id()));
    let (all, _) = F::list(services, Wanted { show_withdrawn: true, ..Wanted::default() }).await.expect("a list");
    assert!(all.contains(&gone));

    let refused = F::withdraw(services, fact.id(), "", "").await.expect_err("withdrawn");
    assert_eq!(told(&refused).1, "WITHDRAWN");
    let refused = gone.amend(services, None, "").await.expect_err("withdrawn");
    assert_eq!(told(&refused).1, "WITHDRAWN");
}

async fn watched<F: Fact>(services: &Services, world: &World) {
    let kept = F::sample(world).record(services, "").await.expect("recorded");
    let gone = F::sample(world).record(services, "").await.expect("recorded");
    F::default().with_id(kept.id()).with_region("south").amend(services, None, "").await.expect("amended");
    F::withdraw(services, gone.id(), "", "").await.expect("withdrawn");
    let facts = F::watch(services).await;
    let of = |id: &str| facts.iter().filter(|fact| fact.0 == id).cloned().collect::<Vec<_>>();
    assert_eq!(of(kept.id()), [(kept.id().to_owned(), 2, false)]);
    assert_eq!(of(gone.id()), [(gone.id().to_owned(), 2, true)]);
}
