//! Metrics that users define: through the contract and the command line, on both databases.

use std::{fs, path::Path};

use barometer_chassis::testing::on_each_database;
use barometer_proto::metrics::v1::{
    CreateDefinitionRequest, Definition, Direction, ExplainMetricRequest, Filter, GetDefinitionRequest,
    GetMetricRequest, ListDefinitionVersionsRequest, ListDefinitionsRequest, ListMetricsRequest, Metric, Part,
    QueryComparisonsRequest, QueryMetricsRequest, Ratio, Rest, RestoreDefinitionRequest, RetireDefinitionRequest,
    ReviseDefinitionRequest, Row, Side, Unit, Variant, VerifyMetricsRequest, WatchMetricsRequest,
    definition::{Expression, State},
    definition_service_client::DefinitionServiceClient,
    figure_service_client::FigureServiceClient,
    metrics_service_client::MetricsServiceClient,
    part::Measure,
    query_comparisons_request::Against,
    verification_service_client::VerificationServiceClient,
    verify_metrics_response,
};
use barometer_tests::process::{Server, run};
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt;
use uuid::Uuid;

const ANSWERS: &str = "id,score,day,channel\n\
    a,9,2024-01-01,web\nb,3,2024-01-02,web\nc,10,2024-01-03,app\nd,10,2024-01-03,app\ne,10,2024-02-03,web\nf,2,2024-02-05,app\n";
const PURCHASES: &str = "id,customer,day,amount,currency\n\
    p-1,c-1,2024-01-05,10.50,EUR\np-2,c-2,2024-01-06,7,EUR\np-3,c-1,2024-02-07,8,USD\n";

/// A running suite with some facts.
struct World {
    server: Server,
    directory: tempfile::TempDir,
    channel: Channel,
}

impl World {
    fn new(server: Server) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let channel = Channel::from_shared(server.endpoint.clone()).expect("a URL").connect_lazy();
        let world = World { server, directory, channel };
        fs::write(world.folder().join("answers.csv"), ANSWERS).expect("a file");
        fs::write(world.folder().join("purchases.csv"), PURCHASES).expect("a file");
        let answers = "import responses answers.csv --map external_id=id --map time=day --map score=score --map channel=channel --set survey=s";
        let purchases = "import purchases purchases.csv --map external_id=id --map customer=customer --map time=day \
                         --map amount=amount --map currency=currency --customer-system shop";
        for line in [answers, purchases] {
            let (code, _, said) = world.told(&line.split_whitespace().collect::<Vec<_>>());
            assert_eq!(code, Some(0), "{line}: {said}");
        }
        world
    }

    fn folder(&self) -> &Path {
        self.directory.path()
    }

    /// What a command ends with, and what it prints.
    fn told(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = tokio::task::block_in_place(|| run(&self.server.endpoint, arguments, self.folder()));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    fn definitions(&self) -> DefinitionServiceClient<Channel> {
        DefinitionServiceClient::new(self.channel.clone())
    }

    fn metrics(&self) -> MetricsServiceClient<Channel> {
        MetricsServiceClient::new(self.channel.clone())
    }

    fn figures(&self) -> FigureServiceClient<Channel> {
        FigureServiceClient::new(self.channel.clone())
    }

    async fn create(&self, definition: Definition, request_id: Uuid) -> Result<Definition, Status> {
        let request = CreateDefinitionRequest { definition: Some(definition), request_id: request_id.to_string() };
        Ok(self.definitions().create_definition(request).await?.into_inner())
    }

    async fn revise(&self, definition: Definition) -> Result<Definition, Status> {
        let request_id = Uuid::new_v4().to_string();
        let request = ReviseDefinitionRequest { definition: Some(definition), request_id };
        Ok(self.definitions().revise_definition(request).await?.into_inner())
    }

    /// The version that the answer follows, and its rows.
    async fn rows(&self, metric: &str, group_by: &[&str]) -> Result<(i32, Vec<Row>), Status> {
        let query = QueryMetricsRequest {
            metrics: vec![metric.to_owned()],
            group_by: group_by.iter().map(|name| (*name).to_owned()).collect(),
            ..Default::default()
        };
        let result = self.metrics().query_metrics(query).await?.into_inner().results.remove(0);
        Ok((result.version, result.rows))
    }

    async fn catalogue(&self) -> Vec<Metric> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListMetricsRequest { page_size: 30, page_token };
            let page = self.metrics().list_metrics(request).await.expect("a page").into_inner();
            all.extend(page.metrics);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }
}

