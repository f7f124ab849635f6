//! Key drivers: what the scores of answers go with.

mod sums;
mod values;

use std::collections::BTreeSet;

use barometer_chassis::{clock::Micros, door::Door, error::Error};
use barometer_proto::metrics::v1::{self as wire, DriverFact, KeyDriversState, driver};
use barometer_statistics::drivers::Drivers;

use self::{
    sums::Sums,
    values::{Values, reads_of},
};
use super::{
    MAX_GROUP_BY,
    answered::{Answered, answers, apart},
    scope::Scope,
};
use crate::{
    columns::{Facts, people::NOBODY, times::EVER},
    fold::Source,
    query::{Name, Table, Vocabulary, Zones, cut::Cutter, parse_group_by},
    rules::scale::Scale,
};

const MAX_DRIVERS: usize = barometer_statistics::drivers::MAX_SHAPLEY;
const MAX_DAYS: i32 = 3_650;
const USUAL_DAYS: i64 = 90;
const MAX_GROUPS: usize = 500;
/// Subsets of drivers that are tried for Shapley's value, of all groups: some three seconds of one core.
const MAX_SUBSETS: usize = 1 << 21;
const MAX_NAME: usize = 63;
const CURRENCY: usize = 3;

/// What is asked, checked.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) scope: Scope,
    scale: Scale,
    pub(crate) drivers: Vec<Driver>,
    /// In microseconds.
    window: i64,
    currency: String,
    method: Method,
    group_by: Vec<String>,
    /// Nothing is told of fewer answers.
    minimum_sample: u64,
}

/// What a score may go with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Driver {
    Fact(DriverFact),
    Dimension(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    RelativeWeights,
    Shapley,
}

/// What the scores of a group go with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeyDrivers {
    pub(crate) group: Name,
    pub(crate) state: KeyDriversState,
    pub(crate) answers: u64,
    pub(crate) anonymous: u64,
    pub(crate) complete: u64,
    pub(crate) outcome_mean: Option<f64>,
    pub(crate) r_squared: Option<f64>,
    pub(crate) rank: usize,
    /// In the order in which they were asked for.
    pub(crate) shares: Vec<Share>,
}

/// What a driver has to do with the outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Share {
    /// Unspecified where it was not looked at.
    pub(crate) state: wire::DriverState,
    pub(crate) share: Option<f64>,
    pub(crate) correlation: Option<f64>,
    pub(crate) mean: Option<f64>,
    pub(crate) missing: u64,
}

/// Parses a request, which is asked now.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn parse(
    request: wire::QueryDriversRequest,
    vocabulary: &Vocabulary,
    zones: &Zones,
    minimum_sample: u64,
) -> Result<Ask, Error> {
    Door::open(|door| {
        let wire::QueryDriversRequest { scope, outcome, drivers, window_days, currency, method, group_by } = request;
        let (scale, name) = match door.optional_choice("outcome", outcome) {
            wire::Outcome::Unspecified | wire::Outcome::Nps => (Scale::Nps, "nps"),
            wire::Outcome::Csat => (Scale::Csat, "csat"),
            wire::Outcome::Ces => (Scale::Ces, "ces"),
        };
        let drivers = parse_drivers(door, drivers);
        let spends = drivers.contains(&Driver::Fact(DriverFact::Spend));
        let is_code = currency.len() == CURRENCY && currency.bytes().all(|letter| letter.is_ascii_uppercase());
        if spends && currency.is_empty() {
            door.missing("currency");
        } else if !spends && !currency.is_empty() {
            door.refuse("currency", "NOT_TOGETHER", "goes with SPEND only");
        } else if spends && !is_code {
            door.refuse("currency", "NOT_A_CURRENCY", "is not an ISO code such as `EUR`");
        }
        if !(0..=MAX_DAYS).contains(&window_days) {
            door.refuse("window_days", "OUT_OF_RANGE", format!("must be from 0 to {MAX_DAYS}"));
        }
        let window = Some(i64::from(window_days)).filter(|days| *days > 0).unwrap_or(USUAL_DAYS) * Micros::DAY;
        let method = match door.optional_choice("method", method) {
            wire::DriverMethod::Unspecified | wire::DriverMethod::RelativeWeights => Method::RelativeWeights,
            wire::DriverMethod::Shapley => Method::Shapley,
        };
        let of = (Table::Responses, name);
        let group_by = parse_group_by(door, group_by, MAX_GROUP_BY, &[of], vocabulary);
        let scope = Scope::parse(door, scope, of, vocabulary, zones);
        scope.map(|scope| {
            let group_by = apart(group_by, &scope.filters);
            Ask { scope, scale, drivers, window, currency, method, group_by, minimum_sample }
        })
    })?
    .ok_or_else(|| Error::Internal("there is no reporting zone".to_owned()))
}

fn parse_drivers(door: &mut Door, drivers: Vec<wire::Driver>) -> Vec<Driver> {
    if drivers.is_empty() {
        door.missing("drivers");
    }
    let mut seen = BTreeSet::new();
    let drivers = door.each("drivers", drivers, MAX_DRIVERS, |door, wire::Driver { driver }| {
        let driver = match driver {
            None => {
                door.missing("");
                return None;
            }
            Some(driver::Driver::Fact(fact)) => Driver::Fact(door.choice("fact", fact)),
            Some(driver::Driver::Dimension(name)) => Driver::Dimension(door.required_text("dimension", name, MAX_NAME)),
        };
        if !seen.insert(driver.clone()) {
            door.refuse("", "REPEATED", "is named again");
        }
        Some(driver)
    });
    drivers.into_iter().flatten().collect()
}

