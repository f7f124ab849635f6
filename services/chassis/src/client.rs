//! Calls to other services of the suite: deadlines and traces go along, and what is safe is tried again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tonic::transport::Endpoint;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::config::ClientConfig;
use crate::layers::deadline::{self, Deadline};
use crate::layers::method::Method;
use crate::layers::trace::{Calls, code_name};
use crate::layers::{Around, Next, Request, Response, Step, around, propagation, status};
use crate::server::{CONNECTION_WINDOW, STREAM_WINDOW};
use crate::telemetry;

/// A connection to another service, for generated clients: `CustomerServiceClient::new(channel)`. Cheap to clone.
///
/// A call has the deadline of the call it is made for, or `call_deadline`, unless its request sets another with
/// `set_timeout`; watches and imports have only what their request sets.
#[derive(Debug, Clone)]
pub struct Channel {
    service: Around<Outgoing, tonic::transport::Channel>,
}

/// An address that cannot be called.
#[derive(Debug, thiserror::Error)]
#[error("{address:?} is not of the form http://host:port")]
pub struct InvalidAddress {
    address: String,
}

/// A channel to `address` (`http://host:port`). Connects when it is first used, and again whenever that is needed. Must be
/// called inside a runtime.
///
/// # Errors
/// When `address` is not of that form.
pub fn connect(address: &str, config: &ClientConfig) -> Result<Channel, InvalidAddress> {
    let invalid = || InvalidAddress { address: address.to_owned() };
    if !crate::config::is_plain_http(address) {
        return Err(invalid());
    }
    let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|_| invalid())?;
    let calls = Calls::new(&telemetry::meter(), endpoint.uri());
    let channel = endpoint
        .connect_timeout(config.connect_timeout)
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(config.call_keepalive)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true)
        .connect_lazy();
    let outgoing = Outgoing { default_deadline: config.call_deadline, calls };
    Ok(Channel { service: around(outgoing).layer(channel) })
}

/// Time an unanswered ping may take before the connection counts as dead.
const PING_TIMEOUT: Duration = Duration::from_secs(10);

impl Service<Request> for Channel {
    type Response = Response;
    type Error = tonic::transport::Error;
    type Future = BoxFuture<'static, Result<Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.service.call(request)
    }
}

/// Sends deadline and trace along, and keeps the deadline on this side too.
#[derive(Debug, Clone)]
struct Outgoing {
    default_deadline: Duration,
    calls: Calls,
}

impl Step for Outgoing {
    async fn handle<S: Next>(self, mut request: Request, mut next: S) -> Result<Response, S::Error> {
        let mut call = self.calls.begin(&request);
        propagation::inject(&call.span.context(), request.headers_mut());
        let deadline = self.deadline_of(&request);
        if deadline.is_some_and(Deadline::has_passed) {
            return Ok(call.watch(deadline::exceeded().into_http()));
        }
        if let Some(deadline) = deadline {
            deadline::set_timeout(request.headers_mut(), deadline.remaining());
        }
        let answer = async move { next.call(request).await }.instrument(call.span.clone());
        let answer = match deadline {
            Some(deadline) => deadline.bound(answer).await,
            None => Some(answer.await),
        };
        let response = match (answer, deadline) {
            (Some(Ok(response)), Some(deadline)) => deadline::limit_body(response, deadline),
            (Some(Ok(response)), None) => response,
            (Some(Err(error)), deadline) if !deadline.is_some_and(Deadline::has_passed) => {
                // What callers make of it.
                call.end(&status(Code::Unavailable, "UNREACHABLE", "", None));
                return Err(error);
            }
            // Also when tonic's own timer came first, whose word for it is CANCELLED.
            (Some(Err(_)) | None, _) => deadline::exceeded().into_http(),
        };
        Ok(call.watch(response))
    }
}

impl Outgoing {
    fn deadline_of(&self, request: &Request) -> Option<Deadline> {
        let asked = deadline::timeout(request.headers()).map(Deadline::after);
        if Method::of(request.uri().path()).is_long_lived() {
            return asked;
        }
        // Whichever comes first of what the request asks for and what is left of the call it is made for.
        let nearest = asked.into_iter().chain(Deadline::current()).min();
        Some(nearest.unwrap_or_else(|| Deadline::after(self.default_deadline)))
    }
}

