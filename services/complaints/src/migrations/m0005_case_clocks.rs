//! The clocks of cases as they are kept. Those of the cases that are there, and of what replicas of the release before
//! write meanwhile, are computed by whichever replica of this one finds them: see `keeper`.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns =
            [big_integer_null("due_time"), integer_null("due_clock"), big_integer("clocked").default(0).to_owned()];
        for column in columns {
            // SQLite adds one at a time.
            manager.alter_table(Table::alter().table("case").add_column(column).to_owned()).await?;
        }
        manager.create_table(case_clock()).await?;
        for index in indices() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn case_clock() -> TableCreateStatement {
    Table::create()
        .table("case_clock")
        .col(uuid("id").primary_key())
        .col(big_integer("number"))
        .col(big_integer("position"))
        .col(big_integer("version"))
        .col(uuid("case_id"))
        .col(big_integer("case_number"))
        .col(integer("kind"))
        .col(integer("instance"))
        .col(integer("state"))
        .col(big_integer("start_time"))
        .col(big_integer_null("due_time"))
        .col(big_integer_null("stop_time"))
        .col(integer("target_amount"))
        .col(integer("target_unit"))
        .col(boolean("held"))
        .col(big_integer("allowed"))
        .col(big_integer_null("used"))
        .col(big_integer_null("working_micros"))
        .col(big_integer_null("elapsed_micros"))
        .col(string("policy_name"))
        .col(big_integer("policy_set_version"))
        .col(uuid("calendar_id"))
        .col(big_integer("calendar_version"))
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
        index("case_clock_position", "case_clock", &["position"]).unique().to_owned(),
        index("case_clock_run", "case_clock", &["case_id", "kind", "instance"]).unique().to_owned(),
        index("case_due", "case", &["due_time", "id"]).and_where(Expr::col("due_time").is_not_null()).to_owned(),
        index("case_unclocked", "case", &["id"])
            .and_where(Expr::col("calendar_id").is_not_null())
            .and_where(Expr::col("withdraw_time").is_null())
            .and_where(Expr::col("clocked").not_equals("version"))
            .to_owned(),
    ]
}
