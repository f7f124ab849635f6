use super::*;
use crate::layers::{StepLayer, around, status};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{SpanKind, TracerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Mutex;
use std::time::Duration;
use tower::{Layer, ServiceExt, service_fn};
use tracing_subscriber::layer::{Context as LayerContext, SubscriberExt};

const GET: &str = "a.B/Get";

/// Everything a [`Trace`] told.
#[derive(Debug, Clone, Default)]
struct Told {
    calls: Arc<Mutex<BTreeMap<(String, String), u64>>>,
    spans: Arc<Mutex<Vec<SpanData>>>,
    lines: Arc<Mutex<Vec<tracing::Level>>>,
}

impl PushMetricExporter for Told {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        for metric in metrics.scope_metrics().flat_map(|scope| scope.metrics()) {
            assert!(["rpc.server.call.duration", "rpc.client.call.duration"].contains(&metric.name()));
            assert_eq!(metric.unit(), "s");
            let AggregatedMetrics::F64(MetricData::Histogram(durations)) = metric.data() else {
                panic!("not a histogram: {metric:?}");
            };
            for point in durations.data_points() {
                let attribute = |key: &str| {
                    let mut found = point.attributes().filter(|pair| pair.key.as_str() == key);
                    found.next().expect(key).value.to_string()
                };
                assert_eq!(attribute("rpc.system.name"), "grpc");
                let key = (attribute("rpc.method"), attribute("rpc.response.status_code"));
                let mut calls = self.calls.lock().expect("a lock");
                calls.insert(key, point.count());
            }
        }
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

impl SpanExporter for Told {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        self.spans.lock().expect("a lock").extend(spans);
        Ok(())
    }
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Told {
    fn on_event(&self, event: &tracing::Event<'_>, _: LayerContext<'_, S>) {
        if event.metadata().target().ends_with("layers::trace") {
            let level = *event.metadata().level();
            self.lines.lock().expect("a lock").push(level);
        }
    }
}

/// A body of these frames that then stays open.
struct Frames(std::vec::IntoIter<Frame<Bytes>>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.0.next().map_or(Poll::Pending, |frame| Poll::Ready(Some(Ok(frame))))
    }
}

fn trailers(code: Code) -> Frame<Bytes> {
    let mut trailers = http::HeaderMap::new();
    let status = status(code, "TEST", "as asked", None);
    status.add_header(&mut trailers).expect("headers");
    Frame::trailers(trailers)
}

/// Calls `method` through the layer, reads `read` frames of what `respond` answers, drops the rest.
async fn told(
    method: &str,
    traceparent: Option<&'static str>,
    read: usize,
    respond: impl Fn() -> Response + Clone + Send + 'static,
) -> Told {
    told_by(|meter| around(Trace::new(meter)), method, traceparent, read, respond).await
}

async fn told_by<T: Step>(
    step: impl FnOnce(&Meter) -> StepLayer<T>,
    method: &str,
    traceparent: Option<&'static str>,
    read: usize,
    respond: impl Fn() -> Response + Clone + Send + 'static,
) -> Told {
    let told = Told::default();
    let reader = PeriodicReader::builder(told.clone()).build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();
    let tracers = SdkTracerProvider::builder().with_simple_exporter(told.clone()).build();
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(tracers.tracer("test")))
        .with(told.clone());
    let guard = tracing::subscriber::set_default(subscriber);

    let mut request = Request::new(Body::empty());
    *request.uri_mut() = format!("/{method}").parse().expect("a path");
    if let Some(traceparent) = traceparent {
        let value = http::HeaderValue::from_static(traceparent);
        request.headers_mut().insert("traceparent", value);
    }
    let service =
        step(&meters.meter("test")).layer(service_fn(move |_| std::future::ready(Ok::<_, Infallible>(respond()))));
    let mut body = service.oneshot(request).await.expect("one").into_body();
    for _ in 0..read {
        std::future::poll_fn(|cx| http_body::Body::poll_frame(Pin::new(&mut body), cx)).await;
    }
    drop(body);

    drop(guard);
    meters.force_flush().expect("metrics are told");
    told
}

impl Told {
    /// The one call that was counted: method and code.
    fn call(&self) -> (String, String) {
        let calls = self.calls.lock().expect("a lock");
        assert_eq!(calls.values().sum::<u64>(), 1, "{calls:?}");
        calls.keys().next().cloned().expect("a call")
    }

    fn span(&self) -> SpanData {
        let spans = self.spans.lock().expect("a lock");
        assert_eq!(spans.len(), 1);
        spans[0].clone()
    }

    fn lines(&self) -> Vec<tracing::Level> {
        self.lines.lock().expect("a lock").clone()
    }
}

fn stream(frames: Vec<Frame<Bytes>>) -> Response {
    Response::new(Body::new(Frames(frames.into_iter())))
}

fn counted(code: &str) -> (String, String) {
    (GET.to_owned(), code.to_owned())
}

/// The step around calls that are made, with nothing else around them.
#[derive(Clone)]
struct Made(Calls);

