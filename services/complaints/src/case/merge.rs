//! Merging duplicates, and undoing it.

use barometer_chassis::error::Error;
use barometer_proto::complaints::v1::{CaseEntryType as Event, case::State};

use super::{Model, Step, Verb, When};

impl Model {
    /// It is the same as `other`, and what is to be done is done there: what became of it, and of the other one. All but
    /// its state stays as it is, so that the merge can be undone. There is no cycle: a case that is merged takes no other.
    /// Where a person must answer, a person must answer there.
    pub fn merge(self, other: Model, when: When) -> Result<(Step, Step), Error> {
        self.check(Verb::Merge)?;
        other.check(Verb::Absorb)?;
        if other.state() == State::Closed && !self.is_answered() {
            let message = "the case that stays is closed, and takes in only what is resolved: reopen it first";
            return Err(Error::State { reason: "WRONG_STATE", message: message.to_owned() });
        }
        let time = when.not_before(self.move_time, "was last moved")?;
        let time = When { given: Some(time), ..when }.not_before(other.open_time, "that stays was opened")?;
        let mut stays = other.noted(Event::Absorbed, time);
        stays.case.person_needed |= self.needs_a_person() && !stays.case.needs_a_person();
        let (merged_into, unmerged_state) = (Some(stays.case.id), Some(self.state));
        let case = Model { merged_into, unmerged_state, ..self.clone().taken_to(State::Merged, time) };
        let merged = Step { before: self, case, events: vec![(Event::Merged, State::Merged)], time };
        Ok((merged, stays))
    }

    /// It was not the same after all, and is what it was before the merge: what became of it, and of the other one.
    pub fn unmerge(self, other: Model, when: When) -> Result<(Step, Step), Error> {
        self.check(Verb::Unmerge)?;
        let time = when.not_before(self.move_time, "was merged")?;
        let state = self.unmerged_state.and_then(|state| State::try_from(state).ok()).unwrap_or(State::Received);
        let case = Model { merged_into: None, unmerged_state: None, ..self.clone().taken_to(state, time) };
        Ok((
            Step { before: self, case, events: vec![(Event::Unmerged, state)], time },
            other.noted(Event::Released, time),
        ))
    }

    /// Whether it is resolved, by whom it must be.
    fn is_answered(&self) -> bool {
        self.state() == State::Resolved && !(self.self_served && self.needs_a_person())
    }
}
