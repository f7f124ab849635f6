//! Invitations to answer a survey.

use barometer_proto::surveys::v1::InvitationFact;
use barometer_statistics::disposition::{Known, Outcome};
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable,
    choice::{Choice, known},
    customer,
    declared::Declared,
    dictionary::Column,
    instant,
    people::{Ids, NOBODY},
    revisions::Revisions,
    rows::{Rows, put},
    surveys::Surveys,
    times::{NEVER, Times},
};

/// What somebody said came of an invitation, as the contract numbers it.
const OUTCOMES: [&str; 9] =
    ["", "pending", "complete", "partial", "refusal", "non_contact", "other", "unknown", "not_eligible"];

/// The row of an invitation that has not come.
const NO_ROW: u32 = u32::MAX;
/// The number of no invitation.
pub(crate) const NO_INVITATION: u32 = u32::MAX;

/// All invitations.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Invitations {
    pub(crate) rows: Rows,
    /// Invitations by number, whether they came or an answer that names them.
    pub(crate) ids: Ids,
    /// The row of each invitation by its number, [`NO_ROW`] of one that has not come.
    places: Vec<u32>,
    /// When answers to the invitations of a time were written.
    pub(crate) answers: Revisions,
    /// The number of each row's invitation.
    pub(crate) numbers: Vec<u32>,
    /// When each was sent.
    pub(crate) times: Times,
    /// From when on each can not be answered any more.
    expires: Vec<i64>,
    /// Number of the survey.
    pub(crate) surveys: Vec<u32>,
    pub(crate) customers: Vec<u32>,
    told: Choice,
    begun: Choice,
    arrived: Choice,
    reminders: Choice,
    pub(crate) channel: Column,
    pub(crate) touchpoint: Column,
    pub(crate) journey_stage: Column,
    pub(crate) language: Column,
    pub(crate) declared: Declared,
}

impl Invitations {
    /// Puts in an invitation, or its later version.
    pub(crate) fn put(
        &mut self,
        stamp: Stamp,
        fact: InvitationFact,
        people: &mut Ids,
        surveys: &mut Surveys,
    ) -> Result<(), Unreadable> {
        let InvitationFact {
            survey_id,
            customer_id,
            time,
            deliver_time,
            open_time,
            begin_time,
            expire_time,
            reminders,
            told_outcome,
            channel,
            touchpoint,
            journey_stage,
            language,
            dimensions,
        } = fact;
        let survey = surveys.number(&survey_id)?;
        let customer = if customer_id.is_empty() { NOBODY } else { customer(people, &customer_id)? };
        let told = known(told_outcome, &OUTCOMES, "told_outcome")?;
        let reminders = u8::try_from(reminders).map_err(|_| Unreadable("reminders"))?;
        let (sent, expires) = (instant(time)?, instant(expire_time)?);
        if let Some(row) = self.rows.claim(stamp) {
            let number = self.ids.number(stamp.id);
            put(&mut self.numbers, row, number);
            self.place(number, row);
            self.times.put(row, sent, stamp.written);
            put(&mut self.expires, row, expires);
            put(&mut self.surveys, row, survey);
            put(&mut self.customers, row, customer);
            self.told.set(row, told);
            self.begun.set(row, u8::from(begin_time.is_some()));
            self.arrived.set(row, u8::from(deliver_time.is_some() || open_time.is_some()));
            self.reminders.set(row, reminders);
            self.channel.set(row, &channel);
            self.touchpoint.set(row, &touchpoint);
            self.journey_stage.set(row, &journey_stage);
            self.language.set(row, &language);
            self.declared.set(row, &dimensions);
        }
        Ok(())
    }

    /// Takes an invitation out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            put(&mut self.numbers, row, NO_INVITATION);
            self.times.put(row, NEVER, stamp.written);
            put(&mut self.expires, row, NEVER);
            put(&mut self.surveys, row, u32::MAX);
            put(&mut self.customers, row, NOBODY);
            for choice in [&mut self.told, &mut self.begun, &mut self.arrived, &mut self.reminders] {
                choice.set(row, 0);
            }
            self.columns().into_iter().for_each(|column| column.set(row, ""));
            self.declared.set(row, &Default::default());
        }
    }

    /// What is known of an invitation at `now`, when this was its first answer.
    pub(crate) fn known(&self, row: u32, answer: Option<Outcome>, now: i64) -> Known {
        let index = row as usize;
        Known {
            told: outcome(self.told.get(index)),
            answer,
            begun: self.begun.get(index) != 0,
            reached: self.customers[index] != NOBODY || self.arrived.get(index) != 0,
            expired: self.expires[index] <= now,
        }
    }

    /// Notes that an answer to an invitation was written: one more, another, or no more. Of an invitation that has not come there
    /// is nothing to note, for it is written later itself.
    pub(crate) fn note_answer(&mut self, number: u32, written: Option<i64>) {
        if let Some(row) = self.places.get(number as usize).filter(|row| **row != NO_ROW) {
            self.answers.note(NEVER, self.times.at(*row as usize), written);
        }
    }

    /// Whether the customer was reminded.
    pub(crate) fn was_reminded(&self, row: u32) -> bool {
        self.reminders.get(row as usize) != 0
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.ids.restore();
        self.times.restore();
        self.columns().into_iter().for_each(Column::restore);
        self.declared.restore();
    }

    fn place(&mut self, number: u32, row: usize) {
        let index = number as usize;
        if index >= self.places.len() {
            self.places.resize(index + 1, NO_ROW);
        }
        self.places[index] = u32::try_from(row).unwrap_or(NO_ROW);
    }

    fn columns(&mut self) -> [&mut Column; 4] {
        [&mut self.channel, &mut self.touchpoint, &mut self.journey_stage, &mut self.language]
    }
}

/// An outcome by its number in the contract; none for 0.
fn outcome(code: u8) -> Option<Outcome> {
    match code {
        1 => Some(Outcome::Pending),
        2 => Some(Outcome::Complete),
        3 => Some(Outcome::Partial),
        4 => Some(Outcome::Refusal),
        5 => Some(Outcome::NonContact),
        6 => Some(Outcome::Other),
        7 => Some(Outcome::Unknown),
        8 => Some(Outcome::NotEligible),
        _ => None,
    }
}
