//! Queries of the metrics service: definitions, version by version.

use barometer_chassis::{
    clock::Micros,
    door::{Page, PageToken},
    error::Error,
    id, reader,
    writer::{Done, Write, any_of},
};
use barometer_proto::metrics::v1::definition::State;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder,
};

use crate::{
    definition::Definition,
    definition_version::{Column, Entity, Model},
};

/// Definitions that there may be, retired ones included.
pub(crate) const MAX_DEFINITIONS: i64 = 1_000;
/// Versions that each may have.
pub(crate) const MAX_VERSIONS: i64 = 100;

/// The latest version of a definition. NOT_FOUND when there is none.
pub(crate) async fn get_definition(db: &impl ConnectionTrait, name: &str) -> Result<Model, Error> {
    let row = Entity::find().filter(Column::Latest.eq(true)).filter(Column::Name.eq(name)).one(db).await?;
    row.ok_or_else(|| Error::not_found("definition", name))
}

/// A version of a definition. NOT_FOUND when there is none.
pub(crate) async fn get_definition_version(
    db: &impl ConnectionTrait,
    name: &str,
    version: i64,
) -> Result<Model, Error> {
    let latest = get_definition(db, name).await?;
    if version == latest.version {
        return Ok(latest);
    }
    let row = Entity::find_by_id((latest.id, version)).one(db).await?;
    let row = row.ok_or_else(|| Error::not_found("definition", format!("{name} of version {version}")))?;
    Ok(Model { retire_time: latest.retire_time, ..row })
}

/// The latest versions of these definitions, as far as there are such.
pub(crate) async fn find_definitions(db: &impl ConnectionTrait, names: Vec<String>) -> Result<Vec<Model>, Error> {
    Ok(Entity::find().filter(Column::Latest.eq(true)).filter(Column::Name.is_in(any_of(names))).all(db).await?)
}

/// All definitions in their latest versions.
pub(crate) async fn all_latest(db: &impl ConnectionTrait) -> Result<Vec<Model>, Error> {
    Ok(Entity::find().filter(Column::Latest.eq(true)).order_by_asc(Column::Number).all(db).await?)
}

/// All definitions that are in use, in their latest versions: the oldest first.
pub(crate) async fn all_in_use(db: &impl ConnectionTrait) -> Result<Vec<Model>, Error> {
    let latest = Entity::find().filter(Column::Latest.eq(true)).filter(Column::RetireTime.is_null());
    Ok(latest.order_by_asc(Column::Number).all(db).await?)
}

/// A page of definitions in their latest versions, newest first; and the token of the next page.
pub(crate) async fn list_definitions(
    db: &impl ConnectionTrait,
    page: Page,
    state: State,
) -> Result<(Vec<Model>, String), Error> {
    let latest = reader::newest_first::<Entity>(page, "create_time").filter(Column::Latest.eq(true));
    let select = match state {
        State::Unspecified => latest,
        State::Active => latest.filter(Column::RetireTime.is_null()),
        State::Retired => latest.filter(Column::RetireTime.is_not_null()),
    };
    Ok(page.cut(select.all(db).await?, place))
}

/// A page of the versions of a definition, latest first; and the token of the next page. NOT_FOUND when there is none.
pub(crate) async fn list_definition_versions(
    db: &impl ConnectionTrait,
    name: &str,
    page: Page,
) -> Result<(Vec<Model>, String), Error> {
    let latest = get_definition(db, name).await?;
    let select = reader::newest_first::<Entity>(page, "version").filter(Column::Id.eq(latest.id));
    // All versions are in use, or none.
    let as_latest = |row: Model| Model { retire_time: latest.retire_time, ..row };
    Ok(page.cut(select.all(db).await?.into_iter().map(as_latest).collect(), place_of_version))
}

/// A definition's place in the list of all.
pub(crate) fn place(row: &Model) -> PageToken {
    PageToken { key: row.create_time.0, id: row.id }
}

/// A version's place in the list of its definition's.
pub(crate) fn place_of_version(row: &Model) -> PageToken {
    PageToken { key: row.version, id: row.id }
}

