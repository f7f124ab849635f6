//! Every RPC of the incidents of complaints.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    AddAffectedCustomersRequest, AddCustomersByAttributeRequest, CloseIncidentRequest, GetIncidentRequest, Incident,
    IncidentRule, IncidentState, LinkToIncidentRequest, ListAffectedCustomersRequest, ListIncidentCasesRequest,
    ListIncidentTasksRequest, ListIncidentsRequest, OpenIncidentRequest, SendIncidentMessageRequest,
    UnlinkFromIncidentRequest,
};
use barometer_tests::{
    eventually,
    samples::{hour, key},
    services::Services,
};
use prost::Message;
use tonic::Code;

use crate::{
    facts::pages,
    nouns::texts,
    table::{Table, clear, copies, number, numbers, text, texts as list},
    world::{DONE, NOBODY},
};

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let kept = Kept::new(&services).await;
        let mut table = Table::of("barometer.complaints.v1.IncidentService");
        open(&mut table);
        customers(&mut table, &kept);
        cases(&mut table, &kept);
        read(&mut table, &kept);
        table.check(&services.channel).await;
        services.stop().await;
    })
    .await;
}

/// An open incident, made by the `request_id` [`DONE`], and a closed one.
struct Kept {
    open: String,
    closed: String,
}

fn incident(title: &str) -> Incident {
    let of = |text: &str| vec![text.to_owned()];
    let rule =
        IncidentRule { products: of("fibre"), categories: of("network"), countries: of("MD"), words: of("internet") };
    Incident {
        title: title.to_owned(),
        start_time: Some(hour(0)),
        rule: Some(rule),
        external_id: Some(key(title)),
        ..Incident::default()
    }
}

impl Kept {
    async fn new(services: &Services) -> Self {
        let mut client = services.incidents.clone();
        let mut ids = Vec::new();
        for (title, request_id) in [("open", DONE), ("closed", "")] {
            let request = OpenIncidentRequest { incident: Some(incident(title)), request_id: request_id.to_owned() };
            ids.push(client.open_incident(request).await.expect("opened").into_inner().incident_id);
        }
        let [open, closed] = ids.try_into().expect("two");
        let request = CloseIncidentRequest { incident_id: closed.clone(), ..CloseIncidentRequest::default() };
        client.close_incident(request).await.expect("closing");
        for id in [&open, &closed] {
            let request = GetIncidentRequest { incident_id: id.clone() };
            let idle = async || {
                services
                    .incidents
                    .clone()
                    .get_incident(request.clone())
                    .await
                    .expect("there")
                    .into_inner()
                    .running_tasks
                    == 0
            };
            eventually("nothing is at work", idle).await;
        }
        Kept { open, closed }
    }
}

fn open(table: &mut Table) {
    let good = OpenIncidentRequest { incident: Some(incident("new")), request_id: String::new() };
    let rpc = &mut table.rpc("OpenIncident", &good.encode_to_vec());
    rpc.invalid("no message", vec![clear("incident")], &["incident"])
        .invalid("a garbage request id", vec![text("request_id", "x")], &["request_id"])
        .refused("done before", vec![text("request_id", DONE)], Code::AlreadyExists, "REQUEST_ID_REUSED")
        .refused(
            "a key that is taken",
            vec![text("incident.external_id.value", "open")],
            Code::AlreadyExists,
            "KEY_REUSED",
        )
        .invalid("no title", vec![text("incident.title", "")], &["incident.title"])
        .invalid("no path", vec![text("incident.category", "a//b")], &["incident.category"])
        .invalid("half a key", vec![text("incident.external_id.value", "")], &["incident.external_id.value"])
        .invalid("the future", vec![number("incident.start_time.seconds", 253_402_300_799)], &["incident.start_time"])
        .invalid(
            "an empty rule",
            ["products", "categories", "countries", "words"].map(|of| clear(&format!("incident.rule.{of}"))).into(),
            &["incident.rule"],
        )
        .invalid(
            "words",
            vec![list("incident.rule.words", &["x", "two words", "good", ""])],
            &["incident.rule.words[0]", "incident.rule.words[1]", "incident.rule.words[3]"],
        )
        .invalid(
            "values",
            vec![list("incident.rule.products", &[""]), list("incident.rule.categories", &["a//b"])],
            &["incident.rule.products[0]", "incident.rule.categories[0]"],
        );
    for field in ["products", "categories", "countries", "words"] {
        let field = format!("incident.rule.{field}");
        rpc.invalid("101 values", vec![copies(&field, 101)], &[&field]);
    }
    texts(rpc, "incident", &[("title", 256), ("description", 10_000), ("product", 128), ("country", 64)]);
}

