//! Customers: message ⇄ row.

use std::collections::BTreeSet;

use barometer_chassis::door::{Door, ExternalKey, Page};
use barometer_proto::customers::v1::{self as wire, FactKind, fact::Fact};
use sea_orm::{ColumnTrait, Condition};

use super::parse_value_band;
use crate::{
    customer::{Column, Model, Segments},
    store::{CustomerFilter, Profile},
};

/// The fields of a customer that callers set.
pub(crate) const MUTABLE: [&str; 9] =
    ["external_ids", "display_name", "email", "phone", "language", "tags", "since", "dimensions", "attributes"];

/// A customer as a caller describes it; id, positions and times are the writer's.
pub(crate) fn parse_customer(door: &mut Door, message: wire::Customer, actor: String) -> Profile {
    let wire::Customer {
        external_ids,
        display_name,
        email,
        phone,
        language,
        tags,
        since,
        dimensions,
        attributes,
        customer_id: _,
        etag: _,
        create_time: _,
        update_time: _,
        position: _,
    } = message;
    let mut keys: Vec<ExternalKey> = door.each("external_ids", external_ids, 32, |door, key| door.key(key));
    keys.sort_unstable();
    keys.dedup();
    let (mut seen, mut sorted) = (BTreeSet::new(), Vec::new());
    for tag in door.each("tags", tags, 64, |door, tag| door.required_text("", tag, 64)) {
        if !seen.insert(tag.clone()) {
            door.refuse("tags", "REPEATED", format!("`{tag}` stands twice"));
        }
        sorted.push(tag);
    }
    sorted.sort_unstable();
    let since = door.optional_time("since", since);
    if since.is_some_and(|since| since > door.now()) {
        door.refuse("since", "IN_THE_FUTURE", "lies in the future");
    }
    let attributes = attributes.unwrap_or_default();
    let wire::Attributes { tier, country, member, segments, value_band } = attributes;
    let (tier, country, segments, value_band) = door.inside("attributes", |door| {
        let segments = door.each("segments", segments, 64, |door, segment| door.required_text("", segment, 64));
        let value_band = parse_value_band(door, "value_band", value_band);
        (door.text("tier", tier, 64), door.text("country", country, 64), segments, value_band)
    });
    let email = door.text("email", email, 254);
    if !email.is_empty() && !email.contains('@') {
        door.refuse("email", "NOT_AN_ADDRESS", "is no e-mail address");
    }
    let row = Model {
        display_name: door.text("display_name", display_name, 200),
        email,
        phone: door.text("phone", phone, 32),
        language: door.language("language", language),
        since,
        dimensions: door.dimensions(dimensions),
        tier,
        country,
        member,
        segments: Segments(segments.into_iter().collect()),
        value_band,
        actor,
        ..Model::default()
    };
    Profile { row, keys, tags: sorted }
}

/// A customer for callers.
pub(crate) fn render_customer(profile: Profile, position: String) -> wire::Customer {
    let Profile { row, keys, tags } = profile;
    let Model {
        id,
        number: _,
        position: _,
        version,
        display_name,
        email,
        phone,
        language,
        since,
        dimensions,
        tier,
        country,
        member,
        segments,
        value_band,
        actor: _,
        create_time,
        update_time,
    } = row;
    wire::Customer {
        customer_id: id.to_string(),
        external_ids: keys.iter().map(ExternalKey::to_wire).collect(),
        display_name,
        email,
        phone,
        language,
        tags,
        since: since.map(|since| since.to_wire()),
        dimensions: dimensions.0,
        attributes: Some(wire::Attributes {
            tier,
            country,
            member,
            segments: segments.0.into_iter().collect(),
            value_band,
        }),
        etag: version.to_string(),
        create_time: Some(create_time.to_wire()),
        update_time: Some(update_time.to_wire()),
        position,
    }
}

/// A customer for watchers.
pub(crate) fn customer_fact(row: Model) -> wire::Fact {
    super::fact((row.id.0, row.number, row.version, row.update_time), FactKind::Customer, false, || {
        Fact::Customer(wire::CustomerFact {
            since: row.since.map(|since| since.to_wire()),
            create_time: Some(row.create_time.to_wire()),
            dimensions: row.dimensions.0,
        })
    })
}

/// The page and the filter of a list.
pub(crate) fn parse_list_customers(door: &mut Door, request: wire::ListCustomersRequest) -> (Page, CustomerFilter) {
    let wire::ListCustomersRequest { page_size, page_token, tier, country, tag, created_from, created_to, segment } =
        request;
    let page = door.page(page_size, &page_token);
    let tier = door.text("tier", tier, 64);
    let country = door.text("country", country, 64);
    let (from, to) = door.optional_span(("created_from", created_from), ("created_to", created_to));
    let columns = Condition::all()
        .add_option((!tier.is_empty()).then(|| Column::Tier.eq(tier)))
        .add_option((!country.is_empty()).then(|| Column::Country.eq(country)))
        .add_option(from.map(|at| Column::CreateTime.gte(at)))
        .add_option(to.map(|at| Column::CreateTime.lt(at)));
    let (tag, segment) = (door.text("tag", tag, 64), door.text("segment", segment, 64));
    (page, CustomerFilter { columns, tag, segment })
}
