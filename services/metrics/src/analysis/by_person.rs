//! What customers did, or were, each customer's in order.

use std::ops::Range;

use crate::{
    columns::{
        Facts,
        by_person::ByPerson,
        memberships::event,
        people::NOBODY,
        timelines::Timelines,
        times::{NEVER, Times},
    },
    measures::{complaints::rates::DISSATISFIED, subscriptions::contracts::each_life},
};

/// What a customer does in the programme that makes it active.
const ACTIVE: [u8; 3] = [event::EARN, event::REDEEM, event::REDEEM_VOUCHER];

/// Instants before another, each customer's ascending.
#[derive(Debug)]
pub(crate) enum Instants<'f> {
    /// Of the facts themselves, which keep them so.
    Kept(&'f Timelines, i64),
    /// Made for one question.
    Made(ByPerson<i64>),
}

impl From<ByPerson<i64>> for Instants<'_> {
    fn from(instants: ByPerson<i64>) -> Self {
        Self::Made(instants)
    }
}

impl Instants<'_> {
    /// Those of a customer.
    pub(crate) fn of(&self, person: u32) -> &[i64] {
        match self {
            Self::Kept(timelines, until) => {
                let all = timelines.of(person);
                &all[..all.partition_point(|at| at < until)]
            }
            Self::Made(instants) => instants.of(person),
        }
    }
}

/// The instants of sales before another.
pub(crate) fn sales(facts: &Facts, until: i64) -> Instants<'_> {
    Instants::Kept(facts.purchases.timelines(facts.people.len()), until)
}

/// The instants before another at which customers turned to the company.
pub(crate) fn contacts(facts: &Facts, until: i64) -> Instants<'_> {
    Instants::Kept(facts.interactions.inbound(facts.people.len()), until)
}

/// The instants of answers before another.
pub(crate) fn answers(facts: &Facts, until: i64) -> Instants<'_> {
    Instants::Kept(facts.responses.timelines(facts.people.len()), until)
}

/// The instants at which customers did something in the loyalty programme, before another.
pub(crate) fn programme(facts: &Facts, until: i64) -> Instants<'_> {
    let memberships = &facts.memberships;
    let active =
        || memberships.customers.iter().enumerate().filter(|(row, _)| ACTIVE.contains(&memberships.kind.get(*row)));
    Instants::Made(ByPerson::new(facts.people.len(), || happened(&memberships.times, active(), until)))
}

/// The instants at which complaints and losses came in, before another.
pub(crate) fn complaints(facts: &Facts, until: i64) -> Instants<'_> {
    let cases = &facts.cases;
    let complaints =
        || cases.customers.iter().enumerate().filter(|(row, _)| DISSATISFIED.contains(&cases.kind.get(*row)));
    Instants::Made(ByPerson::new(facts.people.len(), || happened(&cases.times, complaints(), until)))
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
