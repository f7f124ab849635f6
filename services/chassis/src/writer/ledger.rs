//! The ledger of requests: makes a repeated request harmless, also after a crash and on another replica.

use std::collections::HashMap;

use sea_orm::entity::prelude::*;

use super::{Write, insert::any_of};
use crate::{clock::Micros, error::Error};

/// How long requests are kept at least; what the contract promises is 7 days.
const KEPT: i64 = 8 * Micros::DAY;

/// A mutating request: who asks for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Full name of the method.
    pub method: &'static str,
    /// The principal.
    pub actor: String,
    /// The caller's id of the request, if it gave one; without it every repeat is a new request.
    pub id: Option<Uuid>,
    /// Hash of the parsed values.
    pub fingerprint: i64,
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The resource that was written.
    pub id: Uuid,
    /// Its position.
    pub position: i64,
}

/// What an earlier request of the same id did. ALREADY_EXISTS when it had other values.
pub(super) async fn find(write: &Write<'_>, request: &Request) -> Result<Option<Done>, Error> {
    Ok(find_all(write, &[request]).await?.pop().transpose()?.flatten())
}

/// The same for many requests, in their order.
pub(super) async fn find_all(
    write: &Write<'_>,
    requests: &[&Request],
) -> Result<Vec<Result<Option<Done>, Error>>, Error> {
    let ids: Vec<Uuid> = requests.iter().filter_map(|request| request.id).collect();
    let known = match ids.is_empty() {
        true => Vec::new(),
        false => Entity::find().filter(Column::RequestId.is_in(any_of(ids))).all(write.db).await?,
    };
    let known: HashMap<(Uuid, &str, &str), &Model> =
        known.iter().map(|row| ((row.request_id, row.method.as_str(), row.actor.as_str()), row)).collect();
    let find = |request: &&Request| {
        let known = request.id.and_then(|id| known.get(&(id, request.method, request.actor.as_str())));
        match known {
            None => Ok(None),
            Some(row) if row.fingerprint == request.fingerprint => {
                Ok(Some(Done { id: row.resource_id, position: row.position }))
            }
            Some(_) => Err(Error::Exists {
                reason: "REQUEST_ID_REUSED",
                message: "this request_id was used before with other values".to_owned(),
            }),
        }
    };
    Ok(requests.iter().map(find).collect())
}

/// Notes what requests did; those without an id leave no trace.
pub(super) async fn note(write: &Write<'_>, done: Vec<(Request, Done)>) -> Result<(), Error> {
    let row = |(request, done): (Request, Done)| {
        Some(Model {
            method: request.method.to_owned(),
            actor: request.actor,
            request_id: request.id?,
            fingerprint: request.fingerprint,
            resource_id: done.id,
            position: done.position,
            create_time: write.now,
        })
    };
    let rows: Vec<_> = done.into_iter().filter_map(row).collect();
    Ok(super::insert(write.db, &rows).await?)
}

/// Deletes requests that are older than any repeat may be.
pub async fn forget_old_requests(db: &DatabaseConnection) -> Result<u64, Error> {
    let before = Micros(Micros::now().0 - KEPT);
    let deleted = Entity::delete_many().filter(Column::CreateTime.lt(before)).exec(db).await?;
    Ok(deleted.rows_affected)
}

/// A noted request.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "request")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    request_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    method: String,
    #[sea_orm(primary_key, auto_increment = false)]
    actor: String,
    fingerprint: i64,
    resource_id: Uuid,
    position: i64,
    create_time: Micros,
}

/// It refers to nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
