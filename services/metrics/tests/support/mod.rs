//! A world for tests: a metrics service over three sources that are real gRPC servers with feeds written by the test.

mod facts;
mod feed;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use barometer_chassis::{
    client::{self, Channel},
    config::{ClientConfig, ServerConfig},
    database::Location,
    server::{self, Server},
    shutdown::Shutdown,
};
use barometer_metrics::{Config, Directory, Storage, Upstreams};
use barometer_proto::metrics::v1::{
    self as wire, figure_service_client::FigureServiceClient, metrics_service_client::MetricsServiceClient,
    verification_service_client::VerificationServiceClient,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tonic::Status;
use tonic_types::StatusExt;

pub use self::{facts::*, feed::Feed};

pub type Client = MetricsServiceClient<Channel>;

/// The sources and the directory of a metrics service.
pub struct World {
    pub customers: Feed<barometer_proto::customers::v1::Fact>,
    pub surveys: Feed<barometer_proto::surveys::v1::Fact>,
    pub complaints: Feed<barometer_proto::complaints::v1::Fact>,
    pub directory: TempDir,
    upstreams: Upstreams,
    /// How many there were.
    databases: AtomicU32,
    _sources: Shutdown,
}

/// A running metrics service.
pub struct Metrics {
    pub client: Client,
    pub figures: FigureServiceClient<Channel>,
    pub verifications: VerificationServiceClient<Channel>,
    pub health: barometer_chassis::health::Health,
    shutdown: Shutdown,
    fold: JoinHandle<()>,
    server: JoinHandle<()>,
}

impl World {
    pub async fn new() -> Self {
        let (customers, surveys, complaints) = (Feed::new("customers"), Feed::new("surveys"), Feed::new("complaints"));
        let sources = Shutdown::new();
        let upstreams = Upstreams {
            customers: serve(customers.clone(), &sources).await,
            surveys: serve(surveys.clone(), &sources).await,
            complaints: serve(complaints.clone(), &sources).await,
        };
        let directory = tempfile::tempdir().expect("a directory");
        World { customers, surveys, complaints, directory, upstreams, databases: AtomicU32::new(0), _sources: sources }
    }

    pub async fn start(&self) -> Metrics {
        self.start_with(&Config::default()).await
    }

    pub async fn start_with(&self, config: &Config) -> Metrics {
        let limits = quick();
        let mut server = Server::new(&limits);
        let shutdown = Shutdown::new();
        let directory = Directory::claim(self.directory.path()).expect("nobody uses it");
        // Who is killed in this process gives his database back when all of it has ended, and nothing here asks for it.
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let location = Location::Directory(self.directory.path().join(format!("database-{number}")));
        let storage = Storage { location, write_queue: 1_000, directory };
        let fold = barometer_metrics::add(config, storage, self.upstreams.clone(), &mut server, shutdown.clone());
        let fold = fold.await.expect("metrics");
        let health = server.health();
        let (channel, server) = listen(server, &shutdown).await;
        let figures = FigureServiceClient::new(channel.clone());
        let verifications = VerificationServiceClient::new(channel.clone());
        let client = MetricsServiceClient::new(channel);
        Metrics { client, figures, verifications, health, shutdown, fold, server }
    }
}

impl Metrics {
    /// Stops as on SIGTERM.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.fold.await.expect("the fold ends");
        self.server.await.expect("the server ends");
    }

    /// Ends at once, as on SIGKILL, and waits until it is gone.
    pub async fn kill(self) {
        self.fold.abort();
        self.server.abort();
        drop((self.fold.await, self.server.await));
    }

    pub async fn query(&self, request: wire::QueryMetricsRequest) -> Result<wire::QueryMetricsResponse, Status> {
        self.client.clone().query_metrics(request).await.map(tonic::Response::into_inner)
    }

    /// The value of the only row of one metric, once the tokens are included.
    pub async fn value(&self, metric: &str, at_least: &[&String]) -> Option<f64> {
        let answer = self.query(ask(metric, at_least)).await.expect("an answer");
        assert_eq!(answer.results[0].rows.len(), 1, "{answer:?}");
        answer.results[0].rows[0].value
    }

    pub async fn fold(&self) -> wire::Fold {
        self.client.clone().get_fold(wire::GetFoldRequest {}).await.expect("the fold").into_inner()
    }

    /// Waits until the fold is so, for ten seconds.
    pub async fn until(&self, so: impl Fn(&wire::Fold) -> bool) -> wire::Fold {
        for _ in 0..1_000 {
            let fold = self.fold().await;
            if so(&fold) {
                return fold;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it never came: {:?}", self.fold().await);
    }
}

/// A query for one metric over all time.
pub fn ask(metric: &str, at_least: &[&String]) -> wire::QueryMetricsRequest {
    wire::QueryMetricsRequest {
        metrics: vec![metric.to_owned()],
        at_least: at_least.iter().map(|token| (*token).clone()).collect(),
        ..Default::default()
    }
}

/// The reason of an error.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// The fields that an error names.
pub fn fields(status: &Status) -> Vec<String> {
    let bad = status.get_details_bad_request();
    bad.into_iter().flat_map(|bad| bad.field_violations).map(|violation| violation.field).collect()
}

async fn serve<F: feed::Fact>(feed: Feed<F>, shutdown: &Shutdown) -> Channel {
    let mut server = Server::new(&quick());
    server.add_service(feed);
    listen(server, shutdown).await.0
}

async fn listen(server: Server, shutdown: &Shutdown) -> (Channel, JoinHandle<()>) {
    let listener = server::bind("127.0.0.1:0".parse().expect("an address")).await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let shutdown = shutdown.clone();
    let serving =
        tokio::spawn(async move { server.serve(listener, shutdown.into_cancelled()).await.expect("serving") });
    (client::connect(&address, &ClientConfig::default()).expect("a channel"), serving)
}

fn quick() -> ServerConfig {
    ServerConfig {
        drain_pause: Duration::from_millis(1),
        drain_timeout: Duration::from_millis(500),
        ..Default::default()
    }
}

/// Keeps what a test shares with its feeds.
pub type Shared<T> = Arc<std::sync::Mutex<T>>;
