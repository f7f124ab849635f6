//! Figures against others: of another side, of everything else, or of one group.

mod overlap;
mod parse;
mod rest;

use std::collections::{BTreeMap, BTreeSet};

use barometer_chassis::error::Error;
use barometer_proto::metrics::v1::{Untested, Verdict};
use barometer_statistics::Level;

use super::adjusted;
use crate::{
    catalogue::{Metric, Test},
    columns::Facts,
    query::{
        Condition, Figure, Name, Query, Setting,
        evidence::{Evidence, Tested},
    },
};

pub(crate) use self::parse::parse;

/// What is asked, checked.
#[derive(Clone, Debug)]
pub(crate) struct Comparing {
    /// What both sides have in common; the time is that of the side.
    pub(crate) query: Query,
    pub(crate) side: Side,
    pub(crate) against: Against,
    pub(crate) adjustment: Adjustment,
}

/// One side of a comparison.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    pub(crate) start: Option<i64>,
    pub(crate) end: Option<i64>,
    pub(crate) filters: Vec<Condition>,
}

/// With what figures are compared.
#[derive(Clone, Debug)]
pub(crate) enum Against {
    Other(Side),
    Rest,
    /// The value of each dimension to group by.
    Reference(BTreeMap<String, String>),
}

/// How the chances of many comparisons are adjusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adjustment {
    FalseDiscoveryRate,
    None,
}

/// The comparisons of one metric, by group.
#[derive(Debug)]
pub(crate) struct Comparisons {
    pub(crate) metric: &'static Metric,
    pub(crate) level: Level,
    pub(crate) comparisons: Vec<Comparison>,
}

/// A figure, another one, and what is between them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) group: Name,
    pub(crate) figure: Option<Figure>,
    pub(crate) against: Option<Figure>,
    pub(crate) difference: Option<f64>,
    pub(crate) tested: Result<Tested, Untested>,
    pub(crate) adjusted: Option<f64>,
    pub(crate) verdict: Verdict,
}

/// A figure beside another one, and whether they share what they are made of.
struct Pair {
    group: Name,
    figure: Option<Figure>,
    against: Option<Figure>,
    overlap: bool,
}

impl Comparing {
    /// Compares the figures of all metrics, in their order. All comparisons are one family.
    ///
    /// Errors: as those of a query.
    pub(crate) fn run(&self, facts: &Facts) -> Result<Vec<Comparisons>, Error> {
        let level = self.query.parameters.level;
        let mut all = Vec::with_capacity(self.query.metrics.len());
        for metric in self.query.metrics.iter().copied() {
            let pairs = match &self.against {
                Against::Other(other) => self.sides(facts, metric, other)?,
                Against::Rest => rest::pairs(self, facts, metric)?,
                Against::Reference(group) => self.with_reference(facts, metric, group)?,
            };
            let comparisons = pairs.into_iter().map(|pair| pair.compare(metric, level)).collect();
            all.push(Comparisons { metric, level, comparisons });
        }
        self.judge(&mut all);
        Ok(all)
    }

    /// Says what to believe, of all comparisons at once.
    fn judge(&self, all: &mut [Comparisons]) {
        let mut comparisons: Vec<_> = all.iter_mut().flat_map(|of_metric| &mut of_metric.comparisons).collect();
        let p_values: Vec<_> = comparisons.iter().map(|of| of.tested.ok().map(|tested| tested.p_value)).collect();
        let p_values = match self.adjustment {
            Adjustment::FalseDiscoveryRate => adjusted(&p_values),
            Adjustment::None => p_values,
        };
        let chance = 1.0 - self.query.parameters.level.share();
        for (comparison, p_value) in comparisons.iter_mut().zip(p_values) {
            comparison.adjusted = p_value;
            let believed = p_value.is_some_and(|p_value| p_value < chance);
            comparison.verdict = match (comparison.tested, comparison.difference) {
                (Err(_), _) => Verdict::NotTested,
                // Adjusted counts of very few answers may lie on the other side of 0 than the figures.
                (Ok(tested), Some(difference)) if believed && difference > 0.0 && tested.statistic > 0.0 => {
                    Verdict::Higher
                }
                (Ok(tested), Some(difference)) if believed && difference < 0.0 && tested.statistic < 0.0 => {
                    Verdict::Lower
                }
                (Ok(_), _) => Verdict::NotShown,
            };
        }
    }

