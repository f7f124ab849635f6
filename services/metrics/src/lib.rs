//! The metrics service: figures folded from the facts of the other services.
//!
//! It owns the metrics that users define, in its database, and a snapshot that it can do without. It watches the
//! customers, the surveys and the complaints service and keeps their facts in [`columns`]; [`fold`] keeps them current.
//! [`catalogue`] names every metric, with those of [`definitions`]; [`query`] asks the metric's function in
//! [`measures`] for its figures, by the formulas in [`rules`]; [`analysis`] makes tables and curves, and compares
//! figures; [`export`] makes files of facts and figures; [`verification`] computes figures again and compares them. A
//! request goes from [`service`] (parse, act, render) to the query, the analysis, the export or the verification.

mod analysis;
mod catalogue;
mod columns;
mod definition;
mod definition_version;
mod definitions;
mod directory;
mod export;
mod fold;
mod measures;
pub mod memory;
mod migrations;
mod query;
pub mod rules;
mod service;
mod store;
mod verification;
mod wire;

use std::{io, path::Path, sync::Arc, time::Duration};

use barometer_chassis::{
    add_service,
    client::Channel,
    config::{Problem, duration},
    database::Location,
    error::Error,
    health::Health,
    server::Server,
    shutdown::Shutdown,
    store::Store,
};
use barometer_proto::metrics::v1::{
    analysis_service_server::{self, AnalysisServiceServer},
    definition_service_server::{self, DefinitionServiceServer},
    export_service_server::{self, ExportServiceServer},
    figure_service_server::{self, FigureServiceServer},
    metrics_service_server::{self, MetricsServiceServer},
    verification_service_server::{self, VerificationServiceServer},
};
use clap::Args;
use jiff::tz::TimeZone;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinHandle,
};

pub use crate::directory::Directory;
use crate::{
    columns::cold::ColdFiles,
    definitions::Definitions,
    fold::{Fold, snapshot::Snapshots},
    query::Zones,
    service::{export::Exports, verification::Verifications},
    verification::{Verifier, schedule::Schedule},
};

/// The service's name: of its directory.
pub const NAME: &str = "metrics";
/// The name of its first gRPC service.
pub const GRPC_NAME: &str = metrics_service_server::SERVICE_NAME;
/// The names under which its health is reported: that of definitions is its database's, all others are of one fold.
pub const GRPC_NAMES: [&str; 6] = [
    GRPC_NAME,
    analysis_service_server::SERVICE_NAME,
    definition_service_server::SERVICE_NAME,
    export_service_server::SERVICE_NAME,
    figure_service_server::SERVICE_NAME,
    verification_service_server::SERVICE_NAME,
];

const SECOND: Duration = Duration::from_secs(1);
const YEAR: Duration = Duration::from_secs(366 * 24 * 3_600);

/// How figures are made.
#[derive(Clone, Debug, PartialEq, Args)]
#[command(next_help_heading = "Metrics")]
pub struct Config {
    /// Time zone that decides what a day is in figures, by its IANA name (as in Europe/Chisinau); queries may name another
    #[arg(long, env = "BAROMETER_REPORTING_TIME_ZONE", default_value = "UTC", value_name = "ZONE")]
    pub reporting_time_zone: String,

    /// A snapshot of the figures is written after so many facts
    #[arg(long, env = "BAROMETER_SNAPSHOT_EVERY_FACTS", default_value = "1000000", value_name = "FACTS")]
    pub snapshot_every_facts: u64,

    /// A snapshot of the figures is written after so many seconds in which facts came
    #[arg(long, env = "BAROMETER_SNAPSHOT_EVERY_SECONDS", default_value = "300", value_name = "SECONDS")]
    pub snapshot_every_seconds: u64,

    /// Queries computed at the same time; more wait
    #[arg(long, env = "BAROMETER_CONCURRENT_QUERIES", default_value = "4", value_name = "QUERIES")]
    pub concurrent_queries: u16,

