//! Subscribers, what their subscriptions bring in a month, and how that moves.

use std::ops::Range;

use barometer_chassis::error::Error;
use barometer_statistics::revenue::{Movement, RevenueTally};

use crate::{
    measures::subscriptions::contracts::each_contract,
    query::{
        Ask,
        cut::Cutter,
        figures::{Figure, Grid, Measured, plain, real, units},
        told::{Kind, Worth},
        walk::Walk,
    },
    rules::contract::Contract,
};

pub(crate) fn subscribers(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    figures(ask, |cell| {
        let Running { ever, customers, subscriptions, .. } = cell.at_end;
        Measured::count(
            whole(customers),
            whole(ever),
            [("subscribers", whole(customers)), ("subscriptions", whole(subscriptions))],
        )
    })
}

pub(crate) fn mrr(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    figures(ask, |cell| {
        let end = cell.tally.end();
        Measured {
            value: (cell.at_end.ever > 0).then(|| units(end)),
            counts: plain([("paying", whole(cell.at_end.paying)), ("ever", whole(cell.at_end.ever))]),
            amounts: vec![("mrr", end)],
            ..Measured::default()
        }
    })
}

pub(crate) fn mrr_movement(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    figures(ask, |cell| {
        let moved = cell.tally.end() - cell.tally.start();
        cell.measure((cell.at_end.ever > 0).then(|| units(moved)))
    })
}

pub(crate) fn gross_revenue_churn(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    figures(ask, |cell| cell.measure(cell.tally.gross_churn()))
}

pub(crate) fn net_revenue_churn(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    figures(ask, |cell| cell.measure(cell.tally.net_churn()))
}

pub(crate) fn gross_revenue_retention(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    figures(ask, |cell| cell.measure(cell.tally.gross_retention()))
}

pub(crate) fn net_revenue_retention(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    figures(ask, |cell| cell.measure(cell.tally.net_retention()))
}

pub(crate) fn mrr_quick_ratio(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    figures(ask, |cell| cell.measure(cell.tally.quick_ratio()))
}

/// A period of a group.
#[derive(Clone, Copy, Debug, Default)]
struct Revenue {
    tally: RevenueTally,
    /// Customers who paid something when the period began.
    at_start: i64,
    /// Customers by what became of their revenue, in the order of [`MOVEMENTS`].
    moved: [u64; 5],
    at_end: Running,
    /// How much more, or less, than in the period before stays as it is all through it.
    staying: Running,
}

/// How things stand at an instant.
#[derive(Clone, Copy, Debug, Default)]
struct Running {
    /// Customers who ever had a subscription until then.
    ever: i64,
    /// Those who have one.
    customers: i64,
    subscriptions: i64,
    /// Those who pay something.
    paying: i64,
    /// Micro-units a month.
    amount: i128,
}

const MOVEMENTS: [(Movement, &str); 5] = [
    (Movement::New, "began"),
    (Movement::Churn, "churned"),
    (Movement::Reactivation, "reactivated"),
    (Movement::Expansion, "expanded"),
    (Movement::Contraction, "contracted"),
];

impl Revenue {
    fn measure(&self, value: Option<f64>) -> Measured {
        let moved = MOVEMENTS.into_iter().zip(self.moved).map(|((_, name), count)| (name, count));
        let counts = [("paying_at_start", whole(self.at_start))].into_iter().chain(moved);
        let of = |movement| self.tally.moved(movement);
        Measured {
            value,
            counts: plain(counts.chain([("paying_at_end", whole(self.at_end.paying))])),
            amounts: vec![
                ("start", self.tally.start()),
                ("new", of(Movement::New)),
                ("churn", of(Movement::Churn)),
                ("reactivation", of(Movement::Reactivation)),
                ("expansion", of(Movement::Expansion)),
                ("contraction", of(Movement::Contraction)),
                ("end", self.tally.end()),
            ],
            ..Measured::default()
        }
    }
}

