//! What can be done with a case, and in which state: one table.

use barometer_chassis::error::Error;
use barometer_proto::complaints::v1::{CaseKind, case::State};

use super::Model;

/// What can be done with a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Tells the customer that it came in.
    Acknowledge,
    /// Replies to the customer.
    Respond,
    /// Asks the customer for something, and waits for it.
    AwaitCustomer,
    /// Waits for somebody outside.
    AwaitThirdParty,
    /// Waits no longer.
    Resume,
    /// Hears from the customer.
    Hear,
    /// Answers it by self-service.
    SelfServe,
    /// Solves it, and tells the customer so.
    Resolve,
    /// Takes it up again.
    Reopen,
    /// Ends it.
    Close,
    /// Ends it without an answer.
    Cancel,
    /// Puts it into another one, of which it is a duplicate.
    Merge,
    /// Undoes that.
    Unmerge,
    /// Takes a duplicate in.
    Absorb,
    /// Says what became of it.
    Decide,
    /// Asks the customer whether it is solved.
    Ask,
    /// Hears that it is, or is not.
    HearAcceptance,
    /// Gives it to somebody.
    Assign,
    /// Says how urgent it is.
    Prioritize,
    /// Leaves a note.
    Annotate,
}

use Verb::{
    Absorb, Acknowledge, Annotate, Ask, Assign, AwaitCustomer, AwaitThirdParty, Cancel, Close, Decide, Hear,
    HearAcceptance, Merge, Prioritize, Reopen, Resolve, Respond, Resume, SelfServe, Unmerge,
};

/// The verbs that each state allows.
const ALLOWED: [(State, &[Verb]); 9] = [
    (
        State::Received,
        &[
            Acknowledge,
            Respond,
            AwaitCustomer,
            AwaitThirdParty,
            SelfServe,
            Resolve,
            Cancel,
            Hear,
            Merge,
            Absorb,
            Decide,
            Assign,
            Prioritize,
            Annotate,
        ],
    ),
    (
        State::Acknowledged,
        &[
            Respond,
            AwaitCustomer,
            AwaitThirdParty,
            SelfServe,
            Resolve,
            Cancel,
            Hear,
            Merge,
            Absorb,
            Decide,
            Assign,
            Prioritize,
            Annotate,
        ],
    ),
    (
        State::InProgress,
        &[
            Acknowledge,
            Respond,
            AwaitCustomer,
            AwaitThirdParty,
            SelfServe,
            Resolve,
            Cancel,
            Hear,
            Merge,
            Absorb,
            Decide,
            Assign,
            Prioritize,
            Annotate,
        ],
    ),
    (
        State::WaitingForCustomer,
        &[Respond, Resume, AwaitThirdParty, Resolve, Cancel, Hear, Merge, Absorb, Decide, Assign, Prioritize, Annotate],
    ),
    (
        State::WaitingForThirdParty,
        &[
            Acknowledge,
            Respond,
            Resume,
            AwaitCustomer,
            Resolve,
            Cancel,
            Hear,
            Merge,
            Absorb,
            Decide,
            Assign,
            Prioritize,
            Annotate,
        ],
    ),
    (State::Resolved, &[Reopen, Close, Hear, Merge, Absorb, Decide, Ask, HearAcceptance, Assign, Prioritize, Annotate]),
    (State::Closed, &[Reopen, Hear, Absorb, Decide, Ask, HearAcceptance, Annotate]),
    (State::Cancelled, &[Reopen, Hear, Annotate]),
    (State::Merged, &[Unmerge, Annotate]),
];

impl Verb {
    /// The verbs of a state.
    pub fn of(state: State) -> &'static [Verb] {
        ALLOWED.iter().find(|(of, _)| *of == state).map_or(&[], |(_, verbs)| verbs)
    }

    /// Whether it says that no message of the customer waits for an answer, and so can not lie before one that does.
    pub(super) fn leaves_messages(self) -> bool {
        matches!(self, AwaitCustomer | SelfServe | Resolve | Close | Cancel)
    }

    /// As in "it can be …".
    fn done(self) -> &'static str {
        match self {
            Acknowledge => "acknowledged",
            Respond => "responded to",
            AwaitCustomer => "put to wait for the customer",
            AwaitThirdParty => "put to wait for a third party",
            Resume => "resumed",
            Hear => "written to by the customer",
            SelfServe => "answered by self-service",
            Resolve => "resolved",
            Reopen => "reopened",
            Close => "closed",
            Cancel => "cancelled",
            Merge => "merged into another",
            Unmerge => "unmerged",
            Absorb => "joined by a duplicate",
            Decide => "given an outcome",
            Ask => "put to the customer for acceptance",
            HearAcceptance => "accepted or declined by the customer",
            Assign => "assigned",
            Prioritize => "prioritized",
            Annotate => "annotated",
        }
    }
}

impl Model {
    /// Refuses what the state does not allow, and says what it does; and what a person must do.
    pub(super) fn check(&self, verb: Verb) -> Result<(), Error> {
        let allowed = Verb::of(self.state());
        // Whoever has heard of it knows that it came in.
        if !allowed.contains(&verb) || (verb == Acknowledge && self.has_heard()) {
            let mut state = self.state().as_str_name().trim_start_matches("STATE_").to_lowercase().replace('_', " ");
            if let Some(into) = self.merged_into {
                state = format!("{state} into the case {into}");
            }
            let would_do = allowed.iter().filter(|verb| match verb {
                SelfServe => !self.needs_a_person(),
                Acknowledge => !self.has_heard(),
                _ => true,
            });
            let would_do: Vec<_> = would_do.map(|verb| verb.done()).collect();
            let message =
                format!("the case is {state} and can not be {}: it can be {}", verb.done(), would_do.join(", "));
            return Err(Error::State { reason: "WRONG_STATE", message });
        }
        let without_a_person = verb == SelfServe || (verb == Close && self.self_served);
        if without_a_person && self.needs_a_person() {
            let kind = self.kind().as_str_name().trim_start_matches("CASE_KIND_").to_lowercase().replace('_', " ");
            let message = match self.kind() {
                CaseKind::Question => {
                    "the case was no question once, or took in one that is none: a person answers it".to_owned()
                }
                _ => format!("the case is a {kind}, and only questions are answered without a person"),
            };
            return Err(Error::State { reason: "NEEDS_A_PERSON", message });
        }
        Ok(())
    }

    /// Refuses to let what needs a person become of a question with which nothing more is to be done.
    pub(super) fn check_that_it_goes_on(&self) -> Result<(), Error> {
        let first = match self.state() {
            State::Merged => "was merged into another one: unmerge it",
            State::Closed if self.self_served => "was closed without a person: reopen it",
            _ => return Ok(()),
        };
        let message = format!("only questions are answered without a person, and the case {first} first");
        Err(Error::State { reason: "NEEDS_A_PERSON", message })
    }
}
