//! Why a clock has counted what it has: stretch by stretch.

use std::collections::VecDeque;

use barometer_chassis::clock::Micros;

use super::{
    Amount, Clock, ClockTarget, History, Unit, Wait,
    meter::Meter,
    scene::{Segment, Segments, Standing},
};
use crate::calendar::Timetable;

/// A stretch of a clock in which one reason held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// First instant.
    pub from: Micros,
    /// The instant after the last.
    pub until: Micros,
    /// Why it was counted or not.
    pub reason: Reason,
    /// What was counted.
    pub counted: Amount,
    /// Index of the calendar in force.
    pub desk: u16,
}

/// Why a stretch was counted or not; see `ClockStretch.Reason` in the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Counted: minutes round the clock.
    Elapsed,
    /// Counted: working time.
    WorkingTime,
    /// Counted: a day ended.
    DayEnded,
    /// Nobody works then.
    OutsideWorkingTime,
    /// A holiday of this name.
    Holiday(String),
    /// It waited.
    Waiting(Wait),
    /// It was resolved.
    Resolved,
    /// It was cancelled.
    Cancelled,
    /// The day of the start.
    DayOfStart,
    /// Its date was counted before.
    DayCounted,
    /// The day's end lies elsewhere.
    DayNotEnded,
}

impl<'h> History<'h> {
    /// The stretches of one of the clocks of this history, from its start until it stopped or the instant it was asked for, in
    /// order and without gaps. What they count adds up to what the clock used. They are made as they are asked for; there
    /// can be a few for each day.
    pub fn explain(&self, clock: &Clock) -> impl Iterator<Item = Stretch> + use<'h> {
        let target = self.terms(clock.terms).target(clock.kind).copied();
        let desk = &self.desk(clock.run.scene.desk).timetable;
        let tiles = target.map(|target| Tiles {
            history: *self,
            target,
            meter: Meter::new(&target, desk, clock.start),
            start_day: desk.day(clock.start),
            segments: self.segments(clock.run),
            segment: None,
            made: VecDeque::new(),
        });
        let mut tiles = tiles.into_iter().flatten().peekable();
        std::iter::from_fn(move || {
            let mut stretch = tiles.next()?;
            while let Some(next) = tiles.next_if(|next| next.goes_on(&stretch)) {
                stretch.until = next.until;
                stretch.counted = Amount::of(target?.target.unit, stretch.counted.count() + next.counted.count());
            }
            Some(stretch)
        })
    }
}

impl Stretch {
    /// Whether it goes on with another for the same reason. Days that were counted stand each for itself.
    fn goes_on(&self, before: &Stretch) -> bool {
        self.reason == before.reason && self.desk == before.desk && self.reason != Reason::DayEnded
    }
}

/// The parts of the stretches, cut at the ends of days.
struct Tiles<'h> {
    history: History<'h>,
    target: ClockTarget,
    meter: Meter,
    start_day: i32,
    segments: Segments<'h>,
    /// What is left of the segment at hand.
    segment: Option<Segment>,
    made: VecDeque<Stretch>,
}

impl Iterator for Tiles<'_> {
    type Item = Stretch;

    fn next(&mut self) -> Option<Stretch> {
        loop {
            if let Some(stretch) = self.made.pop_front() {
                return Some(stretch);
            }
            let segment = match self.segment.take() {
                Some(segment) => segment,
                None => self.segments.next()?,
            };
            if segment.from < segment.until {
                self.cut(segment);
            }
        }
    }
}

impl Tiles<'_> {
    /// Makes the stretches of a segment, of at most one day; leaves the rest of it for later.
    fn cut(&mut self, segment: Segment) {
        let Segment { from, until, scene, .. } = segment;
        if let Some(standing) = scene.standing(&self.target) {
            let reason = match standing {
                Standing::Resolved => Reason::Resolved,
                Standing::Cancelled => Reason::Cancelled,
                Standing::Waiting(wait) => Reason::Waiting(wait),
            };
            return self.made.push_back(self.uncounted(from, until, reason, scene.desk));
        }
        let desk = &self.history.desk(scene.desk).timetable;
        if self.target.target.unit == Unit::ElapsedMinutes {
            return self.count(desk, from, until, Reason::Elapsed, scene.desk);
        }
        let day = desk.day(from);
        let end = desk.start_of(day + 1).min(until);
        if end < until {
            self.segment = Some(Segment { from: end, ..segment });
        }
        match self.target.target.unit {
            Unit::WorkingMinutes => self.working_time(desk, day, from, end, scene.desk),
            _ => self.day(desk, day, from, end, scene.desk),
        }
    }

    fn working_time(&mut self, desk: &Timetable, day: i32, from: Micros, until: Micros, index: u16) {
        let mut reached = from;
        for (start, end) in desk.stretches(from, until) {
            self.rest(desk, day, reached, start, index);
            self.count(desk, start, end, Reason::WorkingTime, index);
            reached = end;
        }
        self.rest(desk, day, reached, until, index);
    }

    /// Time of a day in which nobody works, some of it because of a holiday.
    fn rest(&mut self, desk: &Timetable, day: i32, from: Micros, until: Micros, index: u16) {
        let mut reached = from;
        for (start, end, holiday) in desk.days_off(day) {
            let (start, end) = (start.max(reached), end.min(until));
            if start < end {
                self.outside(reached, start, index);
                self.made.push_back(self.uncounted(start, end, Reason::Holiday(holiday.name.clone()), index));
                reached = end;
            }
        }
        self.outside(reached, until, index);
    }

    fn outside(&mut self, from: Micros, until: Micros, index: u16) {
        if from < until {
            self.made.push_back(self.uncounted(from, until, Reason::OutsideWorkingTime, index));
        }
    }

    /// A day, or a part of one.
    fn day(&mut self, desk: &Timetable, day: i32, from: Micros, until: Micros, index: u16) {
        let known = self.meter.last_day;
        let working_days = self.target.target.unit == Unit::WorkingDays;
        let (closing, holiday) = (desk.closing(day), desk.holiday_of(day));
        let reason = if day == self.start_day {
            Reason::DayOfStart
        } else if day <= known {
            Reason::DayCounted
        } else if working_days && closing.is_none() {
            holiday.map_or(Reason::OutsideWorkingTime, |holiday| Reason::Holiday(holiday.name.clone()))
        } else {
            Reason::DayNotEnded
        };
        self.count(desk, from, until, Reason::DayEnded, index);
        // What counted nothing says why.
        if let Some(last) = self.made.back_mut().filter(|last| last.counted.count() == 0) {
            last.reason = reason;
        }
    }

    fn count(&mut self, desk: &Timetable, from: Micros, until: Micros, reason: Reason, index: u16) {
        let counted = Amount::of(self.target.target.unit, self.meter.count(desk, from, until));
        self.made.push_back(Stretch { from, until, reason, counted, desk: index });
    }

    fn uncounted(&self, from: Micros, until: Micros, reason: Reason, desk: u16) -> Stretch {
        Stretch { from, until, reason, counted: Amount::of(self.target.target.unit, 0), desk }
    }
}
