//! An answer to a survey as far as follow-ups need it: who answered what and when, and nothing of what was said.

use barometer_chassis::clock::Micros;
use barometer_directory::CustomerId;
use sea_orm::entity::prelude::*;

use crate::follow_up::Answer;

/// An answer's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "survey_answer")]
pub struct Model {
    /// The answer's id in the surveys service.
    #[sea_orm(primary_key, auto_increment = false)]
    pub response_id: Uuid,
    /// The survey.
    pub survey_id: Uuid,
    /// Who answered.
    pub customer_id: CustomerId,
    /// The score.
    pub score: i32,
    /// When it was given.
    pub time: Micros,
    /// Whether it is no more: withdrawn, or without a score or a customer by now.
    pub gone: bool,
    /// How often the feed was begun anew before this was read.
    pub generation: i64,
    /// Its version in the feed.
    pub version: i64,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// As the rules know it.
    pub fn answer(&self) -> Answer {
        let Model { response_id, survey_id, customer_id, score, time, gone: _, generation: _, version: _ } = *self;
        Answer { response_id, survey_id, customer_id, score, time }
    }
}
