//! What happens in the loyalty programme, referrals, costs.

use barometer_proto::{common::v1::Money, customers::v1 as customers};
use proptest::{option, prelude::*, sample::select};

use super::{DAY, area, id, person, time, word};

fn money(units: std::ops::Range<i64>) -> impl Strategy<Value = Option<Money>> {
    let money = |(units, currency): (i64, &str)| Money { currency_code: currency.to_owned(), units, nanos: 0 };
    option::of((units, select(vec!["EUR", "USD"])).prop_map(money))
}

/// Not negative.
pub(super) fn price() -> impl Strategy<Value = Money> {
    let money = |(units, currency): (i64, &str)| Money { currency_code: currency.to_owned(), units, nanos: 0 };
    (0_i64..40, select(vec!["EUR", "USD"])).prop_map(money)
}

pub(super) fn membership_event() -> impl Strategy<Value = customers::MembershipEventFact> {
    let what = (1..=10, 1_i64..50, any::<bool>(), 0_u128..6);
    (person(), time(), what, money(0..40), (word(), word()), area()).prop_map(
        |(customer_id, time, (kind, points, down, voucher), value, (programme, channel), dimensions)| {
            let points = match kind {
                3..=5 => points,
                6 if down => -points,
                6 => points,
                _ => 0,
            };
            customers::MembershipEventFact {
                customer_id,
                time,
                r#type: kind,
                points,
                voucher_id: if (7..=9).contains(&kind) { id(1_000 + voucher) } else { String::new() },
                value: value.filter(|_| kind > 2),
                programme,
                channel,
                dimensions,
                ..Default::default()
            }
        },
    )
}

pub(super) fn referral() -> impl Strategy<Value = customers::ReferralFact> {
    (person(), option::of(person()), time(), option::of(time()), money(0..40), (word(), area())).prop_map(
        |(customer_id, other, time, join_time, reward, (channel, dimensions))| {
            let other = other.filter(|other| *other != customer_id).unwrap_or_default();
            customers::ReferralFact {
                join_time: join_time.flatten().filter(|_| !other.is_empty()),
                referred_customer_id: other,
                customer_id,
                time,
                reward,
                channel,
                dimensions,
                ..Default::default()
            }
        },
    )
}

pub(super) fn cost() -> impl Strategy<Value = customers::CostFact> {
    use customers::cost_fact::Basis;
    let basis = (money(-50..200), price(), any::<bool>());
    (1..=3, time(), option::of(1_i64..200), basis, (word(), word(), area())).prop_map(
        |(kind, time, quarters, (amount, rate, of_hours), (channel, team, dimensions))| {
            let start = time.as_ref().and_then(barometer_chassis::clock::Micros::from_wire);
            let end = start.zip(quarters).map(|(start, quarters)| start.0 + quarters * DAY / 4);
            customers::CostFact {
                kind,
                time,
                end_time: end.map(|end| barometer_chassis::clock::Micros(end).to_wire()),
                basis: Some(match amount {
                    Some(amount) => Basis::Amount(amount),
                    None if of_hours => Basis::PerHour(rate),
                    None => Basis::PerItem(rate),
                }),
                channel,
                team,
                dimensions,
                ..Default::default()
            }
        },
    )
}
