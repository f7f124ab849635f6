//! What commands ask a running suite for.

use std::time::Duration;

use barometer_chassis::client::{self, Channel, RetryBudget};
use barometer_proto::metrics::v1::analysis_service_client::AnalysisServiceClient;
use barometer_proto::metrics::v1::figure_service_client::FigureServiceClient;
use barometer_proto::metrics::v1::metrics_service_client::MetricsServiceClient;
use barometer_proto::metrics::v1::{
    ExplainMetricRequest, ExplainMetricResponse, GetFoldRequest, GetMetricRequest, ListCategoryMovesRequest,
    ListCategoryMovesResponse, ListMetricsRequest, Metric, QueryComparisonsRequest, QueryComparisonsResponse,
    QueryDriversRequest, QueryDriversResponse, QueryJourneysRequest, QueryJourneysResponse, QueryMetricsRequest,
    QueryMetricsResponse, QueryRetentionRequest, QueryRetentionResponse, QuerySurvivalRequest, QuerySurvivalResponse,
    QueryTransitionsRequest, QueryTransitionsResponse, QueryTrendsRequest, QueryTrendsResponse, WatchMetricsRequest,
    WatchMetricsResponse,
};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt;

use crate::endpoint::{Endpoint, request};
use crate::failure::Failure;

/// How long a command waits for figures that are being made: after a start all facts are read first.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it pauses at first before it asks again, and at most.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// The metrics of a running suite.
pub(crate) struct Suite {
    client: MetricsServiceClient<Channel>,
    analyses: AnalysisServiceClient<Channel>,
    figures: FigureServiceClient<Channel>,
    retries: RetryBudget,
    endpoint: String,
}

impl Suite {
    /// The suite at this address.
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Self, Failure> {
        // The suite limits its messages itself.
        let channel = endpoint.connect()?;
        let client = MetricsServiceClient::new(channel.clone()).max_decoding_message_size(usize::MAX);
        let analyses = AnalysisServiceClient::new(channel.clone()).max_decoding_message_size(usize::MAX);
        let figures = FigureServiceClient::new(channel).max_decoding_message_size(usize::MAX);
        Ok(Self { client, analyses, figures, retries: RetryBudget::default(), endpoint: endpoint.url() })
    }

    /// Figures. What is wrong with the request is told with its fields named by `flag_of`.
    pub(crate) async fn query(
        &self,
        query: &QueryMetricsRequest,
        flag_of: impl Fn(&str) -> String,
    ) -> Result<QueryMetricsResponse, Failure> {
        let call = || {
            let (mut client, query) = (self.client.clone(), query.clone());
            async move { client.query_metrics(request(query)).await }
        };
        let answer = patiently(|| client::retry(&self.retries, call)).await;
        answer.map(Response::into_inner).map_err(|status| Failure::of_request(&status, &self.endpoint, flag_of))
    }

    /// Cohorts. What is wrong with the request is told with its fields named by `flag_of`.
    pub(crate) async fn retention(
        &self,
        asked: &QueryRetentionRequest,
        flag_of: impl Fn(&str) -> String,
    ) -> Result<QueryRetentionResponse, Failure> {
        let call = || {
            let (mut client, asked) = (self.analyses.clone(), asked.clone());
            async move { client.query_retention(request(asked)).await }
        };
        let answer = patiently(|| client::retry(&self.retries, call)).await;
        answer.map(Response::into_inner).map_err(|status| Failure::of_request(&status, &self.endpoint, flag_of))
    }

    /// Comparisons of figures. What is wrong with the request is told with its fields named by `flag_of`.
    pub(crate) async fn compare(
        &self,
        query: &QueryComparisonsRequest,
        flag_of: impl Fn(&str) -> String,
    ) -> Result<QueryComparisonsResponse, Failure> {
        let call = || {
            let (mut client, query) = (self.figures.clone(), query.clone());
            async move { client.query_comparisons(request(query)).await }
        };
        let answer = patiently(|| client::retry(&self.retries, call)).await;
        answer.map(Response::into_inner).map_err(|status| Failure::of_request(&status, &self.endpoint, flag_of))
    }

