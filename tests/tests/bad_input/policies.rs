//! Every RPC of the calendars and policies of complaints.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Calendar, CaseKind, Conditions, CreateCalendarRequest, DescribedCase, GetPolicySetRequest,
    ListCalendarVersionsRequest, ListCalendarsRequest, ListPolicyEffectsRequest, LoadHolidaysRequest,
    LookupPolicyRequest, Policy, PolicySet, Priority, PublishPoliciesRequest, Severity, UpdateCalendarRequest,
    lookup_policy_request::Subject,
};
use barometer_tests::{
    samples::{calendar, mask, policy},
    services::Services,
};
use prost::Message;
use tonic::Code;

use crate::{
    facts::pages,
    nouns::texts,
    table::{Edit, Rpc, Table, bytes, clear, copies, number, numbers, text, texts as list},
    world::{DONE, NOBODY},
};

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let kept = Kept::new(&services).await;
        let before = everything(&services).await;
        let mut table = Table::of("barometer.complaints.v1.PolicyService");
        create(&mut table);
        update(&mut table, &kept);
        load(&mut table, &kept);
        read(&mut table, &kept);
        publish(&mut table, &kept);
        lookup(&mut table);
        effects(&mut table, &kept);
        rebases(&mut table);
        table.check(&services.channel).await;
        assert_eq!(everything(&services).await, before, "calendars and policies are in no feed");
        services.stop().await;
    })
    .await;
}

/// Two calendars and a list of policies; everything was done by the `request_id` [`DONE`].
struct Kept {
    /// Has an etag of 2.
    office: String,
}

impl Kept {
    async fn new(services: &Services) -> Self {
        let mut client = services.policies.clone();
        let request_id = DONE.to_owned();
        for (name, request_id) in [("other", ""), ("office", DONE)] {
            let request = CreateCalendarRequest { calendar: Some(calendar(name)), request_id: request_id.to_owned() };
            client.create_calendar(request).await.expect("created");
        }
        let calendars = client.list_calendars(ListCalendarsRequest::default()).await.expect("a list").into_inner();
        let office = calendars.calendars.into_iter().find(|one| one.name == "office").expect("there").calendar_id;
        let patch = Calendar { calendar_id: office.clone(), time_zone: "Asia/Tokyo".to_owned(), ..Calendar::default() };
        let request =
            UpdateCalendarRequest { calendar: Some(patch), update_mask: None, request_id: request_id.clone() };
        client.update_calendar(request).await.expect("updated");
        let request = LoadHolidaysRequest {
            calendar_id: office.clone(),
            icalendar: HOLIDAYS.into(),
            replace: true,
            request_id: request_id.clone(),
            ..LoadHolidaysRequest::default()
        };
        client.load_holidays(request).await.expect("loaded");
        let set = PolicySet { policies: vec![policy("all", &office)], ..PolicySet::default() };
        let request = PublishPoliciesRequest { policy_set: Some(set), validate_only: false, request_id };
        client.publish_policies(request).await.expect("published");
        Kept { office }
    }
}

/// An id that nothing has, and that says nothing.
const ZEROS: &str = "00000000-0000-0000-0000-000000000000";

const HOLIDAYS: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//somebody//holidays//EN\r\n\
BEGIN:VEVENT\r\nUID:1@example.com\r\nDTSTAMP:20240101T000000Z\r\nDTSTART;VALUE=DATE:20240101\r\n\
SUMMARY:New Year\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

async fn everything(services: &Services) -> (Vec<Calendar>, PolicySet) {
    let mut client = services.policies.clone();
    let calendars = client.list_calendars(ListCalendarsRequest::default()).await.expect("a list").into_inner();
    let policies = client.get_policy_set(GetPolicySetRequest::default()).await.expect("there").into_inner();
    (calendars.calendars, policies)
}

