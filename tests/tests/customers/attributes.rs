//! Attributes then and now: what was recorded is dated, what holds follows from it.

use barometer_chassis::testing::on_each_database;
use barometer_proto::customers::v1::{
    AmendAttributeChangeRequest, Attribute, AttributeChange, Attributes, Customer, ListAttributeChangesRequest,
    RecordAttributeChangeRequest, UpdateCustomerRequest, WithdrawAttributeChangeRequest, attribute_change,
};
use barometer_tests::{
    samples::{customer, hour, mask},
    services::Services,
};
use prost_types::Timestamp;

use crate::{create, get};

/// The instant before everything.
const EVER: Timestamp = Timestamp { seconds: -62_135_596_800, nanos: 0 };

fn attributes(tier: &str, member: Option<bool>, segments: &[&str]) -> Option<Attributes> {
    let segments = segments.iter().map(ToString::to_string).collect();
    Some(Attributes { tier: tier.to_owned(), member, segments, ..Attributes::default() })
}

async fn held(services: &Services, id: &str) -> Attributes {
    get(services, id).await.attributes.expect("attributes")
}

/// All changes of a customer, the latest first: attribute, value, whether it leaves, time.
async fn changes(services: &Services, id: &str) -> Vec<(Attribute, String, bool, Option<Timestamp>)> {
    let request = ListAttributeChangesRequest { customer_id: id.to_owned(), page_size: 100, ..Default::default() };
    let page = services.customers.clone().list_attribute_changes(request).await.expect("a list").into_inner();
    let change = |change: AttributeChange| (change.attribute(), change.value, change.leaves, change.time);
    page.attribute_changes.into_iter().map(change).collect()
}

async fn record(services: &Services, id: &str, of: Attribute, value: &str, time: Timestamp) -> AttributeChange {
    let change = AttributeChange {
        customer: Some(attribute_change::Customer::CustomerId(id.to_owned())),
        attribute: of.into(),
        value: value.trim_start_matches('-').to_owned(),
        leaves: value.starts_with('-'),
        time: Some(time),
        ..AttributeChange::default()
    };
    let request = RecordAttributeChangeRequest { attribute_change: Some(change), request_id: String::new() };
    services.customers.clone().record_attribute_change(request).await.expect("recorded").into_inner()
}

async fn amend(services: &Services, change: AttributeChange, path: &str) {
    let request = AmendAttributeChangeRequest {
        attribute_change: Some(AttributeChange { etag: String::new(), ..change }),
        update_mask: mask(&[path]),
        request_id: String::new(),
    };
    services.customers.clone().amend_attribute_change(request).await.expect("amended");
}

async fn withdraw(services: &Services, change: &AttributeChange) {
    let request = WithdrawAttributeChangeRequest {
        attribute_change_id: change.attribute_change_id.clone(),
        ..Default::default()
    };
    services.customers.clone().withdraw_attribute_change(request).await.expect("withdrawn");
}

