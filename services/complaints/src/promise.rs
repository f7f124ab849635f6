//! The promise: something that a customer was promised, by when, and by whom.

mod course;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use barometer_chassis::{
    clock::Micros,
    error::Error,
    recorded_head,
    writer::{Pending, Recorded, Write, any_of},
};
use barometer_directory::CustomerId;
use barometer_proto::complaints::v1::{case::State as CaseState, promise::State};
use futures_util::future::BoxFuture;
use sea_orm::entity::prelude::*;
use serde::Serialize;

pub use self::course::{Turn, check_ahead, notice_time};
use crate::{
    calendar_version::CalendarId,
    case::{self, Binding, Holder},
    case_entry::CaseId,
    store::{self, Book},
};

/// How long before its due time a promise is due soon, in microseconds, unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lead(pub i64);

impl Default for Lead {
    fn default() -> Self {
        Lead::of_hours(24)
    }
}

impl Lead {
    /// So many hours; 0 for never.
    pub fn of_hours(hours: u16) -> Self {
        Lead(i64::from(hours) * 3_600 * Micros::SECOND)
    }
}

/// A promise's row.
///
/// It is serialised for the fingerprint of what was first recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "promise")]
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
    /// The case in which it was made.
    pub case_id: Option<CaseId>,
    /// To whom it was made; nobody known when the case is anonymous.
    pub customer_id: Option<CustomerId>,
    /// Personal data.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// Who answers for it.
    pub employee: String,
    /// The team that answers for it.
    pub team: String,
    /// When it was made.
    pub make_time: Micros,
    /// By when.
    pub due_time: Micros,
    /// How long before that it is due soon, in microseconds; 0 for never.
    #[serde(skip)]
    pub lead: i64,
    /// By when it was first promised.
    #[serde(skip)]
    pub original_due_time: Micros,
    /// How often its due time was moved.
    #[serde(skip)]
    pub moves: i32,
    /// As [`State`].
    #[serde(skip)]
    pub state: i32,
    /// When it will be due soon, or was; nothing when that is never told.
    #[serde(skip)]
    pub notice_time: Option<Micros>,
    /// When it was due soon; nothing while it was not.
    #[serde(skip)]
    pub due_soon_time: Option<Micros>,
    /// When something happens to it by itself; nothing when nothing does any more.
    #[serde(skip)]
    pub next_time: Option<Micros>,
    /// When it was kept, in time or late.
    #[serde(skip)]
    pub keep_time: Option<Micros>,
    /// When it was broken.
    #[serde(skip)]
    pub break_time: Option<Micros>,
    /// Who answered for it when it was broken, also once it turned out to be kept; nothing while it was not, or when an older
    /// release wrote it down: see [`Model::answered`].
    #[serde(skip)]
    pub due_employee: Option<String>,
    /// The team that answered for it then.
    #[serde(skip)]
    pub due_team: Option<String>,
    /// Since when it is owed by this due time: when it was made, or moved.
    #[serde(skip)]
    pub run_time: Micros,
    /// Version of the list of policies in which the ladder stands that it climbs.
    #[serde(skip)]
    pub policy_set_version: i64,
    /// The policy in it.
    #[serde(skip)]
    pub policy_name: String,
    /// The policy's calendar; nothing when there was no policy.
    #[serde(skip)]
    pub calendar_id: Option<CalendarId>,
    /// The calendar's version.
    #[serde(skip)]
    pub calendar_version: i64,
    /// System of the caller's key.
    pub external_system: Option<String>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Hash of what was first recorded.
    pub fingerprint: i64,
    /// Who recorded it; no part of what was recorded, so none of its fingerprint.
    #[serde(skip)]
    pub actor: String,
    /// When it was recorded.
    pub create_time: Micros,
    /// When it was last changed.
    pub update_time: Micros,
    /// When it was withdrawn.
    pub withdraw_time: Option<Micros>,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// How far it has come.
    pub fn state(&self) -> State {
        State::try_from(self.state).unwrap_or_default()
    }

    /// Who answers for it.
    pub(crate) fn holder(&self) -> Holder {
        Holder { employee: self.employee.clone(), team: self.team.clone() }
    }

    /// Who is asked why it was kept or not: who answered for it when it was broken, or does now if it never was.
    pub(crate) fn answered(&self) -> Holder {
        match (&self.due_employee, &self.due_team) {
            (None, None) => self.holder(),
            (employee, team) => {
                Holder { employee: employee.clone().unwrap_or_default(), team: team.clone().unwrap_or_default() }
            }
        }
    }

    /// By which policy it climbs a ladder; nothing when there was none when it was made.
    pub(crate) fn binding(&self) -> Option<Binding> {
        Some(Binding {
            set_version: self.policy_set_version,
            policy: self.policy_name.clone(),
            calendar_id: self.calendar_id?,
            calendar_version: self.calendar_version,
        })
    }

    fn bind(&mut self, binding: Option<Binding>) {
        let Some(Binding { set_version, policy, calendar_id, calendar_version }) = binding else { return };
        (self.policy_set_version, self.policy_name) = (set_version, policy);
        (self.calendar_id, self.calendar_version) = (Some(calendar_id), calendar_version);
    }

    /// Takes from its case what it does not say itself.
    fn join(&mut self, case: &case::Model) {
        self.bind(case.binding());
        self.customer_id = case.customer_id;
        if self.employee.is_empty() && self.team.is_empty() {
            self.employee.clone_from(&case.employee);
            self.team.clone_from(&case.team);
        }
    }
}

