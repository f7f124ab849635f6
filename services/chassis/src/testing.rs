//! Databases for tests, and a [`Collector`] of telemetry.
//!
//! [`on_each_database`] runs a test on SQLite and on PostgreSQL, each time in a world of its own. A [`Cluster`] is a
//! private PostgreSQL server for tests that stop it, kill it, or give it an older past.
//!
//! PostgreSQL is the server that `BAROMETER_TEST_POSTGRES` names, or else a throw-away cluster, started once per test
//! process from the installed binaries (`BAROMETER_TEST_POSTGRES_BIN`, `/usr/lib/postgresql/*/bin` or `PATH`). When there
//! are none, tests fail and say so: a test that quietly leaves PostgreSQL out proves nothing. Everything here panics
//! instead of returning errors, as tests do.

mod cluster;
mod collector;

use std::fmt;
use std::path::Path;

use sea_orm::{ConnectOptions, ConnectionTrait};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::database::Location;

pub use cluster::{Cluster, DataCopy, Dump, StopMode};
pub use collector::{Collector, Told};

/// Runs `test` on SQLite, then on PostgreSQL, each time with a new, empty [`TestDatabase`].
///
/// ```ignore
/// #[tokio::test]
/// async fn a_written_row_is_read_back() {
///     on_each_database(async |database| {
///         let database = Database::open::<Migrator>(&database.location(), "surveys").await.expect("open");
///     })
///     .await;
/// }
/// ```
pub async fn on_each_database(test: impl AsyncFn(&TestDatabase)) {
    for kind in [DatabaseKind::Sqlite, DatabaseKind::Postgres] {
        let database = TestDatabase::new(kind).await;
        // Captured by the test runner, shown when the test fails: it says which database it failed on.
        eprintln!("on {kind}: {:?}", database.location());
        test(&database).await;
    }
}

/// What a [`TestDatabase`] lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// Files in a temporary directory.
    Sqlite,
    /// A database of its own on a server that tests share.
    Postgres,
}

impl fmt::Display for DatabaseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// An empty place for the databases of services, and an empty directory, that nobody else uses; both are gone when it is
/// dropped.
///
/// Dropping it ends connections that are still open, so services need not be shut down before.
#[derive(Debug)]
pub struct TestDatabase {
    directory: TempDir,
    /// On PostgreSQL only.
    postgres: Option<OwnedDatabase>,
}

impl TestDatabase {
    /// A new, empty place of this kind.
    pub async fn new(kind: DatabaseKind) -> Self {
        Self {
            directory: TempDir::with_prefix("barometer-test-").expect("create a temporary directory"),
            postgres: match kind {
                DatabaseKind::Sqlite => None,
                DatabaseKind::Postgres => Some(OwnedDatabase::create().await),
            },
        }
    }

    /// What it is.
    pub fn kind(&self) -> DatabaseKind {
        match self.postgres {
            None => DatabaseKind::Sqlite,
            Some(_) => DatabaseKind::Postgres,
        }
    }

    /// Where services that share it open their databases; the same at every call, so that a service can be started again.
    pub fn location(&self) -> Location {
        match self.postgres_url() {
            None => Location::Directory(self.directory().to_owned()),
            Some(url) => Location::Postgres(url),
        }
    }

    /// `postgres://…`, if it is PostgreSQL: what `--database-url` takes.
    pub fn postgres_url(&self) -> Option<String> {
        self.postgres.as_ref().map(OwnedDatabase::url)
    }

    /// Everything that is in the tables of a service, as text; of PostgreSQL only.
    pub async fn contents(&self, service: &str) -> String {
        let url = self.postgres_url().expect("it is PostgreSQL");
        cluster::psql(&url, &format!("SELECT schema_to_xml('{service}', true, false, '')")).await
    }

    /// Runs SQL on the database of a service that does not run meanwhile: what no service does to itself.
    pub async fn execute(&self, service: &str, sql: &str) {
        let url = match self.location() {
            Location::Directory(directory) => {
                format!("sqlite://{}", directory.join(format!("{service}.sqlite")).display())
            }
            Location::Postgres(url) => url,
        };
        let mut options = ConnectOptions::new(url);
        options.sqlx_logging(false).max_connections(1).set_schema_search_path(service);
        let database = sea_orm::Database::connect(options).await.expect("a connection");
        database.execute_unprepared(sql).await.expect("a statement");
        database.close().await.expect("closed");
    }

    /// A directory of its own for SQLite files, snapshots and whatever else: what `--data-dir` takes.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// A database on the shared server, dropped with this value.
#[derive(Debug)]
struct OwnedDatabase {
    server: &'static str,
    name: String,
}

impl OwnedDatabase {
    async fn create() -> Self {
        let server = shared_server().await;
        let name = format!("test_{}", Uuid::new_v4().simple());
        cluster::psql(server, &format!("CREATE DATABASE {name}")).await;
        Self { server, name }
    }

    fn url(&self) -> String {
        cluster::with_database(self.server, &self.name)
    }
}

impl Drop for OwnedDatabase {
    fn drop(&mut self) {
        cluster::drop_database(self.server, &self.name);
    }
}

/// The URL of the server that tests share.
async fn shared_server() -> &'static str {
    static GIVEN_OR_STARTED: OnceCell<String> = OnceCell::const_new();
    // Never dropped: the cluster's keeper stops it when this process has ended.
    static STARTED: OnceCell<Cluster> = OnceCell::const_new();
    GIVEN_OR_STARTED
        .get_or_init(async || match cluster::setting("BAROMETER_TEST_POSTGRES") {
            Some(url) => url,
            None => STARTED.get_or_init(Cluster::start).await.url(),
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_test_gets_an_empty_database_that_is_gone_afterwards() {
        let database = TestDatabase::new(DatabaseKind::Postgres).await;
        let name = database.postgres.as_ref().expect("it is on a server").name.clone();
        let url = database.postgres_url().expect("it is on a server");
        cluster::psql(&url, "CREATE TABLE facts (n int)").await;
        let server = shared_server().await;
        cluster::psql(server, &format!("CREATE DATABASE {name}_surveys")).await;
        drop(database);

        let left =
            cluster::psql(server, &format!("SELECT count(*) FROM pg_database WHERE datname LIKE '{name}%'")).await;
        assert_eq!(left, "0\n");
    }

    #[tokio::test]
    async fn both_kinds_are_run() {
        let kinds = std::sync::Mutex::new(Vec::new());
        on_each_database(async |database| {
            assert!(database.directory().is_dir());
            assert_eq!(database.postgres_url().is_some(), database.kind() == DatabaseKind::Postgres);
            kinds.lock().expect("no panic").push(database.kind());
        })
        .await;
        assert_eq!(*kinds.lock().expect("no panic"), [DatabaseKind::Sqlite, DatabaseKind::Postgres]);
    }
}
