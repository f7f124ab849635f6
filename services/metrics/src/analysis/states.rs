//! States: where each customer stands.

use barometer_chassis::{
    clock::Micros,
    door::{Door, Page, PageToken},
    error::Error,
};
use barometer_proto::{metrics::v1 as wire, surveys::v1::SurveyType};
use barometer_statistics::lifecycle::Stage;
use uuid::Uuid;

use super::{
    answered::{answers, of_each},
    moves::{MAX_CUSTOMERS, Stood, TYPES, is_transactional, looked_at, parse_category},
};
use crate::{
    columns::{
        Facts,
        times::{EVER, NEVER, Times},
    },
    fold::Source,
    query::{Condition, Table, Vocabulary, check_positions, cut::Cutter, known, parse_filters},
    rules::{
        money::is_sale,
        scale::{NpsGroup, Scale},
    },
};

const MAX_DAYS: i32 = 3_650;
const USUAL_DAYS: i64 = 90;
const MAX_CATEGORIES: usize = 3;

/// Of which instant, checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) at: i64,
    /// The days of the lifecycle, in microseconds.
    lifecycle: i64,
}

/// Which customers, checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    conditions: Vec<Condition>,
    categories: Vec<NpsGroup>,
    transactional: Option<bool>,
}

/// States that are asked for.
#[derive(Clone, Debug)]
pub(crate) struct States {
    pub(crate) view: View,
    pub(crate) who: Who,
}

/// Of whom.
#[derive(Clone, Debug)]
pub(crate) enum Who {
    /// Of these, in their order.
    These(Vec<Uuid>),
    /// Of a page of those who pass, by their ids.
    Page(Filter, Page),
    /// Of all who pass, by their ids.
    All(Filter),
}

/// Where a customer stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) customer: Uuid,
    /// In relational and in transactional surveys.
    pub(crate) loyalty: [Option<Loyalty>; TYPES],
    pub(crate) last_activity: Option<i64>,
    pub(crate) lifecycle: Option<Lifecycle>,
}

/// What answers make of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loyalty {
    pub(crate) last: Stood,
    pub(crate) since: i64,
    pub(crate) former: Option<NpsGroup>,
    pub(crate) answers: u32,
}

/// Where a buyer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifecycle {
    In(Stage),
    Gone,
}

/// Parses which states are asked for, of whom `who` says.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn parse(
    view: Option<wire::CustomerStateView>,
    who: impl FnOnce(&mut Door) -> Who,
) -> Result<States, Error> {
    Door::open(|door| {
        let who = who(door);
        let view = door.inside("view", |door| parse_view(door, view.unwrap_or_default()));
        States { view, who }
    })
}

fn parse_view(door: &mut Door, view: wire::CustomerStateView) -> View {
    let wire::CustomerStateView { as_of_time, lifecycle_days, at_least } = view;
    let (now, at) = (door.now().0, door.optional_time("as_of_time", as_of_time));
    if !(0..=MAX_DAYS).contains(&lifecycle_days) {
        door.refuse("lifecycle_days", "OUT_OF_RANGE", format!("must be from 0 to {MAX_DAYS}"));
    }
    check_positions(door, &at_least);
    let days = Some(i64::from(lifecycle_days)).filter(|days| *days > 0).unwrap_or(USUAL_DAYS);
    View { at: at.map_or(now, |at| at.0.min(now)), lifecycle: days * Micros::DAY }
}

/// The customers of these ids.
pub(crate) fn parse_ids(door: &mut Door, ids: Vec<String>) -> Who {
    if ids.is_empty() {
        door.missing("customer_ids");
    }
    Who::These(door.each("customer_ids", ids, MAX_CUSTOMERS, |door, id| door.id("", &id)))
}

/// Which customers pass.
pub(crate) fn parse_filter(
    door: &mut Door,
    filter: Option<wire::CustomerStateFilter>,
    vocabulary: &Vocabulary,
) -> Filter {
    door.inside("filter", |door| {
        let wire::CustomerStateFilter { filters, categories, survey_type } = filter.unwrap_or_default();
        let conditions = parse_filters(door, filters, &[(Table::Customers, "customers")], vocabulary);
        let categories = door.each("categories", categories, MAX_CATEGORIES, |door, category| {
            if category == 0 {
                door.missing("");
            }
            parse_category(door, "", category)
        });
        let transactional = match door.optional_choice("survey_type", survey_type) {
            SurveyType::Unspecified => None,
            of => Some(of == SurveyType::Transactional),
        };
        Filter { conditions, categories: categories.into_iter().flatten().collect(), transactional }
    })
}

