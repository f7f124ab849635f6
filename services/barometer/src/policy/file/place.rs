//! Where in a file something stands, and what is wrong there.

use barometer_chassis::error::{Error, Violation};

/// Something that is wrong with a file, or may not be meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// On which line, from 1.
    pub(crate) line: usize,
    /// What.
    pub(crate) text: String,
}

/// The places of a file by the paths of the fields that they are read into.
#[derive(Debug)]
pub(super) struct Places<'t> {
    text: &'t str,
    places: Vec<Place>,
    problems: Vec<Problem>,
    hints: Vec<Problem>,
}

#[derive(Debug)]
struct Place {
    path: String,
    offset: usize,
    /// What people call it.
    label: String,
    /// Whether a problem was told of it: what follows from it is not told again.
    is_bad: bool,
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Places { text, places: Vec::new(), problems: Vec::new(), hints: Vec::new() }
    }

    /// Notes that a field is read from what begins at a byte of the file.
    pub(super) fn note(&mut self, path: impl Into<String>, offset: usize, label: impl Into<String>) {
        self.places.push(Place { path: path.into(), offset, label: label.into(), is_bad: false });
    }

    /// Tells a problem of the field noted last.
    pub(super) fn bad(&mut self, description: &str) {
        let Some(place) = self.places.last_mut() else { return };
        place.is_bad = true;
        let (offset, label) = (place.offset, place.label.clone());
        self.problem(offset, &label, description);
    }

    /// Tells a problem of what begins at a byte of the file.
    pub(super) fn problem(&mut self, offset: usize, label: &str, description: &str) {
        let text = if label.is_empty() { description.to_owned() } else { format!("{label}: {description}") };
        self.problems.push(Problem { line: self.line(offset), text });
    }

    /// Tells of a field what is not wrong, but may not be meant.
    pub(super) fn hint(&mut self, path: &str, description: &str) {
        let Some(place) = self.places.iter().find(|place| place.path == path) else { return };
        let hint = Problem { line: self.line(place.offset), text: format!("{} {description}", place.label) };
        self.hints.push(hint);
    }

    /// The line of a byte of the file.
    fn line(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or(self.text);
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }

    /// Tells what the suite would refuse.
    pub(super) fn refused(&mut self, error: Error) {
        let violations = match error {
            Error::Invalid(violations) => violations,
            other => return self.problem(0, "", &other.to_string()),
        };
        for Violation { field, reason: _, description } in violations {
            // Nobody has numbered the stretches of a week in a file.
            let description = match description.split_once("working_times[") {
                Some((before, _)) => format!("{before}another stretch"),
                None => description,
            };
            let holds = |place: &&Place| {
                field.strip_prefix(&place.path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let around = self.places.iter().filter(holds);
            let Some(nearest) = around.max_by_key(|place| place.path.len()) else {
                self.problem(0, &field, &description);
                continue;
            };
            if !nearest.is_bad {
                let (offset, label) = (nearest.offset, nearest.label.clone());
                self.problem(offset, &label, &description);
            }
        }
    }

    /// All problems, and all hints, from the first line to the last, each once.
    pub(super) fn into_told(self) -> (Vec<Problem>, Vec<Problem>) {
        let sorted = |mut told: Vec<Problem>| {
            told.sort();
            told.dedup();
            told
        };
        (sorted(self.problems), sorted(self.hints))
    }
}
