//! With what customers begin.

use barometer_chassis::door::Door;
use barometer_proto::metrics::v1::Beginning as Wire;

use super::by_person::member;
use crate::{
    columns::{Facts, people::NOBODY, times::NEVER},
    fold::Source,
    measures::{customers::known, subscriptions::contracts::each_life},
    query::Table,
    rules::money::is_sale,
};

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    FirstPurchase,
    Acquisition,
    FirstAnswer,
    FirstSubscription,
    Enrolment,
}

/// When a customer began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begun {
    /// Its number among people.
    pub(super) person: u32,
    pub(super) at: i64,
    /// The row with which it began, in the table of the beginning.
    pub(super) row: u32,
}

impl Beginning {
    pub(super) fn parse(door: &mut Door, beginning: i32) -> Self {
        match door.optional_choice("beginning", beginning) {
            Wire::Unspecified | Wire::FirstPurchase => Self::FirstPurchase,
            Wire::Acquisition => Self::Acquisition,
            Wire::FirstAnswer => Self::FirstAnswer,
            Wire::FirstSubscription => Self::FirstSubscription,
            Wire::Enrolment => Self::Enrolment,
        }
    }

    /// The table of the facts with which customers begin, and the metric that is made of it.
    pub(super) fn table(self) -> (Table, &'static str) {
        match self {
            Self::FirstPurchase => (Table::Purchases, "purchases"),
            Self::FirstAnswer => (Table::Responses, "responses"),
            Self::Acquisition | Self::FirstSubscription | Self::Enrolment => (Table::Customers, "customers"),
        }
    }

    /// Whether it is known from facts of a source, beside the customers'.
    pub(super) fn reads(self, source: Source) -> bool {
        match source {
            Source::Customers => true,
            // Who answers is known from then on.
            Source::Surveys => matches!(self, Self::FirstAnswer | Self::Acquisition),
            Source::Complaints => false,
        }
    }

    /// Every customer that has begun, in the order of their numbers.
    pub(super) fn of_all(self, facts: &Facts) -> Vec<Begun> {
        let (purchases, responses) = (&facts.purchases, &facts.responses);
        match self {
            Self::FirstPurchase => {
                let sales =
                    (0..).zip(&purchases.customers).filter(|(row, _)| is_sale(purchases.amounts[*row as usize]));
                let sales = sales.map(|(row, person)| (row, *person, purchases.times.at(row as usize)));
                firsts(facts.people.len(), sales, |row| purchases.number(row))
            }
            Self::FirstAnswer => {
                let answers = (0..).zip(&responses.customers);
                let answers = answers.map(|(row, person)| (row, *person, responses.times.at(row as usize)));
                firsts(facts.people.len(), answers, |row| responses.rows.number(row as usize))
            }
            Self::Acquisition => {
                let known = known::instants(facts).into_iter();
                by_person(known.map(|(row, person, at)| Begun { person, at, row }).collect())
            }
            Self::FirstSubscription => {
                let mut starts = vec![NEVER; facts.people.len()];
                each_life(&facts.subscriptions, |person, stretches, _| {
                    let first = stretches.iter().map(|stretch| stretch.from).min();
                    if let (Some(start), Some(first)) = (starts.get_mut(person as usize), first) {
                        *start = first;
                    }
                });
                of_customers(facts, |person| starts.get(person as usize).copied().filter(|at| *at != NEVER))
            }
            Self::Enrolment => of_customers(facts, |person| member(facts, person).iter().map(|span| span.start).min()),
        }
    }

    /// The same of customers that are known themselves, with their rows among them.
    pub(super) fn of_known(self, facts: &Facts) -> Vec<Begun> {
        let all = self.of_all(facts);
        if self.table().0 == Table::Customers {
            return all;
        }
        of_customers(facts, |person| {
            let index = all.binary_search_by_key(&person, |begun| begun.person).ok()?;
            Some(all[index].at)
        })
    }
}

/// The first of each customer's rows in time; of several at one instant that which was recorded first.
fn firsts(people: usize, rows: impl Iterator<Item = (u32, u32, i64)>, number: impl Fn(u32) -> i64) -> Vec<Begun> {
    let mut firsts = vec![(i64::MAX, 0); people];
    for (row, person, at) in rows.filter(|(_, _, at)| *at != NEVER) {
        // Nobody has no place.
        let Some((first_at, first_row)) = firsts.get_mut(person as usize) else { continue };
        if at < *first_at || (at == *first_at && number(row) < number(*first_row)) {
            (*first_at, *first_row) = (at, row);
        }
    }
    let begun = (0..).zip(firsts).filter(|(_, (at, _))| *at != i64::MAX);
    begun.map(|(person, (at, row))| Begun { person, at, row }).collect()
}

/// The customers that are known, with when each began.
fn of_customers(facts: &Facts, at: impl Fn(u32) -> Option<i64>) -> Vec<Begun> {
    let known = facts.customers.iter().filter(|(_, known)| known.person != NOBODY);
    let begun = known.filter_map(|(row, known)| Some(Begun { person: known.person, at: at(known.person)?, row }));
    by_person(begun.collect())
}

fn by_person(mut begun: Vec<Begun>) -> Vec<Begun> {
    begun.sort_unstable_by_key(|begun| begun.person);
    begun
}
