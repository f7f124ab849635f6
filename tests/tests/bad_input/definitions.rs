//! Every RPC of the definitions.

use barometer_chassis::testing::on_each_database;
use barometer_proto::metrics::v1::{
    CreateDefinitionRequest, Definition, Direction, Filter, GetDefinitionRequest, ListDefinitionVersionsRequest,
    ListDefinitionsRequest, Part, Ratio, RestoreDefinitionRequest, RetireDefinitionRequest, ReviseDefinitionRequest,
    Sum, Term, Unit, Variant, definition::Expression, definition_service_client::DefinitionServiceClient,
    part::Measure,
};
use barometer_tests::Suite;
use prost::Message;
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};

use crate::{
    table::{Edit, Rpc, Table, clear, copies, number, pair, text, texts},
    transport::check_refuses_garbage,
};

const SERVICE: &str = "barometer.metrics.v1.DefinitionService";
const ID: &str = "custom.known";

fn defined(expression: Expression, unit: Unit) -> Definition {
    Definition {
        id: ID.to_owned(),
        title: "A metric".to_owned(),
        description: "Of our own.".to_owned(),
        unit: unit.into(),
        direction: Direction::Up.into(),
        expression: Some(expression),
        ..Default::default()
    }
}

fn part(metric: &str, count: &str, name: &str) -> Part {
    let measure = Some(Measure::Count(count.to_owned()));
    let filters = vec![Filter { dimension: "survey".to_owned(), values: vec!["x".to_owned()], exclude: false }];
    let filters = if metric == "responses" { filters } else { Vec::new() };
    Part { name: name.to_owned(), metric: metric.to_owned(), measure, filters, ..Default::default() }
}

fn variant() -> Definition {
    let filters = vec![Filter { dimension: "channel".to_owned(), values: vec!["web".to_owned()], exclude: false }];
    let variant = Variant { metric: "nps".to_owned(), filters, ..Default::default() };
    defined(Expression::Variant(variant), Unit::Points)
}

fn ratio() -> Definition {
    let (numerator, denominator) = (Some(part("responses", "responses", "a")), Some(part("purchases", "sales", "b")));
    defined(Expression::Ratio(Ratio { numerator, denominator }), Unit::Percent)
}

fn sum() -> Definition {
    let term = |part: Part| Term { part: Some(part), factor: Some(2.0) };
    let terms = vec![term(part("responses", "responses", "a")), term(part("purchases", "sales", "b"))];
    defined(Expression::Sum(Sum { terms }), Unit::Count)
}

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let channel: Channel = Endpoint::from_shared(suite.endpoint.clone()).expect("a URL").connect_lazy();
        let known = CreateDefinitionRequest { definition: Some(variant()), ..Default::default() };
        DefinitionServiceClient::new(channel.clone()).create_definition(known).await.expect("a definition");
        let mut table = Table::of(SERVICE);
        let revise = |definition: Definition| {
            ReviseDefinitionRequest { definition: Some(definition), ..Default::default() }.encode_to_vec()
        };
        definitions(&mut table.rpc("ReviseDefinition", &revise(variant())));
        variants(&mut table.rpc("ReviseDefinition", &revise(variant())));
        ratios(&mut table.rpc("ReviseDefinition", &revise(ratio())));
        sums(&mut table.rpc("ReviseDefinition", &revise(sum())));
        let create = CreateDefinitionRequest { definition: Some(variant()), ..Default::default() };
        table
            .rpc("CreateDefinition", &create.encode_to_vec())
            .refused("one that is there", vec![], Code::AlreadyExists, "ID_TAKEN")
            .invalid("nothing", vec![clear("definition")], &["definition"])
            .invalid("no id of a request", vec![text("request_id", "x")], &["request_id"])
            .invalid(
                "everything at once",
                vec![
                    text("definition.id", "nps"),
                    text("definition.title", ""),
                    text("definition.description", "x".repeat(1_001)),
                    number("definition.unit", 99),
                    number("definition.direction", 99),
                    text("definition.variant.metric", "npz"),
                    text("request_id", "x"),
                ],
                &[
                    "request_id",
                    "definition.id",
                    "definition.title",
                    "definition.description",
                    "definition.unit",
                    "definition.direction",
                    "definition.variant.metric",
                ],
            );
        verbs(&mut table);
        reading(&mut table);
        table.check(&channel).await;
        check_refuses_garbage(&channel, SERVICE).await;
        suite.stop().await;
    })
    .await;
}

