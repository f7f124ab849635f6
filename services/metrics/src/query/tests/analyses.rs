//! Cohorts and curves against facts in any order, and against plain recomputation.

use std::collections::{BTreeMap, BTreeSet};

use barometer_proto::metrics::v1::{
    Activity, Beginning, Bracket, Filter, Granularity, QueryRetentionRequest, QuerySurvivalRequest, Scope,
    query_retention_request::Definition, query_survival_request::Ending,
};
use barometer_statistics::survival::{LogRank, OfGroup};
use proptest::{prelude::*, strategy::ValueTree};
use prost::Message;

use super::{
    script::{DAY, History, Write, history},
    twin,
};
use crate::{
    analysis::{
        retention::{self, Cohorts},
        survival::{self, Curves},
    },
    columns::Facts,
    query::{Vocabulary, Zones},
    wire::analysis as render,
};

pub(super) const NOW: i64 = 90 * DAY;

const BEGINNINGS: [Beginning; 5] = [
    Beginning::FirstPurchase,
    Beginning::Acquisition,
    Beginning::FirstAnswer,
    Beginning::FirstSubscription,
    Beginning::Enrolment,
];
const ACTIVITIES: [Activity; 5] =
    [Activity::Purchase, Activity::Answer, Activity::Subscription, Activity::Programme, Activity::Contact];
const ENDINGS: [Ending; 5] =
    [Ending::Inactivity, Ending::Contract, Ending::SecondPurchase, Ending::FirstComplaint, Ending::Programme];

fn cohorts(request: &QueryRetentionRequest, facts: &Facts, minimum: u64) -> Cohorts {
    cohorts_at(NOW, request, facts, minimum)
}

fn curves(request: &QuerySurvivalRequest, facts: &Facts, minimum: u64) -> Curves {
    curves_at(NOW, request, facts, minimum)
}

/// As if it were asked at an instant.
pub(super) fn cohorts_at(now: i64, request: &QueryRetentionRequest, facts: &Facts, minimum: u64) -> Cohorts {
    let zones = Zones::new("UTC").expect("a zone");
    let mut asked = retention::parse(request.clone(), &Vocabulary::of(facts), &zones, minimum).expect("a good request");
    asked.scope.now = now;
    asked.run(facts).expect("cohorts")
}

/// As if it were asked at an instant.
pub(super) fn curves_at(now: i64, request: &QuerySurvivalRequest, facts: &Facts, minimum: u64) -> Curves {
    let zones = Zones::new("UTC").expect("a zone");
    let mut asked = survival::parse(request.clone(), &Vocabulary::of(facts), &zones, minimum).expect("a good request");
    asked.scope.now = now;
    asked.run(facts).expect("curves")
}

fn scope(start: Option<i64>, end: Option<i64>) -> Option<Scope> {
    let at = |day: i64| barometer_chassis::clock::Micros(day * DAY / 4).to_wire();
    Some(Scope { start_time: start.map(at), end_time: end.map(at), ..Scope::default() })
}

fn only(scope: Option<Scope>, dimension: &str) -> Option<Scope> {
    let filter = Filter { dimension: dimension.to_owned(), values: vec!["a".to_owned()], exclude: false };
    Some(Scope { filters: vec![filter], ..scope.unwrap_or_default() })
}

fn names(group_by: &[&str]) -> Vec<String> {
    group_by.iter().map(|name| (*name).to_owned()).collect()
}

/// Requests of many kinds.
fn retentions() -> Vec<QueryRetentionRequest> {
    let mut all = Vec::new();
    for beginning in BEGINNINGS {
        let own: &[&[&str]] = match beginning {
            Beginning::FirstPurchase => &[&["category"], &["channel", "segment"]],
            Beginning::FirstAnswer => &[&["language"], &["country", "tier"]],
            _ => &[&["country"], &["segment", "tier"]],
        };
        for activity in ACTIVITIES {
            let plain = QueryRetentionRequest {
                beginning: beginning.into(),
                activity: activity.into(),
                granularity: Granularity::Week.into(),
                ..Default::default()
            };
            all.push(plain.clone());
            all.push(QueryRetentionRequest {
                scope: scope(Some(57), Some(241)),
                definition: Definition::OnOrAfter.into(),
                periods: 5,
                ..plain.clone()
            });
            all.push(QueryRetentionRequest { recurring: true, scope: scope(Some(49), Some(203)), ..plain.clone() });
            all.push(QueryRetentionRequest { rolling_days: 5, periods: 20, ..plain.clone() });
            all.push(QueryRetentionRequest {
                rolling_days: 1,
                together: true,
                brackets: vec![
                    Bracket { start: 0, end: 1 },
                    Bracket { start: 1, end: 30 },
                    Bracket { start: 7, end: 14 },
                ],
                ..plain.clone()
            });
            all.push(QueryRetentionRequest {
                granularity: Granularity::Day.into(),
                scope: only(scope(None, Some(300)), "tier"),
                periods: 40,
                ..plain.clone()
            });
            all.extend(own.iter().map(|by| QueryRetentionRequest { group_by: names(by), ..plain.clone() }));
        }
    }
    all
}

