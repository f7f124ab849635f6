//! The delivery: one notice on its way to one webhook. Its rules know neither the wire nor the database.

use barometer_chassis::{clock::Micros, id};
use barometer_proto::complaints::v1::{DeliveryError, DeliveryState, WebhookEvent};
use sea_orm::entity::prelude::*;

use crate::webhook::WebhookId;

/// How long it may wait.
pub const LONGEST_WAIT: i64 = 3 * Micros::DAY;
/// How long delivered ones are kept.
pub const KEPT_DELIVERED: i64 = 7 * Micros::DAY;
/// How long dead ones are kept.
pub const KEPT_DEAD: i64 = 30 * Micros::DAY;

/// The longest wait between two attempts, but for chance.
const LONGEST_DELAY: i64 = 6 * 3_600 * Micros::SECOND;

/// A delivery's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
pub struct Model {
    /// Id: the `webhook-id` of every attempt.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// To whom.
    pub webhook_id: WebhookId,
    /// What it tells of, as [`WebhookEvent`].
    pub event: i32,
    /// How far it has come, as [`DeliveryState`].
    pub state: i32,
    /// Personal data: ids of customers, and what an incident tells them. Empty once it is delivered.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// How often it was tried, the attempt that runs included.
    pub attempts: i32,
    /// When it is to be tried; while it is on its way, when it is taken for lost.
    pub next_time: Micros,
    /// When it was last tried.
    pub last_time: Option<Micros>,
    /// Why that failed, as [`DeliveryError`].
    pub last_error: i32,
    /// The HTTP status of it; 0 when there was none.
    pub last_status: i32,
    /// Since when it waits: since it was written, or retried by hand.
    pub wait_time: Micros,
    /// When it was written.
    pub create_time: Micros,
    /// When it was delivered or given up.
    pub settle_time: Option<Micros>,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// How long a delivery is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often it is tried.
    pub attempts: i32,
    /// How long to wait after the first failure, in microseconds.
    pub first_delay: i64,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { attempts: 15, first_delay: 5 * Micros::SECOND }
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Why it failed; unspecified when it did not.
    pub error: DeliveryError,
    /// The HTTP status; 0 when there was none.
    pub status: u16,
}

impl Attempt {
    /// What a status means.
    pub fn of_status(status: u16) -> Self {
        let error = match status {
            200..=299 => DeliveryError::Unspecified,
            300..=399 => DeliveryError::Redirect,
            _ => DeliveryError::Status,
        };
        Attempt { error, status }
    }

    /// One that came to no status.
    pub fn failed(error: DeliveryError) -> Self {
        Attempt { error, status: 0 }
    }

    /// Whether the receiver has it.
    pub fn succeeded(&self) -> bool {
        self.error == DeliveryError::Unspecified
    }
}

impl Model {
    /// A new one, to be tried at once.
    pub fn new(webhook_id: WebhookId, event: WebhookEvent, body: String, now: Micros) -> Self {
        Model {
            id: id::new(),
            webhook_id,
            event: event.into(),
            state: DeliveryState::Waiting.into(),
            body,
            attempts: 0,
            next_time: now,
            last_time: None,
            last_error: 0,
            last_status: 0,
            wait_time: now,
            create_time: now,
            settle_time: None,
        }
    }

    /// How far it has come.
    pub fn state(&self) -> DeliveryState {
        DeliveryState::try_from(self.state).unwrap_or_default()
    }

    /// Whether it has waited for as long as it may.
    pub fn is_expired(&self, now: Micros) -> bool {
        now.0 - self.wait_time.0 >= LONGEST_WAIT
    }

    /// It sets out: it is taken for lost after `lease`.
    pub fn begin(&mut self, now: Micros, lease: i64) {
        self.attempts += 1;
        (self.last_time, self.next_time) = (Some(now), Micros(now.0 + lease));
    }

    /// It came back from its `number`th attempt; `chance` is between 0 and 1.
    ///
    /// That it was delivered holds whenever it comes to be known; a failure only while no other attempt was made.
    pub fn settle(&mut self, number: i32, attempt: Attempt, now: Micros, patience: Patience, chance: f64) {
        if !attempt.succeeded() && (self.attempts != number || self.state() != DeliveryState::Waiting) {
            return;
        }
        (self.last_error, self.last_status) = (attempt.error.into(), attempt.status.into());
        if attempt.succeeded() {
            self.end(DeliveryState::Delivered, now);
            self.body.clear();
        } else if self.attempts >= patience.attempts {
            self.end(DeliveryState::Dead, now);
        } else {
            self.next_time = Micros(now.0 + delay(self.attempts, patience.first_delay, chance));
        }
    }

