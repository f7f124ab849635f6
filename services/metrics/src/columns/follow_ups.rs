//! Dissatisfied answers that were followed up, and what came of it.

use barometer_proto::complaints::v1::FollowUpFact;
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable,
    choice::{Choice, known},
    customer, instant,
    people::{Ids, NOBODY},
    rows::{Rows, put},
    times::{NEVER, Times},
    uuid,
};

/// What came of a follow-up, as the contract numbers it.
const OUTCOMES: [&str; 7] = ["", "pending", "recovered", "unchanged", "worse", "no_answer", "cancelled"];
const CANCELLED: u8 = 6;

/// What came of a follow-up that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// The customer has not answered again, and still may.
    Pending,
    /// They are dissatisfied no longer.
    Recovered,
    /// They are as dissatisfied as before.
    Unchanged,
    /// They are more dissatisfied.
    Worse,
    /// They did not answer again.
    NoAnswer,
}

/// All follow-ups.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FollowUps {
    pub(crate) rows: Rows,
    /// When each answer was followed up.
    pub(crate) times: Times,
    pub(crate) customers: Vec<u32>,
    /// The survey of each, as the number that its id has here: surveys may be read again, and numbered anew.
    pub(crate) surveys: Vec<u32>,
    pub(crate) survey_ids: Ids,
    outcome: Choice,
}

impl FollowUps {
    /// Puts in a follow-up, or its later version.
    pub(crate) fn put(&mut self, stamp: Stamp, fact: FollowUpFact, people: &mut Ids) -> Result<(), Unreadable> {
        let FollowUpFact {
            case_id: _,
            customer_id,
            survey_id,
            response_id: _,
            score: _,
            category: _,
            response_time: _,
            open_time,
            outcome,
            close_time: _,
            closing_response_id: _,
            closing_score: _,
        } = fact;
        let customer = if customer_id.is_empty() { NOBODY } else { customer(people, &customer_id)? };
        let survey = self.survey_ids.number(uuid(&survey_id).ok_or(Unreadable("survey_id"))?);
        let outcome = known(outcome, &OUTCOMES, "outcome")?;
        let opened = instant(open_time)?;
        if outcome == CANCELLED {
            self.withdraw(stamp);
            return Ok(());
        }
        if let Some(row) = self.rows.claim(stamp) {
            self.times.put(row, opened, stamp.written);
            put(&mut self.customers, row, customer);
            put(&mut self.surveys, row, survey);
            self.outcome.set(row, outcome);
        }
        Ok(())
    }

    /// Takes a follow-up out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            self.times.put(row, NEVER, stamp.written);
            put(&mut self.customers, row, NOBODY);
            put(&mut self.surveys, row, u32::MAX);
            self.outcome.set(row, 0);
        }
    }

    /// What came of a follow-up.
    pub(crate) fn course(&self, row: u32) -> Course {
        match self.outcome.get(row as usize) {
            2 => Course::Recovered,
            3 => Course::Unchanged,
            4 => Course::Worse,
            5 => Course::NoAnswer,
            _ => Course::Pending,
        }
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.times.restore();
        self.survey_ids.restore();
    }
}
