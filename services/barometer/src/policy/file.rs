//! A file of calendars and policies: read into the messages that the suite takes, and checked by the suite's own rules.

mod calendar;
mod ladders;
mod place;
mod policies;

use std::{collections::BTreeMap, fs, path::Path};

use barometer_complaints::{calendar::Calendar, render_plain_calendar};
use barometer_proto::complaints::v1 as wire;
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
    /// What is not wrong, but may not be meant; nothing while something is wrong with the policies.
    pub(crate) hints: Vec<Problem>,
    /// The same as messages, to be sent when nothing is wrong.
    pub(crate) written: Written,
}

/// Calendars and policies as messages.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// The calendars.
    pub(crate) calendars: Vec<wire::Calendar>,
    policies: Vec<wire::Policy>,
    /// The calendars that policies name, by the ids that stand in them instead.
    names: BTreeMap<String, String>,
}

impl Written {
    /// The names of the calendars that policies name.
    pub(crate) fn named(&self) -> Vec<String> {
        self.names.values().cloned().collect()
    }

    /// The policies, with the ids of their calendars in a suite.
    pub(crate) fn policies(&self, ids: &BTreeMap<String, String>) -> Vec<wire::Policy> {
        let with_id = |policy: &wire::Policy| {
            let id = self.names.get(&policy.calendar_id).and_then(|name| ids.get(name));
            wire::Policy { calendar_id: id.cloned().unwrap_or_default(), ..policy.clone() }
        };
        self.policies.iter().map(with_id).collect()
    }
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
            let (problems, hints) = places.into_told();
            let (calendars, written) = (BTreeMap::new(), Written::default());
            return Ok(Checked { calendars, policies: 0, problems, hints, written });
        }
    };
    let mut places = Places::new(&text);
    let named = written.calendars.is_some();
    let folder = path.parent().unwrap_or(Path::new(""));
    let calendars = calendar::check(&mut places, written.calendars.unwrap_or_default(), folder)?;
    let policies = written.policies.unwrap_or_default();
    let count = policies.len();
    let (policies, names) = policies::check(&mut places, policies, named.then_some(&calendars));
    let calendars: BTreeMap<String, Calendar> =
        calendars.into_iter().filter_map(|(name, calendar)| Some((name, calendar?))).collect();
    let messages = calendars.iter().map(|(name, calendar)| render_plain_calendar(name.clone(), calendar)).collect();
    let written = Written { calendars: messages, policies, names };
    let (problems, hints) = places.into_told();
    Ok(Checked { calendars, policies: count, problems, hints, written })
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::data(format!("can not read {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALENDAR: &str = r#"
[[calendars]]
name = "office"
time_zone = "Europe/Chisinau"
hours = { mon-fri = ["08:00-12:00", "13:00-17:00"], sat = ["10:00-14:00"] }
holidays = ["2026-12-25 Christmas", "2026-12-24 12:00-24:00 Christmas Eve"]
"#;

    /// What is told of a file: line and text.
    fn told(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policies.toml");
        fs::write(&path, text).expect("a file");
        let checked = check(&path).expect("it can be read");
        checked.problems.into_iter().map(|problem| format!("{}: {}", problem.line, problem.text)).collect()
    }

    #[test]
    fn a_good_file_has_no_problems() {
        let policies = r#"
[[policies]]
name = "losses of our best customers"
calendar = "office"
kinds = ["loss", "survey_follow_up"]
categories = ["delivery"]
severities = ["high", "critical"]
priorities = ["urgent"]
value_bands = ["high"]
[policies.targets]
first_response = "30 minutes"
resolution = "3 working days"
final_response = { target = "8 weeks", holding = "12 weeks", pauses_for_customer = false }
[policies.ladders]
resolution = [
  { percent = 50, notify = ["owner"] },
  { percent = 100, raise_to = "urgent", hand_over = { team = "legal" }, working_time_only = true },
  { after_due = "1 working day", notify = ["team_lead", "manager"], repeat = { every = "1 working day", times = 9 } },
]
promise = [{ percent = 80, notify = ["owner"] }, { after_due = "2 working hours", raise_by_one = true }]

[[policies]]
name = "everything else"
calendar = "office"
targets = { acknowledgement = "1 working hour", first_response = "1 working day" }
"#;
        let policies = policies.replace("priorities = [\"urgent\"]\n", "");
        let policies = policies.as_str();
        assert_eq!(told(&format!("{CALENDAR}{policies}")), [""; 0]);
        assert_eq!(told(policies), [""; 0], "calendars may be kept elsewhere");
    }

    #[test]
    fn the_file_of_the_help_is_good() {
        let lines = super::super::FORMAT.lines().filter_map(|line| line.strip_prefix("  "));
        let text: String = lines.filter(|line| !line.contains("icalendar")).map(|line| format!("{line}\n")).collect();
        assert!(text.contains("[[calendars]]") && text.contains("total_resolution = \"10 working days\""), "{text}");
        assert_eq!(told(&text), [""; 0]);
    }

    #[test]
    fn every_problem_is_told_with_its_line() {
        let file = r#"[[calendars]]
name = "office"
time_zone = "Mars/Olympus"
hours = { mon-fri = ["08:00-12:00", "11:00-17:00"], someday = ["08:00-12:00"], sat = ["8-12"] }
holidays = [
  "2026-12-25",
  "2026-02-30 no day",
]

[[policies]]
name = "losses"
calendar = "office"
kinds = ["los"]
targets = { resolution = "3 days", resolutoin = "1 day", first_response = "soon" }

[[policies]]
name = "late"
calendar = "ofice"
categories = ["delivery//late"]
[policies.targets]
first_response = "3 working days"
resolution = "2 working days"

[[policies]]
calendar = "office"
categories = ["delivery"]
targets = { first_response = "0 minutes" }

[[policies]]
name = "late deliveries"
calendar = "office"
categories = ["delivery/late"]
"#;
        let expected = [
            (3, "calendar `office`: time_zone: is no time zone"),
            (4, "calendar `office`: mon-fri: has minutes in common with another stretch"),
            (4, "calendar `office`: sat: `8-12` is no stretch"),
            (4, "calendar `office`: someday: is neither a day"),
            (7, "calendar `office`: `2026-02-30 no day`: is not a date"),
            (13, "policy `losses`: there is no `los`"),
            (14, "policy `losses`: first_response: `soon` is no amount"),
            (14, "policy `losses`: resolutoin: there is no clock `resolutoin`"),
            (18, "policy `late`: calendar: there is no calendar `ofice`"),
            (19, "policy `late`: categories: is no path"),
            (21, "policy `late`: first_response: the first response may take 3 working days"),
            (24, "policies[2]: name: is required"),
            (27, "policies[2]: first_response: is not within 1"),
            (29, "policy `late deliveries`: is never reached: policies[2]"),
            (29, "policy `late deliveries`: targets: a policy has at least one target"),
            (29, "policy `late deliveries`: the last policy must match every case"),
        ];
        let told = told(file);
        for (line, text) in expected {
            let found = told.iter().any(|told| told.starts_with(&format!("{line}: {text}")));
            assert!(found, "{line}: {text} is not in {told:#?}");
        }
        assert_eq!(told.len(), expected.len(), "{told:#?}");
    }

    #[test]
    fn what_is_wrong_with_a_ladder_is_told_with_its_line() {
        let file = r#"[[policies]]
name = "all"
calendar = "office"
targets = { first_response = "1 working day" }
[policies.ladders]
first_response = [
  { percent = 100, raise_to = "high", notify = ["boss"] },
  { percent = 100, raise_to = "normal" },
  { after_due = "3 hours", working_time_only = true, notify = ["owner"] },
  { after_due = "some time" },
]
resolution = [{ percent = 50, notify = ["owner"] }]
promise = [{ percent = 50, notify = ["owner"] }, { after_due = "1 week" }]
"#;
        let expected = [
            (7, "policy `all`: ladder of first_response, step 0: there is no `boss`"),
            (8, "policy `all`: ladder of first_response, step 1: is not taken after the step before it"),
            (8, "policy `all`: ladder of first_response, step 1: raises nothing"),
            (9, "policy `all`: ladder of first_response, step 2: is measured round the clock"),
            (10, "policy `all`: ladder of first_response, step 3: `some time` is no amount"),
            (12, "policy `all`: ladder of resolution: the policy has no target for this clock"),
            (13, "policy `all`: ladder of promise, step 1: is neither minutes"),
        ];
        let told = told(file);
        for (line, text) in expected {
            let found = told.iter().any(|told| told.starts_with(&format!("{line}: {text}")));
            assert!(found, "{line}: {text} is not in {told:#?}");
        }
    }

    #[test]
    fn holidays_come_from_a_file_beside() {
        let folder = tempfile::tempdir().expect("a folder");
        let event = "BEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\nDTSTART;VALUE=DATE:20260501\n";
        let path = folder.path().join("policies.toml");
        fs::write(&path, CALENDAR.replace("holidays =", "icalendar = \"may.ics\"\nholidays =")).expect("a file");
        assert!(check(&path).is_err(), "there is no such file");
        for (rest, holidays) in [("SUMMARY:May Day\nEND:VEVENT", Some(3)), ("RRULE:FREQ=HOURLY\nEND:VEVENT", None)] {
            let file = format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{event}{rest}\nEND:VCALENDAR\n");
            fs::write(folder.path().join("may.ics"), file).expect("a file");
            let Checked { calendars, problems, .. } = check(&path).expect("it can be read");
            let of_the_file = problems.iter().filter(|problem| problem.text.contains("may.ics")).count();
            assert_eq!(of_the_file, usize::from(holidays.is_none()), "{problems:?}");
            let found = calendars.get("office").map(|calendar| calendar.holidays().len());
            assert!(holidays.is_none() || found == holidays, "{found:?}");
        }
    }

    #[test]
    fn what_is_no_such_file_is_told_too() {
        assert_eq!(told("[[policies]]\nname = \"x\"\ncolour = \"red\"").len(), 1);
        assert!(told("[[policies]]\nname = \"x\"\ncolour = \"red\"")[0].starts_with("3: unknown field `colour`"));
        assert!(told("name =")[0].starts_with("1: "));
        assert!(told("")[0].contains("must hold at least a policy"));
        assert!(check(Path::new("/nowhere/policies.toml")).is_err());
    }
}
