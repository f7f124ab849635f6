//! Why a command failed: one line for people, an exit code for scripts.

use std::fmt;

use barometer_chassis::error::{Error, violations_of};
use tonic::{Code, Status};
use tonic_types::{StatusExt, pb::bad_request::FieldViolation};

/// Rows of an import were rejected, and the others are recorded; or a file that was to be checked has problems.
pub const REJECTED: u8 = 1;
/// The flags are wrong (`EX_USAGE` of sysexits, as the following).
pub const USAGE: u8 = barometer_chassis::config::EXIT_BAD_CONFIG;
/// The input is wrong.
pub const DATA: u8 = 65;
/// What was named is not there. `EX_NOINPUT` means such a file; here it is a case, a calendar, a metric.
pub const NOT_THERE: u8 = 66;
/// The suite can not be reached, or is not ready.
pub const UNAVAILABLE: u8 = 69;
/// Something is broken in the program or in the suite.
pub const INTERNAL: u8 = 70;
/// A file could not be written.
pub const OUTPUT: u8 = 74;
/// What was asked for is not possible as things stand. The nearest name that sysexits has is `EX_PROTOCOL`.
pub const WRONG_STATE: u8 = 76;

/// Why the suite refuses the name of a metric that there is not: of all that is wrong with a request, this is no matter of
/// flags.
const UNKNOWN_METRIC: &str = "UNKNOWN_METRIC";

/// The exit codes, for `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   imported, but rows were rejected; checked or verified, and there are problems
  64  the flags are wrong
  65  the input is wrong: a file that can not be read, a column that is not there
  66  what was named is not there: a case, a calendar, a metric
  69  the suite can not be reached, or is not ready: try again later
  70  something is broken inside
  74  a file could not be written
  76  not possible as things stand, whoever asks: something has to be done before";

/// Why a command failed. Shown as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// A failure with an exit code of this module.
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The flags are wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(USAGE, message)
    }

    /// The input is wrong.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(DATA, message)
    }

    /// What was named is not there.
    pub fn not_there(message: impl Into<String>) -> Self {
        Self::new(NOT_THERE, message)
    }

    /// What was asked for is not possible as things stand.
    pub fn wrong_state(message: impl Into<String>) -> Self {
        Self::new(WRONG_STATE, message)
    }

    /// Something that is needed can not be had now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(UNAVAILABLE, message)
    }

    /// Something is broken inside.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(INTERNAL, message)
    }

    /// A service could not start; the log of the process is its user's, so the cause is told.
    pub fn of_start(error: &Error) -> Self {
        let message = match error {
            Error::Internal(message) => message.clone(),
            Error::Database(cause) => format!("{error}: {cause}"),
            error => error.to_string(),
        };
        let code = match error {
            Error::State { .. } => WRONG_STATE,
            error if error.is_outage() => UNAVAILABLE,
            _ => INTERNAL,
        };
        Self::new(code, message)
    }

    /// Rows of an import were rejected.
    pub fn rejected(message: impl Into<String>) -> Self {
        Self::new(REJECTED, message)
    }

    /// A file that was to be checked has problems.
    pub fn problems(message: impl Into<String>) -> Self {
        Self::new(REJECTED, message)
    }

    /// A file could not be written.
    pub fn output(what: impl fmt::Display, error: &std::io::Error) -> Self {
        Self::new(OUTPUT, format!("can not write {what}: {error}"))
    }

    /// What the suite at `endpoint` answered, or that it did not.
    pub fn of_status(status: &Status, endpoint: &str) -> Self {
        Self::of_request(status, endpoint, str::to_owned)
    }

    /// As [`of_status`](Self::of_status), with the fields of the request named by `flag_of` as the user knows them.
    pub fn of_request(status: &Status, endpoint: &str, flag_of: impl Fn(&str) -> String) -> Self {
        if is_lost(status) {
            let cause = cause(status);
            return Self::unavailable(format!("can not reach the suite at {endpoint} ({cause}); is it running?"));
        }
        let violations = violations_of(status);
        let names_nothing = !violations.is_empty() && violations.iter().all(|v| v.reason == UNKNOWN_METRIC);
        let message = if violations.is_empty() {
            status.message().to_owned()
        } else {
            let told =
                |v: &FieldViolation| format!("{}: {}", flag_of(&v.field), in_flags(&v.field, &v.description, &flag_of));
            violations.iter().map(told).collect::<Vec<_>>().join("; ")
        };
        match status.code() {
            Code::InvalidArgument if names_nothing => Self::not_there(message),
            Code::InvalidArgument | Code::OutOfRange => Self::usage(message),
            Code::NotFound => Self::not_there(message),
            Code::AlreadyExists => Self::data(message),
            Code::Unimplemented => Self::usage(format!(
                "what listens at {endpoint} does not have this call: --endpoint must lead to the suite, or to that of its services which has it"
            )),
            Code::FailedPrecondition => Self::wrong_state(message),
            code if may_pass(code) => Self::unavailable(format!("the suite can not answer now: {message}")),
            code => Self::internal(format!("the suite answered with an error: {message} ({code:?})")),
        }
    }

    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = self.message.split_ascii_whitespace();
        formatter.write_str(words.next().unwrap_or("failed"))?;
        words.try_for_each(|word| write!(formatter, " {word}"))
    }
}

impl std::error::Error for Failure {}

