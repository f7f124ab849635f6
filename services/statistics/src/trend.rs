//! Whether a series rises or falls, how steeply, and when it turned.
//!
//! Of raw series, one value a period, where all values are equally sure: [`MannKendall`], [`SenSlope`], [`Pettitt`].
//! They rest on ranks, so that outliers do not move them. Of scores, each with its own number of answers:
//! [`WeightedTrend`] and [`WeightedChange`]; to give the score of 12 answers the say of one of 3,000 finds trends in
//! noise and misses those in the answers.
//!
//! ```
//! use barometer_statistics::{Level, comparison::NpsCounts, trend::{MannKendall, Point, WeightedTrend}};
//!
//! assert!(MannKendall::of(&[1.0, 3.0, 2.0, 5.0, 8.0, 9.0, 12.0])?.p_value < 0.01);
//!
//! let months = [(50, 30, 20), (45, 30, 25), (420, 300, 280), (4, 3, 3)];
//! let points = (0_i16..).zip(months).filter_map(|(month, (promoters, passives, detractors))| {
//!     Point::of_nps(f64::from(month), NpsCounts::new(promoters, passives, detractors)?)
//! });
//! let trend = WeightedTrend::of(&points.collect::<Vec<_>>(), Level::P95)?;
//! assert!(trend.slope < -6.0 && trend.p_value < 0.05);
//! # Ok::<(), barometer_statistics::trend::TrendError>(())
//! ```

mod change;
mod mann_kendall;
mod pettitt;
mod sen;
mod weighted;

pub use change::WeightedChange;
pub use mann_kendall::MannKendall;
pub use pettitt::Pettitt;
pub use sen::{MAX_PAIRED, SenSlope};
pub use weighted::WeightedTrend;

use crate::comparison::NpsCounts;

/// A score of a period, with the variance σ²/n that its answers give it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    time: f64,
    value: f64,
    variance: f64,
}

impl Point {
    /// At a time, in any unit. `None` unless all are finite and the variance, in squared units of the value, is above
    /// 0.
    pub fn new(time: f64, value: f64, variance: f64) -> Option<Self> {
        let usable = time.is_finite() && value.is_finite() && variance.is_finite() && variance > 0.0;
        usable.then_some(Self { time, value, variance })
    }

    /// A Net Promoter Score with the variance of its AW(3,T) counts, which is above 0 also where all answers are alike.
    /// `None` when the time is not finite.
    pub fn of_nps(time: f64, counts: NpsCounts) -> Option<Self> {
        Self::new(time, counts.score(), counts.adjusted().standard_error().powi(2))
    }
}

/// Why a series has no trend that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrendError {
    /// The series is too short for the method.
    #[error("at least {needed} values are needed")]
    TooFew {
        /// The smallest number of values that the method takes.
        needed: usize,
    },
    /// The series is too long for a method that looks at all pairs.
    #[error("at most {most} values are looked at in pairs")]
    TooMany {
        /// The largest number of values that the method takes.
        most: usize,
    },
    /// All values, or all times, are the same.
    #[error("all values or all times are the same")]
    NoSpread,
    /// A value or time is not finite, a variance is not above 0, or what follows from them is beyond all numbers.
    #[error("the numbers are not finite or too large")]
    OutOfRange,
}

fn finite(values: &[f64]) -> Result<(), TrendError> {
    if values.iter().all(|value| value.is_finite()) { Ok(()) } else { Err(TrendError::OutOfRange) }
}

/// Sizes of the groups of equal values.
fn ties(values: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).collect()
}

#[cfg(test)]
mod samples {
    /// The annual flow of the Nile at Aswan, 1871 to 1970, in 10⁸ m³.
    ///
    /// Source: G. W. Cobb, "The Problem of the Nile: Conditional Solution to a Changepoint Problem", Biometrika 65
    /// (1978), 243–251.
    pub(super) const NILE: [f64; 100] = [
        1120., 1160., 963., 1210., 1160., 1160., 813., 1230., 1370., 1140., 995., 935., 1110., 994., 1020., 960.,
        1180., 799., 958., 1140., 1100., 1210., 1150., 1250., 1260., 1220., 1030., 1100., 774., 840., 874., 694., 940.,
        833., 701., 916., 692., 1020., 1050., 969., 831., 726., 456., 824., 702., 1120., 1100., 832., 764., 821., 768.,
        845., 864., 862., 698., 845., 744., 796., 1040., 759., 781., 865., 845., 944., 984., 897., 822., 1010., 771.,
        676., 649., 846., 812., 742., 801., 1040., 860., 874., 848., 890., 744., 749., 838., 1050., 918., 986., 797.,
        923., 975., 815., 1020., 906., 901., 1170., 912., 746., 919., 718., 714., 740.,
    ];
}
