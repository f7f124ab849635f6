//! The share that is gone after each time, by what it went for.

use super::{Observation, walk};
use crate::{Interval, Level};

/// A customer whose time may end for one of several causes, each of which keeps the others from happening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Competing {
    /// When the customer was watched, and whether its time ended.
    pub seen: Observation,
    /// Of one whose time ended, the number of the cause.
    pub cause: usize,
}

/// The Aalen–Johansen estimate of the cumulative incidence of each cause: F(t) = Σ S(s−)·d/n over the times s up to t at which
/// d of the n at risk went for the cause, where S is the Kaplan–Meier curve of going for any. The incidences of all causes
/// and S(t) add up to 1.
///
/// 1 − S of one cause, others taken as censored, would be more: the share that had gone if nobody could go for another.
///
/// Source: O. O. Aalen, S. Johansen, "An Empirical Transition Matrix for Non-Homogeneous Markov Chains Based on Censored
/// Observations", Scandinavian Journal of Statistics 5 (1978), 141–150.
#[derive(Debug, Clone, PartialEq)]
pub struct AalenJohansen {
    causes: Vec<Vec<Incidence>>,
}

/// A time at which the incidence of a cause rises, and to where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Incidence {
    /// The time, in the unit of the observations.
    pub time: u64,
    /// How many went for the cause then, at least one.
    pub events: u64,
    /// F(t) from this time on, 0 to 1.
    pub share: f64,
    /// Its variance.
    variance: f64,
}

/// Sums of which the variance of an incidence is made, over the times so far: of d of all causes, c of this one, n at risk,
/// S before and F at the time.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    share: f64,
    /// Σ d/(n(n − d)), and times F, and times F².
    all: [f64; 3],
    /// Σ S²·c(n − c)/n³.
    own: f64,
    /// Σ S·c/n², and times F.
    both: [f64; 2],
}

/// What rounding may take off a share that is exactly 1.
const ROUNDING: f64 = 1e-12;

impl Sums {
    /// Σ (F(t) − F)²·d/(n(n − d)) + Σ S²·c(n − c)/n³ − 2·Σ (F(t) − F)·S·c/n².
    fn variance(&self) -> f64 {
        let Sums { share, all, own, both } = *self;
        let of_all = share * share * all[0] - 2.0 * share * all[1] + all[2];
        (of_all + own - 2.0 * (share * both[0] - both[1])).max(0.0)
    }
}

impl AalenJohansen {
    /// Of these customers and so many causes; who went for another number is not counted as gone for any. `None` of nobody.
    pub fn of(customers: &[Competing], causes: usize) -> Option<Self> {
        if customers.is_empty() {
            return None;
        }
        let mut groups = vec![Vec::new(); causes + 1];
        for Competing { seen, cause } in customers {
            let is_gone = seen.event && *cause < causes;
            groups[if is_gone { *cause } else { causes }].push(Observation { event: is_gone, ..*seen });
        }
        let groups: Vec<_> = groups.iter().map(Vec::as_slice).collect();
        let mut survival = 1.0;
        let mut sums = vec![Sums::default(); causes];
        let mut found = vec![Vec::new(); causes];
        walk(&groups, |time, at_risk, events| {
            let (n, all) = (at_risk.iter().sum::<u64>() as f64, events.iter().sum::<u64>() as f64);
            for ((sums, found), own) in sums.iter_mut().zip(&mut found).zip(events) {
                let here = *own as f64;
                sums.share += survival * here / n;
                // Where all are gone nothing comes after, and this adds (F − F)² times what is infinite: nothing.
                if all < n {
                    let greenwood = all / (n * (n - all));
                    sums.all[0] += greenwood;
                    sums.all[1] += greenwood * sums.share;
                    sums.all[2] += greenwood * sums.share * sums.share;
                }
                sums.own += survival * survival * here * (n - here) / n.powi(3);
                let covariance = survival * here / (n * n);
                sums.both[0] += covariance;
                sums.both[1] += covariance * sums.share;
                if *own > 0 {
                    let (share, variance) = (sums.share.min(1.0), sums.variance());
                    found.push(Incidence { time, events: *own, share, variance });
                }
            }
            survival *= (n - all) / n;
        });
        Some(Self { causes: found })
    }

    /// The times at which the incidence of a cause rises, ascending; before the first it is 0.
    pub fn of_cause(&self, cause: usize) -> &[Incidence] {
        self.causes.get(cause).map_or(&[], Vec::as_slice)
    }

    /// The incidence of a cause at a time.
    pub fn at(&self, cause: usize, time: u64) -> f64 {
        let steps = self.of_cause(cause);
        steps[..steps.partition_point(|step| step.time <= time)].last().map_or(0.0, |step| step.share)
    }
}

