//! The response: one answer to a survey.

use barometer_chassis::{
    clock::Micros,
    door::{Dimensions, ExternalKey},
    error::Error,
    recorded_head,
    writer::{Pending, Recorded, Write},
};
use barometer_directory::CustomerId;
use futures_util::future::BoxFuture;
use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    store::{self, Invited},
    survey::SurveyId,
};

/// A response's row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "response")]
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
    /// The survey.
    pub survey_id: SurveyId,
    /// Who answered; nobody known when anonymous.
    pub customer_id: Option<CustomerId>,
    /// The score, on the survey's scale.
    pub score: Option<i32>,
    /// Where the score stands, as `Category`.
    pub category: i32,
    /// Why there is no score, as `Disposition`.
    pub disposition: i32,
    /// Personal data.
    #[sea_orm(column_type = "Text")]
    pub comment: String,
    /// BCP 47 tag.
    pub language: String,
    /// How it was asked.
    pub channel: String,
    /// The point of contact.
    pub touchpoint: String,
    /// Stage of the journey.
    pub journey_stage: String,
    /// When it was answered.
    pub time: Micros,
    /// In trillionths (1e-12).
    pub weight: i64,
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
    /// Whether it was imported.
    #[serde(skip)]
    pub imported: bool,
    /// The invitation that it follows. Where there is none, it is no part of the fingerprint, as before it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation_id: Option<Uuid>,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Recorded for Model {
    type Table = Entity;
    type Active = ActiveModel;
    /// The caller's key of the invitation, where it was named by that.
    type Context = Option<ExternalKey>;
    const NOUN: &'static str = "response";

    recorded_head!();

    /// Refuses answers to surveys that do not take any at the moment of the write, and those that do not fit their invitation.
    fn prepare<'w>(write: &'w Write<'w>, rows: &'w mut [Pending<Self>]) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(async move {
            let surveys =
                store::surveys(write.db, rows.iter().map(|pending| pending.row.survey_id.0).collect()).await?;
            let invitations =
                Invited::by(write.db, rows.iter().map(|pending| (&pending.row, &pending.context))).await?;
            for Pending { row, context, refused, .. } in rows {
                let checked = match surveys.get(&row.survey_id.0) {
                    Some(survey) => survey.check_takes_answers(),
                    None => Err(Error::not_found("survey", row.survey_id)),
                };
                *refused = checked.and_then(|()| invitations.answered_by(row, context)).err();
            }
            Ok(())
        })
    }
}
