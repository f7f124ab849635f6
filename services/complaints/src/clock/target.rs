//! What a policy demands of the clocks of a case.

use barometer_chassis::{clock::Micros, door::Door};
use barometer_proto::complaints::v1 as wire;
use serde::{Deserialize, Serialize};

/// What a clock waits for; see `ClockKind` in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// That the customer is told that the case came in.
    Acknowledgement,
    /// A first answer.
    FirstResponse,
    /// An answer to what the customer wrote since.
    NextResponse,
    /// That the customer hears how it stands.
    PeriodicUpdate,
    /// That it is resolved for the first time.
    Resolution,
    /// That it is resolved for good.
    TotalResolution,
    /// The legal deadline of the final response.
    FinalResponse,
}

/// In what a target is measured; see `DurationUnit` in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Round the clock.
    ElapsedMinutes,
    /// In working time.
    WorkingMinutes,
    /// Days with working time.
    WorkingDays,
    /// Days of the local date.
    CalendarDays,
    /// Seven calendar days.
    Weeks,
    /// As many calendar days as they have from the start.
    Months,
}

/// How long something may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// At least 1, at most [`Unit::most`].
    pub amount: u32,
    /// Of what.
    pub unit: Unit,
}

/// Which waits a clock stands still for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pauses {
    /// Waiting for the customer.
    pub customer: bool,
    /// Waiting for a third party.
    pub third_party: bool,
}

/// What a policy demands of one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockTarget {
    /// Which clock.
    pub kind: Kind,
    /// How long it may take.
    pub target: Target,
    /// How long once a holding response was sent in time: of the same unit and longer.
    pub holding: Option<Target>,
    /// What it stands still for.
    pub pauses: Pauses,
}

impl Kind {
    /// All, in their order.
    pub const ALL: [Kind; 7] = [
        Kind::Acknowledgement,
        Kind::FirstResponse,
        Kind::NextResponse,
        Kind::PeriodicUpdate,
        Kind::Resolution,
        Kind::TotalResolution,
        Kind::FinalResponse,
    ];

    /// Its place among all.
    pub(super) fn index(self) -> usize {
        self as usize
    }

    /// What it stands still for when a policy does not say.
    pub fn default_pauses(self) -> Pauses {
        Pauses { customer: matches!(self, Kind::Resolution | Kind::TotalResolution), third_party: false }
    }

    /// From the wire; nothing of what is unspecified.
    pub fn from_wire(kind: wire::ClockKind) -> Option<Kind> {
        Some(match kind {
            wire::ClockKind::Unspecified => return None,
            wire::ClockKind::Acknowledgement => Kind::Acknowledgement,
            wire::ClockKind::FirstResponse => Kind::FirstResponse,
            wire::ClockKind::NextResponse => Kind::NextResponse,
            wire::ClockKind::PeriodicUpdate => Kind::PeriodicUpdate,
            wire::ClockKind::Resolution => Kind::Resolution,
            wire::ClockKind::TotalResolution => Kind::TotalResolution,
            wire::ClockKind::FinalResponse => Kind::FinalResponse,
        })
    }

    /// To the wire.
    pub fn to_wire(self) -> wire::ClockKind {
        match self {
            Kind::Acknowledgement => wire::ClockKind::Acknowledgement,
            Kind::FirstResponse => wire::ClockKind::FirstResponse,
            Kind::NextResponse => wire::ClockKind::NextResponse,
            Kind::PeriodicUpdate => wire::ClockKind::PeriodicUpdate,
            Kind::Resolution => wire::ClockKind::Resolution,
            Kind::TotalResolution => wire::ClockKind::TotalResolution,
            Kind::FinalResponse => wire::ClockKind::FinalResponse,
        }
    }
}

impl Unit {
    /// The largest amount: ten years, a little more where they are days.
    pub fn most(self) -> u32 {
        match self {
            Unit::ElapsedMinutes | Unit::WorkingMinutes => 5_256_000,
            Unit::WorkingDays | Unit::CalendarDays => 3_660,
            Unit::Weeks => 522,
            Unit::Months => 120,
        }
    }

