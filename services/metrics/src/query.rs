//! Queries: metrics × periods × groups over the facts.

mod activity;
mod answers;
mod cases;
mod claims;
mod clocks;
mod cohorts;
mod courses;
mod cut;
mod dimension;
mod escalations;
mod figures;
mod follow_ups;
mod handed;
mod known;
mod outcomes;
mod parse;
mod promises;
mod range;
mod rates;
mod sales;
mod scan;
mod spreads;
mod zones;

use std::sync::Arc;

use barometer_chassis::error::Error;

use crate::{
    catalogue::{Measure, Metric, Parameters},
    columns::Facts,
    rules::{
        granularity::Granularity,
        period::{PeriodError, Periods},
        zone::LocalDays,
    },
};

pub(crate) use self::{
    dimension::Table,
    figures::{Figure, Figures, Measured},
    parse::{Vocabulary, parse, positions},
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
}

/// A condition on one dimension.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) dimension: String,
    pub(crate) values: Vec<String>,
    pub(crate) exclude: bool,
}

impl Query {
    /// Answers all metrics, in their order.
    ///
    /// Errors: INVALID when the range has too many periods or the answer too many rows.
    pub(crate) fn run(&self, facts: &Facts) -> Result<Vec<Figures>, Error> {
        let range = range::of(self, facts);
        let periods = self.periods(self.granularity, range.clone())?;
        let mut left = MAX_ROWS;
        let mut all = Vec::with_capacity(self.metrics.len());
        for metric in &self.metrics {
            let monthly;
            let periods = if metric.measure == Measure::CohortRetention && self.granularity == Granularity::All {
                let start = match self.start {
                    Some(start) => start,
                    // An open range is that of whole months.
                    None => Periods::start_of(&self.days, Granularity::Month, range.start).unwrap_or(range.start),
                };
                let end = match self.end {
                    Some(end) => end,
                    None => Periods::end_of(&self.days, Granularity::Month, range.end - 1).unwrap_or(range.end),
                };
                monthly = self.periods(Granularity::Month, start..end)?;
                &monthly
            } else {
                &periods
            };
            let ask = Ask { query: self, metric, facts, periods };
            let figures = ask.measure()?;
            left = left.checked_sub(figures.len()).ok_or_else(too_many_rows)?;
            all.push(Figures { metric, figures });
        }
        self.trim(&mut all);
        Ok(all)
    }

    /// Where the time asked for is open it is that of the facts that passed the filters: periods before the first and
    /// after the last that counted something, for any of the metrics, are left out.
    fn trim(&self, all: &mut [Figures]) {
        let counted = all.iter().flat_map(|of_metric| &of_metric.figures).filter(|figure| figure.measured.is_counted());
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

    fn periods(&self, granularity: Granularity, range: std::ops::Range<i64>) -> Result<Periods, Error> {
        Periods::new(&self.days, granularity, range).map_err(|error| refuse_periods(&error))
    }
}

/// One metric of a query.
#[derive(Clone, Copy, Debug)]
struct Ask<'q> {
    query: &'q Query,
    metric: &'static Metric,
    facts: &'q Facts,
    periods: &'q Periods,
}

