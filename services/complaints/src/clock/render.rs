//! Clocks for the wire.

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1 as wire;

use super::{Clock, History, Reason, State, Stretch, Wait};

impl History<'_> {
    /// One of the clocks of this history, explained by these of its stretches, which may be none.
    pub fn to_wire(&self, clock: &Clock, stretches: impl IntoIterator<Item = Stretch>) -> wire::Clock {
        let Clock { kind, instance, state, start, stop, due, target, allowed, used, held, terms, desk, run: _ } =
            *clock;
        let (policy, calendar) = (&self.terms(terms).policy, self.desk(desk).calendar);
        wire::Clock {
            kind: kind.to_wire().into(),
            instance: i32::try_from(instance).unwrap_or(i32::MAX),
            state: state.to_wire().into(),
            start_time: Some(start.to_wire()),
            stop_time: stop.map(Micros::to_wire),
            due_time: due.map(Micros::to_wire),
            target: Some(target.to_wire()),
            allowed: Some(allowed.to_wire()),
            used: Some(used.to_wire()),
            remaining: Some(clock.remaining().to_wire()),
            held,
            policy_name: policy.name.clone(),
            policy_set_version: policy.set_version,
            calendar_id: calendar.id.to_string(),
            calendar_version: calendar.version,
            stretches: stretches.into_iter().map(|stretch| self.stretch_to_wire(stretch)).collect(),
        }
    }

    fn stretch_to_wire(&self, stretch: Stretch) -> wire::ClockStretch {
        let Stretch { from, until, reason, counted, desk } = stretch;
        let calendar = self.desk(desk).calendar;
        let (reason, holiday) = reason.into_wire();
        wire::ClockStretch {
            start_time: Some(from.to_wire()),
            end_time: Some(until.to_wire()),
            reason: reason.into(),
            counted: Some(counted.to_wire()),
            holiday,
            calendar_id: calendar.id.to_string(),
            calendar_version: calendar.version,
        }
    }
}

impl State {
    /// To the wire.
    pub fn to_wire(self) -> wire::clock::State {
        match self {
            State::Running => wire::clock::State::Running,
            State::Paused => wire::clock::State::Paused,
            State::Met => wire::clock::State::Met,
            State::Breached => wire::clock::State::Breached,
            State::Cancelled => wire::clock::State::Cancelled,
        }
    }
}

impl Reason {
    /// To the wire, with the name of a holiday.
    fn into_wire(self) -> (wire::clock_stretch::Reason, String) {
        use wire::clock_stretch::Reason as Wire;
        let reason = match self {
            Reason::Holiday(name) => return (Wire::Holiday, name),
            Reason::Elapsed => Wire::Elapsed,
            Reason::WorkingTime => Wire::WorkingTime,
            Reason::DayEnded => Wire::DayEnded,
            Reason::OutsideWorkingTime => Wire::OutsideWorkingTime,
            Reason::Waiting(Wait::Customer) => Wire::WaitingForCustomer,
            Reason::Waiting(Wait::ThirdParty) => Wire::WaitingForThirdParty,
            Reason::Resolved => Wire::Resolved,
            Reason::Cancelled => Wire::Cancelled,
            Reason::DayOfStart => Wire::DayOfStart,
            Reason::DayCounted => Wire::DayCounted,
            Reason::DayNotEnded => Wire::DayNotEnded,
        };
        (reason, String::new())
    }
}