/// Creates a definition. ALREADY_EXISTS when the name is taken; FAILED_PRECONDITION when there are too many.
pub(crate) async fn create_definition(
    write: &Write<'_>,
    name: String,
    definition: Definition,
    actor: String,
) -> Result<Done, Error> {
    let latest = || Entity::find().filter(Column::Latest.eq(true));
    if latest().filter(Column::Name.eq(&name)).one(write.db).await?.is_some() {
        return Err(Error::Exists { reason: "ID_TAKEN", message: format!("there is a definition `{name}` already") });
    }
    let number = i64::try_from(latest().count(write.db).await?).unwrap_or(MAX_DEFINITIONS);
    if number >= MAX_DEFINITIONS {
        return Err(too_many(format!("there are {MAX_DEFINITIONS} definitions already")));
    }
    let (id, version, latest, create_time, update_time) = (id::new(), 1, true, write.now, write.now);
    let row =
        Model { id, version, number, latest, name, definition, actor, create_time, update_time, retire_time: None };
    insert_version(write, row).await
}

/// Makes the next version of a definition; none when it is the same.
///
/// Errors: NOT_FOUND; ABORTED for a stale etag; FAILED_PRECONDITION when it is retired, or has too many versions.
pub(crate) async fn revise_definition(
    write: &Write<'_>,
    name: &str,
    etag: &str,
    definition: Definition,
    actor: String,
) -> Result<Done, Error> {
    let last = read_again(write, name, etag).await?;
    if last.retire_time.is_some() {
        return Err(wrong_state(&last, "is retired: restore it first"));
    }
    if last.version >= MAX_VERSIONS && definition != last.definition {
        return Err(too_many(format!("`{name}` has {MAX_VERSIONS} versions already")));
    }
    next_version(write, last, definition, actor).await
}

/// Makes a new version of a definition, of whatever state and however many there are, whose metrics have changed since it was written;
/// none when another replica has done it. NOT_FOUND when there is none.
pub(crate) async fn bring_up(
    write: &Write<'_>,
    name: &str,
    version: fn(&str) -> Option<i32>,
    actor: String,
) -> Result<Done, Error> {
    let last = get_definition(write.db, name).await?;
    let definition = last.definition.brought_up(version).unwrap_or_else(|| last.definition.clone());
    next_version(write, last, definition, actor).await
}

async fn next_version(write: &Write<'_>, last: Model, definition: Definition, actor: String) -> Result<Done, Error> {
    if definition == last.definition {
        return Ok(Done { id: last.id, position: write.position() });
    }
    let next = Model { version: last.version + 1, definition, actor, update_time: write.now, ..last.clone() };
    let mut last = last.into_active_model();
    last.latest = Set(false);
    last.update(write.db).await?;
    insert_version(write, next).await
}

/// Takes a definition out of use, or into use again.
///
/// Errors: NOT_FOUND; ABORTED for a stale etag; FAILED_PRECONDITION when it is so already.
pub(crate) async fn set_state(write: &Write<'_>, name: &str, etag: &str, state: State) -> Result<Done, Error> {
    let row = read_again(write, name, etag).await?;
    let retire_time: Option<Micros> = match (state, row.state()) {
        (State::Retired, State::Retired) => return Err(wrong_state(&row, "is retired already")),
        (State::Retired, _) => Some(write.now),
        (_, State::Retired) => None,
        (_, _) => return Err(wrong_state(&row, "is in use already")),
    };
    let done = Done { id: row.id, position: write.position() };
    let mut row = row.into_active_model();
    row.retire_time = Set(retire_time);
    row.update(write.db).await?;
    Ok(done)
}

async fn read_again(write: &Write<'_>, name: &str, etag: &str) -> Result<Model, Error> {
    let row = get_definition(write.db, name).await?;
    if !etag.is_empty() && etag != row.etag() {
        return Err(Error::Stale { noun: "definition" });
    }
    Ok(row)
}

/// Writes a version. Definitions are no facts: it takes no position.
async fn insert_version(write: &Write<'_>, row: Model) -> Result<Done, Error> {
    let done = Done { id: row.id, position: write.position() };
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(write.db).await?;
    Ok(done)
}

fn wrong_state(row: &Model, is: &str) -> Error {
    Error::State { reason: "WRONG_STATE", message: format!("`{}` {is}", row.name) }
}

fn too_many(message: String) -> Error {
    Error::State { reason: "TOO_MANY", message }
}
