//! Teams, and by which calendars cases count that are handed to them.

use std::collections::{BTreeSet, HashMap};

use barometer_chassis::{
    door::{Page, PageToken},
    error::Error,
    id, reader,
    writer::{Done, Write, any_of},
};
use barometer_proto::complaints::v1::CaseEntryType;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::{known_calendars, latest_versions};
use crate::{
    calendar_version::CalendarId,
    case, case_entry,
    team::{Column, Entity, Model},
};

/// The most teams that a statement names.
const MAX_NAMES: usize = 4_096;

/// A team. NOT_FOUND when there is none of that name.
pub(crate) async fn get_team(db: &impl ConnectionTrait, name: &str) -> Result<Model, Error> {
    find_team(db, name).await?.ok_or_else(|| Error::not_found("team", name))
}

/// The team of a name, if there is one.
pub(crate) async fn find_team(db: &impl ConnectionTrait, name: &str) -> Result<Option<Model>, Error> {
    Ok(Entity::find().filter(Column::Name.eq(name)).one(db).await?)
}

/// What one request made or changed.
pub(crate) async fn get_team_by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Model, Error> {
    Entity::find_by_id(id).one(db).await?.ok_or_else(|| Error::not_found("team", id))
}

/// A page of teams, newest first; and the token of the next page.
pub(crate) async fn list_teams(db: &impl ConnectionTrait, page: Page) -> Result<(Vec<Model>, String), Error> {
    let rows = reader::newest_first::<Entity>(page, "create_time").all(db).await?;
    Ok(page.cut(rows, |row| PageToken { key: row.create_time.0, id: row.id }))
}

/// Creates a team. ALREADY_EXISTS when the name is taken; INVALID for a calendar that is not there.
pub(crate) async fn create_team(write: &Write<'_>, team: Model) -> Result<Done, Error> {
    if find_team(write.db, &team.name).await?.is_some() {
        let message = format!("there is a team `{}` already", team.name);
        return Err(Error::Exists { reason: "NAME_TAKEN", message });
    }
    check_calendar(write.db, team.calendar_id).await?;
    let row = Model { id: id::new(), version: 1, create_time: write.now, update_time: write.now, ..team };
    // Teams are no facts: they take no position.
    let done = Done { id: row.id, position: write.position() };
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(write.db).await?;
    Ok(done)
}

/// Changes a team by `change`. NOT_FOUND; ABORTED for a stale etag; INVALID for a calendar that is not there; what `change`
/// answers.
pub(crate) async fn change_team(
    write: &Write<'_>,
    name: &str,
    etag: &str,
    change: impl FnOnce(&Model) -> Result<Model, Error>,
) -> Result<Done, Error> {
    let old = get_team(write.db, name).await?;
    if !etag.is_empty() && etag != old.version.to_string() {
        return Err(Error::Stale { noun: "team" });
    }
    let Model { calendar_id, lead, manager, .. } = change(&old)?;
    let done = Done { id: old.id, position: write.position() };
    let new = Model { calendar_id, lead, manager, ..old.clone() };
    if new != old {
        check_calendar(write.db, calendar_id).await?;
        let new = Model { version: old.version + 1, update_time: write.now, ..new };
        new.into_active_model().reset_all().update(write.db).await?;
    }
    Ok(done)
}

/// By which calendars teams work that have one: their latest versions.
#[derive(Debug, Default)]
pub(crate) struct TeamCalendars(HashMap<String, (CalendarId, i64)>);

impl TeamCalendars {
    /// Those of these teams.
    pub(crate) async fn of(db: &impl ConnectionTrait, teams: BTreeSet<String>) -> Result<Self, Error> {
        let mut calendars: Vec<(String, CalendarId)> = Vec::new();
        for teams in teams.into_iter().collect::<Vec<_>>().chunks(MAX_NAMES) {
            let select = Entity::find().select_only().columns([Column::Name, Column::CalendarId]);
            let select = select.filter(Column::Name.is_in(any_of(teams.to_vec())));
            calendars.append(&mut select.filter(Column::CalendarId.is_not_null()).into_tuple().all(db).await?);
        }
        let ids: BTreeSet<Uuid> = calendars.iter().map(|(_, id)| id.0).collect();
        let latest = latest_versions(db, ids.into_iter().collect()).await?;
        let of_team = |(team, id)| Some((team, (id, *latest.get(&id)?)));
        Ok(TeamCalendars(calendars.into_iter().filter_map(of_team).collect()))
    }

    /// Notes on those of a case's entries that hand it to another team by which calendar it counts from then on: the team's,
    /// or else that which the case is bound to.
    pub(crate) fn note(&self, case: &case::Model, entries: &mut [case_entry::Model]) {
        if !case.has_clocks() {
            return;
        }
        for entry in entries.iter_mut().filter(|entry| is_hand_over(entry)) {
            (entry.calendar_id, entry.calendar_version) = match self.0.get(&entry.team) {
                Some((id, version)) => (Some(*id), *version),
                None => (case.calendar_id, case.calendar_version),
            };
        }
    }
}

/// The teams to which these entries hand cases.
pub(crate) fn handed_to<'e>(entries: impl IntoIterator<Item = &'e case_entry::Model>) -> BTreeSet<String> {
    let teams = entries.into_iter().filter(|entry| is_hand_over(entry)).map(|entry| &entry.team);
    teams.filter(|team| !team.is_empty()).cloned().collect()
}

fn is_hand_over(entry: &case_entry::Model) -> bool {
    entry.entry_type == i32::from(CaseEntryType::Assigned) && entry.team != entry.previous_team
}

async fn check_calendar(db: &impl ConnectionTrait, calendar: Option<CalendarId>) -> Result<(), Error> {
    let Some(id) = calendar else { return Ok(()) };
    match known_calendars(db, vec![id.0]).await?.contains(&id) {
        true => Ok(()),
        false => Err(Error::invalid("team.calendar_id", "UNKNOWN_CALENDAR", "there is no such calendar")),
    }
}
