//! Where two answers of the same query differ.

use std::collections::{BTreeMap, BTreeSet};

use barometer_proto::metrics::v1::VerificationWay;

use super::recount::{Cell, Counted};
use crate::{
    catalogue::Metric,
    query::{Figure, Measured, Name},
};

/// By what part of itself a value that was counted one by one may be off: it is computed in another order.
const TOLERANCE: f64 = 1e-12;

/// What came of the verification of one metric.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) metric: &'static Metric,
    pub(crate) ways: Vec<VerificationWay>,
    /// Rows of the fold's own answer.
    pub(crate) rows: usize,
    pub(crate) differences: Differences,
    /// Why it could not be verified; empty when it was.
    pub(crate) error: String,
}

/// A figure that is another when it is computed again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) way: VerificationWay,
    /// Microseconds.
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) label: String,
    pub(crate) group: Name,
    /// What differs, e.g. `counts.promoters`.
    pub(crate) field: String,
    pub(crate) live: String,
    pub(crate) recomputed: String,
}

/// Differences: how many, and the first of them.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    most: usize,
    first: Vec<Difference>,
    folded: u64,
    counted: u64,
}

impl Differences {
    /// How many are told of a metric.
    pub(crate) const TOLD: usize = 100;
    /// How many are told of all metrics together.
    pub(crate) const TOLD_OF_ALL: usize = 1_000;

    fn add(&mut self, difference: Difference) {
        match difference.way {
            VerificationWay::Counted => self.counted += 1,
            VerificationWay::Folded | VerificationWay::Unspecified => self.folded += 1,
        }
        if self.first.len() < self.most {
            self.first.push(difference);
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.folded + self.counted
    }

    /// How many there are by one of the ways.
    pub(crate) fn count_of(&self, way: VerificationWay) -> u64 {
        if way == VerificationWay::Counted { self.counted } else { self.folded }
    }

    /// The first of them.
    pub(crate) fn first(&self) -> &[Difference] {
        &self.first
    }

    /// The same, to keep.
    pub(crate) fn into_first(self) -> Vec<Difference> {
        self.first
    }
}

impl Compared {
    /// Of a metric of which nothing was compared yet; at most so many differences are told one by one.
    pub(crate) fn of(metric: &'static Metric, left: usize) -> Self {
        let differences = Differences { most: left.min(Differences::TOLD), ..Differences::default() };
        Compared { metric, ways: Vec::new(), rows: 0, differences, error: String::new() }
    }

    /// Compares the fold's rows with those of facts that were folded again: all that is told of them, but for when they were
    /// revised.
    pub(crate) fn compare_folded(&mut self, live: &[Figure], recomputed: &[Figure]) {
        self.ways.push(VerificationWay::Folded);
        let mut others: BTreeMap<_, _> = recomputed.iter().map(|figure| (key(figure), figure)).collect();
        for figure in live {
            match others.remove(&key(figure)) {
                None => self.note(VerificationWay::Folded, figure, ("row", "is there", "")),
                Some(other) => {
                    let (fields, of_other) = (fields(figure), fields(other));
                    let names: BTreeSet<_> = fields.keys().chain(of_other.keys()).collect();
                    for name in names {
                        let (mine, its) = (fields.get(name), of_other.get(name));
                        if mine != its {
                            let text = |text: Option<&String>| text.cloned().unwrap_or_default();
                            self.note(VerificationWay::Folded, figure, (name, &text(mine), &text(its)));
                        }
                    }
                }
            }
        }
        for other in others.into_values() {
            self.note(VerificationWay::Folded, other, ("row", "", "is there"));
        }
    }

    /// Compares the fold's rows with what was counted one by one. Of rows that are suppressed there is nothing to compare.
    pub(super) fn compare_counted(&mut self, live: &[Figure], counted: Counted) {
        const WAY: VerificationWay = VerificationWay::Counted;
        self.ways.push(WAY);
        let Counted { mut cells, nothing, outside, dimension } = counted;
        for figure in live {
            let group = figure.group.iter().find(|(name, _)| name == dimension).map(|(_, value)| value.clone());
            let cell = cells.remove(&(figure.start, group.unwrap_or_default()));
            if figure.suppressed {
                continue;
            }
            let Cell { value, counts, amounts, end: _ } = cell.unwrap_or_else(|| nothing.clone());
            let Measured { value: of_live, counts: live_counts, amounts: live_amounts, .. } = &figure.measured;
            if !is_close(*of_live, value) {
                self.note(WAY, figure, ("value", &optional(*of_live), &optional(value)));
            }
            for (name, count) in counts {
                let told = live_counts.iter().find(|(of, _)| *of == name).map(|(_, told)| *told);
                if !is_close(told, Some(count)) {
                    self.note(WAY, figure, (&format!("counts.{name}"), &optional(told), &count.to_string()));
                }
            }
            for (name, amount) in amounts {
                let told = live_amounts.iter().find(|(of, _)| *of == name).map(|(_, told)| *told);
                if told != Some(amount) {
                    let told = told.map(decimal).unwrap_or_default();
                    self.note(WAY, figure, (&format!("amounts.{name}"), &told, &decimal(amount)));
                }
            }
        }
        // Facts that are in no row.
        let left = cells.into_iter().map(|((start, group), cell)| (start, cell.end, group));
        for (start, end, group) in left.chain(outside.into_iter().map(|at| (at, at.saturating_add(1), String::new()))) {
            let group = if group.is_empty() { Vec::new() } else { vec![(dimension.to_owned(), group)] };
            let (label, field) = (String::new(), "row".to_owned());
            let recomputed = "is there".to_owned();
            self.differences.add(Difference {
                way: WAY,
                start,
                end,
                label,
                group,
                field,
                live: String::new(),
                recomputed,
            });
        }
    }

