//! Verifications: figures computed again from what the sources tell, and compared.

use std::time::Duration;

use barometer_metrics::Config;
use barometer_proto::{
    customers::v1 as customers,
    metrics::v1::{
        self as wire, VerificationOutcome, VerificationTrigger, VerificationWay, verify_metrics_response::Part,
    },
    surveys::v1::SurveyKind,
};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

use super::support::*;

impl Metrics {
    async fn begin(&self, query: wire::QueryMetricsRequest) -> Result<Streaming<wire::VerifyMetricsResponse>, Status> {
        let request = wire::VerifyMetricsRequest { query: Some(query) };
        Ok(self.verifications.clone().verify_metrics(request).await?.into_inner())
    }

    async fn verify(&self, query: wire::QueryMetricsRequest) -> Result<wire::Verification, Status> {
        let mut parts = self.begin(query).await?;
        while let Some(part) = parts.message().await? {
            if let Some(Part::Verification(verification)) = part.part {
                assert!(parts.message().await?.is_none(), "the verdict is the last part");
                return Ok(verification);
            }
        }
        panic!("no verdict");
    }

    async fn kept(&self) -> Vec<wire::Verification> {
        let request = wire::ListVerificationsRequest::default();
        self.verifications.clone().list_verifications(request).await.expect("a list").into_inner().verifications
    }

    /// Once every source was read.
    async fn ready(&self) {
        self.until(|fold| fold.sources.iter().all(|source| source.lag_seconds.is_some())).await;
    }
}

fn all(at_least: &[&String]) -> wire::QueryMetricsRequest {
    wire::QueryMetricsRequest { metrics: Vec::new(), ..ask("", at_least) }
}

#[tokio::test]
async fn all_figures_are_verified_also_those_of_a_snapshot() {
    let world = World::new().await;
    world.customers.write((0..10).map(|customer| purchase(customer, day(1), 100)));
    let (numbers, _) = world.surveys.write([survey(1, SurveyKind::Nps), response(0, 1, answer(1, 9))]);
    let metrics = world.start().await;
    metrics.ready().await;
    world.complaints.write([case(0, 1, "web", Some(1))]);
    // Amended and withdrawn while it looks on.
    world.surveys.write([response(numbers[1], 2, answer(1, 3)), response(0, 1, answer(1, 7))]);
    let (_, token) = world.surveys.write([withdrawn(numbers[1], 3)]);
    let verified = metrics.verify(all(&[&token])).await.expect("a verdict");
    assert_eq!((verified.outcome(), verified.difference_count), (VerificationOutcome::Same, 0), "{verified:?}");
    assert_eq!((verified.metrics.len(), verified.trigger()), (87, VerificationTrigger::Call));
    let both = [VerificationWay::Folded, VerificationWay::Counted].map(i32::from);
    let ways = |metric: &str| {
        let of = verified.metrics.iter().find(|of| of.metric == metric).expect("a metric");
        (of.ways.clone(), of.rows)
    };
    assert_eq!((ways("nps"), ways("churn_rate").0), ((both.to_vec(), 1), vec![both[0]]));
    let sources: Vec<_> = verified.sources.iter().map(|source| (source.source.as_str(), source.facts)).collect();
    assert_eq!(sources, [("customers", 10), ("surveys", 3), ("complaints", 1)]);
    assert_eq!(verified.sources[1].position, token);

    let kept = metrics.kept().await;
    assert_eq!(kept.iter().map(|one| &one.verification_id).collect::<Vec<_>>(), [&verified.verification_id]);
    let request = wire::GetVerificationRequest { verification_id: verified.verification_id.clone() };
    let found = metrics.verifications.clone().get_verification(request.clone()).await.expect("it is kept");
    assert_eq!(found.into_inner(), verified);
    metrics.stop().await;

    let metrics = world.start().await;
    assert!(metrics.fold().await.resumed);
    let by_month = wire::QueryMetricsRequest { granularity: wire::Granularity::Month.into(), ..all(&[]) };
    assert_eq!(metrics.verify(by_month).await.expect("a verdict").outcome(), VerificationOutcome::Same);
    // Another process keeps its own.
    let gone = metrics.verifications.clone().get_verification(request).await.expect_err("forgotten");
    assert_eq!((gone.code(), metrics.kept().await.len()), (Code::NotFound, 1));
}

