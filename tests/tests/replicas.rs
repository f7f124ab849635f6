//! Two replicas on one PostgreSQL, both writing and both being killed: a watcher sees every fact, none twice in effect,
//! and positions are dense.

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write,
    fs,
    process::Child,
    sync::{Arc, Mutex},
    time::Duration,
};

use barometer_chassis::{
    position::Position,
    testing::{DatabaseKind, TestDatabase},
};
use barometer_proto::customers::v1::{
    WatchFactsRequest, WatchFactsResponse, customer_service_client::CustomerServiceClient, fact::Fact,
};
use barometer_tests::{
    eventually,
    process::{Server, run, start},
};

const ROWS: usize = 3_000;
const CUSTOMERS: usize = 250;

/// What a watcher has made of the facts it was sent.
#[derive(Debug, Default)]
struct Seen {
    /// Id and version by number.
    facts: BTreeMap<i64, (String, i64)>,
    purchases: HashSet<String>,
    customers: HashSet<String>,
    markers: HashSet<String>,
    /// The last position, as a token.
    position: String,
    reached: i64,
}

impl Seen {
    fn take(&mut self, batch: WatchFactsResponse) {
        for fact in batch.facts {
            let known = self.facts.insert(fact.number, (fact.id.clone(), fact.version));
            assert!(known.is_none_or(|(id, _)| id == fact.id), "two facts of the number {}", fact.number);
            match fact.fact {
                Some(Fact::Purchase(_)) => drop(self.purchases.insert(fact.id)),
                Some(Fact::Customer(_)) => drop(self.customers.insert(fact.id)),
                other => panic!("nobody wrote {other:?}"),
            }
        }
        let (_, Position { n, marker }) = Position::decode(&batch.position).expect("a position");
        assert!(n >= self.reached, "positions never go back");
        self.markers.insert(marker.to_string());
        (self.reached, self.position) = (n, batch.position);
    }
}

/// Follows whichever replica is there, from where it was.
async fn watch(endpoint: Arc<Mutex<String>>, seen: Arc<Mutex<Seen>>) {
    loop {
        let (target, after) = (endpoint.lock().expect("sound").clone(), seen.lock().expect("sound").position.clone());
        if let Ok(mut client) = CustomerServiceClient::connect(target).await
            && let Ok(watch) = client.watch_facts(WatchFactsRequest { kinds: Vec::new(), after }).await
        {
            let mut batches = watch.into_inner();
            while let Ok(Some(batch)) = batches.message().await {
                seen.lock().expect("sound").take(batch);
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_that_write_and_die_lose_nothing_and_double_nothing() {
    let database = TestDatabase::new(DatabaseKind::Postgres).await;
    let folder = database.directory().to_owned();
    let mut csv = "buyer,day,paid\n".to_owned();
    for row in 0..ROWS {
        writeln!(csv, "c-{},2024-0{}-11,{}", row % CUSTOMERS, 1 + row % 9, row % 17).expect("to a string");
    }
    fs::write(folder.join("purchases.csv"), csv).expect("a file");
    // Both import the same rows for the same customers, as two sources.
    let arguments = |source: &'static str| {
        let mut line = vec!["import", "purchases", "purchases.csv", "--source", source, "--set", "currency=EUR"];
        line.extend(["--map", "customer=buyer", "--map", "time=day", "--map", "amount=paid"]);
        line
    };
    let replica = |name: &str| Server::start_in(&database, &folder.join(name), &["customers"]);
    let end = |mut child: Child| {
        drop(child.kill());
        drop(child.wait());
    };

    let (endpoint, seen) = (Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new(Seen::default())));
    let watcher = tokio::spawn(watch(endpoint.clone(), seen.clone()));
    for round in 0..5_u64 {
        let (first, second) = (replica("first"), replica("second"));
        *endpoint.lock().expect("sound") = if round % 2 == 0 { &first } else { &second }.endpoint.clone();
        let imports = [("east", &first), ("west", &second)]
            .map(|(source, server)| start(&server.endpoint, &arguments(source), &folder));
        tokio::time::sleep(Duration::from_millis(60 + 90 * round)).await;
        first.kill();
        tokio::time::sleep(Duration::from_millis(50)).await;
        second.kill();
        imports.into_iter().for_each(end);
    }
    let (first, second) = (replica("first"), replica("second"));
    *endpoint.lock().expect("sound") = second.endpoint.clone();
    for (source, server) in [("east", &second), ("west", &first)] {
        let done = run(&server.endpoint, &arguments(source), &folder);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    eventually("the watcher has seen every purchase", async || seen.lock().expect("sound").purchases.len() >= 2 * ROWS)
        .await;
    watcher.abort();
    let seen = seen.lock().expect("sound");
    assert_eq!((seen.purchases.len(), seen.customers.len()), (2 * ROWS, CUSTOMERS));
    // Every position is a fact or a marker, and every marker ends a batch.
    let last = usize::try_from(seen.reached).expect("small");
    assert_eq!(seen.facts.len() + seen.markers.len(), last, "positions are dense");
}
