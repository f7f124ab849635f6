//! The alarm: when somebody has to look next at a thing that time passes for.
//!
//! A subject (a clock of a case, and whatever else is to be done at an instant) has at most one alarm: the next. Whoever
//! writes the subject sets it in the same transaction, by [`store::set_alarms`](crate::store::set_alarms), or clears it.
//! Each replica looks for alarms that are due and, in a transaction of the writer, does what the subject wants; see
//! [`watch`](crate::workers::watch). The subject is derived anew there: an alarm says only that somebody has to look, and one that
//! rings in vain does nothing. What is done has to set the next alarm, or clear it.
//!
//! To give alarms to another noun: add it to [`Subject`], set its alarms with its rows, and say in `ring` of
//! [`watch`](crate::workers::watch) what is done.

use barometer_chassis::clock::Micros;
use sea_orm::entity::prelude::*;

use crate::case_entry::CaseId;

/// An alarm's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alarm")]
pub struct Model {
    /// Id of the subject.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject_id: Uuid,
    /// What it is, as [`Subject`].
    pub subject: i32,
    /// The case whose clock it is, if it is one: its alarms go with it.
    pub case_id: Option<CaseId>,
    /// When to look.
    pub time: Micros,
    /// When it was set.
    pub set_time: Micros,
}

/// What has alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A clock of a case: the next step of its ladder.
    Clock,
    /// A promise: the next step of its ladder.
    Promise,
}

impl Subject {
    /// As it is kept.
    pub fn number(self) -> i32 {
        match self {
            Subject::Clock => 1,
            Subject::Promise => 2,
        }
    }

    /// From what is kept; nothing of what a newer release keeps.
    pub fn of(number: i32) -> Option<Subject> {
        match number {
            1 => Some(Subject::Clock),
            2 => Some(Subject::Promise),
            _ => None,
        }
    }
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
