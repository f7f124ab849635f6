//! Lines of the log, for people or as JSON, each with the trace it belongs to.

use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::config::LogFormat;

/// Formats events, one a line.
pub(super) struct Lines {
    pub(super) format: LogFormat,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        match self.format {
            LogFormat::Text => text(context, writer, event),
            LogFormat::Json => json(writer, event),
        }
    }
}

/// `2026-03-01T09:30:00.123456Z  INFO barometer_chassis::server: serving address=127.0.0.1:7400 trace_id=…`
fn text<S, N>(context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let metadata = event.metadata();
    SystemTime.format_time(&mut writer)?;
    let (color, plain) = match *metadata.level() {
        _ if !writer.has_ansi_escapes() => ("", ""),
        tracing::Level::ERROR => ("\x1b[31m", "\x1b[0m"),
        tracing::Level::WARN => ("\x1b[33m", "\x1b[0m"),
        tracing::Level::INFO => ("\x1b[32m", "\x1b[0m"),
        _ => ("\x1b[2m", "\x1b[0m"),
    };
    write!(writer, " {color}{:>5}{plain} {}: ", metadata.level(), metadata.target())?;
    context.format_fields(writer.by_ref(), event)?;
    if let Some((trace, _)) = current_trace() {
        write!(writer, " trace_id={trace}")?;
    }
    writeln!(writer)
}

/// `{"timestamp":…,"level":"INFO","target":…,"message":…,"trace_id":…,"span_id":…,` and the fields of the event`}`
fn json(mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
    let mut timestamp = String::new();
    SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
    let metadata = event.metadata();
    let mut line = Fields(Map::new());
    event.record(&mut line);
    line.put("timestamp", timestamp);
    line.put("level", metadata.level().as_str());
    line.put("target", metadata.target());
    if let Some((trace, span)) = current_trace() {
        line.put("trace_id", trace);
        line.put("span_id", span);
    }
    writeln!(writer, "{}", Value::Object(line.0))
}

/// The ids of the trace and span that this code runs in.
fn current_trace() -> Option<(String, String)> {
    Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        span.is_valid().then(|| (span.trace_id().to_string(), span.span_id().to_string()))
    })
}

struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field.name(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("a lock").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, log: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let subscriber = tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer)).with(
            tracing_subscriber::fmt::layer()
                .event_format(Lines { format })
                .with_ansi(false)
                .with_writer(move || writer.clone()),
        );
        tracing::subscriber::with_default(subscriber, log);
        let written = written.0.lock().expect("a lock");
        String::from_utf8(written.clone()).expect("text")
    }

    #[test]
    fn a_json_line_has_the_ids_of_its_trace() {
        let lines = logged(LogFormat::Json, || {
            tracing::info_span!("work").in_scope(|| {
                tracing::warn!(rows = 3, path = %"a/b", done = true, "said \"so\"\nand so");
            });
            tracing::info!("outside");
        });
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let [inside, outside] = lines.as_slice() else {
            panic!("{} lines", lines.len());
        };
        assert_eq!(inside["level"], "WARN");
        assert_eq!(inside["message"], "said \"so\"\nand so");
        assert_eq!(inside["rows"], 3);
        assert_eq!(inside["path"], "a/b");
        assert_eq!(inside["done"], true);
        assert_eq!(inside["target"], module_path!());
        assert_eq!(inside["trace_id"].as_str().map(str::len), Some(32));
        assert_eq!(inside["span_id"].as_str().map(str::len), Some(16));
        assert!(outside.get("trace_id").is_none());
    }

    #[test]
    fn a_text_line_reads_well() {
        let line = logged(LogFormat::Text, || tracing::info!(rows = 3, "loaded"));
        let (_, rest) = line.split_once(' ').expect("a time");
        assert_eq!(rest, format!(" INFO {}: loaded rows=3\n", module_path!()));
    }
}