    /// MiB of columns that no figure reads which may be in memory, 32 bytes a fact; beyond, they go into memory-mapped files
    #[arg(long, env = "BAROMETER_COLD_COLUMNS_MEMORY", default_value = "1024", value_name = "MIB")]
    pub cold_columns_memory: u32,

    /// Figures made of fewer things than this are not told: a courtesy to those few, not anonymity; 0: all are
    #[arg(long, env = "BAROMETER_MINIMUM_SAMPLE", default_value = "0", value_name = "THINGS")]
    pub minimum_sample: u64,

    /// Time between verifications: figures are computed again from the facts, and a difference is told; 0s: never. While one runs,
    /// the facts are held a second time
    #[arg(long, env = "BAROMETER_VERIFY_EVERY", default_value = "24h", value_name = "TIME", value_parser = duration)]
    pub verify_every: Duration,

    /// The metrics that are verified so; all that are built in when none is named
    #[arg(long, env = "BAROMETER_VERIFY_METRICS", value_name = "METRIC,METRIC,…", value_delimiter = ',')]
    pub verify_metrics: Vec<String>,

    /// Figures of more facts than this are not verified
    #[arg(long, env = "BAROMETER_VERIFY_MOST_FACTS", default_value = "10000000", value_name = "FACTS")]
    pub verify_most_facts: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            reporting_time_zone: "UTC".to_owned(),
            snapshot_every_facts: 1_000_000,
            snapshot_every_seconds: 300,
            concurrent_queries: 4,
            cold_columns_memory: 1_024,
            minimum_sample: 0,
            verify_every: Duration::from_secs(24 * 3_600),
            verify_metrics: Vec::new(),
            verify_most_facts: 10_000_000,
        }
    }
}

impl Config {
    /// Everything that is wrong with these values; empty when nothing is.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut check = |good: bool, flag: &'static str, message: String| {
            if !good {
                problems.push(Problem { flag, message });
            }
        };
        let zone = &self.reporting_time_zone;
        check(TimeZone::get(zone).is_ok(), "--reporting-time-zone", format!("{zone} is no IANA name of a time zone"));
        let at_least_one = || "must be at least 1".to_owned();
        check(self.snapshot_every_facts > 0, "--snapshot-every-facts", at_least_one());
        check(self.snapshot_every_seconds > 0, "--snapshot-every-seconds", at_least_one());
        check(self.concurrent_queries > 0, "--concurrent-queries", at_least_one());
        check(self.verify_most_facts > 0, "--verify-most-facts", at_least_one());
        let every = self.verify_every;
        let is_time = every.is_zero() || (SECOND..=YEAR).contains(&every);
        check(is_time, "--verify-every", format!("{every:?} is neither 0 nor between a second and a year"));
        // Those that users define are known to their database.
        let is_unknown = |name: &&String| catalogue::find(name).is_none() && definition::split(name).is_none();
        let unknown = self.verify_metrics.iter().find(is_unknown);
        let told = unknown.map(|name| format!("{name} is no metric")).unwrap_or_default();
        check(unknown.is_none(), "--verify-metrics", told);
        problems
    }
}

/// Where the service keeps what it keeps.
#[derive(Debug)]
pub struct Storage {
    /// Where its database is: the metrics that users define.
    pub location: Location,
    /// Rows that may wait to be written.
    pub write_queue: u32,
    /// Of snapshots and of columns in files.
    pub directory: Directory,
}

/// Where the services are whose facts are folded. They need not be there yet, nor ever: figures that need none of theirs
/// are answered without them.
#[derive(Clone, Debug)]
pub struct Upstreams {
    /// The customers service.
    pub customers: Channel,
    /// The surveys service.
    pub surveys: Channel,
    /// The complaints service.
    pub complaints: Channel,
}

