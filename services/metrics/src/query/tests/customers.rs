//! Figures of customers by their subscriptions and sales, against plain recomputation.

use barometer_statistics::churn::ChurnDefinition;
use proptest::prelude::*;

use super::{DAY, Figure, Query, figures, fold, query, script::history, twin};
use crate::{catalogue, query::Table, rules::granularity::Granularity};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn contracts_are_as_replaying_their_events_says(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        let groups = [&[][..], &["plan"], &["tier"], &["currency", "segment"], &["area", "member_now"]];
        for (granularity, group_by) in [Granularity::All, Granularity::Month].into_iter().flat_map(|of| groups.map(|by| (of, by))) {
            let [of_customers, of_money] = ["subscribers", "mrr"].map(|metric| model.watch(&query(metric, granularity, group_by)));
            for metric in catalogue::METRICS.iter().filter(|metric| metric.table == Table::Subscriptions) {
                let seen = if metric.always_grouped_by.is_empty() { &of_customers } else { &of_money };
                let definitions = if metric.id.starts_with("contract_") { 4 } else { 1 };
                for definition in &ChurnDefinition::ALL[..definitions] {
                    let mut query = query(metric.id, granularity, group_by);
                    query.parameters.definition = *definition;
                    same_rows(&query, twin::contracts::rows(&figures(&query, &facts)), seen.rows(&query))?;
                }
            }
        }
        for group_by in [&[][..], &["reason"], &["voluntary", "plan"], &["tier"], &["area", "segment"]] {
            let query = query("subscriptions_ended", Granularity::Week, group_by);
            let (mut found, expected) = (twin::contracts::rows(&figures(&query, &facts)), model.ended(&query));
            let mut expected = expected;
            if !group_by.is_empty() {
                found.retain(|(_, group, _, _, _)| !group.is_empty());
                for (_, _, _, counts, _) in found.iter_mut().chain(&mut expected) {
                    counts.truncate(1);
                }
            }
            same_rows(&query, found, expected)?;
        }
    }

    #[test]
    fn buyers_stand_where_their_sales_say(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for (granularity, group_by) in [Granularity::All, Granularity::Week, Granularity::Month].into_iter()
            .flat_map(|of| [&["channel"][..], &["tier"], &["category"], &["segment"]].map(|by| (of, by)))
        {
            for metric in ["lifecycle", "lifecycle_quick_ratio", "stickiness", "reactivated_customers", "second_purchase_rate"] {
                for (name, chosen) in [("unit", "day"), ("unit", "week"), ("basis", "orders"), ("within_days", "9")] {
                    let mut query = query(metric, granularity, group_by);
                    query.parameters.set(name, chosen);
                    // Some sales lie before the first period.
                    query.start = Some(40 * DAY);
                    let found = twin::shape(&figures(&query, &facts));
                    let mut found = found;
                    found.retain(|(_, group, _, _)| !group.is_empty());
                    prop_assert_eq!(found, model.lifecycles(&query), "{} by {:?}", metric, group_by);
                }
            }
            if !group_by.contains(&"category") {
                let asked = query("existing_sales_share", granularity, group_by);
                let expected = model.existing(&asked);
                for figure in figures(&asked, &facts).iter().filter(|figure| !figure.group.is_empty()) {
                    let key = (figure.start, twin::sorted(&figure.group));
                    let (existing, gross) = expected.get(&key).copied().unwrap_or_default();
                    let amounts = vec![("existing", existing), ("new", gross - existing), ("gross", gross)];
                    prop_assert_eq!(&figure.measured.amounts, &amounts, "{:?}", key);
                }
                let asked = query("average_order", granularity, group_by);
                for Figure { start, group, measured, .. } in figures(&asked, &facts).iter().filter(|of| !of.group.is_empty()) {
                    let gross = expected.get(&(*start, twin::sorted(group))).map_or(0, |(_, gross)| *gross);
                    prop_assert_eq!(&measured.amounts, &vec![("gross", gross)]);
                    let sales = measured.counts[0].1;
                    prop_assert!((measured.value.unwrap_or_default() * sales - gross as f64 / 1e6).abs() < 1e-6);
                }
                let asked = query("purchase_frequency", granularity, group_by);
                for Figure { start, end, group, measured, .. } in figures(&asked, &facts).iter().filter(|of| !of.group.is_empty()) {
                    let within = |sales: &Vec<i64>| sales.iter().filter(|sale| (*start..*end).contains(sale)).count();
                    let of_group = model.sales(&asked).into_iter().filter(|((of, _), _)| *of == twin::sorted(group));
                    let often: Vec<_> = of_group.map(|(_, sales)| within(&sales)).filter(|count| *count > 0).collect();
                    let frequency = (!often.is_empty()).then(|| often.iter().sum::<usize>() as f64 / often.len() as f64);
                    prop_assert_eq!(measured.value, frequency);
                }
            }
        }
    }
}

/// Rows are those of plain recomputation, values but for rounding.
fn same_rows(
    query: &Query,
    found: Vec<twin::contracts::Row>,
    expected: Vec<twin::contracts::Row>,
) -> Result<(), TestCaseError> {
    let name = format!("{} by {:?}", query.metrics[0].id, query.group_by);
    let told = |rows: &[twin::contracts::Row]| {
        rows.iter().map(|row| (row.0, row.1.clone(), row.3.clone(), row.4.clone())).collect::<Vec<_>>()
    };
    let mut found = found;
    if query.metrics[0].always_grouped_by.contains(&"currency") {
        // Without any subscription there are rows all the same, of no group.
        found.retain(|(_, group, _, _, _)| !group.is_empty());
    }
    prop_assert_eq!(told(&found), told(&expected), "{}", name);
    for (found, expected) in found.iter().zip(&expected) {
        let same = match (found.2, expected.2) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9 * (1.0 + expected.abs()),
            (found, expected) => found == expected,
        };
        prop_assert!(same, "{}: {:?}, not {:?}", name, found, expected);
    }
    Ok(())
}
