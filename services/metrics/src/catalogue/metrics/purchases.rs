//! The metrics of purchases, and of customers by what they bought.

use barometer_proto::metrics::v1::{Additivity, Direction, Unit};

use super::{
    super::{BLANK, Metric, Test, parameters},
    WILSON,
    contracts::{CHURN_COUNTS, WILSON_OF_CUSTOMERS},
};
use crate::{
    measures::sales::{activity, cohorts, sales},
    query::Table,
    rules::granularity::Granularity,
};

const PURCHASES: Metric = Metric {
    sources: &["customers.purchase", "customers.attribute_change"],
    table: Table::Purchases,
    revisions: |facts| vec![&facts.purchases.times.revisions],
    extent: |facts, _| facts.purchases.times.extent(),
    ..BLANK
};

pub(super) static ALL: &[Metric] = &[
    Metric {
        id: "active_customers",
        version: 1,
        title: "Active customers",
        description: "Customers who are active when the period ends: they bought within the last `inactivity_days` days.",
        formula: "Customers with a sale in [end - N * 24 h, end). Returns make nobody active; a sale of 0 does.",
        unit: Unit::Count,
        direction: Direction::Up,
        parameters: &[&parameters::INACTIVITY_DAYS],
        counts: &["active", "buyers"],
        lowest: Some(0.0),
        additivity: Additivity::None,
        example: "barometer query active_customers --every month --param inactivity_days=180",
        is_state: true,
        answer: activity::active_customers,
        ..PURCHASES
    },
    Metric {
        id: "churn_rate",
        version: 1,
        title: "Churn rate by inactivity",
        description: "Of the customers who are active when the period begins, those who are not when it ends, or as another \
                      `definition` says.",
        formula: "100 * churned / active_at_start, where active at t means a sale in [t - N * 24 h, t); by other definitions \
                  100 * departures / active_at_start, 100 * (churned + joined_and_left) / (active_at_start + joined), or \
                  the sum over days of 100 * departures / active when the day begins.",
        unit: Unit::Percent,
        direction: Direction::Down,
        parameters: &[&parameters::INACTIVITY_DAYS, &parameters::DEFINITION, &parameters::LEVEL],
        counts: CHURN_COUNTS,
        interval: WILSON_OF_CUSTOMERS,
        sample: &["active_at_start"],
        lowest: Some(0.0),
        additivity: Additivity::None,
        test: Test::Share,
        example: "barometer query churn_rate --every quarter --by tier",
        is_state: true,
        answer: activity::churn_rate,
        ..PURCHASES
    },
    Metric {
        id: "cohort_retention",
        version: 1,
        title: "Retention of cohorts",
        description: "Of the customers whose first sale lies in one period (the cohort), those who bought in a later one. \
                      The groups `cohort` and `periods_since` (0 is the period of the first sale itself) name the cell; \
                      the row's period is the one in which they bought. Months, unless a granularity is given; at most \
                      400 periods. Cells that may still grow are partial.",
        formula: "100 * active / cohort_size, where active bought in calendar period k after the one of their first sale.",
        unit: Unit::Percent,
        direction: Direction::Up,
        parameters: &[&parameters::LEVEL],
        counts: &["active", "cohort_size"],
        interval: WILSON,
        always_grouped_by: &["cohort", "periods_since"],
        sample: &["cohort_size"],
        lowest: Some(0.0),
        highest: Some(100.0),
        additivity: Additivity::None,
        test: Test::Share,
        example: "barometer query cohort_retention --every month",
        granularity: Granularity::Month,
        looks_back: true,
        answer: cohorts::cohort_retention,
        ..PURCHASES
    },
    Metric {
        id: "inactive_share",
        version: 1,
        title: "Share of inactive buyers",
        description: "Of all who ever bought before the period ends, those whose last sale then lies more than \
                      `inactivity_days` days back.",
        formula: "100 * inactive / buyers, where the last sale before the end is earlier than end - N * 24 h.",
        unit: Unit::Percent,
        direction: Direction::Down,
        parameters: &[&parameters::INACTIVITY_DAYS, &parameters::LEVEL],
        counts: &["inactive", "buyers"],
        interval: WILSON,
        sample: &["buyers"],
        lowest: Some(0.0),
        highest: Some(100.0),
        additivity: Additivity::None,
        test: Test::Share,
        example: "barometer query inactive_share --every month",
        is_state: true,
        stands: true,
        answer: activity::inactive_share,
        ..PURCHASES
    },
    Metric {
        id: "purchases",
        version: 1,
        title: "Purchases",
        description: "Number of sales. A negative amount is a return, a sale of 0 is a sale. `customers` are those who \
                      bought.",
        formula: "Number of purchases with an amount of 0 or more.",
        unit: Unit::Count,
        direction: Direction::Up,
        counts: &["sales", "returns", "customers"],
        lowest: Some(0.0),
        additivity: Additivity::Sum,
        example: "barometer query purchases --every week --by channel",
        answer: sales::purchases,
        ..PURCHASES
    },
    Metric {
        id: "repeat_purchase_rate",
        version: 1,
        title: "Repeat purchase rate",
        description: "Of the customers who bought in the period, those who bought at least twice in it.",
        formula: "100 * repeaters / buyers; twice means on two days of the time zone, or two orders, by `basis`.",
        unit: Unit::Percent,
        direction: Direction::Up,
        parameters: &[&parameters::BASIS, &parameters::LEVEL],
        counts: &["repeaters", "buyers"],
        interval: WILSON,
        sample: &["buyers"],
        lowest: Some(0.0),
        highest: Some(100.0),
        additivity: Additivity::None,
        test: Test::Share,
        example: "barometer query repeat_purchase_rate --every year --param basis=orders",
        answer: activity::repeat_purchase_rate,
        ..PURCHASES
    },
    Metric {
        id: "retention_rate",
        version: 1,
        title: "Retention rate by inactivity",
        description: "Of the customers who are active when the period begins, those who are when it ends.",
        formula: "100 * retained / active_at_start = 100 - churn_rate; by another `definition` 100 - churn_rate of the same, \
                  below 0 where that exceeds 100.",
        unit: Unit::Percent,
        direction: Direction::Up,
        parameters: &[&parameters::INACTIVITY_DAYS, &parameters::DEFINITION, &parameters::LEVEL],
        counts: CHURN_COUNTS,
        interval: WILSON_OF_CUSTOMERS,
        sample: &["active_at_start"],
        highest: Some(100.0),
        additivity: Additivity::None,
        test: Test::Share,
        example: "barometer query retention_rate --every quarter",
        is_state: true,
        answer: activity::retention_rate,
        ..PURCHASES
    },
    Metric {
        id: "revenue",
        version: 1,
        title: "Revenue",
        description: "What was sold minus what was returned, for each currency. Grouped by `category`, a purchase is \
                      divided by its lines. `customers` are those who bought.",
        formula: "net = gross + returns: the sums of all amounts of 0 or more, and of all below 0.",
        unit: Unit::Money,
        direction: Direction::Up,
        counts: &["sales", "returns", "customers"],
        amounts: &["gross", "returns", "net"],
        always_grouped_by: &["currency"],
        additivity: Additivity::Sum,
        example: "barometer query revenue --every month --by category",
        answer: sales::revenue,
        ..PURCHASES
    },
];
