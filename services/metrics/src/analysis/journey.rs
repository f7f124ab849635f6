//! Journeys: NPS by stage, by path, and of journeys as a whole.

use std::cmp::Reverse;

use barometer_chassis::{clock::Micros, door::Door, error::Error};
use barometer_proto::metrics::v1 as wire;
use barometer_statistics::Level;
use rustc_hash::FxHashMap;

use super::{
    MAX_GROUP_BY,
    answered::{Answered, answers, apart, category, of_each, reads},
    parse_level,
    scope::Scope,
};
use crate::{
    columns::{Facts, dictionary::EMPTY, times::EVER},
    fold::Source,
    query::{MAX_ROWS, Name, Table, Vocabulary, Zones, cut::Cutter, parse_group_by},
    rules::{nps::NpsTally, scale::Scale, weight::Weight},
};

const MAX_DAYS: i32 = 3_650;
const USUAL_DAYS: i64 = 30;
const MAX_LENGTH: i32 = 20;
const USUAL_LENGTH: usize = 5;
const MAX_PATHS: i32 = 200;
const USUAL_PATHS: usize = 20;
const MAX_GROUPS: usize = 500;

/// What is asked, checked.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) scope: Scope,
    /// In microseconds.
    gap: i64,
    max_length: usize,
    max_paths: usize,
    group_by: Vec<String>,
    pub(crate) level: Level,
    /// Nothing is told of fewer answers.
    pub(crate) minimum_sample: u64,
}

/// The journeys of a group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Journeys {
    pub(crate) group: Name,
    pub(crate) stages: Vec<Stage>,
    pub(crate) paths: Vec<Path>,
    pub(crate) other: Option<Path>,
    pub(crate) whole: NpsTally,
    pub(crate) unfinished: u64,
}

/// A stage, and how journeys go on from it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) answers: NpsTally,
    pub(crate) reached: u64,
    pub(crate) began: u64,
    pub(crate) ended: u64,
    /// By the next stage, most first.
    pub(crate) next: Vec<(String, u64)>,
}

/// Journeys on a path, by their last answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    pub(crate) stages: Vec<String>,
    pub(crate) last: NpsTally,
}

/// Parses a request, which is asked now.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn parse(
    request: wire::QueryJourneysRequest,
    vocabulary: &Vocabulary,
    zones: &Zones,
    minimum_sample: u64,
) -> Result<Ask, Error> {
    Door::open(|door| {
        let wire::QueryJourneysRequest { scope, gap_days, max_length, max_paths, group_by, level } = request;
        for (field, given, most) in [
            ("gap_days", gap_days, MAX_DAYS),
            ("max_length", max_length, MAX_LENGTH),
            ("max_paths", max_paths, MAX_PATHS),
        ] {
            if !(0..=most).contains(&given) {
                door.refuse(field, "OUT_OF_RANGE", format!("must be from 0 to {most}"));
            }
        }
        let or_usual = |given: i32, usual| usize::try_from(given).ok().filter(|given| *given > 0).unwrap_or(usual);
        let (max_length, max_paths) = (or_usual(max_length, USUAL_LENGTH), or_usual(max_paths, USUAL_PATHS));
        let gap = Some(i64::from(gap_days)).filter(|days| *days > 0).unwrap_or(USUAL_DAYS) * Micros::DAY;
        let of = (Table::Responses, "nps");
        let group_by = parse_group_by(door, group_by, MAX_GROUP_BY, &[of], vocabulary);
        let level = parse_level(door, level);
        let scope = Scope::parse(door, scope, of, vocabulary, zones);
        scope.map(|scope| {
            let group_by = apart(group_by, &scope.filters);
            Ask { scope, gap, max_length, max_paths, group_by, level, minimum_sample }
        })
    })?
    .ok_or_else(|| Error::Internal("there is no reporting zone".to_owned()))
}

impl Ask {
    /// Whether it is made of facts of a source.
    pub(crate) fn reads(&self, source: Source) -> bool {
        reads(source)
    }

    /// Follows the journeys.
    ///
    /// Errors: INVALID when there are too many groups or rows.
    pub(crate) fn run(&self, facts: &Facts) -> Result<Vec<Journeys>, Error> {
        let Scope { filters, now, .. } = &self.scope;
        let mut cutter = Cutter::new(facts, Table::Responses, filters, &self.group_by, MAX_GROUPS);
        let all = answers(facts, Scale::Nps, &(EVER..*now), &mut cutter)?;
        let within = self.scope.range(EVER);
        let mut groups = vec![Tally::default(); cutter.groups()];
        for answer in all.iter().filter(|answer| within.contains(&answer.at)) {
            if let Some(tally) = groups.get_mut(answer.group as usize) {
                let stage = tally.stages.entry(stage_of(facts, answer)).or_default();
                stage.answers.add(category(facts, answer.row), Weight::ONE);
            }
        }
        for of_one in of_each(&all) {
            let Some(tally) = groups.get_mut(of_one[0].group as usize) else { continue };
            let journeys = self.journeys(facts, of_one);
            for (index, journey) in journeys.iter().enumerate().filter(|(_, of)| within.contains(&of.began)) {
                // Where another has begun, this one is over.
                let is_last = index + 1 == journeys.len();
                let may_go_on = is_last && journey.last.at.saturating_add(self.gap) > *now;
                tally.add(facts, journey, self.max_length, may_go_on);
            }
        }
        let mut told: Vec<Journeys> = (0..)
            .zip(groups)
            .filter(|(_, tally)| !tally.stages.is_empty() || !tally.paths.is_empty())
            .map(|(group, tally)| tally.told(cutter.name(group), facts, self.max_paths))
            .collect();
        told.sort_unstable_by(|a, b| a.group.cmp(&b.group));
        let rows = told.iter().map(|of| of.paths.len() + of.stages.iter().map(|of| 1 + of.next.len()).sum::<usize>());
        if rows.sum::<usize>() > MAX_ROWS {
            let told = format!("the answer has more than {MAX_ROWS} rows: ask for fewer groups");
            return Err(Error::invalid("group_by", "TOO_MANY", told));
        }
        Ok(told)
    }

