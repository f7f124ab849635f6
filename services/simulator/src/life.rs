//! One customer's life: who it is, and day by day what happens to it and what it does.

mod asked;
mod buying;
mod complaining;
mod facts;
mod loyalty;
mod subscribing;

pub use self::{
    facts::{Answer, Attribute, Case, Change, Contact, Course, Line, Return, Sale, Step},
    loyalty::{Given, Perk, Referral, VOUCHER},
};

use crate::{
    Micros,
    chance::Chance,
    company::{HIGH_VALUE, MARKETS, Market, REGIONS, SEGMENTS, TIERS},
    timeline::{DAY, HOUR, Timeline},
};

/// Everything that is known of one customer, each list in the order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// Number of the customer, from 0.
    pub number: u32,
    /// Since when it is one.
    pub since: Micros,
    /// Its country.
    pub country: &'static str,
    /// What it pays with.
    pub currency: &'static str,
    /// What it speaks.
    pub language: &'static str,
    /// Where in the country it lives.
    pub region: &'static str,
    /// Segments it is in from the beginning.
    pub segments: Vec<&'static str>,
    /// Whether it is a member of the loyalty programme from the beginning.
    pub member: bool,
    /// What changed afterwards.
    pub changes: Vec<Change>,
    /// What it bought.
    pub sales: Vec<Sale>,
    /// What it gave back; not in the order of time.
    pub returns: Vec<Return>,
    /// How it was in touch; not in the order of time.
    pub contacts: Vec<Contact>,
    /// What happened to its subscription, of which it has at most one.
    pub subscription: Vec<Step>,
    /// What happened to it in the loyalty programme.
    pub perks: Vec<Perk>,
    /// Who recommended it, and what it recommended itself.
    pub referrals: Vec<Referral>,
    /// What it answered.
    pub answers: Vec<Answer>,
    /// What it complained about.
    pub cases: Vec<Case>,
}

impl Life {
    /// The life that follows from a seed and a number.
    pub(crate) fn new(timeline: &Timeline, seed: u64, number: u32) -> Self {
        Living::born(timeline, seed, number).live().with_loyalty(timeline, seed)
    }

    /// The key of the customer.
    pub fn key(&self) -> String {
        key(self.number)
    }

    /// The tier at the beginning; empty when in none.
    pub fn first_tier(&self) -> &'static str {
        if self.member { TIERS[0].1 } else { "" }
    }

    /// The tier at an instant; empty when in none.
    pub fn tier(&self, at: Micros) -> &'static str {
        let changes = self.changes.iter().rev().filter(|change| change.at <= at);
        let mut tiers =
            changes.filter_map(|change| if let Attribute::Tier(tier) = change.to { Some(tier) } else { None });
        tiers.next().unwrap_or(self.first_tier())
    }
}

/// The key of the customer of a number.
pub fn key(number: u32) -> String {
    format!("c-{number:06}")
}

/// Chances of mood and habits are in millionths, as those of [`Chance`].
const FULL: i64 = 1_000_000;

/// A life that is being lived.
struct Living<'t> {
    timeline: &'t Timeline,
    life: Life,
    chance: Chance,
    /// What the customer thinks of the company when nothing happens, and what it thinks now, both of 0 to [`FULL`].
    temper: i64,
    mood: i64,
    /// Chance to buy on a day, in a middling mood.
    habit: i64,
    /// Whether a discount won it.
    bargain: bool,
    /// Whether it takes newsletters.
    reads: bool,
    tier: &'static str,
    /// Deliveries that came and are not asked about yet: when, and whether late.
    delivered: Vec<(Micros, bool)>,
    gone: bool,
}

impl<'t> Living<'t> {
    fn born(timeline: &'t Timeline, seed: u64, number: u32) -> Self {
        let mut chance = Chance::new(seed, number, 0);
        let start = timeline.start();
        // Two of five were customers before the two years.
        let since = match chance.happens(400_000) {
            true => start - chance.between(1, 900) * DAY + chance.below(DAY),
            false => start + chance.below(timeline.until() - start),
        };
        let Market { country, languages, currency } =
            chance.weighted(&MARKETS).unwrap_or(Market { country: "", languages: &[], currency: "EUR" });
        let language = chance.weighted(languages).unwrap_or_default();
        let region = chance.pick(&REGIONS);
        let segments = SEGMENTS.into_iter().filter(|_| chance.happens(300_000)).collect();
        let bargain = since >= start && chance.happens(250_000);
        let member = !bargain && chance.happens(350_000);
        let temper = chance.around(420_000, 880_000) - if bargain { 60_000 } else { 0 };
        let life = Life {
            number,
            since,
            country,
            currency,
            language,
            region,
            segments,
            member,
            changes: Vec::new(),
            sales: Vec::new(),
            returns: Vec::new(),
            contacts: Vec::new(),
            subscription: Vec::new(),
            perks: Vec::new(),
            referrals: Vec::new(),
            answers: Vec::new(),
            cases: Vec::new(),
        };
        Self {
            timeline,
            life,
            habit: FULL / chance.around(18, 60),
            reads: chance.happens(600_000),
            chance,
            temper,
            mood: temper,
            bargain,
            tier: if member { TIERS[0].1 } else { "" },
            delivered: Vec::new(),
            gone: false,
        }
    }

