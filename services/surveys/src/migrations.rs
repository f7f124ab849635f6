//! The tables of this service. Forward only: a migration that has been released is never changed.

mod m0001_surveys;
mod m0002_imported;
mod m0003_invitations;

use sea_orm_migration::prelude::*;

/// All migrations, in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_surveys::Migration),
            Box::new(m0002_imported::Migration),
            Box::new(m0003_invitations::Migration),
        ]
    }
}
