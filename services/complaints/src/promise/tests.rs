use barometer_chassis::{clock::Micros, error::Error};
use barometer_proto::complaints::v1::{CaseEntryType as Event, promise::State};
use proptest::prelude::*;

use super::{Model, Turn, notice_time};
use crate::{
    calendar::tests::{WORKDAYS, timetable},
    case::{Holder, When},
    ladder::{self, Fired, Rung},
};

const HOUR: i64 = 3_600 * Micros::SECOND;

fn at(hours: i64) -> Micros {
    Micros(hours * HOUR)
}

fn when(given: Option<i64>, now: i64) -> When {
    When { given: given.map(at), now: at(now) }
}

/// Made at 0 and due at 10, with a lead of 2 hours.
fn promise() -> Model {
    let mut promise = Model { make_time: at(0), due_time: at(10), lead: 2 * HOUR, ..Model::default() };
    promise.begin(at(0)).expect("ahead");
    promise
}

fn events(turn: &Turn) -> Vec<Event> {
    turn.events.iter().map(|(event, _)| *event).collect()
}

fn reason(refused: Result<Turn, Error>) -> &'static str {
    match refused.expect_err("refused") {
        Error::State { reason, .. } => reason,
        Error::Invalid(violations) => violations[0].reason,
        other => panic!("{other}"),
    }
}

#[test]
fn kept_at_the_due_time_is_kept_and_a_microsecond_later_it_is_broken() {
    let kept = promise().keep(when(Some(10), 10)).expect("allowed").promise;
    assert_eq!(
        (kept.state(), kept.keep_time, kept.break_time, kept.next_time),
        (State::Kept, Some(at(10)), None, None)
    );
    assert_eq!(promise().fall_due(at(10)).promise.state(), State::Open);
    let first_late = Micros(at(10).0 + 1);
    let broken = promise().fall_due(first_late).promise;
    assert_eq!((broken.state(), broken.break_time, broken.next_time), (State::Broken, Some(first_late), None));
    // Whenever that is written down.
    assert_eq!(promise().fall_due(at(99)).promise, broken);
}

#[test]
fn it_is_due_soon_once_and_then_broken() {
    let promise = promise();
    assert_eq!(promise.next_time, Some(at(8)));
    assert_eq!(events(&promise.clone().fall_due(Micros(at(8).0 - 1))), []);
    let soon = promise.clone().fall_due(at(9));
    assert_eq!(soon.events, [(Event::PromiseDueSoon, at(8))]);
    let soon = soon.promise;
    assert_eq!((soon.due_soon_time, soon.next_time), (Some(at(8)), Some(Micros(at(10).0 + 1))));
    assert_eq!(events(&soon.clone().fall_due(at(9))), []);
    assert_eq!(events(&soon.fall_due(at(11))), [Event::PromiseBroken]);
    assert_eq!(events(&promise.fall_due(at(11))), [Event::PromiseDueSoon, Event::PromiseBroken]);
}

#[test]
fn whoever_has_little_time_is_told_halfway() {
    assert_eq!(notice_time(2 * HOUR, at(0), at(10)), Some(at(8)));
    assert_eq!(notice_time(24 * HOUR, at(0), at(10)), Some(at(5)));
    assert_eq!(notice_time(0, at(0), at(10)), None);
    let mut silent = Model { lead: 0, ..promise() };
    silent.begin(at(0)).expect("ahead");
    assert_eq!(silent.next_time, Some(Micros(at(10).0 + 1)));
    assert_eq!(events(&silent.fall_due(at(11))), [Event::PromiseBroken]);
}

#[test]
fn kept_late_is_told_and_stays_broken() {
    let late = promise().keep(when(None, 12)).expect("allowed");
    assert_eq!(events(&late), [Event::PromiseDueSoon, Event::PromiseBroken, Event::PromiseKept]);
    let late = late.promise;
    assert_eq!((late.state(), late.keep_time), (State::Broken, Some(at(12))));
    assert_eq!(late.break_time, Some(Micros(at(10).0 + 1)));
    assert_eq!(reason(late.keep(when(None, 13))), "WRONG_STATE");
}

