//! What starts and stops each kind of clock.
//!
//! The facts that Chatwoot's test suite states of its three kinds are here too. Where ours differ: Chatwoot misses the next
//! response once for each message that it finds to be the last one unanswered, so twice where the customer wrote twice; here
//! that is one clock, from the oldest of them. It does not miss a resolution of a case that was resolved before it looked;
//! here it is late whenever it was late.

use super::*;

fn hours(kind: Kind, hours: u32) -> ClockTarget {
    ClockTarget::new(kind, 60 * hours, Unit::ElapsedMinutes)
}

/// Instance, start and stop of each clock of a kind, in hours of the day.
fn runs(case: &Told, kind: Kind, now: &str) -> Vec<(u32, i64, Option<i64>, State)> {
    let hour = |at: Micros| at.0.div_euclid(60 * MINUTE).rem_euclid(24);
    let clocks = case.clocks(kind, now);
    clocks.iter().map(|clock| (clock.instance, hour(clock.start), clock.stop.map(hour), clock.state)).collect()
}

fn day(events: &[(i64, Event)]) -> Vec<(String, Event)> {
    events.iter().map(|(hour, event)| (format!("2026-03-02T{hour:02}:00:00Z"), *event)).collect()
}

fn case(targets: &[ClockTarget], events: &[(i64, Event)]) -> Told {
    let events = day(events);
    let events: Vec<_> = events.iter().map(|(time, event)| (time.as_str(), *event)).collect();
    berlin(targets, &events)
}

const EVENING: &str = "2026-03-02T20:00:00Z";

#[test]
fn an_acknowledgement_is_any_word_to_the_customer() {
    for event in [Event::Acknowledged, ToCustomer(Update), ToCustomer(Holding), ToCustomer(Answer), Resolved, Closed] {
        let case = case(&[hours(Kind::Acknowledgement, 4)], &[(8, Opened), (9, FromCustomer), (10, event)]);
        assert_eq!(runs(&case, Kind::Acknowledgement, EVENING), [(1, 8, Some(10), State::Met)], "{event:?}");
    }
}

#[test]
fn a_first_response_is_an_answer_or_the_resolution() {
    for (event, stops) in [
        (Event::Acknowledged, false),
        (ToCustomer(Update), false),
        (ToCustomer(Holding), false),
        (ToCustomer(Answer), true),
        (Resolved, true),
        (Closed, true),
    ] {
        let case = case(&[hours(Kind::FirstResponse, 24)], &[(8, Opened), (10, event)]);
        let told = if stops { (1, 8, Some(10), State::Met) } else { (1, 8, None, State::Running) };
        assert_eq!(runs(&case, Kind::FirstResponse, EVENING), [told], "{event:?}");
    }
}

#[test]
fn a_next_response_runs_from_the_oldest_message_that_nobody_answered() {
    let case = case(
        &[hours(Kind::NextResponse, 2)],
        &[
            (1, Opened),
            (2, FromCustomer),
            (3, ToCustomer(Answer)),
            (4, FromCustomer),
            (5, FromCustomer),
            (6, ToCustomer(Update)),
            (7, ToCustomer(Answer)),
            (8, ToCustomer(Answer)),
            (9, FromCustomer),
            (10, Resolved),
            (11, FromCustomer),
            (12, FromCustomer),
            (13, Reopened),
            (14, ToCustomer(Answer)),
            (15, Resolved),
            (16, FromCustomer),
            (17, ToCustomer(Answer)),
            (18, Reopened),
        ],
    );
    assert_eq!(
        runs(&case, Kind::NextResponse, EVENING),
        [(1, 4, Some(7), State::Breached), (2, 9, Some(10), State::Met), (3, 13, Some(14), State::Met),]
    );
    assert_eq!(
        runs(&case, Kind::NextResponse, "2026-03-02T02:30:00Z"),
        [],
        "the first response answers what came before"
    );
}

#[test]
fn updates_follow_one_another_until_it_is_resolved() {
    let case = case(
        &[hours(Kind::PeriodicUpdate, 2)],
        &[
            (1, Opened),
            (2, ToCustomer(Update)),
            (5, ToCustomer(Holding)),
            (6, Resolved),
            (7, ToCustomer(Update)),
            (10, Reopened),
            (11, ToCustomer(Answer)),
        ],
    );
    assert_eq!(
        runs(&case, Kind::PeriodicUpdate, EVENING),
        [
            (1, 1, Some(2), State::Met),
            (2, 2, Some(5), State::Breached),
            (3, 5, Some(6), State::Met),
            (4, 10, Some(11), State::Met),
            (5, 11, None, State::Breached),
        ]
    );
}

