//! Clocks against facts, and against a twin that counts minute by minute.

mod days;
mod kinds;
mod twin;

use std::sync::Arc;

use barometer_chassis::clock::Micros;

use super::*;
use crate::calendar::{
    Timetable,
    tests::{MINUTE, WORKDAYS, at, timetable},
};

/// A case whose history is told in the order in which it happens.
pub(super) struct Told {
    events: Vec<Dated>,
    terms: Vec<Terms>,
    desks: Vec<Desk>,
}

pub(super) fn desk(timetable: Arc<Timetable>) -> Desk {
    Desk { calendar: Version::default(), timetable }
}

pub(super) fn terms(targets: impl IntoIterator<Item = ClockTarget>) -> Terms {
    Terms::new(PolicyVersion::default(), targets)
}

/// A case in Berlin, where people work from 8 to 18 on weekdays.
pub(super) fn berlin(targets: &[ClockTarget], events: &[(&str, Event)]) -> Told {
    Told::new(&[timetable("Europe/Berlin", &WORKDAYS, &["08:00-18:00"], &[])], targets, events)
}

impl Told {
    pub(super) fn new(desks: &[Arc<Timetable>], targets: &[ClockTarget], events: &[(&str, Event)]) -> Told {
        Told {
            events: events.iter().map(|(time, event)| Dated { at: at(time), event: *event }).collect(),
            terms: vec![terms(targets.iter().copied())],
            desks: desks.iter().cloned().map(desk).collect(),
        }
    }

    pub(super) fn history(&self) -> History<'_> {
        History::new(&self.events, &self.terms, &self.desks).expect("a good history")
    }

    /// The one clock of a kind, or its latest.
    pub(super) fn clock(&self, kind: Kind, now: &str) -> Clock {
        self.clocks(kind, now).pop().unwrap_or_else(|| panic!("no {kind:?}"))
    }

    pub(super) fn clocks(&self, kind: Kind, now: &str) -> Vec<Clock> {
        self.history().clocks(at(now)).into_iter().filter(|clock| clock.kind == kind).collect()
    }
}

pub(super) fn minutes(amount: Amount) -> i64 {
    match amount {
        Amount::Time(micros) => micros / MINUTE,
        Amount::Days(days) => panic!("{days} days"),
    }
}

use Event::{Closed, FromCustomer, HandedOver, Opened, Reopened, Resolved, ToCustomer, WaitBegan, WaitEnded};
use Message::{Answer, Holding, Update};

#[test]
fn the_example_of_the_definition() {
    let target = ClockTarget::new(Kind::FirstResponse, 60, Unit::WorkingMinutes);
    let case = berlin(&[target], &[("2013-03-21T09:30:00Z", Opened), ("2013-03-21T14:00:00Z", ToCustomer(Answer))]);
    let clock = case.clock(Kind::FirstResponse, "2013-03-22T00:00:00Z");
    assert_eq!(clock.due, Some(at("2013-03-21T10:30:00Z")));
    assert_eq!((minutes(clock.used), minutes(clock.remaining())), (270, -210));
    assert_eq!((clock.state, clock.stop), (State::Breached, Some(at("2013-03-21T14:00:00Z"))));
    // A fact of its instant, whenever somebody looks.
    let state = |now| case.clock(Kind::FirstResponse, now).state;
    assert_eq!(state("2013-03-21T10:30:00Z"), State::Running);
    assert_eq!(state("2013-03-21T10:30:00.000001Z"), State::Breached);
}

#[test]
fn an_answer_at_the_very_instant_is_in_time() {
    let target = ClockTarget::new(Kind::FirstResponse, 60, Unit::WorkingMinutes);
    for (answered, state) in [("2013-03-21T17:00:00Z", State::Met), ("2013-03-21T17:00:00.000001Z", State::Breached)] {
        let case = berlin(&[target], &[("2013-03-21T16:00:00Z", Opened), (answered, ToCustomer(Answer))]);
        let clock = case.clock(Kind::FirstResponse, "2013-03-23T00:00:00Z");
        assert_eq!((clock.state, clock.due), (state, Some(at("2013-03-21T17:00:00Z"))), "closing time it is");
    }
}