fn definitions(rpc: &mut Rpc<'_>) {
    let long = |length: usize| "x".repeat(length);
    rpc.invalid("nothing", vec![clear("definition")], &["definition"])
        .invalid("no id", vec![text("definition.id", "")], &["definition.id"])
        .invalid("an id of a built-in one", vec![text("definition.id", "nps")], &["definition.id"])
        .invalid("a version in the id", vec![text("definition.id", "custom.known@1")], &["definition.id"])
        .invalid("a long id", vec![text("definition.id", format!("custom.{}", long(51)))], &["definition.id"])
        .refused("an unknown one", vec![text("definition.id", "custom.unknown")], Code::NotFound, "NOT_FOUND")
        .refused("a stale etag", vec![text("definition.etag", "9")], Code::Aborted, "STALE_ETAG")
        .invalid("no title", vec![text("definition.title", "")], &["definition.title"])
        .invalid("a long title", vec![text("definition.title", long(101))], &["definition.title"])
        .invalid("no description", vec![text("definition.description", "")], &["definition.description"])
        .invalid("no expression", vec![clear("definition.variant")], &["definition.expression"])
        .invalid("another unit", vec![number("definition.unit", 2)], &["definition.unit"])
        .invalid("another direction", vec![number("definition.direction", 2)], &["definition.direction"])
        .invalid("no id of a request", vec![text("request_id", "x")], &["request_id"]);
}

fn variants(rpc: &mut Rpc<'_>) {
    let field = |field: &str| format!("definition.variant.{field}");
    let values = |edit: &[&str]| -> Vec<Edit> { vec![texts(&field("filters[0].values"), edit)] };
    rpc.invalid("no metric", vec![text(&field("metric"), "")], &[&field("metric")])
        .invalid("one that users defined", vec![text(&field("metric"), "custom.known")], &[&field("metric")])
        .invalid("17 filters", vec![copies(&field("filters"), 17)], &[&field("filters")])
        .invalid("of all facts", vec![copies(&field("filters"), 0)], &[&field("filters")])
        .invalid("a filter of no values", values(&[]), &[&field("filters[0].values")])
        .invalid(
            "an unknown dimension",
            vec![text(&field("filters[0].dimension"), "x")],
            &[&field("filters[0].dimension")],
        )
        .invalid("an unknown parameter", vec![pair(&field("parameters"), "x", "y")], &[&field("parameters.x")])
        .invalid("a bad one", vec![pair(&field("parameters"), "level", "2")], &[&field("parameters.level")]);
}

fn ratios(rpc: &mut Rpc<'_>) {
    let field = |field: &str| format!("definition.ratio.{field}");
    rpc.invalid("no numerator", vec![clear(&field("numerator"))], &[&field("numerator")])
        .invalid("no denominator", vec![clear(&field("denominator"))], &[&field("denominator")])
        .invalid("no unit", vec![number("definition.unit", 0)], &["definition.unit"])
        .invalid("another unit", vec![number("definition.unit", 4)], &["definition.unit"])
        .invalid("no direction", vec![number("definition.direction", 0)], &["definition.direction"])
        .invalid("an unknown count", vec![text(&field("numerator.count"), "x")], &[&field("numerator.count")])
        .invalid("an unknown amount", vec![text(&field("numerator.amount"), "sales")], &[&field("numerator.amount")])
        .invalid(
            "an unknown statistic",
            vec![text(&field("denominator.statistic"), "p50")],
            &[&field("denominator.statistic")],
        )
        .invalid("a name twice", vec![text(&field("denominator.name"), "a")], &[&field("denominator.name")])
        .invalid("a bad name", vec![text(&field("denominator.name"), "A b")], &[&field("denominator.name")])
        .invalid(
            "cohorts",
            vec![text(&field("denominator.metric"), "cohort_retention"), text(&field("denominator.count"), "active")],
            &[&field("denominator.metric")],
        )
        .invalid(
            "groups beside each other",
            vec![
                text(&field("numerator.metric"), "nps"),
                text(&field("numerator.count"), "answers"),
                copies(&field("numerator.filters"), 0),
                text(&field("denominator.metric"), "revenue"),
            ],
            &[&field("numerator.metric")],
        );
}

