//! What a contact is reckoned at: the rate that holds for its channel and its team.

use std::collections::BTreeMap;

/// A rate, which holds from an instant on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// From when on, in microseconds.
    pub from: i64,
    /// Until when, excluded; `None` of one that holds until the next of the same channel and team begins.
    pub until: Option<i64>,
    /// The code of its currency.
    pub currency: u32,
    /// Micro-units (1e-6) of the currency.
    pub micros: i64,
}

/// The channel and the team that a rate is for, each by its code; 0 is any.
pub type Scope = (u32, u32);

/// Rates of one kind by what they are for.
#[derive(Debug, Clone, Default)]
pub struct RateBook {
    of_scopes: BTreeMap<Scope, Vec<Held>>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    rate: Rate,
    until: i64,
    /// The latest end of this rate and of those before it.
    latest: i64,
}

impl RateBook {
    /// Of these rates, each with the number by which it was recorded: of several that begin at the same instant the last one
    /// counts.
    pub fn new(rates: impl IntoIterator<Item = (Scope, i64, Rate)>) -> Self {
        let mut by_scope: BTreeMap<Scope, Vec<(i64, Rate)>> = BTreeMap::new();
        for (scope, number, rate) in rates {
            by_scope.entry(scope).or_default().push((number, rate));
        }
        let of_scopes = by_scope.into_iter().map(|(scope, mut rates)| {
            rates.sort_unstable_by_key(|(number, rate)| (rate.from, *number));
            let mut latest = i64::MIN;
            let held = rates.iter().enumerate().map(|(index, (_, rate))| {
                let next = rates[index..].iter().map(|(_, next)| next.from).find(|from| *from > rate.from);
                let until = rate.until.or(next).unwrap_or(i64::MAX);
                latest = latest.max(until);
                Held { rate: *rate, until, latest }
            });
            (scope, held.collect())
        });
        RateBook { of_scopes: of_scopes.collect() }
    }

    /// The rate of a contact: one that names its channel and its team, else its channel, else its team, else neither; of
    /// several of these that hold, the one that began last.
    pub fn at(&self, (channel, team): Scope, at: i64) -> Option<Rate> {
        [(channel, team), (channel, 0), (0, team), (0, 0)].into_iter().find_map(|scope| {
            let rates = self.of_scopes.get(&scope)?;
            let begun = rates[..rates.partition_point(|held| held.rate.from <= at)].iter().rev();
            let held = begun.take_while(|held| held.latest > at).find(|held| held.until > at)?;
            Some(held.rate)
        })
    }
}

/// What a time comes to at so many micro-units an hour, to the nearest micro-unit.
pub fn of_hours(per_hour: i64, micros: i64) -> i128 {
    const HOUR: i128 = 3_600_000_000;
    (i128::from(per_hour) * i128::from(micros) + HOUR / 2).div_euclid(HOUR)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(from: i64, until: Option<i64>, micros: i64) -> Rate {
        Rate { from, until, currency: 1, micros }
    }

    #[test]
    fn the_rate_that_says_most_of_the_contact_counts() {
        let all = [((0, 0), 1), ((2, 0), 2), ((0, 3), 3), ((2, 3), 4)];
        let book = RateBook::new(all.map(|(scope, micros)| (scope, micros, rate(0, None, micros))));
        let found = |scope| book.at(scope, 5).map(|rate| rate.micros);
        assert_eq!([(2, 3), (2, 9), (9, 3), (9, 9), (0, 0)].map(found), [4, 2, 3, 1, 1].map(Some));
        assert_eq!(book.at((2, 3), -1), None);
    }

    #[test]
    fn a_rate_holds_until_it_ends_or_the_next_begins() {
        let all =
            [rate(0, None, 1), rate(10, Some(20), 2), rate(15, None, 3), rate(15, None, 4), rate(30, Some(40), 5)];
        let book = RateBook::new((1..).zip(all).map(|(number, rate)| ((0, 0), number, rate)));
        let found = |at| book.at((7, 7), at).map(|rate| rate.micros);
        assert_eq!([0, 9, 10, 14, 15, 19, 20, 29, 30].map(found), [1, 1, 2, 2, 4, 4, 4, 4, 5].map(Some));
        assert_eq!((found(-1), found(40)), (None, None));
    }

    #[test]
    fn hours_are_reckoned_to_the_micro_unit() {
        assert_eq!(of_hours(30_000_000, 600_000_000), 5_000_000);
        assert_eq!((of_hours(1, 1_799_999_999), of_hours(1, 1_800_000_000), of_hours(0, 5)), (0, 1, 0));
        assert!(of_hours(i64::MAX, i64::MAX) > 0);
    }

    proptest! {
        #[test]
        fn the_rate_is_the_one_that_a_plain_search_finds(
            rates in prop::collection::vec((0_u32..2, 0_u32..2, 0_i64..20, prop::option::of(1_i64..15)), 0..15),
            scope in (0_u32..3, 0_u32..3), at in -2_i64..30,
        ) {
            let rates: Vec<_> = (1..).zip(rates).map(|(number, (channel, team, from, length))| {
                ((channel, team), number, rate(from, length.map(|length| from + length), number))
            }).collect();
            let holds = |(of, _, rate): &&(Scope, i64, Rate)| {
                let later = rates.iter().filter(|(other, _, next)| other == of && next.from > rate.from);
                let replaced = later.map(|(_, _, next)| next.from).min().is_some_and(|next| next <= at);
                rate.from <= at && rate.until.map_or(!replaced, |until| at < until)
            };
            let (channel, team) = scope;
            let plain = [(channel, team), (channel, 0), (0, team), (0, 0)].into_iter().find_map(|wanted| {
                let of_scope = rates.iter().filter(|(scope, _, _)| *scope == wanted).filter(holds);
                of_scope.max_by_key(|(_, number, rate)| (rate.from, *number)).map(|(_, _, rate)| *rate)
            });
            prop_assert_eq!(RateBook::new(rates.iter().copied()).at(scope, at), plain);
        }
    }
}