/// Opens the database, and the fold with its snapshot, adds the service to `server` and begins to follow the feeds.
///
/// The handle ends after `shutdown`, when the last snapshot is written, everything acknowledged, and the directory given back.
///
/// # Errors
/// When the reporting zone is none, the directory cannot be made, or the database can not be opened.
pub async fn add(
    config: &Config,
    storage: Storage,
    upstreams: Upstreams,
    server: &mut Server,
    shutdown: Shutdown,
) -> Result<JoinHandle<()>, Error> {
    let Storage { location, write_queue, directory } = storage;
    let opened = Store::open::<migrations::Migrator>(&location, NAME, Vec::new(), write_queue, shutdown.clone());
    let (store, writer) = opened.await?;
    let definitions = Definitions::new(store.clone());
    definitions.bring_up().await?;
    let zones = Zones::new(&config.reporting_time_zone).map_err(|error| Error::Internal(error.to_string()))?;
    let zones = Arc::new(zones);
    let fold = Arc::new(open_fold(config, directory.path())?);
    fold.observe();

    let places = Arc::new(Semaphore::new(usize::from(config.concurrent_queries.max(1))));
    let verifier = Verifier::new(fold.clone(), upstreams.clone(), places.clone(), config.verify_most_facts);
    let verifier = Arc::new(verifier);
    let metrics = service::Metrics {
        fold: fold.clone(),
        zones: zones.clone(),
        definitions: definitions.clone(),
        places,
        max_message_bytes: server.config().max_message_bytes,
        minimum_sample: config.minimum_sample,
        watches: service::Watches::new(server.config().max_watches, server.ending()),
    };
    let verifications = Verifications::new(metrics.clone(), verifier.clone(), server.ending());
    let exports = Exports::new(metrics.clone(), upstreams.clone(), server.ending());
    add_service!(server, MetricsServiceServer::new(metrics.clone()));
    add_service!(server, AnalysisServiceServer::new(metrics.clone()));
    add_service!(server, DefinitionServiceServer::new(metrics.clone()));
    add_service!(server, ExportServiceServer::new(exports));
    add_service!(server, FigureServiceServer::new(metrics));
    add_service!(server, VerificationServiceServer::new(verifications));
    store.report_health(server.health(), definition_service_server::SERVICE_NAME);
    tokio::spawn(report_health(fold.readiness(), server.health()));

    let schedule = Schedule {
        verifier,
        fold: fold.clone(),
        zones,
        definitions,
        minimum_sample: config.minimum_sample,
        every: config.verify_every,
        metrics: config.verify_metrics.clone(),
    };
    tokio::spawn(schedule.run(server.ending()));
    let following = fold.run(upstreams, server.ending(), shutdown);
    Ok(tokio::spawn(async move {
        following.await;
        if writer.await.is_err() {
            tracing::error!("the writer of definitions broke");
        }
        drop(directory);
    }))
}

/// The fold with what a directory has of it.
fn open_fold(config: &Config, directory: &Path) -> Result<Fold, Error> {
    let failed = |path: &Path, error: io::Error| Error::Internal(format!("{}: {error}", path.display()));
    let every_time = Duration::from_secs(config.snapshot_every_seconds);
    let snapshots = Snapshots::new(directory, config.snapshot_every_facts, every_time);
    let snapshots = snapshots.map_err(|error| failed(directory, error))?;
    let most_bytes = usize::try_from(u64::from(config.cold_columns_memory) << 20).unwrap_or(usize::MAX);
    let files = directory.join("columns");
    let cold = ColdFiles::new(&files, most_bytes).map_err(|error| failed(&files, error))?;
    Ok(Fold::open(snapshots, cold))
}

/// Keeps the health of what is answered from the fold as the fold's is, for as long as there is one.
async fn report_health(mut ready: watch::Receiver<bool>, health: Health) {
    loop {
        let is_ready = *ready.borrow_and_update();
        let of_fold = GRPC_NAMES.into_iter().filter(|name| *name != definition_service_server::SERVICE_NAME);
        of_fold.for_each(|name| health.set(name, is_ready));
        if ready.changed().await.is_err() {
            return;
        }
    }
}
