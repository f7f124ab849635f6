//! What is recorded of customers: changes of attributes, purchases, interactions, events of subscriptions.

use sea_orm_migration::{prelude::*, schema::*};

use super::create_recorded;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, create) in [
            ("attribute_change", attribute_change()),
            ("purchase", purchase()),
            ("interaction", interaction()),
            ("subscription_event", subscription_event()),
        ] {
            create_recorded(manager, table, create).await?;
        }
        Ok(())
    }
}

/// A table with the columns that every recorded row has; `customer` is that of its customer, which some need not have.
pub(super) fn recorded(name: &'static str, customer: ColumnDef) -> TableCreateStatement {
    Table::create()
        .table(name)
        .col(uuid("id").primary_key())
        .col(big_integer("number"))
        .col(big_integer("position"))
        .col(big_integer("version"))
        .col(customer)
        .col(big_integer("time"))
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

fn attribute_change() -> TableCreateStatement {
    recorded("attribute_change", uuid("customer_id"))
        .col(integer("attribute"))
        .col(string("value"))
        .col(boolean("leaves"))
        .to_owned()
}

fn purchase() -> TableCreateStatement {
    recorded("purchase", uuid("customer_id"))
        .col(string("currency"))
        .col(big_integer("amount"))
        .col(json_binary("lines"))
        .col(string_null("return_of_system"))
        .col(string_null("return_of_id"))
        .col(string("channel"))
        .col(string("country"))
        .col(string("voucher"))
        .col(big_integer_null("due_time"))
        .col(big_integer_null("paid_time"))
        .to_owned()
}

fn interaction() -> TableCreateStatement {
    recorded("interaction", uuid("customer_id"))
        .col(string("channel"))
        .col(integer("direction"))
        .col(string("touchpoint"))
        .col(string("journey_id"))
        .col(string("session_id"))
        .col(string("journey_stage"))
        .col(string("landing_page"))
        .col(string("exit_page"))
        .col(string("campaign"))
        .col(string_null("in_answer_to_system"))
        .col(string_null("in_answer_to_id"))
        .col(text("text"))
        .col(big_integer_null("handling_micros"))
        .col(string_null("cost_currency"))
        .col(big_integer_null("cost"))
        .col(string("employee"))
        .col(string("team"))
        .col(string("outcome"))
        .to_owned()
}

fn subscription_event() -> TableCreateStatement {
    recorded("subscription_event", uuid("customer_id"))
        .col(string("subscription"))
        .col(integer("type"))
        .col(big_integer("effective_time"))
        .col(string("plan"))
        .col(string_null("currency"))
        .col(big_integer_null("monthly_amount"))
        .col(string("reason"))
        .col(boolean_null("voluntary"))
        .to_owned()
}
