//! Deadlines: read, capped, enforced, and passed on to the calls made meanwhile.
//!
//! tonic has a timeout of its own for `grpc-timeout` that answers CANCELLED. It sits outside all layers and begins just
//! after the outermost took the time, so that ours is never later.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::body::Body;
use tonic::{Code, Status};

use super::method::Method;
use super::{Next, Request, Response, Step, received, status};

/// When a call must be done; afterwards nobody waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    at: Instant,
}

impl Deadline {
    /// The deadline this long from now.
    pub fn after(time: Duration) -> Self {
        Self::since(Instant::now(), time)
    }

    /// The deadline of the call that this code runs for: none in watches, imports, background work, and in tasks that a
    /// handler spawned.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|deadline| *deadline).ok()
    }

    /// The deadline of the call that `request` belongs to, if it has one.
    pub fn of<T>(request: &tonic::Request<T>) -> Option<Self> {
        request.extensions().get::<Self>().copied()
    }

    /// Time left; zero when it has passed.
    pub fn remaining(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }

    fn since(start: Instant, time: Duration) -> Self {
        // So far away that it is as good as none, if the sum does not exist.
        let at = start.checked_add(time).unwrap_or_else(|| start + Duration::from_secs(365 * 24 * 3600));
        Self { at }
    }

    /// Runs `work` until the deadline, and as its [`current`](Self::current) one. `None` when it passed first.
    pub(crate) async fn bound<T>(self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(CURRENT.scope(self, work));
        let mut timer = pin!(sleep_until(self.at));
        std::future::poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // The clock is asked too: somebody else's timer may wake us a moment before ours does.
            Poll::Pending if timer.as_mut().poll(context).is_ready() || self.has_passed() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}

tokio::task_local! {
    static CURRENT: Deadline;
}

