//! When each step of a ladder is taken.

use std::collections::BTreeMap;

use barometer_chassis::clock::Micros;

use super::{Repeat, Rung, When};
use crate::{
    calendar::Timetable,
    clock::{Clock, History, Target, Unit},
};

const MINUTE: i64 = 60 * Micros::SECOND;

/// How what climbs a ladder goes on, if nothing happens.
#[derive(Clone, Copy, Debug)]
pub struct Course<'h> {
    what: What<'h>,
    /// In which working time is counted.
    desk: &'h Timetable,
    /// When it is due.
    due: Micros,
    /// Since when it runs without a pause.
    since: Micros,
    /// What lies before this instant, itself included, alerts nobody.
    quiet: Option<Micros>,
}

/// What climbs.
#[derive(Clone, Copy, Debug)]
enum What<'h> {
    /// A clock that runs.
    Clock(&'h History<'h>, &'h Clock),
    /// A promise that is owed, and by when it is.
    Promise { until: Micros },
}

/// Which steps were taken: for each place in the ladder, how often, or how often it was passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fired(BTreeMap<u16, u16>);

/// A step that is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Firing {
    /// When it should be.
    pub time: Micros,
    /// Its place in the ladder, from 0.
    pub step: u16,
    /// The how-manieth time, from 0.
    pub repetition: u16,
    /// How many times before it were not taken because this one is due too.
    pub missed: u16,
}

impl<'h> Course<'h> {
    /// Of a clock of this history. None when it has stopped, stands, or is never due: then no step is taken. Of a case that
    /// was recorded with a past, what lies before `quiet` is passed over; and so is a clock altogether that was past due
    /// then.
    pub fn of_clock(history: &'h History<'h>, clock: &'h Clock, quiet: Option<Micros>) -> Option<Self> {
        let (due, since) = (clock.due?, history.runs_since(clock)?);
        let over = quiet.is_some_and(|quiet| clock.start <= quiet && due <= quiet);
        let desk = &history.desk(clock.desk).timetable;
        (!over).then_some(Course { what: What::Clock(history, clock), desk, due, since, quiet })
    }

    /// Of a promise that is owed `since` then, `until` then, and is or would be broken at `due`.
    pub fn of_promise(desk: &'h Timetable, since: Micros, until: Micros, due: Micros) -> Self {
        Course { what: What::Promise { until }, desk, due, since, quiet: None }
    }

    /// When a step is first taken, whatever the time of the day.
    fn first(&self, when: When) -> Option<Micros> {
        match (when, self.what) {
            (When::Due, _) => Some(self.due),
            // Days are used one by one.
            (When::Percent(percent), What::Clock(history, clock)) => {
                let allowed = clock.allowed.count() * i64::from(percent);
                let part = allowed.div_euclid(100);
                history.reaches(clock, part + i64::from(part * 100 < allowed))
            }
            (When::After(after), What::Clock(history, clock)) => match after.of_unit(clock.target.unit) {
                Some(more) => history.reaches(clock, clock.allowed.count() + more),
                None => Some(Micros(self.due.0 + i64::from(after.amount) * MINUTE)),
            },
            // What is broken already is not warned of.
            (When::Percent(percent), What::Promise { until }) => {
                let part = i128::from(until.0 - self.since.0) * i128::from(percent) / 100;
                i64::try_from(part).ok().map(|part| Micros(self.since.0 + part)).filter(|at| *at < self.due)
            }
            (When::After(after), What::Promise { .. }) => self.repeated(self.due, after, 1),
        }
    }

    /// So many repetitions after the first time.
    fn repeated(&self, first: Micros, every: Target, repetition: u16) -> Option<Micros> {
        let (amount, desk) = (i64::from(every.amount) * i64::from(repetition), self.desk);
        let day = || i32::try_from(amount).ok().and_then(|days| desk.day(first).checked_add(days));
        match every.unit {
            _ if repetition == 0 => Some(first),
            Unit::ElapsedMinutes => Some(Micros(first.0 + amount * MINUTE)),
            Unit::WorkingMinutes => desk.after_worked(first, amount * MINUTE),
            // When work begins on that day.
            Unit::WorkingDays => {
                let closes = desk.after_working_days(first, desk.day(first), amount)?;
                desk.opens(desk.start_of(desk.day(Micros(closes.0 - 1))))
            }
            Unit::CalendarDays | Unit::Weeks | Unit::Months => Some(desk.start_of(day()?)),
        }
    }

    /// When a step is taken that would be at this instant: not while the clock stood, and in working time if it waits for it.
    fn planned(&self, rung: &Rung, nominal: Micros) -> Option<Micros> {
        let at = nominal.max(self.since);
        if rung.working_time_only { self.desk.opens(at) } else { Some(at) }
    }

    /// The times at which a step is still to be taken, each with its number.
    fn times(&self, rung: &Rung, taken: u16) -> impl Iterator<Item = (u16, Micros)> {
        let first = self.first(rung.when);
        let (every, times) = match rung.repeat {
            None => (None, 0),
            Some(Repeat { every, times }) => (Some(every), times),
        };
        (taken..=times)
            .map_while(move |repetition| {
                let nominal = every.map_or(first, |every| self.repeated(first?, every, repetition))?;
                Some((repetition, nominal, self.planned(rung, nominal)?))
            })
            .filter(|(_, nominal, _)| self.quiet.is_none_or(|quiet| *nominal > quiet))
            .map(|(repetition, _, planned)| (repetition, planned))
    }
}

impl Fired {
    /// Notes that a step was taken for the how-manieth time, from 0.
    pub fn note(&mut self, step: u16, repetition: u16) {
        let taken = self.0.entry(step).or_default();
        *taken = (*taken).max(repetition.saturating_add(1));
    }

    fn taken(&self, step: u16) -> u16 {
        self.0.get(&step).copied().unwrap_or_default()
    }
}

impl Course<'_> {
    /// What of these steps is to be done now, in its order. Of the times of one step that have passed only the last is taken.
    pub fn due(&self, steps: &[Rung], fired: &Fired, now: Micros) -> Vec<Firing> {
        let due = |(step, rung): (u16, &Rung)| {
            let taken = fired.taken(step);
            let past = self.times(rung, taken).take_while(|(_, time)| *time <= now);
            let (count, last) = past.fold((0u16, None), |(count, _), last| (count + 1, Some(last)));
            last.map(|(repetition, time)| Firing { time, step, repetition, missed: count - 1 })
        };
        let mut due: Vec<_> = (0..).zip(steps).filter_map(due).collect();
        due.sort_unstable();
        due
    }

    /// When one of these steps is next to be taken, which may have passed.
    pub fn next(&self, steps: &[Rung], fired: &Fired) -> Option<Micros> {
        let next = |(step, rung): (u16, &Rung)| self.times(rung, fired.taken(step)).next();
        (0..).zip(steps).filter_map(next).map(|(_, time)| time).min()
    }
}
