//! What a step of a ladder makes of a case.

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1::CaseEntryType as Event;

use super::{Model, Step};
use crate::ladder::Rung;

impl Model {
    /// Takes a step of a ladder at an instant, or when the case was opened or what it undoes was dated, if that is later: its
    /// history tells of it, and of what it changed.
    pub(crate) fn escalate(mut self, rung: &Rung, now: Micros) -> Step {
        let (before, state) = (self.clone(), self.state());
        let mut events = vec![(Event::Escalated, state)];
        let raised = rung.raise.map(|raise| raise.of(self.priority())).filter(|raised| *raised != self.priority());
        let holder = rung.hand_over.as_ref().filter(|holder| **holder != before.holder());
        let undone = [raised.and(self.prioritize_time), holder.and(self.assign_time)];
        let time = undone.into_iter().flatten().fold(now.max(self.open_time), Micros::max);
        if let Some(raised) = raised {
            // What was found urgent stays so when the case is amended.
            (self.priority, self.priority_overridden) = (raised.into(), true);
            self.prioritize_time = Some(time);
            events.push((Event::Prioritized, state));
        }
        if let Some(holder) = holder {
            if holder.takes_from(&before.holder()) {
                self.hand_offs = self.hand_offs.saturating_add(1);
            }
            (self.employee, self.team) = (holder.employee.clone(), holder.team.clone());
            self.assign_time = Some(time);
            events.push((Event::Assigned, state));
        }
        Step { before, case: self, events, time }
    }
}

#[cfg(test)]
mod tests {
    use barometer_proto::complaints::v1::{Priority, case::State};

    use super::*;
    use crate::{
        case::{Holder, PriorityTable, When},
        ladder::Raise,
    };

    fn case(employee: &str, priority: Priority) -> Model {
        Model {
            state: State::InProgress.into(),
            employee: employee.to_owned(),
            priority: priority.into(),
            ..Model::default()
        }
    }

    #[test]
    fn a_step_raises_and_hands_over() {
        let to = Holder { employee: String::new(), team: "legal".to_owned() };
        let rung = Rung { raise: Some(Raise::ByOne), hand_over: Some(to.clone()), ..Rung::default() };
        let step = case("ana", Priority::Normal).escalate(&rung, Micros(7));
        let events: Vec<Event> = step.events.iter().map(|(event, _)| *event).collect();
        assert_eq!(events, [Event::Escalated, Event::Prioritized, Event::Assigned]);
        assert_eq!((step.case.priority(), step.case.priority_overridden), (Priority::High, true));
        assert_eq!((step.case.holder(), step.case.hand_offs), (to, 1));
        assert_eq!(step.case.state(), State::InProgress, "it moves nothing");

        let again = step.case.escalate(&Rung { raise: Some(Raise::To(3)), ..rung }, Micros(8));
        assert_eq!(again.events.len(), 1, "all is so already");
        assert_eq!(again.case, again.before);
    }

    #[test]
    fn what_is_told_late_comes_not_before_a_step_nor_a_step_before_what_it_undoes() {
        let to = |team: &str| Holder { employee: String::new(), team: team.to_owned() };
        let rung = Rung { raise: Some(Raise::ByOne), hand_over: Some(to("legal")), ..Rung::default() };
        let step = case("ana", Priority::Normal).escalate(&rung, Micros(7));
        let at = |time| When { given: Some(Micros(time)), now: Micros(9) };
        let table = PriorityTable::default();
        assert!(step.case.clone().assign(at(6), to("night")).is_err());
        assert!(step.case.clone().prioritize(at(6), Some(Priority::Low), &table).is_err());
        let night = step.case.assign(at(8), to("night")).expect("later");
        let ahead = Model { open_time: Micros(20), ..case("ana", Priority::Normal) }.escalate(&rung, Micros(7));
        assert_eq!((ahead.time, ahead.case.prioritize_time), (Micros(20), Some(Micros(20))));
        let back = night.case.escalate(&rung, Micros(7));
        assert_eq!((back.time, back.case.assign_time), (Micros(8), Some(Micros(8))));
        assert_eq!(back.case.escalate(&Rung::default(), Micros(7)).time, Micros(7), "it undoes nothing");
    }
}
