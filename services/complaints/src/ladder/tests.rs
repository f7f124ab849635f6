//! Each step once, in its order, at its instant.

use barometer_chassis::clock::Micros;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    calendar::tests::{MINUTE, WORKDAYS, at, timetable},
    clock::{Clock, ClockTarget, Dated, Desk, Event, History, Message, PolicyVersion, Terms, Unit, Version, Wait},
    policy::Conditions,
};

/// A case in Berlin, where people work from 8 to 18 on weekdays.
#[derive(Debug)]
struct Told {
    events: Vec<Dated>,
    terms: [Terms; 1],
    desks: [Desk; 1],
}

impl Told {
    fn new(target: ClockTarget, events: Vec<Dated>) -> Told {
        let timetable = timetable("Europe/Berlin", &WORKDAYS, &["08:00-18:00"], &["2024-03-29", "2024-04-01"]);
        let terms = Terms::new(PolicyVersion::default(), [target]);
        let calendar = Version { id: Uuid::nil(), version: 1 };
        Told { events, terms: [terms], desks: [Desk { calendar, timetable }] }
    }

    /// What a worker that looks then takes, and when it has to look again.
    fn look(
        &self,
        ladder: &Ladder,
        fired: &Fired,
        quiet: Option<Micros>,
        now: Micros,
    ) -> (Vec<Firing>, Option<Micros>) {
        let events: Vec<Dated> = self.events.iter().copied().filter(|dated| dated.at <= now).collect();
        let history = History::new(&events, &self.terms, &self.desks).expect("whole");
        let Some(clock) = history.clocks(now).pop() else { return (Vec::new(), None) };
        let Some(course) = Course::of_clock(&history, &clock, quiet) else { return (Vec::new(), None) };
        (course.due(&ladder.steps, fired, now), course.next(&ladder.steps, fired))
    }

    /// What a worker takes that looks at these instants.
    fn run(&self, ladder: &Ladder, looks: impl IntoIterator<Item = Micros>) -> Vec<(Micros, Firing)> {
        let (mut fired, mut all) = (Fired::default(), Vec::new());
        for now in looks {
            for firing in self.look(ladder, &fired, None, now).0 {
                fired.note(firing.step, firing.repetition);
                all.push((now, firing));
            }
        }
        all
    }
}

fn opened(time: &str) -> Vec<Dated> {
    vec![Dated { at: at(time), event: Event::Opened }]
}

fn rung(when: When) -> Rung {
    Rung { when, notify: vec![Audience::Owner.into()], ..Rung::default() }
}

fn of(amount: u32, unit: Unit) -> Target {
    Target { amount, unit }
}

fn ladder(steps: Vec<Rung>) -> Ladder {
    Ladder { kind: Kind::FirstResponse, steps }
}

fn hours(hours: u32) -> ClockTarget {
    ClockTarget::new(Kind::FirstResponse, 60 * hours, Unit::WorkingMinutes)
}

/// Every minute from an instant on.
fn minutes(from: &str, count: i64) -> impl Iterator<Item = Micros> {
    let start = at(from);
    (0..count).map(move |minute| Micros(start.0 + minute * MINUTE))
}

/// The ladder that the issue of a complaints desk draws.
fn usual() -> Ladder {
    ladder(vec![
        rung(When::Percent(50)),
        rung(When::Percent(90)),
        Rung { raise: Some(Raise::ByOne), ..rung(When::Due) },
        Rung {
            repeat: Some(Repeat { every: of(1, Unit::WorkingDays), times: 2 }),
            ..rung(When::After(of(240, Unit::WorkingMinutes)))
        },
    ])
}

