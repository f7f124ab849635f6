//! Figures of answers: NPS, CSAT, CES, and how many there are.

use std::ops::RangeInclusive;

use barometer_chassis::{clock::Micros, error::Error};
use barometer_statistics::bootstrap::Bootstrap;

use crate::{
    catalogue::{Limits, Metric, Parameters},
    columns::{
        Facts,
        days::{Combination, Histogram},
        people::NOBODY,
        responses::NO_SCORE,
        times::NEVER,
    },
    query::{
        Ask,
        cut::{Cutter, Groups},
        evidence::Evidence,
        figures::{Calendar, Figure, Grid, Measured, extent_of, plain, real},
        scan::{Way, scan_blocks},
        told::{Kind, Worth},
    },
    rules::{
        mean::MeanTally,
        nps::NpsTally,
        proportion::ProportionTally,
        scale::{NpsGroup, Scale},
        weight::{Pile, Weight},
    },
};

/// Rows times resamples of an answer: 2 to 20 seconds of one core.
const MAX_RESAMPLES: usize = 10_000_000;

pub(crate) fn nps(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let parameters = &ask.query.parameters;
    if let Some(told) = parameters.contradiction() {
        return Err(Error::invalid("parameters.interval", "OUT_OF_RANGE", told));
    }
    let measure = |tally: &NpsTally| measure_nps(tally, parameters);
    if !parameters.weighted && !parameters.latest_per_customer && !ask.is_explained() {
        let (groups, grid) = histograms(ask)?;
        check_resamples(ask, &groups)?;
        return Ok(ask.figures(&groups, &grid, |histogram| measure(&nps_tally(histogram))));
    }
    let responses = &ask.facts.responses;
    let mut grid = Grid::<NpsTally>::new(ask.periods.len());
    let mut each = |cell: u32, row: u32| {
        let group = Scale::Nps.score(i64::from(responses.scores[row as usize])).and_then(|score| score.nps_group());
        if let Some(group) = group {
            let weight = if parameters.weighted { responses.weight(row) } else { Weight::ONE };
            grid.at(cell).add(group, weight);
            let name = match group {
                NpsGroup::Promoter => "promoters",
                NpsGroup::Passive => "passives",
                NpsGroup::Detractor => "detractors",
            };
            let mut alone = Pile::default();
            alone.add(weight);
            tell(ask, row, &[(name, alone.weight()), ("answers", 1.0)]);
        }
    };
    let groups = if parameters.latest_per_customer {
        latest(ask, each)?
    } else {
        scan(ask, |cells, rows| cells.iter().zip(rows).for_each(|(cell, row)| each(*cell, *row)))?
    };
    check_resamples(ask, &groups)?;
    Ok(ask.figures(&groups, &grid, measure))
}

/// The score of a tally, its counts and its interval.
pub(crate) fn measure_nps(tally: &NpsTally, parameters: &Parameters) -> Measured {
    let piles = [tally.promoters(), tally.passives(), tally.detractors()];
    let size = |index: usize| if parameters.weighted { piles[index].weight() } else { real(piles[index].answers()) };
    let mut counts = vec![
        ("promoters", size(0)),
        ("passives", size(1)),
        ("detractors", size(2)),
        ("answers", real(tally.total().answers())),
    ];
    counts.extend(parameters.weighted.then(|| ("effective_answers", tally.effective_size())));
    let interval = match parameters.limits {
        Limits::By(method) => tally.interval(method, parameters.level),
        Limits::Bootstrap => {
            let [promoters, passives, detractors] = piles.map(Pile::answers);
            let resampled = Bootstrap::of_nps(promoters, passives, detractors, parameters.resampling, parameters.level);
            resampled.ok().map(|resampled| resampled.interval)
        }
    };
    Measured {
        value: tally.nps(),
        counts,
        interval: interval.map(|interval| (interval, parameters.level)),
        evidence: Evidence::Nps(*tally),
        ..Measured::default()
    }
}

/// Errors: INVALID when resampling every row would take too long.
fn check_resamples(ask: &Ask<'_>, groups: &Groups) -> Result<(), Error> {
    let parameters = &ask.query.parameters;
    let rows = groups.names().len().saturating_mul(ask.periods.len());
    if parameters.limits == Limits::Bootstrap && rows.saturating_mul(parameters.resampling.resamples) > MAX_RESAMPLES {
        let description =
            format!("{rows} rows of {} resamples are more than {MAX_RESAMPLES}", parameters.resampling.resamples);
        return Err(Error::invalid("parameters.resamples", "TOO_MANY", description));
    }
    Ok(())
}