    /// Survival curves. What is wrong with the request is told with its fields named by `flag_of`.
    pub(crate) async fn survival(
        &self,
        asked: &QuerySurvivalRequest,
        flag_of: impl Fn(&str) -> String,
    ) -> Result<QuerySurvivalResponse, Failure> {
        let call = || {
            let (mut client, asked) = (self.analyses.clone(), asked.clone());
            async move { client.query_survival(request(asked)).await }
        };
        let answer = patiently(|| client::retry(&self.retries, call)).await;
        answer.map(Response::into_inner).map_err(|status| Failure::of_request(&status, &self.endpoint, flag_of))
    }

    /// Moves between categories. What is wrong with the request is told with its fields named by `flag_of`.
    pub(crate) async fn transitions(
        &self,
        asked: &QueryTransitionsRequest,
        flag_of: impl Fn(&str) -> String,
    ) -> Result<QueryTransitionsResponse, Failure> {
        let call = || {
            let (mut client, asked) = (self.analyses.clone(), asked.clone());
            async move { client.query_transitions(request(asked)).await }
        };
        let answer = patiently(|| client::retry(&self.retries, call)).await;
        answer.map(Response::into_inner).map_err(|status| Failure::of_request(&status, &self.endpoint, flag_of))
    }

    /// Moves of customers. What is wrong with the request is told with its fields named by `flag_of`.
    pub(crate) async fn moves(
        &self,
        asked: &ListCategoryMovesRequest,
        flag_of: impl Fn(&str) -> String,
    ) -> Result<ListCategoryMovesResponse, Failure> {
        let call = || {
            let (mut client, asked) = (self.analyses.clone(), asked.clone());
            async move { client.list_category_moves(request(asked)).await }
        };
        let answer = patiently(|| client::retry(&self.retries, call)).await;
        answer.map(Response::into_inner).map_err(|status| Failure::of_request(&status, &self.endpoint, flag_of))
    }

    /// Journeys. What is wrong with the request is told with its fields named by `flag_of`.
    pub(crate) async fn journeys(
        &self,
        asked: &QueryJourneysRequest,
        flag_of: impl Fn(&str) -> String,
    ) -> Result<QueryJourneysResponse, Failure> {
        let call = || {
            let (mut client, asked) = (self.analyses.clone(), asked.clone());
            async move { client.query_journeys(request(asked)).await }
        };
        let answer = patiently(|| client::retry(&self.retries, call)).await;
        answer.map(Response::into_inner).map_err(|status| Failure::of_request(&status, &self.endpoint, flag_of))
    }

    /// Key drivers. What is wrong with the request is told with its fields named by `flag_of`.
    pub(crate) async fn drivers(
        &self,
        asked: &QueryDriversRequest,
        flag_of: impl Fn(&str) -> String,
    ) -> Result<QueryDriversResponse, Failure> {
        let call = || {
            let (mut client, asked) = (self.analyses.clone(), asked.clone());
            async move { client.query_drivers(request(asked)).await }
        };
        let answer = patiently(|| client::retry(&self.retries, call)).await;
        answer.map(Response::into_inner).map_err(|status| Failure::of_request(&status, &self.endpoint, flag_of))
    }

    /// Trends of figures. What is wrong with the request is told with its fields named by `flag_of`.
    pub(crate) async fn trends(
        &self,
        query: &QueryTrendsRequest,
        flag_of: impl Fn(&str) -> String,
    ) -> Result<QueryTrendsResponse, Failure> {
        let call = || {
            let (mut client, query) = (self.figures.clone(), query.clone());
            async move { client.query_trends(request(query)).await }
        };
        let answer = patiently(|| client::retry(&self.retries, call)).await;
        answer.map(Response::into_inner).map_err(|status| Failure::of_request(&status, &self.endpoint, flag_of))
    }

