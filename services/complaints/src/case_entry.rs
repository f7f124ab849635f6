//! The case entry: one thing that happened to a case. Entries are only ever added.

use std::sync::Arc;

use barometer_chassis::{clock::Micros, id};
use barometer_proto::complaints::v1::{CaseEntryType, FollowUpOutcome, LinkType, ReplyType, case::State};
use sea_orm::entity::prelude::*;

use crate::{
    calendar_version::CalendarId,
    case::{self, Attachments, Holder, Outcome, Rebase, Step},
    clock::{Entry, Version},
    incident::IncidentId,
};

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
    /// Who has the case after it; of assignments of a promise, who answers for that.
    pub employee: String,
    /// The team that has the case after it; of assignments of a promise, the one that answers for that.
    pub team: String,
    /// Who had it before; only of assignments.
    pub previous_employee: String,
    /// The team that had it before; only of assignments.
    pub previous_team: String,
    /// When it was recorded.
    pub create_time: Micros,
    /// What kind of reply it was, as [`ReplyType`]; only of replies.
    pub reply: i32,
    /// Whether the message asks for nothing; only of the customer's messages.
    pub needs_no_answer: bool,
    /// Priority of the case after it, as `Priority`; only of changes of it.
    pub priority: i32,
    /// Priority of the case before it; only of changes of it.
    pub previous_priority: i32,
    /// Personal data: what came with it.
    #[sea_orm(column_type = "JsonBinary")]
    pub attachments: Attachments,
    /// The other case; only of links and merges.
    pub other_case_id: Option<CaseId>,
    /// What the case is to the other one, as `LinkType`; only of links.
    pub link: i32,
    /// What was decided; only of decisions.
    #[sea_orm(column_type = "JsonBinary")]
    pub outcome: Option<Outcome>,
    /// Whether the customer says that it is solved; only when they do.
    pub accepted: Option<bool>,
    /// How satisfied the customer is, 1 to 5; only when they say so.
    pub satisfaction: Option<i32>,
    /// The promise; only of entries about promises.
    pub promise_id: Option<Uuid>,
    /// The step of a ladder; only of escalations.
    pub escalation_id: Option<Uuid>,
    /// By what the case was counted, and is since; only of re-bases.
    #[sea_orm(column_type = "JsonBinary")]
    pub rebase: Option<Rebase>,
    /// What came of the follow-up, as [`FollowUpOutcome`]; only of entries about that.
    pub follow_up_outcome: i32,
    /// The calendar by which the case counts from then on; only of those that hand it to another team.
    pub calendar_id: Option<CalendarId>,
    /// The calendar's version then.
    pub calendar_version: i64,
    /// The incident; only of what it did.
    pub incident_id: Option<IncidentId>,
}

/// What was said with a verb.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The message, note or reason. Personal data.
    pub text: String,
    /// What kind of reply it is; only of replies.
    pub reply: ReplyType,
    /// Whether the customer's message asks for nothing.
    pub needs_no_answer: bool,
    /// What goes with it.
    pub attachments: Attachments,
    /// The other case; of links and merges only.
    pub other: Option<CaseId>,
    /// What the case is to the other one; of links only.
    pub link: LinkType,
    /// The promise; of entries about promises only.
    pub promise: Option<Uuid>,
    /// The step of a ladder that was taken; of escalations only.
    pub escalation: Option<Uuid>,
    /// What came of the follow-up; of entries about that only.
    pub follow_up_outcome: FollowUpOutcome,
    /// The incident that did it.
    pub incident: Option<IncidentId>,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// An entry of what went from somebody to somebody that is not the case.
    pub(crate) fn of_hand_over(self, from: Holder, to: Holder) -> Self {
        let (Holder { employee, team }, previous_employee, previous_team) = (to, from.employee, from.team);
        Model { employee, team, previous_employee, previous_team, ..self }
    }

    /// What clocks need of it.
    pub(crate) fn for_clocks(&self) -> Entry {
        Entry {
            entry_type: CaseEntryType::try_from(self.entry_type).unwrap_or_default(),
            time: self.time,
            state: State::try_from(self.state).unwrap_or_default(),
            reply: ReplyType::try_from(self.reply).unwrap_or_default(),
            needs_no_answer: self.needs_no_answer,
            calendar: self.calendar_id.map(|id| Version { id: id.0, version: self.calendar_version }),
            rebase: self.rebase.clone().map(Arc::new),
        }
    }
}

