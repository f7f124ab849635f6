//! Answers for people.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};

use barometer_chassis::clock::Micros;
use barometer_proto::metrics::v1::{
    Completeness, Freshness, Metric, QueryMetricsRequest, RemovedRow, Row, RowState, Unit,
};

use super::{Answer, duration, group_names, spark, unit, utc};
use crate::decimal::{Decimal, rounded};
use crate::output::{Align, Table};

/// Writes the answer: a heading, the rows, and how fresh they are.
pub(super) fn write(
    answer: &Answer,
    metric: &Metric,
    by: &[String],
    query: &QueryMetricsRequest,
    out: &mut dyn Write,
) -> io::Result<()> {
    heading(metric, &query.parameters, out)?;
    if answer.result.rows.is_empty() {
        writeln!(out, "no facts")?;
    } else {
        rows(answer, metric, by, io::stdout().is_terminal()).write(out)?;
    }
    writeln!(out)?;
    for line in footer(&answer.freshness, &query.time_zone) {
        writeln!(out, "{}", dim(&line))?;
    }
    Ok(())
}

/// Writes what changed, with the heading and the freshness where it is the first answer.
pub(super) fn write_changed(
    answer: &Answer,
    metric: &Metric,
    by: &[String],
    query: &QueryMetricsRequest,
    is_first: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    if is_first {
        return write(answer, metric, by, query, out);
    }
    writeln!(out)?;
    rows(answer, metric, by, false).write(out)
}

/// Writes that a row is no more.
pub(super) fn write_removed(row: &RemovedRow, out: &mut dyn Write) -> io::Result<()> {
    let group = row.group.iter().map(|(name, value)| format!("{name} {}", self::group(Some(value))));
    let named: Vec<_> = (!row.label.is_empty()).then(|| row.label.clone()).into_iter().chain(group).collect();
    writeln!(out, "\nno more: {}", named.join(", "))
}

/// What is shown, and in which unit.
pub(crate) fn heading(metric: &Metric, parameters: &BTreeMap<String, String>, out: &mut dyn Write) -> io::Result<()> {
    let working = parameters.get("time").is_some_and(|time| time == "working");
    match metric.unit() {
        // Each duration names its own.
        Unit::Seconds if working => writeln!(out, "{} (working time: 1 d is 24 h of it)\n", metric.title),
        Unit::Seconds => writeln!(out, "{}\n", metric.title),
        of => writeln!(out, "{} ({})\n", metric.title, unit(of)),
    }
}

/// The statistics that have room in a table; the other formats have all of them.
const SHOWN: [&str; 4] = ["mean", "p50", "p90", "p95"];

/// On a terminal, with the course of each group as bars beside its figures.
fn rows(answer: &Answer, metric: &Metric, by: &[String], has_bars: bool) -> Table {
    let rows = &answer.result.rows;
    let groups = group_names(&answer.result, by);
    let has_labels = rows.iter().any(|row| !row.label.is_empty());
    let level = rows.iter().find_map(|row| Some(row.interval.as_ref()?.level));
    let bars = if has_bars && has_labels { bars(rows) } else { Vec::new() };

    let mut table = Table::default();
    if has_labels {
        table.column("period", Align::Left);
    }
    for name in &groups {
        table.column(name, Align::Left);
    }
    table.column(&metric.id, Align::Right);
    if !bars.is_empty() {
        table.column("", Align::Left);
    }
    if let Some(level) = level {
        table.column(format!("{} % interval", trimmed(level * 100.0)), Align::Right);
    }
    // A count that is the figure itself says nothing more, nor does one that no row has.
    let is_told = |name: &str| rows.iter().any(|row| row.counts.contains_key(name));
    let counts = || metric.counts.iter().filter(|name| **name != metric.id && is_told(name));
    let statistics = || metric.statistics.iter().filter(|name| SHOWN.contains(&name.as_str()));
    for name in counts().chain(&metric.amounts).chain(statistics()) {
        table.column(name, Align::Right);
    }
    table.column("", Align::Left);

    for (index, row) in rows.iter().enumerate() {
        let mut cells = Vec::new();
        cells.extend(has_labels.then(|| row.label.clone()));
        cells.extend(groups.iter().map(|name| group(row.group.get(name))));
        cells.push(value(row, metric.unit()));
        cells.extend(bars.get(index).map(char::to_string));
        cells.extend(level.map(|_| interval(row, metric.unit())));
        cells.extend(counts().map(|name| row.counts.get(name).map_or_else(none, |n| trimmed(*n))));
        cells.extend(
            metric.amounts.iter().map(|name| row.amounts.get(name).map_or_else(none, |m| Decimal::from(m).grouped())),
        );
        let statistic = |name| row.statistics.get(name).map_or_else(none, |value| figure(*value, metric.unit()));
        cells.extend(statistics().map(statistic));
        cells.push(note(row));
        table.row(cells);
    }
    table
}

