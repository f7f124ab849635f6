//! The chassis as callers meet it: a real server, real clients, one process.

mod probe;

use std::time::Duration;

use barometer_chassis::client::{self, RetryBudget};
use barometer_chassis::config::{ClientConfig, ServerConfig};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use probe::{ask, config, serve, watch};
use prost::Message;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout};
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;
use tracing_subscriber::layer::SubscriberExt;

const SERVICE: &str = "test.v1.ProbeService";
const SOON: Duration = Duration::from_secs(3);

fn word(word: &str) -> Request<String> {
    Request::new(word.to_owned())
}

fn within(time: Duration, word: &str) -> Request<String> {
    let mut request = Request::new(word.to_owned());
    request.set_timeout(time);
    request
}

#[tokio::test]
async fn a_call_past_its_deadline_is_answered_deadline_exceeded() {
    let server = serve(ServerConfig { max_deadline: Duration::from_millis(50), ..config() }).await;
    // The server's cap, seen by a caller that has no deadline of its own.
    let capped = ask(server.plain_channel().await, word("hang")).await;
    assert_eq!(capped.expect_err("no answer").code(), Code::DeadlineExceeded);
    // The caller's own, through the channel of the suite.
    let own = ask(server.channel(), within(Duration::from_millis(20), "hang")).await;
    assert_eq!(own.expect_err("no answer").code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn calls_pass_on_what_is_left_of_their_deadline() {
    let server = serve(config()).await;
    let channel = server.plain_channel().await;
    for (request, seconds) in [
        (word("deadline"), 25..=30),
        (word("relay deadline"), 25..=30),
        (within(Duration::from_secs(300), "deadline"), 25..=30),
        (within(Duration::from_secs(8), "relay relay deadline"), 3..=8),
    ] {
        let asked = request.get_ref().clone();
        let answer = ask(channel.clone(), request).await.expect("an answer");
        let left = answer.trim_start_matches("Some(").trim_end_matches(')');
        let left: u64 = left.parse().expect("a deadline");
        assert!(seconds.contains(&left), "{asked}: {left}");
    }
    // A call for nobody has the channel's own deadline.
    let answer = ask(server.channel(), word("deadline")).await;
    assert_eq!(answer.expect("an answer"), "Some(9)");
}

#[tokio::test]
async fn what_there_is_no_room_for_is_refused_at_once() {
    let server = serve(ServerConfig { max_concurrent_requests: 1, max_watches: 1, ..config() }).await;
    server.health.set(SERVICE, true);
    let channel = server.channel();
    let _watch = watch(channel.clone()).await.expect("a watch");
    let second = watch(channel.clone()).await.expect_err("no room");
    assert_eq!(second.code(), Code::ResourceExhausted);

    let hanging = tokio::spawn(ask(channel.clone(), word("hang")));
    let refused = loop {
        // Until the call that hangs has arrived, there is room.
        if let Err(refused) = ask(channel.clone(), word("principal")).await {
            break refused;
        }
    };
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let details = refused.get_error_details();
    assert_eq!(details.error_info().expect("ErrorInfo").domain, "barometer");
    assert!(details.retry_info().expect("RetryInfo").retry_delay.is_some());
    assert_eq!(health(&server, "").await, Ok(ServingStatus::Serving));

    // The caller gives up: its room is free again.
    hanging.abort();
    let again = async {
        while ask(channel.clone(), word("principal")).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, again).await.expect("room");
}

#[tokio::test]
async fn a_panic_fails_one_call_only() {
    let server = serve(config()).await;
    let channel = server.channel();
    let waiting = tokio::spawn(ask(channel.clone(), word("soon")));
    let failed = ask(channel.clone(), word("panic")).await;
    assert_eq!(failed.expect_err("a panic").code(), Code::Internal);
    let answer = ask(channel, word("principal")).await;
    assert_eq!(answer.expect("an answer"), "anonymous");
    waiting.await.expect("no panic").expect("an answer");
}

#[tokio::test]
async fn health_follows_the_services() {
    let server = serve(config()).await;
    assert_eq!(health(&server, "").await, Ok(ServingStatus::NotServing));
    server.health.set(SERVICE, true);
    assert_eq!(health(&server, "").await, Ok(ServingStatus::Serving));
    assert_eq!(health(&server, SERVICE).await, Ok(ServingStatus::Serving));
    assert_eq!(health(&server, "nobody").await, Err(Code::NotFound));
    server.health.set(SERVICE, false);
    assert_eq!(health(&server, "").await, Ok(ServingStatus::NotServing));
}

async fn health(server: &probe::Running, service: &str) -> Result<ServingStatus, Code> {
    let service = service.to_owned();
    let mut client = HealthClient::new(server.channel());
    let answer = client.check(HealthCheckRequest { service }).await;
    answer.map(|answer| answer.into_inner().status()).map_err(|status| status.code())
}

#[tokio::test]
async fn reflection_answers_in_both_versions() {
    let server = serve(config()).await;
    macro_rules! services {
        ($version:ident) => {{
            use tonic_reflection::pb::$version::ServerReflectionRequest;
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            let request = ServerReflectionRequest {
                host: String::new(),
                message_request: Some(MessageRequest::ListServices(String::new())),
            };
            let mut client = ServerReflectionClient::new(server.channel());
            let requests = futures_util::stream::iter([request]);
            let answers = client.server_reflection_info(requests).await;
            let answer = answers.expect("a stream").into_inner().message().await;
            match answer.expect("no error").expect("an answer").message_response {
                Some(MessageResponse::ListServicesResponse(list)) => {
                    list.service.into_iter().map(|service| service.name).collect::<Vec<_>>()
                }
                other => panic!("no list: {other:?}"),
            }
        }};
    }
    for services in [services!(v1), services!(v1alpha)] {
        assert!(services.iter().any(|name| name == "grpc.health.v1.Health"), "{services:?}");
    }
}

#[tokio::test]
async fn reflection_knows_the_details_of_errors_and_all_that_they_need() {
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let server = serve(config()).await;
    let ask = async |message_request| {
        let request = ServerReflectionRequest { host: String::new(), message_request: Some(message_request) };
        let mut client = ServerReflectionClient::new(server.channel());
        let answers = client.server_reflection_info(futures_util::stream::iter([request])).await;
        let answer = answers.expect("a stream").into_inner().message().await.expect("no error").expect("an answer");
        match answer.message_response {
            Some(MessageResponse::FileDescriptorResponse(files)) => {
                let decode = |file: &Vec<u8>| prost_types::FileDescriptorProto::decode(&**file).expect("a descriptor");
                files.file_descriptor_proto.iter().map(decode).collect::<Vec<_>>()
            }
            other => panic!("no files: {other:?}"),
        }
    };
    for detail in ["ErrorInfo", "BadRequest", "RetryInfo"] {
        let files = ask(MessageRequest::FileContainingSymbol(format!("google.rpc.{detail}"))).await;
        let [file] = files.as_slice() else { panic!("not one file: {files:?}") };
        assert_eq!(file.name(), "google/rpc/error_details.proto");
        assert!(file.message_type.iter().any(|message| message.name() == detail));
        for needed in &file.dependency {
            assert_eq!(ask(MessageRequest::FileByFilename(needed.clone())).await[0].name(), needed);
        }
    }
}

#[tokio::test]
async fn a_stopping_server_says_so_ends_watches_and_finishes_calls() {
    let server = serve(ServerConfig { drain_pause: Duration::from_millis(100), ..config() }).await;
    server.health.set(SERVICE, true);
    let channel = server.channel();
    let mut things = watch(channel.clone()).await.expect("a watch");
    assert_eq!(things.message().await.expect("one").as_deref(), Some("first"));
    let call = tokio::spawn(ask(channel.clone(), word("soon")));

    server.shutdown.cancel();
    while server.health.is_serving() {
        tokio::task::yield_now().await;
    }
    // During the pause everything still works, and says that it is about to end.
    assert_eq!(health(&server, "").await, Ok(ServingStatus::NotServing));
    ask(channel.clone(), word("principal")).await.expect("an answer");

    let ended = timeout(SOON, things.message()).await.expect("an end");
    assert_eq!(ended.expect("no error"), None);
    assert_eq!(call.await.expect("no panic").expect("an answer"), "done");
    let served = timeout(SOON, server.served).await.expect("a stop");
    served.expect("no panic").expect("no error");

    let refused = ask(channel, word("principal")).await.expect_err("nobody there");
    assert_eq!(refused.code(), Code::Unavailable);
}

#[tokio::test]
async fn who_hangs_does_not_keep_a_server_from_stopping() {
    let server = serve(ServerConfig {
        drain_pause: Duration::from_millis(10),
        drain_timeout: Duration::from_millis(200),
        ..config()
    })
    .await;
    let hanging = tokio::spawn(ask(server.channel(), word("hang")));
    // A peer that speaks HTTP/2 once and never again: it will not answer GOAWAY.
    let mut mute = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    mute.write_all(preface).await.expect("written");
    ask(server.channel(), word("principal")).await.expect("an answer");

    let start = Instant::now();
    server.shutdown.cancel();
    let served = timeout(SOON, server.served).await.expect("a stop");
    served.expect("no panic").expect("no error");
    assert!(start.elapsed() >= Duration::from_millis(200));
    hanging.abort();
}

#[tokio::test]
async fn a_trace_goes_through_every_call() {
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let server = serve(config()).await;

    let mut request = word("relay relay traceparent");
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.metadata_mut().insert("traceparent", parent.parse().expect("a value"));
    let seen = ask(server.plain_channel().await, request).await.expect("an answer");
    assert!(seen.starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{seen}");
    assert!(seen.ends_with("-01"), "{seen}");
    assert_ne!(seen, parent);
}

#[tokio::test]
async fn errors_pass_with_their_details_and_who_is_away_is_unavailable() {
    let server = serve(config()).await;
    let failed = ask(server.channel(), word("relay fail")).await.expect_err("a failure");
    assert_eq!(failed.code(), Code::NotFound);
    assert_eq!(failed.get_details_error_info().expect("ErrorInfo").reason, "NOT_FOUND");

    let nobody = client::connect("http://127.0.0.1:1", &ClientConfig::default());
    let nobody = nobody.expect("an address");
    let budget = RetryBudget::default();
    let mut tries = 0;
    let away = client::retry(&budget, || {
        tries += 1;
        ask(nobody.clone(), word("principal"))
    });
    assert_eq!(away.await.expect_err("nobody there").code(), Code::Unavailable);
    assert_eq!(tries, 1 + client::MAX_RETRIES);
}
