//! Subscriptions of customers, and how they end.

use std::ops::Range;

use barometer_chassis::error::Error;

use crate::{
    columns::{Facts, subscriptions::Subscriptions, times::EVER},
    query::{
        Ask,
        cut::Cutter,
        figures::{Figure, Grid, Measured},
        scan::scan,
        told::{Kind, Worth},
        walk::Walk,
    },
    rules::contract::{Contract, End, Stretch, live},
};

/// Subscriptions that ended, by when they did.
pub(crate) fn subscriptions_ended(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let subscriptions = &ask.facts.subscriptions;
    let (mut rows, mut last) = (Vec::new(), vec![false; subscriptions.effective.len()]);
    each_life(subscriptions, |_, stretches, ends| {
        let contract = Contract::of(stretches);
        let mut ends: Vec<&End> = ends.iter().filter(|end| end.at < ask.query.now).collect();
        ends.sort_unstable_by_key(|end| (end.at, subscriptions.number(end.row)));
        for (index, end) in ends.iter().enumerate() {
            rows.push(end.row);
            // Of several that end at once, one is the last.
            let alone = ends.get(index + 1).is_none_or(|next| next.at != end.at);
            last[end.row as usize] = alone && contract.before(end.at.saturating_add(1)).running == 0;
        }
    });
    let mut grid = Grid::<[u64; 2]>::new(ask.periods.len());
    let at = |row: u32| subscriptions.effective[row as usize];
    let cutter = scan(ask, rows.into_iter(), at, |cell, row| {
        let [ended, last_of_customer] = grid.at(cell);
        *ended += 1;
        *last_of_customer += u64::from(last[row as usize]);
        let counts = [("ended", 1.0), ("last_of_customer", f64::from(last[row as usize]))];
        ask.tell(Kind::SubscriptionEvent, row, at(row), &counts, Worth::None);
    })?;
    Ok(ask.figures(&cutter, &grid, |[ended, last]| {
        Measured::count(*ended, *ended, [("ended", *ended), ("last_of_customer", *last)])
    }))
}

/// When the first event of a subscription took effect, and when the last was agreed: what takes effect later has not
/// happened yet.
pub(crate) fn extent(facts: &Facts) -> Option<std::ops::RangeInclusive<i64>> {
    let subscriptions = &facts.subscriptions;
    let first = subscriptions.effective.iter().copied().filter(|at| *at >= EVER).min()?;
    Some(first..=subscriptions.times.last()?)
}

/// Visits the customers of each group, by their numbers among people, with their subscriptions that pass, each for a run of periods: as long as the customer
/// has the same attributes when they end.
pub(crate) fn each_contract<'q>(
    ask: &Ask<'q>,
    walk: &Walk,
    mut visit: impl FnMut(u32, u32, Range<usize>, &[Stretch]),
) -> Result<Cutter<'q>, Error> {
    let mut cutter = ask.cutter();
    let dated = cutter.dated();
    let (mut rows, mut groups, mut pieces, mut some) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut instants = Vec::new();
    let mut cut = Ok(());
    each_life(&ask.facts.subscriptions, |person, stretches, _| {
        instants.clear();
        instants.push(EVER);
        instants.extend(dated.iter().flat_map(|attribute| ask.facts.attributes.instants(*attribute, person)));
        instants.sort_unstable();
        instants.dedup();
        for (index, at) in instants.iter().enumerate() {
            let run =
                walk.ending_after(*at)..instants.get(index + 1).map_or(walk.len(), |next| walk.ending_after(*next));
            if run.is_empty() || cut.is_err() {
                continue;
            }
            rows.clear();
            rows.extend(stretches.iter().map(|stretch| stretch.row));
            cut = cutter.cut(&mut rows, &mut groups, |_| *at);
            pieces.clear();
            pieces.extend(groups.iter().copied().zip(rows.iter().copied()));
            pieces.sort_unstable();
            for of_group in pieces.chunk_by(|a, b| a.0 == b.0) {
                some.clear();
                let of_row = |(_, row): &(u32, u32)| stretches.binary_search_by_key(row, |stretch| stretch.row).ok();
                some.extend(of_group.iter().filter_map(of_row).map(|index| stretches[index]));
                visit(of_group[0].0, person, run.clone(), &some);
            }
        }
    });
    cut.map(|()| cutter)
}

/// Visits the customers with the stretches of their subscriptions, by their rows, and the ends of these.
pub(crate) fn each_life(subscriptions: &Subscriptions, mut visit: impl FnMut(u32, &[Stretch], &[End])) {
    let rows = subscriptions.in_order();
    let who = |row: u32| subscriptions.customers[row as usize];
    let (mut stretches, mut ends) = (Vec::new(), Vec::new());
    for of_one in rows.chunk_by(|a, b| who(*a) == who(*b)) {
        stretches.clear();
        ends.clear();
        for events in of_one.chunk_by(|a, b| subscriptions.are_of_one(*a, *b)) {
            live(events.iter().map(|row| subscriptions.event(*row)), &mut stretches, &mut ends);
        }
        stretches.sort_unstable_by_key(|stretch| stretch.row);
        visit(who(of_one[0]), &stretches, &ends);
    }
}
