//! Definitions as messages, and back.

use std::collections::BTreeSet;

use barometer_chassis::door::Door;
use barometer_proto::metrics::v1::{
    self as wire, Direction, Unit, definition::Expression as WireExpression, part::Measure as WireMeasure,
};

use crate::{
    catalogue::{self, Measure, Metric, formula_of, groups_of, units_of_ratio},
    definition::{self, Definition, Expression, Factor, PREFIX, Part},
    definition_version::Model,
    query::{Condition, Vocabulary, parse::parse_parameters, parse_filters},
};

const MAX_NAME: usize = 50;
const MAX_TITLE: usize = 100;
const MAX_DESCRIPTION: usize = 1_000;
const MAX_FILTERS: usize = 16;
const MAX_ID: usize = 64;
/// Of all filters together: they stand in the formula.
const MAX_VALUES: usize = 100;
const TERMS: std::ops::RangeInclusive<usize> = 2..=8;
const MOST: f64 = 1e6;
/// The metric whose rows are told apart by more than dimensions.
const COHORTS: &str = "cohort_retention";

/// A part beside the metric that it names.
type Known = (Part, &'static Metric, Measure);

/// Parses a definition and the id that it is to have. `None` only when something was refused.
pub(crate) fn parse(
    door: &mut Door,
    definition: wire::Definition,
    vocabulary: &Vocabulary,
) -> Option<(String, Definition)> {
    let wire::Definition {
        id,
        title,
        description,
        expression,
        unit,
        direction,
        version: _,
        formula: _,
        state: _,
        actor: _,
        create_time: _,
        update_time: _,
        retire_time: _,
        etag: _,
    } = definition;
    let id = parse_id(door, id);
    if expression.as_ref().is_some_and(|expression| values_of(expression) > MAX_VALUES) {
        door.refuse("expression", "TOO_MANY", format!("its filters name at most {MAX_VALUES} values together"));
        return None;
    }
    let title = door.required_text("title", title, MAX_TITLE);
    let description = door.required_text("description", description, MAX_DESCRIPTION);
    let unit: Unit = door.optional_choice("unit", unit);
    let direction: Direction = door.optional_choice("direction", direction);
    let (expression, unit, direction) = match expression {
        None => {
            door.refuse("expression", "REQUIRED", "is required: one of variant, ratio, sum");
            None
        }
        Some(WireExpression::Variant(variant)) => parse_variant(door, variant, unit, direction, vocabulary),
        Some(WireExpression::Ratio(ratio)) => parse_ratio(door, ratio, unit, direction, vocabulary),
        Some(WireExpression::Sum(sum)) => parse_sum(door, sum, unit, direction, vocabulary),
    }?;
    Some((id, Definition { title, description, unit: unit.into(), direction: direction.into(), expression }))
}

fn values_of(expression: &WireExpression) -> usize {
    let of = |filters: &[wire::Filter]| filters.iter().map(|filter| filter.values.len()).sum::<usize>();
    let of_part = |part: &Option<wire::Part>| part.as_ref().map_or(0, |part| of(&part.filters));
    match expression {
        WireExpression::Variant(variant) => of(&variant.filters),
        WireExpression::Ratio(ratio) => of_part(&ratio.numerator) + of_part(&ratio.denominator),
        WireExpression::Sum(sum) => sum.terms.iter().map(|term| of_part(&term.part)).sum(),
    }
}

/// The id of a definition as it is given to one of its verbs.
pub(crate) fn parse_id(door: &mut Door, id: String) -> String {
    let id = door.required_text("id", id, MAX_ID);
    let is_good = id.strip_prefix(PREFIX).is_some_and(is_name);
    if !id.is_empty() && !is_good {
        let told = format!("must be {PREFIX} and 1 to {MAX_NAME} of a-z, 0-9 and _, of which the first is a letter");
        door.refuse("id", "MALFORMED", told);
    }
    id
}

fn is_name(text: &str) -> bool {
    let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.len() <= MAX_NAME && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(is_good)
}

fn parse_variant(
    door: &mut Door,
    variant: wire::Variant,
    unit: Unit,
    direction: Direction,
    vocabulary: &Vocabulary,
) -> Option<(Expression, Unit, Direction)> {
    let wire::Variant { metric, filters, parameters, metric_version: _ } = variant;
    let part = wire::Part { metric, filters, parameters, ..wire::Part::default() };
    let (part, metric, _) = door.inside("variant", |door| {
        if part.filters.is_empty() && part.parameters.is_empty() {
            door.refuse("filters", "REQUIRED", "or parameters are required: without them it is the metric itself");
        }
        parse_part(door, part, vocabulary)
    })?;
    let unit = follows(door, "unit", unit, metric.unit);
    let direction = follows(door, "direction", direction, metric.direction);
    Some((Expression::Variant(part), unit, direction))
}

/// What may be left out, or said as it is.
fn follows<T: Default + PartialEq + Copy + std::fmt::Debug>(door: &mut Door, field: &str, said: T, is: T) -> T {
    if said != T::default() && said != is {
        door.refuse(field, "CONTRADICTS", format!("follows from what it is made of: {is:?}"));
    }
    is
}

fn parse_ratio(
    door: &mut Door,
    ratio: wire::Ratio,
    unit: Unit,
    direction: Direction,
    vocabulary: &Vocabulary,
) -> Option<(Expression, Unit, Direction)> {
    check_direction(door, direction);
    let wire::Ratio { numerator, denominator } = ratio;
    let side = |door: &mut Door, field: &str, part: Option<wire::Part>| {
        let part = door.required(field, part);
        door.inside(field, |door| parse_part(door, part, vocabulary))
    };
    let (numerator, denominator) = door.inside("ratio", |door| {
        let numerator = side(door, "numerator", numerator);
        let denominator = side(door, "denominator", denominator);
        let (numerator, denominator) = (numerator?, denominator?);
        check_together(door, &[("numerator", &numerator), ("denominator", &denominator)]);
        Some((numerator, denominator))
    })?;
    let units = units_of_ratio(numerator.2.unit(numerator.1), denominator.2.unit(denominator.1));
    if unit == Unit::Unspecified {
        door.missing("unit");
    } else if !units.contains(&unit) {
        let told: Vec<_> = units.iter().map(Unit::as_str_name).collect();
        door.refuse("unit", "CONTRADICTS", format!("a ratio of these may be in {}", told.join(", ")));
    }
    Some((Expression::Ratio { numerator: numerator.0, denominator: denominator.0 }, unit, direction))
}

fn parse_sum(
    door: &mut Door,
    sum: wire::Sum,
    unit: Unit,
    direction: Direction,
    vocabulary: &Vocabulary,
) -> Option<(Expression, Unit, Direction)> {
    check_direction(door, direction);
    let terms = door.inside("sum", |door| {
        if !TERMS.contains(&sum.terms.len()) {
            door.refuse("terms", "OUT_OF_RANGE", format!("must be {} to {}", TERMS.start(), TERMS.end()));
            return None;
        }
        let terms = door.each("terms", sum.terms, *TERMS.end(), |door, wire::Term { part, factor }| {
            let factor = factor.unwrap_or(1.0);
            if factor == 0.0 || !factor.is_finite() || factor.abs() > MOST {
                door.refuse("factor", "OUT_OF_RANGE", format!("must be between -{MOST} and {MOST}, and not 0"));
            }
            let part = door.required("part", part);
            door.inside("part", |door| Some((parse_part(door, part, vocabulary)?, factor)))
        });
        let terms: Vec<(Known, f64)> = terms.into_iter().collect::<Option<_>>()?;
        let fields: Vec<_> = (0..terms.len()).map(|index| format!("terms[{index}].part")).collect();
        let named: Vec<_> = fields.iter().map(String::as_str).zip(terms.iter().map(|(known, _)| known)).collect();
        check_together(door, &named);
        check_alike(door, &named);
        let units: Vec<_> = terms.iter().map(|((_, metric, measure), _)| measure.unit(metric)).collect();
        for (field, other) in fields.iter().zip(&units).skip(1) {
            if *other != units[0] {
                let told = format!("is in {}, the first term in {}", other.as_str_name(), units[0].as_str_name());
                door.refuse(field, "CONTRADICTS", told);
            }
        }
        Some((terms, *units.first()?))
    });
    let (terms, of_terms) = terms?;
    let unit = follows(door, "unit", unit, of_terms);
    Some((
        Expression::Sum(terms.into_iter().map(|((part, ..), factor)| (part, Factor(factor))).collect()),
        unit,
        direction,
    ))
}

fn check_direction(door: &mut Door, direction: Direction) {
    if direction == Direction::Unspecified {
        door.missing("direction");
    }
}

fn parse_part(door: &mut Door, part: wire::Part, vocabulary: &Vocabulary) -> Option<Known> {
    let wire::Part { name, metric, measure, filters, parameters, metric_version: _ } = part;
    if metric.is_empty() {
        door.missing("metric");
        return None;
    }
    let Some(found) = catalogue::find(&metric) else {
        let known: Vec<_> = catalogue::METRICS.iter().map(|metric| metric.id).collect();
        door.refuse("metric", "UNKNOWN_METRIC", format!("is no built-in metric; there are {}", known.join(", ")));
        return None;
    };
    let (measure, field, known, default) = match measure {
        None => (definition::Measure::Value, "metric", &[][..], metric.clone()),
        Some(WireMeasure::Count(name)) => (definition::Measure::Count(name.clone()), "count", found.counts, name),
        Some(WireMeasure::Amount(name)) => (definition::Measure::Amount(name.clone()), "amount", found.amounts, name),
        Some(WireMeasure::Statistic(name)) => {
            (definition::Measure::Statistic(name.clone()), "statistic", found.statistics, name)
        }
    };
    let number = Measure::find(found, &measure);
    if number.is_none() {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        door.refuse(field, "UNKNOWN_VALUE", format!("is no {field} of {metric}; there are {known}"));
    }
    let name = if name.is_empty() && number.is_some() { default } else { name };
    if number.is_some() && !is_name(&name) {
        let told = format!("must be 1 to {MAX_NAME} of a-z, 0-9 and _, of which the first is a letter");
        door.refuse("name", "MALFORMED", told);
    }
    if filters.len() > MAX_FILTERS {
        door.refuse("filters", "TOO_MANY", format!("at most {MAX_FILTERS}"));
        return None;
    }
    let filters = parse_filters(door, filters, &[(found.table, found.id)], vocabulary);
    let chosen = parse_parameters(door, &parameters, &[found], &[]);
    if let Some(told) = chosen.contradiction() {
        door.refuse("parameters.interval", "OUT_OF_RANGE", told);
    }
    let part = Part { name, metric, metric_version: found.version, measure, filters, parameters };
    Some((part, found, number?))
}

/// Refuses what can not stand in one row: parts of the same name, cohorts, and groups that do not lie within one another.
fn check_together(door: &mut Door, parts: &[(&str, &Known)]) {
    let mut names = BTreeSet::new();
    for (field, (part, metric, _)) in parts {
        door.inside(field, |door| {
            if !names.insert(&part.name) {
                door.refuse("name", "REPEATED", format!("another part is called `{}`, too", part.name));
            }
            if metric.id == COHORTS {
                door.refuse("metric", "NOT_COMBINED", "is told by cohorts, which no other metric has");
            }
        });
    }
    let groups = |(part, metric, _): &Known| groups_of(metric, &part.filters).into_iter().collect::<BTreeSet<_>>();
    let widest = parts.iter().map(|(_, known)| groups(known)).max_by_key(BTreeSet::len).unwrap_or_default();
    for (field, known) in parts {
        if !groups(known).is_subset(&widest) {
            let told: Vec<_> = groups(known).into_iter().collect();
            let others: Vec<_> = widest.iter().copied().collect();
            let told = format!(
                "is always grouped by {}, another part by {}: neither is within the other",
                told.join(", "),
                others.join(", ")
            );
            door.inside(field, |door| door.refuse("metric", "NOT_COMBINED", told));
        }
    }
}

/// Refuses terms of which one is divided by what the others are not: it would be added to each of their groups, whole.
fn check_alike(door: &mut Door, parts: &[(&str, &Known)]) {
    let all: BTreeSet<_> = parts.iter().flat_map(|(_, (part, metric, _))| groups_of(metric, &part.filters)).collect();
    for (field, (_, metric, _)) in parts {
        let missing: Vec<_> = all.iter().copied().filter(|name| !metric.table.dimensions().contains(name)).collect();
        if !missing.is_empty() {
            let told = format!("is not divided by {}, as another term is", missing.join(", "));
            door.inside(field, |door| door.refuse("metric", "NOT_COMBINED", told));
        }
    }
}

/// A version of a definition.
pub(crate) fn render(row: Model) -> wire::Definition {
    let (state, etag) = (row.state(), row.etag());
    let Model { id: _, version, number: _, latest: _, name, definition, actor, create_time, update_time, retire_time } =
        row;
    let formula = formula_of(&definition);
    let Definition { title, description, unit, direction, expression } = definition;
    wire::Definition {
        id: name,
        version: i32::try_from(version).unwrap_or(i32::MAX),
        title,
        description,
        expression: Some(render_expression(expression)),
        unit,
        direction,
        formula,
        state: state.into(),
        actor,
        create_time: Some(create_time.to_wire()),
        update_time: Some(update_time.to_wire()),
        retire_time: retire_time.map(|at| at.to_wire()),
        etag,
    }
}

fn render_expression(expression: Expression) -> WireExpression {
    match expression {
        Expression::Variant(part) => {
            let wire::Part { metric, filters, parameters, metric_version, .. } = render_part(part);
            WireExpression::Variant(wire::Variant { metric, filters, parameters, metric_version })
        }
        Expression::Ratio { numerator, denominator } => WireExpression::Ratio(wire::Ratio {
            numerator: Some(render_part(numerator)),
            denominator: Some(render_part(denominator)),
        }),
        Expression::Sum(terms) => {
            let term =
                |(part, factor): (Part, Factor)| wire::Term { part: Some(render_part(part)), factor: Some(factor.0) };
            WireExpression::Sum(wire::Sum { terms: terms.into_iter().map(term).collect() })
        }
    }
}

fn render_part(part: Part) -> wire::Part {
    let Part { name, metric, metric_version, measure, filters, parameters } = part;
    let filter = |Condition { dimension, values, exclude }| wire::Filter { dimension, values, exclude };
    let filters = filters.into_iter().map(filter).collect();
    let measure = match measure {
        definition::Measure::Value => None,
        definition::Measure::Count(name) => Some(WireMeasure::Count(name)),
        definition::Measure::Amount(name) => Some(WireMeasure::Amount(name)),
        definition::Measure::Statistic(name) => Some(WireMeasure::Statistic(name)),
    };
    wire::Part { name, metric, measure, filters, parameters, metric_version }
}
