//! Figures of answers: NPS, CSAT, CES, and how many there are.

use barometer_chassis::{clock::Micros, error::Error};

use super::{
    Ask,
    cut::Cutter,
    figures::{Calendar, Figure, Grid, Measured, plain, real},
};
use crate::{
    catalogue::Measure,
    columns::{Facts, days::Histogram, people::NOBODY, responses::NO_SCORE, times::NEVER},
    rules::{mean::MeanTally, nps::NpsTally, proportion::ProportionTally, scale::Scale, weight::Weight},
};

pub(super) fn nps(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let parameters = &ask.query.parameters;
    let measure = |tally: &NpsTally| {
        let piles = [tally.promoters(), tally.passives(), tally.detractors()];
        let size =
            |index: usize| if parameters.weighted { piles[index].weight() } else { real(piles[index].answers()) };
        let counts = vec![
            ("promoters", size(0)),
            ("passives", size(1)),
            ("detractors", size(2)),
            ("answers", real(tally.total().answers())),
        ];
        let interval = tally.interval(parameters.method, parameters.level);
        Measured {
            value: tally.nps(),
            counts,
            interval: interval.map(|interval| (interval, parameters.level)),
            ..Measured::default()
        }
    };
    if !parameters.weighted && !parameters.latest_per_customer {
        let (cutter, grid) = histograms(ask)?;
        return Ok(ask.figures(&cutter, &grid, |histogram| measure(&nps_tally(histogram))));
    }
    let responses = &ask.facts.responses;
    let mut grid = Grid::<NpsTally>::new(ask.periods.len());
    let mut each = |cell: u32, row: u32| {
        let group = Scale::Nps.score(i64::from(responses.scores[row as usize])).and_then(|score| score.nps_group());
        if let Some(group) = group {
            let weight = if parameters.weighted { responses.weight(row) } else { Weight::ONE };
            grid.at(cell).add(group, weight);
        }
    };
    let cutter = if parameters.latest_per_customer {
        latest(ask, each)?
    } else {
        scan(ask, |cells, rows| cells.iter().zip(rows).for_each(|(cell, row)| each(*cell, *row)))?
    };
    Ok(ask.figures(&cutter, &grid, measure))
}

pub(super) fn csat(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (cutter, grid) = histograms(ask)?;
    Ok(ask.figures(&cutter, &grid, |histogram| {
        let satisfied = sum(histogram, |score| Scale::Csat.score(i64::from(score))?.is_top_two());
        let answers = sum(histogram, |score| Scale::Csat.score(i64::from(score)).map(|_| true));
        let tally = ProportionTally::of_counts(satisfied, answers - satisfied);
        Measured::share(&tally, ask.query.parameters.level, [("satisfied", satisfied), ("answers", answers)])
    }))
}

pub(super) fn ces(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let level = ask.query.parameters.level;
    let (cutter, grid) = histograms(ask)?;
    Ok(ask.figures(&cutter, &grid, |histogram| {
        let tally = ces_tally(histogram);
        Measured {
            value: tally.mean(),
            counts: plain([("answers", tally.total().answers())]),
            interval: tally.interval(level).map(|interval| (interval, level)),
            ..Measured::default()
        }
    }))
}

pub(super) fn responses(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (cutter, grid) = histograms(ask)?;
    Ok(ask.figures(&cutter, &grid, |histogram| {
        let scored = sum(histogram, |_| Some(true));
        let all = scored + histogram.unscored();
        Measured::count(all, all, [("responses", all), ("scored", scored), ("unscored", all - scored)])
    }))
}

/// The first answer that a metric counts, with or without a score.
pub(super) fn first(measure: Measure, facts: &Facts) -> Option<i64> {
    instants(facts, &wanted(measure, facts)).min()
}

/// The instant of the last answer that a metric is about.
pub(super) fn last(measure: Measure, facts: &Facts) -> Option<i64> {
    instants(facts, &wanted(measure, facts)).max()
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

fn histograms<'q>(ask: &Ask<'q>) -> Result<(Cutter<'q>, Grid<Histogram>), Error> {
    let cutter = ask.cutter();
    let range = ask.range();
    let days = range.end.saturating_sub(range.start) / Micros::DAY;
    // Counted days help where boundaries cut few of them.
    let cut = i64::try_from(ask.periods.boundaries().len()).unwrap_or(i64::MAX);
    if cutter.tells_surveys_only() && cut <= days / 4 {
        return by_days(ask, cutter);
    }
    let scores = &ask.facts.responses.scores;
    let mut grid = Grid::<Histogram>::new(ask.periods.len());
    let cutter = scan(ask, |cells, rows| {
        for (cell, row) in cells.iter().zip(rows) {
            grid.at(*cell).add(scores[*row as usize]);
        }
    })?;
    Ok((cutter, grid))
}

