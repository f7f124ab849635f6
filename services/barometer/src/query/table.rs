//! Answers for people.

use std::io::{self, IsTerminal, Write};

use barometer_chassis::clock::Micros;
use barometer_proto::metrics::v1::{Freshness, Metric, QueryMetricsRequest, Row, RowState, Unit};

use super::{Answer, duration, group_names, unit, utc};
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
    let working = query.parameters.get("time").is_some_and(|time| time == "working");
    match metric.unit() {
        // Each duration names its own.
        Unit::Seconds if working => writeln!(out, "{} (working time: 1 d is 24 h of it)\n", metric.title)?,
        Unit::Seconds => writeln!(out, "{}\n", metric.title)?,
        of => writeln!(out, "{} ({})\n", metric.title, unit(of))?,
    }
    if answer.result.rows.is_empty() {
        writeln!(out, "no facts")?;
    } else {
        rows(answer, metric, by).write(out)?;
    }
    writeln!(out)?;
    for line in footer(&answer.freshness, &query.time_zone) {
        writeln!(out, "{}", dim(&line))?;
    }
    Ok(())
}

/// The statistics that have room in a table; the other formats have all of them.
const SHOWN: [&str; 4] = ["mean", "p50", "p90", "p95"];

fn rows(answer: &Answer, metric: &Metric, by: &[String]) -> Table {
    let rows = &answer.result.rows;
    let groups = group_names(&answer.result, by);
    let has_labels = rows.iter().any(|row| !row.label.is_empty());
    let level = rows.iter().find_map(|row| Some(row.interval.as_ref()?.level));

    let mut table = Table::default();
    if has_labels {
        table.column("period", Align::Left);
    }
    for name in &groups {
        table.column(name, Align::Left);
    }
    table.column(&metric.id, Align::Right);
    if let Some(level) = level {
        table.column(format!("{} % interval", trimmed(level * 100.0)), Align::Right);
    }
    // A count that is the figure itself says nothing more.
    let counts = || metric.counts.iter().filter(|name| **name != metric.id);
    let statistics = || metric.statistics.iter().filter(|name| SHOWN.contains(&name.as_str()));
    for name in counts().chain(&metric.amounts).chain(statistics()) {
        table.column(name, Align::Right);
    }
    table.column("", Align::Left);

    for row in rows {
        let mut cells = Vec::new();
        cells.extend(has_labels.then(|| row.label.clone()));
        cells.extend(groups.iter().map(|name| group(row.group.get(name))));
        cells.push(value(row, metric.unit()));
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

fn group(value: Option<&String>) -> String {
    match value {
        Some(value) if !value.is_empty() => value.clone(),
        _ => "(none)".to_owned(),
    }
}

fn value(row: &Row, unit: Unit) -> String {
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

fn interval(row: &Row, unit: Unit) -> String {
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
fn trimmed(number: f64) -> String {
    let text = rounded(number, 2);
    text.strip_suffix(".00").map(str::to_owned).unwrap_or(text)
}

fn none() -> String {
    "—".to_owned()
}

fn note(row: &Row) -> String {
    let no_facts = (row.state() == RowState::NoFacts).then_some("no facts");
    let partial = row.partial.then_some("partial");
    no_facts.into_iter().chain(partial).collect::<Vec<_>>().join(", ")
}

/// How fresh the figures are, and what keeps them from being so.
fn footer(freshness: &[Freshness], time_zone: &str) -> Vec<String> {
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
fn dim(text: &str) -> String {
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
2017-05  en        39.84  38.10 to 41.50    2,746  8,348,208.560001  41.00  partial
2017-06  (none)        —               —        0                 —      —  no facts

complete until 2026-01-02T03:04:05Z, days of UTC
customers can not be reached: what it learned since 2026-01-02T03:04:05.678Z is missing
";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}
