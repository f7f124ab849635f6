//! Figures of the loyalty programme, of referrals and of costs computed plainly.

use std::collections::BTreeMap;

use barometer_proto::{common::v1::Money, customers::v1 as customers};

use super::super::{DAY, Query};
use super::{Cells, Group, Model, Shape, groups, micros, sorted};

const JOIN: i32 = 1;
const LEAVE: i32 = 2;
const EARN: i32 = 3;
const REDEEM: i32 = 4;
const EXPIRE: i32 = 5;
const ADJUST: i32 = 6;
const GRANT: i32 = 7;
const USE: i32 = 8;
const LOSE: i32 = 9;

impl Model {
    /// Enrolments, vouchers, and what is owed.
    pub(in super::super) fn memberships(&self, query: &Query) -> Vec<Shape> {
        let id = query.metrics[0].id;
        let mut cells = Cells::new(query, query.metrics[0].counts.iter().copied(), id == "points_liability");
        for (_, event) in &self.memberships {
            let at = micros(event.time);
            let (which, owed) = match id {
                "enrolments" => ([0].repeat(usize::from(event.r#type == JOIN)), 0),
                "voucher_redemption_rate" if event.r#type == GRANT => {
                    let has = |fate: i32| {
                        let mut all = self.memberships.iter().map(|(_, other)| other);
                        all.any(|other| other.r#type == fate && other.voucher_id == event.voucher_id)
                    };
                    (
                        vec![
                            0,
                            if has(USE) {
                                1
                            } else if has(LOSE) {
                                2
                            } else {
                                3
                            },
                        ],
                        0,
                    )
                }
                "points_liability" => {
                    let sign = match event.r#type {
                        EARN | GRANT => 1,
                        REDEEM | EXPIRE | USE | LOSE => -1,
                        ADJUST => event.points.signum(),
                        _ => 0,
                    };
                    let Some(value) = event.value.as_ref().filter(|_| sign != 0) else { continue };
                    (vec![0], i128::from(sign * value.units) * 1_000_000)
                }
                _ => (Vec::new(), 0),
            };
            let which = if id == "enrolments" && event.r#type == LEAVE { vec![1] } else { which };
            for mut group in groups(query, &|name| self.of_event(name, event)) {
                match id {
                    "points_liability" => {
                        let currency = event.value.as_ref().map(|value| value.currency_code.clone());
                        group.push(("currency".to_owned(), currency.unwrap_or_default()));
                        for period in cells.periods.clone().into_iter().filter(|period| at < period.end) {
                            cells.count(period.start, &group, which.iter().copied(), owed);
                        }
                    }
                    _ => cells.count(at, &group, which.iter().copied(), 0),
                }
            }
        }
        cells.shapes()
    }

    /// Points issued, redeemed and expired by period and group, where there are any events of points.
    pub(in super::super) fn points_of_events(&self, query: &Query) -> BTreeMap<(i64, Group), [i64; 3]> {
        let cells = Cells::new(query, [], false);
        let mut points = BTreeMap::new();
        for (_, event) in &self.memberships {
            let which = match event.r#type {
                EARN | ADJUST => 0,
                REDEEM => 1,
                EXPIRE => 2,
                _ => continue,
            };
            let Some(period) = cells.period(micros(event.time)) else { continue };
            for group in groups(query, &|name| self.of_event(name, event)) {
                let of_cell: &mut [i64; 3] = points.entry((cells.periods[period].start, sorted(&group))).or_default();
                of_cell[which] += event.points;
            }
        }
        points
    }

    /// Members, those who are active, and advocates among customers.
    pub(in super::super) fn members(&self, query: &Query) -> Vec<Shape> {
        let id = query.metrics[0].id;
        let mut cells = Cells::new(query, query.metrics[0].counts.iter().copied(), false);
        let within = |at: i64, end: i64, days: u32| end - i64::from(days) * DAY <= at && at < end;
        for (customer, person) in self.people() {
            let known = self.known_since(customer, person);
            for period in cells.periods.clone().into_iter().filter(|period| known < period.end) {
                let end = period.end;
                let is_member = self.attribute("member", customer, end - 1) == ["true"];
                let events = self.memberships.iter().filter(|(_, event)| event.customer_id == *customer);
                let mut doing = events.filter(|(_, event)| [JOIN, EARN, REDEEM, USE].contains(&event.r#type));
                let is_active = doing.any(|(_, event)| within(micros(event.time), end, query.parameters.member_days));
                let mut made = self.referrals.iter().filter(|(_, referral)| referral.customer_id == *customer);
                let recommends = made.any(|(_, of)| within(micros(of.time), end, query.parameters.referral_days));
                let counted = match id {
                    "members" => vec![is_member],
                    "enrolment_rate" => vec![is_member, true],
                    "active_member_rate" => vec![is_member && is_active, is_member],
                    "advocate_share" => vec![recommends, true],
                    _ => unreachable!(),
                };
                let which: Vec<_> = (0..counted.len()).filter(|index| counted[*index]).collect();
                let values = |name: &str| match name {
                    "area" => vec![person.dimensions.get("area").cloned().unwrap_or_default()],
                    _ => self.attribute(name, customer, end - 1),
                };
                for group in groups(query, &values) {
                    cells.count(period.start, &group, which.iter().copied(), 0);
                }
            }
        }
        cells.shapes()
    }

    pub(in super::super) fn referrals(&self, query: &Query) -> Vec<Shape> {
        let mut cells = Cells::new(query, query.metrics[0].counts.iter().copied(), false);
        let of_name = |name: &str| query.metrics[0].counts.iter().position(|other| *other == name).expect("a count");
        for (number, referral) in &self.referrals {
            let at = micros(referral.time);
            let joined = |of: &customers::ReferralFact| of.join_time.is_some() && !of.referred_customer_id.is_empty();
            let is_earlier = |(other, of): &(i64, customers::ReferralFact)| {
                joined(of)
                    && of.referred_customer_id == referral.referred_customer_id
                    && (micros(of.time), *other) < (at, *number)
            };
            let brought = joined(referral) && !self.referrals.iter().any(is_earlier);
            let which: Vec<_> =
                [Some("referrals"), brought.then_some("joined")].into_iter().flatten().map(of_name).collect();
            let values = |name: &str| match name {
                "channel" => vec![referral.channel.clone()],
                "area" => vec![referral.dimensions.get("area").cloned().unwrap_or_default()],
                _ => self.attribute(name, &referral.customer_id, at),
            };
            for group in groups(query, &values) {
                cells.count(at, &group, which.iter().copied(), 0);
            }
        }
        cells.shapes()
    }

    /// By period and group: costs and rewards in whole units, and how many customers are new.
    pub(in super::super) fn acquisition(&self, query: &Query) -> BTreeMap<(i64, Group), ([f64; 2], u64)> {
        let cells = Cells::new(query, [], false);
        let mut spent: BTreeMap<(i64, Group), [f64; 2]> = BTreeMap::new();
        let mut add = |period: i64, money: &Money, values: &dyn Fn(&str) -> Vec<String>, which: usize, units: f64| {
            for mut group in groups(query, values) {
                group.push(("currency".to_owned(), money.currency_code.clone()));
                spent.entry((period, sorted(&group))).or_default()[which] += units;
            }
        };
        for cost in self.costs.iter().filter(|cost| cost.kind == 1) {
            let Some(customers::cost_fact::Basis::Amount(amount)) = &cost.basis else { continue };
            let start = micros(cost.time);
            let end = cost.end_time.map_or(start, |at| micros(Some(at)));
            let values = |name: &str| match name {
                "channel" => vec![cost.channel.clone()],
                "team" => vec![cost.team.clone()],
                _ => vec![cost.dimensions.get("area").cloned().unwrap_or_default()],
            };
            for period in &cells.periods {
                let is_in = (period.start..period.end).contains(&start);
                let overlap = end.min(period.end) - start.max(period.start);
                let share = match end > start {
                    true if overlap > 0 => overlap as f64 / (end - start) as f64,
                    false if is_in => 1.0,
                    _ => continue,
                };
                add(period.start, amount, &values, 0, share * amount.units as f64);
            }
        }
        for (_, referral) in &self.referrals {
            let Some(reward) = &referral.reward else { continue };
            let Some(period) = cells.period(micros(referral.time)) else { continue };
            let values = |name: &str| match name {
                "channel" => vec![referral.channel.clone()],
                "team" => vec![String::new()],
                _ => vec![referral.dimensions.get("area").cloned().unwrap_or_default()],
            };
            add(cells.periods[period].start, reward, &values, 1, reward.units as f64);
        }
        let new = |start: i64| {
            let period = cells.periods.iter().find(|period| period.start == start).expect("a period");
            let known = self.people().map(|(id, person)| self.known_since(id, person));
            u64::try_from(known.filter(|at| (period.start..period.end).contains(at)).count()).expect("few")
        };
        spent.into_iter().map(|(at, spent)| (at.clone(), (spent, new(at.0)))).collect()
    }

    fn of_event(&self, name: &str, event: &customers::MembershipEventFact) -> Vec<String> {
        match name {
            "channel" => vec![event.channel.clone()],
            "programme" => vec![event.programme.clone()],
            "area" => vec![event.dimensions.get("area").cloned().unwrap_or_default()],
            _ => self.attribute(name, &event.customer_id, micros(event.time)),
        }
    }
}
