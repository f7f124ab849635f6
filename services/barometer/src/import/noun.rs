//! What the kinds of imports have in common.

use std::future::Future;

use barometer_proto::common::v1::RejectedRow;
use futures_util::stream::BoxStream;
use prost::Message;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::line::Line;
use crate::failure::Failure;

/// Something that can be imported: how its rows are read, and how they are sent.
pub(crate) trait Noun: Send {
    /// One row of a batch.
    type Row: Message + Clone + 'static;

    /// Reads one line; `number` names the row in answers.
    fn read(number: i64, line: &mut Line<'_>) -> Self::Row;

    /// Sees to it that what the rows refer to is there, before they are sent. Gives what the user should know of that.
    fn prepare(&mut self, _rows: &[Self::Row]) -> impl Future<Output = Result<Vec<String>, Trouble>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Opens the stream: batches go in, and each is acknowledged, in order.
    fn open(
        &mut self,
        batches: ReceiverStream<Vec<Self::Row>>,
    ) -> impl Future<Output = Result<Acknowledgements, Status>> + Send;
}

/// The answers to batches, in their order.
pub(crate) type Acknowledgements = BoxStream<'static, Result<Acknowledgement, Status>>;

/// The answer to one batch, which is on disk then.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Acknowledgement {
    /// Rows that were recorded.
    pub(crate) recorded: u64,
    /// Rows that were there already.
    pub(crate) unchanged: u64,
    /// Rows that were refused.
    pub(crate) rejected: Vec<RejectedRow>,
    /// Position of the write.
    pub(crate) position: String,
}

/// Why an import can not go on.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The suite said so, or can not be reached.
    Status(Status),
    /// Something that no repetition helps.
    Failure(Failure),
}

impl From<Status> for Trouble {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Counts on the wire are never negative.
pub(crate) fn count(number: i32) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
