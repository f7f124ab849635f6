//! Figures of clocks and promises computed plainly.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Query;
use super::{Cells, Group, Model, Shape, cases::maybe, groups, micros, sorted};
use crate::catalogue::Span;

const CLOCKS: [&str; 8] = [
    "",
    "acknowledgement",
    "first_response",
    "next_response",
    "periodic_update",
    "resolution",
    "total_resolution",
    "final_response",
];

impl Model {
    /// The counts of the metrics of clocks.
    pub(in super::super) fn clocks(&self, query: &Query) -> Vec<Shape> {
        let metric = query.metrics[0];
        let mut cells = Cells::new(query, metric.counts.iter().copied(), false);
        self.each_clock(query, |start, group, clock, cancelled| {
            let which = match (metric.id, clock.state) {
                ("clock_time", _) if cancelled => return,
                ("clock_time", 3..=5) => 0,
                ("clock_time", _) => 1,
                (_, 3) => 0,
                (_, 4) => 1,
                (_, 5) => return,
                _ if maybe(clock.due_time).is_some_and(|due| due < query.now) => 1,
                _ => 2,
            };
            cells.count(start, &group, [which], 0);
        });
        cells.shapes()
    }

    /// What clocks counted, by period and group.
    pub(in super::super) fn clock_times(&self, query: &Query) -> BTreeMap<(i64, Group), Vec<i64>> {
        let cells = Cells::new(query, [], false);
        let mut durations: BTreeMap<(i64, Group), Vec<i64>> = BTreeMap::new();
        self.each_clock(query, |start, group, clock, cancelled| {
            let took = match query.parameters.span {
                Span::Working => clock.working_micros,
                Span::Elapsed => clock.elapsed_micros,
            };
            if let (Some(took), Some(period), false) = (took, cells.period(start), cancelled) {
                durations.entry((cells.periods[period].start, sorted(&group))).or_default().push(took);
            }
        });
        durations
    }

    /// Each clock of a case that is there, in each of its groups; and whether it stopped because the case was cancelled.
    fn each_clock(
        &self,
        query: &Query,
        mut each: impl FnMut(i64, Group, &barometer_proto::complaints::v1::CaseClockFact, bool),
    ) {
        for clock in &self.clocks {
            let Some((number, case)) = self.cases.iter().find(|(number, _)| *number == clock.case_number) else {
                continue;
            };
            let start = micros(clock.start_time);
            let ended = self.turns(*number, case).last().map(|(at, _)| at);
            let cancelled = clock.state == 5 || case.state == 8 && ended.is_some() && ended == maybe(clock.stop_time);
            let kind = CLOCKS[usize::try_from(clock.kind).expect("a kind")].to_owned();
            let values = |name: &str| match name {
                "clock" => vec![kind.clone()],
                "policy" => vec![clock.policy_name.clone()],
                _ => self.of_case(name, case, start),
            };
            for mut group in groups(query, &values) {
                if !query.group_by.iter().any(|name| name == "clock") {
                    group.push(("clock".to_owned(), kind.clone()));
                }
                each(start, group, clock, cancelled);
            }
        }
    }

    /// How long somebody worked on each case, by period and group.
    pub(in super::super) fn handling_times(&self, query: &Query) -> BTreeMap<(i64, Group), Vec<i64>> {
        let cells = Cells::new(query, [], false);
        let mut sums: BTreeMap<(i64, Group, i64), i64> = BTreeMap::new();
        for claim in &self.claims {
            let case = self.cases.iter().find(|(number, _)| *number == claim.case_number);
            let (Some((number, case)), Some(ended), Some(handling)) =
                (case, maybe(claim.end_time), claim.handling_micros)
            else {
                continue;
            };
            let Some(period) = cells.period(ended) else { continue };
            let values = |name: &str| match name {
                "team" => vec![claim.team.clone()],
                "employee" => vec![claim.employee.clone()],
                _ => self.of_case(name, case, ended),
            };
            for group in groups(query, &values) {
                *sums.entry((cells.periods[period].start, sorted(&group), *number)).or_default() += handling;
            }
        }
        let mut handlings: BTreeMap<(i64, Group), Vec<i64>> = BTreeMap::new();
        for ((start, group, _), sum) in sums {
            handlings.entry((start, group)).or_default().push(sum);
        }
        handlings
    }

    /// The steps that were taken, those that were late, and their cases.
    pub(in super::super) fn escalations(&self, query: &Query) -> Vec<Shape> {
        let mut cells = Cells::new(query, ["escalations", "late", "cases"], false);
        let mut seen = BTreeSet::new();
        for step in &self.escalations {
            let case = self.cases.iter().find(|(number, _)| *number == step.case_number);
            let promised = step.promise_number == 0 || self.promised.contains(&step.promise_number);
            if case.is_none() && step.case_number != 0 || !promised {
                continue;
            }
            let taken = micros(step.fire_time);
            let values = |name: &str| match name {
                "clock" if step.kind == 0 => vec!["promise".to_owned()],
                "clock" => vec![CLOCKS[usize::try_from(step.kind).expect("a kind")].to_owned()],
                "policy" => vec![step.policy_name.clone()],
                _ => case.map_or_else(|| vec![String::new()], |(_, case)| self.of_case(name, case, taken)),
            };
            for group in groups(query, &values) {
                let Some(period) = cells.period(taken) else { continue };
                let first = case.is_some_and(|(number, _)| seen.insert((period, sorted(&group), *number)));
                let indices = [(true, 0), (step.late, 1), (first, 2)];
                let indices: Vec<usize> = indices.iter().filter(|(is, _)| *is).map(|(_, index)| *index).collect();
                cells.count(taken, &group, indices, 0);
            }
        }
        cells.shapes()
    }
}
