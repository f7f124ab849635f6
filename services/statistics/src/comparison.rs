//! Whether two figures differ by more than chance: two scores, two shares, two means.
//!
//! ```
//! use barometer_statistics::{Level, comparison::{NpsCounts, NpsDifference, NpsMethod}};
//!
//! let spring = NpsCounts::new(50, 30, 20).expect("answers");
//! let summer = NpsCounts::new(40, 35, 25).expect("answers");
//! let change = NpsDifference::between(spring, summer, NpsMethod::default(), Level::P95)?;
//! assert_eq!(change.difference, -15.0);
//! assert!(change.interval.contains(0.0) && change.p_value > 0.18);
//! # Ok::<(), barometer_statistics::comparison::Incomparable>(())
//! ```
//!
//! The two sets share no answer: the same customers asked twice are pairs, whose changes are a sample of their own. All
//! p-values are two-sided. Over many groups at once they go through [`discovery`](crate::discovery) first.

mod mean;
mod nps;
mod proportion;

pub use crate::score::NpsCounts;
pub use mean::{MeanDifference, Sample};
pub use nps::{NpsDifference, NpsMethod};
pub use proportion::{Proportion, ProportionDifference};

/// Why two figures cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// One of the two sides is too small for the method.
    #[error("each side needs at least {needed} answers, weighted ones by their effective number")]
    TooFew {
        /// The smallest effective size that the method takes.
        needed: u32,
    },
    /// All values of both sides are the same within each side, so nothing is known of chance.
    #[error("neither side varies, so nothing is known of chance")]
    NoSpread,
    /// The numbers are so far apart that their quotient is none.
    #[error("the numbers are too large or too small to compare")]
    OutOfRange,
}

/// (Σw)²/Σw² of sums of weights; `None` unless both are above 0, finite, and could be sums of weights.
///
/// Source: L. Kish, "Survey Sampling" (1965), section 11.7.
pub(crate) fn effective_size(sum: f64, sum_of_squares: f64) -> Option<f64> {
    let size = sum / sum_of_squares * sum;
    // Of positive weights Σw² ≤ (Σw)²; what rounding takes away from that is given back.
    let possible = sum > 0.0 && sum_of_squares > 0.0 && size.is_finite() && size >= 1.0 - 1e-9;
    possible.then(|| size.max(1.0))
}
