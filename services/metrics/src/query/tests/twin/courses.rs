//! Figures of complaints computed plainly: what their histories and outcomes say.

use std::collections::BTreeSet;

use barometer_proto::complaints::v1::{CaseEntryType, CaseFact};

use super::super::Query;
use super::{Cells, Model, Shape, cases::maybe, groups, micros, sorted};
use crate::catalogue;

impl Model {
    /// Whether a case was open just before an instant.
    pub(in super::super) fn is_open_at(&self, number: i64, case: &CaseFact, instant: i64) -> bool {
        let mut open = micros(case.open_time) < instant;
        for (_, of) in self.turns(number, case).filter(|(at, _)| *at < instant) {
            open = of == CaseEntryType::Reopened;
        }
        open
    }

    /// How long a case was open, if it is resolved now.
    pub(in super::super) fn time_open(&self, number: i64, case: &CaseFact) -> Option<i64> {
        let (mut since, mut sum) = (Some(micros(case.open_time)), 0);
        let mut last = None;
        for (at, of) in self.turns(number, case) {
            match (of, since) {
                (CaseEntryType::Reopened, None) => since = Some(at),
                (CaseEntryType::Reopened, Some(_)) => {}
                (_, Some(from)) => {
                    sum += at - from;
                    since = None;
                }
                (_, None) => {}
            }
            last = Some(of);
        }
        matches!(last, Some(CaseEntryType::Resolved | CaseEntryType::SelfServed)).then_some(sum)
    }

    /// The counts of the metrics of how cases went and what became of them.
    pub(in super::super) fn courses(&self, query: &Query) -> Vec<Shape> {
        let metric = query.metrics[0];
        let mut cells = Cells::new(query, metric.counts.iter().copied(), false);
        for (number, case) in &self.cases {
            let opened = micros(case.open_time);
            if metric.id == "backlog" {
                for period in cells.periods.clone() {
                    let end = period.end.min(query.now);
                    if self.is_open_at(*number, case, end) {
                        let days = (end - opened) / super::super::DAY;
                        let age = [1, 3, 7, 30].iter().filter(|limit| days >= **limit).count();
                        for group in self.groups_of_case(query, case, end - 1) {
                            cells.count(period.start, &group, [0, 1 + age], 0);
                        }
                    }
                }
                continue;
            }
            let (at, which) = match metric.id {
                "reopen_rate" => {
                    let Some(resolved) = maybe(case.first_resolve_time) else { continue };
                    let turns: Vec<_> = self.turns(*number, case).map(|(_, of)| of).collect();
                    let first = turns.iter().position(|of| is_resolution(*of)).unwrap_or(turns.len());
                    let reopened = turns[first..].contains(&CaseEntryType::Reopened);
                    (resolved, if reopened { vec![0, 1] } else { vec![1] })
                }
                "hand_offs_per_case" => {
                    let mut which = vec![2];
                    which.extend((case.hand_offs > 0).then_some(1));
                    which.extend((0..case.hand_offs).map(|_| 0));
                    (opened, which)
                }
                "upheld_rate" => (opened, vec![[3, 0, 1, 2][usize::try_from(case.finding).expect("a finding")]]),
                "acceptance_rate" => {
                    let index = [None, None, Some(2), Some(0), Some(1), Some(3)];
                    (opened, index[usize::try_from(case.acceptance).expect("one")].into_iter().collect())
                }
                "case_satisfaction" => match case.satisfaction {
                    Some(4..=5) => (opened, vec![0, 1]),
                    Some(_) => (opened, vec![1]),
                    None => continue,
                },
                _ => unreachable!(),
            };
            for group in self.groups_of_case(query, case, at) {
                cells.count(at, &group, which.iter().copied(), 0);
            }
        }
        cells.shapes()
    }

    pub(in super::super) fn hand_offs(&self, query: &Query) -> Vec<Shape> {
        let mut cells = Cells::new(query, ["hand_offs", "cases"], false);
        let mut seen = BTreeSet::new();
        for (_, entry) in self.entries.iter().filter(|(_, entry)| entry.r#type() == CaseEntryType::Assigned) {
            let lost = |before: &String, after: &String| !before.is_empty() && before != after;
            let case = self.cases.iter().find(|(number, _)| *number == entry.case_number);
            let (Some((number, case)), true) =
                (case, lost(&entry.previous_employee, &entry.employee) || lost(&entry.previous_team, &entry.team))
            else {
                continue;
            };
            let at = micros(entry.time);
            let values = |name: &str| match name {
                "employee" => vec![entry.previous_employee.clone()],
                "team" => vec![entry.previous_team.clone()],
                "to_employee" => vec![entry.employee.clone()],
                "to_team" => vec![entry.team.clone()],
                _ => self.of_case(name, case, at),
            };
            for group in groups(query, &values) {
                let first = seen.insert((cells.period(at), sorted(&group), *number));
                cells.count(at, &group, [0].into_iter().chain(first.then_some(1)), 0);
            }
        }
        cells.shapes()
    }

