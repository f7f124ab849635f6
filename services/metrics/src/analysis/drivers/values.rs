//! What drivers were when an answer was given: whole numbers of their smallest units.

use std::ops::Range;

use barometer_proto::metrics::v1::DriverFact;

use super::Driver;
use crate::{
    analysis::{
        answered::Answered,
        by_person::{self, Instants},
    },
    columns::{Facts, by_person::ByPerson, dictionary::EMPTY, people::NOBODY, redresses::NO_CASE, times::NEVER},
    fold::Source,
    measures::customers::known,
    rules::{course::open_stretches, on_time::Outcome},
};

/// Microseconds of a second, and millionths of anything else.
const MILLION: f64 = 1e6;
/// The largest number that a dimension may be, in millionths.
const MAX_NUMBER: i64 = 1_000_000_000_000_000;

/// The values of a driver.
pub(super) struct Values<'f> {
    found: Found<'f>,
    unit: f64,
}

enum Found<'f> {
    /// How often something happened, by when it did.
    Count(Instants<'f>),
    /// What it came to.
    Sum(ByPerson<(i64, i64)>),
    /// What it came to on average.
    Mean(ByPerson<(i64, i64)>),
    /// How long it took until it ended, on average: what ended by the answer.
    Lengths(ByPerson<(i64, i64)>),
    /// How long ago it was; [`NEVER`] of those whose it never was.
    Since(Vec<i64>),
    /// By code of the answer's dimension.
    Dimension { codes: &'f [u32], numbers: Vec<Option<i64>> },
}

/// Whether a fact comes from a source.
pub(super) fn reads_of(fact: DriverFact, source: Source) -> bool {
    match source {
        Source::Customers | Source::Surveys => true,
        Source::Complaints => match fact {
            DriverFact::FirstResponse
            | DriverFact::HandOffs
            | DriverFact::Reopenings
            | DriverFact::BrokenPromises
            | DriverFact::Complaints
            | DriverFact::Redresses => true,
            DriverFact::Unspecified
            | DriverFact::LatePayments
            | DriverFact::Contacts
            | DriverFact::HandlingTime
            | DriverFact::Purchases
            | DriverFact::Spend
            | DriverFact::Tenure => false,
        },
    }
}

impl<'f> Values<'f> {
    /// Of all people. Spend is of one currency.
    pub(super) fn new(driver: &Driver, facts: &'f Facts, currency: &str, now: i64) -> Self {
        match driver {
            Driver::Fact(fact) => Self::of_fact(*fact, facts, currency, now),
            Driver::Dimension(name) => {
                let column = facts.responses.declared.find(name);
                let numbers = column.map(|column| {
                    let codes = 0..u32::try_from(column.dictionary.len()).unwrap_or(u32::MAX);
                    codes.map(|code| number(column.dictionary.text(code))).collect()
                });
                let codes = column.map_or(&[][..], |column| column.codes());
                Values { found: Found::Dimension { codes, numbers: numbers.unwrap_or_default() }, unit: MILLION }
            }
        }
    }

    fn of_fact(fact: DriverFact, facts: &'f Facts, currency: &str, now: i64) -> Self {
        let Facts { cases, purchases, interactions, promises, .. } = facts;
        let people = facts.people.len();
        let case_of = |case: u32| (case, cases.customers[case as usize]);
        let there = || (0..cases.len()).filter(|case| cases.is_there(*case)).map(case_of);
        let of_instants = |found: Instants<'f>| Values { found: Found::Count(found), unit: 1.0 };
        let count = |found: ByPerson<i64>| of_instants(found.into());
        match fact {
            DriverFact::Unspecified => count(ByPerson::new(people, std::iter::empty)),
            DriverFact::FirstResponse => {
                let answered = || {
                    there().filter_map(|(case, person)| {
                        Some((person, (cases.times.at(case as usize), cases.first_response(case)?)))
                    })
                };
                Values { found: Found::Lengths(ByPerson::new(people, answered)), unit: MILLION }
            }
            DriverFact::HandOffs => count(ByPerson::new(people, || {
                let hand_offs = cases.hand_offs.cases.iter().enumerate();
                let of_cases = hand_offs.filter(|(_, case)| cases.is_there(**case));
                of_cases.map(|(row, case)| (case_of(*case).1, cases.hand_offs.times.at(row)))
            })),
            DriverFact::Reopenings => count(ByPerson::new(people, || {
                there().flat_map(|(case, person)| {
                    let stretches = open_stretches(cases.times.at(case as usize), cases.turns.of(case));
                    stretches.skip(1).map(move |stretch| (person, stretch.start))
                })
            })),
            DriverFact::BrokenPromises => count(ByPerson::new(people, || {
                let all = (0..).zip(&promises.customers);
                let broken =
                    all.filter(|(row, _)| promises.is_there(*row) && promises.outcome(*row, now) == Outcome::Late);
                broken.map(|(row, person)| (*person, promises.times.at(row as usize)))
            })),
            DriverFact::Complaints => of_instants(by_person::complaints(facts, now)),
            DriverFact::LatePayments => count(ByPerson::new(people, || purchases.late_payments())),
            DriverFact::Contacts => count(ByPerson::new(people, || {
                let inbound = interactions.rows().filter(|row| interactions.is_inbound(*row));
                inbound.map(|row| (interactions.customers[row as usize], interactions.times.at(row as usize)))
            })),
            DriverFact::HandlingTime => {
                let handled = || {
                    interactions.rows().filter_map(|row| {
                        let index = row as usize;
                        Some((
                            interactions.customers[index],
                            (interactions.times.at(index), interactions.handling(row)?),
                        ))
                    })
                };
                Values { found: Found::Mean(ByPerson::new(people, handled)), unit: MILLION }
            }
            DriverFact::Redresses => count(ByPerson::new(people, || {
                let all = cases.redresses.cases.iter().filter(|case| **case != NO_CASE && cases.is_there(**case));
                all.filter_map(|case| Some((case_of(*case).1, cases.first_resolve(*case)?)))
            })),
            DriverFact::Purchases => of_instants(by_person::sales(facts, now)),
            DriverFact::Spend => {
                let wanted = purchases.currency.dictionary.find(currency);
                let codes = purchases.currency.codes();
                let spent = || {
                    let all = purchases.customers.iter().zip(codes).enumerate();
                    let of_currency = all.filter(|(_, (_, code))| Some(**code) == wanted);
                    of_currency.map(|(row, (person, _))| (*person, (purchases.times.at(row), purchases.amounts[row])))
                };
                Values { found: Found::Sum(ByPerson::new(people, spent)), unit: MILLION }
            }
            DriverFact::Tenure => {
                let mut since = vec![NEVER; people];
                for (_, person, at) in known::instants(facts) {
                    if let Some(since) = since.get_mut(person as usize) {
                        *since = at;
                    }
                }
                Values { found: Found::Since(since), unit: 86_400.0 * MILLION }
            }
        }
    }

    /// The value for an answer of somebody, of what happened in the time before it; `None` where it is not known.
    pub(super) fn of(&self, answer: &Answered, window: i64) -> Option<i64> {
        let Answered { person, at, row, .. } = *answer;
        debug_assert_ne!(person, NOBODY);
        let time = at.saturating_sub(window)..at;
        match &self.found {
            Found::Count(instants) => {
                let instants = instants.of(person);
                let before = |end: i64| instants.partition_point(|instant| *instant < end);
                i64::try_from(before(time.end) - before(time.start)).ok()
            }
            Found::Sum(things) => {
                Some(within(things, person, time).iter().fold(0, |sum, (_, thing)| sum.saturating_add(*thing)))
            }
            Found::Mean(things) => mean(within(things, person, time).iter().map(|(_, thing)| *thing)),
            Found::Lengths(spans) => {
                let ended = within(spans, person, time).iter().filter(|(_, end)| *end < at);
                mean(ended.map(|(start, end)| (end - start).max(0)))
            }
            Found::Since(since) => {
                since.get(person as usize).filter(|since| **since != NEVER && **since <= at).map(|since| at - since)
            }
            Found::Dimension { codes, numbers } => {
                let code = codes.get(row as usize).copied().unwrap_or(EMPTY);
                numbers.get(code as usize).copied().flatten()
            }
        }
    }

    /// By what values are divided to be told.
    pub(super) fn unit(&self) -> f64 {
        self.unit
    }
}

/// Those of a customer's things that happened in a time.
fn within(things: &ByPerson<(i64, i64)>, person: u32, time: Range<i64>) -> &[(i64, i64)] {
    let things = things.of(person);
    let before = |end: i64| things.partition_point(|(at, _)| *at < end);
    &things[before(time.start)..before(time.end)]
}

/// The whole part of the mean: of microseconds nobody misses the rest.
fn mean(values: impl Iterator<Item = i64>) -> Option<i64> {
    let (count, sum) = values.fold((0, 0), |(count, sum), value| (count + 1, sum + i128::from(value)));
    (count > 0).then(|| i64::try_from(sum / count).ok()).flatten()
}

/// A decimal number in millionths.
fn number(text: &str) -> Option<i64> {
    const DECIMALS: usize = 6;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !are_digits(decimals) || decimals.len() > DECIMALS {
        return None;
    }
    let millionths: i64 = format!("{whole}{decimals:0<DECIMALS$}").parse().ok()?;
    (millionths <= MAX_NUMBER).then_some(if negative { -millionths } else { millionths })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal() {
        for (text, millionths) in
            [("0", 0), ("12", 12_000_000), ("-1.5", -1_500_000), ("0.000001", 1), ("007.10", 7_100_000)]
        {
            assert_eq!(number(text), Some(millionths), "{text}");
        }
        assert_eq!((number("1000000000"), number("1000000000.1")), (Some(MAX_NUMBER), None));
        for text in ["", "-", ".5", "5.", "1,5", "1e3", "+1", " 1", "0.0000001", "NaN", "９", "99999999999999999999"] {
            assert_eq!(number(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_mean_of_nothing_is_not_known() {
        assert_eq!(
            (mean([].into_iter()), mean([1, 2].into_iter()), mean([i64::MAX; 3].into_iter())),
            (None, Some(1), Some(i64::MAX))
        );
    }
}