    /// The query of one side for one metric, of which everything is told: what may not be is left out later.
    fn ask(&self, metric: &'static Metric, side: &Side) -> Query {
        let Side { start, end, filters } = side;
        let filters = self.query.filters.iter().chain(filters).cloned().collect();
        // What may not be told of a part is known to that part alone.
        let has_parts = metric.defined.is_some_and(|defined| defined.parts.len() > 1);
        let minimum_sample = if has_parts { self.query.setting.minimum_sample } else { 0 };
        let setting = Setting { minimum_sample, ..self.query.setting };
        Query { metrics: vec![metric], start: *start, end: *end, filters, setting, ..self.query.clone() }
    }

    /// The figures of the same groups on two sides.
    fn sides(&self, facts: &Facts, metric: &'static Metric, other: &Side) -> Result<Vec<Pair>, Error> {
        let queries = [&self.side, other].map(|side| self.ask(metric, side));
        let [mut figures, mut others] = [by_group(&queries[0], facts)?, by_group(&queries[1], facts)?];
        let overlap = overlap::of_sides(self, facts, metric, other, [&figures, &others])?;
        let is_counted = |figure: &&Figure| figure.is_counted();
        let mut groups: BTreeSet<_> = figures.values().chain(others.values()).filter(is_counted).map(name).collect();
        if groups.is_empty() {
            groups = figures.values().chain(others.values()).map(name).collect();
        }
        let minimum = self.query.minimum_sample(metric);
        let told = |figure: Figure| figure.suppress(metric, minimum);
        let pairs = groups.into_iter().map(|group| Pair {
            figure: figures.remove(&group).map(told),
            against: others.remove(&group).map(told),
            overlap: overlap.has(&group),
            group,
        });
        Ok(pairs.collect())
    }

    /// The figures of all groups but one beside that one, each within what is not blended.
    fn with_reference(
        &self,
        facts: &Facts,
        metric: &'static Metric,
        reference: &BTreeMap<String, String>,
    ) -> Result<Vec<Pair>, Error> {
        let minimum = self.query.minimum_sample(metric);
        let families = overlap::families(self, facts, metric)?;
        let mut pairs = Vec::new();
        for family in families {
            let figures = family.figures.into_iter().map(|figure| figure.suppress(metric, minimum));
            let is_reference = |figure: &Figure| reference.iter().all(|(name, value)| has(&figure.group, name, value));
            let (mut of_reference, others): (Vec<_>, Vec<_>) = figures.partition(is_reference);
            let against = of_reference.pop();
            pairs.extend(others.into_iter().map(|figure| Pair {
                group: figure.group.clone(),
                figure: Some(figure),
                against: against.clone(),
                overlap: family.overlap,
            }));
        }
        Ok(pairs)
    }
}

impl Pair {
    fn compare(self, metric: &Metric, level: Level) -> Comparison {
        let Pair { group, figure, against, overlap } = self;
        let both = figure.as_ref().zip(against.as_ref());
        let values = both.and_then(|(figure, against)| Some((figure.measured.value?, against.measured.value?)));
        let known = || [&figure, &against].into_iter().flatten();
        let is_testable = known().any(|figure| figure.measured.evidence != Evidence::None);
        let has_value = known().any(|figure| figure.measured.value.is_some());
        let tested = match (both, values) {
            _ if known().any(|figure| figure.suppressed) => Err(Untested::Suppressed),
            _ if !is_testable && (metric.test == Test::None || has_value) => Err(Untested::NoTest),
            _ if overlap => Err(Untested::Overlap),
            (Some((figure, against)), Some(_)) => figure.measured.evidence.against(&against.measured.evidence, level),
            _ => Err(Untested::NoFacts),
        };
        let difference = values.map(|(value, other)| value - other);
        Comparison { group, figure, against, difference, tested, adjusted: None, verdict: Verdict::Unspecified }
    }
}

/// The figures of a query for one metric, by group.
fn by_group(query: &Query, facts: &Facts) -> Result<BTreeMap<Name, Figure>, Error> {
    let figures = query.run(facts)?.into_iter().flat_map(|of_metric| of_metric.figures);
    Ok(figures.map(|figure| (figure.group.clone(), figure)).collect())
}

fn name(figure: &Figure) -> Name {
    figure.group.clone()
}

fn has(group: &Name, name: &str, value: &str) -> bool {
    group.iter().any(|(of, held)| of == name && held == value)
}
