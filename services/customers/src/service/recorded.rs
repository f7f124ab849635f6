//! What the RPCs on recorded facts do, for all kinds alike.

use std::future::ready;

use barometer_chassis::{
    door::{Door, Page, fit},
    error::Error,
    fingerprint,
    import::{self, Acknowledgements, MAX_ROWS},
    layers::Principal,
    mask, reader,
    store::{Batch, Numbered},
    writer::{self, Pending},
};
use prost_types::{FieldMask, Timestamp};
use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait},
};
use tonic::{Request, Response, Streaming};

use super::{Customers, mutation};
use crate::{
    customer::CustomerId,
    noun::{By, Naming, Noun},
    store::{CustomerRef, find_or_create},
};

impl Customers {
    /// Records one.
    pub(super) async fn record<N: Noun>(
        &self,
        method: &'static str,
        actor: &Principal,
        message: Option<N::Wire>,
        request_id: &str,
    ) -> Result<N::Wire, Error> {
        let ((row, context), request_id) =
            Door::open(|door| (self.parse::<N>(door, message, actor), door.request_id(request_id)))?;
        let request = mutation(method, actor, request_id, fingerprint_of(&row, &context)?);
        let pending = Pending { row, context, request, refused: None };
        let (row, position) = self.store.record_one(pending).await?;
        Ok(row.render(position))
    }

    /// Records an import batch by batch.
    pub(super) fn import<N: Noun, B: Send + 'static, A: Send + 'static>(
        &self,
        method: &'static str,
        request: Request<Streaming<B>>,
        rows: impl Fn(B) -> Vec<(i64, Option<N::Wire>)> + Send + 'static,
        answer: fn(Batch) -> A,
    ) -> Response<Acknowledgements<A>> {
        let (service, store, actor) = (self.clone(), self.store.clone(), Principal::of(&request));
        let prepare = move |batch| ready(service.prepare::<N>(method, &actor, rows(batch)));
        let record = move |rows| {
            let store = store.clone();
            async move { store.record_batch(rows, N::FIELD).await.map(answer) }
        };
        let ending = self.ending.clone();
        Response::new(import::acknowledge_in_stages(request.into_inner(), ending, prepare, record))
    }

    /// Parses a batch of an import; rows that are refused stand with their numbers.
    fn prepare<N: Noun>(
        &self,
        method: &'static str,
        actor: &Principal,
        rows: Vec<(i64, Option<N::Wire>)>,
    ) -> Result<Numbered<N>, Error> {
        check_rows(rows.len())?;
        let parse = |(number, message)| {
            let pending = Door::open(|door| self.parse::<N>(door, message, actor)).and_then(|(row, context)| {
                let request = mutation(method, actor, None, fingerprint_of(&row, &context)?);
                Ok(Pending { row, context, request, refused: None })
            });
            (number, pending)
        };
        Ok(rows.into_iter().map(parse).collect())
    }

    /// Reads one.
    pub(super) async fn get<N: Noun>(&self, by: Option<By>) -> Result<N::Wire, Error> {
        let row: N = match by {
            Some(By::Id(id)) => {
                let id = Door::open(|door| door.id(N::ID_FIELD, &id))?;
                reader::get(self.store.db(), id).await?
            }
            Some(By::Key(key)) => {
                let key = Door::open(|door| door.inside("external_id", |door| door.key(key)))?;
                reader::get_by_key(self.store.db(), &key).await?
            }
            None => return Err(Error::invalid(N::ID_FIELD, "REQUIRED", "is required")),
        };
        self.render(row).await
    }

    /// Reads a page.
    pub(super) async fn list<N: Noun>(&self, page: Page, filter: Condition) -> Result<(Vec<N::Wire>, String), Error> {
        let (rows, next) = reader::list::<N>(self.store.db(), page, filter, N::place).await?;
        let places: Vec<_> = rows.iter().map(N::place).collect();
        let mut messages = Vec::with_capacity(rows.len());
        for row in rows {
            messages.push(self.render(row).await?);
        }
        Ok(fit(messages, &places, next))
    }