    /// It has waited for too long.
    pub fn expire(&mut self, now: Micros) {
        self.last_error = DeliveryError::Expired.into();
        self.end(DeliveryState::Dead, now);
    }

    /// It begins again.
    pub fn retry(&mut self, now: Micros) {
        (self.state, self.settle_time) = (DeliveryState::Waiting.into(), None);
        (self.attempts, self.wait_time, self.next_time) = (0, now, now);
    }

    fn end(&mut self, state: DeliveryState, now: Micros) {
        (self.state, self.settle_time) = (state.into(), Some(now));
    }
}

/// How long to wait after so many attempts: twice as long each time, up to six hours; a fifth less or more, by chance, so
/// that those who failed together do not come back together.
fn delay(attempts: i32, first: i64, chance: f64) -> i64 {
    let doubled = (1..attempts).fold(first, |delay, _| delay.saturating_mul(2).min(LONGEST_DELAY));
    // In thousandths, from 800 to 1200.
    #[allow(clippy::cast_possible_truncation, reason = "0 to 400")]
    let thousandths = 800 + (chance.clamp(0.0, 1.0) * 400.0) as i64;
    doubled.min(LONGEST_DELAY) / 1_000 * thousandths
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIRST: i64 = 5 * Micros::SECOND;
    const PATIENCE: Patience = Patience { attempts: 15, first_delay: FIRST };

    fn delivery() -> Model {
        Model::new(WebhookId::default(), WebhookEvent::Test, "{}".to_owned(), Micros(0))
    }

    #[test]
    fn waits_double_up_to_six_hours() {
        let minutes = |attempts| delay(attempts, FIRST, 0.5) / Micros::SECOND;
        let expected = [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_240, 20_480, 21_600, 21_600];
        assert_eq!((1..=15).map(minutes).collect::<Vec<_>>(), expected);
        assert_eq!((delay(1, FIRST, 0.0), delay(1, FIRST, 1.0)), (FIRST / 10 * 8, FIRST / 10 * 12));
    }

    #[test]
    fn a_delivery_dies_after_fifteen_attempts() {
        let mut delivery = delivery();
        let refused = Attempt::of_status(500);
        for number in 1..=15 {
            assert_eq!(delivery.state(), DeliveryState::Waiting);
            delivery.begin(Micros(0), 60);
            delivery.settle(number, refused, Micros(7), PATIENCE, 0.5);
        }
        assert_eq!((delivery.state(), delivery.settle_time), (DeliveryState::Dead, Some(Micros(7))));
        assert_eq!((delivery.last_error, delivery.last_status), (DeliveryError::Status.into(), 500));
        assert_eq!(delivery.body, "{}");
        delivery.retry(Micros(9));
        assert_eq!((delivery.state(), delivery.attempts, delivery.settle_time), (DeliveryState::Waiting, 0, None));
    }

    #[test]
    fn a_late_answer_counts_only_when_it_was_delivered() {
        let mut delivery = delivery();
        delivery.begin(Micros(0), 60);
        delivery.begin(Micros(60), 60);
        let before = delivery.clone();
        delivery.settle(1, Attempt::of_status(500), Micros(70), PATIENCE, 0.5);
        assert_eq!(delivery, before);
        delivery.settle(1, Attempt::of_status(204), Micros(71), PATIENCE, 0.5);
        assert_eq!((delivery.state(), delivery.body.as_str()), (DeliveryState::Delivered, ""));
        let delivered = delivery.clone();
        delivery.settle(2, Attempt::of_status(500), Micros(72), PATIENCE, 0.5);
        assert_eq!(delivery, delivered);
    }

    #[test]
    fn only_two_hundreds_are_answers() {
        for (status, error) in [
            (200, DeliveryError::Unspecified),
            (299, DeliveryError::Unspecified),
            (301, DeliveryError::Redirect),
            (308, DeliveryError::Redirect),
            (100, DeliveryError::Status),
            (404, DeliveryError::Status),
            (503, DeliveryError::Status),
        ] {
            assert_eq!(Attempt::of_status(status).error, error, "{status}");
        }
    }

    #[test]
    fn a_delivery_waits_three_days() {
        let mut delivery = delivery();
        assert!(!delivery.is_expired(Micros(LONGEST_WAIT - 1)) && delivery.is_expired(Micros(LONGEST_WAIT)));
        delivery.retry(Micros(LONGEST_WAIT));
        assert!(!delivery.is_expired(Micros(LONGEST_WAIT)));
    }

    proptest! {
        #[test]
        fn delays_never_leave_their_bounds(attempts in 0..i32::from(i16::MAX), chance in -1.0..2.0_f64) {
            let delay = delay(attempts, FIRST, chance);
            prop_assert!((FIRST / 10 * 8..=LONGEST_DELAY / 10 * 12).contains(&delay), "{}", delay);
        }
    }
}
