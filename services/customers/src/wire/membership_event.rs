//! Events of memberships: message ⇄ row.

use barometer_chassis::{
    clock::Micros,
    door::{Door, PageToken, Stages, money},
};
use barometer_proto::{
    common::v1::Money,
    customers::v1::{self as wire, FactKind, MembershipEventType, fact::Fact, membership_event::Customer},
};

use super::{id_of_key, parse_cost};
use crate::{
    customer::CustomerId,
    membership_event::Model,
    noun::{Noun, columns, external_id, parse_customer},
    store::CustomerRef,
};

/// The most points of one event.
const MAX_POINTS: i64 = 1_000_000_000_000;

impl Noun for Model {
    type Wire = wire::MembershipEvent;
    const FIELD: &'static str = "membership_event";
    const ID_FIELD: &'static str = "membership_event_id";
    const AMENDABLE: &'static [&'static str] = &[
        "customer_id",
        "customer_key",
        "time",
        "type",
        "programme",
        "points",
        "voucher",
        "value",
        "cost",
        "reason",
        "channel",
        "campaign",
        "expire_time",
        "purchase",
        "dimensions",
    ];

    fn parse(door: &mut Door, message: wire::MembershipEvent, _stages: &Stages, actor: String) -> (Self, CustomerRef) {
        let wire::MembershipEvent {
            customer,
            time,
            r#type,
            programme,
            points,
            voucher,
            value,
            cost,
            reason,
            channel,
            campaign,
            expire_time,
            purchase,
            external_id: key,
            dimensions,
            membership_event_id: _,
            etag: _,
            create_time: _,
            update_time: _,
            withdraw_time: _,
            position: _,
        } = message;
        let customer = match customer {
            Some(Customer::CustomerId(id)) => parse_customer(door, Some(id), None),
            Some(Customer::CustomerKey(key)) => parse_customer(door, None, Some(key)),
            None => parse_customer(door, None, None),
        };
        let event_type: MembershipEventType = door.choice("type", r#type);
        let time = door.past_time("time", time);
        check_points(door, event_type, points);
        let voucher = parse_voucher(door, event_type, voucher);
        let (value_currency, value) = parse_value(door, event_type, value);
        let (cost_currency, cost) = parse_cost(door, "cost", cost);
        let expire_time = parse_expire_time(door, event_type, time, expire_time);
        let (purchase_system, purchase_id) = columns(door.optional_key("purchase", purchase));
        let (external_system, external_key) = columns(door.optional_key("external_id", key));
        let row = Model {
            time,
            event_type: event_type.into(),
            programme: door.text("programme", programme, 64),
            points,
            voucher,
            value_currency,
            value,
            cost_currency,
            cost,
            reason: door.text("reason", reason, 64),
            channel: door.text("channel", channel, 64),
            campaign: door.text("campaign", campaign, 128),
            expire_time,
            purchase_system,
            purchase_id,
            dimensions: door.dimensions(dimensions),
            external_system,
            external_id: external_key,
            actor,
            ..Model::default()
        };
        (row, customer)
    }

    fn render(self, position: String) -> wire::MembershipEvent {
        let Model {
            id,
            number: _,
            position: _,
            version,
            customer_id,
            time,
            event_type,
            programme,
            points,
            voucher,
            value_currency,
            value,
            cost_currency,
            cost,
            reason,
            channel,
            campaign,
            expire_time,
            purchase_system,
            purchase_id,
            dimensions,
            external_system,
            external_id: external_key,
            fingerprint: _,
            actor: _,
            create_time,
            update_time,
            withdraw_time,
        } = self;
        wire::MembershipEvent {
            membership_event_id: id.to_string(),
            customer: Some(Customer::CustomerId(customer_id.to_string())),
            time: Some(time.to_wire()),
            r#type: event_type,
            programme,
            points,
            voucher,
            value: value_currency.zip(value).map(|(currency, micros)| money(&currency, micros)),
            cost: cost_currency.zip(cost).map(|(currency, micros)| money(&currency, micros)),
            reason,
            channel,
            campaign,
            expire_time: expire_time.map(Micros::to_wire),
            purchase: external_id(purchase_system, purchase_id),
            external_id: external_id(external_system, external_key),
            dimensions: dimensions.0,
            etag: version.to_string(),
            create_time: Some(create_time.to_wire()),
            update_time: Some(update_time.to_wire()),
            withdraw_time: withdraw_time.map(Micros::to_wire),
            position,
        }
    }

    fn amended(old: Self, new: Self) -> Self {
        let Model {
            customer_id,
            time,
            event_type,
            programme,
            points,
            voucher,
            value_currency,
            value,
            cost_currency,
            cost,
            reason,
            channel,
            campaign,
            expire_time,
            purchase_system,
            purchase_id,
            dimensions,
            id: _,
            number: _,
            position: _,
            version: _,
            external_system: _,
            external_id: _,
            fingerprint: _,
            actor: _,
            create_time: _,
            update_time: _,
            withdraw_time: _,
        } = new;
        Model {
            customer_id,
            time,
            event_type,
            programme,
            points,
            voucher,
            value_currency,
            value,
            cost_currency,
            cost,
            reason,
            channel,
            campaign,
            expire_time,
            purchase_system,
            purchase_id,
            dimensions,
            ..old
        }
    }

    fn place(&self) -> PageToken {
        PageToken { key: self.time.0, id: self.id }
    }

    fn named(message: &wire::MembershipEvent) -> (&str, &str) {
        (&message.membership_event_id, &message.etag)
    }

    fn set_customer(&mut self, customer: CustomerId) {
        self.customer_id = customer;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }
}

