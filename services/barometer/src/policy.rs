//! `barometer policy`: policies as people write them.

mod amount;
pub(crate) mod file;
mod publish;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::output;
use file::{Checked, Written};
use publish::Office;

/// Work with the policies of complaints
#[derive(Debug, Args)]
pub struct PolicyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(CheckArgs),
    Publish(PublishArgs),
    Rebase(RebaseArgs),
}

/// Check a file of policies without a running suite: every problem is told with its line
///
/// What is allowed but may not be meant is told as a note: a policy by which a case that is reopened is due at no time.
#[derive(Debug, Args)]
#[command(after_help = FORMAT)]
struct CheckArgs {
    /// The file, in TOML
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Tell also what would change for the cases that are open if it were published; this asks a running suite, which has its
    /// calendars as the file has them
    #[arg(long)]
    against_open: bool,

    #[command(flatten)]
    endpoint: Endpoint,
}

/// Put the policies of a file into force, and its calendars: for cases that come in from then on
#[derive(Debug, Args)]
struct PublishArgs {
    /// The file, in TOML, as `barometer policy check` takes it
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    endpoint: Endpoint,
}

/// Put open cases under the policies that are in force now: their clocks that run are under the new targets from then on
///
/// Without --yes nothing is changed, and it is told what would change, as `barometer policy check --against-open` tells it. It
/// can be broken off and run again.
#[derive(Debug, Args)]
struct RebaseArgs {
    /// Only these cases, by their ids; all that are open when absent
    #[arg(long = "case", value_name = "ID")]
    cases: Vec<String>,

    /// A note for colleagues, which stands in the history of each case
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,

    /// Do it
    #[arg(long)]
    yes: bool,

    /// Tell what would change, and change nothing; as without --yes
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,

    #[command(flatten)]
    endpoint: Endpoint,
}

const FORMAT: &str = r#"The file holds calendars and policies. The first policy that matches a case is
the case's; the last must match all:

  [[calendars]]
  name = "office"
  time_zone = "Europe/Chisinau"
  hours = { mon-fri = ["08:00-12:00", "13:00-17:00"], sat = ["10:00-14:00"] }
  holidays = ["2026-12-25 Christmas", "2026-12-24 12:00-24:00 Christmas Eve"]
  icalendar = "holidays.ics"         # more, from a file beside this one

  [[policies]]
  name = "losses of our best customers"
  calendar = "office"
  # question, suggestion, complaint, loss, survey_follow_up
  kinds = ["loss"]
  categories = ["delivery"]          # and all below, as delivery/late
  severities = ["high", "critical"]  # low, medium, high, critical
  priorities = ["high", "urgent"]    # low, normal, high, urgent
  # also: channels, customer_tiers, products, countries
  value_bands = ["high"]

  # minutes, hours, days, weeks, months; working minutes, hours, days
  [policies.targets]
  first_response = "30 minutes"
  next_response = "4 working hours"  # to each message after the first
  resolution = "3 working days"
  # goes on when a case is reopened
  total_resolution = "5 working days"

  [policies.targets.final_response]
  target = "8 weeks"
  holding = "12 weeks"
  pauses_for_customer = false

  # Who hears of it, and what becomes of the case, while a clock runs:
  # - notify: owner, team_lead, manager, team
  # - hand_over, raise_by_one, raise_to = "high"
  [policies.ladders]
  # Of what was promised to customers, round the clock; the last policy's
  # ladder is of promises without a case.
  promise = [
    { percent = 80, notify = ["owner"] },
    { percent = 100, raise_by_one = true, notify = ["team_lead"] },
  ]

  [[policies.ladders.resolution]]
  percent = 50
  notify = ["owner"]

  [[policies.ladders.resolution]]
  percent = 100
  hand_over = { team = "legal" }
  working_time_only = true

  [[policies.ladders.resolution]]
  after_due = "1 working day"
  notify = ["manager"]
  repeat = { every = "1 working day", times = 9 }

  [[policies]]
  name = "everything else"
  calendar = "office"

  [policies.targets]
  first_response = "1 working day"
  next_response = "1 working day"
  total_resolution = "10 working days"

Without [[calendars]] the names of calendars are not checked.

Exits with 0 when all is well, whatever notes there are, and with 1 when there
are problems."#;

impl PolicyArgs {
    /// Does it.
    ///
    /// # Errors
    /// When a file can not be read, has problems, or nothing can be printed.
    pub async fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Check(check) => check.run().await,
            Command::Publish(publish) => publish.run().await,
            Command::Rebase(rebase) => rebase.run().await,
        }
    }
}

impl CheckArgs {
    async fn run(self) -> Result<(), Failure> {
        let written = checked(&self.file)?;
        if !self.against_open {
            return Ok(());
        }
        let effects = Office::new(&self.endpoint)?.effects_of(written).await?;
        output::print(|out| {
            writeln!(out)?;
            effects.write(out)
        })
    }
}

impl PublishArgs {
    async fn run(self) -> Result<(), Failure> {
        let written = checked(&self.file)?;
        let published = Office::new(&self.endpoint)?.publish(written).await?;
        output::print(|out| writeln!(out, "{published}"))
    }
}

impl RebaseArgs {
    async fn run(self) -> Result<(), Failure> {
        let mut office = Office::new(&self.endpoint)?;
        if self.dry_run || !self.yes {
            let effects = office.effects(None, &self.cases).await?;
            output::print(|out| effects.write(out))?;
            if !self.dry_run {
                output::remark("nothing was changed; --yes does it");
            }
            return Ok(());
        }
        let rebased = office.rebase(&self.cases, &self.note).await?;
        output::print(|out| writeln!(out, "rebased {rebased}"))
    }
}

/// What a file says, all problems told and what may not be meant; a failure when there are problems.
fn checked(file: &Path) -> Result<Written, Failure> {
    let name = file.display().to_string();
    let Checked { calendars, policies, problems, hints, written } = file::check(file)?;
    output::print(|out| {
        for problem in &problems {
            writeln!(out, "{name}:{}: {}", problem.line, output::one_line(&problem.text))?;
        }
        for hint in &hints {
            writeln!(out, "{name}:{}: note: {}", hint.line, output::one_line(&hint.text))?;
        }
        if problems.is_empty() {
            writeln!(out, "{name}: all well (policies: {policies}, calendars: {})", calendars.len())?;
        }
        Ok(())
    })?;
    match problems.len() {
        0 => Ok(written),
        1 => Err(Failure::problems(format!("{name}: 1 problem"))),
        many => Err(Failure::problems(format!("{name}: {many} problems"))),
    }
}
