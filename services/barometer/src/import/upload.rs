//! Sends batches and settles them as they are acknowledged; when the stream breaks, it is resumed.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::noun::{Acknowledgement, Noun, Trouble};
use super::reader::Batch;
use super::report::Report;
use crate::failure::{Failure, UNAVAILABLE, cause, is_passing};

/// Most batches that wait for their acknowledgement: the service works on one while the next are on their way.
const WINDOW: usize = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long the stream may take to end once everything is acknowledged.
const GOODBYE: Duration = Duration::from_secs(1);

/// An import on its way.
///
/// What was sent is kept until it is acknowledged. When the stream breaks, all of that is sent again: rows are recorded
/// by their keys, so that those which were on disk already come back as unchanged.
pub(crate) struct Upload<N: Noun> {
    noun: N,
    batches: mpsc::Receiver<Result<Batch<N::Row>, Failure>>,
    report: Report,
    /// Batches that are not settled, in the order of the file.
    waiting: VecDeque<Batch<N::Row>>,
    /// Since when something waits without an acknowledgement, or the stream is broken.
    since: Instant,
    /// Why the last stream broke, until something is acknowledged again.
    broken: Option<String>,
    pause: Duration,
    give_up_after: Duration,
    endpoint: String,
}

impl<N: Noun> Upload<N> {
    pub(crate) fn new(
        noun: N,
        batches: mpsc::Receiver<Result<Batch<N::Row>, Failure>>,
        report: Report,
        give_up_after: Duration,
        endpoint: String,
    ) -> Self {
        Self {
            noun,
            batches,
            report,
            waiting: VecDeque::with_capacity(WINDOW),
            since: Instant::now(),
            broken: None,
            pause: FIRST_PAUSE,
            give_up_after,
            endpoint,
        }
    }

    /// Sends everything.
    ///
    /// # Errors
    /// When the file can not be read on, the suite refuses the import as a whole, or can not be reached for too long.
    pub(crate) async fn run(mut self) -> Result<Report, Failure> {
        loop {
            match self.session().await {
                Ok(()) => return Ok(self.report),
                Err(Trouble::Failure(failure)) => return Err(failure),
                Err(Trouble::Status(status)) if is_passing(&status) => self.wait(&status).await?,
                Err(Trouble::Status(status)) => return Err(Failure::of_status(&status, &self.endpoint)),
            }
        }
    }

    /// One stream, from its opening until everything is settled or it breaks.
    async fn session(&mut self) -> Result<(), Trouble> {
        // A stream is opened with something to send: a service may answer only then.
        while self.waiting.is_empty() {
            let Some(batch) = self.batches.recv().await else { return Ok(()) };
            self.take(batch?)?;
        }
        let (sender, stream) = mpsc::channel(WINDOW);
        for index in 0..self.waiting.len() {
            self.send(index, &sender).await?;
        }
        let opening = timeout_at(self.deadline(), self.noun.open(ReceiverStream::new(stream)));
        let mut answers = opening.await.map_err(|_| self.gave_up())??;
        let mut all_read = false;
        while !(all_read && self.waiting.is_empty()) {
            let deadline = self.deadline();
            tokio::select! {
                answer = answers.next(), if !self.waiting.is_empty() => {
                    let ended = || Err(Status::unavailable("the stream ended early"));
                    self.settle(answer.unwrap_or_else(ended)?)?;
                }
                batch = self.batches.recv(), if !all_read && self.waiting.len() < WINDOW => match batch {
                    Some(batch) => {
                        if self.take(batch?)? {
                            self.send(self.waiting.len() - 1, &sender).await?;
                        }
                    }
                    None => all_read = true,
                },
                () = sleep_until(deadline), if !self.waiting.is_empty() => return Err(self.gave_up().into()),
            }
        }
        drop(sender);
        // Everything is on disk: how the stream ends does not matter.
        let _ = timeout(GOODBYE, answers.next()).await;
        Ok(())
    }

