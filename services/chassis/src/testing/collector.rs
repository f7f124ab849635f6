//! An OpenTelemetry collector that only remembers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// A collector on a port of its own, for as long as the test runs.
#[derive(Debug, Clone)]
pub struct Collector {
    /// `http://127.0.0.1:port`.
    pub endpoint: String,
    told: Arc<Mutex<Told>>,
}

/// What a [`Collector`] was told.
#[derive(Debug, Default)]
pub struct Told {
    /// `service.name` of who told it.
    pub services: BTreeSet<String>,
    /// Spans, in the order in which they came.
    pub spans: Vec<Span>,
    /// Metrics, each as often as it was exported.
    pub metrics: Vec<Metric>,
    /// Lines of the log.
    pub logs: Vec<LogRecord>,
    /// Every byte of it.
    pub bytes: Vec<u8>,
}

impl Collector {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let collector = Collector { endpoint, told: Arc::default() };
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .add_service(MetricsServiceServer::new(collector.clone()))
            .add_service(LogsServiceServer::new(collector.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        collector
    }

    /// What it was told until now.
    pub fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn resource(&mut self, resource: Option<&Resource>) {
        let attributes = resource.map(|resource| resource.attributes.as_slice()).unwrap_or_default();
        let name = attributes.iter().find(|pair| pair.key == "service.name");
        match name.and_then(|pair| pair.value.as_ref()).and_then(|value| value.value.as_ref()) {
            Some(Value::StringValue(name)) => self.services.insert(name.clone()),
            other => panic!("no service.name: {other:?}"),
        };
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let (mut told, request) = (self.told(), request.into_inner());
        told.bytes.extend(request.encode_to_vec());
        for batch in request.resource_spans {
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
        let (mut told, request) = (self.told(), request.into_inner());
        told.bytes.extend(request.encode_to_vec());
        for batch in request.resource_metrics {
            told.resource(batch.resource.as_ref());
            told.metrics.extend(batch.scope_metrics.into_iter().flat_map(|scope| scope.metrics));
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
        let (mut told, request) = (self.told(), request.into_inner());
        told.bytes.extend(request.encode_to_vec());
        for batch in request.resource_logs {
            told.resource(batch.resource.as_ref());
            told.logs.extend(batch.scope_logs.into_iter().flat_map(|scope| scope.log_records));
        }
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}
