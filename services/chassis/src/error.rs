//! The one error of the suite and its one map to gRPC status.

use std::{collections::HashMap, time::Duration};

use prost::Message;
use prost_types::Any;
use sea_orm::{DbErr, RuntimeErr};
use tonic::{Code, Status};
use tonic_types::{
    StatusExt,
    pb::{self, bad_request::FieldViolation},
};

/// The domain of every `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "barometer";

/// How long callers are asked to wait before they try again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Why a stream is UNAVAILABLE that ends because its server stops.
const SHUTTING_DOWN: &str = "SHUTTING_DOWN";

/// The detail that names offending fields.
const BAD_REQUEST: &str = "BadRequest";

/// The reason of what stands for the violations that are not told.
const AND_MORE: &str = "AND_MORE";

// A status travels in headers, of which many clients accept 8 KiB in all: details in base64, the message with three bytes
// for one where it is not plain.
const DETAILS_ROOM: usize = 3_000;
const MESSAGE_ROOM: usize = 800;
/// The longest path or description, in bytes.
const LONGEST: usize = 300;
/// What a violation takes besides its texts, at most.
const FRAME: usize = 11;

/// Why a call failed. Few codes; the reason tells programs what to do, the message tells people.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is wrong in itself: every offending field. INVALID_ARGUMENT.
    #[error("{}", summary(.0))]
    Invalid(Vec<Violation>),
    /// There is no such thing. NOT_FOUND.
    #[error("there is no {noun} {key}")]
    NotFound {
        /// What was looked for, e.g. `customer`.
        noun: &'static str,
        /// By which key.
        key: String,
    },
    /// It is there already, and is another. ALREADY_EXISTS.
    #[error("{message}")]
    Exists {
        /// For programs, e.g. `KEY_TAKEN`.
        reason: &'static str,
        /// For people.
        message: String,
    },
    /// Not in this state. FAILED_PRECONDITION.
    #[error("{message}")]
    State {
        /// For programs, e.g. `WRONG_STATE`.
        reason: &'static str,
        /// For people: which states or verbs would do.
        message: String,
    },
    /// Somebody else wrote in between. ABORTED.
    #[error("the {noun} was changed in the meantime: read it again")]
    Stale {
        /// What was to be written.
        noun: &'static str,
    },
    /// A limit was reached; waiting helps. RESOURCE_EXHAUSTED.
    #[error("{0}")]
    Exhausted(&'static str),
    /// Something that is needed can not be reached, or is not ready; waiting helps. UNAVAILABLE.
    #[error("{message}")]
    Unavailable {
        /// For programs, e.g. `DATABASE_UNAVAILABLE`.
        reason: &'static str,
        /// For people.
        message: String,
    },
    /// The position belongs to another history. OUT_OF_RANGE.
    #[error("the position belongs to a history that is no more: start over without a position")]
    Gone,
    /// The database failed. UNAVAILABLE when it can not be reached, INTERNAL otherwise; its words stay here.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// Something is broken in the suite itself. INTERNAL; the words stay here.
    #[error("internal error")]
    Internal(String),
}

/// One offending field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, e.g. `purchase.lines[2].quantity`.
    pub field: String,
    /// For programs, e.g. `OUT_OF_RANGE`.
    pub reason: &'static str,
    /// For people.
    pub description: String,
}

impl Error {
    /// NOT_FOUND for a noun and its key.
    pub fn not_found(noun: &'static str, key: impl ToString) -> Self {
        Error::NotFound { noun, key: key.to_string() }
    }

    /// INVALID_ARGUMENT for one field.
    pub fn invalid(field: &str, reason: &'static str, description: impl Into<String>) -> Self {
        Error::Invalid(vec![Violation { field: field.to_owned(), reason, description: description.into() }])
    }

    /// UNAVAILABLE: the end of a stream whose server stops. Whoever opens it again finds another.
    pub fn stopping() -> Self {
        Self::stopping_with("the service shuts down")
    }

    /// The same, in other words.
    pub(crate) fn stopping_with(message: &str) -> Self {
        Error::Unavailable { reason: SHUTTING_DOWN, message: message.to_owned() }
    }

    /// UNAVAILABLE: a connection that was lost without a word.
    pub(crate) fn silent() -> Self {
        let message = "the database does not answer".to_owned();
        Error::Unavailable { reason: "DATABASE_UNAVAILABLE", message }
    }

    /// The same error as a refused row of an import tells it: field by field. What was not found is told of the field that
    /// names it, a conflict of the field given.
    pub fn into_violations(self, field: &str) -> Result<Vec<Violation>, Error> {
        let (field, reason) = match &self {
            Error::Invalid(_) => {
                let Error::Invalid(violations) = self else { unreachable!("matched above") };
                return Ok(violations);
            }
            Error::NotFound { noun, .. } => (format!("{noun}_id"), "NOT_FOUND"),
            Error::Exists { reason, .. } | Error::State { reason, .. } => (field.to_owned(), *reason),
            _ => return Err(self),
        };
        Ok(vec![Violation { field, reason, description: self.to_string() }])
    }

