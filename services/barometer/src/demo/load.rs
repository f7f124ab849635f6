//! Brings the simulated company into the suite, as any other system would: through the import RPCs.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use barometer_chassis::{client::Channel, position::Position};
use barometer_proto::{
    complaints::v1::{
        GetCaseRequest, ImportCasesRequest, ReopenCaseRequest, ResolveCaseRequest,
        complaint_service_client::ComplaintServiceClient, get_case_request,
    },
    customers::v1::{
        ImportAttributeChangesRequest, ImportAttributeChangesResponse, ImportCostsRequest, ImportCustomersRequest,
        ImportInteractionsRequest, ImportMembershipEventsRequest, ImportPurchasesRequest, ImportReferralsRequest,
        ImportSubscriptionEventsRequest, cost_service_client::CostServiceClient,
        customer_service_client::CustomerServiceClient, loyalty_service_client::LoyaltyServiceClient,
    },
    surveys::v1::{
        ActivateSurveyRequest, CreateSurveyRequest, GetSurveyRequest, ImportResponsesRequest, get_survey_request,
        survey, survey_service_client::SurveyServiceClient,
    },
};
use barometer_simulator::{
    Company,
    rows::{self, Reopening},
};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc::{self, Sender, error::SendError};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Response, Status, Streaming};

use crate::{
    decimal::grouped,
    endpoint::{Endpoint, request},
    failure::Failure,
    import::noun::{Acknowledgement, count},
    output,
};

/// Rows of a batch.
const BATCH: usize = 1_000;
/// Batches of a kind that wait to be sent.
const WAITING: usize = 2;
/// Single calls at the same time.
const CALLS: usize = 32;

/// What came of it.
pub struct Loaded {
    /// How many facts there are.
    pub facts: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// The positions that figures must include, one for each service.
    pub positions: Vec<String>,
}

/// Brings in the whole company. What is there already stays as it is.
///
/// # Errors
/// When the suite does not answer, or refuses a row: the simulator makes none that it should.
pub async fn load(endpoint: &Endpoint, company: &Company) -> Result<Loaded, Failure> {
    let begun = Instant::now();
    let facts = company.truth().facts.values().sum();
    let channel = endpoint.connect()?;
    let loading = Loading { channel, company, progress: Progress::new(facts) };
    let positions = loading.all().await;
    drop(loading);
    let positions = positions.map_err(|trouble| match trouble {
        Trouble::Status(status) => Failure::of_status(&status, &endpoint.url()),
        Trouble::Failure(failure) => failure,
    })?;
    Ok(Loaded { facts, elapsed: begun.elapsed(), positions })
}

/// Why it can not be brought in.
enum Trouble {
    Status(Status),
    Failure(Failure),
}

impl From<Status> for Trouble {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl<T> From<SendError<T>> for Trouble {
    fn from(_: SendError<T>) -> Self {
        Self::Status(Status::unavailable("an import ended early"))
    }
}

struct Loading<'c> {
    channel: Channel,
    company: &'c Company,
    progress: Progress,
}

