//! Queries of the surveys service.

mod invitations;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use barometer_chassis::{
    door::{Page, PageToken},
    error::Error,
    reader,
    writer::{Done, Write, any_of},
};
use barometer_proto::surveys::v1::survey::State;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

pub(crate) use self::invitations::{Invited, answers, came_of, has_answer};
use crate::survey;

/// How a survey is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SurveyRef {
    /// By its id.
    Id(Uuid),
    /// By its name.
    Name(String),
}

/// A survey. NOT_FOUND when there is none.
pub(crate) async fn get_survey(db: &impl ConnectionTrait, by: &SurveyRef) -> Result<survey::Model, Error> {
    let (condition, key) = match by {
        SurveyRef::Id(id) => (survey::Column::Id.eq(*id), id.to_string()),
        SurveyRef::Name(name) => (survey::Column::Name.eq(name), name.clone()),
    };
    let row = survey::Entity::find().filter(condition).one(db).await?;
    row.ok_or_else(|| Error::not_found("survey", key))
}

/// The surveys of these ids, as far as there are such.
pub(crate) async fn surveys(
    db: &impl ConnectionTrait,
    mut ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, survey::Model>, Error> {
    ids.sort_unstable();
    ids.dedup();
    let rows = survey::Entity::find().filter(survey::Column::Id.is_in(any_of(ids))).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// A page of surveys, newest first.
pub(crate) async fn list_surveys(
    db: &impl ConnectionTrait,
    page: Page,
    state: State,
) -> Result<(Vec<survey::Model>, String), Error> {
    let mut select = reader::newest_first::<survey::Entity>(page, "create_time");
    if state != State::Unspecified {
        select = select.filter(survey::Column::State.eq(i32::from(state)));
    }
    Ok(page.cut(select.all(db).await?, place))
}

/// A survey's place in a list.
pub(crate) fn place(row: &survey::Model) -> PageToken {
    PageToken { key: row.create_time.0, id: row.id }
}

/// Creates a survey. ALREADY_EXISTS when the name is taken.
pub(crate) async fn create_survey(write: &Write<'_>, mut row: survey::Model) -> Result<Done, Error> {
    let taken = survey::Entity::find().filter(survey::Column::Name.eq(&row.name)).one(write.db).await?;
    if taken.is_some() {
        let message = format!("there is a survey `{}` already", row.name);
        return Err(Error::Exists { reason: "NAME_TAKEN", message });
    }
    let position = write.next_position();
    (row.id, row.number, row.position, row.version) = (barometer_chassis::id::new(), position, position, 1);
    (row.create_time, row.update_time) = (write.now, write.now);
    let done = Done { id: row.id, position };
    survey::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(write.db).await?;
    Ok(done)
}

/// Changes a survey by one of its verbs. NOT_FOUND; ABORTED for a stale etag; what the verb answers.
pub(crate) async fn change_survey(
    write: &Write<'_>,
    id: Uuid,
    etag: &str,
    verb: fn(survey::Model) -> Result<survey::Model, Error>,
) -> Result<Done, Error> {
    let row = get_survey(write.db, &SurveyRef::Id(id)).await?;
    if !etag.is_empty() && etag != row.version.to_string() {
        return Err(Error::Stale { noun: "survey" });
    }
    let mut row = verb(row)?;
    row.position = write.next_position();
    row.version += 1;
    row.update_time = write.now;
    let done = Done { id, position: row.position };
    survey::Entity::update(row.into_active_model().reset_all()).exec(write.db).await?;
    Ok(done)
}

/// Surveys by id and name, for parsing answers: what is asked of a survey never changes. Their state does, so it is
/// read again inside the write.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownSurveys {
    known: Arc<Mutex<HashMap<SurveyRef, Arc<survey::Model>>>>,
}

/// Beyond so many the cache begins anew.
const MAX_KNOWN: usize = 10_000;

impl KnownSurveys {
    /// The survey, from memory or from the database.
    pub(crate) async fn get(&self, db: &impl ConnectionTrait, by: &SurveyRef) -> Result<Arc<survey::Model>, Error> {
        if let Some(survey) = self.lock().get(by) {
            return Ok(Arc::clone(survey));
        }
        let survey = Arc::new(get_survey(db, by).await?);
        let mut known = self.lock();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(by.clone(), Arc::clone(&survey));
        Ok(survey)
    }

    /// Forgets everything: the database turned out to be another one.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SurveyRef, Arc<survey::Model>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
