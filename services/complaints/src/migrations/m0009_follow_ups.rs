//! Follow-ups of answers to surveys: their rules, their chains, the answers, and how far the surveys' feed was read.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [rule_set(), follow_up(), survey_answer(), upstream()] {
            manager.create_table(table).await?;
        }
        let outcome = integer("follow_up_outcome").default(0).to_owned();
        manager.alter_table(Table::alter().table("case_entry").add_column(outcome).to_owned()).await?;
        for index in indices() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn rule_set() -> TableCreateStatement {
    Table::create()
        .table("follow_up_rule_set")
        .col(uuid("id").primary_key())
        .col(big_integer("version"))
        .col(json_binary("rules"))
        .col(string("actor"))
        .col(big_integer("create_time"))
        .to_owned()
}

fn follow_up() -> TableCreateStatement {
    Table::create()
        .table("follow_up")
        .col(uuid("id").primary_key())
        .col(big_integer("number"))
        .col(big_integer("position"))
        .col(big_integer("version"))
        .col(uuid("case_id"))
        .col(uuid("customer_id"))
        .col(uuid("survey_id"))
        .col(uuid("response_id"))
        .col(integer("score"))
        .col(integer("survey_kind"))
        .col(big_integer("response_time"))
        .col(integer("at_most"))
        .col(big_integer("rule_set_version"))
        .col(string("rule_name"))
        .col(big_integer("open_time"))
        .col(big_integer("window_end_time"))
        .col(integer("outcome"))
        .col(big_integer_null("close_time"))
        .col(uuid_null("closing_response_id"))
        .col(integer_null("closing_score"))
        .col(big_integer_null("next_time"))
        .col(big_integer("update_time"))
        .to_owned()
}

fn survey_answer() -> TableCreateStatement {
    Table::create()
        .table("survey_answer")
        .col(uuid("response_id").primary_key())
        .col(uuid("survey_id"))
        .col(uuid("customer_id"))
        .col(integer("score"))
        .col(big_integer("time"))
        .col(boolean("gone"))
        .col(big_integer("generation"))
        .col(big_integer("version"))
        .to_owned()
}

fn upstream() -> TableCreateStatement {
    Table::create()
        .table("upstream")
        .col(string("name").primary_key())
        .col(big_integer("generation"))
        .col(string("position"))
        .col(boolean("rereading"))
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
        index("follow_up_rule_set_version", "follow_up_rule_set", &["version"]).unique().to_owned(),
        index("follow_up_position", "follow_up", &["position"]).unique().to_owned(),
        // One answer has one follow-up, whoever reads it, and however often.
        index("follow_up_response", "follow_up", &["response_id"]).unique().to_owned(),
        index("follow_up_case", "follow_up", &["case_id"]).unique().to_owned(),
        index("follow_up_customer", "follow_up", &["customer_id", "open_time"]),
        index("follow_up_survey", "follow_up", &["survey_id", "open_time"]),
        index("follow_up_open", "follow_up", &["open_time", "id"]),
        index("follow_up_next", "follow_up", &["next_time"]),
        index("survey_answer_customer", "survey_answer", &["customer_id", "survey_id", "time"]),
        index("survey_answer_generation", "survey_answer", &["generation"]),
        index("survey_answer_time", "survey_answer", &["time"]),
    ]
}
