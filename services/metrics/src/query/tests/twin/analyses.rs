//! Cohorts and curves computed plainly: quarter of a day by quarter of a day, of which all instants of the histories are.

use std::collections::{BTreeMap, BTreeSet};

use barometer_proto::{
    customers::v1::PurchaseFact,
    metrics::v1::{
        Activity, Beginning, Filter, Granularity, QueryRetentionRequest, QuerySurvivalRequest, Scope,
        query_retention_request::Definition, query_survival_request::Ending,
    },
};

use super::super::{DAY, analyses::NOW};
use super::{Group, Model, groups, micros, parts, sorted};
use crate::analysis::retention::{Cohort, Cohorts};

const QUARTER: i64 = DAY / 4;
/// Before and after everything.
const ALL: std::ops::Range<i64> = -60..600;

/// By group and the first instant of the cohort, the averages at the end of time: how many, who was retained, whose periods
/// are not over.
pub(in super::super) type Table = BTreeMap<(Group, i64), Vec<(u64, u64, u64)>>;

pub(in super::super) fn cohorts_of(cohorts: &Cohorts) -> Table {
    let cells = |cohort: &Cohort| -> Vec<(u64, u64, u64)> {
        let counted = cohort.cells.iter().map(|cell| cell.counted.expect("told"));
        counted.map(|cell| (cell.size, cell.retained, cell.unfinished)).collect()
    };
    let label = |cohort: &Cohort| if cohort.label.is_empty() { i64::MIN } else { cohort.within.start };
    let of_cohorts = cohorts.cohorts.iter().map(|cohort| ((sorted(&cohort.group), label(cohort)), cells(cohort)));
    let of_averages = cohorts.averages.iter().map(|cohort| ((sorted(&cohort.group), i64::MAX), cells(cohort)));
    of_cohorts.chain(of_averages).collect()
}

/// A cohort, the periods of activity since, and whether one since is over.
type Member<'r> = (i64, BTreeSet<i64>, Box<dyn Fn(i64) -> bool + 'r>);

/// A life in quarters of days since its beginning: watched after, until, and whether that is an event.
pub(in super::super) type Watched = (Option<i64>, i64, bool);

impl Model {
    pub(in super::super) fn retention(&self, request: &QueryRetentionRequest) -> Table {
        let (start, end) = bounds(request.scope.as_ref());
        let period = |quarter: i64| match request.granularity() {
            Granularity::Day => quarter.div_euclid(4),
            // Weeks begin on the 4th day.
            _ => (quarter - 16).div_euclid(28),
        };
        let starts_at = |period: i64| match request.granularity() {
            Granularity::Day => 4 * period,
            _ => 28 * period + 16,
        };
        let now = NOW / QUARTER;
        let brackets: Vec<_> = match request.brackets.as_slice() {
            [] => (0..if request.periods == 0 { 13 } else { i64::from(request.periods) }).map(|k| k..k + 1).collect(),
            brackets => brackets.iter().map(|bracket| i64::from(bracket.start)..i64::from(bracket.end)).collect(),
        };
        let mut table = Table::new();
        for (customer, _) in self.people() {
            let Some((begun, in_groups)) =
                self.begun(request.beginning(), customer, &request.group_by, request.scope.as_ref(), false)
            else {
                continue;
            };
            let active: BTreeSet<i64> = ALL
                .filter(|at| begun <= *at && *at < now && self.is_active(request.activity(), customer, *at))
                .collect();
            // Cohort, and for each period of activity how many later.
            let mut cohorts: Vec<Member<'_>> = Vec::new();
            if request.recurring {
                let within = active.iter().filter(|at| start.is_none_or(|start| start <= **at) && **at < end);
                for cohort in within.map(|at| period(*at)).collect::<BTreeSet<_>>() {
                    let since = active.iter().map(|at| period(*at) - cohort).filter(|since| *since >= 0).collect();
                    cohorts.push((cohort, since, Box::new(move |k| starts_at(cohort + k + 1) <= now)));
                }
            } else if start.is_none_or(|start| start <= begun) && begun < end {
                let days = 4 * i64::from(request.rolling_days);
                let since = |at: &i64| if days > 0 { (at - begun) / days } else { period(*at) - period(begun) };
                let is_over = move |k: i64| {
                    let ends = if days > 0 { begun + days * (k + 1) } else { starts_at(period(begun) + k + 1) };
                    ends <= now
                };
                cohorts.push((period(begun), active.iter().map(since).collect(), Box::new(is_over)));
            }
            for (cohort, since, is_over) in cohorts {
                // Cut where the time begins.
                let label = match request.together {
                    true => i64::MIN,
                    false => QUARTER * starts_at(cohort).max(start.unwrap_or(i64::MIN / QUARTER)),
                };
                for group in &in_groups {
                    let cells = table.entry((group.clone(), label)).or_insert_with(|| vec![(0, 0, 0); brackets.len()]);
                    for ((size, retained, unfinished), bracket) in cells.iter_mut().zip(&brackets) {
                        *size += 1;
                        let counts = |k: &i64| match request.definition() {
                            Definition::OnOrAfter => *k >= bracket.start,
                            _ => bracket.contains(k),
                        };
                        *retained += u64::from(since.iter().any(counts));
                        *unfinished += u64::from(!is_over(bracket.end - 1));
                    }
                }
            }
        }
        if !request.together {
            let mut averages = Table::new();
            for ((group, _), cells) in &table {
                let average = averages.entry((group.clone(), i64::MAX)).or_insert_with(|| vec![(0, 0, 0); cells.len()]);
                for (average, cell) in average.iter_mut().zip(cells).filter(|(_, cell)| cell.2 == 0) {
                    *average = (average.0 + cell.0, average.1 + cell.1, 0);
                }
            }
            table.extend(averages);
        }
        table
    }

