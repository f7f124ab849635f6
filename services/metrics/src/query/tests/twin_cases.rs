//! Figures of complaints computed plainly.

use std::collections::BTreeMap;

use super::{
    DAY, Figure, Query,
    twin::{Cells, Group, Model, Shape, groups, micros, sorted},
};
use crate::catalogue::Measure;

/// Start of the period, group, value and statistics.
pub(super) type Times = Vec<(i64, Group, Option<f64>, Vec<f64>)>;

/// The durations in figures that have any.
pub(super) fn times_of(figures: &[Figure]) -> Times {
    let measured = figures.iter().filter(|figure| figure.measured.value.is_some()).map(|figure| {
        let statistics = figure.measured.statistics.iter().map(|(_, value)| *value).collect();
        (figure.start, sorted(&figure.group), figure.measured.value, statistics)
    });
    let mut times: Times = measured.collect();
    times.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    times
}

impl Model {
    /// The counts of any metric of cases.
    pub(super) fn cases(&self, query: &Query) -> Vec<Shape> {
        let metric = query.metrics[0];
        let mut cells = Cells::new(query, metric.counts.iter().copied(), false);
        self.each_case(query, |group, opened, [answered, solved], cancelled| {
            let which = match metric.measure {
                Measure::ComplaintsOpened => {
                    let flags = [true, answered.is_some(), solved.is_some()];
                    (0..3).filter(|index| flags[*index]).collect()
                }
                Measure::TimeToFirstResponse if cancelled && answered.is_none() => return,
                Measure::TimeToFirstResponse => vec![usize::from(answered.is_none())],
                Measure::TimeToResolution if cancelled && solved.is_none() => return,
                Measure::TimeToResolution => vec![usize::from(solved.is_none())],
                Measure::OnTimeRate if cancelled && answered.is_none() => return,
                Measure::OnTimeRate => {
                    let passed = answered.unwrap_or(query.now) - opened > query.parameters.limit;
                    vec![if passed {
                        1
                    } else if answered.is_some() {
                        0
                    } else {
                        2
                    }]
                }
                _ => unreachable!(),
            };
            cells.count(opened, &group, which, 0);
        });
        cells.shapes()
    }

    /// Mean, median and maximum of the times to the first answer, from fractions of days.
    pub(super) fn times(&self, query: &Query) -> BTreeMap<(i64, Group), [f64; 3]> {
        let cells = Cells::new(query, [], false);
        let mut durations: BTreeMap<(i64, Group), Vec<i64>> = BTreeMap::new();
        self.each_case(query, |group, opened, [answered, _], _| {
            if let (Some(answered), Some(period)) = (answered, cells.period(opened)) {
                let start = cells.periods[period].start;
                durations.entry((start, sorted(&group))).or_default().push(answered - opened);
            }
        });
        let told = durations.into_iter().map(|(cell, mut durations)| {
            durations.sort_unstable();
            let quarters: Vec<f64> =
                durations.iter().map(|micros| f64::from(i32::try_from(micros / (DAY / 4)).expect("few"))).collect();
            let seconds = |quarters: f64| quarters * 21_600.0;
            let (size, middle) = (quarters.len(), quarters.len() / 2);
            let median =
                if size % 2 == 1 { quarters[middle] } else { f64::midpoint(quarters[middle - 1], quarters[middle]) };
            let mean = quarters.iter().sum::<f64>() / f64::from(u32::try_from(size).expect("few"));
            (cell, [seconds(mean), seconds(median), seconds(quarters[size - 1])])
        });
        told.collect()
    }

    /// Each case by its groups: when it was opened, first answered, and first solved; and whether it was cancelled.
    fn each_case(&self, query: &Query, mut each: impl FnMut(Group, i64, [Option<i64>; 2], bool)) {
        for case in &self.cases {
            let opened = micros(case.open_time);
            let values = |name: &str| match name {
                "category" => vec![case.category.clone()],
                "product" => vec![case.product.clone()],
                "channel" => vec![case.channel.clone()],
                "team" => vec![case.team.clone()],
                "case_state" => {
                    let states = [
                        "",
                        "received",
                        "acknowledged",
                        "in_progress",
                        "waiting_for_customer",
                        "waiting_for_third_party",
                        "resolved",
                        "closed",
                        "cancelled",
                    ];
                    vec![states[usize::try_from(case.state).expect("a state")].to_owned()]
                }
                "area" => vec![case.dimensions.get("area").cloned().unwrap_or_default()],
                _ => self.attribute(name, &case.customer_id, opened),
            };
            let at = |time: Option<prost_types::Timestamp>| time.map(|time| micros(Some(time)));
            for group in groups(query, &values) {
                each(group, opened, [at(case.first_response_time), at(case.first_resolve_time)], case.state == 8);
            }
        }
    }
}
