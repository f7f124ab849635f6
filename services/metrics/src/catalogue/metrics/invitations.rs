//! The metrics of invitations.

use barometer_proto::metrics::v1::{Additivity, Direction, Unit};

use super::{
    super::{BLANK, Metric, Test, parameters},
    WILSON,
};
use crate::{measures::surveys::invitations, query::Table};

const INVITATIONS: Metric = Metric {
    sources: &["surveys.invitation", "surveys.survey", "customers.attribute_change"],
    table: Table::Invitations,
    revisions: |facts| vec![&facts.invitations.times.revisions],
    extent: |facts, _| facts.invitations.times.extent(),
    ..BLANK
};

/// Rates, which are made of what was answered as well.
const RATES: Metric = Metric {
    sources: &["surveys.invitation", "surveys.response", "surveys.survey", "customers.attribute_change"],
    unit: Unit::Percent,
    direction: Direction::Up,
    revisions: |facts| vec![&facts.invitations.times.revisions, &facts.invitations.answers],
    counts: &["complete", "partial", "refusal", "non_contact", "other", "unknown", "pending", "not_eligible"],
    interval: WILSON,
    lowest: Some(0.0),
    highest: Some(100.0),
    additivity: Additivity::Counts,
    test: Test::Share,
    ..INVITATIONS
};

pub(super) static ALL: &[Metric] = &[
    Metric {
        id: "completion_rate",
        version: 1,
        title: "Completion rate",
        description: "Share of invitations sent in the period that were answered to the end, of those of which an answer was \
                      begun. Who never began is in no count of it: that is the response rate.",
        formula: "100 * complete / (complete + partial).",
        parameters: &[&parameters::LEVEL],
        sample: &["complete", "partial"],
        example: "barometer query completion_rate --by channel",
        answer: invitations::completion_rate,
        ..RATES
    },
    Metric {
        id: "invitations",
        version: 1,
        title: "Invitations",
        description: "Invitations to answer a survey that were sent in the period, and how many of them were followed by a \
                      reminder.",
        formula: "Number of invitations.",
        unit: Unit::Count,
        direction: Direction::Neutral,
        counts: &["invited", "reminded"],
        lowest: Some(0.0),
        additivity: Additivity::Sum,
        example: "barometer query invitations --every week --by survey",
        answer: invitations::invitations,
        ..INVITATIONS
    },
    Metric {
        id: "response_rate",
        version: 1,
        title: "Response rate",
        description: "Share of invitations sent in the period that were answered, by AAPOR's definitions. What came of each is \
                      what somebody said, else its first answer, else what follows from its times. Invitations that can still be \
                      answered, and those that should not have been sent, are counted and in no rate: of a recent period it \
                      settles as they expire.",
        formula: "rr1 = 100 * I / (I + P + R + NC + O + U), rr2 with I + P above, rr5 = 100 * I / (I + P + R + NC + O), rr6 with \
                  I + P above; I complete, P partial, R refusal, NC non_contact, O other, U unknown (AAPOR Standard \
                  Definitions).",
        parameters: &[&parameters::RESPONSE_RATE, &parameters::LEVEL],
        awaits: &["pending"],
        sample: &["complete", "partial", "refusal", "non_contact", "other", "unknown"],
        example: "barometer query response_rate --by survey --every month",
        answer: invitations::response_rate,
        ..RATES
    },
];
