//! Queries of the customers service.

mod attributes;
mod keys;
#[cfg(test)]
mod plans;
mod values;

use std::collections::HashMap;

use barometer_chassis::{
    door::{ExternalKey, Page, PageToken},
    error::Error,
    reader,
    writer::{Done, Write},
};
use barometer_proto::customers::v1::Attribute;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, QueryFilter,
    Select,
    sea_query::{Expr, Query},
};

pub(crate) use self::{
    attributes::{Recording, record_attributes, refresh_attributes},
    keys::{CustomerRef, add_keys, find_by_keys, find_customers, find_or_create},
    values::{Standing, find_spend, find_standings},
};
use crate::{
    attribute_change,
    customer::{self, CustomerId, key, tag},
};

/// A customer with its keys and tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Profile {
    /// The row.
    pub(crate) row: customer::Model,
    /// In order.
    pub(crate) keys: Vec<ExternalKey>,
    /// In order.
    pub(crate) tags: Vec<String>,
}

/// Customers with their keys and tags, in the order of their ids as given; unknown ones are left out.
pub(crate) async fn find_profiles(db: &impl ConnectionTrait, ids: &[CustomerId]) -> Result<Vec<Profile>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = customer::Entity::find().filter(customer::Column::Id.is_in(ids.iter().copied())).all(db).await?;
    let rows: HashMap<CustomerId, customer::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    let ordered = ids.iter().filter_map(|id| rows.get(id).cloned()).collect();
    with_keys_and_tags(db, ordered).await
}

/// A customer with its keys and tags. NOT_FOUND when there is none.
pub(crate) async fn get_profile(db: &impl ConnectionTrait, id: CustomerId) -> Result<Profile, Error> {
    find_profiles(db, &[id]).await?.pop().ok_or_else(|| Error::not_found("customer", id))
}

/// The customer of a key. NOT_FOUND when nobody has it.
pub(crate) async fn get_by_key(db: &impl ConnectionTrait, key: &ExternalKey) -> Result<Profile, Error> {
    match find_by_keys(db, std::slice::from_ref(key)).await?.get(key) {
        Some(id) => get_profile(db, *id).await,
        None => Err(Error::not_found("customer", &key.value)),
    }
}

/// Which customers a list is to hold.
#[derive(Clone, Debug)]
pub(crate) struct CustomerFilter {
    /// On the customer's own columns.
    pub(crate) columns: Condition,
    /// Only with this tag; any when empty.
    pub(crate) tag: String,
    /// Only in this segment now; any when empty.
    pub(crate) segment: String,
}

/// A page of customers, newest first.
pub(crate) async fn list_customers(
    db: &impl ConnectionTrait,
    page: Page,
    filter: CustomerFilter,
) -> Result<(Vec<Profile>, String), Error> {
    let (rows, next) = page.cut(select(db.get_database_backend(), page, filter).all(db).await?, place);
    Ok((with_keys_and_tags(db, rows).await?, next))
}

fn select(backend: DbBackend, page: Page, filter: CustomerFilter) -> Select<customer::Entity> {
    let mut select = reader::newest_first::<customer::Entity>(page, "create_time").filter(filter.columns);
    if !filter.tag.is_empty() {
        let tagged = Query::select()
            .column(tag::Column::CustomerId)
            .from(tag::Entity)
            .and_where(tag::Column::Tag.eq(filter.tag))
            .to_owned();
        select = select.filter(customer::Column::Id.in_subquery(tagged));
    }
    if !filter.segment.is_empty() {
        select = select.filter(is_in(backend, filter.segment));
    }
    select
}

/// Whether a customer is in a segment now: who ever entered it an index tells, who is still there the customer's row.
fn is_in(backend: DbBackend, segment: String) -> Condition {
    use attribute_change::Column;
    let entered = Query::select()
        .column(Column::CustomerId)
        .from(attribute_change::Entity)
        .and_where(Column::Attribute.eq(i32::from(Attribute::Segment)))
        .and_where(Column::Value.eq(&segment))
        .to_owned();
    let is_there = match backend {
        DbBackend::Postgres => Expr::cust_with_values("jsonb_exists(segments, $1)", [segment]),
        _ => Expr::cust_with_values("EXISTS (SELECT 1 FROM json_each(segments) WHERE json_each.value = ?)", [segment]),
    };
    Condition::all().add(customer::Column::Id.in_subquery(entered)).add(is_there)
}

