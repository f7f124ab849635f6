//! What customers did after the company turned to them, against what they did before, and against others.

use std::{collections::BTreeMap, ops::Range};

use barometer_chassis::{clock::Micros, error::Error};
use rustc_hash::FxHashMap;

use crate::{
    analysis::by_person::{self, Instants},
    catalogue::Actions,
    columns::{by_person::ByPerson, times::NEVER},
    measures::customers::{contacts::is_visit, known},
    query::{
        Ask, Table,
        cut::Cutter,
        figures::{Figure, Grid, Measured, Name, plain, real},
        scan::scan,
        told::{Kind, Worth},
    },
    rules::engagement::{Cell, Change, Shares, is_matched},
};

/// A customer to whom the company turned: the first time in a cell, and how often they acted before and after.
#[derive(Clone, Copy, Debug)]
struct Contacted {
    cell: u32,
    person: u32,
    at: i64,
    before: u64,
    after: u64,
}

/// How many more actions follow a contact than come before it, less the same of comparable customers.
pub(crate) fn actions_per_engagement(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let engagement = Engagement::new(ask);
    let (cutter, contacted, pending) = engagement.contacted()?;
    let strata = engagement.compared(&cutter, contacted)?;
    let mut grid = Grid::<(Cell, u64)>::new(ask.periods.len());
    pending.into_iter().for_each(|cell| grid.at(cell).1 += 1);
    strata.into_iter().for_each(|(cell, change)| grid.at(cell).0 = change);
    let level = ask.query.parameters.level;
    Ok(ask.figures(&cutter, &grid, |(cell, pending)| {
        let counts = [
            ("contacted", cell.contacted()),
            ("comparison", cell.compared),
            ("actions_before", cell.before),
            ("actions_after", cell.after),
            ("unmatched", cell.unmatched),
            ("pending", *pending),
        ];
        let Some(effect) = cell.effect() else {
            return Measured { counts: plain(counts), ..Measured::default() };
        };
        let size = real(cell.contacted());
        Measured {
            value: Some(effect.mean),
            counts: plain(counts),
            statistics: [
                ("before", Some(real(cell.before) / size)),
                ("after", Some(real(cell.after) / size)),
                ("comparison_after", Some(real(cell.after) / size - effect.mean)),
                ("standard_error", effect.standard_error),
            ]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
            interval: effect.interval(level).map(|interval| (interval, level)),
            ..Measured::default()
        }
    }))
}

/// What is counted, and for how long.
struct Engagement<'a, 'q> {
    ask: &'a Ask<'q>,
    actions: Instants<'q>,
    outreach: Instants<'q>,
    /// Microseconds before and after a contact.
    around: i64,
}

/// Customers of one group who did as much before, by cell, in the order of the cells' periods.
type Strata = BTreeMap<(u32, u64), Vec<Compared>>;

/// What is compared in one cell with customers who did as much before.
struct Compared {
    period: usize,
    cell: u32,
    /// Of the contacts, ascending.
    instants: Vec<i64>,
    contacted: Vec<(u64, u64)>,
    /// The same customers, and when each was contacted.
    people: Vec<(u32, i64)>,
    /// At each instant, how many customers are compared and what they did after it: how much more than at the one before.
    others: Vec<[i64; 2]>,
    shares: Option<Shares>,
}

impl Compared {
    fn range(&self, over: &Range<i64>) -> Range<usize> {
        let place = |at: i64| self.instants.partition_point(|instant| *instant < at);
        place(over.start)..place(over.end)
    }
}

/// A customer to whom the company did not turn, at a time over which it did the same before and after.
struct Stretch {
    person: u32,
    after: u64,
}

impl<'a, 'q> Engagement<'a, 'q> {
    fn new(ask: &'a Ask<'q>) -> Self {
        let facts = ask.facts;
        let contacts = &facts.interactions;
        let of_row = |row: u32| (contacts.customers[row as usize], contacts.times.at(row as usize));
        let of_contacts = |counts: &dyn Fn(u32) -> bool| {
            let there = |row: &u32| contacts.times.at(*row as usize) != NEVER && counts(*row);
            Instants::Made(ByPerson::new(facts.people.len(), || contacts.rows().filter(there).map(of_row)))
        };
        let actions = match ask.query.parameters.actions {
            Actions::Sales => by_person::sales(facts, i64::MAX),
            Actions::Contacts => of_contacts(&|row| contacts.is_inbound(row)),
            Actions::Visits => {
                let is_visit = is_visit(contacts);
                of_contacts(&|row| is_visit(row))
            }
        };
        let outreach = of_contacts(&|row| contacts.is_outbound(row));
        let around = i64::from(ask.query.parameters.around_days) * Micros::DAY;
        Engagement { ask, actions, outreach, around }
    }

