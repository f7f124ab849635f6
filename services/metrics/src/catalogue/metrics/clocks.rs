//! The metrics of the clocks of complaints.

use barometer_proto::metrics::v1::{Additivity, Direction, Unit};

use super::{
    super::{BLANK, Metric, Test, parameters},
    WILSON,
    complaints::{SPREAD, STUDENT_OF_MANY},
};
use crate::{
    measures::complaints::{claims, clocks, escalations},
    query::Table,
};

const CLOCKS: Metric = Metric {
    sources: &["complaints.case_clock", "complaints.case", "complaints.case_entry", "customers.attribute_change"],
    table: Table::Clocks,
    revisions: |facts| vec![&facts.clocks.times.revisions],
    extent: |facts, _| facts.clocks.times.extent(),
    ..BLANK
};

pub(super) static ALL: &[Metric] = &[
    Metric {
        id: "clock_on_time_rate",
        version: 1,
        title: "Turn-around targets kept",
        description: "Of the clocks that began to run in the period, those that met the target of their policy. A clock that \
                      runs is late once it is past due, whether or not anybody has looked; until then, and while it is paused, \
                      it is `waiting` and in neither count. One that was cancelled before it was past due is in no count, nor \
                      are those of cases that were withdrawn or merged into another. A next response and a periodic update \
                      have a clock for each time that one was owed. `policy` is the policy whose target it is.",
        formula: "100 * on_time / (on_time + late); on time: stopped at or before the instant at which it was due.",
        unit: Unit::Percent,
        direction: Direction::Up,
        parameters: &[&parameters::LEVEL],
        counts: &["on_time", "late", "waiting"],
        interval: WILSON,
        always_grouped_by: &["clock"],
        sample: &["on_time", "late"],
        lowest: Some(0.0),
        highest: Some(100.0),
        awaits: &["waiting"],
        additivity: Additivity::Counts,
        test: Test::Share,
        example: "barometer query clock_on_time_rate --every week --by policy",
        answer: clocks::clock_on_time_rate,
        ..CLOCKS
    },
    Metric {
        id: "clock_time",
        version: 2,
        title: "Times that clocks took",
        description: "How long the clocks that began to run in the period ran until what they wait for happened, in working \
                      or in elapsed time, whatever the unit of their targets: without the stretches for which they stood, as \
                      while the case waited for the customer. Clocks are `acknowledgement`, `first_response`, \
                      `next_response`, `periodic_update`, `resolution` (the first one), `total_resolution` (over \
                      reopenings) and `final_response`; a case has those that its policy demands. Those that go on are \
                      `running` and in no statistic; those that stopped because their case was cancelled are in no count, nor \
                      are those of cases that were withdrawn or merged into another. Without policies there are no \
                      clocks: see `time_to_first_response`, `time_to_resolution`.",
        formula: "Mean of what was counted, or another `statistic`. Percentiles interpolate linearly between the two nearest \
                  values (type 7); see `statistics_error`.",
        unit: Unit::Seconds,
        direction: Direction::Down,
        parameters: &[&parameters::TIME, &parameters::STATISTIC, &parameters::LEVEL],
        counts: &["stopped", "running"],
        statistics: SPREAD,
        interval: STUDENT_OF_MANY,
        always_grouped_by: &["clock"],
        sample: &["stopped"],
        lowest: Some(0.0),
        awaits: &["running"],
        additivity: Additivity::None,
        test: Test::Mean,
        example: "barometer query clock_time --every month --param time=elapsed",
        answer: clocks::clock_time,
        ..CLOCKS
    },
    Metric {
        id: "escalations",
        version: 2,
        title: "Escalations of complaints",
        description: "How many steps the ladders of clocks, and of promises to customers, took in the period, by when they were \
                      taken; repetitions count each. `clock` says whose ladder it was, `promise` among them, and `policy` \
                      which one. `late` are those taken more than 5 seconds after they were to be, as after downtime; \
                      `cases` the different cases among them: a promise that stands alone has none. Those of cases that \
                      were withdrawn or merged into another, and of withdrawn promises, are in no count.",
        formula: "Number of steps.",
        unit: Unit::Count,
        direction: Direction::Down,
        sources: &["complaints.escalation", "complaints.case", "customers.attribute_change"],
        table: Table::Escalations,
        counts: &["escalations", "late", "cases"],
        lowest: Some(0.0),
        additivity: Additivity::Sum,
        example: "barometer query escalations --every month --by clock,policy",
        revisions: |facts| vec![&facts.escalations.times.revisions],
        extent: |facts, _| facts.escalations.times.extent(),
        answer: escalations::escalations,
        ..CLOCKS
    },
    Metric {
        id: "handling_time",
        version: 2,
        title: "Handling time of complaints",
        description: "How long somebody worked on a case, on average (AHT): all spells of work on it that ended in the period, \
                      added up for each case; of one that was left without a sign of life, until the last one. A case that is \
                      worked on in two periods, or by two teams when grouped so, has a handling in each. Spells that go on are in \
                      no count, nor are those of cases that were withdrawn or merged into another. `team` and `employee` \
                      are those who worked.",
        formula: "Mean over the cases of the sum of handling_micros, or another `statistic`. Percentiles interpolate linearly \
                  between the two nearest values (type 7); see `statistics_error`.",
        unit: Unit::Seconds,
        direction: Direction::Down,
        sources: &["complaints.claim", "complaints.case", "customers.attribute_change"],
        table: Table::Claims,
        parameters: &[&parameters::STATISTIC, &parameters::LEVEL],
        counts: &["cases"],
        statistics: SPREAD,
        interval: STUDENT_OF_MANY,
        sample: &["cases"],
        lowest: Some(0.0),
        additivity: Additivity::None,
        test: Test::Mean,
        example: "barometer query handling_time --every week --by team",
        revisions: |facts| vec![&facts.claims.times.revisions],
        extent: |facts, _| facts.claims.times.extent(),
        answer: claims::handling_time,
        ..CLOCKS
    },
];
