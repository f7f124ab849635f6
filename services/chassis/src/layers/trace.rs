//! A span and a duration for every call, answered or made; and a line of the log when one that was answered fails.
//!
//! Names follow OpenTelemetry's conventions for RPC: <https://opentelemetry.io/docs/specs/semconv/rpc/>. A failed unary
//! call has its status in the headers, a stream or a late failure in the trailers, so the body is watched too; a call that
//! is dropped before it has any counts as CANCELLED. The log gives a failure's reason, never its message, which quotes
//! what the caller sent.

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
use tonic_types::StatusExt;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::method::{Method, OTHER};
use super::{Next, Request, Response, Step, propagation, received};
use crate::error::is_stopping;
use crate::telemetry::SECONDS;

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
            .with_boundaries(SECONDS.to_vec())
            .build();
        Self { durations }
    }
}

impl Step for Trace {
    async fn handle<S: Next>(self, request: Request, mut next: S) -> Result<Response, S::Error> {
        let mut call = Call::answered(self.durations, &request);
        let span = call.span.clone();
        let response = async move { next.call(request).await }.instrument(span).await;
        let response = response.inspect_err(|_| call.end(&status(Code::Unknown, "BROKEN")))?;
        Ok(call.watch(response))
    }
}

/// Observes every call that this process makes.
#[derive(Debug, Clone)]
pub(crate) struct Calls {
    durations: Histogram<f64>,
    address: Arc<str>,
    port: i64,
}

impl Calls {
    /// Counts into `rpc.client.call.duration` of `meter` what is asked of this server.
    pub(crate) fn new(meter: &Meter, server: &http::Uri) -> Self {
        let durations = meter
            .f64_histogram("rpc.client.call.duration")
            .with_unit("s")
            .with_description("Duration of calls that this process made")
            .with_boundaries(SECONDS.to_vec())
            .build();
        let port = server.port_u16().unwrap_or(80).into();
        Self { durations, address: server.host().unwrap_or_default().into(), port }
    }

    /// Begins a call, in the trace of whatever it is made for.
    pub(crate) fn begin(&self, request: &Request) -> Call {
        let method: Arc<str> = Method::of(request.uri().path()).told().into();
        let span = tracing::info_span!(
            "call",
            otel.name = &*method,
            otel.kind = "client",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.method = &*method,
            rpc.response.status_code = Empty,
            error.type = Empty,
            server.address = &*self.address,
            server.port = self.port,
        );
        let server = Some((Arc::clone(&self.address), self.port));
        let (started, durations) = (received(request), self.durations.clone());
        Call { method, span, started, durations, server, ended: false }
    }
}

/// A call in progress. Ends once; at the latest, as CANCELLED, when it is dropped.
pub(crate) struct Call {
    method: Arc<str>,
    /// To be worked in.
    pub(crate) span: Span,
    started: Instant,
    durations: Histogram<f64>,
    /// Whom it was made to; nobody when it is one that is answered here.
    server: Option<(Arc<str>, i64)>,
    ended: bool,
}

impl Call {
    fn answered(durations: Histogram<f64>, request: &Request) -> Self {
        let method: Arc<str> = Method::of(request.uri().path()).told().into();
        let span = tracing::info_span!(
            "rpc",
            otel.name = &*method,
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.method = &*method,
            rpc.response.status_code = Empty,
            error.type = Empty,
        );
        if let Some(parent) = propagation::extract(request.headers()) {
            // Fails only where no trace is kept at all.
            let _ = span.set_parent(parent);
        }
        Self { method, span, started: received(request), durations, server: None, ended: false }
    }

    /// Ends with the response: at once when it says so, else with its body.
    pub(crate) fn watch(mut self, response: Response) -> Response {
        match Status::from_header_map(response.headers()) {
            Some(status) => self.end(&status),
            None if !response.status().is_success() => self.end(&status(Code::Unknown, "HTTP")),
            None => return response.map(|body| Body::new(TracedBody { body, call: self })),
        }
        response
    }

    /// Ends with this status.
    pub(crate) fn end(&mut self, status: &Status) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let seconds = self.started.elapsed().as_secs_f64();
        let code = status.code();
        let name = code_name(code);
        let is_error = match self.server {
            Some(_) => code != Code::Ok,
            None => is_server_error(code),
        };
        self.span.record("rpc.response.status_code", name);
        if is_error {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", name);
        }
        if self.server.is_none() {
            self.span.in_scope(|| self.log(status, seconds));
        }
        let attributes = [
            KeyValue::new("rpc.system.name", "grpc"),
            KeyValue::new("rpc.method", self.method_label(code)),
            KeyValue::new("rpc.response.status_code", name),
        ];
        let error = is_error.then(|| KeyValue::new("error.type", name));
        let server = self.server.iter().flat_map(|(address, port)| {
            [KeyValue::new("server.address", Arc::clone(address)), KeyValue::new("server.port", *port)]
        });
        if error.is_none() && self.server.is_none() {
            return self.durations.record(seconds, &attributes);
        }
        let attributes: Vec<KeyValue> = attributes.into_iter().chain(error).chain(server).collect();
        self.durations.record(seconds, &attributes);
    }

    /// Whoever calls what does not exist must not make up time series.
    fn method_label(&self, code: Code) -> Value {
        match code {
            Code::Unimplemented => OTHER.into(),
            _ => StringValue::from(Arc::clone(&self.method)).into(),
        }
    }

    fn log(&self, status: &Status, seconds: f64) {
        let blame = if is_stopping(status) { Blame::Stop } else { blame(status.code()) };
        if blame == Blame::Nobody {
            return;
        }
        // What does not exist is named by whoever calls it.
        let rpc = if status.code() == Code::Unimplemented { OTHER } else { &*self.method };
        let code = code_name(status.code());
        let reason = status.get_details_error_info().map(|info| info.reason);
        match blame {
            Blame::Nobody => {}
            Blame::Stop => tracing::debug!(rpc, code, reason, seconds, "call ended with its server"),
            Blame::Caller => tracing::debug!(rpc, code, reason, seconds, "call failed"),
            Blame::Load => tracing::warn!(rpc, code, reason, seconds, "call failed"),
            Blame::Server => tracing::error!(rpc, code, reason, seconds, "call failed"),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end(&status(Code::Cancelled, "DROPPED"));
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
                    call.end(&status);
                }
            }
            Poll::Ready(Some(Err(error))) => call.end(error),
            Poll::Ready(None) => call.end(&status(Code::Unknown, "NO_STATUS")),
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

/// A status of our own, for what never had one.
fn status(code: Code, reason: &str) -> Status {
    super::status(code, reason, "", None)
}

/// Whether the conventions count a call that was answered so as failed by the server.
fn is_server_error(code: Code) -> bool {
    use Code::{DataLoss, DeadlineExceeded, Internal, Unavailable, Unimplemented, Unknown};
    matches!(code, Unknown | DeadlineExceeded | Unimplemented | Internal | Unavailable | DataLoss)
}

/// Whose doing a status is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blame {
    Nobody,
    /// A stream has no end of its own: it ends when its server stops.
    Stop,
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
