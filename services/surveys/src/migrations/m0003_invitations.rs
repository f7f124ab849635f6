//! Invitations, and which answer follows which. No answer of before follows any, and replicas of the release before do not say.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(invitation()).await?;
        let column = uuid_null("invitation_id").to_owned();
        manager.alter_table(Table::alter().table("response").add_column(column).to_owned()).await?;
        for index in indices() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn invitation() -> TableCreateStatement {
    Table::create()
        .table("invitation")
        .col(uuid("id").primary_key())
        .col(big_integer("number"))
        .col(big_integer("position"))
        .col(big_integer("version"))
        .col(uuid("survey_id"))
        .col(uuid_null("customer_id"))
        .col(big_integer("time"))
        .col(big_integer_null("deliver_time"))
        .col(big_integer_null("open_time"))
        .col(big_integer_null("begin_time"))
        .col(big_integer("expire_time"))
        .col(integer("reminders"))
        .col(integer("told_outcome"))
        .col(string("channel"))
        .col(string("touchpoint"))
        .col(string("journey_stage"))
        .col(string("language"))
        .col(json_binary("dimensions"))
        .col(string_null("external_system"))
        .col(string_null("external_id"))
        .col(big_integer("fingerprint"))
        .col(string("actor"))
        .col(big_integer("create_time"))
        .col(big_integer("update_time"))
        .col(big_integer_null("withdraw_time"))
        .to_owned()
}

fn indices() -> [IndexCreateStatement; 6] {
    let index = |name: &str, table: &'static str, columns: &[&'static str]| {
        let mut index = Index::create();
        index.name(name).table(table);
        for column in columns {
            index.col(*column);
        }
        index
    };
    [
        index("invitation_position", "invitation", &["position"]).unique().to_owned(),
        index("invitation_key", "invitation", &["external_system", "external_id"]).unique().to_owned(),
        index("invitation_time", "invitation", &["time", "id"]),
        index("invitation_survey", "invitation", &["survey_id", "time"]),
        index("invitation_customer", "invitation", &["customer_id", "time"]),
        index("response_invitation", "response", &["invitation_id", "time", "number"]),
    ]
}
