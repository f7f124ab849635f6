//! Figures of complaints computed plainly: what a case says by itself.

use std::collections::BTreeMap;

use barometer_proto::complaints::v1::CaseFact;

use super::super::{DAY, Figure, Query};
use super::{Cells, Group, Model, Shape, groups, micros, sorted};

/// Start of the period, group, value and statistics.
pub(in super::super) type Times = Vec<(i64, Group, Option<f64>, Vec<f64>)>;

/// The durations in figures that have any.
pub(in super::super) fn times_of(figures: &[Figure]) -> Times {
    let measured = figures.iter().filter(|figure| figure.measured.value.is_some()).map(|figure| {
        let statistics = figure.measured.statistics.iter().map(|(_, value)| *value).collect();
        (figure.start, sorted(&figure.group), figure.measured.value, statistics)
    });
    let mut times: Times = measured.collect();
    times.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    times
}

/// An instant that may be absent.
pub(in super::super) fn maybe(at: Option<prost_types::Timestamp>) -> Option<i64> {
    at.map(|at| micros(Some(at)))
}

impl Model {
    /// The counts of the metrics of one moment of a case.
    pub(in super::super) fn cases(&self, query: &Query) -> Vec<Shape> {
        let metric = query.metrics[0];
        let mut cells = Cells::new(query, metric.counts.iter().copied(), false);
        for (_, case) in &self.cases {
            let opened = micros(case.open_time);
            let [answered, solved] = [case.first_response_time, case.first_resolve_time].map(maybe);
            let cancelled = case.state == 8;
            let done = match metric.id {
                "time_to_acknowledgement" => maybe(case.acknowledge_time),
                "time_to_resolution" => solved,
                _ => answered,
            };
            let which = match metric.id {
                "complaints_opened" => {
                    let flags = [true, answered.is_some(), solved.is_some()];
                    (0..3).filter(|index| flags[*index]).collect()
                }
                _ if cancelled && done.is_none() => continue,
                "on_time_rate" => {
                    let passed = done.unwrap_or(query.now) - opened > query.parameters.limit;
                    let index = match (passed, done) {
                        (true, _) => 1,
                        (false, Some(_)) => 0,
                        (false, None) => 2,
                    };
                    vec![index]
                }
                _ => vec![usize::from(done.is_none())],
            };
            for group in self.groups_of_case(query, case, opened) {
                cells.count(opened, &group, which.iter().copied(), 0);
            }
        }
        cells.shapes()
    }

    /// Mean, median and maximum of durations, from fractions of days.
    pub(in super::super) fn times(&self, query: &Query) -> BTreeMap<(i64, Group), [f64; 3]> {
        let durations = match query.metrics[0].id {
            "clock_time" => self.clock_times(query),
            "handling_time" => self.handling_times(query),
            _ => self.durations(query),
        };
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

    fn durations(&self, query: &Query) -> BTreeMap<(i64, Group), Vec<i64>> {
        let cells = Cells::new(query, [], false);
        let mut durations: BTreeMap<(i64, Group), Vec<i64>> = BTreeMap::new();
        let mut add = |start: i64, group: &Group, duration: i64| {
            durations.entry((start, sorted(group))).or_default().push(duration);
        };
        for (number, case) in &self.cases {
            let opened = micros(case.open_time);
            if query.metrics[0].id == "backlog_age" {
                for period in &cells.periods {
                    let end = period.end.min(query.now);
                    for group in self.groups_of_case(query, case, end - 1) {
                        if self.is_open_at(*number, case, end) {
                            add(period.start, &group, end - opened);
                        }
                    }
                }
                continue;
            }
            let took = match query.metrics[0].id {
                "time_to_first_response" => maybe(case.first_response_time).map(|done| done - opened),
                "time_to_acknowledgement" => maybe(case.acknowledge_time).map(|done| done - opened),
                "time_to_last_resolution" => self.time_open(*number, case),
                _ => unreachable!(),
            };
            if let (Some(took), Some(period)) = (took, cells.period(opened)) {
                for group in self.groups_of_case(query, case, opened) {
                    add(cells.periods[period].start, &group, took);
                }
            }
        }
        durations
    }

    /// The groups of a case at an instant.
    pub(in super::super) fn groups_of_case(&self, query: &Query, case: &CaseFact, at: i64) -> Vec<Group> {
        groups(query, &|name| self.of_case(name, case, at))
    }

    /// The values of a case at an instant.
    pub(in super::super) fn of_case(&self, name: &str, case: &CaseFact, at: i64) -> Vec<String> {
        let first = |path: &str, parts: usize| path.split('/').take(parts).collect::<Vec<_>>().join("/");
        let named = |names: &[&str], code: i32| names[usize::try_from(code).expect("a code")].to_owned();
        let or = |code: i32, other: i32| if code == 0 { other } else { code };
        let value = match name {
            "category" => case.category.clone(),
            "category_1" => first(&case.category, 1),
            "category_2" => first(&case.category, 2),
            "root_cause_1" => first(&case.root_cause, 1),
            "root_cause_2" => first(&case.root_cause, 2),
            "product" => case.product.clone(),
            "channel" => case.channel.clone(),
            "team" => case.team.clone(),
            "kind" => named(&["", "question", "suggestion", "complaint", "loss", "survey_follow_up"], or(case.kind, 3)),
            "severity" => named(&["", "low", "medium", "high", "critical"], or(case.severity, 2)),
            "finding" => named(&["", "upheld", "partly_upheld", "rejected"], case.finding),
            "case_state" => {
                let waiting = ["waiting_for_customer", "waiting_for_third_party"];
                let [customer, third] = waiting;
                let states = ["", "received", "acknowledged", "in_progress", customer, third, "resolved", "closed"];
                if case.state == 8 { "cancelled".to_owned() } else { named(&states, case.state) }
            }
            "area" => case.dimensions.get("area").cloned().unwrap_or_default(),
            _ => return self.attribute(name, &case.customer_id, at),
        };
        vec![value]
    }
}
