//! Figures of contacts with customers, by when they began.

use barometer_chassis::error::Error;

use crate::{
    columns::{dictionary::Column, interactions::Interactions},
    query::{
        Ask,
        figures::{Figure, Grid, Measured},
        scan::{Way, scan_each},
        spreads::Durations,
        told::{Kind, Worth},
    },
    rules::proportion::ProportionTally,
};

/// What comes of a contact that the customer answered.
const ANSWERED: &[&str] = &["answered", "converted", "solved"];
/// What comes of a message that the customer opened at least.
const OPENED: &[&str] = &["opened", "clicked", "answered", "converted", "solved", "unsubscribed"];
/// What comes of a contact by which the customer took what was offered.
const CONVERTED: &[&str] = &["converted"];
/// What comes of a contact after which the customer wants no more of them.
const UNSUBSCRIBED: &[&str] = &["unsubscribed"];
/// Channels on which an inbound contact is a visit.
const VISITED: &[&str] = &["shop", "web"];

/// How many there were, either way.
pub(crate) fn contacts(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let contacts = &ask.facts.interactions;
    let mut grid = Grid::<[u64; 2]>::new(ask.periods.len());
    let cutter = scan_each(ask, Way::Contacts, |cell, row| {
        let [inbound, outbound] = grid.at(cell);
        *inbound += u64::from(contacts.is_inbound(row));
        *outbound += u64::from(contacts.is_outbound(row));
        let counts = [("inbound", contacts.is_inbound(row)), ("outbound", contacts.is_outbound(row))];
        tell(ask, row, counts, Worth::None);
    })?;
    Ok(ask.figures(&cutter, &grid, |[inbound, outbound]| {
        let all = inbound + outbound;
        Measured::count(all, all, [("inbound", *inbound), ("outbound", *outbound)])
    }))
}

/// How long somebody worked on each of which that was told.
pub(crate) fn contact_time(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let contacts = &ask.facts.interactions;
    let mut durations = Durations::new(ask);
    let cutter = scan_each(ask, Way::Contacts, |cell, row| {
        if let Some(time) = contacts.handling(row) {
            durations.add(cell, time);
            tell(ask, row, [("handled", true)], Worth::Time(time));
        }
    })?;
    Ok(durations.figures(ask, &cutter, "handled", None))
}

/// How often customers came by.
pub(crate) fn visits(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let is_visit = is_visit(&ask.facts.interactions);
    let mut grid = Grid::<u64>::new(ask.periods.len());
    let cutter = scan_each(ask, Way::Contacts, |cell, row| {
        let is_visit = is_visit(row);
        *grid.at(cell) += u64::from(is_visit);
        tell(ask, row, [("visits", is_visit)], Worth::None);
    })?;
    Ok(ask.figures(&cutter, &grid, |visits| Measured::count(*visits, *visits, [("visits", *visits)])))
}

/// Which contacts are visits.
pub(super) fn is_visit(contacts: &Interactions) -> impl Fn(u32) -> bool {
    let is_visited = among(&contacts.channel, VISITED);
    move |row| {
        let visited = is_one_of(&contacts.channel, row, &is_visited) || has(&contacts.landing_page, row);
        visited && contacts.is_inbound(row)
    }
}

/// How many of those whom the company turned to answered.
pub(crate) fn conversion_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    share_of_outbound(ask, ANSWERED, "answered")
}

/// How many of those whom the company turned to took what was offered.
pub(crate) fn offer_conversion_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    share_of_outbound(ask, CONVERTED, "converted")
}

/// How many of the messages that were sent were opened.
pub(crate) fn open_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    share_of_outbound(ask, OPENED, "opened")
}

/// How many of those whom the company turned to want no more of it.
pub(crate) fn unsubscribe_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    share_of_outbound(ask, UNSUBSCRIBED, "unsubscribed")
}

/// The share of outbound contacts of which one of these came.
fn share_of_outbound(ask: &Ask<'_>, outcomes: &[&str], name: &'static str) -> Result<Vec<Figure>, Error> {
    let contacts = &ask.facts.interactions;
    let is_hit = among(&contacts.outcome, outcomes);
    let mut grid = Grid::<[u64; 2]>::new(ask.periods.len());
    let cutter = scan_each(ask, Way::Contacts, |cell, row| {
        if contacts.is_outbound(row) {
            let [hits, all] = grid.at(cell);
            let is_hit = is_one_of(&contacts.outcome, row, &is_hit);
            *hits += u64::from(is_hit);
            *all += 1;
            tell(ask, row, [(name, is_hit), ("contacts", true)], Worth::None);
        }
    })?;
    Ok(ask.figures(&cutter, &grid, |[hits, all]| {
        let tally = ProportionTally::of_counts(*hits, all - hits);
        Measured::share(&tally, ask.query.parameters.level, [(name, *hits), ("contacts", *all)])
    }))
}

fn tell<const N: usize>(ask: &Ask<'_>, row: u32, counts: [(&'static str, bool); N], worth: Worth) {
    let at = ask.facts.interactions.times.at(row as usize);
    ask.tell(Kind::Interaction, row, at, &counts.map(|(name, adds)| (name, f64::from(adds))), worth);
}

/// For each code of a column whether it is one of these words.
fn among(column: &Column, words: &[&str]) -> Vec<bool> {
    let codes = 0..u32::try_from(column.dictionary.len()).unwrap_or(u32::MAX);
    codes.map(|code| words.contains(&column.dictionary.text(code))).collect()
}

fn is_one_of(column: &Column, row: u32, among: &[bool]) -> bool {
    column.codes().get(row as usize).is_some_and(|code| among.get(*code as usize) == Some(&true))
}

fn has(column: &Column, row: u32) -> bool {
    column.codes().get(row as usize).is_some_and(|code| *code != crate::columns::dictionary::EMPTY)
}
