//! Figures of service against plain recomputation.

use barometer_chassis::clock::Micros;
use barometer_proto::{
    common::v1::Money,
    customers::v1::{self as customers, cost_fact::Basis},
    metrics::v1::Completeness,
};
use proptest::prelude::*;

use super::{DAY, figures, fold, only, query, script::history, twin};
use crate::{
    catalogue::Actions, columns::Facts, query::Query, rules::granularity::Granularity, rules::money::Currency,
};

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-6
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_serving_costs_is_that_of_plain_recomputation(history in history(), flat in any::<bool>()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for group_by in [&["channel"][..], &["team", "tier"], &["segment"], &["area"]] {
            for granularity in [Granularity::All, Granularity::Week] {
                for metric in ["cost_to_serve", "cost_to_serve_per_customer", "cost_per_contact"] {
                    let mut query = query(metric, granularity, group_by);
                    query.parameters.hourly_rate = Currency::parse("CHF").filter(|_| flat).map(|of| (of, 12_345_678));
                    let found = figures(&query, &facts);
                    prop_assert_eq!(twin::shape(&found), model.served(&query), "{} by {:?}", metric, group_by);
                    for measured in found.iter().map(|figure| &figure.measured) {
                        let over = match metric {
                            "cost_to_serve" => 1.0,
                            "cost_per_contact" => measured.counts[0].1,
                            _ => measured.counts[3].1,
                        };
                        let total = measured.amounts.last().map_or(0.0, |(_, micros)| *micros as f64 / 1e6);
                        prop_assert!(measured.value.is_none_or(|value| near(value * over, total)), "{:?}", measured);
                    }
                }
            }
        }
        let whole = figures(&query("cost_to_serve", Granularity::All, &["channel"]), &facts);
        for currency in ["EUR", "USD", ""] {
            let some = figures(&only(query("cost_to_serve", Granularity::All, &["channel"]), "currency", currency, false), &facts);
            let of_currency = |figure: &&super::Figure| figure.group.contains(&("currency".to_owned(), currency.to_owned()));
            let expected: Vec<_> = whole.iter().filter(of_currency).cloned().collect();
            prop_assert_eq!(some, expected, "{}", currency);
        }
    }

    #[test]
    fn payments_are_late_or_not_as_they_say(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for group_by in [&["channel"][..], &["tier"], &["segment", "area"]] {
            for granularity in [Granularity::All, Granularity::Week] {
                let query = query("late_payment_rate", granularity, group_by);
                prop_assert_eq!(twin::shape(&figures(&query, &facts)), model.payments(&query), "{:?}", group_by);
            }
        }
    }

    #[test]
    fn customers_after_complaints_are_those_of_plain_recomputation(history in history(), after in 1_u32..40) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for group_by in [&["tier"][..], &["segment"], &["area", "member"]] {
            for granularity in [Granularity::All, Granularity::Month, Granularity::Week] {
                for metric in ["service_recovery", "spend_after_complaint"] {
                    let mut query = query(metric, granularity, group_by);
                    query.parameters.after_days = after;
                    let found = figures(&query, &facts);
                    prop_assert_eq!(twin::shape(&found), model.recoveries(&query), "{} by {:?}", metric, group_by);
                    let only_solved = figures(&only(query.clone(), "complaint_outcome", "solved", false), &facts);
                    let solved = ("complaint_outcome".to_owned(), "solved".to_owned());
                    let expected: Vec<_> = found.into_iter().filter(|figure| figure.group.contains(&solved)).collect();
                    prop_assert_eq!(only_solved, expected);
                }
            }
        }
    }

    #[test]
    fn what_contacts_bring_is_that_of_plain_recomputation(history in history(), around in 1_u32..15) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for group_by in [&["channel"][..], &["tier"], &["campaign", "member"], &["segment"], &["tier_now", "area"]] {
            for granularity in [Granularity::All, Granularity::Month] {
                for actions in [Actions::Sales, Actions::Contacts, Actions::Visits] {
                    let mut query = query("actions_per_engagement", granularity, group_by);
                    query.parameters.around_days = around;
                    query.parameters.actions = actions;
                    let found = figures(&query, &facts);
                    let (shapes, mut effects) = model.engagements(&query);
                    prop_assert_eq!(twin::shape(&found), shapes, "by {:?}", group_by);
                    for figure in found.iter().filter(|figure| figure.measured.value.is_some()) {
                        let key = (figure.start, twin::sorted(&figure.group));
                        let (mean, error) = effects.remove(&key).expect("an effect");
                        prop_assert!(near(figure.measured.value.expect("a value"), mean), "{:?} {}", figure, mean);
                        let told = figure.measured.statistics.iter().find(|(name, _)| *name == "standard_error");
                        prop_assert_eq!(told.is_some(), error.is_some());
                        prop_assert!(told.is_none_or(|(_, told)| near(*told, error.expect("an error"))), "{:?} {:?}", figure, error);
                    }
                    prop_assert!(effects.is_empty(), "{:?}", effects);
                }
            }
        }
    }

    #[test]
    fn how_alike_channels_are_is_that_of_plain_recomputation(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for group_by in [&["tier"][..], &["segment"], &["tier_now", "member"]] {
            for granularity in [Granularity::All, Granularity::Month] {
                let query = query("channel_consistency", granularity, group_by);
                let found = figures(&query, &facts);
                let (shapes, mut told) = model.consistency(&query);
                prop_assert_eq!(twin::shape(&found), shapes, "by {:?}", group_by);
                for figure in found.iter().filter(|figure| figure.measured.value.is_some()) {
                    let [spread, of_scores] = told.remove(&(figure.start, twin::sorted(&figure.group))).expect("a spread");
                    prop_assert!(near(figure.measured.value.expect("a value"), spread));
                    prop_assert!(near(figure.measured.statistics[0].1, of_scores));
                }
                prop_assert!(told.is_empty());
            }
        }
    }
}

