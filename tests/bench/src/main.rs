//! Measures the suite beside others, in ratios of one run. `tests/bench/run` builds and installs what it needs.

mod analyses;
mod answers;
mod changes;
mod claims;
mod clocks;
mod defined;
mod figures;
mod helper;
mod imports;
mod load;
mod machine;
mod pages;
mod process;
mod queries;
mod reads;
mod reference;
mod report;
mod sales;
mod starts;
mod submits;

use std::{
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::{Parser, ValueEnum};
use tempfile::TempDir;

use crate::{helper::Helper, load::Effort, machine::Machine, report::Report};

/// Measure the suite beside others
#[derive(Debug, Parser)]
#[command(name = "tests/bench/run")]
struct Cli {
    #[command(subcommand)]
    helper: Option<Helper>,

    /// Only these parts, comma-separated
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART,…")]
    only: Vec<Part>,

    /// Answers that are imported
    #[arg(long, default_value_t = 1_000_000, value_name = "ROWS")]
    rows: u64,

    /// Answers that figures are made of
    #[arg(long, default_value_t = 10_000_000, value_name = "FACTS")]
    facts: u64,

    /// Purchases that cohorts and curves are made of, 20 of a customer
    #[arg(long, default_value_t = 20_000_000, value_name = "FACTS")]
    purchases: u64,

    /// Small and short, to see whether it works: the figures mean little
    #[arg(long, conflicts_with_all = ["rows", "facts", "purchases"])]
    quick: bool,

    /// Write the report as JSON into a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write the report as Markdown into a file, between its lines <!-- report --> and <!-- end of report --> if it has them
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,

    /// The program `barometer` that is measured
    #[arg(long, default_value = "target/release/barometer", value_name = "FILE")]
    program: PathBuf,

    /// A Python with DuckDB; without one, figures are compared with nothing
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
}

/// What is measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Start and idle memory
    Starts,
    /// Single writes, on SQLite and PostgreSQL
    Submits,
    /// Reads by id
    Reads,
    /// Import, loaded memory, rebuild
    Imports,
    /// Fold and figures
    Figures,
    /// Cohorts and curves
    Analyses,
    /// Callers who ask for figures
    Queries,
    /// Clocks of cases
    Clocks,
    /// Cases that are handed out
    Claims,
}

/// How everything is measured.
#[derive(Debug)]
struct Settings {
    program: PathBuf,
    python: Option<PathBuf>,
    rows: u64,
    facts: u64,
    purchases: u64,
    effort: Effort,
}

impl Settings {
    /// A directory for databases and files, gone when it is dropped. `TMPDIR` says on which disk.
    fn directory(&self) -> TempDir {
        TempDir::with_prefix("barometer-bench-").expect("a temporary directory")
    }
}

#[tokio::main]
async fn main() {
    let cli = Cli::parse();
    if let Some(helper) = cli.helper {
        return helper.run().await;
    }
    let effort = match cli.quick {
        true => Effort { time: Duration::from_millis(200), repetitions: 1 },
        false => Effort { time: Duration::from_secs(2), repetitions: 3 },
    };
    let (rows, facts, purchases) =
        if cli.quick { (20_000, 200_000, 200_000) } else { (cli.rows, cli.facts, cli.purchases) };
    let program = cli.program.canonicalize().expect("--program is a file");
    let settings = Settings { program, python: cli.python, rows, facts, purchases, effort };

    let mut report = Report { machine: Machine::look(settings.directory().path()), lines: Vec::new() };
    for part in Part::value_variants().iter().filter(|part| cli.only.is_empty() || cli.only.contains(part)) {
        let begun = Instant::now();
        eprint!("{part:?} …");
        match part {
            Part::Starts => starts::measure(&settings, &mut report).await,
            Part::Submits => submits::measure(&settings, &mut report).await,
            Part::Reads => reads::measure(&settings, &mut report).await,
            Part::Imports => imports::measure(&settings, &mut report).await,
            Part::Figures => figures::measure(&settings, &mut report),
            Part::Analyses => analyses::measure(&settings, &mut report),
            Part::Queries => queries::measure(&settings, &mut report).await,
            Part::Clocks => clocks::measure(&settings, &mut report),
            Part::Claims => claims::measure(&settings, &mut report).await,
        }
        eprintln!(" {:.0} s", begun.elapsed().as_secs_f64());
    }

    write!(std::io::stdout(), "{}", report.table()).expect("somebody reads it");
    if let Some(file) = cli.json {
        std::fs::write(file, format!("{:#}\n", report.json())).expect("--json can be written");
    }
    if let Some(file) = cli.markdown {
        let page = std::fs::read_to_string(&file).unwrap_or_default();
        std::fs::write(file, report.put_into(&page)).expect("--markdown can be written");
    }
}
