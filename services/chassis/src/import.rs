//! Bulk loads: a stream of batches, each acknowledged once it is on disk.

use std::future::Future;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};
use tracing::{Instrument, Span};

use crate::{
    error::{Error, Violation},
    layers::explain::explain,
    shutdown::Shutdown,
};

/// The most rows of a batch.
pub const MAX_ROWS: usize = 1_000;

/// The answers of a bulk load.
pub type Acknowledgements<A> = ReceiverStream<Result<A, Status>>;

/// Handles one batch after another and sends its acknowledgement. The first error ends the stream; what was
/// acknowledged before stays. One batch is handled at a time, one acknowledgement may wait.
pub fn acknowledge<B, A, H, R>(mut batches: Streaming<B>, shutdown: Shutdown, handle: H) -> Acknowledgements<A>
where
    B: Send + 'static,
    A: Send + 'static,
    H: Fn(B) -> R + Send + 'static,
    R: Future<Output = Result<A, Error>> + Send,
{
    let (answers, stream) = mpsc::channel(1);
    // What is written belongs to the trace of the call.
    let work = async move {
        loop {
            let answer = tokio::select! {
                () = shutdown.cancelled() => Err(shutting_down().into()),
                batch = batches.message() => match batch {
                    Ok(None) => return,
                    Ok(Some(batch)) => handle(batch).await.map_err(Status::from),
                    Err(status) => Err(explain(&status).unwrap_or(status)),
                },
            };
            let ends = answer.is_err();
            if answers.send(answer).await.is_err() || ends {
                return;
            }
        }
    };
    tokio::spawn(work.instrument(Span::current()));
    ReceiverStream::new(stream)
}

/// A row that was refused, for the answer. Errors that are not the row's own fault end the stream instead.
pub fn reject(row: i64, error: Error, field: &str) -> Result<barometer_proto::common::v1::RejectedRow, Error> {
    use barometer_proto::common::v1::{FieldViolation, RejectedRow};
    let violation = |v: Violation| {
        // Rows are named by their number: the path begins inside of the row's message.
        let field = v.field.strip_prefix(field).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&v.field).to_owned();
        FieldViolation { field, description: v.description, reason: v.reason.to_owned() }
    };
    let violations = error.into_violations("external_id")?.into_iter().map(violation).collect();
    Ok(RejectedRow { row, violations })
}

fn shutting_down() -> Error {
    Error::Unavailable { reason: "SHUTTING_DOWN", message: "the service shuts down: send the rest again".to_owned() }
}
