//! Deliveries: written with what they tell of, claimed by one replica at a time, settled, and cleaned away.

use std::collections::HashMap;

use barometer_chassis::{
    clock::Micros,
    door::{Page, PageToken},
    error::Error,
    reader,
    writer::{self, Done, Write},
};
use barometer_directory::CustomerId;
use barometer_proto::complaints::v1::{DeliveryState, WebhookEvent};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Order,
};
use uuid::Uuid;

use super::webhooks::{get_webhook, keep_webhook};
use crate::{
    delivery::{Attempt, Column, Entity, KEPT_DEAD, KEPT_DELIVERED, LONGEST_WAIT, Model, Patience},
    webhook::{self, MAX_WAITING, WebhookId},
};

/// The most rows that are cleaned away in one transaction.
const CLEANED: u64 = 500;
/// How many are looked through at a time for a customer: a body may have 30 kB.
const LOOKED_AT: u64 = 200;

/// A delivery. NOT_FOUND when there is none.
pub(crate) async fn get_delivery(db: &impl ConnectionTrait, id: Uuid) -> Result<Model, Error> {
    Entity::find_by_id(id).one(db).await?.ok_or_else(|| Error::not_found("delivery", id))
}

/// A page of deliveries that meet `filter`, newest first; and the token of the next page. Those of deleted webhooks are
/// left out.
pub(crate) async fn list_deliveries(
    db: &impl ConnectionTrait,
    page: Page,
    filter: Condition,
) -> Result<(Vec<Model>, String), Error> {
    let gone = webhook::Entity::find().select_only().column(webhook::Column::Id);
    let gone: Vec<WebhookId> = gone.filter(webhook::Column::DeleteTime.is_not_null()).into_tuple().all(db).await?;
    let select = reader::newest_first::<Entity>(page, "create_time").filter(filter);
    let rows = select.filter(Column::WebhookId.is_not_in(gone)).all(db).await?;
    Ok(page.cut(rows, |row| PageToken { key: row.create_time.0, id: row.id }))
}

/// The webhooks that are told of anything now.
pub(crate) async fn list_told(db: &impl ConnectionTrait) -> Result<Vec<webhook::Model>, Error> {
    use webhook::Column;
    let select = webhook::Entity::find().filter(Column::DeleteTime.is_null()).filter(Column::Disabled.eq(false));
    Ok(select.all(db).await?)
}

/// Puts deliveries of these bodies into the outbox of a webhook, as many as have room; how many these are.
pub(crate) async fn add_deliveries(
    write: &Write<'_>,
    mut to: webhook::Model,
    bodies: Vec<(WebhookEvent, String)>,
) -> Result<u64, Error> {
    let room = usize::try_from(MAX_WAITING - to.waiting).unwrap_or_default();
    let new = |(event, body): (WebhookEvent, String)| Model::new(to.id, event, body, write.now);
    let all = bodies.len();
    let rows: Vec<Model> = bodies.into_iter().take(room).map(new).collect();
    let (added, dropped) = (count(rows.len()), count(all - rows.len()));
    writer::insert(write.db, &rows).await?;
    to.waiting += added;
    to.dropped += dropped;
    keep_webhook(write, to).await?;
    Ok(rows.len() as u64)
}

/// Of the next deliveries after one, by their ids, those that name a customer; and which was looked at last, unless there are
/// no more. Only messages of incidents name customers.
pub(crate) async fn list_naming(
    db: &impl ConnectionTrait,
    customer: CustomerId,
    after: Option<Uuid>,
) -> Result<(Vec<Model>, Option<Uuid>), Error> {
    let mut next = Entity::find().select_only().column(Column::Id);
    next = next.filter(Column::Event.eq(i32::from(WebhookEvent::IncidentMessage)));
    if let Some(after) = after {
        next = next.filter(Column::Id.gt(after));
    }
    let ids: Vec<Uuid> = next.order_by_asc(Column::Id).limit(LOOKED_AT).into_tuple().all(db).await?;
    let last = ids.last().copied().filter(|_| ids.len() as u64 >= LOOKED_AT);
    let naming = Entity::find().filter(Column::Id.is_in(writer::any_of(ids)));
    let naming = naming.filter(Column::Body.contains(customer.to_string())).order_by_asc(Column::Id);
    Ok((naming.all(db).await?, last))
}

