//! The tables of this service. Forward only: a migration that has been released is never changed.

mod m0001_complaints;
mod m0002_kinds;
mod m0003_policies;
mod m0004_bindings;
mod m0005_case_clocks;
mod m0006_ladders;
mod m0007_customer_values;
mod m0007_work;
mod m0008_promises;
mod m0009_follow_ups;
mod m0010_webhooks;
mod m0011_incidents;
mod m0012_erasures;
mod m0013_rebases;
mod m0014_last_times;
mod m0016_queues;
mod m0017_promise_ladders;
mod m0018_segments;
mod m0019_broken_promises;
#[cfg(test)]
mod tests;

use sea_orm_migration::prelude::*;

/// All migrations, in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_complaints::Migration),
            Box::new(m0002_kinds::Migration),
            Box::new(m0003_policies::Migration),
            Box::new(m0004_bindings::Migration),
            Box::new(m0007_customer_values::Migration),
            Box::new(m0008_promises::Migration),
            Box::new(m0005_case_clocks::Migration),
            Box::new(m0009_follow_ups::Migration),
            Box::new(m0010_webhooks::Migration),
            Box::new(m0014_last_times::Migration),
            Box::new(m0006_ladders::Migration),
            Box::new(m0007_work::Migration),
            Box::new(m0013_rebases::Migration),
            Box::new(m0011_incidents::Migration),
            Box::new(m0012_erasures::Migration),
            Box::new(m0016_queues::Migration),
            Box::new(m0017_promise_ladders::Migration),
            Box::new(m0018_segments::Migration),
            Box::new(m0019_broken_promises::Migration),
        ]
    }
}

/// An index over columns of a table.
fn index(name: &str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}