#[test]
fn steps_are_taken_at_their_instants() {
    // Berlin is an hour ahead of UTC until the last Sunday of March. Ten hours from a Wednesday noon.
    let told = Told::new(hours(10), opened("2024-03-27T11:00:00Z"));
    let taken = told.run(&usual(), minutes("2024-03-27T11:00:00Z", 10 * 1_440));
    let taken: Vec<_> =
        taken.into_iter().map(|(now, firing)| (now, firing.time, firing.step, firing.repetition)).collect();
    let expected = [
        ("2024-03-27T16:00:00Z", 0, 0),
        ("2024-03-28T10:00:00Z", 1, 0),
        ("2024-03-28T11:00:00Z", 2, 0),
        ("2024-03-28T15:00:00Z", 3, 0),
        // Friday to Monday are holidays; summer time has begun.
        ("2024-04-02T06:00:00Z", 3, 1),
        ("2024-04-03T06:00:00Z", 3, 2),
    ];
    assert_eq!(taken, expected.map(|(time, step, repetition)| (at(time), at(time), step, repetition)));
}

#[test]
fn what_was_missed_is_taken_once_and_late() {
    let told = Told::new(hours(10), opened("2024-03-27T11:00:00Z"));
    let taken =
        told.run(&usual(), [at("2024-03-27T11:00:00Z"), at("2024-04-10T00:00:00Z"), at("2024-05-01T00:00:00Z")]);
    let taken: Vec<_> = taken.into_iter().map(|(_, firing)| (firing.step, firing.repetition, firing.missed)).collect();
    assert_eq!(taken, [(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 2, 2)]);
}

#[test]
fn nothing_is_taken_while_the_clock_stands_or_after_it_stopped() {
    let target = ClockTarget::new(Kind::Resolution, 600, Unit::WorkingMinutes);
    let event = |time, event| Dated { at: at(time), event };
    let mut events = opened("2024-03-27T11:00:00Z");
    events.push(event("2024-03-27T12:00:00Z", Event::WaitBegan(Wait::Customer)));
    events.push(event("2024-04-02T12:00:00Z", Event::WaitEnded(Wait::Customer)));
    let ladder = Ladder { kind: Kind::Resolution, ..usual() };
    let told = Told::new(target, events.clone());
    let taken = told.run(&ladder, minutes("2024-03-27T11:00:00Z", 7 * 1_440));
    // Four hours more from the resumption, two in the afternoon in Berlin.
    assert_eq!(taken.first().map(|(now, firing)| (*now, firing.step)), Some((at("2024-04-02T16:00:00Z"), 0)));
    events.push(event("2024-04-02T15:59:00Z", Event::Resolved));
    assert_eq!(Told::new(target, events).run(&ladder, minutes("2024-03-27T11:00:00Z", 30 * 1_440)), []);
}

#[test]
fn a_round_the_clock_step_that_fell_into_a_pause_is_taken_when_it_ends() {
    let target = ClockTarget::new(Kind::Resolution, 60, Unit::WorkingMinutes);
    let event = |time, event| Dated { at: at(time), event };
    let mut events = opened("2024-03-26T09:00:00Z");
    events.push(event("2024-03-26T11:00:00Z", Event::WaitBegan(Wait::Customer)));
    events.push(event("2024-03-27T09:00:00Z", Event::WaitEnded(Wait::Customer)));
    let after = rung(When::After(of(120, Unit::ElapsedMinutes)));
    let taken = Told::new(target, events).run(&ladder(vec![after]), minutes("2024-03-26T09:00:00Z", 2_880));
    let taken: Vec<_> = taken.into_iter().map(|(now, firing)| (now, firing.time)).collect();
    assert_eq!(taken, [(at("2024-03-27T09:00:00Z"), at("2024-03-27T09:00:00Z"))]);
}

#[test]
fn a_step_for_working_time_waits_for_the_morning() {
    let target = ClockTarget::new(Kind::FirstResponse, 60, Unit::ElapsedMinutes);
    let told = Told::new(target, opened("2024-03-28T19:30:00Z"));
    let night = ladder(vec![
        rung(When::Due),
        Rung { working_time_only: true, ..rung(When::After(of(30, Unit::ElapsedMinutes))) },
    ]);
    let taken: Vec<_> =
        told.run(&night, minutes("2024-03-28T19:30:00Z", 10_000)).into_iter().map(|(now, _)| now).collect();
    // Over the holidays, to eight o'clock on Tuesday.
    assert_eq!(taken, [at("2024-03-28T20:30:00Z"), at("2024-04-02T06:00:00Z")]);
}