pub(crate) fn csat(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    tell_all(ask, |row, score| {
        if let Some(satisfied) = Scale::Csat.score(i64::from(score)).and_then(|score| score.is_top_two()) {
            tell(ask, row, &[("satisfied", f64::from(satisfied)), ("answers", 1.0)]);
        }
    })?;
    let (groups, grid) = histograms(ask)?;
    Ok(ask.figures(&groups, &grid, |histogram| {
        let satisfied = sum(histogram, |score| Scale::Csat.score(i64::from(score))?.is_top_two());
        let answers = sum(histogram, |score| Scale::Csat.score(i64::from(score)).map(|_| true));
        let tally = ProportionTally::of_counts(satisfied, answers - satisfied);
        Measured::share(&tally, ask.query.parameters.level, [("satisfied", satisfied), ("answers", answers)])
    }))
}

pub(crate) fn ces(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let level = ask.query.parameters.level;
    tell_all(ask, |row, score| {
        if Scale::Ces.score(i64::from(score)).is_some() {
            tell(ask, row, &[("answers", 1.0)]);
        }
    })?;
    let (groups, grid) = histograms(ask)?;
    Ok(ask.figures(&groups, &grid, |histogram| {
        let tally = ces_tally(histogram);
        Measured {
            value: tally.mean(),
            counts: plain([("answers", tally.total().answers())]),
            interval: tally.interval(level).map(|interval| (interval, level)),
            evidence: Evidence::Scores(tally),
            ..Measured::default()
        }
    }))
}

pub(crate) fn responses(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    tell_all(ask, |row, score| {
        let scored = f64::from(score != NO_SCORE);
        tell(ask, row, &[("responses", 1.0), ("scored", scored), ("unscored", 1.0 - scored)]);
    })?;
    let (groups, grid) = histograms(ask)?;
    Ok(ask.figures(&groups, &grid, |histogram| {
        let scored = sum(histogram, |_| Some(true));
        let all = scored + histogram.unscored();
        Measured::count(all, all, [("responses", all), ("scored", scored), ("unscored", all - scored)])
    }))
}

/// Where it is asked what a figure is made of: goes through all answers that the metric counts, with their scores.
fn tell_all(ask: &Ask<'_>, mut each: impl FnMut(u32, u8)) -> Result<(), Error> {
    if ask.is_explained() {
        let scores = &ask.facts.responses.scores;
        scan(ask, |_, rows| rows.iter().for_each(|row| each(*row, scores[*row as usize])))?;
    }
    Ok(())
}

/// Tells of an answer.
pub(crate) fn tell(ask: &Ask<'_>, row: u32, counts: &[(&'static str, f64)]) {
    let responses = &ask.facts.responses;
    let worth = match responses.scores[row as usize] {
        NO_SCORE => Worth::None,
        score => Worth::Number(f64::from(score)),
    };
    ask.tell(Kind::Response, row, responses.times.at(row as usize), counts, worth);
}

/// From the first until the last answer that a metric counts, with or without a score.
pub(crate) fn extent(facts: &Facts, metric: &Metric) -> Option<RangeInclusive<i64>> {
    extent_of(instants(facts, &wanted(metric.scale, facts)))
}

/// The instants of the answers to wanted surveys.
fn instants<'f>(facts: &'f Facts, wanted: &'f [bool]) -> impl Iterator<Item = i64> + 'f {
    let answers = facts.responses.times.as_slice().iter().zip(&facts.responses.surveys);
    answers.filter(|(at, survey)| **at != NEVER && is_wanted(wanted, **survey)).map(|(at, _)| *at)
}

fn nps_tally(histogram: &Histogram) -> NpsTally {
    let mut tally = NpsTally::default();
    for (score, count) in histogram.scores() {
        if let Some(group) = Scale::Nps.score(i64::from(score)).and_then(|score| score.nps_group()) {
            tally.add_many(group, count);
        }
    }
    tally
}

fn ces_tally(histogram: &Histogram) -> MeanTally {
    let mut tally = MeanTally::default();
    for (score, count) in histogram.scores() {
        if Scale::Ces.score(i64::from(score)).is_some() {
            tally.add_many(score, count);
        }
    }
    tally
}

/// How many answers have a score of which `which` says so.
fn sum(histogram: &Histogram, which: impl Fn(u8) -> Option<bool>) -> u64 {
    histogram.scores().filter(|(score, _)| which(*score) == Some(true)).map(|(_, count)| count).sum()
}

