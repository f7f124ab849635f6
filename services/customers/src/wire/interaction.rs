//! Interactions: message ⇄ row.

use barometer_chassis::{
    clock::Micros,
    door::{Door, PageToken, Stages, money},
};
use barometer_proto::customers::v1::{self as wire, Direction, FactKind, fact::Fact, interaction::Customer};

use crate::{
    customer::CustomerId,
    interaction::Model,
    noun::{Noun, columns, external_id, parse_customer},
    store::CustomerRef,
};

impl Noun for Model {
    type Wire = wire::Interaction;
    const FIELD: &'static str = "interaction";
    const ID_FIELD: &'static str = "interaction_id";
    const AMENDABLE: &'static [&'static str] = &[
        "customer_id",
        "customer_key",
        "time",
        "channel",
        "direction",
        "touchpoint",
        "journey_id",
        "session_id",
        "journey_stage",
        "landing_page",
        "exit_page",
        "campaign",
        "in_answer_to",
        "text",
        "handling_time",
        "cost",
        "employee",
        "team",
        "outcome",
        "dimensions",
    ];

    fn parse(door: &mut Door, message: wire::Interaction, stages: &Stages, actor: String) -> (Self, CustomerRef) {
        let wire::Interaction {
            customer,
            time,
            channel,
            direction,
            touchpoint,
            journey_id,
            session_id,
            journey_stage,
            landing_page,
            exit_page,
            campaign,
            in_answer_to,
            text,
            handling_time,
            cost,
            employee,
            team,
            outcome,
            external_id: key,
            dimensions,
            interaction_id: _,
            etag: _,
            create_time: _,
            update_time: _,
            withdraw_time: _,
            position: _,
        } = message;
        let customer = match customer {
            Some(Customer::CustomerId(id)) => parse_customer(door, Some(id), None),
            Some(Customer::CustomerKey(key)) => parse_customer(door, None, Some(key)),
            None => parse_customer(door, None, None),
        };
        let direction: Direction = door.choice("direction", direction);
        let (in_answer_to_system, in_answer_to_id) = columns(door.optional_key("in_answer_to", in_answer_to));
        let cost = door.optional_cost("cost", cost);
        let (external_system, external_key) = columns(door.optional_key("external_id", key));
        let row = Model {
            time: door.past_time("time", time),
            channel: door.required_text("channel", channel, 64),
            direction: direction.into(),
            touchpoint: door.text("touchpoint", touchpoint, 64),
            journey_id: door.text("journey_id", journey_id, 128),
            session_id: door.text("session_id", session_id, 128),
            journey_stage: door.stage("journey_stage", journey_stage, stages),
            landing_page: parse_page(door, "landing_page", landing_page),
            exit_page: parse_page(door, "exit_page", exit_page),
            campaign: door.text("campaign", campaign, 128),
            in_answer_to_system,
            in_answer_to_id,
            text: door.text("text", text, 10_000),
            handling_micros: parse_handling_time(door, handling_time),
            cost_currency: cost.map(|cost| cost.currency.as_str().to_owned()),
            cost: cost.map(|cost| cost.micros),
            employee: door.text("employee", employee, 64),
            team: door.text("team", team, 64),
            outcome: door.text("outcome", outcome, 64),
            dimensions: door.dimensions(dimensions),
            external_system,
            external_id: external_key,
            actor,
            ..Model::default()
        };
        (row, customer)
    }

    fn render(self, position: String) -> wire::Interaction {
        let Model {
            id,
            number: _,
            position: _,
            version,
            customer_id,
            time,
            channel,
            direction,
            touchpoint,
            journey_id,
            session_id,
            journey_stage,
            landing_page,
            exit_page,
            campaign,
            in_answer_to_system,
            in_answer_to_id,
            text,
            handling_micros,
            cost_currency,
            cost,
            employee,
            team,
            outcome,
            dimensions,
            external_system,
            external_id: external_key,
            fingerprint: _,
            actor: _,
            create_time,
            update_time,
            withdraw_time,
        } = self;
        wire::Interaction {
            interaction_id: id.to_string(),
            customer: Some(Customer::CustomerId(customer_id.to_string())),
            time: Some(time.to_wire()),
            channel,
            direction,
            touchpoint,
            journey_id,
            session_id,
            journey_stage,
            landing_page,
            exit_page,
            campaign,
            in_answer_to: external_id(in_answer_to_system, in_answer_to_id),
            text,
            handling_time: handling_micros.map(duration),
            cost: cost_currency.zip(cost).map(|(currency, micros)| money(&currency, micros)),
            employee,
            team,
            outcome,
            external_id: external_id(external_system, external_key),
            dimensions: dimensions.0,
            etag: version.to_string(),
            create_time: Some(create_time.to_wire()),
            update_time: Some(update_time.to_wire()),
            withdraw_time: withdraw_time.map(Micros::to_wire),
            position,
        }
    }

    fn amended(old: Self, new: Self) -> Self {
        let Model {
            customer_id,
            time,
            channel,
            direction,
            touchpoint,
            journey_id,
            session_id,
            journey_stage,
            landing_page,
            exit_page,
            campaign,
            in_answer_to_system,
            in_answer_to_id,
            text,
            handling_micros,
            cost_currency,
            cost,
            employee,
            team,
            outcome,
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
            customer_id,
            time,
            channel,
            direction,
            touchpoint,
            journey_id,
            session_id,
            journey_stage,
            landing_page,
            exit_page,
            campaign,
            in_answer_to_system,
            in_answer_to_id,
            text,
            handling_micros,
            cost_currency,
            cost,
            employee,
            team,
            outcome,
            dimensions,
            ..old
        }
    }

    fn place(&self) -> PageToken {
        PageToken { key: self.time.0, id: self.id }
    }

    fn named(message: &wire::Interaction) -> (&str, &str) {
        (&message.interaction_id, &message.etag)
    }

    fn set_customer(&mut self, customer: CustomerId) {
        self.customer_id = customer;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }
}

