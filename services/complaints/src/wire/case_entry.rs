//! Case entries: row → message.

use barometer_proto::complaints::v1::{self as wire, Acceptance, fact};

use super::{attachment::render_attachments, outcome::render_outcome};
use crate::{case::Rebase, case_entry::Model};

/// An entry for callers.
pub(crate) fn render_entry(row: Model) -> wire::CaseEntry {
    let Model {
        id,
        position: _,
        case_id,
        case_number: _,
        entry_type,
        time,
        actor,
        text,
        state,
        employee,
        team,
        previous_employee: _,
        previous_team: _,
        create_time,
        reply,
        needs_no_answer,
        priority,
        previous_priority,
        attachments,
        other_case_id,
        link,
        outcome,
        accepted,
        satisfaction,
        promise_id,
        escalation_id,
        rebase,
        follow_up_outcome,
        calendar_id,
        calendar_version,
        incident_id,
    } = row;
    let acceptance = match accepted {
        None => Acceptance::Unspecified,
        Some(true) => Acceptance::Accepted,
        Some(false) => Acceptance::Declined,
    };
    wire::CaseEntry {
        case_entry_id: id.to_string(),
        case_id: case_id.to_string(),
        r#type: entry_type,
        time: Some(time.to_wire()),
        actor,
        text,
        state,
        employee,
        team,
        create_time: Some(create_time.to_wire()),
        reply,
        needs_no_answer,
        priority,
        previous_priority,
        attachments: render_attachments(attachments),
        other_case_id: other_case_id.map(|id| id.to_string()).unwrap_or_default(),
        link,
        outcome: outcome.map(render_outcome),
        acceptance: acceptance.into(),
        satisfaction,
        promise_id: promise_id.map(|id| id.to_string()).unwrap_or_default(),
        escalation_id: escalation_id.map(|id| id.to_string()).unwrap_or_default(),
        rebase: rebase.map(render_rebase),
        follow_up_outcome,
        calendar_id: calendar_id.map(|id| id.to_string()).unwrap_or_default(),
        calendar_version,
        incident_id: incident_id.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// An entry for watchers. It never changes.
pub(crate) fn case_entry_fact(row: Model) -> wire::Fact {
    let entry = wire::CaseEntryFact {
        case_id: row.case_id.to_string(),
        case_number: row.case_number,
        r#type: row.entry_type,
        time: Some(row.time.to_wire()),
        state: row.state,
        employee: row.employee,
        team: row.team,
        previous_employee: row.previous_employee,
        previous_team: row.previous_team,
        reply: row.reply,
        needs_no_answer: row.needs_no_answer,
        priority: row.priority,
        previous_priority: row.previous_priority,
        other_case_id: row.other_case_id.map(|id| id.to_string()).unwrap_or_default(),
        link: row.link,
        incident_id: row.incident_id.map(|id| id.to_string()).unwrap_or_default(),
        promise_id: row.promise_id.map(|id| id.to_string()).unwrap_or_default(),
        follow_up_outcome: row.follow_up_outcome,
    };
    super::fact(row.id, row.position, 1, row.create_time, fact::Fact::CaseEntry(entry))
}

fn render_rebase(rebase: Rebase) -> wire::Rebase {
    let Rebase { from, to } = rebase;
    let (previous_policy_name, previous_policy_set_version) =
        from.map(|binding| (binding.policy, binding.set_version)).unwrap_or_default();
    wire::Rebase {
        previous_policy_name,
        previous_policy_set_version,
        policy_name: to.policy,
        policy_set_version: to.set_version,
    }
}
