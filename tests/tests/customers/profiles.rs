//! Creating, reading, changing and listing customers.

use std::collections::BTreeSet;

use barometer_chassis::testing::on_each_database;
use barometer_proto::customers::v1::{
    Attributes, BatchGetCustomersRequest, CreateCustomerRequest, Customer, ListCustomersRequest, LookupCustomerRequest,
    UpdateCustomerRequest,
};
use barometer_tests::{
    samples::{customer, hour, key, mask, region},
    services::{Services, count, told},
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{create, get};

async fn update(services: &Services, customer: Customer, paths: Option<&[&str]>) -> Result<Customer, Status> {
    let update_mask = paths.and_then(mask);
    let request = UpdateCustomerRequest { customer: Some(customer), update_mask, request_id: String::new() };
    Ok(services.customers.clone().update_customer(request).await?.into_inner())
}

/// A customer of whom everything is known.
fn whole() -> Customer {
    Customer {
        external_ids: vec![
            key("c-1"),
            barometer_proto::common::v1::ExternalId { value: "7".into(), ..Default::default() },
        ],
        display_name: "Customer 1".to_owned(),
        email: "c-1@example.com".to_owned(),
        phone: "+000".to_owned(),
        language: "pt-BR".to_owned(),
        tags: vec!["vip".to_owned(), "early".to_owned()],
        since: Some(hour(0)),
        dimensions: region("north"),
        attributes: Some(Attributes {
            tier: "gold".to_owned(),
            country: "MD".to_owned(),
            member: Some(false),
            segments: vec!["b".to_owned(), "a".to_owned()],
            value_band: "high".to_owned(),
        }),
        ..Customer::default()
    }
}

#[tokio::test]
async fn what_is_created_is_read_back_by_id_and_by_any_key() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let created = create(&services, whole()).await.expect("created");
        let expected = Customer {
            customer_id: created.customer_id.clone(),
            external_ids: vec![
                barometer_proto::common::v1::ExternalId { system: "default".into(), value: "7".into() },
                key("c-1"),
            ],
            tags: vec!["early".to_owned(), "vip".to_owned()],
            attributes: Some(Attributes {
                segments: vec!["a".to_owned(), "b".to_owned()],
                ..whole().attributes.expect("attributes")
            }),
            etag: created.etag.clone(),
            create_time: created.create_time,
            update_time: created.update_time,
            position: created.position.clone(),
            ..whole()
        };
        assert_eq!(created, expected);
        let read = get(&services, &created.customer_id).await;
        assert_eq!(Customer { position: created.position.clone(), ..read.clone() }, created);
        assert!(count(&read.position) <= count(&created.position));
        for key in created.external_ids {
            let request = LookupCustomerRequest { external_id: Some(key) };
            let found = services.customers.clone().lookup_customer(request).await.expect("found").into_inner();
            assert_eq!(found, read);
        }
        let nobody = create(&services, Customer::default()).await.expect("a customer without anything");
        assert_eq!(nobody.attributes, Some(Attributes::default()));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_batch_is_in_the_order_asked_for() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let one = create(&services, customer("c-1")).await.expect("created").customer_id;
        let two = create(&services, customer("c-2")).await.expect("created").customer_id;
        let batch = async |ids: Vec<String>| {
            services.customers.clone().batch_get_customers(BatchGetCustomersRequest { customer_ids: ids }).await
        };
        let ids = vec![two.clone(), one.clone(), two.clone()];
        let customers = batch(ids.clone()).await.expect("there").into_inner().customers;
        assert!(customers.iter().map(|customer| &customer.customer_id).eq(&ids));
        assert_eq!(customers[0], customers[2], "asked for twice, told twice");
        let unknown = [Uuid::new_v4().to_string(), Uuid::new_v4().to_string()];
        let refused = batch([ids, unknown.to_vec()].concat()).await.expect_err("unknown");
        assert_eq!(told(&refused).0, Code::NotFound);
        assert!(refused.message().contains(&unknown[0]), "names the first: {}", refused.message());
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_update_sets_what_its_mask_names() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let old = create(&services, whole()).await.expect("created");
        let patch =
            Customer { customer_id: old.customer_id.clone(), email: "new@example.com".into(), ..Customer::default() };

        let mailed = update(&services, patch.clone(), None).await.expect("updated");
        assert_eq!((mailed.email.as_str(), mailed.phone.as_str()), ("new@example.com", "+000"));
        assert_ne!(mailed.etag, old.etag);
        assert!(count(&mailed.position) > count(&old.position));

        let same = update(&services, patch.clone(), Some(&["email"])).await.expect("nothing to change");
        assert_eq!(same, mailed, "nothing was written");

        let stale = Customer { etag: old.etag.clone(), ..patch.clone() };
        let refused = update(&services, stale, Some(&["phone"])).await.expect_err("stale");
        assert_eq!((told(&refused).0, told(&refused).1.as_str()), (Code::Aborted, "STALE_ETAG"));

        let cleared = Customer { etag: mailed.etag.clone(), ..patch.clone() };
        let paths = ["phone", "tags", "since", "dimensions", "external_ids"];
        let cleared = update(&services, cleared, Some(&paths)).await.expect("updated");
        assert_eq!((cleared.phone.as_str(), cleared.tags.len(), cleared.external_ids.len()), ("", 0, 0));
        assert_eq!((cleared.since, cleared.dimensions.len()), (None, 0));
        assert_eq!(cleared.display_name, "Customer 1");
        create(&services, customer("c-1")).await.expect("the key is free again");

        let bare = update(&services, patch, Some(&["*"])).await.expect("updated");
        assert_eq!((bare.display_name.as_str(), bare.email.as_str()), ("", "new@example.com"));
        assert_eq!(bare.attributes, Some(Attributes::default()));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_belongs_to_one_customer() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let one = create(&services, customer("c-1")).await.expect("created");
        let two = create(&services, customer("c-2")).await.expect("created");
        let both = Customer { external_ids: vec![key("c-3"), key("c-1")], ..Customer::default() };
        for refused in [
            create(&services, both.clone()).await,
            update(&services, Customer { customer_id: two.customer_id.clone(), ..both }, None).await,
        ] {
            let refused = refused.expect_err("taken");
            assert_eq!((told(&refused).0, told(&refused).1.as_str()), (Code::AlreadyExists, "KEY_TAKEN"));
            assert!(refused.message().contains("c-1"), "{}", refused.message());
        }
        assert_eq!(get(&services, &one.customer_id).await, one);
        assert_eq!(get(&services, &two.customer_id).await, two);
        let third = LookupCustomerRequest { external_id: Some(key("c-3")) };
        services.customers.clone().lookup_customer(third).await.expect_err("not half done");

        let races = (0..10).map(|_| create(&services, customer("c-9")));
        let created = futures_util::future::join_all(races).await;
        assert_eq!(created.iter().filter(|created| created.is_ok()).count(), 1);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_repeated_request_does_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let mut client = services.customers.clone();
        let request = CreateCustomerRequest { customer: Some(whole()), request_id: Uuid::new_v4().to_string() };
        let first = client.create_customer(request.clone()).await.expect("created").into_inner();
        assert_eq!(client.create_customer(request.clone()).await.expect("the same").into_inner(), first);

        let patch = Customer {
            customer_id: first.customer_id.clone(),
            etag: first.etag.clone(),
            phone: "+1".into(),
            ..Default::default()
        };
        let change =
            UpdateCustomerRequest { customer: Some(patch), update_mask: None, request_id: request.request_id.clone() };
        let changed = client.update_customer(change.clone()).await.expect("updated").into_inner();
        assert_eq!(client.update_customer(change).await.expect("the same").into_inner(), changed);
        let again = client.create_customer(request.clone()).await.expect("as it is now").into_inner();
        assert_eq!((again.phone.as_str(), again.position), ("+1", first.position));

        let other = CreateCustomerRequest { customer: Some(customer("c-2")), ..request };
        let refused = client.create_customer(other).await.expect_err("other values");
        assert_eq!(told(&refused).1, "REQUEST_ID_REUSED");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let sample = |n: usize| Customer {
            tags: if n.is_multiple_of(2) { vec!["even".to_owned()] } else { vec![] },
            attributes: Some(Attributes {
                tier: ["gold", "silver", ""][n % 3].to_owned(),
                country: ["MD", "RO"][n % 2].to_owned(),
                segments: ["new", "often"].into_iter().take(n % 3).map(str::to_owned).collect(),
                ..Attributes::default()
            }),
            ..customer(&format!("c-{n}"))
        };
        let creating = (0..30).map(|n| create(&services, sample(n)));
        let created = futures_util::future::join_all(creating).await;
        assert!(created.iter().all(Result::is_ok));

        let all = pages(&services, ListCustomersRequest { page_size: 1_000, ..Default::default() }).await;
        assert_eq!(all.len(), 30);
        let times = all.iter().map(|customer| customer.create_time.map(|at| (at.seconds, at.nanos)));
        assert!(times.is_sorted_by(|one, next| one >= next), "newest first");
        for page_size in [1, 7, 30] {
            let paged = pages(&services, ListCustomersRequest { page_size, ..Default::default() }).await;
            assert_eq!(paged, all, "pages of {page_size}");
        }
        let gold = ListCustomersRequest { tier: "gold".into(), page_size: 4, ..Default::default() };
        let gold = pages(&services, gold).await;
        assert_eq!(gold.len(), 10);
        assert!(gold.iter().all(|customer| customer.attributes.as_ref().is_some_and(|held| held.tier == "gold")));
        let few = ListCustomersRequest {
            tier: "gold".into(),
            country: "MD".into(),
            tag: "even".into(),
            page_size: 2,
            ..Default::default()
        };
        assert_eq!(pages(&services, few).await.len(), 5);

        let of_segment = async |segment: &str, tier: &str| {
            let (segment, tier) = (segment.to_owned(), tier.to_owned());
            pages(&services, ListCustomersRequest { segment, tier, page_size: 3, ..Default::default() }).await
        };
        assert_eq!((of_segment("new", "").await.len(), of_segment("often", "").await.len()), (20, 10));
        assert_eq!((of_segment("often", "gold").await.len(), of_segment("ofte", "").await.len()), (0, 0));
        let left = of_segment("often", "").await.remove(0);
        let attributes = Some(Attributes { segments: vec!["new".to_owned()], ..left.attributes.expect("held") });
        let left = Customer { customer_id: left.customer_id, attributes, ..Customer::default() };
        let request = UpdateCustomerRequest { customer: Some(left), ..Default::default() };
        services.customers.clone().update_customer(request).await.expect("updated");
        assert_eq!((of_segment("new", "").await.len(), of_segment("often", "").await.len()), (20, 9));
        let all = pages(&services, ListCustomersRequest { page_size: 1_000, ..Default::default() }).await;

        let middle = all[15].create_time;
        let since = ListCustomersRequest { created_from: middle, ..Default::default() };
        let until = ListCustomersRequest { created_to: middle, ..Default::default() };
        let (since, until) = (pages(&services, since).await, pages(&services, until).await);
        assert_eq!(since.len() + until.len(), 30);
        assert!(since.contains(&all[15]) && !until.contains(&all[15]));
        services.stop().await;
    })
    .await;
}

/// All pages of a list, none of which holds a customer twice.
async fn pages(services: &Services, mut request: ListCustomersRequest) -> Vec<Customer> {
    let (mut all, mut ids) = (Vec::new(), BTreeSet::new());
    loop {
        let page = services.customers.clone().list_customers(request.clone()).await.expect("a page").into_inner();
        assert!(page.customers.iter().all(|customer| ids.insert(customer.customer_id.clone())));
        all.extend(page.customers);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}
