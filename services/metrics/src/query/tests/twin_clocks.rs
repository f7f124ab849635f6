//! Figures of clocks and promises computed plainly.

use std::collections::BTreeMap;

use super::{
    Query,
    twin::{Cells, Group, Model, Shape, groups, micros, sorted},
    twin_cases::maybe,
};
use crate::catalogue::{Measure, Span};

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
    pub(super) fn clocks(&self, query: &Query) -> Vec<Shape> {
        let metric = query.metrics[0];
        let mut cells = Cells::new(query, metric.counts.iter().copied(), false);
        self.each_clock(query, |start, group, clock, cancelled| {
            let which = match (metric.measure, clock.state) {
                (Measure::ClockTime, _) if cancelled => return,
                (Measure::ClockTime, 3..=5) => 0,
                (Measure::ClockTime, _) => 1,
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
    pub(super) fn clock_times(&self, query: &Query) -> BTreeMap<(i64, Group), Vec<i64>> {
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
}
