//! What happens at the complaints desk.

use barometer_proto::{common::v1::Money, complaints::v1 as complaints};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{DAY, Write, area, fact_id, id, person, time, word};

/// Gives facts of complaints their numbers and versions; withdraws those of which it is said.
pub(super) fn number<T>(
    first: i64,
    kind: complaints::FactKind,
    facts: Vec<(Vec<T>, bool)>,
    fact: fn(T) -> complaints::fact::Fact,
) -> impl Iterator<Item = Vec<Write>> {
    use complaints::{Tombstone, fact::Fact};
    (first..).zip(facts).map(move |(number, (versions, withdrawn))| {
        let end = withdrawn.then_some(Fact::Tombstone(Tombstone { kind: kind.into() }));
        let versions = versions.into_iter().map(fact).chain(end);
        let write = |(version, fact)| complaints::Fact {
            id: fact_id(number),
            number,
            version,
            fact: Some(fact),
            ..Default::default()
        };
        (1..).zip(versions).map(write).map(Write::Complaints).collect()
    })
}

/// Entries never change.
pub(super) fn number_entries(entries: Vec<complaints::CaseEntryFact>) -> impl Iterator<Item = Vec<Write>> {
    (1_000..).zip(entries).map(|(number, entry)| {
        let fact = Some(complaints::fact::Fact::CaseEntry(entry));
        vec![Write::Complaints(complaints::Fact {
            id: fact_id(number),
            number,
            version: 1,
            fact,
            ..Default::default()
        })]
    })
}

/// A path in a tree of few.
fn tree() -> impl Strategy<Value = String> {
    select(vec!["", "a", "a/b", "a/b/c", "a/c", "ab", "b"]).prop_map(str::to_owned)
}

/// Opened, answered and solved at any of a hundred days.
pub(super) fn case() -> impl Strategy<Value = complaints::CaseFact> {
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
pub(super) fn entry() -> impl Strategy<Value = complaints::CaseEntryFact> {
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
pub(super) fn clock() -> impl Strategy<Value = complaints::CaseClockFact> {
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
pub(super) fn follow_up() -> impl Strategy<Value = complaints::FollowUpFact> {
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
pub(super) fn claim() -> impl Strategy<Value = complaints::ClaimFact> {
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
pub(super) fn escalation() -> impl Strategy<Value = complaints::EscalationFact> {
    (prop_oneof![1 => Just(0_i64), 9 => 100_i64..132], 0..=7, word(), time(), any::<bool>()).prop_map(
        |(case_number, kind, policy_name, fire_time, late)| complaints::EscalationFact {
            case_number,
            kind,
            promise_number: if kind == 0 { 3_000 + fire_time.map_or(0, |at| at.seconds.rem_euclid(16)) } else { 0 },
            policy_name,
            fire_time,
            late,
            ..Default::default()
        },
    )
}

/// Due at any of a hundred days.
pub(super) fn promise() -> impl Strategy<Value = complaints::PromiseFact> {
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
