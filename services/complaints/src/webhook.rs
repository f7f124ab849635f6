//! The webhook: somebody who is told, by HTTP, what happens. Its rules know neither the wire nor the database.

mod secret;
mod target;

use std::collections::BTreeSet;

use barometer_chassis::{clock::Micros, id};
use barometer_proto::complaints::v1::WebhookEvent;
use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

pub use self::{
    secret::Secret,
    target::{Refusal, Target, may_call},
};

/// The most webhooks that there may be: each replica keeps a few connections for each, so that none waits for another.
pub const MAX_WEBHOOKS: usize = 32;
/// The most deliveries that wait for one webhook.
pub const MAX_WAITING: i64 = 100_000;

/// The longest that it is left alone.
const LONGEST_PAUSE: i64 = 300 * Micros::SECOND;

id! {
    /// Id of a webhook.
    WebhookId
}

/// A webhook's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookId,
    /// Unique among those that are not deleted.
    pub name: String,
    /// Where notices are sent.
    pub url: String,
    /// What it is told of.
    #[sea_orm(column_type = "JsonBinary")]
    pub events: Events,
    /// Whether it is told nothing for now.
    pub disabled: bool,
    /// What notices are signed with.
    pub secret: Secret,
    /// What they are signed with as well.
    pub previous_secret: Option<Secret>,
    /// Until when.
    pub previous_secret_expire_time: Option<Micros>,
    /// Deliveries that wait.
    pub waiting: i64,
    /// Notices that were left out because so many waited.
    pub dropped: i64,
    /// Attempts that failed since the last that did not, those of one moment counted once.
    pub failures: i32,
    /// Until when it is left alone.
    pub pause_time: Option<Micros>,
    /// From 1, one more with each change by a caller.
    pub version: i64,
    /// Who created it.
    pub actor: String,
    /// When it was created.
    pub create_time: Micros,
    /// When a caller last changed it.
    pub update_time: Micros,
    /// When it was deleted. The row goes when its deliveries have gone.
    pub delete_time: Option<Micros>,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// How many more deliveries may be on their way, when so many are: one only while it fails.
    pub fn room(&self, now: Micros, most: usize, on_their_way: usize) -> usize {
        let most = if self.failures > 0 { 1 } else { most };
        let left_alone = self.disabled || self.delete_time.is_some() || self.pause_time.is_some_and(|at| now < at);
        if left_alone { 0 } else { most.saturating_sub(on_their_way) }
    }

    /// An attempt did not fail: it is not left alone.
    pub fn succeeded(&mut self) {
        (self.failures, self.pause_time) = (0, None);
    }

    /// An attempt failed: it is left alone for a while, unless it is already; for `first` the first time, then twice as long
    /// each time, up to five minutes.
    pub fn failed(&mut self, now: Micros, first: i64) {
        if self.pause_time.is_some_and(|at| now < at) {
            return;
        }
        let doubled = 2_i64.saturating_pow(self.failures.unsigned_abs());
        let pause = first.saturating_mul(doubled).min(LONGEST_PAUSE);
        self.pause_time = Some(Micros(now.0 + pause));
        self.failures = self.failures.saturating_add(1);
    }

    /// The secrets that notices are signed with.
    pub fn secrets(&self, now: Micros) -> impl Iterator<Item = &Secret> {
        let still = self.previous_secret_expire_time.is_some_and(|at| now < at);
        std::iter::once(&self.secret).chain(self.previous_secret.as_ref().filter(|_| still))
    }
}

/// What a webhook is told of, as [`WebhookEvent`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Events(BTreeSet<i32>);

impl Events {
    /// From events in any order; repeated ones count once.
    pub fn new(events: impl IntoIterator<Item = WebhookEvent>) -> Self {
        Events(events.into_iter().map(i32::from).collect())
    }

    /// Whether it is told of this one.
    pub fn include(&self, event: WebhookEvent) -> bool {
        self.0.contains(&event.into())
    }

    /// The events' numbers.
    pub fn into_numbers(self) -> Vec<i32> {
        self.0.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn webhook() -> Model {
        Model {
            id: WebhookId::default(),
            name: String::new(),
            url: String::new(),
            events: Events::default(),
            disabled: false,
            secret: Secret::new(),
            previous_secret: None,
            previous_secret_expire_time: None,
            waiting: 0,
            dropped: 0,
            failures: 0,
            pause_time: None,
            version: 1,
            actor: String::new(),
            create_time: Micros(0),
            update_time: Micros(0),
            delete_time: None,
        }
    }

    #[test]
    fn who_fails_is_left_alone_and_then_asked_with_one() {
        let mut webhook = webhook();
        let at = |seconds: i64| Micros(seconds * Micros::SECOND);
        assert_eq!((webhook.room(at(0), 4, 0), webhook.room(at(0), 4, 3), webhook.room(at(0), 4, 9)), (4, 1, 0));
        webhook.failed(at(10), Micros::SECOND);
        // Others of the same moment change nothing.
        webhook.failed(at(10), Micros::SECOND);
        assert_eq!((webhook.failures, webhook.pause_time), (1, Some(at(11))));
        assert_eq!((webhook.room(at(10), 4, 0), webhook.room(at(11), 4, 0), webhook.room(at(11), 4, 1)), (0, 1, 0));
        webhook.failed(at(11), Micros::SECOND);
        assert_eq!((webhook.failures, webhook.pause_time), (2, Some(at(13))));
        webhook.succeeded();
        assert_eq!(webhook.room(at(11), 4, 0), 4);
        webhook.disabled = true;
        assert_eq!(webhook.room(at(11), 4, 0), 0);
    }

    #[test]
    fn an_old_secret_is_used_until_it_expires() {
        let mut webhook = webhook();
        (webhook.previous_secret, webhook.previous_secret_expire_time) = (Some(Secret::new()), Some(Micros(5)));
        assert_eq!((webhook.secrets(Micros(4)).count(), webhook.secrets(Micros(5)).count()), (2, 1));
        assert_eq!(webhook.secrets(Micros(5)).next(), Some(&webhook.secret));
    }

    proptest! {
        #[test]
        fn pauses_grow_up_to_five_minutes(failures in 0_i32..i32::MAX) {
            let mut webhook = Model { failures, ..webhook() };
            webhook.failed(Micros(0), Micros::SECOND);
            let pause = webhook.pause_time.map(|at| at.0).unwrap_or_default();
            let expected = if failures >= 9 { LONGEST_PAUSE } else { Micros::SECOND * 2_i64.pow(failures.unsigned_abs()) };
            prop_assert_eq!(pause, expected);
            prop_assert_eq!(webhook.failures, failures + 1);
        }
    }
}
