//! `barometer calendar`: what a calendar counts and what not.

mod stretches;

use std::path::{Path, PathBuf};

use barometer_chassis::{clock::Micros, door::Door};
use barometer_complaints::{
    calendar::{Calendar, Timetable},
    parse_calendar,
};
use barometer_proto::complaints::v1::{
    GetCalendarRequest, get_calendar_request::By, policy_service_client::PolicyServiceClient,
};
use clap::{Args, Subcommand};
use jiff::{Timestamp, tz::TimeZone};

use self::stretches::{Stretch, Why, stretches};
use crate::endpoint::{Endpoint, request};
use crate::failure::Failure;
use crate::instant;
use crate::output::{self, Align, Table};
use crate::policy::file;

/// Work with the calendars of complaints
#[derive(Debug, Args)]
pub struct CalendarArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Explain(ExplainArgs),
}

/// Show which time between two instants a calendar counts, which not, and why
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct ExplainArgs {
    /// From when: a date (its first moment), a local time of the calendar, or an instant with offset
    #[arg(value_name = "FROM")]
    from: String,

    /// Until when, itself excluded; at most 3,660 days later
    #[arg(value_name = "TO")]
    to: String,

    /// Name of the calendar; may be left out when --file has only one
    #[arg(long, value_name = "NAME", required_unless_present = "file")]
    calendar: Option<String>,

    /// Which version of it; the latest when absent
    #[arg(long, value_name = "NUMBER", default_value_t = 0, conflicts_with = "file", hide_default_value = true)]
    version: i64,

    /// File with calendars, as `barometer policy check` takes them; a running suite is asked when absent
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    #[command(flatten)]
    endpoint: Endpoint,
}

const EXAMPLES: &str = "\
Examples:
  barometer calendar explain 2026-12-24 2026-12-28T12:00 --calendar office
  barometer calendar explain 2026-03-28 2026-03-30 --file policies.toml";

/// The longest time that is explained, in days.
const LONGEST: i64 = 3_660;

impl CalendarArgs {
    /// Does it.
    ///
    /// # Errors
    /// When the flags are wrong, there is no such calendar, the suite does not answer, or nothing can be printed.
    pub async fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Explain(explain) => explain.run().await,
        }
    }
}

impl ExplainArgs {
    async fn run(self) -> Result<(), Failure> {
        let (name, calendar) = match &self.file {
            Some(file) => self.in_file(file)?,
            None => self.in_suite().await?,
        };
        let zone = instant::time_zone(calendar.time_zone()).map_err(Failure::internal)?;
        let timetable = Timetable::new(&calendar).map_err(|error| Failure::internal(error.to_string()))?;
        let (from, to) = self.range(&zone)?;
        let stretches = stretches(&timetable, from, to);
        output::print(|out| {
            writeln!(out, "{name}, {}\n", calendar.time_zone())?;
            table(&stretches, &zone).write(out)?;
            let sum =
                |counted: bool| stretches.iter().filter(|s| s.why.is_counted() == counted).map(Stretch::micros).sum();
            writeln!(out, "\ncounted {}, not counted {}", length(sum(true)), length(sum(false)))
        })
    }

    fn range(&self, zone: &TimeZone) -> Result<(Micros, Micros), Failure> {
        let read = |flag: &str, text: &str| {
            let wrong = || Failure::usage(format!("{flag}: `{text}` is neither a date nor a time"));
            instant::instant(text, zone).ok_or_else(wrong)
        };
        let (from, to) = (read("FROM", &self.from)?, read("TO", &self.to)?);
        if to <= from || to.0 - from.0 > LONGEST * Micros::DAY {
            return Err(Failure::usage(format!("TO: must lie after FROM, and at most {LONGEST} days")));
        }
        Ok((from, to))
    }

    fn in_file(&self, path: &Path) -> Result<(String, Calendar), Failure> {
        let shown = path.display();
        let mut checked = file::check(path)?;
        let told = |problems: &[file::Problem]| {
            problems.first().map(|problem| format!("{shown}:{}: {}", problem.line, problem.text))
        };
        let known = checked.calendars.keys().cloned().collect::<Vec<_>>().join(", ");
        let found = match &self.calendar {
            Some(name) => checked.calendars.remove_entry(name),
            None if checked.calendars.len() > 1 => {
                return Err(Failure::usage(format!("--calendar: which one of {known}?")));
            }
            None => checked.calendars.pop_first(),
        };
        found.ok_or_else(|| match (told(&checked.problems), &self.calendar) {
            (Some(problem), _) => Failure::data(problem),
            (None, Some(name)) => Failure::not_there(format!("--calendar: {shown} has no `{name}`; it has {known}")),
            (None, None) => Failure::data(format!("{shown} has no calendar")),
        })
    }

    async fn in_suite(&self) -> Result<(String, Calendar), Failure> {
        let url = self.endpoint.url();
        let mut client = PolicyServiceClient::new(self.endpoint.connect()?).max_decoding_message_size(usize::MAX);
        let by = Some(By::Name(self.calendar.clone().unwrap_or_default()));
        let answer = client.get_calendar(request(GetCalendarRequest { by, version: self.version })).await;
        let flag_of = |field: &str| if field == "name" { "--calendar".to_owned() } else { format!("--{field}") };
        let message = answer.map_err(|status| Failure::of_request(&status, &url, flag_of))?.into_inner();
        let title = format!("{}, version {}", message.name, message.version);
        let parsed = Door::open(|door| parse_calendar(door, message));
        let (_, calendar) = parsed.map_err(|error| Failure::internal(format!("the suite's calendar: {error}")))?;
        Ok((title, calendar))
    }
}

fn table(stretches: &[Stretch], zone: &TimeZone) -> Table {
    let mut table = Table::default();
    for title in ["from", "to"] {
        table.column(title, Align::Left);
    }
    for title in ["counted", "not counted"] {
        table.column(title, Align::Right);
    }
    table.column("", Align::Left);
    for stretch in stretches {
        let length = length(stretch.micros());
        let (counted, not) = if stretch.why.is_counted() { (length, String::new()) } else { (String::new(), length) };
        let why = match &stretch.why {
            Why::Working => String::new(),
            Why::Closed => "closed".to_owned(),
            Why::Holiday(name) if name.is_empty() => "holiday".to_owned(),
            Why::Holiday(name) => format!("holiday: {name}"),
        };
        table.row(vec![local(stretch.start, zone), local(stretch.end, zone), counted, not, why]);
    }
    table
}

/// `Fri 2026-12-25 08:00+02:00`; with seconds where there are.
fn local(at: Micros, zone: &TimeZone) -> String {
    let Ok(instant) = Timestamp::from_microsecond(at.0) else { return at.to_string() };
    let format =
        if at.0.rem_euclid(60 * Micros::SECOND) == 0 { "%a %Y-%m-%d %H:%M%:z" } else { "%a %Y-%m-%d %H:%M:%S%.f%:z" };
    instant.to_zoned(zone.clone()).strftime(format).to_string()
}

/// Hours and minutes: `10:00`; with seconds where there are.
fn length(micros: i64) -> String {
    let seconds = micros / Micros::SECOND;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if seconds == 0 { format!("{hours}:{minutes:02}") } else { format!("{hours}:{minutes:02}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_hours_and_minutes() {
        assert_eq!(length(0), "0:00");
        assert_eq!(length(10 * 3_600 * Micros::SECOND), "10:00");
        assert_eq!(length((100 * 3_600 + 5 * 60 + 9) * Micros::SECOND), "100:05:09");
    }
}
