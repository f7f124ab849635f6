//! Answers to surveys.

use barometer_proto::surveys::v1::{Disposition, ResponseFact};
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable, customer,
    days::Days,
    declared::Declared,
    dictionary::{Column, EMPTY},
    instant,
    invitations::{Invitations, NO_INVITATION},
    people::{Ids, NOBODY},
    rows::{Rows, put},
    surveys::Surveys,
    timelines::Timelines,
    times::{NEVER, Times},
    uuid,
};
use crate::rules::weight::Weight;

/// The score of an answer that has none.
pub(crate) const NO_SCORE: u8 = u8::MAX;
/// The highest score on any scale.
pub(crate) const MAX_SCORE: u8 = 10;

/// The disposition of an answer that was broken off before the question.
const BREAK_OFF: &str = "break_off";

/// All answers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Responses {
    pub(crate) rows: Rows,
    pub(crate) times: Times,
    #[serde(skip)]
    pub(crate) days: Days,
    /// Number of the survey.
    pub(crate) surveys: Vec<u32>,
    pub(crate) customers: Vec<u32>,
    /// [`NO_SCORE`] for none.
    pub(crate) scores: Vec<u8>,
    /// In trillionths; as long as the last row whose weight is not 1.
    weights: Vec<u64>,
    /// Numbers of invitations; as long as the last row that follows one.
    invitations: Vec<u32>,
    pub(crate) disposition: Column,
    pub(crate) language: Column,
    pub(crate) channel: Column,
    pub(crate) touchpoint: Column,
    pub(crate) journey_stage: Column,
    pub(crate) declared: Declared,
    #[serde(skip)]
    timelines: Timelines,
    #[serde(skip)]
    by_customer: Timelines<(i64, u32)>,
}

impl Responses {
    /// Puts in an answer, or its later version.
    pub(crate) fn put(
        &mut self,
        stamp: Stamp,
        fact: ResponseFact,
        people: &mut Ids,
        surveys: &mut Surveys,
        invitations: &mut Invitations,
    ) -> Result<(), Unreadable> {
        let ResponseFact {
            survey_id,
            customer_id,
            score,
            disposition,
            language,
            channel,
            touchpoint,
            journey_stage,
            time,
            weight_trillionths,
            dimensions,
            imported: _,
            invitation_id,
        } = fact;
        let survey = surveys.number(&survey_id)?;
        let customer = if customer_id.is_empty() { NOBODY } else { customer(people, &customer_id)? };
        let score = match score {
            Some(score) => u8::try_from(score).ok().filter(|score| *score <= MAX_SCORE).ok_or(Unreadable("score"))?,
            None => NO_SCORE,
        };
        let disposition = match Disposition::try_from(disposition).map_err(|_| Unreadable("disposition"))? {
            Disposition::Unspecified => "",
            Disposition::NoAnswer => "no_answer",
            Disposition::DontKnow => "dont_know",
            Disposition::Refused => "refused",
            Disposition::BreakOff => BREAK_OFF,
        };
        let invitation = match invitation_id.as_str() {
            "" => NO_INVITATION,
            id => invitations.ids.number(uuid(id).ok_or(Unreadable("invitation_id"))?),
        };
        let at = instant(time)?;
        let weight = Weight::from_trillionths(weight_trillionths).ok_or(Unreadable("weight_trillionths"))?;
        if let Some(row) = self.rows.claim(stamp) {
            self.note(row, (customer, at));
            self.days.note(row, self.times.at(row), at);
            self.times.put(row, at, stamp.written);
            put(&mut self.surveys, row, survey);
            put(&mut self.customers, row, customer);
            put(&mut self.scores, row, score);
            self.put_weight(row, weight);
            self.put_invitation(row, invitation, stamp, invitations);
            self.disposition.set(row, disposition);
            self.language.set(row, &language);
            self.channel.set(row, &channel);
            self.touchpoint.set(row, &touchpoint);
            self.journey_stage.set(row, &journey_stage);
            self.declared.set(row, &dimensions);
        }
        Ok(())
    }

