//! The invitation: that somebody was asked to answer a survey.

use std::collections::HashMap;

use barometer_chassis::{
    clock::Micros,
    door::Dimensions,
    error::Error,
    recorded_head,
    writer::{Pending, Recorded, Write},
};
use barometer_directory::CustomerId;
use barometer_proto::surveys::v1::{Disposition, InvitationOutcome};
use barometer_statistics::disposition::{Known, Outcome};
use futures_util::future::BoxFuture;
use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    response, store,
    survey::{self, SurveyId},
};

/// Who does not answer within so long, answers late: 30 days of 24 hours.
pub(crate) const DEFAULT_LIFE: i64 = 30 * Micros::DAY;

/// An invitation's row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "invitation")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// First position in the feed.
    pub number: i64,
    /// Latest position in the feed.
    pub position: i64,
    /// From 1, one more with each change.
    pub version: i64,
    /// The survey that is asked.
    pub survey_id: SurveyId,
    /// Who is asked; nobody known of a code on a receipt.
    pub customer_id: Option<CustomerId>,
    /// When it was sent.
    pub time: Micros,
    /// When it arrived.
    pub deliver_time: Option<Micros>,
    /// When it was opened.
    pub open_time: Option<Micros>,
    /// When the first question was answered.
    pub begin_time: Option<Micros>,
    /// From when on it can not be answered any more.
    pub expire_time: Micros,
    /// How often the customer was reminded.
    pub reminders: i32,
    /// What somebody said came of it, as `InvitationOutcome`.
    pub told_outcome: i32,
    /// How it was sent.
    pub channel: String,
    /// The point of contact.
    pub touchpoint: String,
    /// Stage of the journey.
    pub journey_stage: String,
    /// BCP 47 tag.
    pub language: String,
    /// Declared dimensions.
    #[sea_orm(column_type = "JsonBinary")]
    pub dimensions: Dimensions,
    /// System of the caller's key.
    pub external_system: Option<String>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Hash of what was first recorded.
    pub fingerprint: i64,
    /// Who recorded it; no part of what was recorded, so none of its fingerprint.
    #[serde(skip)]
    pub actor: String,
    /// When it was recorded.
    pub create_time: Micros,
    /// When it was last changed.
    pub update_time: Micros,
    /// When it was withdrawn.
    pub withdraw_time: Option<Micros>,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// What came of it by `now`, when `answer` was the first to follow it.
    pub(crate) fn outcome(&self, answer: Option<&response::Model>, now: Micros) -> InvitationOutcome {
        let known = Known {
            told: told(self.told_outcome),
            answer: answer.map(answered),
            begun: self.begin_time.is_some(),
            reached: self.customer_id.is_some() || self.deliver_time.is_some() || self.open_time.is_some(),
            expired: self.expire_time <= now,
        };
        match known.outcome() {
            Outcome::Pending => InvitationOutcome::Pending,
            Outcome::Complete => InvitationOutcome::Complete,
            Outcome::Partial => InvitationOutcome::Partial,
            Outcome::Refusal => InvitationOutcome::Refusal,
            Outcome::NonContact => InvitationOutcome::NonContact,
            Outcome::Other => InvitationOutcome::Other,
            Outcome::Unknown => InvitationOutcome::Unknown,
            Outcome::NotEligible => InvitationOutcome::NotEligible,
        }
    }

    /// Puts an answer under the invitation that it names: it is of whom was invited.
    ///
    /// Errors: NOT_FOUND when it was withdrawn; INVALID when it is one to another survey or customer.
    pub(crate) fn answered_by(&self, answer: &mut response::Model) -> Result<(), Error> {
        if self.withdraw_time.is_some() {
            return Err(Error::not_found("invitation", self.id));
        }
        if self.survey_id != answer.survey_id {
            let other = "is an invitation to another survey";
            return Err(Error::invalid("response.invitation_id", "OTHER_SURVEY", other));
        }
        if answer.customer_id.is_some() && self.customer_id.is_some() && answer.customer_id != self.customer_id {
            let other = "is an invitation to another customer";
            return Err(Error::invalid("response.invitation_id", "OTHER_CUSTOMER", other));
        }
        answer.invitation_id = Some(self.id);
        answer.customer_id = answer.customer_id.or(self.customer_id);
        Ok(())
    }
}

