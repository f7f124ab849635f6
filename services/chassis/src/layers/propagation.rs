//! W3C trace context in the headers of calls: `traceparent`, `tracestate`.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;

/// The trace that the caller is in, when it says so.
pub(crate) fn extract(headers: &HeaderMap) -> Option<Context> {
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &Incoming(headers));
    parent.has_active_span().then_some(parent)
}

/// Tells the callee which trace it is called in. Leaves headers alone that have one already, or outside any trace.
pub(crate) fn inject(context: &Context, headers: &mut HeaderMap) {
    if context.span().span_context().is_valid() && !headers.contains_key("traceparent") {
        TraceContextPropagator::new().inject_context(context, &mut Outgoing(headers));
    }
}

/// The trace context of an exported `traceparent`.
pub(crate) fn from_text(traceparent: &str) -> Option<Context> {
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", HeaderValue::try_from(traceparent).ok()?);
    extract(&headers)
}

/// The trace context as a `traceparent`.
pub(crate) fn to_text(context: &Context) -> Option<String> {
    let mut headers = HeaderMap::new();
    inject(context, &mut headers);
    headers.get("traceparent")?.to_str().ok().map(ToOwned::to_owned)
}

struct Incoming<'a>(&'a HeaderMap);

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Outgoing<'a>(&'a mut HeaderMap);

impl Injector for Outgoing<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = HeaderName::try_from(key);
        let value = HeaderValue::try_from(value);
        if let (Ok(name), Ok(value)) = (name, value) {
            self.0.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_comes_in_goes_out() {
        let mut incoming = HeaderMap::new();
        incoming.insert("traceparent", HeaderValue::from_static(PARENT));
        incoming.insert("tracestate", HeaderValue::from_static("vendor=1"));

        let mut outgoing = HeaderMap::new();
        inject(&extract(&incoming).expect("a trace context"), &mut outgoing);
        assert_eq!(outgoing, incoming);
    }

    #[test]
    fn a_trace_goes_along_as_text() {
        let context = from_text(PARENT).expect("a trace context");
        assert_eq!(to_text(&context).as_deref(), Some(PARENT));
        assert!(from_text("00-nonsense\n").is_none());
        assert!(to_text(&Context::new()).is_none());
    }

    #[test]
    fn outside_a_trace_nothing_is_said() {
        let mut headers = HeaderMap::new();
        assert!(extract(&headers).is_none());
        inject(&Context::new(), &mut headers);
        assert!(headers.is_empty());

        headers.insert("traceparent", HeaderValue::from_static("00-nonsense"));
        assert!(extract(&headers).is_none());
    }
}
