//! Defined metrics in the shape of built-in ones, so that whatever is done with those is done with them.

use barometer_proto::metrics::v1::{Additivity, Unit};

use super::{BLANK, LEVEL, Metric, Parameter, Test, find, metrics::WILSON};
use crate::{
    definition::{self, Definition, Expression},
    query::{self, Condition, Table, defined},
};

/// What a defined metric is made of.
#[derive(Debug)]
pub(crate) struct Defined {
    pub(crate) combination: Combination,
    pub(crate) parts: Vec<Part>,
}

/// How parts make a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Combination {
    /// There is one, and its figures are those of the metric.
    Alone,
    /// The first over the second, times this.
    Ratio(f64),
    /// The same where the first is a part of the second, in percent.
    Share,
    /// Each times its factor, added up.
    Sum(Vec<f64>),
}

/// A number of a built-in metric.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) metric: &'static Metric,
    pub(crate) measure: Measure,
    pub(crate) filters: Vec<Condition>,
    /// Those that are set for good, by name.
    pub(crate) parameters: Vec<(String, String)>,
}

/// Which number of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    Value,
    Count(&'static str),
    Amount(&'static str),
    Statistic(&'static str),
}

impl Measure {
    /// That of a metric by its name.
    pub(crate) fn find(metric: &Metric, written: &definition::Measure) -> Option<Self> {
        let among = |names: &[&'static str], name: &str| names.iter().copied().find(|known| *known == name);
        match written {
            definition::Measure::Value => Some(Measure::Value),
            definition::Measure::Count(name) => among(metric.counts, name).map(Measure::Count),
            definition::Measure::Amount(name) => among(metric.amounts, name).map(Measure::Amount),
            definition::Measure::Statistic(name) => among(metric.statistics, name).map(Measure::Statistic),
        }
    }

    pub(crate) fn unit(self, metric: &Metric) -> Unit {
        match self {
            Measure::Count(_) => Unit::Count,
            Measure::Amount(_) => Unit::Money,
            Measure::Value | Measure::Statistic(_) => metric.unit,
        }
    }

    /// How it adds up.
    fn additivity(self, metric: &Metric) -> Additivity {
        match (self, metric.additivity) {
            (Measure::Count(name), _) if metric.computed.contains(&name) => Additivity::None,
            // Each counts once in a period.
            (Measure::Count("customers"), _) => Additivity::None,
            (Measure::Statistic(_), _) => Additivity::None,
            (Measure::Count(_) | Measure::Amount(_), Additivity::Counts) => Additivity::Sum,
            (Measure::Value, Additivity::Counts) => Additivity::None,
            (_, as_metric) => as_metric,
        }
    }
}

impl Part {
    fn of(part: &definition::Part, name: &'static str) -> Option<Self> {
        let metric = find(&part.metric)?;
        Some(Part {
            name,
            metric,
            measure: Measure::find(metric, &part.measure)?,
            filters: part.filters.clone(),
            parameters: part.parameters.clone().into_iter().collect(),
        })
    }

    /// Whether it is 0 where there is nothing.
    pub(crate) fn adds_up(&self) -> bool {
        let is_sum = matches!(self.measure.additivity(self.metric), Additivity::Sum | Additivity::Groups);
        is_sum || matches!(self.measure, Measure::Count(_) | Measure::Amount(_))
    }

    fn unit(&self) -> Unit {
        self.measure.unit(self.metric)
    }

    fn is_count(&self) -> bool {
        self.unit() == Unit::Count
    }

    /// Whether what this counts is among what the other counts, whatever the facts: what a metric counts that looks back, as who is
    /// new, depends on which facts it sees.
    fn is_within(&self, whole: &Part) -> bool {
        let counts = |part: &Part| match part.measure {
            Measure::Count(name) if !part.metric.computed.contains(&name) => Some((part.metric.id, name)),
            _ => None,
        };
        let is_of_its_period = matches!(self.metric.additivity, Additivity::Sum | Additivity::Counts)
            && !self.metric.is_state
            && !self.metric.looks_back;
        is_of_its_period
            && counts(self).is_some()
            && counts(self) == counts(whole)
            && self.parameters == whole.parameters
            && self.filters.len() > whole.filters.len()
            && whole.filters.iter().all(|filter| self.filters.iter().any(|own| own.is_same(filter)))
    }

    /// In words.
    fn describe(&self) -> String {
        let Part { metric, measure, filters, parameters, .. } = self;
        let number = match measure {
            Measure::Value => format!("`{}`", metric.id),
            Measure::Count(name) | Measure::Amount(name) | Measure::Statistic(name) => {
                format!("`{name}` of `{}`", metric.id)
            }
        };
        format!("{number}{}", conditions(filters, parameters))
    }
}

/// The metric of a definition in a version. `None` when it is of metrics, or of versions of them, that this program does not have.
///
/// It is kept as long as the process: definitions are few and never deleted, each version is made once.
pub(crate) fn metric(id: &str, version: i32, definition: &Definition) -> Option<&'static Metric> {
    let part = |part: &definition::Part| Part::of(part, keep(&part.name));
    let parts: Vec<_> = definition.expression.parts().into_iter().map(part).collect::<Option<_>>()?;
    // A figure of another definition would be told under this version.
    if definition
        .expression
        .parts()
        .iter()
        .zip(&parts)
        .any(|(written, part)| written.metric_version != part.metric.version)
    {
        return None;
    }
    let combination = combination(definition, &parts);
    let of_parts = match combination {
        Combination::Alone => variant(parts.first()?),
        _ => combined(&parts, &combination),
    };
    let formula = formula(&parts, &combination);
    let (direction, unit) = match combination {
        Combination::Alone => (of_parts.direction, of_parts.unit),
        _ => (definition.direction(), definition.unit()),
    };
    Some(Box::leak(Box::new(Metric {
        id: keep(id),
        version,
        title: keep(&definition.title),
        description: keep(&definition.description),
        formula: keep(&formula),
        example: keep(&format!("barometer query {id}")),
        unit,
        direction,
        defined: Some(Box::leak(Box::new(Defined { combination, parts }))),
        extent: defined::extent,
        answer: defined::answer,
        ..of_parts
    })))
}

/// How it is computed, in words, of what was checked.
pub(crate) fn formula_of(definition: &Definition) -> String {
    // Nothing is kept of these: they have no names.
    let parts: Option<Vec<_>> = definition.expression.parts().into_iter().map(|part| Part::of(part, "")).collect();
    parts.map(|parts| formula(&parts, &combination(definition, &parts))).unwrap_or_default()
}

fn combination(definition: &Definition, parts: &[Part]) -> Combination {
    match (&definition.expression, parts) {
        (Expression::Variant(_), _) => Combination::Alone,
        (Expression::Sum(terms), _) => Combination::Sum(terms.iter().map(|(_, factor)| factor.0).collect()),
        (Expression::Ratio { .. }, parts) => match (definition.unit(), parts) {
            (Unit::Percent, [part, whole]) if part.is_within(whole) => Combination::Share,
            (Unit::Percent, _) => Combination::Ratio(100.0),
            (Unit::PerThousand, _) => Combination::Ratio(1_000.0),
            _ => Combination::Ratio(1.0),
        },
    }
}

/// As the metric, but without the parameters that are set.
fn variant(part: &Part) -> Metric {
    Metric { parameters: Vec::leak(free_of(part).collect()), ..*part.metric }
}

/// What of a ratio or a sum follows from its parts.
fn combined(parts: &[Part], combination: &Combination) -> Metric {
    let metrics = || parts.iter().map(|part| part.metric);
    let is_share = *combination == Combination::Share;
    let names = |fits: fn(&Part) -> bool| list(parts.iter().filter(|part| fits(part)).map(|part| part.name));
    let is_amount = |part: &Part| matches!(part.measure, Measure::Amount(_));
    let mut parameters: Vec<&'static Parameter> = Vec::new();
    for parameter in parts.iter().flat_map(free_of).chain(is_share.then_some(&LEVEL)) {
        let is_known = parameters.iter().any(|known| known.name == parameter.name);
        parameters.extend((!is_known).then_some(parameter));
    }
    let sample = match (combination, parts) {
        (Combination::Ratio(_) | Combination::Share, [_, denominator]) if denominator.is_count() => {
            vec![denominator.name]
        }
        _ => Vec::new(),
    };
    Metric {
        sources: list(metrics().flat_map(|metric| metric.sources.iter().copied())),
        parameters: Vec::leak(parameters),
        counts: names(Part::is_count),
        computed: names(|part| part.is_count() && !is_fact_count(part)),
        amounts: names(is_amount),
        statistics: names(|part| !part.is_count() && !matches!(part.measure, Measure::Amount(_))),
        interval: if is_share { WILSON } else { "" },
        always_grouped_by: list(metrics().flat_map(|metric| metric.always_grouped_by.iter().copied())),
        sample: list(sample),
        lowest: is_share.then_some(0.0),
        highest: is_share.then_some(100.0),
        additivity: additivity(parts, combination),
        test: if is_share { Test::Share } else { Test::None },
        is_state: metrics().any(|metric| metric.is_state),
        stands: metrics().any(|metric| metric.stands),
        granularity: metrics().map(|metric| metric.granularity).max().unwrap_or_default(),
        awaits: metrics().map(|metric| metric.awaits).find(|awaits| !awaits.is_empty()).unwrap_or_default(),
        ..BLANK
    }
}

fn additivity(parts: &[Part], combination: &Combination) -> Additivity {
    let all =
        |additivity: &[Additivity]| parts.iter().all(|part| additivity.contains(&part.measure.additivity(part.metric)));
    let groups = |part: &Part| groups_of(part.metric, &part.filters);
    let are_alike = parts.iter().all(|part| groups(part) == groups(&parts[0]));
    let is_latest = |part: &Part| part.parameters.iter().any(|(name, _)| name == "latest_per_customer");
    match combination {
        _ if !are_alike || parts.iter().any(is_latest) => Additivity::None,
        Combination::Sum(_) if all(&[Additivity::Sum]) => Additivity::Sum,
        Combination::Sum(_) if all(&[Additivity::Sum, Additivity::Groups]) => Additivity::Groups,
        Combination::Ratio(_) | Combination::Share if all(&[Additivity::Sum]) => Additivity::Counts,
        _ => Additivity::None,
    }
}

/// Whether facts add to it one by one.
fn is_fact_count(part: &Part) -> bool {
    matches!(part.measure, Measure::Count(name) if !part.metric.computed.contains(&name))
}

/// The parameters that a query may give.
fn free_of(part: &Part) -> impl Iterator<Item = &'static Parameter> + '_ {
    let is_set = |parameter: &&Parameter| part.parameters.iter().any(|(name, _)| name == parameter.name);
    part.metric.parameters.iter().copied().filter(move |parameter| !is_set(parameter))
}

fn formula(parts: &[Part], combination: &Combination) -> String {
    let described = || parts.iter().map(Part::describe);
    match combination {
        Combination::Alone => {
            let of = |part: &Part| {
                format!("{}{}", part.metric.formula.trim_end_matches('.'), conditions(&part.filters, &part.parameters))
            };
            parts.first().map(of).unwrap_or_default()
        }
        Combination::Ratio(times) => {
            let ratio = described().collect::<Vec<_>>().join(" / ");
            if *times == 1.0 { ratio } else { format!("{times} × {ratio}") }
        }
        Combination::Share => format!("100 × {}", described().collect::<Vec<_>>().join(" / ")),
        Combination::Sum(factors) => {
            let term =
                |(text, factor): (String, &f64)| if *factor == 1.0 { text } else { format!("{factor} × {text}") };
            described().zip(factors).map(term).collect::<Vec<_>>().join(" + ")
        }
    }
}

fn conditions(filters: &[Condition], parameters: &[(String, String)]) -> String {
    let filters: Vec<_> = filters.iter().map(Condition::describe).collect();
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| format!("`{name}` = {value}")).collect();
    let filters = if filters.is_empty() { String::new() } else { format!(" where {}", filters.join(" and ")) };
    let parameters = if parameters.is_empty() { String::new() } else { format!(" with {}", parameters.join(", ")) };
    format!("{filters}{parameters}")
}

/// The units that a ratio of numbers of these units may have.
pub(crate) fn units_of_ratio(numerator: Unit, denominator: Unit) -> Vec<Unit> {
    match (numerator, denominator) {
        (same, other) if same == other => vec![Unit::Percent, Unit::PerThousand, Unit::Ratio],
        (_, Unit::Count) => vec![numerator],
        _ => vec![Unit::PerThousand, Unit::Ratio],
    }
}

/// What a part is always grouped by.
pub(crate) fn groups_of(metric: &Metric, filters: &[Condition]) -> Vec<&'static str> {
    query::implied(metric, &[], filters).collect()
}