fn create(table: &mut Table) {
    let good = CreateCalendarRequest { calendar: Some(calendar("new")), request_id: String::new() };
    let rpc = &mut table.rpc("CreateCalendar", &good.encode_to_vec());
    rpc.invalid("no message", vec![clear("calendar")], &["calendar"])
        .invalid("a garbage request id", vec![text("request_id", "x")], &["request_id"])
        .refused("a name that is taken", vec![text("calendar.name", "office")], Code::AlreadyExists, "NAME_TAKEN")
        .refused("done before", vec![text("request_id", DONE)], Code::AlreadyExists, "REQUEST_ID_REUSED");
    parts(rpc);
    let several = vec![text("calendar.name", ""), text("calendar.time_zone", ""), clear("calendar.working_times")];
    rpc.invalid("several at once", several, &["calendar.name", "calendar.time_zone", "calendar.working_times"]);
}

/// What a calendar consists of.
fn parts(rpc: &mut Rpc<'_>) {
    texts(rpc, "calendar", &[("name", 128)]);
    texts(rpc, "calendar.holidays[0]", &[("name", 128)]);
    for zone in ["", "Mars/Olympus", "Local", "\u{0}", &"z".repeat(65)] {
        rpc.invalid("a zone", vec![text("calendar.time_zone", zone)], &["calendar.time_zone"]);
    }
    let (times, holidays) = ("calendar.working_times", "calendar.holidays");
    let first = |field: &str| format!("{times}[0].{field}");
    let on = |field: &str| format!("{holidays}[0].{field}");
    for day in [0, 8, -1] {
        rpc.invalid("a weekday", vec![number(&first("weekday"), day)], &[&first("weekday")]);
    }
    for (start, end, wrong) in
        [(-1, 10, "start_minute"), (1_440, 1_440, "start_minute"), (0, 1_441, "end_minute"), (9, 9, "end_minute")]
    {
        for of in [&first, &on] as [&dyn Fn(&str) -> String; 2] {
            let edits = vec![number(&of("start_minute"), start), number(&of("end_minute"), end)];
            rpc.invalid("minutes", edits, &[&of(wrong)]);
        }
    }
    for date in ["", "25.12.2026", "2026-02-30", "2026-12-25T00:00", "1899-12-31", "2201-01-01"] {
        rpc.invalid("a date", vec![text(&on("date"), date)], &[&on("date")]);
    }
    rpc.invalid("no time", vec![clear(times)], &[times])
        .invalid("141 stretches", vec![copies(times, 141)], &[times])
        .invalid("the same twice", vec![copies(times, 2)], &[&format!("{times}[1]")])
        .invalid("2,001 holidays", vec![copies(holidays, 2_001)], &[holidays]);
}

fn update(table: &mut Table, kept: &Kept) {
    let all = Calendar { calendar_id: kept.office.clone(), ..calendar("office") };
    let good = UpdateCalendarRequest { calendar: Some(all), update_mask: mask(&["*"]), request_id: String::new() };
    parts(&mut table.rpc("UpdateCalendar", &good.encode_to_vec()));
    let rpc = &mut table.rpc("UpdateCalendar", &[]);
    let named = |id: &str| vec![text("calendar.calendar_id", id), text("calendar.time_zone", "Europe/Chisinau")];
    let with = |edits: Vec<Edit>| named(&kept.office).into_iter().chain(edits).collect::<Vec<_>>();
    rpc.invalid("no message", vec![], &["calendar"])
        .invalid("no id", vec![text("calendar.name", "x")], &["calendar.calendar_id"])
        .invalid(
            "all at once",
            with(vec![
                text("calendar.time_zone", "Nowhere"),
                text("calendar.name", "é".repeat(129)),
                list("update_mask.paths", &["time_zone", "version", "name"]),
                text("request_id", "x"),
            ]),
            &["calendar.time_zone", "calendar.name", "update_mask.paths[1]", "request_id"],
        )
        .invalid(
            "garbage",
            vec![text("calendar.calendar_id", "x"), text("request_id", "x")],
            &["calendar.calendar_id", "request_id"],
        )
        .unknown("an unknown id", named(NOBODY))
        .refused("a stale etag", with(vec![text("calendar.etag", "1")]), Code::Aborted, "STALE_ETAG")
        .refused("a name that is taken", with(vec![text("calendar.name", "other")]), Code::AlreadyExists, "NAME_TAKEN")
        .refused("done before", with(vec![text("request_id", DONE)]), Code::AlreadyExists, "REQUEST_ID_REUSED")
        .invalid(
            "what can not be changed",
            with(vec![list("update_mask.paths", &["version", "name", "etag", "nonsense"])]),
            &["calendar.name", "update_mask.paths[0]", "update_mask.paths[2]", "update_mask.paths[3]"],
        );
}

