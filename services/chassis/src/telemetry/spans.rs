//! Traces that go on where no call leads: from a call to the commit that it waits for, from a commit to whoever watches.

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::layers::propagation;

/// The span that this code runs in, when its trace is sampled. Costs next to nothing when it is not.
pub(crate) fn sampled() -> Option<Span> {
    Context::map_current(|context| context.span().span_context().is_sampled()).then(Span::current)
}

/// Makes `span` a child of the first of `causes` and links it with the others, both ways: every one of them leads to it.
/// It must not have been entered yet.
pub(crate) fn follow<'s>(span: &Span, mut causes: impl Iterator<Item = &'s Span>) {
    let Some(first) = causes.next() else { return };
    // Fails only where no trace is kept at all.
    let _ = span.set_parent(first.context());
    let own = span.context().span().span_context().clone();
    for cause in causes {
        span.follows_from(cause);
        cause.add_link(own.clone());
    }
}

/// The span as a W3C trace parent (`00-…-…-01`), when its trace is sampled.
pub fn trace_parent(span: &Span) -> Option<String> {
    let context = span.context();
    context.span().span_context().is_sampled().then(|| propagation::to_text(&context)).flatten()
}

/// Makes `span`, which must not have been entered yet, a child of a W3C trace parent. One that cannot be read is ignored.
pub fn continue_trace(span: &Span, trace_parent: &str) {
    if let Some(parent) = propagation::from_text(trace_parent) {
        // Fails only where no trace is kept at all.
        let _ = span.set_parent(parent);
    }
}
