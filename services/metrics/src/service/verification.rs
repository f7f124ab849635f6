//! The RPCs of verifications: parse, act, render.

use std::{sync::Arc, time::Duration};

use barometer_chassis::{door::Door, error::Error, layers::Deadline, shutdown::Shutdown};
use barometer_proto::metrics::v1::{
    self as wire, VerificationTrigger, verification_service_server::VerificationService, verify_metrics_response::Part,
};
use futures_util::{StreamExt, stream::BoxStream};
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};

use super::Metrics;
use crate::{
    catalogue::METRICS,
    columns::Facts,
    query::{Query, Vocabulary, Zones},
    verification::{Verifier, count_facts, parse, sources_of},
};

/// Parts that wait for a slow reader. Beyond them it is not told how far it has come.
const WAITING: usize = 4;

/// The service.
#[derive(Clone)]
pub(crate) struct Verifications {
    metrics: Metrics,
    verifier: Arc<Verifier>,
    /// Verifications end with the server.
    ending: Shutdown,
}

impl Verifications {
    /// The service beside that of the figures.
    pub(crate) fn new(metrics: Metrics, verifier: Arc<Verifier>, ending: Shutdown) -> Self {
        Verifications { metrics, verifier, ending }
    }

    /// The queries that are verified, once the positions are included.
    async fn queries(&self, request: wire::VerifyMetricsRequest, left: Option<Duration>) -> Result<Vec<Query>, Error> {
        let (names, at_least) = match &request.query {
            Some(query) => (query.metrics.clone(), query.at_least.clone()),
            None => Default::default(),
        };
        let names = if names.is_empty() { METRICS.iter().map(|metric| metric.id.to_owned()).collect() } else { names };
        let parsed = move |facts: &Facts, vocabulary: &Vocabulary, zones: &Zones, setting| {
            let queries = parse(request, vocabulary, zones, setting)?;
            let facts = count_facts(facts, &sources_of(&queries));
            Ok((queries, facts))
        };
        let ((queries, facts), _) = self.metrics.compute(names, &at_least, left, parsed).await?;
        self.verifier.check(facts)?;
        Ok(queries)
    }
}

#[tonic::async_trait]
impl VerificationService for Verifications {
    type VerifyMetricsStream = BoxStream<'static, Result<wire::VerifyMetricsResponse, Status>>;

    async fn verify_metrics(
        &self,
        request: Request<wire::VerifyMetricsRequest>,
    ) -> Result<Response<Self::VerifyMetricsStream>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let queries = self.queries(request.into_inner(), left).await?;
        let place = self.verifier.place()?;
        let (sender, mut receiver) = mpsc::channel(WAITING);
        let (verifier, ending) = (Arc::clone(&self.verifier), self.ending.clone());
        tokio::spawn(async move {
            let tell = |progress| {
                let _full = sender.try_send(Ok(part(Part::Progress(progress))));
            };
            let verdict = tokio::select! {
                () = ending.cancelled() => Err(Error::stopping()),
                () = sender.closed() => return,
                verdict = verifier.verify(place, VerificationTrigger::Call, queries, &tell) => verdict,
            };
            let last = verdict.map(|verification| part(Part::Verification(verification))).map_err(Status::from);
            let _gone = sender.send(last).await;
        });
        Ok(Response::new(futures_util::stream::poll_fn(move |context| receiver.poll_recv(context)).boxed()))
    }

    async fn get_verification(
        &self,
        request: Request<wire::GetVerificationRequest>,
    ) -> Result<Response<wire::Verification>, Status> {
        let wire::GetVerificationRequest { verification_id } = request.into_inner();
        let id = Door::open(|door| door.id("verification_id", &verification_id))?;
        let found = self.verifier.kept().find(id);
        Ok(Response::new(found.ok_or_else(|| Error::not_found("verification", id))?))
    }

    async fn list_verifications(
        &self,
        request: Request<wire::ListVerificationsRequest>,
    ) -> Result<Response<wire::ListVerificationsResponse>, Status> {
        let wire::ListVerificationsRequest { page_size, page_token } = request.into_inner();
        let page = Door::open(|door| door.page(page_size, &page_token))?;
        let (verifications, next_page_token) = self.verifier.kept().page(&page);
        Ok(Response::new(wire::ListVerificationsResponse { verifications, next_page_token }))
    }
}

fn part(part: Part) -> wire::VerifyMetricsResponse {
    wire::VerifyMetricsResponse { part: Some(part) }
}
