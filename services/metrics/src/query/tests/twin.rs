//! The same figures computed plainly from the facts as they are in the end: no columns, no codes, no blocks.

pub(super) mod analyses;
pub(super) mod cases;
pub(super) mod clocks;
pub(super) mod contacts;
pub(super) mod contracts;
pub(super) mod courses;
pub(super) mod drivers;
pub(super) mod invitations;
pub(super) mod lifecycle;
pub(super) mod loyalty;
pub(super) mod moves;
pub(super) mod promises;
pub(super) mod service;

use std::collections::{BTreeMap, BTreeSet};

use barometer_chassis::clock::Micros;
use barometer_proto::{complaints::v1 as complaints, customers::v1 as customers, surveys::v1 as surveys};

use super::{DAY, Figure, Query, script::Write};
use crate::rules::period::{Period, Periods};

/// A row: start of the period, group, counts, net amount.
pub(super) type Shape = (i64, Vec<(String, String)>, Vec<(&'static str, u64)>, Option<i128>);

/// What is compared of figures.
pub(super) fn shape(figures: &[Figure]) -> Vec<Shape> {
    let shape = |figure: &Figure| {
        let counts = figure.measured.counts.iter().map(|(name, count)| (*name, whole(*count))).collect();
        let net = figure
            .measured
            .amounts
            .iter()
            .find(|(name, _)| ["net", "cost", "liability", "total", "spend"].contains(name))
            .map(|(_, net)| *net);
        let mut group = figure.group.clone();
        group.sort();
        (figure.start, group, counts, net)
    };
    let mut shapes: Vec<_> = figures.iter().map(shape).collect();
    shapes.sort();
    shapes
}

/// A count that is a whole number.
fn whole(count: f64) -> u64 {
    count.to_string().parse().expect("a whole number")
}

/// Facts as they are.
#[derive(Default)]
pub(super) struct Model {
    people: Vec<(String, customers::CustomerFact)>,
    changes: Vec<(i64, customers::AttributeChangeFact)>,
    pub(super) purchases: Vec<customers::PurchaseFact>,
    pub(super) interactions: Vec<customers::InteractionFact>,
    /// With their numbers, in the order of time.
    pub(super) memberships: Vec<(i64, customers::MembershipEventFact)>,
    /// With their numbers.
    pub(super) referrals: Vec<(i64, customers::ReferralFact)>,
    pub(super) costs: Vec<customers::CostFact>,
    /// With their numbers.
    pub(super) subscription_events: Vec<(i64, customers::SubscriptionEventFact)>,
    pub(super) surveys: BTreeMap<String, surveys::SurveyFact>,
    /// With their numbers.
    pub(super) responses: Vec<(i64, surveys::ResponseFact)>,
    /// With their ids.
    pub(super) invitations: Vec<(String, surveys::InvitationFact)>,
    /// With their numbers, without those that were merged.
    pub(super) cases: Vec<(i64, complaints::CaseFact)>,
    /// In their order.
    pub(super) entries: Vec<(i64, complaints::CaseEntryFact)>,
    pub(super) clocks: Vec<complaints::CaseClockFact>,
    pub(super) follow_ups: Vec<complaints::FollowUpFact>,
    pub(super) claims: Vec<complaints::ClaimFact>,
    pub(super) escalations: Vec<complaints::EscalationFact>,
    pub(super) promises: Vec<complaints::PromiseFact>,
    /// Numbers of those that were not withdrawn.
    pub(super) promised: BTreeSet<i64>,
}

pub(super) type Group = Vec<(String, String)>;

impl Model {
    pub(super) fn of(writes: &[Write]) -> Self {
        use customers::fact::Fact;
        let mut model = Model::default();
        for write in writes.iter().cloned() {
            match write {
                Write::Customers(fact) => match fact.fact.expect("a fact") {
                    Fact::Customer(of) => model.people.push((fact.id, of)),
                    Fact::AttributeChange(of) => model.changes.push((fact.number, of)),
                    Fact::Purchase(of) => model.purchases.push(of),
                    Fact::Interaction(of) => model.interactions.push(of),
                    Fact::MembershipEvent(of) => model.memberships.push((fact.number, of)),
                    Fact::Referral(of) => model.referrals.push((fact.number, of)),
                    Fact::Cost(of) => model.costs.push(of),
                    Fact::SubscriptionEvent(of) => model.subscription_events.push((fact.number, of)),
                    _ => unreachable!("nobody writes it here"),
                },
                Write::Surveys(fact) => match fact.fact.expect("a fact") {
                    surveys::fact::Fact::Survey(of) => drop(model.surveys.insert(fact.id, of)),
                    surveys::fact::Fact::Response(of) => model.responses.push((fact.number, of)),
                    surveys::fact::Fact::Invitation(of) => model.invitations.push((fact.id, of)),
                    _ => unreachable!("nobody writes it here"),
                },
                Write::Complaints(fact) => match fact.fact.expect("a fact") {
                    complaints::fact::Fact::Case(of) if of.state == 9 => {}
                    complaints::fact::Fact::Case(of) => model.cases.push((fact.number, of)),
                    complaints::fact::Fact::CaseEntry(of) => model.entries.push((fact.number, of)),
                    complaints::fact::Fact::CaseClock(of) => model.clocks.push(of),
                    complaints::fact::Fact::FollowUp(of) => model.follow_ups.push(of),
                    complaints::fact::Fact::Claim(of) => model.claims.push(of),
                    complaints::fact::Fact::Escalation(of) => model.escalations.push(of),
                    complaints::fact::Fact::Promise(of) => {
                        model.promised.extend(Some(fact.number).filter(|_| of.state != 4));
                        model.promises.push(of);
                    }
                    _ => unreachable!("nobody writes it here"),
                },
            }
        }
        model.entries.sort_by_key(|(number, entry)| (micros(entry.time), *number));
        model.memberships.sort_by_key(|(number, event)| (micros(event.time), *number));
        model.changes.sort_by_key(|(number, change)| (micros(change.time), *number));
        model
    }

    pub(super) fn nps(&self, query: &Query) -> Vec<Shape> {
        let mut cells = Cells::new(query, ["promoters", "passives", "detractors", "answers"], false);
        for (_, response) in &self.responses {
            let survey = self.surveys.get(&response.survey_id).filter(|survey| survey.kind == 1);
            let (Some(survey), Some(score)) = (survey, response.score) else {
                // Of those without a score there is nothing in a row, nor do they make one.
                continue;
            };
            let at = micros(response.time);
            let values = |name: &str| match name {
                "language" => vec![response.language.clone()],
                "area" => vec![response.dimensions.get("area").cloned().unwrap_or_default()],
                _ => self.attribute(name, &response.customer_id, at),
            };
            let side = match score {
                9.. => 0,
                7..=8 => 1,
                _ => 2,
            };
            let kind = ["", "relational", "transactional"][usize::try_from(survey.r#type).expect("a type")];
            for mut group in groups(query, &values) {
                group.push(("survey_type".to_owned(), kind.to_owned()));
                cells.count(at, &group, [side, 3], 0);
            }
        }
        cells.shapes()
    }

    pub(super) fn revenue(&self, query: &Query) -> Vec<Shape> {
        let mut cells = Cells::new(query, ["sales", "returns", "customers"], true);
        let mut buyers = BTreeSet::new();
        for purchase in &self.purchases {
            let at = micros(purchase.time);
            let money = purchase.amount.as_ref().expect("money");
            let sale = money.units >= 0;
            for (category, amount) in parts(purchase) {
                // Not divided, it is taken as a whole, once.
                let divided = query.group_by.iter().any(|name| name == "category");
                let amount = if divided { amount } else { money.units };
                for mut group in groups(query, &|name| self.of_purchase(name, purchase, &category)) {
                    group.push(("currency".to_owned(), money.currency_code.clone()));
                    cells.count(at, &group, [usize::from(!sale)], i128::from(amount) * 1_000_000);
                    if sale && buyers.insert((cells.period(at), sorted(&group), purchase.customer_id.clone())) {
                        cells.count(at, &group, [2], 0);
                    }
                }
                if !divided {
                    break;
                }
            }
        }
        cells.shapes()
    }

    /// Active, churned, inactive and repeating buyers.
    pub(super) fn buyers(&self, query: &Query) -> Vec<Shape> {
        let sales = self.sales(query);
        let reach = i64::from(query.parameters.inactivity_days) * DAY;
        let names: &[&'static str] = query.metrics[0].counts;
        let mut cells = Cells::new(query, names.iter().copied(), false);
        for ((group, _), sales) in &sales {
            let active = |at: i64| sales.iter().any(|sale| at - reach <= *sale && *sale < at);
            for period in cells.periods.clone() {
                let bought: Vec<_> = sales.iter().filter(|sale| (period.start..period.end).contains(sale)).collect();
                let days: BTreeSet<_> = bought.iter().map(|sale| sale.div_euclid(DAY)).collect();
                let (before, after) = (active(period.start), active(period.end));
                let ever = sales.iter().any(|sale| *sale < period.end);
                let counted = match query.metrics[0].id {
                    "active_customers" => vec![after, !bought.is_empty()],
                    "churn_rate" => {
                        let joined = !before && !bought.is_empty();
                        vec![before, before && !after, before && after, joined, joined && !after]
                    }
                    "inactive_share" => vec![ever && !after, ever],
                    "repeat_purchase_rate" => vec![days.len() > 1, !days.is_empty()],
                    _ => unreachable!(),
                };
                let which = counted.iter().enumerate().filter(|(_, counted)| **counted).map(|(index, _)| index);
                cells.count(period.start, group, which, 0);
                if query.metrics[0].id == "churn_rate" {
                    // Active until so long after a sale, if there was none since.
                    let instants: BTreeSet<_> = sales.iter().map(|sale| sale + reach).collect();
                    let left =
                        instants.iter().filter(|at| (period.start..period.end).contains(at) && !active(**at + 1));
                    cells.count(period.start, group, left.map(|_| 5), 0);
                }
            }
        }
        cells.shapes()
    }

    pub(super) fn known(&self, query: &Query) -> Vec<Shape> {
        let mut cells = Cells::new(query, ["customers"], false);
        for (id, person) in self.people() {
            let known = self.known_since(id, person);
            for period in cells.periods.clone() {
                let counts = match query.metrics[0].id {
                    "customers" => known < period.end,
                    _ => (period.start..period.end).contains(&known),
                };
                if counts {
                    let values = |name: &str| match name {
                        "area" => vec![person.dimensions.get("area").cloned().unwrap_or_default()],
                        _ => self.attribute(name, id, period.end - 1),
                    };
                    groups(query, &values).iter().for_each(|group| cells.count(period.start, group, [0], 0));
                }
            }
        }
        cells.shapes()
    }

    pub(super) fn people(&self) -> impl Iterator<Item = (&String, &customers::CustomerFact)> {
        self.people.iter().map(|(id, person)| (id, person))
    }

    /// From when on a customer is known.
    pub(super) fn known_since(&self, id: &str, person: &customers::CustomerFact) -> i64 {
        let purchases = self.purchases.iter().map(|of| (&of.customer_id, of.time));
        let interactions = self.interactions.iter().map(|of| (&of.customer_id, of.time));
        let responses = self.responses.iter().map(|(_, of)| (&of.customer_id, of.time));
        let memberships = self.memberships.iter().map(|(_, of)| (&of.customer_id, of.time));
        let referrals = self.referrals.iter().map(|(_, of)| (&of.customer_id, of.time));
        let events = self.subscription_events.iter().map(|(_, of)| (&of.customer_id, of.time));
        let facts = purchases.chain(interactions).chain(responses).chain(memberships).chain(referrals).chain(events);
        let of_one = facts.filter(|(customer, _)| *customer == id).map(|(_, at)| micros(at));
        of_one.chain(person.since.map(|at| micros(Some(at)))).min().unwrap_or_else(|| micros(person.create_time))
    }

    pub(super) fn of_purchase(&self, name: &str, purchase: &customers::PurchaseFact, category: &str) -> Vec<String> {
        match name {
            "category" => vec![category.to_owned()],
            "channel" => vec![purchase.channel.clone()],
            "area" => vec![purchase.dimensions.get("area").cloned().unwrap_or_default()],
            "country" if !purchase.country.is_empty() => vec![purchase.country.clone()],
            _ => self.attribute(name, &purchase.customer_id, micros(purchase.time)),
        }
    }

    pub(super) fn attribute(&self, name: &str, customer: &str, at: i64) -> Vec<String> {
        let (name, at) = name.strip_suffix("_now").map_or((name, at), |name| (name, i64::MAX));
        let attribute = ["", "tier", "country", "segment", "member"].iter().position(|other| *other == name);
        let attribute = i32::try_from(attribute.expect("an attribute")).expect("small");
        let mut values = Vec::new();
        let recorded =
            self.changes.iter().any(|(_, change)| change.customer_id == customer && change.attribute == attribute);
        if name == "member" && !recorded {
            let of_customer = |event: &&customers::MembershipEventFact| {
                event.customer_id == customer && [1, 2].contains(&event.r#type) && micros(event.time) <= at
            };
            let last = self.memberships.iter().map(|(_, event)| event).rfind(of_customer);
            let told = last.map(|event| if event.r#type == 1 { "true" } else { "false" });
            return vec![told.unwrap_or_default().to_owned()];
        }
        let changes = self.changes.iter().map(|(_, change)| change);
        for change in changes.filter(|change| {
            change.customer_id == customer && change.attribute == attribute && micros(change.time) <= at
        }) {
            values.retain(|value| name == "segment" && *value != change.value);
            if name != "segment" || !change.leaves {
                values.push(change.value.clone());
            }
        }
        if values.is_empty() { vec![String::new()] } else { values }
    }
}

/// The amounts of a purchase by category.
pub(super) fn parts(purchase: &customers::PurchaseFact) -> BTreeMap<String, i64> {
    let mut parts = BTreeMap::new();
    for line in &purchase.lines {
        *parts.entry(line.category.clone()).or_default() += line.amount.as_ref().expect("money").units;
    }
    if parts.is_empty() {
        parts.insert(String::new(), purchase.amount.as_ref().expect("money").units);
    }
    parts
}

/// The groups of a fact, given the values of each dimension.
pub(super) fn groups(query: &Query, values: &dyn Fn(&str) -> Vec<String>) -> Vec<Group> {
    let mut groups = vec![Vec::new()];
    for name in &query.group_by {
        let with = |group: &Group| {
            let group = group.clone();
            values(name).into_iter().map(move |value| [group.clone(), vec![(name.clone(), value)]].concat())
        };
        groups = groups.iter().flat_map(with).collect();
    }
    groups
}

pub(super) fn sorted(group: &Group) -> Group {
    let mut group = group.clone();
    group.sort();
    group
}

pub(super) fn micros(at: Option<prost_types::Timestamp>) -> i64 {
    Micros::from_wire(&at.expect("an instant")).expect("in range").0
}

/// Counts by group and period.
pub(super) struct Cells {
    pub(super) periods: Vec<Period>,
    names: Vec<&'static str>,
    money: bool,
    counted: BTreeMap<(Group, usize), (Vec<u64>, i128)>,
}

impl Cells {
    pub(super) fn new(query: &Query, names: impl IntoIterator<Item = &'static str>, money: bool) -> Self {
        let range = query.start.expect("a start")..query.end.expect("an end");
        let periods = Periods::new(&query.days, query.granularity, range).expect("periods").as_slice().to_vec();
        Cells { periods, names: names.into_iter().collect(), money, counted: BTreeMap::new() }
    }

    pub(super) fn period(&self, at: i64) -> Option<usize> {
        self.periods.iter().position(|period| (period.start..period.end).contains(&at))
    }

    pub(super) fn count(&mut self, at: i64, group: &Group, which: impl IntoIterator<Item = usize>, net: i128) {
        let Some(period) = self.period(at) else { return };
        let zero = || (vec![0; self.names.len()], 0);
        let cell = self.counted.entry((sorted(group), period)).or_insert_with(zero);
        which.into_iter().for_each(|index| cell.0[index] += 1);
        cell.1 += net;
    }

    /// A row for each period of each group in which anything was counted at any time.
    pub(super) fn shapes(&self) -> Vec<Shape> {
        let something = |(_, (counts, _)): &(_, &(Vec<u64>, i128))| counts.iter().any(|count| *count > 0);
        let groups: BTreeSet<_> = self.counted.iter().filter(something).map(|((group, _), _)| group.clone()).collect();
        let zero = (vec![0; self.names.len()], 0);
        let mut shapes = Vec::new();
        for group in groups {
            for (index, period) in self.periods.iter().enumerate() {
                let (counts, net) = self.counted.get(&(group.clone(), index)).unwrap_or(&zero);
                let counts = self.names.iter().copied().zip(counts.iter().copied()).collect();
                shapes.push((period.start, group.clone(), counts, self.money.then_some(*net)));
            }
        }
        shapes.sort();
        shapes
    }
}
