//! What a figure is tested by: the tallies that it was made of.

use barometer_proto::metrics::v1::Untested;
use barometer_statistics::{
    Interval, Level,
    comparison::{Incomparable, MeanDifference, NpsDifference, NpsMethod, ProportionDifference, Sample},
};

use crate::rules::{mean::MeanTally, nps::NpsTally, proportion::ProportionTally, spread::Moments};

/// Were there no difference, so many would have to be expected with the property and without it on each side, or the normal
/// distribution is no likeness of what chance does. Source: W. G. Cochran, "Some Methods for Strengthening the Common χ²
/// Tests", Biometrics 10 (1954), 417–451.
const FEWEST_EXPECTED: f64 = 5.0;

/// Exact tallies: those of groups that share nothing add up to that of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Evidence {
    /// There is no test.
    #[default]
    None,
    Nps(NpsTally),
    Share(ProportionTally),
    /// The mean of scores.
    Scores(MeanTally),
    /// The mean of durations.
    Times(Moments),
}

/// A difference that was tested.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tested {
    /// Of the true difference.
    pub(crate) interval: Interval,
    /// z or t.
    pub(crate) statistic: f64,
    pub(crate) p_value: f64,
}

impl Evidence {
    /// Both together; none of different kinds.
    pub(crate) fn merged(self, other: Self) -> Self {
        match (self, other) {
            (Evidence::Nps(mut both), Evidence::Nps(other)) => {
                both.merge(&other);
                Evidence::Nps(both)
            }
            (Evidence::Share(mut both), Evidence::Share(other)) => {
                both.merge(&other);
                Evidence::Share(both)
            }
            (Evidence::Scores(mut both), Evidence::Scores(other)) => {
                both.merge(&other);
                Evidence::Scores(both)
            }
            (Evidence::Times(mut both), Evidence::Times(other)) => {
                both.merge(&other);
                Evidence::Times(both)
            }
            _ => Evidence::None,
        }
    }

    /// Whether this figure is higher than another by more than chance.
    pub(crate) fn against(&self, other: &Self, level: Level) -> Result<Tested, Untested> {
        match (self, other) {
            (Evidence::Nps(side), Evidence::Nps(against)) => {
                let (side, against) = (side.effective(), against.effective());
                let (side, against) = (side.ok_or(Untested::NoFacts)?, against.ok_or(Untested::NoFacts)?);
                let NpsDifference { interval, z, p_value, .. } =
                    NpsDifference::between(against, side, NpsMethod::AdjustedWald, level).map_err(untested)?;
                Ok(Tested { interval, statistic: z, p_value })
            }
            (Evidence::Share(side), Evidence::Share(against)) => {
                let (side, against) = (side.proportion(), against.proportion());
                let (side, against) = (side.ok_or(Untested::NoFacts)?, against.ok_or(Untested::NoFacts)?);
                match ProportionDifference::fewest_expected(against, side) {
                    expected if expected <= 0.0 => return Err(Untested::NoSpread),
                    expected if expected < FEWEST_EXPECTED => return Err(Untested::TooFew),
                    _ => {}
                }
                let ProportionDifference { interval, z, p_value, .. } =
                    ProportionDifference::between(against, side, level);
                Ok(Tested { interval, statistic: z, p_value })
            }
            (Evidence::Scores(side), Evidence::Scores(against)) => means(side.sample(), against.sample(), level),
            (Evidence::Times(side), Evidence::Times(against)) => means(side.sample(), against.sample(), level),
            _ => Err(Untested::NoTest),
        }
    }
}

fn means(side: Option<Sample>, against: Option<Sample>, level: Level) -> Result<Tested, Untested> {
    let (side, against) = (side.ok_or(Untested::TooFew)?, against.ok_or(Untested::TooFew)?);
    let MeanDifference { interval, t, p_value, .. } =
        MeanDifference::between(against, side, level).map_err(untested)?;
    Ok(Tested { interval, statistic: t, p_value })
}

