//! Responses: message ⇄ row.

use barometer_chassis::{
    clock::Micros,
    door::{Door, ExternalKey, Page, PageToken, Stages},
    error::Error,
    fingerprint,
    writer::Write,
};
use barometer_directory::{CustomerId, CustomerRef};
use barometer_proto::{
    common::v1::ExternalId,
    surveys::v1::{
        self as wire, Category, Disposition, FactKind, fact,
        response::{Customer, Invitation, Survey},
    },
};
use futures_util::future::BoxFuture;
use prost_types::FieldMask;
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use super::{check_dimensions, parse_survey_ref};
use crate::{
    noun::{Noun, Parsed},
    response::{Column, Model},
    store::{Invited, SurveyRef},
    survey::{self, SurveyId, category, scale},
};

/// Weights are kept in trillionths.
const TRILLIONTHS: f64 = 1e12;
const MAX_WEIGHT: f64 = 1e6;

impl Noun for Model {
    type Wire = wire::Response;
    const FIELD: &'static str = "response";
    const ID_FIELD: &'static str = "response_id";
    const AMENDABLE: &'static [&'static str] = &[
        "survey_id",
        "survey_name",
        "customer_id",
        "customer_key",
        "score",
        "disposition",
        "comment",
        "language",
        "channel",
        "touchpoint",
        "journey_stage",
        "answer_time",
        "weight",
        "dimensions",
        "invitation_id",
        "invitation_key",
    ];

    fn survey(door: &mut Door, message: &wire::Response) -> Option<SurveyRef> {
        parse_survey_ref(
            door,
            message.survey.as_ref().map(|survey| match survey {
                Survey::SurveyId(id) => Ok(id.as_str()),
                Survey::SurveyName(name) => Err(name.as_str()),
            }),
        )
    }

    fn customer_key(message: &wire::Response) -> Option<&ExternalId> {
        match &message.customer {
            Some(Customer::CustomerKey(key)) => Some(key),
            Some(Customer::CustomerId(_)) | None => None,
        }
    }

    fn parse(
        door: &mut Door,
        message: wire::Response,
        survey: Option<&survey::Model>,
        stages: &Stages,
        actor: String,
    ) -> Parsed<Self> {
        let wire::Response {
            survey: _,
            customer,
            score,
            disposition,
            comment,
            language,
            channel,
            touchpoint,
            journey_stage,
            answer_time,
            weight,
            external_id,
            dimensions,
            response_id: _,
            etag: _,
            create_time: _,
            update_time: _,
            withdraw_time: _,
            position: _,
            category: _,
            invitation,
        } = message;
        let customer = match customer {
            None => CustomerRef::Anonymous,
            Some(Customer::CustomerId(id)) => CustomerRef::Id(CustomerId(door.id("customer_id", &id))),
            Some(Customer::CustomerKey(key)) => CustomerRef::Key(door.inside("customer_key", |door| door.key(key))),
        };
        let disposition = parse_disposition(door, score, disposition);
        let dimensions = door.dimensions(dimensions);
        let kind = survey.map(survey::Model::kind).unwrap_or_default();
        if let Some(survey) = survey {
            let (lowest, highest) = scale(kind);
            if score.is_some_and(|score| !(lowest..=highest).contains(&score)) {
                let scale = format!("is not within {lowest} to {highest}, the scale of the survey `{}`", survey.name);
                door.refuse("score", "OUT_OF_RANGE", scale);
            }
            check_dimensions(door, survey, &dimensions);
        }
        let (invitation_id, invitation_key) = match invitation {
            None => (None, None),
            Some(Invitation::InvitationId(id)) => (Some(door.id("invitation_id", &id)), None),
            Some(Invitation::InvitationKey(key)) => (None, Some(door.inside("invitation_key", |door| door.key(key)))),
        };
        let key = door.optional_key("external_id", external_id);
        let (external_system, external_id) = key.map(|key| (key.system, key.value)).unzip();
        let row = Model {
            survey_id: SurveyId(survey.map(|survey| survey.id).unwrap_or_default()),
            customer_id: match customer {
                CustomerRef::Id(id) => Some(id),
                _ => None,
            },
            score,
            category: category(kind, score).into(),
            disposition: disposition.into(),
            comment: door.text("comment", comment, 10_000),
            language: door.language("language", language),
            channel: door.text("channel", channel, 64),
            touchpoint: door.text("touchpoint", touchpoint, 64),
            journey_stage: door.stage("journey_stage", journey_stage, stages),
            time: door.past_time("answer_time", answer_time),
            weight: parse_weight(door, weight),
            dimensions,
            external_system,
            external_id,
            actor,
            invitation_id,
            ..Model::default()
        };
        (row, customer, invitation_key)
    }

    fn fingerprint_with(&self, invitation: &Self::Context) -> Result<i64, Error> {
        match invitation {
            None => fingerprint::of(self),
            Some(key) => fingerprint::of(&(self, key)),
        }
    }

    fn imported(self) -> Self {
        Model { imported: true, ..self }
    }

    fn render(self, position: String) -> wire::Response {
        let Model {
            id,
            number: _,
            position: _,
            version,
            survey_id,
            customer_id,
            score,
            category,
            disposition,
            comment,
            language,
            channel,
            touchpoint,
            journey_stage,
            time,
            weight,
            dimensions,
            external_system,
            external_id,
            fingerprint: _,
            actor: _,
            create_time,
            update_time,
            withdraw_time,
            imported: _,
            invitation_id,
        } = self;
        let key = external_system.zip(external_id).map(|(system, value)| ExternalKey { system, value });
        wire::Response {
            response_id: id.to_string(),
            survey: Some(Survey::SurveyId(survey_id.to_string())),
            customer: customer_id.map(|id| Customer::CustomerId(id.to_string())),
            score,
            disposition,
            comment,
            language,
            channel,
            touchpoint,
            journey_stage,
            answer_time: Some(time.to_wire()),
            weight: Some(as_weight(weight)),
            external_id: key.map(|key| key.to_wire()),
            dimensions: dimensions.0,
            etag: version.to_string(),
            create_time: Some(create_time.to_wire()),
            update_time: Some(update_time.to_wire()),
            withdraw_time: withdraw_time.map(Micros::to_wire),
            position,
            category,
            invitation: invitation_id.map(|id| Invitation::InvitationId(id.to_string())),
        }
    }

    /// Who gives a score need not take back why there was none.
    fn leave_out_derived(shown: &mut wire::Response, patch: &wire::Response, mask: Option<&FieldMask>) {
        let names_score = mask
            .is_none_or(|mask| mask.paths.is_empty() || mask.paths.iter().any(|path| path == "score" || path == "*"));
        if names_score && patch.score.is_some() {
            shown.disposition = Disposition::Unspecified.into();
        }
    }

    fn check<'w>(
        write: &'w Write<'w>,
        _old: &'w Self,
        new: &'w mut Self,
        invitation: Self::Context,
    ) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(async move {
            let invited = Invited::by(write.db, [(&*new, &invitation)].into_iter()).await?;
            invited.answered_by(new, &invitation)
        })
    }

    fn amended(old: Self, new: Self) -> Self {
        let Model {
            survey_id,
            customer_id,
            score,
            category,
            disposition,
            comment,
            language,
            channel,
            touchpoint,
            journey_stage,
            time,
            weight,
            dimensions,
            invitation_id,
            id: _,
            number: _,
            position: _,
            version: _,
            external_system: _,
            external_id: _,
            fingerprint: _,
            actor: _,
            create_time: _,
            update_time: _,
            withdraw_time: _,
            imported: _,
        } = new;
        Model {
            survey_id,
            customer_id,
            score,
            category,
            disposition,
            comment,
            language,
            channel,
            touchpoint,
            journey_stage,
            time,
            weight,
            dimensions,
            invitation_id,
            ..old
        }
    }

    fn place(&self) -> PageToken {
        PageToken { key: self.time.0, id: self.id }
    }

    fn named(message: &wire::Response) -> (&str, &str) {
        (&message.response_id, &message.etag)
    }

    fn set_customer(&mut self, customer: Option<CustomerId>) {
        self.customer_id = customer;
    }
}

