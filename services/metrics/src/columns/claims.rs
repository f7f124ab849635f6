//! Spells of work on cases.

use barometer_proto::complaints::v1::ClaimFact;
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable,
    dictionary::Column,
    optional_instant,
    redresses::NO_CASE,
    rows::{Rows, put},
    times::{NEVER, Times},
};

/// All spells that have ended.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(super) rows: Rows,
    /// When each ended; [`NEVER`] while it goes on.
    pub(crate) times: Times,
    /// The row of the case.
    pub(crate) cases: Vec<u32>,
    /// How long it was, in microseconds.
    pub(crate) handling: Vec<i64>,
    pub(crate) employee: Column,
    pub(crate) team: Column,
}

impl Claims {
    /// Puts in a claim of the case in a row, or its later version.
    pub(crate) fn put(&mut self, stamp: Stamp, case: u32, fact: ClaimFact) -> Result<(), Unreadable> {
        let ClaimFact { case_id: _, case_number: _, employee, team, start_time: _, end_time, end: _, handling_micros } =
            fact;
        let ended = optional_instant(end_time)?.zip(handling_micros);
        let (ended, handling) = ended.unwrap_or((NEVER, 0));
        if let Some(row) = self.rows.claim(stamp) {
            self.times.put(row, ended, stamp.written);
            put(&mut self.cases, row, case);
            put(&mut self.handling, row, handling);
            self.employee.set(row, &employee);
            self.team.set(row, &team);
        }
        Ok(())
    }

    /// Takes a claim out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            self.times.put(row, NEVER, stamp.written);
            put(&mut self.cases, row, NO_CASE);
            put(&mut self.handling, row, 0);
            self.employee.set(row, "");
            self.team.set(row, "");
        }
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.times.restore();
        self.employee.restore();
        self.team.restore();
    }
}
