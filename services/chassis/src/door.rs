//! Parsing at the door: a message is turned into checked values once, and every violation is told in one answer, each
//! with the path of its field.
//!
//! ```
//! # use barometer_chassis::door::Door;
//! let parsed = Door::open(|door| {
//!     let name = door.required_text("name", "Anna".to_owned(), 200);
//!     let page = door.page(10, "");
//!     (name, page)
//! });
//! assert!(parsed.is_ok());
//! ```

mod page;
mod values;

pub use page::{NamedPage, Page, PageToken, fit};
pub use values::{Amount, Currency, Dimensions, ExternalKey, MAX_MONEY, Stages, money};

use tonic::Code;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::{
    clock::Micros,
    error::{Error, Violation},
};

/// 1900-01-01T00:00:00Z: what happened before is a mistake, and would stretch every figure's range.
const EARLIEST: i64 = -2_208_988_800_000_000;

/// Collects the violations of one message while it is parsed.
///
/// Each parsing function returns a value even when it has noted a violation; such a placeholder never gets out, because
/// [`Door::open`] gives the whole only when nothing was noted.
#[derive(Debug)]
pub struct Door {
    path: String,
    violations: Vec<Violation>,
    /// Paths of messages that are not there: nothing more is said of their fields.
    absent: Vec<String>,
    now: Micros,
}

impl Door {
    /// Parses with `parse`; answers what it made, or every violation.
    pub fn open<T>(parse: impl FnOnce(&mut Door) -> T) -> Result<T, Error> {
        let mut door = Door { path: String::new(), violations: Vec::new(), absent: Vec::new(), now: Micros::now() };
        let parsed = parse(&mut door);
        if door.violations.is_empty() { Ok(parsed) } else { Err(Error::Invalid(door.violations)) }
    }

    /// The instant at which the message came, the same for all its fields.
    pub fn now(&self) -> Micros {
        self.now
    }

    /// Whether anything was refused so far.
    pub fn has_refused(&self) -> bool {
        !self.violations.is_empty()
    }

    /// Notes a violation of `field`. `reason` is for programs, `description` for people.
    pub fn refuse(&mut self, field: &str, reason: &'static str, description: impl Into<String>) {
        let field = if field.is_empty() { self.path.clone() } else { self.join(field) };
        let inside = |absent: &String| field.strip_prefix(absent).is_some_and(|rest| rest.starts_with('.'));
        if self.absent.iter().any(inside) {
            return;
        }
        self.violations.push(Violation { field, reason, description: description.into() });
    }

    /// Notes violations whose paths begin at the top of the message.
    pub fn refuse_all(&mut self, violations: impl IntoIterator<Item = Violation>) {
        self.outermost(|door| {
            for Violation { field, reason, description } in violations {
                door.refuse(&field, reason, description);
            }
        });
    }

    /// Parses a part of the message under its field's name.
    pub fn inside<T>(&mut self, field: &str, parse: impl FnOnce(&mut Door) -> T) -> T {
        let outer = self.path.len();
        self.path = self.join(field);
        let parsed = parse(self);
        self.path.truncate(outer);
        parsed
    }

    /// Parses every item of a repeated field, at most `max`.
    pub fn each<I, T>(
        &mut self,
        field: &str,
        items: Vec<I>,
        max: usize,
        mut parse: impl FnMut(&mut Door, I) -> T,
    ) -> Vec<T> {
        if items.len() > max {
            self.refuse(field, "TOO_MANY", format!("at most {max}; there are {}", items.len()));
            return Vec::new();
        }
        let parse_one = |(index, item)| self.inside(&format!("{field}[{index}]"), |door| parse(door, item));
        items.into_iter().enumerate().map(parse_one).collect()
    }

    /// A message that must be there. When it is not, only that is told, and nothing of its fields.
    pub fn required<M: Default>(&mut self, field: &str, message: Option<M>) -> M {
        message.unwrap_or_else(|| {
            self.missing(field);
            self.absent.push(self.join(field));
            M::default()
        })
    }

    /// Notes that a field is missing.
    pub fn missing(&mut self, field: &str) {
        self.refuse(field, "REQUIRED", "is required");
    }

