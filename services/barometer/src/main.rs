//! The barometer program.

use std::io::Write;
use std::process::ExitCode;

use barometer::calendar::CalendarArgs;
use barometer::case::CaseArgs;
use barometer::catalogue::CatalogueArgs;
use barometer::cohorts::CohortsArgs;
use barometer::definition::DefinitionArgs;
use barometer::demo::DemoArgs;
use barometer::drivers::DriversArgs;
use barometer::explain::ExplainArgs;
use barometer::export::ExportArgs;
use barometer::failure::{self, Failure};
use barometer::import::ImportArgs;
use barometer::journeys::JourneysArgs;
use barometer::moves::MovesArgs;
use barometer::policy::PolicyArgs;
use barometer::query::QueryArgs;
use barometer::serve::ServeArgs;
use barometer::survival::SurvivalArgs;
use barometer::transitions::TransitionsArgs;
use barometer::verify::VerifyArgs;
use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;

/// Of the processor's time for an import, glibc's allocator took about a third.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Customers' loyalty in figures: the suite and its tools.
#[derive(Parser)]
#[command(name = "barometer", version, after_help = failure::EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(Box<ServeArgs>),
    Import(ImportArgs),
    Query(QueryArgs),
    Cohorts(CohortsArgs),
    Survival(SurvivalArgs),
    Transitions(TransitionsArgs),
    Moves(MovesArgs),
    Journeys(JourneysArgs),
    Drivers(DriversArgs),
    Explain(ExplainArgs),
    Export(ExportArgs),
    Verify(VerifyArgs),
    Catalogue(CatalogueArgs),
    Definition(DefinitionArgs),
    Case(CaseArgs),
    Policy(PolicyArgs),
    Calendar(CalendarArgs),
    Demo(DemoArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            let code = if told.use_stderr() { failure::USAGE } else { 0 };
            // Nobody is left to tell when this fails.
            let _ = told.print();
            return ExitCode::from(code);
        }
    };
    match run(cli.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "barometer: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(serve) => serve.run().await,
        Command::Import(import) => import.run().await,
        Command::Query(query) => query.run().await,
        Command::Cohorts(cohorts) => cohorts.run().await,
        Command::Survival(survival) => survival.run().await,
        Command::Transitions(transitions) => transitions.run().await,
        Command::Moves(moves) => moves.run().await,
        Command::Journeys(journeys) => journeys.run().await,
        Command::Drivers(drivers) => drivers.run().await,
        Command::Explain(explain) => explain.run().await,
        Command::Export(export) => export.run().await,
        Command::Verify(verify) => verify.run().await,
        Command::Catalogue(catalogue) => catalogue.run().await,
        Command::Definition(definition) => definition.run().await,
        Command::Case(case) => case.run().await,
        Command::Policy(policy) => policy.run().await,
        Command::Calendar(calendar) => calendar.run().await,
        Command::Demo(demo) => demo.run().await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// What is wider is broken into lines, unless the terminal is known to be wider: examples would not do as they are printed.
    const WIDTH: usize = 100;

    fn too_wide(command: &clap::Command) -> Vec<String> {
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let own = examples.lines().filter(|line| line.starts_with("  ") && line.chars().count() > WIDTH);
        let own = own.map(|line| format!("{}: {line}", command.get_name()));
        own.chain(command.get_subcommands().flat_map(too_wide)).collect()
    }

    #[test]
    fn examples_of_the_help_are_not_broken() {
        assert_eq!(too_wide(&Cli::command()), [""; 0]);
    }
}
