//! The follow-up: the chain that begins with an answer to a survey that was followed up by a case.

mod chain;
mod rule;
#[cfg(test)]
mod tests;

use barometer_chassis::clock::Micros;
use barometer_directory::CustomerId;
use barometer_proto::complaints::v1::FollowUpOutcome;
use sea_orm::entity::prelude::*;

pub use self::{
    chain::{Answer, Chain, Standing},
    rule::{Judgement, MAX_RULES, Newcomer, Rule, RuleList, default_at_most, highest},
};
use crate::case_entry::CaseId;

/// A follow-up's row. There is at most one for each answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "follow_up")]
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
    /// The case.
    pub case_id: CaseId,
    /// Whose answer it is.
    pub customer_id: CustomerId,
    /// The survey.
    pub survey_id: Uuid,
    /// The answer that was followed up.
    pub response_id: Uuid,
    /// Its score.
    pub score: i32,
    /// What the survey asks, as `SurveyKind`.
    pub survey_kind: i32,
    /// When the answer was given.
    pub response_time: Micros,
    /// The highest score that the rule follows up.
    pub at_most: i32,
    /// The version of the rules by which it was opened.
    pub rule_set_version: i64,
    /// The rule among them.
    pub rule_name: String,
    /// When it was opened.
    pub open_time: Micros,
    /// The last instant at which an answer closes it.
    pub window_end_time: Micros,
    /// What came of it, as [`FollowUpOutcome`].
    pub outcome: i32,
    /// When that was.
    pub close_time: Option<Micros>,
    /// The answer that closed it.
    pub closing_response_id: Option<Uuid>,
    /// The score of that.
    pub closing_score: Option<i32>,
    /// When its window ends without an answer; nothing when it is closed already.
    pub next_time: Option<Micros>,
    /// When it was last changed.
    pub update_time: Micros,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// What came of it.
    pub fn outcome(&self) -> FollowUpOutcome {
        FollowUpOutcome::try_from(self.outcome).unwrap_or_default()
    }

    /// The rule's part of it, for judging what came of it.
    pub fn chain(&self) -> Chain {
        Chain {
            response_id: self.response_id,
            customer_id: self.customer_id,
            survey_id: self.survey_id,
            at_most: self.at_most,
            recovers_above: self.at_most.max(rule::dissatisfied(self.survey_kind)),
            window_end: self.window_end_time,
        }
    }

    /// What it is once its answers came to `standing`; as it is when it was cancelled before.
    pub fn settled(mut self, standing: Standing) -> Self {
        if self.outcome() == FollowUpOutcome::Cancelled {
            return self;
        }
        let Standing { outcome, close_time, closing, score, response_time } = standing;
        (self.outcome, self.close_time) = (outcome.into(), close_time);
        (self.closing_response_id, self.closing_score) = closing.unzip();
        self.score = score.unwrap_or(self.score);
        self.response_time = response_time.unwrap_or(self.response_time);
        let pending = outcome == FollowUpOutcome::Pending;
        self.next_time = pending.then(|| Micros(self.window_end_time.0.saturating_add(1)));
        self
    }
}
