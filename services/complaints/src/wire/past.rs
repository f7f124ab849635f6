//! Cases of the past: the instants of their course and what became of them, as callers give them.

use barometer_chassis::door::Door;
use barometer_proto::complaints::v1::{self as wire, case::State};
use prost_types::Timestamp;

use super::outcome::parse_outcome;
use crate::case::Model;

/// How a case of the past went, as the caller said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    /// When the customer was told that it came in.
    pub(crate) acknowledge: Option<Timestamp>,
    /// When the customer first got an answer.
    pub(crate) first_response: Option<Timestamp>,
    /// When it was resolved.
    pub(crate) resolve: Option<Timestamp>,
    /// When it was closed.
    pub(crate) close: Option<Timestamp>,
    /// What became of it.
    pub(crate) outcome: Option<wire::Outcome>,
}

/// Brings a new case as far as it has come; one instant must not lie before another that came first.
pub(crate) fn parse_past(door: &mut Door, mut case: Model, past: Past) -> Model {
    let mut last = ("open_time", case.open_time);
    let mut next = |door: &mut Door, field: &'static str, at: Option<Timestamp>| {
        let at = door.past_time(field, Some(at?));
        // What was refused already is 0.
        if at < last.1 && at.0 != 0 {
            door.refuse(field, "TOO_EARLY", format!("lies before `{}`", last.0));
        }
        last = (field, at);
        Some(at)
    };
    case.acknowledge_time = next(door, "acknowledge_time", past.acknowledge);
    let responded = next(door, "first_response_time", past.first_response);
    case.resolve_time = next(door, "resolve_time", past.resolve);
    case.close_time = next(door, "close_time", past.close);
    case.move_time = last.1;
    case.last_reply_time = case.acknowledge_time.max(responded).max(case.resolve_time);
    if case.close_time.is_some() && case.resolve_time.is_none() {
        door.refuse("close_time", "NOT_RESOLVED", "goes with `resolve_time` only");
    }
    case.outcome = past.outcome.map(|outcome| door.inside("outcome", |door| parse_outcome(door, outcome)));
    if case.outcome.is_some() && case.resolve_time.is_none() {
        door.refuse("outcome", "NOT_RESOLVED", "goes with `resolve_time` only");
    }
    case.decide_time = case.resolve_time.filter(|_| case.outcome.is_some());
    // Resolving answers the customer.
    case.first_response_time = responded.or(case.resolve_time);
    case.first_resolve_time = case.resolve_time;
    let state = match case {
        Model { close_time: Some(_), .. } => State::Closed,
        Model { resolve_time: Some(_), .. } => State::Resolved,
        Model { first_response_time: Some(_), .. } => State::InProgress,
        Model { acknowledge_time: Some(_), .. } => State::Acknowledged,
        _ => State::Received,
    };
    case.state = state.into();
    case
}
