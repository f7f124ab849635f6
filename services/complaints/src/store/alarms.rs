//! Alarms: set with their subjects, and looked for by every replica.

use barometer_chassis::{
    clock::Micros,
    error::Error,
    writer::{self, Write},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};
use uuid::Uuid;

use super::MAX_PARAMETERS;
use crate::{
    alarm::{Column, Entity, Model},
    case_entry::CaseId,
};

/// Sets alarms, each in the place of the one that its subject had.
pub(crate) async fn set_alarms(write: &Write<'_>, alarms: Vec<Model>) -> Result<(), Error> {
    let others = Column::iter().filter(|column| !matches!(column, Column::SubjectId));
    let conflict = OnConflict::column(Column::SubjectId).update_columns(others).to_owned();
    for chunk in alarms.chunks(MAX_PARAMETERS / Column::iter().count()) {
        let rows = chunk.iter().cloned().map(|row| row.into_active_model().reset_all());
        Entity::insert_many(rows).on_conflict(conflict.clone()).exec_without_returning(write.db).await?;
    }
    Ok(())
}

/// Takes the alarms of subjects away; those that have none are as they were.
pub(crate) async fn clear_alarms(write: &Write<'_>, subjects: Vec<Uuid>) -> Result<(), Error> {
    if subjects.is_empty() {
        return Ok(());
    }
    Entity::delete_many().filter(Column::SubjectId.is_in(writer::any_of(subjects))).exec(write.db).await?;
    Ok(())
}

/// Takes all alarms of a case away.
pub(crate) async fn clear_alarms_of(write: &Write<'_>, case: CaseId) -> Result<(), Error> {
    Entity::delete_many().filter(Column::CaseId.eq(case)).exec(write.db).await?;
    Ok(())
}

/// The alarms of a case.
pub(crate) async fn list_alarms(db: &impl ConnectionTrait, case: CaseId) -> Result<Vec<Model>, Error> {
    Ok(Entity::find().filter(Column::CaseId.eq(case)).all(db).await?)
}

/// The alarms that are due at an instant, the earliest first. Those of a newer release are left to it: subjects from
/// `known` only.
pub(crate) async fn list_due_alarms(
    db: &impl ConnectionTrait,
    known: &[i32],
    now: Micros,
    limit: u64,
) -> Result<Vec<Model>, Error> {
    let due = Entity::find().filter(Column::Time.lte(now)).filter(Column::Subject.is_in(known.iter().copied()));
    Ok(due.order_by_asc(Column::Time).order_by_asc(Column::SubjectId).limit(limit).all(db).await?)
}

/// The alarm of a subject, if it has one.
pub(crate) async fn find_alarm(db: &impl ConnectionTrait, subject: Uuid) -> Result<Option<Model>, Error> {
    Ok(Entity::find_by_id(subject).one(db).await?)
}

/// When the first alarm is due of subjects from `known`.
pub(crate) async fn next_alarm(db: &impl ConnectionTrait, known: &[i32]) -> Result<Option<Micros>, Error> {
    let first = Entity::find().select_only().column(Column::Time).filter(Column::Subject.is_in(known.iter().copied()));
    let first = first.order_by_asc(Column::Time);
    Ok(first.order_by_asc(Column::SubjectId).limit(1).into_tuple().one(db).await?)
}

/// How many alarms there are.
pub(crate) async fn count_alarms(db: &impl ConnectionTrait) -> Result<u64, Error> {
    Ok(Entity::find().count(db).await?)
}
