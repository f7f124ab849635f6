//! Where the suite is, and the connection to it.

use std::time::Duration;

use barometer_chassis::client::{self, Channel};
use barometer_chassis::config::ClientConfig;
use clap::Args;
use tonic::Request;

use crate::failure::Failure;

/// How long the answer to one request may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// Where the suite is.
#[derive(Debug, Clone, Args)]
pub struct Endpoint {
    /// Address of a running suite
    #[arg(long, env = "BAROMETER_ENDPOINT", default_value = "http://127.0.0.1:7400", value_name = "URL")]
    endpoint: String,
}

impl Endpoint {
    /// A suite at this address.
    pub fn at(url: &str) -> Self {
        Self { endpoint: url.to_owned() }
    }

    /// A channel to the suite. It connects when it is first used.
    ///
    /// # Errors
    /// When the address is none.
    pub fn connect(&self) -> Result<Channel, Failure> {
        client::connect(&self.url(), &ClientConfig::default())
            .map_err(|error| Failure::usage(format!("--endpoint: {error}")))
    }

    /// The address, with its scheme.
    pub fn url(&self) -> String {
        if self.endpoint.contains("://") { self.endpoint.clone() } else { format!("http://{}", self.endpoint) }
    }
}

/// A request with the deadline that commands set.
pub(crate) fn request<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}