/// A bar for each row, as high as its figure lies among those of its group.
fn bars(rows: &[Row]) -> Vec<char> {
    let mut groups = BTreeMap::<_, Vec<usize>>::new();
    rows.iter().enumerate().for_each(|(index, row)| groups.entry(&row.group).or_default().push(index));
    let mut all = vec![' '; rows.len()];
    for indices in groups.into_values() {
        let values: Vec<_> = indices.iter().map(|index| rows[*index].value).collect();
        indices.into_iter().zip(spark::bars(&values)).for_each(|(index, bar)| all[index] = bar);
    }
    all
}

/// The names of groups: those asked for in their order, then those that metrics always have.
pub(super) fn names<'a>(all: impl Iterator<Item = &'a String>, by: &[String]) -> Vec<String> {
    let mut names = by.to_vec();
    for name in all {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// A difference, with its sign; between shares in percentage points.
pub(super) fn signed(value: f64, unit: Unit) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    match unit {
        Unit::Percent => format!("{sign}{} pp", rounded(value, 2)),
        unit => format!("{sign}{}", figure(value, unit)),
    }
}

/// A chance, with what digits are of use.
pub(super) fn chance(p_value: f64) -> String {
    if p_value < 0.001 { "< 0.001".to_owned() } else { rounded(p_value, 3) }
}

pub(crate) fn group(value: Option<&String>) -> String {
    match value {
        Some(value) if !value.is_empty() => value.clone(),
        _ => "(none)".to_owned(),
    }
}

pub(crate) fn value(row: &Row, unit: Unit) -> String {
    let Some(value) = row.value else { return none() };
    match unit {
        Unit::Money => {
            let currency = row.amounts.values().map(|money| money.currency_code.as_str()).next();
            // Where the groups do not say it.
            let currency = currency.filter(|_| !row.group.contains_key("currency"));
            format!("{} {}", rounded(value, 2), currency.unwrap_or_default()).trim_end().to_owned()
        }
        unit => figure(value, unit),
    }
}

pub(crate) fn interval(row: &Row, unit: Unit) -> String {
    match &row.interval {
        Some(interval) => format!("{} to {}", figure(interval.low, unit), figure(interval.high, unit)),
        None => none(),
    }
}

fn figure(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count => trimmed(value),
        Unit::Percent => format!("{} %", rounded(value, 2)),
        Unit::Seconds => duration::text(value),
        _ => rounded(value, 2),
    }
}

/// With up to two decimals: counts are whole, unless they are weighted.
pub(crate) fn trimmed(number: f64) -> String {
    let text = rounded(number, 2);
    text.strip_suffix(".00").map(str::to_owned).unwrap_or(text)
}

pub(super) fn none() -> String {
    "—".to_owned()
}