#[test]
fn the_total_resolution_goes_on_when_a_case_is_reopened() {
    let targets = [hours(Kind::Resolution, 4), hours(Kind::TotalResolution, 4)];
    let events =
        [(1, Opened), (4, Resolved), (5, Closed), (10, Reopened), (11, Resolved), (12, Reopened), (14, Resolved)];
    let case = case(&targets, &events);
    let total = |now: i64| {
        let clock = case.clock(Kind::TotalResolution, &format!("2026-03-02T{now:02}:30:00Z"));
        (clock.state, clock.stop, clock.due, minutes(clock.used))
    };
    let instant = |hour: i64| Some(at(&format!("2026-03-02T{hour:02}:00:00Z")));
    assert_eq!(total(3), (State::Running, None, instant(5), 150));
    assert_eq!(total(4), (State::Met, instant(4), instant(5), 180));
    assert_eq!(total(10), (State::Running, None, instant(11), 210));
    assert_eq!(total(11), (State::Met, instant(11), instant(11), 240));
    assert_eq!(total(12), (State::Breached, None, instant(11), 270));
    assert_eq!(total(15), (State::Breached, instant(14), instant(11), 360));
    assert_eq!(runs(&case, Kind::Resolution, EVENING), [(1, 1, Some(4), State::Met)], "the first is the first");
    let clock = case.clock(Kind::TotalResolution, EVENING);
    let reasons: Vec<_> = case.history().explain(&clock).map(|stretch| stretch.reason).collect();
    let [counted, resolved] = [Reason::Elapsed, Reason::Resolved];
    assert_eq!(reasons, [counted.clone(), resolved.clone(), counted.clone(), resolved, counted]);
}

#[test]
fn a_cancelled_case_owes_nothing_more() {
    let targets = Kind::ALL.map(|kind| hours(kind, 4));
    let events = [
        (1, Opened),
        (2, ToCustomer(Answer)),
        (3, FromCustomer),
        (5, Event::Cancelled),
        (6, FromCustomer),
        (7, Resolved),
    ];
    let case = case(&targets, &events);
    let told: Vec<_> = case.history().clocks(at(EVENING)).into_iter().map(|clock| (clock.kind, clock.state)).collect();
    assert_eq!(
        told,
        [
            (Kind::Acknowledgement, State::Met),
            (Kind::FirstResponse, State::Met),
            (Kind::NextResponse, State::Cancelled),
            (Kind::PeriodicUpdate, State::Met),
            (Kind::PeriodicUpdate, State::Cancelled),
            (Kind::Resolution, State::Cancelled),
            (Kind::TotalResolution, State::Cancelled),
            (Kind::FinalResponse, State::Cancelled),
        ]
    );
    let late = self::case(&[hours(Kind::Resolution, 1)], &[(1, Opened), (3, Event::Cancelled)]);
    assert_eq!(late.clock(Kind::Resolution, EVENING).state, State::Breached, "that it was late stays");
}

#[test]
fn a_holding_response_to_a_cancelled_case_holds_nothing() {
    let longer = Target { amount: 6 * 60, unit: Unit::ElapsedMinutes };
    let target = ClockTarget { holding: Some(longer), ..hours(Kind::FinalResponse, 4) };
    let held = |events: &[_]| case(&[target], events).clock(Kind::FinalResponse, EVENING).held;
    assert!(!held(&[(1, Opened), (2, Event::Cancelled), (3, ToCustomer(Message::Holding)), (4, Reopened)]));
    assert!(held(&[(1, Opened), (2, Event::Cancelled), (4, Reopened), (4, ToCustomer(Message::Holding))]));
}

#[test]
fn a_cancelled_case_that_is_reopened_goes_on_where_it_stood() {
    let targets = [hours(Kind::FirstResponse, 4), hours(Kind::NextResponse, 4), hours(Kind::PeriodicUpdate, 4)];
    let events = [(1, Opened), (3, Event::Cancelled), (9, FromCustomer), (10, Reopened), (11, ToCustomer(Answer))];
    let case = case(&targets, &events);
    let first = case.clock(Kind::FirstResponse, "2026-03-02T10:30:00Z");
    assert_eq!((first.state, first.due), (State::Running, Some(at("2026-03-02T12:00:00Z"))));
    let reasons: Vec<_> = case.history().explain(&first).map(|s| (s.reason, minutes(s.counted))).collect();
    assert_eq!(reasons, [(Reason::Elapsed, 120), (Reason::Cancelled, 0), (Reason::Elapsed, 30)]);
    assert_eq!(runs(&case, Kind::FirstResponse, EVENING), [(1, 1, Some(11), State::Met)]);
    assert_eq!(runs(&case, Kind::NextResponse, EVENING), [], "the first response was still owed");
    let updates = runs(&case, Kind::PeriodicUpdate, EVENING);
    assert_eq!(updates, [(1, 1, Some(11), State::Met), (2, 11, None, State::Breached)]);
}