impl Filter {
    /// Whether it asks for scores.
    fn asks_for_scores(&self) -> bool {
        !self.categories.is_empty() || self.transactional.is_some()
    }

    fn passes(&self, state: &State) -> bool {
        let of_types = state.loyalty.iter().zip([false, true]);
        let mut of_type = of_types.filter(|(_, of)| self.transactional.is_none_or(|asked| asked == *of));
        let is_in = |stood: &Loyalty| self.categories.is_empty() || self.categories.contains(&stood.last.category);
        !self.asks_for_scores() || of_type.any(|(loyalty, _)| loyalty.as_ref().is_some_and(is_in))
    }
}

impl States {
    /// Whether they are made of facts of a source: of all.
    pub(crate) fn reads(&self, _: Source) -> bool {
        true
    }

    /// The states, and the token of the next page.
    pub(crate) fn run(&self, facts: &Facts) -> Result<(Vec<State>, String), Error> {
        match &self.who {
            Who::These(ids) => Ok((self.view.of(facts, ids)?, String::new())),
            Who::All(filter) => {
                let mut all = self.view.of(facts, &self.view.candidates(facts, filter)?)?;
                all.retain(|state| filter.passes(state));
                Ok((all, String::new()))
            }
            Who::Page(filter, page) => {
                let mut ids = self.view.candidates(facts, filter)?;
                ids.drain(..ids.partition_point(|id| page.after.is_some_and(|after| *id <= after.id)));
                // Of whom there are so few nothing else needs to be known.
                if !filter.asks_for_scores() {
                    ids.truncate(usize::from(page.size) + 1);
                }
                let mut states = self.view.of(facts, &ids)?;
                states.retain(|state| filter.passes(state));
                Ok(page.cut(states, place))
            }
        }
    }
}

/// The place of a state in its list.
pub(crate) fn place(state: &State) -> PageToken {
    PageToken { key: 0, id: state.customer }
}

