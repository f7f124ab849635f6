//! Keeps the clocks of cases that were not written by this release: those that were there before it kept clocks, and those
//! that replicas of the release before still change. One of this release writes its clocks with whatever happens to it.

use std::{sync::Arc, time::Duration};

use barometer_chassis::{
    error::Error,
    shutdown::Shutdown,
    store::Store,
    writer::{Done, Request},
};
use barometer_proto::complaints::v1 as wire;
use uuid::Uuid;

use crate::{
    NAME,
    store::{self, Book},
};

/// How often it looks: an index tells in one statement that there is nothing to do.
const PAUSE: Duration = Duration::from_secs(60);
/// How many cases share a transaction, for which others wait.
const BATCH: u64 = 50;

/// Looks for cases without clocks, and writes them, for as long as the process runs. Replicas may do so at the same time:
/// each batch is looked at again in its transaction.
pub(crate) async fn keep(store: Store<wire::Fact>, book: Arc<Book>, shutdown: Shutdown) {
    loop {
        match catch_up(&store, &book, &shutdown).await {
            Ok(0) => {}
            Ok(cases) => tracing::info!(cases, "the clocks of cases of an older release are kept now"),
            Err(error) => tracing::warn!(%error, "the clocks of cases of an older release could not be kept"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Goes through all once; answers how many there were. A batch that fails is left for the next time.
async fn catch_up(store: &Store<wire::Fact>, book: &Arc<Book>, shutdown: &Shutdown) -> Result<usize, Error> {
    let (mut after, mut cases, mut failed) = (Uuid::nil(), 0, Ok(()));
    loop {
        let ids = store::list_unclocked(store.db(), after, BATCH).await?;
        let Some(last) = ids.last().filter(|_| !shutdown.is_cancelled()) else { return failed.map(|()| cases) };
        (after, cases) = (*last, cases + ids.len());
        let book = book.clone();
        let request = Request { method: "KeepClocks", actor: NAME.to_owned(), id: None, fingerprint: 0 };
        let kept = store.writer.run_in_turn(request, move |write| {
            Box::pin(async move {
                store::catch_up(write, &book, ids).await?;
                Ok(Done { id: Uuid::nil(), position: write.position() })
            })
        });
        failed = failed.and(kept.await.map(|_| ()));
    }
}

#[cfg(test)]
mod tests;
