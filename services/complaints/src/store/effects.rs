//! Open cases and other policies.

use std::collections::HashMap;

use barometer_chassis::{
    door::{Page, PageToken},
    error::Error,
    writer::{Done, Write, any_of},
};
use barometer_proto::complaints::v1::case::State;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{Book, take_step};
use crate::{
    case::{self, Column},
    case_entry::Said,
};

/// A page of open cases, by their ids; and the token of the next page.
pub(crate) async fn list_open(db: &impl ConnectionTrait, page: Page) -> Result<(Vec<case::Model>, String), Error> {
    use State::{Acknowledged, InProgress, Received, WaitingForCustomer, WaitingForThirdParty};
    let open = [Received, Acknowledged, InProgress, WaitingForCustomer, WaitingForThirdParty].map(i32::from);
    let mut select = case::Entity::find()
        .filter(Column::State.is_in(open))
        .filter(Column::WithdrawTime.is_null())
        .order_by_asc(Column::Id)
        .limit(page.limit());
    if let Some(PageToken { id, .. }) = page.after {
        select = select.filter(Column::Id.gt(id));
    }
    Ok(page.cut(select.all(db).await?, |row| PageToken { key: 0, id: row.id }))
}

/// Binds those of these cases that are open to the latest policies, if these demand anything else of them, and tells how
/// many that were.
pub(crate) async fn rebase(
    write: &Write<'_>,
    book: &Book,
    ids: Vec<Uuid>,
    actor: &str,
    said: &Said,
) -> Result<(i32, Done), Error> {
    // As it is now: what was published since the call came in counts.
    let today = book.today(write.db).await?;
    let rows = case::Entity::find().filter(Column::Id.is_in(any_of(ids.clone())));
    let rows = rows.filter(Column::WithdrawTime.is_null()).all(write.db).await?;
    let mut rows: HashMap<Uuid, case::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    let first = ids.first().copied().unwrap_or_default();
    let (mut rebased, mut done) = (0, Done { id: first, position: write.position() });
    for case in ids.iter().filter_map(|id| rows.remove(id)) {
        let mut bound = case.clone();
        today.bind(&mut bound)?;
        let Some(to) = bound.binding() else { continue };
        if !book.differ(write.db, case.binding().as_ref(), &today, &to).await? {
            continue;
        }
        let step = case.rebase(to, write.now);
        if !step.events.is_empty() {
            done.position = take_step(write, book, step, actor, said).await?.position;
            rebased += 1;
        }
    }
    Ok((rebased, done))
}
