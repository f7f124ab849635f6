//! Things of customers, side by side: each customer's in their order.

/// Customers of a bucket: so many that what they did stays in the processor's cache, as a power of two.
const NEIGHBOURS: u32 = 12;

/// Things by customer.
#[derive(Clone, Debug)]
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

    /// Of so many customers, of each those that `of` gives, ascending; at most so many of all.
    pub(crate) fn of_each<'t>(people: usize, most: usize, of: impl Fn(u32) -> &'t [T]) -> Self
    where
        T: 't,
    {
        let (mut starts, mut things) = (Vec::with_capacity(people + 1), Vec::with_capacity(most));
        for person in (0..).take(people) {
            starts.push(things.len());
            things.extend_from_slice(of(person));
        }
        starts.push(things.len());
        ByPerson { starts, things }
    }

    /// Of how many customers.
    pub(crate) fn people(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many things there are.
    pub(crate) fn len(&self) -> usize {
        self.things.len()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::columns::people::NOBODY;

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
