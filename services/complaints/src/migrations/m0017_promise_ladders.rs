//! Ladders of promises. Those of before climb none. An escalation of a promise has the promise's id where a clock's has the
//! clock's, and the nil id for its case when it stands alone: replicas of the release before read every escalation.

use sea_orm_migration::{prelude::*, schema::*};

use super::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ("promise", big_integer("run_time").default(0).to_owned()),
            ("promise", big_integer("policy_set_version").default(0).to_owned()),
            ("promise", string("policy_name").default("").to_owned()),
            ("promise", uuid_null("calendar_id")),
            ("promise", big_integer("calendar_version").default(0).to_owned()),
            ("escalation", uuid_null("promise_id")),
        ];
        for (table, column) in columns {
            // SQLite adds one at a time.
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        // Each once, of each run: a promise that is moved climbs anew.
        manager.drop_index(Index::drop().name("escalation_step").table("escalation").to_owned()).await?;
        let steps = &["clock_id", "instance", "step", "repetition"];
        manager.create_index(index("escalation_run_step", "escalation", steps).unique().to_owned()).await?;
        manager.create_index(index("escalation_promise", "escalation", &["promise_id", "fire_time", "id"])).await
    }
}
