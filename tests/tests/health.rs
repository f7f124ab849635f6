//! Health as a probe of Kubernetes sees it: it follows the database down and up.

use barometer_chassis::{
    health::LIVENESS,
    testing::{Cluster, DatabaseKind, StopMode, TestDatabase, on_each_database},
};
use barometer_proto::metrics::v1::definition_service_server;
use barometer_tests::{
    Suite, eventually,
    process::{Server, query},
};
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

fn services() -> Vec<&'static str> {
    let (customers, surveys) = (barometer_customers::GRPC_NAMES, barometer_surveys::GRPC_NAMES);
    let facts = customers.into_iter().chain(surveys).chain(barometer_complaints::GRPC_NAMES);
    facts.chain([definition_service_server::SERVICE_NAME]).collect()
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
    // Figures are in memory, and served; a restart of the process would mend nothing.
    let of_figures = barometer_metrics::GRPC_NAMES.into_iter();
    let of_figures = of_figures.filter(|name| *name != definition_service_server::SERVICE_NAME);
    let figures: Vec<_> = of_figures.chain([LIVENESS]).collect();
    assert!(are_all(&suite, &figures, ServingStatus::Serving).await);

    cluster.start_again().await;
    eventually("all serve again", async || are_all(&suite, &with_whole, ServingStatus::Serving).await).await;
    suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_of_the_suite_warns_of_nothing() {
    on_each_database(async |database| {
        let suite = Server::start(database, &[]);
        // All follow one another once there are figures.
        query(&suite.endpoint, &["nps"], database.directory());
        let before = std::fs::read_to_string(database.directory().join("serve.log")).expect("its log");
        assert_eq!(suite.stop(), before, "nothing is told after that");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_does_not_come_back_is_warned_of() {
    let database = TestDatabase::new(DatabaseKind::Sqlite).await;
    let folder = |name: &str| database.directory().join(name);
    let customers = Server::start_in(&database, &folder("customers-process"), &["customers"]);
    let to_customers = ["--customers-endpoint", &customers.endpoint];
    let surveys = Server::start_in(&database, &folder("surveys-process"), &[&["surveys"], &to_customers[..]].concat());
    let to_surveys = ["--surveys-endpoint", &surveys.endpoint];
    let flags = [&["complaints"], &to_customers[..], &to_surveys[..]].concat();
    let complaints = Server::start_in(&database, &folder("complaints-process"), &flags);
    assert_eq!(surveys.stop(), "");
    let log = folder("complaints-process").join("serve.log");
    let is_told = async || std::fs::read_to_string(&log).expect("its log").contains("the feed was lost: trying again");
    eventually("it is told", is_told).await;
    assert!(!complaints.stop().contains("call failed"));
}