#[test]
fn what_was_kept_in_time_and_is_told_of_late_is_kept() {
    let told_late = promise().keep(when(Some(9), 12)).expect("allowed");
    assert_eq!(events(&told_late), [Event::PromiseKept]);
    let broken = promise().fall_due(at(11)).promise;
    let kept = broken.keep(when(Some(9), 12)).expect("allowed").promise;
    assert_eq!((kept.state(), kept.break_time, kept.keep_time), (State::Kept, None, Some(at(9))));
    assert_eq!(reason(kept.keep(when(None, 12))), "WRONG_STATE");
}

#[test]
fn it_can_be_broken_before_it_is_due_and_kept_after_all() {
    let broken = promise().break_early(when(None, 4)).expect("allowed");
    assert_eq!(broken.events, [(Event::PromiseBroken, at(4))]);
    let broken = broken.promise;
    assert_eq!((broken.state(), broken.break_time, broken.next_time), (State::Broken, Some(at(4)), None));
    assert_eq!(events(&broken.clone().fall_due(at(11))), []);
    assert_eq!(broken.keep(when(None, 6)).expect("allowed").promise.state(), State::Kept);
    assert_eq!(reason(promise().break_early(when(Some(4), 11))), "WRONG_STATE", "it is broken already");
}

#[test]
fn moved_it_begins_anew_and_what_was_promised_first_stays() {
    let soon = promise().fall_due(at(8)).promise;
    let moved = soon.clone().shift(at(8), at(20)).expect("allowed").promise;
    assert_eq!((moved.due_time, moved.original_due_time, moved.moves), (at(20), at(10), 1));
    assert_eq!((moved.due_soon_time, moved.next_time), (None, Some(at(18))));
    assert_eq!(moved.clone().shift(at(9), at(20)).expect("it is so").promise, moved);
    assert_eq!(reason(soon.clone().shift(at(9), at(9))), "IN_THE_PAST");
    assert_eq!(reason(soon.shift(at(11), at(20))), "WRONG_STATE", "it is broken already");
}

#[test]
fn a_withdrawn_one_takes_nothing_more() {
    let kept = promise().keep(when(None, 4)).expect("allowed").promise;
    for before in [promise(), promise().fall_due(at(11)).promise, kept] {
        let withdrawn = before.take_back(at(12)).expect("allowed").promise;
        assert_eq!((withdrawn.state(), withdrawn.withdraw_time), (State::Withdrawn, Some(at(12))));
        assert_eq!(withdrawn.next_time, None);
        assert_eq!(events(&withdrawn.clone().fall_due(at(30))), []);
        assert_eq!(reason(withdrawn.clone().keep(when(None, 13))), "WRONG_STATE");
        assert_eq!(reason(withdrawn.shift(at(13), at(20))), "WRONG_STATE");
    }
}

#[test]
fn nothing_is_done_before_it_was_made() {
    assert_eq!(reason(promise().keep(when(Some(-1), 4))), "TOO_EARLY");
    assert_eq!(reason(promise().break_early(when(Some(-1), 4))), "TOO_EARLY");
    let early = Model { make_time: at(10), ..promise() }.begin(at(0));
    assert!(early.is_err(), "due when it is made");
    assert!(promise().begin(at(10)).is_err(), "due now");
}

