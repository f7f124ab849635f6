//! How durations are spread in the cells of a query.

use super::{
    Ask,
    cut::Groups,
    evidence::Evidence,
    figures::{Figure, Grid, Measured, plain},
};
use crate::rules::spread::{self, Statistic, TOLD};

/// Durations of cells, and what has not come to its end there.
#[derive(Debug)]
pub(crate) struct Durations {
    cells: Grid<Cell>,
}

#[derive(Clone, Debug, Default)]
struct Cell {
    done: spread::Durations,
    waiting: u64,
}

impl Durations {
    /// None so far.
    pub(crate) fn new(ask: &Ask<'_>) -> Self {
        Durations { cells: Grid::new(ask.periods.len()) }
    }

    /// Adds one of a cell, in microseconds.
    pub(crate) fn add(&mut self, cell: u32, duration: i64) {
        self.cells.at(cell).done.add(duration);
    }

    /// Adds one of a cell that goes on.
    pub(crate) fn wait(&mut self, cell: u32) {
        self.cells.at(cell).waiting += 1;
    }

    /// Measures them: the statistic that the query asks for is the value, and all that are told go with it. The counts
    /// have the names that are given; without a name for those that go on they are not counted.
    pub(crate) fn figures(
        self,
        ask: &Ask<'_>,
        groups: impl Into<Groups>,
        done: &'static str,
        waiting: Option<&'static str>,
    ) -> Vec<Figure> {
        let parameters = &ask.query.parameters;
        ask.figures(groups, &self.cells, |cell| {
            let counts = [(done, cell.done.size())].into_iter().chain(waiting.map(|name| (name, cell.waiting)));
            let told = cell.done.told();
            let statistics = TOLD.iter().map(|(name, statistic)| Some((*name, told.statistic(*statistic)?)));
            let is_mean = parameters.statistic == Statistic::Mean;
            let interval = is_mean.then(|| told.interval(parameters.level)).flatten();
            Measured {
                value: told.statistic(parameters.statistic),
                counts: plain(counts),
                statistics: statistics.flatten().collect(),
                statistics_error: told.error(),
                interval: interval.map(|interval| (interval, parameters.level)),
                evidence: if is_mean { Evidence::Times(cell.done.moments()) } else { Evidence::None },
                ..Measured::default()
            }
        })
    }
}
