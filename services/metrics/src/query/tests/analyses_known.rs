//! Cohorts and curves whose numbers are known: published ones, and hard cases of calendars and lives.

use barometer_chassis::clock::Micros;
use barometer_proto::{
    common::v1::Money,
    customers::v1::{
        Attribute, AttributeChangeFact, CustomerFact, Fact, PurchaseFact, SubscriptionEventFact, SubscriptionEventType,
        fact::Fact as Of,
    },
    metrics::v1::{
        Activity, Beginning, Filter, Granularity, QueryRetentionRequest, QuerySurvivalRequest, Scope,
        query_survival_request::Ending,
    },
};
use uuid::Uuid;

use super::{
    analyses::{cohorts_at, curves_at},
    script::DAY,
};
use crate::{
    analysis::survival::{Curve, Fall},
    columns::Facts,
};

const WEEK: i64 = 7 * DAY;

/// Facts as they come.
#[derive(Default)]
struct Log {
    facts: Facts,
    number: i64,
}

impl Log {
    fn put(&mut self, id: String, fact: Of) {
        self.number += 1;
        let id = if id.is_empty() { Uuid::from_u128(self.number.unsigned_abs().into()).to_string() } else { id };
        let fact = Fact { id, number: self.number, version: 1, fact: Some(fact), ..Default::default() };
        self.facts.put_customers(fact).expect("readable");
    }

    fn customer(&mut self, customer: u128, tier: &str) {
        self.put(
            id(customer),
            Of::Customer(CustomerFact { create_time: Some(Micros(0).to_wire()), ..Default::default() }),
        );
        let (attribute, value) = (Attribute::Tier.into(), tier.to_owned());
        let time = Some(Micros(0).to_wire());
        self.put(
            String::new(),
            Of::AttributeChange(AttributeChangeFact {
                customer_id: id(customer),
                time,
                attribute,
                value,
                ..Default::default()
            }),
        );
    }

    fn sale(&mut self, customer: u128, at: i64, units: i64, currency: &str) {
        let amount = Some(Money { currency_code: currency.to_owned(), units, nanos: 0 });
        let time = Some(Micros(at).to_wire());
        self.put(
            String::new(),
            Of::Purchase(PurchaseFact { customer_id: id(customer), time, amount, ..Default::default() }),
        );
    }

    fn sales(&mut self, customer: u128, times: &[&str]) {
        times.iter().for_each(|time| self.sale(customer, instant(time), 1, "EUR"));
    }

    fn subscription(&mut self, customer: u128, which: u128, at: i64, end: Option<(&str, Option<bool>)>) {
        let r#type = if end.is_some() { SubscriptionEventType::Cancel } else { SubscriptionEventType::Start };
        let event = SubscriptionEventFact {
            customer_id: id(customer),
            subscription_id: id(which),
            r#type: r#type.into(),
            time: Some(Micros(at).to_wire()),
            effective_time: Some(Micros(at).to_wire()),
            monthly_amount: end.is_none().then(|| Money { currency_code: "EUR".to_owned(), units: 9, nanos: 0 }),
            reason: end.map(|(reason, _)| reason.to_owned()).unwrap_or_default(),
            voluntary: end.and_then(|(_, voluntary)| voluntary),
            ..Default::default()
        };
        self.put(String::new(), Of::SubscriptionEvent(event));
    }

    /// Cohorts by label: customers, and who came again in the first periods.
    fn cohorts(&self, now: &str, request: QueryRetentionRequest, zone: &str) -> Vec<(String, u64, Vec<u64>)> {
        let scope = Scope { time_zone: zone.to_owned(), ..request.scope.clone().unwrap_or_default() };
        let request = QueryRetentionRequest { scope: Some(scope), ..request };
        let told = cohorts_at(instant(now), &request, &self.facts, 0).cohorts.into_iter().map(|cohort| {
            let cells = cohort.cells.iter().map(|cell| cell.counted.expect("told").retained).collect();
            (cohort.label, cohort.customers.expect("told"), cells)
        });
        told.collect()
    }
}

