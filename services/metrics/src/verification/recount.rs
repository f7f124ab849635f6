//! Facts counted one by one: a second way to a figure, which shares nothing with columns and queries.
//!
//! Of a fact a few values are kept by its number, in its latest version. A metric is a few lines: which facts it counts, and
//! what becomes of them.

mod definitions;

use std::collections::BTreeMap;

use barometer_chassis::clock::Micros;
use barometer_proto::{complaints::v1 as complaints, customers::v1 as customers, surveys::v1 as surveys};
use prost_types::Timestamp;
use rustc_hash::{FxHashMap, FxHashSet};
use uuid::Uuid;

use self::definitions::{Definition, find};
use crate::query::{Figure, Query};

/// A fact that can be counted.
pub(crate) trait Countable {
    /// Keeps what is counted of it.
    fn note(&self, recount: &mut Recount);
}

/// The facts that are counted, in their latest version.
#[derive(Debug, Default)]
pub(crate) struct Recount {
    keeps: Keeps,
    surveys: Latest<Survey>,
    answers: Latest<Answer>,
    purchases: Latest<Purchase>,
    contacts: Latest<Contact>,
    referrals: Latest<i64>,
    cases: Latest<Case>,
}

/// Which facts are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keeps {
    answers: bool,
    purchases: bool,
    contacts: bool,
    referrals: bool,
    cases: bool,
}

/// By number: the latest version, and what is kept of it; nothing when it was withdrawn.
#[derive(Debug)]
struct Latest<T>(FxHashMap<i64, (i64, Option<T>)>);

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Latest(FxHashMap::default())
    }
}

impl<T> Latest<T> {
    fn put(&mut self, number: i64, version: i64, fact: Option<T>) {
        let kept = self.0.entry(number).or_insert((i64::MIN, None));
        if version >= kept.0 {
            *kept = (version, fact);
        }
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.values().filter_map(|(_, fact)| fact.as_ref())
    }
}

#[derive(Debug)]
struct Survey {
    id: Uuid,
    kind: surveys::SurveyKind,
    group: &'static str,
}

#[derive(Debug)]
struct Answer {
    survey: Uuid,
    at: i64,
    score: Option<i32>,
}

#[derive(Debug)]
struct Purchase {
    customer: Uuid,
    at: i64,
    /// Micro-units.
    amount: i64,
    currency: [u8; 3],
}

#[derive(Debug)]
struct Contact {
    at: i64,
    inbound: bool,
}

#[derive(Debug)]
struct Case {
    at: i64,
    responded: bool,
    resolved: bool,
}

/// What a fact adds to its cell.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    at: i64,
    /// The value of the dimension that the metric is always grouped by.
    group: String,
    counts: [u64; 4],
    sums: [i128; 2],
    buyer: Option<Uuid>,
}

/// What the facts of a period and group add up to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: [u64; 4],
    sums: [i128; 2],
    buyers: FxHashSet<Uuid>,
}

/// What was counted of a metric.
#[derive(Debug)]
pub(super) struct Counted {
    /// By the start of the period, and the value of `dimension`.
    pub(super) cells: BTreeMap<(i64, String), Cell>,
    /// Of no facts.
    pub(super) nothing: Cell,
    /// When the first of the facts happened, in microseconds, that are within the time asked for and in no period of the answer.
    pub(super) outside: Option<i64>,
    /// What the metric is always grouped by; empty when it is not.
    pub(super) dimension: &'static str,
}