pub(crate) fn note(row: &Row) -> String {
    let told = match row.state() {
        RowState::NoFacts => Some("no facts"),
        RowState::Suppressed => Some("too few to tell"),
        RowState::Ok | RowState::Unspecified => None,
    };
    let partial = row.partial.then_some("partial");
    // What runs is partial, and what is complete needs no word.
    let expected = match row.completeness() {
        Completeness::Behind => Some("behind"),
        Completeness::Open => Some("open"),
        Completeness::Running | Completeness::Complete | Completeness::Unspecified => None,
    };
    let error =
        (row.statistics_error > 0.0).then(|| format!("percentiles ± {} %", trimmed(100.0 * row.statistics_error)));
    let words = [told, partial, expected].into_iter().flatten().map(str::to_owned);
    words.chain(error).collect::<Vec<_>>().join(", ")
}

/// How fresh the figures are, and what keeps them from being so.
pub(crate) fn footer(freshness: &[Freshness], time_zone: &str) -> Vec<String> {
    let complete = freshness.iter().map(|source| source.complete_until.as_ref()).collect::<Option<Vec<_>>>();
    let oldest = complete.and_then(|all| all.into_iter().min_by_key(|at| (at.seconds, at.nanos)));
    let mut line = match oldest.and_then(Micros::from_wire) {
        // Nobody reads the fractions of a second.
        Some(at) => format!("complete until {}", Micros(at.0 - at.0.rem_euclid(Micros::SECOND))),
        None => "not complete yet: the first facts are still being read".to_owned(),
    };
    if !time_zone.is_empty() {
        line.push_str(&format!(", days of {time_zone}"));
    }
    let lost = freshness.iter().filter(|source| !source.connected).map(|source| {
        let until = utc(source.complete_until.as_ref());
        let since = if until.is_empty() { String::new() } else { format!(" since {until}") };
        format!("{} can not be reached: what it learned{since} is missing", source.source)
    });
    std::iter::once(line).chain(lost).collect()
}

/// Dim on a terminal.
pub(crate) fn dim(text: &str) -> String {
    if io::stdout().is_terminal() { format!("\x1b[2m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::tests::{answer, metric};

    #[test]
    fn a_table_shows_what_is_useful() {
        let mut out = Vec::new();
        let query = QueryMetricsRequest { time_zone: "UTC".to_owned(), ..QueryMetricsRequest::default() };
        write(&answer(), &metric(), &["language".to_owned()], &query, &mut out).expect("a vector takes everything");
        let expected = "\
Net promoter score (points)

period   language    nps   95 % interval  answers               net    p50
2017-05  en        39.84  38.10 to 41.50    2,746  8,348,208.560001  41.00  partial, behind
2017-06  (none)        —               —        0                 —      —  no facts
2017-07  ro            —               —        —                 —      —  too few to tell, open

complete until 2026-01-02T03:04:05Z, days of UTC
customers can not be reached: what it learned since 2026-01-02T03:04:05.678Z is missing
";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn on_a_terminal_bars_show_the_course_of_each_group() {
        let mut answer = answer();
        for (row, value) in answer.result.rows.iter_mut().zip([Some(10.0), None, Some(20.0)]) {
            row.group.clear();
            row.value = value;
        }
        let told = |answer: &Answer, has_bars| {
            let mut out = Vec::new();
            rows(answer, &metric(), &[], has_bars).write(&mut out).expect("a vector takes everything");
            String::from_utf8(out).expect("text")
        };
        let bars: String = told(&answer, true).chars().filter(|c| ('▁'..='█').contains(c)).collect();
        assert_eq!(bars, "▁█");
        assert!(!told(&answer, false).contains('█'));
        // Without periods there is no course.
        answer.result.rows.iter_mut().for_each(|row| row.label.clear());
        assert!(!told(&answer, true).contains('█'));
    }

    #[test]
    fn differences_have_a_sign_and_chances_three_digits() {
        assert_eq!(signed(4.736, Unit::Points), "+4.74");
        assert_eq!(signed(-4.0, Unit::Percent), "-4.00 pp");
        assert_eq!(signed(0.0, Unit::Points), "0.00");
        assert_eq!(signed(90.0, Unit::Seconds), "+1.5 min");
        assert_eq!(signed(-3.0, Unit::Count), "-3");
        assert_eq!((chance(0.183_311), chance(0.000_4)), ("0.183".to_owned(), "< 0.001".to_owned()));
    }
}
