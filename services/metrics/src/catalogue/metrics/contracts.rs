//! The metrics of subscriptions.

use barometer_proto::metrics::v1::{Additivity, Direction, Unit};

use super::super::{BLANK, Metric, Test, parameters};
use crate::{
    measures::subscriptions::{churn, contracts, revenue},
    query::Table,
};

/// Of the definitions that are shares of customers.
pub(super) const WILSON_OF_CUSTOMERS: &str =
    "Wilson score interval, by the definitions churn_standard and churn_over_start_plus_new; by the others none";

pub(super) const CHURN_COUNTS: &[&str] =
    &["active_at_start", "churned", "retained", "joined", "joined_and_left", "departures"];

/// All are asked for up to now: what was agreed long ago can take effect today.
const SUBSCRIPTIONS: Metric = Metric {
    sources: &["customers.subscription_event", "customers.attribute_change"],
    table: Table::Subscriptions,
    revisions: |facts| vec![&facts.subscriptions.times.revisions],
    extent: |facts, _| contracts::extent(facts),
    is_state: true,
    ..BLANK
};

/// Of customers who leave, or do not.
const CHURN: Metric = Metric {
    unit: Unit::Percent,
    parameters: &[&parameters::DEFINITION, &parameters::LEVEL],
    counts: CHURN_COUNTS,
    interval: WILSON_OF_CUSTOMERS,
    sample: &["active_at_start"],
    additivity: Additivity::None,
    test: Test::Share,
    ..SUBSCRIPTIONS
};

/// Of what subscriptions bring.
const MONEY: Metric = Metric {
    counts: &["paying_at_start", "began", "churned", "reactivated", "expanded", "contracted", "paying_at_end"],
    amounts: &["start", "new", "churn", "reactivation", "expansion", "contraction", "end"],
    always_grouped_by: &["currency"],
    additivity: Additivity::None,
    ..SUBSCRIPTIONS
};

/// Shares of the revenue at the start of a period.
const SHARE: Metric = Metric { unit: Unit::Percent, sample: &["paying_at_start"], ..MONEY };

