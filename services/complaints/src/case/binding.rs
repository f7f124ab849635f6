//! By what a case is counted: its policy and calendar in their versions; and the change of that.

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1::CaseEntryType as Event;
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

use super::{Model, Step};
use crate::{calendar_version::CalendarId, clock::Version};

/// The policy and the calendar by which a case is counted, each in the version that it was bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Version of the list of policies.
    pub set_version: i64,
    /// Name of the policy in it.
    pub policy: String,
    /// Its calendar.
    pub calendar_id: CalendarId,
    /// The calendar's version.
    pub calendar_version: i64,
}

/// What a case was counted by, and is since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Rebase {
    /// Before; nothing of a case that was bound to no policy.
    pub from: Option<Binding>,
    /// Since.
    pub to: Binding,
}

impl Binding {
    /// Its calendar in its version.
    pub(crate) fn calendar(&self) -> Version {
        Version { id: self.calendar_id.0, version: self.calendar_version }
    }
}

impl Model {
    /// By what it is counted; nothing of a case that is bound to no policy.
    pub(crate) fn binding(&self) -> Option<Binding> {
        Some(Binding {
            set_version: self.policy_set_version,
            policy: self.policy_name.clone(),
            calendar_id: self.calendar_id?,
            calendar_version: self.calendar_version,
        })
    }

    /// The same case, counted by these from now on. Nothing happens when it has ended: then its clocks have stopped.
    pub(crate) fn rebase(self, to: Binding, now: Micros) -> Step {
        let before = self.clone();
        if !self.is_open() {
            return Step { before, case: self, events: Vec::new(), time: now };
        }
        let mut case = self;
        (case.policy_set_version, case.policy_name) = (to.set_version, to.policy);
        (case.calendar_id, case.calendar_version) = (Some(to.calendar_id), to.calendar_version);
        let (state, time) = (case.state(), now.max(case.move_time));
        Step { before, case, events: vec![(Event::Rebased, state)], time }
    }
}
