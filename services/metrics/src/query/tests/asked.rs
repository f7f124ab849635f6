//! What is asked of moves, states, journeys and drivers, in many ways.

use barometer_chassis::{clock::Micros, door::Door};
use barometer_proto::metrics::v1::{self as wire, DriverFact, Filter, Granularity, Scope, Span, driver};
use uuid::Uuid;

use super::script::DAY;
use crate::{
    analysis::{
        drivers::{self, KeyDrivers},
        journey::{self, Journeys},
        moves::{self, Move},
        states::{self, State},
        transition::{self, Matrix},
    },
    columns::Facts,
    query::{Vocabulary, Zones},
};

pub(super) const NOW: i64 = 90 * DAY;

pub(super) fn zones() -> Zones {
    Zones::new("UTC").expect("a zone")
}

pub(super) fn matrices_at(now: i64, request: &wire::QueryTransitionsRequest, facts: &Facts) -> Vec<Matrix> {
    let mut asked = transition::parse(request.clone(), &Vocabulary::of(facts), &zones(), 0).expect("a good request");
    asked.scope.now = now;
    asked.run(facts).expect("matrices")
}

pub(super) fn moves_at(now: i64, request: &wire::ListCategoryMovesRequest, facts: &Facts) -> (Vec<Move>, String) {
    let mut asked = moves::parse(request.clone(), &Vocabulary::of(facts), &zones()).expect("a good request");
    asked.scope.now = now;
    asked.run(facts).expect("moves")
}

/// Of all who pass.
pub(super) fn states_at(at: i64, filter: &wire::CustomerStateFilter, facts: &Facts) -> Vec<State> {
    let all =
        |door: &mut Door| states::Who::All(states::parse_filter(door, Some(filter.clone()), &Vocabulary::of(facts)));
    states_who(at, all, facts).0
}

/// The same by pages of two.
pub(super) fn states_by_page(at: i64, filter: &wire::CustomerStateFilter, facts: &Facts) -> Vec<State> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let page = |door: &mut Door| {
            let filter = states::parse_filter(door, Some(filter.clone()), &Vocabulary::of(facts));
            states::Who::Page(filter, door.page(2, &token))
        };
        let (more, next) = states_who(at, page, facts);
        assert!(next.is_empty() || more.len() == 2, "a page before the last is full");
        all.extend(more);
        if next.is_empty() {
            return all;
        }
        token = next;
    }
}

/// Of these.
pub(super) fn states_of(at: i64, ids: Vec<String>, facts: &Facts) -> Vec<State> {
    states_who(at, |door| states::parse_ids(door, ids), facts).0
}

fn states_who(at: i64, who: impl FnOnce(&mut Door) -> states::Who, facts: &Facts) -> (Vec<State>, String) {
    let view =
        wire::CustomerStateView { as_of_time: Some(Micros(at).to_wire()), lifecycle_days: 20, at_least: Vec::new() };
    states::parse(Some(view), who).expect("a good request").run(facts).expect("states")
}

pub(super) fn journeys_at(now: i64, request: &wire::QueryJourneysRequest, facts: &Facts) -> Vec<Journeys> {
    let mut asked = journey::parse(request.clone(), &Vocabulary::of(facts), &zones(), 0).expect("a good request");
    asked.scope.now = now;
    asked.run(facts).expect("journeys")
}

pub(super) fn drivers_at(now: i64, request: &wire::QueryDriversRequest, facts: &Facts, least: u64) -> Vec<KeyDrivers> {
    let mut asked = drivers::parse(request.clone(), &Vocabulary::of(facts), &zones(), least).expect("a good request");
    asked.scope.now = now;
    asked.run(facts).expect("drivers")
}

pub(super) fn scope(start: Option<i64>, end: Option<i64>) -> Option<Scope> {
    let at = |quarter: i64| Micros(quarter * DAY / 4).to_wire();
    Some(Scope { start_time: start.map(at), end_time: end.map(at), ..Scope::default() })
}

pub(super) fn names(group_by: &[&str]) -> Vec<String> {
    group_by.iter().map(|name| (*name).to_owned()).collect()
}

pub(super) fn only_a(scope: Option<Scope>) -> Option<Scope> {
    let filter = Filter { dimension: "language".to_owned(), values: names(&["a"]), exclude: false };
    Some(Scope { filters: vec![filter], ..scope.unwrap_or_default() })
}

