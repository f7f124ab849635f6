//! Figures of subscriptions, by hand.

use std::collections::BTreeMap;

use barometer_chassis::clock::Micros;
use barometer_proto::{
    common::v1::Money,
    customers::v1::{self as customers, SubscriptionEventType, fact::Fact},
    metrics::v1 as wire,
};
use uuid::Uuid;

use super::DAY;
use crate::memory::Memory;

/// 2020-06-01T00:00Z.
const JUNE: i64 = 18_414 * DAY;

/// A company and its subscriptions.
struct Company {
    memory: Memory,
    number: i64,
}

impl Company {
    fn new() -> Self {
        Company { memory: Memory::new("UTC").expect("a zone"), number: 0 }
    }

    /// An event of a customer's only subscription, so many days after the first of June; answers its number.
    fn tell(&mut self, customer: u128, of: SubscriptionEventType, day: i64, amount: i64) -> i64 {
        self.number += 1;
        self.write(self.number, 1, event(customer, of, day, amount));
        self.number
    }

    fn write(&mut self, number: i64, version: i64, fact: Fact) {
        let fact = customers::Fact {
            id: Uuid::from_u128(number.unsigned_abs().into()).to_string(),
            number,
            version,
            fact: Some(fact),
            ..Default::default()
        };
        self.memory.put_customers(fact).expect("readable");
    }

    fn start(&mut self, customer: u128, day: i64, amount: i64) -> i64 {
        self.tell(customer, SubscriptionEventType::Start, day, amount)
    }

    fn change(&mut self, customer: u128, day: i64, amount: i64) -> i64 {
        self.tell(customer, SubscriptionEventType::Change, day, amount)
    }

    fn cancel(&mut self, customer: u128, day: i64) -> i64 {
        self.tell(customer, SubscriptionEventType::Cancel, day, 0)
    }

    /// The row of a metric for June.
    fn june(&self, metric: &str, parameters: &[(&str, &str)]) -> wire::Row {
        let mut rows = self.query(metric, parameters, JUNE, JUNE + 30 * DAY, wire::Granularity::Unspecified);
        assert_eq!(rows.len(), 1, "{metric}");
        rows.remove(0)
    }

    fn value(&self, metric: &str, parameters: &[(&str, &str)]) -> Option<f64> {
        self.june(metric, parameters).value
    }

    fn query(
        &self,
        metric: &str,
        parameters: &[(&str, &str)],
        start: i64,
        end: i64,
        granularity: wire::Granularity,
    ) -> Vec<wire::Row> {
        let request = wire::QueryMetricsRequest {
            metrics: vec![metric.to_owned()],
            start_time: Some(Micros(start).to_wire()),
            end_time: Some(Micros(end).to_wire()),
            granularity: granularity.into(),
            parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..Default::default()
        };
        self.memory.query(request).expect("figures").remove(0).rows
    }
}

fn event(customer: u128, of: SubscriptionEventType, day: i64, amount: i64) -> Fact {
    let at = Some(Micros(JUNE + day * DAY).to_wire());
    let currency = if customer >= 1_000 { "USD" } else { "EUR" };
    let money = Money { currency_code: currency.to_owned(), units: amount, nanos: 0 };
    Fact::SubscriptionEvent(customers::SubscriptionEventFact {
        customer_id: Uuid::from_u128(customer).to_string(),
        subscription_id: Uuid::from_u128(5_000 + customer).to_string(),
        r#type: of.into(),
        time: at,
        effective_time: at,
        monthly_amount: (of != SubscriptionEventType::Cancel).then_some(money),
        ..Default::default()
    })
}

fn amounts(row: &wire::Row) -> BTreeMap<&str, i64> {
    row.amounts.iter().map(|(name, money)| (name.as_str(), money.units)).collect()
}

/// 100 customers at the start; 12 departures, one by a customer who came back and one by one who had joined.
#[test]
fn churn_by_each_of_its_definitions() {
    let mut company = Company::new();
    (0..100).for_each(|customer| {
        company.start(customer, -9, 5);
    });
    (0..11).for_each(|customer| {
        company.cancel(customer, 12);
    });
    company.start(10, 20, 5);
    company.start(100, 3, 5);
    company.cancel(100, 20);
    let row = company.june("contract_churn_rate", &[]);
    let counts = [("active_at_start", 100.0), ("churned", 10.0), ("retained", 90.0), ("joined", 1.0)];
    for (name, count) in counts.into_iter().chain([("joined_and_left", 1.0), ("departures", 12.0)]) {
        assert_eq!(row.counts[name], count, "{name}");
    }
    let rate = |definition| company.value("contract_churn_rate", &[("definition", definition)]);
    assert_eq!(rate("churn_standard"), Some(10.0));
    assert_eq!(rate("churn_all_departures"), Some(12.0));
    assert_eq!(rate("churn_over_start_plus_new"), Some(100.0 * 11.0 / 101.0));
    // One had joined when the 11 left, and there were 91 when that one did: of those who left one was back.
    let daily = 100.0 * (11.0 / 101.0 + 1.0 / 90.0);
    assert!((rate("churn_daily_sum").expect("a rate") - daily).abs() < 1e-12, "{:?} {daily}", rate("churn_daily_sum"));
    assert_eq!(company.value("contract_retention_rate", &[]), Some(90.0));
    let kept = company.value("contract_retention_rate", &[("definition", "churn_all_departures")]);
    assert_eq!(kept, Some(88.0));
    let has_interval =
        |definition| company.june("contract_churn_rate", &[("definition", definition)]).interval.is_some();
    assert!(has_interval("churn_standard") && has_interval("churn_over_start_plus_new"));
    assert!(!has_interval("churn_all_departures") && !has_interval("churn_daily_sum"));
    let ended = company.june("subscriptions_ended", &[]);
    assert_eq!((ended.counts["ended"], ended.counts["last_of_customer"]), (12.0, 12.0));
}