impl View {
    /// Whom states are told of, by their ids: customers that are known, and those known by answers only, as far as filters on
    /// customers let them pass.
    fn candidates(&self, facts: &Facts, filter: &Filter) -> Result<Vec<Uuid>, Error> {
        let mut found = vec![false; facts.people.len()];
        let mut see = |person: u32| {
            if let Some(found) = found.get_mut(person as usize) {
                *found = true;
            }
        };
        let known = known::instants(facts).into_iter().filter(|(_, _, at)| *at < self.at);
        let known: Vec<(u32, u32)> = known.map(|(row, person, _)| (row, person)).collect();
        if filter.conditions.is_empty() {
            known.iter().for_each(|(_, person)| see(*person));
            let responses = &facts.responses;
            happened(&responses.times, &responses.customers, self.at).for_each(|(_, person, _)| see(person));
        } else {
            let mut cutter = Cutter::new(facts, Table::Customers, &filter.conditions, &[], 1);
            let (mut rows, mut groups) = (known.iter().map(|(row, _)| *row).collect(), Vec::new());
            // What holds at the instant is what was so just before it.
            cutter.cut(&mut rows, &mut groups, |_| self.at - 1)?;
            rows.sort_unstable();
            known.iter().filter(|(row, _)| rows.binary_search(row).is_ok()).for_each(|(_, person)| see(*person));
        }
        let mut ids: Vec<Uuid> =
            found.iter().zip(facts.people.as_slice()).filter(|(found, _)| **found).map(|(_, id)| *id).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The states of these, in their order.
    fn of(&self, facts: &Facts, ids: &[Uuid]) -> Result<Vec<State>, Error> {
        let numbers: Vec<Option<u32>> = ids.iter().map(|id| facts.people.find(*id)).collect();
        let mut loyalty: Vec<[Option<Loyalty>; TYPES]> = vec![[None; TYPES]; facts.people.len()];
        let by_type = ["survey_type".to_owned()];
        let mut cutter = Cutter::new(facts, Table::Responses, &[], &by_type, TYPES + 1);
        let is_looked_at = looked_at(facts, ids);
        for of_one in of_each(&answers(facts, Scale::Nps, &(EVER..self.at), &mut cutter, is_looked_at)?) {
            let of_type = usize::from(is_transactional(facts, &of_one[0]));
            let stood = of_one.iter().map(|answer| Stood::of(facts, answer));
            if let Some(of_customer) = loyalty.get_mut(of_one[0].person as usize) {
                of_customer[of_type] = standing(stood);
            }
        }
        let (activity, bought) = (self.activity(facts), self.bought(facts));
        let states = ids.iter().zip(numbers).map(|(id, number)| {
            let of = |number: u32| {
                let index = number as usize;
                (loyalty[index], Some(activity[index]).filter(|at| *at != NEVER), bought[index].stage())
            };
            let (loyalty, last_activity, lifecycle) = number.map_or(([None; TYPES], None, None), of);
            State { customer: *id, loyalty, last_activity, lifecycle }
        });
        Ok(states.collect())
    }

    /// When people were last active; [`NEVER`] where they were not.
    fn activity(&self, facts: &Facts) -> Vec<i64> {
        let Facts { purchases, interactions, responses, cases, .. } = facts;
        let mut last = vec![NEVER; facts.people.len()];
        let sales = happened(&purchases.times, &purchases.customers, self.at)
            .filter(|(row, _, _)| is_sale(purchases.amounts[*row as usize]));
        let contacts = happened(&interactions.times, &interactions.customers, self.at)
            .filter(|(row, _, _)| interactions.is_inbound(*row));
        let answers = happened(&responses.times, &responses.customers, self.at);
        let opened = happened(&cases.times, &cases.customers, self.at);
        for (_, person, at) in sales.chain(contacts).chain(answers).chain(opened) {
            if let Some(last) = last.get_mut(person as usize) {
                *last = at.max(*last);
            }
        }
        last
    }

    fn bought(&self, facts: &Facts) -> Vec<Bought> {
        let purchases = &facts.purchases;
        let mut bought = vec![Bought::default(); facts.people.len()];
        for (row, person, at) in happened(&purchases.times, &purchases.customers, self.at) {
            if !is_sale(purchases.amounts[row as usize]) {
                continue;
            }
            let Some(bought) = bought.get_mut(person as usize) else { continue };
            match self.at.saturating_sub(at) {
                ago if ago <= self.lifecycle => bought.lately = true,
                ago if ago <= 2 * self.lifecycle => bought.before = true,
                _ => bought.earlier = true,
            }
        }
        bought
    }
}

/// When somebody bought: in the last days, in as many before them, or earlier.
#[derive(Clone, Copy, Debug, Default)]
struct Bought {
    lately: bool,
    before: bool,
    earlier: bool,
}

impl Bought {
    fn stage(self) -> Option<Lifecycle> {
        let periods = [(self.earlier, -3), (self.before, -1), (self.lately, 0)];
        let active: Vec<i64> = periods.into_iter().filter(|(bought, _)| *bought).map(|(_, period)| period).collect();
        (!active.is_empty()).then(|| Stage::of(&active, 0).map_or(Lifecycle::Gone, Lifecycle::In))
    }
}

/// What answers that follow each other make of a customer.
fn standing(answers: impl Iterator<Item = Stood>) -> Option<Loyalty> {
    let mut standing: Option<Loyalty> = None;
    for last in answers {
        standing = Some(match standing {
            None => Loyalty { last, since: last.at, former: None, answers: 1 },
            Some(before) if before.last.category == last.category => {
                Loyalty { last, answers: before.answers.saturating_add(1), ..before }
            }
            Some(before) => Loyalty {
                last,
                since: last.at,
                former: Some(before.last.category),
                answers: before.answers.saturating_add(1),
            },
        });
    }
    standing
}

/// What happened before an instant: rows, whose they are, and when.
fn happened<'f>(times: &'f Times, customers: &'f [u32], until: i64) -> impl Iterator<Item = (u32, u32, i64)> + 'f {
    let all = (0..).zip(times.as_slice()).zip(customers);
    all.filter(move |((_, at), _)| **at != NEVER && **at < until).map(|((row, at), person)| (row, *person, *at))
}
