//! Values that several messages hold: money, keys, dimensions.

use std::collections::BTreeMap;

use barometer_proto::common::v1 as wire;
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

use super::Door;

/// The largest amount of money, in micro-units (1e-6) of its currency.
pub const MAX_MONEY: i64 = 9_000_000_000_000 * MICROS;
const MICROS: i64 = 1_000_000;
const NANOS_IN_MICRO: i32 = 1_000;
const MAX_DIMENSIONS: usize = 16;

/// A currency: three letters as in ISO 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Currency([u8; 3]);

impl Currency {
    /// From three capital letters.
    pub fn parse(code: &str) -> Option<Self> {
        let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Currency(letters))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// An amount of money: micro-units (1e-6) of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// The currency.
    pub currency: Currency,
    /// Micro-units, within ±[`MAX_MONEY`].
    pub micros: i64,
}

impl Amount {
    /// To the wire.
    pub fn to_wire(self) -> wire::Money {
        money(self.currency.as_str(), self.micros)
    }
}

/// Money for the wire from a currency's code and micro-units.
pub fn money(currency: &str, micros: i64) -> wire::Money {
    let nanos = i32::try_from(micros % MICROS).unwrap_or_default() * NANOS_IN_MICRO;
    wire::Money { currency_code: currency.to_owned(), units: micros / MICROS, nanos }
}

/// A key that a caller's own system gave.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExternalKey {
    /// The system; `default` when the caller named none.
    pub system: String,
    /// The key.
    pub value: String,
}

impl ExternalKey {
    /// To the wire.
    pub fn to_wire(&self) -> wire::ExternalId {
        wire::ExternalId { system: self.system.clone(), value: self.value.clone() }
    }
}

/// Declared dimensions: key to value, ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Dimensions(pub BTreeMap<String, String>);

/// The stages that the company has declared for its customers' journey, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stages(pub Vec<String>);

impl std::str::FromStr for Stages {
    type Err = String;

    /// From a list with commas.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let stages: Vec<String> = text.split(',').map(|stage| stage.trim().to_owned()).collect();
        let mut seen = std::collections::HashSet::new();
        match stages.iter().find(|stage| !(1..=64).contains(&stage.chars().count()) || !seen.insert(*stage)) {
            Some(bad) => Err(format!("`{bad}`: each stage is 1 to 64 characters and stands once")),
            None => Ok(Stages(stages)),
        }
    }
}

impl Door {
    /// A declared stage of the journey; empty when not given.
    pub fn stage(&mut self, field: &str, stage: String, declared: &Stages) -> String {
        if !stage.is_empty() && !declared.0.contains(&stage) {
            let known = declared.0.join(", ");
            self.refuse(field, "UNKNOWN_VALUE", format!("is none of the declared stages: {known}"));
        }
        stage
    }

    /// Money, or none.
    pub fn optional_money(&mut self, field: &str, money: Option<wire::Money>) -> Option<Amount> {
        let wire::Money { currency_code, units, nanos } = money?;
        self.inside(field, |door| {
            let currency = Currency::parse(&currency_code);
            if currency.is_none() {
                door.refuse("currency_code", "NOT_A_CURRENCY", "is not three capital letters as in ISO 4217");
            }
            if nanos.unsigned_abs() >= 1_000_000_000 || (units > 0 && nanos < 0) || (units < 0 && nanos > 0) {
                door.refuse("nanos", "OUT_OF_RANGE", "is not within ±999,999,999 with the sign of `units`");
                return None;
            }
            if nanos % NANOS_IN_MICRO != 0 {
                door.refuse("nanos", "TOO_PRECISE", "has more than six decimals: it must be a multiple of 1,000");
            }
            let micros = units.checked_mul(MICROS).and_then(|m| m.checked_add(i64::from(nanos / NANOS_IN_MICRO)));
            match micros.filter(|micros| (-MAX_MONEY..=MAX_MONEY).contains(micros)) {
                Some(micros) => currency.map(|currency| Amount { currency, micros }),
                None => {
                    door.refuse("units", "OUT_OF_RANGE", "is beyond ±9,000,000,000,000");
                    None
                }
            }
        })
    }

    /// Money that must not be negative, or none.
    pub fn optional_cost(&mut self, field: &str, money: Option<wire::Money>) -> Option<Amount> {
        let amount = self.optional_money(field, money);
        if amount.is_some_and(|amount| amount.micros < 0) {
            self.refuse(field, "OUT_OF_RANGE", "is negative");
        }
        amount
    }

