//! What customers got: a row for each redress of each case.

use std::collections::BTreeMap;

use barometer_proto::complaints::v1::RedressFact;
use serde::{Deserialize, Serialize};

use super::{
    Unreadable,
    choice::{Choice, known},
    dictionary::Column,
    micros,
    rows::put,
};

/// The row of a case that there is none of.
pub(crate) const NO_CASE: u32 = u32::MAX;
/// What makes good, as the contract numbers it.
pub(crate) const REMEDIES: [&str; 6] = ["", "refund", "voucher", "discount", "apology", "replacement"];

/// All redresses. The outcome of a case is replaced as a whole, and its redresses with it: their rows are used again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Redresses {
    /// The row of the case; [`NO_CASE`] of a row that is free.
    pub(crate) cases: Vec<u32>,
    pub(crate) remedy: Choice,
    pub(crate) currency: Column,
    /// Micro-units (1e-6) of the currency; 0 for what is worth no money.
    pub(crate) micros: Vec<i64>,
    pub(crate) points: Vec<i64>,
    free: Vec<u32>,
    of_cases: BTreeMap<u32, Box<[u32]>>,
}

/// One redress, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redress {
    remedy: u8,
    currency: String,
    micros: i64,
    points: i64,
}

impl Redress {
    pub(super) fn read(fact: RedressFact) -> Result<Self, Unreadable> {
        let RedressFact { remedy, amount, points } = fact;
        let remedy = known(remedy, &REMEDIES, "redress.remedy")?;
        let (currency, micros) = match amount {
            Some(money) => (money.currency_code.clone(), micros(&money)?),
            None => (String::new(), 0),
        };
        Ok(Redress { remedy, currency, micros, points })
    }
}

impl Redresses {
    /// Sets all redresses of a case.
    pub(super) fn set(&mut self, case: u32, redresses: &[Redress]) {
        for row in self.of_cases.remove(&case).unwrap_or_default() {
            self.write(row, NO_CASE, &Redress { remedy: 0, currency: String::new(), micros: 0, points: 0 });
            self.free.push(row);
        }
        if redresses.is_empty() {
            return;
        }
        let rows = redresses.iter().map(|redress| {
            let next = u32::try_from(self.cases.len()).unwrap_or(NO_CASE);
            let row = self.free.pop().unwrap_or(next);
            self.write(row, case, redress);
            row
        });
        let rows = rows.collect();
        self.of_cases.insert(case, rows);
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.currency.restore();
    }

    fn write(&mut self, row: u32, case: u32, redress: &Redress) {
        let Redress { remedy, currency, micros, points } = redress;
        let row = row as usize;
        put(&mut self.cases, row, case);
        self.remedy.set(row, *remedy);
        self.currency.set(row, currency);
        put(&mut self.micros, row, *micros);
        put(&mut self.points, row, *points);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_replaces_the_one_before_and_leaves_no_trace() {
        let of = |points: &[i64]| -> Vec<_> {
            let redress = |points: &i64| Redress { remedy: 2, currency: "EUR".to_owned(), micros: 5, points: *points };
            points.iter().map(redress).collect()
        };
        let mut redresses = Redresses::default();
        redresses.set(0, &of(&[1, 2, 3]));
        redresses.set(1, &of(&[4]));
        redresses.set(0, &of(&[5]));
        redresses.set(2, &of(&[6, 7]));
        let held = |redresses: &Redresses| {
            let rows = redresses.cases.iter().zip(&redresses.points).filter(|(case, _)| **case != NO_CASE);
            let mut held: Vec<_> = rows.map(|(case, points)| (*case, *points)).collect();
            held.sort_unstable();
            (held, redresses.cases.len())
        };
        assert_eq!(held(&redresses), (vec![(0, 5), (1, 4), (2, 6), (2, 7)], 4));
        redresses.set(0, &[]);
        redresses.set(1, &[]);
        assert_eq!(held(&redresses), (vec![(2, 6), (2, 7)], 4));
        assert_eq!(redresses.micros.iter().sum::<i64>(), 10);
    }
}
