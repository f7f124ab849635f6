//! What happens in the loyalty programme, and who recommended whom.

use sea_orm_migration::{prelude::*, schema::*};

use super::{create_recorded, index, m0002_facts::recorded};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_recorded(manager, "membership_event", membership_event()).await?;
        create_recorded(manager, "referral", referral()).await?;
        let columns = ["referred_customer_id", "time"];
        manager.create_index(index("referral_referred_customer", "referral", &columns)).await
    }
}

fn membership_event() -> TableCreateStatement {
    recorded("membership_event", uuid("customer_id"))
        .col(integer("type"))
        .col(string("programme"))
        .col(big_integer("points"))
        .col(string("voucher"))
        .col(string_null("value_currency"))
        .col(big_integer_null("value"))
        .col(string_null("cost_currency"))
        .col(big_integer_null("cost"))
        .col(string("reason"))
        .col(string("channel"))
        .col(string("campaign"))
        .col(big_integer_null("expire_time"))
        .col(string_null("purchase_system"))
        .col(string_null("purchase_id"))
        .to_owned()
}

fn referral() -> TableCreateStatement {
    recorded("referral", uuid("customer_id"))
        .col(uuid_null("referred_customer_id"))
        .col(big_integer_null("join_time"))
        .col(string("channel"))
        .col(string("campaign"))
        .col(string_null("reward_currency"))
        .col(big_integer_null("reward"))
        .to_owned()
}
