//! What the customers of cases are worth: asked when a case comes in, without making it wait, and asked again until it is
//! answered.

use std::{collections::HashMap, sync::Arc, time::Duration};

use barometer_chassis::{
    error::Error,
    shutdown::Shutdown,
    store::Store,
    writer::{self, Done, Request as Mutation},
};
use barometer_directory::{CustomerId, Directory, Worth};
use barometer_proto::complaints::v1 as wire;
use uuid::Uuid;

use crate::{
    case::{Model, PriorityTable},
    case_entry::Said,
    store::{self, Book},
};

/// How long a case waits for customers when it comes in.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often those whose customers could not be asked for are looked for, while customers answers; when it does not, twice
/// as long each time, up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How many cases are asked for, and corrected, at once.
const BATCH: u64 = 200;

/// Asks what the customers of new cases are worth, once for all of them, and notes it; or that nobody answered in time.
pub(crate) async fn appraise(
    directory: &Directory,
    cases: impl IntoIterator<Item = &mut Model>,
    priorities: &PriorityTable,
) {
    let mut cases: Vec<&mut Model> = cases.into_iter().filter(|case| case.needs_worth()).collect();
    let ids: Vec<CustomerId> = cases.iter().filter_map(|case| case.customer_id).collect();
    if ids.is_empty() {
        return;
    }
    let worths = directory.worths(ids, PATIENCE).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "cases come in without what their customers are worth");
        HashMap::new()
    });
    for case in &mut cases {
        let worth = case.customer_id.and_then(|id| worths.get(&id)).cloned();
        case.appraise(worth, priorities);
    }
}

/// Asks again for cases that came in while customers did not answer, until `shutdown`. Every replica does so: a case that
/// another has corrected meanwhile is left alone.
pub(crate) async fn keep_asking(
    store: Store<wire::Fact>,
    directory: Directory,
    book: Arc<Book>,
    priorities: PriorityTable,
    shutdown: Shutdown,
) {
    let mut pause = PAUSE;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        match ask_all(&store, &directory, &book, priorities).await {
            Ok(()) => pause = PAUSE,
            Err(error) => {
                pause = (pause * 2).min(LONGEST_PAUSE);
                tracing::info!(%error, "what the customers of some cases are worth is still to be asked");
            }
        }
    }
}

async fn ask_all(
    store: &Store<wire::Fact>,
    directory: &Directory,
    book: &Arc<Book>,
    priorities: PriorityTable,
) -> Result<(), Error> {
    let mut after = Uuid::nil();
    loop {
        let pending = store::list_value_pending(store.db(), after, BATCH).await?;
        let Some((last, _)) = pending.last() else { return Ok(()) };
        after = *last;
        let customers = pending.iter().map(|(_, customer)| *customer).collect();
        let worths = directory.worths(customers, PATIENCE).await?;
        let answered: Vec<(Uuid, CustomerId, Worth)> = pending
            .into_iter()
            .filter_map(|(case, customer)| Some((case, customer, worths.get(&customer)?.clone())))
            .collect();
        let book = book.clone();
        let request =
            Mutation { method: "AppraiseCases", actor: store::BY_ITSELF.to_owned(), id: None, fingerprint: 0 };
        let work = store.writer.run_in_turn(request, move |write| {
            Box::pin(async move {
                for (id, customer, worth) in answered {
                    correct(write, &book, id, customer, worth, &priorities).await?;
                }
                Ok(Done { id: Uuid::nil(), position: write.position() })
            })
        });
        work.await?;
    }
}

/// Corrects a case, unless it was corrected, withdrawn or given to another customer meanwhile.
async fn correct(
    write: &writer::Write<'_>,
    book: &Book,
    id: Uuid,
    customer: CustomerId,
    worth: Worth,
    priorities: &PriorityTable,
) -> Result<(), Error> {
    let case: Model = match writer::current(write, id, "").await {
        Ok(case) => case,
        Err(Error::State { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    if case.value_pending && case.customer_id == Some(customer) {
        let step = case.appraised(worth, write.now, priorities);
        store::take_step(write, book, step, store::BY_ITSELF, &Said::default()).await?;
    }
    Ok(())
}
