//! Facts of which figures need no more yet than whose they are and when they happened: interactions and events of
//! subscriptions.

use serde::{Deserialize, Serialize};

use super::{
    Stamp,
    people::NOBODY,
    rows::{Rows, put},
    times::{NEVER, Times},
};

/// All facts of such a kind.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Events {
    rows: Rows,
    pub(crate) times: Times,
    pub(crate) customers: Vec<u32>,
}

impl Events {
    /// Puts in an event, or its later version.
    pub(crate) fn put(&mut self, stamp: Stamp, customer: u32, at: i64) {
        if let Some(row) = self.rows.claim(stamp.number, stamp.version) {
            self.times.put(row, at);
            put(&mut self.customers, row, customer);
        }
    }

    /// Takes an event out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        self.put(stamp, NOBODY, NEVER);
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.times.restore();
    }
}
