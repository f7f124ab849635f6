//! Surveys: creating, reading, listing, and the verbs that move their state.

use barometer_chassis::testing::on_each_database;
use barometer_proto::surveys::v1::{
    ActivateSurveyRequest, AmendResponseRequest, CloseSurveyRequest, CreateSurveyRequest, GetSurveyRequest,
    ListSurveysRequest, Response, Survey, SurveyKind, WithdrawResponseRequest, get_survey_request::By, survey::State,
};
use barometer_tests::{
    samples::{mask, response, survey},
    services::{Services, count, told},
};
use tonic::Code;
use uuid::Uuid;

use crate::{activate, active, close, create, submit};

async fn get(services: &Services, by: By) -> Survey {
    let request = GetSurveyRequest { by: Some(by) };
    services.surveys.clone().get_survey(request).await.expect("there").into_inner()
}

#[tokio::test]
async fn what_is_created_is_read_back_by_id_and_name() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let new = survey("After the flight", SurveyKind::Csat);
        let created = create(&services, new.clone()).await.expect("created");
        let expected = Survey {
            survey_id: created.survey_id.clone(),
            state: State::Draft.into(),
            etag: "1".to_owned(),
            create_time: created.create_time,
            update_time: created.create_time,
            position: created.position.clone(),
            ..new.clone()
        };
        assert_eq!(created, expected);
        assert_eq!(get(&services, By::SurveyId(created.survey_id.clone())).await, created);
        assert_eq!(get(&services, By::Name("After the flight".to_owned())).await, created);

        let refused = create(&services, new).await.expect_err("taken");
        assert_eq!((told(&refused).0, told(&refused).1.as_str()), (Code::AlreadyExists, "NAME_TAKEN"));
        let races = (0..10).map(|_| create(&services, survey("race", SurveyKind::Nps)));
        let created = futures_util::future::join_all(races).await;
        assert_eq!(created.iter().filter(|created| created.is_ok()).count(), 1);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn verbs_move_the_state_and_errors_name_them() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let draft = create(&services, survey("s", SurveyKind::Nps)).await.expect("created");
        let id = draft.survey_id.as_str();
        let wrong = |refused: tonic::Status, words: [&str; 2]| {
            assert_eq!((told(&refused).0, told(&refused).1.as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
            assert!(words.iter().all(|word| refused.message().contains(word)), "{}", refused.message());
        };
        let answer = || submit(&services, response(id, 9));

        wrong(answer().await.expect_err("a draft"), ["draft", "activated"]);
        wrong(close(&services, id).await.expect_err("a draft"), ["draft", "activated"]);
        let open = activate(&services, id).await.expect("activated");
        assert_eq!((open.state(), open.etag.as_str()), (State::Active, "2"));
        assert!(count(&open.position) > count(&draft.position));
        wrong(activate(&services, id).await.expect_err("active"), ["active", "closed"]);
        let given = answer().await.expect("it takes answers");
        assert_eq!(close(&services, id).await.expect("closed").state(), State::Closed);
        wrong(answer().await.expect_err("closed"), ["closed", "activated"]);
        wrong(close(&services, id).await.expect_err("closed"), ["closed", "activated"]);

        // What was given can still be corrected.
        let patch = Response { response_id: given.response_id.clone(), score: Some(3), ..Response::default() };
        let request =
            AmendResponseRequest { response: Some(patch), update_mask: mask(&["score"]), ..Default::default() };
        services.surveys.clone().amend_response(request).await.expect("amended");
        let request = WithdrawResponseRequest { response_id: given.response_id, ..Default::default() };
        services.surveys.clone().withdraw_response(request).await.expect("withdrawn");

        assert_eq!(activate(&services, id).await.expect("again").state(), State::Active);
        answer().await.expect("it takes answers again");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn repeated_requests_do_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let mut client = services.surveys.clone();
        let request_id = Uuid::new_v4().to_string();
        let request =
            CreateSurveyRequest { survey: Some(survey("s", SurveyKind::Nps)), request_id: request_id.clone() };
        let first = client.create_survey(request.clone()).await.expect("created").into_inner();
        let survey_id = first.survey_id.clone();
        let open =
            ActivateSurveyRequest { survey_id: survey_id.clone(), etag: "1".into(), request_id: request_id.clone() };
        let opened = client.activate_survey(open.clone()).await.expect("activated").into_inner();
        assert_eq!(client.activate_survey(open.clone()).await.expect("the same").into_inner(), opened);
        let shut = CloseSurveyRequest { survey_id, etag: "2".into(), request_id };
        let closed = client.close_survey(shut.clone()).await.expect("closed").into_inner();
        assert_eq!(client.close_survey(shut).await.expect("the same").into_inner(), closed);

        let again = client.activate_survey(open.clone()).await.expect("as it is now").into_inner();
        assert_eq!((again.state(), again.position), (State::Closed, opened.position));
        let again = client.create_survey(request).await.expect("as it is now").into_inner();
        assert_eq!((again.state(), again.position), (State::Closed, first.position));
        let other = ActivateSurveyRequest { etag: "3".into(), ..open };
        assert_eq!(told(&client.activate_survey(other).await.expect_err("other values")).1, "REQUEST_ID_REUSED");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn lists_are_newest_first_by_state_and_page() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let creating = (0..12).map(|n| create(&services, survey(&format!("s-{n}"), SurveyKind::Nps)));
        let created = futures_util::future::join_all(creating).await;
        assert!(created.iter().all(Result::is_ok));
        let open = active(&services, "open", SurveyKind::Ces).await;

        let list = async |page_size: i32, state: State| {
            let (mut names, mut page_token) = (Vec::new(), String::new());
            loop {
                let request = ListSurveysRequest { page_size, page_token, state: state.into() };
                let page = services.surveys.clone().list_surveys(request).await.expect("a page").into_inner();
                names.extend(page.surveys.into_iter().map(|survey| survey.survey_id));
                if page.next_page_token.is_empty() {
                    return names;
                }
                page_token = page.next_page_token;
            }
        };
        let all = list(1_000, State::Unspecified).await;
        assert_eq!((all.len(), &all[0]), (13, &open));
        for page_size in [1, 5, 13] {
            assert_eq!(list(page_size, State::Unspecified).await, all);
        }
        assert_eq!(list(0, State::Draft).await, all[1..]);
        assert_eq!(list(2, State::Active).await, [open]);
        assert!(list(2, State::Closed).await.is_empty());
        services.stop().await;
    })
    .await;
}
