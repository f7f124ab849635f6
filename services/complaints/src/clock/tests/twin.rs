//! What clocks must come to, by counting minute after minute: slow, and by none of their means but the words of the contract.
//!
//! `PROPTEST_CASES=10000 cargo test -p barometer-complaints --lib twin` tries ten thousand cases instead of a few hundred.

use proptest::prelude::*;

use super::*;
use crate::calendar::{
    Calendar, day_of,
    tests::{Twin, any_calendar, window},
};

/// What the twin has counted at the end.
#[derive(Debug, PartialEq, Eq)]
struct Counted {
    used: i64,
    /// The minute with whose start the target was reached.
    reached: Option<i64>,
    /// The minute in which what it waits for happened, or the case was cancelled.
    stopped: Option<i64>,
    /// Whether it is the cancellation by which it stopped.
    cancelled: bool,
    paused: bool,
}

/// What holds of a case, whatever the clock.
#[derive(Clone, Copy, Debug, Default)]
struct Holds {
    desk: usize,
    waits: [bool; 2],
    resolved: bool,
    cancelled: bool,
}

impl Holds {
    fn take(&mut self, event: Event) {
        match event {
            HandedOver { desk } => self.desk = usize::from(desk),
            WaitBegan(wait) if !self.ended() => self.waits[wait as usize] = true,
            WaitEnded(wait) => self.waits[wait as usize] = false,
            Resolved | Closed if !self.cancelled => (self.resolved, self.waits) = (true, [false; 2]),
            Event::Cancelled => (self.cancelled, self.waits) = (true, [false; 2]),
            Reopened => (self.resolved, self.cancelled) = (false, false),
            _ => {}
        }
    }

    fn ended(&self) -> bool {
        self.resolved || self.cancelled
    }
}

/// A case with minutes for instants: opened in the first of its events.
struct Minutes<'m> {
    desks: &'m [Twin; 2],
    events: &'m [(i64, Event)],
    target: ClockTarget,
}

