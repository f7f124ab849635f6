//! What a customer complains about, and how the company deals with it.

use super::{Case, Contact, Living};
use crate::{
    Micros,
    company::{DESKS, EMPLOYEES, Survey},
    timeline::{DAY, HOUR},
};

/// One minute.
const MINUTE: Micros = HOUR / 60;

impl Living<'_> {
    /// Opens a case; the worse the service, the later it is answered and solved.
    pub(super) fn complain(&mut self, opened: Micros, (category, team): (&'static str, &'static str), trouble: i64) {
        let Some(opened) = self.known(opened) else { return };
        let slower = 1_000 + 5 * trouble;
        let channel = self.chance.weighted(&DESKS).unwrap_or_default();
        let employee = self.chance.between(1, EMPLOYEES);
        let waits = self.chance.between(20 * MINUTE, 26 * HOUR) / 1_000 * slower;
        let takes = self.chance.between(2 * HOUR, 4 * DAY) / 1_000 * slower;
        let responded = opened + waits;
        let resolved = responded + takes;
        let acknowledged = opened + waits.min(self.chance.between(MINUTE, 90 * MINUTE));
        let reopened =
            self.chance.happens(60_000 + 160 * trouble).then(|| resolved + self.chance.between(DAY, 9 * DAY));
        let case = Case {
            opened,
            category,
            product: self.life.sales.last().map(|sale| sale.lines[0].product.clone()).unwrap_or_default(),
            channel,
            team,
            employee,
            acknowledged: self.known(acknowledged),
            responded: self.known(responded),
            resolved: self.known(resolved),
            reopened: reopened.and_then(|at| self.known(at)),
            resolved_again: reopened.and_then(|at| self.known(at + takes / 2)),
            closed: self.known(resolved + 10 * DAY).filter(|_| reopened.is_none()),
        };
        self.life.cases.push(case);
        self.talk(opened, responded, channel, team, employee);
        // A quick answer makes good for more than the trouble was.
        self.moved(if waits <= DAY { 60_000 } else { -80_000 });
        if self.chance.happens(500_000) {
            let effect = if waits <= DAY { 180_000 } else { -150_000 };
            self.answer(Survey::Support, resolved + 4 * HOUR, effect, None);
        }
    }

    fn talk(&mut self, opened: Micros, responded: Micros, channel: &'static str, team: &'static str, employee: i64) {
        let minutes = self.chance.between(3, 25);
        let about = Contact {
            channel,
            touchpoint: "service desk",
            stage: "support",
            team,
            employee,
            minutes,
            ..Contact::turned(opened, true)
        };
        self.contact(about);
        self.contact(Contact { at: responded, inbound: false, outcome: "answered", ..about });
    }
}
