//! Files as they are published, and files that must not be half understood.

use barometer_chassis::error::Error;
use jiff::civil::date;

use super::*;

const RANGE: RangeInclusive<Date> = date(2024, 1, 1)..=date(2028, 12, 31);

fn told(lines: &str, zone: &str) -> Result<Vec<String>, Vec<String>> {
    let file = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//A//B//EN\r\n{lines}END:VCALENDAR\r\n");
    let parsed = Door::open(|door| Holiday::parse_icalendar(door, "icalendar", file.as_bytes(), zone, RANGE));
    let holiday = |Holiday { date, hours, name }: Holiday| match hours {
        Hours::DAY => format!("{date} {name}"),
        Hours { start, end } => format!("{date} {start}-{end} {name}"),
    };
    parsed.map(|holidays| holidays.into_iter().map(holiday).collect()).map_err(|error| match error {
        Error::Invalid(violations) => violations.into_iter().map(|v| v.description).collect(),
        other => panic!("{other}"),
    })
}

use super::super::Hours;

/// The holidays of one event of these lines.
fn event(lines: &[&str]) -> Result<Vec<String>, Vec<String>> {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    told(&format!("BEGIN:VEVENT\r\n{lines}END:VEVENT\r\n"), "Europe/Berlin")
}

#[test]
fn a_file_of_public_holidays() {
    let file = "X-WR-CALNAME:Holidays\r\nCALSCALE:GREGORIAN\r\nMETHOD:PUBLISH\r\n\
        BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\n\
        RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
        BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\nDTSTAMP:20240101T000000Z\r\nUID:1@x\r\n\
        SUMMARY;LANGUAGE=en:Christmas\\, and the day\r\n  after\\; both\r\nTRANSP:TRANSPARENT\r\n\
        BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nDTSTART:20261224T120000\r\nDURATION:PT12H\r\nSUMMARY:Christmas Eve\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260401\r\nSUMMARY:No holiday\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n";
    let told = told(file, "Europe/Berlin").expect("understood");
    assert_eq!(
        told,
        [
            "2026-12-24 720-1440 Christmas Eve",
            "2026-12-25 Christmas, and the day after; both",
            "2026-12-26 Christmas, and the day after; both",
        ]
    );
}

#[test]
fn times_are_shown_by_the_clocks_of_the_calendar() {
    for (lines, holidays) in [
        (["DTSTART:20260603T220000Z", "DTEND:20260604T220000Z"], vec!["2026-06-04 "]),
        (["DTSTART;TZID=America/New_York:20260603T200000", "DURATION:PT6H"], vec!["2026-06-04 120-480 "]),
        // Hours are hours, also in the night in which the clocks go forward.
        (["DTSTART:20260329T000000", "DURATION:PT6H"], vec!["2026-03-29 0-420 "]),
        (["DTSTART:20260328T060000", "DURATION:P1DT1H"], vec!["2026-03-28 360-1440 ", "2026-03-29 0-420 "]),
        (["DTSTART:20260603T233000", "DTEND:20260604T005959"], vec!["2026-06-03 1410-1440 ", "2026-06-04 0-60 "]),
        (["DTSTART:20260603T233000", "DTEND;TZID=UTC:20260603T220000"], vec!["2026-06-03 1410-1440 "]),
        (
            ["DTSTART:20260603", "DURATION:P1W"],
            vec![
                "2026-06-03 ",
                "2026-06-04 ",
                "2026-06-05 ",
                "2026-06-06 ",
                "2026-06-07 ",
                "2026-06-08 ",
                "2026-06-09 ",
            ],
        ),
    ] {
        assert_eq!(event(&lines).expect("understood"), holidays, "{lines:?}");
    }
}

#[test]
fn what_recurs_every_year() {
    for (start, rule, days) in [
        ("20240101", "", "2024-01-01 2025-01-01 2026-01-01 2027-01-01 2028-01-01"),
        ("20240101", ";COUNT=2", "2024-01-01 2025-01-01"),
        ("20240101", ";UNTIL=20260101", "2024-01-01 2025-01-01 2026-01-01"),
        ("20240101", ";UNTIL=20251231T235959Z", "2024-01-01 2025-01-01"),
        ("20240101", ";INTERVAL=2", "2024-01-01 2026-01-01 2028-01-01"),
        ("20240229", "", "2024-02-29 2028-02-29"),
        ("20240229", ";COUNT=3", "2024-02-29 2028-02-29 2032-02-29"),
        ("20241128", ";BYMONTH=11;BYDAY=4TH;COUNT=3", "2024-11-28 2025-11-27 2026-11-26"),
        ("20240527", ";BYDAY=-1MO;BYMONTH=5;COUNT=3", "2024-05-27 2025-05-26 2026-05-25"),
        ("20240131", ";BYMONTH=1,2;BYMONTHDAY=-1;COUNT=4", "2024-01-31 2024-02-29 2025-01-31 2025-02-28"),
        // Election day: the Tuesday after the first Monday.
        ("20241105", ";INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=2", "2024-11-05 2028-11-07"),
        ("20240101", ";BYDAY=1MO;COUNT=2", "2024-01-01 2025-01-06"),
        ("20241230", ";BYDAY=-1MO;COUNT=2", "2024-12-30 2025-12-29"),
        // Long ago, and without end: what lies within the dates that were asked for.
        ("19700704", ";WKST=SU", "2024-07-04 2025-07-04 2026-07-04 2027-07-04 2028-07-04"),
    ] {
        let lines = [format!("DTSTART;VALUE=DATE:{start}"), format!("RRULE:FREQ=YEARLY{rule}")];
        let told = event(&lines.each_ref().map(String::as_str)).expect("understood");
        let told: Vec<_> = told.iter().map(|day| day.trim()).collect();
        assert_eq!(told.join(" "), days, "{start} {rule}");
    }
    let but_one = ["DTSTART;VALUE=DATE:20240101", "RRULE:FREQ=YEARLY;COUNT=3", "EXDATE;VALUE=DATE:20250101"];
    assert_eq!(event(&but_one).expect("understood"), ["2024-01-01 ", "2026-01-01 "]);
    let at_noon = ["DTSTART:20240101T120000", "DURATION:PT1H", "RRULE:FREQ=YEARLY;COUNT=2", "EXDATE:20250101T110000Z"];
    assert_eq!(event(&at_noon).expect("understood"), ["2024-01-01 720-780 "]);
}

