//! The rules of follow-ups: message ⇄ value.

use std::collections::HashMap;

use barometer_chassis::{clock::Micros, door::Door};
use barometer_proto::{
    complaints::v1::{self as wire, Severity},
    surveys::v1::{SurveyKind, SurveyType},
};
use prost_types::Duration;

use super::category::parse_category;
use crate::{
    follow_up::{MAX_RULES, Rule, RuleList, default_at_most, highest},
    follow_up_rule_set::Model,
};

/// The most types of surveys that a rule names.
const MAX_TYPES: usize = 16;
/// The most surveys.
const MAX_SURVEYS: usize = 100;
/// The longest time.
const LONGEST: i64 = 3_660 * Micros::DAY;

/// Rules that are to be published, checked against one another.
pub(crate) fn parse_rule_list(door: &mut Door, message: wire::FollowUpRuleSet) -> RuleList {
    let wire::FollowUpRuleSet { rules, version: _, etag: _, create_time: _ } = message;
    let list = RuleList(door.each("rules", rules, MAX_RULES, parse_rule));
    let mut names: HashMap<&str, usize> = HashMap::new();
    for (place, rule) in list.0.iter().enumerate() {
        if let Some(first) = names.get(rule.name.as_str()) {
            door.refuse(&format!("rules[{place}].name"), "REPEATED", format!("is the name of rules[{first}] already"));
        }
        names.entry(&rule.name).or_insert(place);
    }
    for (place, by) in list.unreachable() {
        let told = format!("is never reached: rules[{by}] before it matches every answer that it would");
        door.refuse(&format!("rules[{place}]"), "UNREACHABLE", told);
    }
    list
}

fn parse_rule(door: &mut Door, message: wire::FollowUpRule) -> Rule {
    let wire::FollowUpRule {
        name,
        survey_kind,
        survey_types,
        survey_ids,
        at_most,
        sample_percent,
        waiting_time,
        window,
        max_age,
        include_imported,
        team,
        employee,
        category,
        severity,
    } = message;
    let survey_kind = match door.optional_choice("survey_kind", survey_kind) {
        SurveyKind::Unspecified => SurveyKind::Nps,
        kind => kind,
    };
    let at_most = at_most.unwrap_or(default_at_most(survey_kind));
    let (lowest, highest) = (i32::from(survey_kind != SurveyKind::Nps), highest(survey_kind));
    if !(lowest..highest).contains(&at_most) {
        let told = format!("is not {lowest} to {}: below the highest score of the scale", highest - 1);
        door.refuse("at_most", "OUT_OF_RANGE", told);
    }
    if !(0..=100).contains(&sample_percent) {
        door.refuse("sample_percent", "OUT_OF_RANGE", "is not 0 to 100");
    }
    Rule {
        name: door.required_text("name", name, 128),
        survey_kind: survey_kind.into(),
        survey_types: door
            .each("survey_types", survey_types, MAX_TYPES, |door, of| i32::from(door.choice::<SurveyType>("", of))),
        survey_ids: door.each("survey_ids", survey_ids, MAX_SURVEYS, |door, id| door.id("", &id)),
        at_most,
        sample_percent: if sample_percent == 0 { 100 } else { sample_percent },
        waiting_time: parse_duration(door, "waiting_time", waiting_time, 0, 30),
        window: parse_duration(door, "window", window, 1, 90),
        max_age: parse_duration(door, "max_age", max_age, 1, 7),
        include_imported,
        team: door.required_text("team", team, 64),
        employee: door.text("employee", employee, 64),
        category: parse_category(door, "category", category),
        severity: match door.optional_choice("severity", severity) {
            Severity::Unspecified => Severity::Medium.into(),
            severity => severity.into(),
        },
    }
}

/// A time of at least so many microseconds; so many days when none is given.
fn parse_duration(door: &mut Door, field: &str, given: Option<Duration>, least: i64, otherwise: i64) -> i64 {
    let Some(Duration { seconds, nanos }) = given else { return otherwise * Micros::DAY };
    let micros = seconds.checked_mul(Micros::SECOND).and_then(|micros| micros.checked_add(i64::from(nanos / 1_000)));
    let micros = micros.filter(|micros| nanos >= 0 && (least..=LONGEST).contains(micros));
    micros.unwrap_or_else(|| {
        let from = if least > 0 { "more than 0" } else { "0" };
        door.refuse(field, "OUT_OF_RANGE", format!("is not {from} to 3,660 days"));
        least
    })
}

/// A version for callers.
pub(crate) fn render_rule_set(row: Model) -> wire::FollowUpRuleSet {
    let Model { id: _, version, rules, actor: _, create_time } = row;
    wire::FollowUpRuleSet {
        version,
        rules: render_rule_list(rules),
        etag: version.to_string(),
        create_time: Some(create_time.to_wire()),
    }
}

/// Rules for callers, with all that was left to the suite.
pub(crate) fn render_rule_list(rules: RuleList) -> Vec<wire::FollowUpRule> {
    rules.0.into_iter().map(render_rule).collect()
}

fn render_rule(rule: Rule) -> wire::FollowUpRule {
    let Rule {
        name,
        survey_kind,
        survey_types,
        survey_ids,
        at_most,
        sample_percent,
        waiting_time,
        window,
        max_age,
        include_imported,
        team,
        employee,
        category,
        severity,
    } = rule;
    wire::FollowUpRule {
        name,
        survey_kind,
        survey_types,
        survey_ids: survey_ids.iter().map(ToString::to_string).collect(),
        at_most: Some(at_most),
        sample_percent,
        waiting_time: Some(duration(waiting_time)),
        window: Some(duration(window)),
        max_age: Some(duration(max_age)),
        include_imported,
        team,
        employee,
        category,
        severity,
    }
}

fn duration(micros: i64) -> Duration {
    let nanos = i32::try_from(micros % Micros::SECOND * 1_000).unwrap_or_default();
    Duration { seconds: micros / Micros::SECOND, nanos }
}
