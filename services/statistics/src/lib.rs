//! The statistics behind the figures of loyalty: pure functions and small types that know no service and no storage.
//!
//! | module | answers |
//! |---|---|
//! | [`score`] | the interval of a Net Promoter Score |
//! | [`comparison`] | whether two scores, shares or means differ by more than chance |
//! | [`discovery`] | which of many such differences to believe |
//! | [`survival`] | how long customers stay, what they go for, and whether groups differ in it |
//! | [`consistency`] | how far scores of channels lie apart beyond chance |
//! | [`presence`] | when somebody was a customer, by contract or by purchases |
//! | [`churn`] | how many left, by definitions told apart by name |
//! | [`retention`] | who of a cohort is active so many periods later |
//! | [`revenue`] | movements of recurring revenue, and what was kept of it |
//! | [`lifecycle`] | who is new, returns, is back or has become dormant |
//! | [`stickiness`] | how often those come who come at all |
//! | [`disposition`] | what came of invitations, and how many responded |
//! | [`bootstrap`] | intervals by resampling, the same for the same seed |
//! | [`trend`] | whether a series rises or falls, how steeply, and when it turned |
//! | [`drivers`] | how much of an outcome each of several things goes with |
//! | [`transition`] | moves between categories, and whether they go one way |
//! | [`percentile`] | percentiles, exact up to a bound and bounded in error beyond |
//! | [`level`], [`interval`] | how sure an interval is, and its limits |
//! | [`number`] | from exact integers to the figure that is shown |
//!
//! Conventions. NPS is −100 to 100, shares and rates are percent. A figure over nothing is `None`, never 0, and no
//! figure is ever infinite or not a number: what cannot be computed is `None` or an error that says why. Sizes are
//! *effective*: unweighted, the number of answers; weighted, n_eff = (Σw)²/Σw², by which the weighted counts are
//! scaled.

pub mod bootstrap;
mod chance;
pub mod churn;
pub mod comparison;
pub mod consistency;
pub mod discovery;
pub mod disposition;
pub mod drivers;
pub mod interval;
pub mod level;
pub mod lifecycle;
mod matrix;
pub mod number;
pub mod percentile;
pub mod presence;
pub mod retention;
pub mod revenue;
pub mod score;
pub mod stickiness;
pub mod survival;
mod tail;
pub mod transition;
pub mod trend;

pub use crate::{interval::Interval, level::Level};
