//! The case: one thing that somebody has to deal with, from the moment it was heard of until it is closed.

mod arrival;
mod attachment;
mod binding;
mod category;
mod course;
mod escalate;
mod merge;
mod outcome;
mod past;
mod priority;
mod tags;
#[cfg(test)]
mod tests;
mod verb;
mod verdict;
mod worth;

use barometer_chassis::{
    clock::Micros,
    door::Dimensions,
    error::Error,
    recorded_head,
    writer::{Pending, Recorded, Write},
};
use barometer_directory::CustomerId;
use barometer_proto::complaints::v1::{CaseKind, Priority, Severity, case::State};
use futures_util::future::BoxFuture;
use sea_orm::entity::prelude::*;
use serde::Serialize;

pub(crate) use self::verdict::{CASE_DIMENSION, Verdict};
pub use self::{
    arrival::{Arrival, Incoming},
    attachment::{Attachment, Attachments},
    binding::{Binding, Rebase},
    category::{Category, within},
    course::{Holder, Step, When, Window},
    outcome::{Outcome, Redress, Worth},
    past::{Deed, PastEvent},
    priority::{PriorityTable, UNKNOWN_BAND},
    tags::Tags,
    verb::Verb,
};
use crate::{calendar_version::CalendarId, claim::ClaimLimit, policy::Subject, promise::Lead, store};

/// The company's rules for its cases, as the server's flags give them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// How long after its end a case can be reopened.
    pub reopen_window: Window,
    /// What priority a case has.
    pub priorities: PriorityTable,
    /// How long before its due time a promise is due soon.
    pub promise_lead: Lead,
    /// How many claims of an employee may run at a time.
    pub claim_limit: ClaimLimit,
}

