//! The survey: a question, its scale and its state.

use std::collections::BTreeMap;

use barometer_chassis::{clock::Micros, error::Error, id};
use barometer_proto::surveys::v1::{Category, SurveyKind, survey::State};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

id! {
    /// Id of a survey.
    SurveyId
}

/// A survey's row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "survey")]
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
    /// Unique name.
    pub name: String,
    /// What is asked, as [`SurveyKind`].
    pub kind: i32,
    /// The occasion, as `SurveyType`.
    #[sea_orm(column_name = "type")]
    pub survey_type: i32,
    /// As [`State`].
    pub state: i32,
    /// The question by language.
    #[sea_orm(column_type = "JsonBinary")]
    pub question: Question,
    /// The dimensions that answers may carry.
    #[sea_orm(column_type = "JsonBinary")]
    pub dimensions: Declared,
    /// Who created it; no part of what was asked for, so none of its fingerprint.
    #[serde(skip)]
    pub actor: String,
    /// When it was created.
    pub create_time: Micros,
    /// When it was last changed.
    pub update_time: Micros,
}

/// Text by language tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Question(pub BTreeMap<String, String>);

/// Names of declared dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Declared(pub Vec<String>);

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// What is asked.
    pub fn kind(&self) -> SurveyKind {
        SurveyKind::try_from(self.kind).unwrap_or_default()
    }

    /// The state.
    pub fn state(&self) -> State {
        State::try_from(self.state).unwrap_or_default()
    }

    /// Opens the survey for answers.
    pub fn activate(self) -> Result<Model, Error> {
        match self.state() {
            State::Draft | State::Closed => Ok(Model { state: State::Active.into(), ..self }),
            state => Err(self.wrong_state(state, "can be closed")),
        }
    }

    /// Closes the survey.
    pub fn close(self) -> Result<Model, Error> {
        match self.state() {
            State::Active => Ok(Model { state: State::Closed.into(), ..self }),
            state => Err(self.wrong_state(state, "can be activated")),
        }
    }

    /// Refuses unless the survey takes answers.
    pub fn check_takes_answers(&self) -> Result<(), Error> {
        match self.state() {
            State::Active => Ok(()),
            state => Err(self.wrong_state(state, "must be activated before it takes answers")),
        }
    }

    fn wrong_state(&self, state: State, can: &str) -> Error {
        let state = state.as_str_name().trim_start_matches("STATE_").to_lowercase();
        Error::State { reason: "WRONG_STATE", message: format!("the survey `{}` is {state}: it {can}", self.name) }
    }
}

/// The scores that a kind of survey takes, both included.
pub fn scale(kind: SurveyKind) -> (i32, i32) {
    match kind {
        SurveyKind::Nps => (0, 10),
        SurveyKind::Csat => (1, 5),
        SurveyKind::Ces => (1, 7),
        SurveyKind::Unspecified => (1, 0),
    }
}

/// Where a score stands: promoters, passives and detractors share out every score of an NPS survey.
pub fn category(kind: SurveyKind, score: Option<i32>) -> Category {
    match (kind, score) {
        (SurveyKind::Nps, Some(9..)) => Category::Promoter,
        (SurveyKind::Nps, Some(7..)) => Category::Passive,
        (SurveyKind::Nps, Some(_)) => Category::Detractor,
        _ => Category::Unspecified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_score_has_one_category() {
        let of = |score| category(SurveyKind::Nps, Some(score));
        assert!((0..=6).all(|score| of(score) == Category::Detractor));
        assert!((7..=8).all(|score| of(score) == Category::Passive));
        assert!((9..=10).all(|score| of(score) == Category::Promoter));
        assert_eq!(category(SurveyKind::Nps, None), Category::Unspecified);
        assert_eq!(category(SurveyKind::Csat, Some(5)), Category::Unspecified);
    }
}