fn load(table: &mut Table, kept: &Kept) {
    let rpc = &mut table.rpc("LoadHolidays", &[]);
    let of = |id: &str, file: &str| vec![text("calendar_id", id), bytes("icalendar", file.as_bytes())];
    let with = |edit: Edit| of(&kept.office, HOLIDAYS).into_iter().chain([edit]).collect::<Vec<_>>();
    rpc.invalid("nothing", vec![], &["calendar_id", "icalendar"])
        .invalid(
            "garbage",
            vec![text("calendar_id", "x"), text("request_id", "x"), bytes("icalendar", b"x")],
            &["calendar_id", "request_id", "icalendar"],
        )
        .invalid("no text", vec![text("calendar_id", &kept.office), bytes("icalendar", b"\xff\xfe")], &["icalendar"])
        .invalid("too much", of(&kept.office, &format!("{HOLIDAYS}{}", " \r\n".repeat(400_000))), &["icalendar"])
        .unknown("an unknown id", of(NOBODY, HOLIDAYS))
        .refused("a stale etag", with(text("etag", "1")), Code::Aborted, "STALE_ETAG")
        .refused("done before", with(text("request_id", DONE)), Code::AlreadyExists, "REQUEST_ID_REUSED");
}

fn read(table: &mut Table, kept: &Kept) {
    table
        .rpc("GetCalendar", &[])
        .invalid("nothing", vec![], &["calendar_id"])
        .invalid("garbage", vec![text("calendar_id", "x"), number("version", -1)], &["calendar_id", "version"])
        .invalid("an empty name", vec![text("name", "")], &["name"])
        .invalid("a long name", vec![text("name", "n".repeat(129))], &["name"])
        .unknown("an unknown id", vec![text("calendar_id", NOBODY)])
        .unknown("an unknown name", vec![text("name", "nobody's")])
        .unknown("an unknown version", vec![text("calendar_id", &kept.office), number("version", 99)])
        .unknown("a version of nobody's", vec![text("name", "nobody's"), number("version", i64::MAX)]);
    pages(&mut table.rpc("ListCalendars", &[]));
    let good = ListCalendarVersionsRequest { calendar_id: kept.office.clone(), ..Default::default() };
    let rpc = &mut table.rpc("ListCalendarVersions", &good.encode_to_vec());
    pages(rpc);
    rpc.invalid("no id", vec![clear("calendar_id")], &["calendar_id"])
        .unknown("an unknown id", vec![text("calendar_id", NOBODY)]);
    table
        .rpc("GetPolicySet", &[])
        .invalid("a negative version", vec![number("version", i64::MIN)], &["version"])
        .unknown("an unknown version", vec![number("version", 99)]);
    pages(&mut table.rpc("ListPolicySets", &[]));
}

