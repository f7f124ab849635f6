//! Journeys for people: stages, paths, and the whole.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{JourneyScore, JourneyStage, Journeys, QueryJourneysResponse};

use crate::decimal::rounded;
use crate::output::{Align, Table};
use crate::query::table::{dim, footer, trimmed};
use crate::scope::shown;

/// Writes the answer.
pub(super) fn write(answer: &QueryJourneysResponse, by: &[String], zone: &str, out: &mut dyn Write) -> io::Result<()> {
    if answer.journeys.is_empty() {
        writeln!(out, "no answers\n")?;
    }
    for journeys in &answer.journeys {
        writeln!(out, "{}\n", shown(&journeys.group, by).join(", "))?;
        stages(&journeys.stages).write(out)?;
        writeln!(out)?;
        paths(journeys).write(out)?;
        if journeys.unfinished > 0 {
            writeln!(out, "{}", dim(&format!("{} journeys may go on", trimmed(journeys.unfinished as f64))))?;
        }
        writeln!(out)?;
    }
    for line in footer(&answer.freshness, zone) {
        writeln!(out, "{}", dim(&line))?;
    }
    Ok(())
}

fn stages(stages: &[JourneyStage]) -> Table {
    let mut table = Table::default();
    table.column("stage", Align::Left);
    for title in ["NPS", "interval", "answers", "journeys", "began", "ended"] {
        table.column(title, Align::Right);
    }
    table.column("went on to", Align::Left);
    for stage in stages {
        let name = if stage.stage.is_empty() { "(none)" } else { &stage.stage };
        let mut cells = vec![name.to_owned()];
        cells.extend(score(stage.score.as_ref()));
        cells.extend([stage.reached, stage.began, stage.ended].map(|count| trimmed(count as f64)));
        let next = stage.next.iter().map(|next| {
            let share = 100.0 * next.journeys as f64 / stage.reached as f64;
            format!("{} {} %", next.stage, rounded(share, 1))
        });
        cells.push(next.collect::<Vec<_>>().join(", "));
        table.row(cells);
    }
    table
}

fn paths(journeys: &Journeys) -> Table {
    let mut table = Table::default();
    table.column("path", Align::Left);
    for title in ["NPS", "interval", "journeys"] {
        table.column(title, Align::Right);
    }
    let paths = journeys.paths.iter().map(|path| (path.stages.join(" → "), path.score.as_ref()));
    let other = journeys.other.iter().map(|other| ("others".to_owned(), other.score.as_ref()));
    for (name, of_path) in paths.chain(other).chain([("all journeys".to_owned(), journeys.whole.as_ref())]) {
        table.row(std::iter::once(name).chain(score(of_path)).collect());
    }
    table
}

/// The score, its interval and the number of answers.
fn score(score: Option<&JourneyScore>) -> [String; 3] {
    let none = || "—".to_owned();
    let Some(score) = score.filter(|score| !score.suppressed) else {
        return ["too few".to_owned(), String::new(), String::new()];
    };
    let interval = score.interval.as_ref();
    [
        score.nps.map_or_else(none, |nps| rounded(nps, 1)),
        interval.map_or_else(String::new, |of| format!("{} to {}", rounded(of.low, 1), rounded(of.high, 1))),
        trimmed((score.promoters + score.passives + score.detractors) as f64),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journeys::tests::answer;

    #[test]
    fn stages_come_before_paths() {
        let mut out = Vec::new();
        write(&answer(), &["survey_type".to_owned()], "", &mut out).expect("a vector takes everything");
        let found = String::from_utf8(out).expect("text");
        let expected = "\
transactional

stage       NPS        interval  answers  journeys  began  ended  went on to
delivery   40.0    20.0 to 60.0       10     1,010  1,000    606  support 40.0 %
support   -25.0   -45.0 to -5.0        4       404      0    404
(none)    100.0   80.0 to 120.0        1         0      0      0

path                    NPS       interval  journeys
delivery               30.0   10.0 to 50.0        10
delivery → support    -25.0  -45.0 to -5.0         4
others              too few
all journeys           14.3   -5.7 to 34.3        14
3 journeys may go on

not complete yet: the first facts are still being read
";
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&found), squeezed(expected), "\n{found}");
    }
}
