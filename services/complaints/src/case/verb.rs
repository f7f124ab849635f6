//! What can be done with a case, and when: rules that know neither the wire nor the database.

use barometer_chassis::{clock::Micros, error::Error};
use barometer_proto::complaints::v1::{CaseEntryType, case::State};
use serde::Serialize;

use super::Model;

/// What can be done with a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Tells the customer that it came in.
    Acknowledge,
    /// Answers the customer.
    Respond,
    /// Solves it, and tells the customer so.
    Resolve,
    /// Takes it up again.
    Reopen,
    /// Ends it.
    Close,
    /// Gives it to somebody.
    Assign,
    /// Leaves a note.
    Annotate,
}

use Verb::{Acknowledge, Annotate, Assign, Close, Reopen, Resolve, Respond};

/// The verbs that each state allows.
const ALLOWED: [(State, &[Verb]); 5] = [
    (State::Received, &[Acknowledge, Respond, Resolve, Assign, Annotate]),
    (State::Acknowledged, &[Respond, Resolve, Assign, Annotate]),
    (State::InProgress, &[Respond, Resolve, Assign, Annotate]),
    (State::Resolved, &[Reopen, Close, Assign, Annotate]),
    (State::Closed, &[Reopen, Annotate]),
];

impl Verb {
    /// The verbs of a state.
    pub fn of(state: State) -> &'static [Verb] {
        ALLOWED.iter().find(|(of, _)| *of == state).map_or(&[], |(_, verbs)| verbs)
    }

    /// What has happened then.
    fn event(self) -> CaseEntryType {
        match self {
            Acknowledge => CaseEntryType::Acknowledged,
            Respond => CaseEntryType::Responded,
            Resolve => CaseEntryType::Resolved,
            Reopen => CaseEntryType::Reopened,
            Close => CaseEntryType::Closed,
            Assign => CaseEntryType::Assigned,
            Annotate => CaseEntryType::Annotated,
        }
    }

    /// As in "it can be …".
    fn done(self) -> &'static str {
        match self {
            Acknowledge => "acknowledged",
            Respond => "responded to",
            Resolve => "resolved",
            Reopen => "reopened",
            Close => "closed",
            Assign => "assigned",
            Annotate => "annotated",
        }
    }
}

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
    fn not_before(self, earliest: Micros, what: &str) -> Result<Micros, Error> {
        match self.given {
            None => Ok(self.now.max(earliest)),
            Some(at) if at >= earliest => Ok(at),
            Some(_) => {
                Err(Error::invalid("time", "TOO_EARLY", format!("lies before {earliest}, when the case {what}")))
            }
        }
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
    /// The case after it.
    pub case: Model,
    /// What happened.
    pub event: CaseEntryType,
    /// When.
    pub time: Micros,
    /// Who had the case before it.
    pub before: Holder,
}

impl Model {
    /// Who has it.
    pub fn holder(&self) -> Holder {
        Holder { employee: self.employee.clone(), team: self.team.clone() }
    }

    /// The customer was told that it came in.
    pub fn acknowledge(self, when: When) -> Result<Step, Error> {
        self.moved(Acknowledge, State::Acknowledged, when, |case, at| case.acknowledge_time = Some(at))
    }

    /// The customer got an answer.
    pub fn respond(self, when: When) -> Result<Step, Error> {
        self.moved(Respond, State::InProgress, when, |case, at| {
            case.first_response_time.get_or_insert(at);
        })
    }

    /// It is solved, and the customer was told so: whoever had no answer yet has one now.
    pub fn resolve(self, when: When) -> Result<Step, Error> {
        self.moved(Resolve, State::Resolved, when, |case, at| {
            case.first_response_time.get_or_insert(at);
            case.first_resolve_time.get_or_insert(at);
            case.resolve_time = Some(at);
        })
    }

    /// It was not solved after all.
    pub fn reopen(self, when: When) -> Result<Step, Error> {
        self.moved(Reopen, State::InProgress, when, |case, _| {
            (case.resolve_time, case.close_time) = (None, None);
            case.reopenings = case.reopenings.saturating_add(1);
        })
    }

    /// Nothing more is to be done.
    pub fn close(self, when: When) -> Result<Step, Error> {
        self.moved(Close, State::Closed, when, |case, at| case.close_time = Some(at))
    }

    /// Gives it to `holder`. Nothing happens when that is who has it: then the case is as it was.
    pub fn assign(mut self, when: When, holder: Holder) -> Result<Step, Error> {
        self.check(Assign)?;
        let time = when.not_before(self.open_time, "was opened")?;
        let before = self.holder();
        if holder.takes_from(&before) {
            self.hand_offs = self.hand_offs.saturating_add(1);
        }
        (self.employee, self.team) = (holder.employee, holder.team);
        Ok(Step { case: self, event: Assign.event(), time, before })
    }

    /// Somebody left a note; the case is as it was.
    pub fn annotate(self, when: When) -> Result<Step, Error> {
        self.check(Annotate)?;
        let time = when.not_before(self.open_time, "was opened")?;
        let before = self.holder();
        Ok(Step { case: self, event: Annotate.event(), time, before })
    }

    /// Moves the case to `state` by `verb`.
    fn moved(
        mut self,
        verb: Verb,
        state: State,
        when: When,
        change: impl FnOnce(&mut Model, Micros),
    ) -> Result<Step, Error> {
        self.check(verb)?;
        let time = when.not_before(self.move_time, "was last moved")?;
        change(&mut self, time);
        (self.state, self.move_time) = (state.into(), time);
        let before = self.holder();
        Ok(Step { case: self, event: verb.event(), time, before })
    }

    /// Refuses what the state does not allow, and says what it does.
    fn check(&self, verb: Verb) -> Result<(), Error> {
        let allowed = Verb::of(self.state());
        if allowed.contains(&verb) {
            return Ok(());
        }
        let state = self.state().as_str_name().trim_start_matches("STATE_").to_lowercase().replace('_', " ");
        let allowed: Vec<_> = allowed.iter().map(|verb| verb.done()).collect();
        let message = format!("the case is {state} and can not be {}: it can be {}", verb.done(), allowed.join(", "));
        Err(Error::State { reason: "WRONG_STATE", message })
    }
}
