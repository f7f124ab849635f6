//! The policy: what is promised to which cases. Rules that know neither the wire nor the database.

mod check;
mod conditions;
mod due;
mod effect;
#[cfg(test)]
mod tests;

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

pub(crate) use self::check::is_longer;
pub use self::{
    check::check,
    conditions::{AnyOf, Conditions, Subject, Subtrees},
    due::{Due, due_times},
    effect::{Effect, Standing, effects},
};
use crate::{
    calendar_version::CalendarId,
    clock::ClockTarget,
    ladder::{Ladder, Rung},
};

/// The most policies of a list.
pub const MAX_POLICIES: usize = 500;

/// An ordered list of policies, as it is published: the first that matches a case is the case's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct PolicyList(pub Vec<Policy>);

/// What is promised to the cases that meet its conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Unique in its list.
    pub name: String,
    /// Which cases it is for.
    pub conditions: Conditions,
    /// In which its working time is counted.
    pub calendar_id: CalendarId,
    /// At most one for each kind of clock.
    pub targets: Vec<ClockTarget>,
    /// What happens while its clocks run: at most one for each kind of clock that it has a target for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ladders: Vec<Ladder>,
    /// What happens while a promise is owed that was made in its cases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promise_steps: Vec<Rung>,
}

/// The policy of a case and its place in the list: the first that matches. None only of a list without a fallback, which
/// is never published.
pub fn choose<'p>(policies: &'p PolicyList, subject: &Subject) -> Option<(usize, &'p Policy)> {
    policies.0.iter().enumerate().find(|(_, policy)| policy.conditions.matches(subject))
}

/// For each policy that is never reached, the first before it that matches all that it would; both by their places.
///
/// Exact for pairs. What several policies match together, each a part, is not found.
pub fn unreachable(policies: &PolicyList) -> Vec<(usize, usize)> {
    let before = |place: usize, conditions: &Conditions| {
        let covers = |policy: &Policy| policy.conditions.include(conditions);
        policies.0.iter().take(place).position(covers)
    };
    let all = policies.0.iter().enumerate();
    all.filter_map(|(place, policy)| Some((place, before(place, &policy.conditions)?))).collect()
}
