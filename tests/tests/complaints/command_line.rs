//! `barometer serve complaints` beside `serve customers`, `barometer import complaints`, and the tools of calendars and
//! policies.

use std::{fs, process::Command};

use barometer_chassis::testing::{DatabaseKind, TestDatabase};
use barometer_proto::common::v1::Money;
use barometer_proto::complaints::v1::{
    CaseEntryType as Event, CaseKind, CreateCalendarRequest, Finding, GetCaseRequest, Remedy, Severity, case::State,
    complaint_service_client::ComplaintServiceClient, get_case_request::By, policy_service_client::PolicyServiceClient,
    redress::Worth,
};
use barometer_tests::{
    process::{Server, program, run},
    samples::{calendar, hour},
};

const CASES: &str = "\
no,customer,came,answered,solved,about,what,Region,is,how bad,words,right,got,worth,why
1,c-1,2024-01-01T01:00:00,2024-01-01T03:00:00,2024-01-01T04:00:00,delivery/late,books,north,Loss,high,vip; flood,Partly upheld,refund,12.50,carrier/strike
2,c-1,2024-01-01T01:00:00,,,late delivery,books,,,,,,,,
3,,2024-01-02,2024-01-01,,late delivery,books,north,,,,,,,
4,c-2,yesterday,,,late delivery,books,north,,,,,,,
2,c-1,2024-01-01T01:00:00,,,damage,books,,,,,,,,
5,c-1,2024-01-01T01:00:00,,2024-01-01T04:00:00,late delivery,books,,grudge,,,upheld,refund,,
";

const IMPORT: [&str; 35] = [
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
    "category=about",
    "--map",
    "kind=is",
    "--map",
    "severity=how bad",
    "--map",
    "tags=words",
    "--map",
    "finding=right",
    "--map",
    "redress=got",
    "--map",
    "redress_amount=worth",
    "--set",
    "currency=EUR",
    "--map",
    "root_cause=why",
    "--dimension",
    "Region",
    "--dimension",
    "product=what",
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
            ["7", "kind", "UNKNOWN_VALUE"],
        ];
        assert_eq!(rejected, expected);
    }

    let mut client = ComplaintServiceClient::connect(complaints.endpoint.clone()).await.expect("it listens");
    let key = barometer_proto::common::v1::ExternalId { system: "cases.csv".to_owned(), value: "1".to_owned() };
    let case = client.get_case(GetCaseRequest { by: Some(By::ExternalId(key)) }).await.expect("there").into_inner();
    assert_eq!((case.state(), case.open_time, case.resolve_time), (State::Resolved, Some(hour(1)), Some(hour(4))));
    assert_eq!((case.category.as_str(), case.product.as_str()), ("delivery/late", "books"));
    assert_eq!(
        (case.kind(), case.severity(), case.tags),
        (CaseKind::Loss, Severity::High, vec!["flood".to_owned(), "vip".to_owned()])
    );
    let outcome = case.outcome.expect("it was told");
    assert_eq!((outcome.finding(), outcome.root_cause.as_str()), (Finding::PartlyUpheld, "carrier/strike"));
    let worth = Money { currency_code: "EUR".to_owned(), units: 12, nanos: 500_000_000 };
    assert_eq!(
        (outcome.redress[0].remedy(), outcome.redress[0].worth.clone()),
        (Remedy::Refund, Some(Worth::Amount(worth)))
    );
    assert_eq!(case.dimensions.into_iter().collect::<Vec<_>>(), [("region".to_owned(), "north".to_owned())]);
    let told: Vec<Event> = case.history.iter().map(|entry| entry.r#type()).collect();
    assert_eq!(told, [Event::OutcomeSet, Event::Resolved, Event::Responded, Event::Opened]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_is_explained_in_the_terminal() {
    let database = TestDatabase::new(DatabaseKind::Sqlite).await;
    let folder = database.directory().to_owned();
    let server = Server::start_in(&database, &folder.join("process"), &["customers"]);
    let complaints = Server::start_in(
        &database,
        &folder.join("complaints-process"),
        &["complaints", "--customers-endpoint", &server.endpoint],
    );
    let mut client = PolicyServiceClient::connect(complaints.endpoint.clone()).await.expect("it listens");
    let request = CreateCalendarRequest { calendar: Some(calendar("office")), request_id: String::new() };
    client.create_calendar(request).await.expect("created");

    let explain = |arguments: &[&str]| {
        let output = run(&complaints.endpoint, &[&["calendar", "explain"], arguments].concat(), &folder);
        let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.code(), told)
    };
    let (code, [told, _]) = explain(&["2024-01-01T12:00", "2024-01-02T09:30", "--calendar", "office"]);
    let expected = "\
office, version 1, Europe/Berlin

from                         to                           counted  not counted
Mon 2024-01-01 12:00+01:00   Mon 2024-01-01 18:00+01:00                   6:00  holiday: New Year
Mon 2024-01-01 18:00+01:00   Tue 2024-01-02 08:00+01:00                  14:00  closed
Tue 2024-01-02 08:00+01:00   Tue 2024-01-02 09:30+01:00      1:30

counted 1:30, not counted 20:00
";
    let words =
        |text: &str| text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
    assert_eq!((code, words(&told)), (Some(0), words(expected)));

    for (arguments, code, words) in [
        (["2024-01-01", "2024-01-02", "--calendar", "nobody's"], 66, "there is no calendar nobody's"),
        (["2024-01-02", "2024-01-01", "--calendar", "office"], 64, "TO: must lie after FROM"),
        (["2024-01-02", "soon", "--calendar", "office"], 64, "TO: `soon` is neither a date nor a time"),
    ] {
        let (told, [_, why]) = explain(&arguments);
        assert_eq!(told, Some(code), "{why}");
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn a_file_of_policies_is_checked_without_a_suite() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("policies.toml");
    let check = |text: &str| {
        fs::write(&file, text).expect("a file");
        let output =
            Command::new(program()).args(["policy", "check", "policies.toml"]).current_dir(folder.path()).output();
        let output = output.expect("the program runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let good = "[[policies]]\nname = \"all\"\ncalendar = \"office\"\ntargets = { total_resolution = \"1 week\" }\n";
    let well = "policies.toml: all well (policies: 1, calendars: 0)\n";
    assert_eq!(check(good), (Some(0), well.to_owned()));
    let note = "policies.toml:1: note: policy `all` has no target for next_response, periodic_update or total_resolution: \
                a reopened case has no deadline by it\n";
    assert_eq!(check(&good.replace("total_resolution", "resolution")), (Some(0), format!("{note}{well}")));
    let (code, told) = check(&format!("{good}{}", good.replace("all", "rest")));
    let expected = "policies.toml:5: policy `rest`: is never reached: policies[0] `all` before it matches every case that \
                    it would\n";
    assert_eq!((code, told.as_str()), (Some(1), expected));
}
