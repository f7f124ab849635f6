//! Cases that are taken through their histories.

use proptest::{collection::vec, prelude::*};

use super::{
    history::{folded, withs},
    *,
};
use crate::case_entry::{self, Said, of_new, of_step};

/// What stands in a history of what a verb does; nothing of those that are no part of histories.
fn deed(verb: Verb, with: &With) -> Option<Deed> {
    let deed = match verb {
        Verb::Acknowledge => Deed::Acknowledged,
        Verb::Respond => Deed::Responded,
        Verb::AwaitCustomer => Deed::AwaitedCustomer,
        Verb::AwaitThirdParty => Deed::AwaitedThirdParty,
        Verb::Resume => Deed::Resumed,
        Verb::Hear => Deed::CustomerWrote,
        Verb::SelfServe => Deed::SelfServed,
        Verb::Resolve => Deed::Resolved,
        Verb::Reopen => Deed::Reopened,
        Verb::Close => Deed::Closed,
        Verb::Cancel => Deed::Cancelled,
        Verb::Decide => Deed::OutcomeSet(outcome()),
        Verb::Ask => Deed::AcceptanceAsked,
        Verb::HearAcceptance => Deed::AcceptanceRecorded { accepted: with.needs_no_answer, satisfaction: Some(4) },
        Verb::Assign => Deed::Assigned(with.to.clone()),
        Verb::Prioritize => Deed::Prioritized(with.priority),
        Verb::Annotate => Deed::Annotated,
        Verb::Merge | Verb::Unmerge | Verb::Absorb => return None,
    };
    Some(deed)
}

fn event(verb: Verb, seconds: i64, with: &With) -> Option<PastEvent> {
    let said = Said { reply: with.reply, needs_no_answer: with.needs_no_answer, ..Said::default() };
    let time = at(seconds).given.expect("given");
    Some(PastEvent { time, actor: "ana".to_owned(), deed: deed(verb, with)?, said })
}

fn lived(past: Vec<PastEvent>) -> Result<(Model, Vec<case_entry::Model>), (usize, Error)> {
    new().lived("shop", past, &PriorityTable::default(), OPENED)
}

/// A history of verbs, each a second after the one before it.
fn past(verbs: &[Verb]) -> Vec<PastEvent> {
    (1..).zip(verbs).filter_map(|(second, verb)| event(*verb, second, &With::default())).collect()
}

#[test]
fn a_history_is_entered_as_it_was_told() {
    let verbs = [Verb::Respond, Verb::Assign, Verb::Assign, Verb::Resolve, Verb::Close, Verb::Hear, Verb::Reopen];
    let mut told = past(&verbs);
    told[6].time = at(400 * DAY).given.expect("given");
    let (case, entries) = lived(told).expect("possible");
    let events: Vec<Event> = entries.iter().map(|entry| Event::try_from(entry.entry_type).expect("an event")).collect();
    let expected = [
        Event::Opened,
        Event::Responded,
        Event::Assigned,
        Event::Assigned,
        Event::Resolved,
        Event::Closed,
        Event::CustomerWrote,
        Event::Reopened,
    ];
    assert_eq!(
        events, expected,
        "a repeated assignment is told, a message reopens nothing, and no window is asked for"
    );
    assert_eq!((case.state(), case.reopenings, case.hand_offs), (State::InProgress, 1, 0));
    assert_eq!((entries[0].actor.as_str(), entries[1].actor.as_str()), ("shop", "ana"));
    assert_eq!(State::try_from(entries[6].state), Ok(State::Closed));
}

#[test]
fn the_first_event_that_is_not_possible_is_named() {
    let (place, error) = lived(past(&[Verb::Respond, Verb::Acknowledge, Verb::Resume])).expect_err("answered before");
    assert_eq!(place, 1);
    assert!(matches!(error, Error::State { reason: "WRONG_STATE", .. }), "{error:?}");
    let complaint = Model { kind: CaseKind::Complaint.into(), ..new() };
    let served = complaint.lived("", past(&[Verb::SelfServe]), &PriorityTable::default(), OPENED);
    assert!(matches!(served, Err((0, Error::State { reason: "NEEDS_A_PERSON", .. }))), "{served:?}");
}

proptest! {
    #[test]
    fn it_is_as_if_it_had_been_worked_on(steps in vec((0..VERBS.len(), 0_i64..5, withs()), 0..40)) {
        let (mut case, mut clock) = (new(), 0);
        let (mut told, mut worked) = (Vec::new(), of_new(&case, OPENED));
        for (verb, later, with) in steps {
            clock += later;
            let ended = matches!(case.state(), State::Resolved | State::Closed | State::Cancelled);
            let Some(event) = event(VERBS[verb], clock, &with) else { continue };
            if ended && VERBS[verb] == Verb::Hear {
                continue;
            }
            if let Ok(step) = act(case.clone(), VERBS[verb], at(clock), &with) {
                // What changes nothing leaves no entry when it is done, and one when it is told.
                if step.events.is_empty() {
                    continue;
                }
                worked.extend(of_step(&step, "", &event.said, OPENED));
                told.push(event);
                case = step.case;
            }
        }
        let count = told.len();
        let (lived, entries) = lived(told).map_err(|(place, error)| TestCaseError::fail(format!("{place}: {error}")))?;
        prop_assert_eq!(&lived, &case);
        prop_assert_eq!(entries.len(), count + 1);
        let nameless = |entries: Vec<case_entry::Model>| {
            entries.into_iter().map(|entry| case_entry::Model { actor: String::new(), ..entry }).collect::<Vec<_>>()
        };
        prop_assert_eq!(nameless(entries), nameless(worked));
    }

    #[test]
    fn whatever_is_possible_is_what_its_entries_say(steps in vec((0..VERBS.len(), 0_i64..5, withs()), 0..40)) {
        let mut clock = 0;
        let mut told: Vec<PastEvent> = Vec::new();
        for (verb, later, with) in steps {
            clock += later;
            let mut longer = told.clone();
            longer.extend(event(VERBS[verb], clock, &with));
            match lived(longer.clone()) {
                Ok(_) => told = longer,
                Err((place, _)) => prop_assert_eq!(place, told.len()),
            }
        }
        let (case, entries) = lived(told).expect("each was possible");
        let said = Model {
            priority_overridden: case.priority_overridden,
            prioritize_time: case.prioritize_time,
            ..folded(&entries)
        };
        prop_assert_eq!(said, case);
    }
}
