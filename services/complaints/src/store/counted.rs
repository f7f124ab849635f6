//! By what a case is counted.

use barometer_chassis::{clock::Micros, error::Error};
use sea_orm::ConnectionTrait;

use super::{Book, list_newer_versions};
use crate::{
    calendar_version::CalendarId,
    case,
    clock::{self, Dated, Desk, Entry, History, Kind, Renewal, Terms, Version},
};

/// What happened to a case, and by which policies and calendars it is counted.
#[derive(Debug)]
pub(crate) struct Counted {
    events: Vec<Dated>,
    terms: Vec<Terms>,
    desks: Vec<Desk>,
    renewals: Vec<Renewal>,
}

impl Counted {
    /// For counting.
    pub(crate) fn history(&self) -> Result<History<'_>, Error> {
        History::new(&self.events, &self.terms, &self.desks)?.renewed(&self.renewals)
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
        let events = clock::events(entries, until);
        let mut counted = Counted { events, terms: vec![terms], desks: vec![desk], renewals: Vec::new() };
        self.renew(db, &mut counted).await?;
        Ok(Some(counted))
    }

    /// Adds the versions of its calendars that came to be in its course, of those by which clocks started.
    async fn renew(&self, db: &impl ConnectionTrait, counted: &mut Counted) -> Result<(), Error> {
        let started = [Kind::NextResponse, Kind::PeriodicUpdate];
        if !counted.terms.iter().any(|terms| started.iter().any(|kind| terms.target(*kind).is_some())) {
            return Ok(());
        }
        let starts = counted.events.iter().filter(|dated| dated.event.starts_clocks());
        let starts: Vec<Micros> = starts.map(|dated| dated.at).collect();
        let Some(last) = starts.last() else { return Ok(()) };
        for of in 0..counted.desks.len() {
            let Version { id, version } = counted.desks[of].calendar;
            let since = self.since(db, CalendarId(id), version).await?;
            // Of what lies in the past, as of imports, nothing started after that.
            if *last < since {
                continue;
            }
            let newer = list_newer_versions(db, CalendarId(id), version, since..=*last).await?;
            for (place, (version, at)) in newer.iter().enumerate() {
                let until = newer.get(place + 1).map_or(Micros(i64::MAX), |(_, until)| *until);
                let before = |instant: Micros| starts.partition_point(|start| *start < instant);
                if before(*at) == before(until) {
                    continue;
                }
                let index = |place: usize| {
                    u16::try_from(place).map_err(|_| Error::Internal("a case has too many calendars".to_owned()))
                };
                counted.renewals.push(Renewal { at: *at, of: index(of)?, by: index(counted.desks.len())? });
                counted.desks.push(self.desk(db, CalendarId(id), *version).await?);
            }
        }
        counted.renewals.sort_by_key(|renewal| renewal.at);
        Ok(())
    }
}