fn sums(rpc: &mut Rpc<'_>) {
    let field = |field: &str| format!("definition.sum.terms{field}");
    rpc.invalid("one term", vec![copies(&field(""), 1)], &[&field("")])
        .invalid("nine terms", vec![copies(&field(""), 9)], &[&field("")])
        .invalid("no part", vec![clear(&field("[1].part"))], &[&field("[1].part")])
        .invalid("an unknown metric", vec![text(&field("[1].part.metric"), "x")], &[&field("[1].part.metric")])
        .invalid(
            "money and numbers",
            vec![text(&field("[1].part.metric"), "revenue"), text(&field("[1].part.amount"), "net")],
            &[&field("[0].part.metric"), &field("[1].part")],
        )
        .invalid("another unit", vec![number("definition.unit", 2)], &["definition.unit"]);
}

fn verbs(table: &mut Table) {
    let retire = RetireDefinitionRequest { id: ID.to_owned(), ..Default::default() }.encode_to_vec();
    let restore = RestoreDefinitionRequest { id: ID.to_owned(), ..Default::default() }.encode_to_vec();
    for (name, good) in [("RetireDefinition", &retire), ("RestoreDefinition", &restore)] {
        table
            .rpc(name, good)
            .invalid("no id", vec![text("id", "")], &["id"])
            .invalid("a bad id", vec![text("id", "nps")], &["id"])
            .invalid("no id of a request", vec![text("request_id", "x")], &["request_id"])
            .refused("an unknown one", vec![text("id", "custom.unknown")], Code::NotFound, "NOT_FOUND")
            .refused("a stale etag", vec![text("etag", "9")], Code::Aborted, "STALE_ETAG");
    }
    table.rpc("RestoreDefinition", &restore).refused("one in use", vec![], Code::FailedPrecondition, "WRONG_STATE");
}

fn reading(table: &mut Table) {
    let get = GetDefinitionRequest { id: ID.to_owned(), version: 1 };
    table
        .rpc("GetDefinition", &get.encode_to_vec())
        .answered("as it is", vec![])
        .invalid("no id", vec![text("id", "")], &["id"])
        .invalid("a bad id", vec![text("id", "nps")], &["id"])
        .invalid("a negative version", vec![number("version", -1)], &["version"])
        .refused("no such version", vec![number("version", 2)], Code::NotFound, "NOT_FOUND")
        .refused("an unknown one", vec![text("id", "custom.unknown")], Code::NotFound, "NOT_FOUND");
    let list = ListDefinitionsRequest { state: 1, ..Default::default() };
    table
        .rpc("ListDefinitions", &list.encode_to_vec())
        .answered("as it is", vec![])
        .answered("a large page", vec![number("page_size", 100_000)])
        .invalid("an unknown state", vec![number("state", 9)], &["state"])
        .invalid("a negative size", vec![number("page_size", -1)], &["page_size"])
        .invalid("no token", vec![text("page_token", "x")], &["page_token"]);
    let versions = ListDefinitionVersionsRequest { id: ID.to_owned(), ..Default::default() };
    table
        .rpc("ListDefinitionVersions", &versions.encode_to_vec())
        .answered("as it is", vec![])
        .invalid("no id", vec![text("id", "")], &["id"])
        .invalid("a negative size", vec![number("page_size", -1)], &["page_size"])
        .invalid("no token", vec![text("page_token", "x")], &["page_token"])
        .refused("an unknown one", vec![text("id", "custom.unknown")], Code::NotFound, "NOT_FOUND");
}
