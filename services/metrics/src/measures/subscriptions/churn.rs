//! Churn and retention of customers by any definition, of contracts and of purchases.

use std::ops::Range;

use barometer_chassis::error::Error;
use barometer_statistics::{
    churn::{ChurnDefinition, ChurnTally},
    presence::Presence,
};

use crate::{
    measures::subscriptions::contracts::each_contract,
    query::{
        Ask,
        cut::Cutter,
        figures::{Figure, Grid, Measured, plain, real},
        told::{Kind, Worth},
        too_many_rows,
        walk::Walk,
    },
    rules::{contract::Contract, proportion::ProportionTally, zone::LocalDays},
};

/// Days of all cells together, where they are counted one by one: 240 MB.
const MAX_DAYS: usize = 10_000_000;

pub(crate) fn contract_churn_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (cutter, grid) = of_contracts(ask)?;
    Ok(ask.figures(&cutter, &grid, |cell| cell.measure(ask, Side::Churn)))
}

pub(crate) fn contract_retention_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (cutter, grid) = of_contracts(ask)?;
    Ok(ask.figures(&cutter, &grid, |cell| cell.measure(ask, Side::Retention)))
}

fn of_contracts<'q>(ask: &Ask<'q>) -> Result<(Cutter<'q>, Grid<Churn>), Error> {
    // Cancellations that take effect later are none yet.
    let mut churns = Churns::new(ask, ask.query.now);
    let walk = Walk::new(ask, ask.query.now);
    let cutter = each_contract(ask, &walk, |group, customer, run, stretches| {
        let presence = Contract::of(stretches).presence();
        if !run.is_empty() {
            churns.tell(ask, customer, &presence);
        }
        churns.add(group, run, &presence);
    })?;
    Ok((cutter, churns.counted()?))
}

/// Which part is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Who left.
    Churn,
    /// Who stayed.
    Retention,
}

/// A period of a group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Churn {
    /// Those of whom something changed in the period; of all, when all are counted. Nothing of a period that has not begun.
    tally: Option<ChurnTally>,
    /// How many more, or less, than in the period before are active all through it.
    staying: i64,
}

impl Churn {
    /// What of it is told.
    pub(crate) fn measure(&self, ask: &Ask<'_>, side: Side) -> Measured {
        let definition = ask.query.parameters.definition;
        let counts = |tally: &ChurnTally| plain(counts_of(tally));
        let nothing = || ChurnTally::new(vec![0, 1]);
        let Some(tally) = self.tally.clone().or_else(nothing) else { return Measured::default() };
        let share = match definition {
            ChurnDefinition::Standard => Some((tally.lost_of_start(), tally.at_start())),
            ChurnDefinition::OverStartPlusNew => {
                Some((tally.lost_of_start() + tally.lost_of_joined(), tally.at_start() + tally.joined()))
            }
            ChurnDefinition::AllDepartures | ChurnDefinition::DailySum => None,
        };
        let Some((lost, of)) = share else {
            let rate = tally.rate(definition);
            let value = rate.map(|rate| if side == Side::Churn { rate } else { 100.0 - rate });
            return Measured { value, counts: counts(&tally), ..Measured::default() };
        };
        let churned = ProportionTally::of_counts(lost, of - lost);
        let told = if side == Side::Churn { churned } else { churned.complement() };
        let measured = Measured::share(&told, ask.query.parameters.level, []);
        Measured { counts: counts(&tally), ..measured }
    }
}

/// Who left in each period of each group.
#[derive(Debug)]
pub(crate) struct Churns {
    walk: Walk,
    /// By period: the first instant of each day, and the end of the last; without days, of the period.
    bounds: Vec<Vec<i64>>,
    /// How many instants these are.
    instants: usize,
    grid: Grid<Churn>,
    groups: u32,
}