fn id(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

fn instant(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().expect("an instant").as_microsecond()
}

fn every(granularity: Granularity, periods: i32) -> QueryRetentionRequest {
    QueryRetentionRequest { granularity: granularity.into(), periods, ..Default::default() }
}

fn at(curve: &Curve, days: i64) -> Fall {
    let steps = &curve.told.as_ref().expect("told").steps;
    let time = u64::try_from(days * DAY).expect("later");
    *steps.iter().rfind(|step| step.time <= time).expect("a step")
}

#[test]
fn published_remissions_as_contracts() {
    let with = [
        (6, true),
        (6, true),
        (6, true),
        (6, false),
        (7, true),
        (9, false),
        (10, true),
        (10, false),
        (11, false),
        (13, true),
        (16, true),
        (17, false),
        (19, false),
        (20, false),
        (22, true),
        (23, true),
        (25, false),
        (32, false),
        (32, false),
        (34, false),
        (35, false),
    ];
    let without = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23].map(|weeks| (weeks, true));
    let mut log = Log::default();
    let now = 60 * WEEK;
    let patients = with.iter().map(|life| ("with", life)).chain(without.iter().map(|life| ("without", life)));
    for ((group, (weeks, ended)), number) in patients.zip(1_u128..) {
        log.customer(number, group);
        // Who is still there began that long ago.
        let start = if *ended { 3 * WEEK } else { now - weeks * WEEK };
        log.subscription(number, 100 + number, start, None);
        if *ended {
            log.subscription(number, 100 + number, start + weeks * WEEK, Some(("", None)));
        }
    }
    let request = QuerySurvivalRequest {
        beginning: Beginning::FirstSubscription.into(),
        ending: Ending::Contract.into(),
        group_by: vec!["tier".to_owned()],
        ..Default::default()
    };
    let told = curves_at(now, &request, &log.facts, 0);
    for (weeks, share, low, high) in [(6, 0.857_143, 0.619_718, 0.951_552), (23, 0.448_179, 0.188_052, 0.680_143)] {
        let step = at(&told.curves[0], 7 * weeks);
        let limits = step.interval.expect("an interval");
        assert!((step.survival - share).abs() < 5e-7, "{step:?}");
        assert!((limits.lower - low).abs() < 5e-7 && (limits.upper - high).abs() < 5e-7, "{limits:?}");
    }
    let weeks = |time: Option<u64>| time.map(|time| i64::try_from(time).expect("small") / WEEK);
    let medians = told.curves.iter().map(|curve| weeks(curve.told.as_ref().expect("told").median)).collect::<Vec<_>>();
    assert_eq!(medians, [Some(23), Some(8)]);
    let test = told.test.expect("a test");
    assert!((test.statistic - 16.793).abs() < 5e-4 && (test.p_value - 4.17e-5).abs() < 5e-8, "{test:?}");
    assert!((test.groups[0].expected - 19.25).abs() < 5e-3 && test.groups[0].observed == 9, "{test:?}");
}

#[test]
fn only_the_ends_that_are_asked_for_are_events() {
    let mut log = Log::default();
    let ends = [("price", Some(true)), ("price", Some(false)), ("service", Some(true)), ("", None)];
    for (number, end) in (1..).zip(ends) {
        log.customer(number, "");
        log.subscription(number, 100 + number, 0, None);
        log.subscription(number, 100 + number, 10 * DAY, Some(end));
    }
    // Of two that end at once one is for another reason; and one that ends first is no end.
    log.customer(9, "");
    log.subscription(9, 109, 0, None);
    log.subscription(9, 110, 0, None);
    log.subscription(9, 111, 0, None);
    log.subscription(9, 109, 10 * DAY, Some(("other", None)));
    log.subscription(9, 110, 10 * DAY, Some(("moved", None)));
    log.subscription(9, 111, 5 * DAY, Some(("price", Some(true))));
    let events = |reasons: &[&str], voluntary: Option<bool>| {
        let request = QuerySurvivalRequest {
            beginning: Beginning::FirstSubscription.into(),
            ending: Ending::Contract.into(),
            reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
            voluntary,
            ..Default::default()
        };
        let curves = curves_at(60 * DAY, &request, &log.facts, 0).curves;
        let told = curves[0].told.as_ref().expect("told");
        (told.customers, told.events, told.until / DAY.unsigned_abs())
    };
    assert_eq!(events(&[], None), (5, 5, 10));
    assert_eq!(events(&["price"], None), (5, 2, 10));
    assert_eq!(events(&["price", "service"], Some(true)), (5, 2, 10));
    assert_eq!(events(&[], Some(false)), (5, 1, 10));
    assert_eq!(events(&["moved"], None), (5, 1, 10));
    assert_eq!(events(&["", "nonsense"], None), (5, 1, 10));
    assert_eq!(events(&["nonsense"], None), (5, 0, 10));
}