#[test]
fn the_past_of_a_recorded_case_alerts_nobody() {
    let told = Told::new(hours(10), opened("2024-03-27T11:00:00Z"));
    let look = |quiet: &str, now: &str| told.look(&usual(), &Fired::default(), Some(at(quiet)), at(now));
    assert_eq!(look("2024-03-28T11:00:00Z", "2024-05-01T00:00:00Z"), (Vec::new(), None), "it was over then");
    let (due, next) = look("2024-03-28T10:00:00Z", "2024-03-28T10:00:00Z");
    assert_eq!((due, next), (Vec::new(), Some(at("2024-03-28T11:00:00Z"))), "what is to come does");
}

#[test]
fn days_are_used_one_by_one() {
    let target = ClockTarget::new(Kind::FirstResponse, 3, Unit::WorkingDays);
    let told = Told::new(target, opened("2024-03-18T11:00:00Z"));
    let steps = ladder(vec![rung(When::Percent(50)), rung(When::Due), rung(When::After(of(1, Unit::WorkingDays)))]);
    let taken = told.run(&steps, minutes("2024-03-18T11:00:00Z", 7 * 1_440));
    let taken: Vec<_> = taken.into_iter().map(|(now, _)| now).collect();
    assert_eq!(taken, [at("2024-03-20T17:00:00Z"), at("2024-03-21T17:00:00Z"), at("2024-03-22T17:00:00Z")]);
}

#[test]
fn a_priority_is_raised_and_never_lowered() {
    let of = |raise: Raise, from: Priority| raise.of(from);
    assert_eq!(of(Raise::ByOne, Priority::Normal), Priority::High);
    assert_eq!(of(Raise::ByOne, Priority::Urgent), Priority::Urgent);
    assert_eq!(of(Raise::To(Priority::High.into()), Priority::Urgent), Priority::Urgent);
    assert_eq!(of(Raise::To(Priority::High.into()), Priority::Low), Priority::High);
}

fn refused(target: (u32, Unit), steps: Vec<Rung>, conditions: &Conditions) -> Vec<String> {
    let mut told = Vec::new();
    let (amount, unit) = target;
    check(of(amount, unit), &steps, conditions, |place, field, reason, _| {
        told.push(format!("{place}{field} {reason}"));
    });
    told
}

