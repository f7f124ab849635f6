//! Cohorts for people: a heat table.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{Cohort, QueryRetentionResponse, RetentionCell};

use crate::decimal::rounded;
use crate::output::one_line;
use crate::query::table::{dim, footer};
use crate::scope::shown;

/// How the share of a cell is shown beside its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heat {
    /// By the colour behind it, of 256.
    Colours,
    /// By a character after it.
    Shades,
}

/// From few to many: colours behind black, then behind white letters.
const COLOURS: [u8; 8] = [194, 157, 120, 84, 77, 35, 29, 22];
const BLACK_UP_TO: usize = 5;
const SHADES: [char; 4] = ['░', '▒', '▓', '█'];
/// Of what is not over yet.
const UNFINISHED: char = '~';

/// Writes the table: groups one below the other, each with its average.
pub(super) fn write(
    answer: &QueryRetentionResponse,
    title: &str,
    by: &[String],
    zone: &str,
    heat: Heat,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{title}\n")?;
    let lines = lines(answer, by);
    if lines.is_empty() {
        writeln!(out, "no customers")?;
    } else {
        table(&lines, by, most(answer), heat, out)?;
    }
    writeln!(out)?;
    let cells = || answer.cohorts.iter().flat_map(|cohort| &cohort.cells);
    if cells().any(|cell| cell.unfinished > 0) {
        writeln!(out, "{}", dim("~ not over yet: it may still rise, and is in no average"))?;
    }
    if cells().any(|cell| cell.suppressed) {
        writeln!(out, "{}", dim("· of too few customers to tell"))?;
    }
    for line in footer(&answer.freshness, zone) {
        writeln!(out, "{}", dim(&line))?;
    }
    Ok(())
}

/// A line: its group, its name, and the cohort.
type Line<'a> = (Vec<String>, String, &'a Cohort);

fn lines<'a>(answer: &'a QueryRetentionResponse, by: &[String]) -> Vec<Line<'a>> {
    let name = |label: &str| if label.is_empty() { "all".to_owned() } else { label.to_owned() };
    let line = |cohort: &'a Cohort, name: String| (shown(&cohort.group, by), name, cohort);
    let mut lines: Vec<Line<'a>> = Vec::new();
    for of_group in answer.cohorts.chunk_by(|a, b| a.group == b.group) {
        lines.extend(of_group.iter().map(|cohort| line(cohort, name(&cohort.label))));
        let average = answer.averages.iter().find(|average| average.group == of_group[0].group);
        // Of one cohort it would be the same again.
        lines.extend(average.filter(|_| of_group.len() > 1).map(|cohort| line(cohort, "average".to_owned())));
    }
    lines
}

/// The highest share of those who came again: where they begin all are there, which would leave no room for the rest.
fn most(answer: &QueryRetentionResponse) -> f64 {
    let later = answer.cohorts.iter().flat_map(|cohort| &cohort.cells).filter(|cell| cell.start > 0);
    let most = later.filter_map(|cell| cell.percent).fold(0.0, f64::max);
    if most > 0.0 { most } else { 100.0 }
}

