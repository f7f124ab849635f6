//! How many connections to the database are in use.

use opentelemetry::KeyValue;
use sea_orm::{DatabaseConnection, DbBackend};

use super::Database;
use crate::telemetry::meter;

/// Tells of the pools of a service, whenever metrics are exported.
pub(super) fn observe(database: &Database, service: &str) {
    for (connection, name) in [(&database.write, "write"), (&database.read, "read")] {
        let pool = KeyValue::new("db.client.connection.pool.name", format!("{service}.{name}"));
        let state = |state| [pool.clone(), KeyValue::new("db.client.connection.state", state)];
        let (of_idle, of_used, of_max) = (state("idle"), state("used"), [pool.clone()]);
        let observed = connection.clone();
        meter()
            .i64_observable_up_down_counter("db.client.connection.count")
            .with_unit("{connection}")
            .with_description("Connections to the database, by what they do")
            .with_callback(move |observer| {
                let Pool { size, idle, .. } = Pool::of(&observed);
                observer.observe(idle, &of_idle);
                observer.observe(size.saturating_sub(idle), &of_used);
            })
            .build();
        let observed = connection.clone();
        meter()
            .i64_observable_up_down_counter("db.client.connection.max")
            .with_unit("{connection}")
            .with_description("Connections to the database that may be open")
            .with_callback(move |observer| observer.observe(Pool::of(&observed).max, &of_max))
            .build();
    }
}

struct Pool {
    size: i64,
    idle: i64,
    max: i64,
}

impl Pool {
    fn of(connection: &DatabaseConnection) -> Self {
        let (size, idle, max) = match connection.get_database_backend() {
            DbBackend::Postgres => {
                let pool = connection.get_postgres_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
            _ => {
                let pool = connection.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
        };
        Pool { size: size.into(), idle: i64::try_from(idle).unwrap_or(i64::MAX), max: max.into() }
    }
}