    /// Takes up a batch. Whether it is to be sent.
    fn take(&mut self, batch: Batch<N::Row>) -> Result<bool, Failure> {
        if self.waiting.is_empty() {
            self.since = Instant::now();
        }
        let is_sent = !batch.rows.is_empty();
        self.waiting.push_back(batch);
        self.settle_unsent()?;
        Ok(is_sent)
    }

    async fn send(&mut self, index: usize, sender: &mpsc::Sender<Vec<N::Row>>) -> Result<(), Trouble> {
        let rows = &self.waiting[index].rows;
        if rows.is_empty() {
            return Ok(());
        }
        for remark in self.noun.prepare(rows).await? {
            self.report.remark(&remark);
        }
        // There is room for every batch that waits; a stream that broke says so by its answers.
        let _ = sender.try_send(rows.clone());
        Ok(())
    }

    fn settle(&mut self, answer: Acknowledgement) -> Result<(), Failure> {
        let Some(batch) = self.waiting.pop_front() else { return Ok(()) };
        self.since = Instant::now();
        self.broken = None;
        self.pause = FIRST_PAUSE;
        // What is neither recorded nor there already was refused.
        let there = answer.recorded + answer.unchanged;
        let refused = batch.refused + (batch.rows.len() as u64).saturating_sub(there);
        self.report.settle(batch.rejected, refused, batch.end, answer)?;
        self.settle_unsent()
    }

    /// Settles batches that need no acknowledgement once they are the first in line.
    fn settle_unsent(&mut self) -> Result<(), Failure> {
        while let Some(batch) = self.waiting.pop_front_if(|batch| batch.rows.is_empty()) {
            self.report.settle(batch.rejected, batch.refused, batch.end, Acknowledgement::default())?;
        }
        Ok(())
    }

