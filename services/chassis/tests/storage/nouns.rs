//! What the service of these tests keeps.

use barometer_chassis::{
    database::feed_tables,
    feed::Kind,
    fingerprint,
    writer::{Pending, Request},
};
use sea_orm_migration::{prelude::*, schema::*};
use uuid::Uuid;

/// Kinds in the feed.
pub(crate) const NOTE: i32 = 1;
pub(crate) const MEMO: i32 = 2;

/// A text that the rules of the noun refuse.
pub(crate) const REFUSED: &str = "refused";
/// A text that nobody but the database refuses.
pub(crate) const FORBIDDEN: &str = "forbidden";

/// A noun whose rows have a text and nothing else.
macro_rules! noun {
    ($noun:ident, $name:literal, $tag:expr) => {
        pub(crate) mod $noun {
            use barometer_chassis::{
                clock::Micros,
                error::Error,
                recorded_head,
                writer::{Pending, Recorded, Write},
            };
            use futures_util::future::BoxFuture;
            use sea_orm::entity::prelude::*;

            use super::{Fact, REFUSED};

            #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
            #[sea_orm(table_name = $name)]
            pub struct Model {
                #[sea_orm(primary_key, auto_increment = false)]
                pub id: Uuid,
                pub number: i64,
                pub position: i64,
                pub version: i64,
                pub external_system: Option<String>,
                pub external_id: Option<String>,
                pub text: String,
                pub fingerprint: i64,
                pub create_time: Micros,
                pub update_time: Micros,
                pub withdraw_time: Option<Micros>,
            }

            #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}

            impl Recorded for Model {
                type Table = Entity;
                type Active = ActiveModel;
                type Context = ();
                const NOUN: &'static str = $name;

                recorded_head!();

                fn prepare<'w>(_: &'w Write<'w>, rows: &'w mut [Pending<Self>]) -> BoxFuture<'w, Result<(), Error>> {
                    Box::pin(async move {
                        for pending in rows.iter_mut().filter(|pending| pending.row.text == REFUSED) {
                            let message = "not now".to_owned();
                            pending.refused = Some(Error::State { reason: "NOT_NOW", message });
                        }
                        Ok(())
                    })
                }
            }

            /// A row as callers bring it.
            pub(crate) fn new(key: Option<&str>, text: &str) -> Model {
                Model {
                    id: Uuid::nil(),
                    number: 0,
                    position: 0,
                    version: 0,
                    external_system: key.map(|_| "desk".to_owned()),
                    external_id: key.map(str::to_owned),
                    text: text.to_owned(),
                    fingerprint: 0,
                    create_time: Micros(0),
                    update_time: Micros(0),
                    withdraw_time: None,
                }
            }

            pub(super) fn fact(row: Model) -> Fact {
                Fact {
                    kind: $tag,
                    number: row.number,
                    version: row.version,
                    position: row.position,
                    text: row.withdraw_time.is_none().then_some(row.text),
                }
            }
        }
    };
}

noun!(note, "note", super::NOTE);
noun!(memo, "memo", super::MEMO);

/// What watchers get to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) kind: i32,
    pub(crate) number: i64,
    pub(crate) version: i64,
    pub(crate) position: i64,
    /// `None` once it was withdrawn.
    pub(crate) text: Option<String>,
}

pub(crate) fn kinds() -> Vec<Kind<Fact>> {
    vec![
        Kind::new::<note::Entity>(NOTE, |row| row.position, note::fact),
        Kind::new::<memo::Entity>(MEMO, |row| row.position, memo::fact),
    ]
}

/// A note on its way into the table.
pub(crate) type Note = Pending<note::Model>;

/// A note without key and request.
pub(crate) fn note(text: &str) -> Note {
    Pending { row: note::new(None, text), context: (), request: request(None, text), refused: None }
}

/// A note that has a key.
pub(crate) fn keyed(key: &str, text: &str) -> Note {
    Pending { row: note::new(Some(key), text), ..note(text) }
}

/// A note that comes with a request.
pub(crate) fn requested(id: Uuid, text: &str) -> Note {
    Pending { request: request(Some(id), text), ..note(text) }
}

/// A memo without key and request.
pub(crate) fn memo(text: &str) -> Pending<memo::Model> {
    Pending { row: memo::new(None, text), context: (), request: request(None, text), refused: None }
}

pub(crate) fn request(id: Option<Uuid>, values: &str) -> Request {
    let fingerprint = fingerprint::of(&values).expect("a fingerprint");
    Request { method: "Record", actor: "anonymous".to_owned(), id, fingerprint }
}

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(First)]
    }
}

pub(crate) struct First;

impl MigrationName for First {
    fn name(&self) -> &str {
        "m0001_first"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        feed_tables(manager).await?;
        for name in ["note", "memo"] {
            let table = Table::create()
                .table(name)
                .col(uuid("id").primary_key())
                .col(big_integer("number"))
                .col(big_integer_uniq("position"))
                .col(big_integer("version"))
                .col(string_null("external_system"))
                .col(string_null("external_id"))
                .col(string("text"))
                .col(big_integer("fingerprint"))
                .col(big_integer("create_time"))
                .col(big_integer("update_time"))
                .col(big_integer_null("withdraw_time"))
                .check(Expr::col("text").ne(FORBIDDEN))
                .to_owned();
            manager.create_table(table).await?;
            let by_key = Index::create()
                .name(format!("{name}_by_key"))
                .table(name)
                .col("external_system")
                .col("external_id")
                .unique()
                .to_owned();
            manager.create_index(by_key).await?;
        }
        Ok(())
    }
}