    fn before_and_after(&self, person: u32, at: i64) -> (u64, u64) {
        let actions = self.actions.of(person);
        let place = |at: i64| actions.partition_point(|action| *action < at);
        let (from, middle, until) =
            (place(at.saturating_sub(self.around)), place(at), place(at.saturating_add(self.around)));
        ((middle - from) as u64, (until - middle) as u64)
    }

    /// Whom the company turned to, by cell, once each; of those whose days are not over the cells.
    fn contacted(&self) -> Result<(Cutter<'q>, Vec<Contacted>, Vec<u32>), Error> {
        let contacts = &self.ask.facts.interactions;
        let mut firsts = Vec::new();
        let at = |row: u32| contacts.times.at(row as usize);
        let cutter = scan(self.ask, contacts.rows(), at, |cell, row| {
            if contacts.is_outbound(row) {
                firsts.push((cell, contacts.customers[row as usize], at(row)));
            }
        })?;
        firsts.sort_unstable();
        firsts.dedup_by_key(|(cell, person, _)| (*cell, *person));
        let (mut contacted, mut pending) = (Vec::new(), Vec::new());
        for (cell, person, at) in firsts {
            if at.saturating_add(self.around) > self.ask.query.now {
                pending.push(cell);
                self.ask.tell(Kind::Customer, person, at, &[("pending", 1.0)], Worth::None);
            } else {
                let (before, after) = self.before_and_after(person, at);
                contacted.push(Contacted { cell, person, at, before, after });
            }
        }
        Ok((cutter, contacted, pending))
    }

    /// What it comes to in each cell.
    fn compared(&self, cutter: &Cutter<'_>, contacted: Vec<Contacted>) -> Result<BTreeMap<u32, Cell>, Error> {
        let periods = u32::try_from(self.ask.periods.len()).unwrap_or(u32::MAX).max(1);
        let mut bases: BTreeMap<Name, u32> = BTreeMap::new();
        let mut base_of = FxHashMap::default();
        let mut all: BTreeMap<(u32, u64, u32), Vec<Contacted>> = BTreeMap::new();
        for one in contacted {
            let base = *base_of.entry(one.cell / periods).or_insert_with(|| {
                let next = u32::try_from(bases.len()).unwrap_or(u32::MAX);
                let name = cutter.name(one.cell / periods).into_iter().filter(|(name, _)| is_of_customers(name));
                *bases.entry(name.collect()).or_insert(next)
            });
            all.entry((base, one.before, one.cell)).or_default().push(one);
        }
        let mut strata = Strata::default();
        for ((base, before, cell), mut of_cell) in all {
            of_cell.sort_unstable_by_key(|one| (one.at, one.after));
            let mut instants: Vec<i64> = of_cell.iter().map(|one| one.at).collect();
            instants.dedup();
            let others = vec![[0; 2]; instants.len() + 1];
            let place = |at: i64| instants.partition_point(|instant| *instant < at) as u64;
            let contacted = of_cell.iter().map(|one| (place(one.at), one.after)).collect();
            let people = of_cell.iter().map(|one| (one.person, one.at)).collect();
            let period = (cell % periods) as usize;
            let compared = Compared { period, cell, instants, contacted, people, others, shares: None };
            strata.entry((base, before)).or_default().push(compared);
        }
        strata.values_mut().for_each(|cells| cells.sort_unstable_by_key(|of| (of.period, of.cell)));
        // Sums of real numbers follow an order: that of ids is none of arrival.
        let mut people = known::instants(self.ask.facts);
        people.sort_unstable_by_key(|(_, person, _)| self.ask.facts.people.as_slice().get(*person as usize));
        self.each_met(&people, &bases, &mut strata, |of, places, stretch| {
            let after = i64::try_from(stretch.after).unwrap_or(i64::MAX);
            let add = |sums: &mut [i64; 2], sign: i64| {
                sums[0] += sign;
                sums[1] += sign * after;
            };
            add(&mut of.others[places.start], 1);
            add(&mut of.others[places.end], -1);
        })?;
        let mut cells: BTreeMap<u32, Cell> = BTreeMap::new();
        for ((_, before), of) in strata.iter_mut().flat_map(|(key, cells)| cells.iter_mut().map(move |of| (key, of))) {
            let mut so_far = [0_i64; 2];
            let others = of.others.iter().map(|[customers, after]| {
                so_far = [so_far[0] + customers, so_far[1] + after];
                so_far.map(i64::unsigned_abs)
            });
            let others: Vec<_> = others.collect();
            self.tell(*before, of, &others);
            of.shares = Some(cells.entry(of.cell).or_default().add(*before, &of.contacted, &others));
        }
        let mut person_before = None;
        let mut parts: FxHashMap<u32, Change> = FxHashMap::default();
        self.each_met(&people, &bases, &mut strata, |of, places, stretch| {
            if person_before != Some(stretch.person) {
                settle(&mut parts, &mut cells);
                person_before = Some(stretch.person);
            }
            let first = of.instants.get(places.start).copied().unwrap_or_default();
            let Some(change) = of.shares.as_ref().and_then(|shares| shares.of(places, stretch.after)) else { return };
            self.ask.gather(Kind::Customer, stretch.person, first, "comparison");
            parts.entry(of.cell).and_modify(|so_far| *so_far += change).or_insert(change);
        })?;
        settle(&mut parts, &mut cells);
        Ok(cells)
    }

