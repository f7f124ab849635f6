//! Queries of the complaints service.

mod calendars;
mod policies;

pub(crate) use calendars::{
    CalendarRef, change_calendar, create_calendar, get_calendar, get_calendar_version, known_calendars,
    list_calendar_versions, list_calendars, place_of_calendar, place_of_version,
};
pub(crate) use policies::{get_policy_set, get_policy_set_by_id, list_policy_sets, publish_policies};

use barometer_chassis::{
    door::{Page, PageToken},
    error::Error,
    id, reader,
    writer::{self, Done, Write},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::{
    case::{self, Step},
    case_entry::{self, CaseId, Said},
};

/// The most parameters of a statement: both databases bound them, and SQLite's bound is the smaller one.
const MAX_PARAMETERS: usize = 32_000;

/// A page of cases that meet `filter`, newest first; and the token of the next page.
pub(crate) async fn list_cases(
    db: &impl ConnectionTrait,
    page: Page,
    filter: Condition,
) -> Result<(Vec<case::Model>, String), Error> {
    let rows = reader::newest_first::<case::Entity>(page, "open_time").filter(filter).all(db).await?;
    Ok(page.cut(rows, place_of_case))
}

/// A case's place in a list.
pub(crate) fn place_of_case(row: &case::Model) -> PageToken {
    PageToken { key: row.open_time.0, id: row.id }
}

/// A page of a case's history, latest first; and the token of the next page.
pub(crate) async fn list_entries(
    db: &impl ConnectionTrait,
    case: Uuid,
    page: Page,
) -> Result<(Vec<case_entry::Model>, String), Error> {
    use case_entry::Column;
    let mut select = case_entry::Entity::find()
        .filter(Column::CaseId.eq(CaseId(case)))
        .order_by_desc(Column::Time)
        .order_by_desc(Column::Position)
        .limit(page.limit());
    if let Some(PageToken { key, id }) = page.after {
        let position = i64::try_from(id.as_u128()).unwrap_or(i64::MAX);
        let before = Condition::all().add(Column::Time.eq(key)).add(Column::Position.lt(position));
        select = select.filter(Condition::any().add(Column::Time.lt(key)).add(before));
    }
    Ok(page.cut(select.all(db).await?, place_of_entry))
}

/// An entry's place in its history: of the same instant they stand in the order in which they were written.
pub(crate) fn place_of_entry(row: &case_entry::Model) -> PageToken {
    PageToken { key: row.time.0, id: Uuid::from_u128(u128::from(row.position.unsigned_abs())) }
}

/// Changes a case by a verb, and writes the entries of it.
///
/// Errors: as of [`writer::current`]; what the verb answers.
pub(crate) async fn change_case(
    write: &Write<'_>,
    id: Uuid,
    etag: &str,
    actor: &str,
    said: &Said,
    verb: impl FnOnce(case::Model) -> Result<Step, Error>,
) -> Result<Done, Error> {
    let step = verb(writer::current(write, id, etag).await?)?;
    take_step(write, step, actor, said).await
}

/// Writes what a step made of a case, and its entries.
pub(crate) async fn take_step(write: &Write<'_>, step: Step, actor: &str, said: &Said) -> Result<Done, Error> {
    let entries = case_entry::of_step(&step, actor, said, write.now);
    let happened = !entries.is_empty();
    add_entries(write, entries).await?;
    let noted = if happened { write.position() } else { 0 };
    let Done { id, position } = writer::replace(write, step.before, step.case).await?;
    Ok(Done { id, position: position.max(noted) })
}

/// Adds entries at the next positions, in their order.
pub(crate) async fn add_entries(write: &Write<'_>, mut entries: Vec<case_entry::Model>) -> Result<(), Error> {
    for entry in &mut entries {
        (entry.id, entry.position) = (id::new(), write.next_position());
    }
    let columns = case_entry::Column::iter().count();
    for chunk in entries.chunks(MAX_PARAMETERS / columns) {
        let rows = chunk.iter().cloned().map(|row| row.into_active_model().reset_all());
        case_entry::Entity::insert_many(rows).exec_without_returning(write.db).await?;
    }
    Ok(())
}
