//! Bulk loads: a stream of batches, each acknowledged once it is on disk.

use std::future::{Future, ready};

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
pub fn acknowledge<B, A, H, R>(batches: Streaming<B>, shutdown: Shutdown, handle: H) -> Acknowledgements<A>
where
    B: Send + 'static,
    A: Send + 'static,
    H: Fn(B) -> R + Send + 'static,
    R: Future<Output = Result<A, Error>> + Send,
{
    acknowledge_in_stages(batches, shutdown, |batch| ready(Ok(batch)), handle)
}

/// The same in two stages: a batch is prepared while the one before it is recorded.
pub fn acknowledge_in_stages<B, P, A, Prepare, Prepared, Record, Recorded>(
    mut batches: Streaming<B>,
    shutdown: Shutdown,
    prepare: Prepare,
    record: Record,
) -> Acknowledgements<A>
where
    B: Send + 'static,
    P: Send + 'static,
    A: Send + 'static,
    Prepare: Fn(B) -> Prepared + Send + 'static,
    Prepared: Future<Output = Result<P, Error>> + Send,
    Record: Fn(P) -> Recorded + Send + 'static,
    Recorded: Future<Output = Result<A, Error>> + Send,
{
    let (sender, mut prepared) = mpsc::channel(1);
    let preparing = async move {
        loop {
            let batch = tokio::select! {
                () = shutdown.cancelled() => Err(shutting_down().into()),
                batch = batches.message() => match batch {
                    Ok(None) => return,
                    Ok(Some(batch)) => prepare(batch).await.map_err(Status::from),
                    Err(status) => Err(explain(&status).unwrap_or(status)),
                },
            };
            let ends = batch.is_err();
            if sender.send(batch).await.is_err() || ends {
                return;
            }
        }
    };
    let (answers, stream) = mpsc::channel(1);
    let recording = async move {
        while let Some(batch) = prepared.recv().await {
            let answer = match batch {
                Ok(batch) => record(batch).await.map_err(Status::from),
                Err(status) => Err(status),
            };
            let ends = answer.is_err();
            if answers.send(answer).await.is_err() || ends {
                return;
            }
        }
    };
    // What is written belongs to the trace of the call.
    tokio::spawn(preparing.instrument(Span::current()));
    tokio::spawn(recording.instrument(Span::current()));
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
    Error::stopping_with("the service shuts down: send the rest again")
}
