//! What customers did until an instant, looked up customer by customer.

use super::answered::{Answered, is_transactional};
use crate::{
    columns::{Facts, timelines::Timelines},
    measures::surveys::answers::{is_wanted, wanted},
    rules::scale::Scale,
};

/// What each customer did.
#[derive(Debug)]
pub(super) struct Histories<'f> {
    facts: &'f Facts,
    sales: &'f Timelines,
    returns: &'f Timelines,
    inbound: &'f Timelines,
    others: &'f Timelines,
    subscriptions: &'f Timelines,
    memberships: &'f Timelines,
    referrals: &'f Timelines,
    cases: &'f Timelines,
    answers: &'f Timelines<(i64, u32)>,
    /// By the number of the survey: whether it asks for a recommendation.
    recommend: Vec<bool>,
}

impl<'f> Histories<'f> {
    /// Of all customers.
    pub(super) fn new(facts: &'f Facts) -> Self {
        let people = facts.people.len();
        Histories {
            facts,
            sales: facts.purchases.timelines(people),
            returns: facts.purchases.returns(people),
            inbound: facts.interactions.inbound(people),
            others: facts.interactions.others(people),
            subscriptions: facts.subscriptions.timelines(people),
            memberships: facts.memberships.timelines(people),
            referrals: facts.referrals.timelines(people),
            cases: facts.cases.timelines(people),
            answers: facts.responses.by_customer(people),
            recommend: wanted(Some(Scale::Nps), facts),
        }
    }

    /// When the first thing happened by which customers become known.
    pub(super) fn first(&self, person: u32) -> Option<i64> {
        let Histories { sales, returns, inbound, others, subscriptions, memberships, referrals, .. } = self;
        let kinds = [sales, returns, inbound, others, subscriptions, memberships, referrals];
        let firsts = kinds.into_iter().filter_map(|of| of.of(person).first().copied());
        firsts.chain(self.answers.of(person).first().map(|(at, _)| *at)).min()
    }

    /// Whether the customer answered before an instant.
    pub(super) fn has_answered(&self, person: u32, until: i64) -> bool {
        self.answers.of(person).first().is_some_and(|(at, _)| *at < until)
    }

    /// When the customer last bought, turned to the company, answered, or had a case opened before an instant.
    pub(super) fn last_activity(&self, person: u32, until: i64) -> Option<i64> {
        let kinds = [self.sales, self.inbound, self.cases];
        let lasts = kinds.into_iter().filter_map(|of| before(of.of(person), until).last().copied());
        let answers = self.answers.of(person);
        let answered = answers[..answers.partition_point(|(at, _)| *at < until)].last().map(|(at, _)| *at);
        lasts.chain(answered).max()
    }

    /// When the customer bought before an instant, ascending.
    pub(super) fn sales(&self, person: u32, until: i64) -> &'f [i64] {
        before(self.sales.of(person), until)
    }

    /// What the customer answered to the recommend question before an instant, in surveys of a type, in its order.
    pub(super) fn answers(&self, person: u32, until: i64, transactional: bool) -> Vec<Answered> {
        let rows = self.answers.of(person).iter().take_while(|(at, _)| *at < until).map(|(_, row)| *row);
        let answers = rows.filter_map(|row| self.answer(row));
        let mut answers: Vec<_> =
            answers.filter(|answer| is_transactional(self.facts, answer) == transactional).collect();
        answers.sort_unstable();
        answers
    }

    /// The answer in a row, if it has a score to the recommend question.
    pub(super) fn answer(&self, row: u32) -> Option<Answered> {
        let (responses, index) = (&self.facts.responses, row as usize);
        let is_scored = is_wanted(&self.recommend, responses.surveys[index])
            && Scale::Nps.score(i64::from(responses.scores[index])).is_some();
        is_scored.then(|| Answered {
            group: 0,
            person: responses.customers[index],
            at: responses.times.at(index),
            number: responses.rows.number(index),
            row,
        })
    }

    /// The instants and rows of all answers of a customer, ascending.
    pub(super) fn rows(&self, person: u32) -> &'f [(i64, u32)] {
        self.answers.of(person)
    }
}

fn before(instants: &[i64], until: i64) -> &[i64] {
    &instants[..instants.partition_point(|at| *at < until)]
}