/// 100 at the start, 10 churned, 10 of contraction, 10 of expansion.
#[test]
fn revenue_and_what_was_kept_of_it() {
    let mut company = Company::new();
    [(1, 10), (2, 30), (3, 20), (4, 40)].into_iter().for_each(|(who, amount)| {
        company.start(who, -9, amount);
    });
    company.cancel(1, 5);
    company.change(2, 6, 20);
    company.change(3, 7, 30);
    let row = company.june("mrr_movement", &[]);
    assert_eq!((row.value, row.group["currency"].as_str()), (Some(-10.0), "EUR"));
    let told = [("start", 100), ("new", 0), ("churn", 10), ("reactivation", 0), ("expansion", 10), ("contraction", 10)];
    assert_eq!(amounts(&row), told.into_iter().chain([("end", 90)]).collect());
    assert_eq!((row.counts["paying_at_start"], row.counts["churned"], row.counts["paying_at_end"]), (4.0, 1.0, 3.0));
    for (metric, value) in [
        ("mrr", 90.0),
        ("gross_revenue_churn", 20.0),
        ("net_revenue_churn", 10.0),
        ("gross_revenue_retention", 80.0),
        ("net_revenue_retention", 90.0),
        ("mrr_quick_ratio", 0.5),
        ("subscribers", 3.0),
    ] {
        assert_eq!(company.value(metric, &[]), Some(value), "{metric}");
    }
    // Who is back counts for net churn, and neither as new nor for what was kept.
    company.start(5, -200, 7);
    company.cancel(5, -100);
    company.start(5, 9, 5);
    let row = company.june("mrr_movement", &[]);
    assert_eq!((amounts(&row)["reactivation"], row.counts["reactivated"], row.counts["began"]), (5, 1.0, 0.0));
    assert_eq!(company.value("net_revenue_churn", &[]), Some(5.0));
    assert_eq!(company.value("net_revenue_retention", &[]), Some(90.0));
    assert_eq!(company.value("mrr_quick_ratio", &[]), Some(0.5));
}

#[test]
fn currencies_never_meet() {
    let mut company = Company::new();
    [(1, 10), (2, 30), (1_001, 100), (1_002, 50)].into_iter().for_each(|(who, of)| {
        company.start(who, -9, of);
    });
    company.cancel(1, 5);
    company.change(1_001, 6, 150);
    let rows = |metric| company.query(metric, &[], JUNE, JUNE + 30 * DAY, wire::Granularity::Unspecified);
    let values = |metric| rows(metric).iter().map(|row| (row.group["currency"].clone(), row.value)).collect::<Vec<_>>();
    let told = |eur, usd| vec![("EUR".to_owned(), eur), ("USD".to_owned(), usd)];
    assert_eq!(values("mrr"), told(Some(30.0), Some(200.0)));
    assert_eq!(values("gross_revenue_churn"), told(Some(25.0), Some(0.0)));
    assert_eq!(values("net_revenue_retention"), told(Some(75.0), Some(100.0 * 200.0 / 150.0)));
    assert_eq!(values("mrr_quick_ratio"), told(Some(0.0), None));
    // Who moves to the other pays nothing in the first, and is new in the second.
    let mut moved = event(2, SubscriptionEventType::Change, 8, 40);
    let Fact::SubscriptionEvent(of) = &mut moved else { unreachable!() };
    of.monthly_amount.iter_mut().for_each(|money| money.currency_code = "USD".to_owned());
    company.write(90, 1, moved);
    let rows = company.query("mrr_movement", &[], JUNE, JUNE + 30 * DAY, wire::Granularity::Unspecified);
    assert_eq!((amounts(&rows[0])["churn"], amounts(&rows[1])["new"]), (40, 40));
    let churn = company.june("contract_churn_rate", &[]);
    assert_eq!((churn.counts["active_at_start"], churn.counts["churned"]), (4.0, 1.0), "a customer all the same");
}

