//! Good messages, for tests that change what they are about.

use std::collections::BTreeMap;

use barometer_chassis::clock::Micros;
use barometer_proto::{
    common::v1::{ExternalId, Money},
    complaints::v1::{
        Calendar, Case, ClockDuration, ClockKind, ClockTarget, DurationUnit, Holiday, Policy, Promise, Webhook,
        WebhookEvent, Weekday, WorkingTime, case, promise,
    },
    customers::v1::{
        Attribute, AttributeChange, Cost, CostKind, Customer, Direction, Interaction, MembershipEvent,
        MembershipEventType, Purchase, PurchaseLine, Referral, SubscriptionEvent, SubscriptionEventType,
        attribute_change, cost, interaction, membership_event, purchase, referral, subscription_event,
    },
    surveys::v1::{Invitation, Response, Survey, SurveyKind, SurveyType, invitation, response},
};
use prost_types::{FieldMask, Timestamp};

/// A key of the shop.
pub fn key(value: &str) -> ExternalId {
    ExternalId { system: "shop".to_owned(), value: value.to_owned() }
}

/// Whole euros.
pub fn eur(units: i64) -> Money {
    Money { currency_code: "EUR".to_owned(), units, nanos: 0 }
}

/// An instant of 2024, so many hours after its beginning.
pub fn hour(hours: i64) -> Timestamp {
    Timestamp { seconds: 1_704_067_200 + hours * 3_600, nanos: 0 }
}

/// An instant so many seconds from now.
pub fn from_now(seconds: i64) -> Timestamp {
    Micros(Micros::now().0 + seconds * Micros::SECOND).to_wire()
}

/// The paths of a mask.
pub fn mask(paths: &[&str]) -> Option<FieldMask> {
    Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() })
}

/// One declared dimension.
pub fn region(value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("region".to_owned(), value.to_owned())])
}

/// A customer with one key.
pub fn customer(value: &str) -> Customer {
    Customer { external_ids: vec![key(value)], language: "en".to_owned(), ..Customer::default() }
}

/// A change to the tier `gold`.
pub fn attribute_change(customer: &str) -> AttributeChange {
    AttributeChange {
        customer: Some(attribute_change::Customer::CustomerId(customer.to_owned())),
        attribute: Attribute::Tier.into(),
        value: "gold".to_owned(),
        time: Some(hour(1)),
        dimensions: region("north"),
        ..AttributeChange::default()
    }
}

/// A purchase of one line.
pub fn purchase(customer: &str) -> Purchase {
    let line = PurchaseLine {
        product: "p-1".to_owned(),
        category: "books".to_owned(),
        quantity: 2,
        list_price: Some(eur(7)),
        discount: Some(eur(2)),
        voucher: String::new(),
        amount: Some(eur(12)),
    };
    Purchase {
        customer: Some(purchase::Customer::CustomerId(customer.to_owned())),
        time: Some(hour(1)),
        amount: Some(eur(12)),
        lines: vec![line],
        channel: "web".to_owned(),
        dimensions: region("north"),
        ..Purchase::default()
    }
}

/// A mail from the customer.
pub fn interaction(customer: &str) -> Interaction {
    Interaction {
        customer: Some(interaction::Customer::CustomerId(customer.to_owned())),
        time: Some(hour(1)),
        channel: "email".to_owned(),
        direction: Direction::Inbound.into(),
        dimensions: region("north"),
        ..Interaction::default()
    }
}

/// The start of a subscription.
pub fn subscription_event(customer: &str) -> SubscriptionEvent {
    SubscriptionEvent {
        customer: Some(subscription_event::Customer::CustomerId(customer.to_owned())),
        subscription: "s-1".to_owned(),
        r#type: SubscriptionEventType::Start.into(),
        time: Some(hour(1)),
        monthly_amount: Some(eur(9)),
        dimensions: region("north"),
        ..SubscriptionEvent::default()
    }
}

/// Points that were earned.
pub fn membership_event(customer: &str) -> MembershipEvent {
    MembershipEvent {
        customer: Some(membership_event::Customer::CustomerId(customer.to_owned())),
        time: Some(hour(1)),
        r#type: MembershipEventType::Earn.into(),
        points: 10,
        value: Some(eur(1)),
        dimensions: region("north"),
        ..MembershipEvent::default()
    }
}