fn on_channel(channel: &str) -> Vec<Filter> {
    vec![Filter { dimension: "channel".to_owned(), values: vec![channel.to_owned()], exclude: false }]
}

fn nps_of(channel: &str) -> Definition {
    let (metric, filters) = ("nps".to_owned(), on_channel(channel));
    Definition {
        id: "custom.of_one_channel".to_owned(),
        title: "NPS of one channel".to_owned(),
        description: "Of those who answered there.".to_owned(),
        expression: Some(Expression::Variant(Variant { metric, filters, ..Default::default() })),
        ..Default::default()
    }
}

fn count(metric: &str, count: &str, name: &str) -> Part {
    let measure = Some(Measure::Count(count.to_owned()));
    Part { name: name.to_owned(), metric: metric.to_owned(), measure, ..Default::default() }
}

fn ratio(id: &str, numerator: Part, denominator: Part, unit: Unit) -> Definition {
    Definition {
        id: id.to_owned(),
        title: "A ratio".to_owned(),
        description: "One over another.".to_owned(),
        unit: unit.into(),
        direction: Direction::Neutral.into(),
        expression: Some(Expression::Ratio(Ratio { numerator: Some(numerator), denominator: Some(denominator) })),
        ..Default::default()
    }
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

fn fields(status: &Status) -> Vec<String> {
    let bad = status.get_details_bad_request();
    bad.into_iter().flat_map(|bad| bad.field_violations).map(|violation| violation.field).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_definition_lives_in_versions_that_stay_as_they_are() {
    on_each_database(async |database| {
        let world = World::new(Server::start(database, &[]));
        let request_id = Uuid::new_v4();
        let first = world.create(nps_of("web"), request_id).await.expect("a definition");
        assert_eq!((first.version, first.state(), first.unit()), (1, State::Active, Unit::Points));
        assert_eq!((first.direction(), first.actor.as_str()), (Direction::Up, "anonymous"));
        assert!(first.formula.ends_with(" where `channel` is `web`"), "{}", first.formula);
        // Two of three promote, one does not.
        let (version, rows) = world.rows("custom.of_one_channel", &[]).await.expect("rows");
        assert_eq!((version, rows.len()), (1, 1));
        let (plain, of_web) = world.rows("nps", &["channel"]).await.expect("rows");
        let web = of_web.iter().find(|row| row.group["channel"] == "web").expect("a row");
        assert_eq!((plain, rows[0].value, &rows[0].counts), (1, web.value, &web.counts));
        assert_eq!(rows[0].interval, web.interval);

        assert_eq!(world.create(nps_of("web"), request_id).await.expect("the same again"), first);
        let taken = world.create(nps_of("web"), Uuid::new_v4()).await.expect_err("it is there");
        assert_eq!((taken.code(), reason(&taken).as_str()), (Code::AlreadyExists, "ID_TAKEN"));
        let reused = world.create(nps_of("app"), request_id).await.expect_err("another request");
        assert_eq!((reused.code(), reason(&reused).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));

        assert_eq!(world.revise(nps_of("web")).await.expect("nothing to do").version, 1);
        let stale = Definition { etag: "7".to_owned(), ..nps_of("app") };
        assert_eq!(world.revise(stale).await.expect_err("stale").code(), Code::Aborted);
        let second = Definition { etag: first.etag.clone(), ..nps_of("app") };
        let second = world.revise(second).await.expect("a version");
        assert_eq!((second.version, second.create_time), (2, first.create_time));
        let (version, rows) = world.rows("custom.of_one_channel", &[]).await.expect("rows");
        let app = of_web.iter().find(|row| row.group["channel"] == "app").expect("a row");
        assert_eq!((version, rows[0].value), (2, app.value));
        let (version, rows) = world.rows("custom.of_one_channel@1", &[]).await.expect("rows");
        assert_eq!((version, rows[0].value), (1, web.value), "whatever came later");
        let both = ["custom.of_one_channel@1", "custom.of_one_channel@2"].map(str::to_owned).to_vec();
        let both = world.metrics().query_metrics(QueryMetricsRequest { metrics: both, ..Default::default() }).await;
        assert_eq!(both.expect("an answer").into_inner().results.len(), 2);
        let unknown = world.rows("custom.of_one_channel@3", &[]).await.expect_err("no such version");
        assert_eq!(fields(&unknown), ["metrics[0]"]);

        let id = || "custom.of_one_channel".to_owned();
        let get = |version| GetDefinitionRequest { id: id(), version };
        let mut client = world.definitions();
        assert_eq!(client.get_definition(get(1)).await.expect("the first").into_inner().formula, first.formula);
        assert_eq!(client.get_definition(get(0)).await.expect("the latest").into_inner(), second);
        assert_eq!(client.get_definition(get(3)).await.expect_err("none").code(), Code::NotFound);
        let versions = ListDefinitionVersionsRequest { id: id(), ..Default::default() };
        let versions = client.list_definition_versions(versions).await.expect("versions").into_inner();
        assert_eq!(versions.definitions.iter().map(|of| of.version).collect::<Vec<_>>(), [2, 1]);

        let verb = |etag: &str| (id(), etag.to_owned(), Uuid::new_v4().to_string());
        let retire = |etag: &str| {
            let (id, etag, request_id) = verb(etag);
            RetireDefinitionRequest { id, etag, request_id }
        };
        assert_eq!(client.retire_definition(retire("1")).await.expect_err("stale").code(), Code::Aborted);
        let retired = client.retire_definition(retire(&second.etag)).await.expect("retired").into_inner();
        assert_eq!((retired.state(), retired.retire_time.is_some()), (State::Retired, true));
        let refused = world.rows("custom.of_one_channel", &[]).await.expect_err("retired");
        let told = refused.get_details_bad_request().expect("violations").field_violations;
        assert_eq!((told[0].field.as_str(), told[0].reason.as_str()), ("metrics[0]", "RETIRED_METRIC"));
        assert!(world.catalogue().await.iter().all(|metric| !metric.defined));
        let again = client.retire_definition(retire("")).await.expect_err("twice");
        assert_eq!((again.code(), reason(&again).as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
        assert_eq!(client.get_definition(get(1)).await.expect("the first").into_inner().state(), State::Retired);
        assert_eq!(reason(&world.revise(nps_of("x")).await.expect_err("retired")), "WRONG_STATE");
        let of_state = |state: State| ListDefinitionsRequest { state: state.into(), ..Default::default() };
        let in_use = client.list_definitions(of_state(State::Active)).await.expect("a list").into_inner();
        assert_eq!(in_use.definitions, []);
        let (id, etag, request_id) = verb("");
        let restore = RestoreDefinitionRequest { id, etag, request_id };
        let restored = client.restore_definition(restore).await.expect("restored").into_inner();
        assert_eq!((restored.state(), restored.version, &restored.etag), (State::Active, 2, &second.etag));
        assert_eq!(world.rows("custom.of_one_channel", &[]).await.expect("rows").0, 2);

        // All of it is there after a restart.
        world.server.stop();
        let world = World::new(Server::start(database, &[]));
        assert_eq!(world.rows("custom.of_one_channel@1", &[]).await.expect("rows").1[0].value, web.value);
        world.server.stop();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_defined_metric_is_asked_for_wherever_built_in_ones_are() {
    on_each_database(async |database| {
        let world = World::new(Server::start(database, &[]));
        let some = Part { filters: on_channel("web"), ..count("responses", "responses", "web") };
        let share = ratio("custom.web_share", some, count("responses", "responses", "all"), Unit::Percent);
        world.create(share, Uuid::new_v4()).await.expect("a share");
        let net = Part { metric: "revenue".to_owned(), measure: Some(Measure::Amount("net".to_owned())), ..Default::default() };
        let per_answer = ratio("custom.revenue_per_answer", net, count("responses", "responses", ""), Unit::Money);
        world.create(per_answer, Uuid::new_v4()).await.expect("a ratio");

        let (_, rows) = world.rows("custom.web_share", &[]).await.expect("rows");
        assert_eq!((rows[0].value, rows[0].counts["web"], rows[0].counts["all"]), (Some(50.0), 3.0, 6.0));
        assert!(rows[0].interval.is_some_and(|interval| interval.low < 50.0 && interval.high > 50.0));
        let (_, rows) = world.rows("custom.revenue_per_answer", &[]).await.expect("rows");
        let told: Vec<_> = rows.iter().map(|row| (row.group["currency"].as_str(), row.value)).collect();
        assert_eq!(told, [("EUR", Some(17.5 / 6.0)), ("USD", Some(8.0 / 6.0))], "each over all answers");
        assert_eq!(rows[0].amounts["net"].currency_code, "EUR");

        let net = Part { metric: "revenue".to_owned(), measure: Some(Measure::Amount("net".to_owned())), ..Default::default() };
        let per_sale = ratio("custom.average_order", net, count("purchases", "sales", ""), Unit::Money);
        world.create(per_sale, Uuid::new_v4()).await.expect("a ratio");
        let (_, rows) = world.rows("custom.average_order", &[]).await.expect("rows");
        let told: Vec<_> = rows.iter().map(|row| (row.group["currency"].as_str(), row.value)).collect();
        assert_eq!(told, [("EUR", Some(17.5 / 2.0)), ("USD", Some(8.0))], "each over its own sales");

        let defined: Vec<_> = world.catalogue().await.into_iter().filter(|metric| metric.defined).collect();
        let ids: Vec<_> = defined.iter().map(|metric| metric.id.as_str()).collect();
        assert_eq!(ids, ["custom.web_share", "custom.revenue_per_answer", "custom.average_order"]);
        assert_eq!(defined[0].counts, ["web", "all"]);
        let get = GetMetricRequest { id: "custom.web_share@1".to_owned() };
        assert_eq!(world.metrics().get_metric(get).await.expect("a metric").into_inner(), defined[0]);

        let explain = ExplainMetricRequest { metric: "custom.web_share".to_owned(), ..Default::default() };
        let explained = world.figures().explain_metric(explain.clone()).await.expect("facts").into_inner();
        assert_eq!((explained.facts.len(), explained.total_facts), (6, 9), "three facts are of both parts");
        let both = explained.facts.iter().filter(|fact| fact.counts.len() == 2).count();
        assert_eq!((both, explained.counts[0].meaning.as_str()), (3, "`responses` of `responses` where `channel` is `web`"));
        let of_web = ExplainMetricRequest { count: "web".to_owned(), ..explain };
        assert_eq!(world.figures().explain_metric(of_web).await.expect("facts").into_inner().total_facts, 3);
        let group = [("currency".to_owned(), "USD".to_owned())].into();
        let of_row = ExplainMetricRequest { metric: "custom.revenue_per_answer".to_owned(), group, ..Default::default() };
        let of_row = world.figures().explain_metric(of_row).await.expect("facts").into_inner();
        assert_eq!(of_row.row.expect("a row").value, Some(8.0 / 6.0));
        assert_eq!((of_row.facts.len(), of_row.facts.iter().filter(|fact| fact.amount.is_some()).count()), (7, 1));

        let compare = QueryComparisonsRequest {
            metrics: vec!["custom.web_share".to_owned()],
            side: Some(Side::default()),
            against: Some(Against::Rest(Rest {})),
            group_by: vec!["survey".to_owned()],
            ..Default::default()
        };
        let compared = world.figures().query_comparisons(compare).await.expect("comparisons").into_inner();
        assert_eq!(compared.results[0].metric, "custom.web_share");

        let query = QueryMetricsRequest { metrics: vec!["custom.web_share".to_owned()], ..Default::default() };
        let watch = WatchMetricsRequest { query: Some(query.clone()), min_interval: None };
        let mut watch = world.figures().watch_metrics(watch).await.expect("a watch").into_inner();
        let first = watch.message().await.expect("a message").expect("rows");
        assert_eq!(first.results[0].rows[0].value, Some(50.0));
        fs::write(world.folder().join("more.csv"), "id,score,day,channel\ng,9,2024-01-01,web\nh,9,2024-01-01,web\n").expect("a file");
        let line = "import responses more.csv --map external_id=id --map time=day --map score=score --map channel=channel --set survey=s";
        let (code, _, said) = world.told(&line.split_whitespace().collect::<Vec<_>>());
        assert_eq!(code, Some(0), "{said}");
        let mut last = None;
        while last != Some(62.5) {
            let next = watch.message().await.expect("a message").expect("rows");
            last = next.results.first().and_then(|result| result.rows[0].value).or(last);
        }

        let mut verifications = VerificationServiceClient::new(world.channel.clone());
        let verify = VerifyMetricsRequest { query: Some(query) };
        let mut parts = verifications.verify_metrics(verify).await.expect("parts").into_inner();
        let mut verified = None;
        while let Some(part) = parts.message().await.expect("a part") {
            if let Some(verify_metrics_response::Part::Verification(told)) = part.part {
                verified = Some(told);
            }
        }
        let verified = verified.expect("a verification");
        assert_eq!((verified.difference_count, verified.metrics[0].metric.as_str()), (0, "custom.web_share"));

        let (code, csv, said) = world.told(&["export", "metrics", "custom.revenue_per_answer", "--format", "csv"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(csv.lines().next().is_some_and(|header| header.contains("currency") && header.contains("responses")), "{csv}");
        world.server.stop();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_definition_that_can_not_be_is_refused_whole() {
    on_each_database(async |database| {
        let world = World::new(Server::start(database, &[]));
        let refused = async |definition: Definition| {
            let status = world.create(definition, Uuid::new_v4()).await.expect_err("refused");
            assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
            fields(&status)
        };
        let bad = Definition { id: "nps".to_owned(), title: String::new(), expression: None, ..nps_of("web") };
        assert_eq!(refused(bad).await, ["definition.id", "definition.title", "definition.expression"]);
        for id in ["custom.", "custom.Nps", "custom.1a", "custom.a-b", "custom.a@1"] {
            assert_eq!(refused(Definition { id: id.to_owned(), ..nps_of("web") }).await, ["definition.id"], "{id}");
        }
        let variant = |metric: &str, dimension: &str| {
            let filters =
                vec![Filter { dimension: dimension.to_owned(), values: vec!["x".to_owned()], exclude: false }];
            let variant = Variant { metric: metric.to_owned(), filters, ..Default::default() };
            Definition { expression: Some(Expression::Variant(variant)), ..nps_of("web") }
        };
        assert_eq!(refused(variant("custom.other", "channel")).await, ["definition.variant.metric"]);
        assert_eq!(refused(variant("nps", "chanel")).await, ["definition.variant.filters[0].dimension"]);
        let plain = Variant { metric: "nps".to_owned(), ..Default::default() };
        let plain = Definition { expression: Some(Expression::Variant(plain)), ..nps_of("web") };
        assert_eq!(refused(plain).await, ["definition.variant.filters"]);
        let contradicts = Definition { unit: Unit::Percent.into(), direction: Direction::Down.into(), ..nps_of("web") };
        assert_eq!(refused(contradicts).await, ["definition.unit", "definition.direction"]);

        let answers = || count("responses", "responses", "");
        let of = |numerator, denominator, unit| ratio("custom.ratio", numerator, denominator, unit);
        assert_eq!(refused(of(answers(), answers(), Unit::Percent)).await, ["definition.ratio.denominator.name"]);
        let other = || count("purchases", "sales", "");
        assert_eq!(refused(of(other(), answers(), Unit::Money)).await, ["definition.unit"]);
        assert_eq!(
            refused(of(other(), count("nps", "answer", ""), Unit::Percent)).await,
            ["definition.ratio.denominator.count"]
        );
        let cohorts = count("cohort_retention", "active", "");
        assert_eq!(refused(of(cohorts, answers(), Unit::Percent)).await, ["definition.ratio.numerator.metric"]);
        let crossed = of(count("nps", "answers", ""), count("revenue", "sales", ""), Unit::Ratio);
        let told = refused(crossed).await;
        assert!(told.len() == 1 && told[0].ends_with(".metric"), "{told:?}");
        let parameters =
            [("inactivity_days".to_owned(), "0".to_owned()), ("nonsense".to_owned(), "1".to_owned())].into();
        let churn = Part { parameters, ..count("churn_rate", "churned", "") };
        let told = refused(of(churn, answers(), Unit::Percent)).await;
        assert_eq!(
            told,
            ["definition.ratio.numerator.parameters.inactivity_days", "definition.ratio.numerator.parameters.nonsense"]
        );

        let listed = world.definitions().list_definitions(ListDefinitionsRequest::default()).await.expect("a list");
        assert_eq!(listed.into_inner().definitions, [], "nothing was written");
        world.server.stop();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_definitions_is_published_and_published_again() {
    on_each_database(async |database| {
        let world = World::new(Server::start(database, &[]));
        let file = |channel: &str| {
            let text = format!(
                "[[metrics]]\nid = \"custom.one\"\ntitle = \"One\"\ndescription = \"Of one channel.\"\n\
                 variant = {{ metric = \"nps\", where = [\"channel={channel}\"] }}\n\
                 [[metrics]]\nid = \"custom.two\"\ntitle = \"Two\"\ndescription = \"Answers for each sale.\"\n\
                 unit = \"ratio\"\ndirection = \"up\"\nratio.numerator = {{ metric = \"responses\", count = \"responses\" }}\n\
                 ratio.denominator = {{ metric = \"purchases\", count = \"sales\" }}\n"
            );
            fs::write(world.folder().join("metrics.toml"), text).expect("a file");
        };
        let publish = || world.told(&["definition", "publish", "metrics.toml"]);
        file("web");
        let said = "custom.one: defined, version 1\ncustom.two: defined, version 1\n";
        assert_eq!(publish(), (Some(0), said.to_owned(), String::new()));
        file("app");
        let said = "custom.one: revised, version 2\ncustom.two: the same, version 1\n";
        assert_eq!(publish(), (Some(0), said.to_owned(), String::new()));
        let (code, table, said) = world.told(&["query", "custom.two", "--format", "csv"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(table.contains(",2,") && table.lines().next().is_some_and(|line| line.contains("sales")), "{table}");
        let (_, listed, _) = world.told(&["definition", "list"]);
        assert!(listed.contains("custom.one") && listed.contains("in use"), "{listed}");
        let (_, shown, _) = world.told(&["definition", "show", "custom.one"]);
        assert!(shown.starts_with("custom.one: One (version 2, in use; "), "{shown}");
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains("(version 1; ") && shown.contains("where `channel` is `web`"), "{shown}");
        let (_, told, _) = world.told(&["catalogue", "custom.two"]);
        assert!(told.contains("formula     `responses` of `responses` / `sales` of `purchases`"), "{told}");
        file("web\", \"chanel=app");
        let (code, _, said) = publish();
        assert_eq!(code, Some(64), "{said}");
        assert!(said.contains("custom.one: variant.where[1].dimension: `chanel` is no dimension of nps"), "{said}");
        assert_eq!(world.told(&["definition", "retire", "custom.two"]).1, "custom.two: retired\n");
        assert_eq!(world.told(&["query", "custom.two"]).0, Some(64));
        assert_eq!(world.told(&["definition", "restore", "custom.two"]).1, "custom.two: in use again, version 1\n");
        assert_eq!(world.told(&["definition", "show", "custom.none"]).0, Some(66));
        world.server.stop();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_made_of_a_metric_that_was_defined_anew_has_a_new_version() {
    on_each_database(async |database| {
        let world = World::new(Server::start(database, &[]));
        world.create(nps_of("web"), Uuid::new_v4()).await.expect("a definition");
        world.server.stop();
        // As an older program would have written it.
        let older = match database.postgres_url() {
            Some(_) => r#"replace(definition::text, '"metric_version": 1', '"metric_version": 0')::jsonb"#,
            None => r#"replace(definition, '"metric_version":1', '"metric_version":0')"#,
        };
        database.execute("metrics", &format!("UPDATE definition_version SET definition = {older}")).await;
        let world = World::new(Server::start(database, &[]));
        let get = GetDefinitionRequest { id: "custom.of_one_channel".to_owned(), version: 0 };
        let latest = world.definitions().get_definition(get).await.expect("a definition").into_inner();
        assert_eq!((latest.version, latest.actor.as_str()), (2, "metrics"));
        assert_eq!(world.rows("custom.of_one_channel", &[]).await.expect("rows").0, 2);
        world.server.stop();
        let world = World::new(Server::start(database, &[]));
        assert_eq!(world.rows("custom.of_one_channel", &[]).await.expect("rows").0, 2, "once");
        let outdated = world.rows("custom.of_one_channel@1", &[]).await.expect_err("of other metrics");
        assert_eq!(outdated.get_details_bad_request().expect("why").field_violations[0].reason, "OUTDATED_METRIC");
        world.server.stop();
    })
    .await;
}
