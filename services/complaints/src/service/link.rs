//! What the RPCs do that tell how cases belong together: links and merges.

use barometer_chassis::{
    clock::Micros, door::Door, error::Error, fingerprint, layers::Principal, writer::Request as Mutation,
};
use barometer_proto::complaints::v1::{self as wire, LinkType};
use serde::Serialize;
use uuid::Uuid;

use super::{Complaints, command::MAX_TEXT};
use crate::{
    case::{Model, When},
    case_entry::CaseId,
    store,
    wire::{render_case, render_link},
};

/// Two cases and what is said of them. Serialised for its fingerprint.
#[derive(Debug, Serialize)]
struct Pair {
    id: Uuid,
    other: Option<Uuid>,
    /// As `LinkType`; 0 for merges.
    kind: i32,
    note: String,
    time: Option<Micros>,
    etag: String,
    #[serde(skip)]
    request_id: Option<Uuid>,
}

impl Complaints {
    pub(super) async fn link(&self, actor: &Principal, request: wire::LinkCasesRequest) -> Result<wire::Case, Error> {
        let wire::LinkCasesRequest { case_id, r#type, other_case_id, note, etag, request_id } = request;
        let (kind, pair) =
            Door::open(|door| parse_link(door, &case_id, r#type, &other_case_id, note, etag, &request_id))?;
        let request = mutation("LinkCases", actor, &pair)?;
        let (book, actor) = (self.book.clone(), actor.to_string());
        let work = self.store.change::<Model, _>(request, move |write| {
            Box::pin(async move {
                let Pair { id, other, note, etag, .. } = pair;
                store::add_link(write, &book, (id, &etag), kind, other.unwrap_or_default(), &actor, &note).await
            })
        });
        let (row, position) = work.await?;
        self.render_linked(row, position).await
    }

    pub(super) async fn unlink(
        &self,
        actor: &Principal,
        request: wire::UnlinkCasesRequest,
    ) -> Result<wire::Case, Error> {
        let wire::UnlinkCasesRequest { case_id, r#type, other_case_id, note, etag, request_id } = request;
        let (kind, pair) =
            Door::open(|door| parse_link(door, &case_id, r#type, &other_case_id, note, etag, &request_id))?;
        let request = mutation("UnlinkCases", actor, &pair)?;
        let (book, actor) = (self.book.clone(), actor.to_string());
        let work = self.store.change::<Model, _>(request, move |write| {
            Box::pin(async move {
                let Pair { id, other, note, etag, .. } = pair;
                store::remove_link(write, &book, (id, &etag), kind, other.unwrap_or_default(), &actor, &note).await
            })
        });
        let (row, position) = work.await?;
        self.render_linked(row, position).await
    }

    pub(super) async fn merge(&self, actor: &Principal, request: wire::MergeCaseRequest) -> Result<wire::Case, Error> {
        let wire::MergeCaseRequest { case_id, into_case_id, note, time, etag, request_id } = request;
        let pair = Door::open(|door| Pair {
            id: door.id("case_id", &case_id),
            other: Some(parse_other(door, "into_case_id", &into_case_id, &case_id)),
            kind: 0,
            note: door.text("note", note, MAX_TEXT),
            time: time.map(|at| door.past_time("time", Some(at))),
            etag,
            request_id: door.request_id(&request_id),
        })?;
        let request = mutation("MergeCase", actor, &pair)?;
        let (book, actor) = (self.book.clone(), actor.to_string());
        let work = self.store.change::<Model, _>(request, move |write| {
            Box::pin(async move {
                let Pair { id, other, note, time, etag, .. } = pair;
                let when = When { given: time, now: write.now };
                store::merge(write, &book, (id, &etag), other.unwrap_or_default(), &actor, &note, when).await
            })
        });
        let (row, position) = work.await?;
        Ok(render_case(row, position))
    }

    pub(super) async fn unmerge(
        &self,
        actor: &Principal,
        request: wire::UnmergeCaseRequest,
    ) -> Result<wire::Case, Error> {
        let wire::UnmergeCaseRequest { case_id, note, time, etag, request_id } = request;
        let pair = Door::open(|door| Pair {
            id: door.id("case_id", &case_id),
            other: None,
            kind: 0,
            note: door.text("note", note, MAX_TEXT),
            time: time.map(|at| door.past_time("time", Some(at))),
            etag,
            request_id: door.request_id(&request_id),
        })?;
        let request = mutation("UnmergeCase", actor, &pair)?;
        let (book, actor) = (self.book.clone(), actor.to_string());
        let work = self.store.change::<Model, _>(request, move |write| {
            Box::pin(async move {
                let Pair { id, note, time, etag, .. } = pair;
                let when = When { given: time, now: write.now };
                store::unmerge(write, &book, (id, &etag), &actor, &note, when).await
            })
        });
        let (row, position) = work.await?;
        Ok(render_case(row, position))
    }

    /// A case with its links.
    async fn render_linked(&self, row: Model, position: String) -> Result<wire::Case, Error> {
        let links = self.links(row.id).await?;
        Ok(wire::Case { links, ..render_case(row, position) })
    }

    /// The links of a case, as it sees them.
    pub(super) async fn links(&self, id: Uuid) -> Result<Vec<wire::CaseLink>, Error> {
        let links = store::list_links(self.store.db(), CaseId(id)).await?;
        Ok(links.into_iter().map(|link| render_link(link, CaseId(id))).collect())
    }
}

fn mutation(method: &'static str, actor: &Principal, pair: &Pair) -> Result<Mutation, Error> {
    Ok(Mutation { method, actor: actor.to_string(), id: pair.request_id, fingerprint: fingerprint::of(pair)? })
}

fn parse_link(
    door: &mut Door,
    case_id: &str,
    kind: i32,
    other_case_id: &str,
    note: String,
    etag: String,
    request_id: &str,
) -> (LinkType, Pair) {
    let kind: LinkType = door.choice("type", kind);
    let pair = Pair {
        id: door.id("case_id", case_id),
        other: Some(parse_other(door, "other_case_id", other_case_id, case_id)),
        kind: kind.into(),
        note: door.text("note", note, MAX_TEXT),
        time: None,
        etag,
        request_id: door.request_id(request_id),
    };
    (kind, pair)
}

/// The id of another case.
fn parse_other(door: &mut Door, field: &str, other: &str, case_id: &str) -> Uuid {
    let id = door.id(field, other);
    if !id.is_nil() && Uuid::try_parse(case_id).is_ok_and(|case| case == id) {
        door.refuse(field, "SAME_CASE", "is the case itself");
    }
    id
}
