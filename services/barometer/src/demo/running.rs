//! The suite in this process.

use std::{path::Path, time::Duration};

use barometer_chassis::{
    config::{ClientConfig, ServerConfig, TelemetryConfig},
    shutdown::Shutdown,
    writer::DEFAULT_QUEUE,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    failure::Failure,
    serve::{ServeArgs, What, serve},
};

/// A whole suite that serves.
pub(super) struct Running {
    url: String,
    task: JoinHandle<Result<(), Failure>>,
    /// What came of the task.
    outcome: Option<Result<(), Failure>>,
}

impl Running {
    /// Starts it with its data in a directory; it ends after `stop`. Nothing comes from the environment: the demo touches
    /// no database of a real suite.
    pub(super) async fn start(data: &Path, listener: TcpListener, stop: Shutdown) -> Result<Self, Failure> {
        let address = listener.local_addr().map_err(|error| Failure::internal(error.to_string()))?;
        let args = ServeArgs {
            what: What::All,
            data_dir: data.to_owned(),
            database_url: None,
            customers_endpoint: None,
            surveys_endpoint: None,
            complaints_endpoint: None,
            journey_stages: ServeArgs::default_stages()?,
            reopen_window: 30,
            priority_table: Default::default(),
            promise_lead: 24,
            value_bands: Default::default(),
            webhook_allow_private: false,
            webhook_ca_file: None,
            write_queue: DEFAULT_QUEUE,
            port_file: None,
            server: ServerConfig {
                listen: address,
                // No load balancer has to notice.
                drain_pause: Duration::ZERO,
                drain_timeout: Duration::from_secs(3),
                ..ServerConfig::default()
            },
            metrics: barometer_metrics::Config::default(),
            client: ClientConfig::default(),
            telemetry: TelemetryConfig::default(),
        };
        let (opened, is_open) = oneshot::channel();
        let ready = move || {
            // Nobody waits any more when it was stopped before.
            let _ = opened.send(());
            Ok(())
        };
        let task = tokio::spawn(serve(args, listener, stop, ready));
        let mut running = Self { url: format!("http://{address}"), task, outcome: None };
        if is_open.await.is_err() {
            running.ended().await?;
        }
        Ok(running)
    }

    /// Where it listens.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns when it has ended; what came of it is told by [`ended`](Self::ended).
    pub(super) async fn done(&mut self) {
        if self.outcome.is_none() {
            let joined = (&mut self.task).await;
            self.outcome = Some(joined.unwrap_or_else(|_| Err(Failure::internal("the suite broke"))));
        }
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&mut self) -> Result<(), Failure> {
        self.done().await;
        self.outcome.take().unwrap_or(Ok(()))
    }
}
