//! Imports: batches over a stream, each acknowledged. A stream that broke is opened again with what was not.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tonic::Status;

use super::{
    Phase,
    caller::Caller,
    send::{is_final, note},
};
use crate::{
    kinds::{Imported, Importing, Row},
    ledger::Act,
};

/// How long a batch may wait for its acknowledgement before the caller opens another stream.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);

/// A stream that is open.
struct Stream {
    batches: mpsc::Sender<Vec<Row>>,
    answers: Importing,
}

/// Imports a few batches. Rows with a key are sent until they are acknowledged, those without only once.
pub(super) async fn import(caller: &mut Caller) {
    let kind = caller.some_kind();
    let mut stream = None;
    for _ in 0..caller.rng.usize(1..4) {
        let mut batch: Vec<Row> = Vec::new();
        for _ in 0..caller.rng.usize(1..40) {
            let (customer, keyed) = (caller.some_customer(kind), caller.rng.u8(..8) > 0);
            let row = caller.shared.row(kind, customer, keyed, caller.rng.u8(..40) > 0);
            caller.shared.ledger.intend(kind, row);
            batch.push(row);
        }
        while !batch.is_empty() {
            match send(caller, kind, &mut stream, &batch).await {
                Ok(answer) => {
                    settle(caller, kind, &batch, &answer);
                    batch.clear();
                }
                Err(status) => {
                    stream = None;
                    broke(caller, kind, &mut batch, &status).await;
                }
            }
        }
    }
}

/// Sends a batch over the open stream, or over a new one, and waits for its acknowledgement.
async fn send(caller: &Caller, kind: usize, stream: &mut Option<Stream>, batch: &[Row]) -> Result<Imported, Status> {
    let broken = |error: mpsc::error::SendError<Vec<Row>>| Status::from_error(Box::new(error));
    let exchange = async {
        let open = match stream.take() {
            Some(open) => {
                open.batches.send(batch.to_vec()).await.map_err(broken)?;
                open
            }
            None => {
                let (batches, queue) = mpsc::channel(1);
                let [to, _] = caller.channels[kind].clone();
                batches.send(batch.to_vec()).await.map_err(broken)?;
                Stream { batches, answers: caller.shared.kinds[kind].import(to, queue).await? }
            }
        };
        let answer = stream.insert(open).answers.next().await;
        answer.unwrap_or_else(|| Err(Status::unavailable("the stream ended")))
    };
    let late = |late| Err(Status::from_error(Box::new(late)));
    tokio::time::timeout(PATIENCE, exchange).await.unwrap_or_else(late)
}

/// Notes an acknowledged batch.
fn settle(caller: &Caller, kind: usize, batch: &[Row], answer: &Imported) {
    let ledger = &caller.shared.ledger;
    let service = caller.shared.kinds[kind].service();
    for row in batch {
        let rejected = answer.rejected.iter().find(|(number, _)| u64::try_from(*number) == Ok(row.number));
        match (rejected, row.good) {
            (None, true) => ledger.acknowledged(kind, Act::Import, *row, service, &answer.position),
            (Some(_), false) => ledger.refused(kind, Act::Import),
            (Some(reason), true) => ledger.violate(format!("an import refused {row:?}: {reason:?}")),
            (None, false) => ledger.violate(format!("an import took nonsense: {row:?}")),
        }
    }
    if answer.taken + answer.rejected.len() != batch.len() {
        ledger.violate(format!("a batch of {} rows was answered {answer:?}", batch.len()));
    }
}

/// Keeps of a batch that was not acknowledged what may be sent again.
async fn broke(caller: &Caller, kind: usize, batch: &mut Vec<Row>, status: &Status) {
    let ledger = &caller.shared.ledger;
    note(&caller.shared, status);
    let over = caller.shared.phase() == Phase::Over;
    if over || is_final(status) {
        ledger.violate(format!("an import was not acknowledged: {status:?}"));
    }
    let again = |row: &Row| row.keyed && !over && !is_final(status);
    batch.iter().filter(|row| !again(row) && row.good).for_each(|row| ledger.unknown(kind, Act::Import, *row));
    batch.retain(again);
    ledger.retried(kind, Act::Import);
    tokio::time::sleep(PAUSE).await;
}
