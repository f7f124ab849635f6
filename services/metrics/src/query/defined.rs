//! Figures of metrics that users defined: those of built-in metrics, put together.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use barometer_chassis::error::Error;
use barometer_proto::metrics::v1::{Completeness, Unit};

use super::{
    Ask, Figure, MAX_ROWS, Measured, Name, Query,
    figures::Finish,
    implied,
    told::{Recorder, Told, Wanted},
    too_many_rows,
};
use crate::{
    catalogue::{Combination, Defined, Measure, Metric, Part},
    columns::Facts,
    query::figures::units,
    rules::proportion::ProportionTally,
};

/// The dimensions and values of a group in no particular order.
type Group = BTreeMap<String, String>;

/// From the first until the last fact of its parts.
pub(crate) fn extent(facts: &Facts, metric: &Metric) -> Option<RangeInclusive<i64>> {
    let parts = metric.defined.into_iter().flat_map(|defined| &defined.parts);
    let extents = parts.filter_map(|part| (part.metric.extent)(facts, part.metric));
    extents.reduce(|one, other| *one.start().min(other.start())..=*one.end().max(other.end()))
}

/// What its parts come to.
pub(crate) fn answer(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let Some(defined) = ask.metric.defined else { return Ok(Vec::new()) };
    match (&defined.combination, defined.parts.as_slice()) {
        (Combination::Alone, [part]) => part.figures(ask, ask.recorder),
        _ => combined(ask, defined),
    }
}

impl Query {
    /// A query for a part of a defined metric. What another part is always grouped by divides this one, too, where its facts have it:
    /// sales by their currency. Where they have not, it divides this one in no way, and a condition on it is none for this part.
    pub(crate) fn of_part(&self, metric: &Metric, part: &Part) -> Query {
        let mut query = Query { metrics: vec![part.metric], ..self.clone() };
        let has = |name: &str| part.metric.table.dimensions().contains(&name);
        let is_free = |name: &str| has(name) || !metric.always_grouped_by.contains(&name);
        query.filters.retain(|of| is_free(&of.dimension));
        query.filters.extend(part.filters.iter().cloned());
        query.group_by.retain(|name| is_free(name));
        let own: Vec<_> = implied(part.metric, &self.group_by, &query.filters).collect();
        let is_another = |name: &&str| has(name) && !own.contains(name);
        let of_others: Vec<_> = self.implied_of(metric).into_iter().filter(is_another).map(ToOwned::to_owned).collect();
        query.group_by.splice(..0, of_others);
        for (name, value) in &part.parameters {
            // Checked when it was defined.
            query.parameters.set(name, value);
        }
        query
    }

    /// What the metrics of a defined one are always grouped by.
    pub(crate) fn implied_of(&self, metric: &Metric) -> Vec<&'static str> {
        let mut all = Vec::new();
        for part in metric.defined.into_iter().flat_map(|defined| &defined.parts) {
            let filters: Vec<_> = self.filters.iter().chain(&part.filters).cloned().collect();
            for name in implied(part.metric, &self.group_by, &filters) {
                all.extend((!all.contains(&name)).then_some(name));
            }
        }
        all
    }
}

impl Part {
    fn figures(&self, ask: &Ask<'_>, recorder: Option<&Recorder>) -> Result<Vec<Figure>, Error> {
        let query = ask.query.of_part(ask.metric, self);
        let ask = Ask { query: &query, metric: self.metric, recorder, ..*ask };
        let figures = (self.metric.answer)(&ask)?;
        recorder.map_or(Ok(()), |recorder| recorder.finish(&ask))?;
        Ok(figures)
    }

    /// Its figures; when somebody asks what they are made of, that is told under its name.
    fn explained(&self, ask: &Ask<'_>, told: &mut Vec<(Vec<Told>, u64)>) -> Result<Vec<Figure>, Error> {
        let wanted = ask.recorder.map(|recorder| &recorder.wanted);
        let Some(wanted) = wanted.filter(|wanted| wanted.count.is_none_or(|count| count == self.name)) else {
            return self.figures(ask, None);
        };
        let count = match self.measure {
            Measure::Count(name) => Some(name),
            _ => None,
        };
        // Who bought is counted by revenue, too, but does not add to it.
        let worth = self.measure.unit(self.metric) == Unit::Money;
        let recorder = Recorder::new(Wanted { count, worth, ..wanted.clone() });
        let figures = self.figures(ask, Some(&recorder))?;
        let (mut facts, total) = recorder.told();
        for fact in &mut facts {
            let of_part = fact.counts.iter().filter(|(name, _)| Some(*name) == count);
            fact.counts = of_part.map(|(_, by)| (self.name, *by)).collect();
        }
        told.push((facts, total));
        Ok(figures)
    }