/// A case's row.
///
/// It is serialised for the fingerprint of what was first recorded. What came to it after its first release is left out
/// where it was not given, so that a repeat of an older request is still known as one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "case")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// First position in the feed.
    pub number: i64,
    /// Latest position in the feed.
    pub position: i64,
    /// From 1, one more with each change.
    pub version: i64,
    /// Whose it is; nobody known when anonymous.
    pub customer_id: Option<CustomerId>,
    /// As [`State`].
    pub state: i32,
    /// Personal data.
    #[sea_orm(column_type = "Text")]
    pub subject: String,
    /// Personal data.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// The kind of trouble.
    pub category: String,
    /// What it is about.
    pub product: String,
    /// How it came in.
    pub channel: String,
    /// The point of contact.
    pub touchpoint: String,
    /// Stage of the journey.
    pub journey_stage: String,
    /// When it was received.
    pub open_time: Micros,
    /// Who has it.
    pub employee: String,
    /// The team that has it.
    pub team: String,
    /// Declared dimensions.
    #[sea_orm(column_type = "JsonBinary")]
    pub dimensions: Dimensions,
    /// When the customer was told that it came in.
    pub acknowledge_time: Option<Micros>,
    /// When the customer first got an answer.
    pub first_response_time: Option<Micros>,
    /// When it was first resolved.
    pub first_resolve_time: Option<Micros>,
    /// When it was last resolved; nothing while it is open.
    pub resolve_time: Option<Micros>,
    /// When it was closed; nothing while it is not.
    pub close_time: Option<Micros>,
    /// When it was last moved: opened, or led to a state by a verb, merged and unmerged too.
    pub move_time: Micros,
    /// How often it was reopened.
    pub reopenings: i32,
    /// How often it was taken from somebody.
    pub hand_offs: i32,
    /// System of the caller's key.
    pub external_system: Option<String>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Hash of what was first recorded.
    pub fingerprint: i64,
    /// Who opened it; no part of what was recorded, so none of its fingerprint.
    #[serde(skip)]
    pub actor: String,
    /// When it was recorded.
    pub create_time: Micros,
    /// When it was last changed.
    pub update_time: Micros,
    /// When it was withdrawn.
    pub withdraw_time: Option<Micros>,
    /// What it is, as [`CaseKind`].
    #[serde(skip_serializing_if = "is_complaint")]
    pub kind: i32,
    /// How bad it is, as [`Severity`].
    #[serde(skip_serializing_if = "is_medium")]
    pub severity: i32,
    /// How urgent it is, as [`Priority`].
    #[serde(skip)]
    pub priority: i32,
    /// Whether somebody set the priority.
    #[serde(skip)]
    pub priority_overridden: bool,
    /// What the customer is worth.
    #[serde(skip)]
    pub value_band: String,
    /// What the customer asks for, as `Remedy`.
    #[serde(skip_serializing_if = "is_unspecified")]
    pub remedy_sought: i32,
    /// The company's words for it.
    #[sea_orm(column_type = "JsonBinary")]
    #[serde(skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// Personal data: what came with it.
    #[sea_orm(column_type = "JsonBinary")]
    #[serde(skip_serializing_if = "Attachments::is_empty")]
    pub attachments: Attachments,
    /// When it was cancelled; nothing while it is not.
    #[serde(skip)]
    pub cancel_time: Option<Micros>,
    /// Whether self-service resolved it.
    #[serde(skip)]
    pub self_served: bool,
    /// The version of the policies that it was bound to; 0 when there were none.
    #[serde(skip)]
    pub policy_set_version: i64,
    /// Its policy among them.
    #[serde(skip)]
    pub policy_name: String,
    /// The policy's calendar.
    #[serde(skip)]
    pub calendar_id: Option<CalendarId>,
    /// The calendar's version then.
    #[serde(skip)]
    pub calendar_version: i64,
    /// The case that it was merged into.
    #[serde(skip)]
    pub merged_into: Option<Uuid>,
    /// The state that it had before, as [`State`]; only while it is merged.
    #[serde(skip)]
    pub unmerged_state: Option<i32>,
    /// What became of it.
    #[sea_orm(column_type = "JsonBinary")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// When the customer was asked whether it is solved.
    #[serde(skip)]
    pub ask_time: Option<Micros>,
    /// Whether the customer says that it is; nothing until they say.
    #[serde(skip)]
    pub accepted: Option<bool>,
    /// How satisfied the customer is, 1 to 5.
    #[serde(skip)]
    pub satisfaction: Option<i32>,
    /// When the customer said so.
    #[serde(skip)]
    pub answer_time: Option<Micros>,
    /// When the first of its clocks that run is or was due.
    #[serde(skip)]
    pub due_time: Option<Micros>,
    /// Which clock that is, as `ClockKind`.
    #[serde(skip)]
    pub due_clock: Option<i32>,
    /// The version of the case that its clocks are kept for; 0 when they never were.
    #[serde(skip)]
    pub clocked: i64,
    /// What lies before this instant alerts nobody: when it was imported.
    #[serde(skip)]
    pub quiet_until: Option<Micros>,
    /// The tier that customers knew when it came in.
    #[serde(skip)]
    pub customer_tier: String,
    /// The country that customers knew then.
    #[serde(skip)]
    pub customer_country: String,
    /// Whether customers is still to be asked what its customer is worth.
    #[serde(skip)]
    pub value_pending: bool,
    /// How often the customer wrote: each message is a change.
    #[serde(skip)]
    pub customer_messages: i32,
    /// The latest message of the customer that asks for an answer.
    #[serde(skip)]
    pub last_message_time: Option<Micros>,
    /// When the customer last got a message of any sort, if that was noted; see [`Model::has_heard`].
    #[serde(skip)]
    pub last_reply_time: Option<Micros>,
    /// When it was last given to somebody else.
    #[serde(skip)]
    pub assign_time: Option<Micros>,
    /// When somebody last set its priority, or took that back.
    #[serde(skip)]
    pub prioritize_time: Option<Micros>,
    /// When its outcome last changed.
    #[serde(skip)]
    pub decide_time: Option<Micros>,
    /// Whether a person must answer it whatever its kind: it was of such a kind before, or has taken one in.
    #[serde(skip)]
    pub person_needed: bool,
}