/// Ends calls at their deadline with DEADLINE_EXCEEDED and tells handlers about it.
#[derive(Debug, Clone)]
pub(crate) struct Enforce {
    /// Longest deadline, and the one of callers that set none.
    pub(crate) max: Duration,
    /// Methods that only a deadline of the caller's own binds.
    pub(crate) exempt: fn(Method<'_>) -> bool,
}

impl Step for Enforce {
    async fn handle<S: Next>(self, mut request: Request, mut next: S) -> Result<Response, S::Error> {
        let Some(deadline) = self.deadline_of(&request) else {
            return next.call(request).await;
        };
        request.extensions_mut().insert(deadline);
        let call = async move { next.call(request).await };
        match deadline.bound(call).await {
            Some(response) => response.map(|response| limit_body(response, deadline)),
            None => Ok(exceeded().into_http()),
        }
    }
}

impl Enforce {
    fn deadline_of(&self, request: &Request) -> Option<Deadline> {
        let asked = timeout(request.headers());
        let time = if (self.exempt)(Method::of(request.uri().path())) {
            asked?
        } else {
            asked.map_or(self.max, |asked| asked.min(self.max))
        };
        Some(Deadline::since(received(request), time))
    }
}

/// Ends the body of `response` at `deadline` too: a stream then closes with DEADLINE_EXCEEDED.
pub(crate) fn limit_body(response: Response, deadline: Deadline) -> Response {
    response.map(|body| Body::new(LimitedBody { body, deadline, timer: None, ended: false }))
}

/// What a call is answered whose deadline has passed.
pub(crate) fn exceeded() -> Status {
    status(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", "the deadline of the call has passed", None)
}

/// The caller's `grpc-timeout`. What cannot be read counts as not given, as everywhere in gRPC.
pub(crate) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// Sets `grpc-timeout`, rounded up to a unit in which the time has at most eight digits.
pub(crate) fn set_timeout(headers: &mut HeaderMap, time: Duration) {
    let nanos = time.as_nanos();
    let text = [(1, 'n'), (1_000, 'u'), (1_000_000, 'm'), (1_000_000_000, 'S')]
        .into_iter()
        .map(|(nanos_in_unit, unit)| (nanos.div_ceil(nanos_in_unit), unit))
        .find(|(amount, _)| *amount < 100_000_000)
        .map_or_else(|| "99999999S".to_owned(), |(amount, unit)| format!("{amount}{unit}"));
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(GRPC_TIMEOUT, value);
    }
}

/// The header of a call's timeout.
pub(crate) const GRPC_TIMEOUT: &str = "grpc-timeout";

struct LimitedBody {
    body: Body,
    deadline: Deadline,
    /// Made when the body first has to be waited for: unary answers never are.
    timer: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

impl http_body::Body for LimitedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let deadline = self.deadline;
        let frame = CURRENT.sync_scope(deadline, || Pin::new(&mut self.body).poll_frame(context));
        if frame.is_ready() {
            return frame;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline.at)));
        if timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.ended = true;
        let mut trailers = HeaderMap::new();
        // Fails only on a message that is no header value; the code is in by then.
        let _ = exceeded().add_header(&mut trailers);
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::around;
    use std::convert::Infallible;
    use tower::{Layer, ServiceExt, service_fn};

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(3600);

    fn request(path: &str, timeout: Option<Duration>) -> Request {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = path.parse().expect("a path");
        if let Some(timeout) = timeout {
            set_timeout(request.headers_mut(), timeout);
        }
        request
    }

    /// What the layer answers when the handler takes `work` and then tells the deadline it saw, in seconds.
    async fn call(max: Duration, request: Request, work: Duration) -> Response {
        let layer = around(Enforce { max, exempt: |method| method.is_long_lived() });
        let handler = service_fn(move |request: Request| async move {
            tokio::time::sleep(work).await;
            let given = request.extensions().get::<Deadline>().copied();
            assert_eq!(given, Deadline::current());
            let mut response = Response::new(Body::empty());
            if let Some(deadline) = given {
                let left = deadline.remaining().as_secs_f64().round();
                let left = HeaderValue::try_from(left.to_string()).expect("a header value");
                response.headers_mut().insert("left", left);
            }
            Ok::<_, Infallible>(response)
        });
        let response = layer.layer(handler).oneshot(request).await;
        response.expect("a response")
    }

    fn code(headers: &HeaderMap) -> Option<Code> {
        Status::from_header_map(headers).map(|status| status.code())
    }

    fn left(response: &Response) -> Option<&str> {
        response.headers().get("left")?.to_str().ok()
    }

    #[tokio::test]
    async fn a_call_that_takes_too_long_is_told_so() {
        let late = call(LONG, request("/a.B/Get", Some(SHORT)), LONG).await;
        assert_eq!(code(late.headers()), Some(Code::DeadlineExceeded));
        let late = call(SHORT, request("/a.B/Get", None), LONG).await;
        assert_eq!(code(late.headers()), Some(Code::DeadlineExceeded));
        let late = call(SHORT, request("/a.B/WatchFacts", Some(SHORT)), LONG).await;
        assert_eq!(code(late.headers()), Some(Code::DeadlineExceeded));
    }

    #[tokio::test]
    async fn the_cap_binds_unless_the_caller_wants_less() {
        let max = Duration::from_secs(30);
        for (asked, seen) in [(None, "30"), (Some(5), "5"), (Some(300), "30")] {
            let asked = asked.map(Duration::from_secs);
            let response = call(max, request("/a.B/Get", asked), Duration::ZERO).await;
            assert_eq!(left(&response), Some(seen), "asked {asked:?}");
        }
    }

    #[tokio::test]
    async fn watches_and_imports_are_bound_by_the_caller_only() {
        for path in ["/a.B/WatchFacts", "/a.B/ImportThings"] {
            let response = call(SHORT, request(path, None), 2 * SHORT).await;
            assert_eq!(code(response.headers()), None);
            assert_eq!(left(&response), None);
            let asked = Some(Duration::from_secs(300));
            let response = call(SHORT, request(path, asked), 2 * SHORT).await;
            assert_eq!(left(&response), Some("300"));
        }
    }

    #[tokio::test]
    async fn a_stream_ends_at_the_deadline_with_the_status_in_its_trailers() {
        struct Endless;
        impl http_body::Body for Endless {
            type Data = Bytes;
            type Error = Status;
            fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
                assert!(Deadline::current().is_some());
                Poll::Pending
            }
        }
        let response = Response::new(Body::new(Endless));
        let mut body = limit_body(response, Deadline::after(SHORT)).into_body();
        let mut next = async || std::future::poll_fn(|cx| http_body::Body::poll_frame(Pin::new(&mut body), cx)).await;
        let frame = next().await.expect("a frame").expect("no error");
        let trailers = frame.into_trailers().expect("trailers");
        assert_eq!(code(&trailers), Some(Code::DeadlineExceeded));
        assert!(next().await.is_none());
    }

    #[test]
    fn timeouts_are_read_and_written() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            let value = HeaderValue::try_from(text).expect("a header value");
            headers.insert(GRPC_TIMEOUT, value);
            timeout(&headers)
        };
        assert_eq!(read("5S"), Some(Duration::from_secs(5)));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        for nonsense in ["", "S", "5", "+5S", "-1S", "123456789S", "5s", "1.5S"] {
            assert_eq!(read(nonsense), None, "{nonsense:?}");
        }
        for seconds in [0, 1, 30, 86_400 * 365] {
            let mut headers = HeaderMap::new();
            set_timeout(&mut headers, Duration::from_secs(seconds));
            assert_eq!(timeout(&headers), Some(Duration::from_secs(seconds)));
        }
    }
}
