//! Customers themselves.

use barometer_proto::customers::v1::CustomerFact;
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable,
    declared::Declared,
    optional_instant,
    people::Ids,
    revisions::Revisions,
    rows::{NO_ROW, Rows, put},
    times::NEVER,
};

/// All customers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Customers {
    pub(super) rows: Rows,
    known: Vec<Option<Known>>,
    /// The row of each customer, by its number among people.
    #[serde(skip)]
    rows_of: Vec<u32>,
    /// By since when they are customers, or else when the suite learned of them.
    pub(crate) revisions: Revisions,
    pub(crate) declared: Declared,
}

/// What is known of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// Number of the customer among people.
    pub(crate) person: u32,
    /// Since when it is one, if somebody said so.
    pub(crate) since: Option<i64>,
    /// When the suite learned of it.
    pub(crate) created: Option<i64>,
}

impl Customers {
    /// Puts in a customer, or its later version.
    pub(crate) fn put(&mut self, stamp: Stamp, fact: CustomerFact, people: &mut Ids) -> Result<(), Unreadable> {
        let CustomerFact { since, create_time, dimensions } = fact;
        let person = people.number(stamp.id);
        let known = Known { person, since: optional_instant(since)?, created: optional_instant(create_time)? };
        if let Some(row) = self.rows.claim(stamp) {
            self.set(row, Some(known), stamp.written);
            self.place(row, person);
            self.declared.set(row, &dimensions);
        }
        Ok(())
    }

    /// Takes a customer out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            self.set(row, None, stamp.written);
            self.declared.set(row, &Default::default());
        }
    }

    fn set(&mut self, row: usize, known: Option<Known>, written: Option<i64>) {
        let at = |known: Option<Known>| known.and_then(|known| known.since.or(known.created)).unwrap_or(NEVER);
        let before = put(&mut self.known, row, known).flatten();
        self.revisions.note(at(before), at(known), written);
    }

    /// Takes note of the row of a customer, which it keeps for ever.
    fn place(&mut self, row: usize, person: u32) {
        let person = person as usize;
        if person >= self.rows_of.len() {
            self.rows_of.resize(person + 1, NO_ROW);
        }
        self.rows_of[person] = u32::try_from(row).unwrap_or(NO_ROW);
    }

    /// A customer by its number among people, with its row.
    pub(crate) fn find(&self, person: u32) -> Option<(u32, Known)> {
        let row = *self.rows_of.get(person as usize)?;
        Some((row, (*self.known.get(row as usize)?)?))
    }

    /// The customers with their rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, Known)> {
        (0..).zip(&self.known).filter_map(|(row, known)| Some((row, (*known)?)))
    }

    /// The customer of each row as the number among people; of a row withdrawn, nobody.
    pub(crate) fn people(&self) -> Vec<u32> {
        self.known.iter().map(|known| known.map_or(super::people::NOBODY, |known| known.person)).collect()
    }

    /// How many there are, without those withdrawn.
    pub(crate) fn live(&self) -> usize {
        self.known.iter().flatten().count()
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.declared.restore();
        let people: Vec<_> = self.iter().map(|(row, known)| (row as usize, known.person)).collect();
        people.into_iter().for_each(|(row, person)| self.place(row, person));
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn stamp(id: u128, version: i64) -> Stamp {
        let number = i64::try_from(id).expect("small");
        Stamp { id: Uuid::from_u128(id), number, version, written: None }
    }

    #[test]
    fn a_customer_is_found_as_long_as_it_is_one() {
        let (mut customers, mut people) = (Customers::default(), Ids::default());
        // Known by an answer only.
        people.number(Uuid::from_u128(7));
        for id in [8, 9] {
            customers.put(stamp(id, 1), CustomerFact::default(), &mut people).expect("a customer");
        }
        let rows = |customers: &Customers| [0, 1, 2, 3].map(|person| Some(customers.find(person)?.0));
        assert_eq!(rows(&customers), [None, Some(0), Some(1), None]);
        customers.withdraw(stamp(8, 2));
        assert_eq!(rows(&customers), [None, None, Some(1), None]);
        customers.restore();
        assert_eq!(rows(&customers), [None, None, Some(1), None]);
        customers.put(stamp(8, 3), CustomerFact::default(), &mut people).expect("a customer");
        assert_eq!(rows(&customers), [None, Some(0), Some(1), None]);
        assert_eq!(customers.find(1).map(|(_, known)| known.person), Some(1));
    }
}