    /// The lives that are watched, by group.
    pub(in super::super) fn watched(&self, request: &QuerySurvivalRequest) -> BTreeMap<Group, Vec<Watched>> {
        let (start, until) = bounds(request.scope.as_ref());
        let mut watched: BTreeMap<Group, Vec<Watched>> = BTreeMap::new();
        for (customer, _) in self.people() {
            let begun = self.begun(request.beginning(), customer, &request.group_by, request.scope.as_ref(), true);
            let Some((begun, in_groups)) = begun.filter(|(begun, _)| *begun < until) else { continue };
            let Some((from, ended)) = self.life(request, customer, begun) else { continue };
            let from = from.max(start.unwrap_or(i64::MIN));
            let (exit, event) = match ended {
                Some(at) if at < until => (at, true),
                _ => (until, false),
            };
            let entry = (from > begun).then_some(from - begun);
            if entry.is_none_or(|entry| entry < exit - begun) {
                for group in in_groups {
                    watched.entry(group).or_default().push((entry, exit - begun, event));
                }
            }
        }
        watched
    }

    /// From when on a customer is at risk, and when that ends.
    fn life(&self, request: &QuerySurvivalRequest, customer: &str, begun: i64) -> Option<(i64, Option<i64>)> {
        let sales = || self.sales_of(customer).map(|sale| micros(sale.time) / QUARTER).filter(|at| *at < NOW / QUARTER);
        let is_there = |at: i64| match request.ending() {
            Ending::Contract => self.is_subscribed(customer, at * QUARTER + 1),
            Ending::Programme => self.attribute("member", customer, at * QUARTER) == ["true"],
            _ => sales().any(|sale| sale <= at && at < sale + 4 * i64::from(request.inactivity_days)),
        };
        match request.ending() {
            Ending::SecondPurchase => {
                let first = sales().min()?;
                let second = sales().filter(|sale| sale.div_euclid(4) > first.div_euclid(4)).min();
                second.is_none_or(|second| second >= begun).then_some((first.max(begun), second))
            }
            Ending::FirstComplaint => {
                let complaints =
                    self.cases.iter().filter(|(_, case)| case.customer_id == customer && [3, 4].contains(&kind(case)));
                let first =
                    complaints.map(|(_, case)| micros(case.open_time) / QUARTER).filter(|at| *at < NOW / QUARTER).min();
                first.is_none_or(|first| first >= begun).then_some((begun, first))
            }
            _ => {
                let from = ALL.into_iter().find(|at| *at >= begun && is_there(*at))?;
                Some((from, (from..ALL.end).find(|at| !is_there(*at))))
            }
        }
    }

    /// When a customer began, in quarters, and in which groups it was then, if it passes.
    fn begun(
        &self,
        beginning: Beginning,
        customer: &str,
        group_by: &[String],
        scope: Option<&Scope>,
        as_customer: bool,
    ) -> Option<(i64, BTreeSet<Group>)> {
        let person = self.people().find(|(id, _)| *id == customer).map(|(_, person)| person)?;
        let first_sale = self.sales_of(customer).min_by_key(|sale| micros(sale.time));
        let answers = self.responses.iter().filter(|(_, answer)| answer.customer_id == customer);
        let first_answer =
            answers.min_by_key(|(number, answer)| (micros(answer.time), *number)).map(|(_, answer)| answer);
        let begun = match beginning {
            Beginning::FirstAnswer => micros(first_answer?.time) / QUARTER,
            Beginning::Acquisition => self.known_since(customer, person) / QUARTER,
            Beginning::FirstSubscription => {
                ALL.into_iter().find(|at| self.is_subscribed(customer, at * QUARTER + 1))?
            }
            Beginning::Enrolment => {
                ALL.into_iter().find(|at| self.attribute("member", customer, at * QUARTER) == ["true"])?
            }
            _ => micros(first_sale?.time) / QUARTER,
        };
        let categories: Vec<String> = match beginning {
            Beginning::FirstPurchase if !as_customer => parts(first_sale?).into_keys().collect(),
            _ => vec![String::new()],
        };
        let divided = group_by.iter().any(|name| name == "category");
        let mut found = BTreeSet::new();
        for category in if divided { categories } else { vec![String::new()] } {
            let values = |name: &str| match beginning {
                Beginning::FirstPurchase if !as_customer => {
                    self.of_purchase(name, first_sale.expect("a sale"), &category)
                }
                Beginning::FirstAnswer if !as_customer && name == "language" => {
                    vec![first_answer.expect("an answer").language.clone()]
                }
                _ => self.attribute(name, customer, begun * QUARTER),
            };
            let filters = scope.map_or(&[][..], |scope| &scope.filters);
            let passes = |Filter { dimension, values: wanted, .. }: &Filter| {
                values(dimension).iter().any(|value| wanted.contains(value))
            };
            if filters.iter().all(passes) {
                let mut query = super::super::query("purchases", Default::default(), &[]);
                query.group_by = group_by.to_vec();
                found.extend(groups(&query, &values).iter().map(sorted));
            }
        }
        (!found.is_empty()).then_some((begun, found))
    }

