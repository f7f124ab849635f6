//! A file of definitions, read into the messages that the suite takes. The suite checks what they mean.

use std::{collections::BTreeMap, fs, path::Path};

use barometer_proto::metrics::v1::{
    self as wire, Definition, Direction, Filter, Part, Ratio, Sum, Term, Unit, Variant, definition::Expression,
    part::Measure,
};
use serde::Deserialize;

use crate::failure::Failure;
use crate::query::condition;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    metrics: Vec<Metric>,
}

/// A definition as it is written. What is missing is empty, so that the suite says whether it has to be there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    #[serde(default)]
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    unit: UnitText,
    #[serde(default)]
    direction: DirectionText,
    variant: Option<PartText>,
    ratio: Option<RatioText>,
    sum: Option<Vec<PartText>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RatioText {
    numerator: PartText,
    denominator: PartText,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartText {
    metric: String,
    #[serde(default)]
    name: String,
    count: Option<String>,
    amount: Option<String>,
    statistic: Option<String>,
    #[serde(default, rename = "where")]
    conditions: Vec<String>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    factor: Option<f64>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UnitText {
    #[default]
    #[serde(skip)]
    Unsaid,
    Count,
    Percent,
    Points,
    Money,
    Seconds,
    PerThousand,
    Ratio,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DirectionText {
    #[default]
    #[serde(skip)]
    Unsaid,
    Up,
    Down,
    Neutral,
}

/// Reads a file.
///
/// # Errors
/// When it can not be read, or is not such a file: with the line.
pub(super) fn read(path: &Path) -> Result<Vec<Definition>, Failure> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| Failure::data(format!("can not read {name}: {error}")))?;
    parse(&text).map_err(|told| Failure::data(format!("{name}{told}")))
}

fn parse(text: &str) -> Result<Vec<Definition>, String> {
    let written: Text = toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        let line = text.get(..offset).map_or(1, |before| before.matches('\n').count() + 1);
        format!(":{line}: {}", error.message())
    })?;
    written.metrics.into_iter().map(definition).collect()
}

fn definition(metric: Metric) -> Result<Definition, String> {
    let Metric { id, title, description, unit, direction, variant, ratio, sum } = metric;
    let wrong = |told: String| format!(": {id}: {told}");
    let expression = match (variant, ratio, sum) {
        (Some(part), None, None) => Some(Expression::Variant(variant_of(part).map_err(wrong)?)),
        (None, Some(RatioText { numerator, denominator }), None) => {
            let side = |part: PartText| part_of(part, false).map(|(part, _)| Some(part));
            let (numerator, denominator) = (side(numerator).map_err(wrong)?, side(denominator).map_err(wrong)?);
            Some(Expression::Ratio(Ratio { numerator, denominator }))
        }
        (None, None, Some(terms)) => {
            let term = |part: PartText| part_of(part, true).map(|(part, factor)| Term { part: Some(part), factor });
            let terms = terms.into_iter().map(term).collect::<Result<_, _>>().map_err(wrong)?;
            Some(Expression::Sum(Sum { terms }))
        }
        (None, None, None) => None,
        _ => return Err(wrong("is either a variant, or a ratio, or a sum".to_owned())),
    };
    let unit: Unit = unit.into();
    let direction: Direction = direction.into();
    let (unit, direction) = (unit.into(), direction.into());
    Ok(Definition { id, title, description, unit, direction, expression, ..Definition::default() })
}

fn variant_of(part: PartText) -> Result<Variant, String> {
    let is_plain = part.name.is_empty() && part.count.is_none() && part.amount.is_none() && part.statistic.is_none();
    if !is_plain {
        return Err("a variant is the value of a metric: it has no name, count, amount or statistic".to_owned());
    }
    let (Part { metric, filters, parameters, .. }, _) = part_of(part, false)?;
    Ok(Variant { metric, filters, parameters, metric_version: 0 })
}