pub(super) static ALL: &[Metric] = &[
    Metric {
        id: "subscribers",
        title: "Subscribers",
        description: "Customers who have a subscription when the period ends; in a period that is not over, now. What begins \
                      or ends at that very instant does so in the next period, and a cancellation is none until it takes \
                      effect. Attributes such as `tier` are those held then; `plan` and declared dimensions are what the \
                      subscription's events said last. By `plan` a customer counts with each that runs.",
        formula: "Customers with a subscription that started before the end and did not end before it.",
        unit: Unit::Count,
        direction: Direction::Up,
        counts: &["subscribers", "subscriptions"],
        lowest: Some(0.0),
        additivity: Additivity::None,
        example: "barometer query subscribers --every month",
        answer: revenue::subscribers,
        ..SUBSCRIPTIONS
    },
    Metric {
        id: "contract_churn_rate",
        title: "Churn rate by contract",
        description: "Of the customers who have a subscription when the period begins, those who have none when it ends, or \
                      as another `definition` says. A customer leaves when the last subscription ends, which is when the \
                      cancellation takes effect. Attributes such as `tier` are those held when the period ends. Filtered or \
                      grouped by `plan` only subscriptions on that plan are looked at: who changes to another leaves it.",
        formula: "100 * churned / active_at_start; by other definitions 100 * departures / active_at_start, 100 * (churned + \
                  joined_and_left) / (active_at_start + joined), or the sum over days of 100 * departures / active when the \
                  day begins.",
        direction: Direction::Down,
        lowest: Some(0.0),
        example: "barometer query contract_churn_rate --every month --param definition=churn_all_departures",
        answer: churn::contract_churn_rate,
        ..CHURN
    },
    Metric {
        id: "contract_retention_rate",
        title: "Retention rate by contract",
        description: "Of the customers who have a subscription when the period begins, those who have one when it ends. See \
                      `contract_churn_rate`.",
        formula: "100 - contract_churn_rate of the same definition; below 0 where that exceeds 100.",
        direction: Direction::Up,
        highest: Some(100.0),
        example: "barometer query contract_retention_rate --every quarter",
        answer: churn::contract_retention_rate,
        ..CHURN
    },
    Metric {
        id: "subscriptions_ended",
        title: "Subscriptions ended",
        description: "Subscriptions whose cancellation took effect in the period, by its `reason` and whether it was \
                      `voluntary`. `last_of_customer` are those after which the customer had none. What ended when it \
                      started, and what did not run, has not ended. Attributes such as `tier` are those held then.",
        formula: "Number of cancellations that ended a subscription.",
        unit: Unit::Count,
        direction: Direction::Down,
        table: Table::Endings,
        counts: &["ended", "last_of_customer"],
        lowest: Some(0.0),
        additivity: Additivity::Sum,
        example: "barometer query subscriptions_ended --by reason",
        answer: contracts::subscriptions_ended,
        ..SUBSCRIPTIONS
    },
    Metric {
        id: "mrr",
        title: "Monthly recurring revenue",
        description: "What the subscriptions that run when the period ends bring in a month; in a period that is not over, \
                      those that run now. `paying` are the customers of whom it is more than 0, `ever` \
                      those who ever had a subscription in the currency by then. As in `subscribers`, what \
                      begins or ends at that very instant does so in the next period.",
        formula: "Sum of the monthly amounts of the subscriptions that run, for each currency.",
        unit: Unit::Money,
        direction: Direction::Up,
        counts: &["paying", "ever"],
        lowest: Some(0.0),
        amounts: &["mrr"],
        example: "barometer query mrr --every month",
        answer: revenue::mrr,
        ..MONEY
    },
    Metric {
        id: "mrr_movement",
        title: "Movement of recurring revenue",
        description: "By how much the monthly recurring revenue of customers moved in the period, and by which movements. Each \
                      customer is compared with itself, at the start and at the end of the period: `new` never paid \
                      before, `churn` pays nothing any more, `reactivation` pays again, `expansion` and `contraction` pay \
                      more and less. It is decided in this order, in each currency by itself. Attributes such as `tier` \
                      are those held when the period ends; by `plan` a change of plan leaves one and is new to the other.",
        formula: "end - start = new + reactivation + expansion - churn - contraction.",
        unit: Unit::Money,
        direction: Direction::Up,
        example: "barometer query mrr_movement --every month",
        answer: revenue::mrr_movement,
        ..MONEY
    },
    Metric {
        id: "gross_revenue_churn",
        title: "Gross churn of revenue",
        description: "Of the monthly recurring revenue at the start of the period, what was lost in it: from customers who \
                      pay nothing any more, and from those who pay less. See `mrr_movement`.",
        formula: "100 * (churn + contraction) / start.",
        direction: Direction::Down,
        lowest: Some(0.0),
        highest: Some(100.0),
        example: "barometer query gross_revenue_churn --every month",
        answer: revenue::gross_revenue_churn,
        ..SHARE
    },
    Metric {
        id: "net_revenue_churn",
        title: "Net churn of revenue",
        description: "As `gross_revenue_churn`, less what customers pay more and what those pay who are back; below 0 when \
                      that is more than was lost. See `mrr_movement`.",
        formula: "100 * (churn + contraction - expansion - reactivation) / start.",
        direction: Direction::Down,
        example: "barometer query net_revenue_churn --every month",
        answer: revenue::net_revenue_churn,
        ..SHARE
    },
    Metric {
        id: "gross_revenue_retention",
        title: "Gross retention of revenue",
        description: "Of the monthly recurring revenue at the start of the period, what the same customers still pay when it \
                      ends, nobody counted with more than before. See `mrr_movement`.",
        formula: "100 * sum of the smaller of what each pays at the end and at the start / start = 100 - gross_revenue_churn.",
        direction: Direction::Up,
        lowest: Some(0.0),
        highest: Some(100.0),
        example: "barometer query gross_revenue_retention --every quarter",
        answer: revenue::gross_revenue_retention,
        ..SHARE
    },
    Metric {
        id: "net_revenue_retention",
        title: "Net retention of revenue",
        description: "What the customers who paid at the start of the period pay when it ends, by what they paid. Who is new \
                      or back did not pay then, so it is 100 less `net_revenue_churn` without the reactivation in that.",
        formula: "100 * (start - churn - contraction + expansion) / start.",
        direction: Direction::Up,
        lowest: Some(0.0),
        example: "barometer query net_revenue_retention --every quarter",
        answer: revenue::net_revenue_retention,
        ..SHARE
    },
    Metric {
        id: "mrr_quick_ratio",
        title: "Quick ratio of recurring revenue",
        description: "How many times over what was lost of the monthly recurring revenue was won. None when nothing was lost. \
                      See `mrr_movement`.",
        formula: "(new + expansion) / (churn + contraction).",
        unit: Unit::Ratio,
        direction: Direction::Up,
        lowest: Some(0.0),
        example: "barometer query mrr_quick_ratio --every quarter",
        answer: revenue::mrr_quick_ratio,
        ..MONEY
    },
];