impl Minutes<'_> {
    /// The events with which a clock starts, of those up to a minute.
    fn starts(&self, until: i64) -> Vec<usize> {
        let kind = self.target.kind;
        let mut starts = if kind == Kind::NextResponse { Vec::new() } else { vec![0] };
        // Whether one is under way; whether the customer had an answer, and wrote since.
        let (mut runs, mut answered, mut asked) = (kind != Kind::NextResponse, false, false);
        let mut holds = Holds::default();
        let known = self.events.iter().take_while(|(at, _)| *at <= until).enumerate().skip(1);
        for (index, (_, event)) in known {
            let before = holds;
            holds.take(*event);
            let mut owed = false;
            match event {
                FromCustomer => {
                    asked = true;
                    owed = kind == Kind::NextResponse && answered && !before.ended();
                }
                Reopened if before.ended() => owed = kind == Kind::PeriodicUpdate || (asked && answered),
                _ if before.cancelled => {}
                ToCustomer(message) => {
                    if *message == Answer {
                        (answered, asked) = (true, false);
                    }
                    runs &= kind != Kind::PeriodicUpdate && *message != Answer;
                    owed = kind == Kind::PeriodicUpdate && !before.resolved;
                }
                Resolved | Closed if !before.resolved => (runs, answered, asked) = (false, true, false),
                _ => {}
            }
            if owed && !runs && [Kind::NextResponse, Kind::PeriodicUpdate].contains(&kind) {
                starts.push(index);
                runs = true;
            }
        }
        starts
    }

    /// Counts the clock that starts with an event up to a minute; events up to `known` have happened.
    fn count(&self, start: usize, known: i64, until: i64) -> Counted {
        let (kind, begun) = (self.target.kind, self.events[start].0);
        let mut holds = Holds::default();
        self.events[..=start].iter().for_each(|(_, event)| holds.take(*event));
        let mut counted = Counted { used: 0, reached: None, stopped: None, cancelled: false, paused: false };
        let mut last_day = day_of(self.desks[holds.desk].date(begun));
        let (mut allowed, mut next) = (i64::from(self.target.target.amount), start + 1);
        for minute in begun..=until {
            for (_, event) in self.events.iter().skip(next).take_while(|(at, _)| *at <= minute.min(known)) {
                next += 1;
                let before = holds;
                holds.take(*event);
                if counted.stopped.is_some() && !counted.cancelled && kind != Kind::TotalResolution {
                    continue;
                }
                match event {
                    Reopened => (counted.stopped, counted.cancelled) = (None, false),
                    _ if before.cancelled => {}
                    Event::Cancelled => {
                        // A legal deadline knows nothing of what was undone.
                        let mut later = self.events[next..].iter().take_while(|(at, _)| *at <= known);
                        let undone = later.any(|(_, event)| *event == Reopened);
                        if counted.stopped.is_none() && !(kind == Kind::FinalResponse && undone) {
                            (counted.stopped, counted.cancelled) = (Some(minute), true);
                        }
                    }
                    Resolved | Closed if !before.resolved => counted.stopped = Some(minute),
                    Event::Acknowledged if kind == Kind::Acknowledgement => counted.stopped = Some(minute),
                    ToCustomer(message) => {
                        let stops = match kind {
                            Kind::Acknowledgement | Kind::PeriodicUpdate => true,
                            Kind::FirstResponse | Kind::NextResponse => *message == Answer,
                            _ => false,
                        };
                        let in_time = counted.reached.is_none_or(|reached| minute <= reached);
                        if stops {
                            counted.stopped = Some(minute);
                        } else if let Some(longer) = self.target.holding.filter(|_| *message == Holding && in_time) {
                            allowed = i64::from(longer.amount);
                            counted.reached = counted.reached.filter(|_| counted.used >= allowed);
                        }
                    }
                    _ => {}
                }
            }
            let pauses = self.target.pauses;
            let waiting = (holds.waits[0] && pauses.customer) || (holds.waits[1] && pauses.third_party);
            counted.paused = waiting && counted.stopped.is_none();
            if minute == until || counted.stopped.is_some() || counted.paused {
                continue;
            }
            let twin = &self.desks[holds.desk];
            let (more, day) = match self.target.target.unit {
                Unit::ElapsedMinutes => (1, None),
                Unit::WorkingMinutes => (i64::from(twin.is_open(minute)), None),
                Unit::WorkingDays => {
                    let closed = twin.closing(minute + 1).filter(|day| *day > last_day);
                    (i64::from(closed.is_some()), closed)
                }
                _ => {
                    let ended: Vec<i32> = twin.endings(minute + 1).filter(|day| *day > last_day).collect();
                    (i64::try_from(ended.len()).expect("few"), ended.last().copied())
                }
            };
            last_day = day.unwrap_or(last_day);
            counted.used += more;
            if more > 0 && counted.reached.is_none() && counted.used >= allowed {
                counted.reached = Some(minute + 1);
            }
        }
        counted
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    let events = [
        WaitBegan(Wait::Customer),
        WaitBegan(Wait::Customer),
        WaitEnded(Wait::Customer),
        WaitEnded(Wait::Customer),
        WaitBegan(Wait::ThirdParty),
        WaitEnded(Wait::ThirdParty),
        HandedOver { desk: 0 },
        HandedOver { desk: 1 },
        FromCustomer,
        Event::Acknowledged,
        FromCustomer,
        ToCustomer(Answer),
        ToCustomer(Update),
        ToCustomer(Holding),
        Resolved,
        Reopened,
        Reopened,
        Closed,
        Event::Cancelled,
    ];
    prop::sample::select(events.to_vec())
}

fn any_target() -> impl Strategy<Value = ClockTarget> {
    let of_days = prop::sample::select(vec![Unit::WorkingDays, Unit::CalendarDays]);
    let target = prop_oneof![
        (1u32..3_000, Just(Unit::WorkingMinutes)),
        (1u32..3_000, Just(Unit::ElapsedMinutes)),
        (1u32..4, of_days),
    ];
    let kinds = prop::sample::select(Kind::ALL.to_vec());
    (kinds, target, any::<[bool; 2]>(), prop::option::of(1u32..500)).prop_map(
        |(kind, (amount, unit), [customer, third_party], longer)| ClockTarget {
            kind,
            target: Target { amount, unit },
            holding: longer.filter(|_| kind == Kind::FinalResponse).map(|more| Target { amount: amount + more, unit }),
            pauses: Pauses { customer, third_party },
        },
    )
}

