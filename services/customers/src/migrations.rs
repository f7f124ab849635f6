//! The tables of this service. Forward only: a migration that has been released is never changed.

mod m0001_customers;
mod m0002_facts;
mod m0003_value_band;
mod m0004_segments;

use sea_orm_migration::prelude::*;

/// All migrations, in order.
#[derive(Debug)]
pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_customers::Migration),
            Box::new(m0002_facts::Migration),
            Box::new(m0003_value_band::Migration),
            Box::new(m0004_segments::Migration),
        ]
    }
}

/// An index of a table.
fn index(name: &str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}
