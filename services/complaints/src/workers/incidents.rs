//! Works on the tasks of incidents, in each replica.
//!
//! A step reads what it needs, and then writes in one transaction what it did and where the task goes on. Two replicas that
//! take the same step write it once: the second finds the task further on, and does nothing.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use barometer_chassis::{
    clock::Micros,
    door::{Door, PageToken},
    error::Error,
    reader,
    shutdown::Shutdown,
    store::Store,
};
use barometer_directory::{CUSTOMERS_UNAVAILABLE, Directory, ListFilter};
use barometer_proto::complaints::v1::{self as wire, IncidentTaskType};

use crate::{
    incident,
    incident_task::Model,
    store::{self, Book, in_writer},
};

/// How often the tasks are looked at when there is nothing to do.
const IDLE: Duration = Duration::from_millis(250);
/// The most tasks of which each takes a step before any takes another.
const IN_TURN: u64 = 32;

/// Works until `stop`.
pub(crate) async fn work(store: Store<wire::Fact>, directory: Directory, book: Arc<Book>, stop: Shutdown) {
    while !stop.is_cancelled() {
        let worked = match turn(&store, &directory, &book).await {
            Ok(worked) => worked,
            Err(error) => {
                tracing::warn!(%error, "the tasks of incidents do not go on");
                false
            }
        };
        if !worked {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(IDLE) => {}
            }
        }
    }
}

/// Takes a step of each task that is at work; whether there was any. One whose step can not be taken says so, is tried again
/// after a while, and holds up no other.
async fn turn(store: &Store<wire::Fact>, directory: &Directory, book: &Arc<Book>) -> Result<bool, Error> {
    let tasks = store::list_at_work(store.db(), Micros::now(), IN_TURN).await?;
    let any = !tasks.is_empty();
    for task in tasks {
        let reason = match take_step(store, directory, book, task.clone()).await {
            Ok(()) => continue,
            Err(Error::Unavailable { reason: CUSTOMERS_UNAVAILABLE, .. }) => CUSTOMERS_UNAVAILABLE,
            Err(error) if error.is_outage() => return Err(error),
            Err(error) => {
                tracing::error!(%error, task = %task.id, incident = %task.incident_id, "a task does not go on");
                "INTERNAL"
            }
        };
        in_writer(store, "FailIncidentTask", move |write| {
            Box::pin(async move { store::fail_step(write, &task, reason).await })
        })
        .await?;
    }
    Ok(any)
}

async fn take_step(
    store: &Store<wire::Fact>,
    directory: &Directory,
    book: &Arc<Book>,
    task: Model,
) -> Result<(), Error> {
    match task.task_type() {
        IncidentTaskType::LinkCases => link(store, task).await,
        IncidentTaskType::AddCustomers => add(store, directory, task).await,
        IncidentTaskType::SendMessage => {
            in_writer(store, "SendIncidentMessage", move |write| {
                Box::pin(async move { store::send_step(write, &task).await })
            })
            .await
        }
        IncidentTaskType::ResolveCases | IncidentTaskType::Unspecified => {
            let book = book.clone();
            in_writer(store, "CloseIncident", move |write| {
                Box::pin(async move { store::resolve_step(write, &book, &task).await })
            })
            .await
        }
    }
}

/// Reads texts outside of the writer, which has no time for it.
async fn link(store: &Store<wire::Fact>, task: Model) -> Result<(), Error> {
    let incident: incident::Model = reader::get(store.db(), task.incident_id.0).await?;
    let page = Door::open(|door| door.page(store::CASES.into(), &task.place))?;
    let cases = store::list_since(store.db(), &incident, page).await?;
    let place = |case: &crate::case::Model| PageToken { key: case.open_time.0, id: case.id }.encode();
    let place = cases.last().filter(|_| cases.len() >= usize::from(page.size)).map(place);
    let looked_at = cases.len();
    let belong = cases.iter().filter(|case| store::belongs(&incident, case)).map(|case| case.id).collect();
    in_writer(store, "OpenIncident", move |write| {
        Box::pin(async move { store::link_step(write, &task, belong, looked_at, place).await })
    })
    .await
}

async fn add(store: &Store<wire::Fact>, directory: &Directory, task: Model) -> Result<(), Error> {
    let Model { country, tier, tag, segment, .. } = task.clone();
    let filter = ListFilter { country, tier, tag, segment };
    let (found, next) = directory.list(filter, &task.place).await?;
    let place = Some(next).filter(|next| !next.is_empty());
    in_writer(store, "AddCustomersByAttribute", move |write| {
        Box::pin(async move { store::add_step(write, &task, BTreeSet::from_iter(found), place).await })
    })
    .await
}
