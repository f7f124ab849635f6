//! The services whose facts are folded, and how their feeds are read.

use std::pin::Pin;

use barometer_chassis::{client::Channel, clock::Micros};
use barometer_proto::{complaints::v1 as complaints, customers::v1 as customers, surveys::v1 as surveys};
use futures_util::{Stream, StreamExt};
use tonic::Status;

use crate::columns::{Facts, Unreadable};

/// Batches are cut at 3 MiB of facts; one fact alone is smaller than that.
const LARGEST_BATCH: usize = 8 * 1024 * 1024;

/// A service whose facts are folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Customers with their attributes, purchases, interactions and subscriptions.
    Customers,
    /// Surveys and answers.
    Surveys,
    /// Cases of complaints.
    Complaints,
}

impl Source {
    /// Every source.
    pub(crate) const ALL: [Source; 3] = [Source::Customers, Source::Surveys, Source::Complaints];

    /// The service's name, as in positions.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Source::Customers => "customers",
            Source::Surveys => "surveys",
            Source::Complaints => "complaints",
        }
    }

    /// The source of that name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }

    /// Forgets every fact of this source.
    pub(super) fn forget(self, facts: &mut Facts) {
        match self {
            Source::Customers => facts.forget_customers(),
            Source::Surveys => facts.forget_surveys(),
            Source::Complaints => facts.forget_complaints(),
        }
    }
}

/// A batch of a feed.
#[derive(Debug)]
pub(crate) struct Batch<F> {
    /// What changed.
    pub(crate) facts: Vec<F>,
    /// Token of the position reached with it.
    pub(crate) position: String,
    /// Whether this was all there was.
    pub(crate) caught_up: bool,
    /// When the source read it.
    pub(crate) read_time: Option<Micros>,
    /// Traces of the writes in it.
    pub(crate) trace_parents: Vec<String>,
}

/// An open feed.
pub(crate) type Batches<F> = Pin<Box<dyn Stream<Item = Result<Batch<F>, Status>> + Send>>;

/// A feed that is folded.
pub(crate) trait Feed: Send + 'static {
    /// Whose it is.
    const SOURCE: Source;
    /// Its facts.
    type Fact: prost::Message + 'static;

    /// The kinds of facts that figures are made of; all when there are none.
    fn folded() -> Vec<i32> {
        Vec::new()
    }

    /// Opens the feed of these kinds, of all when there are none, after a position; from the beginning when that is empty.
    fn open(
        &mut self,
        kinds: Vec<i32>,
        after: String,
    ) -> impl Future<Output = Result<Batches<Self::Fact>, Status>> + Send;

    /// Takes facts in; gives the numbers of those that cannot be understood.
    fn put_all(facts: &mut Facts, batch: Vec<Self::Fact>) -> Vec<(i64, Unreadable)>;
}

/// The feed of the customers service.
pub(crate) type CustomersFeed = customers::customer_service_client::CustomerServiceClient<Channel>;

/// The feed of the customers service on a channel.
pub(crate) fn customers_feed(channel: Channel) -> CustomersFeed {
    CustomersFeed::new(channel).max_decoding_message_size(LARGEST_BATCH)
}

impl Feed for CustomersFeed {
    const SOURCE: Source = Source::Customers;
    type Fact = customers::Fact;

    async fn open(&mut self, kinds: Vec<i32>, after: String) -> Result<Batches<Self::Fact>, Status> {
        let request = customers::WatchFactsRequest { kinds, after };
        let batches = self.watch_facts(request).await?.into_inner();
        Ok(Box::pin(batches.map(|batch| {
            let customers::WatchFactsResponse { facts, position, caught_up, read_time, trace_parents } = batch?;
            let read_time = read_time.as_ref().and_then(Micros::from_wire);
            Ok(Batch { facts, position, caught_up, read_time, trace_parents })
        })))
    }

    fn put_all(facts: &mut Facts, batch: Vec<Self::Fact>) -> Vec<(i64, Unreadable)> {
        let put = |fact: customers::Fact| Some((fact.number, facts.put_customers(fact).err()?));
        batch.into_iter().filter_map(put).collect()
    }
}

/// The feed of the surveys service.
pub(crate) type SurveysFeed = surveys::survey_service_client::SurveyServiceClient<Channel>;

/// The feed of the surveys service on a channel.
pub(crate) fn surveys_feed(channel: Channel) -> SurveysFeed {
    SurveysFeed::new(channel).max_decoding_message_size(LARGEST_BATCH)
}

impl Feed for SurveysFeed {
    const SOURCE: Source = Source::Surveys;
    type Fact = surveys::Fact;

    async fn open(&mut self, kinds: Vec<i32>, after: String) -> Result<Batches<Self::Fact>, Status> {
        let request = surveys::WatchFactsRequest { kinds, after };
        let batches = self.watch_facts(request).await?.into_inner();
        Ok(Box::pin(batches.map(|batch| {
            let surveys::WatchFactsResponse { facts, position, caught_up, read_time, trace_parents } = batch?;
            let read_time = read_time.as_ref().and_then(Micros::from_wire);
            Ok(Batch { facts, position, caught_up, read_time, trace_parents })
        })))
    }

    fn put_all(facts: &mut Facts, batch: Vec<Self::Fact>) -> Vec<(i64, Unreadable)> {
        let put = |fact: surveys::Fact| Some((fact.number, facts.put_surveys(fact).err()?));
        batch.into_iter().filter_map(put).collect()
    }
}

/// The facts of the complaints service that figures are made of.
const KINDS_OF_COMPLAINTS: [complaints::FactKind; 7] = [
    complaints::FactKind::Case,
    complaints::FactKind::CaseEntry,
    complaints::FactKind::CaseClock,
    complaints::FactKind::Promise,
    complaints::FactKind::Escalation,
    complaints::FactKind::Claim,
    complaints::FactKind::FollowUp,
];

/// The feed of the complaints service.
pub(crate) type ComplaintsFeed = complaints::complaint_service_client::ComplaintServiceClient<Channel>;

/// The feed of the complaints service on a channel.
pub(crate) fn complaints_feed(channel: Channel) -> ComplaintsFeed {
    ComplaintsFeed::new(channel).max_decoding_message_size(LARGEST_BATCH)
}

impl Feed for ComplaintsFeed {
    const SOURCE: Source = Source::Complaints;
    type Fact = complaints::Fact;

    /// Kinds that no figure is made of are not asked for.
    fn folded() -> Vec<i32> {
        KINDS_OF_COMPLAINTS.map(i32::from).to_vec()
    }

    async fn open(&mut self, kinds: Vec<i32>, after: String) -> Result<Batches<Self::Fact>, Status> {
        let request = complaints::WatchFactsRequest { kinds, after };
        let batches = self.watch_facts(request).await?.into_inner();
        Ok(Box::pin(batches.map(|batch| {
            let complaints::WatchFactsResponse { facts, position, caught_up, read_time, trace_parents } = batch?;
            let read_time = read_time.as_ref().and_then(Micros::from_wire);
            Ok(Batch { facts, position, caught_up, read_time, trace_parents })
        })))
    }

    fn put_all(facts: &mut Facts, batch: Vec<Self::Fact>) -> Vec<(i64, Unreadable)> {
        let put = |fact: complaints::Fact| Some((fact.number, facts.put_complaints(fact).err()?));
        batch.into_iter().filter_map(put).collect()
    }
}
