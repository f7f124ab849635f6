//! Promises to customers: kept or broken.

use barometer_proto::complaints::v1::PromiseFact;
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable,
    choice::{Choice, known},
    customer,
    dictionary::Column,
    instant,
    people::{Ids, NOBODY},
    rows::{Rows, put},
    times::{NEVER, Times},
};
use crate::rules::on_time::{self, Outcome};

const STATES: [&str; 5] = ["", "open", "kept", "broken", "withdrawn"];
const KEPT: u8 = 2;
const BROKEN: u8 = 3;
const WITHDRAWN: u8 = 4;

/// The row of no promise.
pub(crate) const NO_PROMISE: u32 = u32::MAX;

/// All promises.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Promises {
    pub(crate) rows: Rows,
    /// By when each is to be kept.
    pub(crate) times: Times,
    pub(crate) customers: Vec<u32>,
    state: Choice,
    kept_late: Choice,
    pub(crate) employee: Column,
    pub(crate) team: Column,
}

impl Promises {
    /// Puts in a promise, or its later version.
    pub(crate) fn put(&mut self, stamp: Stamp, fact: PromiseFact, people: &mut Ids) -> Result<(), Unreadable> {
        let PromiseFact {
            case_id: _,
            customer_id,
            state,
            employee,
            team,
            make_time: _,
            due_time,
            original_due_time: _,
            moves: _,
            due_soon_time: _,
            keep_time,
            break_time: _,
        } = fact;
        let customer = if customer_id.is_empty() { NOBODY } else { customer(people, &customer_id)? };
        let state = known(state, &STATES, "state")?;
        let due = instant(due_time)?;
        if state == WITHDRAWN {
            self.withdraw(stamp);
            return Ok(());
        }
        if let Some(row) = self.rows.claim(stamp) {
            self.times.put(row, due, stamp.written);
            put(&mut self.customers, row, customer);
            self.state.set(row, state);
            self.kept_late.set(row, u8::from(state == BROKEN && keep_time.is_some()));
            self.employee.set(row, &employee);
            self.team.set(row, &team);
        }
        Ok(())
    }

    /// Takes a promise out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            self.clear(row, stamp.written);
        }
    }

    /// The row of a promise by its number. What belongs to it may come first: until then it is one that is not there.
    pub(crate) fn row_of(&mut self, number: i64) -> Result<u32, Unreadable> {
        if let Some(row) = self.rows.claim(Stamp::awaited(number)) {
            self.clear(row, None);
        }
        self.rows.find(number).ok_or(Unreadable("promise_number"))
    }

    /// Whether there is a promise in that row: it came, and was not withdrawn.
    pub(crate) fn is_there(&self, row: u32) -> bool {
        self.times.at(row as usize) != NEVER
    }

    fn clear(&mut self, row: usize, written: Option<i64>) {
        self.times.put(row, NEVER, written);
        put(&mut self.customers, row, NOBODY);
        self.state.set(row, 0);
        self.kept_late.set(row, 0);
        self.employee.set(row, "");
        self.team.set(row, "");
    }

    /// How a promise came out, as far as can be said by now.
    pub(crate) fn outcome(&self, row: u32, now: i64) -> Outcome {
        match self.state.get(row as usize) {
            KEPT => Outcome::OnTime,
            BROKEN => Outcome::Late,
            _ => on_time::outcome(self.times.at(row as usize), None, 0, now),
        }
    }

    /// Whether a promise was kept after it was broken.
    pub(crate) fn was_kept_late(&self, row: u32) -> bool {
        self.kept_late.get(row as usize) != 0
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.times.restore();
        self.employee.restore();
        self.team.restore();
    }
}
