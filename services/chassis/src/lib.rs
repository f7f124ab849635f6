//! Mechanisms every service of Barometer shares. It knows no noun of the domain.

pub mod claim;
pub mod client;
pub mod clock;
pub mod config;
pub mod database;
pub mod door;
pub mod error;
pub mod feed;
pub mod fingerprint;
pub mod health;
pub mod id;
pub mod import;
pub mod layers;
pub mod mask;
pub mod position;
pub mod reader;
pub mod server;
pub mod shutdown;
pub mod store;
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod writer;