#[test]
fn what_happens_with_the_first_instant_of_a_month_happens_in_it() {
    let mut company = Company::new();
    company.start(1, 0, 5);
    company.cancel(1, 30);
    company.start(2, -40, 5);
    let rows = |metric| company.query(metric, &[], JUNE - 31 * DAY, JUNE + 61 * DAY, wire::Granularity::Month);
    let told = |metric, name: &str| rows(metric).iter().map(|row| row.counts[name]).collect::<Vec<_>>();
    assert_eq!(told("subscribers", "subscribers"), [1.0, 2.0, 1.0]);
    assert_eq!(told("contract_churn_rate", "joined"), [0.0, 1.0, 0.0]);
    assert_eq!(told("contract_churn_rate", "churned"), [0.0, 0.0, 1.0]);
    assert_eq!(told("subscriptions_ended", "ended"), [0.0, 0.0, 1.0]);
    assert_eq!(told("mrr_movement", "began"), [0.0, 1.0, 0.0]);
    assert_eq!(told("mrr_movement", "churned"), [0.0, 0.0, 1.0]);
}

#[test]
fn a_cancellation_is_none_before_it_takes_effect_or_after_it_was_withdrawn() {
    let mut company = Company::new();
    company.start(1, -9, 5);
    // Agreed in June, it takes effect in the far future.
    let mut later = event(1, SubscriptionEventType::Cancel, 10, 0);
    let Fact::SubscriptionEvent(of) = &mut later else { unreachable!() };
    of.effective_time = Some(Micros(JUNE + 40_000 * DAY).to_wire());
    company.write(80, 1, later);
    let far = JUNE + 50_000 * DAY;
    let churned = |company: &Company| {
        let rows = company.query("contract_churn_rate", &[], JUNE, far, wire::Granularity::Unspecified);
        (rows[0].counts["churned"], rows[0].partial)
    };
    assert_eq!(churned(&company), (0.0, true));
    let rows = company.query("subscriptions_ended", &[], JUNE, far, wire::Granularity::Unspecified);
    assert_eq!(rows[0].counts["ended"], 0.0);
    // Amended to take effect in June.
    company.write(80, 2, event(1, SubscriptionEventType::Cancel, 10, 0));
    assert_eq!(churned(&company).0, 1.0);
    assert_eq!(company.value("contract_churn_rate", &[]), Some(100.0));
    let end = customers::Tombstone { kind: customers::FactKind::SubscriptionEvent.into() };
    company.write(80, 3, Fact::Tombstone(end));
    assert_eq!(company.value("contract_churn_rate", &[]), Some(0.0));
}

#[test]
fn without_an_end_what_took_effect_after_the_last_event_was_agreed_is_told_too() {
    let mut company = Company::new();
    company.start(1, -9, 5);
    let mut later = event(1, SubscriptionEventType::Cancel, 0, 0);
    let Fact::SubscriptionEvent(of) = &mut later else { unreachable!() };
    of.effective_time = Some(Micros(JUNE + 40 * DAY).to_wire());
    company.write(80, 1, later);
    let request = wire::QueryMetricsRequest {
        metrics: vec!["subscriptions_ended".to_owned()],
        granularity: wire::Granularity::Month.into(),
        ..Default::default()
    };
    let rows = company.memory.query(request).expect("figures").remove(0).rows;
    assert_eq!((rows[0].label.as_str(), rows[0].counts["ended"]), ("2020-07", 1.0));
}

#[test]
fn of_two_events_that_take_effect_at_once_that_agreed_later_is_the_last() {
    let mut company = Company::new();
    // Told first, agreed last.
    for (agreed, of) in [(3, SubscriptionEventType::Cancel), (2, SubscriptionEventType::Start)] {
        let mut fact = event(1, of, agreed, 5);
        let Fact::SubscriptionEvent(of) = &mut fact else { unreachable!() };
        of.effective_time = Some(Micros(JUNE + 9 * DAY).to_wire());
        company.number += 1;
        company.write(company.number, 1, fact);
    }
    company.start(1, -9, 5);
    assert_eq!(company.value("contract_churn_rate", &[]), Some(100.0));
}

#[test]
fn nobody_everybody_and_one() {
    let mut company = Company::new();
    let metrics = ["contract_churn_rate", "gross_revenue_churn", "mrr_quick_ratio", "subscribers", "mrr"];
    for metric in metrics {
        assert_eq!(company.value(metric, &[]), None, "{metric}");
    }
    company.start(1, -9, 5);
    company.cancel(1, 5);
    let values = metrics.map(|metric| company.value(metric, &[]));
    assert_eq!(values, [Some(100.0), Some(100.0), Some(0.0), Some(0.0), Some(0.0)]);
}