    /// Whether the database could not be reached, in contrast to having refused something.
    pub fn is_outage(&self) -> bool {
        match self {
            Error::Unavailable { .. } => true,
            Error::Database(error) => is_outage(error),
            _ => false,
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let (code, reason, metadata, details) = match error {
            Error::Invalid(violations) => {
                let bad = pb::BadRequest { field_violations: told(violations) };
                (Code::InvalidArgument, "INVALID", HashMap::new(), vec![detail(BAD_REQUEST, &bad)])
            }
            Error::NotFound { noun, key } => {
                let metadata = HashMap::from([("noun".to_owned(), noun.to_owned()), ("key".to_owned(), key)]);
                (Code::NotFound, "NOT_FOUND", metadata, Vec::new())
            }
            Error::Exists { reason, .. } => (Code::AlreadyExists, reason, HashMap::new(), Vec::new()),
            Error::State { reason, .. } => (Code::FailedPrecondition, reason, HashMap::new(), Vec::new()),
            Error::Stale { .. } => (Code::Aborted, "STALE_ETAG", HashMap::new(), Vec::new()),
            Error::Exhausted(_) => {
                (Code::ResourceExhausted, "LIMIT_REACHED", HashMap::new(), vec![retry_after(RETRY_AFTER)])
            }
            Error::Unavailable { reason, .. } => {
                (Code::Unavailable, reason, HashMap::new(), vec![retry_after(RETRY_AFTER)])
            }
            Error::Gone => (Code::OutOfRange, "POSITION_GONE", HashMap::new(), Vec::new()),
            Error::Database(error) if is_outage(&error) => {
                tracing::warn!(%error, "the database can not be reached");
                (Code::Unavailable, "DATABASE_UNAVAILABLE", HashMap::new(), vec![retry_after(RETRY_AFTER)])
            }
            Error::Database(error) => {
                tracing::error!(%error, "the database refused a statement");
                return status(Code::Internal, "internal error", "INTERNAL", HashMap::new(), Vec::new());
            }
            Error::Internal(error) => {
                tracing::error!(%error, "internal error");
                (Code::Internal, "INTERNAL", HashMap::new(), Vec::new())
            }
        };
        status(code, &message, reason, metadata, details)
    }
}

/// A status with the suite's `ErrorInfo` beside other details.
pub(crate) fn status(
    code: Code,
    message: &str,
    reason: &str,
    metadata: HashMap<String, String>,
    mut details: Vec<Any>,
) -> Status {
    let info = pb::ErrorInfo { reason: reason.to_owned(), domain: DOMAIN.to_owned(), metadata };
    details.push(detail("ErrorInfo", &info));
    let told = pb::Status { code: code.into(), message: message.to_owned(), details };
    Status::with_details(code, message, told.encode_to_vec().into())
}

/// The detail that asks to wait so long before another try.
pub(crate) fn retry_after(delay: Duration) -> Any {
    detail("RetryInfo", &pb::RetryInfo { retry_delay: delay.try_into().ok() })
}

/// A message of `google.rpc` as a detail of a status.
fn detail(name: &str, message: &impl Message) -> Any {
    Any { type_url: type_url(name), value: message.encode_to_vec() }
}

fn type_url(name: &str) -> String {
    format!("type.googleapis.com/google.rpc.{name}")
}

/// The offending fields that a status names, with their reasons, of which tonic-types tells nothing. None when it names none,
/// or is none of the suite's.
pub fn violations_of(status: &Status) -> Vec<FieldViolation> {
    let details = pb::Status::decode(status.details()).map(|told| told.details).unwrap_or_default();
    let bad = details.iter().filter(|detail| detail.type_url == type_url(BAD_REQUEST));
    let bad = bad.filter_map(|detail| pb::BadRequest::decode(&*detail.value).ok());
    bad.flat_map(|bad| bad.field_violations).collect()
}

/// Whether a stream ended because its server stops, as [`Error::stopping`] has it: no trouble, as long as another one starts.
pub fn is_stopping(status: &Status) -> bool {
    status.code() == Code::Unavailable
        && status.get_details_error_info().is_some_and(|info| info.reason == SHUTTING_DOWN)
}

/// Violations as details, as many as fit; the last one says how many do not.
fn told(violations: Vec<Violation>) -> Vec<FieldViolation> {
    let (all, mut room) = (violations.len(), DETAILS_ROOM);
    let mut told = Vec::new();
    for Violation { field, reason, description } in violations {
        let (field, description) = (cut(&field), cut(&description));
        let size = field.len() + description.len() + reason.len() + FRAME;
        if size > room {
            let more = all - told.len();
            told.push(violation("", AND_MORE, &format!("and {more} more")));
            break;
        }
        room -= size;
        told.push(violation(field, reason, description));
    }
    told
}

fn violation(field: &str, reason: &str, description: &str) -> FieldViolation {
    let (field, reason, description) = (field.to_owned(), reason.to_owned(), description.to_owned());
    FieldViolation { field, description, reason, localized_message: None }
}

/// The beginning of a text that a caller may have made any length.
fn cut(text: &str) -> &str {
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= LONGEST).last();
    &text[..end.unwrap_or_default()]
}