/// The history that a new case has: it was opened, and went as far as it has come. Ids and positions are the writer's.
pub(crate) fn of_new(case: &case::Model, now: Micros) -> Vec<Model> {
    let resolved = case.first_resolve_time;
    // A case that had its first answer when it was resolved has no other.
    let responded = case.first_response_time.filter(|_| case.first_response_time != resolved);
    let decided = resolved.filter(|_| case.outcome.is_some());
    let past = [
        (Some(case.open_time), CaseEntryType::Opened, State::Received),
        (case.acknowledge_time, CaseEntryType::Acknowledged, State::Acknowledged),
        (responded, CaseEntryType::Responded, State::InProgress),
        (resolved, CaseEntryType::Resolved, State::Resolved),
        (decided, CaseEntryType::OutcomeSet, State::Resolved),
        (case.close_time, CaseEntryType::Closed, State::Closed),
    ];
    let entry = |(time, event, state)| {
        let mut entry = entry(case, event, state, time?, &case.actor, now);
        match event {
            CaseEntryType::Responded => entry.reply = ReplyType::Answer.into(),
            CaseEntryType::OutcomeSet => entry.outcome.clone_from(&case.outcome),
            _ => {}
        }
        Some(entry)
    };
    past.into_iter().filter_map(entry).collect()
}

/// The entries of a verb, in order. What was said goes with the first.
pub(crate) fn of_step(step: &Step, actor: &str, said: &Said, now: Micros) -> Vec<Model> {
    let entry = |(at, (event, state)): (usize, &(CaseEntryType, State))| {
        let mut entry = entry(&step.case, *event, *state, step.time, actor, now);
        if at == 0 {
            entry.text.clone_from(&said.text);
            entry.attachments.clone_from(&said.attachments);
        }
        (entry.other_case_id, entry.link) = (said.other, said.link.into());
        entry.incident_id = said.incident;
        (entry.promise_id, entry.follow_up_outcome) = (said.promise, said.follow_up_outcome.into());
        match event {
            CaseEntryType::Responded => entry.reply = said.reply.into(),
            CaseEntryType::CustomerWrote => entry.needs_no_answer = said.needs_no_answer,
            CaseEntryType::Assigned => {
                entry.previous_employee.clone_from(&step.before.employee);
                entry.previous_team.clone_from(&step.before.team);
            }
            CaseEntryType::Prioritized => {
                (entry.priority, entry.previous_priority) = (step.case.priority, step.before.priority);
            }
            CaseEntryType::OutcomeSet => entry.outcome.clone_from(&step.case.outcome),
            CaseEntryType::Escalated => entry.escalation_id = said.escalation,
            CaseEntryType::Rebased => {
                entry.rebase = step.case.binding().map(|to| Rebase { from: step.before.binding(), to });
            }
            CaseEntryType::AcceptanceRecorded => {
                (entry.accepted, entry.satisfaction) = (step.case.accepted, step.case.satisfaction);
            }
            _ => {}
        }
        entry
    };
    step.events.iter().enumerate().map(entry).collect()
}

fn entry(case: &case::Model, event: CaseEntryType, state: State, time: Micros, actor: &str, now: Micros) -> Model {
    Model {
        id: Uuid::nil(),
        position: 0,
        case_id: CaseId(case.id),
        case_number: case.number,
        entry_type: event.into(),
        time,
        actor: actor.to_owned(),
        text: String::new(),
        state: state.into(),
        employee: case.employee.clone(),
        team: case.team.clone(),
        previous_employee: String::new(),
        previous_team: String::new(),
        create_time: now,
        reply: ReplyType::Unspecified.into(),
        needs_no_answer: false,
        priority: 0,
        previous_priority: 0,
        attachments: Attachments::default(),
        other_case_id: None,
        link: LinkType::Unspecified.into(),
        outcome: None,
        accepted: None,
        incident_id: None,
        satisfaction: None,
        rebase: None,
        promise_id: None,
        escalation_id: None,
        follow_up_outcome: FollowUpOutcome::Unspecified.into(),
        calendar_id: None,
        calendar_version: 0,
    }
}
