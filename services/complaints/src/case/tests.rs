mod clocks;
mod history;
mod late;
mod persons;

use barometer_chassis::door::{Door, Stages};
use barometer_proto::complaints::v1::{self as wire, Acceptance, CaseEntryType as Event, Finding, ReplyType};

use super::*;
use crate::wire::parse_case;

const STATES: [State; 9] = [
    State::Received,
    State::Acknowledged,
    State::InProgress,
    State::WaitingForCustomer,
    State::WaitingForThirdParty,
    State::Resolved,
    State::Closed,
    State::Cancelled,
    State::Merged,
];
const VERBS: [Verb; 20] = [
    Verb::Acknowledge,
    Verb::Respond,
    Verb::AwaitCustomer,
    Verb::AwaitThirdParty,
    Verb::Resume,
    Verb::Hear,
    Verb::SelfServe,
    Verb::Resolve,
    Verb::Reopen,
    Verb::Close,
    Verb::Cancel,
    Verb::Merge,
    Verb::Unmerge,
    Verb::Absorb,
    Verb::Decide,
    Verb::Ask,
    Verb::HearAcceptance,
    Verb::Assign,
    Verb::Prioritize,
    Verb::Annotate,
];
const OPENED: Micros = Micros(1_000 * Micros::SECOND);
/// A day is long against the seconds of these tests.
const DAY: i64 = Micros::DAY / Micros::SECOND;

/// A question, to which every verb may be done.
fn new() -> Model {
    Model {
        state: State::Received.into(),
        open_time: OPENED,
        move_time: OPENED,
        kind: CaseKind::Question.into(),
        severity: Severity::Medium.into(),
        priority: Priority::Normal.into(),
        ..Model::default()
    }
}

fn at(seconds: i64) -> When {
    When { given: Some(Micros(OPENED.0 + seconds * Micros::SECOND)), now: OPENED }
}

fn holder(employee: &str, team: &str) -> Holder {
    Holder { employee: employee.to_owned(), team: team.to_owned() }
}

/// What a verb takes besides its instant.
#[derive(Clone, Debug)]
struct With {
    to: Holder,
    reply: ReplyType,
    needs_no_answer: bool,
    priority: Option<Priority>,
}

impl Default for With {
    fn default() -> Self {
        With { to: holder("ana", ""), reply: ReplyType::Answer, needs_no_answer: false, priority: Some(Priority::High) }
    }
}

fn outcome() -> Outcome {
    let root_cause = "carrier/strike".to_owned();
    Outcome { finding: Finding::Upheld.into(), redress: Vec::new(), root_cause, lesson: String::new() }
}

/// Another case.
fn other() -> Model {
    Model { id: Uuid::from_u128(7), ..new() }
}

fn act(case: Model, verb: Verb, when: When, with: &With) -> Result<Step, Error> {
    let window = Window::of_days(1);
    match verb {
        Verb::Acknowledge => case.acknowledge(when),
        Verb::Respond => case.respond(when, with.reply),
        Verb::AwaitCustomer => case.await_customer(when),
        Verb::AwaitThirdParty => case.await_third_party(when),
        Verb::Resume => case.resume(when),
        Verb::Hear => case.hear(when, with.needs_no_answer, window),
        Verb::SelfServe => case.self_serve(when),
        Verb::Resolve => case.resolve(when),
        Verb::Reopen => case.reopen(when, window),
        Verb::Close => case.close(when),
        Verb::Cancel => case.cancel(when),
        Verb::Merge => Ok(case.merge(other(), when)?.0),
        Verb::Unmerge => Ok(case.unmerge(other(), when)?.0),
        Verb::Absorb => Ok(Model { state: State::Resolved.into(), ..other() }.merge(case, when)?.1),
        Verb::Decide => case.decide(when, outcome()),
        Verb::Ask => case.ask(when),
        Verb::HearAcceptance => case.hear_acceptance(when, with.needs_no_answer, Some(4)),
        Verb::Assign => case.assign(when, with.to.clone()),
        Verb::Prioritize => case.prioritize(when, with.priority, &PriorityTable::default()),
        Verb::Annotate => case.annotate(when),
    }
}

/// The case but for what it knows of the customer's messages.
fn unheard(case: &Model) -> Model {
    Model { customer_messages: 0, last_message_time: None, ..case.clone() }
}

/// The case after a verb that its state takes.
fn done(case: Model, verb: Verb, seconds: i64) -> Model {
    act(case, verb, at(seconds), &With::default()).expect("allowed").case
}

