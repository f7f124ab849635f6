//! What was measured, as a table, as Markdown and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::machine::Machine;

/// What a figure counts, and which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things a second; more is better.
    PerSecond(&'static str),
    /// Less is better.
    Milliseconds,
    /// Less is better; 1 MB is 1,000,000 bytes.
    Megabytes,
    /// Less is better.
    BytesPerFact,
}

impl Unit {
    fn name(self) -> String {
        match self {
            Unit::PerSecond(things) => format!("{things}/s"),
            Unit::Milliseconds => "ms".to_owned(),
            Unit::Megabytes => "MB".to_owned(),
            Unit::BytesPerFact => "bytes a fact".to_owned(),
        }
    }

    fn more_is_better(self) -> bool {
        matches!(self, Unit::PerSecond(_))
    }
}

/// The same thing measured several times: the middle, and the spread from the lowest to the highest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The middle one.
    pub median: f64,
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

impl Measured {
    /// Of at least one value.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let (Some(low), Some(high)) = (values.first(), values.last()) else {
            panic!("nothing was measured");
        };
        let upper = values[values.len() / 2];
        let lower = values[(values.len() - 1) / 2];
        Measured { median: f64::midpoint(lower, upper), low: *low, high: *high }
    }

    /// Measured once.
    pub fn once(value: f64) -> Self {
        Measured { median: value, low: value, high: value }
    }
}

/// What a figure ought to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    /// So many times better than what it is compared with.
    Times(f64),
    /// So good by itself: at least or at most, as the unit wants it.
    Value(f64),
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Line {
    part: &'static str,
    what: String,
    figure: Measured,
    unit: Unit,
    other: Option<(String, Measured)>,
    aim: Option<Aim>,
}

impl Line {
    /// A figure by itself.
    pub fn new(part: &'static str, what: impl Into<String>, figure: Measured, unit: Unit) -> Self {
        Line { part, what: what.into(), figure, unit, other: None, aim: None }
    }

    /// What it is compared with, in the same unit.
    #[must_use]
    pub fn against(mut self, name: impl Into<String>, other: Measured) -> Self {
        self.other = Some((name.into(), other));
        self
    }

    /// What it ought to be.
    #[must_use]
    pub fn aim(mut self, aim: Aim) -> Self {
        self.aim = Some(aim);
        self
    }

    /// How many times better it is than the other.
    fn times(&self) -> Option<f64> {
        let (_, other) = self.other.as_ref()?;
        let (ours, theirs) = (self.figure.median, other.median);
        Some(if self.unit.more_is_better() { ours / theirs } else { theirs / ours })
    }

    fn is_met(&self) -> Option<bool> {
        Some(match self.aim? {
            Aim::Times(aim) => self.times()? >= aim,
            Aim::Value(aim) if self.unit.more_is_better() => self.figure.median >= aim,
            Aim::Value(aim) => self.figure.median <= aim,
        })
    }

    /// Part, what, figure with its spread, unit, other, ratio, aim, met.
    fn cells(&self) -> [String; 7] {
        let spread = |measured: &Measured| match measured {
            Measured { median, low, high } if low == high => number(*median),
            Measured { median, low, high } => format!("{} ({}–{})", number(*median), number(*low), number(*high)),
        };
        let other = self.other.as_ref().map_or_else(String::new, |(name, other)| format!("{name}: {}", spread(other)));
        let aim = match self.aim {
            None => String::new(),
            Some(Aim::Times(aim)) => format!("≥ {aim} ×"),
            Some(Aim::Value(aim)) if self.unit.more_is_better() => format!("≥ {}", number(aim)),
            Some(Aim::Value(aim)) => format!("≤ {}", number(aim)),
        };
        let met = self.is_met().map_or("", |met| if met { "yes" } else { "no" });
        [
            format!("{}: {}", self.part, self.what),
            spread(&self.figure),
            self.unit.name(),
            other,
            self.times().map_or_else(String::new, |times| format!("{times:.2} ×")),
            aim,
            met.to_owned(),
        ]
    }

