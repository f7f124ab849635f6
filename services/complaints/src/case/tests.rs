use barometer_chassis::door::Door;
use barometer_proto::complaints::v1::CaseEntryType as Event;
use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::{
    case_entry::{of_new, of_step},
    wire::{Past, parse_past},
};

const STATES: [State; 5] = [State::Received, State::Acknowledged, State::InProgress, State::Resolved, State::Closed];
const VERBS: [Verb; 7] =
    [Verb::Acknowledge, Verb::Respond, Verb::Resolve, Verb::Reopen, Verb::Close, Verb::Assign, Verb::Annotate];
const OPENED: Micros = Micros(1_000 * Micros::SECOND);

fn new() -> Model {
    Model { state: State::Received.into(), open_time: OPENED, move_time: OPENED, ..Model::default() }
}

fn at(seconds: i64) -> When {
    When { given: Some(Micros(OPENED.0 + seconds * Micros::SECOND)), now: OPENED }
}

fn holder(employee: &str, team: &str) -> Holder {
    Holder { employee: employee.to_owned(), team: team.to_owned() }
}

fn act(case: Model, verb: Verb, when: When, to: &Holder) -> Result<Step, Error> {
    match verb {
        Verb::Acknowledge => case.acknowledge(when),
        Verb::Respond => case.respond(when),
        Verb::Resolve => case.resolve(when),
        Verb::Reopen => case.reopen(when),
        Verb::Close => case.close(when),
        Verb::Assign => case.assign(when, to.clone()),
        Verb::Annotate => case.annotate(when),
    }
}

#[test]
fn each_state_takes_its_verbs_and_names_them_otherwise() {
    let allowed = [
        "acknowledged, responded to, resolved, assigned, annotated",
        "responded to, resolved, assigned, annotated",
        "responded to, resolved, assigned, annotated",
        "reopened, closed, assigned, annotated",
        "reopened, annotated",
    ];
    for (state, allowed) in STATES.into_iter().zip(allowed) {
        let mut taken = 0;
        for verb in VERBS {
            let case = Model { state: state.into(), ..new() };
            match act(case, verb, at(1), &Holder::default()) {
                Ok(_) => taken += 1,
                Err(Error::State { reason, message }) => {
                    assert_eq!(reason, "WRONG_STATE");
                    assert!(message.ends_with(&format!("it can be {allowed}")), "{message}");
                }
                Err(error) => panic!("{state:?}, {verb:?}: {error}"),
            }
        }
        assert_eq!(taken, allowed.split(", ").count(), "{state:?}");
    }
}

#[test]
fn states_are_told_in_words() {
    let case = new().respond(at(1)).expect("responded").case;
    let refused = case.close(at(2)).expect_err("not resolved");
    let message =
        "the case is in progress and can not be closed: it can be responded to, resolved, assigned, annotated";
    assert_eq!(refused.to_string(), message);
}

#[test]
fn a_case_goes_its_way() {
    let second = |seconds| at(seconds).given;
    let case = new().acknowledge(at(1)).expect("acknowledged").case;
    let case = case.respond(at(2)).expect("responded").case;
    let case = case.respond(at(3)).expect("again").case;
    let case = case.resolve(at(4)).expect("resolved").case;
    let case = case.close(at(5)).expect("closed").case;
    assert_eq!((case.state(), case.close_time, case.resolve_time), (State::Closed, second(5), second(4)));
    let case = case.reopen(at(6)).expect("reopened").case;
    assert_eq!((case.state(), case.close_time, case.resolve_time), (State::InProgress, None, None));
    let case = case.resolve(at(7)).expect("resolved").case;
    assert_eq!((case.first_resolve_time, case.resolve_time), (second(4), second(7)));
    assert_eq!((case.acknowledge_time, case.first_response_time), (second(1), second(2)));
    assert_eq!((case.reopenings, case.hand_offs), (1, 0));

    let at_once = new().resolve(at(9)).expect("resolved").case;
    assert_eq!(at_once.first_response_time, second(9), "resolving answers the customer");
}

#[test]
fn nothing_happens_before_what_came_before_it() {
    let case = new().respond(at(5)).expect("responded").case;
    for refused in
        [case.clone().resolve(at(4)), new().acknowledge(at(-1)), case.clone().assign(at(-1), holder("a", ""))]
    {
        let violations = refused.expect_err("too early").into_violations("").expect("of a field");
        assert_eq!((violations[0].field.as_str(), violations[0].reason), ("time", "TOO_EARLY"));
    }
    assert!(case.clone().resolve(at(5)).is_ok(), "at the same instant");
    assert!(case.clone().assign(at(1), holder("a", "")).is_ok(), "an assignment may be told late");
    // The clock may lag behind the caller's.
    let step = case.resolve(When { given: None, now: OPENED }).expect("resolved");
    assert_eq!(Some(step.time), at(5).given);
}

