//! Figures of service computed plainly.

use std::collections::{BTreeMap, BTreeSet};

use barometer_proto::customers::v1::{CostFact, InteractionFact, cost_fact::Basis};

use super::super::{DAY, Query};
use super::{Cells, Group, Model, Shape, cases::maybe, groups, micros, sorted};
use crate::catalogue::Actions;

const CONTACT: i32 = 2;

/// Start of the period, group, the spread and what was found of it.
pub(in super::super) type Spreads = BTreeMap<(i64, Group), [f64; 2]>;
/// Start of the period, group, value, standard error.
pub(in super::super) type Effects = BTreeMap<(i64, Group), (f64, Option<f64>)>;

impl Model {
    /// What it cost to serve customers.
    pub(in super::super) fn served(&self, query: &Query) -> Vec<Shape> {
        let with_redress = query.metrics[0].id != "cost_per_contact";
        let mut cells = Cells::new(query, query.metrics[0].counts.iter().copied(), with_redress);
        let mut customers = BTreeSet::new();
        let mut serve = |cells: &mut Cells, at: i64, group: &Group, customer: &str, which: usize, cost: i128| {
            cells.count(at, group, [which], if with_redress { cost } else { 0 });
            let mut is_new = || customers.insert((cells.period(at), sorted(group), customer.to_owned()));
            if with_redress && which != 1 && !customer.is_empty() && is_new() {
                cells.count(at, group, [3], 0);
            }
        };
        for of in &self.interactions {
            let at = micros(of.time);
            let price = self.price(of, query);
            let parts: Vec<_> = match price.is_empty() {
                true => vec![(String::new(), 1, 0)],
                false => price.into_iter().map(|(currency, cost)| (currency, 0, cost)).collect(),
            };
            for group in groups(query, &|name| self.of_contact(name, of)) {
                for (currency, which, cost) in parts.clone() {
                    let group = [group.clone(), vec![("currency".to_owned(), currency)]].concat();
                    serve(&mut cells, at, &group, &of.customer_id, which, cost);
                }
            }
        }
        for (_, case) in self.cases.iter().filter(|_| with_redress) {
            let at = micros(case.open_time);
            for redress in case.redress.iter().filter_map(|redress| redress.amount.as_ref()) {
                for group in self.groups_of_case(query, case, at) {
                    let own = ("currency".to_owned(), redress.currency_code.clone());
                    let group = [group, vec![own]].concat();
                    serve(&mut cells, at, &group, &case.customer_id, 2, i128::from(redress.units) * 1_000_000);
                }
            }
        }
        cells.shapes()
    }

    /// What a contact cost, by currency.
    fn price(&self, of: &InteractionFact, query: &Query) -> Vec<(String, i128)> {
        let hours = |micros: i128, seconds: i64| (micros * i128::from(seconds) + 1_800) / 3_600;
        if let Some(cost) = &of.cost {
            return vec![(cost.currency_code.clone(), i128::from(cost.units) * 1_000_000)];
        }
        let money = |basis: &Basis| match basis {
            Basis::Amount(amount) | Basis::PerItem(amount) | Basis::PerHour(amount) => {
                (amount.currency_code.clone(), i128::from(amount.units) * 1_000_000)
            }
        };
        let each = self.rate_of(of, |basis| matches!(basis, Basis::PerItem(_))).map(money);
        let hour = self.rate_of(of, |basis| matches!(basis, Basis::PerHour(_))).map(money);
        let seconds = of.handling_time.as_ref().map(|time| time.seconds);
        let flat = query.parameters.hourly_rate.filter(|_| each.is_none() && hour.is_none());
        let flat = flat.map(|(currency, micros)| (currency.code().to_owned(), i128::from(micros)));
        let hourly = hour.or(flat).zip(seconds).map(|((currency, micros), seconds)| (currency, hours(micros, seconds)));
        let mut parts: BTreeMap<String, i128> = BTreeMap::new();
        each.into_iter().chain(hourly).for_each(|(currency, cost)| *parts.entry(currency).or_default() += cost);
        parts.into_iter().collect()
    }