fn survivals() -> Vec<QuerySurvivalRequest> {
    let mut all = Vec::new();
    for beginning in BEGINNINGS {
        for ending in ENDINGS {
            let inactivity_days = if ending == Ending::Inactivity { 9 } else { 0 };
            let plain = QuerySurvivalRequest {
                beginning: beginning.into(),
                ending: ending.into(),
                inactivity_days,
                ..Default::default()
            };
            all.push(plain.clone());
            all.push(QuerySurvivalRequest { scope: scope(Some(130), Some(310)), max_days: 30, ..plain.clone() });
            for by in [&["tier"][..], &["segment"], &["country", "member"]] {
                all.push(QuerySurvivalRequest { group_by: names(by), ..plain.clone() });
            }
            all.push(QuerySurvivalRequest {
                scope: only(scope(Some(90), None), "tier"),
                group_by: names(&["country"]),
                ..plain
            });
        }
    }
    all
}

/// Every analysis in several ways, as it is sent.
pub(super) fn everything(facts: &Facts) -> Vec<Vec<u8>> {
    let level = barometer_statistics::Level::P95;
    let retentions = retentions();
    let of_cohorts = retentions
        .iter()
        .map(|request| render::retention(cohorts(request, facts, 0), level, Vec::new()).encode_to_vec());
    let survivals = survivals();
    let of_curves =
        survivals.iter().map(|request| render::survival(curves(request, facts, 0), level, Vec::new()).encode_to_vec());
    of_cohorts.chain(of_curves).collect()
}

/// A history, and some more of what analyses look at.
#[derive(Clone, Debug)]
struct Past {
    history: History,
    more: Vec<Write>,
}

impl Past {
    fn facts(&self) -> Facts {
        fold(&[self.history.shuffled.clone(), self.more.clone()].concat())
    }

    fn model(&self) -> twin::Model {
        twin::Model::of(&[self.history.last_versions(), self.more.clone()].concat())
    }
}

fn past() -> impl Strategy<Value = Past> {
    use barometer_proto::{customers::v1 as customers, surveys::v1 as surveys};
    let at = || (0_i64..400).prop_map(|quarters| Some(barometer_chassis::clock::Micros(quarters * DAY / 4).to_wire()));
    let who = || (0_u128..4).prop_map(|number| uuid::Uuid::from_u128(number).to_string());
    // Who joins, leaves, earns and redeems; and who answers by name.
    let kind = proptest::sample::select(vec![1, 1, 2, 2, 3, 4, 8]);
    let event = (who(), at(), kind).prop_map(|(customer_id, time, r#type)| {
        customers::fact::Fact::MembershipEvent(customers::MembershipEventFact {
            customer_id,
            time,
            r#type,
            ..Default::default()
        })
    });
    let answer = (who(), at(), proptest::sample::select(vec!["a", "b"])).prop_map(|(customer_id, time, language)| {
        surveys::fact::Fact::Response(surveys::ResponseFact {
            survey_id: uuid::Uuid::from_u128(0).to_string(),
            customer_id,
            time,
            language: language.to_owned(),
            disposition: 1,
            weight_trillionths: 1_000_000_000_000,
            ..Default::default()
        })
    });
    let more = (proptest::collection::vec(event, 0..12), proptest::collection::vec(answer, 0..12));
    let id = |number: i64| uuid::Uuid::from_u128(number.unsigned_abs().into()).to_string();
    (history(), more).prop_map(move |(history, (events, answers))| {
        let events = (20_000..).zip(events).map(|(number, fact)| {
            Write::Customers(customers::Fact {
                id: id(number),
                number,
                version: 1,
                fact: Some(fact),
                ..Default::default()
            })
        });
        let answers = (20_000..).zip(answers).map(|(number, fact)| {
            Write::Surveys(surveys::Fact { id: id(number), number, version: 1, fact: Some(fact), ..Default::default() })
        });
        Past { history, more: events.chain(answers).collect() }
    })
}

