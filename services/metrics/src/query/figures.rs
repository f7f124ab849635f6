//! Figures: what a query comes to.

use std::ops::{Range, RangeInclusive};

use barometer_proto::metrics::v1::Completeness;
use barometer_statistics::{Interval, Level};

use super::{Ask, cut::Groups, evidence::Evidence};
use crate::{
    catalogue::Metric,
    columns::times::EVER,
    fold::Source,
    rules::{
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
    pub(crate) completeness: Completeness,
    /// When the latest fact of the period was written, in microseconds.
    pub(crate) revised: Option<i64>,
    /// Whether it is made of fewer than the smallest sample, so that nothing is told of it.
    pub(crate) suppressed: bool,
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
    /// By what part of itself a percentile may be off.
    pub(crate) statistics_error: f64,
    pub(crate) interval: Option<(Interval, Level)>,
    /// What differences from it are tested by.
    pub(crate) evidence: Evidence,
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
            evidence: Evidence::Share(*tally),
            ..Measured::default()
        }
    }

    /// What the counts of these names come to.
    fn sum_of(&self, names: &[&str]) -> f64 {
        self.counts.iter().filter(|(name, _)| names.contains(name)).map(|(_, count)| count).sum()
    }

    /// Whether there was any fact.
    fn is_counted(&self) -> bool {
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

    /// What is measured of the cell of a group and period as it stands.
    fn measure(&self, group: u32, period: usize, measure: impl Fn(&T) -> Measured) -> Measured {
        match self.cells.get(self.index(group, period) as usize) {
            Some(cell) => measure(cell),
            None => measure(&T::default()),
        }
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
    pub(crate) fn figures<T: Default + Clone>(
        &self,
        groups: impl Into<Groups>,
        grid: &Grid<T>,
        measure: impl Fn(&T) -> Measured,
    ) -> Vec<Figure> {
        let periods = self.periods.as_slice();
        let row =
            |group: u32| (0..periods.len()).map(|period| grid.measure(group, period, &measure)).collect::<Vec<_>>();
        let counted =
            |row: &[Measured]| row.iter().flat_map(|measured| &measured.counts).any(|(_, count)| *count != 0.0);
        let mut groups: Vec<_> = (0..)
            .zip(groups.into().names())
            .map(|(group, name)| (name.clone(), row(group)))
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
    pub(crate) fn assemble(&self, mut groups: Vec<(Name, Vec<Measured>)>) -> Vec<Figure> {
        let periods = self.periods.as_slice();
        let finish = Finish::new(self);
        groups.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut figures = Vec::with_capacity(groups.len() * periods.len());
        for index in 0..periods.len() {
            for (name, row) in &mut groups {
                figures.push(finish.figure(index, name.clone(), std::mem::take(&mut row[index])));
            }
        }
        figures
    }
}

impl Figure {
    /// Whether there was any fact.
    pub(crate) fn is_counted(&self) -> bool {
        self.suppressed || self.measured.is_counted()
    }

    /// Leaves nothing of what was measured when it is a sample of fewer than so many.
    pub(crate) fn suppress(self, metric: &Metric, minimum: u64) -> Self {
        let is_sample = !metric.sample.is_empty() && self.measured.is_counted();
        match is_sample && self.measured.sum_of(metric.sample) < real(minimum) {
            true => Figure { suppressed: true, measured: Measured::default(), ..self },
            false => self,
        }
    }
}

/// Makes figures of what was measured: the one place in which it is said of a row how complete it is, when it was revised,
/// and whether it is told at all.
#[derive(Debug)]
pub(crate) struct Finish<'q> {
    ask: Ask<'q>,
    /// The smallest sample that is told.
    minimum: u64,
    /// Of each period: how complete its facts are, and when they were revised.
    of_periods: Vec<(Completeness, Option<i64>)>,
}

impl<'q> Finish<'q> {
    /// For the metric that is asked for.
    pub(crate) fn new(ask: &Ask<'q>) -> Self {
        Finish { ask: *ask, minimum: ask.query.minimum_sample(ask.metric), of_periods: Self::of_periods(ask) }
    }

    /// Of each period: how complete the facts of a metric are, and when they were revised.
    pub(crate) fn of_periods(ask: &Ask<'_>) -> Vec<(Completeness, Option<i64>)> {
        let Ask { query, metric, facts, periods, recorder: _, shared: _ } = *ask;
        let read_until = Source::ALL.into_iter().filter(|source| metric.reads(*source));
        let read_until = read_until.map(|source| query.setting.complete_until[source as usize]).min().flatten();
        let follows = (metric.follows)(&query.parameters);
        let revisions = (metric.revisions)(facts);
        let mut before = None;
        let of_periods = periods.as_slice().iter().enumerate().map(|(index, period)| {
            let completeness = if period.end >= query.now {
                Completeness::Running
            } else if read_until.is_none_or(|until| until < period.end) {
                Completeness::Behind
            } else if period.end.saturating_add(follows) > query.now {
                Completeness::Open
            } else {
                Completeness::Complete
            };
            let looks_back = metric.is_state || metric.looks_back;
            let start = if looks_back && index == 0 { EVER } else { period.start };
            let until = period.end.saturating_add(follows);
            let within = revisions.iter().filter_map(|revisions| revisions.latest(start..until)).max();
            let revised = if looks_back { within.max(before) } else { within };
            before = revised;
            (completeness, revised)
        });
        of_periods.collect()
    }

    /// The figure of a group in a period.
    pub(crate) fn figure(&self, period: usize, group: Name, measured: Measured) -> Figure {
        let metric = self.ask.metric;
        let (completeness, revised) = self.of_periods[period];
        let is_open = completeness == Completeness::Complete && measured.sum_of(metric.awaits) > 0.0;
        let Period { start, end, label, partial, .. } = &self.ask.periods.as_slice()[period];
        let figure = Figure {
            start: *start,
            end: *end,
            label: label.clone(),
            group,
            partial: *partial || *end > self.ask.query.now,
            completeness: if is_open { Completeness::Open } else { completeness },
            revised,
            suppressed: false,
            measured,
        };
        figure.suppress(metric, self.minimum)
    }
}

/// From the first until the last of some instants.
pub(crate) fn extent_of(instants: impl Iterator<Item = i64>) -> Option<RangeInclusive<i64>> {
    instants.fold(None, |extent, at| {
        Some(extent.map_or(at..=at, |extent: RangeInclusive<i64>| at.min(*extent.start())..=at.max(*extent.end())))
    })
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

/// A whole number, to the nearest one that there is.
pub(crate) fn whole(number: i128) -> f64 {
    let magnitude = u64::try_from(number.unsigned_abs()).map_or(f64::INFINITY, real);
    if number < 0 { -magnitude } else { magnitude }
}

/// Micro-units as whole units, to the nearest number.
pub(crate) fn units(micros: i128) -> f64 {
    whole(micros) / 1e6
}
