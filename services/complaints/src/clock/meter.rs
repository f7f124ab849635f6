//! What a clock counts, and when it reaches its target.

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1 as wire;
use jiff::ToSpan;

use super::{ClockTarget, Target, Unit};
use crate::calendar::{Timetable, date_of, day_of};

const MINUTE: i64 = 60 * Micros::SECOND;

/// What was counted, or may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Amount {
    /// Time, in microseconds.
    Time(i64),
    /// Whole days.
    Days(i64),
}

impl Amount {
    /// So much of a unit: microseconds or days.
    pub fn of(unit: Unit, count: i64) -> Amount {
        if unit.is_time() { Amount::Time(count) } else { Amount::Days(count) }
    }

    /// Microseconds or days.
    pub fn count(self) -> i64 {
        match self {
            Amount::Time(count) | Amount::Days(count) => count,
        }
    }

    /// To the wire.
    pub fn to_wire(self) -> wire::ClockAmount {
        let amount = match self {
            Amount::Days(days) => wire::clock_amount::Amount::Days(days),
            Amount::Time(micros) => wire::clock_amount::Amount::Time(prost_types::Duration {
                seconds: micros / Micros::SECOND,
                nanos: i32::try_from(micros % Micros::SECOND * 1_000).unwrap_or_default(),
            }),
        };
        wire::ClockAmount { amount: Some(amount) }
    }
}

/// Counts for one clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meter {
    unit: Unit,
    /// The last day that is not to be counted again.
    pub(super) last_day: i32,
    /// What may be used, in microseconds or days.
    pub(super) allowed: i64,
    /// What it is after a holding response.
    holding: Option<i64>,
    /// What was used.
    pub(super) used: i64,
    /// When the target was reached.
    pub(super) reached: Option<Micros>,
    /// Whether a holding response was sent in time.
    pub(super) held: bool,
}

impl Meter {
    /// Of a clock that starts then, by a calendar.
    pub(super) fn new(target: &ClockTarget, desk: &Timetable, start: Micros) -> Meter {
        let unit = target.target.unit;
        let start_day = if unit.is_time() { 0 } else { desk.day(start) };
        Meter {
            unit,
            last_day: start_day,
            allowed: allowed(target.target, start_day),
            holding: target.holding.map(|holding| allowed(holding, start_day)),
            used: 0,
            reached: None,
            held: false,
        }
    }

    /// Counts a stretch in which the clock ran; answers what that was.
    pub(super) fn count(&mut self, desk: &Timetable, from: Micros, until: Micros) -> i64 {
        if from >= until {
            return 0;
        }
        let (count, last_day) = match self.unit {
            Unit::ElapsedMinutes => (until.0 - from.0, None),
            Unit::WorkingMinutes => (desk.worked(from, until), None),
            Unit::WorkingDays => desk.working_days(from, until, self.last_day),
            Unit::CalendarDays | Unit::Weeks | Unit::Months => {
                // A day ends when the next begins.
                let (first, end) = (desk.day(from).max(self.last_day + 1), desk.day(until));
                (i64::from((end - first).max(0)), (end > first).then_some(end - 1))
            }
        };
        if count > 0 && self.reached.is_none() && self.used + count >= self.allowed {
            self.reached = self.due(desk, from);
        }
        self.used += count;
        self.last_day = last_day.unwrap_or(self.last_day);
        count
    }

    /// When the target is reached if the clock runs from an instant on, up to which everything is counted. None when the
    /// calendar ends before.
    pub(super) fn due(&self, desk: &Timetable, from: Micros) -> Option<Micros> {
        let left = self.allowed - self.used;
        let due = match self.unit {
            Unit::ElapsedMinutes => Some(Micros(from.0.saturating_add(left))),
            Unit::WorkingMinutes => desk.after_worked(from, left),
            Unit::WorkingDays => desk.after_working_days(from, self.last_day, left),
            Unit::CalendarDays | Unit::Weeks | Unit::Months => {
                let first = desk.day(from).max(self.last_day + 1);
                Some(desk.start_of(first.saturating_add(i32::try_from(left).unwrap_or(i32::MAX))))
            }
        };
        due.filter(|due| *due <= desk.ends())
    }

    /// A holding response at an instant, up to which everything is counted: it counts unless the target was missed.
    pub(super) fn hold(&mut self, at: Micros) {
        let Some(holding) = self.holding.filter(|_| self.reached.is_none_or(|due| at <= due)) else { return };
        self.held = true;
        self.allowed = holding;
        self.reached = self.reached.filter(|_| self.used >= holding);
    }
}

/// A target in microseconds, or in days from the one on which the clock starts.
fn allowed(target: Target, start_day: i32) -> i64 {
    let amount = i64::from(target.amount);
    match target.unit {
        Unit::ElapsedMinutes | Unit::WorkingMinutes => amount * MINUTE,
        Unit::WorkingDays | Unit::CalendarDays => amount,
        Unit::Weeks => 7 * amount,
        Unit::Months => {
            // Clamped to the end of a shorter month. Dates end long after targets do.
            let start = date_of(start_day);
            i64::from(day_of(start.saturating_add(amount.months())) - start_day)
        }
    }
}
