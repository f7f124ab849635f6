//! Queues, claims and workloads: message ⇄ row.

use barometer_chassis::{
    clock::Micros,
    door::{Door, NamedPage},
};
use barometer_proto::complaints::v1::{self as wire, fact};
use prost_types::Timestamp;
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use crate::{
    claim::{Column, Model},
    store::{Asked, Queued, Span, Workload},
};

/// The longest time that is soon: 31 days, in seconds.
const LONGEST_SOON: i32 = 31 * 86_400;
/// The longest period of hand-offs, in microseconds.
const LONGEST_SPAN: i64 = 366 * Micros::DAY;
/// How much of the past is told unless asked otherwise.
const USUAL_SPAN: i64 = 7 * Micros::DAY;

/// What is asked for with a claim.
pub(crate) fn parse_asked(door: &mut Door, request: wire::ClaimNextRequest, limit: u32) -> Asked {
    let wire::ClaimNextRequest { team, employee, lease_seconds, request_id: _ } = request;
    let lease = bounded(door, "lease_seconds", lease_seconds, 300, 1..=3_600);
    Asked {
        team: door.text("team", team, 64),
        employee: door.required_text("employee", employee, 64),
        lease_micros: i64::from(lease) * Micros::SECOND,
        limit,
    }
}

/// For how long something is due soon, in microseconds.
pub(crate) fn parse_soon(door: &mut Door, seconds: i32) -> i64 {
    i64::from(bounded(door, "within_seconds", seconds, 3_600, 1..=LONGEST_SOON)) * Micros::SECOND
}

/// How many cases of a queue are watched.
pub(crate) fn parse_watched(door: &mut Door, max_cases: i32) -> u64 {
    u64::from(bounded(door, "max_cases", max_cases, 50, 1..=200).unsigned_abs())
}

/// What is asked of workloads, and the page.
pub(crate) fn parse_workloads(
    door: &mut Door,
    (page_size, page_token): (i32, &str),
    within_seconds: i32,
    (start_time, end_time): (Option<Timestamp>, Option<Timestamp>),
) -> (NamedPage, Span) {
    let page = door.named_page(page_size, page_token);
    let (now, soon) = (door.now(), parse_soon(door, within_seconds));
    let until = door.optional_time("end_time", end_time).unwrap_or(now);
    let from = door.optional_time("start_time", start_time).unwrap_or(Micros(until.0.saturating_sub(USUAL_SPAN)));
    if from > until {
        door.refuse("start_time", "OUT_OF_ORDER", "lies after `end_time`");
    } else if until.0.saturating_sub(from.0) > LONGEST_SPAN {
        door.refuse("start_time", "OUT_OF_RANGE", "lies more than 366 days before `end_time`");
    }
    (page, Span { soon: Micros(now.0 + soon), now, from, until })
}

/// The filter of a list of claims.
pub(crate) fn parse_claims(
    door: &mut Door,
    (employee, team): (String, String),
    case_id: &str,
    running: bool,
) -> Condition {
    let (employee, team) = (door.text("employee", employee, 64), door.text("team", team, 64));
    let case: Option<Uuid> = door.optional_id("case_id", case_id);
    let runs = Condition::all().add(Column::EndTime.is_null()).add(Column::LeaseTime.gt(door.now()));
    Condition::all()
        .add_option((!employee.is_empty()).then(|| Column::Employee.eq(employee)))
        .add_option((!team.is_empty()).then(|| Column::Team.eq(team)))
        .add_option(case.map(|id| Column::CaseId.eq(id)))
        .add_option(running.then_some(runs))
}

/// A claim for callers.
pub(crate) fn render_claim(row: Model, position: String) -> wire::Claim {
    let Model {
        id,
        number: _,
        position: _,
        version,
        case_id,
        case_number: _,
        employee,
        team,
        start_time,
        heartbeat_time,
        lease_micros: _,
        lease_time,
        end_time,
        end,
        handling_micros,
        actor: _,
        update_time: _,
    } = row;
    wire::Claim {
        claim_id: id.to_string(),
        case_id: case_id.to_string(),
        employee,
        team,
        start_time: Some(start_time.to_wire()),
        lease_time: Some(lease_time.to_wire()),
        heartbeat_time: Some(heartbeat_time.to_wire()),
        end_time: end_time.map(Micros::to_wire),
        end,
        handling_micros,
        etag: version.to_string(),
        position,
    }
}

/// A claim for watchers.
pub(crate) fn claim_fact(row: Model) -> wire::Fact {
    let fact = wire::ClaimFact {
        case_id: row.case_id.to_string(),
        case_number: row.case_number,
        employee: row.employee,
        team: row.team,
        start_time: Some(row.start_time.to_wire()),
        end_time: row.end_time.map(Micros::to_wire),
        end: row.end,
        handling_micros: row.handling_micros,
    };
    super::fact(row.id, row.number, row.version, row.update_time, fact::Fact::Claim(fact))
}

/// A case in its queue.
pub(crate) fn render_queued(case: Queued) -> wire::QueuedCase {
    let Queued {
        id,
        urgency,
        due_time,
        due_clock,
        state,
        kind,
        severity,
        priority,
        value_band,
        category,
        product,
        employee,
        claimed,
        open_time,
    } = case;
    wire::QueuedCase {
        case_id: id.to_string(),
        urgency_time: Some(urgency.to_wire()),
        due_time: due_time.map(Micros::to_wire),
        due_clock: due_clock.unwrap_or_default(),
        state,
        kind,
        severity,
        priority,
        value_band,
        category,
        product,
        employee,
        claimed,
        open_time: Some(open_time.to_wire()),
    }
}

/// What somebody has to do.
pub(crate) fn render_workload(load: Workload) -> wire::Workload {
    let Workload { name, open, claimed, overdue, due_soon, hand_offs_in, hand_offs_out } = load;
    wire::Workload { name, open, claimed, overdue, due_soon, hand_offs_in, hand_offs_out }
}

/// A number within bounds; `usual` when it is 0.
fn bounded(door: &mut Door, field: &str, number: i32, usual: i32, bounds: std::ops::RangeInclusive<i32>) -> i32 {
    if number == 0 {
        return usual;
    }
    if !bounds.contains(&number) {
        door.refuse(field, "OUT_OF_RANGE", format!("is not within {} to {}", bounds.start(), bounds.end()));
        return usual;
    }
    number
}
