//! Answers with a score, in their groups, those of each customer one after the other.

use std::ops::Range;

use barometer_chassis::{door::Door, error::Error};
use barometer_proto::metrics::v1 as wire;

use crate::{
    columns::Facts,
    fold::Source,
    measures::surveys::answers::{is_wanted, wanted},
    query::{Condition, blends_surveys, cut::Cutter},
    rules::scale::{NpsGroup, Scale},
};

/// An answer. By group, customer (answers of nobody last), instant and when it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Answered {
    pub(super) group: u32,
    /// Number among people, or [`NOBODY`](crate::columns::people::NOBODY).
    pub(super) person: u32,
    pub(super) at: i64,
    /// Number of the fact.
    pub(super) number: i64,
    pub(super) row: u32,
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

impl Stood {
    pub(super) fn of(facts: &Facts, answer: &Answered) -> Self {
        let score = facts.responses.scores[answer.row as usize];
        Stood { category: category(facts, answer.row), score, at: answer.at, number: answer.number }
    }
}

/// What is made of answers reads the customers too, for their dimensions.
pub(super) fn reads(source: Source) -> bool {
    matches!(source, Source::Customers | Source::Surveys)
}

pub(super) fn parse_category(door: &mut Door, field: &str, category: i32) -> Option<NpsGroup> {
    match door.optional_choice(field, category) {
        wire::LoyaltyCategory::Unspecified => None,
        wire::LoyaltyCategory::Detractor => Some(NpsGroup::Detractor),
        wire::LoyaltyCategory::Passive => Some(NpsGroup::Passive),
        wire::LoyaltyCategory::Promoter => Some(NpsGroup::Promoter),
    }
}

/// The answers on a scale within a time, in their order; an answer of several groups comes several times.
///
/// Errors: INVALID when there are too many groups.
pub(super) fn answers(
    facts: &Facts,
    scale: Scale,
    range: &Range<i64>,
    cutter: &mut Cutter<'_>,
) -> Result<Vec<Answered>, Error> {
    let responses = &facts.responses;
    let times = responses.times.as_slice();
    let wanted = wanted(Some(scale), facts);
    let (mut rows, mut groups, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for block in responses.times.blocks(range.clone()) {
        responses.times.select(block, range, &mut rows);
        rows.retain(|row| {
            let index = *row as usize;
            is_wanted(&wanted, responses.surveys[index]) && scale.score(i64::from(responses.scores[index])).is_some()
        });
        cutter.cut(&mut rows, &mut groups, |row| times[row as usize])?;
        found.extend(rows.iter().zip(&groups).map(|(row, group)| {
            let index = *row as usize;
            let (person, number) = (responses.customers[index], responses.rows.number(index));
            Answered { group: *group, person, at: times[index], number, row: *row }
        }));
    }
    found.sort_unstable();
    Ok(found)
}

/// The dimensions to group by, with the type of survey first where it must not be blended.
pub(super) fn apart(group_by: Vec<String>, filters: &[Condition]) -> Vec<String> {
    let first = blends_surveys(&group_by, filters).then(|| "survey_type".to_owned());
    first.into_iter().chain(group_by).collect()
}

/// Whether an answer is to a transactional survey.
pub(super) fn is_transactional(facts: &Facts, answer: &Answered) -> bool {
    let survey = facts.responses.surveys[answer.row as usize];
    facts.surveys.as_slice().get(survey as usize).and_then(Option::as_ref).is_some_and(|survey| survey.transactional)
}

/// What the score of an answer to the recommend question makes of its customer.
pub(super) fn category(facts: &Facts, row: u32) -> NpsGroup {
    let score = Scale::Nps.score(i64::from(facts.responses.scores[row as usize]));
    // Only answers on this scale are asked about.
    score.and_then(|score| score.nps_group()).unwrap_or(NpsGroup::Passive)
}

/// Categories from the lowest.
pub(crate) const CATEGORIES: [NpsGroup; 3] = [NpsGroup::Detractor, NpsGroup::Passive, NpsGroup::Promoter];

/// Which of [`CATEGORIES`] it is.
pub(super) fn rank(category: NpsGroup) -> usize {
    match category {
        NpsGroup::Detractor => 0,
        NpsGroup::Passive => 1,
        NpsGroup::Promoter => 2,
    }
}

/// The answers of each customer in each group; those of nobody are left out.
pub(super) fn of_each(answers: &[Answered]) -> impl Iterator<Item = &[Answered]> {
    let of_one = answers.chunk_by(|a, b| (a.group, a.person) == (b.group, b.person));
    of_one.filter(|of_one| of_one.first().is_some_and(|first| first.person != crate::columns::people::NOBODY))
}
