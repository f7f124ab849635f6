//! Figures of how often customers buy, and when again, computed plainly.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{DAY, Query};
use super::{Cells, Group, Model, Shape, groups, micros, parts, sorted};
use crate::{
    catalogue::Visits,
    rules::{activity::Basis, granularity::Granularity, period::Periods},
};

impl Model {
    /// The sales of each customer in each group, in their order.
    pub(in super::super) fn sales(&self, query: &Query) -> BTreeMap<(Group, String), Vec<i64>> {
        let mut sales: BTreeMap<(Group, String), Vec<i64>> = BTreeMap::new();
        for purchase in self.purchases.iter().filter(|purchase| purchase.amount.as_ref().expect("money").units >= 0) {
            let divided = query.group_by.iter().any(|name| name == "category");
            let categories: Vec<String> =
                if divided { parts(purchase).into_keys().collect() } else { vec![String::new()] };
            let named = categories
                .iter()
                .flat_map(|category| groups(query, &|name| self.of_purchase(name, purchase, category)));
            for group in named {
                sales.entry((sorted(&group), purchase.customer_id.clone())).or_default().push(micros(purchase.time));
            }
        }
        sales.values_mut().for_each(|of_one| of_one.sort_unstable());
        sales
    }

    /// Stages, stickiness, reactivation and second purchases.
    pub(in super::super) fn lifecycles(&self, query: &Query) -> Vec<Shape> {
        let names: &[&'static str] = query.metrics[0].counts;
        let mut cells = Cells::new(query, names.iter().copied(), false);
        let periods = cells.periods.clone();
        let parameters = query.parameters;
        let reach = i64::from(parameters.inactivity_days) * DAY;
        let first_before = match query.granularity {
            Granularity::All => periods[0].start - (periods[0].end - periods[0].start),
            granularity => {
                let of_calendar = |at: i64| Periods::start_of(&query.days, granularity, at).expect("a start");
                of_calendar(of_calendar(periods[0].start) - 1)
            }
        };
        let unit = |at: i64| match parameters.visits {
            Visits::Days => at.div_euclid(DAY),
            Visits::Weeks => (at.div_euclid(DAY) + 3).div_euclid(7),
        };
        for ((group, _), sales) in &self.sales(query) {
            let within = |start: i64, end: i64| sales.iter().copied().filter(move |sale| (start..end).contains(sale));
            for (index, period) in periods.iter().enumerate() {
                let (start, end) = (period.start, period.end);
                let before = if index == 0 { first_before } else { periods[index - 1].start };
                let (now, last, ever) = (
                    within(start, end).count() > 0,
                    within(before, start).count() > 0,
                    within(i64::MIN, start).count() > 0,
                );
                let begun = start < query.now;
                let which = match query.metrics[0].id {
                    "lifecycle" | "lifecycle_quick_ratio" if !begun => vec![],
                    "lifecycle" | "lifecycle_quick_ratio" => match (now, last, ever) {
                        (true, _, false) => vec![0],
                        (true, true, _) => vec![1],
                        (true, false, true) => vec![2],
                        (false, true, _) => vec![3],
                        _ => vec![],
                    },
                    "reactivated_customers" => {
                        let end = end.min(query.now);
                        let away = begun && ever && within(start - reach, start).count() == 0;
                        let back = away && within(start, end).count() > 0;
                        [(back, 0), (away, 1)].into_iter().filter(|(is, _)| *is).map(|(_, index)| index).collect()
                    }
                    "second_purchase_rate" => {
                        let first = *sales.first().expect("a sale");
                        let until = first + i64::from(parameters.within_days) * DAY;
                        let second = match parameters.basis {
                            Basis::Orders => within(first, until).count() > 1,
                            Basis::DistinctDays => {
                                within(first, until).any(|at| at.div_euclid(DAY) != first.div_euclid(DAY))
                            }
                        };
                        if (start..end).contains(&first) { if second { vec![0, 1] } else { vec![0] } } else { vec![] }
                    }
                    "stickiness" => {
                        let visits: BTreeSet<_> = within(start, end).map(unit).collect();
                        let visits = vec![1; visits.len()];
                        if now { [vec![0], visits].concat() } else { vec![] }
                    }
                    _ => unreachable!("no metric of buyers"),
                };
                cells.count(start, group, which, 0);
            }
        }
        let mut shapes = cells.shapes();
        if query.metrics[0].id == "stickiness" {
            for (start, _, counts, _) in &mut shapes {
                let period = periods.iter().find(|period| period.start == *start).expect("a period");
                let units = unit(period.end - 1) - unit(period.start) + 1;
                counts[2].1 = if counts[0].1 > 0 { units.unsigned_abs() } else { 0 };
            }
        }
        shapes
    }

    /// What was sold to whom: by period and group, what existing customers bought, and all.
    pub(in super::super) fn existing(&self, query: &Query) -> BTreeMap<(i64, Group), (i128, i128)> {
        let range = query.start.expect("a start")..query.end.expect("an end");
        let periods = Periods::new(&query.days, query.granularity, range).expect("periods").as_slice().to_vec();
        let is_sale = |units: i64| units >= 0;
        let sales = || self.purchases.iter().filter(|of| is_sale(of.amount.as_ref().expect("money").units));
        let mut found: BTreeMap<_, (i128, i128)> = BTreeMap::new();
        for purchase in sales() {
            let at = micros(purchase.time);
            let Some(period) = periods.iter().find(|period| (period.start..period.end).contains(&at)) else { continue };
            let of_customer = sales().filter(|of| of.customer_id == purchase.customer_id);
            let existing = of_customer.map(|of| micros(of.time)).any(|sale| sale < period.start);
            let money = purchase.amount.as_ref().expect("money");
            for mut group in groups(query, &|name| self.of_purchase(name, purchase, "")) {
                group.push(("currency".to_owned(), money.currency_code.clone()));
                let (of_existing, gross) = found.entry((period.start, sorted(&group))).or_default();
                let micros = i128::from(money.units) * 1_000_000;
                *gross += micros;
                *of_existing += if existing { micros } else { 0 };
            }
        }
        found
    }
}
