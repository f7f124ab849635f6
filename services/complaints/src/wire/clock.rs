//! Questions about clocks: message to values.

use std::collections::HashSet;

use barometer_chassis::{clock::Micros, door::Door};
use barometer_proto::complaints::v1 as wire;
use uuid::Uuid;

use super::policy::parse_instant;
use crate::clock::Kind;

/// The most cases of a request.
const MAX_CASES: usize = 100;

pub(crate) fn parse_batch_get_clocks(door: &mut Door, request: wire::BatchGetClocksRequest) -> (Vec<Uuid>, Micros) {
    let wire::BatchGetClocksRequest { case_ids, time } = request;
    if case_ids.is_empty() {
        door.missing("case_ids");
    }
    let mut seen = HashSet::new();
    let ids = door.each("case_ids", case_ids, MAX_CASES, |door, id| {
        let id = door.id("", &id);
        if !id.is_nil() && !seen.insert(id) {
            door.refuse("", "TWICE", "stands there twice");
        }
        id
    });
    (ids, parse_instant(door, "time", time))
}

pub(crate) fn parse_explain_clock(door: &mut Door, request: wire::ExplainClockRequest) -> (Uuid, Kind, u32, Micros) {
    let wire::ExplainClockRequest { case_id, kind, instance, time } = request;
    let id = door.id("case_id", &case_id);
    let kind = Kind::from_wire(door.choice("kind", kind)).unwrap_or(Kind::FirstResponse);
    let instance = u32::try_from(instance).unwrap_or_else(|_| {
        door.refuse("instance", "OUT_OF_RANGE", "is negative");
        0
    });
    (id, kind, instance, parse_instant(door, "time", time))
}