#[test]
fn a_ladder_that_can_not_be_meant_is_refused() {
    use Unit::{CalendarDays, ElapsedMinutes, Months, Weeks, WorkingDays, WorkingMinutes};
    let none = Conditions::default();
    let minutes = (600, WorkingMinutes);
    let no: [&str; 0] = [];
    assert_eq!(refused(minutes, usual().steps, &none), no);
    let when = |steps: &[When]| refused(minutes, steps.iter().copied().map(rung).collect(), &none);
    assert_eq!(when(&[When::Percent(90), When::Percent(50)]), ["1 OUT_OF_ORDER"]);
    assert_eq!(when(&[When::Percent(50), When::Percent(50)]), ["1 OUT_OF_ORDER"]);
    assert_eq!(when(&[When::Due, When::Percent(50), When::Due]), ["1 OUT_OF_ORDER"]);
    let after = |amount, unit| When::After(of(amount, unit));
    assert_eq!(when(&[after(60, WorkingMinutes), after(60, WorkingMinutes)]), ["1 OUT_OF_ORDER"]);
    assert_eq!(when(&[after(61, WorkingMinutes), after(60, ElapsedMinutes)]), ["1 OUT_OF_ORDER"]);
    assert_eq!(when(&[after(61, ElapsedMinutes), after(60, WorkingMinutes)]), no);
    assert_eq!(when(&[after(2, WorkingDays)]), ["0.after_due.unit NOT_OF_THIS_CLOCK"]);
    assert_eq!(refused((2, Weeks), vec![rung(after(2, CalendarDays)), rung(after(1, Weeks))], &none), no);
    assert_eq!(refused((1, Months), vec![rung(after(1, Months))], &none), ["0.after_due.unit NOT_OF_THIS_CLOCK"]);
    assert_eq!(refused((1, WorkingDays), vec![rung(When::Percent(50))], &none), ["0.percent ROUNDS_TO_DUE"]);
    assert_eq!(
        refused((2, WorkingDays), vec![rung(When::Percent(50)), rung(When::Percent(51))], &none),
        ["1.percent ROUNDS_TO_DUE"]
    );

    let raising = |steps: &[Option<Raise>], conditions: &Conditions| {
        let steps = (1u8..).zip(steps).map(|(percent, raise)| Rung { raise: *raise, ..rung(When::Percent(percent)) });
        refused(minutes, steps.collect(), conditions)
    };
    let to = |priority: Priority| Some(Raise::To(priority.into()));
    assert_eq!(raising(&[to(Priority::High), Some(Raise::ByOne)], &none), no);
    assert_eq!(raising(&[to(Priority::High), to(Priority::Normal)], &none), ["1.raise_to RAISES_NOTHING"]);
    assert_eq!(raising(&[to(Priority::Low)], &none), ["0.raise_to RAISES_NOTHING"]);
    assert_eq!(raising(&[to(Priority::Urgent), Some(Raise::ByOne)], &none), ["1.raise_by_one RAISES_NOTHING"]);
    let high = [Priority::High, Priority::Urgent].map(i32::from).into_iter().collect();
    let urgent = Conditions { priorities: high, ..Conditions::default() };
    assert_eq!(raising(&[to(Priority::High)], &urgent), ["0.raise_to RAISES_NOTHING"]);
    assert_eq!(raising(&[to(Priority::Urgent)], &urgent), no);

    assert_eq!(refused(minutes, vec![Rung { notify: Vec::new(), ..rung(When::Due) }], &none), ["0 REQUIRED"]);
    let repeated = |every, working_time_only| {
        let repeat = Some(Repeat { every, times: 3 });
        refused(minutes, vec![Rung { repeat, working_time_only, ..rung(When::Due) }], &none)
    };
    assert_eq!(repeated(of(1, Weeks), false), ["0.repeat.every.unit NOT_A_PACE"]);
    assert_eq!(repeated(of(60, ElapsedMinutes), false), no);
    assert_eq!(repeated(of(60, ElapsedMinutes), true), ["0.repeat.every CONTRADICTION"]);
    let night = Rung { working_time_only: true, ..rung(after(60, ElapsedMinutes)) };
    assert_eq!(refused(minutes, vec![night], &none), ["0.after_due CONTRADICTION"]);
}

fn any_rung() -> impl Strategy<Value = Rung> {
    let when = prop_oneof![
        (1u8..100).prop_map(When::Percent),
        Just(When::Due),
        (1u32..900).prop_map(|amount| When::After(of(amount, Unit::WorkingMinutes))),
        (1u32..900).prop_map(|amount| When::After(of(amount, Unit::ElapsedMinutes))),
    ];
    let every = prop_oneof![
        (30u32..900).prop_map(|amount| of(amount, Unit::WorkingMinutes)),
        (30u32..900).prop_map(|amount| of(amount, Unit::ElapsedMinutes)),
        (1u32..3).prop_map(|amount| of(amount, Unit::WorkingDays)),
        (1u32..3).prop_map(|amount| of(amount, Unit::CalendarDays)),
    ];
    let repeat = prop::option::of((every, 1u16..6).prop_map(|(every, times)| Repeat { every, times }));
    (when, repeat, any::<bool>()).prop_map(|(when, repeat, working)| Rung {
        repeat,
        working_time_only: working,
        ..rung(when)
    })
}