    fn json(&self) -> Value {
        let measured =
            |measured: &Measured| json!({"median": measured.median, "low": measured.low, "high": measured.high});
        let (aim_times, aim_value) = match self.aim {
            Some(Aim::Times(aim)) => (Some(aim), None),
            Some(Aim::Value(aim)) => (None, Some(aim)),
            None => (None, None),
        };
        json!({
            "part": self.part,
            "what": self.what,
            "unit": self.unit.name(),
            "figure": measured(&self.figure),
            "compared_with": self.other.as_ref().map(|(name, _)| name),
            "other": self.other.as_ref().map(|(_, other)| measured(other)),
            "times": self.times(),
            "aim_times": aim_times,
            "aim_value": aim_value,
            "met": self.is_met(),
        })
    }
}

const HEAD: [&str; 7] = ["what", "figure", "unit", "compared with", "ratio", "aim", "met"];

/// Everything that was measured in one run.
#[derive(Debug)]
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// What, in the order of measuring.
    pub lines: Vec<Line>,
}

impl Report {
    /// For a terminal.
    pub fn table(&self) -> String {
        let rows: Vec<_> = std::iter::once(HEAD.map(str::to_owned)).chain(self.lines.iter().map(Line::cells)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; HEAD.len()] = std::array::from_fn(width);
        let mut text = self.machine.facts().join("\n") + "\n\n";
        for row in &rows {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            text += cells.collect::<Vec<_>>().join("  ").trim_end();
            text.push('\n');
        }
        text
    }

    /// For a page.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for fact in self.machine.facts() {
            let _infallible = writeln!(text, "- {fact}");
        }
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        text += &format!("\n{}|---|--:|---|---|--:|--:|---|\n", line(&HEAD.map(str::to_owned)));
        text.extend(self.lines.iter().map(|row| line(&row.cells())));
        text
    }

    /// The page with this report in the place of the one before; the report alone when the page has no such place.
    pub fn put_into(&self, page: &str) -> String {
        const PLACE: (&str, &str) = ("<!-- report -->\n", "<!-- end of report -->");
        let parts = page.split_once(PLACE.0).and_then(|(before, rest)| Some((before, rest.split_once(PLACE.1)?.1)));
        let report = self.markdown();
        parts.map_or(report.clone(), |(before, after)| format!("{before}{}{report}{}{after}", PLACE.0, PLACE.1))
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({"machine": self.machine.json(), "lines": self.lines.iter().map(Line::json).collect::<Vec<_>>()})
    }
}

/// A number with at least two digits that say something, thousands apart.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), ""), |(whole, fraction)| (whole, fraction));
    let mut apart = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            apart.push(',');
        }
        apart.push(digit);
    }
    match fraction.trim_end_matches('0') {
        "" => apart,
        fraction => format!("{apart}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_says_how_many_times_better() {
        let quicker = Line::new("p", "q", Measured::once(2.0), Unit::Milliseconds)
            .against("other", Measured::once(10.0))
            .aim(Aim::Times(5.0));
        assert_eq!((quicker.times(), quicker.is_met()), (Some(5.0), Some(true)));
        let more = Line::new("p", "q", Measured::once(2.0), Unit::PerSecond("rows"))
            .against("other", Measured::once(10.0))
            .aim(Aim::Times(0.5));
        assert_eq!((more.times(), more.is_met()), (Some(0.2), Some(false)));
        let light = Line::new("p", "q", Measured::once(59.0), Unit::Megabytes).aim(Aim::Value(60.0));
        assert_eq!((light.times(), light.is_met()), (None, Some(true)));
    }

    #[test]
    fn the_middle_and_the_spread() {
        let measured = Measured::of(vec![3.0, 1.0, 10.0, 2.0]);
        assert_eq!(measured, Measured { median: 2.5, low: 1.0, high: 10.0 });
    }

    #[test]
    fn a_report_takes_the_place_of_the_one_before() {
        let report = Report { machine: Machine::default(), lines: Vec::new() };
        let page = "a\n<!-- report -->\nold\n<!-- end of report -->\nb\n";
        let put = report.put_into(page);
        assert!(put.starts_with("a\n<!-- report -->\n") && put.ends_with("\n<!-- end of report -->\nb\n"), "{put}");
        assert!(!put.contains("old") && put.contains("| what |"), "{put}");
        assert_eq!(report.put_into(&put), put);
        assert_eq!(report.put_into("a page\n"), report.markdown());
    }

    #[test]
    fn numbers_are_short() {
        let told = [1_234_567.8, 999.9, 42.25, 1.5, 0.012_345].map(number);
        assert_eq!(told, ["1,234,568", "1,000", "42.2", "1.5", "0.012"]);
    }
}
