//! The feed of large facts: as many to a batch as fit into one message.

use barometer_chassis::testing::on_each_database;
use barometer_proto::customers::v1::Purchase;
use barometer_tests::{samples::purchase, services::Services};

use crate::kind::{Fact, World};

#[tokio::test]
async fn large_facts_reach_watchers() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let world = World::new(&services).await;
        let mut large = purchase(&world.customers[0]);
        let mut line = large.lines.remove(0);
        line.category = "é".repeat(64);
        (large.lines, large.amount) = (vec![line; 500], None);
        // 60 of them are 5 MB, while a message holds 4.
        let batches = (0..6).map(|batch| (0..10).map(|n| (batch * 10 + n, large.clone())).collect()).collect();
        Purchase::import(&services, batches).await.expect("imported");
        assert_eq!(Purchase::watch(&services).await.len(), 60);
        services.stop().await;
    })
    .await;
}
