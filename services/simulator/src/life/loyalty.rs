//! What members do in the loyalty programme, and who recommended the company to whom. It follows from the rest of a life by
//! a chance of its own, and changes nothing of it.

use super::{Attribute, Life, Living};
use crate::{
    Micros,
    chance::Chance,
    timeline::{DAY, HOUR, Timeline},
};

/// What the chance is for, beside that of the life itself.
const PURPOSE: u64 = 1;
/// From how many points on some redeem them.
const ENOUGH: i64 = 500;
/// Sales after which a voucher is granted, again and again.
const SALES: usize = 5;
/// How long a voucher can be redeemed.
const VALID: Micros = 60 * DAY;

/// What a voucher is worth, in cents; a point is worth one.
pub const VOUCHER: i64 = 500;

/// Something that happened in the loyalty programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Perk {
    /// When.
    pub at: Micros,
    /// What.
    pub what: Given,
}

/// What can happen in the loyalty programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// The customer joins.
    Join,
    /// So many points are earned by a sale.
    Points(i64, usize),
    /// So many points are redeemed.
    Redeemed(i64),
    /// The voucher of this ordinal is granted, until an instant.
    Voucher(usize, Micros),
    /// It is redeemed.
    VoucherUsed(usize),
    /// It expires.
    VoucherLost(usize),
}

/// That the customer was recommended by another, or recommended the company to somebody who never came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Referral {
    /// Another one, by its number, brought this customer.
    By(u32, Micros),
    /// This customer recommended the company, so far without effect.
    InVain(Micros),
}

impl Life {
    /// What follows for the loyalty programme.
    pub(super) fn with_loyalty(mut self, timeline: &Timeline, seed: u64) -> Self {
        let mut chance = Chance::new(seed, self.number, PURPOSE);
        self.perks = perks(&self, &mut chance, timeline.until());
        self.referrals = referrals(&self, &mut chance, timeline, seed);
        self
    }

    /// Since when it is a member, if it ever was one.
    pub fn joined(&self) -> Option<Micros> {
        let change = self.changes.iter().find(|change| change.to == Attribute::Member);
        if self.member { Some(self.since) } else { change.map(|change| change.at) }
    }
}

fn perks(life: &Life, chance: &mut Chance, until: Micros) -> Vec<Perk> {
    let Some(joined) = life.joined() else { return Vec::new() };
    let (mut perks, mut points) = (vec![Perk { at: joined, what: Given::Join }], 0);
    let sales = life.sales.iter().enumerate().filter(|(_, sale)| sale.at >= joined);
    for (count, (index, sale)) in sales.enumerate() {
        let earned = sale.amount() / 100;
        if earned > 0 {
            perks.push(Perk { at: sale.at, what: Given::Points(earned, index) });
            points += earned;
        }
        if points >= ENOUGH && chance.happens(400_000) {
            perks.push(Perk { at: sale.at + HOUR, what: Given::Redeemed(points) });
            points = 0;
        }
        if (count + 1).is_multiple_of(SALES) {
            let (voucher, granted) = (count / SALES, sale.at + DAY);
            let ends = match chance.happens(400_000) {
                true => Perk { at: granted + chance.between(1, 59) * DAY, what: Given::VoucherUsed(voucher) },
                false => Perk { at: granted + VALID, what: Given::VoucherLost(voucher) },
            };
            perks.extend([Perk { at: granted, what: Given::Voucher(voucher, granted + VALID) }, ends]);
        }
    }
    perks.retain(|perk| perk.at < until);
    perks.sort_by_key(|perk| perk.at);
    perks
}

fn referrals(life: &Life, chance: &mut Chance, timeline: &Timeline, seed: u64) -> Vec<Referral> {
    let mut referrals = Vec::new();
    if life.since >= timeline.start() && chance.happens(250_000) {
        let other = u32::try_from(chance.below(i64::from(life.number))).unwrap_or_default();
        let at = life.since - chance.between(1, 20) * DAY;
        // Who was not there yet has recommended nothing.
        if other < life.number && Living::born(timeline, seed, other).life.since <= at {
            referrals.push(Referral::By(other, at));
        }
    }
    if let Some(sale) = life.sales.last()
        && chance.happens(120_000)
        && sale.at + DAY < timeline.until()
    {
        referrals.push(Referral::InVain(sale.at + DAY));
    }
    referrals
}
