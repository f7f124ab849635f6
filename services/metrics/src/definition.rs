//! A metric that users define, as they wrote it: names, not yet what they stand for.

use std::collections::BTreeMap;

use barometer_proto::metrics::v1::{Direction, Unit};
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

use crate::query::Condition;

/// What the ids of these begin with, and no other's.
pub(crate) const PREFIX: &str = "custom.";

/// A definition that was checked. Kept as JSON in the row of its version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub(crate) struct Definition {
    pub(crate) title: String,
    pub(crate) description: String,
    /// As [`Unit`].
    pub(crate) unit: i32,
    /// As [`Direction`].
    pub(crate) direction: i32,
    pub(crate) expression: Expression,
}

/// What a defined metric is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expression {
    /// The value of a built-in metric, of some facts only.
    Variant(Part),
    /// One number over another.
    Ratio {
        /// What is divided.
        numerator: Part,
        /// By what.
        denominator: Part,
    },
    /// Numbers, each with its factor.
    Sum(Vec<(Part, Factor)>),
}

/// A number of a built-in metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Its name in rows.
    pub(crate) name: String,
    pub(crate) metric: String,
    /// The metric's version when it was written.
    pub(crate) metric_version: i32,
    pub(crate) measure: Measure,
    pub(crate) filters: Vec<Condition>,
    pub(crate) parameters: BTreeMap<String, String>,
}

/// Times what a number is added. Kept as text: not every reader of JSON gives back the same number, and another one would be another
/// version.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Factor(pub(crate) f64);

impl From<Factor> for String {
    fn from(factor: Factor) -> Self {
        factor.0.to_string()
    }
}

impl TryFrom<String> for Factor {
    type Error = std::num::ParseFloatError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Factor)
    }
}

/// Which number of a metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Measure {
    #[default]
    Value,
    Count(String),
    Amount(String),
    Statistic(String),
}

impl Definition {
    pub(crate) fn unit(&self) -> Unit {
        Unit::try_from(self.unit).unwrap_or_default()
    }

    pub(crate) fn direction(&self) -> Direction {
        Direction::try_from(self.direction).unwrap_or_default()
    }
}

impl Definition {
    /// The same, of the versions that its metrics have now. `None` when it is of them, or of later ones: then a newer program wrote
    /// it.
    pub(crate) fn brought_up(&self, version: impl Fn(&str) -> Option<i32>) -> Option<Self> {
        let mut definition = self.clone();
        let mut is_behind = false;
        for part in definition.expression.parts_mut() {
            let now = version(&part.metric).unwrap_or(part.metric_version);
            is_behind |= part.metric_version < now;
            part.metric_version = part.metric_version.max(now);
        }
        is_behind.then_some(definition)
    }
}

impl Expression {
    fn parts_mut(&mut self) -> Vec<&mut Part> {
        match self {
            Expression::Variant(part) => vec![part],
            Expression::Ratio { numerator, denominator } => vec![numerator, denominator],
            Expression::Sum(terms) => terms.iter_mut().map(|(part, _)| part).collect(),
        }
    }

    /// All its parts, in their order.
    pub(crate) fn parts(&self) -> Vec<&Part> {
        match self {
            Expression::Variant(part) => vec![part],
            Expression::Ratio { numerator, denominator } => vec![numerator, denominator],
            Expression::Sum(terms) => terms.iter().map(|(part, _)| part).collect(),
        }
    }
}

/// The name of a definition in an id, and the version that it asks for.
pub(crate) fn split(id: &str) -> Option<(&str, Option<i64>)> {
    if !id.starts_with(PREFIX) {
        return None;
    }
    match id.split_once('@') {
        None => Some((id, None)),
        // As it is written everywhere: no sign, no zero before it.
        Some((name, version)) => {
            let number = version.parse().ok().filter(|number: &i64| *number > 0 && number.to_string() == version);
            number.map(|number| (name, Some(number)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_follows_its_metrics_and_never_goes_back() {
        let part = |metric: &str, metric_version: i32| Part {
            name: metric.to_owned(),
            metric: metric.to_owned(),
            metric_version,
            measure: Measure::Value,
            filters: Vec::new(),
            parameters: BTreeMap::new(),
        };
        let definition = |first: i32, second: i32| Definition {
            title: "A".to_owned(),
            description: "B".to_owned(),
            unit: 7,
            direction: 1,
            expression: Expression::Ratio { numerator: part("nps", first), denominator: part("csat", second) },
        };
        let now = |metric: &str| (metric == "nps").then_some(3);
        assert_eq!(definition(2, 1).brought_up(now), Some(definition(3, 1)));
        assert_eq!(definition(3, 1).brought_up(now), None, "csat is not known here");
        assert_eq!(definition(4, 1).brought_up(now), None, "a newer program wrote it");
    }

    #[test]
    fn a_factor_is_read_as_it_was_written() {
        for factor in [1.0, -0.1, 1.0 / 3.0, 1e-7, 999_999.999_999, f64::MIN_POSITIVE] {
            let text = serde_json::to_string(&Factor(factor)).expect("text");
            assert_eq!(serde_json::from_str::<Factor>(&text).expect("a factor"), Factor(factor), "{text}");
        }
    }

    #[test]
    fn an_id_may_name_a_version() {
        assert_eq!(split("custom.web_nps"), Some(("custom.web_nps", None)));
        assert_eq!(split("custom.web_nps@12"), Some(("custom.web_nps", Some(12))));
        for wrong in
            ["nps", "nps@1", "custom.a@0", "custom.a@-1", "custom.a@+1", "custom.a@01", "custom.a@", "custom.a@1@2"]
        {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }
}