/// Facts of the customers service, each recorded once.
#[derive(Default)]
struct Told {
    facts: Facts,
    number: i64,
}

impl Told {
    fn put(&mut self, id: u128, fact: customers::fact::Fact) {
        self.number += 1;
        let id = uuid::Uuid::from_u128(id).to_string();
        let fact = customers::Fact { id, number: self.number, version: 1, fact: Some(fact), write_time: None };
        self.facts.put_customers(fact).expect("a fact");
    }

    fn customer(&mut self, id: u128) {
        let fact = customers::CustomerFact { since: at(0), create_time: at(0), ..Default::default() };
        self.put(id, customers::fact::Fact::Customer(fact));
    }

    fn contact(&mut self, of: u128, day: i64, direction: i32, minutes: i64) {
        let fact = customers::InteractionFact {
            customer_id: uuid::Uuid::from_u128(of).to_string(),
            time: at(day),
            direction,
            handling_time: Some(prost_types::Duration { seconds: 60 * minutes, nanos: 0 }),
            ..Default::default()
        };
        self.put(0, customers::fact::Fact::Interaction(fact));
    }

    fn sale(&mut self, of: u128, day: i64) {
        let fact = customers::PurchaseFact {
            customer_id: uuid::Uuid::from_u128(of).to_string(),
            time: at(day),
            amount: Some(euros(10)),
            ..Default::default()
        };
        self.put(0, customers::fact::Fact::Purchase(fact));
    }

    fn rate(&mut self, basis: Basis) {
        let fact = customers::CostFact { kind: 2, time: at(0), basis: Some(basis), ..Default::default() };
        self.put(0, customers::fact::Fact::Cost(fact));
    }
}

fn at(day: i64) -> Option<prost_types::Timestamp> {
    Some(Micros(day * DAY).to_wire())
}

fn euros(units: i64) -> Money {
    Money { currency_code: "EUR".to_owned(), units, nanos: 0 }
}

#[test]
fn ten_minutes_at_thirty_an_hour_and_one_a_contact_in_another_currency() {
    let mut told = Told::default();
    told.contact(1, 5, 1, 10);
    let value = |told: &Told| -> Vec<_> {
        let found = figures(&query("cost_to_serve", Granularity::All, &[]), &told.facts);
        found.iter().map(|figure| (figure.group[0].1.clone(), figure.measured.value)).collect()
    };
    assert_eq!(value(&told), [(String::new(), None)], "nobody knows");
    told.rate(Basis::PerHour(euros(30)));
    assert_eq!(value(&told), [("EUR".to_owned(), Some(5.0))]);
    told.rate(Basis::PerItem(euros(1)));
    assert_eq!(value(&told), [("EUR".to_owned(), Some(6.0))]);
    told.rate(Basis::PerItem(Money { currency_code: "CHF".to_owned(), ..euros(2) }));
    assert_eq!(value(&told), [("CHF".to_owned(), Some(2.0)), ("EUR".to_owned(), Some(5.0))], "never added up");
}

/// Of 40 customers who are written to, each buys once more afterwards; of 40 others half do.
#[test]
fn what_letters_bring() {
    let mut told = Told::default();
    for id in 0..80 {
        told.customer(id);
        told.sale(id, 15);
        if id < 40 {
            told.contact(id, 20, 2, 0);
        }
        if id < 40 || id % 2 == 0 {
            told.sale(id, 25);
        }
    }
    let ask = |now: i64| Query { now: now * DAY, ..query("actions_per_engagement", Granularity::All, &[]) };
    let found = figures(&Query { end: Some(22 * DAY), ..ask(40) }, &told.facts).remove(0);
    let measured = &found.measured;
    assert_eq!(measured.counts.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [40.0, 40.0, 40.0, 40.0, 0.0, 0.0]);
    assert!(near(measured.value.expect("an effect"), 0.5));
    // The contacted are all alike; of the others the variance of the mean is 10 / 39 / 40.
    let error = (10.0_f64 / 39.0 / 40.0).sqrt();
    let (limits, _) = measured.interval.expect("limits");
    assert!(near((limits.upper - limits.lower) / 2.0, error * 2.022_690_920_036_762), "{limits:?}");
    assert_eq!(found.completeness, Completeness::Complete);
    // The ten days are not over: nothing can be said yet, and it says so.
    let open = figures(&Query { end: Some(22 * DAY), ..ask(29) }, &told.facts).remove(0);
    assert_eq!((open.measured.value, open.completeness), (None, Completeness::Open));
    assert_eq!(open.measured.counts[5], ("pending", 40.0));
}

#[test]
fn one_contact_at_the_end_of_what_is_known_is_compared_with_nobody() {
    let mut told = Told::default();
    told.customer(1);
    told.contact(1, 20, 2, 0);
    let found = figures(&query("actions_per_engagement", Granularity::All, &[]), &told.facts).remove(0);
    assert_eq!((found.measured.value, found.measured.counts[4]), (None, ("unmatched", 1.0)));
}
