//! Carries erasures to their end, in each replica; also those that a process left half-way.

use std::time::Duration;

use barometer_chassis::{error::Error, shutdown::Shutdown, store::Store};
use barometer_proto::complaints::v1 as wire;

use crate::store::{self, in_writer};

/// How often it is looked whether there is one.
const IDLE: Duration = Duration::from_millis(250);

/// Works until `stop`.
pub(crate) async fn work(store: Store<wire::Fact>, stop: Shutdown) {
    while !stop.is_cancelled() {
        match turn(&store).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "erasures do not go on"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(IDLE) => {}
        }
    }
}

/// Erases some of what is left of each customer; whether there was any.
async fn turn(store: &Store<wire::Fact>) -> Result<bool, Error> {
    let under_way = store::list_under_way(store.db()).await?;
    let any = !under_way.is_empty();
    for id in under_way {
        let done =
            in_writer(store, "EraseCustomer", move |write| Box::pin(async move { store::erase_step(write, id).await }));
        if done.await? {
            // What was deleted stands in the log until it is emptied.
            store.scrub().await?;
        }
    }
    Ok(any)
}
