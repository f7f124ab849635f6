//! A handler that panics fails its own call and no other.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tonic::Code;

use super::{Next, Request, Response, Step, status};

/// Answers INTERNAL when the handler panics; the panic itself is logged by the process's hook.
#[derive(Debug, Clone)]
pub(crate) struct CatchPanic;

impl Step for CatchPanic {
    async fn handle<S: Next>(self, request: Request, mut next: S) -> Result<Response, S::Error> {
        // Whatever the handler held is dropped with it: nothing that was half changed is seen again.
        let call = AssertUnwindSafe(async move { next.call(request).await });
        call.catch_unwind()
            .await
            .unwrap_or_else(|_| Ok(status(Code::Internal, "INTERNAL", "internal error", None).into_http()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::around;
    use tonic::Status;
    use tonic::body::Body;
    use tower::{Layer, ServiceExt, service_fn};

    #[tokio::test]
    async fn a_panic_is_answered_as_internal_and_says_nothing_else() {
        let service =
            around(CatchPanic).layer(service_fn(async |_: Request| -> Result<Response, std::convert::Infallible> {
                panic!("the secret of the handler")
            }));
        let response = service.oneshot(Request::new(Body::empty())).await.expect("a response");
        let status = Status::from_header_map(response.headers()).expect("a status");
        assert_eq!(status.code(), Code::Internal);
        assert_eq!(status.message(), "internal error");
    }
}
