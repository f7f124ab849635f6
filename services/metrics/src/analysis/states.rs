//! States: where each customer stands.

use barometer_chassis::{
    clock::Micros,
    door::{Door, Page, PageToken},
    error::Error,
};
use barometer_proto::{metrics::v1 as wire, surveys::v1::SurveyType};
use barometer_statistics::lifecycle::Stage;
use uuid::Uuid;

use self::walk::Walk;
use super::{
    MAX_CUSTOMERS,
    answered::{Stood, parse_category},
    histories::Histories,
};
use crate::{
    columns::Facts,
    fold::Source,
    query::{Condition, Table, Vocabulary, check_positions, parse_filters},
    rules::scale::NpsGroup,
};

mod walk;

/// Relational and transactional surveys.
const TYPES: usize = 2;

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
        let histories = Histories::new(facts);
        match &self.who {
            Who::These(ids) => {
                let state = |id: &Uuid| self.view.of(facts, &histories, *id, facts.people.find(*id));
                Ok((ids.iter().map(state).collect(), String::new()))
            }
            Who::All(filter) => {
                Ok((Walk::new(facts, &histories, self.view, filter, None).take(usize::MAX)?, String::new()))
            }
            Who::Page(filter, page) => {
                let walk = Walk::new(facts, &histories, self.view, filter, page.after.map(|after| after.id));
                Ok(page.cut(walk.take(usize::from(page.size) + 1)?, place))
            }
        }
    }
}

/// The place of a state in its list.
pub(crate) fn place(state: &State) -> PageToken {
    PageToken { key: 0, id: state.customer }
}

impl View {
    /// The state of a customer, by its id and its number among people, if it has one.
    fn of(&self, facts: &Facts, histories: &Histories<'_>, customer: Uuid, person: Option<u32>) -> State {
        let Some(person) = person else {
            return State { customer, loyalty: [None; TYPES], last_activity: None, lifecycle: None };
        };
        let loyalty = [false, true].map(|transactional| {
            let answers = histories.answers(person, self.at, transactional);
            standing(answers.iter().map(|answer| Stood::of(facts, answer)))
        });
        let last_activity = histories.last_activity(person, self.at);
        let bought = self.bought(histories.sales(person, self.at));
        State { customer, loyalty, last_activity, lifecycle: bought.stage() }
    }

    fn bought(&self, sales: &[i64]) -> Bought {
        let mut bought = Bought::default();
        for at in sales {
            match self.at.saturating_sub(*at) {
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
