//! Moves: customers whose answer makes another category of them than the answer before.

use std::ops::Range;

use barometer_chassis::{
    door::{Door, Page, PageToken},
    error::Error,
};
use barometer_proto::metrics::v1 as wire;
use uuid::Uuid;

use super::{
    MAX_CUSTOMERS,
    answered::{Answered, Stood, category, is_transactional, parse_category, reads},
    histories::Histories,
    scope::Scope,
};
use crate::{
    columns::{Facts, people::NOBODY, times::EVER},
    fold::Source,
    query::{Condition, Table, Vocabulary, Zones, cut::Cutter},
    rules::scale::NpsGroup,
};

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

impl Moves {
    /// Whether it is made of facts of a source.
    pub(crate) fn reads(&self, source: Source) -> bool {
        reads(source)
    }

    /// A page of moves, and the token of the next. Answers are looked at from where the page begins until it is full.
    pub(crate) fn run(&self, facts: &Facts) -> Result<(Vec<Move>, String), Error> {
        let range = self.range();
        let mut chain = Chain::new(facts, &self.scope.filters);
        let mut moves = Vec::new();
        if range.is_empty() {
            return Ok((Vec::new(), String::new()));
        }
        if self.customers.is_empty() {
            let days = facts.responses.days.meeting(range.clone()).map(|(_, day)| day.rows.as_slice());
            if self.oldest_first {
                self.collect(&mut chain, days, &range, &mut moves)?;
            } else {
                self.collect(&mut chain, days.rev(), &range, &mut moves)?;
            }
        } else {
            let mut people: Vec<u32> = self.customers.iter().filter_map(|id| facts.people.find(*id)).collect();
            people.sort_unstable();
            people.dedup();
            let rows: Vec<u32> =
                people.into_iter().flat_map(|person| chain.histories.rows(person)).map(|(_, row)| *row).collect();
            self.collect(&mut chain, std::iter::once(rows.as_slice()), &range, &mut moves)?;
        }
        moves.truncate(usize::from(self.page.size) + 1);
        let (moves, next) = self.page.cut(moves, |(_, answer)| token(answer));
        Ok((moves.into_iter().filter_map(|(before, answer)| told(facts, &before, &answer)).collect(), next))
    }

    /// When answers on this page may have been given.
    fn range(&self) -> Range<i64> {
        let (start, end) = (self.scope.start.unwrap_or(EVER), self.scope.until());
        match self.page.after.map(|after| after.key) {
            None => start..end,
            Some(at) if self.oldest_first => start.max(at)..end,
            Some(at) => start..end.min(at.saturating_add(1)),
        }
    }

    /// Appends the moves among rows, in their order and each with the answer before; of as many lists of rows, each beyond the
    /// one before, as a page needs.
    fn collect<'r>(
        &self,
        chain: &mut Chain<'_>,
        lists: impl Iterator<Item = &'r [u32]>,
        range: &Range<i64>,
        moves: &mut Vec<(Answered, Answered)>,
    ) -> Result<(), Error> {
        let mut rows = Vec::new();
        for list in lists {
            rows.clear();
            rows.extend(list.iter().copied().filter(|row| {
                let answer = chain.histories.answer(*row);
                answer.is_some_and(|answer| {
                    answer.person != NOBODY && range.contains(&answer.at) && self.is_after(&answer)
                })
            }));
            chain.keep(&mut rows)?;
            let known = moves.len();
            for row in rows.iter().copied() {
                let Some(answer) = chain.histories.answer(row) else { continue };
                if self.to.is_some_and(|asked| asked != category(chain.facts, row)) {
                    continue;
                }
                if let Some(before) = chain.before(&answer)?
                    && self.is_asked(chain.facts, &before, &answer)
                {
                    moves.push((before, answer));
                }
            }
            let found = &mut moves[known..];
            if self.oldest_first {
                found.sort_unstable_by_key(|(_, answer)| place(answer));
            } else {
                found.sort_unstable_by_key(|(_, answer)| std::cmp::Reverse(place(answer)));
            }
            if moves.len() > usize::from(self.page.size) {
                break;
            }
        }
        Ok(())
    }

    /// Whether an answer comes after the page before.
    fn is_after(&self, answer: &Answered) -> bool {
        self.page.after.is_none_or(|after| {
            let after = (after.key, number_of(after.id));
            if self.oldest_first { place(answer) > after } else { place(answer) < after }
        })
    }

    fn is_asked(&self, facts: &Facts, before: &Answered, answer: &Answered) -> bool {
        let from = category(facts, before.row);
        from != category(facts, answer.row) && self.from.is_none_or(|asked| asked == from)
    }
}

/// Answers that pass, each customer's one after the other.
struct Chain<'f> {
    facts: &'f Facts,
    histories: Histories<'f>,
    cutter: Cutter<'f>,
    groups: Vec<u32>,
}

impl<'f> Chain<'f> {
    fn new(facts: &'f Facts, filters: &[Condition]) -> Self {
        let cutter = Cutter::new(facts, Table::Responses, filters, &[], 1);
        Chain { facts, histories: Histories::new(facts), cutter, groups: Vec::new() }
    }

    /// Keeps the rows that pass the filters.
    fn keep(&mut self, rows: &mut Vec<u32>) -> Result<(), Error> {
        let times = &self.facts.responses.times;
        self.cutter.cut(rows, &mut self.groups, |row| times.at(row as usize))
    }

    /// The answer that the customer gave before another, to a survey of the same type.
    fn before(&mut self, answer: &Answered) -> Result<Option<Answered>, Error> {
        let own = self.histories.rows(answer.person);
        let own = &own[..own.partition_point(|(at, _)| *at <= answer.at)];
        let of_type = is_transactional(self.facts, answer);
        let mut found: Option<Answered> = None;
        for (at, row) in own.iter().rev() {
            if found.is_some_and(|found| found.at != *at) {
                break;
            }
            let Some(other) = self.histories.answer(*row) else { continue };
            // Of several at one instant the last that was recorded.
            let is_nearer = place(&other) < place(answer) && found.is_none_or(|found| place(&found) < place(&other));
            if is_nearer && is_transactional(self.facts, &other) == of_type {
                let mut rows = vec![*row];
                self.keep(&mut rows)?;
                found = if rows.is_empty() { found } else { Some(other) };
            }
        }
        Ok(found)
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
