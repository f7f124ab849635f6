//! The ladder of a clock, or of a promise: who hears of it, and what becomes of its case, the longer it runs. Rules that know
//! neither the wire nor the database; `ladder.proto` is the manual.

mod check;
mod climb;
#[cfg(test)]
mod tests;

use barometer_proto::complaints::v1::{Audience, Priority};
use serde::{Deserialize, Serialize};

pub use self::{
    check::{check, check_of_promises},
    climb::{Course, Fired, Firing},
};
use crate::{
    case::Holder,
    clock::{Kind, Target},
};

/// The most steps of a ladder.
pub const MAX_STEPS: usize = 16;
/// How often a step is repeated at most.
pub const MAX_REPEATS: u16 = 100;

/// What happens while a clock runs, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// Of which clock.
    pub kind: Kind,
    /// The steps: at least one, each at a later instant than the one before.
    pub steps: Vec<Rung>,
}

/// One step of a ladder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// When it is taken.
    pub when: When,
    /// How it is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// Whether it waits for working time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub working_time_only: bool,
    /// How much more urgent the case is from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raise: Option<Raise>,
    /// Who gets the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand_over: Option<Holder>,
    /// Who is told, as [`Audience`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<i32>,
}

/// When a step is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// When so much of the target is used: 1 to 99.
    Percent(u8),
    /// When the clock is due.
    #[default]
    Due,
    /// So long after that, by the clock or round the clock.
    After(Target),
}

/// How a step is repeated until the clock stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    /// How far apart.
    pub every: Target,
    /// How often, without the first time.
    pub times: u16,
}

/// How much more urgent a case becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Raise {
    /// At least as this, as [`Priority`].
    To(i32),
    /// By one, up to the most urgent.
    ByOne,
}

impl Raise {
    /// What becomes of a priority.
    pub fn of(self, priority: Priority) -> Priority {
        let raised = match self {
            Raise::To(least) => i32::from(priority).max(least),
            Raise::ByOne => (i32::from(priority) + 1).min(Priority::Urgent.into()),
        };
        Priority::try_from(raised).unwrap_or(priority)
    }
}

impl Rung {
    /// Who is told.
    pub fn audience(&self) -> impl Iterator<Item = Audience> {
        self.notify.iter().filter_map(|audience| Audience::try_from(*audience).ok())
    }
}
