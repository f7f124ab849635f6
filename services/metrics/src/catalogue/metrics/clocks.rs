//! The metrics of the clocks of complaints.

use barometer_proto::metrics::v1::{Direction, Unit};

use super::{
    super::{Measure, Metric, parameters},
    WILSON,
    complaints::{SPREAD, STUDENT_OF_MANY},
};
use crate::query::Table;

const CLOCK: &[&str] =
    &["complaints.case_clock", "complaints.case", "complaints.case_entry", "customers.attribute_change"];

pub(super) const CLOCK_ON_TIME_RATE: Metric = Metric {
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
    sources: CLOCK,
    table: Table::Clocks,
    parameters: &[&parameters::LEVEL],
    counts: &["on_time", "late", "waiting"],
    amounts: &[],
    statistics: &[],
    interval: WILSON,
    always_grouped_by: &["clock"],
    measure: Measure::ClockOnTimeRate,
};

pub(super) const CLOCK_TIME: Metric = Metric {
    id: "clock_time",
    version: 1,
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
              values (type 7), and are exact for any number of clocks.",
    unit: Unit::Seconds,
    direction: Direction::Down,
    sources: CLOCK,
    table: Table::Clocks,
    parameters: &[&parameters::TIME, &parameters::STATISTIC, &parameters::LEVEL],
    counts: &["stopped", "running"],
    amounts: &[],
    statistics: SPREAD,
    interval: STUDENT_OF_MANY,
    always_grouped_by: &["clock"],
    measure: Measure::ClockTime,
};