    fn rate_of(&self, of: &InteractionFact, is_one: impl Fn(&Basis) -> bool) -> Option<&Basis> {
        let at = micros(of.time);
        let rates = |channel: &str, team: &str| -> Vec<&CostFact> {
            let all = self.costs.iter().filter(|cost| cost.kind == CONTACT && cost.basis.as_ref().is_some_and(&is_one));
            all.filter(|cost| cost.channel == channel && cost.team == team).collect()
        };
        let scopes = [(&*of.channel, &*of.team), (&of.channel, ""), ("", &of.team), ("", "")];
        scopes.into_iter().find_map(|(channel, team)| {
            let rates = rates(channel, team);
            let holds = |rate: &&&CostFact| {
                let from = micros(rate.time);
                let next = rates.iter().map(|next| micros(next.time)).filter(|next| *next > from).min();
                from <= at && maybe(rate.end_time).or(next).is_none_or(|until| at < until)
            };
            // They are in the order of their numbers.
            let last = rates.iter().enumerate().filter(|(_, rate)| holds(rate));
            last.max_by_key(|(index, rate)| (micros(rate.time), *index)).and_then(|(_, rate)| rate.basis.as_ref())
        })
    }

    fn of_contact(&self, name: &str, of: &InteractionFact) -> Vec<String> {
        let value = match name {
            "channel" => &of.channel,
            "campaign" => &of.campaign,
            "team" => &of.team,
            "area" => return vec![of.dimensions.get("area").cloned().unwrap_or_default()],
            _ => return self.attribute(name, &of.customer_id, micros(of.time)),
        };
        vec![value.clone()]
    }

    /// Payments by when they were due.
    pub(in super::super) fn payments(&self, query: &Query) -> Vec<Shape> {
        let mut cells = Cells::new(query, ["late", "on_time", "waiting"], false);
        for of in self.purchases.iter().filter(|of| of.amount.as_ref().expect("money").units >= 0) {
            let Some(due) = maybe(of.due_time) else { continue };
            let which = match maybe(of.paid_time) {
                Some(paid) => usize::from(paid <= due),
                None if query.now > due => 0,
                None => 2,
            };
            let values = |name: &str| match name {
                "channel" => vec![of.channel.clone()],
                "area" => vec![of.dimensions.get("area").cloned().unwrap_or_default()],
                _ => self.attribute(name, &of.customer_id, due),
            };
            groups(query, &values).iter().for_each(|group| cells.count(due, group, [which], 0));
        }
        cells.shapes()
    }

    /// Customers after complaints; of money in one currency.
    pub(in super::super) fn recoveries(&self, query: &Query) -> Vec<Shape> {
        let of_money = query.metrics[0].id == "spend_after_complaint";
        let mut cells = Cells::new(query, query.metrics[0].counts.iter().copied(), of_money);
        let parameters = query.parameters;
        let [active, after] = [parameters.inactivity_days, parameters.after_days].map(|days| i64::from(days) * DAY);
        let amount = |of: &barometer_proto::customers::v1::PurchaseFact| of.amount.clone().expect("money");
        let currencies: BTreeSet<_> = self.purchases.iter().map(|of| amount(of).currency_code).collect();
        for (id, person) in self.people() {
            let own: Vec<_> = self.purchases.iter().filter(|of| of.customer_id == *id).collect();
            let sales: Vec<i64> = own.iter().filter(|of| amount(of).units >= 0).map(|of| micros(of.time)).collect();
            let mut complaints: Vec<_> = self
                .cases
                .iter()
                .filter(|(_, case)| case.customer_id == *id && case.state != 8 && [0, 3, 4].contains(&case.kind))
                .map(|(number, case)| (micros(case.open_time), *number, maybe(case.first_resolve_time)))
                .collect();
            complaints.sort_unstable();
            for period in cells.periods.clone() {
                let first = complaints.iter().find(|(at, _, _)| (period.start..period.end).contains(at));
                let until = period.end.max(period.start + after);
                let (from, outcome) = match first {
                    Some((at, _, solved)) => {
                        (*at, if solved.is_some_and(|solved| solved < at + after) { "solved" } else { "unsolved" })
                    }
                    None if complaints.iter().any(|(at, _, _)| (period.start..until).contains(at)) => continue,
                    None if period.start >= query.now => continue,
                    None => (period.start, "none"),
                };
                if !sales.iter().any(|sale| (from - active..from).contains(sale)) {
                    continue;
                }
                let is_over = from + after <= query.now;
                let values = |name: &str| match name {
                    "area" => vec![person.dimensions.get("area").cloned().unwrap_or_default()],
                    _ => self.attribute(name, id, from),
                };
                for mut group in groups(query, &values) {
                    group.push(("complaint_outcome".to_owned(), outcome.to_owned()));
                    let within = |at: i64| (from..from + after).contains(&at);
                    if !of_money {
                        let retained = sales.iter().any(|sale| within(*sale));
                        let which = if is_over { vec![0; usize::from(retained)] } else { vec![2] };
                        cells.count(period.start, &group, which.into_iter().chain(is_over.then_some(1)), 0);
                        continue;
                    }
                    for currency in &currencies {
                        let group = [group.clone(), vec![("currency".to_owned(), currency.clone())]].concat();
                        let spent = own.iter().filter(|of| within(micros(of.time))).map(|of| amount(of));
                        let spent: i64 =
                            spent.filter(|money| money.currency_code == *currency).map(|money| money.units).sum();
                        match is_over {
                            true => {
                                let which = [0].into_iter().chain((spent != 0).then_some(1));
                                cells.count(period.start, &group, which, i128::from(spent) * 1_000_000);
                            }
                            false => cells.count(period.start, &group, [2], 0),
                        }
                    }
                }
            }
        }
        cells.shapes()
    }

