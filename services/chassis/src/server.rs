//! The server every process runs: its layers, health, reflection, and how it stops.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use prost::{DecodeError, Message};
use prost_types::FileDescriptorSet;
use tokio::net::{TcpListener, TcpStream};
use tonic::codec::CompressionEncoding;
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;
use tower::Service;

use crate::config::ServerConfig;
use crate::health::Health;
use crate::layers::deadline::Enforce;
use crate::layers::explain::Explain;
use crate::layers::panic::CatchPanic;
use crate::layers::principal::Identify;
use crate::layers::shed::Shed;
use crate::layers::trace::Trace;
use crate::layers::{Request, Response, around};
use crate::shutdown::Shutdown;
use crate::telemetry;

/// A gRPC server that is being put together: add services and descriptors, then [`serve`](Self::serve).
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
    routes: RoutesBuilder,
    descriptors: Vec<&'static [u8]>,
    health: Health,
    ending: Shutdown,
}

/// How messages are compressed for callers that take it, and by those that do it.
pub const COMPRESSION: CompressionEncoding = CompressionEncoding::Gzip;

/// Adds a generated service to a [`Server`](crate::server::Server), with the limit of messages
/// ([`ServerConfig::max_message_bytes`](crate::config::ServerConfig::max_message_bytes)) and the compression that all have, in
/// both directions: generated code has no common name for them.
#[macro_export]
macro_rules! add_service {
    ($server:expr, $service:expr) => {{
        let most_bytes = $server.config().max_message_bytes;
        $server.add_service(
            $service
                .max_decoding_message_size(most_bytes)
                .max_encoding_message_size(most_bytes)
                .accept_compressed($crate::server::COMPRESSION)
                .send_compressed($crate::server::COMPRESSION),
        )
    }};
}

/// Why a server could not be started, or not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address is taken, not ours, or not allowed.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A descriptor set is not one.
    #[error("cannot describe the services: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The server broke.
    #[error("the server failed: {0}")]
    Serve(#[from] tonic::transport::Error),
}

/// Listens on `address`; port 0 takes a free one, which the listener's `local_addr` tells.
///
/// # Errors
/// [`ServerError::Bind`] when that cannot be had.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|source| ServerError::Bind { address, source })
}

impl Server {
    /// A server without services.
    pub fn new(config: &ServerConfig) -> Self {
        Self {
            config: config.clone(),
            routes: RoutesBuilder::default(),
            descriptors: Vec::new(),
            health: Health::default(),
            ending: Shutdown::new(),
        }
    }

    /// Where services say whether they are ready.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Cancelled when this server stops, after load balancers had time to notice and before it waits for its calls: watch
    /// streams end then.
    pub fn ending(&self) -> Shutdown {
        self.ending.clone()
    }