    /// Tells of contacted customers who acted so often before, and of those to whom too few compare.
    fn tell(&self, before: u64, of: &Compared, others: &[[u64; 2]]) {
        for ((place, after), (person, at)) in of.contacted.iter().zip(&of.people) {
            let size = usize::try_from(*place).ok().and_then(|place| others.get(place)).map_or(0, |others| others[0]);
            let counts: &[_] = if is_matched(size) {
                &[("contacted", 1.0), ("actions_before", real(before)), ("actions_after", real(*after))]
            } else {
                &[("unmatched", 1.0)]
            };
            self.ask.tell(Kind::Customer, *person, *at, counts, Worth::None);
        }
    }

    /// Visits the cells in which a customer is compared, and with which of their instants.
    fn each_met(
        &self,
        people: &[(u32, u32, i64)],
        bases: &BTreeMap<Name, u32>,
        strata: &mut Strata,
        mut each: impl FnMut(&mut Compared, Range<usize>, &Stretch),
    ) -> Result<(), Error> {
        let instants = || strata.values().flatten().flat_map(|of| [of.instants.first(), of.instants.last()]).flatten();
        let (Some(first), Some(last)) = (instants().min().copied(), instants().max().copied()) else { return Ok(()) };
        let periods = self.ask.periods;
        let mut cutter = self.ask.cutter_of(Table::Customers, is_of_customers);
        let mut base_of: Vec<Option<u32>> = Vec::new();
        let dated = cutter.dated();
        let (mut rows, mut groups, mut edges) = (Vec::new(), Vec::new(), Vec::new());
        for (row, person, since) in people.iter().copied() {
            let from = since.max(first);
            edges.clear();
            edges.push(from);
            let around = self.around;
            let of_actions = self.actions.of(person).iter().flat_map(|at| {
                [at.saturating_sub(around), *at, at.saturating_add(around)].map(|edge| edge.saturating_add(1))
            });
            edges.extend(of_actions);
            let of_outreach = self.outreach.of(person).iter();
            edges.extend(of_outreach.flat_map(|at| {
                [at.saturating_sub(around), at.saturating_add(around)].map(|edge| edge.saturating_add(1))
            }));
            edges.extend(dated.iter().flat_map(|attribute| self.ask.facts.attributes.instants(*attribute, person)));
            edges.retain(|edge| (from..=last).contains(edge));
            edges.sort_unstable();
            edges.dedup();
            for (index, start) in edges.iter().enumerate() {
                let over = *start..edges.get(index + 1).copied().unwrap_or(last.saturating_add(1));
                let outreach = self.outreach.of(person);
                let near = outreach.partition_point(|at| *at < start.saturating_sub(around));
                if outreach.get(near).is_some_and(|at| *at < start.saturating_add(around)) {
                    continue;
                }
                let (before, after) = self.before_and_after(person, *start);
                rows.clear();
                rows.push(row);
                cutter.cut(&mut rows, &mut groups, |_| *start)?;
                for group in base_of.len()..cutter.groups() {
                    let name = cutter.name(u32::try_from(group).unwrap_or(u32::MAX));
                    base_of.push(bases.get(&name).copied());
                }
                let stretch = Stretch { person, after };
                let bounds = periods.boundaries();
                let first_period = bounds.partition_point(|bound| *bound <= over.start).saturating_sub(1);
                for base in groups.iter().filter_map(|group| base_of[*group as usize]) {
                    let Some(cells) = strata.get_mut(&(base, before)) else { continue };
                    let begin = cells.partition_point(|of| of.period < first_period);
                    for of in &mut cells[begin..] {
                        if bounds.get(of.period).is_none_or(|start| *start >= over.end) {
                            break;
                        }
                        let places = of.range(&over);
                        if !places.is_empty() {
                            each(of, places, &stretch);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// Adds what one customer did to the cells in which they were compared.
fn settle(parts: &mut FxHashMap<u32, Change>, cells: &mut BTreeMap<u32, Cell>) {
    for (cell, change) in parts.drain() {
        if let Some(cell) = cells.get_mut(&cell) {
            cell.compare(change);
        }
    }
}

fn is_of_customers(name: &str) -> bool {
    Table::Customers.dimensions().contains(&name)
}