impl<'q> Ask<'q> {
    fn measure(&self) -> Result<Vec<Figure>, Error> {
        match self.metric.measure {
            Measure::Nps => answers::nps(self),
            Measure::Csat => answers::csat(self),
            Measure::Ces => answers::ces(self),
            Measure::Responses => answers::responses(self),
            Measure::Customers => known::customers(self),
            Measure::NewCustomers => known::new_customers(self),
            Measure::Purchases => sales::purchases(self),
            Measure::Revenue => sales::revenue(self),
            Measure::ActiveCustomers => activity::active_customers(self),
            Measure::RepeatPurchaseRate => activity::repeat_purchase_rate(self),
            Measure::ChurnRate => activity::churn_rate(self),
            Measure::RetentionRate => activity::retention_rate(self),
            Measure::InactiveShare => activity::inactive_share(self),
            Measure::CohortRetention => cohorts::cohort_retention(self),
            Measure::ComplaintsOpened => cases::complaints_opened(self),
            Measure::TimeToFirstResponse => cases::time_to_first_response(self),
            Measure::TimeToResolution => cases::time_to_resolution(self),
            Measure::OnTimeRate => cases::on_time_rate(self),
            Measure::TimeToAcknowledgement => cases::time_to_acknowledgement(self),
            Measure::TimeToLastResolution => courses::time_to_last_resolution_of(self),
            Measure::ReopenRate => courses::reopen_rate(self),
            Measure::Backlog => courses::backlog(self),
            Measure::BacklogAge => courses::backlog_age(self),
            Measure::HandOffs => handed::hand_offs(self),
            Measure::HandOffsPerCase => handed::hand_offs_per_case(self),
            Measure::UpheldRate => outcomes::upheld_rate(self),
            Measure::AcceptanceRate => outcomes::acceptance_rate(self),
            Measure::CaseSatisfaction => outcomes::case_satisfaction(self),
            Measure::RedressCost => outcomes::redress_cost(self),
            Measure::RedressPoints => outcomes::redress_points(self),
            Measure::ComplaintRate => rates::complaint_rate(self),
            Measure::ClockTime => clocks::clock_time(self),
            Measure::ClockOnTimeRate => clocks::clock_on_time_rate(self),
            Measure::RecoveryRate => follow_ups::recovery_rate(self),
            Measure::HandlingTime => claims::handling_time(self),
            Measure::Escalations => escalations::escalations(self),
            Measure::PromiseKeptRate => promises::promise_kept_rate(self),
        }
    }

    /// The filters and groups of the query for this metric, with those that it is always grouped by.
    fn cutter(&self) -> cut::Cutter<'q> {
        let Query { filters, group_by, .. } = self.query;
        let names_survey = |name: &str| name == "survey" || name == "survey_type";
        let implied = self.metric.always_grouped_by.iter().filter(|name| match **name {
            "survey_type" => {
                let names_one = |condition: &Condition| {
                    names_survey(&condition.dimension) && condition.values.len() == 1 && !condition.exclude
                };
                !group_by.iter().any(|name| names_survey(name)) && !filters.iter().any(names_one)
            }
            "clock" => {
                let names_one = |condition: &Condition| {
                    condition.dimension == "clock" && condition.values.len() == 1 && !condition.exclude
                };
                !group_by.iter().any(|name| name == "clock") && !filters.iter().any(names_one)
            }
            // Also when only one is asked for: the group names the currency of the amounts.
            name => self.metric.table.dimensions().contains(&name) && !group_by.iter().any(|other| other == name),
        });
        let group_by: Vec<_> = implied.map(|name| (*name).to_owned()).chain(group_by.iter().cloned()).collect();
        let max_groups = MAX_ROWS / self.periods.len();
        cut::Cutter::new(self.facts, self.metric.table, filters, &group_by, max_groups)
    }

    /// The whole time asked for.
    fn range(&self) -> std::ops::Range<i64> {
        let boundaries = self.periods.boundaries();
        match (boundaries.first(), boundaries.last()) {
            (Some(start), Some(end)) => *start..*end,
            _ => 0..0,
        }
    }
}

fn too_many_rows() -> Error {
    Error::invalid("group_by", "TOO_MANY", format!("the answer has more than {MAX_ROWS} rows"))
}

fn refuse_periods(error: &PeriodError) -> Error {
    match error {
        PeriodError::Empty => Error::invalid("start_time", "OUT_OF_RANGE", error.to_string()),
        PeriodError::TooMany { .. } => Error::invalid("granularity", "TOO_MANY", error.to_string()),
        PeriodError::OffTheCalendar => Error::invalid("end_time", "OUT_OF_RANGE", error.to_string()),
    }
}

#[cfg(test)]
mod tests;
