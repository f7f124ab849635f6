//! Who calls.

use std::fmt;

use super::{Next, Request, Response, Step};

/// Who makes a call; stored as `actor` with every write.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Principal {
    /// Nobody in particular: there is no authentication yet.
    Anonymous,
}

impl Principal {
    /// Who makes the call that `request` belongs to.
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or(Self::Anonymous)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

/// Finds out who calls and puts a [`Principal`] into the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct Identify;

impl Step for Identify {
    async fn handle<S: Next>(self, mut request: Request, mut next: S) -> Result<Response, S::Error> {
        request.extensions_mut().insert(Principal::Anonymous);
        next.call(request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::around;
    use tonic::body::Body;
    use tower::{Layer, ServiceExt, service_fn};

    #[tokio::test]
    async fn the_handler_sees_who_calls() {
        let service = around(Identify).layer(service_fn(async |request: Request| {
            let principal = request.extensions().get::<Principal>().cloned();
            assert_eq!(principal, Some(Principal::Anonymous));
            Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
        }));
        service.oneshot(Request::new(Body::empty())).await.expect("a response");
        assert_eq!(Principal::of(&tonic::Request::new(())).to_string(), "anonymous");
    }
}
