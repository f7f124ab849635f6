//! How a case came to be recorded.

use std::sync::Arc;

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1::CaseEntryType;

use super::Model;
use crate::{
    case_entry::{self, CaseId},
    store::Book,
};

/// What a new case brings with it to the writer.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    /// How it came to be recorded.
    pub arrival: Arrival,
    /// By which its clocks are counted.
    pub(crate) book: Arc<Book>,
}

/// How a case came to be recorded, and the history that it has then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Arrival {
    /// It came in now.
    #[default]
    Live,
    /// It was imported with the instants of its course. Nothing that lies in its past alerts anybody.
    Imported,
    /// It was imported with these entries of its history, in their order; ids, positions and the case are the writer's.
    /// Nothing that lies in its past alerts anybody.
    ImportedWith(Vec<case_entry::Model>),
}

impl Arrival {
    /// Whether it is of the past, of which nothing alerts.
    pub fn is_imported(&self) -> bool {
        !matches!(self, Arrival::Live)
    }

    /// The entries of its history that it brings with it.
    pub(crate) fn entries(&self) -> &[case_entry::Model] {
        match self {
            Arrival::ImportedWith(entries) => entries,
            Arrival::Live | Arrival::Imported => &[],
        }
    }

    /// The same for completing them.
    pub(crate) fn entries_mut(&mut self) -> &mut [case_entry::Model] {
        match self {
            Arrival::ImportedWith(entries) => entries,
            Arrival::Live | Arrival::Imported => &mut [],
        }
    }

    /// How urgent a case was when it came in, by which its policy is chosen: as `Priority`.
    pub(crate) fn first_priority(&self, case: &Model) -> i32 {
        let changed = self.entries().iter().find(|entry| entry.entry_type == i32::from(CaseEntryType::Prioritized));
        changed.map_or(case.priority, |entry| entry.previous_priority)
    }

    /// The entries that a case has once it is recorded.
    pub(crate) fn history(&self, case: &Model, now: Micros) -> Vec<case_entry::Model> {
        match self {
            Arrival::Live | Arrival::Imported => case_entry::of_new(case, now),
            Arrival::ImportedWith(entries) => {
                let of_case = |entry: &case_entry::Model| case_entry::Model {
                    case_id: CaseId(case.id),
                    case_number: case.number,
                    create_time: now,
                    ..entry.clone()
                };
                entries.iter().map(of_case).collect()
            }
        }
    }
}