#[tokio::test]
async fn a_figure_that_is_not_that_of_the_facts_is_told_with_both_values() {
    let world = World::new().await;
    let (numbers, token) = world.customers.write([purchase(1, day(1), 100), purchase(2, day(40), 7)]);
    let metrics = world.start().await;
    metrics.ready().await;
    assert_eq!(metrics.value("revenue", &[&token]).await, Some(107.0));
    world.customers.tamper(numbers[0], |fact| {
        if let Some(customers::fact::Fact::Purchase(purchase)) = &mut fact.fact {
            purchase.amount.as_mut().expect("an amount").units = 150;
        }
    });
    let months = wire::QueryMetricsRequest {
        metrics: ["revenue", "purchases"].map(str::to_owned).to_vec(),
        granularity: wire::Granularity::Month.into(),
        ..Default::default()
    };
    let verified = metrics.verify(months.clone()).await.expect("a verdict");
    assert_eq!(verified.outcome(), VerificationOutcome::Different);
    let [revenue, purchases] = verified.metrics.as_slice() else { panic!("{verified:?}") };
    assert_eq!((purchases.difference_count, purchases.rows), (0, 2));
    for way in [VerificationWay::Folded, VerificationWay::Counted] {
        let told: Vec<_> = revenue.differences.iter().filter(|one| one.way() == way).collect();
        let fields: Vec<_> = told.iter().map(|one| one.field.as_str()).collect();
        assert!(["amounts.gross", "amounts.net", "value"].iter().all(|field| fields.contains(field)), "{told:?}");
        for one in &told {
            assert_eq!((one.label.as_str(), one.group["currency"].as_str()), ("2024-01", "EUR"));
        }
        let value = told.iter().find(|one| one.field == "value").expect("the value");
        assert_eq!((value.live.as_str(), value.recomputed.as_str()), ("100", "150"));
        let net = told.iter().find(|one| one.field == "amounts.net").expect("the amount");
        assert_eq!((net.live.as_str(), net.recomputed.as_str()), ("100.000000", "150.000000"));
    }
    assert_eq!((revenue.difference_count, verified.difference_count), (6, 6));
    // The list tells how many, and not which.
    let kept = metrics.kept().await;
    assert_eq!((kept[0].difference_count, kept[0].metrics[0].differences.len()), (6, 0));

    // Grouped there is no counting one by one.
    let grouped = wire::QueryMetricsRequest { group_by: vec!["channel".to_owned()], ..months };
    let verified = metrics.verify(grouped).await.expect("a verdict");
    assert_eq!(verified.metrics[0].ways, [i32::from(VerificationWay::Folded)]);
    assert_eq!(verified.outcome(), VerificationOutcome::Different);
}

#[tokio::test]
async fn one_is_done_at_a_time_and_ends_with_its_caller() {
    let world = World::new().await;
    world.surveys.write([survey(1, SurveyKind::Nps), response(0, 1, answer(1, 9))]);
    let metrics = world.start().await;
    metrics.ready().await;
    world.surveys.stall(true);
    let mut first = metrics.begin(ask("nps", &[])).await.expect("it begins");
    let part = first.message().await.expect("no error").and_then(|part| part.part);
    let Some(Part::Progress(progress)) = part else { panic!("{part:?}") };
    assert_eq!((progress.facts_to_read, progress.sources.len()), (2, 2));
    let refused = metrics.verify(ask("nps", &[])).await.expect_err("another runs");
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.get_details_retry_info().is_some());
    // Figures are there meanwhile.
    assert_eq!(metrics.value("nps", &[]).await, Some(100.0));

    drop(first);
    world.surveys.stall(false);
    let verified = loop {
        match metrics.verify(ask("nps", &[])).await {
            Err(status) if status.code() == Code::ResourceExhausted => {
                tokio::time::sleep(Duration::from_millis(10)).await
            }
            verified => break verified.expect("a verdict"),
        }
    };
    assert_eq!(verified.outcome(), VerificationOutcome::Same);
    assert_eq!(metrics.kept().await.len(), 1, "of the one that was given up nothing is kept");
}

