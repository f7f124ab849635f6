//! Queries over how cases belong together: links and merges.

use std::collections::BTreeSet;

use barometer_chassis::{
    error::Error,
    id,
    writer::{self, Done, Write},
};
use barometer_proto::complaints::v1::{CaseEntryType, LinkType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::{Book, follow_ups::cancel_follow_up_of, promises::withdraw_promises_of, take_step};
use crate::{
    case::{self, When},
    case_entry::{CaseId, Said},
    case_link::{self, Column, Link, MAX_LINKS, MAX_REACHED, inverse},
};

/// The most cases that are merged into one.
const MAX_MERGED: usize = 100;

/// The links of a case, at either end, the latest first; as many as it may have.
pub(crate) async fn list_links(db: &impl ConnectionTrait, case: CaseId) -> Result<Vec<case_link::Model>, Error> {
    let either = Condition::any().add(Column::CaseId.eq(case)).add(Column::OtherCaseId.eq(case));
    let links = case_link::Entity::find().filter(either).order_by_desc(Column::CreateTime).order_by_desc(Column::Id);
    Ok(links.limit(MAX_LINKS as u64).all(db).await?)
}

/// The cases that are merged into one, by their ids.
pub(crate) async fn list_merged(db: &impl ConnectionTrait, into: Uuid) -> Result<Vec<Uuid>, Error> {
    let merged = case::Entity::find().filter(case::Column::MergedInto.eq(into)).select_only().column(case::Column::Id);
    let merged = merged.filter(case::Column::WithdrawTime.is_null()).order_by_asc(case::Column::Id);
    Ok(merged.limit(MAX_MERGED as u64).into_tuple().all(db).await?)
}

/// Links a case to another one. Nothing happens when they are linked so already.
///
/// Errors: as of [`writer::current`], for either of them; of [`Link::check`].
pub(crate) async fn add_link(
    write: &Write<'_>,
    book: &Book,
    (id, etag): (Uuid, &str),
    kind: LinkType,
    other: Uuid,
    actor: &str,
    text: &str,
) -> Result<Done, Error> {
    let case: case::Model = writer::current(write, id, etag).await?;
    let other: case::Model = writer::current(write, other, "").await?;
    let link = Link::new(CaseId(case.id), kind, CaseId(other.id));
    if find(write.db, link).await?.is_some() {
        return Ok(Done { id, position: case.position });
    }
    for end in [&case, &other] {
        if list_links(write.db, CaseId(end.id)).await?.len() >= MAX_LINKS {
            let message = format!("the case {} has {MAX_LINKS} links already", end.id);
            return Err(Error::State { reason: "TOO_MANY_LINKS", message });
        }
    }
    let originals = leads_to(write.db, link.kind, [link.from].into()).await?;
    link.check(&originals, &reached(write.db, link).await?)?;
    let row = case_link::Model {
        id: id::new(),
        case_id: link.from,
        other_case_id: link.to,
        link_type: link.kind.into(),
        actor: actor.to_owned(),
        create_time: write.now,
    };
    case_link::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(write.db).await?;
    tell_both(write, book, (case, other), CaseEntryType::Linked, kind, actor, text).await
}

/// Takes a link away. NOT_FOUND when there is none; other errors as of [`writer::current`] for the case.
pub(crate) async fn remove_link(
    write: &Write<'_>,
    book: &Book,
    (id, etag): (Uuid, &str),
    kind: LinkType,
    other: Uuid,
    actor: &str,
    text: &str,
) -> Result<Done, Error> {
    let case: case::Model = writer::current(write, id, etag).await?;
    let link = Link::new(CaseId(case.id), kind, CaseId(other));
    let row = find(write.db, link).await?.ok_or_else(|| Error::not_found("link", other))?;
    case_link::Entity::delete_by_id(row.id).exec(write.db).await?;
    // Links go with a case that is withdrawn, so the other end is there.
    let other: case::Model = writer::current(write, other, "").await?;
    tell_both(write, book, (case, other), CaseEntryType::Unlinked, kind, actor, text).await
}

/// Merges a case into another one. Errors as of [`writer::current`], for either of them; of [`case::Model::merge`].
pub(crate) async fn merge(
    write: &Write<'_>,
    book: &Book,
    (id, etag): (Uuid, &str),
    into: Uuid,
    actor: &str,
    text: &str,
    when: When,
) -> Result<Done, Error> {
    let case: case::Model = writer::current(write, id, etag).await?;
    let other: case::Model = writer::current(write, into, "").await?;
    if list_merged(write.db, into).await?.len() >= MAX_MERGED {
        let message = format!("{MAX_MERGED} cases are merged into the case {into} already");
        return Err(Error::State { reason: "TOO_MANY_MERGED", message });
    }
    let (merged, absorbed) = case.merge(other, when)?;
    take_step(write, book, absorbed, actor, &said(text, id)).await?;
    take_step(write, book, merged, actor, &said(text, into)).await
}

/// Undoes a merge. Errors as of [`writer::current`]; of [`case::Model::unmerge`].
pub(crate) async fn unmerge(
    write: &Write<'_>,
    book: &Book,
    (id, etag): (Uuid, &str),
    actor: &str,
    text: &str,
    when: When,
) -> Result<Done, Error> {
    let case: case::Model = writer::current(write, id, etag).await?;
    // A case that is not merged is refused below, whatever the other one be. Others can not be withdrawn meanwhile.
    let into = case.merged_into.unwrap_or(id);
    let (unmerged, released) = case.unmerge(writer::current(write, into, "").await?, when)?;
    take_step(write, book, released, actor, &said(text, id)).await?;
    take_step(write, book, unmerged, actor, &said(text, into)).await
}

/// Withdraws a case, and its links and promises with it. Errors as of [`writer::withdraw`]; FAILED_PRECONDITION while others are merged
/// into it.
pub(crate) async fn withdraw_case(write: &Write<'_>, id: Uuid, etag: &str) -> Result<Done, Error> {
    let case: case::Model = writer::current(write, id, etag).await?;
    if !list_merged(write.db, case.id).await?.is_empty() {
        let message = "other cases are merged into the case: unmerge them first".to_owned();
        return Err(Error::State { reason: "HAS_MERGED", message });
    }
    let either = Condition::any().add(Column::CaseId.eq(id)).add(Column::OtherCaseId.eq(id));
    case_link::Entity::delete_many().filter(either).exec(write.db).await?;
    withdraw_promises_of(write, CaseId(id)).await?;
    cancel_follow_up_of(write, CaseId(id)).await?;
    writer::withdraw::<case::Model>(write, id, etag).await
}

fn said(text: &str, other: Uuid) -> Said {
    Said { text: text.to_owned(), other: Some(CaseId(other)), ..Said::default() }
}

/// Writes an entry at either end of a link.
async fn tell_both(
    write: &Write<'_>,
    book: &Book,
    (case, other): (case::Model, case::Model),
    event: CaseEntryType,
    kind: LinkType,
    actor: &str,
    text: &str,
) -> Result<Done, Error> {
    let here = Said { link: kind, ..said(text, other.id) };
    let there = Said { link: inverse(kind), ..said(text, case.id) };
    take_step(write, book, other.told(event, write.now), actor, &there).await?;
    take_step(write, book, case.told(event, write.now), actor, &here).await
}

async fn find(db: &impl ConnectionTrait, link: Link) -> Result<Option<case_link::Model>, Error> {
    let Link { from, kind, to } = link;
    let links = case_link::Entity::find().filter(Column::CaseId.eq(from)).filter(Column::OtherCaseId.eq(to));
    Ok(links.filter(Column::LinkType.eq(i32::from(kind))).one(db).await?)
}

/// The cases to which links of this kind lead from the `to` of a link, itself included: all, or more than may be.
async fn reached(db: &impl ConnectionTrait, link: Link) -> Result<BTreeSet<CaseId>, Error> {
    let mut reached = BTreeSet::from([link.to]);
    let mut edge = reached.clone();
    while !edge.is_empty() && reached.len() <= MAX_REACHED {
        edge = leads_to(db, link.kind, edge).await?.into_iter().filter(|case| reached.insert(*case)).collect();
    }
    Ok(reached)
}

/// The cases to which links of this kind lead directly.
async fn leads_to(db: &impl ConnectionTrait, kind: LinkType, from: BTreeSet<CaseId>) -> Result<Vec<CaseId>, Error> {
    let links = case_link::Entity::find().filter(Column::CaseId.is_in(from));
    let links = links.filter(Column::LinkType.eq(i32::from(kind))).all(db).await?;
    Ok(links.into_iter().map(|link| link.other_case_id).collect())
}
