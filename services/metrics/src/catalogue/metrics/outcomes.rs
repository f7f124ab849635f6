//! The metrics of complaints: what became of them.

use barometer_proto::metrics::v1::{Additivity, Direction, Unit};

use super::{
    super::{Metric, Test, parameters},
    WILSON,
    complaints::CASES,
};
use crate::{measures::complaints::outcomes, query::Table};

pub(super) static ALL: &[Metric] = &[
    Metric {
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
        parameters: &[&parameters::LEVEL],
        counts: &["accepted", "declined", "unanswered", "not_asked"],
        interval: WILSON,
        sample: &["accepted", "declined"],
        lowest: Some(0.0),
        highest: Some(100.0),
        awaits: &["unanswered"],
        additivity: Additivity::Counts,
        test: Test::Share,
        example: "barometer query acceptance_rate --every month",
        answer: outcomes::acceptance_rate,
        ..CASES
    },
    Metric {
        id: "case_satisfaction",
        version: 1,
        title: "Satisfaction with complaints",
        description: "Of the cases opened in the period whose customers said how satisfied they are with how they were \
                      dealt with, those with one of the top two of five points. A reopening forgets what was said \
                      before. Withdrawn cases and those merged into another are in no count.",
        formula: "100 * satisfied / answers; satisfied: 4 or 5.",
        unit: Unit::Percent,
        direction: Direction::Up,
        parameters: &[&parameters::LEVEL],
        counts: &["satisfied", "answers"],
        interval: WILSON,
        sample: &["answers"],
        lowest: Some(0.0),
        highest: Some(100.0),
        additivity: Additivity::Counts,
        test: Test::Share,
        example: "barometer query case_satisfaction --every month --by team",
        answer: outcomes::case_satisfaction,
        ..CASES
    },
    Metric {
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
        table: Table::Redresses,
        counts: &["redresses", "cases"],
        amounts: &["cost"],
        always_grouped_by: &["currency"],
        lowest: Some(0.0),
        additivity: Additivity::Sum,
        example: "barometer query redress_cost --every month --by root_cause_1",
        answer: outcomes::redress_cost,
        ..CASES
    },
    Metric {
        id: "redress_points",
        version: 1,
        title: "Redress in points",
        description: "Points of the loyalty programme that customers got for the cases opened in the period, as their \
                      outcomes say it now. `cases` are the different ones among them. Withdrawn cases and those merged \
                      into another are not counted.",
        formula: "Sum of the points.",
        unit: Unit::Count,
        direction: Direction::Down,
        table: Table::Redresses,
        counts: &["redresses", "cases"],
        lowest: Some(0.0),
        additivity: Additivity::Sum,
        example: "barometer query redress_points --every month",
        answer: outcomes::redress_points,
        ..CASES
    },
    Metric {
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
        parameters: &[&parameters::LEVEL],
        counts: &["upheld", "partly_upheld", "rejected", "undecided"],
        interval: WILSON,
        sample: &["upheld", "partly_upheld", "rejected"],
        lowest: Some(0.0),
        highest: Some(100.0),
        additivity: Additivity::Counts,
        test: Test::Share,
        example: "barometer query upheld_rate --every quarter --by category_1",
        answer: outcomes::upheld_rate,
        ..CASES
    },
];
