//! What drivers were, computed plainly: fact by fact for each answer.

use std::collections::BTreeMap;

use barometer_proto::{
    complaints::v1::CaseEntryType,
    customers::v1::PurchaseFact,
    metrics::v1::{self as wire, DriverFact, driver},
};

use super::super::{DAY, asked::NOW};
use super::{Group, Model, cases::maybe, micros, moves::Scored};
use crate::rules::course::is_hand_off;

/// By group: answers, those of nobody, and of the others the values of the drivers and the score.
pub(in super::super) type Rows = BTreeMap<Group, (u64, u64, Vec<(Vec<Option<f64>>, f64)>)>;

impl Model {
    pub(in super::super) fn drivers(&self, request: &wire::QueryDriversRequest) -> Rows {
        let scope = request.scope.clone().unwrap_or_default();
        let mut found = Rows::new();
        for (group, answers) in self.scored(request.outcome.max(1), request.scope.as_ref(), &request.group_by) {
            for answer in answers {
                if scope.start_time.is_some_and(|start| answer.at < micros(Some(start)))
                    || scope.end_time.is_some_and(|end| answer.at >= micros(Some(end)))
                {
                    continue;
                }
                let (all, anonymous, rows) = found.entry(group.clone()).or_default();
                *all += 1;
                if answer.response.customer_id.is_empty() {
                    *anonymous += 1;
                    continue;
                }
                let value = |driver: &wire::Driver| match driver.driver.as_ref().expect("a driver") {
                    driver::Driver::Fact(fact) => {
                        self.value(DriverFact::try_from(*fact).expect("a fact"), &answer, request)
                    }
                    driver::Driver::Dimension(name) => answer.response.dimensions.get(name)?.parse().ok(),
                };
                rows.push((request.drivers.iter().map(value).collect(), f64::from(answer.score)));
            }
        }
        found
    }

    fn value(&self, fact: DriverFact, answer: &Scored<'_>, request: &wire::QueryDriversRequest) -> Option<f64> {
        let who = &answer.response.customer_id;
        let since = answer.at - i64::from(request.window_days) * DAY;
        let is_in = |at: i64| since <= at && at < answer.at;
        let count = |count: usize| Some(count as f64);
        let own_cases = || self.cases.iter().filter(|(_, case)| case.customer_id == *who);
        let seconds = |micros: f64| micros / 1e6;
        match fact {
            DriverFact::Unspecified => None,
            DriverFact::FirstResponse => {
                let opened = own_cases().map(|(_, case)| (micros(case.open_time), maybe(case.first_response_time)));
                let ended = opened.filter_map(|(opened, ended)| Some((opened, ended?)));
                mean(
                    ended
                        .filter(|(opened, ended)| is_in(*opened) && *ended < answer.at)
                        .map(|(opened, ended)| ended - opened),
                )
                .map(seconds)
            }
            DriverFact::HandOffs => {
                let entries = self.entries.iter().map(|(_, entry)| entry);
                let is_one = |entry: &&barometer_proto::complaints::v1::CaseEntryFact| {
                    entry.r#type() == CaseEntryType::Assigned
                        && is_hand_off([&entry.previous_employee, &entry.previous_team], [&entry.employee, &entry.team])
                        && own_cases().any(|(number, _)| *number == entry.case_number)
                };
                count(entries.filter(is_one).filter(|entry| is_in(micros(entry.time))).count())
            }
            DriverFact::Reopenings => {
                let of_case = |(number, case): &(i64, barometer_proto::complaints::v1::CaseFact)| {
                    let mut open = true;
                    let mut reopened = 0;
                    for (at, of) in self.turns(*number, case) {
                        let again = of == CaseEntryType::Reopened;
                        reopened += usize::from(again && !open && is_in(at));
                        open = again;
                    }
                    reopened
                };
                count(own_cases().map(of_case).sum())
            }
            DriverFact::BrokenPromises => {
                let own = self.promises.iter().filter(|of| of.customer_id == *who && ![2, 4].contains(&of.state));
                let due = own.map(|of| (micros(of.due_time), of.state));
                count(due.filter(|(due, state)| is_in(*due) && (*state == 3 || *due < NOW)).count())
            }
            DriverFact::Complaints => count(
                own_cases().filter(|(_, case)| [0, 3, 4].contains(&case.kind) && is_in(micros(case.open_time))).count(),
            ),
            DriverFact::LatePayments => {
                let is_sale = |of: &&PurchaseFact| of.amount.as_ref().expect("money").units >= 0;
                let own = self.purchases.iter().filter(|of| of.customer_id == *who).filter(is_sale);
                let due = own.filter_map(|of| Some((maybe(of.due_time)?, maybe(of.paid_time))));
                count(due.filter(|(due, paid)| is_in(*due) && paid.is_none_or(|paid| paid > *due)).count())
            }
            DriverFact::Contacts => {
                let own = self.interactions.iter().filter(|of| of.customer_id == *who && of.direction == 1);
                count(own.filter(|of| is_in(micros(of.time))).count())
            }
            DriverFact::HandlingTime => {
                let own = self.interactions.iter().filter(|of| of.customer_id == *who && is_in(micros(of.time)));
                mean(own.filter_map(|of| Some(of.handling_time?.seconds * 1_000_000))).map(seconds)
            }
            DriverFact::Redresses => {
                let resolved = own_cases().filter(|(_, case)| maybe(case.first_resolve_time).is_some_and(is_in));
                count(resolved.map(|(_, case)| case.redress.len()).sum())
            }
            DriverFact::Purchases => {
                let own = self.purchases.iter().filter(|of| of.customer_id == *who && is_in(micros(of.time)));
                count(own.filter(|of| of.amount.as_ref().expect("money").units >= 0).count())
            }
            DriverFact::Spend => {
                let own = self.purchases.iter().filter(|of| of.customer_id == *who && is_in(micros(of.time)));
                let amounts = own.filter_map(|of| of.amount.as_ref()).filter(|of| of.currency_code == request.currency);
                Some(amounts.map(|amount| amount.units as f64).sum())
            }
            DriverFact::Tenure => {
                let (id, person) = self.people().find(|(id, _)| *id == who)?;
                let since = self.known_since(id, person);
                (since <= answer.at).then(|| (answer.at - since) as f64 / DAY as f64)
            }
        }
    }
}

fn mean(values: impl Iterator<Item = i64>) -> Option<f64> {
    let values: Vec<i64> = values.collect();
    let count = i64::try_from(values.len()).expect("few");
    (count > 0).then(|| (values.iter().sum::<i64>() / count) as f64)
}
