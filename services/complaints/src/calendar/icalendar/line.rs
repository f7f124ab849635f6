//! Content lines: folded lines put together, and taken apart into name, parameters and value.

use super::Problem;

/// A content line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The first of its lines in the file, from 1.
    pub(super) number: usize,
    /// In capitals.
    pub(super) name: String,
    /// Names in capitals, and values without quotes.
    pub(super) parameters: Vec<(String, String)>,
    pub(super) value: String,
}

/// The content lines of a text.
pub(super) struct Lines<'t> {
    rest: std::iter::Peekable<std::iter::Enumerate<std::str::Lines<'t>>>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Lines { rest: text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate().peekable() }
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<Line, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let (index, first) = self.rest.find(|(_, line)| !line.trim().is_empty())?;
        let mut whole = first.to_owned();
        while let Some((_, more)) = self.rest.next_if(|(_, line)| line.starts_with([' ', '\t'])) {
            whole.push_str(&more[1..]);
        }
        Some(take_apart(index + 1, &whole))
    }
}

fn take_apart(number: usize, text: &str) -> Result<Line, Problem> {
    let malformed = |what: &str| Problem::new(number, text.split([':', ';']).next().unwrap_or_default(), what);
    let mut quoted = false;
    let mut parts = vec![String::new()];
    let mut value = None;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ';' if !quoted => parts.push(String::new()),
            ':' if !quoted => {
                value = Some(text[at + 1..].to_owned());
                break;
            }
            c => {
                if let Some(part) = parts.last_mut() {
                    part.push(c);
                }
            }
        }
    }
    let value = value.ok_or_else(|| malformed("is no content line: it has no colon"))?;
    let mut parts = parts.into_iter();
    let name = parts.next().unwrap_or_default().to_ascii_uppercase();
    let well_formed = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !well_formed {
        return Err(malformed("is no name of a property"));
    }
    let parameter = |part: String| match part.split_once('=') {
        Some((name, value)) => Ok((name.to_ascii_uppercase(), value.to_owned())),
        None => Err(malformed("has a parameter without a value")),
    };
    let parameters = parts.map(parameter).collect::<Result<_, _>>()?;
    Ok(Line { number, name, parameters, value })
}

/// The text of a value: its escapes undone, line breaks made spaces.
pub(super) fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('n' | 'N') => text.push(' '),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
    }
    text.trim().to_owned()
}
