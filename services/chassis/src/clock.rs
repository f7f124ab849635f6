//! Time: instants as they are stored, and the one place that reads the wall clock.

use std::fmt;

use prost_types::Timestamp;
use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};

/// An instant in microseconds since 1970-01-01T00:00:00Z; what rows and figures keep.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, DeriveValueType,
)]
pub struct Micros(pub i64);

impl Micros {
    /// One second.
    pub const SECOND: i64 = 1_000_000;
    /// One day of 24 hours.
    pub const DAY: i64 = 86_400 * Self::SECOND;

    /// The instant now, by the wall clock.
    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now() -> Self {
        Micros(jiff::Timestamp::now().as_microsecond())
    }

    /// From the wire; digits beyond the microsecond are cut. `None` when it lies outside of the years 1 to 9999.
    pub fn from_wire(at: &Timestamp) -> Option<Self> {
        let nanos = u32::try_from(at.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
        let micros = at.seconds.checked_mul(Self::SECOND)?.checked_add(i64::from(nanos / 1_000))?;
        (MIN..=MAX).contains(&at.seconds).then_some(Micros(micros))
    }

    /// To the wire.
    pub fn to_wire(self) -> Timestamp {
        let nanos = i32::try_from(self.0.rem_euclid(Self::SECOND) * 1_000).unwrap_or_default();
        Timestamp { seconds: self.0.div_euclid(Self::SECOND), nanos }
    }
}

/// As RFC 3339, in UTC.
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(at) => at.fmt(f),
            Err(_) => write!(f, "{} µs", self.0),
        }
    }
}

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds.
const MIN: i64 = -62_135_596_800;
const MAX: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_keep_microseconds_before_and_after_the_epoch() {
        for (seconds, nanos) in [(0, 0), (-1, 999_999_000), (1_495_000_000, 123_456_000), (MIN, 0), (MAX, 999_999_000)]
        {
            let wire = Timestamp { seconds, nanos };
            assert_eq!(Micros::from_wire(&wire).map(Micros::to_wire), Some(wire));
        }
        assert_eq!(Micros::from_wire(&Timestamp { seconds: 0, nanos: 1_999 }), Some(Micros(1)));
        assert_eq!(Micros::from_wire(&Timestamp { seconds: 0, nanos: -1 }), None);
        assert_eq!(Micros::from_wire(&Timestamp { seconds: MAX + 1, nanos: 0 }), None);
    }
}
