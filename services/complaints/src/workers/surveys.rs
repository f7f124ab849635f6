//! The surveys service as this one follows it: every answer, from the first on, for as long as the process runs.

mod survey;

use std::{sync::Arc, time::Duration};

use barometer_chassis::{
    client::Channel,
    clock::Micros,
    error::{Error, is_stopping},
    shutdown::Shutdown,
    store::Store,
    writer::{Done, Request, Write},
};
use barometer_directory::CustomerId;
use barometer_proto::{
    complaints::v1 as wire,
    surveys::v1::{
        self as surveys, ResponseFact, SurveyKind, SurveyType, WatchFactsRequest, WatchFactsResponse, fact::Fact as Of,
        survey_service_client::SurveyServiceClient,
    },
};
use futures_util::future::BoxFuture;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use self::survey::Surveys;
use crate::{
    case::{CASE_DIMENSION, PriorityTable, Verdict},
    store::{self, BY_ITSELF, Book, SaidByCustomer, Seen},
};

/// The name of the service, as in its positions.
const NAME: &str = "surveys";
/// Batches are cut at 3 MiB of facts; one fact alone is smaller than that.
const LARGEST_BATCH: usize = 8 * 1024 * 1024;
/// The wait before the feed is opened again: from this, doubled each time, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A feed says something every second, also when nothing happens. One that is silent for so long is dead.
const SILENCE: Duration = Duration::from_secs(15);
/// The most answers that are taken in by one write.
const MAX_TAKEN: usize = 100;

/// Follows the answers.
pub(crate) struct Follower {
    store: Store<wire::Fact>,
    client: SurveyServiceClient<Channel>,
    surveys: Surveys,
    book: Arc<Book>,
    priorities: PriorityTable,
}

/// Why the feed ended.
enum End {
    /// The position is of another history than the one of this generation.
    Gone(i64),
    /// The source stops, and says so.
    Stopped,
    /// Anything else.
    Lost(String),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        End::Lost(error.to_string())
    }
}

impl Follower {
    /// Over a channel to the surveys service, which need not be there yet.
    pub(crate) fn new(store: Store<wire::Fact>, surveys: Channel, book: Arc<Book>, priorities: PriorityTable) -> Self {
        let client = SurveyServiceClient::new(surveys).max_decoding_message_size(LARGEST_BATCH);
        Follower { store, surveys: Surveys::new(client.clone()), client, book, priorities }
    }

