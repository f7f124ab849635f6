//! What the RPCs do that tell what other policies would change for open cases, and that change it.

use std::collections::HashSet;

use barometer_chassis::{
    clock::Micros,
    door::{Door, Page},
    error::Error,
    fingerprint,
    layers::Principal,
};
use barometer_proto::complaints::v1 as wire;
use uuid::Uuid;

use super::{Policies, mutation};
use crate::{
    case::Model,
    case_entry::Said,
    clock::Entry,
    policy::{PolicyList, effects},
    store::{self, MAX_ENTRIES, Today},
    wire::{named_calendars, parse_policy_list, render_effect},
};

/// The most cases of a request that names them.
const MAX_NAMED: usize = 100;
/// The most cases that are put under another policy in one transaction.
const MAX_REBASED: u16 = 200;
/// Histories that are read at once.
const AT_ONCE: usize = 100;
/// Longest note.
const MAX_NOTE: usize = 10_000;

impl Policies {
    pub(super) async fn list_effects(
        &self,
        request: wire::ListPolicyEffectsRequest,
    ) -> Result<wire::ListPolicyEffectsResponse, Error> {
        let wire::ListPolicyEffectsRequest { policy_set, page_size, page_token, case_ids } = request;
        let named = policy_set.as_ref().map(named_calendars).unwrap_or_default();
        let calendars = store::known_calendars(self.store.db(), named).await?;
        let (list, named, page) = Door::open(|door| {
            let list = policy_set.map(|set| door.inside("policy_set", |door| parse_policy_list(door, set, &calendars)));
            (list, parse_named(door, case_ids), door.page(page_size, &page_token))
        })?;
        let today = self.tried(list).await?;
        let (cases, next_page_token) = if named.is_empty() {
            store::list_open(self.store.db(), page).await?
        } else {
            let mut cases = store::get_cases(self.store.db(), &named).await?;
            cases.retain(|case| case.is_open() && case.withdraw_time.is_none());
            (cases, String::new())
        };
        let examined = i32::try_from(cases.len()).unwrap_or(i32::MAX);
        let (mut effects, mut skipped, now) = (Vec::new(), 0, Micros::now());
        for cases in cases.chunks(AT_ONCE) {
            let ids = || cases.iter().map(|case| case.id).collect();
            match store::list_past(self.store.db(), ids(), MAX_ENTRIES).await? {
                Some(mut past) => {
                    for case in cases {
                        let entries = past.remove(&case.id).unwrap_or_default();
                        effects.extend(self.effect(&today, case, &entries, now).await?);
                    }
                }
                // Together they have too many entries; perhaps one of them has alone.
                None => {
                    for case in cases {
                        match store::list_past(self.store.db(), vec![case.id], MAX_ENTRIES).await? {
                            None => skipped += 1,
                            Some(mut past) => {
                                let entries = past.remove(&case.id).unwrap_or_default();
                                effects.extend(self.effect(&today, case, &entries, now).await?);
                            }
                        }
                    }
                }
            }
        }
        Ok(wire::ListPolicyEffectsResponse { effects, examined, skipped, next_page_token })
    }

    pub(super) async fn rebase(
        &self,
        actor: &Principal,
        mut request: wire::RebaseCasesRequest,
    ) -> Result<wire::RebaseCasesResponse, Error> {
        let request_text = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::RebaseCasesRequest { case_ids, note, page_size, page_token, request_id: _ } = request;
        let (named, note, page, request_id) = Door::open(|door| {
            let named = parse_named(door, case_ids);
            let page = door.page(page_size, &page_token);
            let page = Page { size: page.size.min(MAX_REBASED), ..page };
            (named, door.text("note", note, MAX_NOTE), page, door.request_id(&request_text))
        })?;
        self.tried(None).await?;
        let (ids, next_page_token) = if named.is_empty() {
            let (cases, next) = store::list_open(self.store.db(), page).await?;
            (cases.into_iter().map(|case| case.id).collect(), next)
        } else {
            store::get_cases(self.store.db(), &named).await?;
            (named, String::new())
        };
        let examined = i32::try_from(ids.len()).unwrap_or(i32::MAX);
        let (sender, counted) = tokio::sync::oneshot::channel();
        let request = mutation("RebaseCases", actor, request_id, fingerprint);
        let (book, actor) = (self.book.clone(), actor.to_string());
        let work = self.store.writer.run(request, move |write| {
            Box::pin(async move {
                let said = Said { text: note, ..Said::default() };
                let (rebased, done) = store::rebase(write, &book, ids, &actor, &said).await?;
                // Nobody waits for it when the call was given up.
                let _ = sender.send(rebased);
                Ok(done)
            })
        });
        let done = work.await?;
        // A repeat counts nothing: it has changed nothing.
        let rebased = counted.await.unwrap_or(0);
        let position = if rebased == 0 { String::new() } else { self.store.feed.token(done.position).await? };
        Ok(wire::RebaseCasesResponse { examined, rebased, next_page_token, position })
    }

    /// What a case would be bound to: by this list, as if it were published now, or by the latest that was.
    async fn tried(&self, list: Option<PolicyList>) -> Result<Today, Error> {
        let today = match list {
            Some(list) => self.book.trying(self.store.db(), list).await?,
            None => self.book.today(self.store.db()).await?,
        };
        if today.is_empty() {
            return Err(Error::not_found("policy set", "yet"));
        }
        Ok(today)
    }

    /// What would change for a case, if anything does.
    async fn effect(
        &self,
        today: &Today,
        case: &Model,
        entries: &[Entry],
        at: Micros,
    ) -> Result<Option<wire::PolicyEffect>, Error> {
        let mut bound = case.clone();
        today.bind(&mut bound)?;
        let Some(to) = bound.binding() else { return Ok(None) };
        let now = self.book.count(self.store.db(), case, entries, at).await?;
        if !self.book.differ(self.store.db(), case.binding().as_ref(), today, &to).await? {
            return Ok(None);
        }
        let policy = to.policy.clone();
        let then = self.book.count_rebased(self.store.db(), case, entries, today, to, at).await?;
        let history = now.as_ref().map(|counted| counted.history()).transpose()?;
        let clocks = effects(history.as_ref(), &then.history()?, at);
        Ok(Some(render_effect(case, policy, clocks)))
    }
}

/// The cases of a request that names them.
fn parse_named(door: &mut Door, case_ids: Vec<String>) -> Vec<Uuid> {
    let mut seen = HashSet::new();
    door.each("case_ids", case_ids, MAX_NAMED, |door, id| {
        let id = door.id("", &id);
        if !id.is_nil() && !seen.insert(id) {
            door.refuse("", "TWICE", "stands there twice");
        }
        id
    })
}
