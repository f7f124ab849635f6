//! The database of a service: SQLite in a file of its own, or a schema of its own on PostgreSQL.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as SeaDatabase, DatabaseConnection, DbBackend, Statement,
    TransactionTrait,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use sea_orm_migration::MigratorTrait;

use crate::{claim::Claim, error::Error};

mod pool;
mod schema;

pub use schema::{feed_tables, keyed};

/// Where databases are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// SQLite: a directory, with a file for each service.
    Directory(PathBuf),
    /// PostgreSQL: the URL of a database, with a schema for each service.
    Postgres(String),
}

/// The open database of one service: one connection that writes, and a pool that reads.
#[derive(Clone, Debug)]
pub struct Database {
    /// For the service's one writer.
    pub write: DatabaseConnection,
    /// For everything else.
    pub read: DatabaseConnection,
    /// On a SQLite file: two processes must not write one.
    _claim: Option<Arc<Claim>>,
}

/// Connections to PostgreSQL that write: the writer uses one at a time. One that is lost without a word is in the pool's
/// count until the system finds it dead.
const WRITERS: u32 = 8;
/// Connections that read, by default.
const READERS: u32 = 8;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that was used a moment ago is taken without asking whether it is still good.
const IDLE: Duration = Duration::from_secs(1);
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 256;
/// Memory for pages of a SQLite file, for each connection, in KiB when negative. Filled as it is used.
const CACHE: &str = "-8000";
/// Pages of SQLite's log that are carried into the file at once: more of them share a page of it, and a sync.
const CHECKPOINT: &str = "4000";
/// How long an ending process waits for its connections.
const CLOSING: Duration = Duration::from_secs(2);
/// How often it is tried to empty SQLite's log, and how long to wait in between.
const SCRUBBING: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);
/// Settings of every session on PostgreSQL: a statement that takes too long is broken off; a commit is on disk when it is
/// acknowledged; a process that stands still inside a transaction loses it, because others wait for the counter.
const SETTINGS: [(&str, &str); 3] =
    [("statement_timeout", "30s"), ("synchronous_commit", "on"), ("idle_in_transaction_session_timeout", "10s")];

impl Database {
    /// Opens the database of `service`, creates what is missing and brings it up to the migrations of `M`.
    ///
    /// Safe when several replicas start at once.
    pub async fn open<M: MigratorTrait>(location: &Location, service: &str) -> Result<Self, Error> {
        let database = match location {
            Location::Directory(directory) => Self::open_sqlite(directory, service).await?,
            Location::Postgres(url) => Self::open_postgres(url, service).await?,
        };
        database.migrate::<M>(service).await?;
        pool::observe(&database, service);
        Ok(database)
    }

    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.write.get_database_backend() == DbBackend::Postgres
    }

    async fn open_sqlite(directory: &Path, service: &str) -> Result<Self, Error> {
        let broken = |error: std::io::Error| Error::Internal(format!("{}: {error}", directory.display()));
        std::fs::create_dir_all(directory).map_err(broken)?;
        let file = directory.join(format!("{service}.sqlite"));
        let claim = Claim::new(&file, &directory.join(format!("{service}.lock")))?;
        let url = format!("sqlite://{}", file.display());
        let connect = |readers: Option<u32>| {
            let mut options = ConnectOptions::new(&url);
            options.sqlx_logging(false).max_connections(readers.unwrap_or(1)).acquire_timeout(ACQUIRE_TIMEOUT);
            // An SQLite connection that was opened stays good; asking it each time costs a trip to its thread.
            options.test_before_acquire(false);
            options.map_sqlx_sqlite_opts(move |options| {
                options
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(ACQUIRE_TIMEOUT)
                    .statement_cache_capacity(STATEMENTS)
                    .pragma("cache_size", CACHE)
                    // What was deleted for a person who wants to be forgotten is gone from the file.
                    .pragma("secure_delete", "ON")
                    .pragma("wal_autocheckpoint", CHECKPOINT)
                    .read_only(readers.is_some())
            });
            SeaDatabase::connect(options)
        };
        let write = connect(None).await?;
        let read = connect(Some(READERS)).await?;
        Ok(Database { write, read, _claim: Some(Arc::new(claim)) })
    }

    async fn open_postgres(url: &str, service: &str) -> Result<Self, Error> {
        let connect = |connections: u32| {
            let mut options = ConnectOptions::new(url);
            options.sqlx_logging(false).max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT);
            options.set_schema_search_path(service);
            options.test_before_acquire_if_idle_for(IDLE);
            let application = format!("barometer-{service}");
            options.map_sqlx_postgres_opts(move |options| {
                options.application_name(&application).options(SETTINGS).statement_cache_capacity(STATEMENTS)
            });
            SeaDatabase::connect(options)
        };
        let write = connect(WRITERS).await?;
        let read = connect(READERS).await?;
        Ok(Database { write, read, _claim: None })
    }

    /// Leaves nothing of what was deleted in SQLite's log: it goes into the database, and is emptied. PostgreSQL vacuums by
    /// itself.
    pub(crate) async fn scrub(&self) -> Result<(), Error> {
        if self.is_postgres() {
            return Ok(());
        }
        // Whoever reads just then holds the log.
        for _ in 0..SCRUBBING {
            let checkpoint = Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
            let told = self.write.query_one_raw(checkpoint).await?;
            if told.and_then(|row| row.try_get_by_index::<i32>(0).ok()) == Some(0) {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        tracing::warn!("what was deleted stays in the log beside the database for now: it is read all the time");
        Ok(())
    }

    /// Closes all connections. SQLite's log goes into the database first: whoever copies the file once the process has
    /// ended has all of it.
    pub(crate) async fn close(&self) {
        // Readers that do not come back are not waited for.
        let _late = tokio::time::timeout(CLOSING, self.read.close_by_ref()).await;
        if !self.is_postgres()
            && let Err(error) = self.write.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await
        {
            tracing::warn!(%error, "the log stays beside the database");
        }
        let _late = tokio::time::timeout(CLOSING, self.write.close_by_ref()).await;
    }

    /// Runs all migrations in one transaction: none is left half-way.
    ///
    /// SeaORM's migrator takes no lock of its own: of replicas that start together on an empty database all but one
    /// would fail. So on PostgreSQL it runs behind a lock, for as long as it takes.
    async fn migrate<M: MigratorTrait>(&self, service: &str) -> Result<(), Error> {
        let transaction = self.write.begin().await?;
        if self.is_postgres() {
            transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
            transaction.execute_unprepared("SELECT pg_advisory_xact_lock(7400, 1)").await?;
            transaction.execute_unprepared(&format!("CREATE SCHEMA IF NOT EXISTS \"{service}\"")).await?;
        }
        M::up(&transaction, None).await?;
        Ok(transaction.commit().await?)
    }
}
