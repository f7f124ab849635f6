//! Calendars, version by version.

use std::{
    collections::{BTreeSet, HashMap},
    ops::RangeInclusive,
};

use barometer_chassis::{
    clock::Micros,
    door::{Page, PageToken},
    error::Error,
    id, reader,
    writer::{Done, Write, any_of},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::{
    calendar::Calendar,
    calendar_version::{CalendarId, Column, Entity, Model},
};

/// How a calendar is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CalendarRef {
    /// By its id.
    Id(CalendarId),
    /// By the name that its latest version has.
    Name(String),
}

/// The latest version of a calendar. NOT_FOUND when there is none.
pub(crate) async fn get_calendar(db: &impl ConnectionTrait, by: &CalendarRef) -> Result<Model, Error> {
    let (condition, key) = match by {
        CalendarRef::Id(id) => (Column::Id.eq(*id), id.to_string()),
        CalendarRef::Name(name) => (Column::Name.eq(name), name.clone()),
    };
    let row = Entity::find().filter(Column::Latest.eq(true)).filter(condition).one(db).await?;
    row.ok_or_else(|| Error::not_found("calendar", key))
}

/// A version of a calendar. NOT_FOUND when there is none.
pub(crate) async fn get_calendar_version(
    db: &impl ConnectionTrait,
    id: CalendarId,
    version: i64,
) -> Result<Model, Error> {
    let row = Entity::find_by_id((id, version)).one(db).await?;
    row.ok_or_else(|| Error::not_found("calendar", format!("{id} of version {version}")))
}

/// A page of calendars in their latest versions, newest first; and the token of the next page.
pub(crate) async fn list_calendars(db: &impl ConnectionTrait, page: Page) -> Result<(Vec<Model>, String), Error> {
    let select = reader::newest_first::<Entity>(page, "create_time").filter(Column::Latest.eq(true));
    Ok(page.cut(select.all(db).await?, place_of_calendar))
}

/// A calendar's place in the list of all.
pub(crate) fn place_of_calendar(row: &Model) -> PageToken {
    PageToken { key: row.create_time.0, id: row.id.0 }
}

/// A page of the versions of a calendar, latest first; and the token of the next page.
pub(crate) async fn list_calendar_versions(
    db: &impl ConnectionTrait,
    id: CalendarId,
    page: Page,
) -> Result<(Vec<Model>, String), Error> {
    let select = reader::newest_first::<Entity>(page, "version").filter(Column::Id.eq(id));
    Ok(page.cut(select.all(db).await?, place_of_version))
}

/// A version's place in the list of its calendar's.
pub(crate) fn place_of_version(row: &Model) -> PageToken {
    PageToken { key: row.version, id: row.id.0 }
}

/// The versions of a calendar after one of them that came to be within these instants, and since when; in their order. None
/// is older than the first of the instants, when that one came to be.
pub(crate) async fn list_newer_versions(
    db: &impl ConnectionTrait,
    id: CalendarId,
    version: i64,
    within: RangeInclusive<Micros>,
) -> Result<Vec<(i64, Micros)>, Error> {
    let newer = Entity::find().select_only().columns([Column::Version, Column::UpdateTime]);
    let newer = newer.filter(Column::Id.eq(id)).filter(Column::Version.gt(version));
    let newer = newer.filter(Column::UpdateTime.lte(*within.end())).order_by_asc(Column::Version);
    let mut newer: Vec<(i64, Micros)> = newer.into_tuple().all(db).await?;
    // Replicas whose clocks differ may have written them.
    let mut since = *within.start();
    for (_, at) in &mut newer {
        since = since.max(*at);
        *at = since;
    }
    Ok(newer)
}

/// The latest versions of these calendars.
pub(super) async fn latest_versions(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
) -> Result<HashMap<CalendarId, i64>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let select = Entity::find().select_only().columns([Column::Id, Column::Version]);
    let select = select.filter(Column::Latest.eq(true)).filter(Column::Id.is_in(any_of(ids)));
    Ok(select.into_tuple::<(CalendarId, i64)>().all(db).await?.into_iter().collect())
}

/// Those of these calendars that there are.
pub(crate) async fn known_calendars(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<BTreeSet<CalendarId>, Error> {
    Ok(latest_versions(db, ids).await?.into_keys().collect())
}

/// Creates a calendar. ALREADY_EXISTS when the name is taken.
pub(crate) async fn create_calendar(
    write: &Write<'_>,
    name: String,
    calendar: Calendar,
    actor: String,
) -> Result<Done, Error> {
    let (id, now) = (CalendarId(id::new()), write.now);
    let row = Model { id, version: 1, latest: true, name, calendar, actor, create_time: now, update_time: now };
    insert_version(write, row).await
}

/// Makes the next version of a calendar from the latest by `change`; none when it changes nothing.
///
/// Errors: NOT_FOUND; ABORTED for a stale etag; ALREADY_EXISTS when the name is taken; what `change` answers.
pub(crate) async fn change_calendar(
    write: &Write<'_>,
    id: CalendarId,
    etag: &str,
    actor: String,
    change: impl FnOnce(&Model) -> Result<(String, Calendar), Error>,
) -> Result<Done, Error> {
    let last = get_calendar(write.db, &CalendarRef::Id(id)).await?;
    if !etag.is_empty() && etag != last.version.to_string() {
        return Err(Error::Stale { noun: "calendar" });
    }
    let (name, calendar) = change(&last)?;
    if name == last.name && calendar == last.calendar {
        return Ok(Done { id: id.0, position: write.position() });
    }
    let next = Model { version: last.version + 1, name, calendar, actor, update_time: write.now, ..last.clone() };
    let mut last = last.into_active_model();
    last.latest = sea_orm::ActiveValue::Set(false);
    last.update(write.db).await?;
    insert_version(write, next).await
}

/// Writes a version. Calendars are no facts: it takes no position.
async fn insert_version(write: &Write<'_>, row: Model) -> Result<Done, Error> {
    let named = Entity::find().filter(Column::Latest.eq(true)).filter(Column::Name.eq(&row.name));
    if named.one(write.db).await?.is_some() {
        let message = format!("there is a calendar `{}` already", row.name);
        return Err(Error::Exists { reason: "NAME_TAKEN", message });
    }
    let done = Done { id: row.id.0, position: write.position() };
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(write.db).await?;
    Ok(done)
}
