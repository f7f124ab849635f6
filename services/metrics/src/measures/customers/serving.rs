//! Figures of what it costs to serve customers: contacts at their cost, and what customers got for complaints.

use std::{collections::BTreeMap, ops::RangeInclusive};

use barometer_chassis::error::Error;
use rustc_hash::FxHashMap;

use crate::{
    catalogue::Metric,
    columns::{
        Facts,
        dictionary::{Column, EMPTY},
        people::NOBODY,
        redresses::NO_CASE,
        times::NEVER,
    },
    query::{
        Ask, Table,
        board::Board,
        cut::Cutter,
        figures::{Figure, Measured, extent_of, plain, real, units},
        scan::scan_with,
        told::{Kind, Worth},
    },
    rules::contact_rate::{Rate, RateBook, of_hours},
};

const CURRENCY: &str = "currency";
/// The group of contacts of which nobody knows what they cost.
const UNPRICED: u32 = 0;

/// From the first until the last contact or case.
pub(crate) fn extent(facts: &Facts, _: &Metric) -> Option<RangeInclusive<i64>> {
    let extents = [facts.interactions.times.extent(), facts.cases.times.extent()];
    extent_of(extents.into_iter().flatten().flat_map(|extent| [*extent.start(), *extent.end()]))
}

/// What serving customers came to.
pub(crate) fn cost_to_serve(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    Ok(served(ask, true)?.figures(ask, |served| Measured {
        value: (served.contacts + served.redresses > 0).then(|| units(served.total())),
        counts: plain(served.counts()),
        amounts: served.amounts(),
        ..Measured::default()
    }))
}

/// The same for each customer who was served.
pub(crate) fn cost_to_serve_per_customer(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    Ok(served(ask, true)?.figures(ask, |served| Measured {
        value: (served.customers > 0).then(|| units(served.total()) / real(served.customers)),
        counts: plain(served.counts()),
        amounts: served.amounts(),
        ..Measured::default()
    }))
}

/// What contacts cost, each.
pub(crate) fn cost_per_contact(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    Ok(served(ask, false)?.figures(ask, |served| Measured {
        value: (served.contacts > 0).then(|| units(served.contact_cost) / real(served.contacts)),
        counts: plain([("contacts", served.contacts), ("unpriced", served.unpriced)]),
        amounts: vec![("contact_cost", served.contact_cost)],
        ..Measured::default()
    }))
}

/// What was done for customers, and what it cost in micro-units.
#[derive(Clone, Copy, Debug, Default)]
struct Served {
    contact_cost: i128,
    redress: i128,
    contacts: u64,
    unpriced: u64,
    redresses: u64,
    customers: u64,
}

impl Served {
    fn total(&self) -> i128 {
        self.contact_cost + self.redress
    }

