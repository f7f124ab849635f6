//! The surveys service: what customers are asked, and what they answer.
//!
//! It owns surveys, responses and invitations. It asks the customers service for the customer of a caller's key, and nobody else. A
//! request goes from [`service`] (parse, act, render) through [`wire`] (message ⇄ row) to the writer or to [`store`].

pub mod invitation;
mod migrations;
mod noun;
pub mod response;
mod service;
mod store;
pub mod survey;
mod wire;

use barometer_chassis::{
    add_service, client::Channel, database::Location, door::Stages, error::Error, feed::Kind, server::Server,
    shutdown::Shutdown, store::Store,
};
use barometer_directory::Directory;
use barometer_proto::surveys::v1::{
    self as contract, FactKind, invitation_service_server::InvitationServiceServer,
    survey_service_server::SurveyServiceServer,
};
use tokio::task::JoinHandle;

/// The service's name: of its database and in its positions.
pub const NAME: &str = "surveys";
/// The name under which its health is reported.
pub const GRPC_NAME: &str = contract::survey_service_server::SERVICE_NAME;
/// That name and that of what it serves beside, each with a health of its own.
pub const GRPC_NAMES: [&str; 2] = [GRPC_NAME, contract::invitation_service_server::SERVICE_NAME];

/// What the service needs to run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where its database is.
    pub location: Location,
    /// Rows that may wait to be written.
    pub write_queue: u32,
    /// The stages of the customers' journey.
    pub stages: Stages,
}

/// Opens the store and adds the service to `server`. `customers` leads to the customers service, which need not be there
/// yet. The handle ends after `shutdown`, when everything acknowledged is written.
pub async fn add(
    config: Config,
    customers: Channel,
    server: &mut Server,
    shutdown: Shutdown,
) -> Result<JoinHandle<()>, Error> {
    let kinds = vec![
        Kind::new::<survey::Entity>(FactKind::Survey.into(), |row| row.position, wire::survey_fact),
        Kind::new::<response::Entity>(FactKind::Response.into(), |row| row.position, wire::response_fact),
        Kind::new::<invitation::Entity>(FactKind::Invitation.into(), |row| row.position, wire::invitation_fact),
    ];
    let (store, writer) =
        Store::open::<migrations::Migrator>(&config.location, NAME, kinds, config.write_queue, shutdown).await?;
    let service = service::Surveys::new(store.clone(), Directory::new(customers), config.stages, server.ending());
    add_service!(server, SurveyServiceServer::new(service.clone()));
    add_service!(server, InvitationServiceServer::new(service));
    for name in GRPC_NAMES {
        store.report_health(server.health(), name);
    }
    Ok(writer)
}
