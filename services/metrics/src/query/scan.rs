//! Going through the rows of a table, each in its cell; once for all metrics of a query that go the same way.

use std::{cell::RefCell, rc::Rc};

use barometer_chassis::error::Error;

use super::{
    Ask, Condition, Query, Table,
    cut::{Cutter, Groups},
    figures::{Calendar, Grid},
};
use crate::{
    catalogue::Metric,
    columns::{Facts, times::Times},
    measures::surveys::answers::{is_wanted, wanted},
    rules::scale::Scale,
};

/// Rows that are cut at once.
const BLOCK: usize = 65_536;
/// Bytes that are kept of the ways of a query at most: of eleven million rows.
pub(crate) const KEPT: usize = 64 << 20;

/// Facts that are gone through by when they happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Those to surveys of a scale, or to all.
    Answers(Option<Scale>),
    Cases,
    /// Those of cases that are there.
    Clocks,
    Contacts,
    Invitations,
    Memberships,
    Purchases,
    Referrals,
}

impl Way {
    fn times(self, facts: &Facts) -> &Times {
        match self {
            Way::Answers(_) => &facts.responses.times,
            Way::Cases => &facts.cases.times,
            Way::Clocks => &facts.clocks.times,
            Way::Contacts => &facts.interactions.times,
            Way::Invitations => &facts.invitations.times,
            Way::Memberships => &facts.memberships.times,
            Way::Purchases => &facts.purchases.times,
            Way::Referrals => &facts.referrals.times,
        }
    }

    /// Which rows are gone through, where not all are.
    fn admits(self, facts: &Facts) -> Option<Box<dyn Fn(u32) -> bool + '_>> {
        match self {
            Way::Answers(scale) => {
                let wanted = wanted(scale, facts);
                let is_any_unwanted = wanted.contains(&false);
                let is_wanted = move |row: u32| is_wanted(&wanted, facts.responses.surveys[row as usize]);
                is_any_unwanted.then(|| Box::new(is_wanted) as _)
            }
            Way::Clocks => Some(Box::new(|row: u32| facts.cases.is_there(facts.clocks.cases[row as usize]))),
            _ => None,
        }
    }
}

/// Goes through the facts of the time asked for that pass: the cell of each, and its row.
///
/// A metric that goes the same way as one before it in the query is told the same cells and rows, which were kept for it.
pub(crate) fn scan_each(ask: &Ask<'_>, way: Way, mut each: impl FnMut(u32, u32)) -> Result<Groups, Error> {
    scan_blocks(ask, way, |cells, rows| cells.iter().zip(rows).for_each(|(cell, row)| each(*cell, *row)))
}

/// The same, block by block.
pub(crate) fn scan_blocks(ask: &Ask<'_>, way: Way, mut each: impl FnMut(&[u32], &[u32])) -> Result<Groups, Error> {
    if let Some(kept) = ask.shared.find(ask, way) {
        kept.blocks.tell(each);
        return Ok(kept.groups.clone());
    }
    let mut blocks = ask.shared.is_wanted_again(ask).then(Blocks::default);
    let (times, range) = (way.times(ask.facts), ask.range());
    let instants = times.as_slice();
    let admits = way.admits(ask.facts);
    let mut cutter = ask.cutter();
    let mut calendar = Calendar::new(ask);
    let index = Grid::<()>::new(ask.periods.len());
    let (mut rows, mut cells) = (Vec::new(), Vec::new());
    for block in times.blocks(range.clone()) {
        let first = block.start;
        times.select(block, &range, &mut rows);
        if let Some(admits) = &admits {
            rows.retain(|row| admits(*row));
        }
        cutter.cut(&mut rows, &mut cells, |row| instants[row as usize])?;
        if ask.periods.len() > 1 {
            for (row, cell) in rows.iter().zip(&mut cells) {
                *cell = index.index(*cell, calendar.period(instants[*row as usize]));
            }
        }
        each(&cells, &rows);
        blocks = blocks.and_then(|blocks| blocks.with(first, &rows, &cells, ask.shared.most));
    }
    let groups = Groups::from(&cutter);
    if let Some(blocks) = blocks {
        ask.shared.keep(ask, way, groups.clone(), blocks);
    }
    Ok(groups)
}

