//! What the program tells a collector: one trace from a call to the figures, and what `docs/telemetry.md` says.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use barometer_chassis::testing::{Collector, on_each_database};
use barometer_proto::{
    metrics::v1::{Filter, QueryMetricsRequest, metrics_service_client::MetricsServiceClient},
    surveys::v1::{
        ActivateSurveyRequest, CreateSurveyRequest, Response, SubmitResponseRequest, SurveyKind, response,
        survey_service_client::SurveyServiceClient,
    },
};
use barometer_tests::{
    eventually,
    process::Server,
    samples::{key, response, survey},
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tonic::{Request, transport::Channel};

/// A caller's trace, sampled.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_leads_from_a_call_to_the_figures() {
    on_each_database(async |database| {
        let collector = Collector::start().await;
        // Nothing is sampled but what a caller wants.
        let flags = ["--otlp-endpoint", &collector.endpoint, "--trace-sample-ratio", "0"];
        let server = Server::start(database, &flags);
        submit(&server.endpoint).await;
        // The customer gets into the figures as well, which nobody waits for.
        let folds = || collector.told().spans.iter().filter(|span| span.name == "fold").count();
        eventually("both folds are told", async || folds() == 2).await;
        server.stop();

        let told = collector.told();
        let names: Vec<_> = told.spans.iter().map(|span| (hex(&span.trace_id), span.name.as_str())).collect();
        assert!(names.iter().all(|(trace, _)| trace == TRACE), "{names:?}");
        let all = |name: &str| told.spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
        let [call] = all("barometer.surveys.v1.SurveyService/SubmitResponse")[..] else { panic!("{names:?}") };
        assert_eq!(hex(&call.parent_span_id), CALLER);

        // The customer is asked for by key: a call to the other service, and a commit there.
        let resolve = all("barometer.customers.v1.CustomerService/ResolveCustomers");
        let [outgoing, incoming] = in_order(&resolve, call)[..] else { panic!("{names:?}") };
        for (begun_by, source) in [(call, "surveys"), (incoming, "customers")] {
            let commit = child(&told.spans, "commit", begun_by);
            let publish = child(&told.spans, "publish", commit);
            let fold = child(&told.spans, "fold", publish);
            assert_eq!(attribute(commit, "barometer.service"), source);
            assert_eq!(attribute(publish, "barometer.service"), source);
            assert_eq!(attribute(fold, "barometer.source"), source);
        }
        assert_eq!(attribute(outgoing, "server.address"), "127.0.0.1");
        assert_eq!(attribute(outgoing, "rpc.response.status_code"), "OK");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_lists_what_the_program_exports() {
    on_each_database(async |database| {
        let collector = Collector::start().await;
        let server = Server::start(database, &["--otlp-endpoint", &collector.endpoint, "--metrics-interval", "1s"]);
        submit(&server.endpoint).await;
        // What is observed is told while everything runs; a process that ends has nothing left to look at.
        let has = |name: &str| collector.told().metrics.iter().any(|metric| metric.name == name);
        eventually("metrics are told", async || has("barometer.fold.lag") && has("barometer.feed.lag")).await;
        server.stop();

        let told = collector.told();
        let metrics: BTreeSet<_> =
            told.metrics.iter().map(|metric| (metric.name.clone(), metric.unit.clone())).collect();
        assert_eq!(metrics, listed("Metrics", 2), "left: exported, right: listed");
        let is_call = |name: &str| name.contains('/');
        let spans: BTreeSet<_> =
            told.spans.iter().map(|span| span.name.clone()).filter(|name| !is_call(name)).collect();
        let listed: BTreeSet<_> = listed("Traces", 0).into_iter().map(|(name, _)| name).collect();
        let calls = BTreeSet::from(["call".to_owned(), "rpc".to_owned()]);
        assert_eq!(spans, &listed - &calls, "left: exported, right: listed");
        assert!(told.metrics.iter().all(|metric| !metric.description.is_empty()));
    })
    .await;
}

/// Submits an answer of a new customer in [`TRACE`] and waits until the figures have it.
async fn submit(endpoint: &str) {
    let channel = Channel::from_shared(endpoint.to_owned()).expect("a URL").connect_lazy();
    let (mut surveys, metrics) = (SurveyServiceClient::new(channel.clone()), MetricsServiceClient::new(channel));
    let create = CreateSurveyRequest { survey: Some(survey("asked", SurveyKind::Nps)), request_id: String::new() };
    let survey_id = surveys.create_survey(create).await.expect("created").into_inner().survey_id;
    let activate = ActivateSurveyRequest { survey_id: survey_id.clone(), ..Default::default() };
    let position = surveys.activate_survey(activate).await.expect("activated").into_inner().position;
    // The feeds are open, so that what comes is passed on as it is written.
    include(&metrics, position).await;

    let answer = Response { customer: Some(response::Customer::CustomerKey(key("new"))), ..response(&survey_id, 9) };
    let mut request = Request::new(SubmitResponseRequest { response: Some(answer), request_id: String::new() });
    let traceparent = format!("00-{TRACE}-{CALLER}-01").parse().expect("a header");
    request.metadata_mut().insert("traceparent", traceparent);
    let position = surveys.submit_response(request).await.expect("submitted").into_inner().position;
    include(&metrics, position).await;
}

async fn include(metrics: &MetricsServiceClient<Channel>, position: String) {
    let only = Filter { dimension: "survey".to_owned(), values: vec!["asked".to_owned()], ..Default::default() };
    let query = QueryMetricsRequest {
        metrics: vec!["responses".to_owned()],
        filters: vec![only],
        at_least: vec![position],
        ..Default::default()
    };
    eventually("the figures include it", async || metrics.clone().query_metrics(query.clone()).await.is_ok()).await;
}

/// The one span of this name whose parent is the other.
fn child<'s>(spans: &'s [Span], name: &str, parent: &Span) -> &'s Span {
    let mut found = spans.iter().filter(|span| span.name == name && span.parent_span_id == parent.span_id);
    let child = found.next().unwrap_or_else(|| panic!("no {name} of {}", parent.name));
    assert!(found.next().is_none(), "two of {name}");
    child
}

/// Spans, each the child of the one before, the first of `parent`.
fn in_order<'s>(spans: &[&'s Span], parent: &Span) -> Vec<&'s Span> {
    let mut chain: Vec<&Span> = Vec::new();
    while let Some(next) = spans
        .iter()
        .find(|span| span.parent_span_id == chain.last().map_or(&parent.span_id, |last| &last.span_id).as_slice())
    {
        chain.push(next);
    }
    chain
}

fn attribute(span: &Span, key: &str) -> String {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let attributes: BTreeMap<_, _> = span.attributes.iter().map(|pair| (pair.key.as_str(), &pair.value)).collect();
    match attributes.get(key).and_then(|value| value.as_ref()).and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        other => panic!("{key} of {}: {other:?}", span.name),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first column of the page's table under a heading, with another one.
fn listed(heading: &str, column: usize) -> BTreeSet<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/telemetry.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).expect("the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cell = |row: &str, column: usize| row.split('|').nth(column + 1).map(|cell| cell.trim().replace('`', ""));
    rows.map(|row| (cell(row, 0).expect("a name"), cell(row, column).expect("a cell"))).collect()
}