/// What somebody said came of it.
fn told(outcome: i32) -> Option<Outcome> {
    match InvitationOutcome::try_from(outcome).unwrap_or_default() {
        InvitationOutcome::Unspecified => None,
        InvitationOutcome::Pending => Some(Outcome::Pending),
        InvitationOutcome::Complete => Some(Outcome::Complete),
        InvitationOutcome::Partial => Some(Outcome::Partial),
        InvitationOutcome::Refusal => Some(Outcome::Refusal),
        InvitationOutcome::NonContact => Some(Outcome::NonContact),
        InvitationOutcome::Other => Some(Outcome::Other),
        InvitationOutcome::Unknown => Some(Outcome::Unknown),
        InvitationOutcome::NotEligible => Some(Outcome::NotEligible),
    }
}

/// What an answer makes of its invitation.
fn answered(answer: &response::Model) -> Outcome {
    match answer.score {
        Some(_) => Outcome::Complete,
        None if answer.disposition == i32::from(Disposition::BreakOff) => Outcome::Partial,
        None => Outcome::Refusal,
    }
}

impl Recorded for Model {
    type Table = Entity;
    type Active = ActiveModel;
    type Context = ();
    const NOUN: &'static str = "invitation";

    recorded_head!();

    /// Refuses invitations to surveys that are not there at the moment of the write.
    fn prepare<'w>(write: &'w Write<'w>, rows: &'w mut [Pending<Self>]) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(async move {
            let ids = rows.iter().map(|pending| pending.row.survey_id.0).collect();
            let surveys: HashMap<Uuid, survey::Model> = store::surveys(write.db, ids).await?;
            for pending in rows {
                if !surveys.contains_key(&pending.row.survey_id.0) {
                    pending.refused = Some(Error::not_found("survey", pending.row.survey_id));
                }
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_invited_answers() {
        let (somebody, other) = (Some(CustomerId(Uuid::from_u128(1))), Some(CustomerId(Uuid::from_u128(2))));
        let named = Model { id: Uuid::from_u128(9), customer_id: somebody, ..Model::default() };
        let open = Model { customer_id: None, ..named.clone() };
        let follow = |invitation: &Model, customer_id| {
            let mut answer = response::Model { customer_id, ..response::Model::default() };
            invitation.answered_by(&mut answer).map(|()| (answer.invitation_id, answer.customer_id)).ok()
        };
        let id = Some(named.id);
        assert_eq!(follow(&named, None), Some((id, somebody)));
        assert_eq!(follow(&named, somebody), Some((id, somebody)));
        assert_eq!(follow(&named, other), None);
        assert_eq!(follow(&open, other), Some((id, other)));
        assert_eq!(follow(&open, None), Some((id, None)));
        assert_eq!(follow(&Model { withdraw_time: Some(Micros(1)), ..named.clone() }, None), None);
        assert_eq!(follow(&Model { survey_id: SurveyId(Uuid::from_u128(5)), ..named }, None), None);
    }

    #[test]
    fn an_answer_makes_its_invitation_complete_or_not() {
        let sent = Model { expire_time: Micros(100), ..Model::default() };
        let outcome = |invitation: &Model, answer: Option<(Option<i32>, Disposition)>, now| {
            let answer = answer.map(|(score, disposition)| response::Model {
                score,
                disposition: disposition.into(),
                ..response::Model::default()
            });
            invitation.outcome(answer.as_ref(), Micros(now))
        };
        assert_eq!(outcome(&sent, None, 99), InvitationOutcome::Pending);
        assert_eq!(outcome(&sent, None, 100), InvitationOutcome::Unknown);
        let arrived = Model { deliver_time: Some(Micros(5)), ..sent.clone() };
        assert_eq!(outcome(&arrived, None, 100), InvitationOutcome::NonContact);
        let begun = Model { begin_time: Some(Micros(5)), ..sent.clone() };
        assert_eq!(outcome(&begun, None, 100), InvitationOutcome::Partial);
        assert_eq!(outcome(&begun, Some((Some(3), Disposition::Unspecified)), 100), InvitationOutcome::Complete);
        assert_eq!(outcome(&sent, Some((None, Disposition::BreakOff)), 1), InvitationOutcome::Partial);
        assert_eq!(outcome(&sent, Some((None, Disposition::NoAnswer)), 1), InvitationOutcome::Refusal);
        let told = Model { told_outcome: InvitationOutcome::Other.into(), ..sent };
        assert_eq!(outcome(&told, Some((Some(3), Disposition::Unspecified)), 1), InvitationOutcome::Other);
    }
}
