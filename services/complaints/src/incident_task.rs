//! The incident task: what is done for an incident in the background, step by step.

use barometer_chassis::{clock::Micros, id};
use barometer_proto::complaints::v1::IncidentTaskType;
use sea_orm::entity::prelude::*;

use crate::incident::IncidentId;

/// A task's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "incident_task")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// For which incident.
    pub incident_id: IncidentId,
    /// As [`IncidentTaskType`].
    #[sea_orm(column_name = "type")]
    pub task_type: i32,
    /// Whether it is done.
    pub done: bool,
    /// Where it goes on: a step that finds another one was done by another replica. It may name a customer; empty once it is
    /// done.
    #[sea_orm(column_type = "Text")]
    pub place: String,
    /// What customers are told.
    #[sea_orm(column_type = "Text")]
    pub message: String,
    /// The country that customers have.
    pub country: String,
    /// The tier that customers have.
    pub tier: String,
    /// A tag of customers.
    pub tag: String,
    /// What it has done so far.
    pub count: i64,
    /// Why its last step failed.
    pub last_failure: String,
    /// Not before this instant is it tried again.
    pub next_time: Micros,
    /// Who asked for it.
    pub actor: String,
    /// When.
    pub create_time: Micros,
    /// When it was done.
    pub end_time: Option<Micros>,
    /// A segment in which customers are.
    pub segment: String,
    /// The number of the last customer whom it tells; of messages only.
    pub last_number: i64,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a task does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Links the cases of the rule.
    LinkCases,
    /// Names the customers of attributes; an empty one says nothing.
    AddCustomers {
        /// The country that they have.
        country: String,
        /// The tier that they have.
        tier: String,
        /// A tag of theirs.
        tag: String,
        /// A segment in which they are.
        segment: String,
    },
    /// Tells all customers something.
    SendMessage(String),
    /// Resolves the linked cases, and tells their customers something.
    ResolveCases(String),
}

impl Model {
    /// A new one.
    pub fn new(incident_id: IncidentId, work: Work, actor: &str, now: Micros) -> Self {
        let (mut country, mut tier, mut tag, mut segment, mut message) = Default::default();
        let task_type = match work {
            Work::LinkCases => IncidentTaskType::LinkCases,
            Work::AddCustomers { country: c, tier: t, tag: g, segment: s } => {
                (country, tier, tag, segment) = (c, t, g, s);
                IncidentTaskType::AddCustomers
            }
            Work::SendMessage(text) => {
                message = text;
                IncidentTaskType::SendMessage
            }
            Work::ResolveCases(text) => {
                message = text;
                IncidentTaskType::ResolveCases
            }
        };
        Model {
            id: id::new(),
            incident_id,
            task_type: task_type.into(),
            done: false,
            place: String::new(),
            message,
            country,
            tier,
            tag,
            segment,
            count: 0,
            last_failure: String::new(),
            next_time: now,
            actor: actor.to_owned(),
            create_time: now,
            end_time: None,
            last_number: 0,
        }
    }

    /// What it does.
    pub fn task_type(&self) -> IncidentTaskType {
        IncidentTaskType::try_from(self.task_type).unwrap_or_default()
    }

    /// A step was done, and it goes on at a place; or it is done.
    pub fn advance(mut self, count: usize, place: Option<String>, now: Micros) -> Self {
        self.count += i64::try_from(count).unwrap_or(i64::MAX);
        self.last_failure.clear();
        match place {
            Some(place) => self.place = place,
            None => (self.done, self.end_time, self.place) = (true, Some(now), String::new()),
        }
        self
    }

    /// It ends before it has done all, for a reason.
    pub fn cut_short(self, reason: &str, now: Micros) -> Self {
        Model { last_failure: reason.to_owned(), ..self.advance(0, None, now) }
    }

    /// Its last step failed: it is tried again at an instant.
    pub fn fail(self, reason: &str, next_time: Micros) -> Self {
        Model { last_failure: reason.to_owned(), next_time, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_is_done_forgets_where_it_was() {
        let [country, tier, tag, segment] = ["MD", "", "", ""].map(str::to_owned);
        let work = Work::AddCustomers { country, tier, tag, segment };
        let new = Model::new(IncidentId::default(), work, "ana", Micros(1));
        let second = new.advance(500, Some("a customer's place".to_owned()), Micros(2));
        assert_eq!((second.done, second.count, second.place.as_str()), (false, 500, "a customer's place"));
        let done = second.clone().advance(1, None, Micros(3));
        assert_eq!((done.done, done.count, done.place.as_str()), (true, 501, ""));
        let ended = second.cut_short("NOT_OPEN", Micros(3));
        assert_eq!((ended.done, ended.count, ended.place.as_str()), (true, 500, ""));
        assert_eq!((ended.last_failure.as_str(), ended.end_time), ("NOT_OPEN", Some(Micros(3))));
    }
}