#[derive(Debug)]
struct Story {
    start: Micros,
    calendars: [Calendar; 2],
    events: Vec<(i64, Event)>,
    target: ClockTarget,
}

fn any_story() -> impl Strategy<Value = Story> {
    window().prop_flat_map(move |start| {
        let calendars = (any_calendar(start), any_calendar(start));
        (calendars, 0i64..1_440, prop::collection::vec((0i64..700, any_event()), 0..14), any_target()).prop_map(
            move |((one, other), opened, gaps, target)| {
                let mut events = vec![(opened, Opened)];
                let mut minute = opened;
                for (gap, event) in gaps {
                    minute += gap;
                    events.push((minute, event));
                }
                events.retain(|(minute, _)| *minute < 5 * 1_440);
                Story { start, calendars: [one, other], events, target }
            },
        )
    })
}

impl Story {
    fn told(&self) -> Told {
        let instant = |minute: i64| Micros(self.start.0 + minute * MINUTE);
        let timetable = |calendar: &Calendar| desk(Arc::new(Timetable::new(calendar).expect("a zone")));
        Told {
            events: self.events.iter().map(|(minute, event)| Dated { at: instant(*minute), event: *event }).collect(),
            terms: vec![terms([self.target])],
            desks: self.calendars.iter().map(timetable).collect(),
        }
    }

    fn clock(&self, told: &Told, minute: i64) -> Option<Clock> {
        self.clocks(told, minute).pop()
    }

    fn clocks(&self, told: &Told, minute: i64) -> Vec<Clock> {
        told.history().clocks(Micros(self.start.0 + minute * MINUTE))
    }
}

