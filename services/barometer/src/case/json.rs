//! A case for programs: one object whose keys stay as they are. Words are those of the contract, in lower case; instants
//! are in UTC.

use std::io::{self, Write};

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1::{
    Audience, Case, CaseEntry, Clock, ClockAmount, ClockDuration, ClockStretch, FollowUp, LinkType, Outcome, case,
    clock_amount::Amount, ladder_step::When, redress::Worth,
};
use serde_json::{Map, Value, json};

use super::{
    Whole,
    named::{Named, Taken},
    words::plain,
};
use crate::output;

/// Writes it.
pub(super) fn write(whole: &Whole, texts: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut object = of_case(&whole.case, texts);
    object.insert("clocks_time".to_owned(), json!(whole.at.to_string()));
    let clocks = whole.clocks.iter().filter_map(|shown| shown.clock()).map(clock).collect();
    object.insert("clocks".to_owned(), Value::Array(clocks));
    object.insert("entries_complete".to_owned(), json!(!whole.cut));
    let entries = whole.entries.iter().map(|entry| self::entry(entry, &whole.named, texts)).collect();
    object.insert("entries".to_owned(), Value::Array(entries));
    object.insert("follow_up".to_owned(), json!(whole.named.follow_up().map(follow_up)));
    output::json(&Value::Object(object), out)
}

