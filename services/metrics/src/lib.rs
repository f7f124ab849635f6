//! The metrics service: figures folded from the facts of the other services.
//!
//! It owns nothing but a snapshot that it can do without. It watches the customers, the surveys and the complaints
//! service and keeps their facts in [`columns`]; [`fold`] keeps them current, [`query`] makes figures of them by the definitions in
//! [`rules`], and [`catalogue`] names every metric; [`analysis`] makes tables and curves, and compares figures; [`export`] makes
//! files of facts and figures. A request goes from [`service`] (parse, act, render) to the query, the analysis or the export.

mod analysis;
mod catalogue;
mod columns;
mod export;
mod fold;
pub mod memory;
mod query;
pub mod rules;
mod service;
mod wire;

use std::{path::Path, sync::Arc, time::Duration};

use barometer_chassis::{
    client::Channel,
    config::{Problem, ServerConfig},
    error::Error,
    server::Server,
    shutdown::Shutdown,
};
use barometer_proto::metrics::v1::{
    analysis_service_server::{self, AnalysisServiceServer},
    export_service_server::{self, ExportServiceServer},
    figure_service_server::{self, FigureServiceServer},
    metrics_service_server::{self, MetricsServiceServer},
};
use clap::Args;
use jiff::tz::TimeZone;
use tokio::task::JoinHandle;
use tonic::codec::CompressionEncoding;

use crate::{
    fold::{Fold, snapshot::Snapshots},
    query::Zones,
    service::export::Exports,
};

/// The service's name: of its directory.
pub const NAME: &str = "metrics";
/// The name of its first gRPC service.
pub const GRPC_NAME: &str = metrics_service_server::SERVICE_NAME;
/// The names under which its health is reported: they are of one fold.
pub const GRPC_NAMES: [&str; 4] = [
    GRPC_NAME,
    analysis_service_server::SERVICE_NAME,
    export_service_server::SERVICE_NAME,
    figure_service_server::SERVICE_NAME,
];

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

    /// Figures made of fewer things than this are not told: a courtesy to those few, not anonymity; 0: all are
    #[arg(long, env = "BAROMETER_MINIMUM_SAMPLE", default_value = "0", value_name = "THINGS")]
    pub minimum_sample: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            reporting_time_zone: "UTC".to_owned(),
            snapshot_every_facts: 1_000_000,
            snapshot_every_seconds: 300,
            concurrent_queries: 4,
            minimum_sample: 0,
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
        problems
    }
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

/// Opens the fold with its snapshot in `data_dir`, adds the service to `server` and begins to follow the feeds.
///
/// The handle ends after `shutdown`, when the last snapshot is written.
///
/// # Errors
/// When the reporting zone is none, or the directory cannot be made.
pub fn add(
    config: &Config,
    data_dir: &Path,
    upstreams: Upstreams,
    server: &mut Server,
    limits: &ServerConfig,
    shutdown: Shutdown,
) -> Result<JoinHandle<()>, Error> {
    let zones = Zones::new(&config.reporting_time_zone).map_err(|error| Error::Internal(error.to_string()))?;
    let every_time = Duration::from_secs(config.snapshot_every_seconds);
    let snapshots = Snapshots::new(&data_dir.join(NAME), config.snapshot_every_facts, every_time)
        .map_err(|error| Error::Internal(format!("{}: {error}", data_dir.display())))?;
    let fold = Arc::new(Fold::open(snapshots));
    fold.observe();

    let queries = usize::from(config.concurrent_queries.max(1));
    let watches = service::Watches::new(limits.max_watches, server.ending());
    let (bytes, sample) = (limits.max_message_bytes, config.minimum_sample);
    let service = service::Metrics::new(Arc::clone(&fold), zones, queries, bytes, sample, watches);
    let analyses = AnalysisServiceServer::new(service.clone())
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    server.add_service(analyses);
    let figures = FigureServiceServer::new(service.clone())
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    server.add_service(figures);
    let exports = Exports::new(service.clone(), upstreams.clone(), server.ending());
    let service = MetricsServiceServer::new(service)
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    server.add_service(service);
    let exports = ExportServiceServer::new(exports)
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    server.add_service(exports);
    let health = server.health();
    let mut ready = fold.readiness();
    tokio::spawn(async move {
        loop {
            let is_ready = *ready.borrow_and_update();
            GRPC_NAMES.into_iter().for_each(|name| health.set(name, is_ready));
            if ready.changed().await.is_err() {
                return;
            }
        }
    });
    Ok(tokio::spawn(fold.run(upstreams, server.ending(), shutdown)))
}
