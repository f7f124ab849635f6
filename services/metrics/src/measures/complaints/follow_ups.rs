//! Figures of dissatisfied answers that were followed up.

use barometer_chassis::error::Error;

use crate::{
    columns::follow_ups::Course,
    query::{
        Ask,
        figures::{Figure, Grid, Measured},
        scan::scan,
        told::{Kind, Worth},
    },
    rules::proportion::ProportionTally,
};

/// By when they were followed up.
pub(crate) fn recovery_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let follow_ups = &ask.facts.follow_ups;
    let mut grid = Grid::<[u64; 5]>::new(ask.periods.len());
    let rows = 0..u32::try_from(follow_ups.customers.len()).unwrap_or(u32::MAX);
    let cutter = scan(
        ask,
        rows,
        |row| follow_ups.times.at(row as usize),
        |cell, row| {
            let [recovered, unchanged, worse, no_answer, pending] = grid.at(cell);
            let (name, of_course) = match follow_ups.course(row) {
                Course::Recovered => ("recovered", recovered),
                Course::Unchanged => ("unchanged", unchanged),
                Course::Worse => ("worse", worse),
                Course::NoAnswer => ("no_answer", no_answer),
                Course::Pending => ("pending", pending),
            };
            *of_course += 1;
            ask.tell(Kind::FollowUp, row, follow_ups.times.at(row as usize), &[(name, 1.0)], Worth::None);
        },
    )?;
    Ok(ask.figures(&cutter, &grid, |[recovered, unchanged, worse, no_answer, pending]| {
        let counts = [
            ("recovered", *recovered),
            ("unchanged", *unchanged),
            ("worse", *worse),
            ("no_answer", *no_answer),
            ("pending", *pending),
        ];
        Measured::share(&ProportionTally::of_counts(*recovered, unchanged + worse), ask.query.parameters.level, counts)
    }))
}
