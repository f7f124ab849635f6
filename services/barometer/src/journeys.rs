//! `barometer journeys`: NPS along the journey.

mod csv;
mod json;
mod table;

use barometer_proto::metrics::v1::QueryJourneysRequest;
use clap::Args;

use crate::failure::Failure;
use crate::output;
use crate::query::Format;
use crate::scope::{ScopeArgs, dimensions, flag_of};
use crate::suite::Suite;

/// Show NPS along the journey: of each stage, of each path, and of journeys as a whole
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct JourneysArgs {
    /// Days without an answer after which a journey has ended, 1 to 3,650; 30 when absent
    #[arg(long, default_value = "0", hide_default_value = true, value_name = "DAYS")]
    gap_days: i32,

    /// Paths of more stages than this are shown together, 1 to 20; 5 when absent
    #[arg(long, default_value = "0", hide_default_value = true, value_name = "STAGES")]
    max_length: i32,

    /// So many paths are shown, and the others together, 1 to 200; 20 when absent
    #[arg(long, default_value = "0", hide_default_value = true, value_name = "NUMBER")]
    max_paths: i32,

    /// Dimensions to group by, at most 2: a journey is one of answers of one group
    #[arg(long, value_name = "DIMENSION,…", value_delimiter = ',')]
    by: Vec<String>,

    /// Level of the intervals
    #[arg(long, default_value = "0.95", value_name = "SHARE")]
    level: f64,

    #[command(flatten)]
    scope: ScopeArgs,
}

const EXAMPLES: &str = "\
Examples:
  barometer journeys
  barometer journeys --gap-days 60 --from 2024 --to 2025
  barometer journeys --by survey --max-paths 10
  barometer journeys --format csv > journeys.csv";

impl JourneysArgs {
    /// Asks and shows the answer.
    ///
    /// # Errors
    /// When the flags are wrong, the suite does not answer, or nothing can be printed.
    pub async fn run(self) -> Result<(), Failure> {
        let suite = Suite::new(&self.scope.endpoint)?;
        let scope = self.scope.scope(&suite).await?;
        let zone = scope.time_zone.clone();
        let request = QueryJourneysRequest { scope: Some(scope), ..self.to_request() };
        let answer = suite.journeys(&request, |field| flag_of(field, &FLAGS)).await?;
        let by = dimensions(answer.journeys.iter().map(|journeys| &journeys.group), &self.by);
        output::print(|out| match self.scope.format {
            Format::Json => json::write(&answer, out),
            Format::Csv => csv::write(&answer, &by, out),
            Format::Table => table::write(&answer, &by, &zone, out),
        })
    }

    fn to_request(&self) -> QueryJourneysRequest {
        QueryJourneysRequest {
            scope: None,
            gap_days: self.gap_days,
            max_length: self.max_length,
            max_paths: self.max_paths,
            group_by: self.by.clone(),
            level: self.level,
        }
    }
}

/// The flags behind the fields of the request.
const FLAGS: [(&str, &str); 5] = [
    ("gap_days", "--gap-days"),
    ("max_length", "--max-length"),
    ("max_paths", "--max-paths"),
    ("group_by", "--by"),
    ("level", "--level"),
];

#[cfg(test)]
mod tests {
    use barometer_proto::metrics::v1::{
        Interval, JourneyPath, JourneyScore, JourneyStage, Journeys, NextStage, QueryJourneysResponse,
    };
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        journeys: JourneysArgs,
    }

    fn score(promoters: i64, passives: i64, detractors: i64) -> Option<JourneyScore> {
        let answers = promoters + passives + detractors;
        let nps = (answers > 0).then(|| 100.0 * (promoters - detractors) as f64 / answers as f64);
        let interval = nps.map(|nps| Interval { low: nps - 20.0, high: nps + 20.0, level: 0.95 });
        Some(JourneyScore { nps, interval, promoters, passives, detractors, suppressed: false })
    }

    /// Two stages, two paths, and others of which nothing is told.
    pub(super) fn answer() -> QueryJourneysResponse {
        let stage = |stage: &str, score, reached, began, ended, next: &[(&str, i64)]| {
            let next =
                next.iter().map(|(stage, journeys)| NextStage { stage: (*stage).to_owned(), journeys: *journeys });
            JourneyStage { stage: stage.to_owned(), score, reached, began, ended, next: next.collect() }
        };
        let path = |stages: &[&str], score: Option<JourneyScore>, journeys| JourneyPath {
            stages: stages.iter().map(|stage| (*stage).to_owned()).collect(),
            journeys,
            score,
        };
        let few = Some(JourneyScore { suppressed: true, ..Default::default() });
        let journeys = Journeys {
            group: [("survey_type".to_owned(), "transactional".to_owned())].into(),
            stages: vec![
                stage("delivery", score(6, 2, 2), 1_010, 1_000, 606, &[("support", 404)]),
                stage("support", score(1, 1, 2), 404, 0, 404, &[]),
                stage("", score(1, 0, 0), 0, 0, 0, &[]),
            ],
            paths: vec![path(&["delivery"], score(5, 3, 2), 10), path(&["delivery", "support"], score(1, 1, 2), 4)],
            other: Some(path(&[], few, 0)),
            whole: score(6, 4, 4),
            unfinished: 3,
        };
        QueryJourneysResponse { journeys: vec![journeys], freshness: Vec::new() }
    }

    #[test]
    fn flags_become_a_request() {
        let line = "x --gap-days 45 --max-length 3 --max-paths 7 --by survey --level 0.9";
        let args = Cli::try_parse_from(line.split(' ')).expect("good flags").journeys;
        let QueryJourneysRequest { gap_days, max_length, max_paths, group_by, level, .. } = args.to_request();
        assert_eq!((gap_days, max_length, max_paths, group_by.len(), level), (45, 3, 7, 1, 0.9));
        assert_eq!(flag_of("max_paths", &FLAGS), "--max-paths");
    }
}
