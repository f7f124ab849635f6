//! Cases: message ⇄ row.

use barometer_chassis::{
    clock::Micros,
    door::{Door, ExternalKey, Page, Stages},
};
use barometer_directory::{CustomerId, CustomerRef};
use barometer_proto::complaints::v1::{
    self as wire, FactKind,
    case::{Customer, State},
    fact,
};
use prost_types::Timestamp;
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use crate::case::{Column, Model};

/// The fields of a case that an amendment may set.
pub(crate) const AMENDABLE: [&str; 10] = [
    "customer_id",
    "customer_key",
    "subject",
    "description",
    "category",
    "product",
    "channel",
    "touchpoint",
    "journey_stage",
    "dimensions",
];

/// The most states that a filter names.
const MAX_STATES: usize = 16;

/// A new case, just received; when that was is left open when the caller did not say. Ids, positions and times are the
/// writer's.
pub(crate) fn parse_case(
    door: &mut Door,
    message: wire::Case,
    stages: &Stages,
    actor: String,
) -> (Model, CustomerRef, Option<Micros>) {
    let wire::Case {
        customer,
        subject,
        description,
        category,
        product,
        channel,
        touchpoint,
        journey_stage,
        open_time,
        employee,
        team,
        external_id,
        dimensions,
        case_id: _,
        state: _,
        acknowledge_time: _,
        first_response_time: _,
        first_resolve_time: _,
        resolve_time: _,
        close_time: _,
        reopenings: _,
        hand_offs: _,
        history: _,
        etag: _,
        create_time: _,
        update_time: _,
        withdraw_time: _,
        position: _,
    } = message;
    let customer = match customer {
        None => CustomerRef::Anonymous,
        Some(Customer::CustomerId(id)) => CustomerRef::Id(CustomerId(door.id("customer_id", &id))),
        Some(Customer::CustomerKey(key)) => CustomerRef::Key(door.inside("customer_key", |door| door.key(key))),
    };
    let open_time = open_time.map(|at| door.past_time("open_time", Some(at)));
    let key = door.optional_key("external_id", external_id);
    let (external_system, external_id) = key.map(|key| (key.system, key.value)).unzip();
    let row = Model {
        state: State::Received.into(),
        subject: door.text("subject", subject, 256),
        description: door.text("description", description, 10_000),
        category: door.text("category", category, 128),
        product: door.text("product", product, 128),
        channel: door.text("channel", channel, 64),
        touchpoint: door.text("touchpoint", touchpoint, 64),
        journey_stage: door.stage("journey_stage", journey_stage, stages),
        open_time: open_time.unwrap_or_default(),
        move_time: open_time.unwrap_or_default(),
        employee: door.text("employee", employee, 64),
        team: door.text("team", team, 64),
        dimensions: door.dimensions(dimensions),
        external_system,
        external_id,
        actor,
        ..Model::default()
    };
    (row, customer, open_time)
}

/// The instants of a case of the past, as the caller gave them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Past {
    /// When the customer was told that it came in.
    pub(crate) acknowledge: Option<Timestamp>,
    /// When the customer first got an answer.
    pub(crate) first_response: Option<Timestamp>,
    /// When it was resolved.
    pub(crate) resolve: Option<Timestamp>,
    /// When it was closed.
    pub(crate) close: Option<Timestamp>,
}

/// Brings a new case as far as it has come; one instant must not lie before another that came first.
pub(crate) fn parse_past(door: &mut Door, mut case: Model, past: Past) -> Model {
    let mut last = ("open_time", case.open_time);
    let mut next = |door: &mut Door, field: &'static str, at: Option<Timestamp>| {
        let at = door.past_time(field, Some(at?));
        // What was refused already is 0.
        if at < last.1 && at.0 != 0 {
            door.refuse(field, "TOO_EARLY", format!("lies before `{}`", last.0));
        }
        last = (field, at);
        Some(at)
    };
    case.acknowledge_time = next(door, "acknowledge_time", past.acknowledge);
    let responded = next(door, "first_response_time", past.first_response);
    case.resolve_time = next(door, "resolve_time", past.resolve);
    case.close_time = next(door, "close_time", past.close);
    case.move_time = last.1;
    if case.close_time.is_some() && case.resolve_time.is_none() {
        door.refuse("close_time", "NOT_RESOLVED", "goes with `resolve_time` only");
    }
    // Resolving answers the customer.
    case.first_response_time = responded.or(case.resolve_time);
    case.first_resolve_time = case.resolve_time;
    let state = match case {
        Model { close_time: Some(_), .. } => State::Closed,
        Model { resolve_time: Some(_), .. } => State::Resolved,
        Model { first_response_time: Some(_), .. } => State::InProgress,
        Model { acknowledge_time: Some(_), .. } => State::Acknowledged,
        _ => State::Received,
    };
    case.state = state.into();
    case
}

