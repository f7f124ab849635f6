//! Figures computed again from the facts: the same, whatever was written; and another where somebody changed facts unseen.

use std::{fs, path::Path};

use barometer_chassis::testing::{Collector, on_each_database};
use barometer_proto::metrics::v1::{
    ListVerificationsRequest, VerificationOutcome, verification_service_client::VerificationServiceClient,
};
use barometer_tests::{
    eventually,
    process::{Server, run},
};
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point::Value};

const PURCHASES: &str =
    "id,customer,day,amount\np-1,c-1,2024-01-05,10.50\np-2,c-2,2024-01-06,7\np-3,c-1,2024-02-07,-2.25\n";
const ANSWERS: &str = "score,day\n9,2024-01-01\n3,2024-01-02\n,2024-01-03\n";

/// What a command ends with, and what it prints.
fn told(endpoint: &str, arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let output = tokio::task::block_in_place(|| run(endpoint, arguments, folder));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Records purchases and answers.
fn record(endpoint: &str, folder: &Path) {
    fs::write(folder.join("purchases.csv"), PURCHASES).expect("a file");
    fs::write(folder.join("answers.csv"), ANSWERS).expect("a file");
    let purchases = "import purchases purchases.csv --map external_id=id --map customer=customer --map time=day \
                     --map amount=amount --set currency=EUR --customer-system shop";
    let answers = "import responses answers.csv --map time=day --map score=score --set survey=s";
    for line in [purchases, answers] {
        let (code, _, said) = told(endpoint, &line.split_whitespace().collect::<Vec<_>>(), folder);
        assert_eq!(code, Some(0), "{line}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_is_what_the_figures_are() {
    on_each_database(async |database| {
        let server = Server::start(database, &[]);
        let directory = tempfile::tempdir().expect("a directory");
        let folder = directory.path();
        record(&server.endpoint, folder);
        let (code, table, said) = told(&server.endpoint, &["verify", "--every", "month"], folder);
        assert_eq!(code, Some(0), "{table}{said}");
        let line = |metric: &str| {
            let line = table.lines().find(|line| line.split_whitespace().next() == Some(metric)).expect("a line");
            line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("revenue"), "2 folded, counted 0");
        assert_eq!(line("nps"), "1 folded, counted 0");
        assert!(line("churn_rate").ends_with("folded 0"), "{table}");

        let (code, table, said) = told(&server.endpoint, &["verify", "revenue", "nps"], folder);
        assert_eq!((code, table.lines().count()), (Some(0), 5), "{table}{said}");
        for (arguments, code, words) in [
            (vec!["nsp"], 66, "METRIC: `nsp` is no metric; did you mean `nps`?"),
            (vec!["nps", "--by", "nonsense"], 64, "--by: `nonsense` is no dimension of nps"),
            (vec!["nps", "--from", "then"], 64, "--from"),
        ] {
            let (found, _, said) = told(&server.endpoint, &[vec!["verify"], arguments].concat(), folder);
            assert_eq!(found, Some(code), "{said}");
            assert!(said.contains(words), "{said}");
        }
        server.stop();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_behind_a_service_s_back_is_found_and_told() {
    on_each_database(async |database| {
        let directory = tempfile::tempdir().expect("a directory");
        let folder = directory.path();
        let server = Server::start(database, &[]);
        record(&server.endpoint, folder);
        let (code, table, said) = told(&server.endpoint, &["verify", "revenue"], folder);
        assert_eq!(code, Some(0), "{table}{said}");
        server.stop();

        // Somebody makes it a little more. Metrics goes on with its snapshot, in which it is what it was.
        database.execute("customers", "UPDATE purchase SET amount = amount + 1000000 WHERE amount = 7000000").await;
        let collector = Collector::start().await;
        let flags = ["--otlp-endpoint", &collector.endpoint, "--metrics-interval", "1s"];
        let server = Server::start(database, &flags);
        let (code, table, said) = told(&server.endpoint, &["verify", "revenue", "nps", "--every", "month"], folder);
        assert_eq!(code, Some(1), "{table}{said}");
        assert!(said.contains("differences"), "{said}");
        let value = |line: &&str| line.contains(" value ");
        let values: Vec<_> =
            table.lines().filter(value).map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
        let row = |way| vec!["revenue", "2024-01", "currency=EUR", "value", way, "17.5", "18.5"];
        assert_eq!(values, [row("folded"), row("counted")], "{table}");

        let client = VerificationServiceClient::connect(server.endpoint.clone()).await.expect("a connection");
        let listed = client.clone().list_verifications(ListVerificationsRequest::default()).await.expect("a list");
        let listed = listed.into_inner().verifications;
        assert_eq!((listed.len(), listed[0].outcome()), (1, VerificationOutcome::Different));
        let expected = listed[0].difference_count;
        eventually("the differences are counted", async || counted(&collector) == expected).await;
        let log = server.stop();
        assert!(log.contains("a figure is not that of the facts"), "{log}");
        let errors = collector.told().logs.iter().filter(|line| line.severity_text == "ERROR").count();
        assert_eq!(i64::try_from(errors).expect("few"), expected);
    })
    .await;
}

/// The differences that a collector was told of last.
fn counted(collector: &Collector) -> i64 {
    let told = collector.told();
    let last = told.metrics.iter().rfind(|metric| metric.name == "barometer.metrics.verification.differences");
    let Some(Data::Sum(sum)) = last.and_then(|metric| metric.data.as_ref()) else { return 0 };
    let value = |value: &Value| match value {
        Value::AsInt(count) => *count,
        Value::AsDouble(_) => panic!("a count"),
    };
    sum.data_points.iter().filter_map(|point| point.value.as_ref()).map(value).sum()
}
