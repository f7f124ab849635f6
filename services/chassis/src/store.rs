//! What a service keeps: its database, the writer and the feed, opened together.

use std::{sync::Arc, time::Duration};

use barometer_proto::common::v1::RejectedRow;
use futures_util::future::BoxFuture;
use sea_orm::DatabaseConnection;
use sea_orm_migration::MigratorTrait;
use tokio::task::JoinHandle;

use crate::{
    database::{Database, Location},
    error::Error,
    feed::{Feed, Kind, Markers, Traces, handover},
    health::Health,
    import, reader,
    shutdown::Shutdown,
    writer::{Done, Outcome, Pending, Recorded, Request, Write, Writer, forget_old_requests},
};

/// How often old requests are deleted from the ledger.
const CLEANING: Duration = Duration::from_secs(3_600);

/// The store of one service in one process; its facts go to the feed as `F`. Cheap to clone.
pub struct Store<F> {
    database: Database,
    /// Everything that changes the database goes through here.
    pub writer: Writer,
    /// The facts, for watchers.
    pub feed: Feed<F>,
}

impl<F> Clone for Store<F> {
    fn clone(&self) -> Self {
        Store { database: self.database.clone(), writer: self.writer.clone(), feed: self.feed.clone() }
    }
}

impl<F: Clone + Send + Sync + 'static> Store<F> {
    /// Opens the store of `service`: database, migrations `M`, writer (at most `queue` rows wait), feed of `kinds`.
    ///
    /// The handle is the writer's task: it ends after `shutdown`, when everything that was waiting is written.
    pub async fn open<M: MigratorTrait>(
        location: &Location,
        service: &'static str,
        kinds: Vec<Kind<F>>,
        queue: u32,
        shutdown: Shutdown,
    ) -> Result<(Self, JoinHandle<()>), Error> {
        let database = Database::open::<M>(location, service).await?;
        let (markers, traces) = (Arc::new(Markers::default()), Arc::new(Traces::default()));
        let (commits, handed_over) = handover::channel();
        let (known, written) = (markers.clone(), traces.clone());
        let writer = Writer::start(service, database.clone(), queue, known, written, commits, shutdown.clone());
        let (writer, task) = writer.await?;
        let feed = Feed::start(service, &database, kinds, markers, traces, handed_over, shutdown.clone()).await?;
        tokio::spawn(clean(database.write.clone(), shutdown));
        Ok((Store { database, writer, feed }, task))
    }

    /// The connection for reading.
    pub fn db(&self) -> &DatabaseConnection {
        &self.database.read
    }

    /// Leaves nothing of what was deleted where deleted things would stay for a while, as far as the database can.
    pub async fn scrub(&self) -> Result<(), Error> {
        self.database.scrub().await
    }

    /// Records one row: as it is now, and the token of its position.
    pub async fn record_one<M: Recorded>(&self, row: Pending<M>) -> Result<(M, String), Error> {
        let (row, position) = match self.writer.record_one(row).await? {
            Outcome::Recorded(row) => {
                let position = row.head().position;
                (row, position)
            }
            Outcome::Unchanged(row, position) => (row, position),
        };
        Ok((row, self.feed.token(position).await?))
    }

    /// Runs a command on a recorded row: the row as it is then, and the token of the command's position.
    pub async fn change<M: Recorded, W>(&self, request: Request, work: W) -> Result<(M, String), Error>
    where
        W: for<'w> FnOnce(&'w Write<'w>) -> BoxFuture<'w, Result<Done, Error>> + Send + 'static,
    {
        let Done { id, position } = self.writer.run(request, work).await?;
        Ok((reader::get(self.db(), id).await?, self.feed.token(position).await?))
    }

    /// Records a batch of an import, of which some rows were refused at the door already; `field` is the path of the
    /// row's message.
    pub async fn record_batch<M: Recorded>(&self, rows: Numbered<M>, field: &str) -> Result<Batch, Error> {
        let mut batch = Batch::default();
        let mut pending = Vec::with_capacity(rows.len());
        let mut numbers = Vec::with_capacity(rows.len());
        for (number, row) in rows {
            match row {
                Ok(row) => {
                    pending.push(row);
                    numbers.push(number);
                }
                Err(error) => batch.rejected.push(import::reject(number, error, field)?),
            }
        }
        let mut reached = 0;
        for (number, outcome) in numbers.into_iter().zip(self.writer.record(pending).await?) {
            match outcome {
                Ok(Outcome::Recorded(row)) => {
                    batch.recorded += 1;
                    reached = reached.max(row.head().position);
                }
                Ok(Outcome::Unchanged(_, position)) => {
                    batch.unchanged += 1;
                    reached = reached.max(position);
                }
                Err(error) => batch.rejected.push(import::reject(number, error, field)?),
            }
        }
        batch.rejected.sort_by_key(|rejected| rejected.row);
        batch.position = if reached == 0 { String::new() } else { self.feed.token(reached).await? };
        Ok(batch)
    }

    /// Keeps the health of the gRPC service `name` as the database's is, for as long as the process runs.
    pub fn report_health(&self, health: Health, name: &'static str) {
        let mut healthy = self.feed.healthy();
        tokio::spawn(async move {
            loop {
                health.set(name, *healthy.borrow_and_update());
                if healthy.changed().await.is_err() {
                    return;
                }
            }
        });
    }
}

/// Rows of an import by their numbers, ready to be written or refused at the door.
pub type Numbered<M> = Vec<(i64, Result<Pending<M>, Error>)>;

/// What became of a batch of an import.
#[derive(Debug, Default)]
pub struct Batch {
    /// Rows that were written.
    pub recorded: i32,
    /// Rows that were there already.
    pub unchanged: i32,
    /// Rows that were refused.
    pub rejected: Vec<RejectedRow>,
    /// Token of the highest position among its rows; empty when all were refused.
    pub position: String,
}

/// Deletes old requests now and then. A failure is told and tried again next time.
async fn clean(db: DatabaseConnection, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(CLEANING) => {}
        }
        if let Err(error) = forget_old_requests(&db).await {
            tracing::warn!(%error, "old requests could not be deleted");
        }
    }
}
