//! What only some kinds can do: name two customers, none, be a rate.

use std::slice::from_ref;

use barometer_chassis::testing::on_each_database;
use barometer_proto::customers::v1::{
    Cost, CostKind, ListCostsRequest, ListMembershipEventsRequest, ListReferralsRequest, LookupCustomerRequest,
    MembershipEvent, MembershipEventType, Referral, WatchFactsRequest, cost, fact, referral,
};
use barometer_tests::{
    samples::{cost, eur, hour, key, mask, membership_event, referral},
    services::{Services, told},
};
use tonic::Code;

use crate::kind::{Fact, World};

fn referred(id: &str) -> Option<referral::Referred> {
    Some(referral::Referred::ReferredCustomerId(id.to_owned()))
}

#[tokio::test]
async fn a_referral_names_two_customers() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let world = World::new(&services).await;
        let [first, second] = &world.customers;
        let open = referral(first).record(&services, "").await.expect("recorded");
        assert_eq!((&open.referred, open.join_time), (&None, None));

        // The other one becomes a customer.
        let patch = Referral {
            referral_id: open.referral_id.clone(),
            referred: Some(referral::Referred::ReferredCustomerKey(key("c-2"))),
            join_time: Some(hour(9)),
            ..Referral::default()
        };
        let joined = patch.amend(&services, None, "").await.expect("amended");
        assert_eq!((&joined.referred, joined.join_time), (&referred(second), Some(hour(9))));
        assert_eq!((joined.customer_id(), joined.time), (first.as_str(), Some(hour(1))));

        let list = async |request: ListReferralsRequest| {
            let page = services.loyalty.clone().list_referrals(request).await.expect("a list").into_inner();
            page.referrals.into_iter().map(|referral| referral.referral_id).collect::<Vec<_>>()
        };
        let other = referral(second).record(&services, "").await.expect("recorded");
        let of = |referred_customer_id: &str| ListReferralsRequest {
            referred_customer_id: referred_customer_id.to_owned(),
            ..ListReferralsRequest::default()
        };
        assert_eq!(list(of(second)).await, from_ref(&joined.referral_id));
        assert!(list(of(first)).await.is_empty());
        let joins = |joined| ListReferralsRequest { joined: Some(joined), ..ListReferralsRequest::default() };
        assert_eq!(list(joins(true)).await, from_ref(&joined.referral_id));
        assert_eq!(list(joins(false)).await, from_ref(&other.referral_id));

        // It was a mistake: nobody knows who came.
        let patch = Referral { referral_id: joined.referral_id.clone(), ..Referral::default() };
        let paths = mask(&["referred_customer_id", "join_time"]);
        let again = patch.amend(&services, paths, "").await.expect("amended");
        assert_eq!((again.referred, again.join_time), (None, None));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn nobody_is_recommended_by_itself_however_it_is_named() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let world = World::new(&services).await;
        let [first, _] = &world.customers;
        let by_key = |value: &str| Some(referral::Referred::ReferredCustomerKey(key(value)));
        let new = |value: &str| referral("").with_customer_key(value);
        for (referral, referred) in
            [(referral(first), referred(first)), (referral(first), by_key("c-1")), (new("c-3"), by_key("c-3"))]
        {
            let refused = Referral { referred, ..referral }.record(&services, "").await.expect_err("the same");
            assert_eq!(told(&refused).2, ["referral.referred_customer_id"], "{refused:?}");
        }
        // Of what is refused nobody comes to be: neither of two who are one, nor beside one who is unknown.
        let stranger = Referral { referred: referred("01890a5d-ac96-774b-bcce-b302099a8057"), ..new("c-3") };
        let refused = stranger.record(&services, "").await.expect_err("unknown");
        assert_eq!(refused.code(), Code::NotFound);
        let request = LookupCustomerRequest { external_id: Some(key("c-3")) };
        services.customers.clone().lookup_customer(request).await.expect_err("nobody has that key");

        // Amended, it is no better.
        let known = referral(first).record(&services, "").await.expect("recorded");
        let patch = Referral { referral_id: known.referral_id, referred: by_key("c-1"), ..Referral::default() };
        let refused = patch.amend(&services, None, "").await.expect_err("the same");
        assert_eq!(told(&refused).2, ["referral.referred_customer_id"]);

        // In an import the others are kept.
        let rows = vec![(1, Referral { referred: by_key("c-1"), ..referral(first) }), (2, referral(first))];
        let imported = Referral::import(&services, vec![rows]).await.expect("imported").remove(0);
        let violations = &imported.rejected[0].violations;
        assert_eq!((imported.recorded, imported.rejected[0].row), (1, 1));
        assert_eq!(violations[0].field, "referred_customer_id", "the path begins inside of the row's message");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_cost_may_be_nobodys_and_a_rate() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let world = World::new(&services).await;
        let rate = Cost {
            customer: None,
            kind: CostKind::Contact.into(),
            basis: Some(cost::Basis::PerHour(eur(32))),
            ..cost("")
        };
        let recorded = rate.clone().with_key("rate").record(&services, "").await.expect("recorded");
        assert_eq!((&recorded.customer, &recorded.basis), (&None, &rate.basis));
        let again = rate.with_key("rate").record(&services, "").await.expect("the same");
        assert_eq!(again.cost_id, recorded.cost_id);

        // It turns out to have been a sum, for somebody, spent over some days.
        let patch = Cost {
            cost_id: recorded.cost_id.clone(),
            basis: Some(cost::Basis::Amount(eur(-7))),
            end_time: Some(hour(48)),
            ..cost(&world.customers[1])
        };
        let amended = patch.clone().amend(&services, None, "").await.expect("amended");
        assert_eq!((&amended.basis, amended.end_time), (&patch.basis, Some(hour(48))));
        assert_eq!(amended.customer_id(), world.customers[1]);
        // And nobody's after all.
        let patch = Cost { cost_id: recorded.cost_id, ..Cost::default() };
        let amended = patch.amend(&services, mask(&["customer_id"]), "").await.expect("amended");
        assert_eq!(amended.customer, None);

        let list = async |request: ListCostsRequest| {
            let page = services.costs.clone().list_costs(request).await.expect("a list").into_inner();
            page.costs.into_iter().map(|cost| cost.cost_id).collect::<Vec<_>>()
        };
        let spring =
            Cost { campaign: "spring".to_owned(), kind: CostKind::Programme.into(), ..cost(&world.customers[0]) };
        let spring = spring.record(&services, "").await.expect("recorded").cost_id;
        let of = |kind: CostKind| ListCostsRequest { kind: kind.into(), ..ListCostsRequest::default() };
        assert_eq!(list(of(CostKind::Programme)).await, from_ref(&spring));
        assert_eq!(list(of(CostKind::Acquisition)).await, [amended.cost_id]);
        let of_campaign = ListCostsRequest { campaign: "spring".to_owned(), ..ListCostsRequest::default() };
        assert_eq!(list(of_campaign).await, [spring]);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_events_of_a_voucher_meet_in_the_feed() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let world = World::new(&services).await;
        let voucher = |customer: &str, r#type: MembershipEventType, voucher: &str| MembershipEvent {
            r#type: r#type.into(),
            points: 0,
            voucher: voucher.to_owned(),
            programme: "club".to_owned(),
            ..membership_event(customer)
        };
        let [first, second] = &world.customers;
        for event in [
            voucher(first, MembershipEventType::GrantVoucher, "v-1"),
            voucher(first, MembershipEventType::RedeemVoucher, "v-1"),
            voucher(first, MembershipEventType::GrantVoucher, "v-2"),
            voucher(second, MembershipEventType::GrantVoucher, "v-1"),
            membership_event(second),
        ] {
            event.record(&services, "").await.expect("recorded");
        }
        let request = WatchFactsRequest::default();
        let mut batches = services.customers.clone().watch_facts(request).await.expect("a watch").into_inner();
        let mut vouchers = Vec::new();
        while vouchers.len() < 5 {
            let batch = batches.message().await.expect("a batch").expect("it goes on");
            for fact in batch.facts {
                if let Some(fact::Fact::MembershipEvent(event)) = fact.fact {
                    vouchers.push(event.voucher_id);
                }
            }
        }
        let [one, redeemed, two, of_another, none] = &vouchers[..] else { panic!("{vouchers:?}") };
        assert_eq!(one, redeemed);
        assert!(one != two && one != of_another && none.is_empty(), "{vouchers:?}");

        let of = |programme: &str, r#type: MembershipEventType| ListMembershipEventsRequest {
            programme: programme.to_owned(),
            r#type: r#type.into(),
            ..ListMembershipEventsRequest::default()
        };
        let count = async |request: ListMembershipEventsRequest| {
            let page = services.loyalty.clone().list_membership_events(request).await.expect("a list");
            page.into_inner().membership_events.len()
        };
        assert_eq!(count(of("club", MembershipEventType::Unspecified)).await, 4);
        assert_eq!(count(of("", MembershipEventType::GrantVoucher)).await, 3);
        assert_eq!(count(of("club", MembershipEventType::Earn)).await, 0);
        services.stop().await;
    })
    .await;
}
