//! Analyses: what is no figure by period and group, and what is said of figures beyond their value.
//!
//! Cohorts and curves go customer by customer: when it began, and what it did, or was, afterwards. Moves, states and journeys go
//! by the answers of each customer, one after the other; drivers by what came before an answer. Comparisons and trends ask for
//! figures, whether they differ and where they go.

pub(crate) mod answered;
mod beginning;
pub(crate) mod by_person;
pub(crate) mod comparison;
pub(crate) mod drivers;
pub(crate) mod explanation;
mod histories;
pub(crate) mod journey;
pub(crate) mod moves;
pub(crate) mod reasons;
pub(crate) mod retention;
mod scope;
pub(crate) mod states;
pub(crate) mod survival;
pub(crate) mod transition;
pub(crate) mod trend;

use barometer_chassis::door::Door;
use barometer_statistics::{Level, discovery::adjusted_p_values};

/// The lowest and the highest level of intervals.
const LEVELS: std::ops::RangeInclusive<f64> = 0.5..=0.999;
/// Dimensions to group by.
const MAX_GROUP_BY: usize = 2;
/// Customers that are asked for by their ids.
const MAX_CUSTOMERS: usize = 1_000;

/// The level of intervals; 95 % when it is not said.
fn parse_level(door: &mut Door, level: f64) -> Level {
    if level == 0.0 {
        return Level::default();
    }
    let known = Some(level).filter(|level| LEVELS.contains(level)).and_then(Level::new);
    known.unwrap_or_else(|| {
        door.refuse("level", "OUT_OF_RANGE", "must be from 0.5 to 0.999");
        Level::default()
    })
}

/// The p-values of one family of tests, adjusted by the false discovery rate. Those that are missing are in no family.
fn adjusted(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let tested: Vec<f64> = p_values.iter().copied().flatten().collect();
    let mut adjusted = adjusted_p_values(&tested).unwrap_or_default().into_iter();
    p_values.iter().map(|p_value| p_value.and_then(|_| adjusted.next())).collect()
}
