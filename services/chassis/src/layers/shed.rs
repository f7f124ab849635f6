//! Refuses calls that there is no room for, at once, instead of letting everybody wait.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::body::Body;
use tonic::{Code, Status};

use super::method::Method;
use super::{Next, Request, Response, Step, status};

/// Room for so many calls at the same time; watch streams have room of their own, health and reflection need none.
///
/// A call takes its room until its response has been sent or dropped.
#[derive(Debug, Clone)]
pub(crate) struct Shed {
    calls: Arc<Semaphore>,
    watches: Arc<Semaphore>,
}

impl Shed {
    /// Room for `calls` calls and `watches` watch streams.
    pub(crate) fn new(calls: u32, watches: u32) -> Self {
        // A semaphore takes less than usize::MAX; more room than u32::MAX is no limit anyway.
        let room = |n: u32| Arc::new(Semaphore::new(usize::try_from(n).unwrap_or(usize::MAX >> 3)));
        Self { calls: room(calls), watches: room(watches) }
    }

    fn budget(&self, method: Method<'_>) -> Option<Arc<Semaphore>> {
        if method.is_plumbing() {
            None
        } else if method.is_watch() {
            Some(Arc::clone(&self.watches))
        } else {
            Some(Arc::clone(&self.calls))
        }
    }
}

impl Step for Shed {
    async fn handle<S: Next>(self, request: Request, mut next: S) -> Result<Response, S::Error> {
        let Some(budget) = self.budget(Method::of(request.uri().path())) else {
            return next.call(request).await;
        };
        let Ok(room) = budget.try_acquire_owned() else {
            return Ok(overloaded().into_http());
        };
        let response = next.call(request).await?;
        Ok(response.map(|body| Body::new(RoomyBody { body, _room: room })))
    }
}

/// Callers come back spread over a second, not all together.
fn overloaded() -> Status {
    status(
        Code::ResourceExhausted,
        "OVERLOADED",
        "too many calls at the same time; try again shortly",
        Some(Duration::from_millis(fastrand::u64(500..1500))),
    )
}

/// A body that holds its call's room.
struct RoomyBody {
    body: Body,
    _room: OwnedSemaphorePermit,
}

impl http_body::Body for RoomyBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::around;
    use std::convert::Infallible;
    use tonic_types::StatusExt;
    use tower::{Layer, Service, ServiceExt, service_fn};

    fn request(path: &str) -> Request {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = path.parse().expect("a path");
        request
    }

    /// A service whose every response is a stream that stays open until it is dropped.
    fn service(calls: u32, watches: u32) -> impl Service<Request, Response = Response, Error = Infallible> + Clone {
        struct Open;
        impl http_body::Body for Open {
            type Data = Bytes;
            type Error = Status;
            fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
                Poll::Pending
            }
        }
        around(Shed::new(calls, watches))
            .layer(service_fn(async |_: Request| Ok::<_, Infallible>(Response::new(Body::new(Open)))))
    }

    #[tokio::test]
    async fn a_call_without_room_is_refused_and_told_when_to_come_back() {
        let service = service(1, 1);
        let call = async || {
            let response = service.clone().oneshot(request("/a.B/Get")).await;
            response.expect("a response")
        };
        let first = call().await;
        assert!(Status::from_header_map(first.headers()).is_none());

        let refused = call().await;
        let status = Status::from_header_map(refused.headers()).expect("a status");
        assert_eq!(status.code(), Code::ResourceExhausted);
        let retry = status.get_details_retry_info().expect("RetryInfo");
        let delay = retry.retry_delay.expect("a delay");
        assert!((500..1500).contains(&delay.as_millis()), "{delay:?}");
        assert_eq!(status.get_details_error_info().expect("ErrorInfo").reason, "OVERLOADED");

        drop(first);
        let next = call().await;
        assert!(Status::from_header_map(next.headers()).is_none());
    }

    #[tokio::test]
    async fn watches_and_plumbing_do_not_take_room_from_calls() {
        let service = service(1, 1);
        let mut open = Vec::new();
        for (path, room) in [
            ("/a.B/WatchFacts", true),
            ("/a.B/Get", true),
            ("/a.B/WatchFacts", false),
            ("/a.B/Get", false),
            ("/grpc.health.v1.Health/Watch", true),
            ("/grpc.reflection.v1.ServerReflection/Info", true),
        ] {
            let response = service.clone().oneshot(request(path)).await;
            let response = response.expect("a response");
            let refused = Status::from_header_map(response.headers()).is_some();
            assert_eq!(refused, !room, "{path}");
            open.push(response);
        }
    }
}
