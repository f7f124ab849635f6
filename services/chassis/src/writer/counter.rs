//! The service's counter row: gives positions, and makes the writers of several replicas follow one another.

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, FromQueryResult, Statement,
    sea_query::{Expr, ExprTrait, Query},
};
use uuid::Uuid;

use crate::error::Error;

/// The counter, locked.
///
/// What a writer must know of those before it stands in this one row: a statement that waited for the lock sees the row
/// as it is now, but other tables as they were when it began to wait.
#[derive(Debug, FromQueryResult)]
pub(super) struct Counter {
    /// The last position taken.
    pub(super) position: i64,
    /// The last marker.
    pub(super) marker: Option<Uuid>,
    /// Names the server and the table: another one after a restart, a promotion or a restore.
    pub(super) incarnation: String,
}

impl Counter {
    /// Takes `expected` positions ahead and keeps the counter locked until the transaction ends; tells how it was before.
    /// When as many are used it need not be written again.
    pub(super) async fn lock(db: &DatabaseTransaction, expected: i64) -> Result<Self, Error> {
        let sql = match db.get_database_backend() {
            DbBackend::Postgres => {
                "UPDATE feed_counter SET position = position + $1 WHERE id = 1 \
                 RETURNING position - $1 AS position, marker, \
                 extract(epoch FROM pg_postmaster_start_time())::text || '/' || \
                 (SELECT oid FROM pg_database WHERE datname = current_database())::text || '/' || \
                 pg_relation_filenode('feed_counter')::text AS incarnation"
            }
            _ => {
                "UPDATE feed_counter SET position = position + ?1 WHERE id = 1 \
                 RETURNING position - ?1 AS position, marker, 'file' AS incarnation"
            }
        };
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [expected.into()]);
        let counter = Counter::find_by_statement(statement).one(db).await?;
        counter.ok_or_else(|| Error::Internal("the feed has no counter".to_owned()))
    }

    /// Writes the last position and marker.
    pub(super) async fn store(db: &DatabaseTransaction, position: i64, marker: Option<Uuid>) -> Result<(), Error> {
        let update = Query::update()
            .table("feed_counter")
            .value("position", position)
            .value("marker", marker)
            .and_where(Expr::col("id").eq(1))
            .to_owned();
        db.execute(&update).await?;
        Ok(())
    }
}
