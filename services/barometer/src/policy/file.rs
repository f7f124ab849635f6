//! A file of calendars and policies: read into the messages that the suite takes, and checked by the suite's own rules.

mod calendar;
mod place;
mod policies;

use std::{collections::BTreeMap, fs, path::Path};

use barometer_complaints::calendar::Calendar;
use serde::Deserialize;
use toml::Spanned;

use self::place::Places;
pub(crate) use self::place::Problem;
use crate::failure::Failure;

/// What a file says.
#[derive(Debug)]
pub(crate) struct Checked {
    /// Its calendars by name, as far as they are well.
    pub(crate) calendars: BTreeMap<String, Calendar>,
    /// How many policies it holds.
    pub(crate) policies: usize,
    /// What is wrong, from the first line to the last.
    pub(crate) problems: Vec<Problem>,
}

/// The file as it is written. What is missing is empty, so that the suite's rules say whether it has to be there.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    calendars: Option<Vec<Spanned<calendar::Text>>>,
    policies: Option<Vec<Spanned<policies::Text>>>,
}

/// Reads and checks a file.
///
/// # Errors
/// When it can not be read.
pub(crate) fn check(path: &Path) -> Result<Checked, Failure> {
    let text = read(path)?;
    let written: Text = match toml::from_str(&text) {
        Ok(written) => written,
        Err(error) => {
            let mut places = Places::new(&text);
            let offset = error.span().map_or(0, |span| span.start);
            places.problem(offset, "", error.message());
            return Ok(Checked { calendars: BTreeMap::new(), policies: 0, problems: places.into_problems() });
        }
    };
    let mut places = Places::new(&text);
    let named = written.calendars.is_some();
    let folder = path.parent().unwrap_or(Path::new(""));
    let calendars = calendar::check(&mut places, written.calendars.unwrap_or_default(), folder)?;
    let policies = written.policies.unwrap_or_default();
    let count = policies.len();
    policies::check(&mut places, policies, named.then_some(&calendars));
    let calendars = calendars.into_iter().filter_map(|(name, calendar)| Some((name, calendar?))).collect();
    Ok(Checked { calendars, policies: count, problems: places.into_problems() })
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::data(format!("can not read {}: {error}", path.display())))
}