/// An interaction for watchers.
pub(crate) fn interaction_fact(row: Model) -> wire::Fact {
    let head = (row.id, row.number, row.version, row.update_time);
    super::fact(head, FactKind::Interaction, row.withdraw_time.is_some(), || {
        Fact::Interaction(wire::InteractionFact {
            customer_id: row.customer_id.to_string(),
            time: Some(row.time.to_wire()),
            channel: row.channel,
            direction: row.direction,
            touchpoint: row.touchpoint,
            journey_stage: row.journey_stage,
            landing_page: row.landing_page,
            exit_page: row.exit_page,
            campaign: row.campaign,
            handling_time: row.handling_micros.map(duration),
            cost: row.cost_currency.zip(row.cost).map(|(currency, micros)| money(&currency, micros)),
            employee: row.employee,
            team: row.team,
            outcome: row.outcome,
            dimensions: row.dimensions.0,
        })
    })
}

/// A page's path. Query and fragment are refused: they may hold personal data, and pages are in the feed.
fn parse_page(door: &mut Door, field: &str, page: String) -> String {
    if page.contains(['?', '#', '@']) {
        door.refuse(field, "NOT_A_PATH", "holds `?`, `#` or `@`: give the path alone");
    }
    door.text(field, page, 256)
}

/// Working time in microseconds.
fn parse_handling_time(door: &mut Door, time: Option<prost_types::Duration>) -> Option<i64> {
    let prost_types::Duration { seconds, nanos } = time?;
    let micros = seconds.checked_mul(Micros::SECOND).and_then(|micros| micros.checked_add(i64::from(nanos) / 1_000));
    let micros = micros.filter(|micros| (0..=30 * Micros::DAY).contains(micros) && nanos >= 0);
    if micros.is_none() {
        door.refuse("handling_time", "OUT_OF_RANGE", "is not within 0 to 30 days");
    }
    micros
}

fn duration(micros: i64) -> prost_types::Duration {
    let prost_types::Timestamp { seconds, nanos } = Micros(micros).to_wire();
    prost_types::Duration { seconds, nanos }
}
