//! Figures of subscriptions computed plainly: by replaying events up to an instant.

use std::collections::{BTreeMap, BTreeSet};

use barometer_proto::customers::v1::{SubscriptionEventFact, SubscriptionEventType};
use barometer_statistics::churn::ChurnDefinition;

use super::super::{DAY, Figure, Query};
use super::{Group, Model, groups, micros, sorted};
use crate::rules::period::{Period, Periods};

/// A row: start of the period, group, value, counts and amounts.
pub(in super::super) type Row = (i64, Group, Option<f64>, Vec<u64>, Vec<i128>);

/// What is compared of figures.
pub(in super::super) fn rows(figures: &[Figure]) -> Vec<Row> {
    let row = |figure: &Figure| {
        let measured = &figure.measured;
        let counts = measured.counts.iter().map(|(_, count)| count.to_string().parse().expect("a whole number"));
        let amounts = measured.amounts.iter().map(|(_, micros)| *micros).collect();
        (figure.start, sorted(&figure.group), measured.value, counts.collect(), amounts)
    };
    let mut rows: Vec<Row> = figures.iter().map(row).collect();
    rows.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    rows
}

/// How one subscription stands.
#[derive(Clone, Debug, Default)]
struct State {
    amount: u64,
    currency: String,
    plan: String,
    area: String,
}

/// What a customer's subscriptions of one group come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    running: u64,
    amount: u64,
}

/// The events of one customer, by subscription, each in its order.
type Life<'m> = BTreeMap<&'m str, Vec<&'m SubscriptionEventFact>>;

/// Customers by group, then by period.
pub(in super::super) struct Seen {
    periods: Vec<Period>,
    found: BTreeMap<Group, Vec<Vec<Watched>>>,
}

impl Seen {
    /// The rows of a metric.
    pub(in super::super) fn rows(&self, query: &Query) -> Vec<Row> {
        let mut rows = Vec::new();
        for (group, of_group) in &self.found {
            let figures: Vec<_> = of_group.iter().map(|watched| figure(query, watched)).collect();
            if group.is_empty() || figures.iter().any(|(_, counts, _)| counts.iter().any(|count| *count > 0)) {
                let with_start = self.periods.iter().zip(figures);
                rows.extend(
                    with_start.map(|(period, (value, counts, amounts))| {
                        (period.start, group.clone(), value, counts, amounts)
                    }),
                );
            }
        }
        rows.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        rows
    }
}

impl Model {
    /// What subscribers, churn and revenue are made of: customers when periods begin and end.
    pub(in super::super) fn watch(&self, query: &Query) -> Seen {
        let range = query.start.expect("a start")..query.end.expect("an end");
        let periods = Periods::new(&query.days, query.granularity, range).expect("periods").as_slice().to_vec();
        let of_money = query.metrics[0].always_grouped_by.contains(&"currency");
        let mut found: BTreeMap<Group, Vec<Vec<Watched>>> = BTreeMap::new();
        if query.group_by.is_empty() && !of_money {
            found.insert(Group::new(), vec![Vec::new(); periods.len()]);
        }
        for (customer, life) in self.lives() {
            for (index, period) in periods.iter().enumerate().filter(|(_, period)| period.start < query.now) {
                let period = Period { end: period.end.min(query.now), ..period.clone() };
                let of_state = |state: &State| {
                    let values = |name: &str| match name {
                        "currency" => vec![state.currency.clone()],
                        "plan" => vec![state.plan.clone()],
                        "area" => vec![state.area.clone()],
                        _ => self.attribute(name, customer, period.end - 1),
                    };
                    let with_currency = |mut group: Group| {
                        if of_money && !query.group_by.iter().any(|name| name == "currency") {
                            group.push(("currency".to_owned(), state.currency.clone()));
                        }
                        sorted(&group)
                    };
                    groups(query, &values).into_iter().map(with_currency).collect::<BTreeSet<_>>()
                };
                let instants: BTreeSet<i64> = life.values().flatten().map(|event| effective(event)).collect();
                let states = instants.iter().flat_map(|at| standing(&life, at + 1));
                for group in states.flat_map(|state| of_state(&state)).collect::<BTreeSet<_>>() {
                    let sum = |at: i64| {
                        let mut sum = Sum::default();
                        for state in standing(&life, at).iter().filter(|state| of_state(state).contains(&group)) {
                            sum.running += 1;
                            sum.amount += state.amount;
                        }
                        sum
                    };
                    let watched = Watched::of(&period, &instants, sum);
                    found.entry(group).or_insert_with(|| vec![Vec::new(); periods.len()])[index].push(watched);
                }
            }
        }
        Seen { periods, found }
    }

