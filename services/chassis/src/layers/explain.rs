//! What the transport refuses is told like every other error.

use tonic::{Code, Status};

use super::{Next, Request, Response, Step, method::Method, status};

/// Gives errors without details, which the transport made, the reason that all errors have.
///
/// Health and reflection answer as their own contracts say.
#[derive(Debug, Clone)]
pub(crate) struct Explain;

impl Step for Explain {
    async fn handle<S: Next>(self, request: Request, mut next: S) -> Result<Response, S::Error> {
        if Method::of(request.uri().path()).is_plumbing() {
            return next.call(request).await;
        }
        let response = next.call(request).await?;
        Ok(match Status::from_header_map(response.headers()) {
            Some(status) if status.code() != Code::Ok => match explain(&status) {
                Some(explained) => explained.into_http(),
                None => response,
            },
            _ => response,
        })
    }
}

/// The same error with a code and a reason of the suite; `None` when it has a reason already.
///
/// What can not be read is the caller's mistake, and no other try will do better: INVALID_ARGUMENT, not INTERNAL, which
/// is kept for mistakes of the suite.
pub(crate) fn explain(bare: &Status) -> Option<Status> {
    if !bare.details().is_empty() {
        return None;
    }
    let (code, reason) = match bare.code() {
        Code::OutOfRange | Code::ResourceExhausted => (Code::InvalidArgument, "MESSAGE_TOO_LARGE"),
        Code::Internal => (Code::InvalidArgument, "MALFORMED"),
        Code::Unimplemented => (Code::Unimplemented, "UNIMPLEMENTED"),
        code => (code, "TRANSPORT"),
    };
    let message = match (bare.code(), bare.message()) {
        (Code::Unimplemented, "") => "there is no such method",
        (_, message) => message,
    };
    Some(status(code, reason, message, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::StatusExt;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the transport makes them so")]
    fn what_can_not_be_read_is_the_callers_mistake() {
        let explained = explain(&Status::internal("failed to decode Protobuf message")).expect("an explanation");
        assert_eq!(explained.code(), Code::InvalidArgument);
        assert_eq!(explained.get_details_error_info().expect("ErrorInfo").reason, "MALFORMED");
        assert!(explain(&explained).is_none());
    }
}