proptest! {
    /// However often somebody looks, and whenever: what fell due is the same.
    #[test]
    fn looking_more_often_changes_nothing(mut looks in prop::collection::vec(0..15 * HOUR, 0..6), lead in 0..15 * HOUR) {
        let mut promise = Model { lead, ..promise() };
        promise.begin(at(0)).expect("ahead");
        looks.sort_unstable();
        let last = looks.last().copied().unwrap_or_default();
        let (mut stepwise, mut told) = (promise.clone(), Vec::new());
        for look in looks {
            let turn = stepwise.fall_due(Micros(look));
            told.extend(turn.events);
            stepwise = turn.promise;
            // What it waits for lies ahead.
            prop_assert!(stepwise.next_time.is_none_or(|next| next.0 > look));
        }
        let at_once = promise.fall_due(Micros(last));
        prop_assert_eq!(stepwise, at_once.promise);
        prop_assert_eq!(told, at_once.events);
    }

    /// Whether it was written down before that it fell due makes no difference to how it was kept.
    #[test]
    fn keeping_does_not_depend_on_who_looked_before(kept in 0..15 * HOUR, looked in 0..15 * HOUR) {
        let now = Micros(kept.max(looked));
        let keep = |promise: Model| promise.keep(When { given: Some(Micros(kept)), now });
        let looked_at = keep(promise().fall_due(Micros(looked)).promise).expect("allowed").promise;
        let never = keep(promise()).expect("allowed").promise;
        prop_assert_eq!((looked_at.state, looked_at.keep_time, looked_at.break_time), (never.state, never.keep_time, never.break_time));
        prop_assert_eq!(looked_at.state() == State::Kept, Micros(kept) <= at(10));
    }
}

#[test]
fn it_climbs_while_it_is_owed_and_anew_when_it_is_moved() {
    let desk = timetable("UTC", &WORKDAYS, &["08:00-18:00"], &[]);
    let steps = [Rung { when: ladder::When::Percent(50), ..Rung::default() }, Rung::default()];
    let next = |promise: &Model| promise.climbs(&desk).and_then(|course| course.next(&steps, &Fired::default()));
    let promise = promise();
    assert_eq!((next(&promise), promise.run()), (Some(at(5)), 1));
    let moved = promise.clone().shift(at(4), at(20)).expect("allowed").promise;
    assert_eq!((next(&moved), moved.run()), (Some(at(12)), 2));

    let broken = promise.clone().fall_due(at(11)).promise;
    assert_eq!(next(&broken), Some(at(5)), "what was not taken yet is");
    assert_eq!(next(&broken.keep(when(Some(12), 12)).expect("late").promise), None);
    assert_eq!(next(&promise.clone().keep(when(None, 3)).expect("allowed").promise), None);
    assert_eq!(next(&promise.take_back(at(3)).expect("allowed").promise), None);
}

fn holder(employee: &str, team: &str) -> Holder {
    Holder { employee: employee.to_owned(), team: team.to_owned() }
}

#[test]
fn who_answers_for_it_has_it_once() {
    let to = holder("anna", "legal");
    let turn = promise().hand_over(at(3), &to).expect("another");
    assert_eq!((turn.promise.holder(), &turn.events), (to.clone(), &vec![(Event::PromiseAssigned, at(3))]));
    assert_eq!(turn.promise.hand_over(at(4), &to), None);
}

#[test]
fn who_gets_it_when_it_was_broken_did_not_break_it() {
    let (anna, legal) = (holder("anna", "care"), holder("", "legal"));
    let of_anna = || promise().hand_over(at(1), &anna).expect("another").promise;
    assert_eq!(of_anna().answered(), anna, "it is open");
    let open = of_anna().hand_over(at(2), &legal).expect("another").promise;
    assert_eq!(open.fall_due(at(11)).promise.answered(), legal, "who has it when it falls due");
    let given_up = of_anna().break_early(when(None, 4)).expect("allowed").promise;
    for broken in [of_anna().fall_due(at(11)).promise, given_up.clone()] {
        let handed_over = broken.hand_over(at(12), &legal).expect("another").promise;
        assert_eq!((handed_over.holder(), handed_over.answered()), (legal.clone(), anna.clone()));
        let kept = handed_over.keep(when(Some(4), 13)).expect("allowed").promise;
        assert_eq!((kept.state(), kept.answered()), (State::Kept, anna.clone()), "told late");
    }
    // Nobody is somebody, too.
    let nobodys = promise().fall_due(at(11)).promise.hand_over(at(12), &legal).expect("another").promise;
    assert_eq!(nobodys.answered(), Holder::default());
    // An older release did not note it.
    let older = Model { due_employee: None, due_team: None, ..given_up };
    assert_eq!(older.answered(), anna);
    assert_eq!(older.hand_over(at(12), &legal).expect("another").promise.answered(), anna);
}

