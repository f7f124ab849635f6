//! Case clocks: row → message.

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1::{self as wire, DurationUnit, FactKind, fact};

use crate::{
    case_clock::Model,
    clock::{Amount, Unit},
};

/// A clock for watchers.
pub(crate) fn case_clock_fact(row: Model) -> wire::Fact {
    let Model {
        id,
        number,
        position: _,
        version,
        case_id,
        case_number,
        kind,
        instance,
        state,
        start_time,
        due_time,
        stop_time,
        target_amount,
        target_unit,
        held,
        allowed,
        used,
        working_micros,
        elapsed_micros,
        policy_name,
        policy_set_version,
        calendar_id,
        calendar_version,
        create_time: _,
        update_time,
        withdraw_time,
    } = row;
    if withdraw_time.is_some() {
        let gone = fact::Fact::Tombstone(wire::Tombstone { kind: FactKind::CaseClock.into() });
        return super::fact(id, number, version, update_time, gone);
    }
    let unit = DurationUnit::try_from(target_unit).ok().and_then(Unit::from_wire);
    let amount = |count| unit.map(|unit| Amount::of(unit, count).to_wire());
    let clock = wire::CaseClockFact {
        case_id: case_id.to_string(),
        case_number,
        kind,
        instance,
        state,
        start_time: Some(start_time.to_wire()),
        due_time: due_time.map(Micros::to_wire),
        stop_time: stop_time.map(Micros::to_wire),
        target: Some(wire::ClockDuration { amount: target_amount, unit: target_unit }),
        held,
        allowed: amount(allowed),
        used: used.and_then(amount),
        working_micros,
        elapsed_micros,
        policy_name,
        policy_set_version,
        calendar_id: calendar_id.to_string(),
        calendar_version,
    };
    super::fact(id, number, version, update_time, fact::Fact::CaseClock(clock))
}
