//! Trends, for people and for programs.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
};

use barometer_proto::metrics::v1::{
    Metric, MetricTrends, QueryMetricsRequest, QueryTrendsResponse, Row, Trend, Turn,
    trend::{Course, Method},
};
use serde::Serialize;

use super::{Every, json, number, spark, table, unit, utc};
use crate::output;
use crate::output::{Align, Table};

/// A turn is told where its chance is below this.
const RARE: f64 = 0.05;

/// Writes the trends of the only metric as a table.
pub(super) fn write_table(
    answer: &QueryTrendsResponse,
    metric: &Metric,
    every: Every,
    query: &QueryMetricsRequest,
    out: &mut dyn Write,
) -> io::Result<()> {
    let of_metric = only(answer)?;
    table::heading(metric, &query.parameters, out)?;
    if of_metric.trends.is_empty() {
        writeln!(out, "no facts")?;
    } else {
        rows(of_metric, metric, every, &query.group_by, io::stdout().is_terminal()).write(out)?;
    }
    writeln!(out)?;
    let mut remarks = Vec::new();
    if of_metric.trends.iter().any(|trend| [Course::Rises, Course::Falls].contains(&trend.course())) {
        remarks.push("▲ rises, ▼ falls by more than chance".to_owned());
    }
    remarks.extend(table::footer(&answer.freshness, &query.time_zone));
    remarks.iter().try_for_each(|line| writeln!(out, "{}", table::dim(line)))
}

fn rows(of_metric: &MetricTrends, metric: &Metric, every: Every, by: &[String], has_lines: bool) -> Table {
    let trends = &of_metric.trends;
    let groups = table::names(trends.iter().flat_map(|trend| trend.group.keys()), by);
    let level = trends.iter().find_map(|trend| Some(trend.slope_interval.as_ref()?.level));
    let mut table = Table::default();
    for name in &groups {
        table.column(name, Align::Left);
    }
    if has_lines {
        table.column("", Align::Left);
    }
    for title in ["points", "first", "last"] {
        table.column(title, Align::Right);
    }
    table.column(format!("a {}", every.name()), Align::Right);
    if let Some(level) = level {
        table.column(format!("{} % interval", table::trimmed(level * 100.0)), Align::Right);
    }
    table.column(if trends.len() > 1 { "p adjusted" } else { "p" }, Align::Right);
    table.column("", Align::Left);
    for trend in trends {
        let mut cells: Vec<_> = groups.iter().map(|name| table::group(trend.group.get(name))).collect();
        let values: Vec<_> = trend.rows.iter().map(|row| row.value.filter(|_| !row.partial)).collect();
        cells.extend(has_lines.then(|| spark::line(&values)));
        cells.push(trend.points.to_string());
        let counted = || trend.rows.iter().filter(|row| !row.partial && row.value.is_some());
        let value = |row: Option<&Row>| row.map_or_else(table::none, |row| table::value(row, metric.unit()));
        cells.extend([value(counted().next()), value(counted().next_back()), slope(trend, metric)]);
        if level.is_some() {
            let limits = trend.slope_interval.as_ref().map(|of| {
                let [low, high] = [of.low, of.high].map(|limit| table::signed(limit, metric.unit()));
                format!("{low} to {high}")
            });
            cells.push(limits.unwrap_or_else(table::none));
        }
        cells.push(trend.adjusted_p_value.map_or_else(table::none, table::chance));
        cells.push(note(trend, metric));
        table.row(cells);
    }
    table
}

fn slope(trend: &Trend, metric: &Metric) -> String {
    let Some(slope) = trend.slope else { return table::none() };
    let mark = match trend.course() {
        Course::Rises => "▲ ",
        Course::Falls => "▼ ",
        Course::Unspecified | Course::NotShown | Course::TooShort => "",
    };
    format!("{mark}{}", table::signed(slope, metric.unit()))
}

