//! Facts as tables: each once, as it is now, and what was withdrawn not at all.

use std::collections::{BTreeMap, BTreeSet};

use barometer::{demo::load, endpoint::Endpoint};
use barometer_chassis::{position::Position, testing::on_each_database};
use barometer_proto::{
    customers::v1::{
        AmendPurchaseRequest, Purchase, RecordPurchaseRequest, ResolveCustomersRequest, WithdrawPurchaseRequest,
    },
    metrics::v1::{ExportFactsRequest, ExportFormat, GetFoldRequest},
};
use barometer_simulator::{Company, Parameters};
use barometer_tests::{
    Suite,
    samples::{hour, key, mask, purchase},
};
use tonic::Code;

use crate::{facts, facts_of};

/// 2026-10-20T12:00:00Z.
const UNTIL: i64 = 1_792_497_600_000_000;

async fn customer(suite: &Suite) -> String {
    let request = ResolveCustomersRequest { external_ids: vec![key("c-1")] };
    let resolved = suite.customers.clone().resolve_customers(request).await.expect("resolved").into_inner();
    resolved.customers[0].customer_id.clone()
}

async fn record(suite: &Suite, purchase: Purchase) -> Purchase {
    let request = RecordPurchaseRequest { purchase: Some(purchase), request_id: String::new() };
    suite.customers.clone().record_purchase(request).await.expect("recorded").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fact_is_a_row() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let company = Company::new(Parameters { customers: 100, seed: 11, until: UNTIL }).expect("an end of time");
        let loaded = load::load(&Endpoint::at(&suite.endpoint), &company).await.expect("everything is taken");
        let at_least = |source: &str| {
            let of = |token: &&String| Position::decode(token).is_some_and(|(service, _)| service == source);
            loaded.positions.iter().filter(of).cloned().collect::<Vec<_>>()
        };
        let fold = suite.metrics.clone().get_fold(GetFoldRequest {}).await.expect("the fold").into_inner();
        let mut compared = BTreeSet::new();
        for source in fold.sources {
            let name = source.freshness.expect("how fresh it is").source;
            for (kind, held) in source.facts {
                let kind = format!("{name}.{kind}");
                let request = ExportFactsRequest { at_least: at_least(&name), ..facts_of(&kind) };
                let table = facts(&suite, request.clone()).await.unwrap_or_else(|status| panic!("{kind}: {status:?}"));
                let rows = table.rows();
                let count = i64::try_from(rows.len()).expect("few");
                if kind == "complaints.case_entry" {
                    // Figures are made of some of the entries only.
                    assert!(count > held, "{kind}: {count}, {held}");
                } else {
                    assert_eq!(count, held, "{kind}");
                }
                let ids: BTreeSet<_> = rows.iter().map(|row| row["id"].clone()).collect();
                assert_eq!(ids.len(), rows.len(), "{kind}: each comes once");
                assert!(rows.iter().all(|row| !row["write_time"].is_empty() && !row["version"].is_empty()));
                assert_eq!(table.head.file_name, format!("{kind}.csv"));
                assert_eq!(table.tail.freshness[0].source, name);
                // The same facts have the same bytes.
                assert_eq!(facts(&suite, request.clone()).await.expect("again").data, table.data, "{kind}");
                let parquet = ExportFactsRequest { format: ExportFormat::Parquet.into(), ..request };
                let parquet = facts(&suite, parquet).await.expect("the same as Parquet");
                assert_eq!((parquet.tail.rows, parquet.head.columns), (table.tail.rows, table.head.columns), "{kind}");
                assert!(parquet.data.starts_with(b"PAR1") && parquet.data.ends_with(b"PAR1"), "{kind}");
                if held > 0 {
                    compared.insert(kind);
                }
            }
        }
        assert!(compared.len() >= 10, "{compared:?}");
        suite.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_says_how_the_fact_is_now() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let mut client = suite.customers.clone();
        let customer = customer(&suite).await;
        let (kept, amended, withdrawn) = (
            record(&suite, purchase(&customer)).await,
            record(&suite, purchase(&customer)).await,
            record(&suite, purchase(&customer)).await,
        );
        let changed = Purchase {
            channel: "=HYPERLINK(\"x\")".to_owned(),
            time: Some(hour(2)),
            purchase_id: amended.purchase_id.clone(),
            etag: String::new(),
            ..amended.clone()
        };
        let request = AmendPurchaseRequest {
            purchase: Some(changed),
            update_mask: mask(&["channel", "time"]),
            request_id: String::new(),
        };
        client.amend_purchase(request).await.expect("amended");
        let request = WithdrawPurchaseRequest { purchase_id: withdrawn.purchase_id, ..Default::default() };
        let position = client.withdraw_purchase(request).await.expect("withdrawn").into_inner().position;

        let wanted = ExportFactsRequest { at_least: vec![position], ..facts_of("customers.purchase") };
        let table = facts(&suite, wanted.clone()).await.expect("a table");
        let rows = table.rows();
        // What was written last comes last.
        let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str()).collect();
        assert_eq!(ids, [&kept.purchase_id, &amended.purchase_id]);
        let row = |wanted: &[(&str, &str)], row: &BTreeMap<String, String>| {
            for (name, text) in wanted {
                assert_eq!(row[*name], *text, "{name}");
            }
        };
        row(
            &[
                ("version", "1"),
                ("customer_id", &customer),
                ("time", "2024-01-01T01:00:00.000000Z"),
                ("amount", "12"),
                ("amount_currency", "EUR"),
                ("channel", "web"),
                ("voucher", "false"),
                ("paid_time", ""),
                ("dimensions", r#"{"region":"north"}"#),
                (
                    "lines",
                    r#"[{"category":"books","quantity":2,"discount":"2","discount_currency":"EUR","amount":"12","amount_currency":"EUR"}]"#,
                ),
            ],
            &rows[0],
        );
        row(&[("version", "2"), ("channel", "'=HYPERLINK(\"x\")"), ("time", "2024-01-01T02:00:00.000000Z")], &rows[1]);

        let between = |from: i64, until: i64| ExportFactsRequest {
            start_time: Some(hour(from)),
            end_time: Some(hour(until)),
            ..wanted.clone()
        };
        for (from, until, expected) in [(1, 2, vec![&kept]), (2, 3, vec![&amended]), (1, 3, vec![&kept, &amended]), (3, 9, vec![])]
        {
            let rows = facts(&suite, between(from, until)).await.expect("a table").rows();
            let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str()).collect();
            let expected: Vec<_> = expected.iter().map(|purchase| purchase.purchase_id.as_str()).collect();
            assert_eq!(ids, expected, "from {from} until {until}");
        }

        // Of another history, and not yet written.
        let far = Position::decode(&table.tail.freshness[0].position).expect("a position").1;
        let other = Position { marker: uuid::Uuid::from_u128(7), ..far };
        for (position, code) in [(other, Code::OutOfRange), (Position { n: far.n + 1_000, ..far }, Code::Unavailable)] {
            let at_least = vec![position.encode("customers")];
            let cut = facts(&suite, ExportFactsRequest { at_least, ..wanted.clone() }).await;
            assert_eq!(cut.err().map(|status| status.code()), Some(code), "{position:?}");
        }
        suite.stop().await;
    })
    .await;
}
