//! Webhooks: as callers make them.

use barometer_chassis::{
    clock::Micros,
    door::{Page, PageToken},
    error::Error,
    id, reader,
    writer::{Done, Write},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
};
use uuid::Uuid;

use crate::webhook::{Column, Entity, Events, MAX_WEBHOOKS, Model, Secret, WebhookId};

/// What callers say of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebhookValues {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) events: Events,
    pub(crate) disabled: bool,
}

/// A webhook. NOT_FOUND when there is none, or it was deleted.
pub(crate) async fn get_webhook(db: &impl ConnectionTrait, id: WebhookId) -> Result<Model, Error> {
    let row = Entity::find_by_id(id).filter(Column::DeleteTime.is_null()).one(db).await?;
    row.ok_or_else(|| Error::not_found("webhook", id))
}

/// A page of webhooks, newest first; and the token of the next page.
pub(crate) async fn list_webhooks(db: &impl ConnectionTrait, page: Page) -> Result<(Vec<Model>, String), Error> {
    let select = reader::newest_first::<Entity>(page, "create_time").filter(Column::DeleteTime.is_null());
    Ok(page.cut(select.all(db).await?, |row| PageToken { key: row.create_time.0, id: row.id.0 }))
}

/// Creates a webhook. FAILED_PRECONDITION when there are too many; ALREADY_EXISTS when the name is taken.
pub(crate) async fn create_webhook(
    write: &Write<'_>,
    values: WebhookValues,
    secret: Secret,
    actor: String,
) -> Result<Done, Error> {
    let there = Entity::find().filter(Column::DeleteTime.is_null()).count(write.db).await?;
    if there >= MAX_WEBHOOKS as u64 {
        let message = format!("there are {MAX_WEBHOOKS} webhooks already");
        return Err(Error::State { reason: "TOO_MANY_WEBHOOKS", message });
    }
    let WebhookValues { name, url, events, disabled } = values;
    let row = Model {
        id: WebhookId(id::new()),
        name,
        url,
        events,
        disabled,
        secret,
        previous_secret: None,
        previous_secret_expire_time: None,
        waiting: 0,
        dropped: 0,
        failures: 0,
        pause_time: None,
        version: 1,
        actor,
        create_time: write.now,
        update_time: write.now,
        delete_time: None,
    };
    check_name(write.db, &row).await?;
    let id = row.id.0;
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(write.db).await?;
    Ok(Done { id, position: write.position() })
}

/// Changes what callers say of a webhook, by `change`. Errors: NOT_FOUND; ABORTED for a stale etag; ALREADY_EXISTS when the
/// name is taken; what `change` answers.
pub(crate) async fn change_webhook(
    write: &Write<'_>,
    id: WebhookId,
    etag: &str,
    change: impl FnOnce(&Model) -> Result<WebhookValues, Error>,
) -> Result<Done, Error> {
    let mut row = current(write, id, etag).await?;
    let WebhookValues { name, url, events, disabled } = change(&row)?;
    if row.url != url {
        // Another receiver has nothing to do with what the last one did.
        row.succeeded();
    }
    let row = Model { name, url, events, disabled, ..row };
    check_name(write.db, &row).await?;
    store(write, row).await
}

/// Gives a webhook another secret; the old one is valid until `old_until`. Errors: NOT_FOUND; ABORTED for a stale etag.
pub(crate) async fn rotate_secret(
    write: &Write<'_>,
    id: WebhookId,
    etag: &str,
    secret: Secret,
    overlap: i64,
) -> Result<Done, Error> {
    let row = current(write, id, etag).await?;
    let old = (overlap > 0).then(|| (row.secret.clone(), Micros(write.now.0.saturating_add(overlap)))).unzip();
    let row = Model { secret, previous_secret: old.0, previous_secret_expire_time: old.1, ..row };
    store(write, row).await
}

/// Deletes a webhook: its deliveries go by and by. Errors: NOT_FOUND; ABORTED for a stale etag.
pub(crate) async fn delete_webhook(write: &Write<'_>, id: WebhookId, etag: &str) -> Result<Done, Error> {
    let row = current(write, id, etag).await?;
    store(write, Model { delete_time: Some(write.now), ..row }).await
}

/// Writes a webhook's row as it is, without a new version: how it is doing changed.
pub(crate) async fn keep_webhook(write: &Write<'_>, row: Model) -> Result<(), Error> {
    row.into_active_model().reset_all().update(write.db).await?;
    Ok(())
}

async fn current(write: &Write<'_>, id: WebhookId, etag: &str) -> Result<Model, Error> {
    let row = get_webhook(write.db, id).await?;
    if !etag.is_empty() && etag != row.version.to_string() {
        return Err(Error::Stale { noun: "webhook" });
    }
    Ok(row)
}

/// Writes what a caller changed. Webhooks are no facts: it takes no position.
async fn store(write: &Write<'_>, row: Model) -> Result<Done, Error> {
    let done = Done { id: row.id.0, position: write.position() };
    keep_webhook(write, Model { version: row.version + 1, update_time: write.now, ..row }).await?;
    Ok(done)
}

async fn check_name(db: &impl ConnectionTrait, row: &Model) -> Result<(), Error> {
    let named = Entity::find().filter(Column::DeleteTime.is_null()).filter(Column::Name.eq(&row.name));
    let other: Option<Uuid> = named.one(db).await?.map(|other| other.id.0).filter(|other| *other != row.id.0);
    if other.is_some() {
        let message = format!("there is a webhook `{}` already", row.name);
        return Err(Error::Exists { reason: "NAME_TAKEN", message });
    }
    Ok(())
}
