//! What commands ask a running suite for.

use barometer_chassis::client::{self, Channel, RetryBudget};
use barometer_proto::metrics::v1::metrics_service_client::MetricsServiceClient;
use barometer_proto::metrics::v1::{
    GetMetricRequest, ListMetricsRequest, Metric, QueryMetricsRequest, QueryMetricsResponse,
};
use tonic::{Response, Status};

use crate::endpoint::{Endpoint, request};
use crate::failure::Failure;

/// The metrics of a running suite.
pub(crate) struct Suite {
    client: MetricsServiceClient<Channel>,
    retries: RetryBudget,
    endpoint: String,
}

impl Suite {
    /// The suite at this address.
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Self, Failure> {
        // The suite limits its messages itself.
        let client = MetricsServiceClient::new(endpoint.connect()?).max_decoding_message_size(usize::MAX);
        Ok(Self { client, retries: RetryBudget::default(), endpoint: endpoint.url() })
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
        let answer = client::retry(&self.retries, call).await;
        answer.map(Response::into_inner).map_err(|status| Failure::of_request(&status, &self.endpoint, flag_of))
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
