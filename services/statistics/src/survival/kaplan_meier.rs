//! The share that is still here after each time.

use super::{Observation, walk};
use crate::{Interval, Level};

/// The Kaplan–Meier curve S(t): the product of (n − d)/n over all times up to t at which d of the n at risk had the
/// event.
///
/// With late entries the number at risk can be small early on; should all of it have the event, the curve is 0 from
/// there on, whoever enters later.
///
/// Source: E. L. Kaplan, P. Meier, "Nonparametric Estimation from Incomplete Observations", Journal of the American
/// Statistical Association 53 (1958), 457–481.
#[derive(Debug, Clone, PartialEq)]
pub struct KaplanMeier {
    steps: Vec<Step>,
    size: usize,
    last: u64,
}

/// A time at which the curve falls, and to where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The time, in the unit of the observations.
    pub time: u64,
    /// n: who had entered before, and neither left nor was censored before.
    pub at_risk: u64,
    /// d: who had the event, at least one.
    pub events: u64,
    /// S(t) from this time on, 0 to 1.
    pub survival: f64,
    /// Greenwood's sum Σ d/(n(n − d)) up to here, while S > 0.
    greenwood: f64,
}

/// What rounding may add to a survival that is exactly a half, a quarter, …
const ROUNDING: f64 = 1e-12;

impl KaplanMeier {
    /// The curve of these observations. `None` of nobody.
    pub fn of(observations: &[Observation]) -> Option<Self> {
        let last = observations.iter().map(|observation| observation.exit).max()?;
        let (mut survival, mut greenwood) = (1.0, 0.0);
        let mut steps = Vec::new();
        walk(&[observations], |time, at_risk, events| {
            let (at_risk, events) = (at_risk[0], events[0]);
            let (n, stayed) = (at_risk as f64, (at_risk - events) as f64);
            survival *= stayed / n;
            if survival > 0.0 {
                greenwood += events as f64 / (n * stayed);
            }
            steps.push(Step { time, at_risk, events, survival, greenwood });
        });
        Some(Self { steps, size: observations.len(), last })
    }

    /// The times at which it falls, ascending; before the first it is 1.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many were observed.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The longest time that somebody was observed.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// S(t), the share that stays longer than t, 0 to 1. `None` beyond the last observation, of which nothing is known
    /// unless the curve has reached 0.
    pub fn at(&self, time: u64) -> Option<f64> {
        let survival = self.step(time).map_or(1.0, |step| step.survival);
        (time <= self.last || survival == 0.0).then_some(survival)
    }

    /// The last step up to a time; `None` before the first.
    pub fn step(&self, time: u64) -> Option<&Step> {
        self.steps[..self.steps.partition_point(|step| step.time <= time)].last()
    }

    /// The first time at which S(t) ≤ ½; `None`, which is read as ∞, where it never is.
    pub fn median(&self) -> Option<u64> {
        self.quantile(0.5)
    }

    /// The first time at which the share `left` has had the event, S(t) ≤ 1 − `left`; `None` where it never has, and
    /// unless 0 < `left` ≤ 1.
    pub fn quantile(&self, left: f64) -> Option<u64> {
        let here = 1.0 - (left > 0.0 && left <= 1.0).then_some(left)?;
        self.steps.iter().find(|step| step.survival <= here + ROUNDING).map(|step| step.time)
    }

    /// The limits of the median: the first times at which the lower and the upper limit of S(t) are at most ½. Each is
    /// `None`, which is read as ∞, where its limit never is.
    ///
    /// Source: R. Brookmeyer, J. Crowley, "A Confidence Interval for the Median Survival Time", Biometrics 38 (1982),
    /// 29–41.
    pub fn median_limits(&self, level: Level) -> (Option<u64>, Option<u64>) {
        let first = |limit: fn(Interval) -> f64| {
            let reached = |step: &&Step| step.interval(level).is_some_and(|limits| limit(limits) <= 0.5);
            self.steps.iter().find(reached).map(|step| step.time)
        };
        (first(|limits| limits.lower), first(|limits| limits.upper))
    }

