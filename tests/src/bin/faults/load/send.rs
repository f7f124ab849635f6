//! Sending one write until it is known what became of it, by the rules of a real client: what may be repeated is, with
//! growing pauses; what may not is left unknown.

use std::time::Duration;

use fastrand::Rng;
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt;

use super::{Phase, Shared};
use crate::{
    kinds::{Row, Written},
    ledger::Act,
};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A caller gives up on an answer a little after its deadline, whatever the connection does.
const LIMIT: Duration = Duration::from_secs(6);

/// A write to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) kind: usize,
    pub(crate) act: Act,
    pub(crate) row: Row,
    /// Id of the fact, for amendments and withdrawals.
    pub(crate) id: String,
    /// Empty when there is none.
    pub(crate) request_id: String,
}

impl Order {
    /// Whether a repeat is harmless.
    fn repeatable(&self) -> bool {
        !self.request_id.is_empty() || (self.act == Act::Record && self.row.keyed)
    }
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Outcome {
    Acknowledged(Written),
    Refused(Status),
    Unknown,
}

/// Sends an order over one connection, and now and then over another at the same moment.
pub(super) async fn send(shared: &Shared, order: &Order, to: [Channel; 2], rng: &mut Rng) -> Outcome {
    let [first, second] = to;
    if order.repeatable() && rng.u8(..16) == 0 {
        let mut other = rng.fork();
        let (one, two) = tokio::join!(persist(shared, order, first, rng), persist(shared, order, second, &mut other));
        return match (one, two) {
            (Outcome::Acknowledged(one), Outcome::Acknowledged(two)) => {
                if (&one.id, &one.position) != (&two.id, &two.position) {
                    shared.ledger.violate(format!("sent twice at once, {order:?} was answered {one:?} and {two:?}"));
                }
                Outcome::Acknowledged(one)
            }
            (Outcome::Acknowledged(written), _) | (_, Outcome::Acknowledged(written)) => Outcome::Acknowledged(written),
            (Outcome::Unknown, _) | (_, Outcome::Unknown) => Outcome::Unknown,
            (refused @ Outcome::Refused(_), Outcome::Refused(_)) => refused,
        };
    }
    persist(shared, order, first, rng).await
}

async fn persist(shared: &Shared, order: &Order, to: Channel, rng: &mut Rng) -> Outcome {
    let mut pause = FIRST_PAUSE;
    loop {
        let failed = match attempt(shared, order, to.clone()).await {
            Ok(written) => return Outcome::Acknowledged(written),
            Err(status) => status,
        };
        note(shared, &failed);
        if is_final(&failed) {
            return Outcome::Refused(failed);
        }
        let never_began = failed.code() == Code::ResourceExhausted;
        if !(order.repeatable() || never_began) {
            return Outcome::Unknown;
        }
        if shared.phase() == Phase::Over {
            shared.ledger.violate(format!("never answered, though the faults were over: {order:?}: {failed}"));
            return Outcome::Unknown;
        }
        shared.ledger.retried(order.kind, order.act);
        tokio::time::sleep(pause / 2 + (pause / 2).mul_f64(rng.f64())).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Sends an order once.
pub(crate) async fn attempt(shared: &Shared, order: &Order, to: Channel) -> Result<Written, Status> {
    let kind = shared.kinds[order.kind];
    let call = async {
        match order.act {
            Act::Amend => kind.amend(to, &order.id, &order.row, &order.request_id).await,
            Act::Withdraw => kind.withdraw(to, &order.id, &order.request_id).await,
            Act::Record | Act::Import => kind.record(to, &order.row, &order.request_id).await,
        }
    };
    tokio::time::timeout(LIMIT, call).await.unwrap_or_else(|late| Err(Status::from_error(Box::new(late))))
}

/// Whether the service has understood and refused.
pub(super) fn is_final(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::PermissionDenied
    )
}

/// Notes what a caller was answered. A service that calls itself broken is wrong at any time.
pub(super) fn note(shared: &Shared, status: &Status) {
    let reason = status.get_details_error_info().map(|info| info.reason);
    if reason.as_deref() == Some("INTERNAL") {
        shared.ledger.violate(format!("a service answered that it is broken: {}", status.message()));
    }
    shared.ledger.failed(format!("{:?} {}", status.code(), reason.as_deref().unwrap_or("(the connection)")));
}
