//! The storage of a service, on SQLite and on PostgreSQL: writing, repeating, following, and what survives which failure.
//!
//! The service here keeps notes and memos, which differ in name only.

mod follower;
mod history;
mod nouns;
mod outages;
mod repeating;
mod replica;
mod replicas;
mod sharing;
mod starting;
mod watching;
mod writing;