fn publish(table: &mut Table, kept: &Kept) {
    let one = Policy { conditions: Some(losses()), ..policy("losses", &kept.office) };
    let set = PolicySet { policies: vec![one, policy("all", &kept.office)], ..PolicySet::default() };
    let good = PublishPoliciesRequest { policy_set: Some(set), ..Default::default() };
    let rpc = &mut table.rpc("PublishPolicies", &good.encode_to_vec());
    let of = |field: &str| format!("policy_set.policies[0].{field}");
    rpc.invalid("no message", vec![clear("policy_set")], &["policy_set"])
        .invalid("no policies", vec![clear("policy_set.policies")], &["policy_set.policies"])
        .invalid("501 policies", vec![copies("policy_set.policies", 501)], &["policy_set.policies"])
        .invalid("a garbage request id", vec![text("request_id", "x")], &["request_id"])
        .refused("a stale etag", vec![text("policy_set.etag", "7")], Code::Aborted, "STALE_ETAG")
        .refused("done before", vec![text("request_id", DONE)], Code::AlreadyExists, "REQUEST_ID_REUSED");
    texts(rpc, "policy_set.policies[0]", &[("name", 128)]);
    rpc.invalid("no name", vec![text(&of("name"), "")], &[&of("name")])
        .invalid("its name twice", vec![text(&of("name"), "all")], &["policy_set.policies[1].name"])
        .invalid("no calendar", vec![text(&of("calendar_id"), "")], &[&of("calendar_id")])
        .invalid("a garbage calendar", vec![text(&of("calendar_id"), "x")], &[&of("calendar_id")])
        .invalid("an unknown calendar", vec![text(&of("calendar_id"), NOBODY)], &[&of("calendar_id")])
        .invalid("a calendar of zeros", vec![text(&of("calendar_id"), ZEROS)], &[&of("calendar_id")])
        .invalid("before a fallback", vec![clear(&of("conditions"))], &["policy_set.policies[1]"])
        .invalid(
            "no fallback",
            vec![list("policy_set.policies[1].conditions.channels", &["web"])],
            &["policy_set.policies[1].conditions"],
        );
    conditions(rpc, &of);
    targets(rpc, &of);
}

/// Of every sort.
fn losses() -> Conditions {
    let of = |text: &str| vec![text.to_owned()];
    Conditions {
        kinds: vec![CaseKind::Loss.into()],
        categories: of("delivery/late"),
        severities: vec![Severity::High.into()],
        priorities: vec![Priority::Urgent.into()],
        channels: of("web"),
        customer_tiers: of("gold"),
        value_bands: of("high"),
        products: of("books"),
        countries: of("MD"),
    }
}

fn conditions(rpc: &mut Rpc<'_>, of: &dyn Fn(&str) -> String) {
    for field in ["kinds", "severities", "priorities"] {
        let field = of(&format!("conditions.{field}"));
        let wrong = [0, 1].map(|at| format!("{field}[{at}]"));
        rpc.invalid("values", vec![numbers(&field, vec![0, 99, 1])], &[&wrong[0], &wrong[1]]).invalid(
            "101 values",
            vec![copies(&field, 101)],
            &[&field],
        );
    }
    let lengths = [
        ("categories", 128),
        ("channels", 64),
        ("customer_tiers", 64),
        ("value_bands", 64),
        ("products", 128),
        ("countries", 64),
    ];
    for (field, length) in lengths {
        let field = of(&format!("conditions.{field}"));
        let wrong = [0, 1, 2].map(|at| format!("{field}[{at}]"));
        let long = "é".repeat(length + 1);
        rpc.invalid("values", vec![list(&field, &["", "\u{0}", &long, "good"])], &wrong.each_ref().map(String::as_str))
            .invalid("101 values", vec![copies(&field, 101)], &[&field]);
    }
    let paths = of("conditions.categories");
    let wrong = [0, 1, 2, 3].map(|at| format!("{paths}[{at}]"));
    let bad = ["/a", "a/", "a//b", "a/b/c/d/e/f/g/h/i"];
    rpc.invalid("no paths", vec![list(&paths, &bad)], &wrong.each_ref().map(String::as_str));
}

fn targets(rpc: &mut Rpc<'_>, of: &dyn Fn(&str) -> String) {
    let (all, first) = (of("targets"), of("targets[0]"));
    let part = |field: &str| format!("{first}.{field}");
    rpc.invalid("no targets", vec![clear(&all)], &[&all])
        .invalid("17 targets", vec![copies(&all, 17)], &[&all])
        .invalid("one clock twice", vec![copies(&all, 2)], &[&of("targets[1].kind")])
        .invalid("no amount", vec![clear(&part("target"))], &[&part("target")])
        .invalid(
            "a holding response",
            vec![number(&part("holding_target.amount"), 1)],
            &[&part("holding_target"), &part("holding_target.unit")],
        );
    for kind in [0, 8, -1] {
        rpc.invalid("a clock", vec![number(&part("kind"), kind)], &[&part("kind")]);
    }
    for (amount, unit, wrong) in [
        (0, 2, "amount"),
        (-1, 2, "amount"),
        (5_256_001, 1, "amount"),
        (121, 6, "amount"),
        (1, 0, "unit"),
        (1, 7, "unit"),
    ] {
        let edits = vec![number(&part("target.amount"), amount), number(&part("target.unit"), unit)];
        rpc.invalid("an amount", edits, &[&part(&format!("target.{wrong}"))]);
    }
}

