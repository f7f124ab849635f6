//! Ends the claims whose lease has ended, so that abandoned cases come back to their queues.

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

use crate::{
    NAME,
    store::{self, Book},
};

/// How often it looks. Whoever asks for a case does not depend on it: that ends them too.
const PAUSE: Duration = Duration::from_secs(1);

/// Ends claims as their leases end, for as long as the process runs. Every replica does so: a claim is looked at again in
/// the transaction that ends it.
pub(crate) async fn sweep(store: Store<wire::Fact>, book: Arc<Book>, shutdown: Shutdown) {
    let mut failing = false;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
        let swept = sweep_all(&store, &book).await;
        if let Err(error) = &swept
            && !failing
        {
            tracing::warn!(%error, "claims whose lease ended could not be ended");
        }
        failing = swept.is_err();
    }
}

async fn sweep_all(store: &Store<wire::Fact>, book: &Arc<Book>) -> Result<(), Error> {
    while store::has_expired(store.db(), Micros::now()).await? {
        let book = book.clone();
        let request = Request { method: "ExpireClaims", actor: NAME.to_owned(), id: None, fingerprint: 0 };
        let work = store.writer.run_in_turn(request, move |write| {
            Box::pin(async move {
                store::expire_claims(write, &book).await?;
                Ok(Done { id: Uuid::nil(), position: write.position() })
            })
        });
        work.await?;
    }
    Ok(())
}