/// A case for callers, without its history.
pub(crate) fn render_case(row: Model, position: String) -> wire::Case {
    let Model {
        id,
        number: _,
        position: _,
        version,
        customer_id,
        state,
        subject,
        description,
        category,
        product,
        channel,
        touchpoint,
        journey_stage,
        open_time,
        employee,
        team,
        dimensions,
        acknowledge_time,
        first_response_time,
        first_resolve_time,
        resolve_time,
        close_time,
        move_time: _,
        reopenings,
        hand_offs,
        external_system,
        external_id,
        fingerprint: _,
        actor: _,
        create_time,
        update_time,
        withdraw_time,
    } = row;
    let key = external_system.zip(external_id).map(|(system, value)| ExternalKey { system, value });
    wire::Case {
        case_id: id.to_string(),
        customer: customer_id.map(|id| Customer::CustomerId(id.to_string())),
        state,
        subject,
        description,
        category,
        product,
        channel,
        touchpoint,
        journey_stage,
        open_time: Some(open_time.to_wire()),
        employee,
        team,
        external_id: key.map(|key| key.to_wire()),
        dimensions: dimensions.0,
        acknowledge_time: acknowledge_time.map(Micros::to_wire),
        first_response_time: first_response_time.map(Micros::to_wire),
        first_resolve_time: first_resolve_time.map(Micros::to_wire),
        resolve_time: resolve_time.map(Micros::to_wire),
        close_time: close_time.map(Micros::to_wire),
        reopenings,
        hand_offs,
        history: Vec::new(),
        etag: version.to_string(),
        create_time: Some(create_time.to_wire()),
        update_time: Some(update_time.to_wire()),
        withdraw_time: withdraw_time.map(Micros::to_wire),
        position,
    }
}

/// A case for watchers.
pub(crate) fn case_fact(row: Model) -> wire::Fact {
    let fact = match row.withdraw_time {
        Some(_) => fact::Fact::Tombstone(wire::Tombstone { kind: FactKind::Case.into() }),
        None => fact::Fact::Case(wire::CaseFact {
            customer_id: row.customer_id.map(|id| id.to_string()).unwrap_or_default(),
            state: row.state,
            category: row.category,
            product: row.product,
            channel: row.channel,
            touchpoint: row.touchpoint,
            journey_stage: row.journey_stage,
            employee: row.employee,
            team: row.team,
            open_time: Some(row.open_time.to_wire()),
            acknowledge_time: row.acknowledge_time.map(Micros::to_wire),
            first_response_time: row.first_response_time.map(Micros::to_wire),
            first_resolve_time: row.first_resolve_time.map(Micros::to_wire),
            resolve_time: row.resolve_time.map(Micros::to_wire),
            close_time: row.close_time.map(Micros::to_wire),
            reopenings: row.reopenings,
            hand_offs: row.hand_offs,
            dimensions: row.dimensions.0,
        }),
    };
    super::fact(row.id, row.number, row.version, fact)
}

/// The corrected row: what is said of the case is new, how it went stays.
pub(crate) fn amended(old: Model, new: Model) -> Model {
    let Model {
        customer_id,
        subject,
        description,
        category,
        product,
        channel,
        touchpoint,
        journey_stage,
        dimensions,
        id: _,
        number: _,
        position: _,
        version: _,
        state: _,
        open_time: _,
        employee: _,
        team: _,
        acknowledge_time: _,
        first_response_time: _,
        first_resolve_time: _,
        resolve_time: _,
        close_time: _,
        move_time: _,
        reopenings: _,
        hand_offs: _,
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
        subject,
        description,
        category,
        product,
        channel,
        touchpoint,
        journey_stage,
        dimensions,
        ..old
    }
}

/// The page and the filter of a list.
pub(crate) fn parse_list_cases(door: &mut Door, request: wire::ListCasesRequest) -> (Page, Condition) {
    let wire::ListCasesRequest {
        page_size,
        page_token,
        customer_id,
        start_time,
        end_time,
        show_withdrawn,
        states,
        employee,
        team,
    } = request;
    let page = door.page(page_size, &page_token);
    let customer: Option<Uuid> = door.optional_id("customer_id", &customer_id);
    let states = door.each("states", states, MAX_STATES, |door, state| i32::from(door.choice::<State>("", state)));
    let employee = door.text("employee", employee, 64);
    let team = door.text("team", team, 64);
    let filter = Condition::all()
        .add_option(customer.map(|id| Column::CustomerId.eq(id)))
        .add_option(door.optional_time("start_time", start_time).map(|at| Column::OpenTime.gte(at)))
        .add_option(door.optional_time("end_time", end_time).map(|at| Column::OpenTime.lt(at)))
        .add_option((!states.is_empty()).then(|| Column::State.is_in(states)))
        .add_option((!employee.is_empty()).then(|| Column::Employee.eq(employee)))
        .add_option((!team.is_empty()).then(|| Column::Team.eq(team)))
        .add_option((!show_withdrawn).then(|| Column::WithdrawTime.is_null()));
    (page, filter)
}