/// A case that waits for its customer now and then, in minutes since Monday, and may be answered.
fn any_told() -> impl Strategy<Value = Told> {
    let unit = prop::sample::select(vec![Unit::WorkingMinutes, Unit::ElapsedMinutes]);
    let gaps = prop::collection::vec(1i64..1_500, 0..7);
    (60u32..1_500, unit, gaps, any::<bool>()).prop_map(|(amount, unit, gaps, answered)| {
        let mut target = ClockTarget::new(Kind::FirstResponse, amount, unit);
        target.pauses.customer = true;
        let mut now = at("2024-03-25T07:00:00Z");
        let mut events = vec![Dated { at: now, event: Event::Opened }];
        let waits = [Event::WaitBegan(Wait::Customer), Event::WaitEnded(Wait::Customer)];
        for (gap, event) in gaps.into_iter().zip(waits.into_iter().cycle()) {
            now = Micros(now.0 + gap * MINUTE);
            events.push(Dated { at: now, event });
        }
        if answered {
            events.push(Dated { at: Micros(now.0 + 700 * MINUTE), event: Event::ToCustomer(Message::Answer) });
        }
        Told::new(target, events)
    })
}

const DAYS: i64 = 12;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_step_is_taken_once_and_in_order_whenever_somebody_looks(
        told in any_told(),
        steps in prop::collection::vec(any_rung(), 1..5),
        gaps in prop::collection::vec(1i64..2_000, 1..60),
    ) {
        let ladder = ladder(steps);
        let start = told.events[0].at;
        // Every ten minutes, and seldom.
        let often: Vec<_> = (0..DAYS * 144).map(|at| Micros(start.0 + at * 10 * MINUTE)).collect();
        let mut seldom = vec![start];
        for gap in gaps {
            seldom.push(Micros(seldom[seldom.len() - 1].0 + gap * MINUTE));
        }
        for looks in [often, seldom] {
            let taken = told.run(&ladder, looks.iter().copied());
            let mut seen = std::collections::BTreeMap::new();
            let mut last = None;
            for (now, firing) in &taken {
                prop_assert!(firing.time <= *now);
                // In the order of their instants, among those that are taken together.
                prop_assert!(last.is_none_or(|(before, time)| before != now || time <= firing.time));
                last = Some((now, firing.time));
                let next: &mut u16 = seen.entry(firing.step).or_default();
                prop_assert_eq!(firing.repetition, *next + firing.missed, "each time once, and none unheard of");
                *next = firing.repetition + 1;
                let rung = &ladder.steps[usize::from(firing.step)];
                prop_assert!(firing.repetition <= rung.repeat.map_or(0, |repeat| repeat.times));
                if rung.working_time_only {
                    prop_assert!(told.desks[0].timetable.is_open(firing.time), "{:?}", firing);
                }
                // The clock runs then.
                prop_assert!(told.clock(firing.time).stop.is_none());
            }
        }
    }

    #[test]
    fn whoever_looks_when_the_alarm_says_is_never_late(told in any_told(), steps in prop::collection::vec(any_rung(), 1..5)) {
        let ladder = ladder(steps);
        let start = told.events[0].at;
        let end = Micros(start.0 + DAYS * Micros::DAY);
        let (mut fired, mut now, mut taken) = (Fired::default(), start, Vec::new());
        loop {
            let (due, _) = told.look(&ladder, &fired, None, now);
            for firing in due {
                prop_assert_eq!(firing.time.max(start), now, "at its instant");
                prop_assert!(firing.missed == 0 || ladder.steps[usize::from(firing.step)].working_time_only || told.resumed(now));
                fired.note(firing.step, firing.repetition);
                taken.push((firing.step, firing.repetition));
            }
            // The next alarm, or what happens before it.
            let alarm = told.look(&ladder, &fired, None, now).1;
            prop_assert!(alarm.is_none_or(|alarm| alarm > now), "taken is taken");
            let event = told.events.iter().map(|dated| dated.at).find(|at| *at > now);
            let Some(next) = alarm.into_iter().chain(event).min().filter(|next| *next <= end) else { break };
            now = next;
        }
        // Looking every minute finds the same.
        let watched = told.run(&ladder, (0..=DAYS * 1_440).map(|minute| Micros(start.0 + minute * MINUTE)));
        let mut watched: Vec<_> = watched.into_iter().map(|(_, firing)| (firing.step, firing.repetition)).collect();
        watched.sort_unstable();
        taken.sort_unstable();
        prop_assert_eq!(taken, watched);
    }
}