    /// Ends of subscriptions.
    pub(in super::super) fn ended(&self, query: &Query) -> Vec<Row> {
        let range = query.start.expect("a start")..query.end.expect("an end");
        let periods = Periods::new(&query.days, query.granularity, range).expect("periods").as_slice().to_vec();
        let mut found: BTreeMap<Group, Vec<Vec<u64>>> = BTreeMap::new();
        for (customer, life) in self.lives() {
            let mut last_at: BTreeMap<i64, bool> = BTreeMap::new();
            for events in life.values() {
                for (index, event) in events.iter().enumerate() {
                    let at = effective(event);
                    let running = |events: &[&SubscriptionEventFact]| replay(events).is_some();
                    let cancels = event.r#type() == SubscriptionEventType::Cancel;
                    // It ran for a while before, and this is the event that ended it.
                    let ran = replay(&events[..index]).is_some() && started(&events[..index]) < Some(at);
                    let Some(period) = periods.iter().position(|period| (period.start..period.end).contains(&at))
                    else {
                        continue;
                    };
                    if !cancels || !ran || running(&events[..=index]) || at >= query.now {
                        continue;
                    }
                    let told = |text: fn(&SubscriptionEventFact) -> String| {
                        let told = events[..=index].iter().rev().map(|event| text(event)).find(|text| !text.is_empty());
                        vec![told.unwrap_or_default()]
                    };
                    let values = |name: &str| match name {
                        "reason" => vec![event.reason.clone()],
                        "voluntary" => vec![event.voluntary.map_or(String::new(), |chosen| chosen.to_string())],
                        "plan" => told(|event| event.plan.clone()),
                        "area" => told(|event| event.dimensions.get("area").cloned().unwrap_or_default()),
                        _ => self.attribute(name, customer, at),
                    };
                    let gone = standing(&life, at + 1).is_empty();
                    last_at.insert(at, gone);
                    for group in groups(query, &values) {
                        let cells = found.entry(sorted(&group)).or_insert_with(|| vec![vec![0; 2]; periods.len()]);
                        cells[period][0] += 1;
                    }
                }
            }
            // Of several at once one is the last, and only without groups does it not matter which.
            if query.group_by.is_empty() {
                for at in last_at.iter().filter(|(_, gone)| **gone).map(|(at, _)| *at) {
                    let period = periods.iter().position(|period| (period.start..period.end).contains(&at));
                    let cells = found.get_mut(&Group::new()).expect("something ended");
                    cells[period.expect("a period")][1] += 1;
                }
            }
        }
        if query.group_by.is_empty() {
            found.entry(Group::new()).or_insert_with(|| vec![vec![0; 2]; periods.len()]);
        }
        let mut rows = Vec::new();
        for (group, cells) in found {
            for (period, counts) in periods.iter().zip(cells) {
                let value = (counts[0] > 0).then(|| counts[0].to_string().parse().expect("a number"));
                rows.push((period.start, group.clone(), value, counts, Vec::new()));
            }
        }
        rows.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        rows
    }

    /// Whether a subscription of a customer runs just before an instant.
    pub(in super::super) fn is_subscribed(&self, customer: &str, before: i64) -> bool {
        self.lives().get(customer).is_some_and(|life| !standing(life, before).is_empty())
    }

    fn lives(&self) -> BTreeMap<&str, Life<'_>> {
        let mut events: Vec<_> = self.subscription_events.iter().collect();
        events.sort_by_key(|(number, event)| (effective(event), micros(event.time), *number));
        let mut lives: BTreeMap<&str, Life<'_>> = BTreeMap::new();
        for (_, event) in events {
            let life = lives.entry(&event.customer_id).or_default();
            life.entry(&event.subscription_id).or_default().push(event);
        }
        lives
    }
}

/// One customer in one period, of one group.
#[derive(Clone, Debug)]
struct Watched {
    start: Sum,
    end: Sum,
    had_paid: bool,
    ever: bool,
    came: bool,
    departures: u64,
    /// By day of UTC: whether there when it begins, and departures on it.
    days: Vec<(bool, u64)>,
}

impl Watched {
    fn of(period: &Period, instants: &BTreeSet<i64>, sum: impl Fn(i64) -> Sum) -> Self {
        let within = |start: i64, end: i64| instants.iter().copied().filter(move |at| (start..end).contains(at));
        let leaves = |at: &i64| sum(*at).running > 0 && sum(at + 1).running == 0;
        let first = period.start.div_euclid(DAY);
        let days = (first..=(period.end - 1).div_euclid(DAY)).map(|day| {
            let (start, end) = ((day * DAY).max(period.start), ((day + 1) * DAY).min(period.end));
            (sum(start).running > 0, within(start, end).filter(leaves).count() as u64)
        });
        Watched {
            start: sum(period.start),
            end: sum(period.end),
            had_paid: within(i64::MIN, period.start).any(|at| sum(at + 1).amount > 0),
            ever: within(i64::MIN, period.end).any(|at| sum(at + 1).running > 0),
            came: within(period.start, period.end).any(|at| sum(at + 1).running > 0),
            departures: within(period.start, period.end).filter(leaves).count() as u64,
            days: days.collect(),
        }
    }
}

