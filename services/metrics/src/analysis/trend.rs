//! Where figures go: their slope from period to period, and when they turned.

mod series;

use std::collections::BTreeMap;

use barometer_chassis::{door::Door, error::Error};
use barometer_proto::metrics::v1::{self as wire, trend::Course};
use barometer_statistics::Level;

use self::series::{Series, Slope};
use super::adjusted;
use crate::{
    catalogue::{LEVEL, Metric},
    columns::Facts,
    query::{Figure, Figures, Name, Query, Setting, Vocabulary, Zones, parse::parse_in},
    rules::period::Periods,
};

/// Points of all series of an answer: a change of level is found by 10,000 series as long as the one that is asked about,
/// which takes a second of one core for every few thousand points.
const MAX_POINTS: usize = 20_000;
/// Cohorts are the points of a series, not series.
const COHORT: &str = "cohort";

/// The trends of one metric, by group.
#[derive(Debug)]
pub(crate) struct Trends {
    pub(crate) metric: &'static Metric,
    pub(crate) level: Level,
    pub(crate) trends: Vec<Trend>,
}

/// Where a series goes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trend {
    pub(crate) group: Name,
    pub(crate) figures: Vec<Figure>,
    /// How many of the figures count.
    pub(crate) points: usize,
    pub(crate) method: wire::trend::Method,
    pub(crate) slope: Option<Slope>,
    pub(crate) adjusted: Option<f64>,
    pub(crate) course: Course,
    pub(crate) turn: Option<Turn>,
}

/// A change of level within a series.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turn {
    /// The first instant of the first period after it, and its name.
    pub(crate) start: i64,
    pub(crate) label: String,
    pub(crate) difference: f64,
    pub(crate) p_value: f64,
    pub(crate) adjusted: f64,
}

/// Parses the series that are asked for now.
///
/// # Errors
/// Everything that is wrong with them.
pub(crate) fn parse(
    request: wire::QueryTrendsRequest,
    vocabulary: &Vocabulary,
    zones: &Zones,
    setting: Setting,
) -> Result<Query, Error> {
    Door::open(|door| {
        let wire::QueryTrendsRequest { query } = request;
        let query = door.required("query", query);
        door.inside("query", |door| {
            if query.granularity == i32::from(wire::Granularity::Unspecified) {
                door.missing("granularity");
            }
            parse_in(door, query, vocabulary, zones, setting, &[&LEVEL])
        })
    })?
    .ok_or_else(|| Error::Internal("there is no reporting zone".to_owned()))
}

/// The trends of all metrics of a query, in their order. All series are one family.
///
/// Errors: as those of the query; INVALID when there are too many points.
pub(crate) fn run(query: &Query, facts: &Facts) -> Result<Vec<Trends>, Error> {
    let level = query.parameters.level;
    let mut left = MAX_POINTS;
    let mut all = Vec::with_capacity(query.metrics.len());
    for Figures { metric, figures } in query.run(facts)? {
        let trends = trends_of(query, metric, figures, &mut left)?;
        all.push(Trends { metric, level, trends });
    }
    judge(&mut all, level);
    Ok(all)
}

/// The trends of a metric's figures; so many points are left.
fn trends_of(
    query: &Query,
    metric: &'static Metric,
    figures: Vec<Figure>,
    left: &mut usize,
) -> Result<Vec<Trend>, Error> {
    let periods = periods_of(query, &figures)?;
    let mut groups = BTreeMap::<Name, Vec<Figure>>::new();
    for figure in figures {
        let group = figure.group.iter().filter(|(name, _)| name != COHORT).cloned().collect();
        groups.entry(group).or_default().push(figure);
    }
    let mut trends = Vec::with_capacity(groups.len());
    for (group, figures) in groups {
        let series = Series::of(metric, &figures, &periods);
        *left = left.checked_sub(series.len()).ok_or_else(|| too_many("points over all series", MAX_POINTS))?;
        if series.is_too_long() {
            return Err(too_many("points of a series by Sen's slope", Series::MAX_RANKED));
        }
        let turn = series.turn().map(|(index, difference, p_value)| {
            let Figure { start, label, .. } = &figures[index];
            Turn { start: *start, label: label.clone(), difference, p_value, adjusted: p_value }
        });
        let (points, method, slope) = (series.len(), series.method(), series.slope(query.parameters.level));
        trends.push(Trend { group, figures, points, method, slope, adjusted: None, course: Course::Unspecified, turn });
    }
    Ok(trends)
}

/// Says what to believe, of all series at once.
fn judge(all: &mut [Trends], level: Level) {
    let mut trends: Vec<_> = all.iter_mut().flat_map(|of_metric| &mut of_metric.trends).collect();
    let slopes: Vec<_> = trends.iter().map(|trend| trend.slope.and_then(|slope| slope.p_value)).collect();
    let turns: Vec<_> = trends.iter().map(|trend| trend.turn.as_ref().map(|turn| turn.p_value)).collect();
    let chance = 1.0 - level.share();
    for ((trend, p_value), of_turn) in trends.iter_mut().zip(adjusted(&slopes)).zip(adjusted(&turns)) {
        trend.adjusted = p_value;
        let slope = trend.slope.map_or(0.0, |slope| slope.slope);
        trend.course = match p_value {
            None => Course::TooShort,
            Some(p_value) if p_value < chance && slope > 0.0 => Course::Rises,
            Some(p_value) if p_value < chance && slope < 0.0 => Course::Falls,
            Some(_) => Course::NotShown,
        };
        if let Some((turn, adjusted)) = trend.turn.as_mut().zip(of_turn) {
            turn.adjusted = adjusted;
        }
    }
}

/// The periods of some figures without gaps, so that one that has no figure takes its time too.
fn periods_of(query: &Query, figures: &[Figure]) -> Result<Periods, Error> {
    let start = figures.iter().map(|figure| figure.start).min().unwrap_or(0);
    let end = figures.iter().map(|figure| figure.end).max().unwrap_or(1);
    Periods::new(&query.days, query.granularity, start..end).map_err(|error| Error::Internal(error.to_string()))
}

fn too_many(what: &str, most: usize) -> Error {
    Error::invalid("query.granularity", "TOO_MANY", format!("there are more than {most} {what}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The trend of these figures of the metric of a query.
    pub(crate) fn told(query: &Query, figures: Vec<Figure>) -> Trend {
        let (metric, level) = (query.metrics[0], query.parameters.level);
        let trends = trends_of(query, metric, figures, &mut 20_000).expect("trends");
        let mut all = [Trends { metric, level, trends }];
        judge(&mut all, level);
        let [Trends { mut trends, .. }] = all;
        trends.pop().expect("a trend")
    }
}
