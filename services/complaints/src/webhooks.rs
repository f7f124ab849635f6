//! Webhooks: what happens is told to other systems, by HTTP, at least once.
//!
//! Whoever writes something worth telling calls [`notify`] in the same transaction:
//!
//! ```ignore
//! let notice = Notice::new(WebhookEvent::Escalation, step.time)
//!     .id("case_id", case.id)
//!     .word("clock", "first_response")
//!     .words("audience", ["TEAM_LEAD"])
//!     .time("due_time", due);
//! webhooks::notify(write, vec![notice]).await?;
//! ```
//!
//! That is all there is to do: when the transaction commits the notice is on its way to every webhook that wants events of
//! its kind, and when it is rolled back there is none. With no such webhook nothing is written. It reads one small table
//! and inserts a row for each webhook, so call it once for many notices.
//!
//! A notice holds ids, instants, numbers and the company's own words; never what customers or employees wrote, with the one
//! exception of an incident's message, which is meant for customers. [`Deliverer`] sends what waits, in each replica.

mod deliverer;
mod instruments;
mod sender;

use barometer_chassis::{clock::Micros, error::Error, writer::Write};
use barometer_proto::complaints::v1::WebhookEvent;
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(crate) use self::deliverer::Deliverer;
pub use self::sender::{Authorities, Settings};
use crate::store;

/// Something worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    event: WebhookEvent,
    time: Micros,
    data: Map<String, Value>,
}

#[allow(dead_code, reason = "for whoever tells something")]
impl Notice {
    /// Of what happened at an instant.
    pub(crate) fn new(event: WebhookEvent, time: Micros) -> Self {
        Notice { event, time, data: Map::new() }
    }

    /// Adds an id of the suite.
    pub(crate) fn id(self, name: &str, id: Uuid) -> Self {
        self.with(name, id.to_string().into())
    }

    /// Adds ids of the suite.
    pub(crate) fn ids(self, name: &str, ids: impl IntoIterator<Item = Uuid>) -> Self {
        self.with(name, ids.into_iter().map(|id| Value::from(id.to_string())).collect())
    }

    /// Adds a word of the contract or of the company, such as the key of a team; nothing when it is empty.
    pub(crate) fn word(self, name: &str, word: &str) -> Self {
        if word.is_empty() { self } else { self.with(name, word.into()) }
    }

    /// Adds words.
    pub(crate) fn words<'w>(self, name: &str, words: impl IntoIterator<Item = &'w str>) -> Self {
        self.with(name, words.into_iter().map(Value::from).collect())
    }

    /// Adds what an incident tells customers: the only text that somebody wrote.
    pub(crate) fn message(self, text: &str) -> Self {
        self.with("message", text.into())
    }

    /// Adds a number.
    pub(crate) fn number(self, name: &str, number: i64) -> Self {
        self.with(name, number.into())
    }

    /// Adds whether something is so.
    pub(crate) fn flag(self, name: &str, flag: bool) -> Self {
        self.with(name, flag.into())
    }

    /// Adds an instant; nothing when there is none.
    pub(crate) fn time(self, name: &str, time: impl Into<Option<Micros>>) -> Self {
        match time.into() {
            Some(time) => self.with(name, time.to_string().into()),
            None => self,
        }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.data.insert(name.to_owned(), value);
        self
    }

    /// The body that is sent.
    fn body(&self) -> String {
        let Notice { event, time, data } = self;
        json!({ "type": name(*event), "timestamp": time.to_string(), "data": data }).to_string()
    }
}

/// Puts notices into the outbox, for every webhook that wants events of their kind; how many deliveries there are of them.
pub(crate) async fn notify(write: &Write<'_>, notices: Vec<Notice>) -> Result<u64, Error> {
    let mut added = 0;
    if notices.is_empty() {
        return Ok(added);
    }
    for webhook in store::list_told(write.db).await? {
        let wanted = notices.iter().filter(|notice| webhook.events.include(notice.event));
        let bodies: Vec<_> = wanted.map(|notice| (notice.event, notice.body())).collect();
        if !bodies.is_empty() {
            added += store::add_deliveries(write, webhook, bodies).await?;
        }
    }
    Ok(added)
}

/// The body of a notice that nothing happened.
pub(crate) fn test_body(now: Micros) -> String {
    Notice::new(WebhookEvent::Test, now).body()
}

/// The `type` of a body.
fn name(event: WebhookEvent) -> &'static str {
    match event {
        WebhookEvent::Unspecified => "",
        WebhookEvent::Test => "test",
        WebhookEvent::Escalation => "escalation",
        WebhookEvent::PromiseDueSoon => "promise.due_soon",
        WebhookEvent::PromiseBroken => "promise.broken",
        WebhookEvent::IncidentOpened => "incident.opened",
        WebhookEvent::IncidentMessage => "incident.message",
        WebhookEvent::IncidentClosed => "incident.closed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_says_what_when_and_of_whom() {
        let notice = Notice::new(WebhookEvent::Escalation, Micros(1_700_000_000_000_000))
            .id("case_id", Uuid::from_u128(1))
            .ids("customer_ids", [Uuid::from_u128(2)])
            .word("clock", "first_response")
            .word("team", "")
            .words("audience", ["OWNER", "TEAM_LEAD"])
            .number("percent", 90)
            .flag("late", true)
            .time("due_time", Micros(1_700_000_000_500_000))
            .time("stop_time", None);
        let expected = json!({
            "type": "escalation",
            "timestamp": "2023-11-14T22:13:20Z",
            "data": {
                "case_id": "00000000-0000-0000-0000-000000000001",
                "customer_ids": ["00000000-0000-0000-0000-000000000002"],
                "clock": "first_response",
                "audience": ["OWNER", "TEAM_LEAD"],
                "percent": 90,
                "late": true,
                "due_time": "2023-11-14T22:13:20.5Z",
            },
        });
        assert_eq!(serde_json::from_str::<Value>(&notice.body()).expect("JSON"), expected);
    }

    #[test]
    fn every_event_has_a_name_of_its_own() {
        let events = (1..).map_while(|number| WebhookEvent::try_from(number).ok());
        let names: Vec<&str> = events.map(name).collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert!(names.len() == 7 && distinct.len() == names.len() && !names.contains(&""), "{names:?}");
    }
}
