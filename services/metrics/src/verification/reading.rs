//! The facts of some sources, read anew from the beginning of their feeds.

use std::time::Duration;

use barometer_chassis::{error::Error, position::Position};
use barometer_proto::metrics::v1 as wire;
use futures_util::StreamExt;
use tokio::time::Instant;

use super::recount::{Countable, Recount};
use crate::{
    Upstreams,
    columns::Facts,
    fold::{Batches, Feed, Source, complaints_feed, customers_feed, surveys_feed},
    wire::verification::whole,
};

/// A feed says something every second, also when nothing happens. One that is silent for so long is dead.
const SILENCE: Duration = Duration::from_secs(15);
/// How often it is told how far it has come.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// What is computed again: facts folded from nothing, and those that are counted one by one.
#[derive(Debug, Default)]
pub(crate) struct Anew {
    pub(crate) facts: Facts,
    pub(crate) recount: Recount,
}

impl Anew {
    /// Takes in facts of a feed. What can not be understood is left out of the columns, as the fold does, and of nothing else.
    pub(crate) fn put<F: Feed<Fact: Countable>>(&mut self, facts: Vec<F::Fact>) {
        facts.iter().for_each(|fact| fact.note(&mut self.recount));
        let _left_out = F::put_all(&mut self.facts, facts);
    }
}

/// Reads sources.
pub(super) struct Reading {
    readers: Vec<Box<dyn Read>>,
    /// Away while a batch is taken in.
    anew: Option<Box<Anew>>,
}

/// What is still to be done with a batch.
type Put = Box<dyn FnOnce(&mut Anew) + Send>;

/// A feed that is read.
#[tonic::async_trait]
trait Read: Send {
    /// Where it stands.
    fn stands(&self) -> &Stands;

    /// The next batch, which counts as read. May be given up while it waits.
    ///
    /// Errors: UNAVAILABLE when the feed is lost.
    async fn next(&mut self) -> Result<Put, Error>;
}

/// How far a source was read.
#[derive(Clone, Debug)]
struct Stands {
    source: Source,
    position: Position,
    facts: u64,
    caught_up: bool,
}

struct Reader<F: Feed> {
    batches: Batches<F::Fact>,
    stands: Stands,
}

impl Reading {
    /// Opens the feeds.
    ///
    /// Errors: UNAVAILABLE when one can not be opened.
    pub(super) async fn open(upstreams: Upstreams, sources: &[Source], recount: Recount) -> Result<Self, Error> {
        let mut readers = Vec::with_capacity(sources.len());
        for source in sources {
            readers.push(match source {
                Source::Customers => open(customers_feed(upstreams.customers.clone())).await?,
                Source::Surveys => open(surveys_feed(upstreams.surveys.clone())).await?,
                Source::Complaints => open(complaints_feed(upstreams.complaints.clone())).await?,
            });
        }
        Ok(Reading { readers, anew: Some(Box::new(Anew { facts: Facts::default(), recount })) })
    }

    /// Reads each source until it was caught up with. About once a second `look` sees how far it has come, and may end it.
    pub(super) async fn read(&mut self, mut look: impl FnMut(&Self) -> Result<(), Error>) -> Result<(), Error> {
        look(self)?;
        let mut told = Instant::now();
        for index in 0..self.readers.len() {
            while !self.readers[index].stands().caught_up {
                let put = self.readers[index].next().await?;
                self.take(put).await?;
                if told.elapsed() >= TOLD_EVERY {
                    look(self)?;
                    told = Instant::now();
                }
            }
        }
        look(self)
    }

    /// Reads on until all sources stand at these positions; `false` when one of them passed its position, or did not come to it
    /// in time. `check` sees how many facts were read, and may end it.
    pub(super) async fn come_to(
        &mut self,
        position: impl Fn(Source) -> Position,
        until: Instant,
        check: impl Fn(u64) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        for index in 0..self.readers.len() {
            let to = position(self.readers[index].stands().source);
            while self.readers[index].stands().position.n < to.n {
                let Ok(put) = tokio::time::timeout_at(until, self.readers[index].next()).await else {
                    return Ok(false);
                };
                self.take(put?).await?;
                check(self.facts())?;
            }
            if self.readers[index].stands().position != to {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What was read so far, source by source.
    pub(super) fn sources(&self) -> Vec<wire::VerificationSource> {
        let stands = self.readers.iter().map(|reader| reader.stands());
        let source = |Stands { source, position, facts, caught_up: _ }: &Stands| wire::VerificationSource {
            source: source.name().to_owned(),
            facts: whole(*facts),
            position: position.encode(source.name()),
        };
        stands.map(source).collect()
    }

    /// How many facts were read.
    pub(super) fn facts(&self) -> u64 {
        self.readers.iter().map(|reader| reader.stands().facts).sum()
    }

    /// What was read; the feeds are closed.
    pub(super) fn into_anew(self) -> Result<Box<Anew>, Error> {
        self.anew.ok_or_else(lost_on_the_way)
    }

    async fn take(&mut self, put: Put) -> Result<(), Error> {
        let mut anew = self.anew.take().ok_or_else(lost_on_the_way)?;
        let taken = super::away(move || {
            put(&mut anew);
            anew
        });
        self.anew = Some(taken.await?);
        Ok(())
    }
}

/// Nothing is read any more after an error.
fn lost_on_the_way() -> Error {
    Error::Internal("what was read is lost".to_owned())
}

async fn open<F: Feed<Fact: Countable>>(mut feed: F) -> Result<Box<dyn Read>, Error> {
    let opened = tokio::time::timeout(SILENCE, feed.open(F::folded(), String::new())).await;
    let batches = opened.map_err(|_| lost(F::SOURCE))?.map_err(|_| lost(F::SOURCE))?;
    let stands = Stands { source: F::SOURCE, position: Position::START, facts: 0, caught_up: false };
    Ok(Box::new(Reader::<F> { batches, stands }))
}

#[tonic::async_trait]
impl<F: Feed<Fact: Countable>> Read for Reader<F> {
    fn stands(&self) -> &Stands {
        &self.stands
    }

    async fn next(&mut self) -> Result<Put, Error> {
        let batch = tokio::time::timeout(SILENCE, self.batches.next()).await;
        let batch = batch.ok().flatten().and_then(Result::ok).ok_or_else(|| lost(F::SOURCE))?;
        let position = Position::decode(&batch.position).filter(|(service, _)| service == F::SOURCE.name());
        let (_, position) = position.ok_or_else(|| lost(F::SOURCE))?;
        self.stands.position = position;
        self.stands.facts += u64::try_from(batch.facts.len()).unwrap_or(u64::MAX);
        self.stands.caught_up |= batch.caught_up;
        let facts = batch.facts;
        Ok(Box::new(move |anew| anew.put::<F>(facts)))
    }
}

fn lost(source: Source) -> Error {
    let message = format!("the facts of {} can not be read to their end", source.name());
    Error::Unavailable { reason: "SOURCE_UNREACHABLE", message }
}
