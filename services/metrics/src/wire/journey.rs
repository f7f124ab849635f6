//! Journeys as messages.

use barometer_proto::metrics::v1 as wire;
use barometer_statistics::{Level, score::ScoreMethod};

use super::{limits_of, transition::count};
use crate::{
    analysis::journey::{Journeys, Path, Stage},
    rules::nps::NpsTally,
};

/// Journeys; nothing is told of fewer answers than `minimum_sample`.
pub(crate) fn journeys(
    journeys: Vec<Journeys>,
    level: Level,
    minimum_sample: u64,
    freshness: Vec<wire::Freshness>,
) -> wire::QueryJourneysResponse {
    let telling = Telling { level, minimum_sample };
    wire::QueryJourneysResponse { journeys: journeys.into_iter().map(|of| telling.journeys(of)).collect(), freshness }
}

/// How figures are told.
#[derive(Clone, Copy)]
struct Telling {
    level: Level,
    minimum_sample: u64,
}

impl Telling {
    fn journeys(self, of: Journeys) -> wire::Journeys {
        let Journeys { group, stages, paths, other, whole, unfinished } = of;
        wire::Journeys {
            group: group.into_iter().collect(),
            stages: stages.into_iter().map(|stage| self.stage(stage)).collect(),
            paths: paths.into_iter().map(|path| self.path(path)).collect(),
            other: other.map(|other| self.path(other)),
            whole: Some(self.score(&whole)),
            unfinished: if self.is_few(whole.total().answers()) { 0 } else { count(unfinished) },
        }
    }

    fn stage(self, of: Stage) -> wire::JourneyStage {
        let Stage { name, answers, reached, began, ended, next } = of;
        let named = wire::JourneyStage { stage: name, score: Some(self.score(&answers)), ..Default::default() };
        if self.is_few(reached) {
            return named;
        }
        let next = next.into_iter().map(|(stage, journeys)| wire::NextStage { stage, journeys: count(journeys) });
        wire::JourneyStage {
            reached: count(reached),
            began: count(began),
            ended: count(ended),
            next: next.collect(),
            ..named
        }
    }

    fn path(self, of: Path) -> wire::JourneyPath {
        let Path { stages, last } = of;
        let journeys = last.total().answers();
        let journeys = if self.is_few(journeys) { 0 } else { count(journeys) };
        wire::JourneyPath { stages, journeys, score: Some(self.score(&last)) }
    }

    fn score(self, tally: &NpsTally) -> wire::JourneyScore {
        let answers = tally.total().answers();
        if answers > 0 && self.is_few(answers) {
            return wire::JourneyScore { suppressed: true, ..Default::default() };
        }
        let interval = tally.interval(ScoreMethod::Score, self.level);
        wire::JourneyScore {
            nps: tally.nps(),
            interval: interval.map(|interval| limits_of(interval, self.level)),
            promoters: count(tally.promoters().answers()),
            passives: count(tally.passives().answers()),
            detractors: count(tally.detractors().answers()),
            suppressed: false,
        }
    }

    fn is_few(self, answers: u64) -> bool {
        answers < self.minimum_sample
    }
}