impl Told {
    fn clock(&self, now: Micros) -> Clock {
        let events: Vec<Dated> = self.events.iter().copied().filter(|dated| dated.at <= now).collect();
        let history = History::new(&events, &self.terms, &self.desks).expect("whole");
        history.clocks(now).pop().expect("it was opened")
    }

    /// Whether a wait ended at an instant.
    fn resumed(&self, now: Micros) -> bool {
        self.events.iter().any(|dated| dated.at == now && matches!(dated.event, Event::WaitEnded(_)))
    }
}

/// What a worker takes of a promise made on Wednesday noon in Berlin, due two days later, that looks every minute.
fn run_of_promise(steps: &[Rung], broken: &str, count: i64) -> Vec<(Micros, u16, u16)> {
    let timetable = timetable("Europe/Berlin", &WORKDAYS, &["08:00-18:00"], &["2024-03-29", "2024-04-01"]);
    let (made, due) = (at("2024-03-27T11:00:00Z"), at("2024-03-29T11:00:00Z"));
    let course = Course::of_promise(&timetable, made, due, at(broken));
    let (mut fired, mut taken) = (Fired::default(), Vec::new());
    for now in minutes("2024-03-27T11:00:00Z", count) {
        let next = course.next(steps, &fired);
        let due = course.due(steps, &fired, now);
        assert_eq!(next.is_some_and(|next| next <= now), !due.is_empty(), "it looks when something is due");
        for firing in due {
            fired.note(firing.step, firing.repetition);
            taken.push((firing.time, firing.step, firing.repetition));
        }
    }
    taken
}

#[test]
fn a_promise_climbs_round_the_clock_and_then_by_its_calendar() {
    let steps = usual().steps;
    let told = |times: &[(&str, u16, u16)]| -> Vec<_> {
        times.iter().map(|(time, step, repetition)| (at(time), *step, *repetition)).collect()
    };
    let expected = told(&[
        ("2024-03-28T11:00:00Z", 0, 0),
        ("2024-03-29T06:12:00Z", 1, 0),
        ("2024-03-29T11:00:00Z", 2, 0),
        // Friday to Monday are holidays; summer time has begun. Four working hours, and then when work begins.
        ("2024-04-02T10:00:00Z", 3, 0),
        ("2024-04-03T06:00:00Z", 3, 1),
        ("2024-04-04T06:00:00Z", 3, 2),
    ]);
    assert_eq!(run_of_promise(&steps, "2024-03-29T11:00:00Z", 10 * 1_440), expected);

    // Somebody says at half past that it can not be kept: nothing warns any more.
    let early = run_of_promise(&steps, "2024-03-28T11:30:00Z", 10 * 1_440);
    let expected = told(&[
        ("2024-03-28T11:00:00Z", 0, 0),
        ("2024-03-28T11:30:00Z", 2, 0),
        ("2024-03-28T15:30:00Z", 3, 0),
        ("2024-04-02T06:00:00Z", 3, 1),
        ("2024-04-03T06:00:00Z", 3, 2),
    ]);
    assert_eq!(early, expected);
}

#[test]
fn a_ladder_of_promises_is_refused_for_what_it_can_not_mean() {
    let told = |steps: &[Rung]| {
        let mut told = Vec::new();
        check_of_promises(steps, &Conditions::default(), |place, field, reason, _| {
            told.push(format!("{place}{field} {reason}"));
        });
        told
    };
    assert_eq!(told(&usual().steps), [""; 0]);
    assert_eq!(told(&[rung(When::After(of(1, Unit::WorkingDays))), rung(When::Due)]), ["1 OUT_OF_ORDER"]);
    let weeks = rung(When::After(of(2, Unit::Weeks)));
    let night = Rung { working_time_only: true, ..rung(When::After(of(30, Unit::ElapsedMinutes))) };
    assert_eq!(told(&[weeks]), ["0.after_due.unit NOT_A_PACE"]);
    assert_eq!(told(&[night]), ["0.after_due CONTRADICTION"]);
}
