//! The customers service: who the customers are, what they bought, how they were in touch.
//!
//! It owns customers, the changes of their attributes, purchases, interactions and events of subscriptions, and knows no
//! other service. A request goes from [`service`] (parse, act, render) through [`wire`] (message ⇄ row) to the writer or
//! to [`store`]. What the recorded kinds of facts have in common is their [`noun`].

pub mod attribute_change;
pub mod customer;
pub mod interaction;
mod migrations;
mod noun;
pub mod purchase;
mod service;
mod store;
pub mod subscription_event;
pub mod value;
mod wire;

use barometer_chassis::{
    config::ServerConfig, database::Location, door::Stages, error::Error, feed::Kind, server::Server,
    shutdown::Shutdown, store::Store,
};
use barometer_proto::customers::v1::{FactKind, customer_service_server::CustomerServiceServer};
use tokio::task::JoinHandle;
use tonic::codec::CompressionEncoding;

/// The service's name: of its database and in its positions.
pub const NAME: &str = "customers";
/// The name under which its health is reported.
pub const GRPC_NAME: &str = barometer_proto::customers::v1::customer_service_server::SERVICE_NAME;

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
pub async fn add(
    config: Config,
    server: &mut Server,
    limits: &ServerConfig,
    shutdown: Shutdown,
) -> Result<JoinHandle<()>, Error> {
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
    ];
    let (store, writer) =
        Store::open::<migrations::Migrator>(&config.location, NAME, kinds, config.write_queue, shutdown).await?;
    let service = service::Customers::new(store.clone(), config.stages, config.thresholds, server.ending());
    let service = CustomerServiceServer::new(service)
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    server.add_service(service);
    store.report_health(server.health(), GRPC_NAME);
    Ok(writer)
}
