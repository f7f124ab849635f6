//! Calendars: every change is a new version, and every version can be read for ever.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Calendar, CreateCalendarRequest, GetCalendarRequest, Holiday, ListCalendarVersionsRequest, ListCalendarsRequest,
    LoadHolidaysRequest, UpdateCalendarRequest, get_calendar_request::By,
};
use barometer_tests::{
    samples::{calendar, mask},
    services::{Services, told},
};
use tonic::{Code, Status};
use uuid::Uuid;

async fn create(services: &Services, calendar: Calendar, request_id: &str) -> Result<Calendar, Status> {
    let request = CreateCalendarRequest { calendar: Some(calendar), request_id: request_id.to_owned() };
    Ok(services.policies.clone().create_calendar(request).await?.into_inner())
}

async fn update(services: &Services, patch: Calendar, paths: &[&str]) -> Result<Calendar, Status> {
    let update_mask = if paths.is_empty() { None } else { mask(paths) };
    let request = UpdateCalendarRequest { calendar: Some(patch), update_mask, request_id: String::new() };
    Ok(services.policies.clone().update_calendar(request).await?.into_inner())
}

async fn get(services: &Services, by: By, version: i64) -> Result<Calendar, Status> {
    let request = GetCalendarRequest { by: Some(by), version };
    Ok(services.policies.clone().get_calendar(request).await?.into_inner())
}

#[tokio::test]
async fn a_change_is_a_new_version_and_the_old_ones_stay() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let first = create(&services, calendar("office"), "").await.expect("created");
        let id = || first.calendar_id.clone();
        let expected = Calendar {
            calendar_id: id(),
            version: 1,
            etag: "1".to_owned(),
            create_time: first.create_time,
            update_time: first.create_time,
            ..calendar("office")
        };
        assert_eq!(first, expected);

        let patch = Calendar {
            calendar_id: id(),
            etag: "1".to_owned(),
            name: "head office".to_owned(),
            time_zone: "Europe/Chisinau".to_owned(),
            ..Calendar::default()
        };
        let second = update(&services, patch.clone(), &["time_zone"]).await.expect("updated");
        let expected = Calendar {
            time_zone: "Europe/Chisinau".to_owned(),
            version: 2,
            etag: "2".to_owned(),
            update_time: second.update_time,
            ..first.clone()
        };
        assert_eq!(second, expected);
        assert_eq!(told(&update(&services, patch.clone(), &["name"]).await.expect_err("stale")).1, "STALE_ETAG");
        let patch = Calendar { etag: String::new(), ..patch };
        let third = update(&services, patch.clone(), &[]).await.expect("updated");
        assert_eq!((third.version, third.name.as_str(), third.holidays.len()), (3, "head office", 1));
        assert_eq!(update(&services, patch.clone(), &[]).await.expect("nothing to change"), third);
        let fourth = update(&services, patch, &["holidays"]).await.expect("updated");
        assert!(fourth.holidays.is_empty());

        let by_id = || By::CalendarId(id());
        for (version, calendar) in [(0, &fourth), (1, &first), (2, &second), (3, &third), (4, &fourth)] {
            assert_eq!(&get(&services, by_id(), version).await.expect("there"), calendar);
            let by_name = By::Name("head office".to_owned());
            assert_eq!(&get(&services, by_name, version).await.expect("there"), calendar);
        }
        for (by, version) in [(by_id(), 5), (By::Name("office".to_owned()), 1)] {
            assert_eq!(get(&services, by, version).await.expect_err("none").code(), Code::NotFound);
        }
        let versions = async |page_size: i32, page_token: String| {
            let request = ListCalendarVersionsRequest { calendar_id: id(), page_size, page_token };
            services.policies.clone().list_calendar_versions(request).await.expect("a page").into_inner()
        };
        let page = versions(3, String::new()).await;
        assert_eq!(page.calendars, [fourth, third, second]);
        let page = versions(3, page.next_page_token).await;
        assert_eq!((page.calendars.as_slice(), page.next_page_token.as_str()), ([first].as_slice(), ""));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn names_are_unique_among_the_latest_and_requests_are_done_once() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let request_id = Uuid::new_v4().to_string();
        let first = create(&services, calendar("one"), &request_id).await.expect("created");
        assert_eq!(create(&services, calendar("one"), &request_id).await.expect("the same"), first);
        let refused = create(&services, calendar("two"), &request_id).await.expect_err("another");
        assert_eq!(told(&refused).1, "REQUEST_ID_REUSED");
        assert_eq!(told(&create(&services, calendar("one"), "").await.expect_err("taken")).1, "NAME_TAKEN");
        let second = create(&services, calendar("two"), "").await.expect("created");
        let rename = |name: &str| Calendar {
            calendar_id: first.calendar_id.clone(),
            name: name.to_owned(),
            ..Calendar::default()
        };
        assert_eq!(told(&update(&services, rename("two"), &[]).await.expect_err("taken")).1, "NAME_TAKEN");
        let renamed = update(&services, rename("three"), &[]).await.expect("free");
        let third = create(&services, calendar("one"), "").await.expect("free again");

        let list = async |page_size: i32, page_token: String| {
            let request = ListCalendarsRequest { page_size, page_token };
            services.policies.clone().list_calendars(request).await.expect("a page").into_inner()
        };
        let page = list(2, String::new()).await;
        assert_eq!(page.calendars, [third, second]);
        let page = list(2, page.next_page_token).await;
        assert_eq!((page.calendars.as_slice(), page.next_page_token.as_str()), ([renamed].as_slice(), ""));
        services.stop().await;
    })
    .await;
}

/// Two days off, one of them by a moment at which it begins and ends.
const HOLIDAYS: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//somebody//holidays//EN\r\n\
BEGIN:VEVENT\r\nUID:1@example.com\r\nDTSTAMP:20240101T000000Z\r\nDTSTART;VALUE=DATE:20241225\r\n\
DTEND;VALUE=DATE:20241227\r\nSUMMARY:Christmas\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[tokio::test]
async fn holidays_come_from_a_file() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = create(&services, calendar("office"), "").await.expect("created").calendar_id;
        let load = async |icalendar: &str, replace: bool, etag: &str| {
            let (icalendar, etag) = (icalendar.as_bytes().to_vec(), etag.to_owned());
            let request =
                LoadHolidaysRequest { calendar_id: id.clone(), icalendar, replace, etag, request_id: String::new() };
            services.policies.clone().load_holidays(request).await.map(|answer| answer.into_inner())
        };
        let days = |calendar: &Calendar| {
            let day = |holiday: &Holiday| (holiday.date.clone(), holiday.name.clone());
            calendar.holidays.iter().map(day).collect::<Vec<_>>()
        };
        let of = |date: &str, name: &str| (date.to_owned(), name.to_owned());
        let christmas = [of("2024-12-25", "Christmas"), of("2024-12-26", "Christmas")];

        let added = load(HOLIDAYS, false, "1").await.expect("loaded");
        assert_eq!(added.version, 2);
        assert_eq!(days(&added), [&[of("2024-01-01", "New Year")][..], &christmas].concat());
        assert_eq!(load(HOLIDAYS, false, "").await.expect("nothing new"), added);
        assert_eq!(told(&load(HOLIDAYS, true, "1").await.expect_err("stale")).1, "STALE_ETAG");
        let replaced = load(HOLIDAYS, true, "2").await.expect("loaded");
        assert_eq!((replaced.version, days(&replaced).as_slice()), (3, christmas.as_slice()));
        assert_eq!(told(&load("no file", true, "").await.expect_err("nonsense")).2, ["icalendar"]);
        services.stop().await;
    })
    .await;
}
