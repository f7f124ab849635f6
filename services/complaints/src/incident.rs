//! The incident: something that makes many customers unhappy at once. Its rules know neither the wire nor the database.

mod rule;

use barometer_chassis::{
    clock::Micros,
    error::Error,
    id, recorded_head,
    writer::{Pending, Recorded, Write},
};
use barometer_proto::complaints::v1::{IncidentState, WebhookEvent};
use futures_util::future::BoxFuture;
use sea_orm::entity::prelude::*;
use serde::Serialize;

pub use self::rule::{Rule, word};
use crate::{
    incident_task::{self, Work},
    store,
    webhooks::{self, Notice},
};

/// The most incidents that are open.
pub const MAX_OPEN: u64 = 100;
/// The most customers whom an incident affects.
pub const MAX_CUSTOMERS: i64 = 1_000_000;

id! {
    /// Id of an incident.
    IncidentId
}

/// An incident's row. Serialised for the fingerprint of what was first recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "incident")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// First position in the feed.
    pub number: i64,
    /// Latest position in the feed.
    pub position: i64,
    /// From 1, one more with each change but for those of counts.
    pub version: i64,
    /// As [`IncidentState`].
    pub state: i32,
    /// What it is.
    pub title: String,
    /// More of it.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// What it is about.
    pub product: String,
    /// The kind of trouble.
    pub category: String,
    /// Where it is.
    pub country: String,
    /// When it began.
    pub start_time: Micros,
    /// Which cases belong to it.
    #[sea_orm(column_type = "JsonBinary")]
    pub rule: Option<Rule>,
    /// When it was ended.
    pub end_time: Option<Micros>,
    /// When all its cases were done with.
    pub close_time: Option<Micros>,
    /// Customers whom it affects.
    pub affected_customers: i64,
    /// Cases that are linked.
    pub linked_cases: i64,
    /// Of these, resolved by ending it.
    pub resolved_cases: i64,
    /// Of these, passed over.
    pub passed_over_cases: i64,
    /// System of the caller's key.
    pub external_system: Option<String>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Hash of what was first recorded.
    pub fingerprint: i64,
    /// Who opened it; no part of what was recorded.
    #[serde(skip)]
    pub actor: String,
    /// When it was recorded.
    pub create_time: Micros,
    /// When it was last changed.
    pub update_time: Micros,
    /// Never: incidents are not withdrawn.
    pub withdraw_time: Option<Micros>,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// How far it has come.
    pub fn state(&self) -> IncidentState {
        IncidentState::try_from(self.state).unwrap_or_default()
    }

    /// Its id.
    pub fn id(&self) -> IncidentId {
        IncidentId(self.id)
    }

    /// Refuses what is done with open incidents only.
    pub fn check_open(&self) -> Result<(), Error> {
        if self.state() == IncidentState::Open {
            return Ok(());
        }
        let message = "the incident has ended: only open ones are changed".to_owned();
        Err(Error::State { reason: "NOT_OPEN", message })
    }

    /// It has ended.
    pub fn end(mut self, now: Micros) -> Result<Self, Error> {
        self.check_open()?;
        // A clock that lags behind does not end it before it began.
        (self.state, self.end_time) = (IncidentState::Closing.into(), Some(now.max(self.start_time)));
        Ok(self)
    }

    /// Its cases have ended with it.
    pub fn close(mut self, now: Micros) -> Self {
        (self.state, self.close_time) = (IncidentState::Closed.into(), Some(now));
        self
    }

    /// A notice of it.
    pub(crate) fn notice(&self, event: WebhookEvent, now: Micros) -> Notice {
        let notice = Notice::new(event, now).id("incident_id", self.id);
        let words = [("product", &self.product), ("category", &self.category), ("country", &self.country)];
        let notice = words.into_iter().fold(notice, |notice, (name, word)| notice.word(name, word));
        notice.time("start_time", self.start_time).time("end_time", self.end_time)
    }
}

impl Recorded for Model {
    type Table = Entity;
    type Active = ActiveModel;
    type Context = ();
    const NOUN: &'static str = "incident";

    recorded_head!();

    fn prepare<'w>(write: &'w Write<'w>, rows: &'w mut [Pending<Self>]) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(async move {
            let mut open = store::count_open_incidents(write.db).await?;
            for row in rows {
                open += 1;
                if open > MAX_OPEN {
                    let message = format!("{MAX_OPEN} incidents are open already");
                    row.refused = Some(Error::State { reason: "TOO_MANY_INCIDENTS", message });
                }
            }
            Ok(())
        })
    }

    /// A new one looks for the cases that came in before it, and is told.
    fn bring<'w>(write: &'w Write<'w>, rows: &'w [Self], _contexts: &'w [()]) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(async move {
            for incident in rows.iter().filter(|incident| incident.rule.is_some()) {
                let task = incident_task::Model::new(incident.id(), Work::LinkCases, &incident.actor, write.now);
                store::add_task(write, task).await?;
            }
            let opened = rows.iter().map(|incident| incident.notice(WebhookEvent::IncidentOpened, write.now));
            webhooks::notify(write, opened.collect()).await?;
            Ok(())
        })
    }
}
