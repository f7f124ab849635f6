//! The metrics of complaints: how they went.

use barometer_proto::metrics::v1::{Additivity, Direction, Unit};

use super::{
    super::{BLANK, Metric, Test, parameters},
    WILSON,
};
use crate::{
    measures::complaints::{cases, courses, follow_ups, handed, promises, rates},
    query::Table,
};

const CASE_WITH_HISTORY: &[&str] = &["complaints.case", "complaints.case_entry", "customers.attribute_change"];
const CASE_AND_CUSTOMER: &[&str] = &[
    "complaints.case",
    "customers.customer",
    "customers.attribute_change",
    "customers.purchase",
    "customers.interaction",
    "customers.subscription_event",
    "surveys.response",
];
pub(super) const STUDENT_OF_MANY: &str = "Student's t, of the mean; none below 200 cases, nor of other statistics";
pub(super) const SPREAD: &[&str] = &["mean", "p50", "p75", "p90", "p95", "p99", "max"];

pub(super) const CASES: Metric = Metric {
    sources: &["complaints.case", "customers.attribute_change"],
    table: Table::Cases,
    revisions: |facts| vec![&facts.cases.times.revisions],
    extent: |facts, _| facts.cases.times.extent(),
    ..BLANK
};

pub(super) static ALL: &[Metric] = &[
    Metric {
        id: "backlog",
        version: 1,
        title: "Backlog of complaints",
        description: "Cases that are open when the period ends, or now where it is not over, by their age: \
                      `under_1_day` since they were opened, `under_3_days` of 1 day or more, `under_7_days` of 3 days \
                      or more, `under_30_days` of 7 days or more, and `older`. A day is 24 hours. At a past instant \
                      those are open that had come by then and had not been resolved or cancelled, or were reopened \
                      since; what waits for somebody is open. Withdrawn cases and those merged into another are not \
                      counted, at no instant. Team, employee, priority and whatever else is said of the case itself is \
                      what is said now; `tier` and the like are those of that instant.",
        formula: "Number of cases opened before the instant and not ended before it.",
        unit: Unit::Count,
        direction: Direction::Down,
        sources: CASE_WITH_HISTORY,
        counts: &["open", "under_1_day", "under_3_days", "under_7_days", "under_30_days", "older"],
        lowest: Some(0.0),
        additivity: Additivity::Groups,
        example: "barometer query backlog --every day --by team",
        is_state: true,
        answer: courses::backlog,
        ..CASES
    },
    Metric {
        id: "backlog_age",
        version: 2,
        title: "Age of the backlog of complaints",
        description: "How long ago the cases were opened that are open when the period ends, or now where it is not \
                      over: elapsed time, since the first opening also where they were reopened. Which cases those are \
                      is as in `backlog`.",
        formula: "Mean of the instant - open_time, or another `statistic`, over the cases open then.",
        unit: Unit::Seconds,
        direction: Direction::Down,
        sources: CASE_WITH_HISTORY,
        parameters: &[&parameters::STATISTIC, &parameters::LEVEL],
        counts: &["open"],
        statistics: SPREAD,
        interval: STUDENT_OF_MANY,
        sample: &["open"],
        lowest: Some(0.0),
        additivity: Additivity::None,
        test: Test::Mean,
        example: "barometer query backlog_age --by team --param statistic=p90",
        is_state: true,
        stands: true,
        answer: courses::backlog_age,
        ..CASES
    },
    Metric {
        id: "complaint_rate",
        version: 1,
        title: "Complaints per 1,000 customers",
        description: "Complaints and losses opened in the period for every thousand customers known when it ends. \
                      Questions, suggestions and follow-ups of surveys are none; cancelled ones, and those of nobody \
                      known, are counted; withdrawn ones and those merged into another are not. Customers are those of \
                      the metric `customers`. What distinguishes customers (`tier`, `country`, `segment`, `member`) \
                      divides and filters both, complaints by what held when they were opened; everything else divides \
                      and filters complaints only, so that `--by product` tells the complaints about each product for \
                      every thousand of all customers. One customer can bring several.",
        formula: "1000 * complaints / customers.",
        unit: Unit::PerThousand,
        direction: Direction::Down,
        sources: CASE_AND_CUSTOMER,
        counts: &["complaints", "customers"],
        sample: &["customers"],
        lowest: Some(0.0),
        additivity: Additivity::None,
        example: "barometer query complaint_rate --every month --by tier",
        answer: rates::complaint_rate,
        ..CASES
    },
    Metric {
        id: "complaints_opened",
        version: 1,
        title: "Complaints opened",
        description: "Cases that came in, by the instant at which they were opened. `responded` and `resolved` are those of \
                      them that by now got an answer, and that were resolved at least once. Cancelled cases were opened, \
                      but are not resolved by that; those merged into another are not counted.",
        formula: "Number of cases.",
        unit: Unit::Count,
        direction: Direction::Down,
        counts: &["opened", "responded", "resolved"],
        lowest: Some(0.0),
        additivity: Additivity::Sum,
        example: "barometer query complaints_opened --every week --by category_1",
        answer: cases::complaints_opened,
        ..CASES
    },
    Metric {
        id: "hand_offs",
        version: 1,
        title: "Hand-offs of complaints",
        description: "How often cases changed hands in the period, by the instant of each: assignments that took a \
                      case from an employee or a team that had it. A first assignment is none, nor is giving it to an \
                      employee of the team that has it while no employee did. `team` and `employee` are those who \
                      handed it over, `to_team` and `to_employee` those who got it. `cases` are the different ones \
                      among them. Those of cancelled cases count; those of cases that were withdrawn or merged into \
                      another do not.",
        formula: "Number of hand-offs.",
        unit: Unit::Count,
        direction: Direction::Down,
        sources: CASE_WITH_HISTORY,
        table: Table::HandOffs,
        counts: &["hand_offs", "cases"],
        lowest: Some(0.0),
        additivity: Additivity::Sum,
        example: "barometer query hand_offs --every month --by team,to_team",
        revisions: |facts| vec![&facts.cases.hand_offs.times.revisions],
        extent: |facts, _| facts.cases.hand_offs.times.extent(),
        answer: handed::hand_offs,
        ..CASES
    },
    Metric {
        id: "hand_offs_per_case",
        version: 1,
        title: "Hand-offs per complaint",
        description: "How often the cases opened in the period have changed hands until now, on average. `handed_off` \
                      are those that did at all. Cancelled cases count; those withdrawn or merged into another do not. \
                      What a hand-off is says `hand_offs`; `team` and `employee` are those who have the case now.",
        formula: "hand_offs / cases.",
        unit: Unit::Count,
        direction: Direction::Down,
        counts: &["hand_offs", "handed_off", "cases"],
        sample: &["cases"],
        lowest: Some(0.0),
        additivity: Additivity::Counts,
        example: "barometer query hand_offs_per_case --every month",
        answer: handed::hand_offs_per_case,
        ..CASES
    },
    Metric {
        id: "on_time_rate",
        version: 1,
        title: "On-time rate of complaints",
        description: "Of the cases opened in the period, those whose first answer (or resolution) came within a limit. One \
                      that still waits is late once the limit has passed; until then it is `waiting` and in neither \
                      count. A cancelled case without it is in no count. The limit is elapsed time, nights and holidays included. Counted by when the case was opened: \
                      so that nothing unanswered is forgotten, the figures of a period change with its late answers.",
        formula: "100 * on_time / (on_time + late); on time: done at or before open_time + limit.",
        unit: Unit::Percent,
        direction: Direction::Up,
        parameters: &[&parameters::CLOCK, &parameters::LIMIT, &parameters::LEVEL],
        counts: &["on_time", "late", "waiting"],
        interval: WILSON,
        sample: &["on_time", "late"],
        lowest: Some(0.0),
        highest: Some(100.0),
        awaits: &["waiting"],
        additivity: Additivity::Counts,
        test: Test::Share,
        example: "barometer query on_time_rate --every week --param limit=4h",
        answer: cases::on_time_rate,
        ..CASES
    },
    Metric {
        id: "promise_kept_rate",
        version: 2,
        title: "Promises kept",
        description: "Of the promises to customers that were due in the period, those that were kept in time. One that is past \
                      due is broken, whether or not anybody has said so; `kept_late` are those of the broken that were kept \
                      after all. One that is not due yet is `open` and in neither count. Promises that were withdrawn are in \
                      no count; those made in a case count whatever became of the case. `team` and `employee` answer for them; of \
                      one that was broken they are who did when it was broken.",
        formula: "100 * kept / (kept + broken).",
        unit: Unit::Percent,
        direction: Direction::Up,
        sources: &["complaints.promise", "customers.attribute_change"],
        table: Table::Promises,
        parameters: &[&parameters::LEVEL],
        counts: &["kept", "broken", "kept_late", "open"],
        interval: WILSON,
        sample: &["kept", "broken"],
        lowest: Some(0.0),
        highest: Some(100.0),
        additivity: Additivity::Counts,
        test: Test::Share,
        example: "barometer query promise_kept_rate --every month --by team",
        awaits: &["open"],
        revisions: |facts| vec![&facts.promises.times.revisions],
        extent: |facts, _| facts.promises.times.extent(),
        answer: promises::promise_kept_rate,
        ..CASES
    },
    Metric {
        id: "recovery_rate",
        version: 1,
        title: "Recovered detractors",
        description: "Of the dissatisfied answers that were followed up in the period and whose customers answered again within \
                      the window, those who then were dissatisfied no longer. `no_answer` are those who did not answer again, \
                      `pending` those who still may; neither is in the rate. Follow-ups whose answer was withdrawn or amended so \
                      that it needs none are in no count.",
        formula: "100 * recovered / (recovered + unchanged + worse).",
        unit: Unit::Percent,
        direction: Direction::Up,
        sources: &["complaints.follow_up", "surveys.survey", "customers.attribute_change"],
        table: Table::FollowUps,
        parameters: &[&parameters::LEVEL],
        counts: &["recovered", "unchanged", "worse", "no_answer", "pending"],
        interval: WILSON,
        sample: &["recovered", "unchanged", "worse"],
        lowest: Some(0.0),
        highest: Some(100.0),
        additivity: Additivity::Counts,
        test: Test::Share,
        example: "barometer query recovery_rate --every quarter --by survey",
        awaits: &["pending"],
        revisions: |facts| vec![&facts.follow_ups.times.revisions],
        extent: |facts, _| facts.follow_ups.times.extent(),
        answer: follow_ups::recovery_rate,
        ..CASES
    },
    Metric {
        id: "reopen_rate",
        version: 1,
        title: "Reopened complaints",
        description: "Of the cases resolved for the first time in the period, those that were reopened after a \
                      resolution until now. A case counts once, however often that happened; a cancelled case that is \
                      reopened was not resolved. Counted by the first resolution: the last periods may still grow. \
                      Withdrawn cases and those merged into another are not counted.",
        formula: "100 * reopened / resolved.",
        unit: Unit::Percent,
        direction: Direction::Down,
        sources: CASE_WITH_HISTORY,
        parameters: &[&parameters::LEVEL],
        counts: &["reopened", "resolved"],
        interval: WILSON,
        sample: &["resolved"],
        lowest: Some(0.0),
        highest: Some(100.0),
        additivity: Additivity::Counts,
        test: Test::Share,
        example: "barometer query reopen_rate --every month --by team",
        revisions: |facts| vec![&facts.cases.resolutions],
        extent: courses::extent_of_resolutions,
        answer: courses::reopen_rate,
        ..CASES
    },
    Metric {
        id: "time_to_acknowledgement",
        version: 2,
        title: "Time to acknowledgement of complaints",
        description: "Elapsed time from when a case was opened until the customer was told that it came in \
                      (AcknowledgeCase), nights and holidays included, of the cases opened in the period. Those that \
                      were not acknowledged are `waiting` and in no statistic, answered or not; cancelled ones do not \
                      wait. The clock `acknowledgement` in `clock_time` also stops with an answer.",
        formula: "Mean of acknowledge_time - open_time, or another `statistic`. Percentiles interpolate linearly \
                  between the two nearest values (type 7); see `statistics_error`.",
        unit: Unit::Seconds,
        direction: Direction::Down,
        parameters: &[&parameters::STATISTIC, &parameters::LEVEL],
        counts: &["acknowledged", "waiting"],
        statistics: SPREAD,
        interval: STUDENT_OF_MANY,
        sample: &["acknowledged"],
        lowest: Some(0.0),
        awaits: &["waiting"],
        additivity: Additivity::None,
        test: Test::Mean,
        example: "barometer query time_to_acknowledgement --every month",
        answer: cases::time_to_acknowledgement,
        ..CASES
    },
    Metric {
        id: "time_to_first_response",
        version: 2,
        title: "Time to first response of complaints",
        description: "Elapsed time from when a case was opened until the customer first got an answer, nights and holidays \
                      included, of the cases opened in the period. Those without an answer are `waiting` and in no \
                      statistic; cancelled ones do not wait. Counted by when the case was opened: so that nothing unanswered is forgotten, the figures \
                      of a period change with its late answers.",
        formula: "Mean of first_response_time - open_time, or another `statistic`. Percentiles interpolate linearly between \
                  the two nearest values (type 7); see `statistics_error`.",
        unit: Unit::Seconds,
        direction: Direction::Down,
        parameters: &[&parameters::STATISTIC, &parameters::LEVEL],
        counts: &["responded", "waiting"],
        statistics: SPREAD,
        interval: STUDENT_OF_MANY,
        sample: &["responded"],
        lowest: Some(0.0),
        awaits: &["waiting"],
        additivity: Additivity::None,
        test: Test::Mean,
        example: "barometer query time_to_first_response --every week --param statistic=p90",
        answer: cases::time_to_first_response,
        ..CASES
    },
    Metric {
        id: "time_to_last_resolution",
        version: 2,
        title: "Time to last resolution of complaints",
        description: "Elapsed time for which a case was open until it was resolved for good, nights, holidays and \
                      waiting included, of the cases opened in the period that are resolved now: over reopenings, \
                      without the time in which it had ended. Others are `waiting` and in no statistic; cancelled ones \
                      do not wait.",
        formula: "Mean of the sum of the stretches in which the case was open, or another `statistic`. Percentiles \
                  interpolate linearly between the two nearest values (type 7); see `statistics_error`.",
        unit: Unit::Seconds,
        direction: Direction::Down,
        sources: CASE_WITH_HISTORY,
        parameters: &[&parameters::STATISTIC, &parameters::LEVEL],
        counts: &["resolved", "waiting"],
        statistics: SPREAD,
        interval: STUDENT_OF_MANY,
        sample: &["resolved"],
        lowest: Some(0.0),
        awaits: &["waiting"],
        additivity: Additivity::None,
        test: Test::Mean,
        example: "barometer query time_to_last_resolution --every month",
        answer: courses::time_to_last_resolution_of,
        ..CASES
    },
    Metric {
        id: "time_to_resolution",
        version: 2,
        title: "Time to resolution of complaints",
        description: "Elapsed time from when a case was opened until it was first resolved, nights and holidays included, of the \
                      cases opened in the period; a reopening does not change it. Those never resolved are `waiting` and \
                      in no statistic; cancelled ones do not wait. Counted by when the case was opened: so that nothing unsolved is forgotten, the \
                      figures of a period change with its late solutions.",
        formula: "Mean of first_resolve_time - open_time, or another `statistic`. Percentiles interpolate linearly between \
                  the two nearest values (type 7); see `statistics_error`.",
        unit: Unit::Seconds,
        direction: Direction::Down,
        parameters: &[&parameters::STATISTIC, &parameters::LEVEL],
        counts: &["resolved", "waiting"],
        statistics: SPREAD,
        interval: STUDENT_OF_MANY,
        sample: &["resolved"],
        lowest: Some(0.0),
        awaits: &["waiting"],
        additivity: Additivity::None,
        test: Test::Mean,
        example: "barometer query time_to_resolution --every month --by category_1",
        answer: cases::time_to_resolution,
        ..CASES
    },
];
