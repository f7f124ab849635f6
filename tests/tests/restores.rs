//! History that was rewound: after a restore the figures are those of what was restored, and whoever held positions of
//! the lost history is told.

use std::{fs, path::Path};

use barometer_chassis::{
    clock::Micros,
    testing::{Cluster, DatabaseKind, TestDatabase},
};
use barometer_proto::{
    metrics::v1::QueryMetricsRequest,
    surveys::v1::{
        ActivateSurveyRequest, CreateSurveyRequest, Response, SubmitResponseRequest, Survey, SurveyKind, SurveyType,
        WatchFactsRequest, response,
    },
};
use barometer_tests::{Suite, eventually};
use tonic::Code;

async fn create_survey(suite: &Suite) {
    let survey = Survey {
        name: "Restore".to_owned(),
        kind: SurveyKind::Nps.into(),
        r#type: SurveyType::Relational.into(),
        ..Survey::default()
    };
    let request = CreateSurveyRequest { survey: Some(survey), ..Default::default() };
    let created = suite.surveys.clone().create_survey(request).await.expect("created").into_inner();
    let request = ActivateSurveyRequest { survey_id: created.survey_id, ..Default::default() };
    suite.surveys.clone().activate_survey(request).await.expect("activated");
}

/// Submits an answer; the position of the write. Tried again while the database is away.
async fn answer(suite: &Suite, score: i32) -> String {
    let request = || SubmitResponseRequest {
        response: Some(Response {
            survey: Some(response::Survey::SurveyName("Restore".to_owned())),
            score: Some(score),
            answer_time: Some(Micros::now().to_wire()),
            ..Response::default()
        }),
        request_id: String::new(),
    };
    let mut position = None;
    eventually("an answer is taken", async || match suite.surveys.clone().submit_response(request()).await {
        Ok(written) => {
            position = Some(written.into_inner().position);
            true
        }
        Err(status) => {
            assert_eq!(status.code(), Code::Unavailable, "{status}");
            false
        }
    })
    .await;
    position.expect("it was taken")
}

async fn answers(suite: &Suite) -> Option<f64> {
    let request = QueryMetricsRequest { metrics: vec!["responses".to_owned()], ..Default::default() };
    let answer = suite.metrics.clone().query_metrics(request).await.ok()?.into_inner();
    answer.results.first()?.rows.first()?.counts.get("responses").copied()
}

async fn settles_at(suite: &Suite, expected: f64) {
    eventually(&format!("there are {expected} answers"), async || answers(suite).await == Some(expected)).await;
}

/// What a watcher that resumes at a position is told first.
async fn resumes(suite: &Suite, after: &str) -> Result<(), Code> {
    let request = WatchFactsRequest { kinds: Vec::new(), after: after.to_owned() };
    let mut watch = suite.surveys.clone().watch_facts(request).await.expect("a watch").into_inner();
    watch.message().await.map(drop).map_err(|status| status.code())
}

/// After the restore of a history with two answers, of which `lost` is no position.
async fn comes_back(suite: &Suite, kept: &str, lost: &str) {
    settles_at(suite, 2.0).await;
    assert_eq!(resumes(suite, lost).await, Err(Code::OutOfRange));
    assert_eq!(resumes(suite, kept).await, Ok(()));
    // The new history grows past the lost position: it is gone all the same.
    let mut last = String::new();
    for _ in 0..6 {
        last = answer(suite, 9).await;
    }
    settles_at(suite, 8.0).await;
    assert_eq!(resumes(suite, lost).await, Err(Code::OutOfRange));
    assert_eq!(resumes(suite, &last).await, Ok(()));
    let at_least = |token: &str| QueryMetricsRequest {
        metrics: vec!["nps".to_owned()],
        at_least: vec![token.to_owned()],
        ..Default::default()
    };
    let gone = suite.metrics.clone().query_metrics(at_least(lost)).await.expect_err("a lost position");
    assert_eq!(gone.code(), Code::OutOfRange, "{gone}");
    suite.metrics.clone().query_metrics(at_least(&last)).await.expect("a position of the new history");
}

/// A suite on a cluster of its own with two answers; the position of the second.
async fn on_cluster(cluster: &Cluster, data: &Path) -> (Suite, String) {
    cluster.create_database("suite").await;
    let suite = Suite::start_at(Some(&cluster.database_url("suite")), data, &[]).await;
    create_survey(&suite).await;
    answer(&suite, 10).await;
    let kept = answer(&suite, 3).await;
    settles_at(&suite, 2.0).await;
    (suite, kept)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_older_dump_is_restored_the_figures_are_those_of_the_dump() {
    let (cluster, data) = (Cluster::start().await, tempfile::tempdir().expect("a folder"));
    let (suite, kept) = on_cluster(&cluster, data.path()).await;
    let dump = cluster.dump("suite").await;
    answer(&suite, 0).await;
    let lost = answer(&suite, 0).await;
    settles_at(&suite, 4.0).await;
    cluster.restore("suite", &dump).await;
    comes_back(&suite, &kept, &lost).await;
    suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_recovery_to_a_point_in_time_the_figures_are_those_of_then() {
    let (cluster, data) = (Cluster::start().await, tempfile::tempdir().expect("a folder"));
    let (suite, kept) = on_cluster(&cluster, data.path()).await;
    let copy = cluster.copy_data().await;
    answer(&suite, 0).await;
    let lost = answer(&suite, 0).await;
    settles_at(&suite, 4.0).await;
    cluster.recover(&copy).await;
    comes_back(&suite, &kept, &lost).await;
    suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_older_file_is_put_back_the_figures_are_those_of_the_file() {
    let database = TestDatabase::new(DatabaseKind::Sqlite).await;
    let suite = Suite::start(&database).await;
    create_survey(&suite).await;
    answer(&suite, 10).await;
    let kept = answer(&suite, 3).await;
    suite.stop().await;
    let copy = tempfile::tempdir().expect("a folder");
    copy_databases(database.directory(), copy.path());

    let suite = Suite::start(&database).await;
    answer(&suite, 0).await;
    let lost = answer(&suite, 0).await;
    settles_at(&suite, 4.0).await;
    suite.stop().await;
    // The snapshot of the figures is newer than the file that is put back.
    copy_databases(copy.path(), database.directory());
    let suite = Suite::start(&database).await;
    comes_back(&suite, &kept, &lost).await;
    suite.stop().await;
}

/// Copies the services' databases over those of another folder. Those of a suite that has ended have no logs beside them.
fn copy_databases(from: &Path, to: &Path) {
    let databases = |folder: &Path| -> Vec<_> {
        let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "sqlite")).collect()
    };
    for old in databases(to) {
        fs::remove_file(old).expect("removed");
    }
    for file in databases(from) {
        fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("copied");
    }
}
