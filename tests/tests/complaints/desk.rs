//! The tools of a complaint desk: histories come from a file, and a case is shown in the terminal.

use std::{fs, path::Path};

use barometer_chassis::testing::{DatabaseKind, TestDatabase};
use barometer_proto::complaints::v1::{
    ClockKind, CreateCalendarRequest, DurationUnit, Policy, PolicySet, PublishPoliciesRequest,
    policy_service_client::PolicyServiceClient,
};
use barometer_tests::{
    process::{Server, run},
    samples::{calendar, policy, target},
};

/// Of a Thursday in Berlin: case 17 is answered late and waits; 18 is not possible; 19 has a bad line.
const LOG: &str = "\
case,time,event,actor,employee,team,text,customer,kind,category,product,reply,finding,redress,redress_amount,currency,root_cause,acceptance,satisfaction
18,2024-03-21T09:00:00Z,opened,,,,,c-2,,,,,,,,,,,
17,2024-03-22T16:00:00Z,resolved,emp-4,,,A voucher for you,,,,,,,,,,,,
17,2024-03-21T09:30:00Z,opened,,,first line,,c-1,complaint,delivery/late,books,,,,,,,,
17,2024-03-21T14:00:00Z,responded,emp-4,,,We look into it,,,,,,,,,,,,
17,2024-03-21T09:45:00Z,assigned,lead-1,emp-4,first line,,,,,,,,,,,,,
17,2024-03-21T14:00:00Z,awaited_customer,emp-4,,,Which parcel?,,,,,,,,,,,,
17,2024-03-22T08:00:00Z,customer_wrote,,,,The red one,,,,,,,,,,,,
18,2024-03-21T10:00:00Z,closed,,,,,,,,,,,,,,,,
17,2024-03-22T16:00:00Z,outcome_set,lead-1,,,,,,,,,upheld,voucher,10.00,EUR,carrier/strike,,
17,2024-03-25T09:00:00Z,acceptance_recorded,,,,,,,,,,,,,,,accepted,5
17,2024-03-29T09:00:00Z,closed,,,,,,,,,,,,,,,,
19,2024-03-21T09:00:00Z,opened,,,,,c-3,,,,,,,,,,,
19,soon,resolved,,,,,,,,,,,,,,,,
";

const IMPORT: [&str; 7] =
    ["import", "histories", "log.csv", "--map-by-name", "--source", "desk", "--customer-system=crm"];

/// One working hour until the first response, three working days until the resolution.
async fn promise(endpoint: &str) {
    let mut client = PolicyServiceClient::connect(endpoint.to_owned()).await.expect("it listens");
    let request = CreateCalendarRequest { calendar: Some(calendar("office")), request_id: String::new() };
    let office = client.create_calendar(request).await.expect("created").into_inner().calendar_id;
    let hour = policy("all", &office);
    let days = target(ClockKind::Resolution, 3, DurationUnit::WorkingDays);
    let all = Policy { targets: [hour.targets, vec![days]].concat(), ..hour };
    let policy_set = Some(PolicySet { policies: vec![all], ..PolicySet::default() });
    client.publish_policies(PublishPoliciesRequest { policy_set, ..Default::default() }).await.expect("published");
}

