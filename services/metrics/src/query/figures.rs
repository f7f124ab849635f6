//! Figures: what a query comes to.

use std::ops::Range;

use super::{Ask, cut::Cutter};
use crate::{
    catalogue::Metric,
    rules::{
        interval::Interval,
        level::Level,
        period::{Period, Periods},
        proportion::ProportionTally,
    },
};

/// The figures of one metric, by period, then by group.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) metric: &'static Metric,
    pub(crate) figures: Vec<Figure>,
}

/// The dimensions and values of a group.
pub(crate) type Name = Vec<(String, String)>;

/// A metric in a period for a group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Name of the period.
    pub(crate) label: String,
    pub(crate) group: Name,
    pub(crate) partial: bool,
    pub(crate) measured: Measured,
}

/// What was found in a period for a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Measured {
    /// Nothing when there was nothing to compute it from.
    pub(crate) value: Option<f64>,
    pub(crate) counts: Vec<(&'static str, f64)>,
    /// Micro-units of the group's currency.
    pub(crate) amounts: Vec<(&'static str, i128)>,
    /// In the unit of the value.
    pub(crate) statistics: Vec<(&'static str, f64)>,
    pub(crate) interval: Option<(Interval, Level)>,
}

impl Measured {
    /// A share in percent with its interval.
    pub(crate) fn share(
        tally: &ProportionTally,
        level: Level,
        counts: impl IntoIterator<Item = (&'static str, u64)>,
    ) -> Self {
        Measured {
            value: tally.rate(),
            counts: plain(counts),
            interval: tally.interval(level).map(|interval| (interval, level)),
            ..Measured::default()
        }
    }

    /// Whether there was any fact.
    pub(crate) fn is_counted(&self) -> bool {
        self.value.is_some() || self.counts.iter().any(|(_, count)| *count > 0.0)
    }

    /// A number of things; no figure over no facts.
    pub(crate) fn count(value: u64, facts: u64, counts: impl IntoIterator<Item = (&'static str, u64)>) -> Self {
        Measured { value: (facts > 0).then(|| real(value)), counts: plain(counts), ..Measured::default() }
    }
}

/// A cell for each group and period; cells appear as groups do.
#[derive(Debug)]
pub(crate) struct Grid<T> {
    periods: usize,
    cells: Vec<T>,
}

impl<T: Default + Clone> Grid<T> {
    /// A grid over so many periods.
    pub(crate) fn new(periods: usize) -> Self {
        Grid { periods, cells: Vec::new() }
    }

    /// The cell of a group and period.
    pub(crate) fn cell(&mut self, group: u32, period: usize) -> &mut T {
        self.at(self.index(group, period))
    }

    /// The cell of a group and period as it stands.
    pub(crate) fn get(&self, group: u32, period: usize) -> T {
        self.cells.get(self.index(group, period) as usize).cloned().unwrap_or_default()
    }

    /// Where a cell is, as a number below that of groups times periods, which is within [`MAX_ROWS`](super::MAX_ROWS).
    pub(crate) fn index(&self, group: u32, period: usize) -> u32 {
        u32::try_from(group as usize * self.periods + period).unwrap_or(u32::MAX)
    }

    /// The cell of such a number.
    pub(crate) fn at(&mut self, index: u32) -> &mut T {
        let index = index as usize;
        if index >= self.cells.len() {
            self.cells.resize(index + 1, T::default());
        }
        &mut self.cells[index]
    }
}

/// Finds the period of instant after instant; quickly when one falls into the same as the one before.
#[derive(Debug)]
pub(crate) struct Calendar<'q> {
    periods: &'q Periods,
    current: Range<i64>,
    index: usize,
}

impl<'q> Calendar<'q> {
    /// The periods of a query.
    pub(crate) fn new(ask: &Ask<'q>) -> Self {
        Calendar { periods: ask.periods, current: 0..0, index: 0 }
    }

    /// The period of an instant of the range.
    pub(crate) fn period(&mut self, at: i64) -> usize {
        if !self.current.contains(&at) {
            self.index = self.periods.index_of(at).unwrap_or_default();
            let Period { start, end, .. } = &self.periods.as_slice()[self.index];
            self.current = *start..*end;
        }
        self.index
    }
}

impl Ask<'_> {
    /// Measures each cell: by period, then by the values of the group. When nothing at all was found for a query that
    /// does not group, there is a row for each period all the same.
    pub(super) fn figures<T: Default + Clone>(
        &self,
        cutter: &Cutter<'_>,
        grid: &Grid<T>,
        measure: impl Fn(&T) -> Measured,
    ) -> Vec<Figure> {
        let periods = self.periods.as_slice();
        let row = |group: u32| (0..periods.len()).map(|period| measure(&grid.get(group, period))).collect::<Vec<_>>();
        let counted =
            |row: &[Measured]| row.iter().flat_map(|measured| &measured.counts).any(|(_, count)| *count != 0.0);
        let mut groups: Vec<_> = (0..u32::try_from(cutter.groups()).unwrap_or(u32::MAX))
            .map(|group| (cutter.name(group), row(group)))
            .filter(|(name, row)| name.is_empty() || counted(row))
            .collect();
        if groups.is_empty() && self.query.group_by.is_empty() {
            let nothing = measure(&T::default());
            groups.push((Vec::new(), vec![nothing; periods.len()]));
        }
        self.assemble(groups)
    }

    /// The figures of groups by their names and what was measured in each period: by period, then by the values of the
    /// group.
    pub(super) fn assemble(&self, mut groups: Vec<(Name, Vec<Measured>)>) -> Vec<Figure> {
        let periods = self.periods.as_slice();
        groups.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut figures = Vec::with_capacity(groups.len() * periods.len());
        for (index, period) in periods.iter().enumerate() {
            for (name, row) in &mut groups {
                figures.push(Figure {
                    start: period.start,
                    end: period.end,
                    label: period.label.clone(),
                    group: name.clone(),
                    partial: period.partial || period.end > self.query.now,
                    measured: std::mem::take(&mut row[index]),
                });
            }
        }
        figures
    }
}

/// Counts as numbers.
pub(crate) fn plain(counts: impl IntoIterator<Item = (&'static str, u64)>) -> Vec<(&'static str, f64)> {
    counts.into_iter().map(|(name, count)| (name, real(count))).collect()
}

/// A count as a number: exact up to 2⁵³.
#[allow(clippy::cast_precision_loss, reason = "nothing is counted so far")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}