    /// The journeys of a customer's answers in a group.
    fn journeys(&self, facts: &Facts, of_one: &[Answered]) -> Vec<Journey> {
        let mut journeys: Vec<Journey> = Vec::new();
        for answer in of_one {
            let stage = stage_of(facts, answer);
            if stage == EMPTY {
                continue;
            }
            let goes_on = |journey: &&mut Journey| {
                journey.path.first() != Some(&stage) && answer.at < journey.last.at.saturating_add(self.gap)
            };
            match journeys.last_mut().filter(goes_on) {
                Some(journey) => {
                    journey.last = *answer;
                    if !journey.path.contains(&stage) {
                        journey.path.push(stage);
                    }
                }
                None => journeys.push(Journey { path: vec![stage], began: answer.at, last: *answer }),
            }
        }
        journeys
    }
}

/// One journey: stages by their codes, in the order in which they were first reached.
struct Journey {
    path: Vec<u32>,
    began: i64,
    last: Answered,
}

fn stage_of(facts: &Facts, answer: &Answered) -> u32 {
    facts.responses.journey_stage.codes().get(answer.row as usize).copied().unwrap_or(EMPTY)
}

/// The journeys of a group, counted.
#[derive(Clone, Debug, Default)]
struct Tally {
    stages: FxHashMap<u32, OfStage>,
    paths: FxHashMap<Vec<u32>, NpsTally>,
    /// Of paths that are too long.
    long: NpsTally,
    whole: NpsTally,
    unfinished: u64,
}

#[derive(Clone, Debug, Default)]
struct OfStage {
    answers: NpsTally,
    reached: u64,
    began: u64,
    /// Of the journeys that reached it, the number of the step with which they did, added up.
    steps: u64,
    next: FxHashMap<u32, u64>,
}

impl Tally {
    fn add(&mut self, facts: &Facts, journey: &Journey, max_length: usize, may_go_on: bool) {
        let last = category(facts, journey.last.row);
        for (step, stage) in (0..).zip(&journey.path) {
            let of_stage = self.stages.entry(*stage).or_default();
            of_stage.reached += 1;
            of_stage.began += u64::from(step == 0);
            of_stage.steps += step;
        }
        for pair in journey.path.windows(2) {
            *self.stages.entry(pair[0]).or_default().next.entry(pair[1]).or_default() += 1;
        }
        self.whole.add(last, Weight::ONE);
        self.unfinished += u64::from(may_go_on);
        if journey.path.len() > max_length {
            self.long.add(last, Weight::ONE);
        } else if let Some(tally) = self.paths.get_mut(&journey.path) {
            tally.add(last, Weight::ONE);
        } else {
            self.paths.entry(journey.path.clone()).or_default().add(last, Weight::ONE);
        }
    }

    fn told(self, group: Name, facts: &Facts, max_paths: usize) -> Journeys {
        let dictionary = &facts.responses.journey_stage.dictionary;
        let name = |code: u32| dictionary.text(code).to_owned();
        let Tally { stages, paths, mut long, whole, unfinished } = self;
        let mut paths: Vec<Path> = paths
            .into_iter()
            .map(|(stages, last)| Path { stages: stages.into_iter().map(name).collect(), last })
            .collect();
        paths.sort_unstable_by(|a, b| {
            let most_first = |path: &Path| Reverse(path.last.total().answers());
            most_first(a).cmp(&most_first(b)).then_with(|| a.stages.cmp(&b.stages))
        });
        let told = paths.len().min(max_paths);
        paths.drain(told..).for_each(|path| long.merge(&path.last));
        let other = (long.total().answers() > 0).then(|| Path { stages: Vec::new(), last: long });

        let mut stages: Vec<(u32, OfStage)> = stages.into_iter().collect();
        stages.sort_unstable_by(|(a, of_a), (b, of_b)| {
            let is_last = |code: u32, of: &OfStage| (code == EMPTY, of.reached == 0);
            // Mean steps, without dividing.
            let (step_a, step_b) = (u128::from(of_a.steps), u128::from(of_b.steps));
            let mean = (step_a * u128::from(of_b.reached)).cmp(&(step_b * u128::from(of_a.reached)));
            let by_name = || dictionary.text(*a).cmp(dictionary.text(*b));
            is_last(*a, of_a).cmp(&is_last(*b, of_b)).then(mean).then_with(by_name)
        });
        let stages = stages.into_iter().map(|(code, of)| {
            let OfStage { answers, reached, began, steps: _, next } = of;
            let mut next: Vec<(String, u64)> = next.into_iter().map(|(code, count)| (name(code), count)).collect();
            next.sort_unstable_by(|(a, many), (b, other)| other.cmp(many).then_with(|| a.cmp(b)));
            let ended = reached - next.iter().map(|(_, count)| count).sum::<u64>();
            Stage { name: name(code), answers, reached, began, ended, next }
        });
        Journeys { group, stages: stages.collect(), paths, other, whole, unfinished }
    }
}
