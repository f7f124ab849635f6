//! Where customers stand as messages.

use barometer_chassis::clock::Micros;
use barometer_proto::metrics::v1 as wire;
use barometer_statistics::lifecycle::Stage;

use super::transition::{category, survey_type};
use crate::analysis::{
    answered::Stood,
    states::{Lifecycle, Loyalty, State},
};

/// The states of those asked for.
pub(crate) fn these(
    (states, _): (Vec<State>, String),
    freshness: Vec<wire::Freshness>,
) -> wire::BatchGetCustomerStatesResponse {
    wire::BatchGetCustomerStatesResponse { customer_states: states.into_iter().map(state).collect(), freshness }
}

/// A page of states.
pub(crate) fn page((states, next_page_token): (Vec<State>, String)) -> wire::ListCustomerStatesResponse {
    wire::ListCustomerStatesResponse { customer_states: states.into_iter().map(state).collect(), next_page_token }
}

fn state(state: State) -> wire::CustomerState {
    let State { customer, loyalty, last_activity, lifecycle } = state;
    let of_types = loyalty.into_iter().zip([false, true]);
    wire::CustomerState {
        customer_id: customer.to_string(),
        loyalty: of_types.filter_map(|(of, transactional)| Some(standing(of?, transactional))).collect(),
        last_activity_time: last_activity.map(|at| Micros(at).to_wire()),
        lifecycle: lifecycle.map_or(wire::LifecycleStage::Unspecified, stage).into(),
    }
}

fn standing(of: Loyalty, transactional: bool) -> wire::LoyaltyState {
    let Loyalty { last, since, former, answers } = of;
    let Stood { category: stands, score, at, number } = last;
    wire::LoyaltyState {
        survey_type: survey_type(transactional).into(),
        category: category(stands).into(),
        score: score.into(),
        answer_time: Some(Micros(at).to_wire()),
        answer_number: number,
        since_time: Some(Micros(since).to_wire()),
        former_category: former.map_or(wire::LoyaltyCategory::Unspecified, category).into(),
        answers: answers.into(),
    }
}

fn stage(lifecycle: Lifecycle) -> wire::LifecycleStage {
    match lifecycle {
        Lifecycle::In(Stage::New) => wire::LifecycleStage::New,
        Lifecycle::In(Stage::Returning) => wire::LifecycleStage::Returning,
        Lifecycle::In(Stage::Resurrecting) => wire::LifecycleStage::Resurrecting,
        Lifecycle::In(Stage::Dormant) => wire::LifecycleStage::Dormant,
        Lifecycle::Gone => wire::LifecycleStage::Gone,
    }
}