impl Step for Made {
    async fn handle<S: Next>(self, request: Request, mut next: S) -> Result<Response, S::Error> {
        let call = self.0.begin(&request);
        Ok(call.watch(next.call(request).await?))
    }
}

#[tokio::test]
async fn a_call_that_is_made_ends_with_its_trailers_too() {
    let server = "http://customers:7401".parse().expect("a URL");
    let made = |meter: &Meter| around(Made(Calls::new(meter, &server)));
    // The callee's fault or not: for who calls it is a failure.
    let told = told_by(made, GET, None, 2, || {
        let data = Frame::data(Bytes::from_static(b"data"));
        stream(vec![data, trailers(Code::NotFound)])
    })
    .await;
    assert_eq!(told.call(), counted("NOT_FOUND"));
    assert!(told.lines().is_empty(), "the callee tells of it");
    let span = told.span();
    assert_eq!(span.span_kind, SpanKind::Client);
    assert_ne!(span.status, opentelemetry::trace::Status::Unset);
    for (key, value) in [("server.address", "customers"), ("server.port", "7401"), ("error.type", "NOT_FOUND")] {
        assert_eq!(attribute(&span, key).as_deref(), Some(value), "{key}");
    }
}

#[tokio::test]
async fn the_status_of_a_unary_failure_is_in_the_headers() {
    let respond = || status(Code::NotFound, "TEST", "no such thing", None).into_http();
    let told = told(GET, None, 0, respond).await;
    assert_eq!(told.call(), counted("NOT_FOUND"));
    assert_eq!(told.lines(), [tracing::Level::DEBUG]);
    assert_eq!(told.span().status, opentelemetry::trace::Status::Unset);
}

#[tokio::test]
async fn the_status_of_a_stream_is_in_the_trailers() {
    for (code, name, lines) in [
        (Code::Ok, "OK", vec![]),
        (Code::DataLoss, "DATA_LOSS", vec![tracing::Level::ERROR]),
        (Code::Unavailable, "UNAVAILABLE", vec![tracing::Level::WARN]),
    ] {
        let data = || Frame::data(Bytes::from_static(b"data"));
        let told = told(GET, None, 2, move || stream(vec![data(), trailers(code)])).await;
        assert_eq!(told.call(), counted(name));
        assert_eq!(told.lines(), lines);
        let ended_badly = told.span().status != opentelemetry::trace::Status::Unset;
        assert_eq!(ended_badly, code != Code::Ok);
    }
}

#[tokio::test]
async fn a_stream_that_ends_with_its_server_is_no_trouble() {
    let respond = || {
        let mut trailers = http::HeaderMap::new();
        Status::from(crate::error::Error::stopping()).add_header(&mut trailers).expect("headers");
        stream(vec![Frame::data(Bytes::from_static(b"data")), Frame::trailers(trailers)])
    };
    let told = told(GET, None, 2, respond).await;
    assert_eq!(told.call(), counted("UNAVAILABLE"), "it is counted as any other");
    assert_eq!(told.lines(), [tracing::Level::DEBUG]);
}

#[tokio::test]
async fn a_call_that_is_dropped_counts_as_cancelled() {
    let data = || Frame::data(Bytes::from_static(b"data"));
    let told = told(GET, None, 1, move || stream(vec![data(), trailers(Code::Ok)])).await;
    assert_eq!(told.call(), counted("CANCELLED"));
    assert_eq!(told.lines(), [tracing::Level::DEBUG]);
}

#[tokio::test]
async fn methods_that_do_not_exist_share_one_series() {
    let respond = || Status::unimplemented("").into_http();
    let told = told("made.Up/Name", None, 0, respond).await;
    assert_eq!(told.call().0, "_OTHER");
}

#[tokio::test]
async fn the_span_continues_the_callers_trace() {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let told = told(GET, Some(parent), 1, || stream(vec![trailers(Code::Ok)])).await;
    let span = told.span();
    assert_eq!(span.name, GET);
    assert_eq!(span.span_kind, SpanKind::Server);
    assert_eq!(span.span_context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(span.parent_span_id.to_string(), "b7ad6b7169203331");
    assert_eq!(attribute(&span, "rpc.system.name").as_deref(), Some("grpc"));
    assert_eq!(attribute(&span, "rpc.method").as_deref(), Some(GET));
    assert_eq!(attribute(&span, "rpc.response.status_code").as_deref(), Some("OK"));
    assert_eq!(attribute(&span, "error.type"), None);
}

#[tokio::test]
async fn what_is_no_method_is_not_told() {
    let told = told("a.B/anna@example.org", None, 0, || Status::unimplemented("").into_http()).await;
    assert_eq!(told.call().0, "_OTHER");
    assert_eq!(told.span().name, "_OTHER");
    assert_eq!(attribute(&told.span(), "rpc.method").as_deref(), Some("_OTHER"));
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    let mut found = span.attributes.iter().filter(|pair| pair.key.as_str() == key);
    found.next().map(|pair| pair.value.to_string())
}
