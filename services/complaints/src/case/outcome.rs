//! What became of a case, and what the customer says to it.

use barometer_chassis::{clock::Micros, door::Amount, error::Error};
use barometer_proto::complaints::v1::{Acceptance, CaseEntryType as Event, Remedy};
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

use super::{Model, Step, Verb, When};

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Outcome {
    /// Whether the customer was right, as `Finding`.
    pub finding: i32,
    /// What the customer got.
    pub redress: Vec<Redress>,
    /// Why it came to the case: a path in the tree of causes.
    pub root_cause: String,
    /// Personal data.
    pub lesson: String,
}

/// One thing by which a customer was compensated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redress {
    /// As [`Remedy`].
    pub remedy: i32,
    /// What it is worth.
    pub worth: Option<Worth>,
    /// Personal data.
    pub reference: String,
}

/// What a redress is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Worth {
    /// Money, more than nothing.
    Money(Amount),
    /// Points of the loyalty programme.
    Points(i64),
}

/// The most points.
const MAX_POINTS: i64 = 1_000_000_000;

impl Worth {
    /// What is wrong with what a remedy is said to be worth, if anything.
    pub fn refusal(remedy: Remedy, worth: Option<Worth>) -> Option<&'static str> {
        match (remedy, worth) {
            (Remedy::Refund | Remedy::Voucher | Remedy::Discount, None) => Some("is worth something: say how much"),
            (Remedy::Apology, Some(_)) => Some("is worth neither money nor points"),
            (_, Some(Worth::Money(Amount { micros, .. }))) if micros <= 0 => Some("is not more than nothing"),
            (_, Some(Worth::Points(points))) if !(1..=MAX_POINTS).contains(&points) => {
                Some("is not 1 to 1,000,000,000 points")
            }
            _ => None,
        }
    }
}

impl Model {
    /// It was decided what became of it. Nothing happens when that was said already.
    pub fn decide(mut self, when: When, outcome: Outcome) -> Result<Step, Error> {
        self.check(Verb::Decide)?;
        let time = self.after(when, self.decide_time, "was last given an outcome")?;
        let before = self.clone();
        self.outcome = Some(outcome);
        if self != before {
            self.decide_time = Some(time);
        }
        Ok(self.changed(before, Event::OutcomeSet, time))
    }

    /// The customer was asked whether it is solved; asked once more, what they said before does not count any more.
    pub fn ask(mut self, when: When) -> Result<Step, Error> {
        self.check(Verb::Ask)?;
        let time = self.after_acceptance(when)?;
        let before = self.clone();
        if self.ask_time != Some(time) {
            self.forget_acceptance();
        }
        self.ask_time = Some(time);
        Ok(self.changed(before, Event::AcceptanceAsked, time))
    }

    /// The customer said whether it is solved, and perhaps how satisfied they are.
    pub fn hear_acceptance(mut self, when: When, accepted: bool, satisfaction: Option<i32>) -> Result<Step, Error> {
        self.check(Verb::HearAcceptance)?;
        let time = self.after_acceptance(when)?;
        let before = self.clone();
        (self.accepted, self.satisfaction, self.answer_time) = (Some(accepted), satisfaction, Some(time));
        Ok(self.changed(before, Event::AcceptanceRecorded, time))
    }

    /// Whether the customer takes it as solved.
    pub fn acceptance(&self) -> Acceptance {
        match self {
            Model { accepted: Some(true), .. } => Acceptance::Accepted,
            Model { accepted: Some(false), .. } => Acceptance::Declined,
            Model { ask_time: Some(_), .. } => Acceptance::Asked,
            Model { close_time: Some(_), .. } => Acceptance::NotAsked,
            _ => Acceptance::Open,
        }
    }

    /// Forgets what the customer said of a solution that was none.
    pub(super) fn forget_acceptance(&mut self) {
        (self.ask_time, self.accepted, self.satisfaction, self.answer_time) = (None, None, None, None);
    }

    /// The instant of what is said of acceptance: not before it was resolved, nor before what was said last.
    fn after_acceptance(&self, when: When) -> Result<Micros, Error> {
        let resolved = self.resolve_time.unwrap_or(self.move_time);
        match self.ask_time.max(self.answer_time).filter(|last| *last > resolved) {
            None => when.not_before(resolved, "was resolved"),
            Some(last) => when.not_before(last, "was last put to the customer for acceptance, or answered"),
        }
    }
}

#[cfg(test)]
mod tests {
    use barometer_chassis::door::Currency;

    use super::*;

    #[test]
    fn each_remedy_is_worth_what_it_can_be() {
        let euros = |micros| Currency::parse("EUR").map(|currency| Worth::Money(Amount { currency, micros }));
        let refused = |remedy, worth| Worth::refusal(remedy, worth).is_some();
        for remedy in [Remedy::Refund, Remedy::Voucher, Remedy::Discount] {
            assert!(refused(remedy, None) && refused(remedy, euros(0)) && refused(remedy, euros(-1)));
            assert!(!refused(remedy, euros(1)) && !refused(remedy, Some(Worth::Points(1))));
        }
        for points in [0, -1, MAX_POINTS + 1] {
            assert!(refused(Remedy::Voucher, Some(Worth::Points(points))), "{points}");
        }
        assert!(!refused(Remedy::Voucher, Some(Worth::Points(MAX_POINTS))));
        assert!(refused(Remedy::Apology, euros(1)) && !refused(Remedy::Apology, None));
        assert!(!refused(Remedy::Replacement, None) && !refused(Remedy::Replacement, euros(1)));
    }
}
