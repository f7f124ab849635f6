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
use uuid::Uuid;

use crate::store::{self, Book};

/// How long a replica waits before it looks again. So late is what happens by itself at most, and a commit later.
const PAUSE: Duration = Duration::from_secs(1);
/// The most that is written down at a time; more follow at once.
const MAX_DUE: u64 = 200;

/// Looks until `shutdown`.
pub(crate) async fn run(store: Store<wire::Fact>, book: Arc<Book>, shutdown: Shutdown) {
    let mut failed = false;
    loop {
        let looked = tokio::select! {
            () = shutdown.cancelled() => return,
            looked = look(&store, &book) => looked,
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

/// Writes down what has happened by now, if anything has. Whether there may be more.
async fn look(store: &Store<wire::Fact>, book: &Arc<Book>) -> Result<bool, Error> {
    let now = Micros::now();
    let promises = store::due_promises(store.db(), now, MAX_DUE).await?;
    let follow_ups = store::due_follow_ups(store.db(), now, MAX_DUE).await?;
    if promises.is_empty() && follow_ups.is_empty() {
        return Ok(false);
    }
    let more = promises.len().max(follow_ups.len()) as u64 >= MAX_DUE;
    let request = Request { method: "Sweep", actor: store::BY_ITSELF.to_owned(), id: None, fingerprint: 0 };
    let book = book.clone();
    let work = store.writer.run_in_turn(request, move |write| {
        Box::pin(async move {
            store::settle_promises(write, promises).await?;
            store::end_follow_ups(write, &book, follow_ups).await?;
            Ok(Done { id: Uuid::nil(), position: write.position() })
        })
    });
    work.await?;
    Ok(more)
}
