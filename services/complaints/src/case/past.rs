//! Cases of the past: they are taken through their histories event by event, by the same rules as if they had been worked
//! on.

use barometer_chassis::{clock::Micros, error::Error};
use barometer_proto::complaints::v1::{CaseEntryType as Event, Priority, case::State};

use super::{Holder, Model, Outcome, PriorityTable, Step, When, Window};
use crate::case_entry::{self, Said};

/// Something that happened to a case of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastEvent {
    /// When.
    pub time: Micros,
    /// By whom.
    pub actor: String,
    /// What.
    pub deed: Deed,
    /// What was said.
    pub said: Said,
}

/// What can have happened to a case of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "see `CaseEntryType`")]
pub enum Deed {
    Acknowledged,
    Responded,
    CustomerWrote,
    AwaitedCustomer,
    AwaitedThirdParty,
    Resumed,
    SelfServed,
    Resolved,
    Reopened,
    Closed,
    Cancelled,
    Assigned(Holder),
    Prioritized(Option<Priority>),
    Annotated,
    OutcomeSet(Outcome),
    AcceptanceAsked,
    AcceptanceRecorded { accepted: bool, satisfaction: Option<i32> },
}

impl Model {
    /// What became of a case that just came in, and the entries of its history, in their order; ids, positions and the case
    /// of them are the writer's. Fails at the first event that is not possible, with its place.
    pub(crate) fn lived(
        self,
        opened_by: &str,
        past: Vec<PastEvent>,
        table: &PriorityTable,
        now: Micros,
    ) -> Result<(Model, Vec<case_entry::Model>), (usize, Error)> {
        let mut entries = Vec::with_capacity(past.len() + 1);
        let opened = case_entry::of_new(&self, now).into_iter();
        entries.extend(opened.map(|entry| case_entry::Model { actor: opened_by.to_owned(), ..entry }));
        let mut case = self;
        for (place, PastEvent { time, actor, deed, said }) in past.into_iter().enumerate() {
            let when = When { given: Some(time), now };
            let step = case.undergo(deed, &said, when, table).map_err(|error| (place, error))?;
            entries.append(&mut case_entry::of_step(&step, &actor, &said, now));
            case = step.case;
        }
        Ok((case, entries))
    }

    /// What an event made of it: one entry, whatever it changed.
    fn undergo(self, deed: Deed, said: &Said, when: When, table: &PriorityTable) -> Result<Step, Error> {
        let event = deed.event();
        let step = match deed {
            Deed::Acknowledged => self.acknowledge(when),
            Deed::Responded => self.respond(when, said.reply),
            Deed::CustomerWrote => {
                // That it was reopened then is an event of its own.
                let ended = matches!(self.state(), State::Resolved | State::Closed | State::Cancelled);
                let mut step = self.hear(when, said.needs_no_answer || ended, Window::UNBOUNDED);
                if let Ok(Step { case, time, .. }) = &mut step
                    && !said.needs_no_answer
                {
                    case.last_message_time = case.last_message_time.max(Some(*time));
                }
                step
            }
            Deed::AwaitedCustomer => self.await_customer(when),
            Deed::AwaitedThirdParty => self.await_third_party(when),
            Deed::Resumed => self.resume(when),
            Deed::SelfServed => self.self_serve(when),
            Deed::Resolved => self.resolve(when),
            Deed::Reopened => self.reopen(when, Window::UNBOUNDED),
            Deed::Closed => self.close(when),
            Deed::Cancelled => self.cancel(when),
            Deed::Assigned(holder) => self.assign(when, holder),
            Deed::Prioritized(priority) => self.prioritize(when, priority, table),
            Deed::Annotated => self.annotate(when),
            Deed::OutcomeSet(outcome) => self.decide(when, outcome),
            Deed::AcceptanceAsked => self.ask(when),
            Deed::AcceptanceRecorded { accepted, satisfaction } => self.hear_acceptance(when, accepted, satisfaction),
        }?;
        Ok(if step.events.is_empty() { step.case.noted(event, step.time) } else { step })
    }
}

impl Deed {
    /// What it is called in histories.
    fn event(&self) -> Event {
        match self {
            Deed::Acknowledged => Event::Acknowledged,
            Deed::Responded => Event::Responded,
            Deed::CustomerWrote => Event::CustomerWrote,
            Deed::AwaitedCustomer => Event::AwaitedCustomer,
            Deed::AwaitedThirdParty => Event::AwaitedThirdParty,
            Deed::Resumed => Event::Resumed,
            Deed::SelfServed => Event::SelfServed,
            Deed::Resolved => Event::Resolved,
            Deed::Reopened => Event::Reopened,
            Deed::Closed => Event::Closed,
            Deed::Cancelled => Event::Cancelled,
            Deed::Assigned(_) => Event::Assigned,
            Deed::Prioritized(_) => Event::Prioritized,
            Deed::Annotated => Event::Annotated,
            Deed::OutcomeSet(_) => Event::OutcomeSet,
            Deed::AcceptanceAsked => Event::AcceptanceAsked,
            Deed::AcceptanceRecorded { .. } => Event::AcceptanceRecorded,
        }
    }
}
