//! Metrics that are asked for together, against each of them alone.

use barometer_chassis::clock::Micros;
use barometer_proto::customers::v1::{self as customers, fact};
use proptest::{collection::vec, option, prelude::*, sample::select, sample::subsequence};
use uuid::Uuid;

use super::{
    fold, only, query,
    script::{DAY, history},
};
use crate::{
    catalogue::{self, Metric},
    columns::Facts,
    query::{Figure, MAX_METRICS, Query, scan::KEPT},
    rules::granularity::Granularity,
};

/// Those that are alike often are asked for together: several of a table.
fn metrics() -> impl Strategy<Value = Vec<&'static Metric>> {
    let all: Vec<&'static Metric> = catalogue::METRICS.iter().copied().collect();
    let tables: Vec<_> = all.iter().map(|metric| metric.table).collect();
    let of_table = {
        let all = all.clone();
        select(tables).prop_map(move |table| all.iter().copied().filter(|metric| metric.table == table).collect())
    };
    let size = 1..=MAX_METRICS.min(all.len());
    let some = prop_oneof![subsequence(all, size), of_table];
    some.prop_shuffle().prop_map(|metrics: Vec<&'static Metric>| metrics.into_iter().take(MAX_METRICS).collect())
}

fn asked() -> impl Strategy<Value = Query> {
    let dimensions =
        vec(select(vec!["channel", "tier", "segment_now", "area", "currency", "survey", "team", "category"]), 0..3);
    let filter = option::of((select(vec!["channel", "area", "segment", "category", "language"]), any::<bool>()));
    let granularity = select(vec![Granularity::All, Granularity::Week, Granularity::Month]);
    let parameters = select(vec![
        None,
        Some(("weighted", "true")),
        Some(("latest_per_customer", "true")),
        Some(("clock", "resolution")),
        Some(("statistic", "p90")),
    ]);
    let quarters = (0_i64..200, 1_i64..250);
    (metrics(), dimensions, filter, granularity, parameters, quarters).prop_map(
        |(metrics, mut dimensions, filter, granularity, parameters, (start, length))| {
            dimensions.sort_unstable();
            dimensions.dedup();
            let mut query = Query {
                metrics,
                start: Some(start * DAY / 4),
                end: Some((start + length) * DAY / 4),
                ..query("nps", granularity, &dimensions)
            };
            if let Some((dimension, exclude)) = filter {
                query = only(query, dimension, "a", exclude);
            }
            if let Some((name, value)) = parameters {
                query.parameters.set(name, value);
            }
            query
        },
    )
}

/// What each metric comes to, or what is wrong first.
fn told(query: &Query, facts: &Facts, kept: usize) -> Result<Vec<Vec<Figure>>, String> {
    let all = query.answer(facts, None, kept).map_err(|error| format!("{error:?}"))?;
    Ok(all.into_iter().map(|of_metric| of_metric.figures).collect())
}

fn alone(query: &Query, facts: &Facts) -> Result<Vec<Vec<Figure>>, String> {
    let one = |metric: &&'static Metric| {
        let mut told = told(&Query { metrics: vec![metric], ..query.clone() }, facts, KEPT)?;
        Ok(told.remove(0))
    };
    query.metrics.iter().map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn metrics_together_are_those_alone(history in history(), queries in vec(asked(), 1..6)) {
        let facts = fold(&history.shuffled);
        for query in queries {
            let expected = alone(&query, &facts);
            for kept in [KEPT, 200, 0] {
                prop_assert_eq!(&told(&query, &facts, kept), &expected, "{} bytes", kept);
            }
        }
    }
}

#[test]
fn too_many_rows_are_refused_alike() {
    let mut facts = Facts::default();
    for number in 0..30 {
        let contact = customers::InteractionFact {
            customer_id: Uuid::from_u128(1).to_string(),
            time: Some(Micros(number * DAY).to_wire()),
            direction: 1,
            channel: "web".to_owned(),
            campaign: number.to_string(),
            ..Default::default()
        };
        let id = Uuid::from_u128(1_000 + u128::from(number.unsigned_abs())).to_string();
        let fact = Some(fact::Fact::Interaction(contact));
        facts
            .put_customers(customers::Fact { id, number, version: 1, fact, ..Default::default() })
            .expect("a readable fact");
    }
    let metrics = ["contacts", "visits"].map(|id| catalogue::find(id).expect("a metric")).to_vec();
    // An answer has room for 25 groups in so many days.
    let days = Query { end: Some(4_000 * DAY), metrics, ..query("contacts", Granularity::Day, &["campaign"]) };
    let refused = told(&days, &facts, KEPT).expect_err("30 groups");
    assert!(refused.contains("TOO_MANY"), "{refused}");
    assert_eq!(alone(&days, &facts), Err(refused));
    let months = Query { granularity: Granularity::Month, ..days };
    let together = told(&months, &facts, KEPT).expect("few rows");
    assert_eq!(alone(&months, &facts), Ok(together));
}
