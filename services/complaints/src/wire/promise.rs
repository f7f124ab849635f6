//! Promises: message ⇄ row.

use barometer_chassis::{
    clock::Micros,
    door::{Door, ExternalKey, Page},
};
use barometer_directory::{CustomerId, CustomerRef};
use barometer_proto::complaints::v1::{
    self as wire, fact,
    promise::{Customer, State},
};
use prost_types::Duration;
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use crate::{
    case::Holder,
    case_entry::CaseId,
    promise::{Column, Lead, Model},
    store,
};

/// The fields of a promise that an amendment may set.
pub(crate) const AMENDABLE_OF_PROMISES: [&str; 2] = ["description", "lead"];

/// What was promised, in so many characters.
const MAX_DESCRIPTION: usize = 2_000;
/// The longest lead.
const MAX_LEAD: i64 = 366 * Micros::DAY;
/// The most values that a filter names of each kind.
const MAX_VALUES: usize = 16;

/// A promise that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewPromise {
    /// As it is made; how it goes is the writer's.
    pub(crate) row: Model,
    /// To whom.
    pub(crate) customer: CustomerRef,
    /// When it was made, if the caller says so.
    pub(crate) make_time: Option<Micros>,
    /// How long before its due time it is due soon, if the caller says so.
    pub(crate) lead: Option<i64>,
}

/// A new promise.
pub(crate) fn parse_promise(door: &mut Door, message: wire::Promise, lead: Lead, actor: String) -> NewPromise {
    let wire::Promise {
        case_id,
        customer,
        description,
        due_time,
        employee,
        team,
        make_time,
        lead: own_lead,
        external_id,
        promise_id: _,
        state: _,
        original_due_time: _,
        moves: _,
        due_soon_time: _,
        keep_time: _,
        break_time: _,
        withdraw_time: _,
        etag: _,
        create_time: _,
        update_time: _,
        position: _,
        policy_name: _,
        policy_set_version: _,
        due_employee: _,
        due_team: _,
    } = message;
    let case: Option<Uuid> = door.optional_id("case_id", &case_id);
    let customer = parse_customer(door, customer, !case_id.is_empty());
    let (employee, team) = (door.text("employee", employee, 64), door.text("team", team, 64));
    if case_id.is_empty() && employee.is_empty() && team.is_empty() {
        door.refuse("employee", "REQUIRED", "or `team` is required of a promise that stands alone");
    }
    let make_time = make_time.map(|at| door.past_time("make_time", Some(at)));
    let own_lead = parse_lead(door, own_lead);
    let key = door.optional_key("external_id", external_id);
    let (external_system, external_id) = key.map(|key| (key.system, key.value)).unzip();
    let row = Model {
        case_id: case.map(CaseId),
        description: door.required_text("description", description, MAX_DESCRIPTION),
        due_time: door.time("due_time", due_time),
        employee,
        team,
        make_time: make_time.unwrap_or_default(),
        lead: own_lead.unwrap_or(lead.0),
        external_system,
        external_id,
        actor,
        ..Model::default()
    };
    NewPromise { row, customer, make_time, lead: own_lead }
}

/// What an amendment makes of a promise: what was promised, and its lead in microseconds. What it leaves as it is need not be
/// what would be taken today: an erased promise says nothing.
pub(crate) fn parse_amendment(
    door: &mut Door,
    amended: wire::Promise,
    kept: Option<&str>,
    lead: Lead,
) -> (String, i64) {
    let description = match kept.filter(|kept| *kept == amended.description) {
        Some(kept) => kept.to_owned(),
        None => door.required_text("description", amended.description, MAX_DESCRIPTION),
    };
    (description, parse_lead(door, amended.lead).unwrap_or(lead.0))
}

/// To whom a promise is made: to the customer of its case, or to whom it names.
fn parse_customer(door: &mut Door, customer: Option<Customer>, in_case: bool) -> CustomerRef {
    match customer {
        Some(_) if in_case => {
            door.refuse("customer_id", "OF_THE_CASE", "is the case's: name no other");
            CustomerRef::Anonymous
        }
        None if in_case => CustomerRef::Anonymous,
        None => {
            door.refuse("customer_id", "REQUIRED", "or `customer_key` is required of a promise that stands alone");
            CustomerRef::Anonymous
        }
        Some(Customer::CustomerId(id)) => CustomerRef::Id(CustomerId(door.id("customer_id", &id))),
        Some(Customer::CustomerKey(key)) => CustomerRef::Key(door.inside("customer_key", |door| door.key(key))),
    }
}