/// An event for watchers.
pub(crate) fn membership_event_fact(row: Model) -> wire::Fact {
    let head = (row.id, row.number, row.version, row.update_time);
    super::fact(head, FactKind::MembershipEvent, row.withdraw_time.is_some(), || {
        let voucher_id = match row.voucher.as_str() {
            "" => String::new(),
            voucher => id_of_key(row.customer_id, voucher),
        };
        Fact::MembershipEvent(wire::MembershipEventFact {
            customer_id: row.customer_id.to_string(),
            time: Some(row.time.to_wire()),
            r#type: row.event_type,
            programme: row.programme,
            points: row.points,
            voucher_id,
            value: row.value_currency.zip(row.value).map(|(currency, micros)| money(&currency, micros)),
            cost: row.cost_currency.zip(row.cost).map(|(currency, micros)| money(&currency, micros)),
            reason: row.reason,
            channel: row.channel,
            campaign: row.campaign,
            expire_time: row.expire_time.map(Micros::to_wire),
            dimensions: row.dimensions.0,
        })
    })
}

/// Points go with what earns, takes or sets them right, and there they must be.
fn check_points(door: &mut Door, event_type: MembershipEventType, points: i64) {
    use MembershipEventType::{Adjust, Earn, Expire, Redeem, Unspecified};
    let has_points = matches!(event_type, Earn | Redeem | Expire | Adjust);
    if has_points && points == 0 {
        door.missing("points");
    } else if !has_points && event_type != Unspecified && points != 0 {
        door.refuse("points", "NOT_TOGETHER", "goes with EARN, REDEEM, EXPIRE and ADJUST only");
    } else if points < 0 && event_type != Adjust {
        door.refuse("points", "OUT_OF_RANGE", "is negative, which goes with ADJUST only");
    } else if points.unsigned_abs() > MAX_POINTS.unsigned_abs() {
        door.refuse("points", "OUT_OF_RANGE", "is not within ±1,000,000,000,000");
    }
}

/// The same of vouchers.
fn parse_voucher(door: &mut Door, event_type: MembershipEventType, voucher: String) -> String {
    use MembershipEventType::{ExpireVoucher, GrantVoucher, RedeemVoucher, Unspecified};
    let is_of_voucher = matches!(event_type, GrantVoucher | RedeemVoucher | ExpireVoucher);
    if is_of_voucher && voucher.is_empty() {
        door.missing("voucher");
    } else if !is_of_voucher && event_type != Unspecified && !voucher.is_empty() {
        door.refuse("voucher", "NOT_TOGETHER", "goes with events of vouchers only");
    }
    door.text("voucher", voucher, 128)
}

