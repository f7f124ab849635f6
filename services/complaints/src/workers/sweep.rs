//! What happens by itself, once its time has come: each replica looks for it all the time, and whoever comes first writes it
//! down. Inside the write it is looked at once more, so that it happens once.

use std::{sync::Arc, time::Duration};

use barometer_chassis::{
    clock::Micros,
    error::Error,
    shutdown::Shutdown,
    store::Store,
    writer::{Done, Request},
};
use barometer_proto::complaints::v1 as wire;
use tokio::time::Instant;
use uuid::Uuid;

use crate::store::{self, Book, LeaseEnd};

/// How long a replica waits before it looks again. So late is what happens by itself at most, and a commit later.
const PAUSE: Duration = Duration::from_secs(1);
/// The most that is written down at a time; more follow at once.
const MAX_DUE: u64 = 200;
/// The most claims that end at a time, each of which gives a case back.
const MAX_CLAIMS: u64 = 50;
/// After how long claims are tried again that can not be ended.
const AGAIN: Duration = Duration::from_secs(60);

/// Looks for what happens by itself: promises fall due, the windows of follow-ups and the leases of claims end.
pub(crate) struct Sweep {
    store: Store<wire::Fact>,
    book: Arc<Book>,
    /// The last claim that could not be ended, and until when those up to it are passed over.
    passed: Option<(LeaseEnd, Instant)>,
}

impl Sweep {
    /// Of this store.
    pub(crate) fn new(store: Store<wire::Fact>, book: Arc<Book>) -> Self {
        Sweep { store, book, passed: None }
    }

    /// Looks until `shutdown`.
    pub(crate) async fn run(mut self, shutdown: Shutdown) {
        let mut failed = false;
        loop {
            let looked = tokio::select! {
                () = shutdown.cancelled() => return,
                looked = self.look() => looked,
            };
            match looked {
                Ok(true) => continue,
                Ok(false) => failed = false,
                Err(error) => {
                    if !std::mem::replace(&mut failed, true) {
                        tracing::warn!(%error, "what happens by itself can not be written down: trying again");
                    }
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Writes down what has happened by now, if anything has. Whether there may be more. Claims end whatever becomes of the
    /// rest.
    pub(crate) async fn look(&mut self) -> Result<bool, Error> {
        let (settled, ended) = (self.settle().await, self.end_claims().await);
        Ok(settled? | ended?)
    }

    async fn settle(&self) -> Result<bool, Error> {
        let now = Micros::now();
        let promises = store::due_promises(self.store.db(), now, MAX_DUE).await?;
        let follow_ups = store::due_follow_ups(self.store.db(), now, MAX_DUE).await?;
        if promises.is_empty() && follow_ups.is_empty() {
            return Ok(false);
        }
        let more = promises.len().max(follow_ups.len()) as u64 >= MAX_DUE;
        let request = Request { method: "Sweep", actor: store::BY_ITSELF.to_owned(), id: None, fingerprint: 0 };
        let book = self.book.clone();
        let work = self.store.writer.run_in_turn(request, move |write| {
            Box::pin(async move {
                store::settle_promises(write, &book, promises).await?;
                store::end_follow_ups(write, &book, follow_ups).await?;
                Ok(Done { id: Uuid::nil(), position: write.position() })
            })
        });
        work.await?;
        Ok(more)
    }

    async fn end_claims(&mut self) -> Result<bool, Error> {
        self.passed = self.passed.filter(|(_, until)| Instant::now() < *until);
        let after = self.passed.map(|(last, _)| last);
        let due = store::due_claims(self.store.db(), after, Micros::now(), MAX_CLAIMS).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let more = due.len() as u64 >= MAX_CLAIMS;
        let book = self.book.clone();
        let work = store::in_writer(&self.store, "EndClaims", move |write| {
            Box::pin(async move { store::expire_claims(write, &book, due).await })
        });
        if let Some(failed) = work.await? {
            let until = self.passed.map_or_else(|| Instant::now() + AGAIN, |(_, until)| until);
            self.passed = Some((failed, until));
        }
        Ok(more)
    }
}