    fn live(mut self) -> Life {
        let first = (self.life.since - self.timeline.start()).div_euclid(DAY).max(0);
        for day in first..self.timeline.days() {
            let begin = self.timeline.day(day);
            let trouble = self.timeline.trouble(begin);
            self.feel(trouble);
            // Nobody comes to stay away.
            if day > first && self.chance.happens(400 + (FULL / 2 - self.mood).max(0) / 45) {
                self.leave(begin);
            }
            if self.gone {
                break;
            }
            self.shop(day, begin, trouble);
            self.subscribe(begin);
            self.be_asked(day, begin);
            self.hear(day, begin);
        }
        self.life.answers.sort_by_key(|answer| answer.at);
        self.life.cases.sort_by_key(|case| case.opened);
        self.life
    }

    /// Mood returns to what the customer is used to, and suffers from what it hears of a bad service.
    fn feel(&mut self, trouble: i64) {
        let target = self.temper - trouble * 260;
        self.mood = (self.mood + (target - self.mood) / 40).clamp(0, FULL);
    }

    fn moved(&mut self, by: i64) {
        self.mood = (self.mood + by).clamp(0, FULL);
    }

    fn leave(&mut self, begin: Micros) {
        self.gone = true;
        self.cancel(begin, "left", true);
    }

    /// Newsletters, four times a year.
    fn hear(&mut self, day: i64, begin: Micros) {
        let Some(at) = self.instant(begin, 7, 20) else { return };
        if !self.reads || (day + i64::from(self.life.number)) % 91 != 45 {
            return;
        }
        let converted = self.mood / 20;
        let outcomes = [(FULL - self.mood, "delivered"), (self.mood, "opened"), (converted, "converted")];
        let outcome = self.chance.weighted(&outcomes).unwrap_or_default();
        self.contact(Contact {
            channel: "email",
            touchpoint: "newsletter",
            stage: "awareness",
            campaign: "seasons",
            outcome,
            ..Contact::turned(at, false)
        });
    }

    fn contact(&mut self, contact: Contact) {
        if contact.at < self.timeline.until() {
            self.life.contacts.push(contact);
        }
    }

    /// Loyalty shows: more sales make another tier, and more money another segment.
    fn rise(&mut self, at: Micros) {
        let sales = self.life.sales.len();
        let tier = TIERS.iter().rev().find(|(from, _)| sales >= *from).map_or("", |(_, tier)| *tier);
        let is_member = self.life.member || !self.tier.is_empty();
        if !is_member && self.chance.happens(30_000) {
            self.tier = TIERS[0].1;
            self.change(at, Attribute::Member);
            self.change(at, Attribute::Tier(self.tier));
        } else if is_member && tier != self.tier {
            self.tier = tier;
            self.change(at, Attribute::Tier(tier));
        }
        let spent: i64 = self.life.sales.iter().map(Sale::amount).sum();
        let before = spent - self.life.sales.last().map_or(0, Sale::amount);
        const MUCH: i64 = 150_000;
        if before < MUCH && spent >= MUCH {
            self.change(at, Attribute::Segment(HIGH_VALUE));
        }
    }

    fn change(&mut self, at: Micros, to: Attribute) {
        self.life.changes.push(Change { at, to });
    }

    /// An instant between two hours of a day on which the customer is one, before the end of time.
    fn instant(&mut self, begin: Micros, from: i64, to: i64) -> Option<Micros> {
        let at = begin + self.chance.between(from * HOUR, to * HOUR);
        (at >= self.life.since && at < self.timeline.until()).then_some(at)
    }

    /// An instant, unless time is over before.
    fn known(&self, at: Micros) -> Option<Micros> {
        (at < self.timeline.until()).then_some(at)
    }
}