pub(super) fn transitions() -> Vec<wire::QueryTransitionsRequest> {
    let span = |start: Option<i64>, end: Option<i64>| {
        let at = |quarter: i64| Micros(quarter * DAY / 4).to_wire();
        Some(Span { start_time: start.map(at), end_time: end.map(at) })
    };
    let mut all = Vec::new();
    for carry in [false, true] {
        let plain = wire::QueryTransitionsRequest {
            granularity: Granularity::Week.into(),
            scope: scope(Some(30), Some(341)),
            carry,
            ..Default::default()
        };
        all.push(plain.clone());
        all.push(wire::QueryTransitionsRequest {
            scope: None,
            granularity: Granularity::Month.into(),
            ..plain.clone()
        });
        all.push(wire::QueryTransitionsRequest { scope: only_a(plain.scope.clone()), ..plain.clone() });
        for by in [&["language"][..], &["tier_now"], &["segment", "survey"], &["tier", "survey_type"]] {
            all.push(wire::QueryTransitionsRequest { group_by: names(by), ..plain.clone() });
        }
        let two = wire::QueryTransitionsRequest { granularity: 0, scope: None, ..plain };
        all.push(wire::QueryTransitionsRequest {
            before: span(Some(20), Some(150)),
            after: span(Some(190), Some(300)),
            ..two.clone()
        });
        all.push(wire::QueryTransitionsRequest { before: span(None, Some(200)), after: span(Some(200), None), ..two });
    }
    all
}

pub(super) fn journeys() -> Vec<wire::QueryJourneysRequest> {
    let plain = wire::QueryJourneysRequest { gap_days: 25, max_length: 20, max_paths: 200, ..Default::default() };
    vec![
        plain.clone(),
        wire::QueryJourneysRequest { scope: scope(Some(60), Some(250)), ..plain.clone() },
        wire::QueryJourneysRequest { scope: only_a(None), gap_days: 40, ..plain.clone() },
        wire::QueryJourneysRequest { group_by: names(&["language"]), ..plain.clone() },
        wire::QueryJourneysRequest { group_by: names(&["survey", "segment"]), gap_days: 90, ..plain },
    ]
}

pub(super) fn driver(fact: DriverFact) -> wire::Driver {
    wire::Driver { driver: Some(driver::Driver::Fact(fact.into())) }
}

pub(super) fn dimension(name: &str) -> wire::Driver {
    wire::Driver { driver: Some(driver::Driver::Dimension(name.to_owned())) }
}

/// All that are never unknown.
pub(super) const COUNTS: [DriverFact; 8] = [
    DriverFact::HandOffs,
    DriverFact::Reopenings,
    DriverFact::BrokenPromises,
    DriverFact::Complaints,
    DriverFact::LatePayments,
    DriverFact::Contacts,
    DriverFact::Redresses,
    DriverFact::Purchases,
];

pub(super) fn drivers() -> Vec<wire::QueryDriversRequest> {
    let of = |facts: &[DriverFact]| facts.iter().copied().map(driver).collect::<Vec<_>>();
    let plain = wire::QueryDriversRequest { drivers: of(&COUNTS), window_days: 25, ..Default::default() };
    let spends = |more: &[DriverFact]| of(&[&[DriverFact::Spend], more].concat());
    vec![
        plain.clone(),
        wire::QueryDriversRequest { scope: scope(Some(100), Some(330)), method: 2, ..plain.clone() },
        wire::QueryDriversRequest {
            drivers: spends(&[DriverFact::Purchases, DriverFact::Tenure]),
            currency: "EUR".to_owned(),
            group_by: names(&["language"]),
            ..plain.clone()
        },
        wire::QueryDriversRequest {
            drivers: of(&[DriverFact::FirstResponse, DriverFact::HandlingTime, DriverFact::Contacts]),
            window_days: 60,
            method: 2,
            ..plain.clone()
        },
        wire::QueryDriversRequest { drivers: vec![dimension("wait"), driver(DriverFact::Contacts)], ..plain.clone() },
        wire::QueryDriversRequest { outcome: 2, group_by: names(&["survey_type", "segment"]), ..plain.clone() },
        wire::QueryDriversRequest { outcome: 3, drivers: of(&[DriverFact::Tenure]), ..plain },
    ]
}

pub(super) fn filters() -> Vec<wire::CustomerStateFilter> {
    let gold = Filter { dimension: "tier".to_owned(), values: names(&["a", "b"]), exclude: false };
    vec![
        wire::CustomerStateFilter::default(),
        wire::CustomerStateFilter { categories: vec![1, 3], ..Default::default() },
        wire::CustomerStateFilter { survey_type: 2, ..Default::default() },
        wire::CustomerStateFilter { filters: vec![gold], categories: vec![2], survey_type: 1 },
    ]
}

pub(super) fn lists() -> Vec<wire::ListCategoryMovesRequest> {
    let plain = wire::ListCategoryMovesRequest { page_size: 1_000, ..Default::default() };
    vec![
        plain.clone(),
        wire::ListCategoryMovesRequest { scope: scope(Some(100), Some(300)), oldest_first: true, ..plain.clone() },
        wire::ListCategoryMovesRequest { from: 1, scope: only_a(None), ..plain.clone() },
        wire::ListCategoryMovesRequest { to: 1, customer_ids: vec![id(1), id(3), id(77)], ..plain },
    ]
}

pub(super) fn id(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}