    /// Waits a while after the stream broke, longer each time.
    async fn wait(&mut self, status: &Status) -> Result<(), Failure> {
        let cause = cause(status);
        if self.broken.is_none() {
            self.since = Instant::now();
            let (endpoint, seconds) = (&self.endpoint, self.give_up_after.as_secs());
            self.report.remark(&format!("interrupted ({cause}): trying {endpoint} again for {seconds} s"));
        }
        self.broken = Some(cause);
        let left = self.deadline().saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.gave_up());
        }
        sleep(self.pause.min(left)).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }

    fn deadline(&self) -> Instant {
        self.since + self.give_up_after
    }

    fn gave_up(&self) -> Failure {
        let (endpoint, seconds) = (&self.endpoint, self.give_up_after.as_secs());
        let why = self.broken.as_deref().unwrap_or("no answer");
        let settled = self.report.settled();
        Failure::new(
            UNAVAILABLE,
            format!(
                "gave up after {seconds} s without {endpoint} ({why}); {settled} rows are done, and the import can be \
                 run again: it adds only what is missing"
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::{Arc, Mutex};

    use barometer_proto::customers::v1::CustomerRow;
    use futures_util::StreamExt;
    use futures_util::stream;
    use proptest::prelude::*;

    use crate::import::line::Line;
    use crate::import::noun::Acknowledgements;
    use crate::import::reader::RejectedLine;
    use crate::import::report::ROWS;

    /// A service that keeps rows by their number and whose connection breaks.
    #[derive(Default)]
    struct Fragile {
        kept: Arc<Mutex<HashSet<i64>>>,
        /// For each stream: how many batches it keeps, how many of them it acknowledges, then it breaks. No more: it works.
        breaks: Vec<(usize, usize)>,
    }

    impl Noun for Fragile {
        type Row = CustomerRow;

        fn read(number: i64, _line: &mut Line<'_>) -> CustomerRow {
            row(number)
        }

        async fn open(&mut self, batches: ReceiverStream<Vec<CustomerRow>>) -> Result<Acknowledgements, Status> {
            let breaks = self.breaks.pop();
            if breaks == Some((0, 0)) {
                return Err(Status::unavailable("refused"));
            }
            let (keeps, acknowledges) = breaks.unwrap_or((usize::MAX, usize::MAX));
            let kept = self.kept.clone();
            let answers = batches.enumerate().map(move |(index, rows)| {
                let mut kept = kept.lock().expect("nobody panicked");
                let recorded = if index < keeps { rows.iter().filter(|row| kept.insert(row.row)).count() } else { 0 };
                if index >= acknowledges {
                    return Err(Status::unavailable("broken"));
                }
                let unchanged = rows.len() - recorded;
                Ok(Acknowledgement { recorded: recorded as u64, unchanged: unchanged as u64, ..Default::default() })
            });
            // As in a real stream, nothing comes after an error.
            let answers = answers.scan(false, |failed, answer| {
                let next = (!*failed).then(|| answer.clone());
                *failed |= answer.is_err();
                std::future::ready(next)
            });
            Ok(answers.chain(stream::empty()).boxed())
        }
    }

    fn row(number: i64) -> CustomerRow {
        CustomerRow { row: number, customer: None }
    }

    /// Batches of as many rows; a batch of none has one rejected line.
    fn batches(sizes: &[usize]) -> mpsc::Receiver<Result<Batch<CustomerRow>, Failure>> {
        let (sender, receiver) = mpsc::channel(sizes.len().max(1));
        let mut next = 0..;
        for size in sizes {
            let rows: Vec<_> = next.by_ref().take(*size).map(row).collect();
            let line = RejectedLine { line: 1, violations: Vec::new() };
            let rejected = if rows.is_empty() { vec![line] } else { Vec::new() };
            let refused = rejected.len() as u64;
            let sent = sender.try_send(Ok(Batch { rows, rejected, refused, end: 0 }));
            assert!(sent.is_ok(), "there is room");
        }
        receiver
    }

    async fn upload(sizes: &[usize], breaks: Vec<(usize, usize)>) -> Result<(u64, usize), Failure> {
        let folder = tempfile::tempdir().expect("a folder");
        let report = Report::new(folder.path().join("rejected.csv"), None, ROWS, |_| {});
        let service = Fragile { breaks, ..Fragile::default() };
        let kept = service.kept.clone();
        let patience = Duration::from_secs(60);
        let upload = Upload::new(service, batches(sizes), report, patience, "http://here".to_owned());
        let settled = upload.run().await?.settled();
        let kept = kept.lock().expect("nobody panicked").len();
        Ok((settled, kept))
    }

    #[tokio::test(start_paused = true)]
    async fn everything_is_settled_once() {
        assert_eq!(upload(&[3, 0, 2, 0, 0, 5, 1, 1, 1], vec![]).await, Ok((16, 13)));
        assert_eq!(upload(&[0], vec![]).await, Ok((1, 0)));
        assert_eq!(upload(&[], vec![]).await, Ok((0, 0)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_suite_that_stays_away_is_given_up() {
        let failure = upload(&[3], vec![(0, 0); 1_000]).await.expect_err("nobody answers");
        assert_eq!(failure.exit_code(), UNAVAILABLE);
        let told = "gave up after 60 s without http://here (refused); 0 rows are done, and the import can be run again";
        assert!(failure.to_string().starts_with(told), "{failure}");
    }

    proptest! {
        #[test]
        fn however_the_stream_breaks_each_row_is_recorded_and_settled_once(
            sizes in proptest::collection::vec(0usize..4, 0..12),
            breaks in proptest::collection::vec((0usize..4, 0usize..4), 0..8),
        ) {
            // What is acknowledged is on disk.
            let breaks = breaks.into_iter().map(|(keeps, acks)| (keeps, acks.min(keeps))).collect();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            let done = runtime.expect("a runtime").block_on(upload(&sizes, breaks));
            let rows: usize = sizes.iter().sum();
            let rejected = sizes.iter().filter(|size| **size == 0).count();
            prop_assert_eq!(done, Ok(((rows + rejected) as u64, rows)));
        }
    }
}
