//! Histories of facts: written, amended, withdrawn; told in any order.

use std::collections::BTreeMap;

use barometer_proto::{
    common::v1::Money, complaints::v1 as complaints, customers::v1 as customers, surveys::v1 as surveys,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

use crate::columns::Facts;

/// Microseconds.
pub(super) const DAY: i64 = barometer_chassis::clock::Micros::DAY;

/// A version of a fact, as its source tells it.
#[derive(Clone, Debug)]
pub(super) enum Write {
    Customers(customers::Fact),
    Surveys(surveys::Fact),
    Complaints(complaints::Fact),
}

/// Facts with all of their versions.
#[derive(Clone, Debug)]
pub(super) struct History {
    /// By fact: its versions, the oldest first.
    facts: Vec<Vec<Write>>,
    /// All versions in some order, some of them several times.
    pub(super) shuffled: Vec<Write>,
}

impl Write {
    pub(super) fn apply(&self, facts: &mut Facts) {
        match self.clone() {
            Write::Customers(fact) => facts.put_customers(fact).expect("readable"),
            Write::Surveys(fact) => facts.put_surveys(fact).expect("readable"),
            Write::Complaints(fact) => facts.put_complaints(fact).expect("readable"),
        }
    }
}

impl History {
    pub(super) fn in_order(&self) -> Vec<Write> {
        self.facts.concat()
    }

    /// What is so in the end, withdrawn facts left out.
    pub(super) fn last_versions(&self) -> Vec<Write> {
        let last = self.facts.iter().filter_map(|versions| versions.last());
        last.filter(|write| !write.is_tombstone()).cloned().collect()
    }
}

impl Write {
    fn is_tombstone(&self) -> bool {
        match self {
            Write::Customers(fact) => matches!(fact.fact, Some(customers::fact::Fact::Tombstone(_))),
            Write::Surveys(fact) => matches!(fact.fact, Some(surveys::fact::Fact::Tombstone(_))),
            Write::Complaints(fact) => matches!(fact.fact, Some(complaints::fact::Fact::Tombstone(_))),
        }
    }
}

pub(super) fn history() -> impl Strategy<Value = History> {
    let customers = vec((vec(customer_fact(), 1..3), any::<bool>()), 0..45);
    let surveys = vec((vec(response(), 1..3), any::<bool>()), 0..30);
    let people = vec(known(), 4);
    let promises = vec((vec(promise(), 1..3), any::<bool>()), 0..15);
    let follow_ups = vec((vec(follow_up(), 1..3), any::<bool>()), 0..15);
    let escalations = vec((escalation(), any::<bool>()), 0..40);
    let claims = vec((vec(claim(), 1..3), any::<bool>()), 0..40);
    let clocks = vec((vec(clock(), 1..3), any::<bool>()), 0..40);
    let cases = (
        vec((vec(case(), 1..3), any::<bool>()), 0..30),
        vec(entry(), 0..60),
        (promises, follow_ups),
        (clocks, claims, escalations),
    );
    (customers, surveys, people, vec(survey(), 3), cases).prop_flat_map(|(customers, surveys, people, kinds, cases)| {
        let mut facts = number(customers, surveys, people, kinds);
        let (cases, entries, (promises, follow_ups), (clocks, claims, escalations)) = cases;
        facts.extend(number_cases(cases));
        facts.extend(number_entries(entries));
        facts.extend(number_promises(promises));
        facts.extend(number_clocks(clocks));
        facts.extend(number_claims(claims));
        facts.extend(number_escalations(escalations));
        facts.extend(number_follow_ups(follow_ups));
        let all = facts.concat();
        let twice = vec(select(all.clone()), 0..20);
        twice.prop_flat_map(move |twice| {
            let facts = facts.clone();
            let all = [all.clone(), twice].concat();
            Just(all).prop_shuffle().prop_map(move |shuffled| History { facts: facts.clone(), shuffled })
        })
    })
}

/// Gives facts their numbers and versions; withdraws those of which it is said.
fn number(
    customer_facts: Vec<(Vec<customers::fact::Fact>, bool)>,
    responses: Vec<(Vec<surveys::ResponseFact>, bool)>,
    people: Vec<customers::CustomerFact>,
    kinds: Vec<surveys::SurveyFact>,
) -> Vec<Vec<Write>> {
    let mut facts = Vec::new();
    for ((index, number), fact) in (0..).zip(10..).zip(people) {
        let fact = Some(customers::fact::Fact::Customer(fact));
        facts.push(vec![Write::Customers(customers::Fact { id: id(index), number, version: 1, fact })]);
    }
    for ((index, number), fact) in (0..).zip(10..).zip(kinds) {
        let fact = Some(surveys::fact::Fact::Survey(fact));
        facts.push(vec![Write::Surveys(surveys::Fact { id: id(index), number, version: 1, fact })]);
    }
    for (number, (versions, withdrawn)) in (100..).zip(customer_facts) {
        let kind = kind_of(&versions[0]);
        let end = customers::fact::Fact::Tombstone(customers::Tombstone { kind: kind.into() });
        // A fact never changes its kind.
        let versions = versions.into_iter().filter(|fact| kind_of(fact) == kind).chain(withdrawn.then_some(end));
        let write = |(version, fact)| {
            Write::Customers(customers::Fact { id: String::new(), number, version, fact: Some(fact) })
        };
        facts.push((1..).zip(versions).map(write).collect());
    }
    for (number, (versions, withdrawn)) in (100..).zip(responses) {
        let end = surveys::Tombstone { kind: surveys::FactKind::Response.into() };
        let versions = versions.into_iter().map(surveys::fact::Fact::Response);
        let versions = versions.chain(withdrawn.then_some(surveys::fact::Fact::Tombstone(end)));
        let write =
            |(version, fact)| Write::Surveys(surveys::Fact { id: String::new(), number, version, fact: Some(fact) });
        facts.push((1..).zip(versions).map(write).collect());
    }
    facts
}

fn number_cases(cases: Vec<(Vec<complaints::CaseFact>, bool)>) -> impl Iterator<Item = Vec<Write>> {
    use complaints::{FactKind, Tombstone, fact::Fact};
    (100..).zip(cases).map(|(number, (versions, withdrawn))| {
        let end = withdrawn.then_some(Fact::Tombstone(Tombstone { kind: FactKind::Case.into() }));
        let versions = versions.into_iter().map(Fact::Case).chain(end);
        let fact = |(version, fact)| complaints::Fact { id: String::new(), number, version, fact: Some(fact) };
        (1..).zip(versions).map(fact).map(Write::Complaints).collect()
    })
}

fn number_promises(promises: Vec<(Vec<complaints::PromiseFact>, bool)>) -> impl Iterator<Item = Vec<Write>> {
    use complaints::{FactKind, Tombstone, fact::Fact};
    (3_000..).zip(promises).map(|(number, (versions, withdrawn))| {
        let end = withdrawn.then_some(Fact::Tombstone(Tombstone { kind: FactKind::Promise.into() }));
        let versions = versions.into_iter().map(Fact::Promise).chain(end);
        let fact = |(version, fact)| complaints::Fact { id: String::new(), number, version, fact: Some(fact) };
        (1..).zip(versions).map(fact).map(Write::Complaints).collect()
    })
}

fn number_clocks(clocks: Vec<(Vec<complaints::CaseClockFact>, bool)>) -> impl Iterator<Item = Vec<Write>> {
    use complaints::{FactKind, Tombstone, fact::Fact};
    (5_000..).zip(clocks).map(|(number, (versions, withdrawn))| {
        let end = withdrawn.then_some(Fact::Tombstone(Tombstone { kind: FactKind::CaseClock.into() }));
        let versions = versions.into_iter().map(Fact::CaseClock).chain(end);
        let fact = |(version, fact)| complaints::Fact { id: String::new(), number, version, fact: Some(fact) };
        (1..).zip(versions).map(fact).map(Write::Complaints).collect()
    })
}

fn number_follow_ups(of: Vec<(Vec<complaints::FollowUpFact>, bool)>) -> impl Iterator<Item = Vec<Write>> {
    use complaints::{FactKind, Tombstone, fact::Fact};
    (7_000..).zip(of).map(|(number, (versions, withdrawn))| {
        let end = withdrawn.then_some(Fact::Tombstone(Tombstone { kind: FactKind::FollowUp.into() }));
        let versions = versions.into_iter().map(Fact::FollowUp).chain(end);
        let fact = |(version, fact)| complaints::Fact { id: String::new(), number, version, fact: Some(fact) };
        (1..).zip(versions).map(fact).map(Write::Complaints).collect()
    })
}

fn number_claims(claims: Vec<(Vec<complaints::ClaimFact>, bool)>) -> impl Iterator<Item = Vec<Write>> {
    use complaints::{FactKind, Tombstone, fact::Fact};
    (9_000..).zip(claims).map(|(number, (versions, withdrawn))| {
        let end = withdrawn.then_some(Fact::Tombstone(Tombstone { kind: FactKind::Claim.into() }));
        let versions = versions.into_iter().map(Fact::Claim).chain(end);
        let fact = |(version, fact)| complaints::Fact { id: String::new(), number, version, fact: Some(fact) };
        (1..).zip(versions).map(fact).map(Write::Complaints).collect()
    })
}

fn number_escalations(escalations: Vec<(complaints::EscalationFact, bool)>) -> impl Iterator<Item = Vec<Write>> {
    use complaints::{FactKind, Tombstone, fact::Fact};
    (8_000..).zip(escalations).map(|(number, (escalation, withdrawn))| {
        let end = withdrawn.then_some(Fact::Tombstone(Tombstone { kind: FactKind::Escalation.into() }));
        let versions = [Fact::Escalation(escalation)].into_iter().chain(end);
        let fact = |(version, fact)| complaints::Fact { id: String::new(), number, version, fact: Some(fact) };
        (1..).zip(versions).map(fact).map(Write::Complaints).collect()
    })
}

/// Entries never change.
fn number_entries(entries: Vec<complaints::CaseEntryFact>) -> impl Iterator<Item = Vec<Write>> {
    (1_000..).zip(entries).map(|(number, entry)| {
        let fact = Some(complaints::fact::Fact::CaseEntry(entry));
        vec![Write::Complaints(complaints::Fact { id: String::new(), number, version: 1, fact })]
    })
}

fn kind_of(fact: &customers::fact::Fact) -> customers::FactKind {
    use customers::{FactKind, fact::Fact};
    match fact {
        Fact::Customer(_) => FactKind::Customer,
        Fact::AttributeChange(_) => FactKind::AttributeChange,
        Fact::Purchase(_) => FactKind::Purchase,
        Fact::Interaction(_) => FactKind::Interaction,
        Fact::SubscriptionEvent(_) => FactKind::SubscriptionEvent,
        Fact::Tombstone(tombstone) => tombstone.kind(),
    }
}

fn id(index: u128) -> String {
    Uuid::from_u128(index).to_string()
}

fn person() -> impl Strategy<Value = String> {
    (0_u128..4).prop_map(id)
}

/// Within a hundred days, often the same instant.
fn time() -> impl Strategy<Value = Option<prost_types::Timestamp>> {
    (0_i64..400).prop_map(|quarters| Some(barometer_chassis::clock::Micros(quarters * DAY / 4).to_wire()))
}

/// A text of few.
fn word() -> impl Strategy<Value = String> {
    select(vec!["", "a", "b", "c"]).prop_map(str::to_owned)
}

fn area() -> impl Strategy<Value = BTreeMap<String, String>> {
    option::of(select(vec!["a", "b"]))
        .prop_map(|area| area.map(|area| ("area".to_owned(), area.to_owned())).into_iter().collect())
}

fn known() -> impl Strategy<Value = customers::CustomerFact> {
    (option::of(time()), time(), area()).prop_map(|(since, create_time, dimensions)| customers::CustomerFact {
        since: since.flatten(),
        create_time,
        dimensions,
    })
}

fn survey() -> impl Strategy<Value = surveys::SurveyFact> {
    (word(), 1..=3, 1..=2).prop_map(|(name, kind, r#type)| surveys::SurveyFact { name, kind, r#type })
}

fn response() -> impl Strategy<Value = surveys::ResponseFact> {
    let who = (0_u128..4, option::of(person()));
    let weight = select(vec![1_000_000_000_000, 250_000_000_000, 1]);
    (who, option::of(0..=10), word(), time(), weight, area()).prop_map(
        |((survey, customer), score, language, time, weight_trillionths, dimensions)| surveys::ResponseFact {
            // The last of the surveys is never known.
            survey_id: id(survey),
            customer_id: customer.unwrap_or_default(),
            score,
            disposition: i32::from(score.is_none()),
            channel: language.clone(),
            language,
            time,
            weight_trillionths,
            dimensions,
            ..Default::default()
        },
    )
}

/// A path in a tree of few.
fn tree() -> impl Strategy<Value = String> {
    select(vec!["", "a", "a/b", "a/b/c", "a/c", "ab", "b"]).prop_map(str::to_owned)
}

/// Opened, answered and solved at any of a hundred days.
fn case() -> impl Strategy<Value = complaints::CaseFact> {
    let texts = (tree(), word(), word(), word(), tree());
    let codes = (0..=5, 0..=4, 0..=4, 0..=3, 0..=5, option::of(1..=5));
    let took = || option::of(0_i64..200);
    let times = (time(), took(), took(), took());
    let other = (area(), vec(redress(), 0..3), 0..3);
    (option::of(person()), 1..=9, times, texts, codes, other).prop_map(
        |(customer, state, times, texts, codes, other)| {
            let (open_time, acknowledged, answered, solved) = times;
            let (category, product, channel, team, root_cause) = texts;
            let (kind, severity, priority, finding, acceptance, satisfaction) = codes;
            let (dimensions, redress, hand_offs) = other;
            let after = |quarters: i64| {
                let opened = open_time.as_ref().and_then(barometer_chassis::clock::Micros::from_wire)?;
                Some(barometer_chassis::clock::Micros(opened.0 + quarters * DAY / 4).to_wire())
            };
            complaints::CaseFact {
                customer_id: customer.unwrap_or_default(),
                state,
                acknowledge_time: acknowledged.and_then(after),
                first_response_time: answered.and_then(after),
                first_resolve_time: solved.and_then(after),
                open_time,
                employee: product.clone(),
                value_band: product.clone(),
                policy_name: channel.clone(),
                category,
                product,
                channel,
                team,
                root_cause,
                dimensions,
                kind,
                severity,
                priority,
                finding,
                acceptance,
                satisfaction,
                redress,
                hand_offs,
                ..Default::default()
            }
        },
    )
}

fn redress() -> impl Strategy<Value = complaints::RedressFact> {
    let amount = option::of((1_i64..50, select(vec!["EUR", "USD"])));
    (0..=5, amount, 0_i64..3).prop_map(|(remedy, amount, points)| complaints::RedressFact {
        remedy,
        amount: amount.map(|(units, currency)| Money { currency_code: currency.to_owned(), units, nanos: 0 }),
        points,
    })
}

/// An entry of one of the cases, or of one that never comes.
fn entry() -> impl Strategy<Value = complaints::CaseEntryFact> {
    use complaints::CaseEntryType::{Annotated, Assigned, Cancelled, Closed, Reopened, Resolved, SelfServed};
    let types = select(vec![
        Resolved, Resolved, SelfServed, Cancelled, Reopened, Reopened, Closed, Assigned, Assigned, Annotated,
    ]);
    (100_i64..132, types, time(), (word(), word(), word(), word())).prop_map(|(case_number, of, time, texts)| {
        let (employee, team, previous_employee, previous_team) = texts;
        complaints::CaseEntryFact {
            case_number,
            r#type: of.into(),
            time,
            employee,
            team,
            previous_employee,
            previous_team,
            ..Default::default()
        }
    })
}

/// A clock of one of the cases, or of one that never comes: stopped or not.
fn clock() -> impl Strategy<Value = complaints::CaseClockFact> {
    let times = (time(), option::of(time()), time());
    let counted = (0_i64..300, 0_i64..300);
    (100_i64..132, 1..=7, 1..=5, times, counted, word()).prop_map(
        |(case_number, kind, state, (start_time, due_time, stop_time), (working, elapsed), policy_name)| {
            let stopped = |quarters: i64| (state > 2).then_some(quarters * DAY / 4);
            complaints::CaseClockFact {
                case_number,
                kind,
                state,
                start_time,
                due_time: due_time.flatten(),
                stop_time: stop_time.filter(|_| state > 2),
                working_micros: stopped(working),
                elapsed_micros: stopped(elapsed),
                policy_name,
                ..Default::default()
            }
        },
    )
}

/// Of an answer to one of the surveys; the last of them is never known.
fn follow_up() -> impl Strategy<Value = complaints::FollowUpFact> {
    (option::of(person()), 0_u128..4, 1..=6, time()).prop_map(|(customer, survey, outcome, open_time)| {
        complaints::FollowUpFact {
            customer_id: customer.unwrap_or_default(),
            survey_id: id(survey),
            outcome,
            open_time,
            ..Default::default()
        }
    })
}

/// Work on one of the cases, or on one that never comes; ended or not.
fn claim() -> impl Strategy<Value = complaints::ClaimFact> {
    (100_i64..132, (word(), word()), option::of((time(), 0_i64..300))).prop_map(
        |(case_number, (employee, team), ended)| complaints::ClaimFact {
            case_number,
            employee,
            team,
            end_time: ended.and_then(|(at, _)| at),
            handling_micros: ended.map(|(_, quarters)| quarters * DAY / 4),
            ..Default::default()
        },
    )
}

/// A step of a ladder of one of the cases, or of one that never comes.
fn escalation() -> impl Strategy<Value = complaints::EscalationFact> {
    (prop_oneof![1 => Just(0_i64), 9 => 100_i64..132], 0..=7, word(), time(), any::<bool>()).prop_map(
        |(case_number, kind, policy_name, fire_time, late)| complaints::EscalationFact {
            case_number,
            kind,
            promise_id: if kind == 0 { "a promise".to_owned() } else { String::new() },
            policy_name,
            fire_time,
            late,
            ..Default::default()
        },
    )
}

/// Due at any of a hundred days.
fn promise() -> impl Strategy<Value = complaints::PromiseFact> {
    (option::of(person()), 1..=4, time(), option::of(time()), (word(), word())).prop_map(
        |(customer, state, due_time, keep_time, (employee, team))| complaints::PromiseFact {
            customer_id: customer.unwrap_or_default(),
            state,
            due_time,
            keep_time: keep_time.flatten(),
            employee,
            team,
            ..Default::default()
        },
    )
}

fn customer_fact() -> impl Strategy<Value = customers::fact::Fact> {
    use customers::fact::Fact;
    let interaction = (person(), time()).prop_map(|(customer_id, time)| {
        Fact::Interaction(customers::InteractionFact { customer_id, time, ..Default::default() })
    });
    prop_oneof![
        6 => purchase().prop_map(Fact::Purchase),
        4 => attribute_change().prop_map(Fact::AttributeChange),
        1 => interaction,
    ]
}

fn purchase() -> impl Strategy<Value = customers::PurchaseFact> {
    let lines = vec((word(), -20_i64..50), 0..4);
    let texts = (word(), word(), any::<bool>(), select(vec!["EUR", "USD"]));
    (person(), time(), lines, -30_i64..100, texts, area()).prop_map(
        |(customer_id, time, lines, amount, (channel, country, voucher, currency), dimensions)| {
            let money = |units| Some(Money { currency_code: currency.to_owned(), units, nanos: 0 });
            let amount = if lines.is_empty() { amount } else { lines.iter().map(|(_, amount)| amount).sum() };
            let line = |(category, amount)| customers::PurchaseLineFact {
                category,
                quantity: 1,
                discount: None,
                amount: money(amount),
            };
            customers::PurchaseFact {
                customer_id,
                time,
                amount: money(amount),
                lines: lines.into_iter().map(line).collect(),
                channel,
                country,
                voucher,
                dimensions,
                ..Default::default()
            }
        },
    )
}

fn attribute_change() -> impl Strategy<Value = customers::AttributeChangeFact> {
    (person(), time(), 1..=4, word(), any::<bool>()).prop_map(|(customer_id, time, attribute, value, leaves)| {
        customers::AttributeChangeFact { customer_id, time, attribute, value, leaves, dimensions: BTreeMap::new() }
    })
}