/// Goes through rows of any order whose instant lies in the time asked for and that pass: the cell of each, and its row. A row
/// that counts in no period has the instant [`NEVER`](crate::columns::times::NEVER).
pub(crate) fn scan<'q>(
    ask: &Ask<'q>,
    rows: impl Iterator<Item = u32>,
    at: impl Fn(u32) -> i64 + Copy,
    mut each: impl FnMut(u32, u32),
) -> Result<Cutter<'q>, Error> {
    let index = Grid::<()>::new(ask.periods.len());
    scan_with(ask, ask.cutter(), rows, at, |group, period, row| each(index.index(group, period), row))
}

/// The same by another cutter than that of the metric: the group of each row, its period, and the row.
pub(crate) fn scan_with<'q>(
    ask: &Ask<'q>,
    mut cutter: Cutter<'q>,
    rows: impl Iterator<Item = u32>,
    at: impl Fn(u32) -> i64 + Copy,
    mut each: impl FnMut(u32, usize, u32),
) -> Result<Cutter<'q>, Error> {
    let range = ask.range();
    let mut calendar = Calendar::new(ask);
    let mut rows = rows.filter(|row| range.contains(&at(*row)));
    let (mut some, mut groups) = (Vec::new(), Vec::new());
    loop {
        some.clear();
        some.extend(rows.by_ref().take(BLOCK));
        if some.is_empty() {
            return Ok(cutter);
        }
        cutter.cut(&mut some, &mut groups, at)?;
        for (row, group) in some.iter().zip(&groups) {
            each(*group, calendar.period(at(*row)), *row);
        }
    }
}

/// What the metrics of a query have in common: the ways that were gone for one, for those that come after it.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Of each metric, and of each part of one that users defined, what decides about the cells of its rows.
    asked: Vec<Asked>,
    kept: RefCell<Vec<Rc<Kept>>>,
    /// Bytes that are kept.
    most: usize,
}

/// What decides about the cells of rows, but for the periods: it is the same for those that go the same way.
#[derive(Debug, PartialEq)]
struct Asked {
    table: Table,
    filters: Vec<Condition>,
    group_by: Vec<String>,
}

/// A way that was gone.
#[derive(Debug)]
struct Kept {
    way: Way,
    asked: Asked,
    boundaries: Vec<i64>,
    groups: Groups,
    blocks: Blocks,
}

impl Shared {
    /// Of a query; so many bytes are kept at most.
    pub(crate) fn new(query: &Query, most: usize) -> Self {
        let mut asked = Vec::new();
        for metric in &query.metrics {
            match metric.defined {
                None => asked.push(Asked::new(query, metric)),
                Some(defined) => {
                    asked
                        .extend(defined.parts.iter().map(|part| Asked::new(&query.of_part(metric, part), part.metric)));
                }
            }
        }
        Shared { asked, kept: RefCell::default(), most }
    }

    /// Whether more than one metric asks for the same.
    fn is_wanted_again(&self, ask: &Ask<'_>) -> bool {
        let of_ask = Asked::new(ask.query, ask.metric);
        self.asked.iter().filter(|asked| **asked == of_ask).count() > 1
    }

    fn find(&self, ask: &Ask<'_>, way: Way) -> Option<Rc<Kept>> {
        let kept = self.kept.borrow();
        if kept.is_empty() {
            return None;
        }
        let asked = Asked::new(ask.query, ask.metric);
        let is_same =
            |kept: &&Rc<Kept>| kept.way == way && kept.asked == asked && kept.boundaries == ask.periods.boundaries();
        kept.iter().find(is_same).cloned()
    }

    /// Keeps a way that was gone; what was kept first makes room for it.
    fn keep(&self, ask: &Ask<'_>, way: Way, groups: Groups, blocks: Blocks) {
        let mut kept = self.kept.borrow_mut();
        let bytes = |kept: &[Rc<Kept>]| kept.iter().map(|kept| kept.blocks.bytes).sum::<usize>();
        while !kept.is_empty() && bytes(&kept) + blocks.bytes > self.most {
            kept.remove(0);
        }
        let (asked, boundaries) = (Asked::new(ask.query, ask.metric), ask.periods.boundaries().to_vec());
        kept.push(Rc::new(Kept { way, asked, boundaries, groups, blocks }));
    }
}

impl Asked {
    fn new(query: &Query, metric: &Metric) -> Self {
        Asked { table: metric.table, filters: query.filters.clone(), group_by: query.group_by_of(metric) }
    }
}

/// Rows and their cells, in 6 bytes each.
#[derive(Debug, Default)]
struct Blocks {
    blocks: Vec<Block>,
    bytes: usize,
}

