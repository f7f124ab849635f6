//! Active, churned, inactive and repeat customers, by what they bought.
//!
//! Each rule looks at one customer and is given the instants of that customer's *sales*, ascending. Returns are not
//! sales and make nobody active; a sale of 0 is one. The answer is `None` for a customer whom the figure is not about,
//! and otherwise whether the customer counts; a [`ProportionTally`](super::proportion::ProportionTally) collects the
//! answers into a rate with its interval:
//!
//! ```
//! # use barometer_metrics::rules::{activity::*, proportion::ProportionTally};
//! # let (customers, day) = (vec![vec![0], vec![0, 3_000_000_000_000]], 86_400_000_000_i64);
//! let window = Window::days(30).expect("at least a day");
//! let churn: ProportionTally = customers.iter().filter_map(|sales| churned(sales, window, day..40 * day)).collect();
//! assert_eq!(churn.rate(), Some(50.0));
//! assert_eq!(churn.complement().rate(), Some(50.0)); // Retention.
//! ```

use std::ops::Range;

use super::zone::{DAY, LocalDays};

/// How long after a sale a customer stays active: N times 24 hours. N is part of the definition of every figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window(i64);

impl Window {
    /// A window of N times 24 hours; `None` for N = 0.
    pub fn days(n: u32) -> Option<Self> {
        (n > 0).then_some(Self(i64::from(n) * DAY))
    }

    /// The instants by whose sales a customer is active at `at`: from `at` − N·24 h on, before `at`.
    fn before(self, at: i64) -> Range<i64> {
        at.saturating_sub(self.0)..at
    }
}

/// What makes a second sale a repeat purchase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Basis {
    /// It is on another day of the reporting time zone.
    #[default]
    DistinctDays,
    /// It is another order, be it a minute later.
    Orders,
}

/// The sales that fall into a half-open range.
pub fn within(sales: &[i64], range: Range<i64>) -> &[i64] {
    let start = sales.partition_point(|sale| *sale < range.start);
    let length = sales[start..].partition_point(|sale| *sale < range.end);
    &sales[start..start + length]
}

/// Whether the customer is active at `at`: a sale in [`at` − N·24 h, `at`).
pub fn is_active(sales: &[i64], window: Window, at: i64) -> bool {
    !within(sales, window.before(at)).is_empty()
}

/// Churn over [start, end): of the customers active at its start, who is not active at its end. Retention is the
/// complement. `None` for a customer who is not active at the start.
pub fn churned(sales: &[i64], window: Window, period: Range<i64>) -> Option<bool> {
    is_active(sales, window, period.start).then(|| !is_active(sales, window, period.end))
}

/// Inactivity: of the buyers, whose last sale lies more than N·24 h before `at`. `None` for a customer without sales.
///
/// The sales given are those that are known. For the share as it stood at `at`, give those before it
/// (`within(sales, i64::MIN..at)`); in hindsight, with later sales given too, who has come back since is not inactive,
/// and who has only come since is a buyer.
pub fn inactive(sales: &[i64], window: Window, at: i64) -> Option<bool> {
    Some(*sales.last()? < window.before(at).start)
}

