//! Queries of invitations and of the answers that follow them.

use std::collections::HashMap;

use barometer_chassis::{clock::Micros, door::ExternalKey, error::Error, reader, writer::any_of};
use barometer_proto::surveys::v1::{Disposition, InvitationOutcome};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::{Alias, Expr, ExprTrait, Order, Query, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    invitation::{self, Column},
    response,
};

/// Other names of the table of answers within one statement.
const FIRST: &str = "first_answer";
const ANSWER: &str = "answer";

/// The invitations that answers name.
pub(crate) struct Invited {
    by_id: HashMap<Uuid, invitation::Model>,
    by_key: HashMap<ExternalKey, Uuid>,
}

impl Invited {
    /// Looks up the invitations of answers, each with the caller's key of its invitation.
    pub(crate) async fn by<'a>(
        db: &impl ConnectionTrait,
        answers: impl Iterator<Item = (&'a response::Model, &'a Option<ExternalKey>)> + Clone,
    ) -> Result<Self, Error> {
        let mut ids: Vec<Uuid> = answers.clone().filter_map(|(row, _)| row.invitation_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut rows = match ids.is_empty() {
            true => Vec::new(),
            false => invitation::Entity::find().filter(Column::Id.is_in(any_of(ids))).all(db).await?,
        };
        let keys = answers.filter_map(|(_, key)| key.as_ref()).map(|key| (key.system.as_str(), key.value.as_str()));
        rows.extend(reader::of_keys::<invitation::Model>(db, keys).await?);
        let key = |row: &invitation::Model| {
            let (system, value) = (row.external_system.clone()?, row.external_id.clone()?);
            Some((ExternalKey { system, value }, row.id))
        };
        let by_key = rows.iter().filter_map(key).collect();
        Ok(Invited { by_id: rows.into_iter().map(|row| (row.id, row)).collect(), by_key })
    }

    /// Puts an answer under the invitation that it names, or that `key` does.
    ///
    /// Errors: NOT_FOUND when there is none; what [`invitation::Model::answered_by`] refuses.
    pub(crate) fn answered_by(&self, answer: &mut response::Model, key: &Option<ExternalKey>) -> Result<(), Error> {
        let unknown = |name: &dyn ToString| Error::not_found("invitation", name.to_string());
        let id = match (key, answer.invitation_id) {
            (Some(key), _) => *self.by_key.get(key).ok_or_else(|| unknown(&key.value))?,
            (None, Some(id)) => id,
            (None, None) => return Ok(()),
        };
        self.by_id.get(&id).ok_or_else(|| unknown(&id))?.answered_by(answer)
    }
}

/// The answers that follow these invitations, by invitation: of several the first one.
pub(crate) async fn answers(
    db: &impl ConnectionTrait,
    invitations: Vec<Uuid>,
) -> Result<HashMap<Uuid, response::Model>, Error> {
    if invitations.is_empty() {
        return Ok(HashMap::new());
    }
    let of_row = Expr::col((response::Entity, response::Column::InvitationId));
    let answers = response::Entity::find()
        .filter(response::Column::InvitationId.is_in(any_of(invitations)))
        .filter(response::Column::WithdrawTime.is_null())
        .filter(Expr::col((response::Entity, response::Column::Id)).eq(Expr::expr(first(of_row))))
        .all(db)
        .await?;
    Ok(answers.into_iter().filter_map(|answer| Some((answer.invitation_id?, answer))).collect())
}

/// Whether an answer follows an invitation.
pub(crate) async fn has_answer(db: &impl ConnectionTrait, invitation: Uuid) -> Result<bool, Error> {
    Ok(!answers(db, vec![invitation]).await?.is_empty())
}

/// The condition that invitations came to `outcome` by `now`: [`invitation::Model::outcome`] as SQL.
pub(crate) fn came_of(outcome: InvitationOutcome, now: Micros) -> Condition {
    use InvitationOutcome as Of;
    let col = |column: Column| Expr::col((invitation::Entity, column));
    let answer = |column: response::Column| Expr::col((Alias::new(ANSWER), column));
    let broken_off = i32::from(Disposition::BreakOff);
    let silent = || Condition::all().add(Expr::exists(answered(None)).not());
    let expired = || silent().add(col(Column::ExpireTime).lte(now));
    let unmet = || expired().add(col(Column::BeginTime).is_null());
    let reached = || {
        Condition::any()
            .add(col(Column::CustomerId).is_not_null())
            .add(col(Column::DeliverTime).is_not_null())
            .add(col(Column::OpenTime).is_not_null())
    };
    let by_answer = |condition: SimpleExpr| Condition::all().add(Expr::exists(answered(Some(condition))));
    let no_score = || answer(response::Column::Score).is_null();
    let follows = match outcome {
        Of::Complete => Some(by_answer(answer(response::Column::Score).is_not_null())),
        Of::Partial => Some(
            Condition::any()
                .add(by_answer(no_score().and(answer(response::Column::Disposition).eq(broken_off))))
                .add(expired().add(col(Column::BeginTime).is_not_null())),
        ),
        Of::Refusal => Some(by_answer(no_score().and(answer(response::Column::Disposition).ne(broken_off)))),
        Of::Pending => Some(silent().add(col(Column::ExpireTime).gt(now))),
        Of::NonContact => Some(unmet().add(reached())),
        Of::Unknown => Some(unmet().add(reached().not())),
        // Only somebody can say so.
        Of::Other | Of::NotEligible | Of::Unspecified => None,
    };
    let told = col(Column::ToldOutcome);
    let unsaid =
        |condition: Condition| Condition::all().add(told.clone().eq(i32::from(Of::Unspecified))).add(condition);
    Condition::any().add(told.clone().eq(i32::from(outcome))).add_option(follows.map(unsaid))
}

/// Selects the first answer to an invitation of the statement around, when it meets a condition.
fn answered(condition: Option<SimpleExpr>) -> SelectStatement {
    let of_row = Expr::col((invitation::Entity, Column::Id));
    let mut select = Query::select();
    select
        .expr(Expr::val(1))
        .from_as(response::Entity, Alias::new(ANSWER))
        .and_where(Expr::col((Alias::new(ANSWER), response::Column::Id)).eq(Expr::expr(first(of_row))));
    condition.map(|condition| select.and_where(condition));
    select.take()
}

/// Selects the id of the first answer to an invitation.
fn first(invitation: SimpleExpr) -> SelectStatement {
    let col = |column: response::Column| Expr::col((Alias::new(FIRST), column));
    Query::select()
        .expr(col(response::Column::Id))
        .from_as(response::Entity, Alias::new(FIRST))
        .and_where(col(response::Column::InvitationId).eq(invitation))
        .and_where(col(response::Column::WithdrawTime).is_null())
        .order_by((Alias::new(FIRST), response::Column::Time), Order::Asc)
        .order_by((Alias::new(FIRST), response::Column::Number), Order::Asc)
        .limit(1)
        .take()
}