    /// A figure and what it is made of. What is wrong with the request is told with its fields named by `flag_of`.
    pub(crate) async fn explain(
        &self,
        asked: &ExplainMetricRequest,
        flag_of: impl Fn(&str) -> String,
    ) -> Result<ExplainMetricResponse, Failure> {
        let call = || {
            let (mut client, asked) = (self.figures.clone(), asked.clone());
            async move { client.explain_metric(request(asked)).await }
        };
        let answer = patiently(|| client::retry(&self.retries, call)).await;
        answer.map(Response::into_inner).map_err(|status| Failure::of_request(&status, &self.endpoint, flag_of))
    }

    /// Figures as they change, until `each` fails or the suite stops. What is wrong with the request is told with its fields
    /// named by `flag_of`.
    pub(crate) async fn watch(
        &self,
        query: &QueryMetricsRequest,
        flag_of: impl Fn(&str) -> String,
        mut each: impl FnMut(WatchMetricsResponse) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let call = || {
            let mut client = self.figures.clone();
            let asked = WatchMetricsRequest { query: Some(query.clone()), min_interval: None };
            // Without a deadline: it goes on.
            async move { client.watch_metrics(asked).await }
        };
        let stream = patiently(|| client::retry(&self.retries, call)).await;
        let failed = |status| Failure::of_request(&status, &self.endpoint, &flag_of);
        let mut stream = stream.map_err(failed)?.into_inner();
        while let Some(changed) = stream.message().await.map_err(failed)? {
            each(changed)?;
        }
        Ok(())
    }

    /// Waits until the figures include a position; tells whether they do after some time. `None` when no figures are to
    /// be had at this address.
    pub(crate) async fn includes(&self, position: &str) -> Option<bool> {
        let query = QueryMetricsRequest {
            metrics: vec!["responses".to_owned()],
            at_least: vec![position.to_owned()],
            ..QueryMetricsRequest::default()
        };
        let ask = || {
            let (mut client, query) = (self.client.clone(), query.clone());
            async move { client.query_metrics(request(query)).await }
        };
        match patiently(ask).await {
            Ok(_) => Some(true),
            Err(status) if status.code() == Code::Unimplemented => None,
            Err(_) => Some(false),
        }
    }

    /// The server's reporting time zone.
    pub(crate) async fn time_zone(&self) -> Result<String, Failure> {
        let call = || {
            let mut client = self.client.clone();
            async move { client.get_fold(request(GetFoldRequest {})).await }
        };
        let fold = client::retry(&self.retries, call).await.map_err(|status| self.failed(&status))?;
        Ok(fold.into_inner().reporting_time_zone)
    }

    /// The definition of a metric.
    pub(crate) async fn metric(&self, id: &str) -> Result<Metric, Failure> {
        let call = || {
            let (mut client, get) = (self.client.clone(), GetMetricRequest { id: id.to_owned() });
            async move { client.get_metric(request(get)).await }
        };
        let metric = client::retry(&self.retries, call).await;
        metric.map(Response::into_inner).map_err(|status| self.failed(&status))
    }

    /// The metrics that the suite knows.
    pub(crate) async fn metrics(&self) -> Result<Vec<Metric>, Failure> {
        let (mut metrics, mut page_token) = (Vec::new(), String::new());
        loop {
            let list = ListMetricsRequest { page_size: 0, page_token };
            let call = || {
                let (mut client, list) = (self.client.clone(), list.clone());
                async move { client.list_metrics(request(list)).await }
            };
            let page = client::retry(&self.retries, call).await.map_err(|status| self.failed(&status))?.into_inner();
            metrics.extend(page.metrics);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(metrics);
            }
        }
    }

    fn failed(&self, status: &Status) -> Failure {
        Failure::of_status(status, &self.endpoint)
    }
}

/// Asks again while the answer is that the figures are not there yet.
pub(crate) async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<T, Status>>,
{
    let until = tokio::time::Instant::now() + PATIENCE;
    let mut pause = PAUSE;
    loop {
        match ask().await {
            Err(status) if is_early(&status) && tokio::time::Instant::now() < until => tokio::time::sleep(pause).await,
            answer => return answer,
        }
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

fn is_early(status: &Status) -> bool {
    let reason = status.get_details_error_info().map(|info| info.reason);
    matches!(reason.as_deref(), Some("NOT_READY" | "NOT_YET_INCLUDED"))
}
