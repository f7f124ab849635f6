//! Erasures and exports: row → message.

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1::{self as wire, ErasedKind, export_customer_response::Item};

use crate::{
    erasure::{Model, action},
    incident_customer, survey_answer,
};

/// A receipt for callers.
pub(crate) fn render_erasure(row: Model) -> wire::Erasure {
    let Model { id, customer_hash: _, customer_id: _, anonymous_id: _, counts, actor: _, create_time, end_time } = row;
    let count = |(kind, found): (i32, i64)| wire::ErasureCount {
        kind,
        found,
        action: action(ErasedKind::try_from(kind).unwrap_or_default()).into(),
    };
    wire::Erasure {
        erasure_id: id.to_string(),
        done: end_time.is_some(),
        counts: counts.0.into_iter().map(count).collect(),
        create_time: Some(create_time.to_wire()),
        end_time: end_time.map(Micros::to_wire),
    }
}

/// An incident that affects a customer.
pub(crate) fn render_affecting(row: incident_customer::Model) -> Item {
    Item::Incident(wire::AffectingIncident {
        incident_id: row.incident_id.to_string(),
        create_time: Some(row.create_time.to_wire()),
    })
}

/// What is known of an answer.
pub(crate) fn render_answer(row: survey_answer::Model) -> Item {
    let survey_answer::Model {
        response_id,
        survey_id,
        customer_id: _,
        score,
        time,
        gone: _,
        generation: _,
        version: _,
    } = row;
    Item::Answer(wire::KnownAnswer {
        response_id: response_id.to_string(),
        survey_id: survey_id.to_string(),
        score,
        time: Some(time.to_wire()),
    })
}
