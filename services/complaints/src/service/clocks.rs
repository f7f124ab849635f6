//! What the RPCs do that tell how the clocks of cases stand.

use std::collections::HashMap;

use barometer_chassis::{clock::Micros, door::Door, error::Error, reader};
use barometer_proto::complaints::v1 as wire;
use uuid::Uuid;

use super::Complaints;
use crate::{
    case::Model,
    clock::{Clock, Entry, Kind},
    store::{self, MAX_ENTRIES},
    wire::{parse_batch_get_clocks, parse_explain_clock},
};

/// The most stretches of an explanation.
const MAX_STRETCHES: usize = 20_000;

impl Complaints {
    pub(super) async fn batch_get_clocks(
        &self,
        request: wire::BatchGetClocksRequest,
    ) -> Result<wire::BatchGetClocksResponse, Error> {
        let (ids, at) = Door::open(|door| parse_batch_get_clocks(door, request))?;
        let cases = store::get_cases(self.store.db(), &ids).await?;
        let clocks = self.clocks_of(&cases, at).await?;
        let cases = ids.iter().zip(clocks);
        let cases = cases.map(|(id, clocks)| wire::CaseClocks { case_id: id.to_string(), clocks });
        Ok(wire::BatchGetClocksResponse { cases: cases.collect() })
    }

    pub(super) async fn explain_clock(&self, request: wire::ExplainClockRequest) -> Result<wire::Clock, Error> {
        let (id, kind, instance, at) = Door::open(|door| parse_explain_clock(door, request))?;
        let case: Model = reader::get(self.store.db(), id).await?;
        let of_case = [case];
        let entries = self.entries(&of_case).await?.remove(&id).unwrap_or_default();
        let [case] = &of_case;
        let unknown = || Error::not_found("clock", format!("{} of {id}", kind.to_wire().as_str_name()));
        let counted = self.book.count(self.store.db(), case, &entries, at).await?.ok_or_else(unknown)?;
        let history = counted.history()?;
        let clock = find(history.clocks(at), kind, instance).ok_or_else(unknown)?;
        let stretches: Vec<_> = history.explain(&clock).take(MAX_STRETCHES + 1).collect();
        if stretches.len() > MAX_STRETCHES {
            return Err(too_long(format!("the clock has more than {MAX_STRETCHES} stretches")));
        }
        Ok(history.to_wire(&clock, stretches))
    }

    /// The clocks of a case as they are now, and what whoever opened it is told. Of one with a very long history only
    /// that it is.
    pub(super) async fn clocks_now(&self, case: &Model) -> Result<Vec<wire::Clock>, Error> {
        match self.clocks_of(std::slice::from_ref(case), Micros::now()).await {
            Ok(mut clocks) => Ok(clocks.pop().unwrap_or_default()),
            Err(Error::State { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// What whoever opens a case can tell the customer at once.
    pub(super) async fn reception(&self, case: &Model, clocks: &[wire::Clock]) -> Result<wire::Reception, Error> {
        let self_service = case.may_be_self_served();
        let Some(calendar) = case.calendar_id else {
            return Ok(wire::Reception { self_service, ..Default::default() });
        };
        let desk = self.book.desk(self.store.db(), calendar, case.calendar_version).await?;
        let now = Micros::now();
        let desk_open = desk.timetable.is_open(now);
        let opens = if desk_open { None } else { desk.timetable.opens(now) };
        Ok(wire::Reception {
            self_service,
            reply_due_time: reply_due(clocks),
            desk_open,
            desk_open_time: opens.map(Micros::to_wire),
        })
    }

    /// The clocks of each of these cases at an instant.
    async fn clocks_of(&self, cases: &[Model], at: Micros) -> Result<Vec<Vec<wire::Clock>>, Error> {
        let mut entries = self.entries(cases).await?;
        let mut clocks = Vec::with_capacity(cases.len());
        for case in cases {
            let entries = entries.remove(&case.id).unwrap_or_default();
            let counted = self.book.count(self.store.db(), case, &entries, at).await?;
            let of_case = match &counted {
                None => Vec::new(),
                Some(counted) => {
                    let history = counted.history()?;
                    history.clocks(at).iter().map(|clock| history.to_wire(clock, None)).collect()
                }
            };
            clocks.push(of_case);
        }
        Ok(clocks)
    }

    /// The entries of those of these cases that have clocks.
    async fn entries(&self, cases: &[Model]) -> Result<HashMap<Uuid, Vec<Entry>>, Error> {
        let bound = cases.iter().filter(|case| case.has_clocks()).map(|case| case.id).collect();
        let entries = store::list_past(self.store.db(), bound, MAX_ENTRIES).await?;
        entries.ok_or_else(|| too_long(format!("there are more than {MAX_ENTRIES} entries in the histories")))
    }
}

/// The clock of a kind and an instance; the latest of the kind when that is 0.
fn find(clocks: Vec<Clock>, kind: Kind, instance: u32) -> Option<Clock> {
    clocks.into_iter().rfind(|clock| clock.kind == kind && (instance == 0 || clock.instance == instance))
}

/// The first instant at which the customer should have had an answer.
fn reply_due(clocks: &[wire::Clock]) -> Option<prost_types::Timestamp> {
    use wire::ClockKind::{FinalResponse, FirstResponse, Resolution, TotalResolution};
    let replies = [FirstResponse, Resolution, TotalResolution, FinalResponse];
    let due = clocks.iter().filter(|clock| replies.contains(&clock.kind())).filter_map(|clock| clock.due_time);
    due.min_by_key(|due| (due.seconds, due.nanos))
}

fn too_long(message: String) -> Error {
    Error::State { reason: "HISTORY_TOO_LONG", message: format!("{message}: ask for less") }
}
