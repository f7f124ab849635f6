use super::*;
use barometer_chassis::clock::Micros;
use barometer_proto::{common::v1::Money, customers::v1 as customers, surveys::v1 as surveys};
use std::time::Instant;
#[test]
#[ignore = "x"]
fn speed() {
    let n: i64 = 10_000_000;
    let people: Vec<String> = (0..1_000_000_u128).map(|i| uuid::Uuid::from_u128(i * 7919).to_string()).collect();
    for shuffled in [false, true] {
        let mut facts = Facts::default();
        let began = Instant::now();
        facts
            .put_surveys(surveys::Fact {
                id: uuid::Uuid::from_u128(1).to_string(),
                number: 1,
                version: 1,
                fact: Some(surveys::fact::Fact::Survey(surveys::SurveyFact { name: "x".into(), kind: 1, r#type: 1 })),
            })
            .expect("x");
        let survey_id = uuid::Uuid::from_u128(1).to_string();
        let span = 5 * 365 * DAY;
        let mut rng = fastrand::Rng::with_seed(7);
        let langs = ["en", "de", "fr", "es", "it"];
        let chans = ["web", "email", "sms"];
        for i in 0..n {
            let at = if shuffled { rng.i64(0..span) } else { i * (span / n) };
            let mut f = surveys::ResponseFact {
                survey_id: survey_id.clone(),
                customer_id: people[rng.usize(0..people.len())].clone(),
                score: Some(rng.i32(0..=10)),
                time: Some(Micros(at).to_wire()),
                weight_trillionths: 1_000_000_000_000,
                language: langs[rng.usize(0..5)].into(),
                channel: chans[rng.usize(0..3)].into(),
                ..Default::default()
            };
            if i % 3 == 0 {
                f.score = None;
                f.disposition = 1;
            }
            facts
                .put_surveys(surveys::Fact {
                    id: String::new(),
                    number: i + 2,
                    version: 1,
                    fact: Some(surveys::fact::Fact::Response(f)),
                })
                .expect("x");
        }
        println!("shuffled {shuffled}: fold {:?}", began.elapsed());
        let bytes = {
            let b = Instant::now();
            let bytes = postcard::to_allocvec(&facts).expect("x");
            println!("serialise {:?} {} MB", b.elapsed(), bytes.len() / 1_000_000);
            bytes
        };
        {
            let b = Instant::now();
            let mut again: Facts = postcard::from_bytes(&bytes).expect("x");
            again.restore();
            println!("load {:?}", b.elapsed());
        }
        drop(bytes);
        let window =
            |m: &str, g, by: &[&str]| Query { start: Some(1000 * DAY), end: Some(1090 * DAY), ..query(m, g, by) };
        let run = |what: &str, q: &Query| {
            let mut best = std::time::Duration::MAX;
            for _ in 0..5 {
                let b = Instant::now();
                let f = figures(q, &facts);
                best = best.min(b.elapsed());
                assert!(!f.is_empty());
            }
            println!("  {what}: {best:?}");
        };
        run("nps 90 days", &window("nps", Granularity::All, &[]));
        run("nps 90 days by language", &window("nps", Granularity::All, &["language"]));
        run("nps 90 days by language channel, daily", &window("nps", Granularity::Day, &["language", "channel"]));
        run("nps 90 days filtered", &only(window("nps", Granularity::All, &[]), "language", "en", false));
        let all = Query { start: Some(0), end: Some(span), ..query("nps", Granularity::All, &[]) };
        run("nps all", &all);
        run(
            "nps all monthly by language",
            &Query { granularity: Granularity::Month, group_by: vec!["language".into()], ..all.clone() },
        );
        run("nps all by tier", &Query { group_by: vec!["tier".into()], ..all.clone() });
        let mut q = all.clone();
        q.parameters.set("latest_per_customer", "true");
        run("nps all latest", &q);
        let mut q = all.clone();
        q.parameters.set("weighted", "true");
        run("nps all weighted", &q);
        run(
            "new customers(0)",
            &Query { start: Some(0), end: Some(span), ..query("new_customers", Granularity::Month, &[]) },
        );
    }
    let mut facts = Facts::default();
    let mut rng = fastrand::Rng::with_seed(7);
    let n = 2_000_000;
    for i in 0..n {
        let f = customers::PurchaseFact {
            customer_id: people[rng.usize(0..500_000)].clone(),
            time: Some(Micros(i * (1825 * DAY / n)).to_wire()),
            amount: Some(Money { currency_code: "EUR".into(), units: rng.i64(-10..100), nanos: 0 }),
            country: ["DE", "FR", "MD"][rng.usize(0..3)].into(),
            ..Default::default()
        };
        facts
            .put_customers(customers::Fact {
                id: String::new(),
                number: i + 1,
                version: 1,
                fact: Some(customers::fact::Fact::Purchase(f)),
            })
            .expect("x");
    }
    let run = |what: &str, q: &Query| {
        let b = Instant::now();
        let f = figures(q, &facts);
        println!("  {what}: {:?} {} rows", b.elapsed(), f.len());
    };
    for m in [
        "revenue",
        "purchases",
        "active_customers",
        "churn_rate",
        "inactive_share",
        "repeat_purchase_rate",
        "cohort_retention",
    ] {
        for (g, by) in [(Granularity::Month, &[][..]), (Granularity::Day, &["country"][..])] {
            if m == "cohort_retention" && g == Granularity::Day {
                continue;
            }
            run(&format!("2M {m} {g:?} {by:?}"), &Query { start: Some(0), end: Some(1825 * DAY), ..query(m, g, by) });
        }
    }
}
