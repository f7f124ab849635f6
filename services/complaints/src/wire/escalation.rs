//! Escalations: row → message.

use barometer_chassis::door::{Door, Page};
use barometer_proto::complaints::v1::{self as wire, fact};
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use crate::{
    case_entry::CaseId,
    escalation::{Column, Model},
};

/// The page and the filter of a list.
pub(crate) fn parse_list_escalations(door: &mut Door, request: wire::ListEscalationsRequest) -> (Page, Condition) {
    let wire::ListEscalationsRequest { page_size, page_token, case_id, start_time, end_time, promise_id } = request;
    let page = door.page(page_size, &page_token);
    let (start, end) = door.optional_span(("start_time", start_time), ("end_time", end_time));
    let filter = Condition::all()
        .add_option(door.optional_id("case_id", &case_id).map(|id| Column::CaseId.eq(CaseId(id))))
        .add_option(door.optional_id("promise_id", &promise_id).map(|id: Uuid| Column::PromiseId.eq(id)))
        .add_option(start.map(|at| Column::FireTime.gte(at)))
        .add_option(end.map(|at| Column::FireTime.lt(at)));
    (page, filter)
}

/// An escalation for callers.
pub(crate) fn render_escalation(row: Model, position: String) -> wire::Escalation {
    let (late, case) = (row.is_late(), row.case());
    let Model {
        id,
        position: _,
        case_id: _,
        case_number: _,
        subject_id: _,
        promise_id,
        promise_number: _,
        kind,
        instance,
        step,
        repetition,
        missed,
        time,
        fire_time,
        policy_name,
        policy_set_version,
        priority,
        previous_priority,
        employee,
        team,
        previous_employee,
        previous_team,
        notified,
        create_time: _,
    } = row;
    wire::Escalation {
        escalation_id: id.to_string(),
        case_id: case.map(|id| id.to_string()).unwrap_or_default(),
        kind,
        instance,
        step,
        repetition,
        missed,
        time: Some(time.to_wire()),
        fire_time: Some(fire_time.to_wire()),
        late,
        policy_name,
        policy_set_version,
        priority,
        previous_priority,
        employee,
        team,
        previous_employee,
        previous_team,
        notified: notified.0,
        position,
        promise_id: promise_id.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// An escalation for watchers. It never changes.
pub(crate) fn escalation_fact(row: Model) -> wire::Fact {
    let late = row.is_late();
    let (id, number) = (row.id, row.position);
    let escalation = wire::EscalationFact {
        case_id: row.case().map(|id| id.to_string()).unwrap_or_default(),
        case_number: row.case_number,
        kind: row.kind,
        instance: row.instance,
        step: row.step,
        repetition: row.repetition,
        missed: row.missed,
        time: Some(row.time.to_wire()),
        fire_time: Some(row.fire_time.to_wire()),
        late,
        policy_name: row.policy_name,
        policy_set_version: row.policy_set_version,
        priority: row.priority,
        previous_priority: row.previous_priority,
        employee: row.employee,
        team: row.team,
        notified: row.notified.0,
        promise_id: row.promise_id.map(|id| id.to_string()).unwrap_or_default(),
        promise_number: row.promise_number,
    };
    super::fact(id, number, 1, row.create_time, fact::Fact::Escalation(escalation))
}
