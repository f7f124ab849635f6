//! `faults`: runs the suite under load, kills, stops, disconnects and restarts what it is made of, and proves that
//! nothing acknowledged was lost and nothing was counted twice.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports to the terminal")]

mod faults;
mod kinds;
mod ledger;
mod load;
mod proof;
mod report;
mod watching;
mod world;

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use barometer_chassis::{config::duration, testing::DatabaseKind};
use clap::{Parser, ValueEnum};

use self::{ledger::Ledger, load::Load, report::Log, watching::Watching, world::World};

const EXAMPLES: &str = "\
Examples:
  faults --time 30s
  faults --time 1h --database postgres
  faults --time 10m --seed 42 --verbose    the faults of an earlier run once more";

/// Runs the suite under load, breaks what it is made of at random, and proves that every acknowledged write is in the
/// figures exactly once and every other at most once
#[derive(Debug, Parser)]
#[command(name = "faults", after_help = EXAMPLES)]
struct Args {
    /// How long faults happen, on each database (as in 30s, 10m, 1h)
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration)]
    time: Duration,

    /// What the plan of the faults is made from; a random one, which is printed, when it is not given
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// The databases to run on, one after the other
    #[arg(long, value_enum, default_value = "both")]
    database: Databases,

    /// Callers that write at the same time
    #[arg(long, default_value = "24", value_name = "CALLERS", value_parser = clap::value_parser!(u64).range(1..1_000))]
    callers: u64,

    /// The program to run; `barometer` beside this one when it is not given
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,

    /// Only faults of these kinds, of those that the plan would hold
    #[arg(long, value_enum, value_delimiter = ',', value_name = "KIND")]
    only: Vec<faults::What>,

    /// Print every fault as it happens
    #[arg(long, short)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Databases {
    Sqlite,
    Postgres,
    Both,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let program = args.program.clone().or_else(|| Some(std::env::current_exe().ok()?.with_file_name("barometer")));
    let Some(program) = program.filter(|program| program.is_file()) else {
        eprintln!("faults: there is no `barometer` beside this program: `cargo build --workspace --bins` makes it");
        return ExitCode::from(66);
    };
    let kinds = match args.database {
        Databases::Sqlite => &[DatabaseKind::Sqlite][..],
        Databases::Postgres => &[DatabaseKind::Postgres],
        Databases::Both => &[DatabaseKind::Sqlite, DatabaseKind::Postgres],
    };
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    let mut good = true;
    for kind in kinds {
        good &= match run(&args, &program, *kind, seed).await {
            Ok(good) => good,
            Err(error) => {
                eprintln!("faults: {error}");
                false
            }
        };
    }
    ExitCode::from(u8::from(!good))
}

/// One run on one database; whether every proof holds.
async fn run(args: &Args, program: &std::path::Path, kind: DatabaseKind, seed: u64) -> Result<bool, String> {
    println!("faults on {kind} for {:?}, seed {seed}", args.time);
    let folder = tempfile::Builder::new().prefix("barometer-faults-").tempdir().map_err(|error| error.to_string())?;
    // Kept until all is proved, also when this program is ended.
    let folder = folder.keep();
    let log = Arc::new(Log::open(&folder, args.verbose).map_err(|error| error.to_string())?);
    let world = World::start(kind, program, folder.clone()).await.map_err(|error| error.to_string())?;
    let world = Arc::new(world);
    load::prepare(&world).await?;

    let ledger = Arc::new(Ledger::default());
    let watching = Watching::start(&world, &ledger);
    let load = Load::start(&world, &ledger, seed, args.callers);
    let shared = load.shared();
    let plan = faults::plan(&world, seed, args.time, &args.only);
    let done = faults::run(&world, plan, args.time, seed, &log).await;
    load.settle().await;
    let proofs = proof::prove(&world, &shared, watching, &log).await;
    let good = report::tell(&world, &shared.kinds, &ledger, &done, &proofs);

    drop((world, shared));
    match good {
        true => drop(std::fs::remove_dir_all(&folder)),
        false => println!("\n  kept: {} (faults.log, and serve.log and data of each process)", folder.display()),
    }
    println!();
    Ok(good)
}