    /// Corrects one. The fingerprint is that of the whole request.
    pub(super) async fn amend<N: Noun>(
        &self,
        method: &'static str,
        actor: &Principal,
        (message, update_mask): (Option<N::Wire>, Option<FieldMask>),
        request_id: &str,
        fingerprint: i64,
    ) -> Result<N::Wire, Error> {
        let (patch, id, request_id) = Door::open(|door| {
            let patch = door.required(N::FIELD, message);
            let id = door.inside(N::FIELD, |door| door.id(N::ID_FIELD, N::named(&patch).0));
            (patch, id, door.request_id(request_id))
        })?;
        let (stages, actor_text) = (self.stages.clone(), actor.to_string());
        let work = self.store.change::<N, _>(mutation(method, actor, request_id, fingerprint), move |write| {
            Box::pin(async move {
                let old: N = writer::current(write, id, N::named(&patch).1).await?;
                let mut shown = old.clone().render(String::new());
                N::leave_out_derived(&mut shown);
                let merged = mask::merge(&shown, &patch, update_mask.as_ref(), N::AMENDABLE, N::FIELD)?;
                let (mut new, named) = Door::open(|door| {
                    door.inside(N::FIELD, |door| N::parse(door, merged, &stages, actor_text.clone()))
                })?;
                if let Some(customer) = named.customer() {
                    new.set_customer(place(write, old.customer(), customer, &actor_text).await?);
                }
                if let Some(other) = named.other() {
                    new.set_other(place(write, old.other(), other, &actor_text).await?);
                }
                new.check()?;
                writer::replace(write, old.clone(), N::amended(old, new)).await
            })
        });
        let (row, position) = work.await?;
        Ok(row.render(position))
    }

    /// Withdraws one.
    pub(super) async fn withdraw<N: Noun>(
        &self,
        method: &'static str,
        actor: &Principal,
        id: &str,
        etag: String,
        request_id: &str,
    ) -> Result<N::Wire, Error> {
        let (id, request_id) = Door::open(|door| (door.id(N::ID_FIELD, id), door.request_id(request_id)))?;
        let request = mutation(method, actor, request_id, fingerprint::of(&(id, &etag))?);
        let work = self.store.change::<N, _>(request, move |write| {
            Box::pin(async move { writer::withdraw::<N>(write, id, &etag).await })
        });
        let (row, position) = work.await?;
        Ok(row.render(position))
    }

    fn parse<N: Noun>(&self, door: &mut Door, message: Option<N::Wire>, actor: &Principal) -> (N, N::Context) {
        let message = door.required(N::FIELD, message);
        door.inside(N::FIELD, |door| N::parse(door, message, &self.stages, actor.to_string()))
    }

    async fn render<N: Noun>(&self, row: N) -> Result<N::Wire, Error> {
        let position = self.store.feed.token(row.head().position).await?;
        Ok(row.render(position))
    }
}

/// What all lists of recorded facts can be filtered by.
pub(super) struct Common {
    pub(super) page_size: i32,
    pub(super) page_token: String,
    pub(super) customer_id: String,
    pub(super) start_time: Option<Timestamp>,
    pub(super) end_time: Option<Timestamp>,
    pub(super) show_withdrawn: bool,
}

impl Common {
    /// The page, and the condition that these filters set.
    pub(super) fn parse(self, door: &mut Door) -> (Page, Condition) {
        let Common { page_size, page_token, customer_id, start_time, end_time, show_withdrawn } = self;
        let page = door.page(page_size, &page_token);
        let (start, end) = door.optional_span(("start_time", start_time), ("end_time", end_time));
        let filter = Condition::all()
            .add_option(door.optional_id("customer_id", &customer_id).map(|id| Expr::col("customer_id").eq(id)))
            .add_option(start.map(|at| Expr::col("time").gte(at)))
            .add_option(end.map(|at| Expr::col("time").lt(at)))
            .add_option((!show_withdrawn).then(|| Expr::col("withdraw_time").is_null()));
        (page, filter)
    }
}

/// A condition on a text column; none when the text is empty.
pub(super) fn equals(door: &mut Door, field: &'static str, text: String, max: usize) -> Option<Expr> {
    let text = door.text(field, text, max);
    (!text.is_empty()).then(|| Expr::col(field).eq(text))
}