/// What was counted in a period for a group.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    /// End of the period.
    pub(super) end: i64,
    pub(super) value: Option<f64>,
    pub(super) counts: Vec<(&'static str, f64)>,
    /// Micro-units.
    pub(super) amounts: Vec<(&'static str, i128)>,
}

impl Recount {
    /// Keeps what is needed to count these metrics.
    pub(crate) fn of(metrics: &[&str]) -> Self {
        let needs = metrics.iter().filter_map(|metric| find(metric)).map(|definition| definition.keeps);
        let keeps = needs.fold(Keeps::default(), |all, one| Keeps {
            answers: all.answers || one.answers,
            purchases: all.purchases || one.purchases,
            contacts: all.contacts || one.contacts,
            referrals: all.referrals || one.referrals,
            cases: all.cases || one.cases,
        });
        Recount { keeps, ..Recount::default() }
    }

    /// Counts the metric of a query in the periods of an answer. Nothing when it is not to be had by counting.
    pub(super) fn count(&self, query: &Query, live: &[Figure]) -> Option<Counted> {
        let definition = find(query.metrics[0].id)?;
        let Query { group_by, filters, parameters, .. } = query;
        if !group_by.is_empty() || !filters.is_empty() || parameters.weighted || parameters.latest_per_customer {
            return None;
        }
        let mut periods: Vec<_> = live.iter().map(|figure| (figure.start, figure.end)).collect();
        periods.sort_unstable();
        periods.dedup();
        let Definition { dimension, items, told, keeps: _, metric: _ } = definition;
        let (mut tallies, mut outside) = (BTreeMap::<(i64, String), (i64, Tally)>::new(), None::<i64>);
        items(self, &mut |item| {
            let Item { at, group, counts, sums, buyer } = item;
            if query.start.is_some_and(|start| at < start) || query.end.is_some_and(|end| at >= end) {
                return;
            }
            let before = periods.partition_point(|(start, _)| *start <= at);
            let period = before.checked_sub(1).map(|index| periods[index]).filter(|(_, end)| at < *end);
            let Some((start, end)) = period else {
                outside = Some(outside.map_or(at, |first| first.min(at)));
                return;
            };
            let (_, tally) = tallies.entry((start, group)).or_insert_with(|| (end, Tally::default()));
            tally.counts.iter_mut().zip(counts).for_each(|(all, one)| *all += one);
            tally.sums.iter_mut().zip(sums).for_each(|(all, one)| *all += one);
            tally.buyers.extend(buyer);
        });
        let cells = tallies.into_iter().map(|(key, (end, tally))| (key, Cell { end, ..told(&tally) }));
        Some(Counted { cells: cells.collect(), nothing: told(&Tally::default()), outside, dimension })
    }
}

fn micros(at: Option<&Timestamp>) -> Option<i64> {
    at.and_then(Micros::from_wire).map(|at| at.0)
}

impl Countable for surveys::Fact {
    fn note(&self, recount: &mut Recount) {
        use surveys::{FactKind, SurveyKind, SurveyType, fact::Fact};
        let surveys::Fact { id, number, version, fact, write_time: _ } = self;
        let Recount { keeps, surveys, answers, .. } = recount;
        if !keeps.answers {
            return;
        }
        match fact {
            Some(Fact::Survey(fact)) => {
                let kind = SurveyKind::try_from(fact.kind).unwrap_or_default();
                let group = if fact.r#type() == SurveyType::Transactional { "transactional" } else { "relational" };
                surveys.put(*number, *version, Uuid::try_parse(id).ok().map(|id| Survey { id, kind, group }));
            }
            Some(Fact::Response(fact)) => {
                let survey = Uuid::try_parse(&fact.survey_id).ok();
                let answer = survey.zip(micros(fact.time.as_ref()));
                answers.put(*number, *version, answer.map(|(survey, at)| Answer { survey, at, score: fact.score }));
            }
            Some(Fact::Tombstone(tombstone)) => match tombstone.kind() {
                FactKind::Survey => surveys.put(*number, *version, None),
                FactKind::Response => answers.put(*number, *version, None),
                FactKind::Invitation | FactKind::Unspecified => {}
            },
            Some(Fact::Invitation(_)) | None => {}
        }
    }
}

impl Countable for customers::Fact {
    fn note(&self, recount: &mut Recount) {
        use customers::{Direction, FactKind, fact::Fact};
        let customers::Fact { id: _, number, version, fact, write_time: _ } = self;
        let Recount { keeps, purchases, contacts, referrals, .. } = recount;
        match fact {
            Some(Fact::Purchase(fact)) if keeps.purchases => {
                purchases.put(*number, *version, purchase(fact));
            }
            Some(Fact::Interaction(fact)) if keeps.contacts => {
                let inbound = fact.direction() == Direction::Inbound;
                contacts.put(*number, *version, micros(fact.time.as_ref()).map(|at| Contact { at, inbound }));
            }
            Some(Fact::Referral(fact)) if keeps.referrals => {
                referrals.put(*number, *version, micros(fact.time.as_ref()));
            }
            Some(Fact::Tombstone(tombstone)) => match tombstone.kind() {
                FactKind::Purchase if keeps.purchases => purchases.put(*number, *version, None),
                FactKind::Interaction if keeps.contacts => contacts.put(*number, *version, None),
                FactKind::Referral if keeps.referrals => referrals.put(*number, *version, None),
                _ => {}
            },
            _ => {}
        }
    }
}

fn purchase(fact: &customers::PurchaseFact) -> Option<Purchase> {
    let amount = fact.amount.as_ref()?;
    Some(Purchase {
        customer: Uuid::try_parse(&fact.customer_id).ok()?,
        at: micros(fact.time.as_ref())?,
        amount: amount.units.checked_mul(1_000_000)?.checked_add(i64::from(amount.nanos / 1_000))?,
        currency: amount.currency_code.as_bytes().try_into().ok()?,
    })
}

impl Countable for complaints::Fact {
    fn note(&self, recount: &mut Recount) {
        use complaints::{FactKind, case::State, fact::Fact};
        let complaints::Fact { id: _, number, version, fact, write_time: _ } = self;
        let Recount { keeps, cases, .. } = recount;
        if !keeps.cases {
            return;
        }
        match fact {
            Some(Fact::Case(fact)) => {
                // The case that it was merged into stands for it.
                let at = micros(fact.open_time.as_ref()).filter(|_| fact.state() != State::Merged);
                let (responded, resolved) = (fact.first_response_time.is_some(), fact.first_resolve_time.is_some());
                cases.put(*number, *version, at.map(|at| Case { at, responded, resolved }));
            }
            Some(Fact::Tombstone(tombstone)) if tombstone.kind() == FactKind::Case => {
                cases.put(*number, *version, None)
            }
            _ => {}
        }
    }
}
