//! Figures of promises computed plainly.

use super::super::Query;
use super::{Cells, Model, Shape, groups, micros};

impl Model {
    pub(in super::super) fn follow_ups(&self, query: &Query) -> Vec<Shape> {
        let mut cells = Cells::new(query, ["recovered", "unchanged", "worse", "no_answer", "pending"], false);
        for of in self.follow_ups.iter().filter(|of| of.outcome != 6) {
            let opened = micros(of.open_time);
            let index = [4, 4, 0, 1, 2, 3][usize::try_from(of.outcome).expect("an outcome")];
            let values = |name: &str| match name {
                "survey" => vec![self.surveys.get(&of.survey_id).map(|survey| survey.name.clone()).unwrap_or_default()],
                _ => self.attribute(name, &of.customer_id, opened),
            };
            for group in groups(query, &values) {
                cells.count(opened, &group, [index], 0);
            }
        }
        cells.shapes()
    }

    pub(in super::super) fn promises(&self, query: &Query) -> Vec<Shape> {
        let mut cells = Cells::new(query, ["kept", "broken", "kept_late", "open"], false);
        for promise in self.promises.iter().filter(|promise| promise.state != 4) {
            let due = micros(promise.due_time);
            let mut which = vec![match promise.state {
                2 => 0,
                3 => 1,
                _ if due < query.now => 1,
                _ => 3,
            }];
            which.extend((promise.state == 3 && promise.keep_time.is_some()).then_some(2));
            let values = |name: &str| match name {
                "team" => vec![promise.team.clone()],
                "employee" => vec![promise.employee.clone()],
                _ => self.attribute(name, &promise.customer_id, due),
            };
            for group in groups(query, &values) {
                cells.count(due, &group, which.iter().copied(), 0);
            }
        }
        cells.shapes()
    }
}
