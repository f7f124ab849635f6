//! What clocks are made of: what happened to a case, and by which policies and calendars it is counted.

use std::sync::Arc;

use barometer_chassis::{clock::Micros, error::Error};
use uuid::Uuid;

use super::{ClockTarget, Kind};
use crate::calendar::Timetable;

/// Something that happened to a case, as far as its clocks care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It came in. What lies before it is passed over, as is a second one.
    Opened,
    /// The customer was told so.
    Acknowledged,
    /// The customer wrote.
    FromCustomer,
    /// Somebody wrote to the customer.
    ToCustomer(Message),
    /// It began to wait for somebody.
    WaitBegan(Wait),
    /// It does not wait for them any more. Resolving and cancelling end all waits.
    WaitEnded(Wait),
    /// It was resolved, which answers the customer too.
    Resolved,
    /// It turned out not to have ended, by being resolved or cancelled.
    Reopened,
    /// It was closed: of a case that was not resolved the same as that.
    Closed,
    /// It needs no answer. Until it is reopened only hand-overs, re-bases and messages of the customer say something.
    Cancelled,
    /// Somebody else has it, who works by this calendar: one of [`History::desks`].
    HandedOver {
        /// Its index.
        desk: u16,
    },
    /// It was put under another policy: its clocks that run are under these terms as if they had always been, though what
    /// passed stays counted by the calendars then in force.
    Rebased {
        /// Index of the terms.
        terms: u16,
        /// Index of the calendar that is in force from now on.
        desk: u16,
    },
}

impl Event {
    /// Whether clocks may start with it in the course of a case.
    pub fn starts_clocks(self) -> bool {
        matches!(self, Event::FromCustomer | Event::ToCustomer(_) | Event::Reopened)
    }
}

/// What a message to the customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// An answer.
    Answer,
    /// How it stands, without an answer.
    Update,
    /// That it takes longer, and why.
    Holding,
}

/// Whom a case waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The customer.
    Customer,
    /// Somebody who is neither the customer nor the company.
    ThirdParty,
}

/// An event and when it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated {
    /// When.
    pub at: Micros,
    /// What.
    pub event: Event,
}

/// A version of a resource, which never changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Version {
    /// The resource.
    pub id: Uuid,
    /// Its version, from 1.
    pub version: i64,
}

/// A calendar by which a case is counted for a while.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Which one it is.
    pub calendar: Version,
    /// Its working time.
    pub timetable: Arc<Timetable>,
}

/// A newer version of a calendar: clocks that start from an instant on count by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// When it came to be.
    pub at: Micros,
    /// Index of the desk that it renews.
    pub of: u16,
    /// Index of the desk that it is.
    pub by: u16,
}

/// A policy in the version of the list that it stands in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Its name.
    pub name: String,
    /// Version of the list.
    pub set_version: i64,
}

/// What a policy demands of a case.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Which policy it is.
    pub policy: PolicyVersion,
    targets: [Option<ClockTarget>; 7],
}

impl Terms {
    /// Of a policy with these targets; the last one counts of several for one clock.
    pub fn new(policy: PolicyVersion, targets: impl IntoIterator<Item = ClockTarget>) -> Terms {
        let mut terms = Terms { policy, targets: [None; 7] };
        for target in targets {
            terms.targets[target.kind.index()] = Some(target);
        }
        terms
    }

    /// What it demands of a clock; nothing of one that it does not keep.
    pub fn target(&self, kind: Kind) -> Option<&ClockTarget> {
        self.targets[kind.index()].as_ref()
    }
}

/// The history of a case, in the order in which it happened.
#[derive(Clone, Copy, Debug)]
pub struct History<'h> {
    events: &'h [Dated],
    terms: &'h [Terms],
    desks: &'h [Desk],
    renewals: &'h [Renewal],
}

impl<'h> History<'h> {
    /// Of events in their order; the first terms and the first desk hold when the case is opened. Fails when events are out
    /// of order, or name terms or desks that are not there: what keeps a history keeps it whole.
    pub fn new(events: &'h [Dated], terms: &'h [Terms], desks: &'h [Desk]) -> Result<Self, Error> {
        let broken = |what: &str| Err(Error::Internal(format!("the history of a case {what}")));
        if terms.is_empty() || desks.is_empty() {
            return broken("has no terms or no calendar");
        }
        if !events.is_sorted_by_key(|dated| dated.at) {
            return broken("is out of order");
        }
        let known = |dated: &Dated| match dated.event {
            Event::HandedOver { desk } => usize::from(desk) < desks.len(),
            Event::Rebased { terms: to, desk } => usize::from(desk) < desks.len() && usize::from(to) < terms.len(),
            _ => true,
        };
        if !events.iter().all(known) {
            return broken("names terms or a calendar that it does not have");
        }
        Ok(History { events, terms, desks, renewals: &[] })
    }

    /// The same with newer versions of its calendars, in the order in which they came to be. Clocks that start with the case
    /// keep to the desk that it has then; those that start later start by the newest. Fails when they are out of order, or
    /// name desks that are not there.
    pub fn renewed(self, renewals: &'h [Renewal]) -> Result<Self, Error> {
        let known = |desk: u16| usize::from(desk) < self.desks.len();
        if renewals.is_sorted_by_key(|renewal| renewal.at) && renewals.iter().all(|r| known(r.of) && known(r.by)) {
            return Ok(History { renewals, ..self });
        }
        Err(Error::Internal("the calendars of a case are out of order, or not there".to_owned()))
    }

    /// By which desk a clock counts that starts at an instant, when this one is in force.
    pub(super) fn newest(&self, desk: u16, at: Micros) -> u16 {
        let newer = self.renewals.iter().rfind(|renewal| renewal.of == desk && renewal.at <= at);
        newer.map_or(desk, |renewal| renewal.by)
    }

    /// What happened.
    pub fn events(&self) -> &'h [Dated] {
        self.events
    }

    /// The terms of an index that the history names.
    pub fn terms(&self, index: u16) -> &'h Terms {
        &self.terms[usize::from(index)]
    }

    /// The calendar of an index that the history names.
    pub fn desk(&self, index: u16) -> &'h Desk {
        &self.desks[usize::from(index)]
    }
}
