//! When somebody was a customer: by contract, or by purchases that are not too long ago.
//!
//! Both make the same thing, stretches of time, so that every rule of [`churn`](crate::churn) can be asked of either.

use std::ops::Range;

/// 24 hours in microseconds.
const DAY: i64 = 86_400_000_000;

/// The stretches of time in which one customer was active: half-open, ascending, apart from one another. Instants are
/// microseconds since 1970-01-01T00:00Z.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence {
    spans: Vec<Range<i64>>,
}

impl Presence {
    /// By contract: active from the start of a subscription until it ends, which is when a cancellation takes effect,
    /// not when it is declared. `None` as the end is a subscription that runs on. Who has several, at once or one right
    /// after the other, is active until the last of them ends. A subscription that ends when it starts, or before, is
    /// none.
    pub fn by_contract(subscriptions: impl IntoIterator<Item = (i64, Option<i64>)>) -> Self {
        Self::of(subscriptions.into_iter().map(|(start, end)| start..end.unwrap_or(i64::MAX)))
    }

    /// By inactivity: active at an instant t when there is a sale in [t − N·24 h, t). N is part of the definition of
    /// every figure. Returns are not sales, a sale of 0 is one. `None` for N = 0.
    pub fn by_inactivity(sales: impl IntoIterator<Item = i64>, days: u32) -> Option<Self> {
        let window = i64::from(days) * DAY;
        let active = |sale: i64| sale.saturating_add(1)..sale.saturating_add(1).saturating_add(window);
        (days > 0).then(|| Self::of(sales.into_iter().map(active)))
    }

    /// Whether the customer is active at an instant.
    pub fn is_active(&self, at: i64) -> bool {
        self.last_started(at).is_some_and(|span| at < span.end)
    }

    /// Whether a customer has gone: has been active by then and is not. `None` of who never was. By inactivity this
    /// makes the `inactive_share`: buyers whose last sale lies more than N days back, among all who ever bought by
    /// then.
    pub fn is_inactive(&self, at: i64) -> Option<bool> {
        self.last_started(at).map(|span| at >= span.end)
    }

    /// The stretches of time themselves; `i64::MAX` is the end of one that runs on.
    pub fn spans(&self) -> &[Range<i64>] {
        &self.spans
    }

    fn last_started(&self, at: i64) -> Option<&Range<i64>> {
        self.spans[..self.spans.partition_point(|span| span.start <= at)].last()
    }

    fn of(spans: impl Iterator<Item = Range<i64>>) -> Self {
        let mut sorted: Vec<_> = spans.filter(|span| span.start < span.end).collect();
        sorted.sort_unstable_by_key(|span| span.start);
        let mut spans: Vec<Range<i64>> = Vec::new();
        for span in sorted {
            match spans.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => spans.push(span),
            }
        }
        Self { spans }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_contract_holds_until_the_last_subscription_ends() {
        let customer =
            Presence::by_contract([(10, Some(20)), (15, Some(30)), (30, Some(40)), (50, None), (60, Some(60))]);
        assert_eq!(customer.spans(), [10..40, 50..i64::MAX]);
        let active = [9, 10, 39, 40, 50, i64::MAX - 1].map(|at| customer.is_active(at));
        assert_eq!(active, [false, true, true, false, true, true]);
        assert_eq!([9, 10, 45, 50].map(|at| customer.is_inactive(at)), [None, Some(false), Some(true), Some(false)]);
        assert_eq!(Presence::by_contract([]), Presence::default());
        assert_eq!(Presence::by_contract([(20, Some(10))]), Presence::default());
    }

    #[test]
    fn a_sale_keeps_active_for_n_days_after_it() {
        let customer = Presence::by_inactivity([1_000], 90).unwrap();
        let active = [1_000, 1_001, 1_000 + 90 * DAY, 1_001 + 90 * DAY].map(|at| customer.is_active(at));
        assert_eq!(active, [false, true, true, false]);
        assert_eq!(customer.is_inactive(1_000), None, "nothing was bought before");
        assert_eq!(Presence::by_inactivity([1_000], 0), None);
        assert_eq!(Presence::by_inactivity([], 1), Some(Presence::default()));
        assert!(Presence::by_inactivity([i64::MAX, i64::MIN], 1).is_some_and(|odd| odd.is_active(i64::MIN + 1)));
    }

    proptest! {
        #[test]
        fn presence_is_that_of_the_definitions(
            subscriptions in prop::collection::vec((0_i64..100, prop::option::of(0_i64..100)), 0..8), at in -5_i64..110,
        ) {
            let by_contract = Presence::by_contract(subscriptions.clone());
            let holds = |(start, end): &(i64, Option<i64>)| *start <= at && end.is_none_or(|end| at < end);
            prop_assert_eq!(by_contract.is_active(at), subscriptions.iter().any(holds));
            prop_assert!(by_contract.spans().windows(2).all(|two| two[0].end < two[1].start));

            let sales: Vec<_> = subscriptions.iter().map(|(start, _)| start * DAY / 2).collect();
            let instant = at * DAY / 2;
            let by_inactivity = Presence::by_inactivity(sales.clone(), 7).unwrap();
            let bought = sales.iter().any(|sale| instant - 7 * DAY <= *sale && *sale < instant);
            prop_assert_eq!(by_inactivity.is_active(instant), bought);
            let ever = sales.iter().any(|sale| *sale < instant);
            prop_assert_eq!(by_inactivity.is_inactive(instant), ever.then_some(!bought));
        }
    }
}