/// What joins or leaves has no value.
fn parse_value(
    door: &mut Door,
    event_type: MembershipEventType,
    value: Option<Money>,
) -> (Option<String>, Option<i64>) {
    use MembershipEventType::{Join, Leave};
    if value.is_some() && matches!(event_type, Join | Leave) {
        door.refuse("value", "NOT_TOGETHER", "does not go with JOIN and LEAVE");
    }
    parse_cost(door, "value", value)
}

/// What is given may run out, and does so afterwards.
fn parse_expire_time(
    door: &mut Door,
    event_type: MembershipEventType,
    time: Micros,
    expire_time: Option<prost_types::Timestamp>,
) -> Option<Micros> {
    use MembershipEventType::{Adjust, Earn, GrantVoucher, Unspecified};
    let at = door.optional_time("expire_time", expire_time)?;
    if !matches!(event_type, Earn | Adjust | GrantVoucher | Unspecified) {
        door.refuse("expire_time", "NOT_TOGETHER", "goes with EARN, ADJUST and GRANT_VOUCHER only");
    } else if at <= time {
        door.refuse("expire_time", "OUT_OF_ORDER", "does not lie after `time`");
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use barometer_chassis::error::Error;
    use proptest::prelude::*;

    use super::*;

    fn event(event_type: i32) -> wire::MembershipEvent {
        wire::MembershipEvent {
            customer: Some(Customer::CustomerId("01890a5d-ac96-774b-bcce-b302099a8057".to_owned())),
            time: Some(Micros(1_704_070_800_000_000).to_wire()),
            r#type: event_type,
            ..wire::MembershipEvent::default()
        }
    }

    /// The fields that are refused.
    fn refused(event: wire::MembershipEvent) -> Vec<String> {
        let parsed = Door::open(|door| Model::parse(door, event, &Stages(Vec::new()), String::new()));
        match parsed {
            Err(Error::Invalid(violations)) => violations.into_iter().map(|violation| violation.field).collect(),
            _ => Vec::new(),
        }
    }

    proptest! {
        /// Every type needs points, a voucher or neither, never both, and takes what it needs.
        #[test]
        fn an_event_has_what_goes_with_its_type(event_type in 1..=10_i32, points in -3..=3_i64, voucher in "v?") {
            let told = refused(wire::MembershipEvent { points, voucher: voucher.clone(), ..event(event_type) });
            let of_points = (3..=6).contains(&event_type);
            let of_voucher = (7..=9).contains(&event_type);
            let points_are_right = match points {
                0 => !of_points,
                points => of_points && (points > 0 || event_type == 6),
            };
            prop_assert_eq!(told.contains(&"points".to_owned()), !points_are_right);
            prop_assert_eq!(told.contains(&"voucher".to_owned()), of_voucher == voucher.is_empty());
            prop_assert_eq!(told.is_empty(), points_are_right && of_voucher != voucher.is_empty());
        }
    }

    #[test]
    fn what_does_not_go_with_its_type_is_told() {
        let eur = || Some(Money { currency_code: "EUR".to_owned(), units: 5, nanos: 0 });
        let later = || Some(Micros(1_704_070_800_000_001).to_wire());
        let join = wire::MembershipEvent { value: eur(), cost: eur(), expire_time: later(), ..event(1) };
        assert_eq!(refused(join), ["value", "expire_time"]);
        let earn = wire::MembershipEvent { points: 5, value: eur(), expire_time: later(), ..event(3) };
        assert!(refused(earn.clone()).is_empty());
        assert_eq!(refused(wire::MembershipEvent { expire_time: earn.time, ..earn.clone() }), ["expire_time"]);
        let most = |points| refused(wire::MembershipEvent { points, ..earn.clone() });
        assert!(most(MAX_POINTS).is_empty());
        assert_eq!([most(MAX_POINTS + 1), most(i64::MIN)], [["points"], ["points"]]);
    }
}
