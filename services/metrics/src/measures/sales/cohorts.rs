//! Cohorts of customers by their first sale.

use barometer_chassis::error::Error;

use crate::{
    columns::times::EVER,
    measures::sales::activity::each_buyer,
    query::{
        Ask,
        figures::{Figure, Finish, Measured},
        refuse_periods,
        told::{Kind, Worth},
        too_many_rows,
    },
    rules::cohort::CohortTable,
};

/// Cells of all tables together, those without customers included: 160 MB.
const MAX_CELLS: usize = 20_000_000;

pub(crate) fn cohort_retention(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let periods = ask.periods.as_slice();
    let table = || CohortTable::new(ask.periods, ask.query.now).map_err(|error| refuse_periods(&error));
    // The first one tells that there are too many periods, if so. Further ones are made as groups appear.
    let mut tables = vec![table()?];
    let cells = tables.iter().flat_map(CohortTable::cells).count();
    let mut too_many = false;
    let cutter = each_buyer(ask, EVER..ask.range().end, |group, customer, sales| {
        tell(ask, customer, sales);
        let group = group as usize;
        too_many |= (group + 1) * cells > MAX_CELLS;
        while !too_many && tables.len() <= group {
            tables.extend(table());
        }
        if let Some(table) = tables.get_mut(group) {
            table.add(sales);
        }
    })?;
    if too_many {
        return Err(too_many_rows());
    }
    let (mut figures, finish) = (Vec::new(), Finish::new(ask));
    for (group, table) in (0..).zip(&tables).take(cutter.groups()) {
        let of_someone = table.cells().filter(|cell| cell.retention.total().answers() > 0);
        figures.extend(of_someone.map(|cell| {
            let mut names = cutter.name(group);
            names.push(("cohort".to_owned(), periods[cell.cohort].label.clone()));
            names.push(("periods_since".to_owned(), cell.since.to_string()));
            let (active, size) = (cell.retention.hits().answers(), cell.retention.total().answers());
            let counts = [("active", active), ("cohort_size", size)];
            let measured = Measured::share(&cell.retention, ask.query.parameters.level, counts);
            Figure { partial: cell.unfinished, ..finish.figure(cell.cohort + cell.since, names, measured) }
        }));
    }
    figures.sort_by(|a, b| (a.start, &a.group).cmp(&(b.start, &b.group)));
    Ok(figures)
}

/// Tells of a customer of the cohort that is wanted.
fn tell(ask: &Ask<'_>, customer: u32, sales: &[i64]) {
    let Some((cohort, since)) = ask.recorder.and_then(|recorder| recorder.wanted.cohort.as_ref()) else { return };
    let of_first = sales.first().and_then(|first| Some((first, ask.periods.index_of(*first)?)));
    if let Some((first, period)) = of_first.filter(|(_, period)| ask.periods.as_slice()[*period].label == *cohort) {
        let came = sales.iter().any(|sale| ask.periods.index_of(*sale) == Some(period + since));
        let counts = [("active", f64::from(came)), ("cohort_size", 1.0)];
        ask.tell(Kind::Customer, customer, *first, &counts, Worth::None);
    }
}
