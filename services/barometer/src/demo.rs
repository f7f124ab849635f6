//! `barometer demo`: the suite with a simulated company, a report of its figures, and time to look around.

mod directory;
mod figures;
pub mod load;
mod plot;
mod report;
mod running;

use std::{net::SocketAddr, path::PathBuf};

use barometer_chassis::{
    clock::Micros,
    config::TelemetryConfig,
    server,
    shutdown::{self, Shutdown},
    telemetry,
};
use barometer_simulator::Company;
use clap::Args;
use jiff::tz::TimeZone;

use crate::{endpoint::Endpoint, failure::Failure, instant, output, suite::Suite};

use directory::Directory;
use figures::Figures;
use report::Report;
use running::Running;

const EXAMPLES: &str = "\
Examples:
  barometer demo
      3,000 customers on 127.0.0.1:7400, until Ctrl-C
  barometer demo --customers 50000 --seed 7 --listen 127.0.0.1:0
      another and larger company, on a free port
  barometer demo --exit --ascii > report.txt
      the report alone, in ASCII
  barometer demo --data-dir company --until 2026-01
      kept: run again, it continues with the same company";

/// Try the suite with a simulated company
///
/// Starts the whole suite in this process, with SQLite in a temporary directory that is removed at the end, imports two
/// years of a simulated company over gRPC, prints a report of its figures, and stays up until Ctrl-C. In some months of
/// the two years deliveries come late: the report shows what follows from that. The same seed, number of customers and
/// end of time make the same company.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DemoArgs {
    /// How many customers the company has in the two years, 100 to 200000
    #[arg(long, default_value_t = 3_000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(100..=200_000))]
    customers: u32,

    /// Chooses one of many companies
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,

    /// Where the two years end: a month or date (its first moment, in UTC) or an instant; now when absent
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: Option<Micros>,

    /// Address and port of this machine to listen on; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:7400", value_name = "ADDRESS:PORT", value_parser = loopback)]
    listen: SocketAddr,

    /// Directory to keep the data in: a new or empty one, or that of an earlier demo. A temporary one when absent
    #[arg(long, value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,

    /// Print the report and stop, instead of staying up
    #[arg(long)]
    exit: bool,

    /// Report in ASCII only
    #[arg(long)]
    ascii: bool,
}

impl DemoArgs {
    /// Runs the demo until Ctrl-C or SIGTERM, or until the report is printed.
    ///
    /// # Errors
    /// When the address is taken, the directory is not the demo's, or the suite does not work.
    pub async fn run(self) -> Result<(), Failure> {
        // The log would run across the report, if only to say that its own watches end.
        let quiet = TelemetryConfig { log_level: "error".to_owned(), ..TelemetryConfig::default() };
        let telemetry = telemetry::init(&quiet, "demo", env!("CARGO_PKG_VERSION"))
            .map_err(|error| Failure::internal(error.to_string()))?;
        let done = self.within(Shutdown::new()).await;
        telemetry.shutdown().await;
        done
    }

    async fn within(self, stop: Shutdown) -> Result<(), Failure> {
        let (directory, parameters) = Directory::open(self.data_dir.as_deref(), self.customers, self.seed, self.until)?;
        let company = Company::new(parameters).ok_or_else(|| Failure::usage("--until: is out of range"))?;
        let listener = server::bind(self.listen)
            .await
            .map_err(|error| Failure::unavailable(format!("{error}; --listen 127.0.0.1:0 takes a free port")))?;
        tokio::spawn({
            let stop = stop.clone();
            async move {
                if shutdown::signal().await.is_ok() {
                    stop.cancel();
                }
            }
        });
        let mut running = Running::start(directory.path(), listener, stop.clone()).await?;
        let shown = tokio::select! {
            shown = self.show(&company, &running, &directory) => shown,
            () = stop.cancelled() => Ok(()),
        };
        if shown.is_ok() && !self.exit {
            tokio::select! {
                () = stop.cancelled() => {}
                () = running.done() => {}
            }
        }
        stop.cancel();
        let ended = running.ended().await;
        shown.and(ended)
    }

    async fn show(&self, company: &Company, running: &Running, directory: &Directory) -> Result<(), Failure> {
        let endpoint = Endpoint::at(running.url());
        let loaded = load::load(&endpoint, company).await?;
        let figures = Figures::ask(&Suite::new(&endpoint)?, company.timeline(), &loaded.positions).await?;
        let report = Report { company, loaded: &loaded, figures: &figures, running, directory, args: self };
        output::print(|out| report.write(out))
    }
}

/// An end of the two years: not in the future, and not so long ago that dates of customers could not be told.
fn until(text: &str) -> Result<Micros, String> {
    let until =
        instant::boundary(text, &TimeZone::UTC).ok_or("expected a month, a date or an instant, as in 2026-01")?;
    let earliest = Micros(10 * 365 * Micros::DAY);
    if until < earliest || until > Micros::now() {
        return Err("must lie between 1980 and now".to_owned());
    }
    Ok(until)
}

/// An address that nobody else can reach: the demo takes facts from everybody.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "expected ADDRESS:PORT, as in 127.0.0.1:7400")?;
    if address.ip().is_loopback() { Ok(address) } else { Err("must be an address of this machine only".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_time_are_in_the_past() {
        assert_eq!(until("2026-01"), Ok(Micros(1_767_225_600_000_000)));
        assert!(until("1979-12").is_err() && until("2999").is_err() && until("soon").is_err());
    }

    #[test]
    fn nobody_else_can_reach_it() {
        assert!(loopback("127.0.0.1:0").is_ok() && loopback("[::1]:7400").is_ok());
        assert!(loopback("0.0.0.0:7400").is_err() && loopback("7400").is_err());
    }
}