    /// Whether it counts time; otherwise it counts days.
    pub fn is_time(self) -> bool {
        matches!(self, Unit::ElapsedMinutes | Unit::WorkingMinutes)
    }

    /// From the wire; nothing of what is unspecified.
    pub fn from_wire(unit: wire::DurationUnit) -> Option<Unit> {
        Some(match unit {
            wire::DurationUnit::Unspecified => return None,
            wire::DurationUnit::ElapsedMinutes => Unit::ElapsedMinutes,
            wire::DurationUnit::WorkingMinutes => Unit::WorkingMinutes,
            wire::DurationUnit::WorkingDays => Unit::WorkingDays,
            wire::DurationUnit::CalendarDays => Unit::CalendarDays,
            wire::DurationUnit::Weeks => Unit::Weeks,
            wire::DurationUnit::Months => Unit::Months,
        })
    }

    /// To the wire.
    pub fn to_wire(self) -> wire::DurationUnit {
        match self {
            Unit::ElapsedMinutes => wire::DurationUnit::ElapsedMinutes,
            Unit::WorkingMinutes => wire::DurationUnit::WorkingMinutes,
            Unit::WorkingDays => wire::DurationUnit::WorkingDays,
            Unit::CalendarDays => wire::DurationUnit::CalendarDays,
            Unit::Weeks => wire::DurationUnit::Weeks,
            Unit::Months => wire::DurationUnit::Months,
        }
    }
}

impl Target {
    /// As an amount of what a clock with a target of that unit counts, in microseconds or days; none when it counts something
    /// else. Months differ in length.
    pub fn of_unit(self, unit: Unit) -> Option<i64> {
        let amount = i64::from(self.amount);
        match (unit, self.unit) {
            (Unit::ElapsedMinutes, Unit::ElapsedMinutes) | (Unit::WorkingMinutes, Unit::WorkingMinutes) => {
                Some(amount * 60 * Micros::SECOND)
            }
            (Unit::WorkingDays, Unit::WorkingDays) => Some(amount),
            (Unit::CalendarDays | Unit::Weeks | Unit::Months, Unit::CalendarDays) => Some(amount),
            (Unit::CalendarDays | Unit::Weeks | Unit::Months, Unit::Weeks) => Some(7 * amount),
            _ => None,
        }
    }

    /// From a message; what is wrong is noted under its fields.
    pub fn parse(door: &mut Door, message: wire::ClockDuration) -> Target {
        let wire::ClockDuration { amount, unit } = message;
        // What is wrong with the unit is noted; the amount is then checked against the smallest range.
        let unit = Unit::from_wire(door.choice("unit", unit)).unwrap_or(Unit::Months);
        let checked = u32::try_from(amount).ok().filter(|amount| (1..=unit.most()).contains(amount));
        if checked.is_none() {
            door.refuse("amount", "OUT_OF_RANGE", format!("is not within 1 and {} of this unit", unit.most()));
        }
        Target { amount: checked.unwrap_or(1), unit }
    }

    /// To the wire.
    pub fn to_wire(self) -> wire::ClockDuration {
        let Target { amount, unit } = self;
        wire::ClockDuration { amount: i32::try_from(amount).unwrap_or(i32::MAX), unit: unit.to_wire().into() }
    }
}

impl ClockTarget {
    /// What holds of a clock that nothing but its length is said of.
    pub fn new(kind: Kind, amount: u32, unit: Unit) -> ClockTarget {
        ClockTarget { kind, target: Target { amount, unit }, holding: None, pauses: kind.default_pauses() }
    }