    /// What it was configured with.
    pub fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// Adds a service as it is, NOT_SERVING until [`Health::set`] says otherwise. A generated one is added by [`add_service!`],
    /// with its limits.
    ///
    /// [`add_service!`]: crate::add_service
    pub fn add_service<S>(&mut self, service: S) -> &mut Self
    where
        S: Service<Request, Response = Response, Error = Infallible, Future: Send>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.health.set(S::NAME, false);
        self.routes.add_service(service);
        self
    }

    /// Adds an encoded `FileDescriptorSet` to what reflection tells.
    pub fn add_descriptors(&mut self, encoded: &'static [u8]) -> &mut Self {
        self.descriptors.push(encoded);
        self
    }

    /// Serves calls on `listener` until `shutdown` returns, then stops: reports NOT_SERVING, keeps serving for
    /// `drain_pause`, ends watch streams, tells callers to go elsewhere and waits for their calls. Returns once all have
    /// ended, at the latest `drain_timeout` after `shutdown`: a caller that hangs must not keep the process.
    ///
    /// # Errors
    /// When a descriptor set is not one, or the server breaks.
    pub async fn serve(
        mut self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), ServerError> {
        self.add_plumbing()?;
        let config = &self.config;
        let stopping = Shutdown::new();
        let stop = async {
            shutdown.await;
            stopping.cancel();
            self.health.drain();
            tracing::info!("stopping: not ready any more");
            tokio::time::sleep(config.drain_pause).await;
            self.ending.cancel();
        };
        let give_up = async {
            stopping.cancelled().await;
            tokio::time::sleep(config.drain_timeout).await;
        };

        if let Ok(address) = listener.local_addr() {
            tracing::info!(%address, "serving");
        }
        let serving = transport(config)
            .layer(around(Trace::new(&telemetry::meter())))
            .layer(around(Explain))
            .layer(around(CatchPanic))
            .layer(around(Identify))
            .layer(around(Shed::new(config.max_concurrent_requests, config.max_watches)))
            .layer(around(Enforce {
                max: config.max_deadline,
                exempt: |method| method.is_long_lived() || method.is_plumbing(),
            }))
            .add_routes(self.routes.routes())
            .serve_with_incoming_shutdown(connections(listener), stop);

        tokio::select! {
            result = serving => result?,
            () = give_up => {
                tracing::warn!("gave up waiting for calls to end");
            }
        }
        tracing::info!("stopped");
        Ok(())
    }

    /// Health, and reflection in both versions that are in use: of the services, and of the details that errors carry.
    fn add_plumbing(&mut self) -> Result<(), ServerError> {
        let limit = self.config.max_message_bytes;
        let details = error_details().map_err(tonic_reflection::server::Error::DecodeError)?;
        let reflection = || {
            self.descriptors.iter().fold(
                tonic_reflection::server::Builder::configure()
                    .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                    .register_file_descriptor_set(details.clone()),
                |builder, encoded| builder.register_encoded_file_descriptor_set(encoded),
            )
        };
        let v1 = reflection().build_v1()?;
        let v1alpha = reflection().build_v1alpha()?;
        let health = self.health.server(self.ending.clone());
        self.routes
            .add_service(health.max_decoding_message_size(limit))
            .add_service(v1.max_decoding_message_size(limit).accept_compressed(COMPRESSION))
            .add_service(v1alpha.max_decoding_message_size(limit).accept_compressed(COMPRESSION));
        Ok(())
    }
}

/// What the details of errors are, which no message of the contract names: they travel packed, in a status. The files are
/// named as in every other copy of them.
fn error_details() -> Result<FileDescriptorSet, DecodeError> {
    let mut details = FileDescriptorSet::decode(tonic_types::pb::FILE_DESCRIPTOR_SET)?;
    for file in details.file.iter_mut().filter(|file| file.package() == "google.rpc") {
        file.name = Some(format!("google/rpc/{}", file.name()));
    }
    Ok(details)
}

fn transport(config: &ServerConfig) -> tonic::transport::Server {
    // One connection may use everything there is: what is too much is refused by a layer, with a status, instead of
    // waiting unseen at the caller.
    let streams = config.max_concurrent_requests.saturating_add(config.max_watches).saturating_add(PLUMBING_STREAMS);
    let server = tonic::transport::Server::builder()
        .max_concurrent_streams(streams)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keepalive_interval(Some(config.keepalive))
        .http2_keepalive_timeout(Some(config.keepalive_timeout));
    match config.max_connection_age {
        Some(age) => server.max_connection_age(age),
        None => server,
    }
}

/// Streams of one connection that are left for health and reflection when all others are in use.
const PLUMBING_STREAMS: u32 = 16;

/// Bytes in flight to us on one stream, and on one connection: a stream that nobody reads for a while must leave room for
/// the others.
pub(crate) const STREAM_WINDOW: u32 = 1024 * 1024;
pub(crate) const CONNECTION_WINDOW: u32 = 16 * STREAM_WINDOW;

/// The connections that callers make, without Nagle's delay.
fn connections(listener: TcpListener) -> impl Stream<Item = io::Result<TcpStream>> {
    stream::unfold(listener, async |listener| {
        loop {
            match listener.accept().await {
                Ok((connection, _)) => {
                    if let Err(error) = connection.set_nodelay(true) {
                        // The caller is gone already.
                        tracing::debug!(%error, "TCP_NODELAY");
                    }
                    return Some((Ok(connection), listener));
                }
                Err(error) => {
                    // Mostly too many open files, which stays so for a while: no busy loop.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_BACKOFF).await;
                }
            }
        }
    })
}

const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);
