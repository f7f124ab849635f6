//! Invitations: message ⇄ row.

use barometer_chassis::{
    clock::Micros,
    door::{Door, ExternalKey, Page, PageToken, Stages},
    error::Error,
    writer::Write,
};
use barometer_directory::{CustomerId, CustomerRef};
use barometer_proto::{
    common::v1::ExternalId,
    surveys::v1::{
        self as wire, FactKind, InvitationOutcome, fact,
        invitation::{Customer, Survey},
    },
};
use futures_util::future::BoxFuture;
use sea_orm::{ColumnTrait, Condition, DatabaseConnection};
use uuid::Uuid;

use super::{check_dimensions, parse_survey_ref};
use crate::{
    invitation::{Column, DEFAULT_LIFE, Model},
    noun::{Noun, Parsed},
    store::{self, SurveyRef},
    survey::{self, SurveyId},
};

/// Nobody is reminded more often.
const MAX_REMINDERS: i32 = 100;

impl Noun for Model {
    type Wire = wire::Invitation;
    const FIELD: &'static str = "invitation";
    const ID_FIELD: &'static str = "invitation_id";
    const AMENDABLE: &'static [&'static str] = &[
        "survey_id",
        "survey_name",
        "customer_id",
        "customer_key",
        "send_time",
        "deliver_time",
        "open_time",
        "begin_time",
        "expire_time",
        "reminders",
        "told_outcome",
        "channel",
        "touchpoint",
        "journey_stage",
        "language",
        "dimensions",
    ];

    fn survey(door: &mut Door, message: &wire::Invitation) -> Option<SurveyRef> {
        parse_survey_ref(
            door,
            message.survey.as_ref().map(|survey| match survey {
                Survey::SurveyId(id) => Ok(id.as_str()),
                Survey::SurveyName(name) => Err(name.as_str()),
            }),
        )
    }

    fn customer_key(message: &wire::Invitation) -> Option<&ExternalId> {
        match &message.customer {
            Some(Customer::CustomerKey(key)) => Some(key),
            Some(Customer::CustomerId(_)) | None => None,
        }
    }

    fn parse(
        door: &mut Door,
        message: wire::Invitation,
        survey: Option<&survey::Model>,
        stages: &Stages,
        actor: String,
    ) -> Parsed<Self> {
        let wire::Invitation {
            survey: _,
            customer,
            send_time,
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
            external_id,
            dimensions,
            invitation_id: _,
            etag: _,
            create_time: _,
            update_time: _,
            withdraw_time: _,
            position: _,
            response_id: _,
            outcome: _,
        } = message;
        let customer = match customer {
            None => CustomerRef::Anonymous,
            Some(Customer::CustomerId(id)) => CustomerRef::Id(CustomerId(door.id("customer_id", &id))),
            Some(Customer::CustomerKey(key)) => CustomerRef::Key(door.inside("customer_key", |door| door.key(key))),
        };
        let time = door.past_time("send_time", send_time);
        let mut later = |field, at| {
            let at = door.optional_time(field, at)?;
            if at < time {
                door.refuse(field, "OUT_OF_ORDER", "lies before `send_time`");
            }
            Some(at)
        };
        let deliver_time = later("deliver_time", deliver_time);
        let open_time = later("open_time", open_time);
        let begin_time = later("begin_time", begin_time);
        let expire_time = door.optional_time("expire_time", expire_time);
        if expire_time.is_some_and(|at| at <= time) {
            door.refuse("expire_time", "OUT_OF_ORDER", "does not lie after `send_time`");
        }
        if !(0..=MAX_REMINDERS).contains(&reminders) {
            door.refuse("reminders", "OUT_OF_RANGE", format!("is not within 0 to {MAX_REMINDERS}"));
        }
        let told_outcome: InvitationOutcome = door.optional_choice("told_outcome", told_outcome);
        let dimensions = door.dimensions(dimensions);
        if let Some(survey) = survey {
            check_dimensions(door, survey, &dimensions);
        }
        let key = door.optional_key("external_id", external_id);
        let (external_system, external_id) = key.map(|key| (key.system, key.value)).unzip();
        let row = Model {
            survey_id: SurveyId(survey.map(|survey| survey.id).unwrap_or_default()),
            customer_id: match customer {
                CustomerRef::Id(id) => Some(id),
                _ => None,
            },
            time,
            deliver_time,
            open_time,
            begin_time,
            expire_time: expire_time.unwrap_or(Micros(time.0.saturating_add(DEFAULT_LIFE))),
            reminders,
            told_outcome: told_outcome.into(),
            channel: door.text("channel", channel, 64),
            touchpoint: door.text("touchpoint", touchpoint, 64),
            journey_stage: door.stage("journey_stage", journey_stage, stages),
            language: door.language("language", language),
            dimensions,
            external_system,
            external_id,
            actor,
            ..Model::default()
        };
        (row, customer, ())
    }

    fn render(self, position: String) -> wire::Invitation {
        // What came of it as far as this row knows; `complete` adds the answer.
        let outcome = self.outcome(None, Micros::now());
        let Model {
            id,
            number: _,
            position: _,
            version,
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
            external_system,
            external_id,
            fingerprint: _,
            actor: _,
            create_time,
            update_time,
            withdraw_time,
        } = self;
        let key = external_system.zip(external_id).map(|(system, value)| ExternalKey { system, value });
        wire::Invitation {
            invitation_id: id.to_string(),
            survey: Some(Survey::SurveyId(survey_id.to_string())),
            customer: customer_id.map(|id| Customer::CustomerId(id.to_string())),
            send_time: Some(time.to_wire()),
            deliver_time: deliver_time.map(Micros::to_wire),
            open_time: open_time.map(Micros::to_wire),
            begin_time: begin_time.map(Micros::to_wire),
            expire_time: Some(expire_time.to_wire()),
            reminders,
            told_outcome,
            channel,
            touchpoint,
            journey_stage,
            language,
            external_id: key.map(|key| key.to_wire()),
            dimensions: dimensions.0,
            etag: version.to_string(),
            create_time: Some(create_time.to_wire()),
            update_time: Some(update_time.to_wire()),
            withdraw_time: withdraw_time.map(Micros::to_wire),
            position,
            response_id: String::new(),
            outcome: outcome.into(),
        }
    }

    fn complete<'d>(
        db: &'d DatabaseConnection,
        messages: &'d mut [wire::Invitation],
    ) -> BoxFuture<'d, Result<(), Error>> {
        Box::pin(async move {
            let ids = messages.iter().filter_map(|message| Uuid::parse_str(&message.invitation_id).ok()).collect();
            let answers = store::answers(db, ids).await?;
            for message in messages {
                let answer = Uuid::parse_str(&message.invitation_id).ok().and_then(|id| answers.get(&id));
                let Some(answer) = answer else { continue };
                message.response_id = answer.id.to_string();
                message.outcome = Model { told_outcome: message.told_outcome, ..Model::default() }
                    .outcome(Some(answer), Micros::now())
                    .into();
            }
            Ok(())
        })
    }

    fn check<'w>(
        write: &'w Write<'w>,
        old: &'w Self,
        new: &'w mut Self,
        (): Self::Context,
    ) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(async move {
            let moved = old.survey_id != new.survey_id || old.customer_id != new.customer_id;
            if moved && store::has_answer(write.db, old.id).await? {
                let message = "an answer follows the invitation: its survey and its customer stay".to_owned();
                return Err(Error::State { reason: "ANSWERED", message });
            }
            Ok(())
        })
    }

    fn amended(old: Self, new: Self) -> Self {
        let Model {
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
        } = new;
        Model {
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
            ..old
        }
    }

    fn place(&self) -> PageToken {
        PageToken { key: self.time.0, id: self.id }
    }

    fn named(message: &wire::Invitation) -> (&str, &str) {
        (&message.invitation_id, &message.etag)
    }

    fn set_customer(&mut self, customer: Option<CustomerId>) {
        self.customer_id = customer;
    }
}

