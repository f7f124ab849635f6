//! The values of customers: row → message, and how a band is written.

use barometer_chassis::door::{Door, money};
use barometer_proto::customers::v1::{self as wire, customer_value::Source};

use crate::{
    customer::CustomerId,
    store::Standing,
    value::{Band, Spend, UNKNOWN},
};

/// A band, or empty for none.
pub(crate) fn parse_value_band(door: &mut Door, field: &str, text: String) -> String {
    if !text.is_empty() && !Band::ALL.iter().any(|band| band.as_str() == text) {
        door.refuse(field, "UNKNOWN_VALUE", "is none of `high`, `medium`, `low`");
    }
    text
}

/// What a customer is worth: as somebody said, or else by what was spent.
pub(crate) fn render_value(
    id: CustomerId,
    standing: Option<Standing>,
    spent: Vec<Spend>,
    by_spend: Option<Band>,
) -> wire::CustomerValue {
    let exists = standing.is_some();
    let (said, tier, country) =
        standing.map(|Standing { value_band, tier, country }| (value_band, tier, country)).unwrap_or_default();
    let (source, value_band) = match by_spend {
        _ if !said.is_empty() => (Source::Set, said),
        Some(band) => (Source::Spend, band.as_str().to_owned()),
        None => (Source::None, UNKNOWN.to_owned()),
    };
    let amount = |spend: Spend| {
        let micros = i64::try_from(spend.micros).unwrap_or(if spend.micros < 0 { i64::MIN } else { i64::MAX });
        money(spend.currency.as_str(), micros)
    };
    wire::CustomerValue {
        customer_id: id.to_string(),
        exists,
        value_band,
        source: source.into(),
        spend: spent.into_iter().map(amount).collect(),
        tier,
        country,
    }
}
