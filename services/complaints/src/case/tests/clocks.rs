//! A case and its clocks say the same, however late what happened is told.

use std::sync::Arc;

use proptest::{collection::vec, option, prelude::*};

use super::{history::withs, *};
use crate::{
    calendar::{
        Timetable,
        tests::{WORKDAYS, calendar},
    },
    case_entry::{self, Said, of_new, of_step},
    clock::{
        self, Clock, ClockTarget, Dated, Desk, Entry, History, Kind, PolicyVersion, State as How, Terms, Unit, Version,
    },
};

/// After everything.
const END: Micros = Micros(i64::MAX);

/// What clocks need of an entry.
fn entry(entry: &case_entry::Model) -> Entry {
    Entry {
        entry_type: Event::try_from(entry.entry_type).expect("known"),
        time: entry.time,
        state: State::try_from(entry.state).expect("known"),
        reply: ReplyType::try_from(entry.reply).expect("known"),
        needs_no_answer: entry.needs_no_answer,
        calendar: None,
        rebase: None,
    }
}

/// A case that went through verbs, some of them told late, others by a clock that lags: as it was after each, and the
/// entries until then.
fn lived(steps: Vec<(usize, i64, Option<i64>, With)>) -> Vec<(Model, Vec<Entry>)> {
    let mut case = new();
    let mut entries: Vec<Entry> = of_new(&case, OPENED).iter().map(entry).collect();
    let mut told = vec![(case.clone(), entries.clone())];
    let mut now = 0;
    for (verb, later, given, with) in steps {
        now += later;
        let instant = |seconds: i64| Micros(OPENED.0 + seconds * Micros::SECOND);
        let when = When { given: given.map(|off| instant(now + off)), now: instant(now) };
        let Ok(step) = act(case.clone(), VERBS[verb], when, &with) else { continue };
        let said = Said { reply: with.reply, needs_no_answer: with.needs_no_answer, ..Said::default() };
        entries.extend(of_step(&step, "", &said, when.now).iter().map(entry));
        case = step.case;
        told.push((case.clone(), entries.clone()));
    }
    told
}

/// The clocks after everything, none of which is ever due.
fn clocks(events: &[Dated], at: Micros) -> Vec<Clock> {
    let target = |kind: Kind| ClockTarget::new(kind, Unit::ElapsedMinutes.most(), Unit::ElapsedMinutes);
    let terms = [Terms::new(PolicyVersion::default(), Kind::ALL.map(target))];
    let timetable = Timetable::new(&calendar("UTC", &WORKDAYS, &["08:00-18:00"], &[])).expect("a zone");
    let desks = [Desk { calendar: Version::default(), timetable: Arc::new(timetable) }];
    History::new(events, &terms, &desks).expect("a good history").clocks(at)
}

/// When the customer last got an answer.
fn last_answer(entries: &[Entry]) -> Option<Micros> {
    let answers = entries.iter().filter(|entry| match entry.entry_type {
        Event::Responded => entry.reply == ReplyType::Answer,
        kind => [Event::AwaitedCustomer, Event::SelfServed, Event::Resolved].contains(&kind),
    });
    answers.map(|entry| entry.time).max()
}

fn events_of(entries: &[Entry], until: Micros) -> Vec<Dated> {
    clock::events(entries, Version::default(), until).0
}

fn check(case: &Model, entries: &[Entry]) -> Result<(), TestCaseError> {
    let events = events_of(entries, END);
    // Long before a target is due.
    let clocks = clocks(&events, Micros(OPENED.0 + Micros::DAY));
    let of = |kind: Kind| clocks.iter().rfind(|clock| clock.kind == kind).map(|clock| (clock.state, clock.stop));
    let state = match case.unmerged_state.and_then(|state| State::try_from(state).ok()) {
        Some(State::Resolved) => State::Resolved,
        _ => case.state(),
    };
    // What runs or stands while it has not happened.
    let pending = |pauses: bool| match state {
        State::Merged => (How::Cancelled, Some(case.move_time)),
        State::Cancelled => (How::Cancelled, case.cancel_time),
        State::WaitingForCustomer if pauses => (How::Paused, None),
        _ => (How::Running, None),
    };
    let once = |happened: Option<Micros>, pauses| happened.map_or(pending(pauses), |at| (How::Met, Some(at)));
    let heard = case.acknowledge_time.or(entries
        .iter()
        .filter(|entry| entry.entry_type == Event::Responded)
        .map(|entry| entry.time)
        .chain(case.first_response_time)
        .min());
    prop_assert_eq!(of(Kind::Acknowledgement), Some(once(heard, false)));
    prop_assert_eq!(of(Kind::FirstResponse), Some(once(case.first_response_time, false)));
    prop_assert_eq!(of(Kind::Resolution), Some(once(case.first_resolve_time, true)));
    prop_assert_eq!(of(Kind::FinalResponse), Some(once(case.first_resolve_time, false)));
    prop_assert_eq!(of(Kind::TotalResolution), Some(once(case.resolve_time, true)));
    // Somebody owes an answer as long as nobody gave one.
    let open = !matches!(state, State::Resolved | State::Closed | State::Cancelled | State::Merged);
    let next = of(Kind::NextResponse).filter(|(how, _)| *how == How::Running);
    let (asked, answered) = (case.last_message_time, last_answer(entries));
    if answered.is_some() && asked != answered {
        prop_assert_eq!(next.is_some(), open && asked > answered, "{:?} {:?} {:?}", state, asked, answered);
    }
    // And who is waited for has not written since, but for what was recorded late: before something else had moved the case.
    if case.state() == State::WaitingForCustomer {
        let began = entries.iter().rfind(|entry| entry.entry_type == Event::AwaitedCustomer).map(|entry| entry.time);
        let merged = entries.iter().any(|entry| entry.entry_type == Event::Unmerged);
        let late = asked < Some(case.move_time);
        prop_assert!(merged || late || asked <= began, "{:?} {:?}", asked, began);
    }
    Ok(())
}

fn steps() -> impl Strategy<Value = Vec<(usize, i64, Option<i64>, With)>> {
    vec((0..VERBS.len(), 0_i64..6, option::of(-9_i64..9), withs()), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_case_is_as_its_clocks(steps in steps()) {
        for (case, entries) in lived(steps) {
            check(&case, &entries)?;
        }
    }

    #[test]
    fn at_any_instant_it_is_what_had_happened_by_then(steps in steps(), at in 0_i64..120) {
        let (_, entries) = lived(steps).pop().expect("it was opened");
        let at = Micros(OPENED.0 + at * Micros::SECOND);
        let mut replayed = events_of(&entries, END);
        replayed.retain(|dated| dated.at <= at);
        let events = events_of(&entries, at);
        prop_assert_eq!(&events, &replayed);
        // What has not happened yet changes nothing.
        prop_assert_eq!(clocks(&events, at), clocks(&events_of(&entries, END), at));
    }

    #[test]
    fn what_is_told_as_it_happens_is_known_at_once(steps in steps()) {
        let in_time = steps.into_iter().map(|(verb, later, _, with)| (verb, later, None, with)).collect();
        let told = lived(in_time);
        let (_, all) = told.last().expect("it was opened");
        for (_, entries) in &told {
            let at = entries.last().map(|entry| entry.time).expect("it was opened");
            if all.get(entries.len()).is_none_or(|next| next.time > at) {
                prop_assert_eq!(events_of(entries, END), events_of(all, at));
            }
        }
    }
}