impl Recorded for Model {
    type Table = Entity;
    type Active = ActiveModel;
    type Context = Arc<Book>;
    const NOUN: &'static str = "promise";

    recorded_head!();

    /// Refuses what is due already, and what is promised in a case that takes no promises.
    fn prepare<'w>(write: &'w Write<'w>, rows: &'w mut [Pending<Self>]) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(async move {
            let Some(first) = rows.first() else { return Ok(()) };
            let book = first.context.clone();
            let fallback = match book.today(write.db).await.and_then(|today| today.fallback()) {
                Err(error) if error.is_outage() => return Err(error),
                fallback => fallback.map_err(|error| error.to_string()),
            };
            let cases = cases_of(write, rows.iter().map(|pending| &pending.row)).await?;
            for Pending { row, refused, .. } in rows.iter_mut() {
                let joined = match row.case_id {
                    None => fallback.clone().map(|fallback| row.bind(fallback)).map_err(Error::Internal),
                    Some(id) => check_case(cases.get(&id.0), id).map(|case| row.join(case)),
                };
                *refused = joined.and_then(|()| row.begin(write.now)).err();
            }
            store::refuse_erased(write, rows, |promise| promise.customer_id).await
        })
    }

    /// The history of a case tells of what was promised in it; and the first step of its ladder is waited for.
    fn bring<'w>(write: &'w Write<'w>, rows: &'w [Self], books: &'w [Arc<Book>]) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(async move {
            let cases = cases_of(write, rows.iter()).await?;
            for (promise, book) in rows.iter().zip(books) {
                if let Some(case) = promise.case_id.and_then(|id| cases.get(&id.0)) {
                    store::tell_of_new_promise(write, case.clone(), promise).await?;
                }
                store::set_promise_alarm(write, book, promise).await?;
            }
            Ok(())
        })
    }
}

/// The cases in which promises are made, by their ids.
async fn cases_of(
    write: &Write<'_>,
    promises: impl Iterator<Item = &Model>,
) -> Result<HashMap<Uuid, case::Model>, Error> {
    let ids: Vec<Uuid> = promises.filter_map(|promise| Some(promise.case_id?.0)).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = case::Entity::find().filter(case::Column::Id.is_in(any_of(ids))).all(write.db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// The case of a new promise, if one can be made in it.
fn check_case(case: Option<&case::Model>, id: CaseId) -> Result<&case::Model, Error> {
    let case = case.ok_or_else(|| Error::not_found("case", id))?;
    let refused = |reason, message: &str| Err(Error::State { reason, message: message.to_owned() });
    match case {
        case::Model { withdraw_time: Some(_), .. } => refused("WITHDRAWN", "the case was withdrawn"),
        case::Model { merged_into: Some(_), .. } => {
            refused("MERGED", "the case is merged into another: make the promise there")
        }
        case if case.state() == CaseState::Cancelled => {
            refused("WRONG_STATE", "the case is cancelled and takes no promises: it can be reopened first")
        }
        case => Ok(case),
    }
}
