//! The metrics of complaints: what became of them.

use barometer_proto::metrics::v1::{Direction, Unit};

use super::{
    super::{Measure, Metric, parameters},
    WILSON,
    complaints::CASE,
};
use crate::query::Table;

pub(super) const ACCEPTANCE_RATE: Metric = Metric {
    id: "acceptance_rate",
    version: 1,
    title: "Acceptance of solutions",
    description: "Of the cases opened in the period whose customers said whether they take them as solved, those \
                  who do. `unanswered` were asked and have not said, `not_asked` were closed without that; neither \
                  is in the rate. A reopening begins anew. Cancelled cases that say nothing count nowhere; \
                  withdrawn cases and those merged into another are in no count.",
    formula: "100 * accepted / (accepted + declined).",
    unit: Unit::Percent,
    direction: Direction::Up,
    sources: CASE,
    table: Table::Cases,
    parameters: &[&parameters::LEVEL],
    counts: &["accepted", "declined", "unanswered", "not_asked"],
    amounts: &[],
    statistics: &[],
    interval: WILSON,
    always_grouped_by: &[],
    measure: Measure::AcceptanceRate,
};

pub(super) const CASE_SATISFACTION: Metric = Metric {
    id: "case_satisfaction",
    version: 1,
    title: "Satisfaction with complaints",
    description: "Of the cases opened in the period whose customers said how satisfied they are with how they were \
                  dealt with, those with one of the top two of five points. A reopening forgets what was said \
                  before. Withdrawn cases and those merged into another are in no count.",
    formula: "100 * satisfied / answers; satisfied: 4 or 5.",
    unit: Unit::Percent,
    direction: Direction::Up,
    sources: CASE,
    table: Table::Cases,
    parameters: &[&parameters::LEVEL],
    counts: &["satisfied", "answers"],
    amounts: &[],
    statistics: &[],
    interval: WILSON,
    always_grouped_by: &[],
    measure: Measure::CaseSatisfaction,
};

pub(super) const REDRESS_COST: Metric = Metric {
    id: "redress_cost",
    version: 1,
    title: "Cost of redress",
    description: "What customers got for the cases opened in the period, as their outcomes say it now: refunds, \
                  vouchers, discounts and replacements that are worth money, for each currency. What is worth \
                  points is in `redress_points`, an apology in neither. `cases` are the different ones among them. \
                  Withdrawn cases and those merged into another are not counted.",
    formula: "Sum of the amounts.",
    unit: Unit::Money,
    direction: Direction::Down,
    sources: CASE,
    table: Table::Redresses,
    parameters: &[],
    counts: &["redresses", "cases"],
    amounts: &["cost"],
    statistics: &[],
    interval: "",
    always_grouped_by: &["currency"],
    measure: Measure::RedressCost,
};

pub(super) const REDRESS_POINTS: Metric = Metric {
    id: "redress_points",
    version: 1,
    title: "Redress in points",
    description: "Points of the loyalty programme that customers got for the cases opened in the period, as their \
                  outcomes say it now. `cases` are the different ones among them. Withdrawn cases and those merged \
                  into another are not counted.",
    formula: "Sum of the points.",
    unit: Unit::Count,
    direction: Direction::Down,
    sources: CASE,
    table: Table::Redresses,
    parameters: &[],
    counts: &["redresses", "cases"],
    amounts: &[],
    statistics: &[],
    interval: "",
    always_grouped_by: &[],
    measure: Measure::RedressPoints,
};

pub(super) const UPHELD_RATE: Metric = Metric {
    id: "upheld_rate",
    version: 1,
    title: "Upheld complaints",
    description: "Of the cases opened in the period of which it was decided whether the customer was right, those \
                  in which they were, wholly or in part. Which causes they have is told by `complaints_opened` \
                  grouped by `root_cause`: whole, or its first one or two parts (`root_cause_1`, `root_cause_2`). \
                  Withdrawn cases and those merged into another are not counted.",
    formula: "100 * (upheld + partly_upheld) / (upheld + partly_upheld + rejected).",
    unit: Unit::Percent,
    direction: Direction::Neutral,
    sources: CASE,
    table: Table::Cases,
    parameters: &[&parameters::LEVEL],
    counts: &["upheld", "partly_upheld", "rejected", "undecided"],
    amounts: &[],
    statistics: &[],
    interval: WILSON,
    always_grouped_by: &[],
    measure: Measure::UpheldRate,
};
