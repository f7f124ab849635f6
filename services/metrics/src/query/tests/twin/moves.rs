//! Moves, states and journeys computed plainly: customer by customer, period by period.

use std::collections::{BTreeMap, BTreeSet};

use barometer_proto::{
    metrics::v1::{self as wire, Granularity, Scope},
    surveys::v1::ResponseFact,
};
use barometer_statistics::lifecycle::Stage;
use uuid::Uuid;

use super::super::{DAY, asked::NOW};
use super::{Group, Model, groups, micros, sorted};
use crate::{
    analysis::{
        answered::Stood,
        journey::Journeys,
        moves::Move,
        states::{Lifecycle, Loyalty, State},
        transition::Matrix,
    },
    rules::{
        granularity::Granularity as Every,
        period::Periods,
        scale::{NpsGroup, Scale},
    },
};

/// By group and starts of the periods: the matrix, who joined and who was lost.
pub(in super::super) type Matrices = BTreeMap<(Group, i64, i64), ([[u64; 3]; 3], [u64; 3], [u64; 3])>;

pub(in super::super) fn shape(matrices: &[Matrix]) -> Matrices {
    let shape = |matrix: &Matrix| {
        let moved = matrix.told.as_ref().expect("told");
        let counts = [0, 1, 2].map(|from| [0, 1, 2].map(|to| moved.matrix.count(from, to)));
        ((sorted(&matrix.group), matrix.before.start, matrix.after.start), (counts, moved.joined, moved.lost))
    };
    matrices.iter().map(shape).collect()
}

/// An answer with a score.
#[derive(Clone, Copy)]
pub(in super::super) struct Scored<'m> {
    pub(in super::super) at: i64,
    pub(in super::super) number: i64,
    pub(in super::super) score: i32,
    pub(in super::super) transactional: bool,
    pub(in super::super) response: &'m ResponseFact,
}

/// Detractor, passive, promoter.
fn rank(score: i32) -> usize {
    match score {
        9.. => 2,
        7..=8 => 1,
        _ => 0,
    }
}

fn category(score: i32) -> NpsGroup {
    [NpsGroup::Detractor, NpsGroup::Passive, NpsGroup::Promoter][rank(score)]
}