/// A lead in microseconds, or none.
fn parse_lead(door: &mut Door, lead: Option<Duration>) -> Option<i64> {
    let Duration { seconds, nanos } = lead?;
    let micros = seconds.checked_mul(Micros::SECOND).and_then(|micros| micros.checked_add(i64::from(nanos / 1_000)));
    let micros = micros.filter(|micros| nanos >= 0 && (0..=MAX_LEAD).contains(micros));
    if micros.is_none() {
        door.refuse("lead", "OUT_OF_RANGE", "is not 0 to 366 days");
    }
    micros
}

/// A promise for callers.
pub(crate) fn render_promise(row: Model, position: String) -> wire::Promise {
    let Model {
        id,
        number: _,
        position: _,
        version,
        case_id,
        customer_id,
        description,
        employee,
        team,
        make_time,
        due_time,
        lead,
        original_due_time,
        moves,
        state,
        notice_time: _,
        due_soon_time,
        next_time: _,
        keep_time,
        break_time,
        due_employee,
        due_team,
        run_time: _,
        policy_set_version,
        policy_name,
        calendar_id: _,
        calendar_version: _,
        external_system,
        external_id,
        fingerprint: _,
        actor: _,
        create_time,
        update_time,
        withdraw_time,
    } = row;
    let key = external_system.zip(external_id).map(|(system, value)| ExternalKey { system, value });
    wire::Promise {
        promise_id: id.to_string(),
        case_id: case_id.map(|id| id.to_string()).unwrap_or_default(),
        customer: customer_id.map(|id| Customer::CustomerId(id.to_string())),
        description,
        due_time: Some(due_time.to_wire()),
        employee,
        team,
        make_time: Some(make_time.to_wire()),
        lead: Some(render_lead(lead)),
        external_id: key.map(|key| key.to_wire()),
        state,
        original_due_time: Some(original_due_time.to_wire()),
        moves,
        due_soon_time: due_soon_time.map(Micros::to_wire),
        keep_time: keep_time.map(Micros::to_wire),
        break_time: break_time.map(Micros::to_wire),
        withdraw_time: withdraw_time.map(Micros::to_wire),
        etag: version.to_string(),
        create_time: Some(create_time.to_wire()),
        update_time: Some(update_time.to_wire()),
        position,
        policy_name,
        policy_set_version,
        due_employee: due_employee.unwrap_or_default(),
        due_team: due_team.unwrap_or_default(),
    }
}

fn render_lead(micros: i64) -> Duration {
    let nanos = i32::try_from(micros % Micros::SECOND * 1_000).unwrap_or_default();
    Duration { seconds: micros / Micros::SECOND, nanos }
}

/// A promise for watchers.
pub(crate) fn promise_fact(row: Model) -> wire::Fact {
    let Holder { employee, team } = row.answered();
    let promise = wire::PromiseFact {
        case_id: row.case_id.map(|id| id.to_string()).unwrap_or_default(),
        customer_id: row.customer_id.map(|id| id.to_string()).unwrap_or_default(),
        state: row.state,
        employee,
        team,
        make_time: Some(row.make_time.to_wire()),
        due_time: Some(row.due_time.to_wire()),
        original_due_time: Some(row.original_due_time.to_wire()),
        moves: row.moves,
        due_soon_time: row.due_soon_time.map(Micros::to_wire),
        keep_time: row.keep_time.map(Micros::to_wire),
        break_time: row.break_time.map(Micros::to_wire),
    };
    super::fact(row.id, row.number, row.version, row.update_time, fact::Fact::Promise(promise))
}

/// The page and the filter of a list.
pub(crate) fn parse_list_promises(door: &mut Door, request: wire::ListPromisesRequest) -> (Page, Condition) {
    let wire::ListPromisesRequest { page_size, page_token, customer_id, case_id, employee, team, states, due_before } =
        request;
    let page = door.page(page_size, &page_token);
    let customer: Option<Uuid> = door.optional_id("customer_id", &customer_id);
    let case: Option<Uuid> = door.optional_id("case_id", &case_id);
    let (employee, team) = (door.text("employee", employee, 64), door.text("team", team, 64));
    let states: Vec<i32> =
        door.each("states", states, MAX_VALUES, |door, state| door.choice::<State>("", state).into());
    let filter = Condition::all()
        .add_option(customer.map(|id| Column::CustomerId.eq(id)))
        .add_option(case.map(|id| Column::CaseId.eq(id)))
        .add_option((!employee.is_empty()).then(|| Column::Employee.eq(employee)))
        .add_option((!team.is_empty()).then(|| Column::Team.eq(team)))
        .add_option(door.optional_time("due_before", due_before).map(|at| Column::DueTime.lt(at)))
        .add(if states.is_empty() {
            store::not_withdrawn()
        } else {
            Condition::all().add(Column::State.is_in(states))
        });
    (page, filter)
}
