//! Merging duplicates, and undoing it.

use barometer_chassis::error::Error;
use barometer_proto::complaints::v1::{CaseEntryType as Event, case::State};

use super::{Model, Step, Verb, When};

impl Model {
    /// It is the same as `other`, and what is to be done is done there: what became of it, and of the other one. All but
    /// its state stays as it is, so that the merge can be undone. There is no cycle: a case that is merged takes no other.
    pub fn merge(self, other: Model, when: When) -> Result<(Step, Step), Error> {
        self.check(Verb::Merge)?;
        other.check(Verb::Absorb)?;
        let time = when.not_before(self.move_time, "was last moved")?;
        let time = When { given: Some(time), ..when }.not_before(other.open_time, "that stays was opened")?;
        let case = Model {
            state: State::Merged.into(),
            merged_into: Some(other.id),
            unmerged_state: Some(self.state),
            ..self.clone()
        };
        let merged = Step { before: self, case, events: vec![(Event::Merged, State::Merged)], time };
        Ok((merged, other.noted(Event::Absorbed, time)))
    }

    /// It was not the same after all, and is what it was before: what became of it, and of the other one.
    pub fn unmerge(self, other: Model, when: When) -> Result<(Step, Step), Error> {
        self.check(Verb::Unmerge)?;
        let time = when.not_before(self.open_time, "was opened")?;
        let state = self.unmerged_state.unwrap_or(State::Received.into());
        let case = Model { state, merged_into: None, unmerged_state: None, ..self.clone() };
        let events = vec![(Event::Unmerged, case.state())];
        Ok((Step { before: self, case, events, time }, other.noted(Event::Released, time)))
    }
}