/// Makes `call`, and up to [`MAX_RETRIES`] times again while it is answered UNAVAILABLE, waiting a little longer each
/// time, within the deadline of the call this is done for and within `budget`. Only for calls that may happen twice: reads,
/// and writes with a `request_id`.
///
/// # Errors
/// The last answer's.
pub async fn retry<T, F>(budget: &RetryBudget, mut call: impl FnMut() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<T, Status>>,
{
    budget.deposit();
    let mut pause = FIRST_PAUSE;
    for _ in 0..MAX_RETRIES {
        let failed = match call().await {
            Err(status) if status.code() == Code::Unavailable => status,
            answer => return answer,
        };
        // Half of it for sure, half by chance: those who failed together do not come back together.
        let wait = pause / 2 + (pause / 2).mul_f64(fastrand::f64());
        let in_time = Deadline::current().is_none_or(|deadline| wait < deadline.remaining());
        if !in_time || !budget.withdraw() {
            return Err(failed);
        }
        tracing::debug!(code = code_name(failed.code()), ?wait, "trying again");
        tokio::time::sleep(wait).await;
        pause *= 4;
    }
    call().await
}

/// Most often a call is tried again.
pub const MAX_RETRIES: u32 = 3;

/// Longest wait before the first retry; the second waits up to four times as long, the third sixteen times.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// How many retries one callee may be given: a tenth of the calls made to it, and a few for the start. One that is down is
/// not also buried under retries. Clones share one budget; keep one for each channel.
#[derive(Debug, Clone)]
pub struct RetryBudget {
    tenths: Arc<AtomicU32>,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { tenths: Arc::new(AtomicU32::new(Self::MAX_TENTHS)) }
    }
}

impl RetryBudget {
    const MAX_TENTHS: u32 = 100;
    const TENTHS_PER_RETRY: u32 = 10;

    fn deposit(&self) {
        // Never refused: the closure always gives a value.
        let _ = self.change(|tenths| Some(tenths.saturating_add(1).min(Self::MAX_TENTHS)));
    }

    fn withdraw(&self) -> bool {
        self.change(|tenths| tenths.checked_sub(Self::TENTHS_PER_RETRY)).is_ok()
    }

    fn change(&self, to: impl Fn(u32) -> Option<u32>) -> Result<u32, u32> {
        self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_addresses_are_taken() {
        for good in ["http://127.0.0.1:7400", "http://customers:7400/"] {
            assert!(crate::config::is_plain_http(good), "{good}");
        }
        let config = ClientConfig::default();
        for bad in ["customers:7400", "https://customers:7400", "http://", "", "http://a/b"] {
            assert!(connect(bad, &config).is_err(), "{bad}");
        }
    }

    async fn tries(budget: &RetryBudget, code: Code, failures: usize) -> (Result<(), Code>, usize) {
        let mut tries = 0;
        let answer = retry(budget, || {
            tries += 1;
            let failed = tries <= failures;
            let answer = if failed { Err(status(code, "TEST", "", None)) } else { Ok(()) };
            async move { answer }
        })
        .await;
        (answer.map_err(|status| status.code()), tries)
    }

    #[tokio::test]
    async fn what_is_unavailable_is_tried_again_and_nothing_else_is() {
        let budget = RetryBudget::default();
        assert_eq!(tries(&budget, Code::Unavailable, 0).await, (Ok(()), 1));
        assert_eq!(tries(&budget, Code::Unavailable, 1).await, (Ok(()), 2));
        for code in [Code::Internal, Code::DeadlineExceeded, Code::ResourceExhausted] {
            assert_eq!(tries(&budget, code, 9).await, (Err(code), 1));
        }
    }

    #[tokio::test]
    async fn an_empty_budget_allows_no_retry() {
        let budget = RetryBudget::default();
        while budget.withdraw() {}
        let refused = (Err(Code::Unavailable), 1);
        assert_eq!(tries(&budget, Code::Unavailable, 9).await, refused);
        for _ in 0..10 {
            budget.deposit();
        }
        assert_eq!(tries(&budget, Code::Unavailable, 1).await, (Ok(()), 2));
    }

    #[tokio::test]
    async fn no_retry_waits_past_the_deadline() {
        let budget = RetryBudget::default();
        let deadline = Deadline::after(Duration::from_millis(20));
        let tried = deadline.bound(tries(&budget, Code::Unavailable, 9)).await;
        assert_eq!(tried, Some((Err(Code::Unavailable), 1)));
    }
}
