//! Metrics that users define, against the built-in ones that they are made of.

use std::time::Instant;

use barometer_metrics::memory::Memory;
use barometer_proto::metrics::v1::{
    Definition, Direction, Filter, Part, QueryMetricsRequest, Ratio, Row, Unit as MetricUnit, Variant,
    definition::Expression, part::Measure,
};

use crate::{
    answers::CHANNELS,
    figures,
    report::{Line, Measured, Report, Unit},
};

const PART: &str = "figures";
const VARIANT: &str = "custom.channel_nps";
const SHARE: &str = "custom.channel_share";
/// How often both sides are asked, after once that does not count.
const COUNTED: usize = 15;

/// Defines a variant and a ratio, and asks for each and for what it is made of in turn.
pub fn measure(memory: &mut Memory, facts: u64, report: &mut Report) {
    memory.define(variant()).expect("a good definition");
    memory.define(share()).expect("a good definition");

    let of_channel = |metric: &str| QueryMetricsRequest { filters: vec![on_channel()], ..of_window(metric) };
    let (ours, theirs) =
        in_turn(memory, &[of_window(VARIANT)], &[of_channel("nps")], |ours, theirs| assert_eq!(ours, theirs));
    let what = format!("NPS of 90 days over {facts}, a variant with a condition on the channel");
    let line = Line::new(PART, what, ours, Unit::Milliseconds);
    report.lines.push(line.against("the built-in metric with that filter", theirs));

    let parts = [of_channel("responses"), of_window("responses")];
    let (ours, theirs) = in_turn(memory, &[of_window(SHARE)], &parts, |ours, theirs| {
        let value = |row: &Row| row.value.expect("a value");
        let (ours, theirs) = (value(&ours[0]), 100.0 * value(&theirs[0]) / value(&theirs[1]));
        assert!((ours - theirs).abs() <= 1e-9, "{SHARE}: {ours} percent, {theirs} of its parts");
    });
    let what = format!("a channel's share of the answers of 90 days over {facts}, a ratio");
    report.lines.push(Line::new(PART, what, ours, Unit::Milliseconds).against("its two parts", theirs));
}

/// The times of these requests and of those; `check` sees the rows of both.
fn in_turn(
    memory: &Memory,
    these: &[QueryMetricsRequest],
    those: &[QueryMetricsRequest],
    check: impl Fn(Vec<Row>, Vec<Row>),
) -> (Measured, Measured) {
    let timed = |requests: &[QueryMetricsRequest]| {
        let begun = Instant::now();
        let results: Vec<_> =
            requests.iter().flat_map(|request| memory.query(request.clone()).expect("an answer")).collect();
        let rows: Vec<Row> = results.into_iter().flat_map(|result| result.rows).collect();
        (begun.elapsed().as_secs_f64() * 1e3, rows)
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for repetition in 0..=COUNTED {
        let ((one, these), (other, those)) = (timed(these), timed(those));
        check(these, those);
        if repetition > 0 {
            ours.push(one);
            theirs.push(other);
        }
    }
    (Measured::of(ours), Measured::of(theirs))
}

fn of_window(metric: &str) -> QueryMetricsRequest {
    QueryMetricsRequest { metrics: vec![metric.to_owned()], ..figures::request("window") }
}

fn on_channel() -> Filter {
    Filter { dimension: "channel".to_owned(), values: vec![CHANNELS[0].to_owned()], exclude: false }
}

fn variant() -> Definition {
    let variant = Variant { metric: "nps".to_owned(), filters: vec![on_channel()], ..Variant::default() };
    Definition {
        id: VARIANT.to_owned(),
        title: "NPS of a channel".to_owned(),
        description: "NPS of the answers that came by one channel.".to_owned(),
        expression: Some(Expression::Variant(variant)),
        ..Definition::default()
    }
}

fn share() -> Definition {
    let part = |name: &str, filters: Vec<Filter>| Part {
        name: name.to_owned(),
        metric: "responses".to_owned(),
        measure: Some(Measure::Count("responses".to_owned())),
        filters,
        ..Part::default()
    };
    let ratio = Ratio {
        numerator: Some(part("of_channel", vec![on_channel()])),
        denominator: Some(part("of_all", Vec::new())),
    };
    Definition {
        id: SHARE.to_owned(),
        title: "Share of a channel".to_owned(),
        description: "Of 100 answers so many came by one channel.".to_owned(),
        unit: MetricUnit::Percent.into(),
        direction: Direction::Neutral.into(),
        expression: Some(Expression::Ratio(ratio)),
        ..Definition::default()
    }
}