#[test]
fn it_is_given_to_others_while_it_is_owed() {
    let legal = holder("", "legal");
    let turn = promise().assign(at(9), &legal).expect("allowed");
    assert_eq!(turn.events, [(Event::PromiseDueSoon, at(8)), (Event::PromiseAssigned, at(9))]);
    assert_eq!((turn.promise.holder(), turn.promise.next_time), (legal.clone(), Some(Micros(at(10).0 + 1))));
    let again = turn.promise.clone().assign(at(9), &legal).expect("it is so");
    assert_eq!((&again.promise, again.events), (&turn.promise, vec![]));

    let broken = turn.promise.assign(at(11), &holder("anna", "")).expect("it is still owed");
    assert_eq!(events(&broken), [Event::PromiseBroken, Event::PromiseAssigned]);
    assert_eq!((broken.promise.holder(), broken.promise.answered()), (holder("anna", ""), legal.clone()));
    let late = broken.promise.keep(when(None, 12)).expect("late").promise;
    let kept = promise().keep(when(None, 4)).expect("allowed").promise;
    let withdrawn = promise().take_back(at(4)).expect("allowed").promise;
    for ended in [late, kept, withdrawn] {
        assert_eq!(reason(ended.assign(at(13), &legal)), "WRONG_STATE");
    }
}

#[test]
fn it_is_amended_and_due_as_before() {
    let amended = promise().amend(at(4), "two parcels".to_owned(), 2 * HOUR).expect("allowed");
    assert_eq!(amended.events, [(Event::PromiseAmended, at(4))]);
    let amended = amended.promise;
    assert_eq!((amended.description.as_str(), amended.next_time), ("two parcels", Some(at(8))));
    let again = amended.clone().amend(at(9), "two parcels".to_owned(), 2 * HOUR).expect("it is so");
    assert_eq!((again.promise, again.events), (amended.clone(), vec![]), "nor does it fall due by it");

    let earlier = amended.clone().amend(at(4), "two parcels".to_owned(), 5 * HOUR).expect("allowed").promise;
    assert_eq!((earlier.lead, earlier.next_time, earlier.due_time), (5 * HOUR, Some(at(7)), at(10)), "halfway");
    let never = amended.amend(at(4), "two parcels".to_owned(), 0).expect("allowed").promise;
    assert_eq!(never.next_time, Some(Micros(at(10).0 + 1)));
    let told = promise().fall_due(at(8)).promise.amend(at(8), String::new(), HOUR).expect("allowed").promise;
    assert_eq!((told.due_soon_time, told.next_time), (Some(at(8)), Some(Micros(at(10).0 + 1))), "told once");

    let broken = promise().amend(at(11), "late".to_owned(), HOUR).expect("allowed");
    assert_eq!(events(&broken), [Event::PromiseDueSoon, Event::PromiseBroken, Event::PromiseAmended]);
    assert_eq!((broken.promise.state(), broken.promise.next_time), (State::Broken, None));
    let kept = promise().keep(when(None, 4)).expect("allowed").promise;
    assert_eq!(kept.amend(at(5), "kept".to_owned(), HOUR).expect("allowed").promise.state(), State::Kept);
    let withdrawn = promise().take_back(at(4)).expect("allowed").promise;
    assert_eq!(reason(withdrawn.amend(at(5), String::new(), 0)), "WRONG_STATE");
}
