//! Queries: metrics × periods × groups over the facts.

pub(crate) mod board;
mod condition;
pub(crate) mod cut;
pub(crate) mod defined;
mod dimension;
pub(crate) mod evidence;
pub(crate) mod figures;
pub(crate) mod parse;
mod range;
pub(crate) mod scan;
pub(crate) mod spreads;
pub(crate) mod told;
mod vocabulary;
pub(crate) mod walk;
mod zones;

use std::sync::Arc;

use barometer_chassis::error::Error;

use self::{scan::Shared, told::Recorder};
use crate::{
    catalogue::{Metric, Parameters},
    columns::Facts,
    fold::Source,
    rules::{
        granularity::Granularity,
        period::{PeriodError, Periods},
        zone::LocalDays,
    },
};

pub(crate) use self::{
    condition::Condition,
    dimension::Table,
    figures::{Figure, Figures, Measured, Name},
    parse::{
        MAX_METRICS, check_positions, parse, parse_filters, parse_granularity, parse_group_by, parse_zone, positions,
    },
    vocabulary::{Looked, Vocabulary},
    zones::Zones,
};

/// The most rows of an answer, over all of its metrics.
pub(crate) const MAX_ROWS: usize = 100_000;

/// What is asked, checked.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) metrics: Vec<&'static Metric>,
    pub(crate) start: Option<i64>,
    pub(crate) end: Option<i64>,
    pub(crate) granularity: Granularity,
    pub(crate) days: Arc<LocalDays>,
    pub(crate) group_by: Vec<String>,
    pub(crate) filters: Vec<Condition>,
    pub(crate) parameters: Parameters,
    /// When it is asked: periods that end later are not over.
    pub(crate) now: i64,
    pub(crate) setting: Setting,
}

/// What queries are answered in, whatever they ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Until when everything that the sources acknowledged is included, by source.
    pub(crate) complete_until: [Option<i64>; Source::ALL.len()],
    /// The smallest sample of which anything is told.
    pub(crate) minimum_sample: u64,
}

impl Setting {
    /// Everything there is is included, and everything is told.
    pub(crate) const WHOLE: Setting =
        Setting { complete_until: [Some(i64::MAX); Source::ALL.len()], minimum_sample: 0 };
}

impl Query {
    /// Answers all metrics, in their order.
    ///
    /// Errors: INVALID when the range has too many periods or the answer too many rows.
    pub(crate) fn run(&self, facts: &Facts) -> Result<Vec<Figures>, Error> {
        self.answer(facts, None, scan::KEPT)
    }

    /// The same, of a query whose metrics come to one row each, and tells the recorder what they are made of. Of cohorts it tells
    /// of the one that is wanted.
    pub(crate) fn explain(&self, facts: &Facts, recorder: &Recorder) -> Result<Vec<Figures>, Error> {
        self.answer(facts, Some(recorder), scan::KEPT)
    }

    /// Of what metrics have in common so many bytes are kept at most.
    fn answer(&self, facts: &Facts, recorder: Option<&Recorder>, kept: usize) -> Result<Vec<Figures>, Error> {
        let range = range::of(self, facts);
        let periods = self.periods(self.granularity, range.clone())?;
        let shared = Shared::new(self, kept);
        let mut left = MAX_ROWS;
        let mut all = Vec::with_capacity(self.metrics.len());
        for metric in &self.metrics {
            let own;
            let periods = if self.granularity == Granularity::All && metric.granularity != Granularity::All {
                let start = match self.start {
                    Some(start) => start,
                    // An open range is that of whole periods.
                    None => Periods::start_of(&self.days, metric.granularity, range.start).unwrap_or(range.start),
                };
                let end = match self.end {
                    Some(end) => end,
                    None => Periods::end_of(&self.days, metric.granularity, range.end - 1).unwrap_or(range.end),
                };
                own = self.periods(metric.granularity, start..end)?;
                &own
            } else {
                &periods
            };
            let ask = Ask { query: self, metric, facts, periods, recorder, shared: &shared };
            let figures = (metric.answer)(&ask)?;
            recorder.map_or(Ok(()), |recorder| recorder.finish(&ask))?;
            left = left.checked_sub(figures.len()).ok_or_else(too_many_rows)?;
            all.push(Figures { metric, figures });
        }
        self.trim(&mut all);
        Ok(all)
    }

    /// The time asked for, or that of the facts where it is open.
    pub(crate) fn range(&self, facts: &Facts) -> std::ops::Range<i64> {
        range::of(self, facts)
    }

    /// The smallest sample of a metric of which anything is told.
    pub(crate) fn minimum_sample(&self, metric: &Metric) -> u64 {
        self.setting.minimum_sample.max(metric.minimum_sample)
    }