    /// Text of at most `max` characters, empty when not given. Control characters other than tab and line breaks are
    /// refused.
    pub fn text(&mut self, field: &str, text: String, max: usize) -> String {
        let length = text.chars().count();
        if length > max {
            self.refuse(field, "TOO_LONG", format!("at most {max} characters; it has {length}"));
        } else if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
            self.refuse(field, "CONTROL_CHARACTER", "holds a control character");
        }
        text
    }

    /// Text of 1 to `max` characters.
    pub fn required_text(&mut self, field: &str, text: String, max: usize) -> String {
        if text.is_empty() {
            self.missing(field);
        }
        self.text(field, text, max)
    }

    /// A UUID that must be there.
    pub fn id(&mut self, field: &str, text: &str) -> Uuid {
        if text.is_empty() {
            self.missing(field);
            return Uuid::nil();
        }
        self.optional_id(field, text).unwrap_or_default()
    }

    /// A UUID, or none when empty.
    pub fn optional_id(&mut self, field: &str, text: &str) -> Option<Uuid> {
        if text.is_empty() {
            return None;
        }
        let id = Uuid::try_parse(text).ok();
        if id.is_none() {
            self.refuse(field, "NOT_A_UUID", "is not a UUID");
        }
        id
    }

    /// The `request_id` of a mutating request.
    pub fn request_id(&mut self, text: &str) -> Option<Uuid> {
        self.outermost(|door| door.optional_id("request_id", text))
    }

    /// An instant, or none. Cut to microseconds; from the year 1 to 9999.
    pub fn optional_time(&mut self, field: &str, at: Option<prost_types::Timestamp>) -> Option<Micros> {
        let at = at?;
        let micros = Micros::from_wire(&at);
        if micros.is_none() {
            self.refuse(field, "OUT_OF_RANGE", "is not an instant of the years 1 to 9999");
        }
        micros
    }

    /// The instants from which and before which something is asked for, either or none, under their fields' names. The
    /// first must not lie after the second.
    pub fn optional_span(
        &mut self,
        (from_field, from): (&str, Option<prost_types::Timestamp>),
        (until_field, until): (&str, Option<prost_types::Timestamp>),
    ) -> (Option<Micros>, Option<Micros>) {
        let span = (self.optional_time(from_field, from), self.optional_time(until_field, until));
        if span.0.zip(span.1).is_some_and(|(from, until)| from > until) {
            self.refuse(from_field, "OUT_OF_ORDER", format!("lies after `{until_field}`"));
        }
        span
    }

    /// An instant that must be there.
    pub fn time(&mut self, field: &str, at: Option<prost_types::Timestamp>) -> Micros {
        if at.is_none() {
            self.missing(field);
        }
        self.optional_time(field, at).unwrap_or_default()
    }

    /// The instant of something that has happened: from 1900 on, and at most one day ahead, for clocks that go wrong.
    pub fn past_time(&mut self, field: &str, at: Option<prost_types::Timestamp>) -> Micros {
        let at = self.time(field, at);
        if at.0 != 0 && at.0 < EARLIEST {
            self.refuse(field, "OUT_OF_RANGE", "lies before the year 1900");
        }
        if at.0 > self.now.0 + Micros::DAY {
            self.refuse(field, "IN_THE_FUTURE", "lies more than a day in the future");
        }
        at
    }

    /// A value of an enum that must not be unspecified.
    pub fn choice<E: TryFrom<i32> + Default + PartialEq>(&mut self, field: &str, value: i32) -> E {
        let known = self.optional_choice(field, value);
        if value == 0 {
            self.missing(field);
        }
        known
    }

    /// A value of an enum, or its unspecified one.
    pub fn optional_choice<E: TryFrom<i32> + Default>(&mut self, field: &str, value: i32) -> E {
        E::try_from(value).unwrap_or_else(|_| {
            self.refuse(field, "UNKNOWN_VALUE", format!("{value} is no value of this enum"));
            E::default()
        })
    }

    /// A language tag as in BCP 47: letters, digits and hyphens, up to 35 characters; empty when not given.
    pub fn language(&mut self, field: &str, tag: String) -> String {
        let well_formed = tag.len() <= 35
            && tag
                .split('-')
                .all(|part| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric()))
            && tag.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
        if !tag.is_empty() && !well_formed {
            self.refuse(field, "NOT_A_LANGUAGE", "is not a language tag such as `pt-BR`");
        }
        tag
    }

    /// The path of a field within the message.
    fn join(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    /// Parses as if at the top of the message.
    fn outermost<T>(&mut self, parse: impl FnOnce(&mut Door) -> T) -> T {
        let path = std::mem::take(&mut self.path);
        let parsed = parse(self);
        self.path = path;
        parsed
    }
}