/// In which order cases are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The latest that came in first.
    Newest,
    /// What is due first first.
    Due,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_complaint(kind: &i32) -> bool {
    *kind == i32::from(CaseKind::Complaint)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_medium(severity: &i32) -> bool {
    *severity == i32::from(Severity::Medium)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_unspecified(value: &i32) -> bool {
    *value == 0
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The state.
    pub fn state(&self) -> State {
        State::try_from(self.state).unwrap_or_default()
    }

    /// What it is.
    pub fn kind(&self) -> CaseKind {
        CaseKind::try_from(self.kind).unwrap_or_default()
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        Severity::try_from(self.severity).unwrap_or_default()
    }

    /// How urgent it is.
    pub fn priority(&self) -> Priority {
        Priority::try_from(self.priority).unwrap_or_default()
    }

    /// What policies ask of it. The tier and the country of its customer are those of its declared dimensions, or else those
    /// that customers knew.
    pub fn subject(&self) -> Subject {
        let declared = |key: &str, known: &String| self.dimensions.0.get(key).unwrap_or(known).clone();
        Subject {
            kind: self.kind,
            category: self.category.clone(),
            severity: self.severity,
            priority: self.priority,
            channel: self.channel.clone(),
            customer_tier: declared("customer_tier", &self.customer_tier),
            value_band: self.value_band.clone(),
            product: self.product.clone(),
            country: declared("home_country", &self.customer_country),
        }
    }

    /// Whether it has clocks: it is bound to a policy, and there.
    pub fn has_clocks(&self) -> bool {
        self.calendar_id.is_some() && self.withdraw_time.is_none()
    }

    /// Whether a person must answer it: so it is with all but questions, with what was none once, and with what has taken
    /// such a case in.
    pub fn needs_a_person(&self) -> bool {
        self.person_needed || self.kind() != CaseKind::Question
    }

    /// Whether the customer has got a message of any sort.
    pub fn has_heard(&self) -> bool {
        self.last_reply_time.or(self.acknowledge_time).or(self.first_response_time).is_some()
    }
}

impl Recorded for Model {
    type Table = Entity;
    type Active = ActiveModel;
    type Context = Incoming;
    const NOUN: &'static str = "case";

    recorded_head!();

    /// New cases are bound to what holds when they are written, and what is due first stands on them from the start.
    fn prepare<'w>(write: &'w Write<'w>, rows: &'w mut [Pending<Self>]) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(async move {
            let Some(first) = rows.first() else { return Ok(()) };
            let book = first.context.book.clone();
            let today = match book.today(write.db).await {
                Err(error) if error.is_outage() => return Err(error),
                today => today.map_err(|error| error.to_string()),
            };
            let teams = store::handed_to(rows.iter().flat_map(|row| row.context.arrival.entries()));
            let calendars = store::TeamCalendars::of(write.db, teams).await?;
            for Pending { row, context, refused, .. } in rows.iter_mut() {
                let due = async {
                    let first = context.arrival.first_priority(row);
                    let priority = std::mem::replace(&mut row.priority, first);
                    today.as_ref().map_err(|told| Error::Internal(told.clone()))?.bind(row)?;
                    row.priority = priority;
                    calendars.note(row, context.arrival.entries_mut());
                    store::note_due(write, row, context).await
                };
                match due.await {
                    Ok(()) => {}
                    Err(error) if error.is_outage() => return Err(error),
                    Err(error) => *refused = Some(error),
                }
            }
            store::refuse_erased(write, rows, |case| case.customer_id).await
        })
    }

    /// The history of a new case begins with it, and so do its clocks.
    fn bring<'w>(write: &'w Write<'w>, rows: &'w [Self], incoming: &'w [Incoming]) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(async move {
            let history = |(case, incoming): (&Self, &Incoming)| incoming.arrival.history(case, write.now);
            store::add_entries(write, rows.iter().zip(incoming).flat_map(history).collect()).await?;
            store::add_clocks(write, rows.iter().zip(incoming)).await?;
            store::link_by_rules(write, rows).await
        })
    }
}
