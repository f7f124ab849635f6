//! Customers one after the other, by their ids.

use barometer_chassis::error::Error;
use uuid::Uuid;

use super::{Filter, State, View};
use crate::{
    analysis::histories::Histories,
    columns::{Facts, customers::Known},
    measures::customers::known,
    query::{Table, cut::Cutter},
};

/// The customers of whom states are told: those that are known, and those known by answers only, as far as filters on customers
/// let them pass.
pub(super) struct Walk<'f> {
    facts: &'f Facts,
    histories: &'f Histories<'f>,
    view: View,
    filter: &'f Filter,
    /// Of those that are customers themselves, by number among people.
    known: Vec<Option<(u32, Known)>>,
    /// What filters on customers let pass, if there are any.
    cutter: Option<Cutter<'f>>,
    /// Who was not met yet, in no order.
    left: Vec<(Uuid, u32)>,
}

impl<'f> Walk<'f> {
    /// Of those whose ids come after one.
    pub(super) fn new(
        facts: &'f Facts,
        histories: &'f Histories<'f>,
        view: View,
        filter: &'f Filter,
        after: Option<Uuid>,
    ) -> Self {
        let mut known = vec![None; facts.people.len()];
        for (row, customer) in facts.customers.iter() {
            if let Some(known) = known.get_mut(customer.person as usize) {
                *known = Some((row, customer));
            }
        }
        let people = facts.people.as_slice().iter().copied().zip(0..);
        let left = people.filter(|(id, _)| after.is_none_or(|after| *id > after)).collect();
        let cutter =
            (!filter.conditions.is_empty()).then(|| Cutter::new(facts, Table::Customers, &filter.conditions, &[], 1));
        Walk { facts, histories, view, filter, known, cutter, left }
    }

    /// The states of the first, at least so many if there are; a few more may be among them.
    pub(super) fn take(mut self, size: usize) -> Result<Vec<State>, Error> {
        let (mut found, mut some) = (Vec::new(), size);
        while found.len() < size && !self.left.is_empty() {
            let mut next = self.next(some);
            self.keep(&mut next)?;
            let states =
                next.into_iter().map(|(id, person)| self.view.of(self.facts, self.histories, id, Some(person)));
            found.extend(states.filter(|state| self.filter.passes(state)));
            // Where few pass, many are looked at.
            some = some.saturating_mul(2);
        }
        Ok(found)
    }

    /// The next ones, so many at most, in their order.
    fn next(&mut self, some: usize) -> Vec<(Uuid, u32)> {
        if some < self.left.len() {
            self.left.select_nth_unstable(some);
        }
        let rest = self.left.split_off(some.min(self.left.len()));
        let mut next = std::mem::replace(&mut self.left, rest);
        next.sort_unstable();
        next
    }

    /// Keeps those of whom something was known, and who pass the filters on customers.
    fn keep(&mut self, people: &mut Vec<(Uuid, u32)>) -> Result<(), Error> {
        let (histories, until) = (self.histories, self.view.at);
        let row_of = |person: u32| {
            let (row, customer) = self.known.get(person as usize).copied().flatten()?;
            let since = known::since(customer, || histories.first(person))?;
            (since < until).then_some(row)
        };
        let Some(cutter) = &mut self.cutter else {
            people.retain(|(_, person)| row_of(*person).is_some() || histories.has_answered(*person, until));
            return Ok(());
        };
        let mut rows: Vec<u32> = people.iter().filter_map(|(_, person)| row_of(*person)).collect();
        // What holds at the instant is what was so just before it.
        cutter.cut(&mut rows, &mut Vec::new(), |_| until - 1)?;
        rows.sort_unstable();
        people.retain(|(_, person)| row_of(*person).is_some_and(|row| rows.binary_search(&row).is_ok()));
        Ok(())
    }
}