    /// A key of a caller's system, or none.
    pub fn optional_key(&mut self, field: &str, key: Option<wire::ExternalId>) -> Option<ExternalKey> {
        let key = key?;
        Some(self.inside(field, |door| door.key(key)))
    }

    /// A key of a caller's system.
    pub fn key(&mut self, key: wire::ExternalId) -> ExternalKey {
        let wire::ExternalId { system, value } = key;
        let system = if system.is_empty() { "default".to_owned() } else { self.text("system", system, 64) };
        let value = self.required_text("value", value, 256);
        ExternalKey { system, value }
    }

    /// Declared dimensions: at most 16, none of them named like a built-in one.
    pub fn dimensions(&mut self, dimensions: BTreeMap<String, String>) -> Dimensions {
        if dimensions.len() > MAX_DIMENSIONS {
            self.refuse("dimensions", "TOO_MANY", format!("at most 16; there are {}", dimensions.len()));
            return Dimensions::default();
        }
        for (key, value) in &dimensions {
            let field = format!("dimensions.{key}");
            self.dimension_key(&field, key);
            if value.is_empty() {
                self.refuse(&field, "REQUIRED", "has no value: leave the dimension out instead");
            }
            self.text(&field, value.clone(), 128);
        }
        Dimensions(dimensions)
    }

    /// The name of a declared dimension.
    pub fn dimension_key(&mut self, field: &str, key: &str) {
        let well_formed = (1..=63).contains(&key.len())
            && key.starts_with(|c: char| c.is_ascii_lowercase())
            && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !well_formed {
            let rule = "a key is 1 to 63 of a-z, 0-9 and _, and starts with a letter";
            self.refuse(field, "NOT_A_DIMENSION", rule);
        } else if RESERVED.contains(&key) {
            self.refuse(field, "RESERVED", format!("`{key}` is the name of a built-in dimension"));
        }
    }
}

/// Names that built-in dimensions have, or that queries and imports use for something else.
const RESERVED: [&str; 44] = [
    "amount",
    "campaign",
    "case_state",
    "category",
    "channel",
    "cohort",
    "comment",
    "country",
    "country_now",
    "currency",
    "customer",
    "customer_country",
    "customer_id",
    "direction",
    "disposition",
    "employee",
    "end",
    "exit_page",
    "external_id",
    "journey_stage",
    "kind",
    "label",
    "landing_page",
    "language",
    "member",
    "member_now",
    "months_since",
    "outcome",
    "periods_since",
    "plan",
    "product",
    "reason",
    "score",
    "segment",
    "segment_now",
    "start",
    "survey",
    "survey_kind",
    "survey_type",
    "team",
    "tier",
    "tier_now",
    "touchpoint",
    "voucher",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn money(units: i64, nanos: i32) -> Option<Amount> {
        let wire = wire::Money { currency_code: "EUR".into(), units, nanos };
        Door::open(|door| door.optional_money("amount", Some(wire))).ok().flatten()
    }

    #[test]
    fn money_is_exact_to_six_decimals_and_bounded() {
        assert_eq!(money(12, 500_000_000).map(|a| a.micros), Some(12_500_000));
        assert_eq!(money(-12, -1_000).map(|a| a.micros), Some(-12_000_001));
        assert_eq!(money(0, -500_000_000).map(Amount::to_wire).map(|m| (m.units, m.nanos)), Some((0, -500_000_000)));
        let least = (i64::MIN / MICROS, i32::try_from(i64::MIN % MICROS).expect("small") * NANOS_IN_MICRO);
        for (units, nanos) in
            [(1, -1_000), (0, 1), (0, 1_000_000_000), (0, i32::MIN), (9_000_000_000_001, 0), (i64::MAX, 0), least]
        {
            assert_eq!(money(units, nanos), None, "{units} {nanos}");
        }
    }

    #[test]
    fn dimensions_are_declared_names_with_bounded_values() {
        let refused = |pairs: &[(&str, &str)]| {
            let dimensions = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            match Door::open(|door| door.dimensions(dimensions)) {
                Err(Error::Invalid(violations)) => violations.into_iter().map(|v| v.reason).collect::<Vec<_>>(),
                _ => vec![],
            }
        };
        use crate::error::Error;
        assert!(refused(&[("boarding_area", "A"), ("age", "45-54")]).is_empty());
        assert_eq!(refused(&[("Area", "A")]), ["NOT_A_DIMENSION"]);
        assert_eq!(refused(&[("tier", "gold")]), ["RESERVED"]);
        assert_eq!(refused(&[("age", "")]), ["REQUIRED"]);
    }

    #[test]
    fn reserved_names_are_in_order() {
        assert!(RESERVED.is_sorted());
    }
}
