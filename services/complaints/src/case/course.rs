//! How a case goes: what each verb makes of it. Rules that know neither the wire nor the database.

use barometer_chassis::{clock::Micros, error::Error};
use barometer_proto::complaints::v1::{CaseEntryType as Event, Priority, ReplyType, case::State};
use serde::Serialize;

use super::{Model, PriorityTable, Verb};

/// When something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// As the caller says.
    pub given: Option<Micros>,
    /// By the clock.
    pub now: Micros,
}

impl When {
    /// The instant: as given, but not before `earliest`, which is when `what`; otherwise now, or `earliest` when the
    /// clock lags behind it.
    pub(super) fn not_before(self, earliest: Micros, what: &str) -> Result<Micros, Error> {
        match self.given {
            None => Ok(self.now.max(earliest)),
            Some(at) if at >= earliest => Ok(at),
            Some(_) => {
                Err(Error::invalid("time", "TOO_EARLY", format!("lies before {earliest}, when the case {what}")))
            }
        }
    }
}

/// How long after its end a case can be reopened: elapsed time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window(Micros);

impl Default for Window {
    fn default() -> Self {
        Window::of_days(30)
    }
}

impl Window {
    /// So many days of 24 hours.
    pub fn of_days(days: u16) -> Self {
        Window(Micros(i64::from(days) * Micros::DAY))
    }

    /// Refuses what comes later after the end than the window is long.
    fn check(self, ended: Micros, at: Micros) -> Result<(), Error> {
        let Window(Micros(length)) = self;
        if at.0.saturating_sub(ended.0) <= length {
            return Ok(());
        }
        let days = length / Micros::DAY;
        let message = format!("the case ended at {ended}, and can be reopened for {days} days only: open a new one");
        Err(Error::State { reason: "REOPEN_WINDOW_OVER", message })
    }
}

/// Who has a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// By the caller's key of the employee; empty for nobody in particular.
    pub employee: String,
    /// Empty for none.
    pub team: String,
}

impl Holder {
    /// Whether this takes the case from an employee or a team that had it. Within a team, giving it to an employee where
    /// none had it takes it from nobody.
    fn takes_from(&self, before: &Holder) -> bool {
        let taken = |before: &str, after: &str| !before.is_empty() && before != after;
        taken(&before.employee, &self.employee) || taken(&before.team, &self.team)
    }
}

/// What a verb made of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The case before it.
    pub before: Model,
    /// The case after it.
    pub case: Model,
    /// What happened, in order, and the state after each; nothing when all is as it was.
    pub events: Vec<(Event, State)>,
    /// When.
    pub time: Micros,
}

impl Model {
    /// Who has it.
    pub fn holder(&self) -> Holder {
        Holder { employee: self.employee.clone(), team: self.team.clone() }
    }

    /// The customer was told that it came in. What has been begun meanwhile goes on.
    pub fn acknowledge(self, when: When) -> Result<Step, Error> {
        let state = match self.state() {
            State::Received => State::Acknowledged,
            begun => begun,
        };
        self.moved(Verb::Acknowledge, Event::Acknowledged, state, when, |case, at| {
            (case.acknowledge_time, case.last_reply_time) = (Some(at), Some(at));
        })
    }

    /// The customer got a reply; only an answer counts as the first response. What waits goes on waiting.
    pub fn respond(self, when: When, reply: ReplyType) -> Result<Step, Error> {
        let state = match self.state() {
            waiting @ (State::WaitingForCustomer | State::WaitingForThirdParty) => waiting,
            _ => State::InProgress,
        };
        self.moved(Verb::Respond, Event::Responded, state, when, |case, at| {
            case.last_reply_time = Some(at);
            if matches!(reply, ReplyType::Answer | ReplyType::Unspecified) {
                case.first_response_time.get_or_insert(at);
            }
        })
    }

    /// The customer was asked for something, which is an answer to them, and the case waits for it.
    pub fn await_customer(self, when: When) -> Result<Step, Error> {
        self.moved(Verb::AwaitCustomer, Event::AwaitedCustomer, State::WaitingForCustomer, when, |case, at| {
            case.last_reply_time = Some(at);
            case.first_response_time.get_or_insert(at);
        })
    }