fn fold(writes: &[Write]) -> Facts {
    super::fold(writes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn neither_order_nor_repetition_of_facts_matters_to_analyses(history in history()) {
        let plain = everything(&fold(&history.last_versions()));
        prop_assert_eq!(&everything(&fold(&history.in_order())), &plain, "as it was written");
        prop_assert_eq!(&everything(&fold(&history.shuffled)), &plain, "in any order, some of it twice");
        let (before, after) = history.shuffled.split_at(history.shuffled.len() / 2);
        let bytes = postcard::to_allocvec(&fold(before)).expect("bytes");
        let mut facts: Facts = postcard::from_bytes(&bytes).expect("facts");
        facts.restore();
        after.iter().for_each(|write| write.apply(&mut facts));
        prop_assert_eq!(&everything(&facts), &plain, "from a snapshot");
    }

    #[test]
    fn cohorts_are_those_of_plain_recomputation(past in past()) {
        let (facts, model) = (past.facts(), past.model());
        for request in retentions() {
            let found = twin::analyses::cohorts_of(&cohorts(&request, &facts, 0));
            prop_assert_eq!(found, model.retention(&request), "{:?}", request);
        }
    }

    #[test]
    fn curves_are_those_of_plain_recomputation(past in past()) {
        let (facts, model) = (past.facts(), past.model());
        for request in survivals() {
            let Curves { curves, test } = curves(&request, &facts, 0);
            let watched = model.watched(&request);
            let found: Vec<_> = curves.iter().map(|curve| twin::sorted(&curve.group)).collect();
            prop_assert_eq!(&found, &watched.keys().cloned().collect::<Vec<_>>(), "{:?}", request);
            for (curve, lives) in curves.iter().zip(watched.values()) {
                let told = curve.told.as_ref().expect("told");
                let most = if request.max_days == 0 { i64::MAX } else { 4 * i64::from(request.max_days) };
                let expected: Vec<_> =
                    twin::analyses::product_limit(lives).into_iter().filter(|(time, ..)| *time <= most).collect();
                let quarters = |time: u64| i64::try_from(time).expect("small") / (DAY / 4);
                prop_assert_eq!(told.customers, lives.len() as u64);
                let steps: Vec<_> =
                    told.steps.iter().map(|step| (quarters(step.time), step.at_risk, step.events)).collect();
                let of_twin: Vec<_> = expected.iter().map(|(time, n, d, _)| (*time, *n, *d)).collect();
                prop_assert_eq!(steps, of_twin, "{:?}", request);
                for (step, (.., share)) in told.steps.iter().zip(&expected) {
                    prop_assert!((step.survival - share).abs() < 1e-12, "{:?}", request);
                }
            }
            let is_many = request.group_by.iter().any(|name| name == "segment");
            if let Some(LogRank { groups, .. }) = test {
                prop_assert!(curves.len() > 1);
                for (OfGroup { observed, expected }, (events, of_twin)) in
                    groups.iter().zip(twin::analyses::expected(watched.values()))
                {
                    prop_assert_eq!(*observed, events);
                    prop_assert!((expected - of_twin).abs() < 1e-9, "{:?}", request);
                }
            } else if !is_many && curves.len() > 1 {
                // Nobody could be compared: wherever there was an event, one group alone was there, or all of it went.
                prop_assert!(twin::analyses::nothing_to_compare(watched.values()), "{:?}", request);
            }
        }
    }

    #[test]
    fn slices_of_analyses_add_up(past in past()) {
        let facts = past.facts();
        let group_by = |name: &str| names(&[name]);
        for request in retentions().into_iter().filter(|request| request.group_by.is_empty()) {
            let mut slices: BTreeMap<(i64, usize), [u64; 3]> = BTreeMap::new();
            let mut add = |cohorts: Cohorts, sign: bool| {
                for cohort in cohorts.cohorts {
                    for (index, cell) in cohort.cells.iter().enumerate() {
                        let counted = cell.counted.expect("told");
                        // Of all together the time begins with the first of the group.
                        let start = if request.together { 0 } else { cohort.within.start };
                        let sums = slices.entry((start, index)).or_default();
                        for (sum, count) in sums.iter_mut().zip([counted.size, counted.retained, counted.unfinished]) {
                            *sum = if sign { *sum + count } else { sum.checked_sub(count).expect("no more than there are") };
                        }
                    }
                }
            };
            add(cohorts(&QueryRetentionRequest { group_by: group_by("tier"), ..request.clone() }, &facts, 0), true);
            add(cohorts(&request, &facts, 0), false);
            prop_assert!(slices.values().flatten().all(|sum| *sum == 0), "{:?}", request);
        }
        for request in survivals().into_iter().filter(|request| request.group_by.is_empty()) {
            let all = |by: Vec<String>| {
                let curves = curves(&QuerySurvivalRequest { group_by: by, ..request.clone() }, &facts, 0).curves;
                curves.iter().filter_map(|curve| curve.told.as_ref()).map(|told| (told.customers, told.events)).fold(
                    (0, 0),
                    |(customers, events), (more, ended)| (customers + more, events + ended),
                )
            };
            prop_assert_eq!(all(Vec::new()), all(group_by("tier")), "{:?}", request);
        }
    }

    #[test]
    fn what_customers_went_for_adds_up_to_who_is_gone(past in past()) {
        let facts = past.facts();
        for request in survivals().into_iter().filter(|request| request.ending() == Ending::Contract) {
            let plain = curves(&request, &facts, 0);
            let told = curves(&QuerySurvivalRequest { by_reason: true, ..request }, &facts, 0);
            for (plain, curve) in plain.curves.iter().zip(&told.curves) {
                let (plain, told) = (plain.told.as_ref().expect("told"), curve.told.as_ref().expect("told"));
                prop_assert_eq!(told.reasons.iter().map(|of| of.events).sum::<u64>(), told.events);
                prop_assert_eq!(&told.steps, &plain.steps);
                for step in &told.steps {
                    let share = |of: &crate::analysis::reasons::OfReason| {
                        of.steps.iter().rfind(|rise| rise.time <= step.time).map_or(0.0, |rise| rise.share)
                    };
                    let gone: f64 = told.reasons.iter().map(share).sum();
                    prop_assert!((gone + step.survival - 1.0).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn of_few_customers_nothing_is_told(past in past()) {
        let facts = past.facts();
        for request in retentions() {
            let (open, strict) = (cohorts(&request, &facts, 0), cohorts(&request, &facts, 2));
            let both = open.cohorts.iter().zip(&strict.cohorts).chain(open.averages.iter().zip(&strict.averages));
            prop_assert_eq!(open.cohorts.len() + open.averages.len(), strict.cohorts.len() + strict.averages.len());
            for (open, strict) in both {
                prop_assert_eq!(strict.customers, open.customers.filter(|customers| *customers >= 2));
                for (open, strict) in open.cells.iter().zip(&strict.cells) {
                    let is_told = open.counted.is_some_and(|cell| cell.size != 1);
                    prop_assert_eq!(strict.counted, open.counted.filter(|_| is_told));
                }
            }
        }
        for request in survivals() {
            let (open, strict) = (curves(&request, &facts, 0), curves(&request, &facts, 2));
            prop_assert_eq!(open.curves.len(), strict.curves.len());
            for (open, strict) in open.curves.iter().zip(&strict.curves) {
                let told = open.told.clone().filter(|told| told.customers >= 2);
                prop_assert_eq!(&strict.told, &told);
            }
            if let Some(test) = strict.test {
                for (curve, group) in strict.curves.iter().zip(test.groups) {
                    prop_assert!(curve.told.is_some() || (group.observed, group.expected) == (0, 0.0));
                }
            }
        }
    }
}

#[test]
fn of_nobody_there_is_nothing() {
    let facts = Facts::default();
    for request in &retentions() {
        assert_eq!(cohorts(request, &facts, 0), Cohorts::default());
    }
    for ending in ENDINGS {
        let request = QuerySurvivalRequest { ending: ending.into(), ..Default::default() };
        assert_eq!(curves(&request, &facts, 0), Curves::default());
    }
}

#[test]
fn every_kind_of_request_is_met() {
    // The histories are of little use when hardly anybody begins or ends.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut met = BTreeSet::new();
    for _ in 0..60 {
        let past = past().new_tree(&mut runner).expect("a history").current();
        let facts = past.facts();
        let requests = retentions();
        for (kind, of_kind) in requests.chunks(requests.len() / (BEGINNINGS.len() * ACTIVITIES.len())).enumerate() {
            let told = of_kind.iter().flat_map(|request| cohorts(request, &facts, 0).cohorts);
            let cells = told.flat_map(|cohort| cohort.cells).filter_map(|cell| cell.counted);
            met.extend(cells.filter(|cell| cell.retained > 0 && cell.retained < cell.size).map(|_| (0, kind)));
        }
        let requests = survivals();
        for (kind, of_kind) in requests.chunks(requests.len() / (BEGINNINGS.len() * ENDINGS.len())).enumerate() {
            let told = of_kind.iter().flat_map(|request| curves(request, &facts, 0).curves);
            met.extend(told.filter_map(|curve| curve.told).filter(|told| told.events > 0).map(|_| (1, kind)));
        }
    }
    assert_eq!(met.len(), BEGINNINGS.len() * (ACTIVITIES.len() + ENDINGS.len()), "{met:?}");
}