    /// The mean time spent here up to `until`: the area under the curve, in the unit of time. `None` where the curve is
    /// not known so far.
    ///
    /// Source: J. O. Irwin, "The Standard Error of an Estimate of Expectation of Life", Journal of Hygiene 47 (1949),
    /// 188–189.
    pub fn restricted_mean(&self, until: u64) -> Option<f64> {
        self.at(until)?;
        let (mut area, mut from, mut survival) = (0.0, 0, 1.0);
        for step in self.steps.iter().take_while(|step| step.time < until) {
            area += survival * (step.time - from) as f64;
            (from, survival) = (step.time, step.survival);
        }
        Some(area + survival * (until - from) as f64)
    }
}

impl Step {
    /// Greenwood's standard error of S(t): S·√Σ d/(n(n − d)). `None` when S is 0.
    ///
    /// Source: M. Greenwood, "The Natural Duration of Cancer", Reports on Public Health and Medical Subjects 33 (1926).
    pub fn standard_error(&self) -> Option<f64> {
        (self.survival > 0.0).then(|| self.survival * self.greenwood.sqrt())
    }

    /// The log-log interval of S(t): exp(−exp(ln(−ln S) ± z·√Σ d/(n(n − d))/ln S)), 0 to 1. It never leaves the scale.
    /// `None` when S is 0 or rounds to 1.
    ///
    /// Source: J. D. Kalbfleisch, R. L. Prentice, "The Statistical Analysis of Failure Time Data" (1980), section 1.3.
    pub fn interval(&self, level: Level) -> Option<Interval> {
        let log = self.survival.ln();
        if self.survival <= 0.0 || log >= 0.0 {
            return None;
        }
        // S^exp(±reach) is the same.
        let reach = level.z() * self.greenwood.sqrt() / -log;
        Some(Interval { lower: (log * reach.exp()).exp(), upper: (log * (-reach).exp()).exp() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::survival::samples::freireich;

    fn curve(lives: &[(u64, bool)]) -> KaplanMeier {
        let lives: Vec<_> = lives.iter().map(|(time, event)| Observation::new(*time, *event)).collect();
        KaplanMeier::of(&lives).unwrap()
    }

    #[test]
    fn published_remissions() {
        let [with, without] = freireich().map(|group| KaplanMeier::of(&group).unwrap());
        for (time, survival, lower, upper) in
            [(6, 0.857_143, 0.619_718, 0.951_552), (23, 0.448_179, 0.188_052, 0.680_143)]
        {
            let step = with.step(time).unwrap();
            let limits = step.interval(Level::P95).unwrap();
            assert!((step.survival - survival).abs() < 5e-7, "{step:?}");
            assert!((limits.lower - lower).abs() < 5e-7 && (limits.upper - upper).abs() < 5e-7, "{limits:?}");
        }
        assert_eq!((with.median(), without.median()), (Some(23), Some(8)));
        assert_eq!(with.median_limits(Level::P95), (Some(13), None));
        assert_eq!(without.median_limits(Level::P95), (Some(4), Some(11)));
        assert!((with.step(6).unwrap().standard_error().unwrap() - 0.0764).abs() < 5e-5);
    }

    #[test]
    fn the_curve_is_known_up_to_the_last_observation() {
        let open = curve(&[(3, true), (5, false)]);
        assert_eq!(
            (open.at(0), open.at(2), open.at(3), open.at(5), open.at(6)),
            (Some(1.0), Some(1.0), Some(0.5), Some(0.5), None)
        );
        let over = curve(&[(3, true), (5, true)]);
        assert_eq!((over.at(5), over.at(1_000)), (Some(0.0), Some(0.0)));
        assert_eq!((open.restricted_mean(5), open.restricted_mean(6)), (Some(4.0), None));
        assert_eq!((over.restricted_mean(5), over.restricted_mean(9)), (Some(4.0), Some(4.0)));
    }

    #[test]
    fn nobody_nobody_left_and_all_left() {
        assert_eq!(KaplanMeier::of(&[]), None);
        let loyal = curve(&[(3, false), (8, false)]);
        assert_eq!((loyal.at(8), loyal.median(), loyal.steps()), (Some(1.0), None, &[][..]));
        assert_eq!(loyal.median_limits(Level::P95), (None, None));
        let lost = curve(&[(4, true); 3]);
        let step = lost.step(4).unwrap();
        assert_eq!((step.survival, step.interval(Level::P95), step.standard_error()), (0.0, None, None));
        assert_eq!(lost.median(), Some(4));
        assert_eq!(curve(&[(0, true), (1, true)]).at(0), Some(0.5), "lost on the first day");
    }

    #[test]
    fn a_median_is_not_missed_by_rounding() {
        for size in 1..200 {
            let lives: Vec<_> = (1..=2 * size).map(|time| (time, true)).collect();
            let curve = curve(&lives);
            assert_eq!(curve.median(), Some(size));
            assert_eq!(curve.quantile(1.0), Some(2 * size));
        }
        let some = curve(&[(1, true)]);
        assert_eq!((some.quantile(0.0), some.quantile(1.1), some.quantile(f64::NAN)), (None, None, None));
    }

    #[test]
    fn who_enters_late_is_at_risk_after_that() {
        assert_eq!(Observation::entered_late(5, 5, true), None);
        let late = Observation::entered_late(5, 9, true).unwrap();
        let lives = [Observation::new(5, true), Observation::new(7, true), late];
        let curve = KaplanMeier::of(&lives).unwrap();
        let at_risk: Vec<_> = curve.steps().iter().map(|step| (step.time, step.at_risk)).collect();
        assert_eq!(at_risk, [(5, 2), (7, 2), (9, 1)]);
    }

    proptest! {
        #[test]
        fn without_censoring_it_is_the_share_that_is_left(
            times in prop::collection::vec(0_u64..30, 1..80), at in 0_u64..30,
        ) {
            let lives: Vec<_> = times.iter().map(|time| (*time, true)).collect();
            let share = times.iter().filter(|time| **time > at).count() as f64 / times.len() as f64;
            let curve = curve(&lives);
            prop_assert!((curve.at(at).unwrap() - share).abs() < 1e-12);
            let last = *times.iter().max().unwrap();
            let mean = times.iter().sum::<u64>() as f64 / times.len() as f64;
            prop_assert!((curve.restricted_mean(last).unwrap() - mean).abs() < 1e-10);
            if let Some(step) = curve.step(at) && share > 0.0 {
                let binomial = (share * (1.0 - share) / times.len() as f64).sqrt();
                prop_assert!((step.standard_error().unwrap() - binomial).abs() < 1e-12);
            }
        }

        #[test]
        fn it_falls_and_its_limits_enclose_it(lives in prop::collection::vec((0_u64..40, any::<bool>()), 1..100)) {
            let curve = curve(&lives);
            prop_assert!(curve.steps().is_sorted_by(|a, b| a.time < b.time && a.survival > b.survival));
            let events: u64 = curve.steps().iter().map(|step| step.events).sum();
            prop_assert_eq!(events, lives.iter().map(|(_, event)| u64::from(*event)).sum::<u64>());
            for step in curve.steps() {
                prop_assert_eq!(step.interval(Level::P95).is_none(), step.survival == 0.0);
                if let Some(limits) = step.interval(Level::P95) {
                    prop_assert!(limits.contains(step.survival) && limits.lower >= 0.0 && limits.upper <= 1.0);
                }
            }
        }

        #[test]
        fn each_life_twice_is_the_same_curve(lives in prop::collection::vec((0_u64..40, any::<bool>()), 1..60)) {
            let twice: Vec<_> = lives.iter().chain(&lives).copied().collect();
            for (one, two) in curve(&lives).steps().iter().zip(curve(&twice).steps()) {
                prop_assert!(one.time == two.time && (one.survival - two.survival).abs() < 1e-12);
                prop_assert!((one.greenwood - 2.0 * two.greenwood).abs() < 1e-12);
            }
        }
    }
}