fn note(trend: &Trend, metric: &Metric) -> String {
    let short = (trend.course() == Course::TooShort).then(|| "too few points".to_owned());
    let crooked = trend.fit_p_value.is_some_and(|p_value| p_value < RARE).then(|| "not along a line".to_owned());
    let turn = trend.turn.as_ref().filter(|turn| turn.adjusted_p_value < RARE);
    let turn =
        turn.map(|turn| format!("turned in {} by {}", turn.label, table::signed(turn.difference, metric.unit())));
    [short, crooked, turn].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[derive(Serialize)]
struct Trends<'a> {
    metric: &'a str,
    version: i32,
    unit: &'static str,
    trends: Vec<Told<'a>>,
    freshness: Vec<json::Source<'a>>,
}

#[derive(Serialize)]
struct Told<'a> {
    group: &'a BTreeMap<String, String>,
    points: i32,
    method: &'static str,
    slope: Option<f64>,
    slope_interval: Option<json::Limits>,
    p_value: Option<f64>,
    adjusted_p_value: Option<f64>,
    fit_p_value: Option<f64>,
    course: &'static str,
    turn: Option<Turned<'a>>,
    rows: Vec<json::Figure<'a>>,
}

#[derive(Serialize)]
struct Turned<'a> {
    time: String,
    label: &'a str,
    difference: f64,
    p_value: f64,
    adjusted_p_value: f64,
}

impl<'a> From<&'a Turn> for Turned<'a> {
    fn from(turn: &'a Turn) -> Self {
        let Turn { time, label, difference, p_value, adjusted_p_value } = turn;
        let (difference, p_value, adjusted_p_value) = (*difference, *p_value, *adjusted_p_value);
        Self { time: utc(time.as_ref()), label, difference, p_value, adjusted_p_value }
    }
}

/// Writes the trends of the only metric as one object.
pub(super) fn write_json(answer: &QueryTrendsResponse, out: &mut dyn Write) -> io::Result<()> {
    let of_metric = only(answer)?;
    let trends = of_metric.trends.iter().map(|trend| Told {
        group: &trend.group,
        points: trend.points,
        method: method(trend),
        slope: trend.slope,
        slope_interval: trend.slope_interval.as_ref().map(json::Limits::from),
        p_value: trend.p_value,
        adjusted_p_value: trend.adjusted_p_value,
        fit_p_value: trend.fit_p_value,
        course: course(trend),
        turn: trend.turn.as_ref().map(Turned::from),
        rows: trend.rows.iter().map(json::Figure::from).collect(),
    });
    let trends = Trends {
        metric: &of_metric.metric,
        version: of_metric.version,
        unit: unit(of_metric.unit()),
        trends: trends.collect(),
        freshness: answer.freshness.iter().map(json::Source::from).collect(),
    };
    output::json(&trends, out)
}

/// Writes a line for each series.
pub(super) fn write_csv(answer: &QueryTrendsResponse, by: &[String], out: &mut dyn Write) -> io::Result<()> {
    const COLUMNS: [&str; 14] = [
        "points",
        "method",
        "slope",
        "low",
        "high",
        "level",
        "p_value",
        "adjusted_p_value",
        "fit_p_value",
        "course",
        "turn_time",
        "turn_difference",
        "turn_p_value",
        "turn_adjusted_p_value",
    ];
    let trends = &only(answer)?.trends;
    let groups = table::names(trends.iter().flat_map(|trend| trend.group.keys()), by);
    let mut csv = ::csv::Writer::from_writer(out);
    csv.write_record(groups.iter().map(String::as_str).chain(COLUMNS))?;
    for trend in trends {
        let mut cells: Vec<_> = groups.iter().map(|name| trend.group.get(name).cloned().unwrap_or_default()).collect();
        let text = |number: Option<f64>| number.map(number::text).unwrap_or_default();
        let interval = trend.slope_interval.as_ref();
        let turn = trend.turn.as_ref();
        cells.extend([trend.points.to_string(), method(trend).to_owned(), text(trend.slope)]);
        cells.extend([interval.map(|of| of.low), interval.map(|of| of.high), interval.map(|of| of.level)].map(text));
        cells.extend([trend.p_value, trend.adjusted_p_value, trend.fit_p_value].map(text));
        cells.extend([course(trend).to_owned(), utc(turn.and_then(|turn| turn.time.as_ref()))]);
        let of_turn = [turn.map(|of| of.difference), turn.map(|of| of.p_value), turn.map(|of| of.adjusted_p_value)];
        cells.extend(of_turn.map(text));
        csv.write_record(cells)?;
    }
    csv.flush()
}

