//! The metrics of contacts with customers.

use barometer_proto::metrics::v1::{Additivity, Direction, Unit};

use super::{
    super::{BLANK, Metric, Test, parameters},
    WILSON,
    complaints::SPREAD,
};
use crate::{measures::customers::contacts, query::Table};

const CONTACTS: Metric = Metric {
    sources: &["customers.interaction", "customers.attribute_change"],
    table: Table::Contacts,
    lowest: Some(0.0),
    revisions: |facts| vec![&facts.interactions.times.revisions],
    extent: |facts, _| facts.interactions.times.extent(),
    ..BLANK
};

/// Shares of what the company sent.
const RATES: Metric = Metric {
    unit: Unit::Percent,
    direction: Direction::Up,
    parameters: &[&parameters::LEVEL],
    interval: WILSON,
    sample: &["contacts"],
    highest: Some(100.0),
    additivity: Additivity::Counts,
    test: Test::Share,
    ..CONTACTS
};

pub(super) static ALL: &[Metric] = &[
    Metric {
        id: "contact_time",
        version: 1,
        title: "Handling time of contacts",
        description: "How long somebody worked on each contact that began in the period: calls, mails, chats. Contacts of \
                      which no handling time was told are in no count. The work on complaints is `handling_time`; a call \
                      that was recorded as both is in both.",
        formula: "Mean of what was counted, or another `statistic`. Percentiles interpolate linearly between the two nearest \
                  values (type 7); see `statistics_error`.",
        unit: Unit::Seconds,
        direction: Direction::Down,
        parameters: &[&parameters::STATISTIC, &parameters::LEVEL],
        counts: &["handled"],
        statistics: SPREAD,
        interval: "Student's t, of the mean; none below 200 contacts, nor of other statistics",
        sample: &["handled"],
        additivity: Additivity::None,
        test: Test::Mean,
        example: "barometer query contact_time --by channel --param statistic=p90",
        answer: contacts::contact_time,
        ..CONTACTS
    },
    Metric {
        id: "contacts",
        version: 1,
        title: "Contacts",
        description: "Contacts with customers that began in the period: inbound, when the customer turned to the company, \
                      and outbound, when the company turned to the customer.",
        formula: "inbound + outbound.",
        unit: Unit::Count,
        direction: Direction::Neutral,
        counts: &["inbound", "outbound"],
        additivity: Additivity::Sum,
        example: "barometer query contacts --every week --by channel",
        answer: contacts::contacts,
        ..CONTACTS
    },
    Metric {
        id: "conversion_rate",
        version: 1,
        title: "Conversion of outreach",
        description: "Share of the outbound contacts that began in the period which the customer answered: whose outcome is \
                      `answered`, `converted` or `solved`. Contacts whose outcome is another, or was not told, are not \
                      answered. Whether the customer took what was offered is `offer_conversion_rate`.",
        formula: "100 * answered / contacts.",
        counts: &["answered", "contacts"],
        example: "barometer query conversion_rate --by campaign",
        answer: contacts::conversion_rate,
        ..RATES
    },
    Metric {
        id: "offer_conversion_rate",
        version: 1,
        title: "Conversion of offers",
        description: "Share of the outbound contacts that began in the period by which the customer took what was offered: \
                      whose outcome is `converted`.",
        formula: "100 * converted / contacts.",
        counts: &["converted", "contacts"],
        example: "barometer query offer_conversion_rate --by campaign,channel",
        answer: contacts::offer_conversion_rate,
        ..RATES
    },
    Metric {
        id: "open_rate",
        version: 1,
        title: "Open rate",
        description: "Share of the outbound contacts that began in the period which the customer opened: whose outcome is \
                      `opened`, or what comes of opening: `clicked`, `answered`, `converted`, `solved`, `unsubscribed`. It \
                      says something of channels that tell of opening, such as mail: filter by `channel`.",
        formula: "100 * opened / contacts.",
        counts: &["opened", "contacts"],
        example: "barometer query open_rate --where channel=email --by campaign",
        answer: contacts::open_rate,
        ..RATES
    },
    Metric {
        id: "unsubscribe_rate",
        version: 1,
        title: "Unsubscribe rate",
        description: "Share of the outbound contacts that began in the period after which the customer wants no more of \
                      them: whose outcome is `unsubscribed`.",
        formula: "100 * unsubscribed / contacts.",
        direction: Direction::Down,
        counts: &["unsubscribed", "contacts"],
        example: "barometer query unsubscribe_rate --by campaign",
        answer: contacts::unsubscribe_rate,
        ..RATES
    },
    Metric {
        id: "visits",
        version: 1,
        title: "Visits",
        description: "Inbound contacts that began in the period on the channel `web` or `shop`, or with a landing page.",
        formula: "Number of visits.",
        unit: Unit::Count,
        direction: Direction::Up,
        counts: &["visits"],
        additivity: Additivity::Sum,
        example: "barometer query visits --every week --by landing_page",
        answer: contacts::visits,
        ..CONTACTS
    },
];
