//! Figures of how many customers are members, are active in the programme, or recommend the company.

use std::ops::Range;

use barometer_chassis::{clock::Micros, error::Error};

use crate::{
    columns::{memberships::event, people::NOBODY, times::NEVER},
    measures::customers::known::{standing, standing_while},
    query::{
        Ask,
        cut::Cutter,
        figures::{Figure, Grid, Measured},
        told::Kind,
    },
    rules::proportion::ProportionTally,
};

pub(crate) fn members(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let mut cutter = ask.cutter();
    let members = are_members(ask, &mut cutter)?;
    Ok(ask.figures(&cutter, &members, |members| Measured::count(*members, *members, [("members", *members)])))
}

pub(crate) fn enrolment_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let mut cutter = ask.cutter();
    let customers = standing(ask, &mut cutter, count(ask, "customers"))?;
    let members = are_members(ask, &mut cutter)?;
    Ok(ask.figures(&cutter, &both(ask, cutter.groups(), &members, &customers), |[members, customers]| {
        share(ask, ("members", *members), ("customers", *customers))
    }))
}

pub(crate) fn active_member_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    const ACTIVE: [u8; 4] = [event::JOIN, event::EARN, event::REDEEM, event::REDEEM_VOUCHER];
    let (facts, memberships) = (ask.facts, &ask.facts.memberships);
    let events = memberships.times.as_slice().iter().zip(&memberships.customers).enumerate();
    let active = events.filter(|(row, _)| ACTIVE.contains(&memberships.kind.get(*row)));
    let active = Moments::new(active.map(|(_, (at, person))| (*person, *at)), ask.query.parameters.member_days);
    let mut cutter = ask.cutter();
    let members = are_members(ask, &mut cutter)?;
    let active = standing_while(
        ask,
        &mut cutter,
        |person, spans| {
            let mut member = Vec::new();
            facts.attributes.member(person, &mut member);
            let meet = |one: &Range<i64>, other: &Range<i64>| one.start.max(other.start)..one.end.min(other.end);
            spans.extend(active.of(person).flat_map(|active| member.iter().map(move |member| meet(&active, member))));
        },
        count(ask, "active"),
    )?;
    Ok(ask.figures(&cutter, &both(ask, cutter.groups(), &active, &members), |[active, members]| {
        share(ask, ("active", *active), ("members", *members))
    }))
}

pub(crate) fn advocate_share(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let referrals = &ask.facts.referrals;
    let made = referrals.times.as_slice().iter().zip(&referrals.customers).map(|(at, person)| (*person, *at));
    let made = Moments::new(made, ask.query.parameters.referral_days);
    let mut cutter = ask.cutter();
    let customers = standing(ask, &mut cutter, count(ask, "customers"))?;
    let advocates =
        standing_while(ask, &mut cutter, |person, spans| spans.extend(made.of(person)), count(ask, "advocates"))?;
    Ok(ask.figures(&cutter, &both(ask, cutter.groups(), &advocates, &customers), |[advocates, customers]| {
        share(ask, ("advocates", *advocates), ("customers", *customers))
    }))
}

/// Instants of customers that hold for some days.
struct Moments {
    /// By customer.
    all: Vec<(u32, i64)>,
    days: u32,
}

impl Moments {
    fn new(all: impl Iterator<Item = (u32, i64)>, days: u32) -> Self {
        let mut all: Vec<_> = all.filter(|(person, at)| *person != NOBODY && *at != NEVER).collect();
        all.sort_unstable();
        Moments { all, days }
    }

    /// The stretches of time in which one of a customer lies no more than those days back.
    fn of(&self, person: u32) -> impl Iterator<Item = Range<i64>> {
        let first = self.all.partition_point(|(other, _)| *other < person);
        let of_person = self.all[first..].iter().take_while(move |(other, _)| *other == person);
        let long = i64::from(self.days).saturating_mul(Micros::DAY);
        of_person.map(move |(_, at)| *at..at.saturating_add(long))
    }
}

/// Tells of customers that they add to a count.
fn count<'a>(ask: &'a Ask<'_>, name: &'static str) -> impl FnMut(u32, i64) + 'a {
    move |person, at| ask.gather(Kind::Customer, person, at, name)
}

/// How many are members when each period ends.
fn are_members(ask: &Ask<'_>, cutter: &mut Cutter<'_>) -> Result<Grid<u64>, Error> {
    let spans = |person, spans: &mut Vec<Range<i64>>| ask.facts.attributes.member(person, spans);
    standing_while(ask, cutter, spans, count(ask, "members"))
}

/// Two grids as one.
fn both(ask: &Ask<'_>, groups: usize, one: &Grid<u64>, other: &Grid<u64>) -> Grid<[u64; 2]> {
    let mut both = Grid::new(ask.periods.len());
    for group in 0..u32::try_from(groups).unwrap_or(u32::MAX) {
        for period in 0..ask.periods.len() {
            *both.cell(group, period) = [one.get(group, period), other.get(group, period)];
        }
    }
    both
}

fn share(ask: &Ask<'_>, (name, some): (&'static str, u64), (of, all): (&'static str, u64)) -> Measured {
    let tally = ProportionTally::of_counts(some, all.saturating_sub(some));
    Measured::share(&tally, ask.query.parameters.level, [(name, some), (of, all)])
}
