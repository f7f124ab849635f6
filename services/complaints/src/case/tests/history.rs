//! A case is what its history says.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::{
    case_entry::{self, Said, of_new, of_step},
    wire::{Past, parse_past},
};

/// What a history says of a case.
fn folded(history: &[case_entry::Model]) -> Model {
    let of = |events: &'static [Event]| {
        history.iter().filter(move |entry| events.iter().any(|event| entry.entry_type == i32::from(*event)))
    };
    let first = |events: &'static [Event]| of(events).map(|entry| entry.time).min();
    let reopened = history.iter().rposition(|entry| entry.entry_type == i32::from(Event::Reopened));
    let since = &history[reopened.unwrap_or(0)..];
    let still = |event: Event| {
        since.iter().filter(|entry| entry.entry_type == i32::from(event)).map(|entry| entry.time).next_back()
    };
    // What leaves the state as it is moves nothing; but a verb that could move it does.
    let mut state = 0;
    let mut move_time = Micros(0);
    for entry in history {
        let aside = [
            Event::Assigned,
            Event::Annotated,
            Event::Prioritized,
            Event::CustomerWrote,
            Event::Absorbed,
            Event::OutcomeSet,
            Event::AcceptanceAsked,
            Event::AcceptanceRecorded,
        ];
        let aside = aside.map(i32::from);
        if entry.state != state || !aside.contains(&entry.entry_type) {
            move_time = entry.time;
        }
        state = entry.state;
    }
    let last = history.last().expect("it was opened");
    let taken = of(&[Event::Assigned]).filter(|entry| {
        let from = |before: &str, after: &str| !before.is_empty() && before != after;
        from(&entry.previous_employee, &entry.employee) || from(&entry.previous_team, &entry.team)
    });
    let answers = of(&[Event::Responded]).filter(|entry| entry.reply == i32::from(ReplyType::Answer));
    let answers = answers.chain(of(&[Event::AwaitedCustomer, Event::SelfServed, Event::Resolved]));
    let priority = of(&[Event::Prioritized]).next_back().map_or(Priority::Normal.into(), |entry| entry.priority);
    let asked = since.iter().rposition(|entry| entry.entry_type == i32::from(Event::AcceptanceAsked));
    let said = since[asked.unwrap_or(0)..].iter();
    let said = said.rev().find(|entry| entry.entry_type == i32::from(Event::AcceptanceRecorded));
    let replies =
        of(&[Event::Acknowledged, Event::Responded, Event::AwaitedCustomer, Event::SelfServed, Event::Resolved]);
    let assigned = of(&[Event::Assigned])
        .filter(|entry| (&entry.employee, &entry.team) != (&entry.previous_employee, &entry.previous_team));
    let mut outcome = None;
    let decided = of(&[Event::OutcomeSet])
        .filter(|entry| std::mem::replace(&mut outcome, entry.outcome.clone()) != entry.outcome);
    let decide_time = decided.map(|entry| entry.time).last();
    let questions = of(&[Event::CustomerWrote]).filter(|entry| !entry.needs_no_answer);
    Model {
        state,
        open_time: first(&[Event::Opened]).expect("it was opened"),
        acknowledge_time: first(&[Event::Acknowledged]),
        first_response_time: answers.map(|entry| entry.time).min(),
        first_resolve_time: first(&[Event::Resolved, Event::SelfServed]),
        resolve_time: still(Event::Resolved).max(still(Event::SelfServed)),
        close_time: still(Event::Closed),
        cancel_time: still(Event::Cancelled),
        self_served: still(Event::SelfServed).is_some(),
        move_time,
        reopenings: i32::try_from(of(&[Event::Reopened]).count()).expect("few"),
        hand_offs: i32::try_from(taken.count()).expect("few"),
        employee: last.employee.clone(),
        team: last.team.clone(),
        priority,
        outcome,
        ask_time: still(Event::AcceptanceAsked),
        answer_time: said.map(|entry| entry.time),
        accepted: said.and_then(|entry| entry.accepted),
        satisfaction: said.and_then(|entry| entry.satisfaction),
        customer_messages: i32::try_from(of(&[Event::CustomerWrote]).count()).expect("few"),
        last_message_time: questions.map(|entry| entry.time).max(),
        last_reply_time: replies.map(|entry| entry.time).max(),
        assign_time: assigned.map(|entry| entry.time).next_back(),
        decide_time,
        ..new()
    }
}

