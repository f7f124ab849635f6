//! One process of the service, as far as its storage goes.

use std::time::Duration;

use barometer_chassis::{
    database::Location,
    error::Error,
    feed::{Delivery, Watch},
    position::Position,
    shutdown::Shutdown,
    store::Store,
    writer::{self, DEFAULT_QUEUE, Done, Request},
};
use sea_orm::{EntityTrait, FromQueryResult, QueryOrder, Statement, sea_query::Expr};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};
use tonic::Status;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::nouns::{Fact, Migrator, kinds, note, request};

pub(crate) const SERVICE: &str = "notes";
/// Far longer than anything here takes, so that a test which fails ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An open store.
pub(crate) struct Replica {
    pub(crate) store: Store<Fact>,
    shutdown: Shutdown,
    writer: JoinHandle<()>,
}

impl Replica {
    pub(crate) async fn open(location: &Location) -> Self {
        Self::try_open(location, DEFAULT_QUEUE).await.expect("the store opens")
    }

    /// Opens a store in which `queue` rows may wait.
    pub(crate) async fn try_open(location: &Location, queue: u32) -> Result<Self, Error> {
        let shutdown = Shutdown::new();
        let (store, writer) = Store::open::<Migrator>(location, SERVICE, kinds(), queue, shutdown.clone()).await?;
        Ok(Replica { store, shutdown, writer })
    }

    /// Stops as a process does that is asked to: what waits is written.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        timeout(PATIENCE, self.writer).await.expect("the writer ends").expect("the writer does not panic");
    }

    /// Tells it to stop, and returns the writer's task.
    pub(crate) fn begin_to_stop(self) -> JoinHandle<()> {
        self.shutdown.cancel();
        self.writer
    }

    /// Drops everything but the writer's task.
    pub(crate) fn forget(self) -> JoinHandle<()> {
        self.writer
    }

    /// Ends the writer wherever it is.
    pub(crate) async fn kill(self) {
        self.writer.abort();
        self.shutdown.cancel();
        let _cancelled = self.writer.await;
    }

    pub(crate) fn watch(&self, after: &str) -> Watch<Delivery<Fact>> {
        self.watch_kinds(after, Vec::new())
    }

    pub(crate) fn watch_kinds(&self, after: &str, kinds: Vec<i32>) -> Watch<Delivery<Fact>> {
        self.store.feed.watch(after, kinds, self.shutdown.clone(), |_| 1, |delivery| delivery).expect("a watch")
    }

    /// Gives a note another text.
    pub(crate) async fn amend(&self, id: Uuid, text: &str) -> (note::Model, String) {
        let new_text = text.to_owned();
        let amended = self.store.change(request(None, text), move |write| {
            Box::pin(async move {
                let old = writer::current::<note::Model>(write, id, "").await?;
                let new = note::Model { text: new_text, ..old.clone() };
                writer::replace(write, old, new).await
            })
        });
        amended.await.expect("an amended note")
    }

    pub(crate) async fn withdraw(&self, id: Uuid) -> (note::Model, String) {
        self.try_withdraw(request(None, "withdraw"), id, "").await.expect("a withdrawn note")
    }

    pub(crate) async fn try_withdraw(
        &self,
        request: Request,
        id: Uuid,
        etag: &'static str,
    ) -> Result<(note::Model, String), Error> {
        self.store.change(request, move |write| Box::pin(writer::withdraw::<note::Model>(write, id, etag))).await
    }

    /// Makes the writer wait inside of a transaction; it goes on when the gate is opened.
    pub(crate) async fn hold_writer(&self) -> Gate {
        let ((held, holds), (open, opened)) = (oneshot::channel(), oneshot::channel());
        let writer = self.store.writer.clone();
        let command = tokio::spawn(async move {
            let nothing = Done { id: Uuid::nil(), position: 0 };
            let wait = writer.run(request(None, "wait"), move |_| {
                Box::pin(async move {
                    held.send(()).expect("somebody waits");
                    opened.await.expect("the gate is opened");
                    Ok(nothing)
                })
            });
            wait.await.map(drop)
        });
        holds.await.expect("the writer is held");
        Gate { open, command }
    }

    /// All notes in the order of their numbers.
    pub(crate) async fn notes(&self) -> Vec<note::Model> {
        note::Entity::find().order_by_asc(Expr::col("number")).all(self.store.db()).await.expect("notes")
    }

    /// Positions of markers, in their order.
    pub(crate) async fn markers(&self) -> Vec<i64> {
        self.numbers("SELECT position AS n FROM feed_marker ORDER BY position").await
    }

    /// The last position taken.
    pub(crate) async fn head(&self) -> i64 {
        self.numbers("SELECT position AS n FROM feed_counter").await[0]
    }

    async fn numbers(&self, sql: &str) -> Vec<i64> {
        #[derive(FromQueryResult)]
        struct Number {
            n: i64,
        }
        let db = self.store.db();
        let statement = Statement::from_string(db.get_database_backend(), sql);
        let numbers = Number::find_by_statement(statement).all(db).await.expect("numbers");
        numbers.into_iter().map(|Number { n }| n).collect()
    }

    /// Checks that markers and notes, none of which was changed, fill all positions from 1.
    pub(crate) async fn expect_dense(&self) {
        let mut positions = self.markers().await;
        positions.extend(self.notes().await.iter().map(|note| note.position));
        positions.sort_unstable();
        assert_eq!(positions, (1..=self.head().await).collect::<Vec<_>>());
    }
}

/// Keeps the writer of a replica waiting.
pub(crate) struct Gate {
    open: oneshot::Sender<()>,
    command: JoinHandle<Result<(), Error>>,
}

impl Gate {
    pub(crate) async fn open(self) {
        self.open.send(()).expect("the writer waits");
        self.command.await.expect("no panic").expect("the command succeeds");
    }
}

/// The reason that programs are told.
pub(crate) fn reason(error: Error) -> String {
    status_reason(&error.into())
}

pub(crate) fn status_reason(status: &Status) -> String {
    status.get_error_details().error_info().expect("an ErrorInfo").reason.clone()
}

/// The position that a token names.
pub(crate) fn position_of(token: &str) -> Position {
    let (service, position) = Position::decode(token).expect("a token");
    assert_eq!(service, SERVICE);
    position
}

/// Checks again and again until it holds.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let patience = tokio::time::Instant::now() + PATIENCE;
    while !holds().await {
        assert!(tokio::time::Instant::now() < patience, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
