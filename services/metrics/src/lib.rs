//! The metrics service: figures folded from the facts of the other services.

pub mod rules;