#[test]
fn who_goes_for_one_reason_goes_for_no_other() {
    let mut log = Log::default();
    // Of five, one goes for price on the first day, one for service on the second, one stays until the third, when it is watched
    // no more, one goes on the fourth for nothing that is known, and one stays.
    let lives = [(1, Some("price")), (2, Some("service")), (3, None), (4, Some("")), (5, None)];
    for (number, (days, reason)) in (1..).zip(lives) {
        log.customer(number, "");
        let start = if reason.is_some() { 0 } else { (100 - days) * DAY };
        log.subscription(number, 100 + number, start, None);
        if let Some(reason) = reason {
            log.subscription(number, 100 + number, start + days * DAY, Some((reason, None)));
        }
    }
    let request = QuerySurvivalRequest {
        beginning: Beginning::FirstSubscription.into(),
        ending: Ending::Contract.into(),
        by_reason: true,
        ..Default::default()
    };
    let told = |log: &Log, request: &QuerySurvivalRequest| {
        let curves = curves_at(100 * DAY, request, &log.facts, 0).curves;
        let reasons = curves[0].told.as_ref().expect("told").reasons.clone();
        let shares = |of: &crate::analysis::reasons::OfReason| {
            of.steps.iter().map(|step| (step.time / DAY.unsigned_abs(), (1e6 * step.share).round())).collect::<Vec<_>>()
        };
        reasons.iter().map(|of| (of.reason.clone(), of.events, shares(of))).collect::<Vec<_>>()
    };
    let expected = [("price", 1, (1, 200_000.0)), ("service", 1, (2, 200_000.0)), ("", 1, (4, 300_000.0))];
    let expected = expected.map(|(reason, events, share)| (reason.to_owned(), events, vec![share]));
    assert_eq!(told(&log, &request), expected);
    assert_eq!(told(&log, &QuerySurvivalRequest { by_reason: false, ..request.clone() }), []);
    // Of two that end at once it is the first by name, and none only without any other.
    log.subscription(1, 900, 0, None);
    log.subscription(1, 900, DAY, Some(("a move", None)));
    assert_eq!(told(&log, &request)[0].0, "a move");
    log.subscription(4, 901, 0, None);
    log.subscription(4, 901, 4 * DAY, Some(("zeal", None)));
    assert_eq!(told(&log, &request)[2].0, "zeal");
}

#[test]
fn all_are_lost_none_is_lost_and_one_alone() {
    let mut log = Log::default();
    log.customer(1, "");
    log.sale(1, 0, 5, "EUR");
    let request = QuerySurvivalRequest { inactivity_days: 10, ..Default::default() };
    let told = |log: &Log, day: i64| {
        let curves = curves_at(day * DAY, &request, &log.facts, 0);
        assert_eq!(curves.test, None);
        let told = curves.curves[0].told.clone().expect("told");
        (told.events, told.median.map(|median| median / DAY.unsigned_abs()), told.steps.len(), told.restricted_mean)
    };
    let days = |days: i64| Some((days * DAY) as f64);
    assert_eq!(told(&log, 9), (0, None, 0, days(9)));
    assert_eq!(told(&log, 10), (0, None, 0, days(10)), "gone from the end of the tenth day on");
    assert_eq!(told(&log, 11), (1, Some(10), 1, days(10)));
    // At the very end of these days it is there still; a return keeps nobody.
    log.sale(1, 10 * DAY, 0, "USD");
    log.sale(1, 19 * DAY, -5, "EUR");
    assert_eq!(told(&log, 20), (0, None, 0, days(20)));
    assert_eq!(told(&log, 21), (1, Some(20), 1, days(20)));
    // What came late, and what has not happened yet.
    log.sale(1, 5 * DAY, 5, "EUR");
    log.sale(1, 40 * DAY, 5, "EUR");
    assert_eq!(told(&log, 21), (1, Some(20), 1, days(20)));
    assert_eq!(told(&log, 60), (1, Some(20), 1, days(20)), "who comes back was gone");
}

