//! Cohorts for programs: one object whose keys stay as they are.

use std::collections::BTreeMap;
use std::io::{self, Write};

use barometer_proto::metrics::v1::{Cohort, QueryRetentionResponse, RetentionCell};
use serde::Serialize;

use crate::output;
use crate::query::{
    json::{Limits, Source},
    utc,
};

/// Writes the answer.
pub(super) fn write(answer: &QueryRetentionResponse, out: &mut dyn Write) -> io::Result<()> {
    let QueryRetentionResponse { cohorts, averages, freshness } = answer;
    let told = Told {
        cohorts: cohorts.iter().map(ToldCohort::from).collect(),
        averages: averages.iter().map(ToldCohort::from).collect(),
        freshness: freshness.iter().map(Source::from).collect(),
    };
    output::json(&told, out)
}

#[derive(Serialize)]
struct Told<'a> {
    cohorts: Vec<ToldCohort<'a>>,
    averages: Vec<ToldCohort<'a>>,
    freshness: Vec<Source<'a>>,
}

#[derive(Serialize)]
struct ToldCohort<'a> {
    group: &'a BTreeMap<String, String>,
    label: &'a str,
    start: String,
    end: String,
    customers: i64,
    suppressed: bool,
    cells: Vec<ToldCell>,
}

#[derive(Serialize)]
struct ToldCell {
    start: i32,
    end: i32,
    customers: i64,
    retained: i64,
    unfinished: i64,
    percent: Option<f64>,
    interval: Option<Limits>,
    suppressed: bool,
}

impl<'a> From<&'a Cohort> for ToldCohort<'a> {
    fn from(cohort: &'a Cohort) -> Self {
        let Cohort { group, start_time, end_time, label, customers, suppressed, cells } = cohort;
        Self {
            group,
            label,
            start: utc(start_time.as_ref()),
            end: utc(end_time.as_ref()),
            customers: *customers,
            suppressed: *suppressed,
            cells: cells.iter().map(ToldCell::from).collect(),
        }
    }
}

impl From<&RetentionCell> for ToldCell {
    fn from(cell: &RetentionCell) -> Self {
        let RetentionCell { start, end, customers, retained, unfinished, percent, interval, suppressed } = *cell;
        let interval = interval.as_ref().map(Limits::from);
        Self { start, end, customers, retained, unfinished, percent, interval, suppressed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cohorts::tests::answer;

    #[test]
    fn keys_are_stable() {
        let mut out = Vec::new();
        write(&answer(), &mut out).expect("a vector takes everything");
        let read: serde_json::Value = serde_json::from_slice(&out).expect("it is JSON");
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().into_iter().flat_map(|object| object.keys().cloned()).collect()
        };
        assert_eq!(keys(&read), ["averages", "cohorts", "freshness"]);
        let cohort = &read["cohorts"][0];
        assert_eq!(keys(cohort), ["cells", "customers", "end", "group", "label", "start", "suppressed"]);
        let cell = ["customers", "end", "interval", "percent", "retained", "start", "suppressed", "unfinished"];
        assert_eq!(keys(&cohort["cells"][1]), cell);
        assert_eq!((&cohort["cells"][1]["retained"], &cohort["start"]), (&337.into(), &"2009-12-01T00:00:00Z".into()));
        assert_eq!(read["cohorts"][1]["cells"][0]["percent"], serde_json::Value::Null);
    }
}