/// A customer's place in a list.
pub(crate) fn place(row: &customer::Model) -> PageToken {
    PageToken { key: row.create_time.0, id: row.id.0 }
}

/// Creates customers: rows, keys and tags. ALREADY_EXISTS when a key is taken. The rows get their ids here.
pub(crate) async fn create(write: &Write<'_>, mut profile: Profile) -> Result<Profile, Error> {
    let position = write.next_position();
    let row = &mut profile.row;
    (row.id, row.number, row.position, row.version) = (CustomerId(barometer_chassis::id::new()), position, position, 1);
    (row.create_time, row.update_time) = (write.now, write.now);
    customer::Entity::insert(row.clone().into_active_model().reset_all()).exec_without_returning(write.db).await?;
    add_keys(write, profile.row.id, &profile.keys).await?;
    add_tags(write, profile.row.id, &profile.tags).await?;
    Ok(profile)
}

/// Writes a changed customer at a new position; when nothing differs nothing is written.
pub(crate) async fn update(write: &Write<'_>, old: &Profile, mut new: Profile) -> Result<Done, Error> {
    if *old == new {
        return Ok(Done { id: old.row.id.0, position: old.row.position });
    }
    let id = old.row.id;
    new.row.position = write.next_position();
    new.row.version = old.row.version + 1;
    new.row.update_time = write.now;
    let done = Done { id: id.0, position: new.row.position };
    customer::Entity::update(new.row.into_active_model().reset_all()).exec(write.db).await?;
    if old.keys != new.keys {
        key::Entity::delete_many().filter(key::Column::CustomerId.eq(id)).exec(write.db).await?;
        add_keys(write, id, &new.keys).await?;
    }
    if old.tags != new.tags {
        tag::Entity::delete_many().filter(tag::Column::CustomerId.eq(id)).exec(write.db).await?;
        add_tags(write, id, &new.tags).await?;
    }
    Ok(done)
}

/// Refuses when somebody else wrote in between.
pub(crate) fn check_etag(row: &customer::Model, etag: &str) -> Result<(), Error> {
    match etag.is_empty() || etag == row.version.to_string() {
        true => Ok(()),
        false => Err(Error::Stale { noun: "customer" }),
    }
}

async fn add_tags(write: &Write<'_>, id: CustomerId, tags: &[String]) -> Result<(), Error> {
    let rows = tags.iter().map(|tag| tag::Model { tag: tag.clone(), customer_id: id }.into_active_model().reset_all());
    if !tags.is_empty() {
        tag::Entity::insert_many(rows).exec_without_returning(write.db).await?;
    }
    Ok(())
}

async fn with_keys_and_tags(db: &impl ConnectionTrait, rows: Vec<customer::Model>) -> Result<Vec<Profile>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids = || Expr::col("customer_id").is_in(rows.iter().map(|row| row.id.0));
    use sea_orm::sea_query::ExprTrait;
    let mut keys: HashMap<CustomerId, Vec<ExternalKey>> = HashMap::new();
    for key::Model { system, value, customer_id } in key::Entity::find().filter(ids()).all(db).await? {
        keys.entry(customer_id).or_default().push(ExternalKey { system, value });
    }
    let mut tags: HashMap<CustomerId, Vec<String>> = HashMap::new();
    for tag::Model { tag, customer_id } in tag::Entity::find().filter(ids()).all(db).await? {
        tags.entry(customer_id).or_default().push(tag);
    }
    let profile = |row: customer::Model| {
        let (mut keys, mut tags) = (of(&keys, row.id), of(&tags, row.id));
        keys.sort_unstable();
        tags.sort_unstable();
        Profile { row, keys, tags }
    };
    Ok(rows.into_iter().map(profile).collect())
}

/// What a customer has; it may be asked for more than once.
fn of<T: Clone>(all: &HashMap<CustomerId, Vec<T>>, id: CustomerId) -> Vec<T> {
    all.get(&id).cloned().unwrap_or_default()
}
