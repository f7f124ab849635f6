//! Markers in the feed: one for each start of a process and each incarnation of the server, so that a rewound history
//! is noticed.

use std::sync::{PoisonError, RwLock};

use sea_orm::{ActiveValue::Set, QueryOrder, entity::prelude::*};

use crate::{clock::Micros, error::Error, position::Position, writer::Write};

/// The markers as this process knows them: to name the marker of a position without asking the database.
#[derive(Debug, Default)]
pub struct Markers {
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The oldest first.
    markers: Vec<Position>,
    /// Up to this position no marker is missing.
    until: i64,
}

impl Markers {
    /// The last marker at or before a position; `None` when the position is beyond what is known.
    pub(super) fn last(&self, n: i64) -> Option<Uuid> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let last = || known.markers.iter().rev().find(|marker| marker.n <= n).map(|marker| marker.marker);
        (n <= known.until).then(|| last().unwrap_or_default())
    }

    /// Whether `marker` is the last one known.
    pub(crate) fn ends_with(&self, marker: Option<Uuid>) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.markers.last().map(|last| last.marker) == marker
    }

    /// No marker is missing up to `n`.
    pub(crate) fn extend(&self, n: i64) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.until = known.until.max(n);
    }

    /// Replaces what is known: all markers until `n`.
    pub(crate) fn replace(&self, markers: Vec<Position>, until: i64) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known { markers, until };
    }
}

/// Writes a marker at the next position and returns its id.
pub(crate) async fn write(write: &Write<'_>, incarnation: &str) -> Result<Uuid, Error> {
    let id = Uuid::new_v4();
    let marker = ActiveModel {
        position: Set(write.next_position()),
        id: Set(id),
        incarnation: Set(incarnation.to_owned()),
        create_time: Set(write.now),
    };
    Entity::insert(marker).exec_without_returning(write.db).await?;
    Ok(id)
}

/// The last marker at or before a position; nil when there is none.
pub(super) async fn last(db: &impl ConnectionTrait, n: i64) -> Result<Uuid, Error> {
    let row = Entity::find().filter(Column::Position.lte(n)).order_by_desc(Column::Position).one(db).await?;
    Ok(row.map(|row| row.id).unwrap_or_default())
}

/// The first marker after a position.
pub(super) async fn next(db: &impl ConnectionTrait, n: i64) -> Result<Option<Position>, Error> {
    let row = Entity::find().filter(Column::Position.gt(n)).order_by_asc(Column::Position).one(db).await?;
    Ok(row.map(|row| Position { n: row.position, marker: row.id }))
}

/// All markers, the oldest first.
pub(crate) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Position>, Error> {
    let rows = Entity::find().order_by_asc(Column::Position).all(db).await?;
    Ok(rows.into_iter().map(|row| Position { n: row.position, marker: row.id }).collect())
}

/// A marker.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "feed_marker")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    position: i64,
    id: Uuid,
    incarnation: String,
    create_time: Micros,
}

/// It refers to nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