/// The instants of a case, in the order in which they come.
fn in_order(case: &Model) -> bool {
    let instants = [
        Some(case.open_time),
        case.acknowledge_time,
        case.first_response_time,
        case.first_resolve_time,
        case.resolve_time,
        case.close_time,
        case.cancel_time,
    ];
    let known: Vec<Micros> = instants.into_iter().flatten().collect();
    known.is_sorted() && known.iter().all(|instant| *instant <= case.move_time)
}

pub(super) fn withs() -> impl Strategy<Value = With> {
    let name = prop_oneof![Just(String::new()), Just("a".to_owned()), Just("b".to_owned())];
    let replies = select(vec![ReplyType::Answer, ReplyType::Holding, ReplyType::Update]);
    let priorities = option::of(select(vec![Priority::Low, Priority::High]));
    (name.clone(), name, replies, any::<bool>(), priorities).prop_map(
        |(employee, team, reply, needs_no_answer, priority)| With {
            to: Holder { employee, team },
            reply,
            needs_no_answer,
            priority,
        },
    )
}

proptest! {
    #[test]
    fn a_case_is_what_its_history_says(steps in vec((0..VERBS.len(), -2_i64..10, withs()), 0..60)) {
        let mut case = new();
        let mut history = of_new(&case, OPENED);
        let mut clock = 0;
        for (verb, later, with) in steps {
            clock = (clock + later).max(0);
            if let Ok(step) = act(case.clone(), VERBS[verb], at(clock), &with) {
                prop_assert_eq!(&step.before, &case);
                let said = Said { reply: with.reply, needs_no_answer: with.needs_no_answer, ..Said::default() };
                let entries = of_step(&step, "", &said, OPENED);
                prop_assert!(step.case == case || !entries.is_empty() || VERBS[verb] == Verb::Prioritize);
                history.extend(entries);
                case = step.case;
            }
            prop_assert!(in_order(&case), "{case:?}");
            // Merged and unmerged it is what it was.
            if let Ok((merged, _)) = case.clone().merge(other(), at(clock)) {
                let (unmerged, _) = merged.case.unmerge(other(), at(clock + 3)).expect("it is merged");
                let moved = Model { move_time: unmerged.time, ..case.clone() };
                prop_assert_eq!((unmerged.case, Some(unmerged.time)), (moved, at(clock + 3).given));
            }
            let acceptance = match (case.state(), case.accepted, case.ask_time) {
                (_, Some(accepted), _) => if accepted { Acceptance::Accepted } else { Acceptance::Declined },
                (_, None, Some(_)) => Acceptance::Asked,
                (State::Closed, None, None) => Acceptance::NotAsked,
                _ => Acceptance::Open,
            };
            prop_assert_eq!(case.acceptance(), acceptance);
            let kept = (case.merged_into, case.unmerged_state);
            prop_assert_eq!((kept.0.is_some(), kept.1.is_some()), (case.state() == State::Merged, case.state() == State::Merged));
            let told = Model {
                priority_overridden: case.priority_overridden,
                prioritize_time: case.prioritize_time,
                merged_into: kept.0,
                unmerged_state: kept.1,
                ..folded(&history)
            };
            prop_assert_eq!(&told, &case);
        }
    }

    #[test]
    fn a_case_of_the_past_is_what_its_history_says(gaps in [
        option::of(-1_i64..5), option::of(-1_i64..5), option::of(-1_i64..5), option::of(-1_i64..5),
    ]) {
        let mut clock = 0;
        let [acknowledge, first_response, resolve, close] = gaps.map(|gap| {
            clock += gap?;
            at(clock).given.map(Micros::to_wire)
        });
        let past = Past { acknowledge, first_response, resolve, close, outcome: None };
        let in_turn = gaps.iter().flatten().all(|gap| *gap >= 0) && (close.is_none() || resolve.is_some());
        match Door::open(|door| parse_past(door, new(), past.clone())) {
            Ok(case) => {
                prop_assert!(in_turn && in_order(&case), "{case:?}");
                prop_assert_eq!(&folded(&of_new(&case, OPENED)), &case);
            }
            Err(_) => prop_assert!(!in_turn, "{past:?}"),
        }
    }
}
