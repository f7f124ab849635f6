//! What the RPCs of calendars do.

use std::collections::BTreeSet;

use barometer_chassis::{
    door::{Door, Page, fit},
    error::Error,
    fingerprint,
    layers::Principal,
    mask,
};
use barometer_proto::complaints::v1 as wire;

use super::{Policies, mutation};
use crate::{
    calendar::{Calendar, Holiday},
    calendar_version::{CalendarId, Model},
    store::{self, CalendarRef},
    wire::{CALENDAR_CHANGEABLE, parse_calendar, parse_holidays, parse_version, render_calendar},
};

/// The most calendars of a page: each may have thousands of holidays.
const MAX_PAGE: u16 = 100;

impl Policies {
    pub(super) async fn create(
        &self,
        actor: &Principal,
        request: wire::CreateCalendarRequest,
    ) -> Result<wire::Calendar, Error> {
        let wire::CreateCalendarRequest { calendar, request_id } = request;
        let (name, calendar, request_id) = Door::open(|door| {
            let calendar = door.required("calendar", calendar);
            let (name, calendar) = door.inside("calendar", |door| parse_calendar(door, calendar));
            (name, calendar, door.request_id(&request_id))
        })?;
        let request = mutation("CreateCalendar", actor, request_id, fingerprint::of(&(&name, &calendar))?);
        let actor = actor.to_string();
        let work = self.store.writer.run(request, move |write| {
            Box::pin(async move { store::create_calendar(write, name, calendar, actor).await })
        });
        self.latest(&CalendarRef::Id(CalendarId(work.await?.id))).await
    }

    pub(super) async fn update(
        &self,
        actor: &Principal,
        mut request: wire::UpdateCalendarRequest,
    ) -> Result<wire::Calendar, Error> {
        let request_text = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::UpdateCalendarRequest { calendar, update_mask, request_id: _ } = request;
        let (patch, id, request_id) = Door::open(|door| {
            let patch = door.required("calendar", calendar);
            let id = door.inside("calendar", |door| door.id("calendar_id", &patch.calendar_id));
            mask::check(door, "calendar", &patch, (update_mask.as_ref(), &CALENDAR_CHANGEABLE), parse_calendar);
            (patch, CalendarId(id), door.request_id(&request_text))
        })?;
        let request = mutation("UpdateCalendar", actor, request_id, fingerprint);
        let actor = actor.to_string();
        let work = self.store.writer.run(request, move |write| {
            Box::pin(async move {
                let change = |last: &Model| {
                    let shown = render_calendar(last.clone());
                    let merged = mask::merge(&shown, &patch, update_mask.as_ref(), &CALENDAR_CHANGEABLE, "calendar")?;
                    Door::open(|door| door.inside("calendar", |door| parse_calendar(door, merged)))
                };
                store::change_calendar(write, id, &patch.etag, actor, change).await
            })
        });
        self.latest(&CalendarRef::Id(CalendarId(work.await?.id))).await
    }

    pub(super) async fn load(
        &self,
        actor: &Principal,
        mut request: wire::LoadHolidaysRequest,
    ) -> Result<wire::Calendar, Error> {
        let request_text = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::LoadHolidaysRequest { calendar_id, icalendar, replace, etag, request_id: _ } = request;
        let (id, request_id) = Door::open(|door| {
            if icalendar.is_empty() {
                door.missing("icalendar");
            } else {
                parse_holidays(door, "icalendar", &icalendar, "UTC");
            }
            (CalendarId(door.id("calendar_id", &calendar_id)), door.request_id(&request_text))
        })?;
        // The writer has no time to read files, and what they say depends on the zone.
        let now = store::get_calendar(self.store.db(), &CalendarRef::Id(id)).await?;
        let zone = now.calendar.time_zone().to_owned();
        let found = Door::open(|door| parse_holidays(door, "icalendar", &icalendar, &zone))?;
        let request = mutation("LoadHolidays", actor, request_id, fingerprint);
        let actor = actor.to_string();
        let work = self.store.writer.run(request, move |write| {
            Box::pin(async move {
                let change = |last: &Model| {
                    if last.calendar.time_zone() != zone {
                        return Err(Error::Stale { noun: "calendar" });
                    }
                    let holidays = if replace { found } else { joined(last.calendar.holidays(), found) };
                    Ok((last.name.clone(), with_holidays(&last.calendar, holidays)?))
                };
                store::change_calendar(write, id, &etag, actor, change).await
            })
        });
        self.latest(&CalendarRef::Id(CalendarId(work.await?.id))).await
    }

