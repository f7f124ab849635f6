//! The case entry: one thing that happened to a case. Entries are only ever added.

use barometer_chassis::{clock::Micros, id};
use barometer_proto::complaints::v1::{CaseEntryType, case::State};
use sea_orm::entity::prelude::*;

use crate::case::{self, Step};

id! {
    /// Id of a case.
    CaseId
}

/// An entry's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "case_entry")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Position in the feed: the first and only one.
    pub position: i64,
    /// The case.
    pub case_id: CaseId,
    /// The case's number in the feed.
    pub case_number: i64,
    /// What happened, as [`CaseEntryType`].
    #[sea_orm(column_name = "type")]
    pub entry_type: i32,
    /// When it happened.
    pub time: Micros,
    /// Who made the request that brought it.
    pub actor: String,
    /// Personal data.
    #[sea_orm(column_type = "Text")]
    pub text: String,
    /// State of the case after it, as [`State`].
    pub state: i32,
    /// Who has the case after it.
    pub employee: String,
    /// The team that has the case after it.
    pub team: String,
    /// Who had it before; only of assignments.
    pub previous_employee: String,
    /// The team that had it before; only of assignments.
    pub previous_team: String,
    /// When it was recorded.
    pub create_time: Micros,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The history that a new case has: it was opened, and went as far as it has come. Ids and positions are the writer's.
pub(crate) fn of_new(case: &case::Model, now: Micros) -> Vec<Model> {
    let resolved = case.first_resolve_time;
    // A case that had its first answer when it was resolved has no other.
    let responded = case.first_response_time.filter(|_| case.first_response_time != resolved);
    let past = [
        (Some(case.open_time), CaseEntryType::Opened, State::Received),
        (case.acknowledge_time, CaseEntryType::Acknowledged, State::Acknowledged),
        (responded, CaseEntryType::Responded, State::InProgress),
        (resolved, CaseEntryType::Resolved, State::Resolved),
        (case.close_time, CaseEntryType::Closed, State::Closed),
    ];
    let entry = |(time, event, state)| Some(entry(case, event, state, time?, &case.actor, "", now));
    past.into_iter().filter_map(entry).collect()
}

/// The entry of a verb.
pub(crate) fn of_step(step: &Step, actor: &str, text: &str, now: Micros) -> Model {
    let mut entry = entry(&step.case, step.event, step.case.state(), step.time, actor, text, now);
    if step.event == CaseEntryType::Assigned {
        entry.previous_employee.clone_from(&step.before.employee);
        entry.previous_team.clone_from(&step.before.team);
    }
    entry
}

fn entry(
    case: &case::Model,
    event: CaseEntryType,
    state: State,
    time: Micros,
    actor: &str,
    text: &str,
    now: Micros,
) -> Model {
    Model {
        id: Uuid::nil(),
        position: 0,
        case_id: CaseId(case.id),
        case_number: case.number,
        entry_type: event.into(),
        time,
        actor: actor.to_owned(),
        text: text.to_owned(),
        state: state.into(),
        employee: case.employee.clone(),
        team: case.team.clone(),
        previous_employee: String::new(),
        previous_team: String::new(),
        create_time: now,
    }
}