#[test]
fn a_pause_is_not_counted_and_what_stands_is_not_due() {
    let target = ClockTarget::new(Kind::Resolution, 120, Unit::WorkingMinutes);
    let case = berlin(
        &[target, ClockTarget::new(Kind::FirstResponse, 600, Unit::ElapsedMinutes)],
        &[
            ("2026-03-02T09:00:00Z", Opened),
            ("2026-03-02T10:00:00Z", WaitBegan(Wait::Customer)),
            ("2026-03-03T10:00:00Z", WaitEnded(Wait::Customer)),
        ],
    );
    let clock = |now| case.clock(Kind::Resolution, now);
    assert_eq!(clock("2026-03-02T09:30:00Z").due, Some(at("2026-03-02T11:00:00Z")));
    let paused = clock("2026-03-02T12:00:00Z");
    assert_eq!((paused.state, paused.due, minutes(paused.used)), (State::Paused, None, 60));
    let goes_on = clock("2026-03-03T10:30:00Z");
    assert_eq!((goes_on.state, goes_on.due), (State::Running, Some(at("2026-03-03T11:00:00Z"))));
    assert_eq!(minutes(goes_on.used), 90);
    let response = case.clock(Kind::FirstResponse, "2026-03-02T12:00:00Z");
    assert_eq!((response.state, minutes(response.used)), (State::Running, 180), "a response waits for nobody");
}

#[test]
fn each_stretch_counts_by_the_calendar_then_in_force() {
    let berlin = timetable("Europe/Berlin", &WORKDAYS, &["08:00-18:00"], &[]);
    let new_york = timetable("America/New_York", &WORKDAYS, &["08:00-18:00"], &[]);
    let target = ClockTarget::new(Kind::Resolution, 300, Unit::WorkingMinutes);
    let case = Told::new(
        &[berlin, new_york],
        &[target],
        &[
            ("2026-03-02T15:00:00Z", Opened),
            ("2026-03-02T16:00:00Z", HandedOver { desk: 1 }),
            ("2026-03-02T18:00:00Z", HandedOver { desk: 0 }),
        ],
    );
    let clock = case.clock(Kind::Resolution, "2026-03-03T12:00:00Z");
    assert_eq!((clock.due, clock.desk), (Some(at("2026-03-03T09:00:00Z")), 0));
    let told: Vec<_> = case.history().explain(&clock).map(|s| (s.until.to_string(), s.reason, s.desk)).collect();
    let until = |text: &str, reason, desk| (text.to_owned(), reason, desk);
    assert_eq!(
        told,
        [
            until("2026-03-02T16:00:00Z", Reason::WorkingTime, 0),
            until("2026-03-02T18:00:00Z", Reason::WorkingTime, 1),
            until("2026-03-03T07:00:00Z", Reason::OutsideWorkingTime, 0),
            until("2026-03-03T12:00:00Z", Reason::WorkingTime, 0),
        ]
    );
}

#[test]
fn a_re_base_changes_what_runs_and_nothing_that_stopped() {
    let first = [
        ClockTarget::new(Kind::FirstResponse, 60, Unit::WorkingMinutes),
        ClockTarget::new(Kind::Resolution, 600, Unit::WorkingMinutes),
    ];
    let mut case = berlin(
        &first,
        &[
            ("2026-03-02T09:00:00Z", Opened),
            ("2026-03-02T09:30:00Z", ToCustomer(Answer)),
            ("2026-03-02T12:00:00Z", Event::Rebased { terms: 1, desk: 1 }),
        ],
    );
    case.terms.push(terms([
        ClockTarget::new(Kind::FirstResponse, 1, Unit::WorkingMinutes),
        ClockTarget::new(Kind::Resolution, 1, Unit::WorkingDays),
        ClockTarget::new(Kind::FinalResponse, 8, Unit::Weeks),
    ]));
    case.desks.push(desk(timetable("Europe/Berlin", &WORKDAYS, &["08:00-12:00"], &[])));
    let before = case.clock(Kind::Resolution, "2026-03-02T11:59:59Z");
    assert_eq!(before.due, Some(at("2026-03-03T09:00:00Z")));
    let after = case.clock(Kind::Resolution, "2026-03-02T12:00:00Z");
    assert_eq!((after.due, after.terms), (Some(at("2026-03-03T11:00:00Z")), 1));
    assert_eq!(case.clock(Kind::FirstResponse, "2026-03-03T00:00:00Z").target.amount, 60);
    assert_eq!(case.clocks(Kind::FinalResponse, "2026-03-02T11:59:59Z"), []);
    assert_eq!(case.clock(Kind::FinalResponse, "2026-03-02T12:00:00Z").due, Some(at("2026-04-27T22:00:00Z")));
}

