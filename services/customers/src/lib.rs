//! The customers service: who the customers are, what they bought, how they were in touch, what holds them, what they cost.
//!
//! It owns customers, the changes of their attributes, purchases, interactions, events of subscriptions and of memberships,
//! referrals and costs, and knows no other service. A request goes from [`service`] (parse, act, render) through [`wire`]
//! (message ⇄ row) to the writer or to [`store`]. What the recorded kinds of facts have in common is their [`noun`].

pub mod attribute_change;
pub mod cost;
pub mod customer;
pub mod interaction;
pub mod membership_event;
mod migrations;
mod noun;
pub mod purchase;
pub mod referral;
mod service;
mod store;
pub mod subscription_event;
pub mod value;
mod wire;

use barometer_chassis::{
    add_service, database::Location, door::Stages, error::Error, feed::Kind, server::Server, shutdown::Shutdown,
    store::Store,
};
use barometer_proto::customers::v1::{
    self as contract, FactKind, cost_service_server::CostServiceServer, customer_service_server::CustomerServiceServer,
    loyalty_service_server::LoyaltyServiceServer,
};
use tokio::task::JoinHandle;

/// The service's name: of its database and in its positions.
pub const NAME: &str = "customers";
/// The name under which its health is reported.
pub const GRPC_NAME: &str = contract::customer_service_server::SERVICE_NAME;
/// That name and those of what it serves beside, each with a health of its own.
pub const GRPC_NAMES: [&str; 3] =
    [GRPC_NAME, contract::loyalty_service_server::SERVICE_NAME, contract::cost_service_server::SERVICE_NAME];

/// What the service needs to run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where its database is.
    pub location: Location,
    /// Rows that may wait to be written.
    pub write_queue: u32,
    /// The stages of the customers' journey.
    pub stages: Stages,
    /// From how much spent a customer is worth more than others.
    pub thresholds: value::Thresholds,
}

/// Opens the store and adds the service to `server`. The handle ends after `shutdown`, when everything acknowledged is
/// written.
pub async fn add(config: Config, server: &mut Server, shutdown: Shutdown) -> Result<JoinHandle<()>, Error> {
    let kinds = vec![
        Kind::new::<customer::Entity>(FactKind::Customer.into(), |row| row.position, wire::customer_fact),
        Kind::new::<attribute_change::Entity>(
            FactKind::AttributeChange.into(),
            |row| row.position,
            wire::attribute_change_fact,
        ),
        Kind::new::<purchase::Entity>(FactKind::Purchase.into(), |row| row.position, wire::purchase_fact),
        Kind::new::<interaction::Entity>(FactKind::Interaction.into(), |row| row.position, wire::interaction_fact),
        Kind::new::<subscription_event::Entity>(
            FactKind::SubscriptionEvent.into(),
            |row| row.position,
            wire::subscription_event_fact,
        ),
        Kind::new::<membership_event::Entity>(
            FactKind::MembershipEvent.into(),
            |row| row.position,
            wire::membership_event_fact,
        ),
        Kind::new::<referral::Entity>(FactKind::Referral.into(), |row| row.position, wire::referral_fact),
        Kind::new::<cost::Entity>(FactKind::Cost.into(), |row| row.position, wire::cost_fact),
    ];
    let (store, writer) =
        Store::open::<migrations::Migrator>(&config.location, NAME, kinds, config.write_queue, shutdown).await?;
    let service = service::Customers::new(store.clone(), config.stages, config.thresholds, server.ending());
    add_service!(server, CustomerServiceServer::new(service.clone()));
    add_service!(server, LoyaltyServiceServer::new(service.clone()));
    add_service!(server, CostServiceServer::new(service));
    for name in GRPC_NAMES {
        store.report_health(server.health(), name);
    }
    Ok(writer)
}