impl Loading<'_> {
    async fn all(&self) -> Result<Vec<String>, Trouble> {
        self.surveys().await?;
        let customers = self.customers().await?;
        let costs = self.costs().await?;
        let loyalty = self.loyalty().await?;
        let [facts, surveys, complaints] = self.facts().await?;
        let reopenings = self.reopenings().await?;
        let reached = [customers.max(costs).max(loyalty).max(facts), surveys, complaints.max(reopenings)];
        Ok(reached.into_iter().flat_map(Reached::token).collect())
    }

    /// Surveys that take answers.
    async fn surveys(&self) -> Result<(), Trouble> {
        let mut client = SurveyServiceClient::new(self.channel.clone());
        for survey in rows::surveys() {
            let by = Some(get_survey_request::By::Name(survey.name.clone()));
            let create = CreateSurveyRequest { survey: Some(survey), request_id: String::new() };
            let survey = match client.create_survey(request(create)).await {
                Err(taken) if taken.code() == Code::AlreadyExists => {
                    client.get_survey(request(GetSurveyRequest { by })).await?
                }
                created => created?,
            };
            let survey = survey.into_inner();
            if survey.state() == survey::State::Draft {
                let activate = ActivateSurveyRequest { survey_id: survey.survey_id, ..Default::default() };
                client.activate_survey(request(activate)).await?;
            }
        }
        Ok(())
    }

    /// The customers come before what they did.
    async fn customers(&self) -> Result<Reached, Trouble> {
        let (mut customers, batches) = batches(|rows| ImportCustomersRequest { rows });
        let mut client = CustomerServiceClient::new(self.channel.clone());
        let generate = async move {
            for life in self.company.lives() {
                customers.push([rows::customer(&life)]).await?;
            }
            customers.finish().await
        };
        let import = self.acknowledge(client.import_customers(batches));
        let ((), reached) = tokio::try_join!(generate, import)?;
        Ok(reached)
    }

    /// What the company spent.
    async fn costs(&self) -> Result<Reached, Trouble> {
        let (mut costs, batches) = batches(|rows| ImportCostsRequest { rows });
        let mut client = CostServiceClient::new(self.channel.clone());
        let generate = async move {
            costs.push(rows::costs(self.company)).await?;
            costs.finish().await
        };
        let ((), reached) = tokio::try_join!(generate, self.acknowledge(client.import_costs(batches)))?;
        Ok(reached)
    }

    /// What happened in the loyalty programme, and who recommended whom.
    async fn loyalty(&self) -> Result<Reached, Trouble> {
        let (mut events, of_events) = batches(|rows| ImportMembershipEventsRequest { rows });
        let (mut referrals, of_referrals) = batches(|rows| ImportReferralsRequest { rows });
        let generate = async move {
            for life in self.company.lives() {
                events.push(rows::membership_events(&life)).await?;
                referrals.push(rows::referrals(&life)).await?;
            }
            events.finish().await?;
            referrals.finish().await
        };
        let client = || LoyaltyServiceClient::new(self.channel.clone());
        let (mut first, mut second) = (client(), client());
        let ((), events, referrals) = tokio::try_join!(
            generate,
            self.acknowledge(first.import_membership_events(of_events)),
            self.acknowledge(second.import_referrals(of_referrals)),
        )?;
        Ok(events.max(referrals))
    }

    /// Everything else in one pass, each kind on a stream of its own. Tells how far customers, surveys and complaints came.
    async fn facts(&self) -> Result<[Reached; 3], Trouble> {
        let (mut changes, of_changes) = batches(|rows| ImportAttributeChangesRequest { rows });
        let (mut purchases, of_purchases) = batches(|rows| ImportPurchasesRequest { rows });
        let (mut interactions, of_interactions) = batches(|rows| ImportInteractionsRequest { rows });
        let (mut events, of_events) = batches(|rows| ImportSubscriptionEventsRequest { rows });
        let (mut responses, of_responses) = batches(|rows| ImportResponsesRequest { rows });
        let (mut cases, of_cases) = batches(|rows| ImportCasesRequest { rows });
        let generate = async move {
            for life in self.company.lives() {
                changes.push(rows::attribute_changes(&life)).await?;
                purchases.push(rows::purchases(&life)).await?;
                interactions.push(rows::interactions(&life)).await?;
                events.push(rows::subscription_events(&life)).await?;
                responses.push(rows::responses(&life)).await?;
                cases.push(rows::cases(&life)).await?;
            }
            changes.finish().await?;
            purchases.finish().await?;
            interactions.finish().await?;
            events.finish().await?;
            responses.finish().await?;
            cases.finish().await
        };
        let client = || CustomerServiceClient::new(self.channel.clone());
        let (mut first, mut second, mut third, mut fourth) = (client(), client(), client(), client());
        let mut surveys = SurveyServiceClient::new(self.channel.clone());
        let mut complaints = ComplaintServiceClient::new(self.channel.clone());
        let ((), changes, purchases, interactions, events, surveys, complaints) = tokio::try_join!(
            generate,
            self.acknowledge(first.import_attribute_changes(of_changes)),
            self.acknowledge(second.import_purchases(of_purchases)),
            self.acknowledge(third.import_interactions(of_interactions)),
            self.acknowledge(fourth.import_subscription_events(of_events)),
            self.acknowledge(surveys.import_responses(of_responses)),
            self.acknowledge(complaints.import_cases(of_cases)),
        )?;
        Ok([changes.max(purchases).max(interactions).max(events), surveys, complaints])
    }

    /// Follows the answers of an import to its end.
    async fn acknowledge<A: Into<Acknowledgement>>(
        &self,
        answers: impl Future<Output = Result<Response<Streaming<A>>, Status>>,
    ) -> Result<Reached, Trouble> {
        let mut answers = answers.await?.into_inner();
        let mut reached = Reached::default();
        while let Some(answer) = answers.message().await? {
            let answer = answer.into();
            if let Some(row) = answer.rejected.first() {
                let told = format!("the suite refused a row of the demo: {:?}", row.violations);
                return Err(Trouble::Failure(Failure::internal(told)));
            }
            self.progress.bar.inc(answer.recorded + answer.unchanged);
            reached = reached.max(Reached::of(answer.position));
        }
        Ok(reached)
    }

    /// Cases that turned out not to be resolved: an import knows of none.
    async fn reopenings(&self) -> Result<Reached, Trouble> {
        let lives = stream::iter(self.company.lives());
        let all = lives.flat_map(|life| stream::iter(rows::reopenings(&life).collect::<Vec<_>>()));
        let mut written = all.map(|reopening| self.reopen(reopening)).buffer_unordered(CALLS);
        let mut reached = Reached::default();
        while let Some(position) = written.try_next().await? {
            reached = reached.max(Reached::of(position));
        }
        Ok(reached)
    }

    async fn reopen(&self, reopening: Reopening) -> Result<String, Trouble> {
        let mut client = ComplaintServiceClient::new(self.channel.clone());
        let by = Some(get_case_request::By::ExternalId(reopening.case));
        let mut case = client.get_case(request(GetCaseRequest { by })).await?.into_inner();
        if case.reopenings == 0 {
            let reopen = ReopenCaseRequest {
                case_id: case.case_id.clone(),
                reason: reopening.reason.to_owned(),
                time: Some(reopening.time),
                ..Default::default()
            };
            case = client.reopen_case(request(reopen)).await?.into_inner();
        }
        if reopening.resolve_time.is_some() && case.resolve_time.is_none() {
            let resolve =
                ResolveCaseRequest { case_id: case.case_id, time: reopening.resolve_time, ..Default::default() };
            case = client.resolve_case(request(resolve)).await?.into_inner();
        }
        Ok(case.position)
    }
}