fn table(lines: &[Line<'_>], by: &[String], most: f64, heat: Heat, out: &mut dyn Write) -> io::Result<()> {
    let columns = lines.first().map_or(&[][..], |(_, _, cohort)| &cohort.cells);
    let titles: Vec<String> = by.iter().cloned().chain(["cohort".to_owned()]).collect();
    let texts = |(group, name, _): &Line<'_>| -> Vec<String> {
        group.iter().chain([name]).map(|text| one_line(text)).collect()
    };
    let width = |index: usize| {
        let cells = lines.iter().map(|line| texts(line)[index].chars().count());
        cells.chain([titles[index].chars().count()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let left = |texts: &[String]| -> String {
        texts.iter().zip(&widths).map(|(text, width)| format!("{text:<width$}  ")).collect()
    };
    let heads: Vec<String> = columns.iter().map(head).collect();
    let column = heads.iter().map(|head| head.chars().count() + 2).max().unwrap_or_default().max(8);
    let head: String = heads.iter().map(|head| format!("{head:>column$} ", column = column - 1)).collect();
    writeln!(out, "{}", format!("{}{:>9}{head}", left(&titles), "customers").trim_end())?;
    for line in lines {
        let (_, _, cohort) = line;
        let customers = if cohort.suppressed { "·".to_owned() } else { grouped(cohort.customers) };
        let cells: String = cohort.cells.iter().map(|cell| shade(cell, most, heat, column)).collect();
        writeln!(out, "{}", format!("{}{customers:>9}{cells}", left(&texts(line))).trim_end())?;
    }
    Ok(())
}

/// The periods of a column.
fn head(cell: &RetentionCell) -> String {
    if cell.end == cell.start + 1 { cell.start.to_string() } else { format!("{}–{}", cell.start, cell.end - 1) }
}

/// A cell of this width, with a blank on its left.
fn shade(cell: &RetentionCell, most: f64, heat: Heat, width: usize) -> String {
    let mark = if cell.unfinished > 0 { UNFINISHED } else { ' ' };
    let text = match cell.percent {
        _ if cell.suppressed => "· ".to_owned(),
        // Nothing to tell of: it runs, or has not even begun.
        Some(_) if cell.retained == 0 && cell.unfinished == cell.customers => UNFINISHED.to_string(),
        Some(percent) => format!("{}{mark}", rounded(percent, 1)),
        None => String::new(),
    };
    let share = (cell.percent.unwrap_or_default() / most).min(1.0);
    match heat {
        Heat::Colours if cell.percent.is_some_and(|percent| percent > 0.0) => {
            let step = step(share, COLOURS.len());
            let letters = if step < BLACK_UP_TO { 16 } else { 231 };
            let colour = COLOURS[step];
            format!(" \x1b[48;5;{colour};38;5;{letters}m{text:>width$}\x1b[0m", width = width - 1)
        }
        Heat::Colours => format!("{text:>width$}"),
        Heat::Shades => {
            let shade = if share > 0.0 { SHADES[step(share, SHADES.len())] } else { ' ' };
            format!("{text:>width$}{shade}", width = width - 1)
        }
    }
}

/// Which of so many steps of equal height a share above 0 reaches into.
fn step(share: f64, steps: usize) -> usize {
    (1..steps).filter(|step| share > *step as f64 / steps as f64).count()
}

fn grouped(count: i64) -> String {
    rounded(count as f64, 2).trim_end_matches(".00").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cohorts::tests::answer;

    fn written(heat: Heat) -> String {
        let mut out = Vec::new();
        let by = ["channel".to_owned()];
        write(&answer(), "Customers", &by, "", heat, &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn shares_are_shaded() {
        let expected = "\
Customers

channel  cohort   customers      0       1       2
web      2009-12        955 100.0 █  35.3 █  12.6~▒
web      2010-01          ·     ·       ·       ·
web      average        957 100.0 █  35.3 █

~ not over yet: it may still rise, and is in no average
· of too few customers to tell
not complete yet: the first facts are still being read
";
        let found = written(Heat::Shades);
        assert_eq!(found, expected, "\n{found}");
    }

    #[test]
    fn or_coloured() {
        let found = written(Heat::Colours);
        assert!(found.contains("\x1b[48;5;22;38;5;231m  35.3 \x1b[0m"), "{found:?}");
        assert!(found.contains("\x1b[48;5;120;38;5;16m  12.6~\x1b[0m"), "{found:?}");
    }

    #[test]
    fn what_can_not_be_told_yet_is_no_number() {
        let cell = |retained, unfinished| RetentionCell {
            customers: 9,
            retained,
            unfinished,
            percent: Some(0.0),
            ..RetentionCell::default()
        };
        let shown = |cell| shade(&cell, 50.0, Heat::Shades, 8).trim().to_owned();
        assert!(shown(cell(0, 9)).starts_with('~'), "{:?}", shown(cell(0, 9)));
        assert!(shown(cell(1, 9)).starts_with("0.0~") && shown(cell(0, 8)).starts_with("0.0~"));
        assert!(shown(cell(0, 0)).starts_with("0.0"));
    }

    #[test]
    fn every_share_has_its_step() {
        assert_eq!([0.01, 0.25, 0.26, 0.5, 0.75, 0.76, 1.0].map(|share| step(share, 4)), [0, 0, 1, 1, 2, 3, 3]);
    }
}
