//! Finding customers by keys, and creating those that are new.

use std::collections::{BTreeMap, BTreeSet};

use barometer_chassis::testing::on_each_database;
use barometer_proto::customers::v1::{ListCustomersRequest, ResolveCustomersRequest, ResolveCustomersResponse};
use barometer_tests::{
    samples::{customer, key},
    services::{Services, count},
};

use crate::{create, get};

async fn resolve(services: &Services, keys: &[&str]) -> ResolveCustomersResponse {
    let request = ResolveCustomersRequest { external_ids: keys.iter().map(|value| key(value)).collect() };
    services.customers.clone().resolve_customers(request).await.expect("resolved").into_inner()
}

#[tokio::test]
async fn each_key_gets_its_customer_in_its_place() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let known = create(&services, customer("c-2")).await.expect("created");
        let resolved = resolve(&services, &["c-3", "c-2", "c-1", "c-3"]).await;
        let keys: Vec<_> = resolved.customers.iter().map(|one| one.external_id.clone().expect("a key").value).collect();
        assert_eq!(keys, ["c-3", "c-2", "c-1", "c-3"]);
        let created: Vec<_> = resolved.customers.iter().map(|one| one.created).collect();
        assert_eq!(created, [true, false, true, true]);
        let ids: Vec<_> = resolved.customers.iter().map(|one| one.customer_id.as_str()).collect();
        assert_eq!(ids[1], known.customer_id);
        assert_eq!(ids[0], ids[3]);
        assert_eq!(get(&services, ids[2]).await.external_ids, [key("c-1")]);

        let again = resolve(&services, &["c-1", "c-2", "c-3"]).await;
        assert!(again.customers.iter().all(|one| !one.created));
        assert_eq!(
            [ids[2], ids[1], ids[0]].as_slice(),
            again.customers.iter().map(|one| &one.customer_id).collect::<Vec<_>>()
        );
        assert_eq!(count(&again.position), count(&resolved.position), "nothing was written");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn however_many_ask_at_once_it_is_one_customer() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let calls = (0..16_usize).map(|caller| {
            let keys: Vec<String> = (0..50).map(|n| format!("c-{}", (caller * 7 + n) % 60)).collect();
            let services = &services;
            async move { resolve(services, &keys.iter().map(String::as_str).collect::<Vec<_>>()).await }
        });
        let (mut customers, mut creations) = (BTreeMap::<String, BTreeSet<String>>::new(), 0);
        for one in futures_util::future::join_all(calls).await.into_iter().flat_map(|answer| answer.customers) {
            customers.entry(one.external_id.expect("a key").value).or_default().insert(one.customer_id);
            creations += usize::from(one.created);
        }
        assert_eq!((customers.len(), creations), (60, 60));
        assert!(customers.values().all(|ids| ids.len() == 1), "{customers:?}");
        let request = ListCustomersRequest { page_size: 1_000, ..Default::default() };
        let all = services.customers.clone().list_customers(request).await.expect("a list").into_inner();
        assert_eq!(all.customers.len(), 60);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_thousand_keys_are_resolved_at_once() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let keys: Vec<String> = (0..1_000).map(|n| format!("c-{n}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let resolved = resolve(&services, &keys).await;
        assert!(resolved.customers.iter().all(|one| one.created));
        assert_eq!(count(&resolve(&services, &keys).await.position), count(&resolved.position));
        services.stop().await;
    })
    .await;
}
