//! The case clock: one run of one clock of a case, as it is kept for lists, watchers and alarms. It follows from the case's
//! history alone; see [`clock`](crate::clock).

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1::clock::State;
use sea_orm::entity::prelude::*;

use crate::{
    calendar_version::CalendarId,
    case,
    case_entry::CaseId,
    clock::{Amount, History, Kept},
};

/// A clock's row. It changes only when something happens to its case.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "case_clock")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// First position in the feed.
    pub number: i64,
    /// Latest position in the feed.
    pub position: i64,
    /// From 1, one more with each change.
    pub version: i64,
    /// The case.
    pub case_id: CaseId,
    /// The case's number in the feed.
    pub case_number: i64,
    /// What it waits for, as `ClockKind`.
    pub kind: i32,
    /// The how-manieth of its kind in this case, from 1.
    pub instance: i32,
    /// How it is, as [`State`]: running or paused until it stops, past due or not.
    pub state: i32,
    /// Since when it runs.
    pub start_time: Micros,
    /// When it is or was due; nothing while it stands before that.
    pub due_time: Option<Micros>,
    /// When it stopped.
    pub stop_time: Option<Micros>,
    /// The target in force: so many
    pub target_amount: i32,
    /// of this, as `DurationUnit`.
    pub target_unit: i32,
    /// Whether the target after a holding response is in force.
    pub held: bool,
    /// What the target comes to, in microseconds or days.
    pub allowed: i64,
    /// What was counted, in microseconds or days; nothing while it runs.
    pub used: Option<i64>,
    /// Over how much working time it ran; nothing until it stops.
    pub working_micros: Option<i64>,
    /// The same round the clock.
    pub elapsed_micros: Option<i64>,
    /// The policy that its target is of.
    pub policy_name: String,
    /// The version of the policies that it stands in.
    pub policy_set_version: i64,
    /// The calendar in force.
    pub calendar_id: CalendarId,
    /// The calendar's version.
    pub calendar_version: i64,
    /// When it was first there.
    pub create_time: Micros,
    /// When it last changed.
    pub update_time: Micros,
    /// When it turned out that the case has no such clock.
    pub withdraw_time: Option<Micros>,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Of a case's clock. Id, positions and times of the row are the writer's.
    pub(crate) fn new(case: &case::Model, history: &History<'_>, clock: &Kept) -> Model {
        let Kept { kind, instance, state, start, due, stop, target, held, allowed, used, ran, terms, desk } = *clock;
        let (policy, calendar) = (&history.terms(terms).policy, history.desk(desk).calendar);
        let target = target.to_wire();
        Model {
            case_id: CaseId(case.id),
            case_number: case.number,
            kind: kind.to_wire().into(),
            instance: i32::try_from(instance).unwrap_or(i32::MAX),
            state: state.to_wire().into(),
            start_time: start,
            due_time: due,
            stop_time: stop,
            target_amount: target.amount,
            target_unit: target.unit,
            held,
            allowed: allowed.count(),
            used: used.map(Amount::count),
            working_micros: ran.map(|ran| ran.working),
            elapsed_micros: ran.map(|ran| ran.elapsed),
            policy_name: policy.name.clone(),
            policy_set_version: policy.set_version,
            calendar_id: CalendarId(calendar.id),
            calendar_version: calendar.version,
            ..Model::default()
        }
    }

    /// Which of its case's clocks it is.
    pub(crate) fn key(&self) -> (i32, i32) {
        (self.kind, self.instance)
    }

    /// The same clock as it was kept before, if it is another now.
    pub(crate) fn change(self, old: &Model) -> Option<Model> {
        let Model { id, number, position, version, create_time, update_time, .. } = *old;
        let new = Model { id, number, position, version, create_time, update_time, ..self };
        (new != *old).then_some(new)
    }

    /// When it is or was due, if it runs.
    pub(crate) fn runs_until(&self) -> Option<Micros> {
        self.due_time.filter(|_| self.state == i32::from(State::Running) && self.withdraw_time.is_none())
    }
}