    fn counts(&self) -> [(&'static str, u64); 4] {
        [
            ("contacts", self.contacts),
            ("unpriced", self.unpriced),
            ("redresses", self.redresses),
            ("customers", self.customers),
        ]
    }

    fn amounts(&self) -> Vec<(&'static str, i128)> {
        vec![("contact_cost", self.contact_cost), ("redress", self.redress), ("total", self.total())]
    }
}

/// What was done and for whom, by group and currency.
#[derive(Default)]
struct Pile {
    cells: FxHashMap<(u32, u32), Vec<Served>>,
    /// Group, currency, period, customer.
    customers: Vec<(u32, u32, usize, u32)>,
}

impl Pile {
    fn cell(&mut self, periods: usize, group: u32, currency: u32, period: usize) -> &mut Served {
        &mut self.cells.entry((group, currency)).or_insert_with(|| vec![Served::default(); periods])[period]
    }
}

fn served(ask: &Ask<'_>, with_redress: bool) -> Result<Board<Served>, Error> {
    let mut currencies = Currencies::new(ask);
    let contacts = of_contacts(ask, &mut currencies)?;
    let redresses = if with_redress { Some(of_redresses(ask, &mut currencies)?) } else { None };
    let mut board = Board::<Served>::new(ask);
    let mut seen = Vec::new();
    for (cutter, pile) in [Some(contacts), redresses].into_iter().flatten() {
        let Pile { cells, mut customers } = pile;
        customers.sort_unstable();
        customers.dedup();
        let mut numbers = FxHashMap::default();
        for ((group, currency), cells) in cells {
            let name = cutter.name(group);
            let own = (CURRENCY.to_owned(), currencies.texts[currency as usize].clone());
            let number = board.row(name.into_iter().chain([own]))?;
            numbers.insert((group, currency), number);
            for (period, one) in cells.into_iter().enumerate() {
                let Served { contact_cost, redress, contacts, unpriced, redresses, customers: _ } = one;
                let cell = board.cell(number, period);
                cell.contact_cost += contact_cost;
                cell.redress += redress;
                cell.contacts += contacts;
                cell.unpriced += unpriced;
                cell.redresses += redresses;
            }
        }
        let numbered = |(group, currency, period, customer): (u32, u32, usize, u32)| {
            numbers.get(&(group, currency)).map(|number| (*number, period, customer))
        };
        seen.extend(customers.into_iter().filter_map(numbered));
    }
    seen.sort_unstable();
    seen.dedup();
    seen.into_iter().for_each(|(number, period, _)| board.cell(number, period).customers += 1);
    Ok(board)
}

/// Contacts, each at what it cost by itself, or else at the rates that held.
fn of_contacts<'q>(ask: &Ask<'q>, currencies: &mut Currencies) -> Result<(Cutter<'q>, Pile), Error> {
    let contacts = &ask.facts.interactions;
    let prices = Prices::new(ask, currencies);
    let periods = ask.periods.len();
    let mut pile = Pile::default();
    let cutter = ask.cutter_of(Table::Contacts, |name| name != CURRENCY);
    let at = |row: u32| contacts.times.at(row as usize);
    let cutter = scan_with(ask, cutter, contacts.rows(), at, |group, period, row| {
        let parts = prices.of(row);
        if parts.is_empty() && currencies.passes[UNPRICED as usize] {
            pile.cell(periods, group, UNPRICED, period).unpriced += 1;
            ask.tell(Kind::Interaction, row, at(row), &[("unpriced", 1.0)], Worth::None);
        }
        for (currency, cost) in parts.into_iter().filter(|(currency, _)| currencies.passes[*currency as usize]) {
            let cell = pile.cell(periods, group, currency, period);
            cell.contact_cost += cost;
            cell.contacts += 1;
            let customer = contacts.customers[row as usize];
            pile.customers.push((group, currency, period, customer));
            ask.tell(Kind::Interaction, row, at(row), &[("contacts", 1.0)], Worth::Amount(cost));
            ask.gather(Kind::Customer, customer, at(row), "customers");
        }
    })?;
    Ok((cutter, pile))
}

/// What customers got, by when their cases were opened.
fn of_redresses<'q>(ask: &Ask<'q>, currencies: &mut Currencies) -> Result<(Cutter<'q>, Pile), Error> {
    let cases = &ask.facts.cases;
    let redresses = &cases.redresses;
    let codes = currencies.codes(&redresses.currency);
    let opened = |row: u32| match (redresses.cases[row as usize], redresses.micros[row as usize]) {
        (NO_CASE, _) | (_, 0) => NEVER,
        (case, _) => cases.times.at(case as usize),
    };
    let periods = ask.periods.len();
    let mut pile = Pile::default();
    let mut told: BTreeMap<u32, (i64, f64, i128)> = BTreeMap::new();
    let cutter = ask.cutter_of(Table::Redresses, |name| name != CURRENCY);
    let rows = 0..u32::try_from(redresses.cases.len()).unwrap_or(NO_CASE);
    let cutter = scan_with(ask, cutter, rows, opened, |group, period, row| {
        let currency = code_of(&redresses.currency, &codes, row);
        if !currencies.passes[currency as usize] {
            return;
        }
        let cell = pile.cell(periods, group, currency, period);
        cell.redress += i128::from(redresses.micros[row as usize]);
        cell.redresses += 1;
        let case = redresses.cases[row as usize];
        let (customer, worth) = (cases.customers[case as usize], i128::from(redresses.micros[row as usize]));
        if ask.is_explained() {
            let (_, count, sum) = told.entry(case).or_insert((opened(row), 0.0, 0));
            (*count, *sum) = (*count + 1.0, *sum + worth);
        }
        if customer != NOBODY {
            pile.customers.push((group, currency, period, customer));
            ask.gather(Kind::Customer, customer, opened(row), "customers");
        }
    })?;
    // A case may have several.
    for (case, (at, count, sum)) in told {
        ask.tell(Kind::Case, case, at, &[("redresses", count)], Worth::Amount(sum));
    }
    Ok((cutter, pile))
}

/// Currencies of several tables by codes of their own; the first is none. With each whether it is asked for.
struct Currencies<'a, 'q> {
    ask: &'a Ask<'q>,
    texts: Vec<String>,
    passes: Vec<bool>,
}