    /// Somebody outside has to do something, and the case waits for it.
    pub fn await_third_party(self, when: When) -> Result<Step, Error> {
        self.moved(Verb::AwaitThirdParty, Event::AwaitedThirdParty, State::WaitingForThirdParty, when, |_, _| {})
    }

    /// It waits no longer.
    pub fn resume(self, when: When) -> Result<Step, Error> {
        self.moved(Verb::Resume, Event::Resumed, State::InProgress, when, |_, _| {})
    }

    /// The customer wrote. What waited for them goes on, and what had ended is taken up again within the window, unless
    /// the message asks for nothing, or is dated before what last moved the case: then it is no reply to that.
    pub fn hear(self, when: When, needs_no_answer: bool, window: Window) -> Result<Step, Error> {
        self.check(Verb::Hear)?;
        // What is not dated comes after all there is, though the clock lag behind it.
        let earliest = when.given.map_or(self.move_time, |_| self.open_time);
        let time = when.not_before(earliest, "was opened")?;
        let event = Event::CustomerWrote;
        let before = self.clone();
        let mut case = self;
        case.customer_messages = case.customer_messages.saturating_add(1);
        if !needs_no_answer {
            case.last_message_time = case.last_message_time.max(Some(time));
        }
        if needs_no_answer || time < case.move_time {
            return Ok(case.changed(before, event, time));
        }
        match case.state() {
            State::WaitingForCustomer => {
                let case = case.taken_to(State::InProgress, time);
                Ok(Step { before, case, events: vec![(event, State::InProgress)], time })
            }
            ended @ (State::Resolved | State::Closed | State::Cancelled) => {
                let mut step = case.reopen(When { given: Some(time), ..when }, window)?;
                step.events.insert(0, (event, ended));
                Ok(Step { before, ..step })
            }
            _ => Ok(case.changed(before, event, time)),
        }
    }

    /// Self-service answered it, and it is solved.
    pub fn self_serve(self, when: When) -> Result<Step, Error> {
        self.moved(Verb::SelfServe, Event::SelfServed, State::Resolved, when, |case, at| case.answered(at, true))
    }

    /// It is solved, and the customer was told so: whoever had no answer yet has one now.
    pub fn resolve(self, when: When) -> Result<Step, Error> {
        self.moved(Verb::Resolve, Event::Resolved, State::Resolved, when, |case, at| case.answered(at, false))
    }

    /// It had not ended after all.
    pub fn reopen(self, when: When, window: Window) -> Result<Step, Error> {
        let ended = self.close_time.or(self.resolve_time).or(self.cancel_time).unwrap_or(self.move_time);
        let step = self.moved(Verb::Reopen, Event::Reopened, State::InProgress, when, |case, _| {
            (case.resolve_time, case.close_time, case.cancel_time) = (None, None, None);
            case.self_served = false;
            case.forget_acceptance();
            case.reopenings = case.reopenings.saturating_add(1);
        })?;
        window.check(ended, step.time)?;
        Ok(step)
    }

    /// Nothing more is to be done.
    pub fn close(self, when: When) -> Result<Step, Error> {
        self.moved(Verb::Close, Event::Closed, State::Closed, when, |case, at| case.close_time = Some(at))
    }

    /// It needs no answer.
    pub fn cancel(self, when: When) -> Result<Step, Error> {
        self.moved(Verb::Cancel, Event::Cancelled, State::Cancelled, when, |case, at| case.cancel_time = Some(at))
    }

    /// Gives it to `holder`. Nothing happens when that is who has it.
    pub fn assign(mut self, when: When, holder: Holder) -> Result<Step, Error> {
        self.check(Verb::Assign)?;
        let time = self.after(when, self.assign_time, "was last assigned")?;
        let before = self.clone();
        if holder.takes_from(&before.holder()) {
            self.hand_offs = self.hand_offs.saturating_add(1);
        }
        (self.employee, self.team) = (holder.employee, holder.team);
        if self != before {
            self.assign_time = Some(time);
        }
        Ok(self.changed(before, Event::Assigned, time))
    }

