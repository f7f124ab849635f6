//! `barometer serve complaints` beside `serve customers`, and `barometer import complaints`.

use std::fs;

use barometer_chassis::testing::{DatabaseKind, TestDatabase};
use barometer_proto::complaints::v1::{
    CaseEntryType as Event, GetCaseRequest, case::State, complaint_service_client::ComplaintServiceClient,
    get_case_request::By,
};
use barometer_tests::{
    process::{Server, run},
    samples::hour,
};

const CASES: &str = "\
no,customer,came,answered,solved,kind,about,Region
1,c-1,2024-01-01T01:00:00,2024-01-01T03:00:00,2024-01-01T04:00:00,late delivery,books,north
2,c-1,2024-01-01T01:00:00,,,late delivery,books,
3,,2024-01-02,2024-01-01,,late delivery,books,north
4,c-2,yesterday,,,late delivery,books,north
2,c-1,2024-01-01T01:00:00,,,damage,books,
";

const IMPORT: [&str; 19] = [
    "import",
    "complaints",
    "cases.csv",
    "--map",
    "external_id=no",
    "--map",
    "customer=customer",
    "--map",
    "opened=came",
    "--map",
    "first_response=answered",
    "--map",
    "resolved=solved",
    "--map",
    "category=kind",
    "--dimension",
    "Region",
    "--dimension",
    "product=about",
];

#[tokio::test(flavor = "multi_thread")]
async fn past_cases_come_from_a_file() {
    let database = TestDatabase::new(DatabaseKind::Sqlite).await;
    let folder = database.directory().to_owned();
    fs::write(folder.join("cases.csv"), CASES).expect("a file");
    let customers = Server::start_in(&database, &folder.join("customers-process"), &["customers"]);
    let flags = ["complaints", "--customers-endpoint", &customers.endpoint];
    let complaints = Server::start_in(&database, &folder.join("complaints-process"), &flags);

    for (recorded, unchanged) in [(2, 0), (0, 2)] {
        let output = run(&complaints.endpoint, &IMPORT, &folder);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let count = |word: &str| {
            let line = told.lines().find_map(|line| line.strip_prefix(word)).map(str::trim);
            line.and_then(|count| count.parse::<u32>().ok())
        };
        assert_eq!((count("recorded"), count("unchanged")), (Some(recorded), Some(unchanged)), "{told}");
        let rejected = fs::read_to_string(folder.join("cases.csv.rejected.csv")).expect("rejected rows");
        let rejected: Vec<Vec<&str>> =
            rejected.lines().skip(1).map(|line| line.splitn(4, ',').take(3).collect()).collect();
        let expected = [
            ["4", "first_response_time", "TOO_EARLY"],
            ["5", "opened", "NOT_A_TIME"],
            ["6", "external_id", "KEY_REUSED"],
        ];
        assert_eq!(rejected, expected);
    }

    let mut client = ComplaintServiceClient::connect(complaints.endpoint.clone()).await.expect("it listens");
    let key = barometer_proto::common::v1::ExternalId { system: "cases.csv".to_owned(), value: "1".to_owned() };
    let case = client.get_case(GetCaseRequest { by: Some(By::ExternalId(key)) }).await.expect("there").into_inner();
    assert_eq!((case.state(), case.open_time, case.resolve_time), (State::Resolved, Some(hour(1)), Some(hour(4))));
    assert_eq!((case.category.as_str(), case.product.as_str()), ("late delivery", "books"));
    assert_eq!(case.dimensions.into_iter().collect::<Vec<_>>(), [("region".to_owned(), "north".to_owned())]);
    let told: Vec<Event> = case.history.iter().map(|entry| entry.r#type()).collect();
    assert_eq!(told, [Event::Resolved, Event::Responded, Event::Opened]);
}
