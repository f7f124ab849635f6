//! The complaints service: what customers are unhappy with, and what became of it.
//!
//! It owns cases, the entries of their histories and their clocks, and the calendars and policies by which their clocks
//! count, promises, teams and their claims. It asks the customers service for the customer of a caller's key and for what
//! customers are worth, follows the answers of the surveys service, and knows nobody else. A request goes from [`service`]
//! (parse, act, render) through [`wire`] (message ⇄ row) and the rules of [`case`], [`policy`] and [`clock`] to the writer
//! or to [`store`]; what is done without being asked is in [`workers`].

pub mod alarm;
pub mod calendar;
pub mod calendar_version;
pub mod case;
pub mod case_clock;
pub mod case_entry;
pub mod case_link;
pub mod claim;
pub mod clock;
mod customers;
pub mod delivery;
mod erased_trace;
pub mod erasure;
mod erasure_secret;
pub mod escalation;
pub mod follow_up;
pub mod follow_up_rule_set;
pub mod incident;
pub mod incident_case;
pub mod incident_customer;
pub mod incident_task;
pub mod ladder;
mod migrations;
pub mod policy;
pub mod policy_set;
pub mod promise;
mod service;
mod store;
pub mod survey_answer;
pub mod team;
pub mod upstream;
pub mod urgency;
pub mod webhook;
mod webhooks;
mod wire;
mod workers;

pub use webhooks::{Authorities, Settings as WebhookSettings};
pub use wire::{parse_calendar, parse_holidays, parse_policy_list, render_holiday, render_plain_calendar};

use std::sync::Arc;

use barometer_chassis::{
    add_service, client::Channel, database::Location, door::Stages, error::Error, feed::Kind, server::Server,
    shutdown::Shutdown, store::Store,
};
use barometer_directory::Directory;
use barometer_proto::complaints::v1::{
    self as contract, FactKind, complaint_service_server::ComplaintServiceServer,
    escalation_service_server::EscalationServiceServer, follow_up_service_server::FollowUpServiceServer,
    incident_service_server::IncidentServiceServer, policy_service_server::PolicyServiceServer,
    privacy_service_server::PrivacyServiceServer, promise_service_server::PromiseServiceServer,
    webhook_service_server::WebhookServiceServer, work_service_server::WorkServiceServer,
};
use tokio::task::JoinHandle;

/// The service's name: of its database and in its positions.
pub const NAME: &str = "complaints";
/// The name under which its health is reported.
pub const GRPC_NAME: &str = contract::complaint_service_server::SERVICE_NAME;
/// That name and those of what it serves beside, each with a health of its own.
pub const GRPC_NAMES: [&str; 9] = [
    GRPC_NAME,
    contract::policy_service_server::SERVICE_NAME,
    contract::promise_service_server::SERVICE_NAME,
    contract::follow_up_service_server::SERVICE_NAME,
    contract::escalation_service_server::SERVICE_NAME,
    contract::work_service_server::SERVICE_NAME,
    contract::incident_service_server::SERVICE_NAME,
    contract::privacy_service_server::SERVICE_NAME,
    contract::webhook_service_server::SERVICE_NAME,
];

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
/// service, which need not be there yet; without the latter no answers are followed up. The handle ends after `shutdown`, when
/// everything acknowledged is written.
pub async fn add(
    config: Config,
    customers: Channel,
    surveys: Option<Channel>,
    server: &mut Server,
    shutdown: Shutdown,
) -> Result<JoinHandle<()>, Error> {
    let kinds = vec![
        Kind::new::<incident::Entity>(FactKind::Incident.into(), |row| row.position, wire::incident_fact),
        Kind::new::<case::Entity>(FactKind::Case.into(), |row| row.position, wire::case_fact),
        Kind::new::<case_entry::Entity>(FactKind::CaseEntry.into(), |row| row.position, wire::case_entry_fact),
        Kind::new::<case_clock::Entity>(FactKind::CaseClock.into(), |row| row.position, wire::case_clock_fact),
        Kind::new::<escalation::Entity>(FactKind::Escalation.into(), |row| row.position, wire::escalation_fact),
        Kind::new::<promise::Entity>(FactKind::Promise.into(), |row| row.position, wire::promise_fact),
        Kind::new::<follow_up::Entity>(FactKind::FollowUp.into(), |row| row.position, wire::follow_up_fact),
        Kind::new::<claim::Entity>(FactKind::Claim.into(), |row| row.position, wire::claim_fact),
    ];
    let (store, writer) =
        Store::open::<migrations::Migrator>(&config.location, NAME, kinds, config.write_queue, shutdown.clone())
            .await?;
    let book = Arc::new(store::Book::default());
    let directory = Directory::new(customers);
    let Config { rules, stages, webhooks, .. } = config;

    tokio::spawn(workers::keeper::keep(store.clone(), book.clone(), shutdown.clone()));
    tokio::spawn(workers::watch::keep_watch(store.clone(), book.clone(), shutdown.clone()));
    tokio::spawn(workers::sweep::Sweep::new(store.clone(), book.clone()).run(shutdown.clone()));
    tokio::spawn(webhooks::Deliverer::new(store.clone(), &webhooks)?.run(server.ending()));
    tokio::spawn(workers::incidents::work(store.clone(), directory.clone(), book.clone(), server.ending()));
    tokio::spawn(workers::erasures::work(store.clone(), server.ending()));
    let (asking, asked) = (store.clone(), directory.clone());
    tokio::spawn(workers::appraiser::keep_asking(asking, asked, book.clone(), rules.priorities, shutdown.clone()));
    if let Some(surveys) = surveys {
        let follower = workers::surveys::Follower::new(store.clone(), surveys, book.clone(), rules.priorities);
        tokio::spawn(follower.run(server.ending(), shutdown));
    }

    let customers = customers::Customers::new(store.clone(), directory);
    let policies = service::Policies::new(store.clone(), book.clone(), rules.priorities);
    let promises = service::Promises::new(store.clone(), customers.clone(), rules.promise_lead, book.clone());
    let (claim_limit, max_watches) = (rules.claim_limit.0, server.config().max_watches);
    let work = service::Work::new(store.clone(), book.clone(), claim_limit, max_watches, server.ending());
    let incidents = service::Incidents::new(store.clone(), customers.clone());
    let complaints = service::Complaints::new(store.clone(), customers, stages, rules, book, server.ending());
    add_service!(server, ComplaintServiceServer::new(complaints));
    add_service!(server, PolicyServiceServer::new(policies));
    add_service!(server, PromiseServiceServer::new(promises));
    add_service!(server, FollowUpServiceServer::new(service::FollowUps::new(store.clone())));
    add_service!(server, EscalationServiceServer::new(service::Escalations::new(store.clone())));
    add_service!(server, WorkServiceServer::new(work));
    add_service!(server, IncidentServiceServer::new(incidents));
    add_service!(server, PrivacyServiceServer::new(service::Privacy::new(store.clone())));
    add_service!(server, WebhookServiceServer::new(service::Webhooks::new(store.clone(), webhooks.allow_private)));
    for name in GRPC_NAMES {
        store.report_health(server.health(), name);
    }
    Ok(writer)
}
