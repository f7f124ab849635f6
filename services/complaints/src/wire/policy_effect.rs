//! What other policies would change: values to message.

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1 as wire;

use crate::{
    case::Model,
    policy::{Effect, Standing},
};

/// What would change for a case, with the name of the policy that it would be bound to.
pub(crate) fn render_effect(case: &Model, new_policy_name: String, clocks: Vec<Effect>) -> wire::PolicyEffect {
    wire::PolicyEffect {
        case_id: case.id.to_string(),
        policy_name: case.policy_name.clone(),
        policy_set_version: case.policy_set_version,
        new_policy_name,
        clocks: clocks.into_iter().map(render_clock).collect(),
    }
}

fn render_clock(effect: Effect) -> wire::ClockEffect {
    let Effect { kind, instance, now, then } = effect;
    let state = |standing: Option<Standing>| {
        standing.map_or(wire::clock::State::Unspecified, |standing| standing.state.to_wire()).into()
    };
    let due = |standing: Option<Standing>| standing.and_then(|standing| standing.due).map(Micros::to_wire);
    wire::ClockEffect {
        kind: kind.to_wire().into(),
        instance: i32::try_from(instance).unwrap_or(i32::MAX),
        state: state(now),
        due_time: due(now),
        new_state: state(then),
        new_due_time: due(then),
    }
}