fn summary(violations: &[Violation]) -> String {
    let mut list: Vec<String> = Vec::new();
    let mut room = MESSAGE_ROOM;
    for Violation { field, description, .. } in violations {
        let text = format!("{}: {}", cut(field), cut(description));
        if text.len() > room {
            break;
        }
        room -= text.len();
        list.push(text);
    }
    let more = violations.len() - list.len();
    let tail = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{tail}", list.join("; "))
}

/// What PostgreSQL's codes of outages begin with: the server shuts down or starts; the connection; no disk, memory or
/// connection left; a standby that takes no writes; a transaction that stood still too long; one that others were in the
/// way of.
const OUTAGES: [&str; 6] = ["57P", "08", "53", "25006", "25P03", "40"];

/// Whether the server was out of reach: broken connections, no connection to be had, a server that starts or stops.
fn is_outage(error: &DbErr) -> bool {
    match error {
        DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            use sea_orm::sqlx::Error as Sqlx;
            match error.as_ref() {
                Sqlx::Io(_) | Sqlx::PoolTimedOut | Sqlx::PoolClosed | Sqlx::WorkerCrashed | Sqlx::Protocol(_) => true,
                Sqlx::Database(error) => {
                    error.code().is_some_and(|code| OUTAGES.iter().any(|outage| code.starts_with(outage)))
                }
                _ => false,
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(count: usize, field: &str) -> Error {
        let violation =
            |n| Violation { field: format!("{field}[{n}]"), reason: "TEST", description: "is wrong".into() };
        Error::Invalid((0..count).map(violation).collect())
    }

    #[test]
    fn every_violation_is_told() {
        let status = Status::from(violations(20, "purchase.lines"));
        let told = violations_of(&status);
        assert_eq!(told.len(), 20);
        assert_eq!(told[19], violation("purchase.lines[19]", "TEST", "is wrong"));
        let others = status.get_details_bad_request().expect("BadRequest, as others read it").field_violations;
        assert_eq!(others[19].field, "purchase.lines[19]");
    }

    #[test]
    fn each_violation_has_its_own_reason() {
        let of = |field: &str, reason| Violation { field: field.to_owned(), reason, description: "x".to_owned() };
        let status = Status::from(Error::Invalid(vec![of("a", "REQUIRED"), of("b", "TOO_EARLY")]));
        let told = violations_of(&status).into_iter().map(|told| (told.field, told.reason)).collect::<Vec<_>>();
        assert_eq!(told, [("a", "REQUIRED"), ("b", "TOO_EARLY")].map(|(a, b)| (a.to_owned(), b.to_owned())));
        let info = status.get_details_error_info().expect("ErrorInfo");
        assert_eq!((&*info.reason, &*info.domain), ("INVALID", DOMAIN));
    }

    #[test]
    fn who_shall_wait_is_told_how_long() {
        let status = Status::from(Error::Exhausted("full"));
        assert_eq!(status.get_details_retry_info().and_then(|info| info.retry_delay), Some(RETRY_AFTER));
        assert_eq!(status.get_details_error_info().map(|info| info.reason).as_deref(), Some("LIMIT_REACHED"));
    }

    #[test]
    fn what_does_not_fit_into_headers_is_counted() {
        let long: &'static str = "ONE_OF_THE_LONGEST_REASONS_THAT_THE_CONTRACT_OF_DETAILS_ALLOWS_";
        assert_eq!(long.len(), 63);
        let plain = |field: String, reason, description: &str| {
            let one = |n| Violation { field: format!("{field}[{n}]"), reason, description: description.to_owned() };
            Error::Invalid((0..1_000).map(one).collect())
        };
        let errors = [
            violations(1_000, "ids"),
            violations(1_000, &"é".repeat(100_000)),
            plain("ids".to_owned(), long, "is wrong"),
            plain(String::new(), long, ""),
            plain("é".repeat(20), long, &"é".repeat(20)),
        ];
        for error in errors {
            let status = Status::from(error);
            let headers = status.into_http::<tonic::body::Body>().into_parts().0.headers;
            let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
            assert!(size < 8_000, "{size}");
            let told = violations_of(&Status::from_header_map(&headers).expect("a status"));
            assert!(told.len() > 5, "{}", told.len());
            let rest = violation("", AND_MORE, &format!("and {} more", 1_001 - told.len()));
            assert_eq!(told.last(), Some(&rest));
        }
    }
}
