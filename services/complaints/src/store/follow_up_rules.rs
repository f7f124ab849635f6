//! Published rules of follow-ups.

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
    follow_up::RuleList,
    follow_up_rule_set::{Column, Entity, Model},
};

/// A version of the rules; the latest when 0. NOT_FOUND when there is none.
pub(crate) async fn get_rule_set(db: &impl ConnectionTrait, version: i64) -> Result<Model, Error> {
    let row = match version {
        0 => find_latest_rules(db).await?,
        version => Entity::find().filter(Column::Version.eq(version)).one(db).await?,
    };
    let key = || if version == 0 { "yet".to_owned() } else { format!("of version {version}") };
    row.ok_or_else(|| Error::not_found("follow-up rule set", key()))
}

/// What one publication made.
pub(crate) async fn get_rule_set_by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Model, Error> {
    Entity::find_by_id(id).one(db).await?.ok_or_else(|| Error::not_found("follow-up rule set", id))
}

/// A page of versions, latest first; and the token of the next page.
pub(crate) async fn list_rule_sets(db: &impl ConnectionTrait, page: Page) -> Result<(Vec<Model>, String), Error> {
    let rows = reader::newest_first::<Entity>(page, "version").all(db).await?;
    Ok(page.cut(rows, place_of_rule_set))
}

/// A version's place in a list.
pub(crate) fn place_of_rule_set(row: &Model) -> PageToken {
    PageToken { key: row.version, id: row.id }
}

/// Publishes rules as the next version; none when the latest are the same. ABORTED for a stale etag.
pub(crate) async fn publish_rules(
    write: &Write<'_>,
    rules: RuleList,
    etag: &str,
    actor: String,
) -> Result<Done, Error> {
    let last = find_latest_rules(write.db).await?;
    let version = last.as_ref().map_or(0, |last| last.version);
    if !etag.is_empty() && etag != version.to_string() {
        return Err(Error::Stale { noun: "follow-up rule set" });
    }
    if let Some(same) = last.filter(|last| last.rules == rules) {
        return Ok(Done { id: same.id, position: write.position() });
    }
    // Rules are no facts: they take no position.
    let done = Done { id: id::new(), position: write.position() };
    let row = Model { id: done.id, version: version + 1, rules, actor, create_time: write.now };
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(write.db).await?;
    Ok(done)
}

/// The rules that hold now; nothing when none were ever published.
pub(super) async fn find_latest_rules(db: &impl ConnectionTrait) -> Result<Option<Model>, Error> {
    Ok(Entity::find().order_by_desc(Column::Version).one(db).await?)
}

/// When rules were first published.
pub(crate) async fn rules_since(db: &impl ConnectionTrait) -> Result<Option<Micros>, Error> {
    let first = Entity::find().select_only().column(Column::CreateTime).order_by_asc(Column::Version);
    Ok(first.limit(1).into_tuple().one(db).await?)
}
