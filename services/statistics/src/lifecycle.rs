//! Where customers stand in a period, by the periods in which they did something.

use crate::number::ratio;

/// Where a customer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Active now, and never before.
    New,
    /// Active now and in the period before.
    Returning,
    /// Active now, not in the period before, but some time earlier.
    Resurrecting,
    /// Active in the period before, but not now. Who is away for longer is in no stage.
    Dormant,
}

impl Stage {
    /// The stage in the period `now` of a customer who was active in these periods, numbered one after the other and
    /// ascending. `None` for who is active in neither `now` nor the period before. Later periods do not matter.
    pub fn of(active: &[i64], now: i64) -> Option<Self> {
        let is = |period: i64| active.binary_search(&period).is_ok();
        match (is(now), now.checked_sub(1).is_some_and(is)) {
            (true, true) => Some(Self::Returning),
            (true, false) if active.first() == Some(&now) => Some(Self::New),
            (true, false) => Some(Self::Resurrecting),
            (false, true) => Some(Self::Dormant),
            (false, false) => None,
        }
    }
}

/// How many customers stand where, in one period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Lifecycle {
    /// Who is new.
    pub new: u64,
    /// Who returns.
    pub returning: u64,
    /// Who is back.
    pub resurrecting: u64,
    /// Who has become dormant.
    pub dormant: u64,
}

impl Lifecycle {
    /// Counts a customer.
    pub fn add(&mut self, stage: Stage) {
        *self.count(stage) += 1;
    }

    /// Takes out a customer who was counted so.
    pub fn remove(&mut self, stage: Stage) {
        *self.count(stage) -= 1;
    }

    /// Adds what was counted of other customers.
    pub fn merge(&mut self, other: &Self) {
        let Self { new, returning, resurrecting, dormant } = *other;
        self.new += new;
        self.returning += returning;
        self.resurrecting += resurrecting;
        self.dormant += dormant;
    }

    /// Who is active in the period.
    pub fn active(&self) -> u64 {
        self.new + self.returning + self.resurrecting
    }

    /// Who was active in the period before.
    pub fn active_before(&self) -> u64 {
        self.returning + self.dormant
    }

    /// (new + resurrecting)/dormant: above 1 the active base grows. `None` when nobody became dormant.
    pub fn quick_ratio(&self) -> Option<f64> {
        ratio((self.new + self.resurrecting).into(), self.dormant.into())
    }

    fn count(&mut self, stage: Stage) -> &mut u64 {
        match stage {
            Stage::New => &mut self.new,
            Stage::Returning => &mut self.returning,
            Stage::Resurrecting => &mut self.resurrecting,
            Stage::Dormant => &mut self.dormant,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_customer_through_the_stages() {
        let stages: Vec<_> = (2..=10).map(|now| Stage::of(&[3, 4, 7, 8], now)).collect();
        assert_eq!(
            stages,
            [
                None,
                Some(Stage::New),
                Some(Stage::Returning),
                Some(Stage::Dormant),
                None,
                Some(Stage::Resurrecting),
                Some(Stage::Returning),
                Some(Stage::Dormant),
                None,
            ]
        );
        assert_eq!((Stage::of(&[], 0), Stage::of(&[i64::MIN], i64::MIN)), (None, Some(Stage::New)));
    }

    #[test]
    fn the_base_grows_when_more_come_than_go() {
        let june = Lifecycle { new: 30, returning: 400, resurrecting: 12, dormant: 28 };
        assert_eq!((june.active(), june.active_before(), june.quick_ratio()), (442, 428, Some(1.5)));
    }

    #[test]
    fn nobody() {
        assert_eq!((Lifecycle::default().quick_ratio(), Lifecycle::default().active()), (None, 0));
    }

    proptest! {
        #[test]
        fn one_period_hands_over_to_the_next(
            customers in prop::collection::vec(prop::collection::btree_set(0_i64..12, 0..8), 0..40),
        ) {
            let lifecycle = |customers: &[BTreeSet<i64>], now: i64| {
                let mut lifecycle = Lifecycle::default();
                for customer in customers {
                    let active: Vec<_> = customer.iter().copied().collect();
                    Stage::of(&active, now).into_iter().for_each(|stage| lifecycle.add(stage));
                }
                lifecycle
            };
            let mut ever = 0;
            for now in 0..12 {
                let here = lifecycle(&customers, now);
                ever += here.new;
                prop_assert_eq!(here.active(), customers.iter().filter(|active| active.contains(&now)).count() as u64);
                prop_assert_eq!(here.active(), lifecycle(&customers, now + 1).active_before());
                let (left, right) = customers.split_at(customers.len() / 2);
                let mut merged = lifecycle(left, now);
                merged.merge(&lifecycle(right, now));
                prop_assert_eq!(merged, here);
            }
            prop_assert_eq!(ever, customers.iter().filter(|active| !active.is_empty()).count() as u64);
        }
    }
}