fn of_case(case: &Case, texts: bool) -> Map<String, Value> {
    let customer = match &case.customer {
        Some(case::Customer::CustomerId(id)) => Some(id),
        _ => None,
    };
    let links = case.links.iter().map(|link| {
        let kind = LinkType::try_from(link.r#type).unwrap_or_default();
        json!({ "type": word(kind.as_str_name(), "LINK_TYPE_"), "other_case_id": link.other_case_id })
    });
    let value = json!({
        "case_id": case.case_id,
        "external_id": case.external_id.as_ref().map(|key| json!({ "system": key.system, "value": key.value })),
        "customer_id": customer,
        "state": word(case.state().as_str_name(), "STATE_"),
        "kind": word(case.kind().as_str_name(), "CASE_KIND_"),
        "severity": word(case.severity().as_str_name(), "SEVERITY_"),
        "priority": word(case.priority().as_str_name(), "PRIORITY_"),
        "priority_overridden": case.priority_overridden,
        "value_band": case.value_band,
        "category": case.category,
        "product": case.product,
        "channel": case.channel,
        "touchpoint": case.touchpoint,
        "journey_stage": case.journey_stage,
        "tags": case.tags,
        "dimensions": case.dimensions,
        "employee": case.employee,
        "team": case.team,
        "reopenings": case.reopenings,
        "hand_offs": case.hand_offs,
        "open_time": time(case.open_time.as_ref()),
        "acknowledge_time": time(case.acknowledge_time.as_ref()),
        "first_response_time": time(case.first_response_time.as_ref()),
        "first_resolve_time": time(case.first_resolve_time.as_ref()),
        "resolve_time": time(case.resolve_time.as_ref()),
        "close_time": time(case.close_time.as_ref()),
        "cancel_time": time(case.cancel_time.as_ref()),
        "withdraw_time": time(case.withdraw_time.as_ref()),
        "self_served": case.self_served,
        "policy_name": case.policy_name,
        "policy_set_version": case.policy_set_version,
        "outcome": case.outcome.as_ref().map(|outcome| self::outcome(outcome, texts)),
        "acceptance": word(case.acceptance().as_str_name(), "ACCEPTANCE_"),
        "satisfaction": case.satisfaction,
        "links": links.collect::<Vec<_>>(),
        "merged_into": case.merged_into,
        "merged_case_ids": case.merged_case_ids,
    });
    let Value::Object(mut object) = value else { return Map::new() };
    if texts {
        object.insert("subject".to_owned(), json!(case.subject));
        object.insert("description".to_owned(), json!(case.description));
    }
    object
}

fn clock(clock: &Clock) -> Value {
    json!({
        "kind": word(clock.kind().as_str_name(), "CLOCK_KIND_"),
        "instance": clock.instance,
        "state": word(clock.state().as_str_name(), "STATE_"),
        "start_time": time(clock.start_time.as_ref()),
        "stop_time": time(clock.stop_time.as_ref()),
        "due_time": time(clock.due_time.as_ref()),
        "target": clock.target.as_ref().map(duration),
        "allowed": amount(clock.allowed.as_ref()),
        "used": amount(clock.used.as_ref()),
        "remaining": amount(clock.remaining.as_ref()),
        "held": clock.held,
        "policy_name": clock.policy_name,
        "policy_set_version": clock.policy_set_version,
        "calendar_id": clock.calendar_id,
        "calendar_version": clock.calendar_version,
        "stretches": clock.stretches.iter().map(stretch).collect::<Vec<_>>(),
    })
}

fn stretch(stretch: &ClockStretch) -> Value {
    json!({
        "start_time": time(stretch.start_time.as_ref()),
        "end_time": time(stretch.end_time.as_ref()),
        "reason": word(stretch.reason().as_str_name(), "REASON_"),
        "holiday": stretch.holiday,
        "counted": amount(stretch.counted.as_ref()),
    })
}

fn entry(entry: &CaseEntry, named: &Named, texts: bool) -> Value {
    let link = LinkType::try_from(entry.link).unwrap_or_default();
    let value = json!({
        "type": word(entry.r#type().as_str_name(), "CASE_ENTRY_TYPE_"),
        "time": time(entry.time.as_ref()),
        "actor": entry.actor,
        "state": word(entry.state().as_str_name(), "STATE_"),
        "employee": entry.employee,
        "team": entry.team,
        "reply": word(entry.reply().as_str_name(), "REPLY_TYPE_"),
        "needs_no_answer": entry.needs_no_answer,
        "priority": word(entry.priority().as_str_name(), "PRIORITY_"),
        "previous_priority": word(entry.previous_priority().as_str_name(), "PRIORITY_"),
        "other_case_id": entry.other_case_id,
        "link": word(link.as_str_name(), "LINK_TYPE_"),
        "outcome": entry.outcome.as_ref().map(|outcome| self::outcome(outcome, texts)),
        "acceptance": word(entry.acceptance().as_str_name(), "ACCEPTANCE_"),
        "satisfaction": entry.satisfaction,
        "promise_id": entry.promise_id,
        "escalation_id": entry.escalation_id,
        "escalation": named.escalation(entry).map(escalation),
        "incident_id": entry.incident_id,
        "incident_title": named.incident_title(entry),
        "follow_up_outcome": word(entry.follow_up_outcome().as_str_name(), "FOLLOW_UP_OUTCOME_"),
        "calendar_id": entry.calendar_id,
        "calendar_version": Some(entry.calendar_version).filter(|version| *version > 0),
        "rebase": entry.rebase.as_ref().map(|rebase| json!({
            "previous_policy_name": rebase.previous_policy_name,
            "previous_policy_set_version": rebase.previous_policy_set_version,
            "policy_name": rebase.policy_name,
            "policy_set_version": rebase.policy_set_version,
        })),
    });
    let Value::Object(mut object) = value else { return Value::Null };
    // What an entry of its type does not have is left out.
    object.retain(|_, value| !matches!(value, Value::Null | Value::Bool(false)) && value.as_str() != Some(""));
    if texts && !entry.text.is_empty() {
        object.insert("text".to_owned(), json!(entry.text));
    }
    if texts && !entry.attachments.is_empty() {
        let files: Vec<_> = entry.attachments.iter().map(|file| &file.uri).collect();
        object.insert("attachments".to_owned(), json!(files));
    }
    Value::Object(object)
}

/// Steps and repetitions from 0, as in the contract.
fn escalation(taken: &Taken) -> Value {
    let Taken { escalation, when } = taken;
    let notified = escalation.notified.iter().filter_map(|audience| Audience::try_from(*audience).ok());
    let (percent, after_due) = match when {
        Some(When::Percent(percent)) => (Some(*percent), None),
        Some(When::AfterDue(after)) => (None, Some(duration(after))),
        None => (None, None),
    };
    json!({
        "kind": word(escalation.kind().as_str_name(), "CLOCK_KIND_"),
        "instance": escalation.instance,
        "promise_id": escalation.promise_id,
        "step": escalation.step,
        "repetition": escalation.repetition,
        "missed": escalation.missed,
        "percent": percent,
        "after_due": after_due,
        "time": time(escalation.time.as_ref()),
        "fire_time": time(escalation.fire_time.as_ref()),
        "late": escalation.late,
        "policy_name": escalation.policy_name,
        "policy_set_version": escalation.policy_set_version,
        "notified": notified.map(|audience| word(audience.as_str_name(), "AUDIENCE_")).collect::<Vec<_>>(),
    })
}

fn follow_up(follow_up: &FollowUp) -> Value {
    json!({
        "follow_up_id": follow_up.follow_up_id,
        "survey_id": follow_up.survey_id,
        "response_id": follow_up.response_id,
        "score": follow_up.score,
        "category": word(follow_up.category().as_str_name(), "CATEGORY_"),
        "response_time": time(follow_up.response_time.as_ref()),
        "rule_name": follow_up.rule_name,
        "rule_set_version": follow_up.rule_set_version,
        "window_end_time": time(follow_up.window_end_time.as_ref()),
        "outcome": word(follow_up.outcome().as_str_name(), "FOLLOW_UP_OUTCOME_"),
        "close_time": time(follow_up.close_time.as_ref()),
        "closing_response_id": follow_up.closing_response_id,
        "closing_score": follow_up.closing_score,
    })
}

fn duration(duration: &ClockDuration) -> Value {
    json!({ "amount": duration.amount, "unit": word(duration.unit().as_str_name(), "DURATION_UNIT_") })
}

fn outcome(outcome: &Outcome, texts: bool) -> Value {
    let redress = outcome.redress.iter().map(|redress| {
        let remedy = word(redress.remedy().as_str_name(), "REMEDY_");
        match &redress.worth {
            None => json!({ "remedy": remedy }),
            Some(Worth::Points(points)) => json!({ "remedy": remedy, "points": points }),
            Some(Worth::Amount(money)) => json!({
                "remedy": remedy,
                "amount": { "currency_code": money.currency_code, "units": money.units, "nanos": money.nanos },
            }),
        }
    });
    let mut value = json!({
        "finding": word(outcome.finding().as_str_name(), "FINDING_"),
        "redress": redress.collect::<Vec<_>>(),
        "root_cause": outcome.root_cause,
    });
    if let Some(object) = value.as_object_mut().filter(|_| texts) {
        object.insert("lesson".to_owned(), json!(outcome.lesson));
    }
    value
}

/// Seconds of time, or whole days.
fn amount(amount: Option<&ClockAmount>) -> Value {
    match amount.and_then(|amount| amount.amount.as_ref()) {
        Some(Amount::Time(time)) => {
            json!({ "seconds": time.seconds, "micros": time.nanos / 1_000 })
        }
        Some(Amount::Days(days)) => json!({ "days": days }),
        None => Value::Null,
    }
}

fn time(at: Option<&prost_types::Timestamp>) -> Option<String> {
    at.and_then(Micros::from_wire).map(|at| at.to_string())
}

/// The name of a value; empty of the unspecified one.
fn word(name: &str, prefix: &str) -> String {
    let word = plain(name, prefix).replace(' ', "_");
    if word == "unspecified" { String::new() } else { word }
}