#[tokio::test]
async fn what_is_said_on_creation_holds_from_the_beginning() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        for (key, since, from) in [("c-1", Some(hour(5)), hour(5)), ("c-2", None, EVER)] {
            let new = Customer { since, attributes: attributes("gold", Some(true), &["a"]), ..customer(key) };
            let created = create(&services, new.clone()).await.expect("created");
            assert_eq!(created.attributes, new.attributes);
            let mut changes = changes(&services, &created.customer_id).await;
            changes.sort_unstable_by_key(|change| i32::from(change.0));
            let expected = [
                (Attribute::Tier, "gold".to_owned(), false, Some(from)),
                (Attribute::Segment, "a".to_owned(), false, Some(from)),
                (Attribute::Member, "true".to_owned(), false, Some(from)),
            ];
            assert_eq!(changes, expected);
        }
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_update_is_a_change_of_now() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let new = Customer { attributes: attributes("gold", Some(true), &["a", "b"]), ..customer("c-1") };
        let old = create(&services, new).await.expect("created");
        let patch = Customer {
            customer_id: old.customer_id.clone(),
            attributes: attributes("", None, &["b", "c"]),
            ..Customer::default()
        };
        let request =
            UpdateCustomerRequest { customer: Some(patch), update_mask: mask(&["attributes"]), ..Default::default() };
        let updated = services.customers.clone().update_customer(request.clone()).await.expect("updated").into_inner();
        assert_eq!(updated.attributes, attributes("", None, &["b", "c"]));
        assert_ne!(updated.etag, old.etag, "who knows the old attributes does not know these");

        let new: Vec<_> =
            changes(&services, &old.customer_id).await.into_iter().filter(|change| change.3 != Some(EVER)).collect();
        let mut said: Vec<_> = new.iter().map(|change| (change.0, change.1.as_str(), change.2)).collect();
        said.sort_unstable_by_key(|(of, value, _)| (i32::from(*of), value.to_owned()));
        let expected = [
            (Attribute::Tier, "", false),
            (Attribute::Segment, "a", true),
            (Attribute::Segment, "c", false),
            (Attribute::Member, "", false),
        ];
        assert_eq!(said, expected);
        assert!(new.iter().all(|change| change.3 == updated.update_time), "of the same instant");

        let same = services.customers.clone().update_customer(request).await.expect("nothing new").into_inner();
        assert_eq!(same.etag, updated.etag);
        assert_eq!(changes(&services, &old.customer_id).await.len(), 8);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_holds_now_follows_the_dates() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = create(&services, customer("c-1")).await.expect("created").customer_id;
        let tier = async || held(&services, &id).await.tier;
        let second = record(&services, &id, Attribute::Tier, "silver", hour(20)).await;
        assert_eq!(tier().await, "silver");
        let first = record(&services, &id, Attribute::Tier, "bronze", hour(10)).await;
        assert_eq!(tier().await, "silver", "what came earlier does not hold now");
        let third = record(&services, &id, Attribute::Tier, "gold", hour(30)).await;
        assert_eq!(tier().await, "gold");

        amend(&services, AttributeChange { value: "platinum".into(), ..third.clone() }, "value").await;
        assert_eq!(tier().await, "platinum");
        amend(&services, AttributeChange { time: Some(hour(15)), ..third.clone() }, "time").await;
        assert_eq!(tier().await, "silver", "it was moved to before");
        withdraw(&services, &second).await;
        assert_eq!(tier().await, "platinum");
        amend(&services, AttributeChange { attribute: Attribute::Country.into(), ..third.clone() }, "attribute").await;
        assert_eq!((tier().await, held(&services, &id).await.country), ("bronze".into(), "platinum".into()));
        withdraw(&services, &first).await;
        assert_eq!(tier().await, "");

        let same_instant = record(&services, &id, Attribute::Tier, "one", hour(40)).await;
        record(&services, &id, Attribute::Tier, "two", hour(40)).await;
        assert_eq!(tier().await, "two", "the one recorded later");
        amend(&services, AttributeChange { value: "three".into(), ..same_instant }, "value").await;
        assert_eq!(tier().await, "two", "a correction is not younger than what it corrects");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn segments_are_entered_and_left() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = create(&services, customer("c-1")).await.expect("created").customer_id;
        let segments = async || held(&services, &id).await.segments.join(",");
        record(&services, &id, Attribute::Segment, "a", hour(10)).await;
        record(&services, &id, Attribute::Segment, "b", hour(20)).await;
        let left = record(&services, &id, Attribute::Segment, "-a", hour(30)).await;
        assert_eq!(segments().await, "b");
        record(&services, &id, Attribute::Segment, "-b", hour(15)).await;
        assert_eq!(segments().await, "b", "left before it was entered");
        withdraw(&services, &left).await;
        assert_eq!(segments().await, "a,b");
        record(&services, &id, Attribute::Member, "true", hour(10)).await;
        assert_eq!(held(&services, &id).await.member, Some(true));
        record(&services, &id, Attribute::Member, "", hour(11)).await;
        assert_eq!(held(&services, &id).await.member, None);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_change_that_moves_leaves_one_customer_and_holds_of_the_other() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let one = create(&services, customer("c-1")).await.expect("created").customer_id;
        let two = create(&services, customer("c-2")).await.expect("created").customer_id;
        let change = record(&services, &one, Attribute::Tier, "gold", hour(1)).await;
        let customer = Some(attribute_change::Customer::CustomerId(two.clone()));
        amend(&services, AttributeChange { customer, ..change }, "customer_id").await;
        assert_eq!(
            (held(&services, &one).await.tier, held(&services, &two).await.tier),
            (String::new(), "gold".into())
        );
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn lists_take_one_attribute() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let new = Customer { attributes: attributes("gold", Some(true), &["a", "b"]), ..customer("c-1") };
        let id = create(&services, new).await.expect("created").customer_id;
        for (of, count) in [(Attribute::Tier, 1), (Attribute::Segment, 2), (Attribute::Country, 0)] {
            let request =
                ListAttributeChangesRequest { customer_id: id.clone(), attribute: of.into(), ..Default::default() };
            let page = services.customers.clone().list_attribute_changes(request).await.expect("a list").into_inner();
            assert_eq!(page.attribute_changes.len(), count);
        }
        services.stop().await;
    })
    .await;
}
