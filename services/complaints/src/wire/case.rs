//! Cases: message ⇄ row.

use barometer_chassis::{
    clock::Micros,
    door::{Door, ExternalKey, Stages},
};
use barometer_directory::{CustomerId, CustomerRef};
use barometer_proto::complaints::v1::{
    self as wire, CaseKind, FactKind, Remedy, Severity,
    case::{Customer, State},
    fact,
};

use super::attachment::{parse_attachments, render_attachments};
use crate::case::{Category, Model, PriorityTable, Tags, UNKNOWN_BAND};

/// The fields of a case that an amendment may set.
pub(crate) const AMENDABLE: [&str; 14] = [
    "customer_id",
    "customer_key",
    "subject",
    "description",
    "kind",
    "severity",
    "category",
    "product",
    "channel",
    "touchpoint",
    "journey_stage",
    "remedy_sought",
    "tags",
    "dimensions",
];

/// The most tags of a case.
const MAX_TAGS: usize = 32;

/// A new case, just received; when that was is left open when the caller did not say. Ids, positions and times are the
/// writer's.
pub(crate) fn parse_case(
    door: &mut Door,
    message: wire::Case,
    stages: &Stages,
    priorities: &PriorityTable,
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
        kind,
        severity,
        remedy_sought,
        tags,
        attachments,
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
        priority: _,
        priority_overridden: _,
        value_band: _,
        cancel_time: _,
        self_served: _,
        reception: _,
        policy_name: _,
        policy_set_version: _,
        clocks: _,
    } = message;
    let customer = match customer {
        None => CustomerRef::Anonymous,
        Some(Customer::CustomerId(id)) => CustomerRef::Id(CustomerId(door.id("customer_id", &id))),
        Some(Customer::CustomerKey(key)) => CustomerRef::Key(door.inside("customer_key", |door| door.key(key))),
    };
    let open_time = open_time.map(|at| door.past_time("open_time", Some(at)));
    let key = door.optional_key("external_id", external_id);
    let (external_system, external_id) = key.map(|key| (key.system, key.value)).unzip();
    let mut row = Model {
        state: State::Received.into(),
        subject: door.text("subject", subject, 256),
        description: door.text("description", description, 10_000),
        category: parse_category(door, category),
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
        kind: i32::from(or(door.optional_choice("kind", kind), CaseKind::Complaint)),
        severity: i32::from(or(door.optional_choice("severity", severity), Severity::Medium)),
        value_band: UNKNOWN_BAND.to_owned(),
        remedy_sought: i32::from(door.optional_choice::<Remedy>("remedy_sought", remedy_sought)),
        tags: Tags::new(door.each("tags", tags, MAX_TAGS, |door, tag| door.required_text("", tag, 64))),
        attachments: parse_attachments(door, attachments),
        ..Model::default()
    };
    row.priority = priorities.of(&row).into();
    (row, customer, open_time)
}

/// A value of an enum, or what is meant when none is given.
fn or<E: Default + PartialEq>(given: E, otherwise: E) -> E {
    if given == E::default() { otherwise } else { given }
}

/// A path in the tree of categories.
fn parse_category(door: &mut Door, category: String) -> String {
    if Category::parse(&category).is_none() {
        door.refuse(
            "category",
            "NOT_A_PATH",
            "is no path of at most 8 parts such as `delivery/late`, none of them empty",
        );
    }
    door.text("category", category, 128)
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
        kind,
        severity,
        priority,
        priority_overridden,
        value_band,
        remedy_sought,
        tags,
        attachments,
        cancel_time,
        self_served,
        policy_set_version,
        policy_name,
        calendar_id: _,
        calendar_version: _,
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
        kind,
        severity,
        priority,
        priority_overridden,
        value_band,
        remedy_sought,
        tags: tags.into_words(),
        attachments: render_attachments(attachments),
        cancel_time: cancel_time.map(Micros::to_wire),
        self_served,
        reception: None,
        policy_name,
        policy_set_version,
        clocks: Vec::new(),
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
            kind: row.kind,
            severity: row.severity,
            priority: row.priority,
            value_band: row.value_band,
            remedy_sought: row.remedy_sought,
            cancel_time: row.cancel_time.map(Micros::to_wire),
            self_served: row.self_served,
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
        kind,
        severity,
        remedy_sought,
        tags,
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
        priority: _,
        priority_overridden: _,
        value_band: _,
        attachments: _,
        cancel_time: _,
        self_served: _,
        policy_set_version: _,
        policy_name: _,
        calendar_id: _,
        calendar_version: _,
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
        kind,
        severity,
        remedy_sought,
        tags,
        ..old
    }
}
