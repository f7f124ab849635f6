//! What the RPC does that imports cases with their histories.

use std::collections::BTreeMap;

use barometer_chassis::{
    clock::Micros,
    door::Door,
    error::{Error, Violation},
    import::MAX_ROWS,
    layers::Principal,
    store::Numbered,
    writer::{Pending, Request as Mutation},
};
use barometer_directory::CustomerRef;
use barometer_proto::{
    common::v1::{FieldViolation, RejectedRow},
    complaints::v1 as wire,
};

use super::Complaints;
use crate::{
    case::{Arrival, Incoming, Model, PastEvent, PriorityTable},
    case_entry,
    wire::{ParsedHistory, fingerprint_of, parse_history},
};

/// The most events of a batch: so many entries are written in one transaction.
const MAX_EVENTS: usize = 10_000;

/// A batch on its way to the writer.
pub(super) struct Histories {
    rows: Numbered<Model>,
    /// The caller's numbers of the events of each history, by the history's place in the batch, which numbers the rows.
    numbers: Vec<(i64, Vec<i64>)>,
}

/// A case that has been taken through its history.
struct Lived {
    /// As it came in.
    received: Model,
    customer: CustomerRef,
    opened_by: String,
    past: Vec<PastEvent>,
    /// As its history left it.
    case: Model,
    entries: Vec<case_entry::Model>,
    fingerprint: i64,
}

impl Complaints {
    /// Parses one batch, takes the cases through their histories, and finds their customers.
    pub(super) async fn prepare_histories(
        &self,
        actor: &Principal,
        histories: Vec<wire::CaseHistory>,
    ) -> Result<Histories, Error> {
        let events: usize = histories.iter().map(|history| history.events.len()).sum();
        if histories.is_empty() || histories.len() > MAX_ROWS {
            let told = format!("a batch holds 1 to {MAX_ROWS} histories");
            return Err(Error::invalid("histories", "OUT_OF_RANGE", told));
        }
        if events > MAX_EVENTS {
            let told = format!("a batch holds at most {MAX_EVENTS} events; it has {events}");
            return Err(Error::invalid("histories", "TOO_MANY", told));
        }
        let number = |history: &wire::CaseHistory| {
            (history.row, history.events.iter().map(|event| event.row).collect::<Vec<_>>())
        };
        let numbers = histories.iter().map(number).collect();
        let importer = actor.to_string();
        let mut lived: Vec<_> = histories.into_iter().map(|history| self.live(history, &importer)).collect();
        let customers = self.customers.resolve_rows(lived.iter_mut().collect(), |lived| &lived.customer).await?;
        for lived in lived.iter_mut().filter_map(|lived| lived.as_mut().ok()) {
            let id = customers.id(&lived.customer)?;
            (lived.received.customer_id, lived.case.customer_id) = (id, id);
        }
        // What the customer is worth decides from the start; of cases that have ended it is not asked.
        let priorities = &self.rules.priorities;
        let open = |lived: &&mut Lived| lived.case.is_open();
        let received = lived.iter_mut().filter_map(|lived| lived.as_mut().ok()).filter(open);
        self.customers.appraise(received.map(|lived| &mut lived.received), priorities).await;
        for lived in lived.iter_mut().filter_map(|lived| lived.as_mut().ok()).filter(open) {
            lived.live(priorities)?;
        }
        let pending = |(place, lived): (i64, Result<Lived, Error>)| {
            let pending = lived.map(|Lived { case, entries, fingerprint, .. }| {
                let arrival = Arrival::ImportedWith(entries);
                let request =
                    Mutation { method: "ImportCaseHistories", actor: importer.clone(), id: None, fingerprint };
                let incoming = Incoming { arrival, book: self.book.clone() };
                Pending { row: case, context: incoming, request, refused: None }
            });
            (place, pending)
        };
        Ok(Histories { rows: (0..).zip(lived).map(pending).collect(), numbers })
    }

    /// Records one batch.
    pub(super) async fn import_histories(
        &self,
        histories: Histories,
    ) -> Result<wire::ImportCaseHistoriesResponse, Error> {
        let Histories { rows, numbers } = histories;
        let batch = self.store.record_batch(rows, "case").await?;
        let refused = i32::try_from(batch.rejected.len()).unwrap_or(i32::MAX);
        let rejected = batch.rejected.into_iter().flat_map(|rejected| {
            let place = usize::try_from(rejected.row).ok();
            place.and_then(|place| numbers.get(place)).map_or_else(Vec::new, |of| by_number(of, rejected.violations))
        });
        Ok(wire::ImportCaseHistoriesResponse {
            recorded: batch.recorded,
            unchanged: batch.unchanged,
            refused,
            rejected: rejected.collect(),
            position: batch.position,
        })
    }

    /// A case as its history left it.
    fn live(&self, history: wire::CaseHistory, importer: &str) -> Result<Lived, Error> {
        let fingerprint = fingerprint_of(&history);
        let priorities = &self.rules.priorities;
        let ParsedHistory { case, customer, opened_by, past } =
            Door::open(|door| parse_history(door, history, &self.stages, priorities, importer))?;
        let (received, entries) = (case.clone(), Vec::new());
        let mut lived = Lived { received, customer, opened_by, past, case, entries, fingerprint };
        lived.live(priorities)?;
        Ok(lived)
    }
}

impl Lived {
    /// Takes the case as it came in through its history.
    fn live(&mut self, priorities: &PriorityTable) -> Result<(), Error> {
        let lived = self.received.clone().lived(&self.opened_by, self.past.clone(), priorities, Micros::now());
        (self.case, self.entries) = lived.or_else(|(place, error)| impossible(place, error))?;
        Ok(())
    }
}

/// What is wrong with an event, as its field tells it.
fn impossible<T>(place: usize, error: Error) -> Result<T, Error> {
    let violations = error.into_violations("type")?;
    let inside = |v: Violation| Violation { field: format!("events[{place}].{}", v.field), ..v };
    Err(Error::Invalid(violations.into_iter().map(inside).collect()))
}

/// What is wrong with a history, by the numbers that the caller gave it and its events.
fn by_number((history, events): &(i64, Vec<i64>), violations: Vec<FieldViolation>) -> Vec<RejectedRow> {
    let mut rows: BTreeMap<i64, Vec<FieldViolation>> = BTreeMap::new();
    for violation in violations {
        let of_event = violation.field.strip_prefix("events[").and_then(|rest| rest.split_once("]."));
        let of_event =
            of_event.and_then(|(place, field)| Some((*events.get(place.parse::<usize>().ok()?)?, field.to_owned())));
        let (row, field) = of_event.unwrap_or_else(|| (*history, violation.field.clone()));
        rows.entry(row).or_default().push(FieldViolation { field, ..violation });
    }
    rows.into_iter().map(|(row, violations)| RejectedRow { row, violations }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_by_the_callers_numbers() {
        let violation = |field: &str| FieldViolation { field: field.to_owned(), ..FieldViolation::default() };
        let told = by_number(
            &(7, vec![8, 12]),
            vec![violation("events[1].time"), violation("external_id"), violation("events[1].outcome.finding")],
        );
        let told: Vec<_> = told
            .iter()
            .map(|row| (row.row, row.violations.iter().map(|v| v.field.as_str()).collect::<Vec<_>>()))
            .collect();
        assert_eq!(told, [(7, vec!["external_id"]), (12, vec!["time", "outcome.finding"])]);
    }
}