fn parse_disposition(door: &mut Door, score: Option<i32>, disposition: i32) -> Disposition {
    match (score, door.optional_choice("disposition", disposition)) {
        (None, Disposition::Unspecified) => Disposition::NoAnswer,
        (Some(_), given) if given != Disposition::Unspecified => {
            door.refuse("disposition", "NOT_TOGETHER", "goes with an answer without a score only");
            given
        }
        (_, given) => given,
    }
}

fn parse_weight(door: &mut Door, weight: Option<f64>) -> i64 {
    let weight = weight.unwrap_or(1.0);
    let trillionths = (weight * TRILLIONTHS).round();
    if !(trillionths >= 1.0 && weight <= MAX_WEIGHT) {
        door.refuse("weight", "OUT_OF_RANGE", "is not more than 0 and at most 1,000,000");
        return 0;
    }
    // At most 1e18, which a double and an i64 both hold.
    #[allow(clippy::cast_possible_truncation, reason = "checked above")]
    let trillionths = trillionths as i64;
    trillionths
}

#[allow(clippy::cast_precision_loss, reason = "the double that came in had no more digits")]
fn as_weight(trillionths: i64) -> f64 {
    trillionths as f64 / TRILLIONTHS
}

/// A response for watchers.
pub(crate) fn response_fact(row: Model) -> wire::Fact {
    let fact = match row.withdraw_time {
        Some(_) => fact::Fact::Tombstone(wire::Tombstone { kind: FactKind::Response.into() }),
        None => fact::Fact::Response(wire::ResponseFact {
            survey_id: row.survey_id.to_string(),
            customer_id: row.customer_id.map(|id| id.to_string()).unwrap_or_default(),
            score: row.score,
            disposition: row.disposition,
            language: row.language,
            channel: row.channel,
            touchpoint: row.touchpoint,
            journey_stage: row.journey_stage,
            time: Some(row.time.to_wire()),
            weight_trillionths: row.weight,
            dimensions: row.dimensions.0,
            imported: row.imported,
            invitation_id: row.invitation_id.map(|id| id.to_string()).unwrap_or_default(),
        }),
    };
    super::fact(row.id, row.number, row.version, row.update_time, fact)
}

/// The page and the filter of a list.
pub(crate) fn parse_list_responses(door: &mut Door, request: wire::ListResponsesRequest) -> (Page, Condition) {
    let wire::ListResponsesRequest {
        page_size,
        page_token,
        customer_id,
        start_time,
        end_time,
        show_withdrawn,
        survey_id,
        category,
    } = request;
    let page = door.page(page_size, &page_token);
    let id = |door: &mut Door, field, text: String| -> Option<Uuid> { door.optional_id(field, &text) };
    let category: Category = door.optional_choice("category", category);
    let (start, end) = door.optional_span(("start_time", start_time), ("end_time", end_time));
    let filter = Condition::all()
        .add_option(id(door, "customer_id", customer_id).map(|id| Column::CustomerId.eq(id)))
        .add_option(id(door, "survey_id", survey_id).map(|id| Column::SurveyId.eq(id)))
        .add_option(start.map(|at| Column::Time.gte(at)))
        .add_option(end.map(|at| Column::Time.lt(at)))
        .add_option((category != Category::Unspecified).then(|| Column::Category.eq(i32::from(category))))
        .add_option((!show_withdrawn).then(|| Column::WithdrawTime.is_null()));
    (page, filter)
}
