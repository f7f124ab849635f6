//! Each group beside all others together.

use std::collections::BTreeMap;

use barometer_chassis::error::Error;
use barometer_proto::metrics::v1::Completeness;

use super::{
    Comparing, Pair,
    overlap::{Family, families},
};
use crate::{
    catalogue::{Metric, Parameters},
    columns::Facts,
    measures::surveys::answers::measure_nps,
    query::{Figure, Measured, Name, evidence::Evidence},
};

/// The figures of groups that are told, together.
#[derive(Clone, Debug)]
pub(super) struct Part {
    evidence: Evidence,
    counts: Vec<(&'static str, f64)>,
    completeness: Completeness,
    revised: Option<i64>,
}

/// Each group beside its rest: what the other groups of its family come to that are told. A group of which nothing is told is
/// in nobody's rest, for who knows the others could subtract them.
pub(super) fn pairs(comparing: &Comparing, facts: &Facts, metric: &'static Metric) -> Result<Vec<Pair>, Error> {
    let minimum = comparing.query.minimum_sample(metric);
    let mut pairs = Vec::new();
    for Family { name, figures, overlap } in families(comparing, facts, metric)? {
        let figures: Vec<_> = figures.into_iter().map(|figure| figure.suppress(metric, minimum)).collect();
        let parts: Vec<_> = figures.iter().map(Part::of).collect();
        let (before, mut after) = (sums(parts.iter()), sums(parts.iter().rev()));
        after.reverse();
        for ((figure, before), after) in figures.into_iter().zip(before).zip(after) {
            let rest = before.into_iter().chain(after).reduce(Part::plus).filter(|_| !overlap);
            let rest = rest.filter(|rest| rest.evidence != Evidence::None);
            let against = rest.map(|rest| rest.figure(&figure, &name, &comparing.query.parameters));
            pairs.push(Pair { group: figure.group.clone(), figure: Some(figure), against, overlap });
        }
    }
    Ok(pairs)
}

/// What comes before each of some parts, together.
fn sums<'p>(parts: impl Iterator<Item = &'p Option<Part>>) -> Vec<Option<Part>> {
    let mut sum: Option<Part> = None;
    parts
        .map(|part| {
            let before = sum.clone();
            sum = sum.take().into_iter().chain(part.clone()).reduce(Part::plus);
            before
        })
        .collect()
}

impl Part {
    /// `None` of a figure that is not told.
    pub(super) fn of(figure: &Figure) -> Option<Self> {
        let Figure { completeness, revised, measured, .. } = figure;
        let counts = measured.counts.clone();
        let part = Part { evidence: measured.evidence, counts, completeness: *completeness, revised: *revised };
        (!figure.suppressed).then_some(part)
    }

    /// Both together.
    pub(super) fn plus(mut self, other: Self) -> Self {
        for (name, count) in other.counts {
            match self.counts.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += count,
                None => self.counts.push((name, count)),
            }
        }
        let is_open = other.completeness == Completeness::Open;
        Part {
            evidence: self.evidence.merged(other.evidence),
            counts: self.counts,
            completeness: if is_open { other.completeness } else { self.completeness },
            revised: self.revised.max(other.revised),
        }
    }

    /// Whether the same things were counted, also those that no test looks at. Sums of weights are rounded, so of scores the tallies
    /// alone say it.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        let counts = |of: &Self| of.counts.iter().copied().collect::<BTreeMap<_, _>>();
        self.evidence == other.evidence && (matches!(self.evidence, Evidence::Nps(_)) || counts(self) == counts(other))
    }

    /// The figure of it, beside that of a group.
    fn figure(self, beside: &Figure, name: &Name, parameters: &Parameters) -> Figure {
        let Part { evidence, counts, completeness, revised } = self;
        let level = parameters.level;
        let measured = match evidence {
            Evidence::None => Measured::default(),
            // Sums of weights are rounded once, and effective numbers do not add up.
            Evidence::Nps(tally) => measure_nps(&tally, parameters),
            Evidence::Share(tally) => Measured { counts, ..Measured::share(&tally, level, []) },
            Evidence::Scores(tally) => Measured {
                value: tally.mean(),
                counts,
                interval: tally.interval(level).map(|interval| (interval, level)),
                evidence,
                ..Measured::default()
            },
            Evidence::Times(moments) => Measured {
                value: moments.mean(),
                counts,
                interval: moments.interval(level).map(|interval| (interval, level)),
                evidence,
                ..Measured::default()
            },
        };
        let Figure { start, end, label, partial, .. } = beside.clone();
        Figure { start, end, label, group: name.clone(), partial, completeness, revised, suppressed: false, measured }
    }
}
