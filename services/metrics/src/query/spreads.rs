//! How durations are spread in the cells of a query.

use super::{
    Ask,
    cut::Cutter,
    figures::{Figure, Grid, Measured, plain},
};
use crate::rules::{
    interval::Interval,
    spread::{Spread, Statistic, TOLD},
};

/// Durations of cells, and what has not come to its end there.
#[derive(Debug)]
pub(super) struct Durations {
    periods: usize,
    /// Cell and microseconds.
    done: Vec<(u32, i64)>,
    waiting: Grid<u64>,
}

/// How the durations of a cell are spread.
#[derive(Clone, Debug, Default)]
struct Taken {
    done: u64,
    waiting: u64,
    value: Option<f64>,
    statistics: Vec<(&'static str, f64)>,
    interval: Option<Interval>,
}

impl Durations {
    /// None so far.
    pub(super) fn new(ask: &Ask<'_>) -> Self {
        Durations { periods: ask.periods.len(), done: Vec::new(), waiting: Grid::new(ask.periods.len()) }
    }

    /// Adds one of a cell, in microseconds.
    pub(super) fn add(&mut self, cell: u32, duration: i64) {
        self.done.push((cell, duration));
    }

    /// Adds one of a cell that goes on.
    pub(super) fn wait(&mut self, cell: u32) {
        *self.waiting.at(cell) += 1;
    }

    /// Sorts and measures them: the statistic that the query asks for is the value, and all that are told go with it. The
    /// counts have the names that are given; without a name for those that go on they are not counted.
    pub(super) fn figures(
        mut self,
        ask: &Ask<'_>,
        cutter: &Cutter<'_>,
        done: &'static str,
        waiting: Option<&'static str>,
    ) -> Vec<Figure> {
        let parameters = &ask.query.parameters;
        let mut grid = Grid::<Taken>::new(self.periods);
        self.done.sort_unstable();
        for of_cell in self.done.chunk_by(|a, b| a.0 == b.0) {
            let spread = Spread::of(of_cell.iter().map(|(_, duration)| *duration).collect());
            let Some((cell, _)) = of_cell.first() else { continue };
            let taken = grid.at(*cell);
            taken.done = u64::try_from(spread.size()).unwrap_or(u64::MAX);
            taken.value = spread.statistic(parameters.statistic);
            let statistics = TOLD.iter().map(|(name, statistic)| Some((*name, spread.statistic(*statistic)?)));
            taken.statistics = statistics.flatten().collect();
            let is_mean = parameters.statistic == Statistic::Mean;
            taken.interval = is_mean.then(|| spread.interval(parameters.level)).flatten();
        }
        for group in 0..u32::try_from(cutter.groups()).unwrap_or(u32::MAX) {
            for period in 0..self.periods {
                let waiting = self.waiting.get(group, period);
                if waiting > 0 {
                    grid.cell(group, period).waiting = waiting;
                }
            }
        }
        ask.figures(cutter, &grid, |taken| Measured {
            value: taken.value,
            counts: plain([(done, taken.done)].into_iter().chain(waiting.map(|name| (name, taken.waiting)))),
            amounts: Vec::new(),
            statistics: taken.statistics.clone(),
            interval: taken.interval.map(|interval| (interval, parameters.level)),
        })
    }
}