/// Puts one delivery into the outbox of a webhook, whatever it is told of. Errors: NOT_FOUND; FAILED_PRECONDITION.
pub(crate) async fn add_delivery(
    write: &Write<'_>,
    to: WebhookId,
    event: WebhookEvent,
    body: String,
) -> Result<Done, Error> {
    let mut to = get_webhook(write.db, to).await?;
    if to.disabled {
        let message = "the webhook is disabled: enable it first".to_owned();
        return Err(Error::State { reason: "DISABLED", message });
    }
    check_room(&to)?;
    let row = Model::new(to.id, event, body, write.now);
    let done = Done { id: row.id, position: write.position() };
    writer::insert(write.db, &[row]).await?;
    to.waiting += 1;
    keep_webhook(write, to).await?;
    Ok(done)
}

/// Begins a delivery again. Errors: NOT_FOUND; FAILED_PRECONDITION when it was delivered.
pub(crate) async fn retry_delivery(write: &Write<'_>, id: Uuid) -> Result<Done, Error> {
    let mut row = get_delivery(write.db, id).await?;
    let mut to = get_webhook(write.db, row.webhook_id).await.map_err(|_| Error::not_found("delivery", id))?;
    match row.state() {
        DeliveryState::Delivered => {
            let message = "it was delivered: only what waits or is dead can be retried".to_owned();
            return Err(Error::State { reason: "DELIVERED", message });
        }
        DeliveryState::Waiting => {}
        DeliveryState::Dead | DeliveryState::Unspecified => {
            check_room(&to)?;
            to.waiting += 1;
        }
    }
    row.retry(write.now);
    to.pause_time = None;
    keep(write, row).await?;
    keep_webhook(write, to).await?;
    Ok(Done { id, position: write.position() })
}

/// Deliveries of a webhook that are due, those that have waited longest first.
pub(crate) async fn list_due(
    db: &impl ConnectionTrait,
    to: WebhookId,
    now: Micros,
    most: usize,
) -> Result<Vec<Uuid>, Error> {
    let due = Entity::find().select_only().column(Column::Id).filter(is_due(now)).filter(Column::WebhookId.eq(to));
    let most = u64::try_from(most).unwrap_or_default();
    Ok(due.order_by(Column::NextTime, Order::Asc).limit(most).into_tuple().all(db).await?)
}

/// Takes deliveries that are still due, for as long as `lease` says: what comes back with its webhook is this replica's to
/// send. Those that have waited too long are given up.
pub(crate) async fn claim_deliveries(
    write: &Write<'_>,
    ids: Vec<Uuid>,
    lease: i64,
) -> Result<Vec<(webhook::Model, Model)>, Error> {
    let told = list_told(write.db).await?;
    let mut told: HashMap<WebhookId, webhook::Model> = told.into_iter().map(|row| (row.id, row)).collect();
    told.retain(|_, row| row.pause_time.is_none_or(|at| at <= write.now));
    let due = Entity::find().filter(Column::Id.is_in(writer::any_of(ids))).filter(is_due(write.now));
    let mut claimed = Vec::new();
    for mut row in due.all(write.db).await? {
        let Some(to) = told.get_mut(&row.webhook_id) else { continue };
        if row.is_expired(write.now) {
            row.expire(write.now);
            to.waiting -= 1;
            keep_webhook(write, to.clone()).await?;
        } else {
            row.begin(write.now, lease);
            claimed.push((to.clone(), row.clone()));
        }
        keep(write, row).await?;
    }
    Ok(claimed)
}