#[test]
fn each_state_takes_its_verbs_and_names_them_otherwise() {
    let (wait, work) = ("put to wait for the customer", "put to wait for a third party");
    let begun = format!("responded to, {wait}, {work}, answered by self-service, resolved");
    let open = "cancelled, written to by the customer, merged into another, joined by a duplicate, \
                given an outcome, assigned, prioritized, annotated";
    let allowed = [
        format!("acknowledged, {begun}, {open}"),
        format!("{begun}, {open}"),
        // The customer has heard nothing yet.
        format!("acknowledged, {begun}, {open}"),
        format!("responded to, resumed, {work}, resolved, {open}"),
        format!("acknowledged, responded to, resumed, {wait}, resolved, {open}"),
        "reopened, closed, written to by the customer, merged into another, joined by a duplicate, given an \
         outcome, put to the customer for acceptance, accepted or declined by the customer, assigned, prioritized, annotated"
            .to_owned(),
        "reopened, written to by the customer, joined by a duplicate, given an outcome, put to the customer for \
         acceptance, accepted or declined by the customer, annotated"
            .to_owned(),
        "reopened, written to by the customer, annotated".to_owned(),
        "unmerged, annotated".to_owned(),
    ];
    for (state, allowed) in STATES.into_iter().zip(allowed) {
        let mut taken = 0;
        for verb in VERBS {
            let case = Model { state: state.into(), ..new() };
            match act(case, verb, at(1), &With::default()) {
                Ok(step) => {
                    assert!(!step.events.is_empty(), "{state:?}, {verb:?}");
                    taken += 1;
                }
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
    let case = Model { kind: CaseKind::Loss.into(), ..done(new(), Verb::AwaitThirdParty, 1) };
    let refused = case.clone().close(at(2)).expect_err("not resolved");
    let message = "the case is waiting for third party and can not be closed: it can be acknowledged, responded to, \
                   resumed, put to wait for the customer, resolved, cancelled, written to by the customer, merged into \
                   another, joined by a duplicate, given an outcome, assigned, prioritized, annotated";
    assert_eq!(refused.to_string(), message);
    // What only questions take is no advice for others.
    let refused = done(case.clone(), Verb::Resume, 3).close(at(4)).expect_err("not resolved");
    assert!(!refused.to_string().contains("self-service"), "{refused}");
    // Nor is it to tell the customer once more that it came in.
    let refused = done(case.clone(), Verb::Respond, 3).acknowledge(at(4)).expect_err("the customer knows");
    assert!(refused.to_string().contains("can not be acknowledged: it can be responded to, "), "{refused}");
    let refused = done(case, Verb::Merge, 3).hear(at(4), false, Window::default()).expect_err("merged");
    let into = other().id;
    let message = format!("the case is merged into the case {into} and can not be written to by the customer: ");
    assert!(refused.to_string().starts_with(&message), "{refused}");
}

#[test]
fn only_questions_are_answered_without_a_person() {
    let reason = |refused: Result<Step, Error>| match refused {
        Err(Error::State { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    let kinds = [CaseKind::Suggestion, CaseKind::Complaint, CaseKind::Loss, CaseKind::SurveyFollowUp];
    for kind in kinds.map(i32::from) {
        assert_eq!(reason(Model { kind, ..new() }.self_serve(at(1))), "NEEDS_A_PERSON");
        // Nor when it has turned out later to be none.
        let served = Model { kind, ..done(new(), Verb::SelfServe, 1) };
        assert_eq!(reason(served.clone().close(at(2))), "NEEDS_A_PERSON");
        let answered = done(done(served, Verb::Reopen, 2), Verb::Resolve, 3);
        assert!(!answered.self_served && answered.close(at(4)).is_ok());
    }
    let served = done(new(), Verb::SelfServe, 1);
    assert_eq!((served.first_response_time, served.resolve_time), (at(1).given, at(1).given));
    let closed = done(served, Verb::Close, 2);
    assert!(closed.self_served);
}

#[test]
fn only_an_answer_is_a_first_response() {
    let replied = |reply| new().respond(at(1), reply).expect("replied").case;
    for reply in [ReplyType::Holding, ReplyType::Update] {
        let case = replied(reply);
        assert_eq!((case.state(), case.first_response_time), (State::InProgress, None), "{reply:?}");
        assert_eq!(done(case, Verb::AwaitCustomer, 2).first_response_time, at(2).given, "a question answers");
    }
    assert_eq!(replied(ReplyType::Answer).first_response_time, at(1).given);
}

#[test]
fn what_waits_goes_on_by_the_customers_message_or_by_hand_only() {
    let waiting = done(new(), Verb::AwaitCustomer, 5);
    assert_eq!(done(waiting.clone(), Verb::Respond, 6).state(), State::WaitingForCustomer);
    assert_eq!(done(waiting.clone(), Verb::Resume, 6).state(), State::InProgress);
    let heard = |case: &Model, seconds, needs_no_answer| {
        case.clone().hear(at(seconds), needs_no_answer, Window::default()).expect("heard")
    };
    let step = heard(&waiting, 5, false);
    assert_eq!(step.events, [(Event::CustomerWrote, State::InProgress)]);
    assert_eq!((step.case.state(), step.case.move_time), (State::InProgress, step.time));
    // Thanks, and what crossed the question, are no answers to it.
    for step in [heard(&waiting, 6, true), heard(&waiting, 4, false)] {
        assert_eq!(
            (unheard(&step.case), &step.events[..]),
            (unheard(&waiting), &[(Event::CustomerWrote, State::WaitingForCustomer)][..])
        );
    }
    let elsewhere = done(waiting, Verb::AwaitThirdParty, 7);
    assert_eq!(unheard(&heard(&elsewhere, 8, false).case), unheard(&elsewhere));
}

#[test]
fn what_has_ended_is_taken_up_again_within_the_window() {
    let resolved = done(new(), Verb::Resolve, 10);
    let ended = [resolved.clone(), done(resolved, Verb::Close, 10), done(new(), Verb::Cancel, 10)];
    for case in ended {
        let state = case.state();
        let reopen = |seconds| act(case.clone(), Verb::Reopen, at(seconds), &With::default());
        let hear = |seconds, needs_no_answer| {
            act(case.clone(), Verb::Hear, at(seconds), &With { needs_no_answer, ..With::default() })
        };
        let step = hear(10 + DAY, false).expect("the last instant");
        assert_eq!(step.events, [(Event::CustomerWrote, state), (Event::Reopened, State::InProgress)]);
        assert_eq!(unheard(&step.case), reopen(10 + DAY).expect("the last instant").case);
        assert_eq!((step.case.reopenings, step.case.cancel_time, step.case.resolve_time), (1, None, None));
        for refused in [reopen(11 + DAY), hear(11 + DAY, false)] {
            let refused = refused.expect_err("too late");
            assert!(matches!(&refused, Error::State { reason: "REOPEN_WINDOW_OVER", .. }), "{refused}");
            assert!(refused.to_string().ends_with("can be reopened for 1 days only: open a new one"), "{refused}");
        }
        assert_eq!(unheard(&hear(11 + DAY, true).expect("thanks").case), case, "may come at any time");
        assert_eq!(unheard(&hear(9, false).expect("what crossed").case), case, "is no reply");
    }
}

#[test]
fn a_priority_is_set_and_taken_back() {
    let table = PriorityTable::default();
    let set = |case: Model, priority| case.prioritize(at(1), priority, &table).expect("allowed");
    let urgent = set(new(), Some(Priority::Urgent));
    assert_eq!((urgent.case.priority(), urgent.case.priority_overridden), (Priority::Urgent, true));
    assert!(set(urgent.case.clone(), Some(Priority::Urgent)).events.is_empty(), "it is so already");
    let worse = Model { severity: Severity::High.into(), ..urgent.case.clone() };
    let amended = worse.clone().amended(urgent.case.clone(), OPENED, &table).expect("allowed");
    assert_eq!((amended.case.priority(), amended.events.len()), (Priority::Urgent, 0), "what was set stays");
    let derived = set(worse, None).case;
    assert_eq!((derived.priority(), derived.priority_overridden), (Priority::High, false));
    let amended = Model { severity: Severity::Low.into(), ..derived.clone() }.amended(derived, OPENED, &table);
    let amended = amended.expect("allowed");
    assert_eq!((amended.case.priority(), amended.events.len()), (Priority::Low, 1));
    assert_eq!(Some(amended.time), at(1).given, "the clock may lag behind what was prioritized last");
}

#[test]
fn a_case_goes_its_way() {
    let second = |seconds| at(seconds).given;
    let case = done(new(), Verb::Acknowledge, 1);
    let case = done(done(case, Verb::Respond, 2), Verb::Respond, 3);
    let case = done(done(case, Verb::Resolve, 4), Verb::Close, 5);
    assert_eq!((case.state(), case.close_time, case.resolve_time), (State::Closed, second(5), second(4)));
    let case = done(case, Verb::Reopen, 6);
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
    let case = done(new(), Verb::Respond, 5);
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

#[test]
fn a_request_of_the_first_release_has_the_fingerprint_it_had() {
    let said =
        wire::Case { category: "late delivery".to_owned(), open_time: Some(OPENED.to_wire()), ..wire::Case::default() };
    let stages = Stages(Vec::new());
    let row = Door::open(|door| parse_case(door, said, &stages, &PriorityTable::default(), String::new()).0);
    let serialised = serde_json::to_string(&row.expect("a good one")).expect("it is plain");
    let expected = "{\"id\":\"00000000-0000-0000-0000-000000000000\",\"number\":0,\"position\":0,\"version\":0,\
                    \"customer_id\":null,\"state\":1,\"subject\":\"\",\"description\":\"\",\"category\":\"late delivery\",\
                    \"product\":\"\",\"channel\":\"\",\"touchpoint\":\"\",\"journey_stage\":\"\",\"open_time\":1000000000,\
                    \"employee\":\"\",\"team\":\"\",\"dimensions\":{},\"acknowledge_time\":null,\
                    \"first_response_time\":null,\"first_resolve_time\":null,\"resolve_time\":null,\"close_time\":null,\
                    \"move_time\":1000000000,\"reopenings\":0,\"hand_offs\":0,\"external_system\":null,\
                    \"external_id\":null,\"fingerprint\":0,\"create_time\":0,\"update_time\":0,\"withdraw_time\":null}";
    assert_eq!(serialised, expected);
}
