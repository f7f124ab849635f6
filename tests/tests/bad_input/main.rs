//! Bad input, for every RPC: one clear error that names every offending field, and nothing changed.

mod analyses;
mod case_verbs;
mod complaints;
mod costs;
mod customers;
mod definitions;
mod escalations;
mod exports;
mod facts;
mod figures;
mod follow_ups;
mod incidents;
mod loyalty;
mod metrics;
mod moves;
mod nouns;
mod policies;
mod privacy;
mod promises;
mod surveys;
mod table;
mod transport;
mod verifications;
mod webhooks;
mod work;
mod world;

use barometer_tests::wire;
