//! What is said of a case: what it is, who has it, what became of it.

use std::io::{self, Write};

use barometer_chassis::clock::Micros;
use barometer_proto::common::v1::Money;
use barometer_proto::complaints::v1::{
    Acceptance, Case, FollowUp, FollowUpOutcome, LinkType, Outcome, Redress, case, redress::Worth,
};
use barometer_proto::surveys::v1::Category;
use jiff::tz::TimeZone;

use super::words::{date, minute, plain, time};
use crate::output::{one_line, wrap};

/// Widest text beside a name.
const WIDTH: usize = 68;

/// Writes it in lines of a name and a value.
pub(super) fn write(
    case: &Case,
    follow_up: Option<&FollowUp>,
    texts: bool,
    zone: &TimeZone,
    out: &mut dyn Write,
) -> io::Result<()> {
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
    if let Some(follow_up) = follow_up {
        line("follow-up", &followed(follow_up, zone))?;
    }
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

/// `score 3 (detractor) of 2026-03-02 09:12: recovered, score 9, 2026-04-01 10:00`.
fn followed(follow_up: &FollowUp, zone: &TimeZone) -> String {
    let given = instant(follow_up.response_time.as_ref(), zone, false);
    let category = match follow_up.category() {
        Category::Unspecified => String::new(),
        category => format!(" ({})", plain(category.as_str_name(), "CATEGORY_")),
    };
    let answer = format!("score {}{category} of {given}", follow_up.score);
    let outcome = plain(follow_up.outcome().as_str_name(), "FOLLOW_UP_OUTCOME_");
    let end = match (follow_up.outcome(), follow_up.closing_score) {
        (FollowUpOutcome::Pending, _) => format!(" until {}", instant(follow_up.window_end_time.as_ref(), zone, false)),
        (_, None) => format!(", {}", instant(follow_up.close_time.as_ref(), zone, false)),
        (_, Some(score)) => format!(", score {score}, {}", instant(follow_up.close_time.as_ref(), zone, false)),
    };
    format!("{answer}: {outcome}{end}; answer {}", follow_up.response_id)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follow_up_says_what_it_is_about_and_what_came_of_it() {
        let at = |day: i64| Some(Micros(day * 24 * 3_600 * Micros::SECOND).to_wire());
        let pending = FollowUp {
            response_id: "r-1".to_owned(),
            score: 3,
            category: Category::Detractor.into(),
            response_time: at(0),
            window_end_time: at(90),
            outcome: FollowUpOutcome::Pending.into(),
            ..FollowUp::default()
        };
        let told = |follow_up: &FollowUp| followed(follow_up, &TimeZone::UTC);
        let expected = "score 3 (detractor) of 1970-01-01 00:00: pending until 1970-04-01 00:00; answer r-1";
        assert_eq!(told(&pending), expected);
        let outcome = FollowUpOutcome::Recovered.into();
        let recovered = FollowUp { outcome, closing_score: Some(9), close_time: at(9), category: 0, ..pending };
        let expected = "score 3 of 1970-01-01 00:00: recovered, score 9, 1970-01-10 00:00; answer r-1";
        assert_eq!(told(&recovered), expected);
    }
}
