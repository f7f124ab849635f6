//! Figures of invitations, by when they were sent.

use std::collections::BTreeMap;

use barometer_chassis::error::Error;
use barometer_statistics::disposition::{Outcome, Outcomes};

use crate::{
    columns::{Facts, invitations::NO_INVITATION, responses::NO_SCORE, times::NEVER},
    query::{
        Ask,
        figures::{Figure, Grid, Measured},
        scan::{Way, scan_each},
        told::{Kind, Worth},
    },
    rules::proportion::ProportionTally,
};

/// Who was asked.
pub(crate) fn invitations(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let invitations = &ask.facts.invitations;
    let mut grid = Grid::<[u64; 2]>::new(ask.periods.len());
    let cutter = scan_each(ask, Way::Invitations, |cell, row| {
        let [invited, reminded] = grid.at(cell);
        *invited += 1;
        *reminded += u64::from(invitations.was_reminded(row));
        let counts = [("invited", 1.0), ("reminded", f64::from(invitations.was_reminded(row)))];
        ask.tell(Kind::Invitation, row, invitations.times.at(row as usize), &counts, Worth::None);
    })?;
    Ok(ask.figures(&cutter, &grid, |[invited, reminded]| {
        Measured::count(*invited, *invited, [("invited", *invited), ("reminded", *reminded)])
    }))
}

/// Which share responded, by the definition asked for.
pub(crate) fn response_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    share(ask, |outcomes| outcomes.responded(ask.query.parameters.response_rate))
}

/// Which share of those who began came to the end.
pub(crate) fn completion_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    share(ask, Outcomes::completed)
}

/// A share of invitations with what came of all of them: how many did, of how many.
fn share(ask: &Ask<'_>, of: impl Fn(&Outcomes) -> (u64, u64)) -> Result<Vec<Figure>, Error> {
    let invitations = &ask.facts.invitations;
    let answers = first_answers(ask.facts);
    let mut grid = Grid::<Outcomes>::new(ask.periods.len());
    let cutter = scan_each(ask, Way::Invitations, |cell, row| {
        let answer = answers.get(&invitations.numbers[row as usize]).map(|(_, outcome)| *outcome);
        let outcome = invitations.known(row, answer, ask.query.now).outcome();
        grid.at(cell).add(outcome);
        ask.tell(Kind::Invitation, row, invitations.times.at(row as usize), &[(name(outcome), 1.0)], Worth::None);
    })?;
    Ok(ask.figures(&cutter, &grid, |outcomes| {
        let (hits, size) = of(outcomes);
        let Outcomes { pending, complete, partial, refusal, non_contact, other, unknown, not_eligible } = *outcomes;
        let counts = [
            (name(Outcome::Complete), complete),
            (name(Outcome::Partial), partial),
            (name(Outcome::Refusal), refusal),
            (name(Outcome::NonContact), non_contact),
            (name(Outcome::Other), other),
            (name(Outcome::Unknown), unknown),
            (name(Outcome::Pending), pending),
            (name(Outcome::NotEligible), not_eligible),
        ];
        Measured::share(&ProportionTally::of_counts(hits, size - hits), ask.query.parameters.level, counts)
    }))
}

/// The count of an outcome.
fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Complete => "complete",
        Outcome::Partial => "partial",
        Outcome::Refusal => "refusal",
        Outcome::NonContact => "non_contact",
        Outcome::Other => "other",
        Outcome::Unknown => "unknown",
        Outcome::Pending => "pending",
        Outcome::NotEligible => "not_eligible",
    }
}

/// What each invitation was answered first, by its number: by when it was answered, and by which was recorded first among those of
/// one instant.
fn first_answers(facts: &Facts) -> BTreeMap<u32, ((i64, i64), Outcome)> {
    let responses = &facts.responses;
    let mut first = BTreeMap::new();
    for (row, invitation) in responses.invitations().iter().enumerate().filter(|(_, of)| **of != NO_INVITATION) {
        let at = responses.times.at(row);
        if at == NEVER {
            continue;
        }
        let answer = match responses.scores[row] {
            NO_SCORE if responses.is_broken_off(row) => Outcome::Partial,
            NO_SCORE => Outcome::Refusal,
            _ => Outcome::Complete,
        };
        let answer = ((at, responses.rows.number(row)), answer);
        let known = first.entry(*invitation).or_insert(answer);
        if answer.0 < known.0 {
            *known = answer;
        }
    }
    first
}
