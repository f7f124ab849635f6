//! What came of invitations, and response rates by it: AAPOR, *Standard Definitions: Final Dispositions of Case Codes and
//! Outcome Rates for Surveys*.

/// What came of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It can still be answered.
    Pending,
    /// I: answered.
    Complete,
    /// P: begun, but broken off before the end.
    Partial,
    /// R: declined.
    Refusal,
    /// NC: nothing came back.
    NonContact,
    /// O: could not answer.
    Other,
    /// UH and UO: nobody knows whether it reached anybody who was meant.
    Unknown,
    /// It should not have been sent.
    NotEligible,
}

/// What is known of an invitation at an instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// What somebody said of it.
    pub told: Option<Outcome>,
    /// How it was answered first: [`Outcome::Complete`], [`Outcome::Partial`] or [`Outcome::Refusal`].
    pub answer: Option<Outcome>,
    /// Whether the first question was answered.
    pub begun: bool,
    /// Whether it was meant for somebody, or is known to have arrived.
    pub reached: bool,
    /// Whether it can not be answered any more.
    pub expired: bool,
}

impl Known {
    /// What came of it: what somebody said, or else the answer, or else what follows from its times.
    pub fn outcome(self) -> Outcome {
        let silent = match self {
            Known { expired: false, .. } => Outcome::Pending,
            Known { begun: true, .. } => Outcome::Partial,
            Known { reached: true, .. } => Outcome::NonContact,
            Known { .. } => Outcome::Unknown,
        };
        self.told.or(self.answer).unwrap_or(silent)
    }
}

/// How a response rate is made of outcomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ResponseRate {
    /// RR1 = I/(I + P + R + NC + O + U): the lowest.
    #[default]
    Rr1,
    /// RR2 = (I + P)/(I + P + R + NC + O + U).
    Rr2,
    /// RR5 = I/(I + P + R + NC + O): of the unknown ones none was eligible.
    Rr5,
    /// RR6 = (I + P)/(I + P + R + NC + O): the highest.
    Rr6,
}

/// How many invitations came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Can still be answered.
    pub pending: u64,
    /// I.
    pub complete: u64,
    /// P.
    pub partial: u64,
    /// R.
    pub refusal: u64,
    /// NC.
    pub non_contact: u64,
    /// O.
    pub other: u64,
    /// U.
    pub unknown: u64,
    /// Should not have been sent.
    pub not_eligible: u64,
}

impl Outcomes {
    /// Counts an invitation.
    pub fn add(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Pending => &mut self.pending,
            Outcome::Complete => &mut self.complete,
            Outcome::Partial => &mut self.partial,
            Outcome::Refusal => &mut self.refusal,
            Outcome::NonContact => &mut self.non_contact,
            Outcome::Other => &mut self.other,
            Outcome::Unknown => &mut self.unknown,
            Outcome::NotEligible => &mut self.not_eligible,
        };
        *count += 1;
    }

    /// How many responded, by a definition, of how many; pending ones and those that should not have been sent are in neither.
    pub fn responded(&self, definition: ResponseRate) -> (u64, u64) {
        let Self { pending: _, complete, partial, refusal, non_contact, other, unknown, not_eligible: _ } = *self;
        let eligible = complete + partial + refusal + non_contact + other;
        match definition {
            ResponseRate::Rr1 => (complete, eligible + unknown),
            ResponseRate::Rr2 => (complete + partial, eligible + unknown),
            ResponseRate::Rr5 => (complete, eligible),
            ResponseRate::Rr6 => (complete + partial, eligible),
        }
    }

    /// How many were answered to the end, of how many that were begun: I of I + P.
    pub fn completed(&self) -> (u64, u64) {
        (self.complete, self.complete + self.partial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes() -> Outcomes {
        Outcomes {
            pending: 7,
            complete: 400,
            partial: 50,
            refusal: 100,
            non_contact: 200,
            other: 50,
            unknown: 200,
            not_eligible: 9,
        }
    }

    #[test]
    fn rates_by_their_definitions() {
        assert_eq!(outcomes().responded(ResponseRate::Rr1), (400, 1_000));
        assert_eq!(outcomes().responded(ResponseRate::Rr2), (450, 1_000));
        assert_eq!(outcomes().responded(ResponseRate::Rr5), (400, 800));
        assert_eq!(outcomes().responded(ResponseRate::Rr6), (450, 800));
        assert_eq!(outcomes().completed(), (400, 450));
    }

    #[test]
    fn what_came_of_it() {
        let sent = Known { reached: true, ..Known::default() };
        let gone = Known { expired: true, ..sent };
        let answered = Known { answer: Some(Outcome::Refusal), ..sent };
        for (known, outcome) in [
            (sent, Outcome::Pending),
            (Known { begun: true, ..sent }, Outcome::Pending),
            (gone, Outcome::NonContact),
            (Known { begun: true, ..gone }, Outcome::Partial),
            (Known { reached: false, ..gone }, Outcome::Unknown),
            (Known { reached: false, begun: true, ..gone }, Outcome::Partial),
            (answered, Outcome::Refusal),
            (Known { expired: true, begun: true, ..answered }, Outcome::Refusal),
            (Known { told: Some(Outcome::NotEligible), ..answered }, Outcome::NotEligible),
            (Known { told: Some(Outcome::Pending), ..gone }, Outcome::Pending),
        ] {
            assert_eq!(known.outcome(), outcome, "{known:?}");
        }
    }

    #[test]
    fn each_is_counted_once() {
        let every = [
            Outcome::Pending,
            Outcome::Complete,
            Outcome::Partial,
            Outcome::Refusal,
            Outcome::NonContact,
            Outcome::Other,
            Outcome::Unknown,
            Outcome::NotEligible,
        ];
        let mut counted = Outcomes::default();
        every.into_iter().for_each(|outcome| counted.add(outcome));
        let Outcomes { pending, complete, partial, refusal, non_contact, other, unknown, not_eligible } = counted;
        assert_eq!([pending, complete, partial, refusal, non_contact, other, unknown, not_eligible], [1; 8]);
    }
}
