//! `barometer export`: a file is there when it is whole.

use std::{fs, path::Path, pin::Pin, process::Command};

use barometer_chassis::testing::on_each_database;
use barometer_proto::metrics::v1::{
    ExportChunk, ExportCustomerStatesRequest, ExportFactsRequest, ExportHead, ExportMetricsRequest, ExportTail,
    export_chunk::Part,
    export_service_server::{ExportService, ExportServiceServer},
};
use barometer_tests::{
    Suite, eventually,
    process::{run, start},
};
use futures_util::{Stream, StreamExt, stream};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_become_files() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let directory = tempfile::tempdir().expect("a directory");
        let folder = directory.path();
        let answers = "score,day\n9,2024-01-01\n3,2024-01-02\n,2024-01-03\n";
        fs::write(folder.join("answers.csv"), answers).expect("a file");
        let endpoint = suite.endpoint.clone();
        let told = |arguments: &[&str]| {
            let output = tokio::task::block_in_place(|| run(&endpoint, arguments, folder));
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (output.status.code(), text(&output.stdout), text(&output.stderr))
        };
        let import =
            ["import", "responses", "answers.csv", "--map", "time=day", "--map", "score=score", "--set", "survey=s"];
        assert_eq!(told(&import).0, Some(0));

        let (code, table, said) = told(&["export", "facts", "surveys.response", "--from", "2024", "--to", "2025"]);
        assert_eq!(code, Some(0), "{said}");
        let lines: Vec<_> = table.split("\r\n").collect();
        assert!(lines[0].starts_with("id,number,version,write_time,survey_id,customer_id,score,"), "{}", lines[0]);
        assert_eq!(lines.len(), 5, "a header, three rows and an end");
        assert!(said.starts_with("barometer: written: 3 rows, ") && said.contains("surveys until 20"), "{said}");

        let (code, table, said) =
            told(&["export", "facts", "surveys.response", "--output", "answers.parquet", "--format", "parquet"]);
        assert_eq!((code, table.as_str()), (Some(0), ""), "{said}");
        assert!(said.starts_with("barometer: answers.parquet: 3 rows, "), "{said}");
        assert!(fs::read(folder.join("answers.parquet")).expect("the file").ends_with(b"PAR1"));

        let (code, _, said) = told(&["export", "metrics", "nps", "--every", "day", "--by", "channel", "-o", "nps.csv"]);
        assert_eq!(code, Some(0), "{said}");
        let table = fs::read_to_string(folder.join("nps.csv")).expect("the file");
        assert!(table.starts_with("metric,version,start,end,label,survey_type,channel,value,"), "{table}");
        assert_eq!(table.lines().count(), 3, "a header, and the two days with a score: {table}");

        let (code, table, said) = told(&["export", "states", "--category", "promoter,passive"]);
        assert_eq!((code, table.lines().count()), (Some(0), 1), "nobody answered by name: {said}");
        assert!(table.starts_with("customer_id,relational_category,relational_score,"), "{table}");

        for (arguments, code, words) in [
            (vec!["states", "--where", "nonsense=1"], 64, "--where: `nonsense` is no dimension of customers"),
            (vec!["states", "--at", "then"], 64, "--at"),
            (vec!["facts", "surveys.respose"], 64, "KIND: is no kind of facts; there are complaints.case,"),
            (vec!["facts", "surveys.survey", "--from", "2024"], 64, "--from: surveys.survey happens at no instant"),
            (vec!["facts", "surveys.response", "--from", "then"], 64, "--from"),
            (vec!["facts", "surveys.response", "--at-least", "x"], 64, "--at-least: is not a position"),
            (vec!["metrics", "nsp"], 66, "METRIC: `nsp` is no metric; did you mean `nps`?"),
            (vec!["metrics", "nps", "--by", "nonsense"], 64, "--by: `nonsense` is no dimension of nps"),
            (vec!["metrics", "nps", "--format", "parquet"], 64, "--output"),
            (vec!["metrics", "nps", "-o", "nowhere/nps.csv"], 74, "nowhere/nps.csv"),
        ] {
            let (told_code, table, said) = told(&[vec!["export"], arguments].concat());
            assert_eq!((told_code, table.as_str()), (Some(code), ""), "{said}");
            assert!(said.contains(words), "{said}");
        }
        assert_eq!(names(folder), ["answers.csv", "answers.parquet", "nps.csv"]);
        suite.stop().await;
    })
    .await;
}

/// A suite whose tables break off, each in its way, which the kind of the facts says.
struct Breaking;

type Chunks = Pin<Box<dyn Stream<Item = Result<ExportChunk, Status>> + Send>>;

#[tonic::async_trait]
impl ExportService for Breaking {
    type ExportMetricsStream = Chunks;
    type ExportFactsStream = Chunks;
    type ExportCustomerStatesStream = Chunks;

    async fn export_customer_states(
        &self,
        _: Request<ExportCustomerStatesRequest>,
    ) -> Result<Response<Chunks>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn export_metrics(&self, _: Request<ExportMetricsRequest>) -> Result<Response<Chunks>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn export_facts(&self, request: Request<ExportFactsRequest>) -> Result<Response<Chunks>, Status> {
        let part = |part| Ok(ExportChunk { part: Some(part) });
        let begun = vec![part(Part::Head(ExportHead::default())), part(Part::Data(b"id\r\n1\r\n".to_vec()))];
        let tail = |bytes| part(Part::Tail(ExportTail { rows: 1, bytes, freshness: Vec::new() }));
        let rest = match request.into_inner().kind.as_str() {
            "error" => stream::iter([Err(barometer_chassis::error::Error::stopping().into())]).boxed(),
            "no tail" => stream::empty().boxed(),
            "short" => stream::iter([tail(100)]).boxed(),
            "hanging" => stream::pending().boxed(),
            _ => stream::iter([tail(7)]).boxed(),
        };
        Ok(Response::new(stream::iter(begun).chain(rest).boxed()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_off_is_no_file() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
    let server = tonic::transport::Server::builder().add_service(ExportServiceServer::new(Breaking));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let directory = tempfile::tempdir().expect("a directory");
    let folder = directory.path();
    fs::write(folder.join("facts.csv"), "the last one").expect("a file");
    let export = |kind| ["export", "facts", kind, "--output", "facts.csv"];
    let last = || fs::read_to_string(folder.join("facts.csv")).expect("a file");

    for kind in ["error", "no tail", "short"] {
        let output = tokio::task::block_in_place(|| run(&endpoint, &export(kind), folder));
        assert_eq!(output.status.code(), Some(69), "{kind}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!((last().as_str(), names(folder).len()), ("the last one", 1), "{kind}");
    }

    for (signal, left) in [("-INT", 1), ("-TERM", 1), ("-KILL", 2)] {
        let mut hanging = start(&endpoint, &export("hanging"), folder);
        eventually("it has begun", async || names(folder).len() == 2).await;
        // It is in the hands of a signal only once it has begun to wait for one.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let id = hanging.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill runs").success());
        let status = tokio::task::block_in_place(|| hanging.wait()).expect("it ends");
        assert!(!status.success());
        let names = names(folder);
        assert_eq!((last().as_str(), names.len()), ("the last one", left), "{signal}: {names:?}");
        assert!(names.iter().all(|name| name == "facts.csv" || name.ends_with(".partial")));
    }

    let output = tokio::task::block_in_place(|| run(&endpoint, &export("whole"), folder));
    assert!(output.status.success());
    assert_eq!(last(), "id\r\n1\r\n");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a directory");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