    /// What was given in money.
    pub(in super::super) fn redress(&self, query: &Query) -> Vec<Shape> {
        let mut cells = Cells::new(query, ["redresses", "cases"], true);
        let mut seen = BTreeSet::new();
        for (number, case) in &self.cases {
            let opened = micros(case.open_time);
            for redress in &case.redress {
                let Some(money) = &redress.amount else { continue };
                let remedies = ["", "refund", "voucher", "discount", "apology", "replacement"];
                let values = |name: &str| match name {
                    "remedy" => vec![remedies[usize::try_from(redress.remedy).expect("a remedy")].to_owned()],
                    _ => self.of_case(name, case, opened),
                };
                for mut group in groups(query, &values) {
                    group.push(("currency".to_owned(), money.currency_code.clone()));
                    let first = seen.insert((cells.period(opened), sorted(&group), *number));
                    let which = [0].into_iter().chain(first.then_some(1));
                    cells.count(opened, &group, which, i128::from(money.units) * 1_000_000);
                }
            }
        }
        cells.shapes()
    }

    /// All points that were given.
    pub(in super::super) fn points(&self) -> f64 {
        let points = self.cases.iter().flat_map(|(_, case)| &case.redress).map(|redress| redress.points).sum::<i64>();
        f64::from(i32::try_from(points).expect("few"))
    }

    /// Complaints and losses, and the customers of their groups.
    pub(in super::super) fn complaint_rate(&self, query: &Query) -> Vec<Shape> {
        let mut cells = Cells::new(query, ["complaints"], false);
        for (_, case) in self.cases.iter().filter(|(_, case)| [0, 3, 4].contains(&case.kind)) {
            let opened = micros(case.open_time);
            for group in self.groups_of_case(query, case, opened) {
                cells.count(opened, &group, [0], 0);
            }
        }
        let of_customers = |name: &str| !["product", "kind"].contains(&name);
        let mut asked = query.clone();
        asked.metrics = vec![catalogue::find("customers").expect("a metric")];
        asked.group_by.retain(|name| of_customers(name));
        let known = self.known(&asked);
        let mut names: BTreeSet<_> = cells.shapes().into_iter().map(|(_, group, _, _)| group).collect();
        if asked.group_by.len() == query.group_by.len() {
            names.extend(known.iter().map(|(_, group, _, _)| group.clone()));
        }
        if query.group_by.is_empty() {
            names.insert(Vec::new());
        }
        let count = |shapes: &[Shape], start: i64, group: &[(String, String)]| {
            let shape = shapes.iter().find(|(at, of, _, _)| (*at, of.as_slice()) == (start, group));
            shape.map_or(0, |(_, _, counts, _)| counts[0].1)
        };
        let complaints = cells.shapes();
        let mut shapes = Vec::new();
        for name in names {
            let base: Vec<_> = name.iter().filter(|(dimension, _)| of_customers(dimension)).cloned().collect();
            for period in &cells.periods {
                let counts = vec![
                    ("complaints", count(&complaints, period.start, &name)),
                    ("customers", count(&known, period.start, &base)),
                ];
                shapes.push((period.start, name.clone(), counts, None));
            }
        }
        shapes.sort();
        shapes
    }

    /// What ended a case, or took it up again, in order; not before it was opened.
    pub(in super::super) fn turns(&self, number: i64, case: &CaseFact) -> impl Iterator<Item = (i64, CaseEntryType)> {
        let opened = micros(case.open_time);
        let of_case = self.entries.iter().filter(move |(_, entry)| entry.case_number == number);
        let turns = of_case.map(move |(_, entry)| (micros(entry.time).max(opened), entry.r#type()));
        turns.filter(|(_, of)| is_resolution(*of) || matches!(of, CaseEntryType::Cancelled | CaseEntryType::Reopened))
    }
}

fn is_resolution(of: CaseEntryType) -> bool {
    matches!(of, CaseEntryType::Resolved | CaseEntryType::SelfServed)
}
