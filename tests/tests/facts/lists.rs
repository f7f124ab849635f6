//! Lists: their order, their filters, their pages.

use std::collections::BTreeSet;

use barometer_tests::{samples::hour, services::Services};

use crate::{
    for_each_kind,
    kind::{Fact, Wanted, World},
};

for_each_kind! {
    pages_hold_each_fact_once_newest_first: pages;
    filters_must_all_hold: filters;
}

/// Many facts, several at the same instant.
async fn many<F: Fact>(services: &Services, world: &World) {
    let rows = (0..25).map(|n| {
        let customer = &world.customers[usize::from(n % 2 == 1)];
        (n, F::sample(world).with_time(Some(hour(n % 6))).with_customer(customer).with_key(&format!("k-{n}")))
    });
    let imported = F::import(services, vec![rows.collect()]).await.expect("imported");
    assert_eq!(imported[0].recorded, 25);
}

async fn pages<F: Fact>(services: &Services, world: &World) {
    many::<F>(services, world).await;
    let (whole, next) = F::list(services, Wanted { page_size: 1_000, ..Wanted::default() }).await.expect("a list");
    assert_eq!((whole.len(), next.as_str()), (25, ""));
    let times: Vec<_> = whole.iter().map(|fact| fact.time().expect("a time").seconds).collect();
    assert!(times.is_sorted_by(|one, next| one >= next), "newest first: {times:?}");

    for page_size in [1, 7, 24, 25] {
        let (mut seen, mut page_token) = (Vec::new(), String::new());
        loop {
            let wanted = Wanted { page_size, page_token: page_token.clone(), ..Wanted::default() };
            let (page, next) = F::list(services, wanted).await.expect("a page");
            assert!(i32::try_from(page.len()).expect("few") <= page_size);
            seen.extend(page.into_iter().map(|fact| fact.id().to_owned()));
            if next.is_empty() {
                break;
            }
            page_token = next;
        }
        assert!(seen.iter().eq(whole.iter().map(Fact::id)), "pages of {page_size}");
    }

    // What comes in meanwhile shifts nothing.
    let first = Wanted { page_size: 10, ..Wanted::default() };
    let (one, page_token) = F::list(services, first.clone()).await.expect("a page");
    F::sample(world).with_time(Some(hour(100))).record(services, "").await.expect("recorded");
    F::withdraw(services, one[9].id(), "", "").await.expect("withdrawn");
    let (two, _) = F::list(services, Wanted { page_token, ..first }).await.expect("a page");
    assert!(two.iter().map(Fact::id).eq(whole[10..20].iter().map(Fact::id)));
}

async fn filters<F: Fact>(services: &Services, world: &World) {
    many::<F>(services, world).await;
    let wanted = Wanted {
        page_size: 3,
        customer_id: world.customers[1].clone(),
        start_time: Some(hour(1)),
        end_time: Some(hour(5)),
        ..Wanted::default()
    };
    let (mut seen, mut page_token) = (BTreeSet::new(), String::new());
    loop {
        let (page, next) = F::list(services, Wanted { page_token, ..wanted.clone() }).await.expect("a page");
        for fact in page {
            assert_eq!(fact.customer_id(), world.customers[1]);
            let time = fact.time().expect("a time");
            assert!(time == hour(1) || time == hour(3), "the start is included, the end is not");
            assert!(seen.insert(fact.id().to_owned()));
        }
        if next.is_empty() {
            break;
        }
        page_token = next;
    }
    // 1, 7, 13, 19 and 3, 9, 15, 21.
    assert_eq!(seen.len(), 8);
}