/// A part, and its factor where it may have one.
fn part_of(part: PartText, is_term: bool) -> Result<(Part, Option<f64>), String> {
    let PartText { metric, name, count, amount, statistic, conditions, parameters, factor } = part;
    if factor.is_some() && !is_term {
        return Err("only terms of a sum have a factor".to_owned());
    }
    let measure = match (count, amount, statistic) {
        (None, None, None) => None,
        (Some(count), None, None) => Some(Measure::Count(count)),
        (None, Some(amount), None) => Some(Measure::Amount(amount)),
        (None, None, Some(statistic)) => Some(Measure::Statistic(statistic)),
        _ => return Err(format!("{metric}: only one of count, amount and statistic")),
    };
    let conditions: Result<Vec<_>, _> = conditions.iter().map(|text| condition::condition(text)).collect();
    let filters: Vec<Filter> = condition::filters(&conditions.map_err(|told| format!("where: {told}"))?);
    Ok((wire::Part { name, metric, measure, filters, parameters, metric_version: 0 }, factor))
}

impl From<UnitText> for Unit {
    fn from(text: UnitText) -> Self {
        match text {
            UnitText::Unsaid => Unit::Unspecified,
            UnitText::Count => Unit::Count,
            UnitText::Percent => Unit::Percent,
            UnitText::Points => Unit::Points,
            UnitText::Money => Unit::Money,
            UnitText::Seconds => Unit::Seconds,
            UnitText::PerThousand => Unit::PerThousand,
            UnitText::Ratio => Unit::Ratio,
        }
    }
}

impl From<DirectionText> for Direction {
    fn from(text: DirectionText) -> Self {
        match text {
            DirectionText::Unsaid => Direction::Unspecified,
            DirectionText::Up => Direction::Up,
            DirectionText::Down => Direction::Down,
            DirectionText::Neutral => Direction::Neutral,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_help_is_read() {
        let text: String = super::super::FORMAT
            .lines()
            .filter_map(|line| line.strip_prefix("  "))
            .map(|line| format!("{line}\n"))
            .collect();
        let definitions = parse(&text).expect("definitions");
        assert_eq!(definitions.len(), 3);
        let Some(Expression::Variant(variant)) = &definitions[0].expression else { panic!("{:?}", definitions[0]) };
        assert_eq!((variant.metric.as_str(), variant.filters.len(), variant.parameters.len()), ("nps", 1, 1));
        let Some(Expression::Ratio(Ratio { denominator, .. })) = &definitions[1].expression else {
            panic!("{:?}", definitions[1])
        };
        let denominator = denominator.as_ref().expect("a denominator");
        assert_eq!(denominator.measure, Some(Measure::Count("sales".to_owned())));
        assert!(denominator.filters[0].exclude);
        assert_eq!((definitions[1].unit(), definitions[1].direction()), (Unit::PerThousand, Direction::Down));
        let Some(Expression::Sum(Sum { terms })) = &definitions[2].expression else { panic!("{:?}", definitions[2]) };
        assert_eq!((terms.len(), terms[0].factor, terms[1].factor), (2, None, Some(1.0)));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let told = |text: &str| parse(text).expect_err("wrong");
        assert!(told("[[metrics]]\nid = 3\n").starts_with(":2: invalid type"), "{}", told("[[metrics]]\nid = 3\n"));
        assert!(told("[[metrics]]\nunits = \"x\"\n").starts_with(":2: unknown field"));
        let two = "[[metrics]]\nid = \"custom.a\"\nvariant = { metric = \"nps\" }\nsum = []\n";
        assert_eq!(told(two), ": custom.a: is either a variant, or a ratio, or a sum");
        let factor = "[[metrics]]\nid = \"custom.a\"\nvariant = { metric = \"nps\", factor = 2 }\n";
        assert_eq!(told(factor), ": custom.a: only terms of a sum have a factor");
        let condition = "[[metrics]]\nid = \"custom.a\"\nvariant = { metric = \"nps\", where = [\"web\"] }\n";
        assert!(told(condition).starts_with(": custom.a: where: expected DIMENSION=VALUE"));
    }
}