fn untested(incomparable: Incomparable) -> Untested {
    match incomparable {
        Incomparable::TooFew { .. } => Untested::TooFew,
        // Of scores and times it is spreads so small that a quotient of them is no number.
        Incomparable::NoSpread | Incomparable::OutOfRange => Untested::NoSpread,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{scale::NpsGroup, weight::Weight};

    fn nps(promoters: u64, passives: u64, detractors: u64) -> Evidence {
        let mut tally = NpsTally::default();
        tally.add_many(NpsGroup::Promoter, promoters);
        tally.add_many(NpsGroup::Passive, passives);
        tally.add_many(NpsGroup::Detractor, detractors);
        Evidence::Nps(tally)
    }

    fn share(hits: u64, misses: u64) -> Evidence {
        Evidence::Share(ProportionTally::of_counts(hits, misses))
    }

    fn scores(scores: &[u8]) -> Evidence {
        let mut tally = MeanTally::default();
        scores.iter().for_each(|score| tally.add(*score, Weight::ONE));
        Evidence::Scores(tally)
    }

    fn p_value(side: Evidence, against: Evidence) -> Result<f64, Untested> {
        side.against(&against, Level::P95).map(|tested| tested.p_value)
    }

    #[test]
    fn the_published_change_of_a_score() {
        let tested = nps(40, 35, 25).against(&nps(50, 30, 20), Level::P95).expect("tested");
        assert!((tested.p_value - 0.183_311).abs() < 5e-7 && tested.statistic < 0.0, "{tested:?}");
        let back = nps(50, 30, 20).against(&nps(40, 35, 25), Level::P95).expect("tested");
        assert_eq!((back.p_value, back.statistic), (tested.p_value, -tested.statistic));
        assert_eq!((back.interval.lower, back.interval.upper), (-tested.interval.upper, -tested.interval.lower));
    }

    #[test]
    fn what_chance_says_nothing_of_is_not_tested() {
        assert_eq!(p_value(share(0, 30), share(0, 40)), Err(Untested::NoSpread));
        assert_eq!(p_value(share(30, 0), share(40, 0)), Err(Untested::NoSpread));
        assert_eq!(p_value(share(0, 30), share(3, 40)), Err(Untested::TooFew));
        assert_eq!(p_value(share(4, 0), share(400, 400)), Err(Untested::TooFew), "two without it would be expected");
        assert!(p_value(share(0, 30), share(30, 0)).expect("tested") < 1e-10, "alike within each side only");
        assert_eq!(p_value(share(0, 0), share(30, 10)), Err(Untested::NoFacts));
        assert_eq!(p_value(scores(&[5]), scores(&[1, 2])), Err(Untested::TooFew));
        assert_eq!(p_value(scores(&[5, 5]), scores(&[2, 2])), Err(Untested::NoSpread));
        let higher = scores(&[5, 5]).against(&scores(&[1, 2, 3]), Level::P95).expect("tested");
        assert!(higher.statistic > 0.0 && higher.interval.upper > 3.0);
        let times = |many: i64| {
            let mut moments = Moments::default();
            (0..many).for_each(|index| moments.add(index % 7 * 1_000_000));
            Evidence::Times(moments)
        };
        assert_eq!(p_value(times(199), times(500)), Err(Untested::TooFew));
        assert!(p_value(times(200), times(500)).is_ok());
        assert_eq!(p_value(times(500), share(1, 1)), Err(Untested::NoTest));
        assert_eq!(p_value(Evidence::None, Evidence::None), Err(Untested::NoTest));
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        assert_eq!(nps(1, 2, 3).merged(nps(4, 5, 6)), nps(5, 7, 9));
        assert_eq!(share(1, 2).merged(share(3, 4)), share(4, 6));
        assert_eq!(scores(&[1, 2]).merged(scores(&[7])), scores(&[7, 2, 1]));
        assert_eq!(scores(&[1]).merged(share(1, 1)), Evidence::None);
    }
}
