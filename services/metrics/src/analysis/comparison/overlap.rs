//! Whether two figures share what they are made of, in which case no test of them means anything.
//!
//! It is found out, not supposed: the tallies of groups that share nothing add up to the tally of all, exactly. What is in
//! two groups, a customer in two segments or one who bought on two channels, makes them more, or puts it on another side.

use std::collections::{BTreeMap, BTreeSet};

use barometer_chassis::error::Error;

use super::{Comparing, Side, by_group, rest::Part};
use crate::{
    catalogue::Metric,
    columns::Facts,
    query::{Condition, Figure, Name, Query, evidence::Evidence},
};

/// Groups of which the rest can be one: those that differ in nothing that must not be blended.
pub(super) struct Family {
    /// What they have in common.
    pub(super) name: Name,
    pub(super) figures: Vec<Figure>,
    /// Whether something is in several of them.
    pub(super) overlap: bool,
}

/// The groups of a side, by family.
pub(super) fn families(comparing: &Comparing, facts: &Facts, metric: &'static Metric) -> Result<Vec<Family>, Error> {
    let is_apart = |name: &str| metric.always_grouped_by.contains(&name);
    let mut query = comparing.ask(metric, &comparing.side);
    // Which survey says of which kind, so that a query need not ask; but surveys of several kinds have no rest.
    let names = |group_by: &[String], name: &str| group_by.iter().any(|other| other == name);
    if is_apart("survey_type") && names(&query.group_by, "survey") && !names(&query.group_by, "survey_type") {
        query.group_by.insert(0, "survey_type".to_owned());
    }
    let group_by = query.group_by.iter().filter(|name| is_apart(name)).cloned().collect();
    let whole = by_group(&Query { group_by, ..query.clone() }, facts)?;
    let whole: BTreeMap<Name, Part> =
        whole.into_iter().filter_map(|(name, figure)| Some((sorted(name), Part::of(&figure)?))).collect();

    let mut families = BTreeMap::<Name, Vec<Figure>>::new();
    for (group, figure) in by_group(&query, facts)? {
        let is_common = |name: &str| is_apart(name) || !names(&query.group_by, name);
        let common = group.into_iter().filter(|(name, _)| is_common(name)).collect();
        families.entry(sorted(common)).or_default().push(figure);
    }
    let family = |(name, figures): (Name, Vec<Figure>)| {
        let together = figures.iter().filter_map(Part::of).reduce(Part::plus);
        let overlap = !together.zip(whole.get(&name)).is_some_and(|(together, whole)| together.is_as(whole));
        Family { name, figures, overlap }
    };
    Ok(families.into_iter().map(family).collect())
}

/// The groups whose figures of two sides share something.
pub(super) enum Overlap {
    Nowhere,
    Everywhere,
    Of(BTreeSet<Name>),
}

impl Overlap {
    /// Whether those of a group do.
    pub(super) fn has(&self, group: &Name) -> bool {
        match self {
            Overlap::Nowhere => false,
            Overlap::Everywhere => true,
            Overlap::Of(groups) => groups.contains(group),
        }
    }
}

/// What the figures of two sides, by group, share.
pub(super) fn of_sides(
    comparing: &Comparing,
    facts: &Facts,
    metric: &'static Metric,
    other: &Side,
    figures: [&BTreeMap<Name, Figure>; 2],
) -> Result<Overlap, Error> {
    let query = comparing.ask(metric, &comparing.side);
    let (range, of_other) = (query.range(facts), comparing.ask(metric, other).range(facts));
    if range.end <= of_other.start || of_other.end <= range.start {
        return Ok(if metric.stands { Overlap::Everywhere } else { Overlap::Nowhere });
    }
    let Some(filters) = either(&comparing.side.filters, &other.filters).filter(|_| range == of_other) else {
        return Ok(Overlap::Everywhere);
    };
    let filters = comparing.query.filters.iter().cloned().chain(filters).collect();
    let mut together = BTreeMap::<Name, Evidence>::new();
    for (group, figure) in by_group(&Query { filters, ..query }, facts)? {
        // A side that names one survey is not grouped by their kinds.
        let is_known = |name: &str| figures[0].keys().flatten().any(|(known, _)| known == name);
        let group: Name = group.into_iter().filter(|(name, _)| is_known(name)).collect();
        let evidence = figure.measured.evidence;
        together.entry(group).and_modify(|both| *both = both.merged(evidence)).or_insert(evidence);
    }
    let shares = |(group, figure): (&Name, &Figure)| {
        let both = figure.measured.evidence.merged(figures[1].get(group)?.measured.evidence);
        (together.get(group) != Some(&both)).then(|| group.clone())
    };
    Ok(Overlap::Of(figures[0].iter().filter_map(shares).collect()))
}

/// The conditions that hold where those of the one or of the other side do, of sides that one dimension keeps apart.
fn either(one: &[Condition], other: &[Condition]) -> Option<Vec<Condition>> {
    let ([one], [other]) = (one, other) else { return None };
    if one.dimension != other.dimension || one.exclude && other.exclude {
        return None;
    }
    let values = |condition: &Condition| condition.values.iter().cloned().collect::<BTreeSet<_>>();
    let (mine, others) = (values(one), values(other));
    let condition = |values: Vec<String>, exclude| Condition { dimension: one.dimension.clone(), values, exclude };
    let (included, excluded) = match (one.exclude, other.exclude) {
        (false, false) if mine.is_disjoint(&others) => {
            return Some(vec![condition(mine.union(&others).cloned().collect(), false)]);
        }
        (false, true) => (mine, others),
        (true, false) => (others, mine),
        _ => return None,
    };
    if !included.is_subset(&excluded) {
        return None;
    }
    let neither: Vec<_> = excluded.difference(&included).cloned().collect();
    Some(if neither.is_empty() { Vec::new() } else { vec![condition(neither, true)] })
}

fn sorted(mut name: Name) -> Name {
    name.sort_unstable();
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(values: &[&str], exclude: bool) -> Condition {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Condition { dimension: "channel".to_owned(), values, exclude }
    }

    #[test]
    fn sides_are_kept_apart_by_one_dimension() {
        let either = |one: Condition, other: Condition| {
            let both = super::either(&[one], &[other])?;
            Some(both.into_iter().map(|condition| (condition.values.concat(), condition.exclude)).collect::<Vec<_>>())
        };
        let (a, b, ab) = (&["a"][..], &["b"][..], &["a", "b"][..]);
        assert_eq!(either(condition(a, false), condition(b, false)), Some(vec![("ab".to_owned(), false)]));
        assert_eq!(either(condition(a, false), condition(ab, false)), None);
        assert_eq!(either(condition(a, false), condition(a, true)), Some(vec![]));
        assert_eq!(either(condition(ab, true), condition(a, false)), Some(vec![("b".to_owned(), true)]));
        assert_eq!(either(condition(ab, false), condition(a, true)), None);
        assert_eq!(either(condition(a, true), condition(b, true)), None);
        let tier = Condition { dimension: "tier".to_owned(), ..condition(b, false) };
        assert_eq!(either(condition(a, false), tier), None);
        assert!(super::either(&[], &[condition(a, false)]).is_none());
    }
}
