//! Answers for programs: one object whose keys stay as they are.

use std::collections::BTreeMap;
use std::io::{self, Write};

use barometer_proto::metrics::v1::{Freshness, Interval, Row};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Answer, completeness, number, state, unit, utc};
use crate::decimal::Decimal;
use crate::output;

/// Writes the answer.
pub(super) fn write(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let result = &answer.result;
    let figures = Figures {
        metric: &result.metric,
        version: result.version,
        unit: unit(result.unit()),
        rows: result.rows.iter().map(Figure::from).collect(),
        freshness: answer.freshness.iter().map(Source::from).collect(),
    };
    output::json(&figures, out)
}

/// Writes a line for each row, for programs that read on while more come.
pub(super) fn write_lines(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    for row in &answer.result.rows {
        serde_json::to_writer(&mut *out, &Figure::from(row))?;
        writeln!(out)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Figures<'a> {
    metric: &'a str,
    version: i32,
    unit: &'static str,
    rows: Vec<Figure<'a>>,
    freshness: Vec<Source<'a>>,
}

/// A row.
#[derive(Serialize)]
pub(crate) struct Figure<'a> {
    start: String,
    end: String,
    label: &'a str,
    group: &'a BTreeMap<String, String>,
    value: Option<Box<RawValue>>,
    counts: BTreeMap<&'a str, Option<Box<RawValue>>>,
    amounts: BTreeMap<&'a str, Option<Box<RawValue>>>,
    statistics: BTreeMap<&'a str, Option<Box<RawValue>>>,
    interval: Option<Limits>,
    partial: bool,
    state: &'static str,
    completeness: &'static str,
    revised: Option<String>,
    statistics_error: f64,
}

/// A confidence interval.
#[derive(Serialize)]
pub(crate) struct Limits {
    low: f64,
    high: f64,
    level: f64,
}

/// How far a source was read.
#[derive(Serialize)]
pub(crate) struct Source<'a> {
    source: &'a str,
    complete_until: Option<String>,
    connected: bool,
    position: &'a str,
}

impl<'a> From<&'a Row> for Figure<'a> {
    fn from(row: &'a Row) -> Self {
        let Row {
            start_time,
            end_time,
            label,
            group,
            value,
            state: _,
            counts,
            amounts,
            interval,
            partial,
            statistics,
            statistics_error,
            completeness: _,
            revise_time,
        } = row;
        let amounts = amounts.iter().map(|(name, money)| (name.as_str(), Decimal::from(money).to_string()));
        Self {
            start: utc(start_time.as_ref()),
            end: utc(end_time.as_ref()),
            label,
            group,
            value: value.and_then(|value| number::raw(number::text(value))),
            counts: counts.iter().map(|(name, n)| (name.as_str(), number::raw(number::text(*n)))).collect(),
            amounts: amounts.map(|(name, text)| (name, number::raw(text))).collect(),
            statistics: statistics.iter().map(|(name, n)| (name.as_str(), number::raw(number::text(*n)))).collect(),
            interval: interval.as_ref().map(Limits::from),
            partial: *partial,
            state: state(row),
            completeness: completeness(row),
            revised: revise_time.as_ref().map(|at| utc(Some(at))),
            statistics_error: *statistics_error,
        }
    }
}

impl From<&Interval> for Limits {
    fn from(interval: &Interval) -> Self {
        let Interval { low, high, level } = *interval;
        Self { low, high, level }
    }
}

impl<'a> From<&'a Freshness> for Source<'a> {
    fn from(freshness: &'a Freshness) -> Self {
        let Freshness { source, position, complete_until, connected } = freshness;
        let complete_until = complete_until.as_ref().map(|at| utc(Some(at)));
        Self { source, complete_until, connected: *connected, position }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::tests::answer;

    #[test]
    fn keys_are_stable_and_numbers_exact() {
        let mut out = Vec::new();
        write(&answer(), &mut out).expect("a vector takes everything");
        let text = String::from_utf8(out).expect("JSON is UTF-8");
        assert!(text.contains("\"net\": 8348208.560001"), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().into_iter().flat_map(|object| object.keys().cloned()).collect()
        };
        assert_eq!(keys(&read), ["freshness", "metric", "rows", "unit", "version"]);
        let row = [
            "amounts",
            "completeness",
            "counts",
            "end",
            "group",
            "interval",
            "label",
            "partial",
            "revised",
            "start",
            "state",
            "statistics",
            "statistics_error",
            "value",
        ];
        assert_eq!(keys(&read["rows"][0]), row);
        assert_eq!(keys(&read["freshness"][0]), ["complete_until", "connected", "position", "source"]);
        assert_eq!(keys(&read["rows"][0]["amounts"]), ["net"]);
        assert_eq!(keys(&read["rows"][0]["counts"]), ["answers"]);
        assert_eq!(read["rows"][0]["value"], 39.84);
        assert_eq!(read["rows"][0]["statistics"]["p50"], 41);
        assert_eq!(read["rows"][0]["start"], "2017-05-01T00:00:00Z");
        assert_eq!(read["rows"][1]["value"], serde_json::Value::Null);
        assert_eq!(
            (&read["rows"][0]["completeness"], &read["rows"][2]["state"]),
            (&"behind".into(), &"suppressed".into())
        );
        assert_eq!(read["rows"][0]["revised"], "2017-06-03T10:00:00Z");
    }
}