/// An invitation for watchers.
pub(crate) fn invitation_fact(row: Model) -> wire::Fact {
    let fact = match row.withdraw_time {
        Some(_) => fact::Fact::Tombstone(wire::Tombstone { kind: FactKind::Invitation.into() }),
        None => fact::Fact::Invitation(wire::InvitationFact {
            survey_id: row.survey_id.to_string(),
            customer_id: row.customer_id.map(|id| id.to_string()).unwrap_or_default(),
            time: Some(row.time.to_wire()),
            deliver_time: row.deliver_time.map(Micros::to_wire),
            open_time: row.open_time.map(Micros::to_wire),
            begin_time: row.begin_time.map(Micros::to_wire),
            expire_time: Some(row.expire_time.to_wire()),
            reminders: row.reminders,
            told_outcome: row.told_outcome,
            channel: row.channel,
            touchpoint: row.touchpoint,
            journey_stage: row.journey_stage,
            language: row.language,
            dimensions: row.dimensions.0,
        }),
    };
    super::fact(row.id, row.number, row.version, row.update_time, fact)
}

/// The page and the filter of a list.
pub(crate) fn parse_list_invitations(door: &mut Door, request: wire::ListInvitationsRequest) -> (Page, Condition) {
    let wire::ListInvitationsRequest {
        page_size,
        page_token,
        customer_id,
        start_time,
        end_time,
        show_withdrawn,
        survey_id,
        outcome,
    } = request;
    let page = door.page(page_size, &page_token);
    let customer = door.optional_id("customer_id", &customer_id);
    let survey = door.optional_id("survey_id", &survey_id);
    let outcome: InvitationOutcome = door.optional_choice("outcome", outcome);
    let (start, end) = door.optional_span(("start_time", start_time), ("end_time", end_time));
    let came = (outcome != InvitationOutcome::Unspecified).then(|| store::came_of(outcome, door.now()));
    let filter = Condition::all()
        .add_option(customer.map(|id| Column::CustomerId.eq(id)))
        .add_option(survey.map(|id| Column::SurveyId.eq(id)))
        .add_option(start.map(|at| Column::Time.gte(at)))
        .add_option(end.map(|at| Column::Time.lt(at)))
        .add_option(came)
        .add_option((!show_withdrawn).then(|| Column::WithdrawTime.is_null()));
    (page, filter)
}