    /// Its number in a figure, if there is any.
    fn number(&self, figure: Option<&Figure>) -> Option<f64> {
        let measured = figure.map(|figure| &figure.measured);
        let found = measured.and_then(|measured| match self.measure {
            Measure::Value => measured.value,
            Measure::Count(name) => of(&measured.counts, name),
            Measure::Amount(name) => of(&measured.amounts, name).map(units),
            Measure::Statistic(name) => of(&measured.statistics, name),
        });
        found.or_else(|| self.adds_up().then_some(0.0))
    }

    /// The amount in a figure, exact.
    fn amount(&self, figure: Option<&Figure>) -> Option<i128> {
        let Measure::Amount(name) = self.measure else { return None };
        Some(figure.and_then(|figure| of(&figure.measured.amounts, name)).unwrap_or_default())
    }
}

fn of<T: Copy>(named: &[(&'static str, T)], wanted: &str) -> Option<T> {
    named.iter().find(|(name, _)| *name == wanted).map(|(_, number)| *number)
}

/// The figures of a part by period and group.
struct Found<'d> {
    part: &'d Part,
    dimensions: BTreeSet<String>,
    figures: BTreeMap<(i64, Group), Figure>,
    /// Of each period by its start: how complete its facts are, and when they were revised.
    standings: BTreeMap<i64, (Completeness, Option<i64>)>,
}

impl<'d> Found<'d> {
    fn new(ask: &Ask<'_>, part: &'d Part, figures: Vec<Figure>) -> Self {
        // Those that are asked for divide it also when there are no facts.
        let query = ask.query.of_part(ask.metric, part);
        let standings = Finish::of_periods(&Ask { query: &query, metric: part.metric, ..*ask });
        let standings = ask.periods.as_slice().iter().map(|period| period.start).zip(standings).collect();
        let asked = query.group_by_of(part.metric);
        let told = figures.iter().flat_map(|figure| &figure.group).map(|(name, _)| name.clone());
        let dimensions = asked.into_iter().chain(told).collect();
        let figures =
            figures.into_iter().map(|figure| ((figure.start, figure.group.iter().cloned().collect()), figure));
        Found { part, dimensions, figures: figures.collect(), standings }
    }

    /// The figure that belongs to a group which may be divided further.
    fn get(&self, start: i64, group: &Group) -> Option<&Figure> {
        let own = group.iter().filter(|(name, _)| self.dimensions.contains(*name));
        self.figures.get(&(start, own.map(|(name, value)| (name.clone(), value.clone())).collect()))
    }
}

/// A part in a row: its figure, if it has one there, and how complete its facts are in any case.
struct Cell<'f> {
    part: &'f Part,
    figure: Option<&'f Figure>,
    completeness: Completeness,
    revised: Option<i64>,
}

impl Found<'_> {
    fn cell(&self, start: i64, group: &Group) -> Cell<'_> {
        let figure = self.get(start, group);
        let told = figure.map(|figure| (figure.completeness, figure.revised));
        let (completeness, revised) = told.or_else(|| self.standings.get(&start).copied()).unwrap_or_default();
        Cell { part: self.part, figure, completeness, revised }
    }
}

