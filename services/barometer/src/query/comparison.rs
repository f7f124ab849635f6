//! Comparisons, for people and for programs.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use barometer_proto::metrics::v1::{
    Comparison, Metric, MetricComparisons, QueryComparisonsRequest, QueryComparisonsResponse, Row, Untested, Verdict,
};
use serde::Serialize;

use super::{json, number, table, unit, utc};
use crate::output;
use crate::output::{Align, Table};

/// Writes the comparisons of the only metric as a table.
pub(super) fn write_table(
    answer: &QueryComparisonsResponse,
    metric: &Metric,
    query: &QueryComparisonsRequest,
    out: &mut dyn Write,
) -> io::Result<()> {
    let of_metric = only(answer)?;
    table::heading(metric, &query.parameters, out)?;
    if of_metric.comparisons.is_empty() {
        writeln!(out, "no facts")?;
    } else {
        rows(of_metric, metric, query, answer.tested).write(out)?;
    }
    writeln!(out)?;
    let mut remarks = times(of_metric);
    if of_metric.comparisons.iter().any(|of| [Verdict::Higher, Verdict::Lower].contains(&of.verdict())) {
        remarks.push("▲ higher, ▼ lower by more than chance".to_owned());
    }
    remarks.extend(table::footer(&answer.freshness, &query.time_zone));
    remarks.iter().try_for_each(|line| writeln!(out, "{}", table::dim(line)))
}

fn rows(of_metric: &MetricComparisons, metric: &Metric, query: &QueryComparisonsRequest, tested: i32) -> Table {
    let comparisons = &of_metric.comparisons;
    let groups = table::names(comparisons.iter().flat_map(|of| of.group.keys()), &query.group_by);
    let level = comparisons.iter().find_map(|of| Some(of.interval.as_ref()?.level));
    let has_sample = !metric.sample.is_empty();
    let mut table = Table::default();
    for name in &groups {
        table.column(name, Align::Left);
    }
    for title in [metric.id.as_str(), "against"] {
        table.column(title, Align::Right);
        if has_sample {
            table.column("n", Align::Right);
        }
    }
    table.column("difference", Align::Right);
    if let Some(level) = level {
        table.column(format!("{} % interval", table::trimmed(level * 100.0)), Align::Right);
        table.column(if tested > 1 { "p adjusted" } else { "p" }, Align::Right);
    }
    table.column("", Align::Left);
    for comparison in comparisons {
        let mut cells: Vec<_> = groups.iter().map(|name| table::group(comparison.group.get(name))).collect();
        for row in [&comparison.figure, &comparison.against] {
            cells.push(row.as_ref().map_or_else(table::none, |row| table::value(row, metric.unit())));
            if has_sample {
                cells.push(row.as_ref().and_then(|row| sample(row, metric)).map_or_else(table::none, table::trimmed));
            }
        }
        cells.push(difference(comparison, metric));
        if level.is_some() {
            let interval = comparison.interval.as_ref();
            let limits = interval.map(|of| {
                let [low, high] = [of.low, of.high].map(|limit| table::signed(limit, metric.unit()));
                format!("{low} to {high}")
            });
            cells.push(limits.unwrap_or_else(table::none));
            cells.push(comparison.adjusted_p_value.map_or_else(table::none, table::chance));
        }
        cells.push(note(comparison));
        table.row(cells);
    }
    table
}

/// How many things a figure is made of.
fn sample(row: &Row, metric: &Metric) -> Option<f64> {
    metric.sample.split(" + ").map(|name| row.counts.get(name)).sum()
}

fn difference(comparison: &Comparison, metric: &Metric) -> String {
    let Some(difference) = comparison.difference else { return table::none() };
    let mark = match comparison.verdict() {
        Verdict::Higher => "▲ ",
        Verdict::Lower => "▼ ",
        Verdict::Unspecified | Verdict::NotShown | Verdict::NotTested => "",
    };
    format!("{mark}{}", table::signed(difference, metric.unit()))
}

fn note(comparison: &Comparison) -> String {
    let untested = match comparison.untested() {
        Untested::Unspecified => None,
        Untested::NoTest => Some("no test of it"),
        Untested::NoFacts => Some("nothing to compare with"),
        Untested::TooFew => Some("too few to test"),
        Untested::NoSpread => Some("all alike"),
        Untested::Overlap => Some("share what they are made of"),
        Untested::Suppressed => Some("too few to tell"),
    };
    let is_partial = [&comparison.figure, &comparison.against].into_iter().flatten().any(|row| row.partial);
    let words = untested.into_iter().chain(is_partial.then_some("partial"));
    words.collect::<Vec<_>>().join(", ")
}

