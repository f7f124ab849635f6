//! Health as a probe of Kubernetes sees it: it follows the database down and up.

use barometer_chassis::{
    health::LIVENESS,
    testing::{Cluster, StopMode},
};
use barometer_tests::{Suite, eventually};
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

fn services() -> Vec<&'static str> {
    let others = [barometer_customers::GRPC_NAME, barometer_surveys::GRPC_NAME];
    others.into_iter().chain(barometer_complaints::GRPC_NAMES).collect()
}

async fn are_all(suite: &Suite, services: &[&str], status: ServingStatus) -> bool {
    let channel = Channel::from_shared(suite.endpoint.clone()).expect("a URL").connect_lazy();
    let mut health = HealthClient::new(channel);
    for service in services {
        let request = HealthCheckRequest { service: (*service).to_owned() };
        let answer = health.check(request).await.expect("an answer").into_inner();
        if answer.status() != status {
            return false;
        }
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn health_follows_the_database_down_and_up() {
    let (cluster, data) = (Cluster::start().await, tempfile::tempdir().expect("a folder"));
    cluster.create_database("suite").await;
    let suite = Suite::start_at(Some(&cluster.database_url("suite")), data.path(), &[]).await;
    let with_whole = [&services()[..], &[""]].concat();
    eventually("all serve", async || are_all(&suite, &with_whole, ServingStatus::Serving).await).await;

    cluster.stop(StopMode::Fast).await;
    eventually("none serves", async || are_all(&suite, &with_whole, ServingStatus::NotServing).await).await;
    // What has no database keeps its figures, and serves them; a restart of the process would mend nothing.
    assert!(are_all(&suite, &[barometer_metrics::GRPC_NAME, LIVENESS], ServingStatus::Serving).await);

    cluster.start_again().await;
    eventually("all serve again", async || are_all(&suite, &with_whole, ServingStatus::Serving).await).await;
    suite.stop().await;
}
