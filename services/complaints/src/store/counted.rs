//! By what a case is counted.

use barometer_chassis::{clock::Micros, error::Error};
use sea_orm::ConnectionTrait;

use super::{Book, Today};
use crate::{
    case::{self, Binding, Rebase},
    clock::{self, Dated, Desk, Entry, History, PolicyVersion, Terms},
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
        let rebases: Vec<&Rebase> = entries.iter().filter_map(|entry| entry.rebase.as_deref()).collect();
        let first = rebases.first().map_or_else(|| case.binding(), |rebase| rebase.from.clone());
        let mut counted = Counted { events: clock::events(entries, until), terms: Vec::new(), desks: Vec::new() };
        let later = rebases.iter().map(|rebase| rebase.to.clone());
        for (place, binding) in std::iter::once(first).chain(later.map(Some)).enumerate() {
            let (terms, desk) = match binding {
                Some(binding) => self.terms(db, &binding).await?,
                // Until it was bound to any, nothing was promised.
                None => {
                    let next = rebases.get(place).map(|rebase| &rebase.to);
                    let next = next.ok_or_else(|| Error::Internal("a case is counted by nothing".to_owned()))?;
                    (Terms::new(PolicyVersion::default(), []), self.terms(db, next).await?.1)
                }
            };
            counted.terms.push(terms);
            counted.desks.push(desk);
        }
        Ok(Some(counted))
    }

    /// The same if the case were bound to these policies at that instant; `now` is by what it is counted, if by anything.
    pub(crate) async fn count_rebased(
        &self,
        db: &impl ConnectionTrait,
        policies: &Today,
        now: Option<&Counted>,
        to: &Binding,
        entries: &[Entry],
        at: Micros,
    ) -> Result<Counted, Error> {
        let terms = policies.terms(to)?;
        let desk = self.desk(db, to.calendar_id, to.calendar_version).await?;
        let Some(Counted { events, terms: before, desks }) = now else {
            return Ok(Counted { events: clock::events(entries, at), terms: vec![terms], desks: vec![desk] });
        };
        let place = |places: usize| u16::try_from(places).map_err(|_| Error::Internal("too many re-bases".to_owned()));
        let event = clock::Event::Rebased { terms: place(before.len())?, desk: place(desks.len())? };
        Ok(Counted {
            events: events.iter().copied().chain([Dated { at, event }]).collect(),
            terms: before.iter().cloned().chain([terms]).collect(),
            desks: desks.iter().cloned().chain([desk]).collect(),
        })
    }
}
