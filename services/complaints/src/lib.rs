//! The complaints service: what customers are unhappy with, and what became of it.
//!
//! It owns cases, the entries of their histories and their clocks, and the calendars and policies by which their clocks
//! count. It asks the customers service for the customer of a caller's key and for what customers are worth, and nobody
//! else. A request goes from [`service`] (parse, act,
//! render) through [`wire`] (message ⇄ row) and the rules of [`case`], [`policy`] and [`clock`] to the writer or to
//! [`store`].

mod appraiser;
pub mod calendar;
pub mod calendar_version;
pub mod case;
pub mod case_clock;
pub mod case_entry;
pub mod case_link;
pub mod clock;
pub mod delivery;
mod erased_trace;
pub mod erasure;
mod erasure_secret;
mod erasures;
pub mod follow_up;
pub mod follow_up_rule_set;
pub mod incident;
pub mod incident_case;
pub mod incident_customer;
pub mod incident_task;
mod incidents;
mod keeper;
mod migrations;
pub mod policy;
pub mod policy_set;
pub mod promise;
mod service;
mod store;
pub mod survey_answer;
mod surveys;
mod sweep;
pub mod upstream;
pub mod webhook;
mod webhooks;
mod wire;

pub use webhooks::{Authorities, Settings as WebhookSettings};
pub use wire::{parse_calendar, parse_holidays, parse_policy_list, render_holiday};

use std::sync::Arc;

use barometer_chassis::{
    client::Channel, config::ServerConfig, database::Location, door::Stages, error::Error, feed::Kind, server::Server,
    shutdown::Shutdown, store::Store,
};
use barometer_directory::Directory;
use barometer_proto::complaints::v1::{
    FactKind, complaint_service_server::ComplaintServiceServer, follow_up_service_server::FollowUpServiceServer,
    incident_service_server::IncidentServiceServer, policy_service_server::PolicyServiceServer,
    privacy_service_server::PrivacyServiceServer, promise_service_server::PromiseServiceServer,
    webhook_service_server::WebhookServiceServer,
};
use tokio::task::JoinHandle;
use tonic::codec::CompressionEncoding;

/// The service's name: of its database and in its positions.
pub const NAME: &str = "complaints";
/// The name under which its health is reported.
pub const GRPC_NAME: &str = barometer_proto::complaints::v1::complaint_service_server::SERVICE_NAME;
/// The same of its calendars and policies, which it serves beside.
pub const POLICIES_GRPC_NAME: &str = barometer_proto::complaints::v1::policy_service_server::SERVICE_NAME;
/// The same of the promises.
pub const PROMISES_GRPC_NAME: &str = barometer_proto::complaints::v1::promise_service_server::SERVICE_NAME;
/// The same of the follow-ups.
pub const FOLLOW_UPS_GRPC_NAME: &str = barometer_proto::complaints::v1::follow_up_service_server::SERVICE_NAME;
/// The same of its incidents.
pub const INCIDENTS_GRPC_NAME: &str = barometer_proto::complaints::v1::incident_service_server::SERVICE_NAME;
/// The same of its exports and erasures.
pub const PRIVACY_GRPC_NAME: &str = barometer_proto::complaints::v1::privacy_service_server::SERVICE_NAME;
/// The same of its webhooks.
pub const WEBHOOKS_GRPC_NAME: &str = barometer_proto::complaints::v1::webhook_service_server::SERVICE_NAME;

/// What the service needs to run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where its database is.
    pub location: Location,
    /// Rows that may wait to be written.
    pub write_queue: u32,
    /// The stages of the customers' journey.
    pub stages: Stages,
    /// The company's rules for its cases.
    pub rules: case::Rules,
    /// How notices are sent.
    pub webhooks: WebhookSettings,
}

/// Opens the store and adds the service to `server`. `customers` leads to the customers service and `surveys` to the surveys
/// service, which need not be there yet; without the latter no answers are followed up. The handle ends after `shutdown`, when everything acknowledged is written.
pub async fn add(
    config: Config,
    customers: Channel,
    surveys: Option<Channel>,
    server: &mut Server,
    limits: &ServerConfig,
    shutdown: Shutdown,
) -> Result<JoinHandle<()>, Error> {
    let kinds = vec![
        Kind::new::<incident::Entity>(FactKind::Incident.into(), |row| row.position, wire::incident_fact),
        Kind::new::<case::Entity>(FactKind::Case.into(), |row| row.position, wire::case_fact),
        Kind::new::<case_entry::Entity>(FactKind::CaseEntry.into(), |row| row.position, wire::case_entry_fact),
        Kind::new::<case_clock::Entity>(FactKind::CaseClock.into(), |row| row.position, wire::case_clock_fact),
        Kind::new::<promise::Entity>(FactKind::Promise.into(), |row| row.position, wire::promise_fact),
        Kind::new::<follow_up::Entity>(FactKind::FollowUp.into(), |row| row.position, wire::follow_up_fact),
    ];
    let (store, writer) =
        Store::open::<migrations::Migrator>(&config.location, NAME, kinds, config.write_queue, shutdown.clone())
            .await?;
    let book = Arc::new(store::Book::default());
    tokio::spawn(keeper::keep(store.clone(), book.clone(), shutdown.clone()));
    let sweeping = book.clone();
    tokio::spawn(webhooks::Deliverer::new(store.clone(), &config.webhooks)?.run(server.ending()));
    let webhooks = service::Webhooks::new(store.clone(), config.webhooks.allow_private);
    let policies = service::Policies::new(store.clone(), config.rules.priorities);
    let directory = Directory::new(customers);
    let follow_ups = service::FollowUps::new(store.clone());
    if let Some(surveys) = surveys {
        let follower = surveys::Follower::new(store.clone(), surveys, book.clone(), config.rules.priorities);
        tokio::spawn(follower.run(shutdown.clone()));
    }
    tokio::spawn(incidents::work(store.clone(), directory.clone(), book.clone(), server.ending()));
    tokio::spawn(erasures::work(store.clone(), server.ending()));
    let incidents = service::Incidents::new(store.clone(), directory.clone());
    let privacy = service::Privacy::new(store.clone());
    let promises = service::Promises::new(store.clone(), directory.clone(), config.rules.promise_lead);
    let asking = appraiser::keep_asking(
        store.clone(),
        directory.clone(),
        book.clone(),
        config.rules.priorities,
        shutdown.clone(),
    );
    tokio::spawn(asking);
    let service =
        service::Complaints::new(store.clone(), directory, config.stages, config.rules, book, server.ending());
    let service = ComplaintServiceServer::new(service)
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    server.add_service(service);
    let policies = PolicyServiceServer::new(policies)
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    server.add_service(policies);
    let promises = PromiseServiceServer::new(promises)
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    server.add_service(promises);
    let follow_ups = FollowUpServiceServer::new(follow_ups)
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    server.add_service(follow_ups);
    let webhooks = WebhookServiceServer::new(webhooks)
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    server.add_service(webhooks);
    let incidents = IncidentServiceServer::new(incidents)
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    server.add_service(incidents);
    let privacy = PrivacyServiceServer::new(privacy)
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    server.add_service(privacy);
    for name in [
        GRPC_NAME,
        POLICIES_GRPC_NAME,
        PROMISES_GRPC_NAME,
        FOLLOW_UPS_GRPC_NAME,
        WEBHOOKS_GRPC_NAME,
        INCIDENTS_GRPC_NAME,
        PRIVACY_GRPC_NAME,
    ] {
        store.report_health(server.health(), name);
    }
    tokio::spawn(sweep::run(store, sweeping, shutdown));
    Ok(writer)
}
