//! Imports: batches of numbered rows, each kept or refused by itself.

use std::collections::BTreeSet;

use barometer_chassis::testing::on_each_database;
use barometer_proto::customers::v1::Purchase;
use barometer_tests::{
    samples::hour,
    services::{Services, count, told},
};

use crate::{
    for_each_kind,
    kind::{Fact, Imported, Wanted, World},
};

for_each_kind! {
    each_row_is_kept_or_refused_by_itself: rows;
    a_second_run_adds_nothing: twice;
    what_was_acknowledged_stays_when_a_batch_is_refused: broken_off;
}

fn keyed<F: Fact>(world: &World, n: i64) -> F {
    F::sample(world).with_key(&format!("i-{n}")).with_time(Some(hour(n)))
}

/// Numbers of refused rows, with the fields and reasons.
fn refused(imported: &Imported) -> Vec<(i64, Vec<(&str, &str)>)> {
    let rows = imported.rejected.iter().map(|rejected| {
        let violations = rejected.violations.iter().map(|v| (v.field.as_str(), v.reason.as_str())).collect();
        (rejected.row, violations)
    });
    rows.collect()
}

async fn rows<F: Fact>(services: &Services, world: &World) {
    let no_time = keyed::<F>(world, 1).with_time(None).with_region("");
    let garbage = keyed::<F>(world, 2).with_customer("c-1").with_key("");
    let reused = keyed::<F>(world, 3).with_region("south");
    let without_key = keyed::<F>(world, 4).without_key();
    let batch = vec![
        (10, keyed::<F>(world, 3)),
        (11, no_time),
        (12, garbage),
        (13, reused),
        (14, without_key.clone()),
        (15, without_key),
        (16, keyed::<F>(world, 3)),
        (-1, keyed::<F>(world, 5)),
    ];
    let imported = F::import(services, vec![batch]).await.expect("imported").remove(0);
    assert_eq!((imported.recorded, imported.unchanged), (4, 1));
    let expected = [
        (11, vec![(F::TIME, "REQUIRED"), ("dimensions.region", "REQUIRED")]),
        (12, vec![("customer_id", "NOT_A_UUID"), ("external_id.value", "REQUIRED")]),
        (13, vec![("external_id", "KEY_REUSED")]),
    ];
    let mut refused = refused(&imported);
    refused.iter_mut().for_each(|(_, violations)| violations.sort_unstable_by_key(|(field, _)| *field != F::TIME));
    assert_eq!(refused, expected);
    assert_eq!(F::list(services, Wanted::default()).await.expect("a list").0.len(), 4);
}

async fn twice<F: Fact>(services: &Services, world: &World) {
    let batches =
        |world| (0..3).map(|b| (0..40).map(|n| (b * 40 + n, keyed::<F>(world, b * 40 + n))).collect()).collect();
    let first = F::import(services, batches(world)).await.expect("imported");
    assert_eq!(first.iter().map(|batch| batch.recorded).collect::<Vec<_>>(), [40, 40, 40]);
    let second = F::import(services, batches(world)).await.expect("imported");
    for batch in &second {
        assert_eq!((batch.recorded, batch.unchanged, batch.rejected.len()), (0, 40, 0));
    }
    assert_eq!(count(&first[2].position), count(&second[2].position));
    let (all, _) = F::list(services, Wanted { page_size: 1_000, ..Wanted::default() }).await.expect("a list");
    assert_eq!(all.len(), 120);
}

async fn broken_off<F: Fact>(services: &Services, world: &World) {
    let good = vec![(1, keyed::<F>(world, 1))];
    let error = F::import(services, vec![good, vec![], vec![(2, keyed::<F>(world, 2))]]).await.expect_err("no rows");
    assert_eq!(told(&error).2, ["rows"]);
    let (kept, _) = F::list(services, Wanted::default()).await.expect("a list");
    assert_eq!(kept.len(), 1);
    let none = F::import(services, vec![]).await.expect("nothing to do");
    assert!(none.is_empty());
}

#[tokio::test]
async fn imports_at_the_same_time_share_customers_and_lose_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let world = World::new(&services).await;
        let importing = (0..5_i64).map(|stream| {
            let rows = (0..1_000).map(|n| {
                // A quarter of the customers are everybody's.
                let customer = if n % 4 == 0 { n } else { stream * 1_000 + n };
                let purchase: Purchase = keyed(&world, stream * 1_000 + n);
                (n, purchase.with_customer_key(&format!("b-{customer}")))
            });
            Purchase::import(&services, vec![rows.collect()])
        });
        for imported in futures_util::future::join_all(importing).await {
            let imported = imported.expect("imported").remove(0);
            assert_eq!((imported.recorded, imported.rejected.len()), (1_000, 0));
        }
        let (mut customers, mut page_token) = (BTreeSet::new(), String::new());
        loop {
            let wanted = Wanted { page_size: 1_000, page_token, ..Wanted::default() };
            let (page, next) = Purchase::list(&services, wanted).await.expect("a page");
            customers.extend(page.iter().map(|purchase| purchase.customer_id().to_owned()));
            if next.is_empty() {
                break;
            }
            page_token = next;
        }
        assert_eq!(customers.len(), 250 + 5 * 750);
        services.stop().await;
    })
    .await;
}