impl Running {
    /// Of one customer just before an instant.
    fn of(contract: &Contract, at: i64) -> Self {
        let standing = contract.before(at);
        Running {
            ever: i64::from(contract.instants().next().is_some_and(|first| first < at)),
            customers: i64::from(standing.running > 0),
            subscriptions: i64::try_from(standing.running).unwrap_or(i64::MAX),
            paying: i64::from(standing.amount > 0),
            amount: standing.amount.into(),
        }
    }

    fn add(&mut self, other: &Self, times: i64) {
        let Running { ever, customers, subscriptions, paying, amount } = other;
        self.ever += times * ever;
        self.customers += times * customers;
        self.subscriptions += times * subscriptions;
        self.paying += times * paying;
        self.amount += i128::from(times) * amount;
    }
}

fn figures(ask: &Ask<'_>, measure: impl Fn(&Revenue) -> Measured) -> Result<Vec<Figure>, Error> {
    let (cutter, grid) = revenues(ask)?;
    Ok(ask.figures(&cutter, &grid, measure))
}

fn revenues<'q>(ask: &Ask<'q>) -> Result<(Cutter<'q>, Grid<Revenue>), Error> {
    let mut grid = Grid::<Revenue>::new(ask.periods.len());
    // What takes effect later has not happened yet.
    let walk = Walk::new(ask, ask.query.now);
    let cutter = each_contract(ask, &walk, |group, customer, run, stretches| {
        let contract = Contract::of(stretches);
        walk.visit(run, contract.instants(), |periods, changes| {
            let bounds = walk.bounds(periods.start);
            let (start, end) = (contract.before(bounds.start), contract.before(bounds.end));
            let at_end = Running::of(&contract, bounds.end);
            if ask.is_explained() {
                tell(ask, customer, &contract, bounds.clone());
            }
            if !changes {
                grid.cell(group, periods.start).staying.add(&at_end, 1);
                if periods.end < walk.len() {
                    grid.cell(group, periods.end).staying.add(&at_end, -1);
                }
                return;
            }
            let cell = grid.cell(group, periods.start);
            cell.tally.add(start.amount, end.amount, start.had_paid);
            cell.at_start += i64::from(start.amount > 0);
            cell.at_end.add(&at_end, 1);
            let movement = Movement::of(start.amount, end.amount, start.had_paid);
            for ((of, _), count) in MOVEMENTS.iter().zip(&mut cell.moved) {
                *count += u64::from(movement == Some(*of));
            }
        });
    })?;
    for group in 0..u32::try_from(cutter.groups()).unwrap_or(u32::MAX) {
        let mut staying = Running::default();
        for period in 0..walk.len() {
            let cell = grid.cell(group, period);
            staying.add(&cell.staying, 1);
            cell.tally.stay(staying.amount);
            cell.at_start += staying.paying;
            cell.at_end.add(&staying, 1);
        }
    }
    Ok((cutter, grid))
}

/// Tells of a customer in the only period there is.
fn tell(ask: &Ask<'_>, customer: u32, contract: &Contract, bounds: Range<i64>) {
    let (start, end) = (contract.before(bounds.start), contract.before(bounds.end));
    let Running { ever, customers, subscriptions, paying, amount } = Running::of(contract, bounds.end);
    let movement = Movement::of(start.amount, end.amount, start.had_paid);
    let mut counts = vec![
        ("paying_at_start", f64::from(start.amount > 0)),
        ("subscribers", real(whole(customers))),
        ("subscriptions", real(whole(subscriptions))),
        ("paying", real(whole(paying))),
        ("paying_at_end", real(whole(paying))),
        ("ever", real(whole(ever))),
    ];
    counts.extend(MOVEMENTS.iter().filter(|(of, _)| movement == Some(*of)).map(|(_, name)| (*name, 1.0)));
    let moves = ask.metric.counts.contains(&MOVEMENTS[0].1);
    let worth = if moves { amount - i128::from(start.amount) } else { amount };
    let at = contract.instants().take_while(|at| *at < bounds.end).last().unwrap_or(bounds.start);
    ask.tell(Kind::Customer, customer, at, &counts, Worth::Amount(worth));
}

/// A number of customers: never less than none.
fn whole(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
