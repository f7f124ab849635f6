//! Survival curves drawn with characters.

use barometer_proto::metrics::v1::{SurvivalCurve, SurvivalStep};

use crate::decimal::rounded;

/// Columns and rows of the area of the curves.
pub(super) const COLUMNS: usize = 72;
const ROWS: usize = 17;
/// Curves that can be told apart in one plot.
pub(super) const MOST: usize = 6;
/// A curve is named on itself every so many columns.
const NAMED_EVERY: usize = 24;
const COLOURS: [u8; MOST] = [33, 208, 35, 199, 142, 99];
const SHADE: char = '░';

/// A character and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ink {
    character: char,
    of: Option<usize>,
}

const BLANK: Ink = Ink { character: ' ', of: None };

/// The lines of a plot of these curves, at most [`MOST`], with their axes. Several are named by letters; one has its
/// interval behind it.
pub(super) fn draw(curves: &[&SurvivalCurve], colours: bool) -> Vec<String> {
    let until = until(curves);
    let mut area = vec![[BLANK; COLUMNS]; ROWS];
    if let [curve] = curves {
        shade(&mut area, curve, until);
    }
    for (index, curve) in curves.iter().enumerate() {
        line(&mut area, index, curve, until);
    }
    if curves.len() > 1 {
        for (index, curve) in curves.iter().enumerate() {
            name(&mut area, index, curves.len(), curve, until);
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for (row, inks) in area.iter().enumerate() {
        let label = if row % 4 == 0 { format!("{:>4} ┤", 100 - 25 * (row / 4)) } else { "     │".to_owned() };
        lines.push(format!("{label}{}", painted(inks, colours)).trim_end().to_owned());
    }
    lines.push(format!("     └{}", axis()));
    lines.push(scale(until));
    lines
}

/// The letter of a curve.
pub(super) fn letter(index: usize) -> char {
    char::from(b'A'.saturating_add(u8::try_from(index).unwrap_or(u8::MAX)))
}

/// A text in the colour of a curve.
pub(super) fn coloured(text: &str, index: usize, colours: bool) -> String {
    if colours { format!("\x1b[38;5;{}m{text}\x1b[0m", COLOURS[index % MOST]) } else { text.to_owned() }
}

/// Until when the longest of the curves is known.
pub(super) fn until(curves: &[&SurvivalCurve]) -> f64 {
    let until = curves.iter().map(|curve| curve.until_days).fold(0.0, f64::max);
    if until > 0.0 { until } else { 1.0 }
}

/// The step of a curve at a time; none before the first.
pub(super) fn step(curve: &SurvivalCurve, days: f64) -> Option<&SurvivalStep> {
    curve.steps[..curve.steps.partition_point(|step| step.days <= days)].last()
}

/// What is left of a curve at a time, if that is known.
pub(super) fn left(curve: &SurvivalCurve, days: f64) -> Option<f64> {
    let left = step(curve, days).map_or(1.0, |step| step.survival);
    (days <= curve.until_days || left <= 0.0).then_some(left)
}

/// With at most one decimal.
pub(super) fn tenth(days: f64) -> String {
    let text = rounded(days, 1);
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

fn time(column: usize, until: f64) -> f64 {
    until * column as f64 / (COLUMNS - 1) as f64
}

fn row(share: f64) -> usize {
    let distance = |row: &usize| (1.0 - *row as f64 / (ROWS - 1) as f64 - share).abs();
    (0..ROWS).min_by(|one, other| distance(one).total_cmp(&distance(other))).unwrap_or_default()
}

fn shade(area: &mut [[Ink; COLUMNS]], curve: &SurvivalCurve, until: f64) {
    for column in 0..COLUMNS {
        let days = time(column, until);
        let limits = left(curve, days).and_then(|_| step(curve, days)?.interval.as_ref());
        if let Some(limits) = limits {
            for inks in &mut area[row(limits.high)..=row(limits.low)] {
                inks[column] = Ink { character: SHADE, of: None };
            }
        }
    }
}

fn line(area: &mut [[Ink; COLUMNS]], index: usize, curve: &SurvivalCurve, until: f64) {
    let mut before: Option<usize> = None;
    let known = (0..COLUMNS).map_while(|column| left(curve, time(column, until)).map(row));
    for (column, at) in known.enumerate() {
        let from = before.unwrap_or(at);
        let mut put = |row: usize, character: char| area[row][column] = Ink { character, of: Some(index) };
        if from < at {
            put(from, '┐');
            (from + 1..at).for_each(|row| put(row, '│'));
            put(at, '└');
        } else {
            put(at, '─');
        }
        before = Some(at);
    }
}

/// Puts the letter of a curve on it, where those of others are not.
fn name(area: &mut [[Ink; COLUMNS]], index: usize, curves: usize, curve: &SurvivalCurve, until: f64) {
    let first = (index + 1) * NAMED_EVERY / (curves + 1);
    let mut columns: Vec<usize> = (first..COLUMNS).step_by(NAMED_EVERY).collect();
    columns.extend((0..COLUMNS).rev().find(|column| left(curve, time(*column, until)).is_some()));
    for column in columns {
        if let Some(row) = left(curve, time(column, until)).map(row) {
            let ink = &mut area[row][column];
            // Where another lies over it, it is not named.
            if ink.of == Some(index) {
                ink.character = letter(index);
            }
        }
    }
}

fn painted(inks: &[Ink], colours: bool) -> String {
    let mut text = String::new();
    for together in inks.chunk_by(|a, b| a.of == b.of) {
        let characters: String = together.iter().map(|ink| ink.character).collect();
        match together[0].of {
            Some(index) => text.push_str(&coloured(&characters, index, colours)),
            None => text.push_str(&characters),
        }
    }
    text
}

fn axis() -> String {
    (0..COLUMNS).map(|column| if is_tick(column) { '┬' } else { '─' }).collect()
}

/// Four ticks after the beginning, of which the last is the end.
fn ticks() -> [usize; 5] {
    [0, 1, 2, 3, 4].map(|quarter| quarter * (COLUMNS - 1) / 4)
}

fn is_tick(column: usize) -> bool {
    ticks().contains(&column)
}

fn scale(until: f64) -> String {
    let mut line = vec![' '; COLUMNS + 12];
    for (quarter, column) in ticks().into_iter().enumerate() {
        let text = tenth(until * quarter as f64 / 4.0);
        // In the middle below the tick.
        let from = 6 + column - text.chars().count() / 2;
        text.chars().zip(from..).for_each(|(character, place)| line[place] = character);
    }
    line.into_iter().collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survival::tests::curve;

    #[test]
    fn a_curve_falls_where_it_does_with_its_interval() {
        let one = curve("gold", &[(25.0, 0.75), (50.0, 0.5)]);
        let lines = draw(&[&one], false);
        assert_eq!(lines[0].trim_end_matches('░'), " 100 ┤──────────────────┐", "{lines:#?}");
        // On the way down nothing lies behind it before it has fallen.
        assert_eq!(lines[1].trim_end(), "     │                  │", "{lines:#?}");
        // From the 25th day on 75 %, with limits of 65 and 85 %.
        let fourth: Vec<char> = lines[4].chars().collect();
        assert_eq!((fourth[6 + 20], lines[4].starts_with("  75 ┤")), ('─', true), "{lines:#?}");
        assert_eq!(lines[3].chars().nth(6 + 20), Some('░'), "{lines:#?}");
        assert_eq!(lines[8].chars().last(), Some('─'), "{lines:#?}");
        assert_eq!(lines[18], "      0               25                50                75                100");
    }

    #[test]
    fn several_curves_have_their_letters() {
        let (one, other) = (curve("gold", &[(25.0, 0.75)]), curve("", &[(10.0, 0.5), (80.0, 0.0)]));
        let text = draw(&[&one, &other], false).join("\n");
        assert!(text.contains('A') && text.contains('B') && !text.contains(SHADE), "{text}");
        assert!(draw(&[&one, &other], true).join("\n").contains("\x1b[38;5;208m"));
    }

    #[test]
    fn what_is_not_known_is_not_drawn() {
        let short = SurvivalCurve { until_days: 50.0, ..curve("gold", &[(25.0, 0.75)]) };
        assert_eq!((left(&short, 50.0), left(&short, 51.0)), (Some(0.75), None));
        let nobody = SurvivalCurve { until_days: 0.0, ..curve("gold", &[]) };
        assert_eq!(draw(&[&nobody], false).len(), ROWS + 2);
    }
}
