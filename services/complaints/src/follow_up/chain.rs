//! What came of a follow-up: a pure fold over the answers of its customer, in whatever order they came.

use barometer_chassis::clock::Micros;
use barometer_directory::CustomerId;
use barometer_proto::complaints::v1::FollowUpOutcome as Outcome;
use uuid::Uuid;

/// An answer as it is now. One that was withdrawn is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its id.
    pub response_id: Uuid,
    /// The survey.
    pub survey_id: Uuid,
    /// Who answered.
    pub customer_id: CustomerId,
    /// The score.
    pub score: i32,
    /// When.
    pub time: Micros,
}

/// What does not change in a follow-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The answer that was followed up.
    pub response_id: Uuid,
    /// Whose it was.
    pub customer_id: CustomerId,
    /// The survey.
    pub survey_id: Uuid,
    /// The highest score that is followed up.
    pub at_most: i32,
    /// Above it the customer has recovered; not below `at_most`.
    pub recovers_above: i32,
    /// The last instant at which an answer closes it.
    pub window_end: Micros,
}

/// How a follow-up stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What came of it.
    pub outcome: Outcome,
    /// When.
    pub close_time: Option<Micros>,
    /// The answer that closed it, and its score.
    pub closing: Option<(Uuid, i32)>,
    /// The score of the answer that was followed up, as it is now; nothing when that is no more.
    pub score: Option<i32>,
    /// When that was given.
    pub response_time: Option<Micros>,
}

impl Chain {
    /// How it stands at `now`, by the answers that there are then. The first answer to the survey after the one that was
    /// followed up closes it.
    pub fn standing(&self, answers: &[Answer], now: Micros) -> Standing {
        let opening = answers.iter().find(|answer| answer.response_id == self.response_id);
        let Some(opening) = opening.filter(|answer| self.is_of(answer) && answer.score <= self.at_most) else {
            let (score, response_time) = (None, None);
            return Standing {
                outcome: Outcome::Cancelled,
                close_time: Some(now),
                closing: None,
                score,
                response_time,
            };
        };
        let place = |answer: &Answer| (answer.time, answer.response_id);
        let closes =
            |answer: &&Answer| self.is_of(answer) && place(answer) > place(opening) && answer.time <= self.window_end;
        let closing = answers.iter().filter(closes).min_by_key(|answer| place(answer));
        let (outcome, close_time) = match closing {
            Some(closing) => (self.compare(opening.score, closing.score), Some(closing.time)),
            None if now > self.window_end => (Outcome::NoAnswer, Some(Micros(self.window_end.0.saturating_add(1)))),
            None => (Outcome::Pending, None),
        };
        Standing {
            outcome,
            close_time,
            closing: closing.map(|closing| (closing.response_id, closing.score)),
            score: Some(opening.score),
            response_time: Some(opening.time),
        }
    }

    /// Whether an answer is one of the customer's to the survey.
    fn is_of(&self, answer: &Answer) -> bool {
        answer.customer_id == self.customer_id && answer.survey_id == self.survey_id
    }

    fn compare(&self, before: i32, after: i32) -> Outcome {
        if after > self.recovers_above {
            Outcome::Recovered
        } else if after < before {
            Outcome::Worse
        } else {
            Outcome::Unchanged
        }
    }
}