/// Refuses batches that are empty or too large.
pub(super) fn check_rows(rows: usize) -> Result<(), Error> {
    match (1..=MAX_ROWS).contains(&rows) {
        true => Ok(()),
        false => Err(Error::invalid("rows", "OUT_OF_RANGE", format!("a batch holds 1 to {MAX_ROWS} rows"))),
    }
}

fn fingerprint_of<N: Noun>(row: &N, context: &N::Context) -> Result<i64, Error> {
    fingerprint::of(&(row, context))
}

/// The customer of an amended row: as before, or another one that exists or is created for its key.
async fn place(
    write: &writer::Write<'_>,
    before: Option<CustomerId>,
    customer: &CustomerRef,
    actor: &str,
) -> Result<CustomerId, Error> {
    match customer {
        CustomerRef::Id(id) if before == Some(*id) => Ok(*id),
        CustomerRef::Id(id) => crate::store::get_profile(write.db, *id).await.map(|profile| profile.row.id),
        CustomerRef::Key(key) => {
            let (found, _) = find_or_create(write, vec![key.clone()], actor).await?;
            found.get(key).copied().ok_or_else(|| Error::not_found("customer", &key.value))
        }
    }
}

#[cfg(test)]
mod tests {
    use barometer_chassis::{clock::Micros, door::Stages};
    use barometer_proto::{
        common::v1::{ExternalId, Money},
        customers::v1::{
            AttributeChange, Interaction, Purchase, SubscriptionEvent, attribute_change, interaction, purchase,
            subscription_event,
        },
    };

    use super::*;

    /// What the writer would note of a message.
    fn noted<N: Noun>(message: N::Wire) -> i64 {
        let parse = |door: &mut Door| N::parse(door, message, &Stages(Vec::new()), "me".to_owned());
        let (row, context) = Door::open(parse).expect("a good one");
        fingerprint_of(&row, &context).expect("a number")
    }

    /// What is stored knows its repeats by these numbers, for as long as it is stored.
    #[test]
    fn fingerprints_are_those_that_stored_rows_have() {
        let time = Some(Micros(1_704_070_800_000_000).to_wire());
        let key = |value: &str| ExternalId { system: "shop".to_owned(), value: value.to_owned() };
        let eur = |units| Money { currency_code: "EUR".to_owned(), units, nanos: 0 };
        let id = || "01890a5d-ac96-774b-bcce-b302099a8057".to_owned();
        let dimensions = || [("region".to_owned(), "north".to_owned())].into();
        let change = AttributeChange {
            customer: Some(attribute_change::Customer::CustomerId(id())),
            attribute: 1,
            value: "gold".to_owned(),
            time,
            dimensions: dimensions(),
            ..AttributeChange::default()
        };
        let purchase = Purchase {
            customer: Some(purchase::Customer::CustomerKey(key("c-1"))),
            time,
            amount: Some(eur(12)),
            channel: "web".to_owned(),
            return_of: Some(key("p-1")),
            external_id: Some(key("p-2")),
            dimensions: dimensions(),
            ..Purchase::default()
        };
        let interaction = Interaction {
            customer: Some(interaction::Customer::CustomerId(id())),
            time,
            channel: "email".to_owned(),
            direction: 1,
            cost: Some(eur(3)),
            external_id: Some(key("i-1")),
            ..Interaction::default()
        };
        let event = SubscriptionEvent {
            customer: Some(subscription_event::Customer::CustomerKey(key("c-1"))),
            subscription: "s-1".to_owned(),
            r#type: 1,
            time,
            monthly_amount: Some(eur(9)),
            plan: "plus".to_owned(),
            ..SubscriptionEvent::default()
        };
        let noted = [
            noted::<crate::attribute_change::Model>(change),
            noted::<crate::purchase::Model>(purchase),
            noted::<crate::interaction::Model>(interaction),
            noted::<crate::subscription_event::Model>(event),
        ];
        let stored = [
            4_680_091_173_288_543_826,
            -7_461_115_544_808_090_693,
            -4_579_994_400_068_098_121,
            6_341_649_910_905_098_562,
        ];
        assert_eq!(noted, stored);
    }
}
