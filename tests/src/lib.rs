//! Whole suites for tests: started as `barometer serve` starts them, on a database and a port of their own.

pub mod process;
pub mod receiver;
pub mod samples;
pub mod services;
pub mod wire;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use barometer::serve::{ServeArgs, serve};
use barometer_chassis::{
    server,
    shutdown::Shutdown,
    testing::{TestDatabase, on_each_database},
};
use barometer_proto::{
    complaints::v1::complaint_service_client::ComplaintServiceClient,
    customers::v1::customer_service_client::CustomerServiceClient,
    metrics::v1::metrics_service_client::MetricsServiceClient, surveys::v1::survey_service_client::SurveyServiceClient,
};
use clap::Parser;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

/// A running suite, with clients for all of it.
pub struct Suite {
    /// `http://127.0.0.1:port`.
    pub endpoint: String,
    /// Client of the customers service.
    pub customers: CustomerServiceClient<Channel>,
    /// Client of the surveys service.
    pub surveys: SurveyServiceClient<Channel>,
    /// Client of the complaints service.
    pub complaints: ComplaintServiceClient<Channel>,
    /// Client of the metrics service.
    pub metrics: MetricsServiceClient<Channel>,
    stop: Shutdown,
    task: Option<JoinHandle<()>>,
}

/// `serve` as a command line of its own.
#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    serve: ServeArgs,
}

impl Suite {
    /// Starts the whole suite on a database.
    pub async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, &[]).await
    }

    /// The same with more flags.
    pub async fn start_with(database: &TestDatabase, flags: &[&str]) -> Self {
        Self::start_at(database.postgres_url().as_deref(), database.directory(), flags).await
    }

    /// Starts the whole suite on PostgreSQL at a URL, or on SQLite, with a data directory.
    pub async fn start_at(url: Option<&str>, data: &Path, flags: &[&str]) -> Self {
        let data = data.to_string_lossy();
        let mut line = vec!["serve", "--listen", "127.0.0.1:0", "--drain-pause", "1ms", "--data-dir", &data];
        if let Some(url) = url {
            line.extend(["--database-url", url]);
        }
        line.extend(flags);
        let args = Line::try_parse_from(line).expect("flags of a test").serve;
        assert!(args.validate().is_empty(), "flags of a test: {:?}", args.validate());
        let listener = server::bind(args.server.listen).await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
        let stop = Shutdown::new();
        let task = tokio::spawn({
            let stop = stop.clone();
            async move { serve(args, listener, stop, || Ok(())).await.expect("the suite serves") }
        });
        let suite = Suite { stop, task: Some(task), ..Suite::at(|_| endpoint.clone()) };
        suite.ready().await;
        suite
    }

    /// A suite that runs already: where, by the name of the service.
    fn at(endpoint_of: impl Fn(&str) -> String) -> Self {
        let channel = |service| Channel::from_shared(endpoint_of(service)).expect("a URL").connect_lazy();
        Suite {
            endpoint: endpoint_of(barometer_metrics::NAME),
            customers: CustomerServiceClient::new(channel(barometer_customers::NAME)),
            surveys: SurveyServiceClient::new(channel(barometer_surveys::NAME)),
            complaints: ComplaintServiceClient::new(channel(barometer_complaints::NAME)),
            metrics: MetricsServiceClient::new(channel(barometer_metrics::NAME)),
            stop: Shutdown::new(),
            task: None,
        }
    }

    /// Stops the suite as SIGTERM would and waits until it is gone.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            task.await.expect("the suite ends in order");
        }
    }

    /// Waits until figures are served.
    async fn ready(&self) {
        let ready = async || {
            let request = barometer_proto::metrics::v1::QueryMetricsRequest {
                metrics: vec!["responses".to_owned()],
                ..Default::default()
            };
            self.metrics.clone().query_metrics(request).await.is_ok()
        };
        eventually("the suite is ready", ready).await;
    }
}

/// Runs a test on a suite of its own on each database; or once, on the suite that `BAROMETER_TEST_SUITE` says where to find:
/// `customers=http://…,surveys=http://…,complaints=http://…,metrics=http://…`.
pub async fn on_each_suite(test: impl AsyncFn(&Suite)) {
    let Some(endpoints) = running_suite() else {
        on_each_database(async |database| {
            let suite = Suite::start(database).await;
            test(&suite).await;
            suite.stop().await;
        })
        .await;
        return;
    };
    let suite = Suite::at(|service| {
        let endpoint = endpoints.split(',').find_map(|pair| pair.strip_prefix(service)?.strip_prefix('='));
        endpoint.unwrap_or_else(|| panic!("no {service} in {endpoints}")).to_owned()
    });
    suite.ready().await;
    test(&suite).await;
}

#[allow(clippy::disallowed_methods, reason = "the settings of the tests are variables")]
fn running_suite() -> Option<String> {
    std::env::var("BAROMETER_TEST_SUITE").ok().filter(|endpoints| !endpoints.is_empty())
}

/// Asks again and again until it is so, for at most 30 seconds.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
