//! Every RPC of the escalations of complaints.

use barometer_chassis::testing::on_each_database;
use barometer_tests::services::Services;

use crate::{
    facts::pages,
    table::{Table, number, text},
    world::NOBODY,
};

#[tokio::test]
async fn bad_input_is_told() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let mut table = Table::of("barometer.complaints.v1.EscalationService");
        table
            .rpc("GetEscalation", &[])
            .invalid("nothing", vec![], &["escalation_id"])
            .invalid("garbage", vec![text("escalation_id", "x")], &["escalation_id"])
            .unknown("an unknown id", vec![text("escalation_id", NOBODY)]);
        let rpc = &mut table.rpc("ListEscalations", &[]);
        pages(rpc);
        rpc.invalid(
            "garbage",
            vec![text("case_id", "x"), number("start_time.nanos", -1), number("end_time.nanos", -1)],
            &["case_id", "start_time", "end_time"],
        )
        .invalid(
            "backwards",
            vec![text("case_id", "x"), number("start_time.seconds", 9), number("end_time.seconds", 8)],
            &["case_id", "start_time"],
        )
        .answered("an unknown case", vec![text("case_id", NOBODY)]);
        table.check(&services.channel).await;
        services.stop().await;
    })
    .await;
}