#[tokio::test]
async fn figures_go_on_while_they_are_verified() {
    let world = World::new().await;
    world.surveys.write([survey(1, SurveyKind::Nps)]);
    let metrics = world.start().await;
    metrics.ready().await;
    let writing = async {
        loop {
            world.surveys.write((0..5).map(|_| response(0, 1, answer(1, 9))));
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    };
    let verifying = async {
        for _ in 0..5 {
            let verified = metrics.verify(ask("nps", &[])).await.expect("a verdict");
            assert_eq!(verified.outcome(), VerificationOutcome::Same, "{verified:?}");
        }
    };
    tokio::select! {
        () = writing => {}
        () = verifying => {}
    }
}

#[tokio::test]
async fn what_can_not_be_verified_is_told() {
    let world = World::new().await;
    // More months than cohorts may have.
    let (_, token) = world.customers.write([purchase(1, day(1), 1), purchase(1, day(-15_000), 1)]);
    let metrics = world.start_with(&Config { verify_most_facts: 2, ..Config::default() }).await;
    metrics.ready().await;
    let cohorts = wire::QueryMetricsRequest {
        metrics: ["cohort_retention", "purchases"].map(str::to_owned).to_vec(),
        ..ask("", &[&token])
    };
    let verified = metrics.verify(cohorts.clone()).await.expect("a verdict");
    assert_eq!((verified.outcome(), verified.difference_count), (VerificationOutcome::Incomplete, 0));
    assert!(!verified.metrics[0].error.is_empty() && verified.metrics[1].error.is_empty(), "{verified:?}");

    world.customers.hang_up(true);
    let refused = metrics.verify(cohorts.clone()).await.expect_err("the source is away");
    assert_eq!((refused.code(), reason(&refused)), (Code::Unavailable, "SOURCE_UNREACHABLE".to_owned()));
    let kept = metrics.kept().await;
    assert_eq!((kept.len(), kept[0].outcome()), (2, VerificationOutcome::Failed));
    assert!(kept[0].error.contains("customers"), "{}", kept[0].error);

    world.customers.hang_up(false);
    let (_, token) = world.customers.write([purchase(1, day(1), 1)]);
    let more = wire::QueryMetricsRequest { at_least: vec![token], ..cohorts };
    let refused = metrics.verify(more).await.expect_err("too many facts");
    assert_eq!((refused.code(), reason(&refused)), (Code::FailedPrecondition, "TOO_MANY_FACTS".to_owned()));

    let wrong = wire::QueryMetricsRequest {
        metrics: vec!["npz".to_owned()],
        time_zone: "Mars".to_owned(),
        ..Default::default()
    };
    assert_eq!(fields(&metrics.verify(wrong).await.expect_err("wrong")), ["query.metrics[0]", "query.time_zone"]);
}

#[tokio::test]
async fn the_schedule_verifies_again_and_again() {
    let world = World::new().await;
    world.surveys.write([survey(1, SurveyKind::Nps), response(0, 1, answer(1, 9))]);
    let metrics = vec!["nps".to_owned(), "revenue".to_owned()];
    let config = Config { verify_every: Duration::from_secs(1), verify_metrics: metrics, ..Config::default() };
    let metrics = world.start_with(&config).await;
    let kept = loop {
        let kept = metrics.kept().await;
        if kept.len() >= 2 {
            break kept;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    for one in &kept {
        assert_eq!((one.trigger(), one.outcome()), (VerificationTrigger::Schedule, VerificationOutcome::Same));
        assert_eq!(one.metrics.iter().map(|of| of.metric.as_str()).collect::<Vec<_>>(), ["nps", "revenue"]);
    }
    metrics.stop().await;
}
