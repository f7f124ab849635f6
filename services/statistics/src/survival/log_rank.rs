//! Whether groups leave at different rates.

use super::{Observation, walk};
use crate::{matrix::Symmetric, tail};

/// The most groups that one test takes.
pub const MAX_GROUPS: usize = 50;

/// The log-rank test: whether the curves of several groups differ by more than chance.
///
/// At each time with d events among n at risk, group g with n_g of them is expected to have d·n_g/n. The differences
/// between observed and expected add up to U, their hypergeometric covariances d(n − d)/(n − 1)·(n_g/n)·(δ_gh − n_h/n)
/// to V, and Uᵀ V⁺ U is χ² with as many degrees of freedom as V has rank: one less than the groups, or still less where
/// some were never at risk together with others. All times weigh the same, which finds curves that keep apart, and
/// misses such as cross.
///
/// Source: N. Mantel, "Evaluation of Survival Data and Two New Rank Order Statistics Arising in its Consideration",
/// Cancer Chemotherapy Reports 50 (1966), 163–170; R. Peto, J. Peto, "Asymptotically Efficient Rank Invariant Test
/// Procedures", Journal of the Royal Statistical Society A 135 (1972), 185–207.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRank {
    /// χ² = Uᵀ V⁺ U, at least 0.
    pub statistic: f64,
    /// The rank of V, at least 1.
    pub degrees_of_freedom: usize,
    /// The chance of a χ² at least as large if all groups left at the same rates, 0 to 1.
    pub p_value: f64,
    /// What happened in each group, in the order given.
    pub groups: Vec<OfGroup>,
}

/// Events of one group.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OfGroup {
    /// How many there were.
    pub observed: u64,
    /// How many there would have been at the rates of all groups together.
    pub expected: f64,
}

/// Why groups cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogRankError {
    /// One group is compared with nothing.
    #[error("at least two groups are needed")]
    TooFewGroups,
    /// More than [`MAX_GROUPS`].
    #[error("at most {MAX_GROUPS} groups are compared at once")]
    TooManyGroups,
    /// No event happened while members of two groups were at risk, or it befell everybody at risk.
    #[error("no event happened while two groups could have had it")]
    NothingToCompare,
}

