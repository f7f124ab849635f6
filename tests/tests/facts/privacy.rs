//! Personal data and callers' keys stay where they are kept: no watcher ever gets them.

use std::collections::BTreeMap;

use barometer_chassis::{clock::Micros, testing::on_each_database};
use barometer_proto::{
    common::v1::ExternalId,
    complaints::v1::{self as complaints, AnnotateCaseRequest, Case},
    customers::v1::{
        self as customers, AttributeChange, Cost, CreateCustomerRequest, Customer, Interaction, MembershipEvent,
        MembershipEventType, Purchase, PurchaseLine, Referral, SubscriptionEvent, referral,
    },
    surveys::v1::{self as surveys, CreateSurveyRequest, Response, SurveyKind},
};
use barometer_tests::{
    samples::survey,
    services::{Services, is_since},
};
use prost::Message;

use crate::kind::{Fact, World};

/// Stands in every text that is personal, free, or a caller's key.
const MARK: &str = "mark@me";

fn marked() -> String {
    MARK.to_owned()
}

fn key() -> Option<ExternalId> {
    Some(ExternalId { system: marked(), value: marked() })
}

#[tokio::test]
async fn no_watcher_gets_personal_data() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let world = World::new(&services).await;
        let customer = Customer {
            external_ids: key().into_iter().collect(),
            display_name: marked(),
            email: marked(),
            phone: marked(),
            tags: vec![marked()],
            ..Customer::default()
        };
        let request = CreateCustomerRequest { customer: Some(customer), request_id: String::new() };
        services.customers.clone().create_customer(request).await.expect("created");
        let mut asked = survey("asked", SurveyKind::Ces);
        asked.question = BTreeMap::from([("en".to_owned(), marked())]);
        let request = CreateSurveyRequest { survey: Some(asked), request_id: String::new() };
        services.surveys.clone().create_survey(request).await.expect("created");

        let ids = [
            marked_all(&services, &world, |_: &mut AttributeChange| {}).await,
            marked_all(&services, &world, |event: &mut SubscriptionEvent| event.subscription = marked()).await,
            marked_all(&services, &world, |response: &mut Response| response.comment = marked()).await,
            marked_all(&services, &world, |purchase: &mut Purchase| {
                let line = PurchaseLine { product: marked(), voucher: marked(), ..purchase.lines[0].clone() };
                (purchase.lines, purchase.voucher, purchase.return_of) = (vec![line], marked(), key());
            })
            .await,
            marked_all(&services, &world, |interaction: &mut Interaction| {
                (interaction.journey_id, interaction.session_id) = (marked(), marked());
                (interaction.text, interaction.in_answer_to) = (marked(), key());
            })
            .await,
            marked_all(&services, &world, |_: &mut Cost| {}).await,
            marked_all(&services, &world, |event: &mut MembershipEvent| {
                (event.r#type, event.points) = (MembershipEventType::GrantVoucher.into(), 0);
                (event.voucher, event.purchase) = (marked(), key());
            })
            .await,
            marked_all(&services, &world, |referral: &mut Referral| {
                let other = ExternalId { system: marked(), value: format!("{MARK} of another") };
                referral.referred = Some(referral::Referred::ReferredCustomerKey(other));
            })
            .await,
            marked_all(&services, &world, |case: &mut Case| (case.subject, case.description) = (marked(), marked()))
                .await,
        ];
        let [case_id, _] = ids[8].clone();
        let request = AnnotateCaseRequest { case_id, note: marked(), ..Default::default() };
        services.complaints.clone().annotate_case(request).await.expect("annotated");

        let (facts, bytes) = fed(&services).await;
        assert!(ids.iter().flatten().all(|id| facts.contains(id)), "all of it was watched");
        let place = bytes.windows(MARK.len()).position(|window| window == MARK.as_bytes());
        assert!(
            place.is_none(),
            "…{:?}…",
            place.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(80)..at + 20]))
        );
        services.stop().await;
    })
    .await;
}

/// Records two, of which one is withdrawn; the ids of both.
async fn marked_all<F: Fact>(services: &Services, world: &World, mark: impl Fn(&mut F)) -> [String; 2] {
    let mut fact = F::sample(world);
    mark(&mut fact);
    let fact = fact.with_customer_key(MARK);
    let second = fact.clone().record(services, "").await.expect("recorded");
    let first = fact.with_key(MARK).record(services, "").await.expect("recorded");
    F::withdraw(services, second.id(), "", "").await.expect("withdrawn");
    [first.id().to_owned(), second.id().to_owned()]
}

/// The ids of all facts of all services, and all their bytes.
async fn fed(services: &Services) -> (Vec<String>, Vec<u8>) {
    let (mut ids, mut bytes, begun) = (Vec::new(), Vec::new(), Micros::now());
    let request = customers::WatchFactsRequest::default();
    let mut watch = services.customers.clone().watch_facts(request).await.expect("a watch").into_inner();
    loop {
        let batch = watch.message().await.expect("a batch").expect("it goes on");
        bytes.extend(batch.encode_to_vec());
        ids.extend(batch.facts.into_iter().map(|fact| fact.id));
        if batch.caught_up && is_since(begun, batch.read_time) {
            break;
        }
    }
    let request = surveys::WatchFactsRequest::default();
    let mut watch = services.surveys.clone().watch_facts(request).await.expect("a watch").into_inner();
    loop {
        let batch = watch.message().await.expect("a batch").expect("it goes on");
        bytes.extend(batch.encode_to_vec());
        ids.extend(batch.facts.into_iter().map(|fact| fact.id));
        if batch.caught_up && is_since(begun, batch.read_time) {
            break;
        }
    }
    let request = complaints::WatchFactsRequest::default();
    let mut watch = services.complaints.clone().watch_facts(request).await.expect("a watch").into_inner();
    loop {
        let batch = watch.message().await.expect("a batch").expect("it goes on");
        bytes.extend(batch.encode_to_vec());
        ids.extend(batch.facts.into_iter().map(|fact| fact.id));
        if batch.caught_up && is_since(begun, batch.read_time) {
            break;
        }
    }
    (ids, bytes)
}
