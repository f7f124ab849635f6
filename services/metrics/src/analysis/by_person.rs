//! Things of customers, side by side: each customer's in their order.

use std::ops::Range;

use crate::{
    columns::{
        Facts,
        memberships::event,
        people::NOBODY,
        times::{NEVER, Times},
    },
    query::{contracts::each_life, rates::DISSATISFIED},
    rules::money::is_sale,
};

/// What a customer does in the programme that makes it active.
const ACTIVE: [u8; 3] = [event::EARN, event::REDEEM, event::REDEEM_VOUCHER];

/// Customers of a bucket: so many that what they did stays in the processor's cache, as a power of two.
const NEIGHBOURS: u32 = 12;

/// Things by customer.
#[derive(Debug)]
pub(crate) struct ByPerson<T> {
    /// Where those of each customer start, and where those of the last end.
    starts: Vec<usize>,
    things: Vec<T>,
}

impl<T: Copy + Default + Ord> ByPerson<T> {
    /// Of so many customers. `each` gives all things with the customers whose they are, the same each time that it is
    /// asked; those of nobody are left out.
    pub(crate) fn new<I: Iterator<Item = (u32, T)>>(people: usize, each: impl Fn() -> I) -> Self {
        let of_somebody = || each().filter(|(person, _)| (*person as usize) < people);
        // Into buckets of neighbours first: put into its place at once, each thing would be written far from the one before.
        let bucket = |person: u32| (person >> NEIGHBOURS) as usize;
        let mut bounds = vec![0; (people >> NEIGHBOURS) + 2];
        of_somebody().for_each(|(person, _)| bounds[bucket(person) + 1] += 1);
        for index in 1..bounds.len() {
            bounds[index] += bounds[index - 1];
        }
        let mut all = vec![(0, T::default()); bounds.last().copied().unwrap_or_default()];
        let mut next = bounds.clone();
        for (person, thing) in of_somebody() {
            let place = &mut next[bucket(person)];
            all[*place] = (person, thing);
            *place += 1;
        }
        bounds.windows(2).for_each(|ends| all[ends[0]..ends[1]].sort_unstable());
        let (mut starts, mut things) = (Vec::with_capacity(people + 1), Vec::with_capacity(all.len()));
        for (person, thing) in all {
            starts.resize(person as usize + 1, things.len());
            things.push(thing);
        }
        starts.resize(people + 1, things.len());
        ByPerson { starts, things }
    }

    /// Those of a customer, ascending.
    pub(crate) fn of(&self, person: u32) -> &[T] {
        let person = person as usize;
        match self.starts.get(person..person + 2) {
            Some([start, end]) => &self.things[*start..*end],
            _ => &[],
        }
    }
}

/// The instants of sales before another.
pub(crate) fn sales(facts: &Facts, until: i64) -> ByPerson<i64> {
    let purchases = &facts.purchases;
    let rows = || (0..).zip(&purchases.customers).filter(|(row, _): &(usize, _)| is_sale(purchases.amounts[*row]));
    ByPerson::new(facts.people.len(), || happened(&purchases.times, rows(), until))
}

/// The instants of answers before another.
pub(crate) fn answers(facts: &Facts, until: i64) -> ByPerson<i64> {
    let responses = &facts.responses;
    ByPerson::new(facts.people.len(), || happened(&responses.times, responses.customers.iter().enumerate(), until))
}

/// The instants at which customers did something in the loyalty programme, before another.
pub(crate) fn programme(facts: &Facts, until: i64) -> ByPerson<i64> {
    let memberships = &facts.memberships;
    let active =
        || memberships.customers.iter().enumerate().filter(|(row, _)| ACTIVE.contains(&memberships.kind.get(*row)));
    ByPerson::new(facts.people.len(), || happened(&memberships.times, active(), until))
}

/// The instants at which complaints and losses came in, before another.
pub(crate) fn complaints(facts: &Facts, until: i64) -> ByPerson<i64> {
    let cases = &facts.cases;
    let complaints =
        || cases.customers.iter().enumerate().filter(|(row, _)| DISSATISFIED.contains(&cases.kind.get(*row)));
    ByPerson::new(facts.people.len(), || happened(&cases.times, complaints(), until))
}

/// From when until when subscriptions ran, each at one amount, as far as that lies before an instant.
pub(crate) fn runs(facts: &Facts, until: i64) -> ByPerson<(i64, i64)> {
    let mut runs = Vec::new();
    each_life(&facts.subscriptions, |person, stretches, _| {
        let begun = stretches.iter().filter(|stretch| stretch.from < until);
        runs.extend(begun.map(|stretch| (person, (stretch.from, stretch.until.min(until)))));
    });
    ByPerson::new(facts.people.len(), || runs.iter().copied())
}

/// When subscriptions ended, and by which rows.
pub(crate) fn ends(facts: &Facts) -> ByPerson<(i64, u32)> {
    let mut all = Vec::new();
    each_life(&facts.subscriptions, |person, _, ends| all.extend(ends.iter().map(|end| (person, (end.at, end.row)))));
    ByPerson::new(facts.people.len(), || all.iter().copied())
}

/// From when until when a customer was a member of the loyalty programme.
pub(crate) fn member(facts: &Facts, person: u32) -> Vec<Range<i64>> {
    let mut spans = Vec::new();
    facts.attributes.member(person, &mut spans);
    spans
}

/// The instants of rows before another, with whose they are.
fn happened<'f>(
    times: &'f Times,
    rows: impl Iterator<Item = (usize, &'f u32)>,
    until: i64,
) -> impl Iterator<Item = (u32, i64)> {
    let whose = rows.map(|(row, person)| (*person, times.at(row)));
    whose.filter(move |(person, at)| *person != NOBODY && *at != NEVER && *at < until)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_customer_has_its_own_in_order(
            things in prop::collection::vec((0_u32..20_000, 0_i64..5), 0..300), people in 0_usize..20_000,
        ) {
            let found = ByPerson::new(people, || things.iter().copied());
            for (person, _) in things.iter().chain(&[(0, 0), (NOBODY, 0)]) {
                let mut own: Vec<_> = things.iter().filter(|(other, _)| other == person).map(|(_, thing)| *thing).collect();
                own.sort_unstable();
                own.retain(|_| (*person as usize) < people);
                prop_assert_eq!(found.of(*person), own);
            }
        }
    }
}
