//! What customers went for: how many for which reason, while others went for others.

use barometer_statistics::{
    Interval, Level,
    survival::{AalenJohansen, Competing, Incidence, Observation},
};

use super::survival::thinned;
use crate::columns::{Facts, dictionary::EMPTY};

/// The most groups and reasons, together.
pub(super) const MOST: usize = 50;

/// How many went for a reason; empty when none was given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OfReason {
    pub(crate) reason: String,
    pub(crate) events: u64,
    pub(crate) steps: Vec<Rise>,
}

/// Where the share of those who went for it rises; the time in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rise {
    pub(crate) time: u64,
    pub(crate) events: u64,
    pub(crate) share: f64,
    pub(crate) interval: Option<Interval>,
}

/// The reason of the subscriptions of a customer that ended at an instant, by its code: of several the first by name, none at
/// last. `ends` are all of the customer's, with their rows.
pub(super) fn at(facts: &Facts, ends: &[(i64, u32)], at: i64) -> u32 {
    let reasons = &facts.subscriptions.reason;
    let first = ends.partition_point(|(end, _)| *end < at);
    let codes = ends[first..].iter().take_while(|(end, _)| *end == at);
    let codes = codes.map(|(_, row)| reasons.codes().get(*row as usize).copied().unwrap_or(EMPTY));
    codes.min_by_key(|code| (*code == EMPTY, reasons.dictionary.text(*code))).unwrap_or(EMPTY)
}

/// The reasons for which somebody went, by their codes.
pub(super) fn of_events(watched: &[Observation], codes: &[u32]) -> Vec<u32> {
    let events = watched.iter().zip(codes).filter(|(seen, _)| seen.is_event());
    let mut reasons: Vec<_> = events.map(|(_, code)| *code).collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

/// Of each reason how many went for it. Of each who is watched there is the code of the reason; without any, nothing is told.
pub(super) fn tell(facts: &Facts, watched: &[Observation], codes: &[u32], until: u64, level: Level) -> Vec<OfReason> {
    let text = |code: u32| facts.subscriptions.reason.dictionary.text(code);
    let mut reasons = of_events(watched, codes);
    reasons.sort_by_key(|code| (*code == EMPTY, text(*code)));
    let cause = |code: &u32| reasons.iter().position(|other| other == code).unwrap_or(reasons.len());
    let competing: Vec<_> =
        watched.iter().zip(codes).map(|(seen, code)| Competing { seen: *seen, cause: cause(code) }).collect();
    let Some(found) = AalenJohansen::of(&competing, reasons.len()) else { return Vec::new() };
    let told = reasons.iter().enumerate().map(|(cause, code)| {
        let steps = found.of_cause(cause);
        let rise = |steps: &[Incidence]| {
            let last = steps.last()?;
            let events = steps.iter().map(|step| step.events).sum();
            Some(Rise { time: last.time, events, share: last.share, interval: last.interval(level) })
        };
        OfReason {
            reason: text(*code).to_owned(),
            events: steps.iter().map(|step| step.events).sum(),
            steps: thinned(steps, until, |step| step.time).filter_map(rise).collect(),
        }
    });
    told.filter(|of| of.events > 0).collect()
}
