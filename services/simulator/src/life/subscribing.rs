//! The subscription that some customers have, for a while.

use super::{Course, FULL, Living, Step};
use crate::{Micros, company::PLANS};

impl Living<'_> {
    /// What happens to the subscription on a day.
    pub(super) fn subscribe(&mut self, begin: Micros) {
        match self.life.subscription.last().map(|step| step.what) {
            // Nobody comes back to it.
            Some(Course::Cancel(..)) => {}
            None if self.chance.happens(self.mood / 900) => {
                let (plan, cents) = PLANS[usize::from(self.chance.happens(250_000))];
                self.step(begin, Course::Start(plan, cents));
            }
            None => {}
            Some(Course::Start(plan, _) | Course::Change(plan, _)) => {
                if self.chance.happens(200) {
                    self.cancel(begin, "payment failed", false);
                } else if self.chance.happens(150 + (FULL / 2 - self.mood).max(0) / 60) {
                    let reason = self.chance.pick(&["price", "service", "not used"]);
                    self.cancel(begin, reason, true);
                } else if self.chance.happens(500) {
                    let (plan, cents) = PLANS[usize::from(plan == PLANS[0].0)];
                    self.step(begin, Course::Change(plan, cents));
                }
            }
        }
    }

    /// Ends the subscription, if there is one.
    pub(super) fn cancel(&mut self, begin: Micros, reason: &'static str, voluntary: bool) {
        if matches!(self.life.subscription.last(), Some(Step { what: Course::Start(..) | Course::Change(..), .. })) {
            self.step(begin, Course::Cancel(reason, voluntary));
        }
    }

    fn step(&mut self, begin: Micros, what: Course) {
        if let Some(at) = self.instant(begin, 8, 22) {
            self.life.subscription.push(Step { at, what });
        }
    }
}