/// The latest of the positions of one service: streams end in any order.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
struct Reached {
    n: i64,
    token: String,
}

impl Reached {
    fn of(token: String) -> Self {
        let n = Position::decode(&token).map_or(0, |(_, position)| position.n);
        Self { n, token }
    }

    fn token(self) -> Option<String> {
        (!self.token.is_empty()).then_some(self.token)
    }
}

/// Rows on their way into batches.
struct Batches<R> {
    rows: Vec<R>,
    sender: Sender<Vec<R>>,
}

/// Where rows go in, and the requests that come out.
fn batches<R: Send + 'static, Q>(
    wrap: impl Fn(Vec<R>) -> Q + Send + 'static,
) -> (Batches<R>, impl Stream<Item = Q> + Send + 'static) {
    let (sender, batches) = mpsc::channel(WAITING);
    (Batches { rows: Vec::new(), sender }, ReceiverStream::new(batches).map(wrap))
}

impl<R> Batches<R> {
    async fn push(&mut self, rows: impl IntoIterator<Item = R>) -> Result<(), Trouble> {
        for row in rows {
            self.rows.push(row);
            if self.rows.len() == BATCH {
                self.sender.send(std::mem::take(&mut self.rows)).await?;
            }
        }
        Ok(())
    }

    async fn finish(self) -> Result<(), Trouble> {
        if self.rows.is_empty() { Ok(()) } else { Ok(self.sender.send(self.rows).await?) }
    }
}

/// How far it is, on standard error.
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new(facts: u64) -> Self {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} facts, {per_sec}");
        let bar = ProgressBar::new(facts).with_message("importing");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        if !io::stderr().is_terminal() {
            output::remark(&format!("importing {} facts of a simulated company", grouped(facts)));
        }
        Self { bar }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl From<ImportAttributeChangesResponse> for Acknowledgement {
    fn from(answer: ImportAttributeChangesResponse) -> Self {
        let ImportAttributeChangesResponse { recorded, unchanged, rejected, position } = answer;
        Self { recorded: count(recorded), unchanged: count(unchanged), rejected, position }
    }
}