fn histograms(ask: &Ask<'_>) -> Result<(Groups, Grid<Histogram>), Error> {
    let cutter = ask.cutter();
    let range = ask.range();
    let days = range.end.saturating_sub(range.start) / Micros::DAY;
    // Counted days help where boundaries cut few of them.
    let cut = ask.periods.boundaries().iter().filter(|boundary| **boundary % Micros::DAY != 0).count();
    let is_counted = i64::try_from(cut).unwrap_or(i64::MAX) <= days / 4;
    if let Some(combination) = cutter.combination().filter(|_| is_counted) {
        return by_days(ask, cutter, &combination);
    }
    let scores = &ask.facts.responses.scores;
    let mut grid = Grid::<Histogram>::new(ask.periods.len());
    let groups = scan(ask, |cells, rows| {
        for (cell, row) in cells.iter().zip(rows) {
            grid.at(*cell).add(scores[*row as usize]);
        }
    })?;
    Ok((groups, grid))
}

/// Takes whole days from their counts; of days that a boundary cuts, or that are not counted, answer by answer.
fn by_days(
    ask: &Ask<'_>,
    mut cutter: Cutter<'_>,
    combination: &Combination<'_>,
) -> Result<(Groups, Grid<Histogram>), Error> {
    let responses = &ask.facts.responses;
    let times = responses.times.as_slice();
    let wanted = wanted(ask.metric.scale, ask.facts);
    let is_wanted = |row: u32| is_wanted(&wanted, responses.surveys[row as usize]);
    let range = ask.range();
    let mut calendar = Calendar::new(ask);
    let mut grid = Grid::<Histogram>::new(ask.periods.len());
    let (mut rows, mut groups) = (Vec::new(), Vec::new());
    for (span, day) in responses.days.meeting(range.clone()) {
        let is_inside = range.start <= span.start && span.end <= range.end;
        let is_whole = is_inside && calendar.period(span.start) == calendar.period(span.end - 1);
        let piles = if is_whole { day.piles(&responses.surveys, &responses.scores, combination) } else { None };
        rows.clear();
        if let Some(piles) = piles {
            rows.extend(piles.iter().map(|pile| pile.row).filter(|row| is_wanted(*row)));
            cutter.cut(&mut rows, &mut groups, |row| times[row as usize])?;
            // Rows that passed are in their order.
            let mut piles = piles.iter();
            for (row, group) in rows.iter().zip(&groups) {
                if let Some(pile) = piles.find(|pile| pile.row == *row) {
                    grid.cell(*group, calendar.period(span.start)).merge(pile);
                }
            }
        } else {
            let is_counted = |row: &u32| range.contains(&times[*row as usize]) && is_wanted(*row);
            rows.extend(day.rows.iter().copied().filter(is_counted));
            cutter.cut(&mut rows, &mut groups, |row| times[row as usize])?;
            for (row, group) in rows.iter().zip(&groups) {
                let index = *row as usize;
                grid.cell(*group, calendar.period(times[index])).add(responses.scores[index]);
            }
        }
    }
    Ok((Groups::from(&cutter), grid))
}

/// Counts only the last answer of each customer in each cell; anonymous answers count all. The last is by time, and
/// of the same instant the one recorded last.
fn latest(ask: &Ask<'_>, mut each: impl FnMut(u32, u32)) -> Result<Groups, Error> {
    let responses = &ask.facts.responses;
    let mut named = Vec::new();
    let groups = scan(ask, |cells, rows| {
        for (cell, row) in cells.iter().zip(rows) {
            let index = *row as usize;
            // Who gave no score did not answer.
            if responses.scores[index] == NO_SCORE {
                continue;
            }
            match responses.customers[index] {
                NOBODY => each(*cell, *row),
                customer => {
                    let at = responses.times.as_slice()[index];
                    named.push((*cell, customer, at, responses.rows.number(index), *row));
                }
            }
        }
    })?;
    named.sort_unstable();
    for of_one in named.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        if let Some((cell, _, _, _, row)) = of_one.last() {
            each(*cell, *row);
        }
    }
    Ok(groups)
}

/// Goes through all answers that the metric counts, block by block: the cell of each, and its row.
fn scan(ask: &Ask<'_>, each: impl FnMut(&[u32], &[u32])) -> Result<Groups, Error> {
    scan_blocks(ask, Way::Answers(ask.metric.scale), each)
}

/// By the number of the survey: whether its answers count.
pub(crate) fn wanted(scale: Option<Scale>, facts: &Facts) -> Vec<bool> {
    let surveys = facts.surveys.as_slice().iter();
    surveys
        .map(|survey| survey.as_ref().is_some_and(|survey| scale.is_none_or(|scale| survey.scale() == scale)))
        .collect()
}

pub(crate) fn is_wanted(wanted: &[bool], survey: u32) -> bool {
    wanted.get(survey as usize) == Some(&true)
}
