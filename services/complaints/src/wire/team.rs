//! Teams: message ⇄ row.

use barometer_chassis::door::Door;
use barometer_proto::complaints::v1 as wire;

use crate::{calendar_version::CalendarId, team::Model};

/// The fields of a team that can be changed.
pub(crate) const TEAM_CHANGEABLE: [&str; 3] = ["calendar_id", "lead", "manager"];

/// A team as a caller describes it; id, version and times are the writer's.
pub(crate) fn parse_team(door: &mut Door, message: wire::Team, actor: String) -> Model {
    let wire::Team { name, calendar_id, lead, manager, etag: _, create_time: _, update_time: _ } = message;
    Model {
        name: door.required_text("name", name, 64),
        calendar_id: door.optional_id("calendar_id", &calendar_id).map(CalendarId),
        lead: door.text("lead", lead, 64),
        manager: door.text("manager", manager, 64),
        actor,
        ..Model::default()
    }
}

/// A team for callers.
pub(crate) fn render_team(row: Model) -> wire::Team {
    let Model { id: _, name, version, calendar_id, lead, manager, actor: _, create_time, update_time } = row;
    wire::Team {
        name,
        calendar_id: calendar_id.map(|id| id.to_string()).unwrap_or_default(),
        lead,
        manager,
        etag: version.to_string(),
        create_time: Some(create_time.to_wire()),
        update_time: Some(update_time.to_wire()),
    }
}
