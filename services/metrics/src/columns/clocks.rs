//! Clocks of cases: how long something took, and whether in time.

use barometer_proto::complaints::v1::CaseClockFact;
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable,
    choice::{Choice, known},
    dictionary::Column,
    instant, optional_instant,
    redresses::NO_CASE,
    rows::{Rows, put},
    times::{NEVER, Times},
};
use crate::rules::on_time::{self, Outcome};

/// What clocks wait for, as the contract numbers it.
pub(crate) const CLOCKS: [&str; 8] = [
    "",
    "acknowledgement",
    "first_response",
    "next_response",
    "periodic_update",
    "resolution",
    "total_resolution",
    "final_response",
];
const STATES: [&str; 6] = ["", "running", "paused", "met", "breached", "cancelled"];
const MET: u8 = 3;
const BREACHED: u8 = 4;
const CANCELLED: u8 = 5;

/// What a clock counted until it stopped, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counted {
    /// In the working time of its calendar.
    pub(crate) working: i64,
    /// Round the clock.
    pub(crate) elapsed: i64,
}

/// What stands for it while a clock has not stopped.
const UNCOUNTED: Counted = Counted { working: NEVER, elapsed: NEVER };

/// All clocks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Clocks {
    pub(crate) rows: Rows,
    /// When each began to run.
    pub(crate) times: Times,
    /// The row of the case.
    pub(crate) cases: Vec<u32>,
    /// When it is or was due; [`NEVER`] when that is not known.
    due: Vec<i64>,
    /// When it stopped; [`NEVER`] while it did not.
    stops: Vec<i64>,
    counted: Vec<Counted>,
    state: Choice,
    pub(crate) kind: Choice,
    pub(crate) policy: Column,
}

impl Clocks {
    /// Puts in a clock of the case in a row, or its later version.
    pub(crate) fn put(&mut self, stamp: Stamp, case: u32, fact: CaseClockFact) -> Result<(), Unreadable> {
        let CaseClockFact {
            case_id: _,
            case_number: _,
            kind,
            instance: _,
            state,
            start_time,
            due_time,
            stop_time,
            target: _,
            held: _,
            allowed: _,
            used: _,
            working_micros,
            elapsed_micros,
            policy_name,
            policy_set_version: _,
            calendar_id: _,
            calendar_version: _,
        } = fact;
        let kind = known(kind, &CLOCKS, "kind")?;
        let state = known(state, &STATES, "state")?;
        let began = instant(start_time)?;
        let due = optional_instant(due_time)?.unwrap_or(NEVER);
        let stop = optional_instant(stop_time)?.unwrap_or(NEVER);
        let counted = working_micros.zip(elapsed_micros).map(|(working, elapsed)| Counted { working, elapsed });
        if let Some(row) = self.rows.claim(stamp) {
            self.times.put(row, began, stamp.written);
            put(&mut self.cases, row, case);
            put(&mut self.due, row, due);
            put(&mut self.stops, row, stop);
            put(&mut self.counted, row, counted.unwrap_or(UNCOUNTED));
            self.state.set(row, state);
            self.kind.set(row, kind);
            self.policy.set(row, &policy_name);
        }
        Ok(())
    }

    /// Takes a clock out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            self.times.put(row, NEVER, stamp.written);
            put(&mut self.cases, row, NO_CASE);
            put(&mut self.due, row, NEVER);
            put(&mut self.stops, row, NEVER);
            put(&mut self.counted, row, UNCOUNTED);
            self.state.set(row, 0);
            self.kind.set(row, 0);
            self.policy.set(row, "");
        }
    }

    /// How a clock came out, as far as can be said by now; nothing of one that was cancelled.
    pub(crate) fn outcome(&self, row: u32, now: i64) -> Option<Outcome> {
        let row = row as usize;
        match self.state.get(row) {
            MET => Some(Outcome::OnTime),
            BREACHED => Some(Outcome::Late),
            CANCELLED => None,
            _ if self.due[row] == NEVER => Some(Outcome::Waiting),
            _ => Some(on_time::outcome(self.due[row], None, 0, now)),
        }
    }

    /// What a clock counted until it stopped, if it did.
    pub(crate) fn counted(&self, row: u32) -> Option<Counted> {
        Some(self.counted[row as usize]).filter(|counted| *counted != UNCOUNTED)
    }

    /// Whether a clock stopped because its case was cancelled at an instant, and not because what it waits for happened. One
    /// that was past due by then is breached all the same.
    pub(crate) fn was_cancelled(&self, row: u32, cancelled: Option<i64>) -> bool {
        let row = row as usize;
        self.state.get(row) == CANCELLED || cancelled.is_some_and(|at| self.stops[row] == at)
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.times.restore();
        self.policy.restore();
    }
}
