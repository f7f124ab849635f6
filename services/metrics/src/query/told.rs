//! What a figure is made of, told fact by fact while it is made.
//!
//! The functions that make figures tell it at the place where they count, so that what is told can not differ from what is
//! counted. Who only asks for figures has no [`Recorder`], and nothing is told.

use std::{
    cell::RefCell,
    cmp::Ordering,
    collections::{BTreeMap, BinaryHeap, btree_map::Entry},
};

use barometer_chassis::error::Error;
use rustc_hash::FxHashMap;
use uuid::Uuid;

use super::Ask;
use crate::columns::{Facts, people::NOBODY, promises::NO_PROMISE, redresses::NO_CASE};

/// Things gathered at most, each of which several facts stand for: about 50 MB.
const MAX_GATHERED: usize = 1_000_000;

/// A kind of facts, each with its row, by which a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// By its number among people.
    Customer,
    Purchase,
    Interaction,
    SubscriptionEvent,
    MembershipEvent,
    Referral,
    Cost,
    Response,
    Invitation,
    Case,
    /// By the row of its hand-off, or told by its id.
    CaseEntry,
    CaseClock,
    Escalation,
    Promise,
    FollowUp,
}

/// What of a fact goes into a figure, beside that it is counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Worth {
    /// Nothing.
    None,
    /// A score, or points.
    Number(f64),
    /// A duration in microseconds.
    Time(i64),
    /// Micro-units of the group's currency.
    Amount(i128),
}

/// A fact that a figure is made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) kind: Kind,
    pub(crate) id: Uuid,
    /// When it happened, as the figure counts it.
    pub(crate) at: i64,
    /// The customer; nobody of what is anonymous.
    pub(crate) customer: Option<Uuid>,
    /// The counts to which it adds, and how much.
    pub(crate) counts: Vec<(&'static str, f64)>,
    pub(crate) worth: Worth,
}

/// Which facts are to be told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Only those that add to this count.
    pub(crate) count: Option<&'static str>,
    /// Only those of which more goes into the figure than that they are counted.
    pub(crate) worth: bool,
    /// Only those after this place in the order of time and id.
    pub(crate) after: Option<(i64, Uuid)>,
    /// How many at most, the first of them.
    pub(crate) size: usize,
    /// Of a table of cohorts: the name of the cohort's period, and how many periods later.
    pub(crate) cohort: Option<(String, usize)>,
}

/// Takes down what is told: the first facts of what is wanted, and how many there are. Each fact is told once.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) wanted: Wanted,
    taken: RefCell<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: u64,
    /// The last of them on top.
    first: BinaryHeap<ByTime>,
    /// What several facts stand for: since when, and the counts, by their place in the catalogue.
    gathered: FxHashMap<(Kind, u32), (i64, u32)>,
}

#[derive(Debug)]
struct ByTime(Told);

impl Recorder {
    /// Takes down what is wanted.
    pub(crate) fn new(wanted: Wanted) -> Self {
        Recorder { wanted, taken: RefCell::default() }
    }

    /// Tells of what was gathered, of each thing once.
    ///
    /// Errors: INVALID when too many things had to be gathered.
    pub(crate) fn finish(&self, ask: &Ask<'_>) -> Result<(), Error> {
        let gathered = std::mem::take(&mut self.taken.borrow_mut().gathered);
        if gathered.len() > MAX_GATHERED {
            let told = format!("more than {MAX_GATHERED} customers or cases: ask for less time, or filter");
            return Err(Error::invalid("metric", "TOO_MANY", told));
        }
        for ((kind, row), (at, mask)) in gathered {
            let names = (0_u32..).zip(ask.metric.counts).filter(|(index, _)| mask >> index & 1 == 1);
            let counts: Vec<_> = names.map(|(_, name)| (*name, 1.0)).collect();
            ask.tell(kind, row, at, &counts, Worth::None);
        }
        Ok(())
    }