fn figure(query: &Query, all: &[Watched]) -> (Option<f64>, Vec<u64>, Vec<i128>) {
    let count = |is: &dyn Fn(&Watched) -> bool| all.iter().filter(|one| is(one)).count() as u64;
    let percent = |part: u64, whole: u64| (whole > 0).then(|| 100.0 * part as f64 / whole as f64);
    let id = query.metrics[0].id;
    let ever = count(&|one| one.ever) > 0;
    match id {
        "subscribers" => {
            let (customers, running) = (count(&|one| one.end.running > 0), all.iter().map(|one| one.end.running).sum());
            (ever.then_some(customers as f64), vec![customers, running], Vec::new())
        }
        "contract_churn_rate" | "contract_retention_rate" => {
            let at_start = count(&|one| one.start.running > 0);
            let churned = count(&|one| one.start.running > 0 && one.end.running == 0);
            let joined = count(&|one| one.start.running == 0 && one.came);
            let and_left = count(&|one| one.start.running == 0 && one.came && one.end.running == 0);
            let departures = all.iter().map(|one| one.departures).sum();
            let rate = match query.parameters.definition {
                ChurnDefinition::Standard => percent(churned, at_start),
                ChurnDefinition::AllDepartures => percent(departures, at_start),
                ChurnDefinition::OverStartPlusNew => percent(churned + and_left, at_start + joined),
                ChurnDefinition::DailySum => {
                    let days = (0..all.first().map_or(0, |one| one.days.len())).filter_map(|day| {
                        let there = count(&|one| one.days[day].0);
                        percent(all.iter().map(|one| one.days[day].1).sum(), there)
                    });
                    days.fold(None, |sum, rate| Some(sum.unwrap_or(0.0) + rate))
                }
            };
            let value = if id == "contract_churn_rate" { rate } else { rate.map(|rate| 100.0 - rate) };
            (value, vec![at_start, churned, at_start - churned, joined, and_left, departures], Vec::new())
        }
        _ => {
            let (mut moved, mut counts) = ([0_i128; 5], [0; 5]);
            let (mut start, mut end, mut kept) = (0_i128, 0_i128, 0_i128);
            for one in all {
                let (from, to) = (i128::from(one.start.amount), i128::from(one.end.amount));
                start += from;
                end += to;
                kept += from.min(to);
                let movement = match (from, to) {
                    (0, 0) => continue,
                    (0, _) => 2 * usize::from(one.had_paid),
                    (_, 0) => 1,
                    _ if to > from => 3,
                    _ if to < from => 4,
                    _ => continue,
                };
                moved[movement] += (to - from).abs();
                counts[movement] += 1;
            }
            let share = |part: i128| (start > 0).then(|| 100.0 * part as f64 / start as f64);
            let lost = moved[1] + moved[4];
            let units = |micros: i128| micros as f64 / 1e6;
            let paying = |of: fn(&Watched) -> Sum| count(&|one| of(one).amount > 0);
            if id == "mrr" {
                return (ever.then(|| units(end)), vec![paying(|one| one.end), count(&|one| one.ever)], vec![end]);
            }
            let value = match id {
                "mrr_movement" => ever.then(|| units(end - start)),
                "gross_revenue_churn" => share(lost),
                "net_revenue_churn" => share(lost - moved[3] - moved[2]),
                "gross_revenue_retention" => share(kept),
                "net_revenue_retention" => share(kept + moved[3]),
                "mrr_quick_ratio" => (lost > 0).then(|| (moved[0] + moved[3]) as f64 / lost as f64),
                _ => unreachable!("no metric of contracts"),
            };
            let counts = [vec![paying(|one| one.start)], counts.to_vec(), vec![paying(|one| one.end)]].concat();
            (value, counts, [vec![start], moved.to_vec(), vec![end]].concat())
        }
    }
}

fn effective(event: &SubscriptionEventFact) -> i64 {
    micros(event.effective_time)
}

/// The subscriptions that run just before an instant.
fn standing(life: &Life<'_>, at: i64) -> Vec<State> {
    let before = |events: &&Vec<&SubscriptionEventFact>| events.iter().filter(|event| effective(event) < at).count();
    life.values().filter_map(|events| replay(&events[..before(&events)])).collect()
}

/// How a subscription stands after these events.
fn replay(events: &[&SubscriptionEventFact]) -> Option<State> {
    let (mut state, mut over): (Option<State>, bool) = (None, false);
    let (mut plan, mut area) = (String::new(), String::new());
    for event in events {
        plan = if event.plan.is_empty() { plan } else { event.plan.clone() };
        area = event.dimensions.get("area").cloned().unwrap_or(area);
        let cancels = event.r#type() == SubscriptionEventType::Cancel;
        over |= cancels;
        if cancels {
            state = None;
        } else if event.r#type() == SubscriptionEventType::Start || state.is_some() || !over {
            let money = event.monthly_amount.clone().expect("money");
            let amount = u64::try_from(money.units).expect("an amount") * 1_000_000;
            state = Some(State { amount, currency: money.currency_code, plan: String::new(), area: String::new() });
        }
    }
    // What it says is what the event said that it runs on after, or one before: of the events since, none did.
    state.map(|state| State { plan, area, ..state })
}

/// Since when a subscription runs that does.
fn started(events: &[&SubscriptionEventFact]) -> Option<i64> {
    let is_running = |count: &usize| replay(&events[..*count]).is_some();
    let mut since = None;
    for count in (1..=events.len()).rev().take_while(is_running) {
        since = Some(effective(events[count - 1]));
    }
    since
}
