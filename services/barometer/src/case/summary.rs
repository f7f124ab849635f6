//! What is said of a case: what it is, who has it, what became of it.

use std::io::{self, Write};

use barometer_chassis::clock::Micros;
use barometer_proto::common::v1::Money;
use barometer_proto::complaints::v1::{Acceptance, Case, LinkType, Outcome, Redress, case, redress::Worth};
use jiff::tz::TimeZone;

use super::words::{date, minute, plain, time};
use crate::output::{one_line, wrap};

/// Widest text beside a name.
const WIDTH: usize = 68;

/// Writes it in lines of a name and a value.
pub(super) fn write(case: &Case, texts: bool, zone: &TimeZone, out: &mut dyn Write) -> io::Result<()> {
    let key = case.external_id.as_ref().map(|key| format!("  {}:{}", key.system, key.value)).unwrap_or_default();
    writeln!(out, "case {}{}", case.case_id, one_line(&key))?;
    let mut line = |name: &str, text: &str| -> io::Result<()> {
        for (index, part) in wrap(&one_line(text), WIDTH).into_iter().enumerate() {
            writeln!(out, "{:<12}{part}", if index == 0 { name } else { "" })?;
        }
        Ok(())
    };
    line("about", &about(case))?;
    if texts {
        line("subject", &case.subject)?;
        line("description", &case.description)?;
    }
    line("urgency", &urgency(case))?;
    line("state", &state(case, zone))?;
    line("opened", &instant(case.open_time.as_ref(), zone, true))?;
    line("with", &holder(case))?;
    if !case.policy_name.is_empty() {
        line("policy", &format!("{} (version {} of the policies)", case.policy_name, case.policy_set_version))?;
    }
    if let Some(outcome) = &case.outcome {
        line("outcome", &decided(outcome))?;
        if texts {
            line("lesson", &outcome.lesson)?;
        }
    }
    line("customer", &customer(case))?;
    line("solved?", &acceptance(case.acceptance(), case.satisfaction))?;
    for link in &case.links {
        let kind = LinkType::try_from(link.r#type).unwrap_or_default();
        line("link", &format!("{} {}", plain(kind.as_str_name(), "LINK_TYPE_"), link.other_case_id))?;
    }
    if !case.merged_into.is_empty() {
        line("merged into", &case.merged_into)?;
    }
    for merged in &case.merged_case_ids {
        line("took in", merged)?;
    }
    let files: Vec<&str> = case.attachments.iter().map(|file| file.uri.as_str()).collect();
    if texts && !files.is_empty() {
        line("files", &files.join(" "))?;
    }
    Ok(())
}

fn about(case: &Case) -> String {
    let kind = plain(case.kind().as_str_name(), "CASE_KIND_");
    let tags = case.tags.join(", ");
    let parts = [&kind, &case.category, &case.product, &case.channel, &case.touchpoint, &case.journey_stage, &tags];
    let given: Vec<&str> = parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    given.join(" · ")
}

fn urgency(case: &Case) -> String {
    let priority = plain(case.priority().as_str_name(), "PRIORITY_");
    let severity = plain(case.severity().as_str_name(), "SEVERITY_");
    let set = if case.priority_overridden { ", not by the table" } else { "" };
    format!("priority {priority}{set}, severity {severity}, customer's value {}", case.value_band)
}

fn state(case: &Case, zone: &TimeZone) -> String {
    let mut state = plain(case.state().as_str_name(), "STATE_");
    let since = match case.state() {
        case::State::Resolved => case.resolve_time.as_ref(),
        case::State::Closed => case.close_time.as_ref(),
        case::State::Cancelled => case.cancel_time.as_ref(),
        _ => None,
    };
    if since.is_some() {
        state.push_str(&format!(" since {}", instant(since, zone, false)));
    }
    if case.self_served {
        state.push_str(", by self-service");
    }
    match case.reopenings {
        0 => {}
        1 => state.push_str(", reopened once"),
        times => state.push_str(&format!(", reopened {times} times")),
    }
    if case.withdraw_time.is_some() {
        state.push_str(", withdrawn");
    }
    state
}

fn holder(case: &Case) -> String {
    let holder = match (case.employee.as_str(), case.team.as_str()) {
        ("", "") => "nobody".to_owned(),
        ("", team) => team.to_owned(),
        (employee, "") => employee.to_owned(),
        (employee, team) => format!("{employee}, {team}"),
    };
    match case.hand_offs {
        0 => holder,
        1 => format!("{holder} (1 hand-off)"),
        times => format!("{holder} ({times} hand-offs)"),
    }
}

/// `upheld: voucher 10.00 EUR; because of carrier/strike`.
pub(super) fn decided(outcome: &Outcome) -> String {
    let mut told = plain(outcome.finding().as_str_name(), "FINDING_");
    let redress: Vec<String> = outcome.redress.iter().map(given).collect();
    if !redress.is_empty() {
        told.push_str(&format!(": {}", redress.join(", ")));
    }
    if !outcome.root_cause.is_empty() {
        told.push_str(&format!("; because of {}", outcome.root_cause));
    }
    told
}

fn given(redress: &Redress) -> String {
    let remedy = plain(redress.remedy().as_str_name(), "REMEDY_");
    match &redress.worth {
        None => remedy,
        Some(Worth::Points(points)) => format!("{remedy} {points} points"),
        Some(Worth::Amount(Money { currency_code, units, nanos })) => {
            format!("{remedy} {units}.{:02} {currency_code}", nanos.abs() / 10_000_000)
        }
    }
}

fn customer(case: &Case) -> String {
    match &case.customer {
        Some(case::Customer::CustomerId(id)) => id.clone(),
        _ => "nobody known".to_owned(),
    }
}

/// What the customer says of the solution.
pub(super) fn acceptance(acceptance: Acceptance, satisfaction: Option<i32>) -> String {
    let said = match acceptance {
        Acceptance::Unspecified | Acceptance::Open => "",
        Acceptance::Asked => "the customer was asked",
        Acceptance::Accepted => "the customer says yes",
        Acceptance::Declined => "the customer says no",
        Acceptance::NotAsked => "the customer was not asked",
    };
    match satisfaction {
        Some(score) => format!("{said}, satisfaction {score} of 5"),
        None => said.to_owned(),
    }
}

fn instant(at: Option<&prost_types::Timestamp>, zone: &TimeZone, named: bool) -> String {
    let Some(at) = at.and_then(Micros::from_wire) else { return String::new() };
    if !named {
        return minute(at, zone);
    }
    format!("{} {} {}", date(at, zone), time(at, zone), zone.iana_name().unwrap_or("UTC"))
}
