//! A span, a duration and, when it fails, a line of the log for every call.
//!
//! Names follow OpenTelemetry's conventions for RPC: <https://opentelemetry.io/docs/specs/semconv/rpc/>. A failed unary
//! call has its status in the headers, a stream or a late failure in the trailers, so the body is watched too; a call that
//! is dropped before it has any counts as CANCELLED.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use opentelemetry::metrics::{Histogram, Meter};
use opentelemetry::{KeyValue, StringValue, Value};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::field::Empty;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::method::Method;
use super::{Next, Request, Response, Step, propagation, received};

/// Observes every call; the outermost layer.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    durations: Histogram<f64>,
}

impl Trace {
    /// Counts into `rpc.server.call.duration` of `meter`.
    pub(crate) fn new(meter: &Meter) -> Self {
        let durations = meter
            .f64_histogram("rpc.server.call.duration")
            .with_unit("s")
            .with_description("Duration of calls that this server answered")
            .with_boundaries(DURATION_BOUNDARIES.to_vec())
            .build();
        Self { durations }
    }
}

impl Step for Trace {
    async fn handle<S: Next>(self, request: Request, mut next: S) -> Result<Response, S::Error> {
        let mut call = Call::begin(self.durations, &request);
        let span = call.span.clone();
        let response = async move { next.call(request).await }
            .instrument(span)
            .await
            .inspect_err(|_| call.end(Code::Unknown, "the connection broke"))?;

        match Status::from_header_map(response.headers()) {
            Some(status) => call.end(status.code(), status.message()),
            None if !response.status().is_success() => {
                call.end(Code::Unknown, response.status().as_str());
            }
            None => return Ok(response.map(|body| Body::new(TracedBody { body, call }))),
        }
        Ok(response)
    }
}

/// Seconds. The conventional ones, with more of them below 5 ms and above 10 s.
const DURATION_BOUNDARIES: [f64; 17] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 30.0];

/// A call in progress. Ends once; at the latest, as CANCELLED, when it is dropped.
struct Call {
    method: Arc<str>,
    span: Span,
    started: Instant,
    durations: Histogram<f64>,
    ended: bool,
}

impl Call {
    fn begin(durations: Histogram<f64>, request: &Request) -> Self {
        let method: Arc<str> = Method::of(request.uri().path()).full().into();
        let span = tracing::info_span!(
            "rpc",
            otel.name = &*method,
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.method = &*method,
            rpc.response.status_code = Empty,
        );
        if let Some(parent) = propagation::extract(request.headers()) {
            // Fails only where no trace is kept at all.
            let _ = span.set_parent(parent);
        }
        Self { method, span, started: received(request), durations, ended: false }
    }

    fn end(&mut self, code: Code, message: &str) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let seconds = self.started.elapsed().as_secs_f64();
        let name = code_name(code);
        self.span.record("rpc.response.status_code", name);
        if matches!(blame(code), Blame::Server | Blame::Load) {
            self.span.record("otel.status_code", "ERROR");
        }
        self.span.in_scope(|| self.log(code, message, seconds));
        self.durations.record(
            seconds,
            &[
                KeyValue::new("rpc.system.name", "grpc"),
                KeyValue::new("rpc.method", self.method_label(code)),
                KeyValue::new("rpc.response.status_code", name),
            ],
        );
    }

    /// Whoever calls what does not exist must not make up time series.
    fn method_label(&self, code: Code) -> Value {
        match code {
            Code::Unimplemented => "_OTHER".into(),
            _ => StringValue::from(Arc::clone(&self.method)).into(),
        }
    }

    fn log(&self, code: Code, message: &str, seconds: f64) {
        let (rpc, code_name) = (&*self.method, code_name(code));
        match blame(code) {
            Blame::Nobody => {}
            Blame::Caller => {
                tracing::debug!(rpc, code = code_name, seconds, "call failed: {message}");
            }
            Blame::Load => {
                tracing::warn!(rpc, code = code_name, seconds, "call failed: {message}");
            }
            Blame::Server => {
                tracing::error!(rpc, code = code_name, seconds, "call failed: {message}");
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end(Code::Cancelled, "dropped before its end");
    }
}

/// A body that ends its call when its trailers, or an error, have passed.
struct TracedBody {
    body: Body,
    call: Call,
}

impl http_body::Body for TracedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { body, call } = self.get_mut();
        let frame = call.span.in_scope(|| Pin::new(&mut *body).poll_frame(context));
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(status) = frame.trailers_ref().and_then(Status::from_header_map) {
                    call.end(status.code(), status.message());
                }
            }
            Poll::Ready(Some(Err(error))) => call.end(error.code(), error.message()),
            Poll::Ready(None) => call.end(Code::Unknown, "ended without a status"),
            Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whose doing a status is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blame {
    Nobody,
    Caller,
    /// Too much to do, too little time, or something this server needs is away.
    Load,
    Server,
}

fn blame(code: Code) -> Blame {
    match code {
        Code::Ok => Blame::Nobody,
        Code::Cancelled
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => Blame::Caller,
        Code::DeadlineExceeded | Code::ResourceExhausted | Code::Unavailable => Blame::Load,
        Code::Unknown | Code::Internal | Code::DataLoss => Blame::Server,
    }
}

/// The code as the specification writes it.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests;
