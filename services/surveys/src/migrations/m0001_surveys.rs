//! Surveys and responses.

use barometer_chassis::database::feed_tables;
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        feed_tables(manager).await?;
        manager.create_table(survey()).await?;
        manager.create_table(response()).await?;
        for index in indices() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn survey() -> TableCreateStatement {
    Table::create()
        .table("survey")
        .col(uuid("id").primary_key())
        .col(big_integer("number"))
        .col(big_integer("position"))
        .col(big_integer("version"))
        .col(string("name"))
        .col(integer("kind"))
        .col(integer("type"))
        .col(integer("state"))
        .col(json_binary("question"))
        .col(json_binary("dimensions"))
        .col(string("actor"))
        .col(big_integer("create_time"))
        .col(big_integer("update_time"))
        .to_owned()
}

fn response() -> TableCreateStatement {
    Table::create()
        .table("response")
        .col(uuid("id").primary_key())
        .col(big_integer("number"))
        .col(big_integer("position"))
        .col(big_integer("version"))
        .col(uuid("survey_id"))
        .col(uuid_null("customer_id"))
        .col(integer_null("score"))
        .col(integer("category"))
        .col(integer("disposition"))
        .col(text("comment"))
        .col(string("language"))
        .col(string("channel"))
        .col(string("touchpoint"))
        .col(string("journey_stage"))
        .col(big_integer("time"))
        .col(big_integer("weight"))
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

fn indices() -> Vec<IndexCreateStatement> {
    let index = |name: &str, table: &'static str, columns: &[&'static str]| {
        let mut index = Index::create();
        index.name(name).table(table);
        for column in columns {
            index.col(*column);
        }
        index
    };
    vec![
        index("survey_position", "survey", &["position"]).unique().to_owned(),
        index("survey_name", "survey", &["name"]).unique().to_owned(),
        index("response_position", "response", &["position"]).unique().to_owned(),
        index("response_key", "response", &["external_system", "external_id"]).unique().to_owned(),
        index("response_survey", "response", &["survey_id", "time"]).to_owned(),
        index("response_customer", "response", &["customer_id", "time"]).to_owned(),
    ]
}
