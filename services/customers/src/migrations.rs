//! The tables of this service. Forward only: a migration that has been released is never changed.

mod m0001_customers;
mod m0002_facts;
mod m0003_value_band;
mod m0004_segments;
mod m0005_loyalty;
mod m0006_costs;

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
            Box::new(m0005_loyalty::Migration),
            Box::new(m0006_costs::Migration),
        ]
    }
}

/// Creates a table of recorded facts, and the indexes that each of them has.
async fn create_recorded(
    manager: &SchemaManager<'_>,
    table: &'static str,
    create: TableCreateStatement,
) -> Result<(), DbErr> {
    manager.create_table(create).await?;
    let position = index(&format!("{table}_position"), table, &["position"]).unique().to_owned();
    let key = index(&format!("{table}_key"), table, &["external_system", "external_id"]).unique().to_owned();
    manager.create_index(position).await?;
    manager.create_index(key).await?;
    manager.create_index(index(&format!("{table}_customer"), table, &["customer_id", "time"])).await?;
    manager.create_index(index(&format!("{table}_time"), table, &["time", "id"])).await
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
