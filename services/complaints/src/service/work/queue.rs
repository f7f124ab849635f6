//! What the RPCs of queues and workloads do.

use std::{pin::Pin, time::Duration};

use barometer_chassis::{
    clock::Micros,
    door::{Door, fit},
    error::Error,
};
use barometer_proto::complaints::v1 as wire;
use futures_util::{Stream, stream};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tonic::Status;

use super::Work;
use crate::{
    store::{self, Queued, Whose},
    wire::{parse_soon, parse_watched, parse_workloads, render_queued, render_workload},
};

/// How often a watched queue is looked at.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is sent when it does not change.
const QUIET: Duration = Duration::from_secs(30);

/// What is due soon, again and again. Nothing is read but when the one before was taken: who reads slowly finds one list, of
/// the moment.
pub(crate) type Watching = Pin<Box<dyn Stream<Item = Result<wire::WatchQueueResponse, Status>> + Send>>;

/// A watch on its way.
struct Watch {
    work: Work,
    team: String,
    soon: i64,
    max: u64,
    sent: Option<(Vec<Queued>, Instant)>,
    _permit: OwnedSemaphorePermit,
}

impl Work {
    pub(super) async fn queue(&self, request: wire::ListQueueRequest) -> Result<wire::ListQueueResponse, Error> {
        let wire::ListQueueRequest { team, page_size, page_token } = request;
        let (team, page) = Door::open(|door| (door.text("team", team, 64), door.page(page_size, &page_token)))?;
        let (rows, next) = store::list_queue(self.store.db(), &team, page, Micros::now()).await?;
        let places: Vec<_> = rows.iter().map(store::place_of_queued).collect();
        let (queued_cases, next_page_token) = fit(rows.into_iter().map(render_queued).collect(), &places, next);
        Ok(wire::ListQueueResponse { queued_cases, next_page_token })
    }

    pub(super) fn watch(&self, request: wire::WatchQueueRequest) -> Result<Watching, Error> {
        let wire::WatchQueueRequest { team, within_seconds, max_cases } = request;
        let (team, soon, max) = Door::open(|door| {
            (door.text("team", team, 64), parse_soon(door, within_seconds), parse_watched(door, max_cases))
        })?;
        let permit = self.watching.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Error::Exhausted("too many queues are watched"))?;
        let watch = Watch { work: self.clone(), team, soon, max, sent: None, _permit: permit };
        Ok(Box::pin(stream::unfold(Some(watch), |watch| async move {
            let mut watch = watch?;
            match watch.next().await {
                Ok(answer) => Some((Ok(answer), Some(watch))),
                Err(error) => Some((Err(error.into()), None)),
            }
        })))
    }

    pub(super) async fn employee_workloads(
        &self,
        request: wire::ListEmployeeWorkloadsRequest,
    ) -> Result<wire::ListEmployeeWorkloadsResponse, Error> {
        let wire::ListEmployeeWorkloadsRequest { page_size, page_token, within_seconds, start_time, end_time } =
            request;
        let (page, span) =
            Door::open(|door| parse_workloads(door, (page_size, &page_token), within_seconds, (start_time, end_time)))?;
        let (loads, next_page_token) = store::list_workloads(self.store.db(), Whose::Employee, span, &page).await?;
        let workloads = loads.into_iter().map(render_workload).collect();
        Ok(wire::ListEmployeeWorkloadsResponse { workloads, next_page_token })
    }

    pub(super) async fn team_workloads(
        &self,
        request: wire::ListTeamWorkloadsRequest,
    ) -> Result<wire::ListTeamWorkloadsResponse, Error> {
        let wire::ListTeamWorkloadsRequest { page_size, page_token, within_seconds, start_time, end_time } = request;
        let (page, span) =
            Door::open(|door| parse_workloads(door, (page_size, &page_token), within_seconds, (start_time, end_time)))?;
        let (loads, next_page_token) = store::list_workloads(self.store.db(), Whose::Team, span, &page).await?;
        let workloads = loads.into_iter().map(render_workload).collect();
        Ok(wire::ListTeamWorkloadsResponse { workloads, next_page_token })
    }
}

impl Watch {
    /// What is due soon as soon as it is another list, or nothing was sent for long. Fails when the server stops.
    async fn next(&mut self) -> Result<wire::WatchQueueResponse, Error> {
        loop {
            if self.sent.is_some() {
                tokio::select! {
                    () = self.work.ending.cancelled() => return Err(Error::stopping()),
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
            let now = Micros::now();
            let until = Micros(now.0.saturating_add(self.soon));
            // One more tells whether there are more.
            let due = store::list_due_cases(self.work.store.db(), &self.team, until, now, self.max + 1).await?;
            let same = |(sent, at): &(Vec<Queued>, Instant)| *sent == due && at.elapsed() < QUIET;
            if self.sent.as_ref().is_some_and(same) {
                continue;
            }
            self.sent = Some((due.clone(), Instant::now()));
            let most = usize::try_from(self.max).unwrap_or(usize::MAX);
            let more = due.len() > most;
            let queued_cases = due.into_iter().take(most).map(render_queued).collect();
            return Ok(wire::WatchQueueResponse { queued_cases, more, read_time: Some(now.to_wire()) });
        }
    }
}