impl Ask {
    /// Whether it is made of facts of a source.
    pub(crate) fn reads(&self, source: Source) -> bool {
        let of_facts = self.drivers.iter().any(|driver| match driver {
            Driver::Fact(fact) => reads_of(*fact, source),
            Driver::Dimension(_) => false,
        });
        of_facts || matches!(source, Source::Customers | Source::Surveys)
    }

    /// Looks at every answer and at what came before it.
    ///
    /// Errors: INVALID when there are too many groups, or too many for so many drivers.
    pub(crate) fn run(&self, facts: &Facts) -> Result<Vec<KeyDrivers>, Error> {
        let mut cutter = Cutter::new(facts, Table::Responses, &self.scope.filters, &self.group_by, MAX_GROUPS);
        let all = answers(facts, self.scale, &self.scope.range(EVER), &mut cutter)?;
        if self.method == Method::Shapley {
            check_subsets(cutter.groups(), self.drivers.len())?;
        }
        let values: Vec<Values<'_>> =
            self.drivers.iter().map(|driver| Values::new(driver, facts, &self.currency, self.scope.now)).collect();
        let mut told: Vec<KeyDrivers> = all
            .chunk_by(|a, b| a.group == b.group)
            .map(|of_group| self.of_group(cutter.name(of_group[0].group), facts, &values, of_group))
            .collect();
        told.sort_unstable_by(|a, b| a.group.cmp(&b.group));
        Ok(told)
    }

    fn of_group(&self, group: Name, facts: &Facts, values: &[Values<'_>], all: &[Answered]) -> KeyDrivers {
        let mut missing = vec![0; values.len()];
        let (mut anonymous, mut sums) = (0, Sums::new(values.len() + 1));
        let mut row = Vec::with_capacity(values.len() + 1);
        for answer in all {
            if answer.person == NOBODY {
                anonymous += 1;
                continue;
            }
            row.clear();
            for (of_driver, missing) in values.iter().zip(&mut missing) {
                match of_driver.of(answer, self.window) {
                    Some(value) => row.push(value),
                    None => *missing += 1,
                }
            }
            if row.len() == values.len() {
                row.push(i64::from(facts.responses.scores[answer.row as usize]));
                sums.add(&row);
            }
        }
        let outcome = values.len();
        let is_few = sums.count() < self.minimum_sample;
        let mean = |index: usize, unit: f64| sums.mean(index).filter(|_| !is_few).map(|mean| mean / unit);
        let shares = values.iter().zip(missing).enumerate();
        let mut told = KeyDrivers {
            group,
            state: KeyDriversState::Suppressed,
            answers: all.len() as u64,
            anonymous,
            complete: sums.count(),
            outcome_mean: mean(outcome, 1.0),
            r_squared: None,
            rank: 0,
            shares: shares
                .map(|(index, (of, missing))| Share { mean: mean(index, of.unit()), missing, ..Share::default() })
                .collect(),
        };
        if !is_few {
            self.explain(&sums, &mut told);
        }
        told
    }

    /// Divides R², if there is one.
    fn explain(&self, sums: &Sums, told: &mut KeyDrivers) {
        let outcome = told.shares.len();
        let Some(correlations) = sums.correlations() else {
            told.state = KeyDriversState::OutOfRange;
            return;
        };
        let spreads = |index: usize| correlations[index][index] != 0.0;
        if sums.count() < outcome as u64 + 2 {
            told.state = KeyDriversState::TooFew;
            return;
        }
        let mark = |told: &mut KeyDrivers, state: &dyn Fn(usize) -> wire::DriverState| {
            (0..).zip(&mut told.shares).for_each(|(index, share)| share.state = state(index));
        };
        let by_spread = |index: usize| if spreads(index) { wire::DriverState::Ok } else { wire::DriverState::NoSpread };
        mark(told, &by_spread);
        if !spreads(outcome) {
            told.state = KeyDriversState::NoSpread;
            return;
        }
        let among: Vec<Vec<f64>> = correlations[..outcome].iter().map(|row| row[..outcome].to_vec()).collect();
        let with_outcome = &correlations[outcome][..outcome];
        let Ok(drivers) = Drivers::of_correlations(sums.count(), &among, with_outcome) else {
            told.state = KeyDriversState::OutOfRange;
            return;
        };
        let divided = match self.method {
            Method::RelativeWeights => drivers.relative_weights(),
            // There are no more than can be tried.
            Method::Shapley => drivers.shapley().unwrap_or_default(),
        };
        told.state = KeyDriversState::Ok;
        (told.r_squared, told.rank) = (Some(drivers.r_squared()), drivers.rank());
        for (index, (share, part)) in told.shares.iter_mut().zip(divided).enumerate() {
            (share.share, share.correlation) = (Some(part), Some(with_outcome[index]).filter(|_| spreads(index)));
            if spreads(index) && drivers.is_redundant(index) {
                share.state = wire::DriverState::Redundant;
            }
        }
    }
}

/// Errors: INVALID when dividing R² by every subset would take too long.
fn check_subsets(groups: usize, drivers: usize) -> Result<(), Error> {
    let most = MAX_SUBSETS >> drivers;
    if groups <= most {
        return Ok(());
    }
    let told =
        format!("Shapley's value of {drivers} drivers is computed for at most {most} groups, and there are {groups}");
    Err(Error::invalid("group_by", "TOO_MANY", told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_groups_go_with_few_drivers() {
        for (groups, drivers) in [(MAX_GROUPS, 12), (64, MAX_DRIVERS), (0, MAX_DRIVERS)] {
            assert!(check_subsets(groups, drivers).is_ok(), "{groups} groups of {drivers}");
        }
        for (groups, drivers) in [(MAX_GROUPS, 13), (65, MAX_DRIVERS)] {
            assert!(matches!(check_subsets(groups, drivers), Err(Error::Invalid(_))), "{groups} groups of {drivers}");
        }
    }
}