fn customers(table: &mut Table, kept: &Kept) {
    let good = AddAffectedCustomersRequest {
        incident_id: kept.open.clone(),
        customer_ids: vec![NOBODY.to_owned()],
        ..AddAffectedCustomersRequest::default()
    };
    table
        .rpc("AddAffectedCustomers", &good.encode_to_vec())
        .invalid("nobody", vec![clear("customer_ids")], &["customer_ids"])
        .invalid("1,001 customers", vec![copies("customer_ids", 1_001)], &["customer_ids"])
        .invalid(
            "garbage",
            vec![text("incident_id", "x"), list("customer_ids", &["x"]), text("request_id", "x")],
            &["incident_id", "customer_ids[0]", "request_id"],
        )
        .unknown("an unknown id", vec![text("incident_id", NOBODY)])
        .refused("a closed one", vec![text("incident_id", &kept.closed)], Code::FailedPrecondition, "NOT_OPEN");
    let good = AddCustomersByAttributeRequest {
        incident_id: kept.open.clone(),
        country: "MD".to_owned(),
        ..AddCustomersByAttributeRequest::default()
    };
    let rpc = &mut table.rpc("AddCustomersByAttribute", &good.encode_to_vec());
    rpc.invalid("no attribute", vec![clear("country")], &["country"])
        .invalid("garbage", vec![text("incident_id", "x"), text("request_id", "x")], &["incident_id", "request_id"])
        .unknown("an unknown id", vec![text("incident_id", NOBODY)])
        .refused("a closed one", vec![text("incident_id", &kept.closed)], Code::FailedPrecondition, "NOT_OPEN");
    for field in ["country", "tier", "tag", "segment"] {
        rpc.invalid("a long text", vec![text(field, "t".repeat(65))], &[field]);
    }
    let good = SendIncidentMessageRequest {
        incident_id: kept.open.clone(),
        message: "We are at it.".to_owned(),
        request_id: String::new(),
    };
    table
        .rpc("SendIncidentMessage", &good.encode_to_vec())
        .invalid("nothing", vec![clear("incident_id"), clear("message")], &["incident_id", "message"])
        .invalid("a long message", vec![text("message", "m".repeat(10_001))], &["message"])
        .invalid("a garbage request id", vec![text("request_id", "x")], &["request_id"])
        .unknown("an unknown id", vec![text("incident_id", NOBODY)])
        .refused("a closed one", vec![text("incident_id", &kept.closed)], Code::FailedPrecondition, "NOT_OPEN")
        .refused("nobody would tell", vec![], Code::FailedPrecondition, "NO_RECEIVER");
}

fn cases(table: &mut Table, kept: &Kept) {
    let good =
        LinkToIncidentRequest { incident_id: kept.open.clone(), case_id: NOBODY.to_owned(), request_id: String::new() };
    let same = UnlinkFromIncidentRequest {
        incident_id: kept.open.clone(),
        case_id: NOBODY.to_owned(),
        request_id: String::new(),
    };
    for (method, good) in [("LinkToIncident", good.encode_to_vec()), ("UnlinkFromIncident", same.encode_to_vec())] {
        table
            .rpc(method, &good)
            .invalid("nothing", vec![clear("incident_id"), clear("case_id")], &["incident_id", "case_id"])
            .invalid(
                "garbage",
                vec![text("incident_id", "x"), text("case_id", "x"), text("request_id", "x")],
                &["incident_id", "case_id", "request_id"],
            )
            .unknown("an unknown incident", vec![text("incident_id", NOBODY)])
            .unknown("an unknown case", vec![])
            .refused("a closed one", vec![text("incident_id", &kept.closed)], Code::FailedPrecondition, "NOT_OPEN");
    }
    let good = CloseIncidentRequest { incident_id: kept.open.clone(), ..CloseIncidentRequest::default() };
    table
        .rpc("CloseIncident", &good.encode_to_vec())
        .invalid("nothing", vec![clear("incident_id")], &["incident_id"])
        .invalid("a long message", vec![text("message", "m".repeat(10_001))], &["message"])
        .invalid("a garbage request id", vec![text("request_id", "x")], &["request_id"])
        .unknown("an unknown id", vec![text("incident_id", NOBODY)])
        .refused("a stale etag", vec![text("etag", "7")], Code::Aborted, "STALE_ETAG")
        .refused("a closed one", vec![text("incident_id", &kept.closed)], Code::FailedPrecondition, "NOT_OPEN");
}

fn read(table: &mut Table, kept: &Kept) {
    let good = GetIncidentRequest { incident_id: kept.open.clone() };
    table
        .rpc("GetIncident", &good.encode_to_vec())
        .invalid("no id", vec![clear("incident_id")], &["incident_id"])
        .invalid("a garbage id", vec![text("incident_id", "x")], &["incident_id"])
        .unknown("an unknown id", vec![text("incident_id", NOBODY)]);
    let rpc = &mut table.rpc("ListIncidents", &ListIncidentsRequest::default().encode_to_vec());
    pages(rpc);
    let open = i32::from(IncidentState::Open);
    rpc.invalid("states", vec![numbers("states", vec![0, 9, open])], &["states[0]", "states[1]"]).invalid(
        "17 states",
        vec![numbers("states", vec![open; 17])],
        &["states"],
    );
    let of = || kept.open.clone();
    let affected = ListAffectedCustomersRequest { incident_id: of(), ..Default::default() }.encode_to_vec();
    let cases = ListIncidentCasesRequest { incident_id: of(), ..Default::default() }.encode_to_vec();
    let tasks = ListIncidentTasksRequest { incident_id: of(), ..Default::default() }.encode_to_vec();
    for (method, good) in
        [("ListAffectedCustomers", affected), ("ListIncidentCases", cases), ("ListIncidentTasks", tasks)]
    {
        let rpc = &mut table.rpc(method, &good);
        pages(rpc);
        rpc.invalid("no id", vec![clear("incident_id")], &["incident_id"])
            .unknown("an unknown id", vec![text("incident_id", NOBODY)]);
    }
}
