//! The catalogue: every metric as data, the one definition for everybody.

mod parameters;

pub(crate) use self::parameters::{Parameter, Parameters};

use barometer_proto::metrics::v1::{Direction, Unit};

use crate::query::Table;

/// The definition of a metric.
#[derive(Debug)]
pub(crate) struct Metric {
    /// Its name in queries.
    pub(crate) id: &'static str,
    /// Changes with the definition.
    pub(crate) version: i32,
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    pub(crate) formula: &'static str,
    pub(crate) unit: Unit,
    pub(crate) direction: Direction,
    pub(crate) sources: &'static [&'static str],
    /// Whose dimensions it has.
    pub(crate) table: Table,
    pub(crate) parameters: &'static [&'static Parameter],
    pub(crate) counts: &'static [&'static str],
    pub(crate) amounts: &'static [&'static str],
    pub(crate) interval: &'static str,
    pub(crate) always_grouped_by: &'static [&'static str],
    /// How it is computed.
    pub(crate) measure: Measure,
}

/// How a metric is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    Nps,
    Csat,
    Ces,
    Responses,
    Customers,
    NewCustomers,
    ActiveCustomers,
    Purchases,
    Revenue,
    RepeatPurchaseRate,
    ChurnRate,
    RetentionRate,
    InactiveShare,
    CohortRetention,
}

/// The metric of that name.
pub(crate) fn find(id: &str) -> Option<&'static Metric> {
    METRICS.binary_search_by_key(&id, |metric| metric.id).ok().map(|index| &METRICS[index])
}

const RESPONSE: &[&str] = &["surveys.response", "surveys.survey", "customers.attribute_change"];
const PURCHASE: &[&str] = &["customers.purchase", "customers.attribute_change"];
const CUSTOMER: &[&str] = &[
    "customers.customer",
    "customers.attribute_change",
    "customers.purchase",
    "customers.interaction",
    "customers.subscription_event",
    "surveys.response",
];
const WILSON: &str = "Wilson score interval";

