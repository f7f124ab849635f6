//! Mechanisms every service of Barometer shares. It knows no noun of the domain.

#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod clock;
pub mod database;
pub mod door;
pub mod error;
pub mod feed;
pub mod fingerprint;
pub mod id;
pub mod mask;
pub mod position;
pub mod store;
pub mod writer;
pub mod health;
pub mod shutdown;
pub mod client;
pub mod config;
pub mod layers;
pub mod server;
pub mod telemetry;
pub mod import;
pub mod reader;