    /// The facts in the order of time and id, and how many there are with those on other pages.
    pub(crate) fn told(self) -> (Vec<Told>, u64) {
        let Taken { total, first, .. } = self.taken.into_inner();
        (first.into_sorted_vec().into_iter().map(|ByTime(told)| told).collect(), total)
    }

    /// Takes over what others took down of the same facts for parts of a figure: each fact once, with the counts of all.
    pub(crate) fn absorb(&self, of_parts: Vec<(Vec<Told>, u64)>) {
        let mut facts: BTreeMap<(i64, Uuid, Kind), Told> = BTreeMap::new();
        let mut taken = self.taken.borrow_mut();
        for (told, total) in of_parts {
            taken.total += total;
            for fact in told {
                match facts.entry((fact.at, fact.id, fact.kind)) {
                    Entry::Vacant(place) => drop(place.insert(fact)),
                    Entry::Occupied(mut place) => place.get_mut().counts.extend(fact.counts),
                }
            }
        }
        taken.first.extend(facts.into_values().take(self.wanted.size).map(ByTime));
    }

    fn take(&self, told: impl FnOnce() -> Told, (at, id): (i64, Uuid)) {
        let mut taken = self.taken.borrow_mut();
        taken.total += 1;
        if self.wanted.after.is_some_and(|after| (at, id) <= after) {
            return;
        }
        let is_full = taken.first.len() >= self.wanted.size;
        if is_full && taken.first.peek().is_none_or(|ByTime(last)| (last.at, last.id) <= (at, id)) {
            return;
        }
        taken.first.push(ByTime(told()));
        if is_full {
            taken.first.pop();
        }
    }
}