/// What a command prints, and how it ends.
fn told(endpoint: &str, arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let output = run(endpoint, arguments, folder);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_come_from_a_file_and_are_shown_as_a_timeline_with_bars() {
    let database = TestDatabase::new(DatabaseKind::Sqlite).await;
    let folder = database.directory().to_owned();
    fs::write(folder.join("log.csv"), LOG).expect("a file");
    let customers = Server::start_in(&database, &folder.join("customers-process"), &["customers"]);
    let flags = ["complaints", "--customers-endpoint", &customers.endpoint];
    let complaints = Server::start_in(&database, &folder.join("complaints-process"), &flags);
    promise(&complaints.endpoint).await;

    for (recorded, unchanged) in [(1, 0), (0, 1)] {
        let (code, summary, why) = told(&complaints.endpoint, &IMPORT, &folder);
        assert_eq!(code, Some(1), "{why}");
        let count = |word: &str| {
            let line = summary.lines().find_map(|line| line.strip_prefix(word)).map(str::trim);
            line.and_then(|count| count.parse::<u32>().ok())
        };
        let counts = (count("cases read"), count("recorded"), count("unchanged"), count("rejected"));
        assert_eq!(counts, (Some(3), Some(recorded), Some(unchanged), Some(2)), "{summary}");
        assert!(why.contains("2 cases were rejected; see log.csv.rejected.csv"), "{why}");
        let rejected = fs::read_to_string(folder.join("log.csv.rejected.csv")).expect("rejected lines");
        let rejected: Vec<Vec<&str>> =
            rejected.lines().skip(1).map(|line| line.splitn(4, ',').take(3).collect()).collect();
        assert_eq!(rejected, [["9", "event", "WRONG_STATE"], ["14", "time", "NOT_A_TIME"]]);
    }

    let (code, shown, why) = told(&complaints.endpoint, &["case", "desk:17"], &folder);
    assert_eq!(code, Some(0), "{why}");
    let (first, rest) = shown.split_once('\n').expect("lines");
    assert!(first.starts_with("case ") && first.ends_with("  desk:17"), "{first}");
    let customer = rest.lines().find(|line| line.starts_with("customer")).expect("whose it is");
    let expected = format!(
        "\
about       complaint · delivery/late · books
urgency     priority normal, severity medium, customer's value unknown
state       closed since 2024-03-29 10:00
opened      Thu 2024-03-21 10:30 Europe/Berlin
with        emp-4, first line
policy      all (version 1 of the policies)
outcome     upheld: voucher 10.00 EUR; because of carrier/strike
{customer}
solved?     the customer says yes, satisfaction 5 of 5

first response   breached  3:30 over 1:00 working h         due 2024-03-21 11:30
  21 Mar 10:30 ███████████┃▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓ 21 Mar 15:00
resolution       met       0 of 3 working days              due 2024-03-26 18:00
  21 Mar 10:30 ·░░░░░░░░···                                     ┃ 26 Mar 18:00
  █ counted  ▓ counted past due  ░ paused  · not counted  ┃ due

Thu 2024-03-21
  10:30     opened
  10:45     given to emp-4, first line                                by lead-1
  15:00     answer to the customer                                     by emp-4
  15:00     customer asked back; waits for the customer                by emp-4
Fri 2024-03-22
  09:00     customer wrote
"
    );
    assert!(rest.starts_with(&expected), "{shown}\n{expected}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80 && !line.contains('\u{1b}')), "{shown}");
    assert!(!shown.contains("Which parcel?"), "texts are shown only when asked for");
    let (_, texts, _) = told(&complaints.endpoint, &["case", "desk:17", "--texts", "--time-zone", "UTC"], &folder);
    assert!(texts.contains("            Which parcel?\n") && texts.contains("Thu 2024-03-21 09:30 UTC"), "{texts}");

    let early = ["case", "desk:17", "--at", "2024-03-21T11:00", "--format", "json"];
    let (_, json, why) = told(&complaints.endpoint, &early, &folder);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json} {why}"));
    let states: Vec<_> = json["clocks"].as_array().expect("clocks").iter().map(|clock| &clock["state"]).collect();
    assert_eq!(states, ["running", "running"], "as they stood half an hour after it came in");
    assert_eq!(json["entries"].as_array().map(Vec::len), Some(9));
    assert_eq!(json["clocks"][0]["stretches"][0]["reason"], "working_time");

    for (id, code, words) in [("desk:18", 66, "there is no case desk:18"), ("17", 64, "neither an id of the suite")] {
        let (ended, _, why) = told(&complaints.endpoint, &["case", id], &folder);
        assert_eq!(ended, Some(code), "{why}");
        assert!(why.contains(words), "{why}");
    }
}

const POLICIES: &str = "\
[[calendars]]
name = \"office\"
time_zone = \"Europe/Berlin\"
hours = { mon-fri = [\"08:00-18:00\"] }

[[policies]]
name = \"all\"
calendar = \"office\"
targets = { first_response = \"1 working hour\" }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_policies_is_tried_published_and_put_over_open_cases() {
    let database = TestDatabase::new(DatabaseKind::Sqlite).await;
    let folder = database.directory().to_owned();
    let suite = Server::start_in(&database, &folder.join("suite"), &[]);
    let policy = |command: &[&str], text: &str| {
        fs::write(folder.join("p.toml"), text).expect("a file");
        told(&suite.endpoint, &[&["policy"], command].concat(), &folder)
    };
    let elsewhere = "`office` is not, as the file has it";
    let (code, _, why) = policy(&["rebase"], POLICIES);
    assert!(code == Some(66) && why.contains("there is no policy set yet"), "{why}");
    let (code, _, why) = policy(&["check", "p.toml", "--against-open"], POLICIES);
    assert!(code == Some(76) && why.contains(elsewhere), "{why}");
    let (code, said, _) = policy(&["publish", "p.toml"], POLICIES);
    assert!(code == Some(0) && said.ends_with("published as version 1\n"), "{said}");

    fs::write(folder.join("cases.csv"), "external_id,opened\n1,2026-01-05T09:00:00Z\n").expect("a file");
    let (code, ..) = told(&suite.endpoint, &["import", "complaints", "cases.csv", "--map-by-name"], &folder);
    assert_eq!(code, Some(0));
    let (_, case, _) = told(&suite.endpoint, &["case", "cases.csv:1", "--format", "json"], &folder);
    let case: serde_json::Value = serde_json::from_str(&case).expect("JSON");
    let case = case["case_id"].as_str().expect("its id");
    let slower = POLICIES.replace("1 working hour", "9 working days");
    for (command, expected) in [
        (&["check", "p.toml", "--against-open"][..], "open cases   1\nwould change 1\n"),
        (&["publish", "p.toml"], "published as version 2\n"),
        (&["publish", "p.toml"], "nothing changed: version 2 is in force\n"),
        (&["rebase"], "open cases   1\nwould change 1\n"),
        (&["rebase", "--dry-run"], "open cases   1\nwould change 1\n"),
        (&["rebase", "--case", case], "open cases   1\nwould change 1\n"),
        (&["rebase", "--case", case, "--dry-run"], "open cases   1\nwould change 1\n"),
        (&["rebase", "--case", case, "--yes"], "rebased 1\n"),
        (&["rebase", "--case", case, "--dry-run"], "open cases   1\nwould change 0\n"),
        (&["rebase", "--yes"], "rebased 0\n"),
        (&["rebase"], "open cases   1\nwould change 0\n"),
    ] {
        let (code, said, why) = policy(command, &slower);
        assert!(code == Some(0) && said.contains(expected), "{command:?}: {said}{why}");
    }
    let tried = policy(&["check", "p.toml", "--against-open"], &slower.replace("9 working", "8 working")).1;
    let (_, tried) = tried.split_once("\n\n").expect("what would change");
    policy(&["publish", "p.toml"], &slower.replace("9 working", "8 working"));
    for preview in [&["rebase"][..], &["rebase", "--case", case, "--dry-run"]] {
        assert_eq!(policy(preview, &slower).1, tried, "as it was told before");
    }
    let nobody = "00000000-0000-4000-8000-000000000000";
    for (arguments, ends) in
        [(&["--dry-run", "--yes"][..], 64), (&["--dry-run", "--case", "x"], 64), (&["--dry-run", "--case", nobody], 66)]
    {
        let (code, _, why) = policy(&[&["rebase"], arguments].concat(), &slower);
        assert_eq!(code, Some(ends), "{why}");
    }
    let longer = slower.replace("9 working", "8 working").replace("18:00", "20:00");
    let (code, _, why) = policy(&["check", "p.toml", "--against-open"], &longer);
    assert!(code == Some(76) && why.contains(elsewhere), "{why}");
    let (_, said, _) = policy(&["publish", "p.toml"], &longer);
    assert!(said.ends_with("calendars changed; version 3 of the policies stays in force\n"), "{said}");
}
