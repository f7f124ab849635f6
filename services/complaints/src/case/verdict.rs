//! What an answer to a survey says of a case: whether its customer takes it as solved.

use barometer_chassis::{clock::Micros, error::Error};
use barometer_directory::CustomerId;
use barometer_proto::{complaints::v1::case::State, surveys::v1::SurveyKind};
use uuid::Uuid;

use super::{Model, Step, When};
use crate::follow_up::default_at_most;

/// The dimension of an answer that names the case which it is about, by its id.
pub(crate) const CASE_DIMENSION: &str = "case_id";

/// What an answer says of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Which case.
    pub case: Uuid,
    /// Who answered; nobody when the answer is anonymous.
    pub customer: Option<CustomerId>,
    /// Whether they take it as solved.
    pub accepted: bool,
    /// How satisfied they are, from 1 to 5; of surveys on that scale.
    pub satisfaction: Option<i32>,
    /// When they answered.
    pub time: Micros,
}

impl Verdict {
    /// Of a score: whoever is dissatisfied by the scale of the survey does not take it as solved.
    pub(crate) fn of(
        case: Uuid,
        customer: Option<CustomerId>,
        (kind, score): (SurveyKind, i32),
        time: Micros,
    ) -> Verdict {
        let satisfaction = (kind == SurveyKind::Csat).then_some(score);
        Verdict { case, customer, accepted: score > default_at_most(kind), satisfaction, time }
    }
}

impl Model {
    /// The same case with what its customer answered. Nothing of an answer of somebody else, to a case that is not solved,
    /// from before it was solved or before what is known of its acceptance already; nor of the same answer once more.
    pub(crate) fn judged(self, verdict: &Verdict, now: Micros) -> Result<Option<Step>, Error> {
        let &Verdict { case: _, customer, accepted, satisfaction, time } = verdict;
        let is_solved = matches!(self.state(), State::Resolved | State::Closed);
        let is_anothers = customer.is_some() && self.customer_id.is_some() && customer != self.customer_id;
        let known = (self.accepted, self.satisfaction, self.answer_time) == (Some(accepted), satisfaction, Some(time));
        let last = self.resolve_time.max(self.ask_time).max(self.answer_time);
        if !is_solved || is_anothers || known || last.is_some_and(|last| time < last) {
            return Ok(None);
        }
        self.hear_acceptance(When { given: Some(time), now }, accepted, satisfaction).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use barometer_proto::complaints::v1::Acceptance;

    use super::*;

    const NOW: Micros = Micros(100);

    fn solved() -> Model {
        let customer_id = Some(CustomerId(Uuid::from_u128(1)));
        let case = Model { state: State::InProgress.into(), customer_id, ..Model::default() };
        case.resolve(When { given: Some(Micros(10)), now: NOW }).expect("allowed").case
    }

    fn csat(score: i32, time: i64) -> Verdict {
        let customer = Some(CustomerId(Uuid::from_u128(1)));
        Verdict::of(Uuid::nil(), customer, (SurveyKind::Csat, score), Micros(time))
    }

    fn after(case: Model, verdict: &Verdict) -> Option<(Acceptance, Option<i32>)> {
        let step = case.judged(verdict, NOW).expect("possible")?;
        Some((step.case.acceptance(), step.case.satisfaction))
    }

    #[test]
    fn whoever_is_dissatisfied_declines() {
        assert_eq!(after(solved(), &csat(3, 20)), Some((Acceptance::Accepted, Some(3))));
        assert_eq!(after(solved(), &csat(2, 20)), Some((Acceptance::Declined, Some(2))));
        let of_nps = |score| Verdict::of(Uuid::nil(), None, (SurveyKind::Nps, score), Micros(20));
        assert_eq!(after(solved(), &of_nps(7)), Some((Acceptance::Accepted, None)));
        assert_eq!(after(solved(), &of_nps(6)), Some((Acceptance::Declined, None)));
    }

    #[test]
    fn what_is_not_of_this_solution_says_nothing() {
        assert_eq!(after(solved(), &csat(5, 9)), None, "answered before it was solved");
        let others = Verdict { customer: Some(CustomerId(Uuid::from_u128(2))), ..csat(5, 20) };
        assert_eq!(after(solved(), &others), None);
        let open = Model { state: State::InProgress.into(), resolve_time: None, ..solved() };
        assert_eq!(after(open, &csat(5, 20)), None);
    }

    #[test]
    fn it_is_taken_once_and_amended_by_what_comes_later() {
        let case = solved().judged(&csat(4, 20), NOW).expect("possible").expect("taken").case;
        assert_eq!(after(case.clone(), &csat(4, 20)), None, "read again");
        assert_eq!(after(case.clone(), &csat(1, 20)), Some((Acceptance::Declined, Some(1))), "amended");
        assert_eq!(after(case, &csat(1, 19)), None, "an older one");
    }
}
