//! Published lists of policies.

use barometer_chassis::{
    clock::Micros,
    door::{Page, PageToken},
    error::Error,
    id, reader,
    writer::{Done, Write},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::{
    policy::PolicyList,
    policy_set::{Column, Entity, Model},
};

/// A version of the policies; the latest when 0. NOT_FOUND when there is none.
pub(crate) async fn get_policy_set(db: &impl ConnectionTrait, version: i64) -> Result<Model, Error> {
    let row = match version {
        0 => find_latest(db).await?,
        version => Entity::find().filter(Column::Version.eq(version)).one(db).await?,
    };
    let key = || if version == 0 { "yet".to_owned() } else { format!("of version {version}") };
    row.ok_or_else(|| Error::not_found("policy set", key()))
}

/// What one publication made.
pub(crate) async fn get_policy_set_by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Model, Error> {
    Entity::find_by_id(id).one(db).await?.ok_or_else(|| Error::not_found("policy set", id))
}

/// A page of versions without their policies, latest first; and the token of the next page.
pub(crate) async fn list_policy_sets(db: &impl ConnectionTrait, page: Page) -> Result<(Vec<Model>, String), Error> {
    let select = reader::newest_first::<Entity>(page, "version").select_only();
    let columns = [Column::Id, Column::Version, Column::Actor, Column::CreateTime];
    let rows = select.columns(columns).into_tuple::<(Uuid, i64, String, Micros)>().all(db).await?;
    let bare =
        |(id, version, actor, create_time)| Model { id, version, policies: PolicyList::default(), actor, create_time };
    let (rows, next) = page.cut(rows, |row| PageToken { key: row.1, id: row.0 });
    Ok((rows.into_iter().map(bare).collect(), next))
}

/// Publishes a list as the next version; none when the latest is the same. ABORTED for a stale etag.
pub(crate) async fn publish_policies(
    write: &Write<'_>,
    policies: PolicyList,
    etag: &str,
    actor: String,
) -> Result<Done, Error> {
    let last = find_latest(write.db).await?;
    let version = last.as_ref().map_or(0, |last| last.version);
    if !etag.is_empty() && etag != version.to_string() {
        return Err(Error::Stale { noun: "policy set" });
    }
    if let Some(same) = last.filter(|last| last.policies == policies) {
        return Ok(Done { id: same.id, position: write.position() });
    }
    // Policies are no facts: they take no position.
    let done = Done { id: id::new(), position: write.position() };
    let row = Model { id: done.id, version: version + 1, policies, actor, create_time: write.now };
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(write.db).await?;
    Ok(done)
}

async fn find_latest(db: &impl ConnectionTrait) -> Result<Option<Model>, Error> {
    Ok(Entity::find().order_by_desc(Column::Version).one(db).await?)
}