impl Incidence {
    /// The standard error of F(t), by the delta method.
    ///
    /// Source: E. Marubini, M. G. Valsecchi, "Analysing Survival Data from Clinical Trials and Observational Studies" (1995),
    /// section 10.2.
    pub fn standard_error(&self) -> f64 {
        self.variance.sqrt()
    }

    /// The log-log interval of F(t): exp(−exp(ln(−ln F) ± z·SE/(F ln F))), 0 to 1. `None` when F is 1, but for rounding.
    pub fn interval(&self, level: Level) -> Option<Interval> {
        let log = self.share.ln();
        if self.share <= 0.0 || self.share >= 1.0 - ROUNDING {
            return None;
        }
        let reach = level.z() * self.standard_error() / (self.share * -log);
        Some(Interval { lower: (log * reach.exp()).exp(), upper: (log * (-reach).exp()).exp() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::survival::KaplanMeier;

    fn customers(lives: &[(u64, Option<usize>)]) -> Vec<Competing> {
        let life = |(exit, cause): &(u64, Option<usize>)| Competing {
            seen: Observation::new(*exit, cause.is_some()),
            cause: cause.unwrap_or_default(),
        };
        lives.iter().map(life).collect()
    }

    #[test]
    fn by_hand() {
        // Of 5: one goes for price at 1, one for moving at 2, one is censored at 3, one goes for price at 4, one stays.
        let lives = [(1, Some(0)), (2, Some(1)), (3, None), (4, Some(0)), (5, None)];
        let found = AalenJohansen::of(&customers(&lives), 2).unwrap();
        let shares = |cause| found.of_cause(cause).iter().map(|step| (step.time, step.share)).collect::<Vec<_>>();
        assert_eq!(shares(1), [(2, 0.8 * 0.25)]);
        assert_eq!(shares(0)[0], (1, 0.2));
        // 0.6 are left before 4, half of whom go.
        assert!((shares(0)[1].1 - 0.5).abs() < 1e-12);
        assert_eq!((found.at(0, 0), found.at(1, 9), found.at(7, 9)), (0.0, 0.2, 0.0));
        // Of one time alone it is a share of five.
        let first = found.of_cause(0)[0];
        assert!((first.standard_error() - (0.2 * 0.8 / 5.0_f64).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn nobody_all_and_none() {
        assert_eq!(AalenJohansen::of(&[], 2), None);
        let all = AalenJohansen::of(&customers(&[(3, Some(0)), (3, Some(0))]), 1).unwrap();
        let last = all.of_cause(0)[0];
        assert_eq!((last.share, last.interval(Level::P95), last.standard_error()), (1.0, None, 0.0));
        let none = AalenJohansen::of(&customers(&[(3, None)]), 1).unwrap();
        assert_eq!((none.of_cause(0), none.at(0, 9)), (&[][..], 0.0));
    }

    fn lives() -> impl Strategy<Value = Vec<(u64, Option<usize>)>> {
        prop::collection::vec((0_u64..20, prop::option::of(0_usize..3)), 1..60)
    }

    proptest! {
        #[test]
        fn incidences_and_survival_add_up_to_one(lives in lives()) {
            let customers = customers(&lives);
            let found = AalenJohansen::of(&customers, 3).unwrap();
            let seen: Vec<_> = customers.iter().map(|one| one.seen).collect();
            for step in KaplanMeier::of(&seen).unwrap().steps() {
                let gone: f64 = (0..3).map(|cause| found.at(cause, step.time)).sum();
                prop_assert!((gone + step.survival - 1.0).abs() < 1e-12);
            }
        }

        #[test]
        fn of_one_cause_it_is_what_survival_leaves_with_its_variance(lives in lives()) {
            let one: Vec<_> = lives.iter().map(|(exit, cause)| (*exit, cause.map(|_| 0))).collect();
            let found = AalenJohansen::of(&customers(&one), 1).unwrap();
            let seen: Vec<_> = customers(&one).iter().map(|one| one.seen).collect();
            for (step, left) in found.of_cause(0).iter().zip(KaplanMeier::of(&seen).unwrap().steps()) {
                prop_assert!(step.time == left.time && (step.share + left.survival - 1.0).abs() < 1e-12);
                let expected = left.standard_error();
                prop_assert!(expected.is_none_or(|expected| (step.standard_error() - expected).abs() < 1e-7), "{:?} {:?}", step, expected);
            }
        }

        #[test]
        fn it_rises_and_its_limits_enclose_it(lives in lives()) {
            let found = AalenJohansen::of(&customers(&lives), 3).unwrap();
            for steps in (0..3).map(|cause| found.of_cause(cause)) {
                prop_assert!(steps.is_sorted_by(|a, b| a.time < b.time && a.share < b.share));
                for step in steps {
                    let limits = step.interval(Level::P95);
                    prop_assert!(limits.is_none_or(|limits| limits.contains(step.share) && limits.lower >= 0.0 && limits.upper <= 1.0));
                }
            }
        }
    }
}
