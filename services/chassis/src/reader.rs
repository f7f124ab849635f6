//! Reading recorded rows: by id, by key, page by page.

use std::collections::HashMap;

use sea_orm::{
    Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Order},
};
use uuid::Uuid;

use crate::{
    door::{ExternalKey, Page, PageToken},
    error::Error,
    writer::{Recorded, any_of},
};

/// The row of an id, withdrawn or not. NOT_FOUND when there is none.
pub async fn get<M: Recorded>(db: &impl ConnectionTrait, id: Uuid) -> Result<M, Error> {
    let row = M::Table::find().filter(Expr::col("id").eq(id)).one(db).await?;
    row.ok_or_else(|| Error::not_found(M::NOUN, id))
}

/// The row of a caller's key, withdrawn or not. NOT_FOUND when there is none.
pub async fn get_by_key<M: Recorded>(db: &impl ConnectionTrait, key: &ExternalKey) -> Result<M, Error> {
    let row = M::Table::find()
        .filter(Expr::col("external_system").eq(&key.system))
        .filter(Expr::col("external_id").eq(&key.value))
        .one(db)
        .await?;
    row.ok_or_else(|| Error::not_found(M::NOUN, &key.value))
}

/// The rows of callers' keys (system and value), withdrawn or not, as far as there are such.
pub async fn of_keys<'k, M: Recorded>(
    db: &impl ConnectionTrait,
    keys: impl Iterator<Item = (&'k str, &'k str)>,
) -> Result<Vec<M>, Error> {
    let mut systems: HashMap<&str, Vec<&str>> = HashMap::new();
    for (system, value) in keys {
        systems.entry(system).or_default().push(value);
    }
    let mut found = Vec::new();
    for (system, values) in systems {
        let of_system = M::Table::find()
            .filter(Expr::col("external_system").eq(system))
            .filter(Expr::col("external_id").is_in(any_of(values)));
        found.append(&mut of_system.all(db).await?);
    }
    Ok(found)
}

/// A page of rows that meet `filter`, newest first by their column `time`; and the token of the next page.
pub async fn list<M: Recorded>(
    db: &impl ConnectionTrait,
    page: Page,
    filter: Condition,
    place: fn(&M) -> PageToken,
) -> Result<(Vec<M>, String), Error> {
    let rows = newest_first::<M::Table>(page, "time").filter(filter).all(db).await?;
    Ok(page.cut(rows, place))
}

/// Selects one page of a list that is ordered by `column` and then by id, the highest first.
pub fn newest_first<E: EntityTrait>(page: Page, column: &'static str) -> sea_orm::Select<E> {
    let select =
        E::find().order_by(Expr::col(column), Order::Desc).order_by(Expr::col("id"), Order::Desc).limit(page.limit());
    match page.after {
        None => select,
        Some(PageToken { key, id }) => select.filter(
            Condition::any().add(Expr::col(column).lt(key)).add(Expr::col(column).eq(key).and(Expr::col("id").lt(id))),
        ),
    }
}
