//! Ids: UUIDs, and newtypes over them for the rows that refer to one another.

use uuid::Uuid;

/// A new id, ordered by the time it was made (UUIDv7).
#[allow(clippy::disallowed_methods, reason = "ids are made here")]
pub fn new() -> Uuid {
    Uuid::now_v7()
}

/// A newtype over [`Uuid`] that SeaORM takes as a column and as a primary key.
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, sea_orm::DeriveValueType,
        )]
        pub struct $name(pub uuid::Uuid);

        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