#[derive(Debug)]
struct Block {
    first: u32,
    /// How far each row is from the first of its block.
    rows: Box<[u16]>,
    cells: Box<[u32]>,
}

impl Blocks {
    /// With one more; nothing when that is more than so many bytes.
    fn with(mut self, first: usize, rows: &[u32], cells: &[u32], most: usize) -> Option<Self> {
        let first = u32::try_from(first).ok()?;
        self.bytes += size_of_val(cells) + rows.len() * size_of::<u16>();
        if self.bytes > most {
            return None;
        }
        let rows = rows.iter().map(|row| u16::try_from(row - first).ok()).collect::<Option<_>>()?;
        self.blocks.push(Block { first, rows, cells: cells.into() });
        Some(self)
    }

    fn tell(&self, mut each: impl FnMut(&[u32], &[u32])) {
        let mut rows = Vec::with_capacity(BLOCK);
        for block in &self.blocks {
            rows.clear();
            rows.extend(block.rows.iter().map(|row| block.first + u32::from(*row)));
            each(&block.cells, &rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use barometer_chassis::clock::Micros;
    use barometer_proto::customers::v1::{Fact, InteractionFact, fact};
    use uuid::Uuid;

    use super::*;
    use crate::query::tests::{query, script::DAY};

    /// Contacts of 30 days, of three channels, in two blocks.
    fn contacts() -> Facts {
        let mut facts = Facts::default();
        for number in 0..i64::try_from(BLOCK).expect("small") + 1_000 {
            let contact = InteractionFact {
                customer_id: Uuid::from_u128(1).to_string(),
                time: Some(Micros(number % 30 * DAY).to_wire()),
                direction: 1,
                channel: ["shop", "web", ""][usize::try_from(number % 3).expect("small")].to_owned(),
                ..Default::default()
            };
            let id = Uuid::from_u128(1_000 + u128::from(number.unsigned_abs())).to_string();
            let contact = Some(fact::Fact::Interaction(contact));
            facts.put_customers(Fact { id, number, version: 1, fact: contact, ..Default::default() }).expect("a fact");
        }
        facts
    }

    /// The cells and rows that a metric is told, and how many ways are kept then.
    fn told(query: &Query, metric: &'static Metric, facts: &Facts, shared: &Shared) -> (Vec<(u32, u32)>, usize) {
        let periods = query.periods(query.granularity, query.range(facts)).expect("periods");
        let ask = Ask { query, metric, facts, periods: &periods, recorder: None, shared };
        let mut told = Vec::new();
        let groups = scan_each(&ask, Way::Contacts, |cell, row| told.push((cell, row))).expect("few groups");
        assert_eq!(groups.names().len(), 3);
        (told, shared.kept.borrow().len())
    }

    #[test]
    fn a_way_is_gone_once_and_kept_in_so_many_bytes() {
        use crate::rules::granularity::Granularity;
        let facts = contacts();
        let metric = |id| crate::catalogue::find(id).expect("a metric");
        let one = query("contacts", Granularity::Week, &["channel"]);
        let two = Query { metrics: vec![metric("contacts"), metric("visits")], ..one.clone() };
        let alone = Shared::new(&one, KEPT);
        let (expected, kept) = told(&one, one.metrics[0], &facts, &alone);
        assert_eq!((expected.len(), kept), (BLOCK + 1_000, 0), "nobody comes after it");
        let shared = Shared::new(&two, KEPT);
        for metric in &two.metrics {
            assert_eq!(told(&two, metric, &facts, &shared), (expected.clone(), 1));
        }
        // What is kept is told, and not what is there.
        let mut others = facts.clone();
        others.forget_customers();
        assert_eq!(told(&two, two.metrics[1], &others, &shared).0, expected);
        // Another granularity, or another way, is gone anew; and there is room for one.
        let room = Shared::new(&two, 6 * expected.len());
        let by_day = Query { granularity: Granularity::Day, ..two.clone() };
        for query in [&two, &by_day, &by_day, &two] {
            let is_same = told(query, query.metrics[0], &facts, &room).0 == expected;
            assert_eq!((is_same, room.kept.borrow().len()), (query.granularity == Granularity::Week, 1));
        }
        let little = Shared::new(&two, 6 * expected.len() - 1);
        for metric in &two.metrics {
            assert_eq!(told(&two, metric, &facts, &little), (expected.clone(), 0));
        }
    }
}