/// Which times are compared, where they differ.
fn times(of_metric: &MetricComparisons) -> Vec<String> {
    let time = |row: &Row| format!("{} to {}", utc(row.start_time.as_ref()), utc(row.end_time.as_ref()));
    let of = |pick: fn(&Comparison) -> Option<&Row>| of_metric.comparisons.iter().find_map(pick).map(time);
    let (figures, others) = (of(|of| of.figure.as_ref()), of(|of| of.against.as_ref()));
    match (figures, others) {
        (Some(figures), Some(others)) if figures != others => vec![format!("{figures} against {others}")],
        _ => Vec::new(),
    }
}

#[derive(Serialize)]
struct Comparisons<'a> {
    metric: &'a str,
    version: i32,
    unit: &'static str,
    method: &'a str,
    tested: i32,
    comparisons: Vec<Compared<'a>>,
    freshness: Vec<json::Source<'a>>,
}

#[derive(Serialize)]
struct Compared<'a> {
    group: &'a BTreeMap<String, String>,
    figure: Option<json::Figure<'a>>,
    against: Option<json::Figure<'a>>,
    difference: Option<f64>,
    interval: Option<json::Limits>,
    statistic: Option<f64>,
    p_value: Option<f64>,
    adjusted_p_value: Option<f64>,
    verdict: &'static str,
    untested: Option<&'static str>,
}

/// Writes the comparisons of the only metric as one object.
pub(super) fn write_json(answer: &QueryComparisonsResponse, out: &mut dyn Write) -> io::Result<()> {
    let of_metric = only(answer)?;
    let comparisons = of_metric.comparisons.iter().map(|comparison| Compared {
        group: &comparison.group,
        figure: comparison.figure.as_ref().map(json::Figure::from),
        against: comparison.against.as_ref().map(json::Figure::from),
        difference: comparison.difference,
        interval: comparison.interval.as_ref().map(json::Limits::from),
        statistic: comparison.statistic,
        p_value: comparison.p_value,
        adjusted_p_value: comparison.adjusted_p_value,
        verdict: verdict(comparison),
        untested: untested(comparison),
    });
    let comparisons = Comparisons {
        metric: &of_metric.metric,
        version: of_metric.version,
        unit: unit(of_metric.unit()),
        method: &of_metric.method,
        tested: answer.tested,
        comparisons: comparisons.collect(),
        freshness: answer.freshness.iter().map(json::Source::from).collect(),
    };
    output::json(&comparisons, out)
}

/// Writes a line for each comparison.
pub(super) fn write_csv(answer: &QueryComparisonsResponse, by: &[String], out: &mut dyn Write) -> io::Result<()> {
    const COLUMNS: [&str; 11] = [
        "value",
        "against",
        "difference",
        "low",
        "high",
        "level",
        "statistic",
        "p_value",
        "adjusted_p_value",
        "verdict",
        "untested",
    ];
    let comparisons = &only(answer)?.comparisons;
    let groups = table::names(comparisons.iter().flat_map(|of| of.group.keys()), by);
    let mut csv = ::csv::Writer::from_writer(out);
    csv.write_record(groups.iter().map(String::as_str).chain(COLUMNS))?;
    for comparison in comparisons {
        let value = |row: &Option<Row>| row.as_ref().and_then(|row| row.value);
        let interval = comparison.interval.as_ref();
        let numbers = [
            value(&comparison.figure),
            value(&comparison.against),
            comparison.difference,
            interval.map(|of| of.low),
            interval.map(|of| of.high),
            interval.map(|of| of.level),
            comparison.statistic,
            comparison.p_value,
            comparison.adjusted_p_value,
        ];
        let mut cells: Vec<_> =
            groups.iter().map(|name| comparison.group.get(name).cloned().unwrap_or_default()).collect();
        cells.extend(numbers.map(|number| number.map(number::text).unwrap_or_default()));
        cells.extend([verdict(comparison), untested(comparison).unwrap_or_default()].map(str::to_owned));
        csv.write_record(cells)?;
    }
    csv.flush()
}

fn only(answer: &QueryComparisonsResponse) -> io::Result<&MetricComparisons> {
    answer.results.first().ok_or_else(|| io::Error::other("the suite answered without comparisons"))
}