    /// One side is answered, the other one refused, or otherwise.
    pub(crate) fn differ(&mut self, live: String, recomputed: String) {
        let way = VerificationWay::Folded;
        self.ways.push(way);
        let (label, field) = (String::new(), "row".to_owned());
        self.differences.add(Difference { way, start: 0, end: 0, label, group: Vec::new(), field, live, recomputed });
    }

    fn note(&mut self, way: VerificationWay, figure: &Figure, (field, live, recomputed): (&str, &str, &str)) {
        let Figure { start, end, label, group, .. } = figure;
        self.differences.add(Difference {
            way,
            start: *start,
            end: *end,
            label: label.clone(),
            group: group.clone(),
            field: field.to_owned(),
            live: live.to_owned(),
            recomputed: recomputed.to_owned(),
        });
    }
}

/// What tells a row from the others.
fn key(figure: &Figure) -> (i64, i64, Name) {
    let mut group = figure.group.clone();
    group.sort_unstable();
    (figure.start, figure.end, group)
}

/// All that is told of a figure by name, with all digits.
fn fields(figure: &Figure) -> BTreeMap<String, String> {
    let Figure { start: _, end: _, label: _, group: _, partial, completeness, revised: _, suppressed, measured } =
        figure;
    let Measured { value, counts, amounts, statistics, statistics_error, interval, evidence: _ } = measured;
    let mut fields = BTreeMap::from([
        ("partial".to_owned(), partial.to_string()),
        ("completeness".to_owned(), completeness.as_str_name().to_owned()),
        ("state".to_owned(), if *suppressed { "SUPPRESSED" } else { "TOLD" }.to_owned()),
        ("statistics_error".to_owned(), statistics_error.to_string()),
    ]);
    fields.extend(value.map(|value| ("value".to_owned(), value.to_string())));
    fields.extend(counts.iter().map(|(name, count)| (format!("counts.{name}"), count.to_string())));
    fields.extend(amounts.iter().map(|(name, micros)| (format!("amounts.{name}"), decimal(*micros))));
    fields.extend(statistics.iter().map(|(name, value)| (format!("statistics.{name}"), value.to_string())));
    if let Some((interval, _)) = interval {
        fields.insert("interval.low".to_owned(), interval.lower.to_string());
        fields.insert("interval.high".to_owned(), interval.upper.to_string());
    }
    fields
}

fn is_close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()),
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn optional(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Micro-units as a decimal number.
fn decimal(micros: i128) -> String {
    let (sign, magnitude) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
    format!("{sign}{}.{:06}", magnitude / 1_000_000, magnitude % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    fn figure(start: i64, group: &str, value: f64) -> Figure {
        Figure {
            start,
            end: start + 1,
            label: String::new(),
            group: vec![("channel".to_owned(), group.to_owned())],
            partial: false,
            completeness: Default::default(),
            revised: Some(start),
            suppressed: false,
            measured: Measured { value: Some(value), amounts: vec![("net", -1_500_000)], ..Measured::default() },
        }
    }

    fn compared(live: &[Figure], recomputed: &[Figure]) -> Vec<(String, String, String)> {
        let mut compared = Compared::of(catalogue::find("nps").expect("nps"), 1_000);
        compared.compare_folded(live, recomputed);
        let differences = compared.differences.into_first().into_iter();
        differences.map(|Difference { field, live, recomputed, .. }| (field, live, recomputed)).collect()
    }

    #[test]
    fn the_last_digit_is_a_difference_and_when_it_was_revised_is_none() {
        let (mine, other) = (figure(0, "web", 0.1 + 0.2), figure(0, "web", 0.3));
        let later = Figure { revised: None, ..mine.clone() };
        assert_eq!(compared(std::slice::from_ref(&mine), &[later]), []);
        let told = compared(&[mine], &[other]);
        assert_eq!(told, [("value".to_owned(), "0.30000000000000004".to_owned(), "0.3".to_owned())]);
    }

    #[test]
    fn rows_and_fields_of_one_side_only_are_differences() {
        let mut poor = figure(0, "web", 1.0);
        poor.measured.amounts.clear();
        let told = compared(&[figure(0, "web", 1.0), figure(1, "web", 1.0)], &[poor, figure(0, "shop", 1.0)]);
        let row = |live: &str, recomputed: &str| ("row".to_owned(), live.to_owned(), recomputed.to_owned());
        let amount = ("amounts.net".to_owned(), "-1.500000".to_owned(), String::new());
        assert_eq!(told, [amount, row("is there", ""), row("", "is there")]);
    }

    #[test]
    fn only_the_first_differences_are_told_and_all_are_counted() {
        let mut compared = Compared::of(catalogue::find("nps").expect("nps"), 1_000);
        let live: Vec<_> = (0..500).map(|start| figure(start, "web", 1.0)).collect();
        compared.compare_folded(&live, &[]);
        assert_eq!((compared.differences.count(), compared.differences.first().len()), (500, Differences::TOLD));
    }
}
