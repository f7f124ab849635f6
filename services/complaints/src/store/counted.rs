//! By what a case is counted.

use barometer_chassis::{clock::Micros, error::Error};
use sea_orm::ConnectionTrait;

use super::Book;
use crate::{
    case,
    clock::{self, Dated, Desk, Entry, History, Terms},
};

/// What happened to a case, and by which policies and calendars it is counted.
#[derive(Debug)]
pub(crate) struct Counted {
    events: Vec<Dated>,
    terms: Vec<Terms>,
    desks: Vec<Desk>,
}

impl Counted {
    /// For counting.
    pub(crate) fn history(&self) -> Result<History<'_>, Error> {
        History::new(&self.events, &self.terms, &self.desks)
    }
}

impl Book {
    /// By what a case with these entries is counted, of which those until an instant have happened; nothing of one that has
    /// no clocks, because it is bound to no policy or was withdrawn.
    pub(crate) async fn count(
        &self,
        db: &impl ConnectionTrait,
        case: &case::Model,
        entries: &[Entry],
        until: Micros,
    ) -> Result<Option<Counted>, Error> {
        if !case.has_clocks() {
            return Ok(None);
        }
        let Some((terms, desk)) = self.terms(db, case).await? else { return Ok(None) };
        Ok(Some(Counted { events: clock::events(entries, until), terms: vec![terms], desks: vec![desk] }))
    }
}