/// Repeat purchase: of the buyers, who bought a second time. `None` for a customer without sales.
pub fn repeated(sales: &[i64], basis: Basis, days: &LocalDays) -> Option<bool> {
    let (first, last) = (*sales.first()?, *sales.last()?);
    Some(match basis {
        Basis::DistinctDays => days.day(first) != days.day(last),
        Basis::Orders => sales.len() >= 2,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use barometer_statistics::churn::{ChurnDefinition, ChurnTally};
    use barometer_statistics::comparison::Proportion;
    use barometer_statistics::presence::Presence;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::rules::proportion::ProportionTally;

    const N: i64 = 90;

    fn window() -> Window {
        Window::days(90).expect("a window")
    }

    fn days(zone: &str) -> LocalDays {
        LocalDays::new(&TimeZone::get(zone).expect("a zone"))
    }

    fn instant(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("an instant").as_microsecond()
    }

    #[test]
    fn active_is_from_the_sale_to_n_days_after_it() {
        let sale = [1_000];
        assert!(!is_active(&sale, window(), 1_000), "not yet at the sale itself");
        assert!(is_active(&sale, window(), 1_001));
        assert!(is_active(&sale, window(), 1_000 + N * DAY));
        assert!(!is_active(&sale, window(), 1_001 + N * DAY));
        assert!(!is_active(&[], window(), 0));
        assert_eq!(Window::days(0), None);
    }

    #[test]
    fn days_are_of_24_hours_also_when_clocks_change() {
        let window = Window::days(1).expect("a window");
        let sale = [instant("2013-03-30T12:00+01:00")];
        assert!(is_active(&sale, window, instant("2013-03-31T13:00+02:00")));
        assert!(!is_active(&sale, window, instant("2013-03-31T13:00:00.000001+02:00")));
    }

    #[test]
    fn churn_looks_at_the_ends_of_the_period() {
        let period = 100 * DAY..200 * DAY;
        assert_eq!(churned(&[5 * DAY], window(), period.clone()), None, "inactive at the start");
        assert_eq!(churned(&[150 * DAY], window(), period.clone()), None, "joined in the period");
        assert_eq!(churned(&[50 * DAY], window(), period.clone()), Some(true));
        assert_eq!(churned(&[50 * DAY, 105 * DAY], window(), period.clone()), Some(true));
        assert_eq!(churned(&[50 * DAY, 110 * DAY], window(), period.clone()), Some(false));
        assert_eq!(churned(&[10 * DAY, 200 * DAY], window(), period), Some(true), "the end is not in the period");
    }

    #[test]
    fn inactive_is_more_than_n_days() {
        let at = 500 * DAY;
        assert_eq!(inactive(&[at - N * DAY], window(), at), Some(false));
        assert_eq!(inactive(&[at - N * DAY - 1], window(), at), Some(true));
        assert_eq!(inactive(&[], window(), at), None);
        let came_back = [0, at];
        assert_eq!(inactive(&came_back, window(), at), Some(false), "in hindsight");
        assert_eq!(inactive(within(&came_back, i64::MIN..at), window(), at), Some(true), "as it stood");
    }

    #[test]
    fn a_repeat_purchase_is_on_another_day_of_the_zone() {
        let sales = [instant("2017-05-13T22:30Z"), instant("2017-05-13T23:30Z"), instant("2017-05-14T00:10Z")];
        let (utc, berlin) = (days("UTC"), days("Europe/Berlin"));
        assert_eq!(repeated(&sales, Basis::DistinctDays, &utc), Some(true));
        assert_eq!(repeated(&sales, Basis::DistinctDays, &berlin), Some(false));
        assert_eq!(repeated(&sales[..2], Basis::DistinctDays, &utc), Some(false));
        assert_eq!(repeated(&sales[..2], Basis::Orders, &utc), Some(true));
        assert_eq!(repeated(&sales[..1], Basis::Orders, &utc), Some(false));
        assert_eq!(repeated(&[], Basis::Orders, &utc), None);
    }

    fn sales() -> impl Strategy<Value = Vec<i64>> {
        prop::collection::vec(-100_i64..400, 0..8).prop_map(|days| {
            let mut sales: Vec<_> = days.into_iter().map(|day| day * DAY / 2).collect();
            sales.sort_unstable();
            sales
        })
    }

    proptest! {
        /// The general rules of presence and churn, by stretches, come to the same as these of one customer's sales.
        #[test]
        fn activity_is_presence_by_inactivity(
            customers in prop::collection::vec(prop::collection::vec(0_i64..60, 0..6), 1..12),
            n in 1_u32..12, start in 0_i64..50, length in 1_i64..20,
        ) {
            let window = Window::days(n).expect("a window");
            let period = start * DAY / 2..(start + length) * DAY / 2;
            let bounds: Vec<i64> = (start..=start + length).map(|half| half * DAY / 2).collect();
            let mut tally = ChurnTally::new(bounds).expect("days");
            let mut plain = ProportionTally::default();
            for halves in &customers {
                let mut sales: Vec<i64> = halves.iter().map(|half| half * DAY / 2).collect();
                sales.sort_unstable();
                let presence = Presence::by_inactivity(sales.iter().copied(), n).expect("a window");
                for at in [period.start, period.end, period.end + 1] {
                    prop_assert_eq!(presence.is_active(at), is_active(&sales, window, at));
                    prop_assert_eq!(presence.is_inactive(at), inactive(within(&sales, i64::MIN..at), window, at));
                }
                tally.add(&presence);
                plain.extend(churned(&sales, window, period.clone()));
            }
            prop_assert_eq!(tally.at_start(), plain.total().answers());
            prop_assert_eq!(tally.rate(ChurnDefinition::Standard), plain.rate());
            let percent = |proportion: Option<Proportion>| proportion.map(Proportion::percent);
            prop_assert_eq!(percent(tally.proportion(ChurnDefinition::Standard)), percent(plain.proportion()));
        }

        #[test]
        fn rules_agree_with_their_definitions(sales in sales(), start in -100_i64..300, length in 1_i64..200) {
            let (start, end) = (start * DAY, (start + length) * DAY);
            let active = |at: i64| sales.iter().any(|sale| at - N * DAY <= *sale && *sale < at);
            prop_assert_eq!(is_active(&sales, window(), start), active(start));
            prop_assert_eq!(churned(&sales, window(), start..end), active(start).then(|| !active(end)));

            let known: Vec<_> = sales.iter().copied().filter(|sale| *sale < end).collect();
            prop_assert_eq!(within(&sales, i64::MIN..end), &known);
            // As it stood, who ever bought is either active or inactive.
            prop_assert_eq!(inactive(&known, window(), end), (!known.is_empty()).then(|| !active(end)));

            let distinct: BTreeSet<_> = sales.iter().map(|sale| sale.div_euclid(DAY)).collect();
            let (utc, bought) = (days("UTC"), !sales.is_empty());
            prop_assert_eq!(repeated(&sales, Basis::DistinctDays, &utc), bought.then_some(distinct.len() > 1));
            prop_assert_eq!(repeated(&sales, Basis::Orders, &utc), bought.then_some(sales.len() > 1));
        }

        #[test]
        fn retention_is_one_minus_churn(customers in prop::collection::vec(sales(), 1..30)) {
            let churn: ProportionTally =
                customers.iter().filter_map(|sales| churned(sales, window(), 0..60 * DAY)).collect();
            match (churn.rate(), churn.complement().rate()) {
                (Some(churn), Some(retention)) => prop_assert!((churn + retention - 100.0).abs() < 1e-9),
                rates => prop_assert_eq!(rates, (None, None)),
            }
        }
    }
}
