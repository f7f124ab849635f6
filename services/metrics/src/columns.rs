//! The facts, in columns in memory: a table for each kind, a row for each fact.
//!
//! State, not deltas: a fact is written over its older version, and an older version never over a newer one, so that it
//! does not matter in which order facts come, nor how often. Whatever a figure needs beyond the facts it computes from
//! them; nothing here is a running total that could go wrong.
//!
//! Bytes that a fact takes at most, beside its declared dimensions of 4 each, and beside 16 KiB for 4,096 numbers of its service
//! among which there is one of its kind: a case 120; an end or a reopening of a case 32, and 32 once for each case that has
//! any; a hand-off 76; a redress 55; a promise 54; a step of a ladder 50; a claim 72; a follow-up 54; a clock
//! 82; an invitation 86, and 40 for the number of its id, by which answers name it; an event of a subscription 82, and 40 once
//! for each subscription; an event of a membership 89, and 24 more of joining and leaving; a voucher 40; a referral 73; a cost
//! 86; a contact 12 more when it tells what it cost; a purchase 16 more when payment is due. Of each 16 are its id. What is kept of when facts were written is by quarter of an hour in which something happened, of
//! each table: about 20. Of each customer 4 bytes lead to its row, and 4 more are its place in the order of ids, once a page of states
//! was asked for.
//!
//! Sums of answers by day take 52 bytes for each survey and value that the day has, for each of at most eight combinations of
//! columns that somebody grouped or filtered by; there is at most one such sum for 16 answers of the day, so that all of them
//! take 26 bytes an answer at most, and in most deployments less than one.
//!
//! Of each fact 32 bytes, its number, version and id, may be in memory-mapped files instead: see [`cold`].
//!
//! Only what the catalogue's metrics need is kept. A metric that needs more adds a column here: snapshots of the old
//! shape are then ignored and everything is read again.

pub(crate) mod attributes;
pub(crate) mod by_person;
pub(crate) mod cases;
pub(crate) mod choice;
pub(crate) mod claims;
pub(crate) mod clocks;
pub(crate) mod cold;
pub(crate) mod costs;
pub(crate) mod customers;
pub(crate) mod days;
pub(crate) mod declared;
pub(crate) mod dictionary;
pub(crate) mod escalations;
pub(crate) mod follow_ups;
pub(crate) mod hand_offs;
pub(crate) mod interactions;
pub(crate) mod invitations;
pub(crate) mod memberships;
pub(crate) mod people;
pub(crate) mod promises;
pub(crate) mod purchases;
pub(crate) mod redresses;
pub(crate) mod referrals;
pub(crate) mod responses;
pub(crate) mod revisions;
pub(crate) mod rows;
pub(crate) mod subscriptions;
pub(crate) mod surveys;
pub(crate) mod timelines;
pub(crate) mod times;
pub(crate) mod turns;

use std::collections::BTreeMap;

use barometer_chassis::clock::Micros;
use barometer_proto::{
    common::v1::Money, complaints::v1 as complaints_wire, customers::v1 as customers_wire, surveys::v1 as surveys_wire,
};
use prost_types::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::{
    attributes::Attributes, cases::Cases, claims::Claims, clocks::Clocks, costs::Costs, customers::Customers,
    escalations::Escalations, follow_ups::FollowUps, interactions::Interactions, invitations::Invitations,
    memberships::Memberships, people::Ids, promises::Promises, purchases::Purchases, referrals::Referrals,
    responses::Responses, rows::Rows, subscriptions::Subscriptions, surveys::Surveys,
};

/// All facts of all sources.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Customers by number, whoever named them first.
    pub(crate) people: Ids,
    pub(crate) customers: Customers,
    pub(crate) attributes: Attributes,
    pub(crate) purchases: Purchases,
    pub(crate) interactions: Interactions,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) memberships: Memberships,
    pub(crate) referrals: Referrals,
    pub(crate) costs: Costs,
    pub(crate) surveys: Surveys,
    pub(crate) responses: Responses,
    pub(crate) invitations: Invitations,
    pub(crate) cases: Cases,
    pub(crate) clocks: Clocks,
    pub(crate) promises: Promises,
    pub(crate) follow_ups: FollowUps,
    pub(crate) claims: Claims,
    pub(crate) escalations: Escalations,
}

