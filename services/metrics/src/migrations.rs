//! The table of this service. Forward only: a migration that has been released is never changed.

mod m0001_definitions;

use sea_orm_migration::prelude::*;

/// All migrations, in order.
#[derive(Debug)]
pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_definitions::Migration)]
    }
}