    /// What came of contacts.
    pub(in super::super) fn engagements(&self, query: &Query) -> (Vec<Shape>, Effects) {
        let mut cells = Cells::new(query, query.metrics[0].counts.iter().copied(), false);
        let around = i64::from(query.parameters.around_days) * DAY;
        let mut firsts: BTreeMap<(usize, Group, String), &InteractionFact> = BTreeMap::new();
        for of in self.interactions.iter().filter(|of| of.direction == 2) {
            let Some(period) = cells.period(micros(of.time)) else { continue };
            for group in groups(query, &|name| self.of_contact(name, of)) {
                let first = firsts.entry((period, sorted(&group), of.customer_id.clone())).or_insert(of);
                if micros(of.time) < micros(first.time) {
                    *first = of;
                }
            }
        }
        let mut differences: BTreeMap<(usize, Group), Vec<f64>> = BTreeMap::new();
        let mut parts: BTreeMap<(usize, Group), BTreeMap<String, f64>> = BTreeMap::new();
        for ((period, group, customer), of) in firsts {
            let at = micros(of.time);
            if at + around > query.now {
                cells.count(at, &group, [5], 0);
                continue;
            }
            let (before, after) = self.around(&customer, at, query);
            let of_customers: Vec<_> = group
                .iter()
                .filter(|(name, _)| super::super::Table::Customers.dimensions().contains(&&**name))
                .collect();
            let is_comparable = |id: &str| {
                let is_alike = of_customers.iter().all(|(name, value)| self.attribute(name, id, at).contains(value));
                let left_alone = self.interactions.iter().all(|of| {
                    of.direction != 2 || of.customer_id != id || !(at - around..at + around).contains(&micros(of.time))
                });
                is_alike && left_alone && self.around(id, at, query).0 == before
            };
            let known = self.people().filter(|(id, person)| self.known_since(id, person) <= at);
            let others: Vec<(String, f64)> = known
                .filter(|(id, _)| is_comparable(id))
                .map(|(id, _)| (id.clone(), self.around(id, at, query).1 as f64))
                .collect();
            if others.len() < 2 {
                cells.count(at, &group, [4], 0);
                continue;
            }
            let size = others.len() as f64;
            let mean = others.iter().map(|(_, after)| after).sum::<f64>() / size;
            let key = (period, group.clone());
            differences.entry(key.clone()).or_default().push(after as f64 - mean);
            let of_cell = parts.entry(key).or_default();
            for (id, after) in others {
                *of_cell.entry(id).or_default() += (after - mean) / (size * (size - 1.0)).sqrt();
            }
            let actions = [2].repeat(before).into_iter().chain([3].repeat(after));
            cells.count(at, &group, [0].into_iter().chain(actions), 0);
        }
        let mut effects = Effects::new();
        for ((period, group), differences) in differences {
            let start = cells.periods[period].start;
            let parts = &parts[&(period, group.clone())];
            cells.count(start, &group, [1].repeat(parts.len()), 0);
            let size = differences.len() as f64;
            let mean = differences.iter().sum::<f64>() / size;
            let spread = differences.iter().map(|of| (of - mean).powi(2)).sum::<f64>() / (size - 1.0) / size;
            let others = parts.values().map(|part| part * part).sum::<f64>() / (size * size);
            effects.insert((start, group), (mean, (size > 1.0).then(|| (spread + others).sqrt())));
        }
        (cells.shapes(), effects)
    }