impl LogRank {
    /// Of these groups.
    ///
    /// # Errors
    /// See [`LogRankError`].
    pub fn of(groups: &[&[Observation]]) -> Result<Self, LogRankError> {
        match groups.len() {
            0 | 1 => return Err(LogRankError::TooFewGroups),
            2..=MAX_GROUPS => {}
            _ => return Err(LogRankError::TooManyGroups),
        }
        let mut of_groups = vec![OfGroup::default(); groups.len()];
        let mut covariance = Symmetric::zero(groups.len());
        let mut shares = vec![0.0; groups.len()];
        walk(groups, |_, at_risk, events| {
            let (all, happened) = (at_risk.iter().sum::<u64>() as f64, events.iter().sum::<u64>() as f64);
            shares.iter_mut().zip(at_risk).for_each(|(share, count)| *share = *count as f64 / all);
            for ((group, share), observed) in of_groups.iter_mut().zip(&shares).zip(events) {
                group.observed += observed;
                group.expected += happened * share;
            }
            let factor = if all > 1.0 { happened * (all - happened) / (all - 1.0) } else { 0.0 };
            for (g, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                covariance.add(g, g, factor * share * (1.0 - share));
                (0..g).for_each(|h| covariance.add(g, h, -factor * share * shares[h]));
            }
        });
        let beyond: Vec<_> = of_groups.iter().map(|group| group.observed as f64 - group.expected).collect();
        let (statistic, degrees_of_freedom) = covariance.squared_distance(&beyond);
        if degrees_of_freedom == 0 {
            return Err(LogRankError::NothingToCompare);
        }
        let p_value = tail::chi_squared(statistic, degrees_of_freedom);
        Ok(Self { statistic, degrees_of_freedom, p_value, groups: of_groups })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::survival::samples::freireich;

    fn of(groups: &[Vec<Observation>]) -> Result<LogRank, LogRankError> {
        let groups: Vec<_> = groups.iter().map(Vec::as_slice).collect();
        LogRank::of(&groups)
    }

    #[test]
    fn published_remissions() {
        let test = of(&freireich()).unwrap();
        assert!((test.statistic - 16.793).abs() < 5e-4, "{test:?}");
        assert_eq!(test.degrees_of_freedom, 1);
        assert!((test.p_value - 4.17e-5).abs() < 5e-8, "{test:?}");
        assert_eq!((test.groups[0].observed, test.groups[1].observed), (9, 21));
        assert!((test.groups[0].expected - 19.25).abs() < 5e-3, "{test:?}");
    }

    #[test]
    fn nothing_to_compare() {
        let (stays, leaves) = (Observation::new(5, false), Observation::new(5, true));
        assert_eq!(of(&[]), Err(LogRankError::TooFewGroups));
        assert_eq!(of(&[vec![leaves]]), Err(LogRankError::TooFewGroups));
        assert_eq!(of(&vec![vec![leaves]; 51]), Err(LogRankError::TooManyGroups));
        assert_eq!(of(&[vec![stays], vec![stays]]), Err(LogRankError::NothingToCompare));
        assert_eq!(of(&[vec![leaves], vec![]]), Err(LogRankError::NothingToCompare));
        assert_eq!(of(&[vec![leaves], vec![leaves]]), Err(LogRankError::NothingToCompare), "it befell everybody");
    }

    #[test]
    fn one_customer_counts_beside_a_million() {
        let many = |count: usize, left: usize| (0..count).map(|i| Observation::new(1, i < left)).collect::<Vec<_>>();
        let test = of(&[many(1, 0), many(500_000, 1_000), many(500_000, 900)]).unwrap();
        assert_eq!(test.degrees_of_freedom, 2);
    }

    #[test]
    fn an_empty_group_costs_no_degree_of_freedom() {
        let [with, without] = freireich();
        let (two, three) = (of(&[with.clone(), without.clone()]).unwrap(), of(&[with, vec![], without]).unwrap());
        assert!((two.statistic - three.statistic).abs() < 1e-10);
        assert_eq!(three.degrees_of_freedom, 1);
    }

    #[test]
    fn groups_that_never_met_are_not_compared() {
        let early = |exit, event| Observation::new(exit, event);
        let late = |exit, event| Observation::entered_late(100, exit, event).unwrap();
        let test = of(&[
            vec![early(3, true), early(9, false), early(10, true)],
            vec![early(4, true), early(5, false), early(6, true)],
            vec![late(103, true), late(109, false), late(110, true)],
            vec![late(104, true), late(105, false), late(106, true)],
        ]);
        assert_eq!(test.unwrap().degrees_of_freedom, 2);
    }

    fn lives() -> impl Strategy<Value = Vec<Observation>> {
        prop::collection::vec((0_u64..30, any::<bool>()).prop_map(|(time, event)| Observation::new(time, event)), 1..40)
    }

    proptest! {
        #[test]
        fn expected_events_add_up_to_the_observed(groups in prop::collection::vec(lives(), 2..6)) {
            if let Ok(test) = of(&groups) {
                let observed: u64 = test.groups.iter().map(|group| group.observed).sum();
                let expected: f64 = test.groups.iter().map(|group| group.expected).sum();
                prop_assert!((observed as f64 - expected).abs() < 1e-9);
                prop_assert!(test.statistic >= 0.0 && (0.0..=1.0).contains(&test.p_value));
                prop_assert!(test.degrees_of_freedom < groups.len());
            }
        }

        #[test]
        fn the_order_of_groups_and_the_unit_of_time_change_nothing(mut groups in prop::collection::vec(lives(), 2..6)) {
            let one = of(&groups);
            groups.reverse();
            for Observation { exit, .. } in groups.iter_mut().flatten() {
                *exit *= 24;
            }
            match (one, of(&groups)) {
                (Ok(one), Ok(other)) => {
                    prop_assert!((one.statistic - other.statistic).abs() < 1e-8 * (1.0 + one.statistic));
                }
                (one, other) => prop_assert_eq!(one.err(), other.err()),
            }
        }

        #[test]
        fn a_group_split_in_equal_halves_is_no_difference(group in lives()) {
            if let Ok(test) = of(&[group.clone(), group]) {
                prop_assert!(test.statistic < 1e-20 && test.p_value > 0.999);
            }
        }
    }
}