#[test]
fn a_hand_off_takes_a_case_from_somebody() {
    let hand_offs = |way: &[(&str, &str)]| {
        let assign = |case: Model, (employee, team): &(&str, &str)| {
            case.assign(at(1), holder(employee, team)).expect("assigned").case
        };
        way.iter().fold(new(), assign).hand_offs
    };
    assert_eq!(hand_offs(&[("ana", "")]), 0, "nobody had it");
    assert_eq!(hand_offs(&[("", "billing"), ("ana", "billing")]), 0, "within the team, and no employee had it");
    assert_eq!(hand_offs(&[("ana", "billing"), ("ana", "billing")]), 0, "it stays");
    assert_eq!(hand_offs(&[("ana", "billing"), ("bob", "billing")]), 1);
    assert_eq!(hand_offs(&[("ana", "billing"), ("bob", "legal")]), 1, "one, though both changed");
    assert_eq!(hand_offs(&[("ana", ""), ("", ""), ("bob", "")]), 1, "by way of nobody");
    assert_eq!(hand_offs(&[("", "billing"), ("", "legal"), ("", "billing")]), 2);
}

/// What a history says of a case.
fn folded(history: &[case_entry::Model]) -> Model {
    let of = |event: Event| history.iter().filter(move |entry| entry.entry_type == i32::from(event));
    let first = |event: Event| of(event).map(|entry| entry.time).min();
    let reopened = history.iter().rposition(|entry| entry.entry_type == i32::from(Event::Reopened));
    let since = &history[reopened.unwrap_or(0)..];
    let still = |event: Event| {
        since.iter().filter(|entry| entry.entry_type == i32::from(event)).map(|entry| entry.time).next_back()
    };
    let moving = |entry: &&case_entry::Model| {
        ![i32::from(Event::Assigned), i32::from(Event::Annotated)].contains(&entry.entry_type)
    };
    let moved = history.iter().rfind(moving).expect("it was opened");
    let last = history.last().expect("it was opened");
    let taken = of(Event::Assigned).filter(|entry| {
        let from = |before: &str, after: &str| !before.is_empty() && before != after;
        from(&entry.previous_employee, &entry.employee) || from(&entry.previous_team, &entry.team)
    });
    Model {
        state: last.state,
        open_time: first(Event::Opened).expect("it was opened"),
        acknowledge_time: first(Event::Acknowledged),
        first_response_time: first(Event::Responded).into_iter().chain(first(Event::Resolved)).min(),
        first_resolve_time: first(Event::Resolved),
        resolve_time: still(Event::Resolved),
        close_time: still(Event::Closed),
        move_time: moved.time,
        reopenings: i32::try_from(of(Event::Reopened).count()).expect("few"),
        hand_offs: i32::try_from(taken.count()).expect("few"),
        employee: last.employee.clone(),
        team: last.team.clone(),
        ..Model::default()
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
    ];
    let known: Vec<Micros> = instants.into_iter().flatten().collect();
    known.is_sorted() && known.iter().all(|instant| *instant <= case.move_time)
}

fn holders() -> impl Strategy<Value = Holder> {
    let name = prop_oneof![Just(String::new()), Just("a".to_owned()), Just("b".to_owned())];
    (name.clone(), name).prop_map(|(employee, team)| Holder { employee, team })
}

proptest! {
    #[test]
    fn a_case_is_what_its_history_says(steps in vec((0..VERBS.len(), -2_i64..10, holders()), 0..60)) {
        let mut case = new();
        let mut history = of_new(&case, OPENED);
        let mut clock = 0;
        for (verb, later, to) in steps {
            let before = case.clone();
            clock = (clock + later).max(0);
            if let Ok(step) = act(before.clone(), VERBS[verb], at(clock), &to) {
                if step.case != before || step.event == Event::Annotated {
                    history.push(of_step(&step, "", "", OPENED));
                }
                case = step.case;
            }
            prop_assert!(in_order(&case), "{case:?}");
            prop_assert_eq!(&folded(&history), &case);
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
        let past = Past { acknowledge, first_response, resolve, close };
        let in_turn = gaps.iter().flatten().all(|gap| *gap >= 0) && (close.is_none() || resolve.is_some());
        match Door::open(|door| parse_past(door, new(), past)) {
            Ok(case) => {
                prop_assert!(in_turn && in_order(&case), "{case:?}");
                prop_assert_eq!(&folded(&of_new(&case, OPENED)), &case);
            }
            Err(_) => prop_assert!(!in_turn, "{past:?}"),
        }
    }
}
