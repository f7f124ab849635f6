//! What the customer of a case is worth, as customers says, and what follows for the case.

use barometer_chassis::clock::Micros;
use barometer_directory::Worth;
use barometer_proto::complaints::v1::case::State;

use super::{Model, PriorityTable, Step, UNKNOWN_BAND};

impl Model {
    /// Whether there is a customer to ask for: what has ended needs no priority any more.
    pub(crate) fn needs_worth(&self) -> bool {
        self.customer_id.is_some() && self.is_open()
    }

    /// Notes what customers says of its customer, or that it did not answer.
    pub(crate) fn appraise(&mut self, worth: Option<Worth>, table: &PriorityTable) {
        self.value_pending = worth.is_none();
        let unknown = || Worth { value_band: UNKNOWN_BAND.to_owned(), ..Worth::default() };
        let Worth { value_band, tier, country } = worth.unwrap_or_else(unknown);
        (self.value_band, self.customer_tier, self.customer_country) = (value_band, tier, country);
        if self.is_open() {
            self.priority = table.of(self).into();
        }
    }

    /// Customers has answered after all. Only another priority is an event.
    pub(crate) fn appraised(self, worth: Worth, now: Micros, table: &PriorityTable) -> Step {
        let before = self.clone();
        let mut case = self;
        case.appraise(Some(worth), table);
        case.reprioritized(before, now)
    }

    /// Whether something is still to be done.
    pub(crate) fn is_open(&self) -> bool {
        use State::{Acknowledged, InProgress, Received, WaitingForCustomer, WaitingForThirdParty};
        matches!(self.state(), Received | Acknowledged | InProgress | WaitingForCustomer | WaitingForThirdParty)
    }
}

#[cfg(test)]
mod tests {
    use barometer_proto::complaints::v1::{CaseEntryType as Event, Priority, Severity};

    use super::*;

    fn case(state: State) -> Model {
        let (severity, priority) = (Severity::High.into(), Priority::High.into());
        let (value_band, value_pending) = (UNKNOWN_BAND.to_owned(), true);
        Model { state: state.into(), severity, priority, value_band, value_pending, ..Model::default() }
    }

    fn worth(value_band: &str) -> Worth {
        Worth { value_band: value_band.to_owned(), tier: "gold".to_owned(), country: "MD".to_owned() }
    }

    #[test]
    fn another_band_is_another_priority_and_that_is_told() {
        let step = case(State::InProgress).appraised(worth("high"), Micros(7), &PriorityTable::default());
        assert_eq!((step.case.priority(), step.time), (Priority::Urgent, Micros(7)));
        assert_eq!(step.events, [(Event::Prioritized, State::InProgress)]);
        assert_eq!((step.case.customer_tier.as_str(), step.case.customer_country.as_str()), ("gold", "MD"));
        assert!(!step.case.value_pending);
        let same = case(State::InProgress).appraised(worth("medium"), Micros(7), &PriorityTable::default());
        assert_eq!((same.case.value_band.as_str(), same.events.len()), ("medium", 0));
    }

    #[test]
    fn what_has_ended_or_was_set_keeps_its_priority() {
        let table = PriorityTable::default();
        let ended = case(State::Resolved).appraised(worth("high"), Micros(7), &table);
        assert_eq!((ended.case.priority(), ended.case.value_band.as_str()), (Priority::High, "high"));
        let set = Model { priority_overridden: true, ..case(State::Received) };
        assert_eq!(set.appraised(worth("high"), Micros(7), &table).case.priority(), Priority::High);
    }

    #[test]
    fn without_an_answer_it_is_unknown_and_asked_again() {
        let mut asked = Model { value_pending: false, value_band: "high".to_owned(), ..case(State::Received) };
        asked.appraise(None, &PriorityTable::default());
        assert!(asked.value_pending);
        assert_eq!((asked.value_band.as_str(), asked.priority()), (UNKNOWN_BAND, Priority::High));
    }
}
