//! `barometer case`: what happened to a case, and how its clocks stand.

mod bar;
mod clocks;
mod desk;
mod json;
mod named;
mod summary;
mod timeline;
mod words;

use std::io::{self, IsTerminal, Write};

use barometer_chassis::clock::Micros;
use barometer_proto::{
    common::v1::ExternalId,
    complaints::v1::{Case, CaseEntry, get_case_request::By},
};
use clap::{Args, ValueEnum, builder::FalseyValueParser};
use jiff::tz::TimeZone;
use uuid::Uuid;

use self::{clocks::Shown, desk::Desk, named::Named};
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::instant;
use crate::output;

/// Show what happened to a case, and how its clocks stand
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CaseArgs {
    /// Which one: its id, or your own key of it as SYSTEM:KEY
    #[arg(value_name = "ID")]
    id: String,

    /// How its clocks stood or will stand at this time, if nothing happens; now when absent
    #[arg(long, value_name = "TIME")]
    at: Option<String>,

    /// Time zone of all times; that of the calendar by which the case is counted when absent, else UTC
    #[arg(long, value_name = "ZONE", value_parser = instant::time_zone)]
    time_zone: Option<TimeZone>,

    /// Show what was written, too: subject, messages, notes, reasons
    #[arg(long)]
    texts: bool,

    /// Show every clock, not the latest of each kind only
    #[arg(long)]
    all_clocks: bool,

    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Print no colours, even on a terminal
    #[arg(long, env = "NO_COLOR", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    no_color: bool,

    #[command(flatten)]
    endpoint: Endpoint,
}

/// How a case is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, 80 characters wide.
    Text,
    /// For programs.
    Json,
}

const EXAMPLES: &str = "\
Examples:
  barometer case 01890a5d-ac96-774b-bcce-b302099a8057
  barometer case desk:17 --time-zone Europe/Chisinau --texts
  barometer case desk:17 --at 2026-03-03 --format json";

/// A case with everything that is shown of it.
struct Whole {
    case: Case,
    /// From the first to the last.
    entries: Vec<CaseEntry>,
    /// Whether there are earlier ones.
    cut: bool,
    /// What they name.
    named: Named,
    clocks: Vec<Shown>,
    /// As of when the clocks are told.
    at: Micros,
    /// Whether that was asked for, and is not now.
    is_asked: bool,
    zone: TimeZone,
}

impl CaseArgs {
    /// Shows it.
    ///
    /// # Errors
    /// When the flags are wrong, there is no such case, the suite does not answer, or nothing can be printed.
    pub async fn run(self) -> Result<(), Failure> {
        let whole = self.ask().await?;
        let colours = !self.no_color && io::stdout().is_terminal();
        output::print(|out| match self.format {
            Format::Json => json::write(&whole, self.texts, out),
            Format::Text => write(&whole, self.texts, colours, out),
        })
    }

    async fn ask(&self) -> Result<Whole, Failure> {
        let by = by(&self.id)?;
        let mut desk = Desk::new(&self.endpoint)?;
        let case = desk.case(&self.id, by).await?;
        let zone = match &self.time_zone {
            Some(zone) => zone.clone(),
            None => desk.zone(&case).await?,
        };
        let at = match &self.at {
            None => Micros::now(),
            Some(text) => instant::instant(text, &zone)
                .ok_or_else(|| Failure::usage(format!("--at: `{text}` is neither a date nor a time")))?,
        };
        let (entries, cut) = desk.entries(&case.case_id).await?;
        let named = desk.named(&case, &entries).await?;
        let clocks = desk.clocks(&case.case_id, at).await?;
        let mut shown = clocks::chosen(clocks, if self.all_clocks { usize::MAX } else { clocks::LATEST });
        for clock in shown.iter_mut().filter_map(Shown::clock_mut) {
            *clock = desk.explain(&case.case_id, clock, at).await?;
        }
        Ok(Whole { case, entries, cut, named, clocks: shown, at, is_asked: self.at.is_some(), zone })
    }
}

fn write(whole: &Whole, texts: bool, colours: bool, out: &mut dyn Write) -> io::Result<()> {
    let Whole { case, entries, cut, named, clocks, at, is_asked, zone } = whole;
    summary::write(case, named.follow_up(), texts, zone, out)?;
    if !clocks.is_empty() {
        writeln!(out)?;
        if *is_asked {
            writeln!(out, "clocks as of {}; all else is as it is now", words::short(*at, zone))?;
        }
        clocks::write(clocks, *at, zone, colours, out)?;
    }
    writeln!(out)?;
    timeline::write(entries, *cut, named, texts, zone, out)
}

/// By which key a case is asked for.
fn by(id: &str) -> Result<By, Failure> {
    if Uuid::try_parse(id).is_ok() {
        return Ok(By::CaseId(id.to_owned()));
    }
    match id.split_once(':') {
        Some((system, value)) if !system.is_empty() && !value.is_empty() => {
            Ok(By::ExternalId(ExternalId { system: system.to_owned(), value: value.to_owned() }))
        }
        _ => Err(Failure::usage(format!("ID: `{id}` is neither an id of the suite nor SYSTEM:KEY"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_named_by_its_id_or_by_a_key() {
        assert!(matches!(by("01890a5d-ac96-774b-bcce-b302099a8057"), Ok(By::CaseId(_))));
        let key = by("desk:17:b").expect("a key");
        assert_eq!(key, By::ExternalId(ExternalId { system: "desk".to_owned(), value: "17:b".to_owned() }));
        for bad in ["17", ":17", "desk:", ""] {
            assert!(by(bad).is_err(), "{bad}");
        }
    }
}
