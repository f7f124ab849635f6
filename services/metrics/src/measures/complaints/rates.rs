//! Figures of complaints beside the customers whom they could have come from.

use std::collections::BTreeMap;

use barometer_chassis::error::Error;

use crate::{
    measures::customers::known,
    query::{
        Ask, Condition, MAX_ROWS, Table,
        cut::{Cutter, Groups},
        figures::{Figure, Grid, Measured, Name, plain},
        scan::{Way, scan_each},
        told::{Kind, Worth},
    },
    rules::rate::per_thousand,
};

/// Complaints and losses, as the contract numbers the kinds of cases.
pub(crate) const DISSATISFIED: [u8; 2] = [3, 4];

/// Complaints of a period for every thousand customers who are known when it ends. What distinguishes customers divides both;
/// what distinguishes cases only the complaints.
pub(crate) fn complaint_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let cases = &ask.facts.cases;
    let mut complaints = Grid::<u64>::new(ask.periods.len());
    let of_cases = scan_each(ask, Way::Cases, |cell, row| {
        let counts = DISSATISFIED.contains(&cases.kind.get(row as usize));
        *complaints.at(cell) += u64::from(counts);
        ask.tell(Kind::Case, row, cases.times.at(row as usize), &[("complaints", f64::from(counts))], Worth::None);
    })?;
    let is_of_customers = |name: &str| Table::Customers.dimensions().contains(&name);
    let filters: Vec<Condition> =
        ask.query.filters.iter().filter(|condition| is_of_customers(&condition.dimension)).cloned().collect();
    let group_by: Vec<String> = ask.query.group_by.iter().filter(|name| is_of_customers(name)).cloned().collect();
    let mut of_customers =
        Cutter::new(ask.facts, Table::Customers, &filters, &group_by, MAX_ROWS / ask.periods.len().max(1));
    let customers = known::standing(ask, &mut of_customers, |person, at| {
        ask.tell(Kind::Customer, person, at, &[("customers", 1.0)], Worth::None);
    })?;

    let periods = ask.periods.len();
    let row = |grid: &Grid<u64>, group: u32| (0..periods).map(|period| grid.get(group, period)).collect::<Vec<_>>();
    let rows = |groups: &Groups, grid: &Grid<u64>| -> BTreeMap<Name, Vec<u64>> {
        (0..).zip(groups.names()).map(|(group, name)| (name.clone(), row(grid, group))).collect()
    };
    let bases = rows(&Groups::from(&of_customers), &customers);
    let mut counts = rows(&of_cases, &complaints);
    counts.retain(|name, counts| name.is_empty() || counts.iter().any(|count| *count > 0));
    if ask.query.group_by.len() == group_by.len() {
        // Customers who do not complain are a group too.
        for (name, _) in bases.iter().filter(|(_, row)| row.iter().any(|count| *count > 0)) {
            counts.entry(name.clone()).or_insert_with(|| vec![0; periods]);
        }
    }
    let groups = counts.into_iter().map(|(name, complaints)| {
        let of_base: Name = name.iter().filter(|(dimension, _)| is_of_customers(dimension)).cloned().collect();
        let base = bases.get(&of_base);
        let measured = complaints.into_iter().enumerate().map(|(period, complaints)| {
            let customers = base.map_or(0, |row| row[period]);
            Measured {
                value: per_thousand(complaints, customers),
                counts: plain([("complaints", complaints), ("customers", customers)]),
                ..Measured::default()
            }
        });
        let measured = measured.collect();
        (name, measured)
    });
    Ok(ask.assemble(groups.collect()))
}
