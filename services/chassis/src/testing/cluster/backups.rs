//! Backups of a cluster: dumps, copies of its data, and what is restored from them.

use std::{path::PathBuf, time::Duration};

use uuid::Uuid;

use super::{Cluster, StopMode, blocking, psql, run};

/// A dump of one database, as [`Cluster::dump`] writes it. It lives as long as its cluster.
#[derive(Clone, Debug)]
pub struct Dump(PathBuf);

/// A copy of a whole data directory, as [`Cluster::copy_data`] makes it. It lives as long as its cluster.
#[derive(Clone, Debug)]
pub struct DataCopy(PathBuf);

impl Cluster {
    /// Dumps one database, as `pg_dump` does.
    pub async fn dump(&self, database: &str) -> Dump {
        let file = self.home.join(format!("{}.dump", Uuid::new_v4()));
        let mut dump = self.tool("pg_dump");
        dump.arg("--format=custom").arg("--file").arg(&file).arg(self.database_url(database));
        blocking(move || run(dump)).await;
        Dump(file)
    }

    /// Drops the database, ending its connections, and restores it from a dump.
    pub async fn restore(&self, database: &str, dump: &Dump) {
        let server = self.url();
        psql(&server, &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")).await;
        psql(&server, &format!("CREATE DATABASE {database}")).await;
        let mut restore = self.tool("pg_restore");
        restore.args(["--exit-on-error", "--dbname", &self.database_url(database)]).arg(&dump.0);
        blocking(move || run(restore)).await;
    }

    /// Copies the data directory of the running server as it is now.
    pub async fn copy_data(&self) -> DataCopy {
        let copy = self.home.join(format!("copy-{}", Uuid::new_v4()));
        let mut backup = self.tool("pg_basebackup");
        backup
            .args(["--checkpoint=fast", "--wal-method=stream", "--no-sync", "--dbname"])
            .arg(self.url())
            .arg("--pgdata")
            .arg(&copy);
        blocking(move || run(backup)).await;
        DataCopy(copy)
    }

    /// Kills the server and starts it from a copy: the same history, cut off where the copy was made, and nothing in
    /// the time line to tell.
    pub async fn put_back(&self, copy: &DataCopy) {
        self.stop(StopMode::Immediate).await;
        self.replace_data(copy).await;
        self.start_again().await;
    }

    /// Kills the server and recovers it from a copy as a point-in-time restore or a promotion does: the history goes on
    /// in a new time line.
    pub async fn recover(&self, copy: &DataCopy) {
        self.stop(StopMode::Immediate).await;
        self.replace_data(copy).await;
        let mut signal = self.command("touch");
        signal.arg(self.data().join("recovery.signal"));
        blocking(move || run(signal)).await;
        self.start_again().await;
        while self.sql("postgres", "SELECT pg_is_in_recovery()").await.trim() == "t" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn replace_data(&self, copy: &DataCopy) {
        let mut remove = self.command("rm");
        remove.arg("-rf").arg(self.data());
        let mut put = self.command("cp");
        put.arg("-a").arg(&copy.0).arg(self.data());
        blocking(move || {
            run(remove);
            run(put);
        })
        .await;
    }
}
