//! The metrics of customers by how often they buy, and when again.

use barometer_chassis::clock::Micros;
use barometer_proto::metrics::v1::{Additivity, Direction, Unit};

use super::{
    super::{BLANK, Metric, Test, parameters},
    WILSON,
};
use crate::{
    measures::sales::{lifecycle, sales},
    query::Table,
};

const BUYERS: Metric = Metric {
    sources: &["customers.purchase", "customers.attribute_change"],
    table: Table::Purchases,
    looks_back: true,
    revisions: |facts| vec![&facts.purchases.times.revisions],
    extent: |facts, _| facts.purchases.times.extent(),
    additivity: Additivity::None,
    lowest: Some(0.0),
    ..BLANK
};

const STAGES: &[&str] = &["new", "returning", "resurrecting", "dormant"];

pub(super) static ALL: &[Metric] = &[
    Metric {
        id: "lifecycle",
        title: "Lifecycle of buyers",
        description: "Customers who bought in the period, by where they stand: `new` never bought before, `returning` bought \
                      in the period before too, `resurrecting` did not but had earlier. `dormant` bought in the period \
                      before and not in this one; they are not in the value. Periods are those of `granularity`; of the \
                      whole time, the period before is as long a time before it.",
        formula: "new + returning + resurrecting.",
        unit: Unit::Count,
        direction: Direction::Up,
        counts: STAGES,
        example: "barometer query lifecycle --every month",
        answer: lifecycle::lifecycle,
        ..BUYERS
    },
    Metric {
        id: "lifecycle_quick_ratio",
        title: "Quick ratio of buyers",
        description: "Buyers who are new or back, for each who became dormant: above 1 the active base grows. None when nobody \
                      became dormant. See `lifecycle`.",
        formula: "(new + resurrecting) / dormant.",
        unit: Unit::Ratio,
        direction: Direction::Up,
        counts: STAGES,
        example: "barometer query lifecycle_quick_ratio --every month",
        answer: lifecycle::lifecycle_quick_ratio,
        ..BUYERS
    },
    Metric {
        id: "stickiness",
        title: "Stickiness",
        description: "On how many of the days of the period, or of its weeks, those bought who bought at all: daily by monthly \
                      active buyers, of a month. Weeks of which the period has only a part count whole.",
        formula: "100 * active_units / (units * customers), where active_units are the units on which each bought, added up.",
        unit: Unit::Percent,
        direction: Direction::Up,
        highest: Some(100.0),
        parameters: &[&parameters::VISITS],
        counts: &["customers", "active_units", "units"],
        computed: &["units"],
        sample: &["customers"],
        example: "barometer query stickiness --every month --param unit=week",
        answer: lifecycle::stickiness,
        ..BUYERS
    },
    Metric {
        id: "reactivated_customers",
        title: "Reactivated customers",
        description: "Customers who bought in the period and were away when it began: they had bought before, and last more \
                      than `inactivity_days` days back. `away` are all who were away then.",
        formula: "Customers with a sale in the period, with one before it, and with none in [start - N * 24 h, start).",
        unit: Unit::Count,
        direction: Direction::Up,
        parameters: &[&parameters::INACTIVITY_DAYS],
        counts: &["reactivated", "away"],
        is_state: true,
        example: "barometer query reactivated_customers --every quarter --param inactivity_days=180",
        answer: lifecycle::reactivated_customers,
        ..BUYERS
    },
    Metric {
        id: "second_purchase_rate",
        title: "Second purchase rate",
        description: "Of the customers whose first sale lies in the period, those who bought a second time within \
                      `within_days` days of it, also after the period. Until that time is over the row is partial.",
        formula: "100 * second / first; the second sale is one on another day of the time zone, or another order, by `basis`, \
                  in [first sale, first sale + N * 24 h).",
        unit: Unit::Percent,
        direction: Direction::Up,
        highest: Some(100.0),
        parameters: &[&parameters::WITHIN_DAYS, &parameters::BASIS, &parameters::LEVEL],
        counts: &["first", "second"],
        interval: WILSON,
        sample: &["first"],
        test: Test::Share,
        example: "barometer query second_purchase_rate --every month --param within_days=60",
        follows: |parameters| i64::from(parameters.within_days) * Micros::DAY,
        answer: lifecycle::second_purchase_rate,
        ..BUYERS
    },
    Metric {
        id: "existing_sales_share",
        title: "Share of sales to existing customers",
        description: "Of what was sold in the period, what went to customers whose first sale, on whatever channel and in \
                      whatever currency, lies before it. Returns are left out. Grouped by `category`, a purchase is divided \
                      by its lines.",
        formula: "100 * existing / gross, for each currency.",
        unit: Unit::Percent,
        direction: Direction::Up,
        lowest: None,
        counts: &["customers"],
        amounts: &["existing", "new", "gross"],
        always_grouped_by: &["currency"],
        sample: &["customers"],
        example: "barometer query existing_sales_share --every month",
        answer: sales::existing_sales_share,
        ..BUYERS
    },
    Metric {
        id: "average_order",
        title: "Average order value",
        description: "What a sale comes to on average. Returns are left out. Grouped by `category`, a purchase is divided by \
                      its lines, and counts with each.",
        formula: "gross / sales, for each currency.",
        unit: Unit::Money,
        direction: Direction::Up,
        lowest: None,
        counts: &["sales"],
        amounts: &["gross"],
        always_grouped_by: &["currency"],
        sample: &["sales"],
        example: "barometer query average_order --every month --by channel",
        answer: sales::average_order,
        ..BUYERS
    },
    Metric {
        id: "purchase_frequency",
        title: "Purchase frequency",
        description: "How often those bought in the period who bought at all. Returns are left out.",
        formula: "sales / buyers.",
        unit: Unit::Ratio,
        direction: Direction::Up,
        counts: &["sales", "buyers"],
        sample: &["buyers"],
        example: "barometer query purchase_frequency --every year",
        answer: sales::purchase_frequency,
        ..BUYERS
    },
];
