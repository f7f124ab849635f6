//! When the clocks of a case would be due, if it were opened and nothing else happened.

use barometer_chassis::{clock::Micros, error::Error};

use crate::clock::{ClockTarget, Dated, Desk, Event, History, Kind, PolicyVersion, Terms};

/// When a clock would be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which clock.
    pub kind: Kind,
    /// When; nothing of a clock that opening a case does not start.
    pub due: Option<Micros>,
    /// When, had a holding response been sent in time.
    pub holding_due: Option<Micros>,
}

/// When each clock with a target would be due of a case opened at an instant, in the order of the targets.
pub fn due_times(targets: &[ClockTarget], desk: Desk, open_time: Micros) -> Result<Vec<Due>, Error> {
    let (opened, desks) = ([Dated { at: open_time, event: Event::Opened }], [desk]);
    let clocks = |targets: &[ClockTarget]| {
        let terms = [Terms::new(PolicyVersion::default(), targets.iter().copied())];
        Ok::<_, Error>(History::new(&opened, &terms, &desks)?.clocks(open_time))
    };
    // A holding response counts from the same start.
    let held = |target: &ClockTarget| Some(ClockTarget { target: target.holding?, holding: None, ..*target });
    let held: Vec<ClockTarget> = targets.iter().filter_map(held).collect();
    let (clocks, held) = (clocks(targets)?, clocks(&held)?);
    let of = |target: &ClockTarget| {
        let due = |clocks: &[crate::clock::Clock]| clocks.iter().find(|clock| clock.kind == target.kind)?.due;
        Due { kind: target.kind, due: due(&clocks), holding_due: due(&held) }
    };
    Ok(targets.iter().map(of).collect())
}