impl Ask<'_> {
    /// Whether somebody asks what the figure is made of.
    pub(crate) fn is_explained(&self) -> bool {
        self.recorder.is_some()
    }

    /// Tells of a fact, once, to which counts it adds how much. Counts that the metric has not are left out, and a fact that adds
    /// to none of those named; one of which none is named goes into the figure by its worth alone.
    pub(crate) fn tell(&self, kind: Kind, row: u32, at: i64, counts: &[(&'static str, f64)], worth: Worth) {
        if self.recorder.is_some() {
            self.tell_by_id(kind, (kind.id(self.facts, row), kind.customer(self.facts, row)), at, counts, worth);
        }
    }

    /// The same of an entry of a case's history by its id.
    pub(crate) fn tell_entry(&self, case: u32, id: Uuid, at: i64) {
        if self.recorder.is_some() {
            let of = (id, Kind::Case.customer(self.facts, case));
            self.tell_by_id(Kind::CaseEntry, of, at, &[], Worth::None);
        }
    }

    /// Tells of a thing that several facts stand for, as often as one does: it adds 1 to the count, and happened with the first.
    pub(crate) fn gather(&self, kind: Kind, row: u32, at: i64, count: &'static str) {
        let Some(recorder) = self.recorder else { return };
        let Some(place) = self.metric.counts.iter().position(|name| *name == count) else { return };
        let gathered = &mut recorder.taken.borrow_mut().gathered;
        if gathered.len() <= MAX_GATHERED {
            let (first, mask) = gathered.entry((kind, row)).or_insert((at, 0));
            *first = at.min(*first);
            *mask |= 1 << place;
        }
    }

    fn tell_by_id(
        &self,
        kind: Kind,
        (id, customer): (Uuid, u32),
        at: i64,
        counts: &[(&'static str, f64)],
        worth: Worth,
    ) {
        let Some(recorder) = self.recorder else { return };
        let known = || counts.iter().copied().filter(|(name, by)| *by != 0.0 && self.metric.counts.contains(name));
        let is_wanted = match recorder.wanted.count {
            Some(count) => known().any(|(name, _)| name == count),
            None => counts.is_empty() || known().next().is_some(),
        };
        if is_wanted && (worth != Worth::None || !recorder.wanted.worth) {
            let people = self.facts.people.as_slice();
            let customer = || people.get(customer as usize).copied();
            let told = || Told { kind, id, at, customer: customer(), counts: known().collect(), worth };
            recorder.take(told, (at, id));
        }
    }
}

impl Kind {
    /// The service whose fact it is, and what it is called there.
    pub(crate) fn name(self) -> (&'static str, &'static str) {
        match self {
            Kind::Customer => ("customers", "customer"),
            Kind::Purchase => ("customers", "purchase"),
            Kind::Interaction => ("customers", "interaction"),
            Kind::SubscriptionEvent => ("customers", "subscription_event"),
            Kind::MembershipEvent => ("customers", "membership_event"),
            Kind::Referral => ("customers", "referral"),
            Kind::Cost => ("customers", "cost"),
            Kind::Response => ("surveys", "response"),
            Kind::Invitation => ("surveys", "invitation"),
            Kind::Case => ("complaints", "case"),
            Kind::CaseEntry => ("complaints", "case_entry"),
            Kind::CaseClock => ("complaints", "case_clock"),
            Kind::Escalation => ("complaints", "escalation"),
            Kind::Promise => ("complaints", "promise"),
            Kind::FollowUp => ("complaints", "follow_up"),
        }
    }

    fn id(self, facts: &Facts, row: u32) -> Uuid {
        let index = row as usize;
        match self {
            Kind::Customer => facts.people.as_slice().get(index).copied().unwrap_or_default(),
            Kind::Purchase => facts.purchases.rows.id(index),
            Kind::Interaction => facts.interactions.rows.id(index),
            Kind::SubscriptionEvent => facts.subscriptions.rows.id(index),
            Kind::MembershipEvent => facts.memberships.rows.id(index),
            Kind::Referral => facts.referrals.rows.id(index),
            Kind::Cost => facts.costs.rows.id(index),
            Kind::Response => facts.responses.rows.id(index),
            Kind::Invitation => facts.invitations.rows.id(index),
            Kind::Case => facts.cases.rows.id(index),
            Kind::CaseEntry => facts.cases.hand_offs.ids[index],
            Kind::CaseClock => facts.clocks.rows.id(index),
            Kind::Escalation => facts.escalations.rows.id(index),
            Kind::Promise => facts.promises.rows.id(index),
            Kind::FollowUp => facts.follow_ups.rows.id(index),
        }
    }

    /// The customer's number among people.
    fn customer(self, facts: &Facts, row: u32) -> u32 {
        let index = row as usize;
        let of_case = |case: u32| facts.cases.customers.get(case as usize).copied().unwrap_or(NOBODY);
        match self {
            Kind::Customer => row,
            Kind::Purchase => facts.purchases.customers[index],
            Kind::Interaction => facts.interactions.customers[index],
            Kind::SubscriptionEvent => facts.subscriptions.customers[index],
            Kind::MembershipEvent => facts.memberships.customers[index],
            Kind::Referral => facts.referrals.customers[index],
            Kind::Cost => NOBODY,
            Kind::Response => facts.responses.customers[index],
            Kind::Invitation => facts.invitations.customers[index],
            Kind::Case => of_case(row),
            Kind::CaseEntry => of_case(facts.cases.hand_offs.cases[index]),
            Kind::CaseClock => of_case(facts.clocks.cases[index]),
            Kind::Escalation => match (facts.escalations.cases[index], facts.escalations.promises[index]) {
                (NO_CASE, NO_PROMISE) => NOBODY,
                (NO_CASE, promise) => facts.promises.customers[promise as usize],
                (case, _) => of_case(case),
            },
            Kind::Promise => facts.promises.customers[index],
            Kind::FollowUp => facts.follow_ups.customers[index],
        }
    }
}

impl Ord for ByTime {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |ByTime(told): &Self| (told.at, told.id);
        place(self).cmp(&place(other))
    }
}

impl PartialOrd for ByTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByTime {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ByTime {}
