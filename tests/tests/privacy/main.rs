//! Personal data stays where it is kept: whatever callers send, rightly or wrongly, no log, trace, metric or fact has it.
//!
//! One file for each service calls all of its methods. A method that nobody calls fails the test.

mod caller;
mod complaints;
mod costs;
mod customers;
mod definitions;
mod escalations;
mod exports;
mod figures;
mod follow_ups;
mod incidents;
mod loyalty;
mod metrics;
mod personal_data;
mod policies;
mod promises;
mod recorded;
mod surveys;
mod verifications;
mod webhooks;
mod work;

use barometer_chassis::testing::{Collector, on_each_database};
use barometer_tests::process::Server;

use crate::caller::{BAD, Caller, MARK};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_callers_send_is_told_to_others() {
    on_each_database(async |database| {
        let collector = Collector::start().await;
        let flags = ["--otlp-endpoint", &collector.endpoint, "--log-level", "debug", "--log-format", "json"];
        let server = Server::start(database, &flags);

        let mut caller = Caller::new(&server.endpoint).await;
        let survey = surveys::call_all(&mut caller).await;
        customers::call_all(&mut caller).await;
        loyalty::call_all(&mut caller).await;
        costs::call_all(&mut caller).await;
        // A case has clocks when policies were published before it.
        policies::call_all(&mut caller).await;
        complaints::call_all(&mut caller).await;
        escalations::call_all(&mut caller).await;
        promises::call_all(&mut caller).await;
        follow_ups::call_all(&mut caller).await;
        webhooks::call_all(&mut caller).await;
        work::call_all(&mut caller).await;
        incidents::call_all(&mut caller).await;
        personal_data::call_all(&mut caller).await;
        metrics::call_all(&mut caller, &survey).await;
        exports::call_all(&mut caller, &survey).await;
        figures::call_all(&mut caller, &survey).await;
        verifications::call_all(&mut caller).await;
        definitions::call_all(&mut caller).await;
        caller.call_nonsense().await;
        caller.assert_all_called();
        let fed = caller.feeds().await;
        let exported = exports::tables(&caller).await;

        let log = server.stop();
        assert!(log.contains("call failed"), "the log tells of what was refused");
        let told = collector.told();
        assert!(!told.spans.is_empty() && !told.metrics.is_empty() && !told.logs.is_empty(), "all was exported");
        for text in [MARK, BAD] {
            assert_nowhere("the log", log.as_bytes(), text);
            assert_nowhere("what was exported", &told.bytes, text);
        }
        // What was sent wrongly may have been right: a channel is anything. What is personal is never in a fact.
        assert_nowhere("the feeds", &fed, MARK);
        assert_nowhere("the tables", &exported, MARK);
    })
    .await;
}

fn assert_nowhere(place: &str, told: &[u8], text: &str) {
    let found = told.windows(text.len()).position(|window| window == text.as_bytes());
    let around = |at: usize| &told[at.saturating_sub(300)..(at + 60).min(told.len())];
    assert!(found.is_none(), "in {place}: …{}…", String::from_utf8_lossy(found.map(around).unwrap_or_default()));
}
