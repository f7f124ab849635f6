//! A service to try the chassis on, written by hand: requests and answers are single strings.

#![allow(dead_code, reason = "each test program uses a part of this")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use barometer_chassis::client::{self, Channel};
use barometer_chassis::config::{ClientConfig, ServerConfig};
use barometer_chassis::error::Error;
use barometer_chassis::health::Health;
use barometer_chassis::layers::{Deadline, Principal};
use barometer_chassis::server::{self, Server, ServerError};
use barometer_chassis::shutdown::Shutdown;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::server::NamedService;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

/// A server that runs until it is told to stop.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) health: Health,
    pub(crate) shutdown: Shutdown,
    pub(crate) served: JoinHandle<Result<(), ServerError>>,
}

impl Running {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The channel services call each other by.
    pub(crate) fn channel(&self) -> Channel {
        client::connect(&self.url(), &ClientConfig::default()).expect("an address")
    }

    /// A channel that adds nothing of ours.
    pub(crate) async fn plain_channel(&self) -> tonic::transport::Channel {
        let endpoint = tonic::transport::Endpoint::from_shared(self.url()).expect("an address");
        endpoint.connect().await.expect("a connection")
    }
}

/// Serves [`Probe`] on a free port.
pub(crate) async fn serve(config: ServerConfig) -> Running {
    let listener = server::bind(SocketAddr::from(([127, 0, 0, 1], 0)));
    let listener = listener.await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let mut server = Server::new(&config);
    server.add_service(Probe { url: format!("http://{address}"), ending: server.ending() });
    let health = server.health();
    let shutdown = Shutdown::new();
    let stop = shutdown.clone().into_cancelled();
    Running { address, health, shutdown, served: tokio::spawn(server.serve(listener, stop)) }
}

/// A configuration that stops fast.
pub(crate) fn config() -> ServerConfig {
    ServerConfig {
        drain_pause: Duration::from_millis(50),
        drain_timeout: Duration::from_secs(5),
        ..ServerConfig::default()
    }
}

/// Asks [`Probe`] one thing.
pub(crate) async fn ask<C>(channel: C, request: impl Into<Request<String>>) -> Result<String, Status>
where
    C: GrpcService<Body, Error: std::error::Error + Send + Sync + 'static>,
    C::ResponseBody: http_body::Body<Data = bytes::Bytes, Error: Into<tonic::codegen::StdError>>,
    C::ResponseBody: Send + 'static,
{
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.expect("a channel that is ready");
    let path = http::uri::PathAndQuery::from_static("/test.v1.ProbeService/Ask");
    let answer = client.unary(request.into(), path, ProstCodec::<String, String>::default()).await?;
    Ok(answer.into_inner())
}

/// Watches [`Probe`].
pub(crate) async fn watch(channel: Channel) -> Result<tonic::Streaming<String>, Status> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.expect("a channel that is ready");
    let path = http::uri::PathAndQuery::from_static("/test.v1.ProbeService/WatchThings");
    let request = Request::new(String::new());
    let answer = client.server_streaming(request, path, ProstCodec::<String, String>::default()).await?;
    Ok(answer.into_inner())
}

/// What a service is to the chassis.
#[derive(Clone)]
pub(crate) struct Probe {
    /// Where it serves itself.
    url: String,
    ending: Shutdown,
}

impl NamedService for Probe {
    const NAME: &'static str = "test.v1.ProbeService";
}

impl Probe {
    async fn ask(self, request: Request<String>) -> Result<Response<String>, Status> {
        let deadline = Deadline::of(&request);
        let principal = Principal::of(&request);
        let (metadata, _, word) = request.into_parts();
        let answer = match word.as_str() {
            "deadline" => format!("{:?}", deadline.map(|deadline| deadline.remaining().as_secs())),
            "principal" => principal.to_string(),
            "traceparent" => match metadata.get("traceparent") {
                Some(value) => value.to_str().expect("ASCII").to_owned(),
                None => String::new(),
            },
            "hang" => std::future::pending().await,
            "soon" => {
                tokio::time::sleep(Duration::from_millis(200)).await;
                "done".to_owned()
            }
            "panic" => panic!("as asked"),
            "fail" => return Err(Error::not_found("thing", "one").into()),
            word => {
                // Asks itself over the wire, as one service asks another.
                let word = word.strip_prefix("relay ").expect("a word we know");
                let channel = client::connect(&self.url, &ClientConfig::default());
                ask(channel.expect("an address"), Request::new(word.to_owned())).await?
            }
        };
        Ok(Response::new(answer))
    }

    async fn watch_things(
        self,
        _: Request<String>,
    ) -> Result<Response<BoxStream<'static, Result<String, Status>>>, Status> {
        let first = stream::iter([Ok("first".to_owned())]);
        let things = first.chain(stream::pending());
        let things = things.take_until(self.ending.into_cancelled());
        Ok(Response::new(things.boxed()))
    }
}

impl Service<http::Request<Body>> for Probe {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let probe = self.clone();
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<String, String>::default());
            Ok(match request.uri().path() {
                "/test.v1.ProbeService/Ask" => {
                    let ask = service_fn(move |request| probe.clone().ask(request));
                    grpc.unary(ask, request).await
                }
                "/test.v1.ProbeService/WatchThings" => {
                    let watch = service_fn(move |request| probe.clone().watch_things(request));
                    grpc.server_streaming(watch, request).await
                }
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}
