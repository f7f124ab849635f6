//! Journeys for spreadsheets: a line for each stage, for each path, and for the whole.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{JourneyScore, Journeys, QueryJourneysResponse};

use crate::query::number;
use crate::scope::values;

const COLUMNS: [&str; 14] = [
    "of",
    "name",
    "nps",
    "low",
    "high",
    "level",
    "promoters",
    "passives",
    "detractors",
    "journeys",
    "began",
    "ended",
    "went_on",
    "suppressed",
];

/// Writes the answer. The name of a path is its stages with `>` between them.
pub(super) fn write(answer: &QueryJourneysResponse, by: &[String], out: &mut dyn Write) -> io::Result<()> {
    let mut csv = ::csv::Writer::from_writer(out);
    csv.write_record(by.iter().map(String::as_str).chain(COLUMNS))?;
    for journeys in &answer.journeys {
        for (of, name, score, counts) in lines(journeys) {
            let text = |number: Option<f64>| number.map(number::text).unwrap_or_default();
            let score = score.cloned().unwrap_or_default();
            let interval = score.interval.as_ref();
            let mut line = values(&journeys.group, by);
            line.extend([of.to_owned(), name]);
            line.push(text(score.nps));
            line.extend([interval.map(|i| i.low), interval.map(|i| i.high), interval.map(|i| i.level)].map(text));
            line.extend([score.promoters, score.passives, score.detractors].map(|count| count.to_string()));
            line.extend(counts.map(|count| count.map(|count| count.to_string()).unwrap_or_default()));
            line.push(score.suppressed.to_string());
            csv.write_record(line)?;
        }
    }
    csv.flush()
}

/// What it is of, its name, its score; journeys, and of stages those that began, ended and went on.
type Line<'a> = (&'static str, String, Option<&'a JourneyScore>, [Option<i64>; 4]);

fn lines(of: &Journeys) -> Vec<Line<'_>> {
    let stages = of.stages.iter().map(|stage| {
        let went_on = stage.next.iter().map(|next| next.journeys).sum();
        let counts = [stage.reached, stage.began, stage.ended, went_on].map(Some);
        ("stage", stage.stage.clone(), stage.score.as_ref(), counts)
    });
    let only = |journeys: i64| [Some(journeys), None, None, None];
    let paths = of.paths.iter().map(|path| ("path", path.stages.join(">"), path.score.as_ref(), only(path.journeys)));
    let other = of.other.iter().map(|other| ("other", String::new(), other.score.as_ref(), only(other.journeys)));
    let whole = of
        .whole
        .iter()
        .map(|whole| ("whole", String::new(), Some(whole), only(whole.promoters + whole.passives + whole.detractors)));
    stages.chain(paths).chain(other).chain(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journeys::tests::answer;

    #[test]
    fn everything_is_a_line() {
        let mut out = Vec::new();
        write(&answer(), &["survey_type".to_owned()], &mut out).expect("a vector takes everything");
        let lines = [
            "survey_type,of,name,nps,low,high,level,promoters,passives,detractors,journeys,began,ended,went_on,suppressed",
            "transactional,stage,delivery,40,20,60,0.95,6,2,2,1010,1000,606,404,false",
            "transactional,stage,support,-25,-45,-5,0.95,1,1,2,404,0,404,0,false",
            "transactional,stage,,100,80,120,0.95,1,0,0,0,0,0,0,false",
            "transactional,path,delivery,30,10,50,0.95,5,3,2,10,,,,false",
            "transactional,path,delivery>support,-25,-45,-5,0.95,1,1,2,4,,,,false",
            "transactional,other,,,,,,0,0,0,0,,,,true",
        ];
        let text = String::from_utf8_lossy(&out);
        assert_eq!(text.lines().take(7).collect::<Vec<_>>(), lines);
        assert!(text.lines().nth(7).is_some_and(|line| line.starts_with("transactional,whole,,14.28")), "{text}");
    }
}
