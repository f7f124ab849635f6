//! Curves for programs: one object whose keys stay as they are.

use std::collections::BTreeMap;
use std::io::{self, Write};

use barometer_proto::metrics::v1::{
    LogRankTest, QuerySurvivalResponse, ReasonCurve, ReasonStep, SurvivalCurve, SurvivalStep,
};
use serde::Serialize;

use crate::output;
use crate::query::json::{Limits, Source};

/// Writes the answer.
pub(super) fn write(answer: &QuerySurvivalResponse, out: &mut dyn Write) -> io::Result<()> {
    let QuerySurvivalResponse { curves, test, freshness } = answer;
    let told = Told {
        curves: curves.iter().map(Curve::from).collect(),
        test: test.as_ref().map(Test::from),
        freshness: freshness.iter().map(Source::from).collect(),
    };
    output::json(&told, out)
}

#[derive(Serialize)]
struct Told<'a> {
    curves: Vec<Curve<'a>>,
    test: Option<Test>,
    freshness: Vec<Source<'a>>,
}

#[derive(Serialize)]
struct Curve<'a> {
    group: &'a BTreeMap<String, String>,
    customers: i64,
    events: i64,
    median: Option<f64>,
    median_low: Option<f64>,
    median_high: Option<f64>,
    restricted_mean: Option<f64>,
    until: f64,
    suppressed: bool,
    steps: Vec<Step>,
    reasons: Vec<Reason<'a>>,
}

/// How many went for a reason; empty when none was given.
#[derive(Serialize)]
struct Reason<'a> {
    reason: &'a str,
    events: i64,
    steps: Vec<Rise>,
}

#[derive(Serialize)]
struct Rise {
    days: f64,
    events: i64,
    share: f64,
    interval: Option<Limits>,
}

#[derive(Serialize)]
struct Step {
    days: f64,
    at_risk: i64,
    events: i64,
    survival: f64,
    interval: Option<Limits>,
}

#[derive(Serialize)]
struct Test {
    statistic: f64,
    degrees_of_freedom: i32,
    p_value: f64,
    observed: Vec<i64>,
    expected: Vec<f64>,
}

impl<'a> From<&'a SurvivalCurve> for Curve<'a> {
    fn from(curve: &'a SurvivalCurve) -> Self {
        let SurvivalCurve {
            group,
            customers,
            events,
            steps,
            median_days,
            median_low_days,
            median_high_days,
            restricted_mean_days,
            until_days,
            suppressed,
            reasons,
        } = curve;
        Self {
            group,
            customers: *customers,
            events: *events,
            median: *median_days,
            median_low: *median_low_days,
            median_high: *median_high_days,
            restricted_mean: *restricted_mean_days,
            until: *until_days,
            suppressed: *suppressed,
            steps: steps.iter().map(Step::from).collect(),
            reasons: reasons.iter().map(Reason::from).collect(),
        }
    }
}

impl<'a> From<&'a ReasonCurve> for Reason<'a> {
    fn from(of: &'a ReasonCurve) -> Self {
        let ReasonCurve { reason, events, steps } = of;
        Self { reason, events: *events, steps: steps.iter().map(Rise::from).collect() }
    }
}

impl From<&ReasonStep> for Rise {
    fn from(step: &ReasonStep) -> Self {
        let ReasonStep { days, events, share, interval } = *step;
        Self { days, events, share, interval: interval.as_ref().map(Limits::from) }
    }
}

impl From<&SurvivalStep> for Step {
    fn from(step: &SurvivalStep) -> Self {
        let SurvivalStep { days, at_risk, events, survival, interval } = *step;
        Self { days, at_risk, events, survival, interval: interval.as_ref().map(Limits::from) }
    }
}

impl From<&LogRankTest> for Test {
    fn from(test: &LogRankTest) -> Self {
        let LogRankTest { statistic, degrees_of_freedom, p_value, groups } = test;
        Self {
            statistic: *statistic,
            degrees_of_freedom: *degrees_of_freedom,
            p_value: *p_value,
            observed: groups.iter().map(|group| group.observed).collect(),
            expected: groups.iter().map(|group| group.expected).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survival::tests::answer_by_reason;

    #[test]
    fn keys_are_stable() {
        let mut out = Vec::new();
        write(&answer_by_reason(), &mut out).expect("a vector takes everything");
        let read: serde_json::Value = serde_json::from_slice(&out).expect("it is JSON");
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().into_iter().flat_map(|object| object.keys().cloned()).collect()
        };
        assert_eq!(keys(&read), ["curves", "freshness", "test"]);
        let curve = [
            "customers",
            "events",
            "group",
            "median",
            "median_high",
            "median_low",
            "reasons",
            "restricted_mean",
            "steps",
            "suppressed",
            "until",
        ];
        assert_eq!(keys(&read["curves"][1]), curve);
        assert_eq!(keys(&read["curves"][1]["steps"][0]), ["at_risk", "days", "events", "interval", "survival"]);
        let reason = &read["curves"][1]["reasons"][0];
        assert_eq!(
            (keys(reason), &reason["reason"]),
            (vec!["events".into(), "reason".into(), "steps".into()], &"price".into())
        );
        assert_eq!(keys(&reason["steps"][0]), ["days", "events", "interval", "share"]);
        assert_eq!(keys(&read["test"]), ["degrees_of_freedom", "expected", "observed", "p_value", "statistic"]);
        assert_eq!((&read["curves"][1]["median"], &read["curves"][0]["suppressed"]), (&50.0.into(), &true.into()));
    }
}
