//! What a customer is asked, and what it answers.

use super::{Answer, FULL, Living};
use crate::{
    Micros,
    company::{ASKED, Survey, phrases},
    timeline::DAY,
};

impl Living<'_> {
    /// The questions of a day: about the relation every quarter, and about deliveries that came.
    pub(super) fn be_asked(&mut self, day: i64, begin: Micros) {
        if (day + i64::from(self.life.number)) % 91 == 0
            && self.chance.happens(360_000)
            && let Some(at) = self.instant(begin, 8, 22)
        {
            self.answer(Survey::Relationship, at, 0, None);
        }
        while let Some(index) = self.delivered.iter().position(|(at, _)| *at < begin + DAY) {
            let (at, late) = self.delivered.swap_remove(index);
            if self.chance.happens(150_000) {
                let effect = if late { -220_000 } else { 60_000 };
                let at = at + self.chance.between(DAY / 24, DAY);
                self.answer(Survey::Delivery, at, effect, Some(late));
            }
        }
    }

    /// Answers from the mood of now and what the question is about.
    pub(super) fn answer(&mut self, survey: Survey, at: Micros, effect: i64, late: Option<bool>) {
        let Some(at) = self.known(at) else { return };
        let liking = self.mood * 3 / 4 + 330_000 + effect / 2 + self.chance.around(-270_000, 270_000);
        let liking = liking.clamp(0, FULL);
        let (low, high) = survey.scale();
        let score = low + (liking * (high - low) + FULL / 2) / FULL;
        let blank = self.chance.happens(35_000);
        let unhappy = usize::from(liking < 850_000) + usize::from(liking < 650_000);
        let says = if self.chance.happens(250_000 + (FULL - liking) / 3) && !blank {
            self.chance.pick(&phrases(self.life.language)[unhappy])
        } else {
            ""
        };
        self.life.answers.push(Answer {
            survey,
            at,
            score: (!blank).then_some(score),
            channel: self.chance.weighted(&ASKED).unwrap_or_default(),
            comment: says,
            anonymous: survey == Survey::Relationship && self.chance.happens(80_000),
            late,
        });
    }
}