/// What is said of a field, with the ends of the time that it belongs to named as the user knows them.
fn in_flags(field: &str, description: &str, flag_of: impl Fn(&str) -> String) -> String {
    let within = field.rfind('.').map_or("", |dot| &field[..=dot]);
    let ends = [("start_time", "its start"), ("end_time", "its end")];
    ends.into_iter().fold(description.to_owned(), |told, (end, own)| {
        let sibling = format!("{within}{end}");
        match flag_of(&sibling) {
            flag if flag == sibling => told,
            // One flag for both.
            flag if flag == flag_of(field) => told.replace(&format!("`{end}`"), own),
            flag => told.replace(&format!("`{end}`"), &flag),
        }
    })
}

/// Whether waiting may help: the connection broke, or the suite said so.
pub(crate) fn is_passing(status: &Status) -> bool {
    is_lost(status) || may_pass(status.code())
}

/// Why, in a few words: of a lost connection the innermost cause, which says most.
pub(crate) fn cause(status: &Status) -> String {
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(status);
    while let Some(inner) = cause.and_then(|error| error.source()) {
        cause = Some(inner);
    }
    match cause {
        Some(error) => error.to_string(),
        None if status.message().is_empty() => format!("{:?}", status.code()),
        None => status.message().to_owned(),
    }
}

fn may_pass(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded | Code::Cancelled | Code::Aborted
    )
}

/// Whether the connection failed, or something that is not the suite answered: every error of the suite's own carries
/// an `ErrorInfo`.
fn is_lost(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled)
        && status.get_details_error_info().is_none()
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests play the suite that answers")]
mod tests {
    use super::*;

    fn of(status: &Status) -> (u8, String) {
        let failure = Failure::of_status(status, "http://here:1");
        (failure.exit_code(), failure.to_string())
    }

    #[test]
    fn the_other_end_of_a_time_is_told_by_its_flag() {
        let flag_of = |field: &str| match field {
            "scope.start_time" => "--from".to_owned(),
            "scope.end_time" => "--to".to_owned(),
            "before.start_time" | "before.end_time" => "--before".to_owned(),
            "group_by[0]" => "--by".to_owned(),
            field => field.to_owned(),
        };
        let told = |field: &str, description: &str| {
            let status = Status::from(Error::invalid(field, "OUT_OF_RANGE", description));
            Failure::of_request(&status, "http://here:1", flag_of).to_string()
        };
        assert_eq!(told("scope.end_time", "must be later than `start_time`"), "--to: must be later than --from");
        assert_eq!(
            told("before.end_time", "must be later than `start_time`"),
            "--before: must be later than its start"
        );
        assert_eq!(told("end_time", "must be later than `start_time`"), "end_time: must be later than `start_time`");
        assert_eq!(told("group_by[0]", "start_time is no dimension"), "--by: start_time is no dimension");
    }

    #[test]
    fn codes_tell_scripts_whose_fault_it_is() {
        let answers = [
            (Error::invalid("metrics[0]", "UNKNOWN_METRIC", "there is no metric `x`"), NOT_THERE),
            (Error::invalid("end_time", "OUT_OF_RANGE", "lies before the start"), USAGE),
            (Error::not_found("metric", "x"), NOT_THERE),
            (Error::Exists { reason: "KEY_REUSED", message: "another".into() }, DATA),
            (Error::State { reason: "WRONG_STATE", message: "closed".into() }, WRONG_STATE),
            (Error::Unavailable { reason: "NOT_READY", message: "not yet".into() }, UNAVAILABLE),
            (Error::Exhausted("too many"), UNAVAILABLE),
            (Error::Internal("a secret".into()), INTERNAL),
        ];
        for (error, code) in answers {
            assert_eq!(of(&error.into()).0, code);
        }
        let (code, told) = of(&Status::unimplemented("there is no such method"));
        assert!(code == USAGE && told.contains("what listens at http://here:1 does not have this call"), "{told}");
    }

    #[test]
    fn every_code_is_documented_and_stands_for_one_thing() {
        let codes = [REJECTED, USAGE, DATA, NOT_THERE, UNAVAILABLE, INTERNAL, OUTPUT, WRONG_STATE];
        let told = EXIT_CODES.lines().filter_map(|line| line.split_whitespace().next()?.parse::<u8>().ok());
        assert_eq!(told.collect::<Vec<_>>(), [&[0], codes.as_slice()].concat());
    }

    #[test]
    fn offending_fields_are_named_as_the_user_knows_them() {
        let status = Error::invalid("start_time", "OUT_OF_RANGE", "is after the end").into();
        let failure = Failure::of_request(&status, "", |field| field.replace("start_time", "--from"));
        assert_eq!(failure.to_string(), "--from: is after the end");
    }

    #[test]
    fn what_is_not_the_suite_is_a_suite_that_can_not_be_reached() {
        let (code, message) = of(&Status::new(Code::Unavailable, "tcp connect error"));
        assert_eq!(code, UNAVAILABLE);
        assert_eq!(message, "can not reach the suite at http://here:1 (tcp connect error); is it running?");
        assert!(is_passing(&Status::new(Code::Unknown, "h2 protocol error")));
        assert!(!is_passing(&Error::Internal(String::new()).into()));
    }

    #[test]
    fn messages_are_one_line() {
        assert_eq!(Failure::data("two\n  lines\r\n").to_string(), "two lines");
    }
}
