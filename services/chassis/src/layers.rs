//! What happens around every call, outermost first: `trace`, `explain`, `panic`, `principal`, `shed`, `deadline`.
//!
//! A layer is a `Step`: it sees the request, calls the rest, sees the response. `around` makes it a tower layer.

pub(crate) mod deadline;
pub(crate) mod explain;
pub(crate) mod method;
pub(crate) mod panic;
pub(crate) mod principal;
pub(crate) mod propagation;
pub(crate) mod shed;
pub(crate) mod trace;

pub use deadline::Deadline;
pub use principal::Principal;

use std::collections::HashMap;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

pub(crate) type Request = http::Request<Body>;
pub(crate) type Response = http::Response<Body>;

/// One thing done around every call.
pub(crate) trait Step: Clone + Send + 'static {
    /// Handles `request`, usually by passing it on to `next`.
    fn handle<S: Next>(self, request: Request, next: S) -> impl Future<Output = Result<Response, S::Error>> + Send;
}

/// The rest of a call: the steps further in, then the handler.
pub(crate) trait Next:
    Service<Request, Response = Response, Error: Send, Future: Send> + Clone + Send + 'static
{
}

impl<S> Next for S where S: Service<Request, Response = Response, Error: Send, Future: Send> + Clone + Send + 'static {}

/// A tower layer that does `step` around the service it wraps.
pub(crate) fn around<T: Step>(step: T) -> StepLayer<T> {
    StepLayer(step)
}

/// See [`around`].
#[derive(Debug, Clone)]
pub(crate) struct StepLayer<T>(T);

impl<T: Step, S> Layer<S> for StepLayer<T> {
    type Service = Around<T, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Around { step: self.0.clone(), inner }
    }
}

/// A service with a step around it.
#[derive(Debug, Clone)]
pub(crate) struct Around<T, S> {
    step: T,
    inner: S,
}

impl<T: Step, S: Next> Service<Request> for Around<T, S> {
    type Response = Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let received = Received(received(&request));
        request.extensions_mut().insert(received);
        // The clone takes the place of the one that was polled ready: only that one may be called.
        let unready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, unready);
        Box::pin(self.step.clone().handle(request, ready))
    }
}

/// When the outermost layer was given a call, before anything was waited for.
#[derive(Debug, Clone, Copy)]
struct Received(Instant);

/// When `request` arrived.
pub(crate) fn received(request: &Request) -> Instant {
    let received = request.extensions().get::<Received>();
    received.map_or_else(Instant::now, |received| received.0)
}

/// A status with `google.rpc.ErrorInfo`, and `RetryInfo` when a retry after that time makes sense.
pub(crate) fn status(code: Code, reason: &str, message: &str, retry_after: Option<Duration>) -> Status {
    let details = retry_after.map(crate::error::retry_after).into_iter().collect();
    crate::error::status(code, message, reason, HashMap::new(), details)
}
