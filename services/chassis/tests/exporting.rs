//! What a collector is told. Its own process: telemetry is set up once.

mod probe;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use barometer_chassis::config::TelemetryConfig;
use barometer_chassis::telemetry;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use probe::{ask, config, serve};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_gets_spans_durations_and_logs_of_one_trace() {
    let collector = Collector::default();
    let endpoint = collector.clone().serve().await;
    let settings = TelemetryConfig {
        otlp_endpoint: Some(endpoint),
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

    let told = collector.told.lock().expect("a lock");
    assert_eq!(told.services, BTreeSet::from(["barometer-test".to_owned()]));
    assert_eq!(told.metrics, BTreeSet::from(["rpc.server.call.duration".to_owned()]));

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

/// An OpenTelemetry collector that only remembers.
#[derive(Debug, Clone, Default)]
struct Collector {
    told: Arc<Mutex<Told>>,
}

#[derive(Debug, Default)]
struct Told {
    services: BTreeSet<String>,
    spans: Vec<Span>,
    metrics: BTreeSet<String>,
    logs: Vec<LogRecord>,
}

impl Told {
    fn resource(&mut self, resource: Option<&Resource>) {
        let resource = resource.expect("a resource");
        let name = resource.attributes.iter().find(|pair| pair.key == "service.name");
        let name = name.and_then(|pair| pair.value.clone()).and_then(|value| value.value);
        match name {
            Some(opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue(name)) => {
                self.services.insert(name);
            }
            other => panic!("no service.name: {other:?}"),
        }
    }
}

impl Collector {
    async fn serve(self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(self.clone()))
            .add_service(MetricsServiceServer::new(self.clone()))
            .add_service(LogsServiceServer::new(self))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        format!("http://{address}")
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut told = self.told.lock().expect("a lock");
        for batch in request.into_inner().resource_spans {
            told.resource(batch.resource.as_ref());
            told.spans.extend(batch.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut told = self.told.lock().expect("a lock");
        for batch in request.into_inner().resource_metrics {
            told.resource(batch.resource.as_ref());
            let metrics = batch.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
            told.metrics.extend(metrics.map(|metric| metric.name));
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let mut told = self.told.lock().expect("a lock");
        for batch in request.into_inner().resource_logs {
            told.resource(batch.resource.as_ref());
            told.logs.extend(batch.scope_logs.into_iter().flat_map(|scope| scope.log_records));
        }
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}