fn only(answer: &QueryTrendsResponse) -> io::Result<&MetricTrends> {
    answer.results.first().ok_or_else(|| io::Error::other("the suite answered without trends"))
}

fn method(trend: &Trend) -> &'static str {
    match trend.method() {
        Method::Unspecified => "",
        Method::Weighted => "weighted",
        Method::Sen => "sen",
    }
}

fn course(trend: &Trend) -> &'static str {
    match trend.course() {
        Course::Unspecified => "",
        Course::Rises => "rises",
        Course::Falls => "falls",
        Course::NotShown => "not_shown",
        Course::TooShort => "too_short",
    }
}

#[cfg(test)]
mod tests {
    use barometer_proto::metrics::v1::{Interval, Unit};

    use super::*;

    fn trends() -> MetricTrends {
        let row = |value: f64| Row { value: Some(value), ..Row::default() };
        let partial = Row { partial: true, ..row(99.0) };
        let rising = Trend {
            group: [("language".to_owned(), "en".to_owned())].into(),
            rows: vec![row(10.0), row(20.0), row(20.0), row(30.0), partial],
            points: 4,
            slope: Some(6.0),
            slope_interval: Some(Interval { low: 2.5, high: 9.5, level: 0.9 }),
            p_value: Some(0.01),
            adjusted_p_value: Some(0.02),
            fit_p_value: Some(0.01),
            course: Course::Rises.into(),
            method: Method::Weighted.into(),
            turn: Some(Turn { label: "2017-02".into(), difference: 13.25, adjusted_p_value: 0.03, ..Turn::default() }),
        };
        let short = Trend {
            group: [("language".to_owned(), "ro".to_owned())].into(),
            rows: vec![row(5.0)],
            points: 1,
            course: Course::TooShort.into(),
            ..Trend::default()
        };
        MetricTrends { metric: "nps".into(), version: 1, unit: Unit::Points.into(), trends: vec![rising, short] }
    }

    #[test]
    fn a_table_shows_each_series_in_a_line() {
        let metric = crate::query::tests::metric();
        let by = ["language".to_owned()];
        let mut out = Vec::new();
        rows(&trends(), &metric, Every::Month, &by, true).write(&mut out).expect("a vector takes everything");
        let expected = "\
language         points  first   last  a month   90 % interval  p adjusted
en        ▁▅▅█        4  10.00  30.00  ▲ +6.00  +2.50 to +9.50       0.020  not along a line, turned in 2017-02 by +13.25
ro        ▄           1   5.00   5.00        —               —           —  too few points
";
        assert_eq!(String::from_utf8_lossy(&out), expected);
        let mut plain = Vec::new();
        rows(&trends(), &metric, Every::Month, &by, false).write(&mut plain).expect("a vector takes everything");
        assert!(!String::from_utf8_lossy(&plain).contains('█'));
    }

    #[test]
    fn programs_are_told_every_digit() {
        let answer = QueryTrendsResponse { results: vec![trends()], freshness: Vec::new() };
        let mut out = Vec::new();
        write_csv(&answer, &["language".to_owned()], &mut out).expect("a vector takes everything");
        let csv = String::from_utf8(out).expect("text");
        assert_eq!(csv.lines().nth(1), Some("en,4,weighted,6,2.5,9.5,0.9,0.01,0.02,0.01,rises,,13.25,0,0.03"));
        assert_eq!(csv.lines().nth(2), Some("ro,1,,,,,,,,,too_short,,,,"));
        let mut out = Vec::new();
        write_json(&answer, &mut out).expect("a vector takes everything");
        let json: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!((&json["trends"][0]["course"], &json["trends"][0]["slope"]), (&"rises".into(), &6.0.into()));
        assert_eq!(json["trends"][0]["rows"].as_array().map(Vec::len), Some(5));
    }
}