impl<'a, 'q> Currencies<'a, 'q> {
    fn new(ask: &'a Ask<'q>) -> Self {
        Currencies { ask, texts: vec![String::new()], passes: vec![ask.passes(CURRENCY, "")] }
    }

    fn code(&mut self, text: &str) -> u32 {
        let place = self.texts.iter().position(|other| other == text).unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.passes.push(self.ask.passes(CURRENCY, text));
            self.texts.len() - 1
        });
        u32::try_from(place).unwrap_or(UNPRICED)
    }

    /// By the codes of a column.
    fn codes(&mut self, column: &Column) -> Vec<u32> {
        let codes = 0..u32::try_from(column.dictionary.len()).unwrap_or(u32::MAX);
        codes.map(|code| self.code(column.dictionary.text(code))).collect()
    }
}

fn code_of(column: &Column, codes: &[u32], row: u32) -> u32 {
    let code = column.codes().get(row as usize).copied().unwrap_or(EMPTY);
    codes.get(code as usize).copied().unwrap_or_default()
}

/// What contacts cost.
struct Prices<'q> {
    facts: &'q Facts,
    /// Codes of the currencies in which contacts told what they cost.
    told: Vec<u32>,
    per_contact: RateBook,
    per_hour: RateBook,
    /// The codes that rates have for the channels and teams of contacts.
    channels: Vec<u32>,
    teams: Vec<u32>,
    /// Of contacts to which no rate applies: currency, and micro-units an hour.
    flat: Option<(u32, i64)>,
}

impl<'q> Prices<'q> {
    fn new(ask: &Ask<'q>, currencies: &mut Currencies<'_, '_>) -> Self {
        let facts = ask.facts;
        let (costs, contacts) = (&facts.costs, &facts.interactions);
        let of_rates = currencies.codes(&costs.currency);
        let code = |column: &Column, row: u32| column.codes().get(row as usize).copied().unwrap_or(EMPTY);
        let rate = |row: u32| {
            let over = costs.spread(row);
            let until = Some(over.end).filter(|end| *end > over.start);
            let (currency, micros) = (code_of(&costs.currency, &of_rates, row), costs.amounts[row as usize]);
            let scope = (code(&costs.channel, row), code(&costs.team, row));
            (scope, costs.number(row), Rate { from: over.start, until, currency, micros })
        };
        // A code that no rate has is for none of them.
        let translated = |from: &Column, to: &Column| -> Vec<u32> {
            let codes = 0..u32::try_from(from.dictionary.len()).unwrap_or(u32::MAX);
            codes.map(|code| to.dictionary.find(from.dictionary.text(code)).unwrap_or(u32::MAX)).collect()
        };
        Prices {
            facts,
            told: currencies.codes(&contacts.currency),
            per_contact: RateBook::new(costs.per_contact().map(rate)),
            per_hour: RateBook::new(costs.per_hour().map(rate)),
            channels: translated(&contacts.channel, &costs.channel),
            teams: translated(&contacts.team, &costs.team),
            flat: ask.query.parameters.hourly_rate.map(|(currency, micros)| (currencies.code(currency.code()), micros)),
        }
    }

    /// The currency and the micro-units of what a contact cost; of both rates where they are of different currencies; nothing
    /// where it is not known.
    fn of(&self, row: u32) -> Vec<(u32, i128)> {
        let contacts = &self.facts.interactions;
        if let Some(cost) = contacts.cost(row) {
            return vec![(code_of(&contacts.currency, &self.told, row), i128::from(cost))];
        }
        let scope = (code_of(&contacts.channel, &self.channels, row), code_of(&contacts.team, &self.teams, row));
        let at = contacts.times.at(row as usize);
        let (one, hour) = (self.per_contact.at(scope, at), self.per_hour.at(scope, at));
        let handling = contacts.handling(row);
        let of_hour = match (hour, handling) {
            (Some(rate), Some(time)) => Some((rate.currency, of_hours(rate.micros, time))),
            _ => None,
        };
        match (one.map(|rate| (rate.currency, i128::from(rate.micros))), of_hour) {
            (Some((currency, each)), Some((same, hours))) if currency == same => vec![(currency, each + hours)],
            (None, None) if hour.is_none() => {
                let flat = self.flat.zip(handling);
                flat.map(|((currency, rate), time)| (currency, of_hours(rate, time))).into_iter().collect()
            }
            (each, hours) => each.into_iter().chain(hours).collect(),
        }
    }
}