impl Churns {
    /// Of periods that began before `until`, the last of them cut there.
    pub(crate) fn new(ask: &Ask<'_>, until: i64) -> Self {
        let walk = Walk::new(ask, until);
        let daily = ask.query.parameters.definition == ChurnDefinition::DailySum;
        let bounds = (0..walk.len()).map(|period| {
            let Range { start, end } = walk.bounds(period);
            if daily { days(&ask.query.days, start..end) } else { vec![start, end] }
        });
        let bounds: Vec<_> = bounds.collect();
        let instants = bounds.iter().map(Vec::len).sum();
        Churns { walk, bounds, instants, grid: Grid::new(ask.periods.len()), groups: 0 }
    }

    /// Counts a customer of a group in a run of periods.
    pub(crate) fn add(&mut self, group: u32, run: Range<usize>, customer: &Presence) {
        self.groups = self.groups.max(group + 1);
        if self.is_too_much() {
            return;
        }
        let Churns { walk, bounds, grid, .. } = self;
        let run = run.start..run.end.min(walk.len());
        // An instant belongs to the period that ends with it where presence is asked about.
        let edges = customer.spans().iter().flat_map(|span| [span.start, span.end]).map(|edge| edge.saturating_sub(1));
        walk.visit(run, edges, |periods, changes| {
            if changes {
                let tally = &mut grid.cell(group, periods.start).tally;
                if tally.is_none() {
                    *tally = ChurnTally::new(bounds[periods.start].clone());
                }
                tally.iter_mut().for_each(|tally| tally.add(customer));
            } else if customer.is_active(walk.bounds(periods.start).start) {
                grid.cell(group, periods.start).staying += 1;
                if periods.end < walk.len() {
                    grid.cell(group, periods.end).staying -= 1;
                }
            }
        });
    }

    /// Tells of a customer in the only period there is: of what is counted when it is counted alone.
    pub(crate) fn tell(&self, ask: &Ask<'_>, customer: u32, presence: &Presence) {
        let Some(bounds) = self.bounds.first().filter(|_| ask.is_explained()) else { return };
        let Some(mut alone) = ChurnTally::new(bounds.clone()) else { return };
        alone.add(presence);
        let counts = counts_of(&alone).map(|(name, count)| (name, real(count)));
        // When it began or ceased to be active, for the last time until the end.
        let edges = presence.spans().iter().flat_map(|span| [span.start, span.end]).map(|edge| edge.saturating_sub(1));
        let last = edges.take_while(|edge| bounds.last().is_some_and(|end| edge < end)).last();
        ask.tell(Kind::Customer, customer, last.unwrap_or(bounds[0]), &counts, Worth::None);
    }

    /// All that was counted.
    ///
    /// Errors: INVALID when there are too many days to count.
    pub(crate) fn counted(mut self) -> Result<Grid<Churn>, Error> {
        if self.is_too_much() {
            return Err(too_many_rows());
        }
        for group in 0..self.groups {
            let mut staying = 0;
            for (period, bounds) in self.bounds.iter().enumerate() {
                let cell = self.grid.cell(group, period);
                staying += cell.staying;
                let mut tally = cell.tally.take().or_else(|| ChurnTally::new(bounds.clone()));
                tally.iter_mut().for_each(|tally| tally.stay(u64::try_from(staying).unwrap_or_default()));
                cell.tally = tally;
            }
        }
        Ok(self.grid)
    }

    fn is_too_much(&self) -> bool {
        self.instants.saturating_mul(self.groups as usize) > MAX_DAYS
    }
}

fn counts_of(tally: &ChurnTally) -> [(&'static str, u64); 6] {
    [
        ("active_at_start", tally.at_start()),
        ("churned", tally.lost_of_start()),
        ("retained", tally.at_start() - tally.lost_of_start()),
        ("joined", tally.joined()),
        ("joined_and_left", tally.lost_of_joined()),
        ("departures", tally.departures()),
    ]
}

/// The first instants of the days that a range of time has a part of, and its end.
fn days(days: &LocalDays, range: Range<i64>) -> Vec<i64> {
    let (first, last) = (days.day(range.start), days.day(range.end - 1));
    let starts = (first + 1..=last).map(|day| days.start_of(day)).filter(|start| range.contains(start));
    let mut bounds: Vec<_> = [range.start].into_iter().chain(starts).chain([range.end]).collect();
    bounds.dedup();
    bounds
}
