//! Webhooks and deliveries: message ⇄ row.

use barometer_chassis::{
    clock::Micros,
    door::{Door, Page},
};
use barometer_proto::complaints::v1::{self as wire, DeliveryState, WebhookEvent};
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use crate::{
    delivery,
    store::WebhookValues,
    webhook::{Events, Model, Refusal, Secret, Target, WebhookId},
};

/// The fields of a webhook that an update may set.
pub(crate) const WEBHOOK_CHANGEABLE: [&str; 4] = ["name", "url", "events", "disabled"];

/// The most values that a list or a filter names.
const MAX_VALUES: usize = 16;
/// How long notices are signed with an old secret as well, unless the caller says otherwise; and at most.
const OVERLAP: i64 = Micros::DAY;
const LONGEST_OVERLAP: i64 = 7 * Micros::DAY;

/// What a caller says of a webhook; `private` allows private addresses, and http.
pub(crate) fn parse_webhook(door: &mut Door, message: wire::Webhook, private: bool) -> WebhookValues {
    let wire::Webhook {
        name,
        url,
        events,
        disabled,
        secret: _,
        webhook_id: _,
        previous_secret_expire_time: _,
        waiting: _,
        dropped: _,
        failures: _,
        pause_time: _,
        etag: _,
        create_time: _,
        update_time: _,
    } = message;
    let refusal = if url.is_empty() { None } else { Target::parse(&url, private).err() };
    match refusal {
        None if url.is_empty() => door.missing("url"),
        None => {}
        Some(Refusal::NotAUrl) => {
            door.refuse("url", "NOT_A_URL", "is no absolute URL of at most 2048 characters, without user or fragment");
        }
        Some(Refusal::NotHttps) => door.refuse("url", "NOT_HTTPS", "is not `https`"),
        Some(Refusal::ForbiddenAddress) => door.refuse("url", "FORBIDDEN_ADDRESS", "leads where nothing is sent"),
    }
    if events.is_empty() {
        door.missing("events");
    }
    let events = door.each("events", events, MAX_VALUES, |door, event| {
        let event: WebhookEvent = door.choice("", event);
        if event == WebhookEvent::Test {
            door.refuse("", "NOT_AN_EVENT", "is sent by TestWebhook only");
        }
        event
    });
    WebhookValues { name: door.required_text("name", name, 128), url, events: Events::new(events), disabled }
}

/// The secret that a caller gives; a new one when there is none.
pub(crate) fn parse_secret(door: &mut Door, text: &str) -> Secret {
    if text.is_empty() {
        return Secret::new();
    }
    Secret::parse(text).unwrap_or_else(|| {
        door.refuse("secret", "NOT_A_SECRET", "is not `whsec_` and the base64 of 24 to 64 bytes");
        Secret::new()
    })
}

/// How long an old secret stays valid, in microseconds.
pub(crate) fn parse_overlap(door: &mut Door, overlap: Option<prost_types::Duration>) -> i64 {
    let Some(overlap) = overlap else { return OVERLAP };
    let micros = overlap.seconds.checked_mul(Micros::SECOND).map(|micros| micros + i64::from(overlap.nanos / 1_000));
    micros.filter(|micros| (0..=LONGEST_OVERLAP).contains(micros)).unwrap_or_else(|| {
        door.refuse("overlap", "OUT_OF_RANGE", "is not between 0 and 7 days");
        0
    })
}

/// The page and the filter of a list of deliveries.
pub(crate) fn parse_list_deliveries(door: &mut Door, request: wire::ListDeliveriesRequest) -> (Page, Condition) {
    use delivery::Column;
    let wire::ListDeliveriesRequest { page_size, page_token, webhook_id, states } = request;
    let page = door.page(page_size, &page_token);
    let webhook: Option<Uuid> = door.optional_id("webhook_id", &webhook_id);
    let states: Vec<i32> =
        door.each("states", states, MAX_VALUES, |door, state| door.choice::<DeliveryState>("", state).into());
    let filter = Condition::all()
        .add_option(webhook.map(|id| Column::WebhookId.eq(WebhookId(id))))
        .add_option((!states.is_empty()).then(|| Column::State.is_in(states)));
    (page, filter)
}

/// A webhook for callers, without its secret.
pub(crate) fn render_webhook(row: Model) -> wire::Webhook {
    let Model {
        id,
        name,
        url,
        events,
        disabled,
        secret: _,
        previous_secret: _,
        previous_secret_expire_time,
        waiting,
        dropped,
        failures,
        pause_time,
        version,
        actor: _,
        create_time,
        update_time,
        delete_time: _,
    } = row;
    wire::Webhook {
        webhook_id: id.to_string(),
        name,
        url,
        events: events.into_numbers(),
        disabled,
        secret: String::new(),
        previous_secret_expire_time: previous_secret_expire_time.map(Micros::to_wire),
        waiting,
        dropped,
        failures,
        pause_time: pause_time.map(Micros::to_wire),
        etag: version.to_string(),
        create_time: Some(create_time.to_wire()),
        update_time: Some(update_time.to_wire()),
    }
}

/// A delivery for callers, without its body.
pub(crate) fn render_delivery(row: delivery::Model) -> wire::Delivery {
    let waits = row.state() == DeliveryState::Waiting;
    let delivery::Model {
        id,
        webhook_id,
        event,
        state,
        body: _,
        attempts,
        next_time,
        last_time,
        last_error,
        last_status,
        wait_time: _,
        create_time,
        settle_time,
    } = row;
    wire::Delivery {
        delivery_id: id.to_string(),
        webhook_id: webhook_id.to_string(),
        event,
        state,
        attempts,
        next_attempt_time: waits.then(|| next_time.to_wire()),
        last_attempt_time: last_time.map(Micros::to_wire),
        last_error,
        last_status,
        create_time: Some(create_time.to_wire()),
        settle_time: settle_time.map(Micros::to_wire),
    }
}