/// A referral of somebody whom nobody knows.
pub fn referral(customer: &str) -> Referral {
    Referral {
        customer: Some(referral::Customer::CustomerId(customer.to_owned())),
        time: Some(hour(1)),
        channel: "link".to_owned(),
        dimensions: region("north"),
        ..Referral::default()
    }
}

/// A sum that was spent to win a customer.
pub fn cost(customer: &str) -> Cost {
    Cost {
        customer: Some(cost::Customer::CustomerId(customer.to_owned())),
        kind: CostKind::Acquisition.into(),
        time: Some(hour(1)),
        basis: Some(cost::Basis::Amount(eur(30))),
        dimensions: region("north"),
        ..Cost::default()
    }
}

/// A survey with the dimension `region`.
pub fn survey(name: &str, kind: SurveyKind) -> Survey {
    Survey {
        name: name.to_owned(),
        kind: kind.into(),
        r#type: SurveyType::Transactional.into(),
        question: BTreeMap::from([("en".to_owned(), "How was it?".to_owned())]),
        dimensions: vec!["region".to_owned()],
        ..Survey::default()
    }
}

/// An anonymous answer.
pub fn response(survey: &str, score: i32) -> Response {
    Response {
        survey: Some(response::Survey::SurveyId(survey.to_owned())),
        score: Some(score),
        answer_time: Some(hour(1)),
        dimensions: region("north"),
        ..Response::default()
    }
}

/// An invitation of a customer, to be answered within 30 days.
pub fn invitation(survey: &str, customer: &str) -> Invitation {
    Invitation {
        survey: Some(invitation::Survey::SurveyId(survey.to_owned())),
        customer: Some(invitation::Customer::CustomerId(customer.to_owned())),
        send_time: Some(hour(1)),
        channel: "email".to_owned(),
        dimensions: region("north"),
        ..Invitation::default()
    }
}

/// A case of a customer.
pub fn case(customer: &str) -> Case {
    Case {
        customer: Some(case::Customer::CustomerId(customer.to_owned())),
        category: "late delivery".to_owned(),
        product: "books".to_owned(),
        channel: "phone".to_owned(),
        open_time: Some(hour(1)),
        dimensions: region("north"),
        ..Case::default()
    }
}

/// A promise to a customer, due in two days.
pub fn promise(customer: &str) -> Promise {
    Promise {
        customer: Some(promise::Customer::CustomerId(customer.to_owned())),
        description: "a call back".to_owned(),
        due_time: Some(from_now(2 * 86_400)),
        team: "care".to_owned(),
        ..Promise::default()
    }
}

/// A calendar of Berlin, Monday to Friday from 8 to 18, closed on New Year's Day of 2024.
pub fn calendar(name: &str) -> Calendar {
    let days = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
    let work = |day: Weekday| WorkingTime { weekday: day.into(), start_minute: 8 * 60, end_minute: 18 * 60 };
    let new_year =
        Holiday { date: "2024-01-01".to_owned(), start_minute: 0, end_minute: 1_440, name: "New Year".to_owned() };
    Calendar {
        name: name.to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        working_times: days.map(work).to_vec(),
        holidays: vec![new_year],
        ..Calendar::default()
    }
}

/// A policy for every case: one working hour until the first response.
pub fn policy(name: &str, calendar_id: &str) -> Policy {
    Policy {
        name: name.to_owned(),
        calendar_id: calendar_id.to_owned(),
        targets: vec![target(ClockKind::FirstResponse, 60, DurationUnit::WorkingMinutes)],
        ..Policy::default()
    }
}

/// A webhook that is told of everything.
pub fn webhook(name: &str, url: &str) -> Webhook {
    let events = [
        WebhookEvent::Escalation,
        WebhookEvent::PromiseDueSoon,
        WebhookEvent::PromiseBroken,
        WebhookEvent::IncidentOpened,
        WebhookEvent::IncidentMessage,
        WebhookEvent::IncidentClosed,
    ];
    let events = events.into_iter().map(i32::from).collect();
    Webhook { name: name.to_owned(), url: url.to_owned(), events, ..Webhook::default() }
}

/// A target of a clock, which stands while the case waits for the customer if it is of resolution.
pub fn target(kind: ClockKind, amount: i32, unit: DurationUnit) -> ClockTarget {
    let pauses = matches!(kind, ClockKind::Resolution | ClockKind::TotalResolution);
    ClockTarget {
        kind: kind.into(),
        target: Some(ClockDuration { amount, unit: unit.into() }),
        holding_target: None,
        pauses_for_customer: Some(pauses),
        pauses_for_third_party: Some(false),
    }
}