    /// What a customer did before and after an instant.
    fn around(&self, customer: &str, at: i64, query: &Query) -> (usize, usize) {
        let around = i64::from(query.parameters.around_days) * DAY;
        let sales = self.purchases.iter().filter(|of| of.amount.as_ref().expect("money").units >= 0);
        let sales = sales.map(|of| (&of.customer_id, micros(of.time)));
        let inbound = self.interactions.iter().filter(|of| of.direction == 1);
        let is_visit = |of: &&InteractionFact| ["web", "shop"].contains(&&*of.channel) || !of.landing_page.is_empty();
        let times: Vec<(&String, i64)> = match query.parameters.actions {
            Actions::Sales => sales.collect(),
            Actions::Contacts => inbound.map(|of| (&of.customer_id, micros(of.time))).collect(),
            Actions::Visits => inbound.filter(is_visit).map(|of| (&of.customer_id, micros(of.time))).collect(),
        };
        let within = |from: i64, until: i64| {
            times.iter().filter(|(id, time)| *id == customer && (from..until).contains(time)).count()
        };
        (within(at - around, at), within(at, at + around))
    }

    /// The spread of the scores of channels: counts, and value with what was found.
    pub(in super::super) fn consistency(&self, query: &Query) -> (Vec<Shape>, Spreads) {
        let mut cells = Cells::new(query, ["channels", "answers"], false);
        let mut scores: BTreeMap<(usize, Group), BTreeMap<String, Vec<f64>>> = BTreeMap::new();
        for (_, response) in &self.responses {
            let at = micros(response.time);
            let survey = self.surveys.get(&response.survey_id).filter(|survey| survey.kind == 1);
            let (Some(survey), Some(score), Some(period)) = (survey, response.score, cells.period(at)) else {
                continue;
            };
            if response.channel.is_empty() {
                continue;
            }
            let kind = ["", "relational", "transactional"][usize::try_from(survey.r#type).expect("a type")];
            for mut group in groups(query, &|name| self.attribute(name, &response.customer_id, at)) {
                group.push(("survey_type".to_owned(), kind.to_owned()));
                cells.count(at, &group, [1], 0);
                let of_cell = scores.entry((period, sorted(&group))).or_default();
                let points = f64::from(i8::from(score >= 9) - i8::from(score <= 6));
                of_cell.entry(response.channel.clone()).or_default().push(points);
            }
        }
        let mut told = BTreeMap::new();
        for ((period, group), channels) in scores {
            let start = cells.periods[period].start;
            cells.count(start, &group, [0].repeat(channels.len()), 0);
            let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
            let all: Vec<f64> = channels.values().flatten().copied().collect();
            let (n, k) = (all.len() as f64, channels.len() as f64);
            if k < 2.0 || n <= k {
                continue;
            }
            let between: f64 = channels.values().map(|of| of.len() as f64 * (mean(of) - mean(&all)).powi(2)).sum();
            let inside = |of: &Vec<f64>| of.iter().map(|x| (x - mean(of)).powi(2)).sum::<f64>();
            let within = channels.values().map(inside).sum::<f64>() / (n - k);
            let spread = ((between - (k - 1.0) * within).max(0.0) / n).sqrt();
            told.insert((start, group), [100.0 * spread, 100.0 * (between / n).sqrt()]);
        }
        (cells.shapes(), told)
    }
}