fn combined(ask: &Ask<'_>, defined: &Defined) -> Result<Vec<Figure>, Error> {
    let mut told = Vec::new();
    let mut found = Vec::with_capacity(defined.parts.len());
    for part in &defined.parts {
        found.push(Found::new(ask, part, part.explained(ask, &mut told)?));
    }
    if let Some(recorder) = ask.recorder {
        recorder.absorb(told);
    }
    // Those whose groups are divided furthest; the dimensions of all others are among theirs.
    let most = found.iter().map(|of_part| of_part.dimensions.len()).max().unwrap_or_default();
    let widest =
        || found.iter().filter(|of_part| of_part.dimensions.len() == most).flat_map(|of_part| &of_part.figures);
    // Of no facts there are figures of no group; they are rows when that is so of all parts.
    let longest = widest().map(|(_, figure)| figure.group.len()).max().unwrap_or_default();
    let rows = widest().filter(|(_, figure)| figure.group.len() == longest);
    let rows: BTreeMap<&(i64, Group), &Name> = rows.map(|(row, figure)| (row, &figure.group)).collect();
    if rows.len() > MAX_ROWS {
        return Err(too_many_rows());
    }
    let minimum = ask.query.minimum_sample(ask.metric);
    let mut rows: Vec<_> = rows.into_iter().map(|((start, group), name)| (*start, name, group)).collect();
    rows.sort_unstable();
    let row = |(start, _, group): (i64, &Name, &Group)| {
        let cells: Vec<_> = found.iter().map(|of_part| of_part.cell(start, group)).collect();
        let figure = combine(ask, defined, &cells)?;
        Some(figure.suppress(ask.metric, minimum))
    };
    Ok(rows.into_iter().filter_map(row).collect())
}

/// One row of figures of all parts, of which one at least has it.
fn combine(ask: &Ask<'_>, defined: &Defined, cells: &[Cell<'_>]) -> Option<Figure> {
    let there = || cells.iter().filter_map(|cell| cell.figure);
    let first = there().max_by_key(|figure| figure.group.len())?;
    let suppressed = there().any(|figure| figure.suppressed);
    let worst = [Completeness::Running, Completeness::Behind, Completeness::Open];
    let completeness = worst.into_iter().find(|worst| cells.iter().any(|cell| cell.completeness == *worst));
    Some(Figure {
        partial: there().any(|figure| figure.partial),
        completeness: completeness.unwrap_or(Completeness::Complete),
        revised: cells.iter().filter_map(|cell| cell.revised).max(),
        suppressed,
        measured: if suppressed { Measured::default() } else { measure(ask, defined, cells) },
        ..first.clone()
    })
}

fn measure(ask: &Ask<'_>, defined: &Defined, cells: &[Cell<'_>]) -> Measured {
    let mut measured = Measured::default();
    for Cell { part, figure, .. } in cells {
        let number = part.number(*figure);
        match (part.measure.unit(part.metric), part.amount(*figure)) {
            (_, Some(amount)) => measured.amounts.push((part.name, amount)),
            (Unit::Count, _) => measured.counts.extend(number.map(|number| (part.name, number))),
            _ => measured.statistics.extend(number.map(|number| (part.name, number))),
        }
        let error = figure.map_or(0.0, |figure| figure.measured.statistics_error);
        measured.statistics_error = error.max(measured.statistics_error);
    }
    let numbers: Option<Vec<f64>> = cells.iter().map(|cell| cell.part.number(cell.figure)).collect();
    let is_counted = cells.iter().any(|cell| cell.figure.is_some_and(Figure::is_counted));
    let numbers = numbers.filter(|_| is_counted);
    match (&defined.combination, numbers.as_deref()) {
        (Combination::Share, Some([hits, whole])) => {
            // The last answers of customers on one channel need not be among their last ones.
            let is_plain = |cell: &Cell<'_>| {
                let parameters = ask.query.of_part(ask.metric, cell.part).parameters;
                !parameters.weighted && !parameters.latest_per_customer
            };
            if let Some(tally) = tally(*hits, *whole).filter(|_| cells.iter().all(is_plain)) {
                let level = ask.query.parameters.level;
                return Measured { counts: measured.counts, ..Measured::share(&tally, level, []) };
            }
            measured.value = quotient(100.0 * hits, *whole);
        }
        (Combination::Ratio(times), Some([numerator, denominator])) => {
            measured.value = quotient(times * numerator, *denominator)
        }
        (Combination::Sum(factors), Some(numbers)) => {
            measured.value = Some(numbers.iter().zip(factors).map(|(number, factor)| number * factor).sum());
        }
        _ => {}
    }
    measured
}

fn quotient(number: f64, of: f64) -> Option<f64> {
    (of != 0.0).then(|| number / of)
}

/// Whole numbers of things with a property, among others.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and below 2⁵³")]
fn tally(hits: f64, whole: f64) -> Option<ProportionTally> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let is_count = |number: f64| number.fract() == 0.0 && (0.0..EXACT).contains(&number);
    (is_count(hits) && is_count(whole) && hits <= whole)
        .then(|| ProportionTally::of_counts(hits as u64, (whole - hits) as u64))
}