/// Whether a status of another service says that it could not be reached.
///
/// A connection that breaks under a call gives a status that the service has never seen: whatever its code, it lacks the
/// reason that every error of a service has.
pub fn is_unreachable(status: &tonic::Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => true,
        Code::Unknown | Code::Internal => status.get_details_error_info().is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(parse: impl FnOnce(&mut Door)) -> Vec<String> {
        match Door::open(parse) {
            Err(Error::Invalid(violations)) => {
                violations.into_iter().map(|v| format!("{} {}", v.field, v.reason)).collect()
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_broken_connection_is_not_the_other_service_being_broken() {
        let broken = tonic::Status::from_error("the connection was reset".into());
        assert!(is_unreachable(&broken), "{broken:?}");
        assert!(!is_unreachable(&Error::Internal("a bug".to_owned()).into()));
        assert!(!is_unreachable(&Error::not_found("customer", "c-1").into()));
    }

    #[test]
    fn every_violation_is_told_with_its_path() {
        let told = fields(|door| {
            door.inside("purchase", |door| {
                door.required_text("channel", String::new(), 5);
                door.each("lines", vec!["", "too long"], 10, |door, line| {
                    door.required_text("category", line.to_owned(), 3)
                });
                door.request_id("nonsense");
            });
            door.id("customer_id", "x");
        });
        assert_eq!(
            told,
            [
                "purchase.channel REQUIRED",
                "purchase.lines[0].category REQUIRED",
                "purchase.lines[1].category TOO_LONG",
                "request_id NOT_A_UUID",
                "customer_id NOT_A_UUID",
            ]
        );
    }

    #[test]
    fn of_a_message_that_is_absent_no_field_is_told() {
        let told = fields(|door| {
            let key = door.required("external_id", None::<barometer_proto::common::v1::ExternalId>);
            door.inside("external_id", |door| door.key(key));
            door.missing("external_id_of_another");
        });
        assert_eq!(told, ["external_id REQUIRED", "external_id_of_another REQUIRED"]);
    }

    #[test]
    fn control_characters_are_refused_and_line_breaks_are_not() {
        assert_eq!(fields(|door| drop(door.text("comment", "a\u{0}b".into(), 10))), ["comment CONTROL_CHARACTER"]);
        assert!(fields(|door| drop(door.text("comment", "a\n\tb".into(), 10))).is_empty());
    }

    #[test]
    fn the_future_is_refused_beyond_a_day() {
        let ahead = |seconds: i64| Some(Micros(Micros::now().0 + seconds * Micros::SECOND).to_wire());
        assert!(fields(|door| _ = door.past_time("time", ahead(3_600))).is_empty());
        assert_eq!(fields(|door| _ = door.past_time("time", ahead(90_000))), ["time IN_THE_FUTURE"]);
        assert_eq!(fields(|door| _ = door.past_time("time", None)), ["time REQUIRED"]);
    }

    #[test]
    fn a_span_goes_forward_or_is_open() {
        let at = |seconds: i64| Some(Micros(seconds * Micros::SECOND).to_wire());
        let span = |from, until| fields(|door| _ = door.optional_span(("from", from), ("until", until)));
        for (from, until) in [(None, None), (at(9), None), (None, at(8)), (at(8), at(9)), (at(8), at(8))] {
            assert!(span(from, until).is_empty(), "{from:?} {until:?}");
        }
        assert_eq!(span(at(9), at(8)), ["from OUT_OF_ORDER"]);
        assert_eq!(span(at(i64::MAX / Micros::SECOND), at(8)), ["from OUT_OF_RANGE"]);
    }

    #[test]
    fn violations_of_elsewhere_keep_their_paths() {
        let told = fields(|door| {
            assert!(!door.has_refused());
            let violation =
                |field: &str| Violation { field: field.to_owned(), reason: "ODD", description: String::new() };
            door.inside("case", |door| door.refuse_all([violation("case.subject"), violation("update_mask.paths[0]")]));
            assert!(door.has_refused());
        });
        assert_eq!(told, ["case.subject ODD", "update_mask.paths[0] ODD"]);
    }

    #[test]
    fn languages_are_tags() {
        for good in ["", "en", "pt-BR", "zh-Hant-TW"] {
            assert!(fields(|door| drop(door.language("language", good.into()))).is_empty(), "{good}");
        }
        for bad in ["-", "en_US", "en-", "1", "english language"] {
            assert_eq!(fields(|door| drop(door.language("language", bad.into()))).len(), 1, "{bad}");
        }
    }
}
