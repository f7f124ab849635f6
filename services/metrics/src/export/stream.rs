//! Tables on their way: made no faster than they are read, and with a tail only when they are whole.

use barometer_chassis::{error::Error, shutdown::Shutdown};
use barometer_proto::metrics::v1::{self as wire, export_chunk::Part};
use futures_util::{StreamExt, stream::BoxStream};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tonic::Status;

use super::{Format, Rows, Writer};

/// The most bytes of a chunk.
const CHUNK: usize = 256 * 1024;
/// Chunks that wait for a slow reader. Beyond them no rows are made.
const WAITING: usize = 4;

/// A table on its way.
pub(crate) type Chunks = BoxStream<'static, Result<wire::ExportChunk, Status>>;

/// Streams a table; it ends with an error when the server is `ending`. The place is free again when it ends, or when nobody reads it any
/// more.
pub(crate) fn stream<R: Rows>(
    rows: R,
    name: String,
    format: Format,
    place: OwnedSemaphorePermit,
    ending: Shutdown,
) -> Chunks {
    let (sender, mut receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let _place = place;
        let table = Table { sender: sender.clone(), rows: 0, bytes: 0 };
        let failed = tokio::select! {
            () = ending.cancelled() => Some(Error::stopping()),
            () = sender.closed() => None,
            end = table.tell(rows, name, format) => match end {
                Ok(()) | Err(End::Gone) => None,
                Err(End::Failed(error)) => Some(error),
            },
        };
        if let Some(error) = failed {
            // In its turn: it waits until the chunks before it were read, or until nobody reads any more.
            let _gone = sender.send(Err(error.into())).await;
        }
    });
    futures_util::stream::poll_fn(move |context| receiver.poll_recv(context)).boxed()
}

/// Why a table was not told to its end.
enum End {
    /// Nobody reads it.
    Gone,
    /// It could not be made.
    Failed(Error),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        End::Failed(error)
    }
}

struct Table {
    sender: mpsc::Sender<Result<wire::ExportChunk, Status>>,
    rows: usize,
    bytes: usize,
}

impl Table {
    async fn tell(mut self, mut rows: impl Rows, name: String, format: Format) -> Result<(), End> {
        let mut writer = format.writer(rows.columns())?;
        let columns = rows.columns().iter().map(|column| column.name.clone()).collect();
        let file_name = format!("{name}.{}", format.extension());
        self.send(Part::Head(wire::ExportHead { file_name, media_type: format.media_type().to_owned(), columns }))
            .await?;
        while let Some(some) = rows.next().await? {
            self.rows += some.len();
            let bytes;
            (writer, bytes) = away(writer, move |writer| writer.write(some)).await?;
            self.send_data(&bytes).await?;
        }
        let (_, bytes) = away(writer, |writer| writer.finish()).await?;
        self.send_data(&bytes).await?;
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let (count, bytes) = (whole(self.rows), whole(self.bytes));
        self.send(Part::Tail(wire::ExportTail { rows: count, bytes, freshness: rows.freshness() })).await
    }

    async fn send_data(&mut self, bytes: &[u8]) -> Result<(), End> {
        for chunk in bytes.chunks(CHUNK) {
            self.send(Part::Data(chunk.to_vec())).await?;
            self.bytes += chunk.len();
        }
        Ok(())
    }

    async fn send(&self, part: Part) -> Result<(), End> {
        self.sender.send(Ok(wire::ExportChunk { part: Some(part) })).await.map_err(|_| End::Gone)
    }
}

