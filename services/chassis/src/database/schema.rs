//! The tables that every service has: the feed's counter and markers, and the ledger of requests.

use sea_orm::{DbBackend, DbErr};
use sea_orm_migration::{prelude::*, schema::*};

/// Creates the counter, the markers and the ledger of requests; called by the first migration of each service.
pub async fn feed_tables(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let counter = Table::create()
        .table("feed_counter")
        .col(integer("id").primary_key())
        .col(big_integer("position"))
        .col(uuid_null("marker"))
        .to_owned();
    manager.create_table(counter).await?;
    let first = Query::insert()
        .into_table("feed_counter")
        .columns(["id", "position"])
        .values_panic([1.into(), 0_i64.into()])
        .to_owned();
    manager.execute(first).await?;

    let marker = Table::create()
        .table("feed_marker")
        .col(big_integer("position").primary_key())
        .col(uuid("id"))
        .col(string("incarnation"))
        .col(big_integer("create_time"))
        .to_owned();
    manager.create_table(marker).await?;

    let mut request = Table::create()
        .table("request")
        .col(string("method"))
        .col(string("actor"))
        .col(uuid("request_id"))
        .col(big_integer("fingerprint"))
        .col(uuid("resource_id"))
        .col(big_integer("position"))
        .col(big_integer("create_time"))
        .primary_key(Index::create().col("request_id").col("method").col("actor"))
        .to_owned();
    manager.create_table(keyed(manager, &mut request)).await?;
    let by_age = Index::create().name("request_create_time").table("request").col("create_time").to_owned();
    manager.create_index(by_age).await
}

/// A table of keys: SQLite keeps it in the order of its primary key, instead of rows and an index over them.
pub fn keyed(manager: &SchemaManager<'_>, table: &mut TableCreateStatement) -> TableCreateStatement {
    if manager.get_database_backend() == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table.to_owned()
}