impl Metric {
    /// The tables whose dimensions it has.
    pub(crate) fn tables(&self) -> Vec<Table> {
        match self.defined {
            Some(defined) => defined.parts.iter().map(|part| part.metric.table).collect(),
            None => vec![self.table],
        }
    }

    /// The built-in dimensions that it can be grouped and filtered by.
    pub(crate) fn dimensions(&self) -> Vec<&'static str> {
        let tables = self.tables();
        let (first, others) = tables.split_first().map_or((self.table, &[][..]), |(first, others)| (*first, others));
        let in_all = |name: &&&str| others.iter().all(|table| table.dimensions().contains(*name));
        first.dimensions().iter().filter(in_all).copied().collect()
    }

    /// What a count means, in plain words.
    pub(crate) fn meaning(&self, count: &str) -> String {
        match self.defined {
            None => super::meaning(self.id, count).to_owned(),
            Some(defined) => match defined.parts.iter().find(|part| part.name == count) {
                Some(part) if defined.combination != Combination::Alone => part.describe(),
                _ => defined
                    .parts
                    .first()
                    .map(|part| super::meaning(part.metric.id, count).to_owned())
                    .unwrap_or_default(),
            },
        }
    }
}

/// Texts without repetition, kept as long as the process.
fn list<T: Copy + PartialEq + 'static>(items: impl IntoIterator<Item = T>) -> &'static [T] {
    let mut all: Vec<T> = Vec::new();
    for item in items {
        if !all.contains(&item) {
            all.push(item);
        }
    }
    Vec::leak(all)
}

fn keep(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}
