//! The watch: each replica looks for alarms that are due, and lets them ring. What an alarm does happens in a transaction of
//! the writer, which only one replica has at a time, and the alarm is looked at again there: so each rings once.

mod instruments;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use barometer_chassis::{
    clock::Micros,
    error::Error,
    shutdown::Shutdown,
    store::Store,
    writer::{Done, Request, Write},
};
use barometer_proto::complaints::v1 as wire;
use uuid::Uuid;

use self::instruments::Instruments;
use crate::{
    alarm::{self, Subject},
    store::{self, Book},
};

/// How often a replica looks, at least: this, a transaction and what waits before it is how late an alarm rings.
const PAUSE: Duration = Duration::from_millis(500);
/// How many alarms ring in one transaction, for which others wait.
const BATCH: u64 = 32;
/// After how long an alarm is tried again that could not ring.
const AGAIN: i64 = 60 * Micros::SECOND;
/// What this release knows how to let ring.
const KNOWN: [Subject; 2] = [Subject::Clock, Subject::Promise];

/// Watches until `shutdown`.
pub(crate) async fn keep_watch(store: Store<wire::Fact>, book: Arc<Book>, shutdown: Shutdown) {
    let instruments = Instruments::new();
    let mut failed = false;
    loop {
        let looked = look(&store, &book, Micros::now(), &instruments, &shutdown).await;
        if let Err(error) = &looked
            && !failed
        {
            tracing::warn!(%error, "alarms can not be looked for");
        }
        failed = looked.is_err();
        instruments.count(&store).await;
        let next = looked.ok().flatten().map_or(PAUSE, |next| until(next, Micros::now()));
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(next) => {}
        }
    }
}

/// How long to wait for an alarm: not longer than an earlier one may take to be set.
fn until(next: Micros, now: Micros) -> Duration {
    let micros = u64::try_from(next.0.saturating_sub(now.0)).unwrap_or_default();
    Duration::from_micros(micros).clamp(Duration::from_millis(10), PAUSE)
}

/// Lets ring everything that is due at an instant; answers when the next alarm is.
pub(crate) async fn look(
    store: &Store<wire::Fact>,
    book: &Arc<Book>,
    now: Micros,
    instruments: &Instruments,
    shutdown: &Shutdown,
) -> Result<Option<Micros>, Error> {
    let known = KNOWN.map(Subject::number);
    while !shutdown.is_cancelled() {
        let due = store::list_due_alarms(store.db(), &known, now, BATCH).await?;
        if due.is_empty() {
            break;
        }
        let rung = ring_all(store, book, now, None).await;
        match rung {
            Ok(rung) => instruments.rang(rung, &due, now),
            Err(error) if error.is_outage() || matches!(error, Error::Unavailable { .. }) => return Err(error),
            // One of them can not ring: each by itself, so that it holds nobody up.
            Err(_) => ring_each(store, book, now, due).await?,
        }
    }
    store::next_alarm(store.db(), &known).await
}

async fn ring_each(
    store: &Store<wire::Fact>,
    book: &Arc<Book>,
    now: Micros,
    due: Vec<alarm::Model>,
) -> Result<(), Error> {
    for alarm in due {
        match ring_all(store, book, now, Some(alarm.subject_id)).await {
            Ok(_) => {}
            Err(error) if error.is_outage() || matches!(error, Error::Unavailable { .. }) => return Err(error),
            Err(error) => {
                tracing::error!(%error, subject = %alarm.subject_id, "an alarm could not ring: it is tried again in a minute");
                let later = alarm::Model { time: Micros(now.0 + AGAIN), ..alarm };
                write(store, move |write| {
                    Box::pin(async move {
                        store::set_alarms(write, vec![later]).await?;
                        Ok(Done { id: Uuid::nil(), position: write.position() })
                    })
                })
                .await?;
            }
        }
    }
    Ok(())
}

/// Lets ring what is due, or one of them, in one transaction; answers how many were, and did not ring in vain.
async fn ring_all(
    store: &Store<wire::Fact>,
    book: &Arc<Book>,
    now: Micros,
    only: Option<Uuid>,
) -> Result<usize, Error> {
    let (book, rung) = (book.clone(), Arc::new(AtomicUsize::new(0)));
    let count = rung.clone();
    write(store, move |write| {
        Box::pin(async move {
            let known = KNOWN.map(Subject::number);
            // Another replica may have been faster.
            let due = match only {
                None => store::list_due_alarms(write.db, &known, now, BATCH).await?,
                Some(subject) => store::find_alarm(write.db, subject).await?.into_iter().collect(),
            };
            for alarm in due.into_iter().filter(|alarm| alarm.time <= now) {
                let done = ring(write, &book, &alarm, now).await?;
                if done == 0 {
                    quiet(write, alarm, now).await?;
                }
                count.fetch_add(done, Ordering::Relaxed);
            }
            Ok(Done { id: Uuid::nil(), position: write.position() })
        })
    })
    .await?;
    Ok(rung.load(Ordering::Relaxed))
}

/// Does what the subject of an alarm wants, which sets or clears its alarm; answers how much was to be done.
async fn ring(write: &Write<'_>, book: &Book, alarm: &alarm::Model, now: Micros) -> Result<usize, Error> {
    match Subject::of(alarm.subject) {
        Some(Subject::Clock) => store::climb(write, book, alarm.subject_id, now).await,
        Some(Subject::Promise) => store::climb_of_promise(write, book, alarm.subject_id, now).await,
        None => Ok(0),
    }
}

/// An alarm that rang in vain and would ring again at once waits, so that it holds nobody up.
async fn quiet(write: &Write<'_>, alarm: alarm::Model, now: Micros) -> Result<(), Error> {
    match store::find_alarm(write.db, alarm.subject_id).await?.filter(|still| still.time <= now) {
        None => Ok(()),
        Some(still) => store::set_alarms(write, vec![alarm::Model { time: Micros(now.0 + AGAIN), ..still }]).await,
    }
}

async fn write<W>(store: &Store<wire::Fact>, work: W) -> Result<Done, Error>
where
    W: for<'w> FnOnce(&'w Write<'w>) -> futures_util::future::BoxFuture<'w, Result<Done, Error>> + Send + 'static,
{
    let request = Request { method: "RingAlarms", actor: store::BY_ITSELF.to_owned(), id: None, fingerprint: 0 };
    store.writer.run_in_turn(request, work).await
}