/// Notes how the `number`th attempt of a delivery ended; whether it was given up.
pub(crate) async fn settle_delivery(
    write: &Write<'_>,
    id: Uuid,
    number: i32,
    attempt: Attempt,
    patience: Patience,
) -> Result<bool, Error> {
    let Some(mut row) = Entity::find_by_id(id).one(write.db).await? else { return Ok(false) };
    let to = webhook::Entity::find_by_id(row.webhook_id).one(write.db).await?;
    let waited = row.state() == DeliveryState::Waiting;
    let before = row.clone();
    row.settle(number, attempt, write.now, patience, fastrand::f64());
    if row == before {
        return Ok(false);
    }
    let state = row.state();
    keep(write, row).await?;
    if let Some(mut to) = to {
        if attempt.succeeded() {
            to.succeeded();
        } else {
            // Sooner than the delivery: another one may be taken.
            to.failed(write.now, patience.first_delay / 5);
        }
        if waited && state != DeliveryState::Waiting {
            to.waiting -= 1;
        }
        keep_webhook(write, to).await?;
    }
    Ok(state == DeliveryState::Dead)
}

/// Deliveries that nobody needs any more, and those that have waited too long: so many of them at a time.
pub(crate) async fn list_stale(db: &impl ConnectionTrait, now: Micros) -> Result<Vec<Uuid>, Error> {
    let settled_before = |state: DeliveryState, kept: i64| {
        let of_state = Condition::all().add(Column::State.eq(i32::from(state)));
        of_state.add(Column::SettleTime.lt(Micros(now.0 - kept)))
    };
    let waiting = Condition::all().add(Column::State.eq(i32::from(DeliveryState::Waiting)));
    let waiting = waiting.add(Column::WaitTime.lte(Micros(now.0 - LONGEST_WAIT))).add(Column::NextTime.lte(now));
    let conditions = [
        settled_before(DeliveryState::Delivered, KEPT_DELIVERED),
        settled_before(DeliveryState::Dead, KEPT_DEAD),
        waiting,
    ];
    let mut stale = Vec::new();
    for condition in conditions {
        let select = Entity::find().select_only().column(Column::Id).filter(condition).limit(CLEANED);
        stale.append(&mut select.into_tuple().all(db).await?);
    }
    for gone in list_deleted(db).await? {
        let of_webhook = Entity::find().select_only().column(Column::Id).filter(Column::WebhookId.eq(gone));
        stale.append(&mut of_webhook.limit(CLEANED).into_tuple().all(db).await?);
    }
    Ok(stale)
}

/// Deletes stale deliveries, or gives them up; and deleted webhooks of which nothing is left.
pub(crate) async fn clean_deliveries(write: &Write<'_>, stale: Vec<Uuid>) -> Result<(), Error> {
    for mut row in Entity::find().filter(Column::Id.is_in(writer::any_of(stale))).all(write.db).await? {
        let to = webhook::Entity::find_by_id(row.webhook_id).one(write.db).await?;
        let to = to.filter(|to| to.delete_time.is_none());
        match (row.state(), to) {
            (DeliveryState::Waiting, Some(mut to)) if row.is_expired(write.now) => {
                row.expire(write.now);
                keep(write, row).await?;
                to.waiting -= 1;
                keep_webhook(write, to).await?;
            }
            (DeliveryState::Waiting, Some(_)) => {}
            _ => _ = Entity::delete_by_id(row.id).exec(write.db).await?,
        }
    }
    for gone in list_deleted(write.db).await? {
        if Entity::find().filter(Column::WebhookId.eq(gone)).one(write.db).await?.is_none() {
            webhook::Entity::delete_by_id(gone).exec(write.db).await?;
        }
    }
    Ok(())
}

async fn list_deleted(db: &impl ConnectionTrait) -> Result<Vec<WebhookId>, Error> {
    let deleted = webhook::Entity::find().select_only().column(webhook::Column::Id);
    Ok(deleted.filter(webhook::Column::DeleteTime.is_not_null()).into_tuple().all(db).await?)
}

fn is_due(now: Micros) -> Condition {
    Condition::all().add(Column::State.eq(i32::from(DeliveryState::Waiting))).add(Column::NextTime.lte(now))
}

async fn keep(write: &Write<'_>, row: Model) -> Result<(), Error> {
    row.into_active_model().reset_all().update(write.db).await?;
    Ok(())
}

fn check_room(to: &webhook::Model) -> Result<(), Error> {
    if to.waiting >= MAX_WAITING {
        let message = format!("{MAX_WAITING} deliveries wait for the webhook");
        return Err(Error::State { reason: "TOO_MANY_WAITING", message });
    }
    Ok(())
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