    /// Takes an answer out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp, invitations: &mut Invitations) {
        if let Some(row) = self.rows.claim(stamp) {
            self.note(row, (NOBODY, NEVER));
            self.days.note(row, self.times.at(row), NEVER);
            self.times.put(row, NEVER, stamp.written);
            put(&mut self.surveys, row, u32::MAX);
            put(&mut self.customers, row, NOBODY);
            put(&mut self.scores, row, NO_SCORE);
            self.put_weight(row, Weight::ONE);
            self.put_invitation(row, NO_INVITATION, stamp, invitations);
            let texts = [
                &mut self.disposition,
                &mut self.language,
                &mut self.channel,
                &mut self.touchpoint,
                &mut self.journey_stage,
            ];
            texts.into_iter().for_each(|column| column.set(row, ""));
            self.declared.set(row, &Default::default());
        }
    }

    /// The weight of an answer.
    pub(crate) fn weight(&self, row: u32) -> Weight {
        let trillionths = self.weights.get(row as usize).and_then(|trillionths| i64::try_from(*trillionths).ok());
        trillionths.and_then(Weight::from_trillionths).unwrap_or(Weight::ONE)
    }

    /// The numbers of the invitations that the first rows follow; the others follow none.
    pub(crate) fn invitations(&self) -> &[u32] {
        &self.invitations
    }

    /// Whether the survey was begun and broken off before the question.
    pub(crate) fn is_broken_off(&self, row: usize) -> bool {
        let code = self.disposition.codes().get(row).copied().unwrap_or(EMPTY);
        self.disposition.dictionary.text(code) == BREAK_OFF
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.times.restore();
        self.days.restore(self.times.as_slice());
        let columns = [
            &mut self.disposition,
            &mut self.language,
            &mut self.channel,
            &mut self.touchpoint,
            &mut self.journey_stage,
        ];
        columns.into_iter().for_each(Column::restore);
        self.declared.restore();
    }

    /// The instants of answers by customer, of so many customers.
    pub(crate) fn timelines(&self, people: usize) -> &Timelines {
        self.timelines.get(people, || (0..self.customers.len()).map(|row| self.answer(row)))
    }

    /// The instants and rows of answers by customer, of so many customers.
    pub(crate) fn by_customer(&self, people: usize) -> &Timelines<(i64, u32)> {
        self.by_customer.get(people, || {
            (0..).map_while(|row| {
                let customer = *self.customers.get(row as usize)?;
                Some((customer, (self.times.at(row as usize), row)))
            })
        })
    }

    /// Takes note that an answer is somebody's of an instant from now on.
    fn note(&mut self, row: usize, (customer, at): (u32, i64)) {
        let before = self.answer(row);
        self.timelines.note(before, (customer, at));
        if let Ok(row) = u32::try_from(row) {
            self.by_customer.note((before.0, (before.1, row)), (customer, (at, row)));
        }
    }

    /// Who answered in a row, and when; nobody and never where nothing is yet.
    fn answer(&self, row: usize) -> (u32, i64) {
        self.customers.get(row).map_or((NOBODY, NEVER), |customer| (*customer, self.times.at(row)))
    }

    /// Sets which invitation a row follows: what is known of it has changed, and of the one that it followed before.
    fn put_invitation(&mut self, row: usize, invitation: u32, stamp: Stamp, invitations: &mut Invitations) {
        let before = self.invitations.get(row).copied().unwrap_or(NO_INVITATION);
        [before, invitation].into_iter().for_each(|of| invitations.note_answer(of, stamp.written));
        if row >= self.invitations.len() {
            if invitation == NO_INVITATION {
                return;
            }
            self.invitations.resize(row + 1, NO_INVITATION);
        }
        self.invitations[row] = invitation;
    }

    fn put_weight(&mut self, row: usize, weight: Weight) {
        if row >= self.weights.len() {
            if weight == Weight::ONE {
                return;
            }
            self.weights.resize(row + 1, Weight::ONE.trillionths());
        }
        self.weights[row] = weight.trillionths();
    }
}
