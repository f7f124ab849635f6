//! What is kept of a clock: what stays true of it until something else happens to its case.

use barometer_chassis::clock::Micros;

use super::{Amount, Clock, Dated, History, Kind, State, Target};

/// A clock as everything that is known of its case leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it waits for.
    pub kind: Kind,
    /// The how-manieth of its kind in this case, from 1.
    pub instance: u32,
    /// How it is: [`State::Running`] or [`State::Paused`] until it stops, past due or not.
    pub state: State,
    /// Since when it runs.
    pub start: Micros,
    /// When it is or was due; nothing while it stands before that, and when that lies beyond its calendar.
    pub due: Option<Micros>,
    /// When it stopped.
    pub stop: Option<Micros>,
    /// The target in force.
    pub target: Target,
    /// Whether that is the one after a holding response.
    pub held: bool,
    /// What the target comes to.
    pub allowed: Amount,
    /// What was counted; nothing while it runs.
    pub used: Option<Amount>,
    /// Over what it ran; nothing until it stops.
    pub ran: Option<Ran>,
    /// Index of the terms in force.
    pub terms: u16,
    /// Index of the calendar in force.
    pub desk: u16,
}

/// Over what a clock ran, whatever it counts, in microseconds: without the time for which it stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// In working time, by the calendar then in force.
    pub working: i64,
    /// Round the clock.
    pub elapsed: i64,
}

impl Kept {
    /// How it is at an instant until which nothing else happens.
    pub fn state_at(&self, at: Micros) -> State {
        match self.due {
            Some(due) if self.stop.is_none() && at > due => State::Breached,
            _ => self.state,
        }
    }
}

impl History<'_> {
    /// What is kept of the clocks of this history, by kind and instance: as all of it leaves them, what is dated ahead of
    /// `now` included.
    pub fn kept(&self, now: Micros) -> Vec<Kept> {
        let last = self.events().last().map_or(now, |Dated { at, .. }| *at);
        self.clocks(now.max(last)).iter().map(|clock| self.keep(clock)).collect()
    }

    fn keep(&self, clock: &Clock) -> Kept {
        let Clock { kind, instance, state, start, stop, due, target, allowed, used, held, terms, desk, run } = *clock;
        let of = self.terms(terms).target(kind);
        let (mut ran, mut stands) = (Ran::default(), false);
        for segment in self.segments(run) {
            stands = of.is_some_and(|target| segment.scene.standing(target).is_some());
            if !stands && segment.from < segment.until {
                let timetable = &self.desk(segment.scene.desk).timetable;
                ran.working += timetable.worked(segment.from, segment.until);
                ran.elapsed += segment.until.0 - segment.from.0;
            }
        }
        let state = match stop {
            Some(_) => state,
            None if stands => State::Paused,
            None => State::Running,
        };
        let used = (stop.is_some() || stands).then_some(used);
        let ran = stop.map(|_| ran);
        Kept { kind, instance, state, start, due, stop, target, held, allowed, used, ran, terms, desk }
    }
}
