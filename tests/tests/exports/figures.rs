//! Figures as tables: what QueryMetrics answers, row for row.

use barometer::{demo::load, endpoint::Endpoint};
use barometer_chassis::testing::on_each_database;
use barometer_proto::metrics::v1::{Granularity, QueryMetricsRequest, Row};
use barometer_simulator::{Company, Parameters};
use barometer_tests::Suite;

use crate::figures;

/// 2026-10-20T12:00:00Z.
const UNTIL: i64 = 1_792_497_600_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_table_has_the_rows_of_the_answer() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let company = Company::new(Parameters { customers: 100, seed: 5, until: UNTIL }).expect("an end of time");
        let loaded = load::load(&Endpoint::at(&suite.endpoint), &company).await.expect("everything is taken");
        let mut compared = 0;
        for (metric, group_by) in [
            ("nps", vec!["channel", "survey"]),
            ("revenue", vec!["channel"]),
            ("backlog", vec!["case_state"]),
            ("time_to_resolution", vec![]),
            ("cohort_retention", vec![]),
            ("completion_rate", vec![]),
            ("churn_rate", vec!["tier"]),
        ] {
            let query = QueryMetricsRequest {
                metrics: vec![metric.to_owned()],
                granularity: Granularity::Month.into(),
                group_by: group_by.iter().map(ToString::to_string).collect(),
                at_least: loaded.positions.clone(),
                ..Default::default()
            };
            let table = figures(&suite, query.clone()).await.unwrap_or_else(|status| panic!("{metric}: {status:?}"));
            let answer = suite.metrics.clone().query_metrics(query).await.expect("figures").into_inner();
            let (told, rows) = (table.rows(), &answer.results[0].rows);
            assert_eq!(told.len(), rows.len(), "{metric}");
            for (told, row) in told.iter().zip(rows) {
                compare(metric, told, row);
                compared += 1;
            }
            assert_eq!(table.head.file_name, format!("{metric}.csv"));
            assert_eq!(table.tail.freshness.len(), answer.freshness.len());
        }
        assert!(compared > 500, "{compared}");
        suite.stop().await;
    })
    .await;
}

fn compare(metric: &str, told: &std::collections::BTreeMap<String, String>, row: &Row) {
    let number = |name: &str| told[name].parse::<f64>().ok();
    assert_eq!((told["metric"].as_str(), told["label"].as_str()), (metric, row.label.as_str()));
    assert_eq!(number("value"), row.value, "{metric}: {row:?}");
    for (name, count) in row.counts.iter().chain(&row.statistics) {
        // There is a column of this name in every table.
        let name = if name == "partial" { "partial_count" } else { name };
        assert_eq!(number(name), Some(*count), "{metric} {name}");
    }
    for (name, money) in &row.amounts {
        let (units, nanos) = (i128::from(money.units), i128::from(money.nanos));
        let column = if row.counts.contains_key(name) { format!("{name}_amount") } else { name.clone() };
        let (whole, decimals) = told[&column].split_once('.').unwrap_or((&told[&column], ""));
        let exact: i128 = format!("{whole}{decimals:0<9}").parse().expect("a decimal number");
        assert_eq!(exact, units * 1_000_000_000 + nanos, "{metric} {name}");
        assert_eq!(told["currency"], money.currency_code);
    }
    for (name, value) in &row.group {
        assert_eq!(told[name], *value, "{metric} {name}");
    }
    let limits = row.interval.as_ref().map(|interval| (interval.low, interval.high, interval.level));
    assert_eq!(
        number("low").zip(number("high")).zip(number("level")).map(|((low, high), level)| (low, high, level)),
        limits
    );
    assert_eq!(told["partial"], row.partial.to_string());
    assert_eq!(format!("ROW_STATE_{}", told["state"].to_uppercase()), row.state().as_str_name());
    assert_eq!(format!("COMPLETENESS_{}", told["completeness"].to_uppercase()), row.completeness().as_str_name());
    assert_eq!(told["revised"].is_empty(), row.revise_time.is_none());
}