#[test]
fn an_explanation_names_the_holiday() {
    let desk = timetable("Europe/Berlin", &WORKDAYS, &["08:00-18:00"], &["2026-12-25", "2026-12-24 12:00-24:00"]);
    let target = ClockTarget::new(Kind::Resolution, 900, Unit::WorkingMinutes);
    let case = Told::new(&[desk], &[target], &[("2026-12-24T08:00:00Z", Opened)]);
    let clock = case.clock(Kind::Resolution, "2026-12-28T08:00:00Z");
    let told: Vec<_> = case.history().explain(&clock).map(|s| (s.until, s.reason, minutes(s.counted))).collect();
    let holiday = |date: &str| Reason::Holiday(format!("holiday of {date}"));
    assert_eq!(
        told,
        [
            (at("2026-12-24T11:00:00Z"), Reason::WorkingTime, 180),
            (at("2026-12-24T17:00:00Z"), holiday("2026-12-24"), 0),
            (at("2026-12-25T07:00:00Z"), Reason::OutsideWorkingTime, 0),
            (at("2026-12-25T17:00:00Z"), holiday("2026-12-25"), 0),
            (at("2026-12-28T07:00:00Z"), Reason::OutsideWorkingTime, 0),
            (at("2026-12-28T08:00:00Z"), Reason::WorkingTime, 60),
        ]
    );
    assert_eq!(clock.due, Some(at("2026-12-29T09:00:00Z")));
}

#[test]
fn a_clock_says_when_any_amount_is_reached() {
    let target = ClockTarget::new(Kind::Resolution, 120, Unit::WorkingMinutes);
    let case = berlin(
        &[target],
        &[
            ("2026-03-02T09:00:00Z", Opened),
            ("2026-03-02T10:00:00Z", WaitBegan(Wait::Customer)),
            ("2026-03-03T10:00:00Z", WaitEnded(Wait::Customer)),
        ],
    );
    let reaches = |now: &str, minutes: i64| {
        let clock = case.clock(Kind::Resolution, now);
        case.history().reaches(&clock, minutes * MINUTE)
    };
    let running = "2026-03-03T10:30:00Z";
    assert_eq!(reaches(running, 0), Some(at("2026-03-02T09:00:00Z")));
    assert_eq!(reaches(running, 60), Some(at("2026-03-02T10:00:00Z")), "half of it, before the pause");
    assert_eq!(reaches(running, 120), case.clock(Kind::Resolution, running).due);
    assert_eq!(reaches(running, 120 + 240), Some(at("2026-03-03T15:00:00Z")), "four hours after it was due");
    assert_eq!(reaches("2026-03-02T12:00:00Z", 60), Some(at("2026-03-02T10:00:00Z")));
    assert_eq!(reaches("2026-03-02T12:00:00Z", 61), None, "paused");
}

#[test]
fn a_clock_is_told_whole() {
    let desk = timetable("Europe/Berlin", &WORKDAYS, &["08:00-18:00"], &["2026-12-25"]);
    let target = ClockTarget::new(Kind::Resolution, 1, Unit::WorkingDays);
    let case = Told::new(&[desk], &[target], &[("2026-12-24T08:00:00Z", Opened)]);
    let now = at("2026-12-28T17:00:00.5Z");
    let clock = case.history().clocks(now).pop().expect("one");
    let told = case.history().to_wire(&clock, case.history().explain(&clock));
    assert_eq!(told.state(), barometer_proto::complaints::v1::clock::State::Breached);
    assert_eq!(told.used, told.allowed);
    assert_eq!(told.remaining, Some(Amount::Days(0).to_wire()));
    let reasons: Vec<_> =
        told.stretches.iter().map(|stretch| (stretch.reason().as_str_name(), &*stretch.holiday)).collect();
    assert_eq!(
        reasons,
        [
            ("REASON_DAY_OF_START", ""),
            ("REASON_HOLIDAY", "holiday of 2026-12-25"),
            ("REASON_OUTSIDE_WORKING_TIME", ""),
            ("REASON_DAY_ENDED", ""),
        ]
    );
    assert_eq!(Amount::Time(-1_500_000).to_wire().amount, {
        let time = prost_types::Duration { seconds: -1, nanos: -500_000_000 };
        Some(barometer_proto::complaints::v1::clock_amount::Amount::Time(time))
    });
}

#[test]
fn a_history_that_is_not_whole_is_refused() {
    let (events, terms) = ([Dated { at: Micros(1), event: Opened }], [terms([])]);
    let desks = [desk(timetable("UTC", &[1], &["08:00-09:00"], &[]))];
    assert!(History::new(&events, &terms, &desks).is_ok());
    assert!(History::new(&events, &[], &desks).is_err() && History::new(&events, &terms, &[]).is_err());
    let backwards = [Dated { at: Micros(2), event: Opened }, Dated { at: Micros(1), event: Closed }];
    assert!(History::new(&backwards, &terms, &desks).is_err());
    let unknown = [Dated { at: Micros(1), event: HandedOver { desk: 1 } }];
    assert!(History::new(&unknown, &terms, &desks).is_err());
    assert_eq!(History::new(&[], &terms, &desks).expect("nothing yet").clocks(Micros(5)), []);
}