#[test]
fn a_legal_deadline_goes_on_while_a_case_is_cancelled_by_mistake() {
    let events = [(1, Opened), (3, Event::Cancelled), (9, Reopened)];
    let case = case(&[hours(Kind::FinalResponse, 10), hours(Kind::Resolution, 10)], &events);
    let told = |kind, now: &str| {
        let clock = case.clock(kind, now);
        (clock.state, minutes(clock.used), clock.due)
    };
    let (then, later) = ("2026-03-02T08:00:00Z", "2026-03-02T10:00:00Z");
    let (lawful, moved) = (Some(at("2026-03-02T11:00:00Z")), Some(at("2026-03-02T17:00:00Z")));
    assert_eq!(told(Kind::FinalResponse, then), (State::Cancelled, 120, lawful), "nobody knows yet that it is undone");
    assert_eq!(told(Kind::FinalResponse, later), (State::Running, 540, lawful));
    assert_eq!(told(Kind::Resolution, later), (State::Running, 180, moved));
    let clock = case.clock(Kind::FinalResponse, later);
    let reasons: Vec<_> = case.history().explain(&clock).map(|stretch| stretch.reason).collect();
    assert_eq!(reasons, [Reason::Elapsed]);
}

#[test]
fn a_clock_that_starts_later_takes_its_calendar_as_it_is_then() {
    // From the middle of December on the next year's holidays are known.
    let known = ["2026-12-25"];
    let renewed = ["2026-12-25", "2027-01-01"];
    let hours = ["08:00-18:00"];
    let desks = [&known[..], &renewed[..]].map(|holidays| timetable("Europe/Berlin", &WORKDAYS, &hours, holidays));
    let target = |kind| ClockTarget::new(kind, 60, Unit::WorkingMinutes);
    let events = [
        ("2026-11-30T09:00:00Z", Opened),
        ("2026-11-30T09:30:00Z", ToCustomer(Answer)),
        ("2026-12-14T09:00:00Z", FromCustomer),
        ("2026-12-14T09:10:00Z", ToCustomer(Answer)),
        ("2027-01-01T08:00:00Z", FromCustomer),
    ];
    let kinds = [Kind::NextResponse, Kind::PeriodicUpdate, Kind::Resolution];
    let case = Told::new(&desks, &kinds.map(target), &events);
    let renewals = [Renewal { at: at("2026-12-15T00:00:00Z"), of: 0, by: 1 }];
    let history = case.history().renewed(&renewals).expect("a good history");
    let told = |kind: Kind| {
        let of_kind = history.clocks(at("2027-01-01T10:00:00Z")).into_iter().filter(|clock| clock.kind == kind);
        of_kind.map(|clock| (clock.desk, clock.due.expect("within the years").to_string())).collect::<Vec<_>>()
    };
    let due = |desk: u16, text: &str| (desk, text.to_owned());
    let next = [due(0, "2026-12-14T10:00:00Z"), due(1, "2027-01-04T08:00:00Z")];
    assert_eq!(told(Kind::NextResponse), next, "not on New Year's Day");
    assert_eq!(told(Kind::Resolution), [due(0, "2026-11-30T10:00:00Z")]);
    assert!(told(Kind::PeriodicUpdate).iter().all(|(desk, _)| *desk == 0), "the last one started before");
    assert!(case.history().renewed(&[Renewal { by: 2, ..renewals[0] }]).is_err());
    assert!(case.history().renewed(&[renewals[0], Renewal { at: Micros(0), ..renewals[0] }]).is_err());
}

#[test]
fn what_chatwoot_says_of_hits_and_misses() {
    let state = |target: ClockTarget, events: &[(i64, Event)]| {
        let case = case(&[target], events);
        case.clocks(target.kind, "2026-03-02T06:00:00Z").iter().map(|clock| clock.state).collect::<Vec<_>>()
    };
    // Six hours after a case was opened at 0.
    let answered = [(0, Opened), (1, ToCustomer(Answer)), (2, FromCustomer), (3, FromCustomer)];
    assert_eq!(state(hours(Kind::FirstResponse, 1), &[(0, Opened)]), [State::Breached]);
    assert_eq!(state(hours(Kind::FirstResponse, 6), &[(0, Opened), (5, ToCustomer(Answer))]), [State::Met]);
    assert_eq!(state(hours(Kind::Resolution, 1), &[(0, Opened)]), [State::Breached]);
    assert_eq!(state(hours(Kind::Resolution, 8), &[(0, Opened), (6, Resolved)]), [State::Met]);
    assert_eq!(state(hours(Kind::FirstResponse, 2), &answered), [State::Met]);
    assert_eq!(state(hours(Kind::NextResponse, 1), &answered), [State::Breached], "Chatwoot has two");
    assert_eq!(state(hours(Kind::Resolution, 4), &answered), [State::Breached]);
    assert_eq!(state(hours(Kind::Resolution, 1), &[(0, Opened), (6, Resolved)]), [State::Breached], "Chatwoot: a hit");
}
