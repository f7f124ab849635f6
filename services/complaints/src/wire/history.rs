//! Cases of the past with their histories: message to values.

use barometer_chassis::{
    clock::Micros,
    door::{Door, Stages},
    fingerprint,
};
use barometer_directory::CustomerRef;
use barometer_proto::complaints::v1::{self as wire, Acceptance, CaseEntryType, Priority, ReplyType};

use super::{attachment::parse_attachments, case::parse_case, outcome::parse_outcome};
use crate::{
    case::{Deed, Holder, Model, PastEvent, PriorityTable},
    case_entry::Said,
};

/// The most events of a history.
const MAX_EVENTS: usize = 1_000;
/// Longest message, note or reason.
const MAX_TEXT: usize = 10_000;
/// Longest key of an employee.
const MAX_ACTOR: usize = 64;

/// A case of the past as it came in, and what happened to it then.
pub(crate) struct ParsedHistory {
    /// The case, just received.
    pub(crate) case: Model,
    /// Whose it is.
    pub(crate) customer: CustomerRef,
    /// Who opened it.
    pub(crate) opened_by: String,
    /// What happened, in its order.
    pub(crate) past: Vec<PastEvent>,
}

/// A hash of what a history says, whatever the caller's numbers are.
pub(crate) fn fingerprint_of(history: &wire::CaseHistory) -> i64 {
    let mut history = history.clone();
    history.row = 0;
    for event in &mut history.events {
        event.row = 0;
    }
    fingerprint::of_message(&history)
}

/// A history whose events are in their order; whether they are possible is not asked here. `importer` is the actor of what
/// nobody else is said to have done.
pub(crate) fn parse_history(
    door: &mut Door,
    history: wire::CaseHistory,
    stages: &Stages,
    priorities: &PriorityTable,
    importer: &str,
) -> ParsedHistory {
    let wire::CaseHistory { row: _, case, actor, events } = history;
    let case = door.required("case", case);
    let (case, customer, _) = door.inside("case", |door| {
        let parsed = parse_case(door, case, stages, priorities, importer.to_owned());
        if parsed.2.is_none() {
            door.missing("open_time");
        }
        if parsed.0.external_id.is_none() {
            door.missing("external_id");
        }
        parsed
    });
    let opened_by = parse_actor(door, actor, importer);
    let mut last = case.open_time;
    let past = door.each("events", events, MAX_EVENTS, |door, event| parse_event(door, event, importer, &mut last));
    // What could not be parsed is refused anyway.
    ParsedHistory { case, customer, opened_by, past: past.into_iter().flatten().collect() }
}

fn parse_event(door: &mut Door, event: wire::CaseEvent, importer: &str, last: &mut Micros) -> Option<PastEvent> {
    let wire::CaseEvent {
        row: _,
        r#type,
        time,
        actor,
        text,
        reply,
        needs_no_answer,
        employee,
        team,
        priority,
        outcome,
        acceptance,
        satisfaction,
        attachments,
    } = event;
    let deed = match door.choice("type", r#type) {
        CaseEntryType::Acknowledged => Some(Deed::Acknowledged),
        CaseEntryType::Responded => Some(Deed::Responded),
        CaseEntryType::CustomerWrote => Some(Deed::CustomerWrote),
        CaseEntryType::AwaitedCustomer => Some(Deed::AwaitedCustomer),
        CaseEntryType::AwaitedThirdParty => Some(Deed::AwaitedThirdParty),
        CaseEntryType::Resumed => Some(Deed::Resumed),
        CaseEntryType::SelfServed => Some(Deed::SelfServed),
        CaseEntryType::Resolved => Some(Deed::Resolved),
        CaseEntryType::Reopened => Some(Deed::Reopened),
        CaseEntryType::Closed => Some(Deed::Closed),
        CaseEntryType::Cancelled => Some(Deed::Cancelled),
        CaseEntryType::Assigned => {
            let employee = door.text("employee", employee, 64);
            Some(Deed::Assigned(Holder { employee, team: door.text("team", team, 64) }))
        }
        CaseEntryType::Prioritized => {
            let priority = Some(door.optional_choice("priority", priority));
            Some(Deed::Prioritized(priority.filter(|priority| *priority != Priority::Unspecified)))
        }
        CaseEntryType::Annotated => Some(Deed::Annotated),
        CaseEntryType::OutcomeSet => {
            let outcome = door.required("outcome", outcome);
            Some(Deed::OutcomeSet(door.inside("outcome", |door| parse_outcome(door, outcome))))
        }
        CaseEntryType::AcceptanceAsked => Some(Deed::AcceptanceAsked),
        CaseEntryType::AcceptanceRecorded => {
            let accepted = parse_acceptance(door, acceptance, satisfaction);
            Some(Deed::AcceptanceRecorded { accepted, satisfaction })
        }
        CaseEntryType::Unspecified => None,
        CaseEntryType::Opened => {
            door.refuse("type", "OPENED_TWICE", "the case was opened already");
            None
        }
        // Links, merges, and what the suite notes by itself.
        _ => {
            door.refuse("type", "NOT_IN_HISTORIES", "is no part of histories");
            None
        }
    };
    let at = door.past_time("time", time);
    // What was refused already is 0.
    if at < *last && at.0 != 0 {
        door.refuse("time", "TOO_EARLY", format!("lies before {last}, when the event above it happened"));
    }
    *last = at.max(*last);
    let reply = match door.optional_choice("reply", reply) {
        ReplyType::Unspecified => ReplyType::Answer,
        reply => reply,
    };
    let said = Said {
        text: door.text("text", text, MAX_TEXT),
        reply,
        needs_no_answer,
        attachments: parse_attachments(door, attachments),
        ..Said::default()
    };
    Some(PastEvent { time: at, actor: parse_actor(door, actor, importer), deed: deed?, said })
}

fn parse_actor(door: &mut Door, actor: String, importer: &str) -> String {
    match door.text("actor", actor, MAX_ACTOR) {
        actor if actor.is_empty() => importer.to_owned(),
        actor => actor,
    }
}

/// Whether the customer takes a case as solved, as they said.
pub(crate) fn parse_acceptance(door: &mut Door, acceptance: i32, satisfaction: Option<i32>) -> bool {
    let accepted = match door.choice("acceptance", acceptance) {
        Acceptance::Accepted => true,
        Acceptance::Declined | Acceptance::Unspecified => false,
        Acceptance::Open | Acceptance::Asked | Acceptance::NotAsked => {
            door.refuse("acceptance", "UNKNOWN_VALUE", "is neither ACCEPTED nor DECLINED");
            false
        }
    };
    if satisfaction.is_some_and(|score| !(1..=5).contains(&score)) {
        door.refuse("satisfaction", "OUT_OF_RANGE", "is not 1 to 5");
    }
    accepted
}
