//! Carries erasures to their end, in each replica; also those that a process left half-way.

use std::time::Duration;

use barometer_chassis::{error::Error, shutdown::Shutdown, store::Store};
use barometer_directory::CustomerId;
use barometer_proto::complaints::v1 as wire;
use uuid::Uuid;

use crate::store::{self, Left, in_writer};

/// How often it is looked whether there is one.
const IDLE: Duration = Duration::from_millis(250);
/// For what it writes.
const METHOD: &str = "EraseCustomer";

/// Works until `stop`.
pub(crate) async fn work(store: Store<wire::Fact>, stop: Shutdown) {
    while !stop.is_cancelled() {
        if let Err(error) = turn(&store, &stop).await {
            tracing::warn!(%error, "erasures do not go on");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(IDLE) => {}
        }
    }
}

/// Carries each erasure to its end. One that can not be done is told, and holds up no other.
async fn turn(store: &Store<wire::Fact>, stop: &Shutdown) -> Result<(), Error> {
    for id in store::list_under_way(store.db()).await? {
        match carry(store, id, stop).await {
            Err(error) if error.is_outage() => return Err(error),
            Err(error) => tracing::error!(%error, erasure = %id, "an erasure does not go on"),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// Erases step by step until nothing is left, or until `stop`.
async fn carry(store: &Store<wire::Fact>, id: Uuid, stop: &Shutdown) -> Result<(), Error> {
    let mut deliveries_done = false;
    while !stop.is_cancelled() {
        let step = in_writer(store, METHOD, move |write| {
            Box::pin(async move { store::erase_step(write, id, deliveries_done).await })
        });
        match step.await? {
            Left::Rows => {}
            Left::Deliveries(customer) => deliveries_done = erase_deliveries(store, id, customer, stop).await?,
            Left::Nothing => {
                // What was deleted stands in the log until it is emptied: only then is it done.
                store.scrub().await?;
                let end =
                    in_writer(store, METHOD, move |write| Box::pin(async move { store::end_erasure(write, id).await }));
                return end.await;
            }
        }
    }
    Ok(())
}

/// Looks through deliveries outside of the writer, which has no time for it; whether all were, and not stopped before.
async fn erase_deliveries(
    store: &Store<wire::Fact>,
    id: Uuid,
    customer: CustomerId,
    stop: &Shutdown,
) -> Result<bool, Error> {
    let mut after = None;
    while !stop.is_cancelled() {
        let (naming, last) = store::list_naming(store.db(), customer, after).await?;
        if !naming.is_empty() {
            let naming = naming.into_iter().map(|delivery| delivery.id).collect();
            in_writer(store, METHOD, move |write| {
                Box::pin(async move { store::erase_deliveries(write, id, naming).await })
            })
            .await?;
        }
        if last.is_none() {
            return Ok(true);
        }
        after = last;
    }
    Ok(false)
}
