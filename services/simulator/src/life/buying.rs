//! What a customer buys, how it is delivered, and what comes back.

use super::{Contact, FULL, Line, Living, Return, Sale};
use crate::{
    Micros,
    company::{CATEGORIES, LATE, PRODUCTS, SHOPS, Survey, TROUBLES},
    timeline::{DAY, HOUR},
};

impl Living<'_> {
    /// Perhaps buys on this day; who has just become a customer does.
    pub(super) fn shop(&mut self, day: i64, begin: Micros, trouble: i64) {
        let is_first = self.life.sales.is_empty() && self.life.since >= begin;
        let liking = FULL / 2 + self.mood;
        if !is_first && !self.chance.happens(self.habit * liking / FULL) {
            return;
        }
        let at = if is_first { Some(self.life.since) } else { self.instant(begin, 7, 23) };
        // One purchase a day.
        let Some(at) = at.filter(|at| self.timeline.day(day + 1) > *at) else { return };
        self.visit(at);
        self.buy(at, is_first);
        self.rise(at + 1);
        self.deliver(at, trouble);
        if self.chance.happens(100_000) {
            self.answer(Survey::Checkout, at + HOUR / 4, 150_000, None);
        }
    }

    fn visit(&mut self, sale: Micros) {
        if self.chance.happens(300_000) && sale - HOUR >= self.life.since {
            let at = sale - self.chance.between(HOUR / 20, HOUR);
            self.contact(Contact {
                touchpoint: "catalogue",
                stage: "consideration",
                outcome: "converted",
                ..Contact::turned(at, true)
            });
        }
    }

    fn buy(&mut self, at: Micros, is_first: bool) {
        let channel = self.chance.weighted(&SHOPS).unwrap_or_default();
        let voucher = if is_first && self.bargain { "WELCOME" } else { "" };
        // Who is content needs no discount.
        let off = match voucher {
            "" if self.chance.happens((FULL - self.mood) / 4) => 10,
            "" => 0,
            _ => 30,
        };
        let lines = (0..self.chance.between(1, 3)).map(|_| self.line(off)).collect();
        // What is bought on account is paid late by the discontent.
        let on_account = self.chance.happens(300_000);
        let days = self.chance.between(2, 16 + (FULL - self.mood) / 50_000);
        let (due, paid) = match on_account {
            false => (at, Some(at)),
            true => (at + 14 * DAY, self.known(at + days * DAY)),
        };
        self.life.sales.push(Sale { at, channel, voucher, lines, due, paid });
    }

    fn line(&mut self, off: i64) -> Line {
        let (category, low, high) = self.chance.weighted(&CATEGORIES).unwrap_or(CATEGORIES[0].1);
        let product = format!("{category}-{:02}", self.chance.between(1, PRODUCTS));
        let price = self.chance.between(low / 10, high / 10) * 10 - 1;
        let quantity = self.chance.between(1, 2);
        Line { product, category, quantity, price, discount: price * quantity * off / 100 }
    }

    /// The parcel comes in two days, or late: more often so when the service is bad.
    fn deliver(&mut self, sale: Micros, trouble: i64) {
        let late = self.chance.happens(30_000 + trouble * 620);
        let days = if late { self.chance.between(6, 11) } else { 2 };
        let at = sale + days * DAY;
        self.moved(if late { -110_000 } else { 12_000 });
        let damaged = self.chance.happens(25_000);
        if late && self.chance.happens(300_000) {
            self.complain(at - DAY, LATE, trouble);
        } else if damaged && let Some(about) = self.chance.weighted(&TROUBLES) {
            self.moved(-90_000);
            self.complain(at + DAY, about, trouble);
        }
        if let Some(delivered) = self.known(at) {
            self.delivered.push((delivered, late));
        }
        if self.chance.happens(if late { 140_000 } else { 60_000 }) {
            self.give_back(at);
        }
    }

    fn give_back(&mut self, delivered: Micros) {
        let sale = self.life.sales.len() - 1;
        let lines = self.life.sales[sale].lines.len();
        let from_line = usize::from(lines > 1 && self.chance.happens(500_000));
        let at = delivered + self.chance.between(DAY, 20 * DAY);
        if let Some(at) = self.known(at) {
            self.life.returns.push(Return { at, sale, from_line });
        }
    }
}
