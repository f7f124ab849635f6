//! Logs on standard error, and traces, metrics and logs to an OpenTelemetry collector when one is named.
//!
//! Traces have ids, and calls carry them on, with or without a collector: the log can be searched by `trace_id` either way.

mod lines;
pub(crate) mod spans;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::time::Duration;

use opentelemetry::metrics::Meter;
use opentelemetry::trace::TracerProvider;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{ExporterBuildError, LogExporter, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Metadata;
use tracing_subscriber::filter::{FilterExt, FilterFn, LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, fmt};

pub use self::spans::{continue_trace, trace_parent};
use crate::config::{LogFormat, TelemetryConfig};

/// What was started by [`init`]; [`shutdown`](Self::shutdown) sends what is still waiting.
#[derive(Debug)]
#[must_use = "spans and metrics that still wait are lost without a shutdown"]
pub struct Telemetry {
    traces: SdkTracerProvider,
    exported: Option<Exported>,
}

/// Why telemetry could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The filter of the log cannot be read.
    #[error("the log level is no filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The collector's address cannot be used.
    #[error("cannot export to the collector: {0}")]
    Export(#[from] ExporterBuildError),
    /// Something else in this process has set up logging already.
    #[error(transparent)]
    Twice(#[from] TryInitError),
}

/// Starts logging and, if `config` names a collector, exporting, for the whole process. `service` is `service.name`
/// (`barometer-customers`), `version` is `service.version`. Must be called inside a runtime, once.
///
/// # Errors
/// When the filter or the collector's address is wrong, or when logging was set up before.
pub fn init(config: &TelemetryConfig, service: &str, version: &str) -> Result<Telemetry, TelemetryError> {
    let resource = resource(config, service, version);
    let exported = match &config.otlp_endpoint {
        Some(endpoint) => Some(Exported::start(config, endpoint, &resource)?),
        None => None,
    };
    let traces = tracer(config, &resource)?;

    let spans = tracing_opentelemetry::layer()
        .with_tracer(traces.tracer(SCOPE))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false)
        .with_filter(exportable().and(spans_only()));
    let logs = exported
        .as_ref()
        .map(|exported| OpenTelemetryTracingBridge::new(&exported.logs).with_filter(exportable().and(events_only())));
    // The filter also keeps the lines from formatting every span, whose fields they do not show.
    let lines = fmt::layer()
        .event_format(lines::Lines { format: config.log_format })
        .with_ansi(config.log_format == LogFormat::Text && std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_filter(log_filter(&config.log_level)?.and(events_only()));

    tracing_subscriber::registry().with(spans).with(logs).with(lines).try_init()?;
    if let Some(exported) = &exported {
        opentelemetry::global::set_meter_provider(exported.metrics.clone());
    }
    log_panics();
    Ok(Telemetry { traces, exported })
}

impl Telemetry {
    /// Sends what is still waiting and stops exporting; takes a few seconds at most when the collector does not answer.
    pub async fn shutdown(self) {
        let stopping = tokio::task::spawn_blocking(move || {
            let report = |what: &str, result: Result<(), OTelSdkError>| {
                if let Err(error) = result {
                    tracing::warn!(%error, "could not export the last {what}");
                }
            };
            report("traces", self.traces.shutdown_with_timeout(FLUSH_TIMEOUT));
            if let Some(Exported { metrics, logs }) = self.exported {
                report("metrics", metrics.shutdown_with_timeout(FLUSH_TIMEOUT));
                report("logs", logs.shutdown_with_timeout(FLUSH_TIMEOUT));
            }
        });
        if let Err(error) = stopping.await {
            tracing::warn!(%error, "could not export the last telemetry");
        }
    }
}

const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// What only exists with a collector.
#[derive(Debug)]
struct Exported {
    metrics: SdkMeterProvider,
    logs: SdkLoggerProvider,
}

impl Exported {
    fn start(config: &TelemetryConfig, endpoint: &str, resource: &Resource) -> Result<Self, ExporterBuildError> {
        let metrics =
            MetricExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(EXPORT_TIMEOUT).build()?;
        let metrics = PeriodicReader::builder(metrics).with_interval(config.metrics_interval).build();
        let logs = LogExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(EXPORT_TIMEOUT).build()?;
        Ok(Self {
            metrics: SdkMeterProvider::builder().with_reader(metrics).with_resource(resource.clone()).build(),
            logs: SdkLoggerProvider::builder().with_batch_exporter(logs).with_resource(resource.clone()).build(),
        })
    }
}

/// Without a collector, spans only give ids: nothing is sampled that no caller wants sampled, nothing is sent.
fn tracer(config: &TelemetryConfig, resource: &Resource) -> Result<SdkTracerProvider, ExporterBuildError> {
    let builder = SdkTracerProvider::builder().with_resource(resource.clone());
    let Some(endpoint) = &config.otlp_endpoint else {
        let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
        return Ok(builder.with_sampler(sampler).build());
    };
    let ratio = Sampler::TraceIdRatioBased(config.trace_sample_ratio);
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(EXPORT_TIMEOUT).build()?;
    Ok(builder.with_sampler(Sampler::ParentBased(Box::new(ratio))).with_batch_exporter(exporter).build())
}

/// Who is telling. From flags alone: the environment is not asked.
fn resource(config: &TelemetryConfig, service: &str, version: &str) -> Resource {
    let given = config
        .resource_attributes
        .iter()
        .map(|attribute| KeyValue::new(attribute.key.clone(), attribute.value.clone()));
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes([
            KeyValue::new("service.namespace", "barometer"),
            KeyValue::new("service.version", version.to_owned()),
            KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()),
        ])
        .with_service_name(service.to_owned())
        .with_attributes(given)
        .build()
}

/// Where metrics are made. They go nowhere unless [`init`] was called before and named a collector.
pub fn meter() -> Meter {
    let scope = InstrumentationScope::builder(SCOPE).with_version(env!("CARGO_PKG_VERSION")).build();
    opentelemetry::global::meter_with_scope(scope)
}

/// Which service of the suite this is about: a process may run all of them.
pub fn service(name: &'static str) -> KeyValue {
    KeyValue::new("barometer.service", name)
}

/// Microseconds as seconds, the unit of all metrics of time.
pub fn seconds(micros: i64) -> f64 {
    Duration::from_micros(u64::try_from(micros).unwrap_or_default()).as_secs_f64()
}

/// Boundaries of histograms of time, in seconds: the conventional ones, with more of them below 5 ms and above 10 s.
pub const SECONDS: [f64; 17] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Boundaries of histograms of sizes: how many there are of something.
pub const SIZES: [f64; 13] = [0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0];

const SCOPE: &str = "barometer";

/// Everything from `info` up that is not about exporting itself, which would go on for ever.
fn exportable() -> Targets {
    Targets::new().with_default(LevelFilter::INFO).with_targets(TRANSPORT.map(|target| (target, LevelFilter::OFF)))
}

/// Spans of every level. It must say so: one filter without a hint of its level, and the transport's own spans and events,
/// of which every call has dozens, are asked about one by one.
fn spans_only() -> FilterFn {
    FilterFn::new((|metadata| metadata.is_span()) as fn(&Metadata<'_>) -> bool).with_max_level_hint(LevelFilter::TRACE)
}

/// Events of every level, as [`spans_only`].
fn events_only() -> FilterFn {
    FilterFn::new((|metadata| metadata.is_event()) as fn(&Metadata<'_>) -> bool).with_max_level_hint(LevelFilter::TRACE)
}

/// What carries calls, ours and the exporter's.
const TRANSPORT: [&str; 6] = ["h2", "hyper", "hyper_util", "opentelemetry", "tonic", "tower"];

/// The filter `level`, with the transport kept quiet unless it is named.
fn log_filter(level: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    let quiet = TRANSPORT.map(|target| format!("{target}=warn")).join(",");
    EnvFilter::try_new(format!("{quiet},{level}"))
}

/// Panics are lines of the log like any other. A message that was put together is left out: it may quote what callers sent,
/// as that of a text cut inside of a character does. Where it happened says enough.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        let message = panic.payload().downcast_ref::<&'static str>().unwrap_or(&"no message");
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(location, backtrace, "panic: {message}");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transport_is_quiet_unless_named() {
        let filter = log_filter("debug,tonic=trace").expect("a filter").to_string();
        assert!(filter.contains("h2=warn"), "{filter}");
        assert!(filter.contains("tonic=trace"), "{filter}");
        assert!(!filter.contains("tonic=warn"), "{filter}");
        assert!(log_filter("what=ever=this").is_err());
    }

    #[test]
    fn what_is_below_the_filters_levels_is_not_even_asked_about() {
        use tracing_subscriber::layer::Filter;
        type Registry = tracing_subscriber::Registry;
        let hint = |filter: &dyn Filter<Registry>| filter.max_level_hint();
        assert_eq!(hint(&exportable().and(spans_only())), Some(LevelFilter::INFO));
        assert_eq!(hint(&exportable().and(events_only())), Some(LevelFilter::INFO));
        assert_eq!(hint(&log_filter("warn").expect("a filter").and(events_only())), Some(LevelFilter::WARN));
    }

    #[test]
    fn flags_say_more_about_the_process_than_we_do() {
        let config = TelemetryConfig {
            resource_attributes: vec!["service.instance.id=barometer-0".parse().expect("one")],
            ..TelemetryConfig::default()
        };
        let resource = resource(&config, "barometer-customers", "1.2.3");
        let get = |key: &'static str| resource.get(&key.into()).map(|value| value.to_string());
        assert_eq!(get("service.name").as_deref(), Some("barometer-customers"));
        assert_eq!(get("service.version").as_deref(), Some("1.2.3"));
        assert_eq!(get("service.instance.id").as_deref(), Some("barometer-0"));
    }

    #[tokio::test]
    async fn without_a_collector_a_trace_is_continued_and_not_recorded() {
        use opentelemetry::trace::{Span, SpanContext, TraceContextExt, Tracer};
        let config = TelemetryConfig::default();
        let provider = tracer(&config, &resource(&config, "test", "0")).expect("a tracer");
        let tracer = provider.tracer("test");

        let own = tracer.start("own").span_context().clone();
        assert!(own.is_valid() && !own.is_sampled());

        let remote = SpanContext::new(
            own.trace_id(),
            own.span_id(),
            opentelemetry::TraceFlags::SAMPLED,
            true,
            Default::default(),
        );
        let parent = opentelemetry::Context::new().with_remote_span_context(remote);
        let child = tracer.start_with_context("child", &parent);
        assert_eq!(child.span_context().trace_id(), own.trace_id());
        assert!(child.span_context().is_sampled());
    }
}