    /// From a message; what is wrong is noted under its fields.
    pub fn parse(door: &mut Door, message: wire::ClockTarget) -> ClockTarget {
        let wire::ClockTarget { kind, target, holding_target, pauses_for_customer, pauses_for_third_party } = message;
        let kind = Kind::from_wire(door.choice("kind", kind)).unwrap_or(Kind::FinalResponse);
        let target = door.required("target", target);
        let target = door.inside("target", |door| Target::parse(door, target));
        let holding = holding_target.map(|holding| door.inside("holding_target", |door| Target::parse(door, holding)));
        if let Some(holding) = holding {
            if kind != Kind::FinalResponse {
                door.refuse("holding_target", "NOT_OF_THIS_CLOCK", "is of FINAL_RESPONSE only");
            }
            if holding.unit != target.unit || holding.amount <= target.amount {
                door.refuse("holding_target", "CONTRADICTION", "is not longer than `target`, in the same unit");
            }
        }
        let default = kind.default_pauses();
        let pauses = Pauses {
            customer: pauses_for_customer.unwrap_or(default.customer),
            third_party: pauses_for_third_party.unwrap_or(default.third_party),
        };
        ClockTarget { kind, target, holding, pauses }
    }

    /// To the wire: with everything said that was left to defaults.
    pub fn to_wire(self) -> wire::ClockTarget {
        let ClockTarget { kind, target, holding, pauses: Pauses { customer, third_party } } = self;
        wire::ClockTarget {
            kind: kind.to_wire().into(),
            target: Some(target.to_wire()),
            holding_target: holding.map(Target::to_wire),
            pauses_for_customer: Some(customer),
            pauses_for_third_party: Some(third_party),
        }
    }
}

#[cfg(test)]
mod tests {
    use barometer_chassis::error::Error;

    use super::*;

    fn parse(message: wire::ClockTarget) -> Result<ClockTarget, Vec<String>> {
        Door::open(|door| ClockTarget::parse(door, message)).map_err(|error| match error {
            Error::Invalid(violations) => violations.iter().map(|v| format!("{} {}", v.field, v.reason)).collect(),
            other => panic!("{other}"),
        })
    }

    fn message(kind: wire::ClockKind, amount: i32, holding: Option<i32>) -> wire::ClockTarget {
        let days = |amount| wire::ClockDuration { amount, unit: wire::DurationUnit::WorkingDays.into() };
        wire::ClockTarget {
            kind: kind.into(),
            target: Some(days(amount)),
            holding_target: holding.map(days),
            ..wire::ClockTarget::default()
        }
    }

    #[test]
    fn targets_are_whole_and_within_their_ranges() {
        let good = parse(message(wire::ClockKind::FinalResponse, 15, Some(35))).expect("good");
        assert_eq!(good.holding, Some(Target { amount: 35, unit: Unit::WorkingDays }));
        assert_eq!(parse(good.to_wire()), Ok(good), "there and back");
        for (message, told) in [
            (wire::ClockTarget::default(), ["kind REQUIRED", "target REQUIRED"].as_slice()),
            (message(wire::ClockKind::Resolution, 0, None), &["target.amount OUT_OF_RANGE"]),
            (message(wire::ClockKind::Resolution, 3_661, None), &["target.amount OUT_OF_RANGE"]),
            (message(wire::ClockKind::Resolution, 1, Some(2)), &["holding_target NOT_OF_THIS_CLOCK"]),
            (message(wire::ClockKind::FinalResponse, 35, Some(15)), &["holding_target CONTRADICTION"]),
        ] {
            assert_eq!(parse(message).expect_err("wrong"), told);
        }
    }

    #[test]
    fn resolution_waits_for_the_customer_and_a_response_does_not() {
        for kind in Kind::ALL {
            let target = parse(message(kind.to_wire(), 1, None)).expect("good");
            assert_eq!(target.pauses.customer, matches!(kind, Kind::Resolution | Kind::TotalResolution), "{kind:?}");
            assert!(!target.pauses.third_party);
        }
        let asked =
            wire::ClockTarget { pauses_for_customer: Some(true), ..message(wire::ClockKind::FirstResponse, 1, None) };
        assert!(parse(asked).expect("good").pauses.customer);
    }
}
