//! Cases of complaints.
//!
//! A case says by itself what figures need: when it came, when it first got an answer and was first resolved. Its
//! history is not kept: the entries are not even asked for.

use barometer_proto::complaints::v1::{CaseFact, case::State};
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable, customer,
    declared::Declared,
    dictionary::Column,
    instant, optional_instant,
    people::{Ids, NOBODY},
    rows::{Rows, put},
    times::{NEVER, Times},
};

/// All cases.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Cases {
    rows: Rows,
    /// When each was opened.
    pub(crate) times: Times,
    pub(crate) customers: Vec<u32>,
    /// When the customer first got an answer; [`NEVER`] while there is none.
    first_responses: Vec<i64>,
    /// When it was resolved for the first time; [`NEVER`] while it was not.
    first_resolves: Vec<i64>,
    /// Whether it needs no answer any more.
    cancelled: Vec<bool>,
    pub(crate) state: Column,
    pub(crate) category: Column,
    pub(crate) product: Column,
    pub(crate) channel: Column,
    pub(crate) touchpoint: Column,
    pub(crate) journey_stage: Column,
    pub(crate) employee: Column,
    pub(crate) team: Column,
    pub(crate) declared: Declared,
}

impl Cases {
    /// Puts in a case, or its later version.
    pub(crate) fn put(&mut self, stamp: Stamp, fact: CaseFact, people: &mut Ids) -> Result<(), Unreadable> {
        let CaseFact {
            customer_id,
            state,
            category,
            product,
            channel,
            touchpoint,
            journey_stage,
            employee,
            team,
            open_time,
            acknowledge_time: _,
            first_response_time,
            first_resolve_time,
            resolve_time: _,
            close_time: _,
            reopenings: _,
            hand_offs: _,
            dimensions,
            kind: _,
            severity: _,
            priority: _,
            value_band: _,
            remedy_sought: _,
            cancel_time: _,
            self_served: _,
            merged_into: _,
            finding: _,
            redress: _,
            root_cause: _,
            acceptance: _,
            satisfaction: _,
        } = fact;
        let customer = if customer_id.is_empty() { NOBODY } else { customer(people, &customer_id)? };
        if state == i32::from(State::Merged) {
            // The case that it was merged into stands for it.
            self.withdraw(stamp);
            return Ok(());
        }
        let cancelled = state == i32::from(State::Cancelled);
        let state = match State::try_from(state) {
            Ok(State::Received) => "received",
            Ok(State::Acknowledged) => "acknowledged",
            Ok(State::InProgress) => "in_progress",
            Ok(State::WaitingForCustomer) => "waiting_for_customer",
            Ok(State::WaitingForThirdParty) => "waiting_for_third_party",
            Ok(State::Resolved) => "resolved",
            Ok(State::Closed) => "closed",
            Ok(State::Cancelled) => "cancelled",
            Ok(State::Unspecified | State::Merged) | Err(_) => return Err(Unreadable("state")),
        };
        let opened = instant(open_time)?;
        let first_response = optional_instant(first_response_time)?.unwrap_or(NEVER);
        let first_resolve = optional_instant(first_resolve_time)?.unwrap_or(NEVER);
        if let Some(row) = self.rows.claim(stamp.number, stamp.version) {
            self.times.put(row, opened);
            put(&mut self.customers, row, customer);
            put(&mut self.first_responses, row, first_response);
            put(&mut self.first_resolves, row, first_resolve);
            put(&mut self.cancelled, row, cancelled);
            let texts = [state, &category, &product, &channel, &touchpoint, &journey_stage, &employee, &team];
            self.texts().into_iter().zip(texts).for_each(|(column, text)| column.set(row, text));
            self.declared.set(row, &dimensions);
        }
        Ok(())
    }

    /// Takes a case out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp.number, stamp.version) {
            self.times.put(row, NEVER);
            put(&mut self.customers, row, NOBODY);
            put(&mut self.first_responses, row, NEVER);
            put(&mut self.first_resolves, row, NEVER);
            put(&mut self.cancelled, row, false);
            self.texts().into_iter().for_each(|column| column.set(row, ""));
            self.declared.set(row, &Default::default());
        }
    }

    /// When the customer of a case first got an answer, if there was one.
    pub(crate) fn first_response(&self, row: u32) -> Option<i64> {
        Some(self.first_responses[row as usize]).filter(|at| *at != NEVER)
    }

    /// When a case was resolved for the first time, if it was.
    pub(crate) fn first_resolve(&self, row: u32) -> Option<i64> {
        Some(self.first_resolves[row as usize]).filter(|at| *at != NEVER)
    }

    /// Whether a case was cancelled: nobody waits for an answer to it.
    pub(crate) fn is_cancelled(&self, row: u32) -> bool {
        self.cancelled[row as usize]
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.times.restore();
        self.texts().into_iter().for_each(Column::restore);
        self.declared.restore();
    }

    fn texts(&mut self) -> [&mut Column; 8] {
        [
            &mut self.state,
            &mut self.category,
            &mut self.product,
            &mut self.channel,
            &mut self.touchpoint,
            &mut self.journey_stage,
            &mut self.employee,
            &mut self.team,
        ]
    }
}