    pub(super) async fn calendar(&self, request: wire::GetCalendarRequest) -> Result<wire::Calendar, Error> {
        use wire::get_calendar_request::By;
        let (by, version) = Door::open(|door| {
            let by = match request.by {
                Some(By::CalendarId(id)) => CalendarRef::Id(CalendarId(door.id("calendar_id", &id))),
                Some(By::Name(name)) => CalendarRef::Name(door.required_text("name", name, 128)),
                None => {
                    door.missing("calendar_id");
                    CalendarRef::Name(String::new())
                }
            };
            (by, parse_version(door, request.version))
        })?;
        let id = match by {
            CalendarRef::Id(id) if version > 0 => id,
            by => {
                let latest = store::get_calendar(self.store.db(), &by).await?;
                if version == 0 || version == latest.version {
                    return Ok(render_calendar(latest));
                }
                latest.id
            }
        };
        Ok(render_calendar(store::get_calendar_version(self.store.db(), id, version).await?))
    }

    pub(super) async fn calendars(
        &self,
        request: wire::ListCalendarsRequest,
    ) -> Result<wire::ListCalendarsResponse, Error> {
        let page = Door::open(|door| at_most(door.page(request.page_size, &request.page_token)))?;
        let (rows, next) = store::list_calendars(self.store.db(), page).await?;
        let places: Vec<_> = rows.iter().map(store::place_of_calendar).collect();
        let (calendars, next_page_token) = fit(rows.into_iter().map(render_calendar).collect(), &places, next);
        Ok(wire::ListCalendarsResponse { calendars, next_page_token })
    }

    pub(super) async fn calendar_versions(
        &self,
        request: wire::ListCalendarVersionsRequest,
    ) -> Result<wire::ListCalendarVersionsResponse, Error> {
        let wire::ListCalendarVersionsRequest { calendar_id, page_size, page_token } = request;
        let (id, page) = Door::open(|door| {
            (CalendarId(door.id("calendar_id", &calendar_id)), at_most(door.page(page_size, &page_token)))
        })?;
        let (rows, next) = store::list_calendar_versions(self.store.db(), id, page).await?;
        if rows.is_empty() {
            // Of a calendar there is always a version: nothing is left of it, or there is none.
            store::get_calendar(self.store.db(), &CalendarRef::Id(id)).await?;
        }
        let places: Vec<_> = rows.iter().map(store::place_of_version).collect();
        let (calendars, next_page_token) = fit(rows.into_iter().map(render_calendar).collect(), &places, next);
        Ok(wire::ListCalendarVersionsResponse { calendars, next_page_token })
    }

    async fn latest(&self, by: &CalendarRef) -> Result<wire::Calendar, Error> {
        Ok(render_calendar(store::get_calendar(self.store.db(), by).await?))
    }
}

fn at_most(page: Page) -> Page {
    Page { size: page.size.min(MAX_PAGE), ..page }
}

/// Holidays and more of them, each once.
fn joined(these: &[Holiday], those: Vec<Holiday>) -> Vec<Holiday> {
    these.iter().cloned().chain(those).collect::<BTreeSet<_>>().into_iter().collect()
}

/// A calendar with other holidays. INVALID when they are too many.
fn with_holidays(calendar: &Calendar, holidays: Vec<Holiday>) -> Result<Calendar, Error> {
    let (most, there) = (Calendar::MAX_HOLIDAYS, holidays.len());
    if there > most {
        let told = format!("a calendar has at most {most} holidays; there would be {there}");
        return Err(Error::invalid("icalendar", "TOO_MANY", told));
    }
    let (zone, times) = (calendar.time_zone().to_owned(), calendar.working_times().to_vec());
    Door::open(|door| Calendar::parse(door, zone, times, holidays))
}
