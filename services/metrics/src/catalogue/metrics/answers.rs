//! The metrics of answers.

use barometer_proto::metrics::v1::{Additivity, Direction, Unit};

use super::{
    super::{BLANK, Metric, Test, parameters},
    WILSON,
};
use crate::{measures::surveys::answers, query::Table, rules::scale::Scale};

const ANSWERS: Metric = Metric {
    sources: &["surveys.response", "surveys.survey", "customers.attribute_change"],
    table: Table::Responses,
    revisions: |facts| vec![&facts.responses.times.revisions],
    extent: answers::extent,
    ..BLANK
};

pub(super) static ALL: &[Metric] = &[
    Metric {
        id: "ces",
        version: 1,
        title: "Customer effort score",
        description: "How easy customers find it, 1 (hard) to 7 (easy), on average. Answers without a score are in no count.",
        formula: "Mean of the scores of surveys of the kind CES.",
        unit: Unit::Points,
        direction: Direction::Up,
        parameters: &[&parameters::LEVEL],
        counts: &["answers"],
        interval: "Student's t; none below two answers",
        always_grouped_by: &["survey_type"],
        sample: &["answers"],
        lowest: Some(1.0),
        highest: Some(7.0),
        additivity: Additivity::Counts,
        test: Test::Mean,
        example: "barometer query ces --every week",
        scale: Some(Scale::Ces),
        answer: answers::ces,
        ..ANSWERS
    },
    Metric {
        id: "csat",
        version: 1,
        title: "Customer satisfaction",
        description: "Share of answers with one of the top two of five scores. Answers without a score are in no count.",
        formula: "100 * satisfied / answers, of surveys of the kind CSAT; satisfied: 4 or 5.",
        unit: Unit::Percent,
        direction: Direction::Up,
        parameters: &[&parameters::LEVEL],
        counts: &["satisfied", "answers"],
        interval: WILSON,
        always_grouped_by: &["survey_type"],
        sample: &["answers"],
        lowest: Some(0.0),
        highest: Some(100.0),
        additivity: Additivity::Counts,
        test: Test::Share,
        example: "barometer query csat --by touchpoint",
        scale: Some(Scale::Csat),
        answer: answers::csat,
        ..ANSWERS
    },
    Metric {
        id: "nps",
        version: 1,
        title: "Net promoter score",
        description: "Share of promoters (9, 10) minus share of detractors (0 to 6), -100 to 100. Answers without a score \
                      are in no count. With `weighted`, the counts of promoters, passives and detractors are sums of \
                      weights; `answers` stays the number of answers, and \
                      `effective_answers`, which there is only then, is n_eff.",
        formula: "100 * (promoters - detractors) / (promoters + passives + detractors), of surveys of the kind NPS. Weighted intervals scale the counts by \
                  n_eff / sum(w), n_eff = sum(w)^2 / sum(w^2).",
        unit: Unit::Points,
        direction: Direction::Up,
        parameters: &[
            &parameters::WEIGHTED,
            &parameters::INTERVAL,
            &parameters::SEED,
            &parameters::RESAMPLES,
            &parameters::LEVEL,
            &parameters::LATEST_PER_CUSTOMER,
        ],
        counts: &["promoters", "passives", "detractors", "answers", "effective_answers"],
        computed: &["effective_answers"],
        interval: "Score interval (Tango's form), or by the parameter `interval` adjusted Wald AW(3,T), or BCa bootstrap",
        always_grouped_by: &["survey_type"],
        sample: &["answers"],
        lowest: Some(-100.0),
        highest: Some(100.0),
        additivity: Additivity::Counts,
        test: Test::Nps,
        example: "barometer query nps --every month --by survey",
        scale: Some(Scale::Nps),
        answer: answers::nps,
        ..ANSWERS
    },
    Metric {
        id: "responses",
        version: 1,
        title: "Responses",
        description: "All recorded answers of surveys of every kind, with and without a score.",
        formula: "Number of answers.",
        unit: Unit::Count,
        direction: Direction::Up,
        counts: &["responses", "scored", "unscored"],
        lowest: Some(0.0),
        additivity: Additivity::Sum,
        example: "barometer query responses --by survey,score",
        answer: answers::responses,
        ..ANSWERS
    },
];