    fn is_active(&self, activity: Activity, customer: &str, at: i64) -> bool {
        let is_now = |time: Option<prost_types::Timestamp>| micros(time) == at * QUARTER;
        match activity {
            Activity::Answer => {
                self.responses.iter().any(|(_, answer)| answer.customer_id == customer && is_now(answer.time))
            }
            Activity::Subscription => self.is_subscribed(customer, at * QUARTER + 1),
            Activity::Programme => {
                let events = self.memberships.iter().map(|(_, event)| event);
                let mut of_customer = events.filter(|event| event.customer_id == customer && is_now(event.time));
                of_customer.any(|event| [3, 4, 8].contains(&event.r#type))
            }
            Activity::Contact => {
                let mut own = self.interactions.iter().filter(|of| of.customer_id == customer && of.direction == 1);
                own.any(|of| is_now(of.time))
            }
            _ => self.sales_of(customer).any(|sale| is_now(sale.time)),
        }
    }

    fn sales_of(&self, customer: &str) -> impl Iterator<Item = &PurchaseFact> {
        let sales = self.purchases.iter().filter(|sale| sale.amount.as_ref().expect("money").units >= 0);
        sales.filter(move |sale| sale.customer_id == customer)
    }
}

/// The kind of a case; complaints when it is not said.
fn kind(case: &barometer_proto::complaints::v1::CaseFact) -> i32 {
    if case.kind == 0 { 3 } else { case.kind }
}

/// Start and end of the time in quarters, the end not beyond now.
fn bounds(scope: Option<&Scope>) -> (Option<i64>, i64) {
    let start = scope.and_then(|scope| scope.start_time).map(|at| micros(Some(at)) / QUARTER);
    let end = scope.and_then(|scope| scope.end_time).map(|at| micros(Some(at)) / QUARTER);
    (start, end.unwrap_or(i64::MAX).min(NOW / QUARTER))
}

fn at_risk(lives: &[Watched], time: i64) -> impl Iterator<Item = &Watched> {
    lives.iter().filter(move |(entry, exit, _)| entry.is_none_or(|entry| entry < time) && *exit >= time)
}

fn events(lives: &[Watched], time: i64) -> u64 {
    lives.iter().filter(|(_, exit, event)| *event && *exit == time).count() as u64
}

fn times<'l>(groups: impl Iterator<Item = &'l Vec<Watched>>) -> BTreeSet<i64> {
    groups.flatten().filter(|(_, _, event)| *event).map(|(_, exit, _)| *exit).collect()
}

/// Time, how many at risk, how many events, and what is left.
pub(in super::super) fn product_limit(lives: &Vec<Watched>) -> Vec<(i64, u64, u64, f64)> {
    let mut left = 1.0;
    let step = |time: i64| {
        let (n, d) = (at_risk(lives, time).count() as u64, events(lives, time));
        left *= 1.0 - d as f64 / n as f64;
        (time, n, d, left)
    };
    times(std::iter::once(lives)).into_iter().map(step).collect()
}

/// Events of each group, and how many there would have been at the rates of all.
pub(in super::super) fn expected<'l>(groups: impl Iterator<Item = &'l Vec<Watched>> + Clone) -> Vec<(u64, f64)> {
    let of_group = |lives: &Vec<Watched>| {
        let expected = times(groups.clone()).into_iter().map(|time| {
            let (n, d) =
                groups.clone().fold((0, 0), |(n, d), of| (n + at_risk(of, time).count(), d + events(of, time)));
            d as f64 * at_risk(lives, time).count() as f64 / n as f64
        });
        (lives.iter().filter(|(_, _, event)| *event).count() as u64, expected.sum())
    };
    groups.clone().map(of_group).collect()
}

/// Whether whenever there was an event one group alone was at risk, or everybody at risk went.
pub(in super::super) fn nothing_to_compare<'l>(groups: impl Iterator<Item = &'l Vec<Watched>> + Clone) -> bool {
    times(groups.clone()).into_iter().all(|time| {
        let at_risk: Vec<_> = groups.clone().map(|lives| at_risk(lives, time).count() as u64).collect();
        let events: u64 = groups.clone().map(|lives| events(lives, time)).sum();
        at_risk.iter().filter(|count| **count > 0).count() < 2 || at_risk.iter().sum::<u64>() == events
    })
}