    /// Makes it as urgent as said; or, without a word, as urgent as `table` says. Nothing happens when it is so already.
    pub fn prioritize(mut self, when: When, priority: Option<Priority>, table: &PriorityTable) -> Result<Step, Error> {
        self.check(Verb::Prioritize)?;
        let time = self.after(when, self.prioritize_time, "last had its priority set")?;
        let before = self.clone();
        self.priority_overridden = priority.is_some();
        self.priority = priority.unwrap_or_else(|| table.of(&self)).into();
        if self != before {
            self.prioritize_time = Some(time);
        }
        Ok(self.changed(before, Event::Prioritized, time))
    }

    /// What was said of `old` was corrected. When it is worse or better than was thought, or another customer's, its priority
    /// may be another, and only that is an event. What another customer is worth is to be asked. What needed a person needs
    /// one still, whatever it is called now; and what has ended without one turns not into what needs one.
    pub fn amended(mut self, old: Model, now: Micros, table: &PriorityTable) -> Result<Step, Error> {
        self.person_needed = old.person_needed || (old.needs_a_person() && !self.needs_a_person());
        if self.needs_a_person() && !old.needs_a_person() {
            old.check_that_it_goes_on()?;
        }
        if self.customer_id != old.customer_id {
            self.appraise(None, table);
            self.value_pending = self.needs_worth();
        }
        if self.severity != old.severity {
            self.priority = table.of(&self).into();
        }
        Ok(self.reprioritized(old, now))
    }

    /// The case of `before` has the priority that the table gives it: an event if it is another one.
    pub(super) fn reprioritized(self, before: Model, now: Micros) -> Step {
        let time = now.max(self.open_time).max(self.prioritize_time.unwrap_or_default());
        let same = self.priority == before.priority;
        let events = if same { Vec::new() } else { vec![(Event::Prioritized, self.state())] };
        Step { before, case: self, events, time }
    }

    /// Somebody left a note; the case is as it was.
    pub fn annotate(self, when: When) -> Result<Step, Error> {
        self.check(Verb::Annotate)?;
        let time = when.not_before(self.open_time, "was opened")?;
        Ok(self.noted(Event::Annotated, time))
    }

    /// Something was said of it, at an instant, that belongs into its history and leaves it as it is, in whatever state.
    pub(crate) fn told(self, event: Event, at: Micros) -> Step {
        let time = at.max(self.open_time);
        self.noted(event, time)
    }

    /// Moves the case to `state` by `verb`.
    fn moved(
        self,
        verb: Verb,
        event: Event,
        state: State,
        when: When,
        change: impl FnOnce(&mut Model, Micros),
    ) -> Result<Step, Error> {
        self.check(verb)?;
        let time = match self.last_message_time.filter(|heard| *heard > self.move_time && verb.leaves_messages()) {
            None => when.not_before(self.move_time, "was last moved")?,
            Some(heard) => when.not_before(heard, "was last written to by the customer")?,
        };
        let before = self.clone();
        let mut case = self.taken_to(state, time);
        change(&mut case, time);
        Ok(Step { before, case, events: vec![(event, state)], time })
    }

    /// The instant of what can be told late, but not before it was opened, nor before what came last of its sort, which it
    /// would undo.
    pub(super) fn after(&self, when: When, last: Option<Micros>, what: &str) -> Result<Micros, Error> {
        match last.filter(|last| *last > self.open_time) {
            None => when.not_before(self.open_time, "was opened"),
            Some(last) => when.not_before(last, what),
        }
    }

    pub(super) fn taken_to(self, state: State, time: Micros) -> Model {
        Model { state: state.into(), move_time: time, ..self }
    }

    /// It is solved by an answer: a person's, or self-service's.
    fn answered(&mut self, at: Micros, self_served: bool) {
        self.first_response_time.get_or_insert(at);
        self.first_resolve_time.get_or_insert(at);
        self.last_reply_time = Some(at);
        (self.resolve_time, self.self_served) = (Some(at), self_served);
    }

    /// Something happened that leaves the case as it is.
    pub(super) fn noted(self, event: Event, time: Micros) -> Step {
        Step { before: self.clone(), events: vec![(event, self.state())], case: self, time }
    }

    /// Something changed beside its course; if anything did.
    pub(super) fn changed(self, before: Model, event: Event, time: Micros) -> Step {
        let events = if self == before { Vec::new() } else { vec![(event, self.state())] };
        Step { before, case: self, events, time }
    }
}
