//! What a collector is told. Its own process: telemetry is set up once.

mod probe;

use std::collections::BTreeSet;
use std::time::Duration;

use barometer_chassis::config::TelemetryConfig;
use barometer_chassis::telemetry;
use barometer_chassis::testing::Collector;
use probe::{ask, config, serve};
use tonic::Request;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_gets_spans_durations_and_logs_of_one_trace() {
    let collector = Collector::start().await;
    let settings = TelemetryConfig {
        otlp_endpoint: Some(collector.endpoint.clone()),
        metrics_interval: Duration::from_secs(3600),
        ..TelemetryConfig::default()
    };
    let telemetry = telemetry::init(&settings, "barometer-test", "0.0.0").expect("a start");

    let server = serve(config()).await;
    let relayed = Request::new("relay panic".to_owned());
    ask(server.plain_channel().await, relayed).await.expect_err("a panic");
    server.shutdown.cancel();
    server.served.await.expect("no panic").expect("no error");
    telemetry.shutdown().await;

    let told = collector.told();
    assert_eq!(told.services, BTreeSet::from(["barometer-test".to_owned()]));
    let metrics: BTreeSet<_> = told.metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(metrics, BTreeSet::from(["rpc.client.call.duration", "rpc.server.call.duration"]));

    // Server, client, server: each the child of the one before, and nothing about exporting.
    let [inner, client, outer] = told.spans.as_slice() else {
        panic!("{:?}", told.spans.iter().map(|span| &span.name).collect::<Vec<_>>());
    };
    assert_eq!(outer.parent_span_id, Vec::<u8>::new());
    assert_eq!(client.parent_span_id, outer.span_id);
    assert_eq!(inner.parent_span_id, client.span_id);
    let traces: BTreeSet<_> = told.spans.iter().map(|span| span.trace_id.clone()).collect();
    assert_eq!(traces.len(), 1);
    let status = outer.status.as_ref().expect("a status");
    assert_eq!(status.code, 2, "2 is ERROR");

    // The panic, and the two calls that failed for it.
    let of_the_trace = told.logs.iter().filter(|line| traces.contains(&line.trace_id));
    assert_eq!(of_the_trace.count(), 3, "{:?}", told.logs);
}