fn effects(table: &mut Table, kept: &Kept) {
    let set = PolicySet { policies: vec![policy("all", &kept.office)], ..PolicySet::default() };
    let good = ListPolicyEffectsRequest { policy_set: Some(set), ..Default::default() };
    let rpc = &mut table.rpc("ListPolicyEffects", &good.encode_to_vec());
    pages(rpc);
    let unknown = text("policy_set.policies[0].calendar_id", NOBODY);
    rpc.invalid("an unknown calendar", vec![unknown], &["policy_set.policies[0].calendar_id"])
        .invalid("no policies", vec![clear("policy_set.policies")], &["policy_set.policies"])
        .answered("the latest", vec![clear("policy_set")])
        .invalid("no ids", vec![list("case_ids", &["x", ""])], &["case_ids[0]", "case_ids[1]"])
        .invalid("one id twice", vec![list("case_ids", &[NOBODY, NOBODY])], &["case_ids[1]"])
        .invalid("101 ids", vec![copies("case_ids", 101)], &["case_ids"])
        .unknown("nobody's case", vec![list("case_ids", &[NOBODY])]);
}

fn rebases(table: &mut Table) {
    let rpc = &mut table.rpc("RebaseCases", &[]);
    pages(rpc);
    rpc.invalid("a long note", vec![text("note", "é".repeat(10_001))], &["note"]);
    rpc.invalid("no ids", vec![list("case_ids", &["x", ""])], &["case_ids[0]", "case_ids[1]"])
        .invalid("one id twice", vec![list("case_ids", &[NOBODY, NOBODY])], &["case_ids[1]"])
        .invalid("101 ids", vec![copies("case_ids", 101)], &["case_ids"])
        .invalid("a request id", vec![text("request_id", "x")], &["request_id"])
        .unknown("nobody's case", vec![list("case_ids", &[NOBODY])]);
}

fn lookup(table: &mut Table) {
    let good = LookupPolicyRequest { subject: Some(Subject::Case(DescribedCase::default())), ..Default::default() };
    let rpc = &mut table.rpc("LookupPolicy", &good.encode_to_vec());
    texts(
        rpc,
        "case",
        &[
            ("category", 128),
            ("channel", 64),
            ("customer_tier", 64),
            ("value_band", 64),
            ("product", 128),
            ("country", 64),
        ],
    );
    rpc.invalid("nothing", vec![clear("case")], &["case"])
        .invalid(
            "enums",
            vec![number("case.kind", 9), number("case.severity", -1), number("case.priority", 9)],
            &["case.kind", "case.severity", "case.priority"],
        )
        .invalid("no path", vec![text("case.category", "a//b")], &["case.category"])
        .invalid("a negative version", vec![number("version", -1)], &["version"])
        .invalid("no id", vec![clear("case"), text("case_id", "one")], &["case_id"])
        .invalid(
            "an instant of a case that is there",
            vec![
                clear("case"),
                text("case_id", "00000000-0000-4000-8000-000000000000"),
                number("open_time.seconds", 1_000_000_000),
            ],
            &["open_time"],
        )
        .unknown("an unknown case", vec![clear("case"), text("case_id", "00000000-0000-4000-8000-000000000000")])
        .unknown("an unknown version", vec![number("version", 99)]);
    for seconds in [-2_208_988_801, 253_402_300_800, 10_000_000_000] {
        rpc.invalid("a time", vec![number("open_time.seconds", seconds)], &["open_time"]);
    }
    rpc.invalid("nanos", vec![number("open_time.nanos", -1)], &["open_time"]);
}