impl Model {
    /// The answers to surveys of a kind that pass, by group, in the order of time.
    pub(in super::super) fn scored(
        &self,
        kind: i32,
        scope: Option<&Scope>,
        group_by: &[String],
    ) -> BTreeMap<Group, Vec<Scored<'_>>> {
        let mut found: BTreeMap<Group, Vec<Scored<'_>>> = BTreeMap::new();
        let only_a = scope.is_some_and(|scope| !scope.filters.is_empty());
        for (number, response) in &self.responses {
            let survey = self.surveys.get(&response.survey_id).filter(|survey| survey.kind == kind);
            let (Some(survey), Some(score)) = (survey, response.score) else { continue };
            let least = Scale::ALL[usize::try_from(kind - 1).expect("a kind")];
            let at = micros(response.time);
            if least.score(score.into()).is_none() || at >= NOW || (only_a && response.language != "a") {
                continue;
            }
            let values = |name: &str| match name {
                "language" => vec![response.language.clone()],
                "survey" => vec![survey.name.clone()],
                "survey_type" => vec![
                    ["", "relational", "transactional"][usize::try_from(survey.r#type).expect("a type")].to_owned(),
                ],
                _ => self.attribute(name, &response.customer_id, at),
            };
            let names_survey = group_by.iter().any(|name| name.starts_with("survey"));
            let implied = (!names_survey).then(|| "survey_type".to_owned());
            let mut query = super::super::query("nps", Every::All, &[]);
            query.group_by = group_by.iter().cloned().chain(implied).collect();
            let scored = Scored { at, number: *number, score, transactional: survey.r#type == 2, response };
            groups(&query, &values).iter().for_each(|group| found.entry(sorted(group)).or_default().push(scored));
        }
        found.values_mut().for_each(|answers| answers.sort_by_key(|answer| (answer.at, answer.number)));
        found
    }

    pub(in super::super) fn transitions(&self, request: &wire::QueryTransitionsRequest) -> Matrices {
        let answers = self.scored(1, request.scope.as_ref(), &request.group_by);
        let instant = |at: Option<prost_types::Timestamp>| at.map(|at| micros(Some(at)));
        let periods: Vec<(i64, i64)> = match (&request.before, &request.after) {
            (Some(before), Some(after)) => {
                // Where the first is open it begins with the first answer that matters.
                let first = answers.values().flatten().map(|answer| answer.at).min().unwrap_or(i64::MAX);
                let end = micros(before.end_time);
                let start = instant(before.start_time).unwrap_or(first).min(end);
                vec![(start, end), (micros(after.start_time), instant(after.end_time).unwrap_or(NOW))]
            }
            _ => {
                let first = answers.values().flatten().map(|answer| answer.at).min();
                let Some(first) = first else { return Matrices::new() };
                let every = if request.granularity() == Granularity::Week { Every::Week } else { Every::Month };
                let days = super::super::query("nps", every, &[]).days;
                let scope = request.scope.clone().unwrap_or_default();
                let start = instant(scope.start_time).or_else(|| Periods::start_of(&days, every, first));
                let range = start.expect("a start")..instant(scope.end_time).unwrap_or(NOW).min(NOW);
                let periods = Periods::new(&days, every, range).expect("periods");
                periods.as_slice().iter().map(|period| (period.start, period.end)).collect()
            }
        };
        let mut found = Matrices::new();
        for (group, answers) in answers {
            for customer in customers(&answers) {
                let stands = |(start, end): (i64, i64)| {
                    let of_customer = answers.iter().filter(|answer| answer.response.customer_id == customer);
                    let mut within =
                        of_customer.filter(|answer| (request.carry || start <= answer.at) && answer.at < end);
                    within.next_back().map(|answer| rank(answer.score))
                };
                for pair in periods.windows(2) {
                    let (before, after) = (stands(pair[0]), stands(pair[1]));
                    if before.is_some() || after.is_some() {
                        let key = (group.clone(), pair[0].0, pair[1].0);
                        let (counts, joined, lost) = found.entry(key).or_default();
                        match (before, after) {
                            (Some(from), Some(to)) => counts[from][to] += 1,
                            (Some(from), None) => lost[from] += 1,
                            (None, Some(to)) => joined[to] += 1,
                            (None, None) => {}
                        }
                    }
                }
            }
        }
        found
    }

    /// The answers of nobody in the first period of a matrix, by category.
    pub(in super::super) fn anonymous(&self, matrix: &Matrix) -> [u64; 3] {
        let by: Vec<String> = matrix.group.iter().map(|(name, _)| name.clone()).collect();
        let answers = self.scored(1, None, &by).remove(&sorted(&matrix.group)).unwrap_or_default();
        let mut found = [0; 3];
        let within = matrix.before.start..matrix.before.end;
        let of_nobody = |answer: &&Scored<'_>| answer.response.customer_id.is_empty() && within.contains(&answer.at);
        answers.iter().filter(of_nobody).for_each(|answer| found[rank(answer.score)] += 1);
        found
    }

    pub(in super::super) fn moves(&self, request: &wire::ListCategoryMovesRequest) -> Vec<Move> {
        let scope = request.scope.clone().unwrap_or_default();
        let mut found = Vec::new();
        for answers in self.scored(1, request.scope.as_ref(), &[]).values() {
            for customer in customers(answers) {
                let own: Vec<_> = answers.iter().filter(|answer| answer.response.customer_id == customer).collect();
                for pair in own.windows(2) {
                    let is_within = scope.start_time.is_none_or(|start| pair[1].at >= micros(Some(start)))
                        && scope.end_time.is_none_or(|end| pair[1].at < micros(Some(end)));
                    let is = |asked: i32, score: i32| asked == 0 || usize::try_from(asked - 1) == Ok(rank(score));
                    let of_one = request.customer_ids.is_empty() || request.customer_ids.contains(&customer);
                    let is_asked = is(request.from, pair[0].score) && is(request.to, pair[1].score) && of_one;
                    if rank(pair[0].score) != rank(pair[1].score) && is_within && is_asked {
                        found.push(Move {
                            customer: Uuid::parse_str(&customer).expect("an id"),
                            transactional: pair[1].transactional,
                            survey: self.surveys[&pair[1].response.survey_id].name.clone(),
                            from: stood(pair[0]),
                            to: stood(pair[1]),
                        });
                    }
                }
            }
        }
        found.sort_by_key(|of| (of.to.at, of.to.number));
        if !request.oldest_first {
            found.reverse();
        }
        found
    }

    pub(in super::super) fn states(&self, at: i64) -> Vec<State> {
        let known = self.people().filter(|(id, person)| self.known_since(id, person) < at).map(|(id, _)| id.clone());
        let answered = self.responses.iter().filter(|(_, of)| micros(of.time) < at && !of.customer_id.is_empty());
        let ids: BTreeSet<String> = known.chain(answered.map(|(_, of)| of.customer_id.clone())).collect();
        ids.iter().map(|id| self.state(id, at)).collect()
    }

    /// Those that pass a filter.
    pub(in super::super) fn filtered(&self, at: i64, filter: &wire::CustomerStateFilter) -> Vec<State> {
        let passes = |state: &State| {
            let id = state.customer.to_string();
            let known = self.people().any(|(of, person)| *of == id && self.known_since(of, person) < at);
            let has_tier = || ["a", "b"].contains(&self.attribute("tier", &id, at - 1)[0].as_str());
            let stands = |index: usize| {
                let asked = filter.survey_type == 0 || usize::try_from(filter.survey_type - 1) == Ok(index);
                let is = |of: &Loyalty| {
                    let own = i32::try_from(1 + rank(of.last.score.into())).expect("small");
                    filter.categories.is_empty() || filter.categories.contains(&own)
                };
                asked && state.loyalty[index].as_ref().is_some_and(is)
            };
            let any_score = filter.categories.is_empty() && filter.survey_type == 0;
            (filter.filters.is_empty() || (known && has_tier())) && (any_score || stands(0) || stands(1))
        };
        self.states(at).into_iter().filter(passes).collect()
    }

    fn state(&self, id: &str, at: i64) -> State {
        let mut loyalty = [None, None];
        for answers in self.scored(1, None, &[]).values() {
            let own = answers.iter().filter(|answer| answer.response.customer_id == id && answer.at < at);
            let own: Vec<_> = own.collect();
            let Some(last) = own.last() else { continue };
            let same = own.iter().rev().take_while(|answer| rank(answer.score) == rank(last.score)).count();
            loyalty[usize::from(last.transactional)] = Some(Loyalty {
                last: stood(last),
                since: own[own.len() - same].at,
                former: own.len().checked_sub(same + 1).map(|index| category(own[index].score)),
                answers: u32::try_from(own.len()).expect("few"),
            });
        }
        let sales = self.purchases.iter().filter(|of| of.amount.as_ref().is_some_and(|amount| amount.units >= 0));
        let sales: Vec<i64> =
            sales.filter(|of| of.customer_id == id).map(|of| micros(of.time)).filter(|sale| *sale < at).collect();
        let contacts = self.interactions.iter().filter(|of| of.direction == 1).map(|of| (&of.customer_id, of.time));
        let answers = self.responses.iter().map(|(_, of)| (&of.customer_id, of.time));
        let cases = self.cases.iter().map(|(_, of)| (&of.customer_id, of.open_time));
        let own = contacts.chain(answers).chain(cases).filter(|(customer, _)| *customer == id);
        let last_activity = own.map(|(_, at)| micros(at)).chain(sales.iter().copied()).filter(|of| *of < at).max();
        let bought = |from: i64, to: i64| sales.iter().any(|sale| (at - to * DAY..at - from * DAY).contains(sale));
        let lifecycle = match (bought(0, 20), bought(20, 40), bought(40, 1_000)) {
            (true, true, _) => Some(Lifecycle::In(Stage::Returning)),
            (true, false, true) => Some(Lifecycle::In(Stage::Resurrecting)),
            (true, false, false) => Some(Lifecycle::In(Stage::New)),
            (false, true, _) => Some(Lifecycle::In(Stage::Dormant)),
            (false, false, true) => Some(Lifecycle::Gone),
            (false, false, false) => None,
        };
        State { customer: Uuid::parse_str(id).expect("an id"), loyalty, last_activity, lifecycle }
    }

    pub(in super::super) fn journeys(&self, request: &wire::QueryJourneysRequest) -> Ways {
        let scope = request.scope.clone().unwrap_or_default();
        let is_within = |at: i64| {
            scope.start_time.is_none_or(|start| micros(Some(start)) <= at)
                && scope.end_time.is_none_or(|end| at < micros(Some(end)))
        };
        let gap = i64::from(request.gap_days) * DAY;
        let mut found = Ways::new();
        for (group, answers) in self.scored(1, request.scope.as_ref(), &request.group_by) {
            let mut paths: BTreeMap<Vec<String>, [u64; 3]> = BTreeMap::new();
            let mut unfinished = 0;
            let mut is_counted = answers.iter().any(|answer| is_within(answer.at));
            for customer in customers(&answers) {
                let own = answers.iter().filter(|answer| answer.response.customer_id == customer);
                let own: Vec<_> = own.filter(|answer| !answer.response.journey_stage.is_empty()).collect();
                let mut starts = Vec::new();
                for (index, answer) in own.iter().enumerate() {
                    let stage = |index: usize| &own[index].response.journey_stage;
                    let begins = match starts.last() {
                        None => true,
                        Some(start) => answer.at - own[index - 1].at >= gap || stage(*start) == stage(index),
                    };
                    starts.extend(begins.then_some(index));
                }
                for (index, start) in starts.iter().enumerate() {
                    let journey = &own[*start..starts.get(index + 1).copied().unwrap_or(own.len())];
                    let last = journey.last().expect("an answer");
                    if !is_within(journey[0].at) {
                        continue;
                    }
                    is_counted = true;
                    let mut path: Vec<String> = Vec::new();
                    for answer in journey {
                        let stage = &answer.response.journey_stage;
                        if !path.contains(stage) {
                            path.push(stage.clone());
                        }
                    }
                    paths.entry(path).or_default()[rank(last.score)] += 1;
                    unfinished += u64::from(index + 1 == starts.len() && last.at + gap > NOW);
                }
            }
            if is_counted {
                found.insert(group, (paths, unfinished));
            }
        }
        found
    }
}

/// By group: by path the last answers, and how many may go on.
pub(in super::super) type Ways = BTreeMap<Group, (BTreeMap<Vec<String>, [u64; 3]>, u64)>;

pub(in super::super) fn journeys_of(journeys: &[Journeys]) -> Ways {
    let of_group = |of: &Journeys| {
        let paths = of.paths.iter().map(|path| {
            let tally = &path.last;
            (path.stages.clone(), [tally.detractors(), tally.passives(), tally.promoters()].map(|pile| pile.answers()))
        });
        (sorted(&of.group), (paths.collect(), of.unfinished))
    };
    journeys.iter().map(of_group).collect()
}

fn stood(answer: &Scored<'_>) -> Stood {
    let score = u8::try_from(answer.score).expect("a score");
    Stood { category: category(answer.score), score, at: answer.at, number: answer.number }
}

fn customers(answers: &[Scored<'_>]) -> BTreeSet<String> {
    let all = answers.iter().map(|answer| answer.response.customer_id.clone());
    all.filter(|customer| !customer.is_empty()).collect()
}