/// Every metric, by name.
pub(crate) static METRICS: [Metric; 14] = [
    Metric {
        id: "active_customers",
        version: 1,
        title: "Active customers",
        description: "Customers who are active when the period ends: they bought within the last `inactivity_days` days.",
        formula: "Customers with a sale in [end - N * 24 h, end). Returns make nobody active; a sale of 0 does.",
        unit: Unit::Count,
        direction: Direction::Up,
        sources: PURCHASE,
        table: Table::Purchases,
        parameters: &[&parameters::INACTIVITY_DAYS],
        counts: &["active", "buyers"],
        amounts: &[],
        interval: "",
        always_grouped_by: &[],
        measure: Measure::ActiveCustomers,
    },
    Metric {
        id: "ces",
        version: 1,
        title: "Customer effort score",
        description: "How easy customers find it, 1 (hard) to 7 (easy), on average. Answers without a score are in no count.",
        formula: "Mean of the scores of surveys of the kind CES.",
        unit: Unit::Points,
        direction: Direction::Up,
        sources: RESPONSE,
        table: Table::Responses,
        parameters: &[&parameters::LEVEL],
        counts: &["answers"],
        amounts: &[],
        interval: "Student's t; none below two answers",
        always_grouped_by: &["survey_type"],
        measure: Measure::Ces,
    },
    Metric {
        id: "churn_rate",
        version: 1,
        title: "Churn rate by inactivity",
        description: "Of the customers who are active when the period begins, those who are not when it ends.",
        formula: "100 * churned / active_at_start, where active at t means a sale in [t - N * 24 h, t).",
        unit: Unit::Percent,
        direction: Direction::Down,
        sources: PURCHASE,
        table: Table::Purchases,
        parameters: &[&parameters::INACTIVITY_DAYS, &parameters::LEVEL],
        counts: &["active_at_start", "churned", "retained"],
        amounts: &[],
        interval: WILSON,
        always_grouped_by: &[],
        measure: Measure::ChurnRate,
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
        sources: PURCHASE,
        table: Table::Purchases,
        parameters: &[&parameters::LEVEL],
        counts: &["active", "cohort_size"],
        amounts: &[],
        interval: WILSON,
        always_grouped_by: &["cohort", "periods_since"],
        measure: Measure::CohortRetention,
    },
    Metric {
        id: "csat",
        version: 1,
        title: "Customer satisfaction",
        description: "Share of answers with one of the top two of five scores. Answers without a score are in no count.",
        formula: "100 * satisfied / answers, of surveys of the kind CSAT; satisfied: 4 or 5.",
        unit: Unit::Percent,
        direction: Direction::Up,
        sources: RESPONSE,
        table: Table::Responses,
        parameters: &[&parameters::LEVEL],
        counts: &["satisfied", "answers"],
        amounts: &[],
        interval: WILSON,
        always_grouped_by: &["survey_type"],
        measure: Measure::Csat,
    },
    Metric {
        id: "customers",
        version: 1,
        title: "Customers",
        description: "Customers known when the period ends. Attributes such as `tier` are those held then.",
        formula: "A customer is known from the earliest of `since` and its first purchase, interaction, subscription event \
                  or answer; without any of them, from when the suite learned of it.",
        unit: Unit::Count,
        direction: Direction::Up,
        sources: CUSTOMER,
        table: Table::Customers,
        parameters: &[],
        counts: &["customers"],
        amounts: &[],
        interval: "",
        always_grouped_by: &[],
        measure: Measure::Customers,
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
        sources: PURCHASE,
        table: Table::Purchases,
        parameters: &[&parameters::INACTIVITY_DAYS, &parameters::LEVEL],
        counts: &["inactive", "buyers"],
        amounts: &[],
        interval: WILSON,
        always_grouped_by: &[],
        measure: Measure::InactiveShare,
    },
    Metric {
        id: "new_customers",
        version: 1,
        title: "New customers",
        description: "Customers who became known in the period. Attributes such as `tier` are those held when it ends.",
        formula: "As `customers`: known from the earliest of `since` and its first purchase, interaction, subscription \
                  event or answer; without any of them, from when the suite learned of it.",
        unit: Unit::Count,
        direction: Direction::Up,
        sources: CUSTOMER,
        table: Table::Customers,
        parameters: &[],
        counts: &["customers"],
        amounts: &[],
        interval: "",
        always_grouped_by: &[],
        measure: Measure::NewCustomers,
    },
    Metric {
        id: "nps",
        version: 1,
        title: "Net promoter score",
        description: "Share of promoters (9, 10) minus share of detractors (0 to 6), -100 to 100. Answers without a score \
                      are in no count. With `weighted`, the counts of promoters, passives and detractors are sums of \
                      weights; `answers` stays the number of answers.",
        formula: "100 * (P - D) / (P + A + D), of surveys of the kind NPS. Weighted intervals scale the counts by \
                  n_eff / sum(w), n_eff = sum(w)^2 / sum(w^2).",
        unit: Unit::Points,
        direction: Direction::Up,
        sources: RESPONSE,
        table: Table::Responses,
        parameters: &[
            &parameters::WEIGHTED,
            &parameters::INTERVAL,
            &parameters::LEVEL,
            &parameters::LATEST_PER_CUSTOMER,
        ],
        counts: &["promoters", "passives", "detractors", "answers"],
        amounts: &[],
        interval: "Score interval (Tango's form), or adjusted Wald AW(3,T) by the parameter `interval`",
        always_grouped_by: &["survey_type"],
        measure: Measure::Nps,
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
        sources: PURCHASE,
        table: Table::Purchases,
        parameters: &[],
        counts: &["sales", "returns", "customers"],
        amounts: &[],
        interval: "",
        always_grouped_by: &[],
        measure: Measure::Purchases,
    },
    Metric {
        id: "repeat_purchase_rate",
        version: 1,
        title: "Repeat purchase rate",
        description: "Of the customers who bought in the period, those who bought at least twice in it.",
        formula: "100 * repeaters / buyers; twice means on two days of the time zone, or two orders, by `basis`.",
        unit: Unit::Percent,
        direction: Direction::Up,
        sources: PURCHASE,
        table: Table::Purchases,
        parameters: &[&parameters::BASIS, &parameters::LEVEL],
        counts: &["repeaters", "buyers"],
        amounts: &[],
        interval: WILSON,
        always_grouped_by: &[],
        measure: Measure::RepeatPurchaseRate,
    },
    Metric {
        id: "responses",
        version: 1,
        title: "Responses",
        description: "All recorded answers of surveys of every kind, with and without a score.",
        formula: "Number of answers.",
        unit: Unit::Count,
        direction: Direction::Up,
        sources: RESPONSE,
        table: Table::Responses,
        parameters: &[],
        counts: &["responses", "scored", "unscored"],
        amounts: &[],
        interval: "",
        always_grouped_by: &[],
        measure: Measure::Responses,
    },
    Metric {
        id: "retention_rate",
        version: 1,
        title: "Retention rate by inactivity",
        description: "Of the customers who are active when the period begins, those who are when it ends.",
        formula: "100 * retained / active_at_start = 100 - churn_rate.",
        unit: Unit::Percent,
        direction: Direction::Up,
        sources: PURCHASE,
        table: Table::Purchases,
        parameters: &[&parameters::INACTIVITY_DAYS, &parameters::LEVEL],
        counts: &["active_at_start", "churned", "retained"],
        amounts: &[],
        interval: WILSON,
        always_grouped_by: &[],
        measure: Measure::RetentionRate,
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
        sources: PURCHASE,
        table: Table::Purchases,
        parameters: &[],
        counts: &["sales", "returns", "customers"],
        amounts: &["gross", "returns", "net"],
        interval: "",
        always_grouped_by: &["currency"],
        measure: Measure::Revenue,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_in_the_order_of_their_names() {
        assert!(METRICS.is_sorted_by_key(|metric| metric.id));
        assert_eq!(find("nps").map(|metric| metric.measure), Some(Measure::Nps));
        assert!(find("npz").is_none());
    }
}
