//! The ledger: for every write what may have become of it, by what callers were answered.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use barometer_chassis::position::Position;

use crate::kinds::Row;

/// What may have become of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// It is not there.
    Absent,
    /// It is there as it was after so many amendments.
    Turn(u32),
    /// It was withdrawn.
    Withdrawn,
}

/// One fact, as the ledger knows it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) row: Row,
    /// One of these.
    pub(crate) possible: BTreeSet<Fate>,
    /// Changes that were acknowledged after it was recorded, and those that may have happened besides.
    pub(crate) changes: (i64, i64),
}

/// What was done, for the report and for repeating it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    Record,
    Amend,
    Withdraw,
    Import,
}

/// An acknowledged request that can be repeated.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    pub(crate) kind: usize,
    pub(crate) act: Act,
    pub(crate) row: Row,
    pub(crate) request_id: String,
    pub(crate) id: String,
    pub(crate) position: String,
}

/// What became of the writes of a kind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    pub(crate) unknown: u64,
    /// Attempts that were made again.
    pub(crate) retried: u64,
}

/// All that callers were told.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
pub(crate) struct Inner {
    pub(crate) entries: HashMap<(usize, u64), Entry>,
    pub(crate) tallies: BTreeMap<(usize, Act), Tally>,
    pub(crate) receipts: Vec<Receipt>,
    receipts_seen: usize,
    /// The last position acknowledged by each service.
    pub(crate) last: BTreeMap<String, (i64, String)>,
    /// Positions acknowledged on the way, a part of them.
    pub(crate) positions: Vec<String>,
    /// When each service acknowledged writes, to a tenth of a second.
    pub(crate) acknowledged: BTreeMap<String, Vec<Instant>>,
    /// Figures that were asked for right after a write, and did include it.
    pub(crate) read_back: u64,
    /// What callers were answered when something failed, and how often.
    pub(crate) failures: BTreeMap<String, u64>,
    /// What must not be.
    pub(crate) violations: Vec<String>,
}

/// Receipts and positions that are kept.
const KEPT: usize = 2_000;

impl Ledger {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a row is about to be sent for the first time.
    pub(crate) fn intend(&self, kind: usize, row: Row) {
        let entry = Entry { row, possible: BTreeSet::from([Fate::Absent]), changes: (0, 0) };
        if self.lock().entries.insert((kind, row.number), entry).is_some() {
            self.violate(format!("the program itself used the number {} twice", row.number));
        }
    }

    pub(crate) fn acknowledged(&self, kind: usize, act: Act, row: Row, service: &str, position: &str) {
        let mut inner = self.lock();
        inner.tallies.entry((kind, act)).or_default().acknowledged += 1;
        let changed = i64::from(matches!(act, Act::Amend | Act::Withdraw));
        if let Some(entry) = inner.entries.get_mut(&(kind, row.number)) {
            entry.possible = BTreeSet::from([fate_of(act, row)]);
            entry.changes = (entry.changes.0 + changed, entry.changes.1 + changed);
        }
        inner.reached(service, position);
    }

    pub(crate) fn unknown(&self, kind: usize, act: Act, row: Row) {
        let mut inner = self.lock();
        inner.tallies.entry((kind, act)).or_default().unknown += 1;
        let changed = i64::from(matches!(act, Act::Amend | Act::Withdraw));
        if let Some(entry) = inner.entries.get_mut(&(kind, row.number)) {
            entry.possible.insert(fate_of(act, row));
            entry.changes.1 += changed;
        }
    }

    pub(crate) fn refused(&self, kind: usize, act: Act) {
        self.lock().tallies.entry((kind, act)).or_default().refused += 1;
    }

    pub(crate) fn retried(&self, kind: usize, act: Act) {
        self.lock().tallies.entry((kind, act)).or_default().retried += 1;
    }

    pub(crate) fn failed(&self, what: String) {
        *self.lock().failures.entry(what).or_default() += 1;
    }

    pub(crate) fn read_back(&self) {
        self.lock().read_back += 1;
    }

    /// Keeps a receipt: all of them at first, later each with less and less chance.
    pub(crate) fn keep(&self, receipt: Receipt) {
        let mut inner = self.lock();
        inner.receipts_seen += 1;
        if inner.receipts.len() < KEPT {
            inner.receipts.push(receipt);
        } else {
            let place = fastrand::usize(..inner.receipts_seen);
            if let Some(slot) = inner.receipts.get_mut(place) {
                *slot = receipt;
            }
        }
    }

    pub(crate) fn violate(&self, what: String) {
        let mut inner = self.lock();
        if inner.violations.len() < 100 {
            inner.violations.push(what);
        }
    }

    /// The longest time in which nothing was acknowledged, by service.
    pub(crate) fn longest_silence(&self) -> BTreeMap<String, Duration> {
        let longest = |times: &Vec<Instant>| {
            times.windows(2).map(|pair| pair[1].duration_since(pair[0])).max().unwrap_or_default()
        };
        self.lock().acknowledged.iter().map(|(service, times)| (service.clone(), longest(times))).collect()
    }
}

impl Inner {
    /// Notes a position that a service answered.
    fn reached(&mut self, service: &str, token: &str) {
        let now = Instant::now();
        let times = self.acknowledged.entry(service.to_owned()).or_default();
        if times.last().is_none_or(|last| now.duration_since(*last) >= Duration::from_millis(100)) {
            times.push(now);
            self.positions.push(token.to_owned());
        }
        match Position::decode(token) {
            Some((named, position)) if named == service => {
                let last = self.last.entry(named).or_default();
                if position.n >= last.0 {
                    *last = (position.n, token.to_owned());
                }
            }
            _ => self.violations.push(format!("{service} answered {token:?}, which is no position of its own")),
        }
    }
}

fn fate_of(act: Act, row: Row) -> Fate {
    match act {
        Act::Withdraw => Fate::Withdrawn,
        Act::Record | Act::Amend | Act::Import => Fate::Turn(row.turn),
    }
}
