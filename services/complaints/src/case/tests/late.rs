//! What is told late, or by a clock that lags, undoes nothing that came after it.

use super::*;

fn too_early(refused: Result<Step, Error>) -> String {
    let violations = refused.expect_err("too early").into_violations("").expect("of a field");
    assert_eq!((violations[0].field.as_str(), violations[0].reason), ("time", "TOO_EARLY"));
    violations[0].description.clone()
}

fn clock(seconds: i64) -> When {
    When { given: None, now: at(seconds).given.expect("an instant") }
}

#[test]
fn a_merge_lasts_from_when_it_was_made_until_it_is_undone() {
    let merged = done(done(new(), Verb::Respond, 2), Verb::Merge, 10);
    let unmerge = |when| Ok(merged.clone().unmerge(other(), when)?.0);
    assert!(too_early(unmerge(at(9))).ends_with("when the case was merged"));
    assert_eq!(Some(unmerge(clock(5)).expect("the clock lags").time), at(10).given);
    let back = unmerge(at(20)).expect("undone").case;
    assert_eq!((back.state(), Some(back.move_time)), (State::InProgress, at(20).given));
    // Nothing is done to it while it was merged.
    for verb in [Verb::Respond, Verb::Resolve, Verb::AwaitCustomer, Verb::Cancel, Verb::Merge] {
        too_early(act(back.clone(), verb, at(15), &With::default()));
        assert!(act(back.clone(), verb, at(20), &With::default()).is_ok(), "{verb:?}");
    }
}

#[test]
fn the_window_is_measured_from_the_end_though_it_was_merged_since() {
    let resolved = done(new(), Verb::Resolve, 10);
    let back = done(done(resolved, Verb::Merge, DAY), Verb::Unmerge, DAY + 1);
    assert!(act(back.clone(), Verb::Reopen, at(10 + DAY), &With::default()).is_ok());
    let refused = act(back, Verb::Reopen, at(11 + DAY), &With::default()).expect_err("too late");
    assert!(matches!(refused, Error::State { reason: "REOPEN_WINDOW_OVER", .. }), "{refused}");
}

#[test]
fn a_message_without_a_time_comes_after_all_there_is() {
    let hear = |case: Model, when| case.hear(when, false, Window::default()).expect("heard");
    // Resolved by a clock that is ahead.
    let resolved = done(new(), Verb::Resolve, 30);
    let heard = hear(resolved.clone(), clock(10));
    assert_eq!((heard.case.state(), Some(heard.time)), (State::InProgress, at(30).given));
    let waiting = done(new(), Verb::AwaitCustomer, 30);
    assert_eq!(hear(waiting, clock(10)).case.state(), State::InProgress);
    // One that is dated may have crossed it.
    assert_eq!(hear(resolved, at(10)).case.state(), State::Resolved);
}

#[test]
fn no_message_is_left_by_what_is_told_after_it() {
    let heard = done(done(new(), Verb::Respond, 2), Verb::Hear, 12);
    for verb in [Verb::AwaitCustomer, Verb::Resolve, Verb::SelfServe, Verb::Cancel] {
        let told = too_early(act(heard.clone(), verb, at(10), &With::default()));
        assert!(told.ends_with("when the case was last written to by the customer"), "{told}");
        assert!(act(heard.clone(), verb, at(12), &With::default()).is_ok(), "{verb:?}");
        let now = act(heard.clone(), verb, clock(10), &With::default()).expect("the clock lags");
        assert_eq!(Some(now.time), at(12).given);
    }
    // What leaves the message to be answered may be told late.
    for verb in [Verb::Respond, Verb::AwaitThirdParty, Verb::Merge] {
        assert!(act(heard.clone(), verb, at(10), &With::default()).is_ok(), "{verb:?}");
    }
    let thanks = heard.hear(at(20), true, Window::default()).expect("heard").case;
    assert!(thanks.resolve(at(15)).is_ok(), "thanks ask for nothing");
}

#[test]
fn what_came_last_of_its_sort_stays() {
    let bob = new().assign(at(15), holder("bob", "")).expect("assigned").case;
    let told = too_early(bob.clone().assign(at(11), holder("ana", "")));
    assert!(told.ends_with("when the case was last assigned"), "{told}");
    assert_eq!(Some(bob.assign(clock(11), holder("ana", "")).expect("the clock lags").time), at(15).given);

    let table = PriorityTable::default();
    let urgent = new().prioritize(at(15), Some(Priority::Urgent), &table).expect("set").case;
    too_early(urgent.prioritize(at(11), Some(Priority::Low), &table));

    let upheld = new().decide(at(15), outcome()).expect("decided").case;
    let rejected = Outcome { finding: Finding::Rejected.into(), ..outcome() };
    too_early(upheld.clone().decide(at(11), rejected));
    assert!(upheld.assign(at(11), holder("ana", "")).is_ok(), "which is of another sort");

    let resolved = done(new(), Verb::Resolve, 10);
    let accepted = resolved.hear_acceptance(at(20), true, Some(5)).expect("heard").case;
    too_early(accepted.clone().hear_acceptance(at(15), false, None));
    too_early(accepted.clone().ask(at(15)));
    // Asked once more, the customer has not answered.
    let asked = accepted.ask(at(22)).expect("asked").case;
    assert_eq!((asked.acceptance(), asked.satisfaction, asked.answer_time), (Acceptance::Asked, None, None));
    too_early(asked.clone().hear_acceptance(at(21), true, None));
    let declined = asked.hear_acceptance(at(23), false, None).expect("heard").case;
    assert_eq!((declined.acceptance(), declined.ask_time), (Acceptance::Declined, at(22).given));
    let asked = declined.clone().ask(at(23)).expect("asked").case;
    assert_eq!(asked.ask(at(23)).expect("it is so").events, []);
}

#[test]
fn each_message_of_the_customer_changes_the_case() {
    let case = done(new(), Verb::Respond, 2);
    for (seconds, needs_no_answer) in [(3, false), (3, false), (1, false), (5, true)] {
        let step = case.clone().hear(at(seconds), needs_no_answer, Window::default()).expect("heard");
        assert_ne!(step.case, case);
    }
}

#[test]
fn the_customer_is_told_that_it_came_in_while_they_have_heard_nothing() {
    let begun = done(done(new(), Verb::AwaitThirdParty, 1), Verb::Resume, 2);
    let back = done(done(new(), Verb::Cancel, 1), Verb::Reopen, 2);
    for case in [begun, back, done(new(), Verb::AwaitThirdParty, 1)] {
        let (state, step) = (case.state(), case.clone().acknowledge(at(3)).expect("allowed"));
        assert_eq!((step.case.state(), step.case.acknowledge_time), (state, at(3).given));
        for reply in [ReplyType::Holding, ReplyType::Update, ReplyType::Answer] {
            let told = case.clone().respond(at(3), reply).expect("replied").case;
            assert!(told.acknowledge(at(4)).is_err(), "{reply:?}");
        }
        assert!(step.case.acknowledge(at(4)).is_err(), "not twice");
    }
}