#[test]
fn many_steps_are_thinned_and_each_is_exact() {
    let mut log = Log::default();
    for customer in 0..3_000 {
        log.customer(customer, "");
        log.sale(customer, 0, 1, "EUR");
        log.sale(customer, DAY + i64::try_from(customer).expect("small"), 1, "EUR");
    }
    let request = QuerySurvivalRequest { ending: Ending::SecondPurchase.into(), ..Default::default() };
    let curves = curves_at(9 * DAY, &request, &log.facts, 0).curves;
    let told = curves[0].told.as_ref().expect("told");
    // All within one of a thousand stretches.
    assert_eq!((told.steps.len(), told.events, told.steps[0].events), (1, 3_000, 3_000));
    assert_eq!((told.steps[0].time, told.steps[0].survival), (DAY.unsigned_abs() + 2_999, 0.0));
    let mut log = Log::default();
    for customer in 0..3_000 {
        log.customer(customer, "");
        log.sale(customer, 0, 1, "EUR");
        log.sale(customer, DAY * (1 + i64::try_from(customer).expect("small")), 1, "EUR");
    }
    let curves = curves_at(4_000 * DAY, &request, &log.facts, 0).curves;
    let told = curves[0].told.as_ref().expect("told");
    assert_eq!((told.steps.len(), told.steps.iter().map(|step| step.events).sum::<u64>()), (1_000, 3_000));
    for step in &told.steps {
        let share = 1.0 - (step.time / DAY.unsigned_abs()) as f64 / 3_000.0;
        assert!((step.survival - share).abs() < 1e-9, "{step:?}");
    }
    let short = curves_at(4_000 * DAY, &QuerySurvivalRequest { max_days: 500, ..request }, &log.facts, 0).curves;
    let told = short[0].told.as_ref().expect("told");
    assert_eq!((told.steps.len(), told.until, told.events), (500, 500 * DAY.unsigned_abs(), 3_000));
}

#[test]
fn periods_are_those_of_the_calendar_where_clocks_change() {
    let mut log = Log::default();
    // The days of Berlin on which clocks change: of 23 hours, and of 25.
    log.sales(1, &["2024-03-30T22:30:00Z", "2024-03-31T21:30:00Z", "2024-03-31T22:30:00Z"]);
    log.sales(2, &["2024-10-26T22:30:00Z", "2024-10-27T22:30:00Z", "2024-10-27T23:30:00Z"]);
    let days = log.cohorts("2025-01-01T00:00:00Z", every(Granularity::Day, 3), "Europe/Berlin");
    let expected = [("2024-03-30", 1, vec![1, 1, 1]), ("2024-10-27", 1, vec![1, 1, 0])];
    assert_eq!(days, expected.map(|(label, size, cells)| (label.to_owned(), size, cells)));
    // Days of 24 hours do not mind.
    let rolling = QueryRetentionRequest { rolling_days: 1, ..every(Granularity::Day, 3) };
    let days = log.cohorts("2025-01-01T00:00:00Z", rolling, "Europe/Berlin");
    assert_eq!(days.iter().map(|cohort| cohort.2.clone()).collect::<Vec<_>>(), [[1, 1, 0], [1, 1, 0]]);
    // A day that never was is no period.
    let mut log = Log::default();
    log.sales(1, &["2011-12-30T09:00:00Z", "2011-12-30T11:00:00Z"]);
    let days = log.cohorts("2012-02-01T00:00:00Z", every(Granularity::Day, 2), "Pacific/Apia");
    assert_eq!(days, [("2011-12-29".to_owned(), 1, vec![1, 1])]);
}

#[test]
fn leap_days_and_week_53_are_periods_as_any() {
    let mut log = Log::default();
    log.sales(1, &["2024-02-28T12:00:00Z", "2024-02-29T12:00:00Z", "2024-03-01T12:00:00Z"]);
    let days = log.cohorts("2024-05-01T00:00:00Z", every(Granularity::Day, 4), "");
    assert_eq!(days, [("2024-02-28".to_owned(), 1, vec![1, 1, 1, 0])]);
    let mut log = Log::default();
    log.sales(1, &["2020-12-28T00:00:00Z", "2021-01-03T23:59:59Z", "2021-01-04T00:00:00Z", "2021-01-11T00:00:00Z"]);
    log.sales(2, &["2020-12-27T23:59:59Z", "2021-01-04T00:00:00Z"]);
    let weeks = log.cohorts("2021-05-01T00:00:00Z", every(Granularity::Week, 3), "");
    let expected = [("2020-W52", 1, vec![1, 0, 1]), ("2020-W53", 1, vec![1, 1, 1])];
    assert_eq!(weeks, expected.map(|(label, size, cells)| (label.to_owned(), size, cells)));
}

