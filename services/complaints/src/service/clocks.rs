//! What the RPCs do that tell how the clocks of cases stand.

use std::collections::HashMap;

use barometer_chassis::{clock::Micros, door::Door, error::Error, reader};
use barometer_proto::complaints::v1 as wire;
use uuid::Uuid;

use super::Complaints;
use crate::{
    calendar::Timetable,
    case::Model,
    clock::{Clock, Entry, Kind},
    store::{self, MAX_ENTRIES},
    wire::{parse_batch_get_clocks, parse_explain_clock},
};

/// The most clocks of an answer: together they stay below 3 MiB.
const MAX_CLOCKS: usize = 10_000;
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

    /// What whoever opens a case is told: its clocks, and what they can tell the customer at once. The case is recorded,
    /// whatever becomes of that.
    pub(super) async fn received(&self, case: &Model, at: Micros) -> (Vec<wire::Clock>, wire::Reception) {
        let untold = |what: &str, error: Error| tracing::warn!(%error, case = %case.id, "a new case was recorded without {what}");
        let clocks = self.latest_clocks(case, at).await;
        let clocks = clocks.map_err(|error| untold("telling its clocks", error)).unwrap_or_default();
        let desk = match case.calendar_id {
            None => None,
            Some(calendar) => {
                let desk = self.book.desk(self.store.db(), calendar, case.calendar_version).await;
                desk.map_err(|error| untold("telling of its desk", error)).ok()
            }
        };
        let reception = reception(case, &clocks, desk.as_ref().map(|desk| &*desk.timetable), at);
        (clocks, reception)
    }

    /// The latest clock of each kind of a case at an instant: what runs is among them. None of a case with a very long
    /// history, or when they can not be counted; only when the database is away it fails.
    pub(super) async fn latest_clocks(&self, case: &Model, at: Micros) -> Result<Vec<wire::Clock>, Error> {
        let counted = async {
            let entries = self.entries(std::slice::from_ref(case)).await?.remove(&case.id).unwrap_or_default();
            let Some(counted) = self.book.count(self.store.db(), case, &entries, at).await? else {
                return Ok(Vec::new());
            };
            let history = counted.history()?;
            Ok(latest(history.clocks(at)).iter().map(|clock| history.to_wire(clock, None)).collect())
        };
        match counted.await {
            Err(Error::State { .. }) => Ok(Vec::new()),
            Err(error) if !error.is_outage() => {
                tracing::warn!(%error, case = %case.id, "the clocks of a case can not be counted");
                Ok(Vec::new())
            }
            result => result,
        }
    }

    /// The clocks of each of these cases at an instant.
    async fn clocks_of(&self, cases: &[Model], at: Micros) -> Result<Vec<Vec<wire::Clock>>, Error> {
        let mut entries = self.entries(cases).await?;
        let (mut clocks, mut count) = (Vec::with_capacity(cases.len()), 0);
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
            count += of_case.len();
            if count > MAX_CLOCKS {
                return Err(too_long(format!("the cases have more than {MAX_CLOCKS} clocks together")));
            }
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

/// The latest of each kind, of clocks by kind and instance.
fn latest(mut clocks: Vec<Clock>) -> Vec<Clock> {
    clocks.reverse();
    clocks.dedup_by_key(|clock| clock.kind);
    clocks.reverse();
    clocks
}

/// What whoever opens a case can tell the customer at once.
fn reception(case: &Model, clocks: &[wire::Clock], desk: Option<&Timetable>, at: Micros) -> wire::Reception {
    let desk_open = desk.is_some_and(|desk| desk.is_open(at));
    let opens = desk.filter(|_| !desk_open).and_then(|desk| desk.opens(at));
    wire::Reception {
        self_service: !case.needs_a_person(),
        reply_due_time: reply_due(clocks),
        desk_open,
        desk_open_time: opens.map(Micros::to_wire),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::tests::{WORKDAYS, at, timetable};

    #[test]
    fn the_desk_is_open_or_opens_at_an_hour_that_is_told() {
        let desk = timetable("Europe/Berlin", &WORKDAYS, &["08:00-18:00"], &["2026-12-25"]);
        let told = |now: &str| {
            let told = reception(&Model::default(), &[], Some(&desk), at(now));
            (told.desk_open, told.desk_open_time)
        };
        let opens = |text: &str| (false, Some(at(text).to_wire()));
        assert_eq!(told("2026-12-18T16:59:59.999999Z"), (true, None));
        assert_eq!(told("2026-12-18T17:00:00Z"), opens("2026-12-21T07:00:00Z"), "Friday, six o'clock");
        assert_eq!(told("2026-12-21T07:00:00Z"), (true, None));
        assert_eq!(told("2026-12-25T09:00:00Z"), opens("2026-12-28T07:00:00Z"), "Christmas");
        let without = reception(&Model::default(), &[], None, at("2026-12-18T12:00:00Z"));
        assert_eq!(without, wire::Reception { self_service: false, ..wire::Reception::default() });
    }
}