#[test]
fn nothing_is_left_out_in_silence() {
    for (line, told) in [
        ("RRULE:FREQ=MONTHLY", "line 6: RRULE says FREQ=MONTHLY, which is not understood"),
        ("RRULE:FREQ=YEARLY;BYSETPOS=1", "line 6: RRULE says BYSETPOS=1, which is not understood"),
        ("RRULE:FREQ=YEARLY;BYMONTH=13", "line 6: RRULE says BYMONTH=13, which is out of its range"),
        ("RRULE:FREQ=YEARLY;BYDAY=XX", "line 6: RRULE says BYDAY=XX, which is out of its range"),
        ("RRULE:COUNT=3", "line 6: RRULE has no FREQ=YEARLY"),
        ("RRULE:FREQ=YEARLY;BYMONTH=2", "line 6: RRULE does not begin with DTSTART: what that means is undefined"),
        ("RDATE:20270101", "line 6: RDATE is not understood in an event"),
        ("RECURRENCE-ID:20270101", "line 6: RECURRENCE-ID is not understood in an event"),
        ("DTEND:20260101", "line 6: VEVENT ends before it begins, or at once"),
        ("DTEND:20260102T120000", "line 6: DTEND is a date and DTSTART a time, or the other way round"),
        ("DTEND:20280101", "line 6: VEVENT is longer than 366 days"),
        ("DURATION:P1M", "line 6: DURATION is no duration as P1D or PT4H"),
        ("DURATION:PT4H", "line 6: DURATION is not of whole days"),
        ("DTSTART:20270101", "line 6: DTSTART stands twice in an event"),
        ("STATUS:MAYBE", "line 6: STATUS is no status of an event"),
        ("no colon", "line 6: no colon is no content line: it has no colon"),
        ("BEGIN:VTODO", "line 6: BEGIN of VTODO is not expected here"),
    ] {
        let wrong = event(&["DTSTART:20260101", line]).expect_err(line);
        assert_eq!(wrong[0], told);
    }
    for (line, told) in [
        ("DTSTART:2026-01-01", "line 5: DTSTART is neither a date as 20261225 nor a time as 20261225T120000"),
        ("DTSTART:20260230", "line 5: DTSTART is neither a date as 20261225 nor a time as 20261225T120000"),
        (
            "DTSTART;TZID=W. Europe:20260101T120000",
            "line 5: DTSTART names the zone `W. Europe`, which the IANA's database has not",
        ),
        ("DTSTART:20260101T120000", "line 5: DTSTART is a time without an end: it takes no time"),
        ("DTSTART:22010101", "line 4: VEVENT lies outside the years 1900 to 2200"),
        ("SUMMARY:nothing else", "line 4: VEVENT has no DTSTART"),
    ] {
        assert_eq!(event(&[line]).expect_err(line), [told]);
    }
}

#[test]
fn files_are_bounded_and_whole() {
    let read = |file: &[u8]| {
        let parsed = Door::open(|door| Holiday::parse_icalendar(door, "icalendar", file, "UTC", RANGE));
        match parsed.expect_err("refused") {
            Error::Invalid(violations) => violations[0].description.clone(),
            other => panic!("{other}"),
        }
    };
    assert_eq!(read(b""), "line 1: VCALENDAR has no events");
    assert_eq!(read(b"BEGIN:VCALENDAR\nEND:VCALENDAR"), "line 2: VCALENDAR has no events");
    assert_eq!(read(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n"), "line 2: VEVENT does not end");
    assert_eq!(read(b"BEGIN:VCALENDAR\nX-A:\xff\n"), "line 2: the text is not UTF-8");
    assert_eq!(read(b"END:VCALENDAR\n"), "line 1: END ends what did not begin");
    assert!(read(&vec![b'a'; MAX_BYTES + 1]).starts_with("at most"));
    // Every day of three centuries, but for as many instants as fit into a file.
    let except = vec!["20240101T000000Z"; 60_000].join(",");
    let rule = "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;UNTIL=22001231T000000Z";
    let days = "DTSTART:19000101T000000Z\nDTEND:19000102T000000Z";
    let daily =
        format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{days}\nRRULE:{rule}\nEXDATE:{except}\nEND:VEVENT\nEND:VCALENDAR");
    let begun = std::time::Instant::now();
    assert_eq!(read(daily.as_bytes()), "line 2: VEVENT brings more than 2000 holidays together");
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "it took {:?}", begun.elapsed());
    let many = format!("RRULE:FREQ=YEARLY;BYDAY={}", vec!["FR"; 367].join(","));
    let wrong = event(&["DTSTART:20260102", &many]).expect_err("too many");
    assert!(wrong[0].ends_with("which is out of its range"), "{wrong:?}");
    let events = (0..7).map(|n| format!("BEGIN:VEVENT\nDTSTART:19{n}00101\nDTEND:19{n}01230\nEND:VEVENT\n"));
    let many = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR", events.collect::<String>());
    assert_eq!(read(many.as_bytes()), "line 22: VEVENT brings more than 2000 holidays together");
}