/// Writes away from the threads that serve calls.
async fn away(
    mut writer: Box<dyn Writer>,
    write: impl FnOnce(&mut dyn Writer) -> Result<Vec<u8>, Error> + Send + 'static,
) -> Result<(Box<dyn Writer>, Vec<u8>), Error> {
    let written = tokio::task::spawn_blocking(move || {
        let bytes = write(writer.as_mut());
        (writer, bytes)
    });
    let (writer, bytes) = written.await.map_err(|error| Error::Internal(error.to_string()))?;
    Ok((writer, bytes?))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::sync::Semaphore;

    use super::*;
    use crate::export::{BATCH, Cell, CellKind, Column, Row};

    /// So many batches of rows, of which it counts those that were asked for.
    struct Counted {
        columns: Vec<Column>,
        left: usize,
        asked: Arc<AtomicUsize>,
        fails: bool,
    }

    impl Rows for Counted {
        fn columns(&self) -> &[Column] {
            &self.columns
        }

        async fn next(&mut self) -> Result<Option<Vec<Row>>, Error> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if self.left == 0 {
                return if self.fails { Err(Error::Gone) } else { Ok(None) };
            }
            self.left -= 1;
            Ok(Some(vec![vec![Cell::Text("x".repeat(1_000))]; BATCH]))
        }

        fn freshness(&self) -> Vec<wire::Freshness> {
            Vec::new()
        }
    }

    struct World {
        places: Arc<Semaphore>,
        asked: Arc<AtomicUsize>,
        ending: Shutdown,
        chunks: Chunks,
    }

    fn table(batches: usize, fails: bool) -> World {
        let (places, asked) = (Arc::new(Semaphore::new(1)), Arc::new(AtomicUsize::new(0)));
        let place = Arc::clone(&places).try_acquire_owned().expect("a place");
        let columns = vec![Column::new("text", CellKind::Text)];
        let rows = Counted { columns, left: batches, asked: Arc::clone(&asked), fails };
        let ending = Shutdown::new();
        let chunks = stream(rows, "table".to_owned(), Format::Csv, place, ending.clone());
        World { places, asked, ending, chunks }
    }

    async fn read(chunks: &mut Chunks) -> Vec<Result<Part, Status>> {
        chunks.map(|chunk| chunk.map(|chunk| chunk.part.expect("a part"))).collect().await
    }

    /// Until nothing moves any more.
    async fn settle(asked: &AtomicUsize) -> usize {
        let mut before = usize::MAX;
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            let now = asked.load(Ordering::SeqCst);
            if std::mem::replace(&mut before, now) == now {
                return now;
            }
        }
    }

    #[tokio::test]
    async fn a_table_has_a_head_and_a_tail() {
        let mut world = table(3, false);
        let parts: Vec<_> = read(&mut world.chunks).await.into_iter().map(|part| part.expect("no error")).collect();
        let Some(Part::Head(head)) = parts.first() else { panic!("{parts:?}") };
        assert_eq!((head.file_name.as_str(), head.columns.as_slice()), ("table.csv", &["text".to_owned()][..]));
        let Some(Part::Tail(tail)) = parts.last() else { panic!("no tail") };
        let data: Vec<_> =
            parts.iter().filter_map(|part| if let Part::Data(data) = part { Some(data) } else { None }).collect();
        assert_eq!(data.len() + 2, parts.len());
        assert!(data.iter().all(|data| data.len() <= CHUNK));
        let bytes: usize = data.iter().map(|data| data.len()).sum();
        assert_eq!((tail.rows, tail.bytes), (3_000, i64::try_from(bytes).expect("few")));
        assert_eq!(bytes, "text\r\n".len() + 3_000 * 1_002);
    }

    /// A batch is 1 MB, four chunks: whoever has read nothing has kept at most two batches from being thrown away.
    #[tokio::test]
    async fn nothing_is_made_that_is_not_read() {
        let mut world = table(1_000, false);
        assert!(settle(&world.asked).await <= 2);
        for _ in 0..9 {
            assert!(world.chunks.next().await.is_some());
        }
        let asked = settle(&world.asked).await;
        assert!((3..=4).contains(&asked), "{asked}");
        assert_eq!(world.places.available_permits(), 0);
        // Whoever goes leaves nothing behind.
        drop(world.chunks);
        let freed = tokio::time::timeout(std::time::Duration::from_secs(10), world.places.acquire()).await;
        assert!(freed.is_ok_and(|place| place.is_ok()));
        assert!(world.asked.load(Ordering::SeqCst) <= asked + 1);
    }

    #[tokio::test]
    async fn a_table_that_is_cut_has_an_error_and_no_tail() {
        let mut broken = table(1, true);
        let mut stopped = table(1_000, false);
        let _first = stopped.chunks.next().await;
        stopped.ending.cancel();
        for (world, reason) in [(&mut broken, "start over"), (&mut stopped, "shuts down")] {
            let parts = read(&mut world.chunks).await;
            let Some(Err(status)) = parts.last() else { panic!("no error") };
            assert!(status.message().contains(reason), "{status:?}");
            assert!(!parts.iter().any(|part| matches!(part, Ok(Part::Tail(_)))));
        }
    }
}
