//! The rows of figures.

use std::vec;

use barometer_chassis::error::Error;
use barometer_proto::metrics::v1::{self as wire, Completeness};
use barometer_statistics::{Interval, Level};

use super::{BATCH, Cell, CellKind, Column, Row, Rows};
use crate::{
    catalogue::Metric,
    query::{Figure, Figures, Measured},
};

/// Columns before the groups.
const FIRST: [(&str, CellKind); 5] = [
    ("metric", CellKind::Text),
    ("version", CellKind::Whole),
    ("start", CellKind::Time),
    ("end", CellKind::Time),
    ("label", CellKind::Text),
];
/// Columns after the statistics.
const LAST: [(&str, CellKind); 8] = [
    ("low", CellKind::Real),
    ("high", CellKind::Real),
    ("level", CellKind::Real),
    ("partial", CellKind::Flag),
    ("state", CellKind::Text),
    ("completeness", CellKind::Text),
    ("revised", CellKind::Time),
    ("statistics_error", CellKind::Real),
];

/// Figures of one metric.
pub(crate) struct FigureRows {
    metric: &'static Metric,
    columns: Vec<Column>,
    /// The dimensions of the groups.
    groups: Vec<String>,
    figures: vec::IntoIter<Figure>,
    freshness: Vec<wire::Freshness>,
}

impl FigureRows {
    /// The figures of a query that groups by these dimensions, those among them that the metric always has.
    pub(crate) fn new(figures: Figures, group_by: Vec<String>, freshness: Vec<wire::Freshness>) -> Self {
        let Figures { metric, figures } = figures;
        let mut groups = group_by;
        // What is not asked for, and not in every group: the cohorts of customers.
        for (name, _) in figures.iter().flat_map(|figure| &figure.group) {
            if !groups.contains(name) {
                groups.push(name.clone());
            }
        }
        FigureRows { metric, columns: columns(metric, &groups), groups, figures: figures.into_iter(), freshness }
    }

    fn row(&self, figure: Figure) -> Row {
        let Figure { start, end, label, group, partial, completeness, revised, suppressed, measured } = figure;
        let Measured { value, counts, amounts, statistics, statistics_error, interval, evidence: _ } = measured;
        let real = |number: Option<f64>| number.map_or(Cell::Absent, Cell::Real);
        let version = Cell::Whole(i64::from(self.metric.version));
        // The whole time has no name.
        let label = if label == "all" { String::new() } else { label };
        let mut row = vec![Cell::text(self.metric.id), version, Cell::Time(start), Cell::Time(end), Cell::text(label)];
        let value_of = |name: &String| group.iter().find(|(of, _)| of == name).map(|(_, value)| Cell::text(value));
        row.extend(self.groups.iter().map(|name| value_of(name).unwrap_or_default()));
        row.push(real(value));
        let count = |name: &&str| real(find(&counts, name));
        row.extend(self.metric.counts.iter().map(count));
        row.extend(self.metric.amounts.iter().map(|name| find(&amounts, name).map_or(Cell::Absent, Cell::Money)));
        row.extend(self.metric.statistics.iter().map(|name| real(find(&statistics, name))));
        let interval = interval.map(|(Interval { lower, upper }, level): (_, Level)| [lower, upper, level.share()]);
        row.extend(interval.map_or([None; 3], |limits| limits.map(Some)).map(real));
        row.push(Cell::Flag(partial));
        row.push(Cell::text(match value {
            _ if suppressed => "suppressed",
            Some(_) => "ok",
            None => "no_facts",
        }));
        row.push(Cell::text(match completeness {
            Completeness::Unspecified => "",
            Completeness::Complete => "complete",
            Completeness::Behind => "behind",
            Completeness::Running => "running",
            Completeness::Open => "open",
        }));
        row.push(revised.map_or(Cell::Absent, Cell::Time));
        row.push(Cell::Real(statistics_error));
        row
    }
}

impl Rows for FigureRows {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    async fn next(&mut self) -> Result<Option<Vec<Row>>, Error> {
        let some: Vec<_> = self.figures.by_ref().take(BATCH).collect();
        Ok((!some.is_empty()).then(|| some.into_iter().map(|figure| self.row(figure)).collect()))
    }

    fn freshness(&self) -> Vec<wire::Freshness> {
        self.freshness.clone()
    }
}

fn find<T: Copy>(values: &[(&'static str, T)], name: &str) -> Option<T> {
    values.iter().find(|(of, _)| *of == name).map(|(_, value)| *value)
}

/// The columns of a metric's table. What is called as another column is told apart: a count as one of every
/// table, an amount as one or as a count, a dimension as anything.
fn columns(metric: &Metric, groups: &[String]) -> Vec<Column> {
    let real = |name: &&str| Column::new(*name, CellKind::Real);
    let is_fixed = |name: &str| FIRST.iter().chain(&LAST).any(|(fixed, _)| *fixed == name);
    let count = |name: &&str| {
        Column::new(if is_fixed(name) { format!("{name}_count") } else { (*name).to_owned() }, CellKind::Real)
    };
    let amount = |name: &&str| {
        let is_taken = is_fixed(name) || metric.counts.contains(name);
        Column::new(if is_taken { format!("{name}_amount") } else { (*name).to_owned() }, CellKind::Money)
    };
    let mut after = vec![Column::new("value", CellKind::Real)];
    after.extend(metric.counts.iter().map(count));
    after.extend(metric.amounts.iter().map(amount));
    after.extend(metric.statistics.iter().map(real));
    after.extend(LAST.map(|(name, kind)| Column::new(name, kind)));
    let mut columns: Vec<_> = FIRST.iter().map(|(name, kind)| Column::new(*name, *kind)).collect();
    for group in groups {
        let mut name = group.clone();
        while columns.iter().chain(&after).any(|column| column.name == name) {
            name = format!("group_{name}");
        }
        columns.push(Column::new(name, CellKind::Text));
    }
    columns.extend(after);
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    /// In every metric each column has a name of its own, whatever it is grouped by.
    #[test]
    fn no_name_comes_twice() {
        for metric in catalogue::METRICS.iter() {
            let dimensions: Vec<_> = metric.table.dimensions().iter().map(|name| (*name).to_owned()).collect();
            let declared = ["value", "group_value", "low"].map(str::to_owned);
            let columns = columns(metric, &[dimensions, declared.to_vec()].concat());
            let names: std::collections::BTreeSet<_> = columns.iter().map(|column| column.name.as_str()).collect();
            assert_eq!(names.len(), columns.len(), "{}: {names:?}", metric.id);
            assert!(
                names.contains("group_value") && names.contains("group_group_value") && names.contains("group_low")
            );
        }
    }
}
