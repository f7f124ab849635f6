//! The kinds of writes, as a table: what callers send, what services show of it, and which figures count it.
//!
//! A new kind is a line of [`all`] with its implementation of [`Kind`], and an arm of its service in [`feed`].

pub(crate) mod feed;
mod recorded;

use std::pin::Pin;

use futures_util::Stream;
use tokio::sync::mpsc;
use tonic::{Status, transport::Channel};

/// The survey that all answers are to.
pub(crate) const SURVEY: &str = "faults";
/// Writes of a lot: figures are asked for by lots and then, within one, write by write.
pub(crate) const LOT: u64 = 500;

/// One write by what identifies it. Everything that is sent follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Unique among the writes of its kind.
    pub(crate) number: u64,
    /// How often it was amended.
    pub(crate) turn: u32,
    /// Number of the customer; none for an anonymous answer.
    pub(crate) customer: Option<u64>,
    /// Whether it has a key of the caller's own.
    pub(crate) keyed: bool,
    /// Whether it is one that the service must take.
    pub(crate) good: bool,
}

impl Row {
    /// The caller's key of the customer.
    pub(crate) fn customer_key(&self) -> Option<String> {
        self.customer.map(|number| format!("c-{number}"))
    }

    /// What the turn is called in the field that tells it.
    fn turn_name(&self) -> String {
        format!("t{}", self.turn)
    }

    /// Some value below `limit` that follows from number and turn.
    fn value(&self, limit: i64) -> i64 {
        let mixed = (self.number << 8 | u64::from(self.turn)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        i64::try_from(mixed >> 33).unwrap_or_default() % limit
    }

    /// An instant of 2023 or 2024.
    pub(crate) fn time(&self) -> prost_types::Timestamp {
        let minutes = i64::try_from(self.number).unwrap_or_default() * 7_919 % (730 * 1_440);
        prost_types::Timestamp { seconds: 1_672_531_200 + minutes * 60, nanos: 0 }
    }
}

/// What a service answers to a write.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) id: String,
    pub(crate) position: String,
    pub(crate) shown: Shown,
}

/// What a service shows of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The number of the write; none when it is nobody's.
    pub(crate) number: Option<u64>,
    pub(crate) turn: String,
    /// The score, the amount: what figures add up.
    pub(crate) value: i64,
    pub(crate) customer_id: String,
}

/// A fact of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) shown: Shown,
    pub(crate) withdrawn: bool,
}

/// The answer to a batch of an import.
#[derive(Clone, Debug)]
pub(crate) struct Imported {
    /// Rows that were recorded now or before.
    pub(crate) taken: usize,
    /// Numbers of rows that were refused, as sent, with the reason.
    pub(crate) rejected: Vec<(i64, String)>,
    pub(crate) position: String,
}

/// The open stream of an import.
pub(crate) type Importing = Pin<Box<dyn Stream<Item = Result<Imported, Status>> + Send>>;

/// The metric that counts a kind of fact, and what of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) metric: &'static str,
    /// The counts that add up to the number of facts.
    pub(crate) counts: &'static [&'static str],
    /// The dimension that shows the turn.
    pub(crate) turn: &'static str,
}

/// A kind of fact that callers record, amend and withdraw.
#[tonic::async_trait]
pub(crate) trait Kind: Send + Sync {
    /// As metrics names it.
    fn name(&self) -> &'static str;
    fn service(&self) -> &'static str;
    /// Whether it can be without a customer.
    fn may_be_anonymous(&self) -> bool {
        matches!(self.name(), "response" | "case" | "cost")
    }
    fn counted(&self) -> Option<Counted>;
    /// The value that a service shows for a row.
    fn value(&self, row: &Row) -> i64;
    async fn record(&self, to: Channel, row: &Row, request_id: &str) -> Result<Written, Status>;
    async fn amend(&self, to: Channel, id: &str, row: &Row, request_id: &str) -> Result<Written, Status>;
    async fn withdraw(&self, to: Channel, id: &str, request_id: &str) -> Result<Written, Status>;
    async fn import(&self, to: Channel, batches: mpsc::Receiver<Vec<Row>>) -> Result<Importing, Status>;
    /// All facts, also those that were withdrawn.
    async fn list(&self, to: Channel) -> Result<Vec<Listed>, Status>;
}

/// Every kind.
pub(crate) fn all() -> Vec<&'static dyn Kind> {
    vec![
        &recorded::Responses,
        &recorded::Purchases,
        &recorded::Interactions,
        &recorded::AttributeChanges,
        &recorded::SubscriptionEvents,
        &recorded::MembershipEvents,
        &recorded::Referrals,
        &recorded::Costs,
        &recorded::Cases,
    ]
}