    /// Follows until `shutdown`, and opens the feed again whenever it ends. Once `ending` is said, when the watches of this
    /// process's own server end, that it ends surprises nobody.
    pub(crate) async fn run(mut self, ending: Shutdown, shutdown: Shutdown) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.follow_for_ever(&ending) => {}
        }
    }

    async fn follow_for_ever(&mut self, ending: &Shutdown) {
        let (mut pause, mut told) = (FIRST_PAUSE, String::new());
        loop {
            let (error, stopped) = match self.follow_once(&mut pause).await {
                Err(End::Gone(generation)) => {
                    tracing::warn!(source = NAME, "the history of the source is another: reading all of it again");
                    let begin = self.write(move |write| Box::pin(store::start_over(write, NAME, generation))).await;
                    (begin.err().map(|error| error.to_string()), false)
                }
                Err(End::Stopped) => (Some("the source stops".to_owned()), true),
                Err(End::Lost(error)) => (Some(error), false),
                Ok(()) => (Some("the feed ended".to_owned()), false),
            };
            if pause == FIRST_PAUSE {
                told.clear();
            }
            if let Some(error) = error
                && told != error
            {
                if ending.is_cancelled() {
                    tracing::debug!(source = NAME, error, "the feed ended: this process stops");
                } else if stopped {
                    tracing::info!(source = NAME, error, "the feed ended: trying again");
                } else {
                    tracing::warn!(source = NAME, error, "the feed was lost: trying again");
                }
                told = error;
            }
            // Half of it for sure, half by chance: those who lost it together do not come back together.
            tokio::time::sleep(pause / 2 + (pause / 2).mul_f64(fastrand::f64())).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Follows the feed until it ends. A batch resets the pause before it is opened again.
    async fn follow_once(&mut self, pause: &mut Duration) -> Result<(), End> {
        let upstream = store::get_upstream(self.store.db(), NAME).await?;
        let (generation, mut rereading) = (upstream.generation, upstream.rereading);
        let end_of = |status: Status| end_of(&status, generation);
        let silent = |_| End::Lost("the feed is silent".to_owned());
        let mut reached = upstream.position;
        let request = WatchFactsRequest { kinds: Vec::new(), after: reached.clone() };
        let opening = tokio::time::timeout(SILENCE, self.client.watch_facts(request)).await;
        let mut batches = opening.map_err(silent)?.map_err(end_of)?.into_inner();
        loop {
            let batch = tokio::time::timeout(SILENCE, batches.message()).await.map_err(silent)?.map_err(end_of)?;
            let Some(batch) = batch else { return Ok(()) };
            let WatchFactsResponse { facts, position, caught_up, read_time: _, trace_parents: _ } = batch;
            let seen = self.seen(facts).await?;
            // An empty batch moves on as well, but not all the time.
            if position != reached {
                self.take(generation, seen, position.clone()).await?;
                reached = position;
            }
            while rereading && caught_up {
                rereading = self.drop_lost(generation).await?;
            }
            *pause = FIRST_PAUSE;
        }
    }

    /// The answers among facts, with what their surveys ask.
    async fn seen(&mut self, facts: Vec<surveys::Fact>) -> Result<Vec<Seen>, End> {
        let mut answers = Vec::new();
        for surveys::Fact { id, number, version, fact, write_time: _ } in facts {
            let said = match fact {
                Some(Of::Survey(survey)) => {
                    self.surveys.learn(&id, &survey);
                    continue;
                }
                Some(Of::Response(response)) => Some(response),
                Some(Of::Tombstone(tombstone)) if tombstone.kind() == surveys::FactKind::Response => None,
                Some(Of::Tombstone(_) | Of::Invitation(_)) | None => continue,
            };
            match Uuid::try_parse(&id) {
                Ok(response_id) => answers.push((response_id, number, version, said)),
                Err(_) => tracing::error!(source = NAME, number, "a fact is left out: its id is none"),
            }
        }
        let mut seen = Vec::with_capacity(answers.len());
        for (response_id, number, version, said) in answers {
            let (said, verdict) = match said {
                Some(response) => (self.said(number, &response).await?, self.verdict(&response).await?),
                None => (None, None),
            };
            seen.push(Seen { response_id, version, said, verdict });
        }
        Ok(seen)
    }

    /// What an answer says; nothing when it is anonymous or has no score.
    async fn said(&mut self, number: i64, response: &ResponseFact) -> Result<Option<SaidByCustomer>, End> {
        let &ResponseFact { ref survey_id, ref customer_id, score: Some(score), ref time, imported, .. } = response
        else {
            return Ok(None);
        };
        if customer_id.is_empty() {
            return Ok(None);
        }
        let time = time.as_ref().and_then(Micros::from_wire);
        let ids = Uuid::try_parse(survey_id).ok().zip(Uuid::try_parse(customer_id).ok());
        let (Some(time), Some((survey_id, customer_id))) = (time, ids) else {
            tracing::error!(source = NAME, number, "a fact is left out: it can not be understood");
            return Ok(None);
        };
        let Some((survey_kind, survey_type)) = self.survey(survey_id).await? else {
            tracing::error!(source = NAME, number, "a fact is left out: there is no such survey");
            return Ok(None);
        };
        let customer_id = CustomerId(customer_id);
        Ok(Some(SaidByCustomer { survey_id, survey_kind, survey_type, customer_id, score, time, imported }))
    }

    /// What an answer says of a case; nothing when it is about none, or has no score.
    async fn verdict(&mut self, response: &ResponseFact) -> Result<Option<Verdict>, End> {
        let &ResponseFact { ref survey_id, ref customer_id, score: Some(score), ref time, ref dimensions, .. } =
            response
        else {
            return Ok(None);
        };
        let case = dimensions.get(CASE_DIMENSION).and_then(|id| Uuid::try_parse(id).ok());
        let time = time.as_ref().and_then(Micros::from_wire);
        let (Some(case), Some(time), Ok(survey_id)) = (case, time, Uuid::try_parse(survey_id)) else { return Ok(None) };
        let customer = Uuid::try_parse(customer_id).ok().map(CustomerId);
        let survey = self.survey(survey_id).await?;
        Ok(survey.map(|(kind, _)| Verdict::of(case, customer, (kind, score), time)))
    }

    async fn survey(&mut self, id: Uuid) -> Result<Option<(SurveyKind, SurveyType)>, End> {
        self.surveys.get(id).await.map_err(|status| End::Lost(status.message().to_owned()))
    }

    /// Takes answers in, and with the last of them the position.
    async fn take(&self, generation: i64, mut seen: Vec<Seen>, position: String) -> Result<(), End> {
        // Answers that were given before there were rules open nothing, also when there are some in a moment.
        let follows_up = store::rules_since(self.store.db()).await?.is_some();
        seen.retain(|seen| follows_up || seen.verdict.is_some());
        let parts = seen.len().div_ceil(MAX_TAKEN).max(1);
        let mut rest = seen;
        for part in 1..=parts {
            let later = rest.split_off(rest.len().min(MAX_TAKEN));
            let now = std::mem::replace(&mut rest, later);
            let (book, priorities) = (Arc::clone(&self.book), self.priorities);
            let position = (part == parts).then(|| position.clone());
            let work = self.write(move |write| {
                Box::pin(async move {
                    if follows_up && !now.is_empty() {
                        store::take_answers(write, (NAME, generation), (&book, &priorities), &now).await?;
                    }
                    store::take_verdicts(write, &book, &now).await?;
                    match position {
                        Some(position) => store::advance(write, NAME, generation, &position).await,
                        None => Ok(()),
                    }
                })
            });
            work.await?;
        }
        Ok(())
    }

    /// Takes back some of what a history before held and this one does not. Whether there may be more.
    async fn drop_lost(&self, generation: i64) -> Result<bool, End> {
        let max = u64::try_from(MAX_TAKEN).unwrap_or(u64::MAX);
        let book = Arc::clone(&self.book);
        self.write(move |write| {
            Box::pin(async move { store::drop_lost(write, &book, (NAME, generation), max).await.map(drop) })
        })
        .await?;
        Ok(store::get_upstream(self.store.db(), NAME).await?.rereading)
    }

    async fn write<W>(&self, work: W) -> Result<(), Error>
    where
        W: for<'w> FnOnce(&'w Write<'w>) -> BoxFuture<'w, Result<(), Error>> + Send + 'static,
    {
        let request = Request { method: "FollowSurveys", actor: BY_ITSELF.to_owned(), id: None, fingerprint: 0 };
        let done = self.store.writer.run_in_turn(request, move |write| {
            Box::pin(async move {
                work(write).await?;
                Ok(Done { id: Uuid::nil(), position: write.position() })
            })
        });
        done.await.map(drop)
    }
}

fn end_of(status: &Status, generation: i64) -> End {
    // The same code is answered for messages that are too large.
    let gone = status.get_details_error_info().is_some_and(|info| info.reason == "POSITION_GONE");
    if status.code() == Code::OutOfRange && gone {
        return End::Gone(generation);
    }
    if is_stopping(status) {
        return End::Stopped;
    }
    End::Lost(format!("{:?}: {}", status.code(), status.message()))
}
