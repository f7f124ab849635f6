//! The claim: that an employee works on a case for a while, under a lease.

use barometer_chassis::{clock::Micros, error::Error};
use barometer_proto::complaints::v1::ClaimEnd;
use sea_orm::entity::prelude::*;

use crate::case_entry::CaseId;

/// A claim's row. Of one case at most one runs: a unique index sees to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "claim")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// First position in the feed.
    pub number: i64,
    /// Latest position in the feed.
    pub position: i64,
    /// From 1, one more with each change but heartbeats.
    pub version: i64,
    /// The case.
    pub case_id: CaseId,
    /// The case's number in the feed.
    pub case_number: i64,
    /// Who works on it.
    pub employee: String,
    /// The team that had the case then.
    pub team: String,
    /// When it began.
    pub start_time: Micros,
    /// The last sign of life.
    pub heartbeat_time: Micros,
    /// How long it runs without one, in microseconds.
    pub lease_micros: i64,
    /// Until when it runs.
    pub lease_time: Micros,
    /// When it ended; nothing while it runs.
    pub end_time: Option<Micros>,
    /// How it ended, as [`ClaimEnd`].
    pub end: i32,
    /// How long the case was worked on, in microseconds; nothing while it runs.
    pub handling_micros: Option<i64>,
    /// Who asked for it.
    pub actor: String,
    /// When it last changed, heartbeats apart.
    pub update_time: Micros,
}

/// How many claims of an employee may run at a time: 5, unless the server's flags say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimLimit(pub u32);

impl Default for ClaimLimit {
    fn default() -> Self {
        ClaimLimit(5)
    }
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Whether it runs at an instant: it has not ended, and neither has its lease.
    pub fn runs(&self, now: Micros) -> bool {
        self.end_time.is_none() && now < self.lease_time
    }

    /// Refuses what has ended.
    pub fn check(&self, now: Micros) -> Result<(), Error> {
        match self.end_time {
            _ if self.runs(now) => Ok(()),
            end => {
                let message = format!("the claim ended at {}", end.unwrap_or(self.lease_time));
                Err(Error::State { reason: "CLAIM_ENDED", message })
            }
        }
    }

    /// There is a sign of life: the lease begins anew.
    pub fn renewed(self, now: Micros) -> Model {
        // A clock that lags behind takes nothing back.
        let now = now.max(self.heartbeat_time);
        Model { heartbeat_time: now, lease_time: Micros(now.0.saturating_add(self.lease_micros)), ..self }
    }

    /// It ended. One whose lease ended did so then, and was worked on until the last sign of life.
    pub fn ended(self, end: ClaimEnd, now: Micros) -> Model {
        let (at, worked) = match end {
            ClaimEnd::Expired => (self.lease_time, self.heartbeat_time),
            _ => (now.max(self.start_time), now.max(self.start_time)),
        };
        let handling_micros = Some(worked.0 - self.start_time.0);
        Model { end_time: Some(at), end: end.into(), handling_micros, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> Model {
        let (start, lease_micros) = (Micros(100), 30);
        Model { start_time: start, heartbeat_time: start, lease_micros, lease_time: Micros(130), ..Model::default() }
    }

    #[test]
    fn it_runs_until_its_lease_ends_and_each_sign_of_life_begins_it_anew() {
        assert!(claim().runs(Micros(129)) && !claim().runs(Micros(130)));
        let renewed = claim().renewed(Micros(120));
        assert_eq!((renewed.heartbeat_time, renewed.lease_time), (Micros(120), Micros(150)));
        assert_eq!(claim().renewed(Micros(90)), claim(), "a clock that lags behind");
        assert!(claim().check(Micros(129)).is_ok() && claim().check(Micros(130)).is_err());
        assert!(claim().ended(ClaimEnd::Finished, Micros(110)).check(Micros(111)).is_err());
    }

    #[test]
    fn handling_time_ends_with_it_or_with_the_last_sign_of_life() {
        let handled = |end, at| {
            let ended = claim().renewed(Micros(120)).ended(end, Micros(at));
            (ended.end_time, ended.handling_micros)
        };
        for end in [ClaimEnd::Finished, ClaimEnd::Released, ClaimEnd::Taken] {
            assert_eq!(handled(end, 140), (Some(Micros(140)), Some(40)));
            assert_eq!(handled(end, 90), (Some(Micros(100)), Some(0)), "a clock that lags behind");
        }
        assert_eq!(handled(ClaimEnd::Expired, 900), (Some(Micros(150)), Some(20)));
    }
}
