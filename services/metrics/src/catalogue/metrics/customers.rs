//! The metrics of customers by when they became known.

use barometer_proto::metrics::v1::{Additivity, Direction, Unit};

use super::super::{BLANK, Metric};
use crate::{measures::customers::known, query::Table};

pub(super) const CUSTOMERS: Metric = Metric {
    sources: &[
        "customers.customer",
        "customers.attribute_change",
        "customers.purchase",
        "customers.interaction",
        "customers.subscription_event",
        "customers.membership_event",
        "customers.referral",
        "surveys.response",
    ],
    table: Table::Customers,
    revisions: known::revisions,
    extent: known::extent,
    ..BLANK
};

pub(super) static ALL: &[Metric] = &[
    Metric {
        id: "customers",
        version: 1,
        title: "Customers",
        description: "Customers known when the period ends. Attributes such as `tier` are those held then.",
        formula: "A customer is known from the earliest of `since` and its first purchase, interaction, event of a \
                  subscription or membership, referral or answer; without any of them, from when the suite learned of \
                  it.",
        unit: Unit::Count,
        direction: Direction::Up,
        counts: &["customers"],
        lowest: Some(0.0),
        additivity: Additivity::Groups,
        example: "barometer query customers --every month --by tier",
        is_state: true,
        answer: known::customers,
        ..CUSTOMERS
    },
    Metric {
        id: "new_customers",
        version: 1,
        title: "New customers",
        description: "Customers who became known in the period. Attributes such as `tier` are those held when it ends.",
        formula: "As `customers`: known from the earliest of `since` and its first purchase, interaction, event of a \
                  subscription or membership, referral or answer; without any of them, from when the suite learned of \
                  it.",
        unit: Unit::Count,
        direction: Direction::Up,
        counts: &["customers"],
        lowest: Some(0.0),
        additivity: Additivity::Sum,
        example: "barometer query new_customers --every month",
        answer: known::new_customers,
        ..CUSTOMERS
    },
];