/// Takes whole days from their counts; of days that a boundary cuts, answer by answer.
fn by_days<'q>(ask: &Ask<'q>, mut cutter: Cutter<'q>) -> Result<(Cutter<'q>, Grid<Histogram>), Error> {
    let responses = &ask.facts.responses;
    let times = responses.times.as_slice();
    let wanted = wanted(ask.metric.measure, ask.facts);
    let range = ask.range();
    let mut calendar = Calendar::new(ask);
    let mut grid = Grid::<Histogram>::new(ask.periods.len());
    let (mut rows, mut groups) = (Vec::new(), Vec::new());
    for (span, day) in responses.days.meeting(range.clone()) {
        let is_inside = range.start <= span.start && span.end <= range.end;
        rows.clear();
        if is_inside && calendar.period(span.start) == calendar.period(span.end - 1) {
            let piles = day.piles(&responses.surveys, &responses.scores);
            rows.extend(piles.iter().filter(|pile| is_wanted(&wanted, pile.survey)).map(|pile| pile.row));
            cutter.cut(&mut rows, &mut groups, |row| times[row as usize])?;
            // Rows that passed are in their order.
            let mut piles = piles.iter();
            for (row, group) in rows.iter().zip(&groups) {
                if let Some(pile) = piles.find(|pile| pile.row == *row) {
                    grid.cell(*group, calendar.period(span.start)).merge(&pile.scores);
                }
            }
        } else {
            let is_counted = |row: &u32| {
                range.contains(&times[*row as usize]) && is_wanted(&wanted, responses.surveys[*row as usize])
            };
            rows.extend(day.rows.iter().copied().filter(is_counted));
            cutter.cut(&mut rows, &mut groups, |row| times[row as usize])?;
            for (row, group) in rows.iter().zip(&groups) {
                let index = *row as usize;
                grid.cell(*group, calendar.period(times[index])).add(responses.scores[index]);
            }
        }
    }
    Ok((cutter, grid))
}

/// Counts only the last answer of each customer in each cell; anonymous answers count all. The last is by time, and
/// of the same instant the one recorded last.
fn latest<'q>(ask: &Ask<'q>, mut each: impl FnMut(u32, u32)) -> Result<Cutter<'q>, Error> {
    let responses = &ask.facts.responses;
    let mut named = Vec::new();
    let cutter = scan(ask, |cells, rows| {
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
    Ok(cutter)
}

/// Goes through all answers that the metric counts, block by block: rows, and the cell of each.
fn scan<'q>(ask: &Ask<'q>, mut each: impl FnMut(&[u32], &[u32])) -> Result<Cutter<'q>, Error> {
    let responses = &ask.facts.responses;
    let times = responses.times.as_slice();
    let wanted = wanted(ask.metric.measure, ask.facts);
    let some_unwanted = wanted.contains(&false);
    let range = ask.range();
    let mut cutter = ask.cutter();
    let mut calendar = Calendar::new(ask);
    let index = Grid::<()>::new(ask.periods.len());
    let (mut rows, mut groups) = (Vec::new(), Vec::new());
    for block in responses.times.blocks(range.clone()) {
        responses.times.select(block, &range, &mut rows);
        if some_unwanted {
            rows.retain(|row| is_wanted(&wanted, responses.surveys[*row as usize]));
        }
        cutter.cut(&mut rows, &mut groups, |row| times[row as usize])?;
        if ask.periods.len() > 1 {
            for (row, group) in rows.iter().zip(&mut groups) {
                *group = index.index(*group, calendar.period(times[*row as usize]));
            }
        }
        each(&groups, &rows);
    }
    Ok(cutter)
}

/// By the number of the survey: whether its answers count.
fn wanted(measure: Measure, facts: &Facts) -> Vec<bool> {
    let scale = match measure {
        Measure::Nps => Some(Scale::Nps),
        Measure::Csat => Some(Scale::Csat),
        Measure::Ces => Some(Scale::Ces),
        _ => None,
    };
    let surveys = facts.surveys.as_slice().iter();
    surveys
        .map(|survey| survey.as_ref().is_some_and(|survey| scale.is_none_or(|scale| survey.scale() == scale)))
        .collect()
}

fn is_wanted(wanted: &[bool], survey: u32) -> bool {
    wanted.get(survey as usize) == Some(&true)
}