fn verdict(comparison: &Comparison) -> &'static str {
    match comparison.verdict() {
        Verdict::Unspecified => "",
        Verdict::Higher => "higher",
        Verdict::Lower => "lower",
        Verdict::NotShown => "not_shown",
        Verdict::NotTested => "not_tested",
    }
}

fn untested(comparison: &Comparison) -> Option<&'static str> {
    match comparison.untested() {
        Untested::Unspecified => None,
        Untested::NoTest => Some("no_test"),
        Untested::NoFacts => Some("no_facts"),
        Untested::TooFew => Some("too_few"),
        Untested::NoSpread => Some("no_spread"),
        Untested::Overlap => Some("overlap"),
        Untested::Suppressed => Some("suppressed"),
    }
}

#[cfg(test)]
mod tests {
    use barometer_proto::metrics::v1::{Interval, Unit};

    use super::*;
    use crate::instant;

    fn row(value: Option<f64>, answers: f64) -> Row {
        let at = |text: &str| instant::instant(text, &jiff::tz::TimeZone::UTC).map(|at| at.to_wire());
        Row {
            start_time: at("2017-05-01"),
            end_time: at("2017-06-01"),
            value,
            counts: [("answers".to_owned(), answers)].into(),
            ..Row::default()
        }
    }

    fn answer() -> QueryComparisonsResponse {
        let group = |name: &str| [("channel".to_owned(), name.to_owned())].into();
        let shop = Comparison {
            group: group("shop"),
            figure: Some(row(Some(44.5), 1_200.0)),
            against: Some(row(Some(30.0), 9_000.0)),
            difference: Some(14.5),
            interval: Some(Interval { low: 10.25, high: 18.75, level: 0.95 }),
            statistic: Some(6.5),
            p_value: Some(1e-9),
            adjusted_p_value: Some(2e-9),
            verdict: Verdict::Higher.into(),
            ..Comparison::default()
        };
        let web = Comparison {
            group: group(""),
            figure: Some(row(Some(28.0), 40.0)),
            difference: Some(-2.0),
            interval: Some(Interval { low: -12.0, high: 8.0, level: 0.95 }),
            adjusted_p_value: Some(0.712_34),
            verdict: Verdict::NotShown.into(),
            against: Some(row(Some(30.0), 9_000.0)),
            ..Comparison::default()
        };
        let phone = Comparison {
            group: group("phone"),
            figure: Some(row(None, 0.0)),
            verdict: Verdict::NotTested.into(),
            untested: Untested::Suppressed.into(),
            ..Comparison::default()
        };
        let of_nps = MetricComparisons {
            metric: "nps".into(),
            version: 1,
            unit: Unit::Points.into(),
            comparisons: vec![web, phone, shop],
            ..MetricComparisons::default()
        };
        QueryComparisonsResponse { results: vec![of_nps], tested: 2, freshness: Vec::new() }
    }

    fn told(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_table_marks_what_to_believe() {
        let metric = Metric { sample: "answers".into(), ..crate::query::tests::metric() };
        let query = QueryComparisonsRequest { group_by: vec!["channel".into()], ..Default::default() };
        let expected = "\
Net promoter score (points)

channel    nps      n  against      n  difference     95 % interval  p adjusted
(none)   28.00     40    30.00  9,000       -2.00   -12.00 to +8.00       0.712
phone        —      0        —      —           —                 —           —  too few to tell
shop     44.50  1,200    30.00  9,000    ▲ +14.50  +10.25 to +18.75     < 0.001

▲ higher, ▼ lower by more than chance
";
        let table = told(|out| write_table(&answer(), &metric, &query, out));
        assert_eq!(
            table.strip_suffix("not complete yet: the first facts are still being read\n").unwrap_or(&table),
            expected
        );
    }

    #[test]
    fn programs_are_told_every_digit() {
        let csv = told(|out| write_csv(&answer(), &["channel".to_owned()], out));
        let lines: Vec<_> = csv.lines().collect();
        assert_eq!(lines[1], ",28,30,-2,-12,8,0.95,,,0.71234,not_shown,");
        assert_eq!(lines[2], "phone,,,,,,,,,,not_tested,suppressed");
        let json: serde_json::Value = serde_json::from_str(&told(|out| write_json(&answer(), out))).expect("JSON");
        let shop = &json["comparisons"][2];
        assert_eq!((&shop["verdict"], &shop["untested"]), (&"higher".into(), &serde_json::Value::Null));
        assert_eq!((&shop["p_value"], &shop["against"]["counts"]["answers"]), (&1e-9.into(), &9_000.into()));
    }
}
