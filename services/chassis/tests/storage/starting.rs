//! Opening a store, and migrations that fail.

use barometer_chassis::{
    database::{Database, Location},
    error::Error,
    testing::{DatabaseKind, TestDatabase, on_each_database},
    writer::DEFAULT_QUEUE,
};
use sea_orm::ConnectionTrait;
use sea_orm_migration::{prelude::*, schema::*};

use crate::{
    nouns::{First, note},
    replica::{Replica, SERVICE},
};

#[tokio::test]
async fn a_second_process_does_not_get_the_same_files() {
    let database = TestDatabase::new(DatabaseKind::Sqlite).await;
    let first = Replica::open(&database.location()).await;
    let refused = Replica::try_open(&database.location(), DEFAULT_QUEUE).await.err();
    assert!(matches!(refused, Some(Error::Unavailable { reason: "DATA_DIR_IN_USE", .. })), "{refused:?}");
    first.store.record_one(note("a")).await.expect("the first goes on");
    // Once the first has ended the next one gets them at once.
    for _ in 0..5 {
        let replica = Replica::open(&Location::Directory(database.directory().join("other"))).await;
        replica.stop().await;
    }
    first.stop().await;
    Replica::open(&database.location()).await;
}

#[tokio::test]
async fn a_store_opens_again_as_it_was() {
    on_each_database(async |database| {
        for n in 0..3 {
            let replica = Replica::open(&database.location()).await;
            assert_eq!(replica.notes().await.len(), n);
            replica.store.record_one(note("a")).await.expect("a note");
            replica.stop().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() {
    on_each_database(async |database| {
        let broken = Database::open::<Broken>(&database.location(), SERVICE).await;
        assert!(matches!(broken, Err(Error::Database(_))), "{broken:?}");
        let replica = Replica::open(&database.location()).await;
        replica.store.record_one(note("a")).await.expect("a note");
        let left = replica.store.db().execute_unprepared("SELECT * FROM half_way").await;
        assert!(left.is_err(), "the table of the failed migration is there");
    })
    .await;
}

/// The first migration, and another that fails half-way.
struct Broken;

#[async_trait::async_trait]
impl MigratorTrait for Broken {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(First), Box::new(Failing)]
    }
}

struct Failing;

impl MigrationName for Failing {
    fn name(&self) -> &str {
        "m0002_failing"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Failing {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(Table::create().table("half_way").col(integer("n").primary_key()).to_owned()).await?;
        Err(DbErr::Custom("on purpose".to_owned()))
    }
}