#[test]
fn what_is_not_over_is_marked_and_in_no_average() {
    let mut log = Log::default();
    log.sales(1, &["2024-01-31T00:00:00Z", "2024-02-01T00:00:00Z"]);
    log.sales(2, &["2024-02-10T00:00:00Z"]);
    let unfinished = |now: &str| {
        let told = cohorts_at(instant(now), &every(Granularity::Month, 3), &log.facts, 0);
        let of = |cells: &[crate::analysis::retention::Cell]| {
            cells
                .iter()
                .map(|cell| cell.counted.expect("told"))
                .map(|cell| (cell.size, cell.unfinished))
                .collect::<Vec<_>>()
        };
        (told.cohorts.iter().map(|cohort| of(&cohort.cells)).collect::<Vec<_>>(), of(&told.averages[0].cells))
    };
    let (cohorts, averages) = unfinished("2024-03-01T00:00:00Z");
    assert_eq!(cohorts, [[(1, 0), (1, 0), (1, 1)], [(1, 0), (1, 1), (1, 1)]]);
    assert_eq!(averages, [(2, 0), (1, 0), (0, 0)]);
    let (cohorts, _) = unfinished("2024-02-29T23:59:59.999999Z");
    assert_eq!(cohorts, [[(1, 0), (1, 1), (1, 1)], [(1, 1), (1, 1), (1, 1)]]);
}

#[test]
fn a_customer_in_two_currencies_is_one() {
    let mut log = Log::default();
    log.sale(1, instant("2024-01-05T00:00:00Z"), 1, "EUR");
    log.sale(1, instant("2024-02-05T00:00:00Z"), 1, "USD");
    log.sale(2, instant("2024-01-05T00:00:00Z"), 1, "USD");
    let months = log.cohorts("2024-06-01T00:00:00Z", every(Granularity::Month, 2), "");
    assert_eq!(months, [("2024-01".to_owned(), 2, vec![2, 1])]);
    // It is the first sale that a condition is on.
    let filters = vec![Filter { dimension: "currency".to_owned(), values: vec!["USD".to_owned()], exclude: false }];
    let of_dollars =
        QueryRetentionRequest { scope: Some(Scope { filters, ..Scope::default() }), ..every(Granularity::Month, 2) };
    assert_eq!(log.cohorts("2024-06-01T00:00:00Z", of_dollars, ""), [("2024-01".to_owned(), 1, vec![1, 0])]);
    let by = QueryRetentionRequest { group_by: vec!["currency".to_owned()], ..every(Granularity::Month, 2) };
    let sizes: Vec<_> =
        log.cohorts("2024-06-01T00:00:00Z", by, "").into_iter().map(|(_, size, cells)| (size, cells)).collect();
    assert_eq!(sizes, [(1, vec![1, 1]), (1, vec![1, 0])]);
}

#[test]
fn a_subscription_is_active_in_every_period_that_it_runs_in() {
    let mut log = Log::default();
    log.customer(1, "");
    log.subscription(1, 11, instant("2024-01-31T00:00:00Z"), None);
    log.subscription(1, 11, instant("2024-03-01T00:00:00Z"), Some(("", None)));
    log.subscription(1, 12, instant("2024-05-31T23:59:59Z"), None);
    let request = QueryRetentionRequest {
        beginning: Beginning::FirstSubscription.into(),
        activity: Activity::Subscription.into(),
        ..every(Granularity::Month, 7)
    };
    // It ends with the first instant of March, in which it does not run any more.
    let months = log.cohorts("2024-07-01T00:00:00Z", request, "");
    assert_eq!(months, [("2024-01".to_owned(), 1, vec![1, 1, 0, 0, 1, 1, 0])]);
}