    /// The dimensions of a metric's groups: those that it is always grouped by, and those asked for.
    pub(crate) fn group_by_of(&self, metric: &Metric) -> Vec<String> {
        let implied: Vec<_> = match metric.defined {
            None => implied(metric, &self.group_by, &self.filters).collect(),
            Some(_) => self.implied_of(metric),
        };
        implied.into_iter().map(ToOwned::to_owned).chain(self.group_by.iter().cloned()).collect()
    }

    /// Where the time asked for is open it is that of the facts that passed the filters: periods before the first and
    /// after the last that counted something, for any of the metrics, are left out.
    fn trim(&self, all: &mut [Figures]) {
        let counted = all.iter().flat_map(|of_metric| &of_metric.figures).filter(|figure| figure.is_counted());
        let (first, last) =
            counted.fold((i64::MAX, i64::MIN), |(first, last), figure| (first.min(figure.start), last.max(figure.end)));
        if first > last {
            return;
        }
        let after = if self.start.is_none() { first } else { i64::MIN };
        let before = if self.end.is_none() && !range::tells_a_state(self) { last } else { i64::MAX };
        for of_metric in all {
            of_metric.figures.retain(|figure| figure.start >= after && figure.end <= before);
        }
    }

    pub(crate) fn periods(&self, granularity: Granularity, range: std::ops::Range<i64>) -> Result<Periods, Error> {
        Periods::new(&self.days, granularity, range).map_err(|error| refuse_periods(&error))
    }
}

/// The dimensions by which a built-in metric is always grouped, also where neither groups nor filters name them.
pub(crate) fn implied(
    metric: &Metric,
    group_by: &[String],
    filters: &[Condition],
) -> impl Iterator<Item = &'static str> {
    metric.always_grouped_by.iter().copied().filter(|name| match *name {
        "survey_type" => blends_surveys(group_by, filters),
        "clock" => {
            let names_one = |condition: &Condition| {
                condition.dimension == "clock" && condition.values.len() == 1 && !condition.exclude
            };
            !group_by.iter().any(|name| name == "clock") && !filters.iter().any(names_one)
        }
        // Also when only one is asked for: the group names the currency of the amounts.
        name => metric.table.dimensions().contains(&name) && !group_by.iter().any(|other| other == name),
    })
}

/// Whether neither groups nor filters keep relational and transactional surveys apart.
pub(crate) fn blends_surveys(group_by: &[String], filters: &[Condition]) -> bool {
    let names_survey = |name: &str| name == "survey" || name == "survey_type";
    let names_one =
        |condition: &Condition| names_survey(&condition.dimension) && condition.values.len() == 1 && !condition.exclude;
    !group_by.iter().any(|name| names_survey(name)) && !filters.iter().any(names_one)
}

/// One metric of a query: what a measure is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'q> {
    pub(crate) query: &'q Query,
    pub(crate) metric: &'static Metric,
    pub(crate) facts: &'q Facts,
    pub(crate) periods: &'q Periods,
    /// Who asks what the figure is made of, if somebody does.
    pub(crate) recorder: Option<&'q Recorder>,
    /// What it has in common with the other metrics of the request.
    shared: &'q Shared,
}

impl<'q> Ask<'q> {
    /// The filters and groups of the query for this metric, with those that it is always grouped by.
    pub(crate) fn cutter(&self) -> cut::Cutter<'q> {
        let max_groups = MAX_ROWS / self.periods.len();
        cut::Cutter::new(self.facts, self.metric.table, &self.query.filters, &self.group_by(), max_groups)
    }

    /// What this metric is grouped by.
    pub(crate) fn group_by(&self) -> Vec<String> {
        self.query.group_by_of(self.metric)
    }

    /// The whole time asked for.
    pub(crate) fn range(&self) -> std::ops::Range<i64> {
        let boundaries = self.periods.boundaries();
        match (boundaries.first(), boundaries.last()) {
            (Some(start), Some(end)) => *start..*end,
            _ => 0..0,
        }
    }
}

pub(crate) fn too_many_rows() -> Error {
    Error::invalid("group_by", "TOO_MANY", format!("the answer has more than {MAX_ROWS} rows"))
}

pub(crate) fn refuse_periods(error: &PeriodError) -> Error {
    match error {
        PeriodError::Empty => Error::invalid("start_time", "OUT_OF_RANGE", error.to_string()),
        PeriodError::TooMany { .. } => Error::invalid("granularity", "TOO_MANY", error.to_string()),
        PeriodError::OffTheCalendar => Error::invalid("end_time", "OUT_OF_RANGE", error.to_string()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