proptest! {
    #[test]
    fn a_clock_is_as_its_twin(story in any_story(), asked in prop::collection::vec(0i64..7_200, 3)) {
        let told = story.told();
        let desks = [0, 1].map(|index: usize| Twin::new(&story.calendars[index], story.start));
        let twin = Minutes { desks: &desks, events: &story.events, target: story.target };
        let minute_of = |at: Micros| (at.0 - story.start.0) / MINUTE;
        for now in asked {
            let (clocks, starts) = (story.clocks(&told, now), twin.starts(now));
            let started: Vec<i64> = clocks.iter().map(|clock| minute_of(clock.start)).collect();
            let starts: Vec<usize> = starts.into_iter().filter(|start| story.events[*start].0 <= now).collect();
            prop_assert_eq!(started, starts.iter().map(|start| story.events[*start].0).collect::<Vec<_>>(), "at {}", now);
            for (clock, start) in clocks.iter().zip(starts) {
                let counted = twin.count(start, now, now);
                let per = if clock.target.unit.is_time() { MINUTE } else { 1 };
                prop_assert_eq!(clock.used.count(), counted.used * per, "at {}", now);
                prop_assert_eq!(clock.stop.map(minute_of), counted.stopped);
                let end = counted.stopped.unwrap_or(now);
                let state = match counted.reached {
                    Some(reached) if end > reached => State::Breached,
                    _ if counted.cancelled => State::Cancelled,
                    _ if counted.stopped.is_some() => State::Met,
                    _ if counted.paused => State::Paused,
                    _ => State::Running,
                };
                prop_assert_eq!(clock.state, state);
                if counted.reached.is_some() {
                    prop_assert_eq!(clock.due.map(minute_of), counted.reached);
                } else if counted.paused {
                    prop_assert_eq!(clock.due, None);
                } else if counted.stopped.is_none() {
                    // If nothing more happens.
                    let later = twin.count(start, now, 7_200).reached;
                    prop_assert!(later.is_none() || clock.due.map(minute_of) == later, "{:?} {:?}", clock.due, later);
                }
            }
        }
    }

    #[test]
    fn any_amount_is_reached_as_the_twin_reaches_it(story in any_story(), now in 0i64..7_200, amount in 1u32..3_000) {
        let told = story.told();
        let desks = [0, 1].map(|index: usize| Twin::new(&story.calendars[index], story.start));
        let amount = if story.target.target.unit.is_time() { amount } else { amount % 4 + 1 };
        let target = Target { amount, ..story.target.target };
        let target = ClockTarget { target, holding: None, ..story.target };
        let twin = Minutes { desks: &desks, events: &story.events, target };
        for (clock, start) in story.clocks(&told, now).iter().zip(twin.starts(now)) {
            let per = if target.target.unit.is_time() { MINUTE } else { 1 };
            let reaches = told.history().reaches(clock, i64::from(amount) * per);
            let reaches = reaches.map(|at| (at.0 - story.start.0) / MINUTE);
            let counted = twin.count(start, now, now);
            if counted.reached.is_some() || counted.stopped.is_some() || counted.paused {
                prop_assert_eq!(reaches, counted.reached);
            } else {
                let later = twin.count(start, now, 7_200).reached;
                prop_assert!(later.is_none() || reaches == later, "{:?} {:?}", reaches, later);
            }
        }
    }

    #[test]
    fn weeks_and_months_are_as_many_days(story in any_story(), now in 0i64..30_000, amount in 1u32..4) {
        let days = |amount: u32, unit: Unit| {
            let target = ClockTarget { target: Target { amount, unit }, holding: None, ..story.target };
            let told = Story { target, calendars: story.calendars.clone(), events: story.events.clone(), start: story.start };
            told.clocks(&told.told(), now)
        };
        let same = |one: &Clock, other: &Clock| {
            let bare = |c: &Clock| (c.state, c.start, c.stop, c.due, c.allowed, c.used, c.remaining(), c.desk);
            bare(one) == bare(other)
        };
        let (weeks, sevens) = (days(amount, Unit::Weeks), days(7 * amount, Unit::CalendarDays));
        prop_assert!(weeks.iter().zip(&sevens).all(|(one, other)| same(one, other)), "{weeks:?} {sevens:?}");
        let date = Twin::new(&story.calendars[0], story.start).date(story.events[0].0);
        // The same day of another month, or its last.
        let months = i32::from(date.year()) * 12 + i32::from(date.month()) - 1 + i32::try_from(amount).expect("few");
        let (year, month) = (i16::try_from(months / 12).expect("a year"), i8::try_from(months % 12 + 1).expect("a month"));
        let first = jiff::civil::date(year, month, 1);
        let end = jiff::civil::date(year, month, date.day().min(first.days_in_month()));
        let by_months = days(amount, Unit::Months);
        let as_days = days(u32::try_from(day_of(end) - day_of(date)).expect("later"), Unit::CalendarDays);
        for (one, other) in by_months.iter().zip(&as_days).take(usize::from(story.target.kind != Kind::NextResponse)) {
            prop_assert!(same(one, other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn an_explanation_has_no_gaps_and_adds_up(story in any_story(), now in 0i64..7_200) {
        let told = story.told();
        let Some(clock) = story.clock(&told, now) else { return Ok(()) };
        let (mut reached, mut counted) = (clock.start, 0);
        for stretch in told.history().explain(&clock) {
            prop_assert_eq!(stretch.from, reached);
            prop_assert!(stretch.from < stretch.until);
            counted += stretch.counted.count();
            let counts = matches!(stretch.reason, Reason::Elapsed | Reason::WorkingTime | Reason::DayEnded);
            prop_assert_eq!(counts, stretch.counted.count() > 0, "{:?}", stretch);
            reached = stretch.until;
        }
        prop_assert_eq!(reached, clock.stop.unwrap_or(Micros(story.start.0 + now * MINUTE)));
        prop_assert_eq!(counted, clock.used.count());
    }

    #[test]
    fn at_any_instant_it_is_as_if_nothing_had_happened_since(story in any_story(), now in 0i64..7_200) {
        let mut told = story.told();
        let then = story.clock(&told, now);
        told.events.retain(|dated| dated.at <= Micros(story.start.0 + now * MINUTE));
        let replayed = story.clock(&told, now);
        prop_assert_eq!(then, replayed);
    }

    #[test]
    fn a_pause_in_two_is_the_same_pause(story in any_story(), cuts in prop::collection::vec(0i64..7_200, 4), now in 0i64..7_200) {
        let whole = story.clock(&story.told(), now);
        let mut cut = Story { calendars: story.calendars.clone(), events: story.events.clone(), ..story };
        for minute in cuts {
            let index = cut.events.partition_point(|(at, _)| *at <= minute);
            let (mut waits, mut ended) = ([false; 2], false);
            for (_, event) in &cut.events[..index] {
                match event {
                    WaitBegan(wait) if !ended => waits[*wait as usize] = true,
                    WaitEnded(wait) => waits[*wait as usize] = false,
                    Resolved | Closed | Event::Cancelled => (waits, ended) = ([false; 2], true),
                    Reopened => ended = false,
                    _ => {}
                }
            }
            for (wait, waits) in [(Wait::Customer, waits[0]), (Wait::ThirdParty, waits[1])] {
                if index > 0 && waits {
                    cut.events.splice(index..index, [(minute, WaitEnded(wait)), (minute, WaitBegan(wait))]);
                }
            }
        }
        let same = |clock: Option<Clock>| clock.map(|c| (c.state, c.stop, c.due, c.used, c.held, c.desk));
        prop_assert_eq!(same(cut.clock(&cut.told(), now)), same(whole));
    }

    #[test]
    fn what_is_due_has_used_its_target_just_then(story in any_story()) {
        let mut told = story.told();
        told.events.retain(|dated| !matches!(dated.event, Event::Cancelled));
        let last = story.events.last().map_or(0, |(minute, _)| *minute);
        let Some(clock) = story.clock(&told, last).filter(|clock| clock.stop.is_none() && clock.state == State::Running) else {
            return Ok(());
        };
        // A calendar that works a minute a week may end before.
        let Some(due) = clock.due else { return Ok(()) };
        let of = |at: Micros| told.history().clocks(at).pop().expect("it runs");
        prop_assert_eq!(of(due).used, clock.allowed);
        prop_assert_eq!(of(due).state, State::Running);
        prop_assert_eq!(of(Micros(due.0 + 1)).state, State::Breached);
        if due > Micros(story.start.0 + last * MINUTE) {
            prop_assert!(of(Micros(due.0 - 1)).used < clock.allowed);
        }
    }

    #[test]
    fn what_is_kept_says_how_it_is_ever_after(story in any_story(), later in 0i64..30_000) {
        let told = story.told();
        let last = told.events.last().expect("it was opened").at;
        let at = Micros(last.0 + later * MINUTE);
        let (kept, clocks) = (told.history().kept(told.events[0].at), told.history().clocks(at));
        prop_assert_eq!(kept.len(), clocks.len());
        for (kept, clock) in kept.iter().zip(&clocks) {
            prop_assert_eq!((kept.kind, kept.instance, kept.start, kept.stop), (clock.kind, clock.instance, clock.start, clock.stop));
            prop_assert_eq!((kept.due, kept.target, kept.held, kept.allowed), (clock.due, clock.target, clock.held, clock.allowed));
            prop_assert_eq!(kept.state_at(at), clock.state);
            prop_assert_eq!(kept.used.is_none(), kept.state == State::Running);
            prop_assert!(kept.used.is_none_or(|used| used == clock.used));
            prop_assert_eq!(kept.ran.is_some(), kept.stop.is_some());
            let Some(ran) = kept.ran else { continue };
            prop_assert!(ran.working <= ran.elapsed && ran.elapsed <= kept.stop.expect("it stopped").0 - kept.start.0);
            match kept.target.unit {
                Unit::ElapsedMinutes => prop_assert_eq!(ran.elapsed, clock.used.count()),
                Unit::WorkingMinutes => prop_assert_eq!(ran.working, clock.used.count()),
                _ => {}
            }
        }
    }
}
