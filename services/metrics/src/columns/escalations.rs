//! Steps of ladders that were taken.

use barometer_proto::complaints::v1::EscalationFact;
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable,
    choice::{Choice, known},
    clocks::CLOCKS,
    dictionary::Column,
    instant,
    promises::NO_PROMISE,
    redresses::NO_CASE,
    rows::{Rows, put},
    times::{NEVER, Times},
};

/// Whose ladders there are: those of clocks, as [`CLOCKS`], and of promises.
pub(crate) const CLIMBERS: [&str; CLOCKS.len() + 1] = {
    let mut all = ["promise"; CLOCKS.len() + 1];
    let mut at = 0;
    while at < CLOCKS.len() {
        all[at] = CLOCKS[at];
        at += 1;
    }
    all
};
const PROMISE: u8 = 8;
const _: () = assert!(CLOCKS.len() == 8, "what clocks wait for comes first");

/// Whether a step was taken later than it was to be.
const LATE: u8 = 1;

/// All steps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Escalations {
    pub(crate) rows: Rows,
    /// When each was taken.
    pub(crate) times: Times,
    /// The row of the case.
    pub(crate) cases: Vec<u32>,
    /// The row of the promise.
    pub(crate) promises: Vec<u32>,
    late: Choice,
    /// Whose ladder it is, as in [`CLIMBERS`].
    pub(crate) clock: Choice,
    pub(crate) policy: Column,
}

impl Escalations {
    /// Puts in a step of the case or the promise in a row. It never changes.
    pub(crate) fn put(
        &mut self,
        stamp: Stamp,
        case: u32,
        promise: u32,
        fact: EscalationFact,
    ) -> Result<(), Unreadable> {
        let EscalationFact {
            case_id: _,
            case_number: _,
            kind,
            instance: _,
            step: _,
            repetition: _,
            missed: _,
            time: _,
            fire_time,
            late,
            policy_name,
            policy_set_version: _,
            priority: _,
            previous_priority: _,
            employee: _,
            team: _,
            notified: _,
            promise_id: _,
            promise_number: _,
        } = fact;
        let clock = known(kind, &CLOCKS, "kind")?;
        let clock = if promise == NO_PROMISE { clock } else { PROMISE };
        let taken = instant(fire_time)?;
        if let Some(row) = self.rows.claim(stamp) {
            self.times.put(row, taken, stamp.written);
            put(&mut self.cases, row, case);
            put(&mut self.promises, row, promise);
            self.late.set(row, u8::from(late));
            self.clock.set(row, clock);
            self.policy.set(row, &policy_name);
        }
        Ok(())
    }

    /// Takes a step out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            self.times.put(row, NEVER, stamp.written);
            put(&mut self.cases, row, NO_CASE);
            put(&mut self.promises, row, NO_PROMISE);
            self.late.set(row, 0);
            self.clock.set(row, 0);
            self.policy.set(row, "");
        }
    }

    /// Whether a step was taken more than 5 seconds after it was to be.
    pub(crate) fn was_late(&self, row: u32) -> bool {
        self.late.get(row as usize) == LATE
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.times.restore();
        self.policy.restore();
    }
}
