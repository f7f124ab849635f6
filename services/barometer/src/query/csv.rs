//! Answers for spreadsheets: a line for each row.

use std::io::{self, Write};

use barometer_proto::metrics::v1::Metric;

use super::{Answer, completeness, group_names, number, state, utc};
use crate::decimal::Decimal;

/// The columns after those of the metric.
const LAST: [&str; 8] = ["low", "high", "level", "partial", "state", "completeness", "revised", "statistics_error"];

/// The columns before the groups.
const FIRST: [&str; 3] = ["start", "end", "label"];

/// Writes the answer. The columns depend on the metric and the groups asked for only.
pub(super) fn write(answer: &Answer, metric: &Metric, by: &[String], out: &mut dyn Write) -> io::Result<()> {
    write_rows(answer, metric, by, true, out)
}

/// Writes the rows of an answer, with the titles of the columns or without.
pub(super) fn write_rows(
    answer: &Answer,
    metric: &Metric,
    by: &[String],
    has_titles: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let groups = group_names(&answer.result, by);
    let mut csv = ::csv::Writer::from_writer(out);
    if has_titles {
        csv.write_record(titles(metric, &groups))?;
    }
    for row in &answer.result.rows {
        let mut cells = vec![utc(row.start_time.as_ref()), utc(row.end_time.as_ref()), row.label.clone()];
        cells.extend(groups.iter().map(|name| row.group.get(name).cloned().unwrap_or_default()));
        let text = |number: Option<f64>| number.map(number::text).unwrap_or_default();
        cells.push(text(row.value));
        cells.extend(metric.counts.iter().map(|name| text(row.counts.get(name).copied())));
        let exact = |name| row.amounts.get(name).map(|money| Decimal::from(money).to_string()).unwrap_or_default();
        cells.extend(metric.amounts.iter().map(exact));
        cells.extend(metric.statistics.iter().map(|name| text(row.statistics.get(name).copied())));
        let interval = row.interval.as_ref();
        cells.extend([interval.map(|i| i.low), interval.map(|i| i.high), interval.map(|i| i.level)].map(text));
        cells.push(row.partial.to_string());
        cells.extend([state(row), completeness(row)].map(str::to_owned));
        cells.extend([utc(row.revise_time.as_ref()), number::text(row.statistics_error)]);
        csv.write_record(cells)?;
    }
    csv.flush()
}

/// What is called as another column is told apart as in exports: an amount as a count, a dimension as anything.
fn titles(metric: &Metric, groups: &[String]) -> Vec<String> {
    let amount = |name: &String| if metric.counts.contains(name) { format!("{name}_amount") } else { name.clone() };
    let parts = metric.counts.iter().cloned().chain(metric.amounts.iter().map(amount));
    let parts = parts.chain(metric.statistics.iter().cloned());
    let after: Vec<String> = std::iter::once("value".to_owned()).chain(parts).chain(LAST.map(str::to_owned)).collect();
    let mut titles = FIRST.map(str::to_owned).to_vec();
    for group in groups {
        let mut name = group.clone();
        while titles.contains(&name) || after.contains(&name) {
            name = format!("group_{name}");
        }
        titles.push(name);
    }
    titles.extend(after);
    titles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::tests::{answer, metric};

    #[test]
    fn no_column_has_the_name_of_another() {
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let metric = Metric { counts: texts(&["sales", "returns"]), amounts: texts(&["returns"]), ..Metric::default() };
        let found = titles(&metric, &texts(&["channel", "sales", "state"]));
        let groups = ["channel", "group_sales", "group_state", "value", "sales", "returns", "returns_amount"];
        assert_eq!(found[3..10], groups);
    }

    #[test]
    fn a_row_is_a_line() {
        let mut out = Vec::new();
        write(&answer(), &metric(), &["language".to_owned()], &mut out).expect("a vector takes everything");
        let lines = [
            "start,end,label,language,value,answers,net,p50,p75,low,high,level,partial,state,completeness,revised,statistics_error",
            "2017-05-01T00:00:00Z,2017-06-01T00:00:00Z,2017-05,en,39.84,2746,8348208.560001,41,,38.1,41.5,0.95,true,ok,behind,2017-06-03T10:00:00Z,0",
            "2017-06-01T00:00:00Z,2017-07-01T00:00:00Z,2017-06,,,0,,,,,,,false,no_facts,complete,,0",
            "2017-07-01T00:00:00Z,2017-08-01T00:00:00Z,2017-07,ro,,,,,,,,,false,suppressed,open,,0",
        ];
        assert_eq!(String::from_utf8_lossy(&out).lines().collect::<Vec<_>>(), lines);
    }
}
