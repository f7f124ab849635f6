//! The parts of a table as they come: whether it is whole is seen from its tail.

use barometer_proto::metrics::v1::{ExportChunk, ExportTail, export_chunk::Part};
use futures_util::{Stream, StreamExt};
use tonic::Status;

use crate::failure::Failure;

/// Reads the parts of a table.
pub(super) struct Parts<S> {
    chunks: S,
    bytes: i64,
    tail: Option<ExportTail>,
}

/// Why a table is not whole.
#[derive(Debug)]
pub(super) enum Cut {
    /// The suite said so, or was lost.
    By(Status),
    /// It ended before its end, or is not as long as it says.
    Short,
}

impl Cut {
    /// What is told of it; `failed` tells of a status.
    pub(super) fn told(self, failed: impl Fn(&Status) -> Failure) -> Failure {
        match self {
            Cut::By(status) => failed(&status),
            Cut::Short => Failure::unavailable("the table was cut off on its way: try again"),
        }
    }
}

impl<S: Stream<Item = Result<ExportChunk, Status>> + Unpin> Parts<S> {
    /// The parts of these chunks.
    pub(super) fn new(chunks: S) -> Self {
        Parts { chunks, bytes: 0, tail: None }
    }

    /// The next bytes; nothing at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, Cut> {
        while let Some(chunk) = self.chunks.next().await {
            match chunk.map_err(Cut::By)?.part {
                Some(Part::Data(data)) => {
                    self.bytes = self.bytes.saturating_add(i64::try_from(data.len()).unwrap_or(i64::MAX));
                    return Ok(Some(data));
                }
                Some(Part::Tail(tail)) => self.tail = Some(tail),
                // What a newer suite may tell more is no data.
                Some(Part::Head(_)) | None => {}
            }
        }
        Ok(None)
    }

    /// The tail, once there is nothing more.
    pub(super) fn tail(self) -> Result<ExportTail, Cut> {
        self.tail.filter(|tail| tail.bytes == self.bytes).ok_or(Cut::Short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(parts: &[Part]) -> Result<(Vec<u8>, i64), Cut> {
        let chunks = parts.iter().map(|part| Ok(ExportChunk { part: Some(part.clone()) })).collect::<Vec<_>>();
        let mut parts = Parts::new(futures_util::stream::iter(chunks));
        let mut read = Vec::new();
        while let Some(data) = parts.next().await? {
            read.extend(data);
        }
        Ok((read, parts.tail()?.rows))
    }

    #[tokio::test]
    async fn what_has_no_tail_or_another_length_is_not_whole() {
        let data = |text: &str| Part::Data(text.into());
        let tail = |bytes| Part::Tail(ExportTail { rows: 2, bytes, freshness: vec![] });
        let head = Part::Head(Default::default());
        let whole = read(&[head.clone(), data("ab"), data("c"), tail(3)]).await.expect("whole");
        assert_eq!(whole, (b"abc".to_vec(), 2));
        for cut in [vec![head.clone()], vec![head.clone(), data("ab")], vec![head, data("ab"), tail(3)]] {
            assert!(matches!(read(&cut).await, Err(Cut::Short)), "{cut:?}");
        }
    }
}