/// Which version of which fact.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    /// The fact's id.
    pub(crate) id: Uuid,
    /// The fact's number.
    pub(crate) number: i64,
    /// Its version.
    pub(crate) version: i64,
    /// When that was written, if it was told, in microseconds.
    pub(crate) written: Option<i64>,
}

impl Stamp {
    /// Stands for a fact that others name and that has not come: older than every version of it.
    fn awaited(number: i64) -> Self {
        Stamp { id: Uuid::nil(), number, version: i64::MIN, written: None }
    }

    fn new(id: &str, number: i64, version: i64, written: Option<Timestamp>) -> Result<Self, Unreadable> {
        let id = uuid(id).ok_or(Unreadable("id"))?;
        Ok(Stamp { id, number, version, written: optional_instant(written)? })
    }
}

/// A fact that cannot be understood: the field that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its field {0} is missing or wrong")]
pub(crate) struct Unreadable(pub(crate) &'static str);

impl Facts {
    /// Puts in a fact of the customers service.
    pub(crate) fn put_customers(&mut self, fact: customers_wire::Fact) -> Result<(), Unreadable> {
        use customers_wire::{FactKind, fact::Fact};
        let customers_wire::Fact { id, number, version, fact, write_time } = fact;
        let stamp = Stamp::new(&id, number, version, write_time)?;
        match fact.ok_or(Unreadable("fact"))? {
            Fact::Customer(fact) => self.customers.put(stamp, fact, &mut self.people),
            Fact::AttributeChange(fact) => self.attributes.put(stamp, fact, &mut self.people),
            Fact::Purchase(fact) => self.purchases.put(stamp, fact, &mut self.people, self.attributes.countries()),
            Fact::Interaction(fact) => self.interactions.put(stamp, fact, &mut self.people),
            Fact::SubscriptionEvent(fact) => self.subscriptions.put(stamp, fact, &mut self.people),
            Fact::MembershipEvent(fact) => self.memberships.put(stamp, fact, &mut self.people, &mut self.attributes),
            Fact::Referral(fact) => self.referrals.put(stamp, fact, &mut self.people),
            Fact::Cost(fact) => self.costs.put(stamp, fact),
            Fact::Tombstone(tombstone) => {
                match tombstone.kind() {
                    FactKind::Customer => self.customers.withdraw(stamp),
                    FactKind::AttributeChange => self.attributes.withdraw(stamp),
                    FactKind::Purchase => self.purchases.withdraw(stamp),
                    FactKind::Interaction => self.interactions.withdraw(stamp),
                    FactKind::SubscriptionEvent => self.subscriptions.withdraw(stamp),
                    FactKind::MembershipEvent => self.memberships.withdraw(stamp, &mut self.attributes),
                    FactKind::Referral => self.referrals.withdraw(stamp),
                    FactKind::Cost => self.costs.withdraw(stamp),
                    FactKind::Unspecified => return Err(Unreadable("tombstone.kind")),
                }
                Ok(())
            }
        }
    }

    /// Puts in a fact of the surveys service.
    pub(crate) fn put_surveys(&mut self, fact: surveys_wire::Fact) -> Result<(), Unreadable> {
        use surveys_wire::{FactKind, fact::Fact};
        let surveys_wire::Fact { id, number, version, fact, write_time } = fact;
        let stamp = Stamp::new(&id, number, version, write_time)?;
        match fact.ok_or(Unreadable("fact"))? {
            Fact::Survey(fact) => self.surveys.put(stamp, fact),
            Fact::Response(fact) => {
                self.responses.put(stamp, fact, &mut self.people, &mut self.surveys, &mut self.invitations)
            }
            Fact::Invitation(fact) => self.invitations.put(stamp, fact, &mut self.people, &mut self.surveys),
            Fact::Tombstone(tombstone) => match tombstone.kind() {
                FactKind::Survey => {
                    self.surveys.withdraw(stamp);
                    Ok(())
                }
                FactKind::Response => {
                    self.responses.withdraw(stamp, &mut self.invitations);
                    Ok(())
                }
                FactKind::Invitation => {
                    self.invitations.withdraw(stamp);
                    Ok(())
                }
                FactKind::Unspecified => Err(Unreadable("tombstone.kind")),
            },
        }
    }

    /// Puts in a fact of the complaints service.
    pub(crate) fn put_complaints(&mut self, fact: complaints_wire::Fact) -> Result<(), Unreadable> {
        use complaints_wire::{FactKind, fact::Fact};
        let complaints_wire::Fact { id, number, version, fact, write_time } = fact;
        let stamp = Stamp::new(&id, number, version, write_time)?;
        match fact.ok_or(Unreadable("fact"))? {
            Fact::Case(fact) => self.cases.put(stamp, fact, &mut self.people),
            Fact::CaseEntry(fact) => self.cases.put_entry(stamp, fact),
            Fact::CaseClock(fact) => {
                let case = self.cases.row_of(fact.case_number)?;
                self.clocks.put(stamp, case, fact)
            }
            Fact::FollowUp(fact) => self.follow_ups.put(stamp, fact, &mut self.people),
            Fact::Claim(fact) => {
                let case = self.cases.row_of(fact.case_number)?;
                self.claims.put(stamp, case, fact)
            }
            Fact::Escalation(fact) => {
                // A promise that stands alone has none.
                let case = match fact.case_number {
                    0 => redresses::NO_CASE,
                    number => self.cases.row_of(number)?,
                };
                let promise = match fact.promise_number {
                    0 => promises::NO_PROMISE,
                    number => self.promises.row_of(number)?,
                };
                self.escalations.put(stamp, case, promise, fact)
            }
            Fact::Promise(fact) => self.promises.put(stamp, fact, &mut self.people),
            // No figure is made of them yet.
            Fact::Incident(_) => Ok(()),
            Fact::Tombstone(tombstone) => match tombstone.kind() {
                FactKind::Case => {
                    self.cases.withdraw(stamp);
                    Ok(())
                }
                // Entries go with their case.
                FactKind::CaseEntry | FactKind::Incident => Ok(()),
                FactKind::CaseClock => {
                    self.clocks.withdraw(stamp);
                    Ok(())
                }
                FactKind::FollowUp => {
                    self.follow_ups.withdraw(stamp);
                    Ok(())
                }
                FactKind::Claim => {
                    self.claims.withdraw(stamp);
                    Ok(())
                }
                FactKind::Escalation => {
                    self.escalations.withdraw(stamp);
                    Ok(())
                }
                FactKind::Promise => {
                    self.promises.withdraw(stamp);
                    Ok(())
                }
                FactKind::Unspecified => Err(Unreadable("tombstone.kind")),
            },
        }
    }

    /// Forgets every fact of the customers service.
    pub(crate) fn forget_customers(&mut self) {
        self.customers = Customers::default();
        self.attributes = Attributes::default();
        self.purchases = Purchases::default();
        self.interactions = Interactions::default();
        self.subscriptions = Subscriptions::default();
        self.memberships = Memberships::default();
        self.referrals = Referrals::default();
        self.costs = Costs::default();
    }

    /// Forgets every fact of the surveys service.
    pub(crate) fn forget_surveys(&mut self) {
        self.surveys = Surveys::default();
        self.responses = Responses::default();
        self.invitations = Invitations::default();
    }

    /// Forgets every fact of the complaints service.
    pub(crate) fn forget_complaints(&mut self) {
        self.cases = Cases::default();
        self.clocks = Clocks::default();
        self.promises = Promises::default();
        self.escalations = Escalations::default();
        self.claims = Claims::default();
        self.follow_ups = FollowUps::default();
    }

    /// How many facts of the customers service there are, by kind.
    pub(crate) fn count_customers(&self) -> BTreeMap<String, i64> {
        counts([
            ("customer", self.customers.live()),
            ("attribute_change", self.attributes.live()),
            ("purchase", self.purchases.times.live()),
            ("interaction", self.interactions.times.live()),
            ("subscription_event", self.subscriptions.times.live()),
            ("membership_event", self.memberships.times.live()),
            ("referral", self.referrals.times.live()),
            ("cost", self.costs.times.live()),
        ])
    }

    /// How many facts of the surveys service there are, by kind.
    pub(crate) fn count_surveys(&self) -> BTreeMap<String, i64> {
        counts([
            ("survey", self.surveys.live()),
            ("response", self.responses.times.live()),
            ("invitation", self.invitations.times.live()),
        ])
    }

    /// How many facts of the complaints service there are, by kind.
    pub(crate) fn count_complaints(&self) -> BTreeMap<String, i64> {
        counts([
            ("case", self.cases.times.live()),
            // Of the entries those that figures need.
            ("case_entry", self.cases.turns.held()),
            ("case_clock", self.clocks.times.live()),
            ("follow_up", self.follow_ups.times.live()),
            ("claim", self.claims.times.live()),
            ("escalation", self.escalations.times.live()),
            ("promise", self.promises.times.live()),
        ])
    }

    /// The rows of all tables.
    fn tables(&mut self) -> [&mut Rows; 17] {
        let Facts {
            people: _,
            customers,
            attributes,
            purchases,
            interactions,
            subscriptions,
            memberships,
            referrals,
            costs,
            surveys,
            responses,
            invitations,
            cases,
            clocks,
            promises,
            follow_ups,
            claims,
            escalations,
        } = self;
        [
            &mut customers.rows,
            &mut attributes.rows,
            &mut purchases.rows,
            &mut interactions.rows,
            &mut subscriptions.rows,
            &mut memberships.rows,
            &mut referrals.rows,
            &mut costs.rows,
            &mut surveys.rows,
            &mut responses.rows,
            &mut invitations.rows,
            &mut cases.rows,
            &mut clocks.rows,
            &mut promises.rows,
            &mut follow_ups.rows,
            &mut claims.rows,
            &mut escalations.rows,
        ]
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        let Facts {
            people,
            customers,
            attributes,
            purchases,
            interactions,
            subscriptions,
            memberships,
            referrals,
            costs,
            surveys,
            responses,
            invitations,
            cases,
            clocks,
            promises,
            follow_ups,
            claims,
            escalations,
        } = self;
        people.restore();
        customers.restore();
        attributes.restore();
        purchases.restore();
        interactions.restore();
        subscriptions.restore();
        memberships.restore(attributes);
        referrals.restore();
        costs.restore();
        surveys.restore();
        responses.restore();
        invitations.restore();
        cases.restore();
        clocks.restore();
        promises.restore();
        escalations.restore();
        claims.restore();
        follow_ups.restore();
    }
}

fn counts<const N: usize>(kinds: [(&str, usize); N]) -> BTreeMap<String, i64> {
    kinds.into_iter().map(|(kind, count)| (kind.to_owned(), i64::try_from(count).unwrap_or(i64::MAX))).collect()
}

/// The number of a customer by its id.
fn customer(people: &mut Ids, id: &str) -> Result<u32, Unreadable> {
    Ok(people.number(uuid(id).ok_or(Unreadable("customer_id"))?))
}

fn uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

/// An instant that must be there, in microseconds.
fn instant(at: Option<Timestamp>) -> Result<i64, Unreadable> {
    optional_instant(at)?.ok_or(Unreadable("time"))
}

/// An instant, in microseconds.
fn optional_instant(at: Option<Timestamp>) -> Result<Option<i64>, Unreadable> {
    at.map(|at| Micros::from_wire(&at).map(|at| at.0).ok_or(Unreadable("time"))).transpose()
}

/// An amount in micro-units (1e-6).
fn micros(money: &Money) -> Result<i64, Unreadable> {
    let nanos = i64::from(money.nanos);
    let whole = money.units.checked_mul(1_000_000).filter(|_| nanos % 1_000 == 0);
    whole.and_then(|whole| whole.checked_add(nanos / 1_000)).ok_or(Unreadable("amount"))
}
