//! Moves: customers whose answer makes another category of them than the answer before.

use barometer_chassis::{
    door::{Door, Page, PageToken},
    error::Error,
};
use barometer_proto::metrics::v1 as wire;
use uuid::Uuid;

use super::{
    answered::{Answered, answers, category, of_each},
    scope::Scope,
    transition::reads,
};
use crate::{
    columns::{Facts, times::EVER},
    fold::Source,
    query::{Table, Vocabulary, Zones, cut::Cutter},
    rules::scale::{NpsGroup, Scale},
};

pub(super) const MAX_CUSTOMERS: usize = 1_000;
/// Moves of relational and of transactional surveys.
pub(super) const TYPES: usize = 2;

/// What is asked, checked.
#[derive(Clone, Debug)]
pub(crate) struct Moves {
    pub(crate) scope: Scope,
    customers: Vec<Uuid>,
    from: Option<NpsGroup>,
    to: Option<NpsGroup>,
    oldest_first: bool,
    page: Page,
}

/// That a customer moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) customer: Uuid,
    pub(crate) transactional: bool,
    pub(crate) survey: String,
    pub(crate) from: Stood,
    pub(crate) to: Stood,
}

/// What an answer made of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stood {
    pub(crate) category: NpsGroup,
    pub(crate) score: u8,
    pub(crate) at: i64,
    /// Number of the fact.
    pub(crate) number: i64,
}

/// Parses a request, which is asked now.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn parse(
    request: wire::ListCategoryMovesRequest,
    vocabulary: &Vocabulary,
    zones: &Zones,
) -> Result<Moves, Error> {
    Door::open(|door| {
        let wire::ListCategoryMovesRequest { scope, customer_ids, from, to, oldest_first, page_size, page_token } =
            request;
        let customers = door.each("customer_ids", customer_ids, MAX_CUSTOMERS, |door, id| door.id("", &id));
        let (from, to) = (parse_category(door, "from", from), parse_category(door, "to", to));
        let page = door.page(page_size, &page_token);
        let scope = Scope::parse(door, scope, (Table::Responses, "nps"), vocabulary, zones);
        scope.map(|scope| Moves { scope, customers, from, to, oldest_first, page })
    })?
    .ok_or_else(|| Error::Internal("there is no reporting zone".to_owned()))
}

pub(super) fn parse_category(door: &mut Door, field: &str, category: i32) -> Option<NpsGroup> {
    match door.optional_choice(field, category) {
        wire::LoyaltyCategory::Unspecified => None,
        wire::LoyaltyCategory::Detractor => Some(NpsGroup::Detractor),
        wire::LoyaltyCategory::Passive => Some(NpsGroup::Passive),
        wire::LoyaltyCategory::Promoter => Some(NpsGroup::Promoter),
    }
}

impl Stood {
    pub(super) fn of(facts: &Facts, answer: &Answered) -> Self {
        let score = facts.responses.scores[answer.row as usize];
        Stood { category: category(facts, answer.row), score, at: answer.at, number: answer.number }
    }
}

/// Whether an answer is to a transactional survey.
pub(super) fn is_transactional(facts: &Facts, answer: &Answered) -> bool {
    let survey = facts.responses.surveys[answer.row as usize];
    facts.surveys.as_slice().get(survey as usize).and_then(Option::as_ref).is_some_and(|survey| survey.transactional)
}

/// Which of these people are asked about, by their numbers; all when there are none.
pub(super) fn looked_at(facts: &Facts, customers: &[Uuid]) -> impl Fn(u32) -> bool + use<> {
    let all = customers.is_empty();
    let mut numbers: Vec<u32> = customers.iter().filter_map(|id| facts.people.find(*id)).collect();
    numbers.sort_unstable();
    move |person| all || numbers.binary_search(&person).is_ok()
}

impl Moves {
    /// Whether it is made of facts of a source.
    pub(crate) fn reads(&self, source: Source) -> bool {
        reads(source)
    }

    /// A page of moves, and the token of the next.
    pub(crate) fn run(&self, facts: &Facts) -> Result<(Vec<Move>, String), Error> {
        let by_type = ["survey_type".to_owned()];
        let mut cutter = Cutter::new(facts, Table::Responses, &self.scope.filters, &by_type, TYPES + 1);
        let until = self.scope.until();
        let all = answers(facts, Scale::Nps, &(EVER..until), &mut cutter, looked_at(facts, &self.customers))?;
        let mut moves: Vec<&[Answered]> = Vec::new();
        for of_one in of_each(&all) {
            moves.extend(of_one.windows(2).filter(|pair| self.is_asked(facts, &pair[0], &pair[1])));
        }
        if self.oldest_first {
            moves.sort_unstable_by_key(|pair| place(&pair[1]));
        } else {
            moves.sort_unstable_by_key(|pair| std::cmp::Reverse(place(&pair[1])));
        }
        moves.truncate(usize::from(self.page.size) + 1);
        let (moves, next) = self.page.cut(moves, |pair| token(&pair[1]));
        Ok((moves.into_iter().filter_map(|pair| told(facts, &pair[0], &pair[1])).collect(), next))
    }

    fn is_asked(&self, facts: &Facts, before: &Answered, answer: &Answered) -> bool {
        let (from, to) = (category(facts, before.row), category(facts, answer.row));
        let is_after = self.page.after.is_none_or(|after| {
            let after = (after.key, number_of(after.id));
            if self.oldest_first { place(answer) > after } else { place(answer) < after }
        });
        from != to
            && is_after
            && self.scope.start.is_none_or(|start| answer.at >= start)
            && self.from.is_none_or(|asked| asked == from)
            && self.to.is_none_or(|asked| asked == to)
    }
}

fn place(answer: &Answered) -> (i64, i64) {
    (answer.at, answer.number)
}

/// The place of a move in its list. Numbers are not negative.
fn token(answer: &Answered) -> PageToken {
    PageToken { key: answer.at, id: Uuid::from_u128(u128::try_from(answer.number).unwrap_or_default()) }
}

fn number_of(id: Uuid) -> i64 {
    i64::try_from(id.as_u128()).unwrap_or(i64::MAX)
}

fn told(facts: &Facts, before: &Answered, answer: &Answered) -> Option<Move> {
    let survey = facts.responses.surveys[answer.row as usize];
    let survey = facts.surveys.as_slice().get(survey as usize)?.as_ref()?;
    Some(Move {
        customer: *facts.people.as_slice().get(answer.person as usize)?,
        transactional: survey.transactional,
        survey: survey.name.clone(),
        from: Stood::of(facts, before),
        to: Stood::of(facts, answer),
    })
}
