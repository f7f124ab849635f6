//! Answers: scores and their scales, reasons for none, weights, dimensions.

use barometer_chassis::testing::on_each_database;
use barometer_proto::surveys::v1::{
    AmendResponseRequest, Category, Disposition, ListResponsesRequest, Response, SurveyKind, WatchFactsRequest, fact,
    response,
};
use barometer_tests::{
    samples::{from_now, hour, mask, region, response as sample},
    services::{STAGES, Services, told},
};
use tonic::{Code, Status};

use crate::{active, submit};

async fn amend(services: &Services, patch: Response, paths: &[&str]) -> Result<Response, Status> {
    let request = AmendResponseRequest { response: Some(patch), update_mask: mask(paths), request_id: String::new() };
    Ok(services.surveys.clone().amend_response(request).await?.into_inner())
}

#[tokio::test]
async fn what_is_submitted_is_read_back() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let survey = active(&services, "s", SurveyKind::Nps).await;
        let sent = Response {
            survey: Some(response::Survey::SurveyName("s".to_owned())),
            customer: Some(response::Customer::CustomerId("01890a5d-ac96-774b-bcce-b302099a8057".to_owned())),
            comment: "Fine.\n\tReally.".to_owned(),
            language: "pt-BR".to_owned(),
            channel: "web".to_owned(),
            touchpoint: "checkout".to_owned(),
            journey_stage: STAGES[1].to_owned(),
            weight: Some(0.25),
            ..sample(&survey, 10)
        };
        let got = submit(&services, sent.clone()).await.expect("submitted");
        let expected = Response {
            response_id: got.response_id.clone(),
            survey: Some(response::Survey::SurveyId(survey.clone())),
            etag: "1".to_owned(),
            create_time: got.create_time,
            update_time: got.create_time,
            position: got.position.clone(),
            category: Category::Promoter.into(),
            ..sent
        };
        assert_eq!(got, expected);
        let anonymous = submit(&services, sample(&survey, 0)).await.expect("submitted");
        assert_eq!(
            (&anonymous.customer, anonymous.weight, anonymous.category()),
            (&None, Some(1.0), Category::Detractor)
        );
        let soon = Response { answer_time: Some(from_now(3_600)), ..sample(&survey, 0) };
        submit(&services, soon).await.expect("clocks differ");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn scores_are_on_the_scale_of_their_kind() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        for (kind, lowest, highest) in [(SurveyKind::Nps, 0, 10), (SurveyKind::Csat, 1, 5), (SurveyKind::Ces, 1, 7)] {
            let survey = active(&services, kind.as_str_name(), kind).await;
            for score in lowest - 1..=highest + 1 {
                let submitted = submit(&services, sample(&survey, score)).await;
                if (lowest..=highest).contains(&score) {
                    let expected = match (kind, score) {
                        (SurveyKind::Nps, 9 | 10) => Category::Promoter,
                        (SurveyKind::Nps, 7 | 8) => Category::Passive,
                        (SurveyKind::Nps, _) => Category::Detractor,
                        _ => Category::Unspecified,
                    };
                    assert_eq!(submitted.expect("on the scale").category(), expected, "{kind:?} {score}");
                } else {
                    let refused = submitted.expect_err("off the scale");
                    assert_eq!(
                        (told(&refused).0, told(&refused).2),
                        (Code::InvalidArgument, vec!["response.score".into()])
                    );
                    let scale = format!("{lowest} to {highest}");
                    assert!(refused.message().contains(&scale), "{}", refused.message());
                }
            }
        }
        for (category, count) in [(Category::Promoter, 2), (Category::Passive, 2), (Category::Detractor, 7)] {
            let request = ListResponsesRequest { category: category.into(), ..Default::default() };
            let page = services.surveys.clone().list_responses(request).await.expect("a list").into_inner();
            assert_eq!(page.responses.len(), count, "{category:?}");
            assert!(page.responses.iter().all(|response| response.category() == category));
        }
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_without_a_score_says_why() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let survey = active(&services, "s", SurveyKind::Nps).await;
        for (given, kept) in [
            (Disposition::Unspecified, Disposition::NoAnswer),
            (Disposition::NoAnswer, Disposition::NoAnswer),
            (Disposition::DontKnow, Disposition::DontKnow),
            (Disposition::Refused, Disposition::Refused),
            (Disposition::BreakOff, Disposition::BreakOff),
        ] {
            let none = Response { score: None, disposition: given.into(), ..sample(&survey, 0) };
            let got = submit(&services, none).await.expect("submitted");
            assert_eq!((got.score, got.disposition(), got.category()), (None, kept, Category::Unspecified));
        }
        let scored = submit(&services, sample(&survey, 9)).await.expect("submitted");
        assert_eq!(scored.disposition(), Disposition::Unspecified);

        let patch = Response { response_id: scored.response_id.clone(), ..Response::default() };
        let cleared = amend(&services, patch.clone(), &["score"]).await.expect("amended");
        assert_eq!((cleared.score, cleared.disposition()), (None, Disposition::NoAnswer));
        assert_eq!(cleared.category(), Category::Unspecified);
        let scored = Response { score: Some(7), ..patch };
        let back = amend(&services, scored, &["score", "disposition"]).await.expect("amended");
        assert_eq!((back.score, back.category()), (Some(7), Category::Passive));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn weights_come_back_as_they_went() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let survey = active(&services, "s", SurveyKind::Nps).await;
        let weights = [
            (1e-12, 1),
            (0.1, 100_000_000_000),
            (1.0 / 3.0, 333_333_333_333),
            (0.847_261_930_512, 847_261_930_512),
            (2.5, 2_500_000_000_000),
            (1_000_000.0, 1_000_000_000_000_000_000),
        ];
        for (weight, _) in weights {
            let got =
                submit(&services, Response { weight: Some(weight), ..sample(&survey, 9) }).await.expect("submitted");
            assert!((got.weight.expect("a weight") - weight).abs() < 1e-12, "{weight}");
        }
        let mut watch =
            services.surveys.clone().watch_facts(WatchFactsRequest::default()).await.expect("a watch").into_inner();
        let mut fed = Vec::new();
        loop {
            let batch = watch.message().await.expect("a batch").expect("it goes on");
            fed.extend(batch.facts.into_iter().filter_map(|fact| match fact.fact {
                Some(fact::Fact::Response(response)) => Some(response.weight_trillionths),
                _ => None,
            }));
            if batch.caught_up {
                break;
            }
        }
        assert_eq!(fed, weights.map(|(_, trillionths)| trillionths));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_may_be_moved_to_another_survey_and_then_keeps_its_rules() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let nps = active(&services, "nps", SurveyKind::Nps).await;
        let csat = active(&services, "csat", SurveyKind::Csat).await;
        let given = submit(&services, sample(&nps, 9)).await.expect("submitted");
        let of =
            |survey| Response { response_id: given.response_id.clone(), survey: Some(survey), ..Response::default() };

        let by_id = of(response::Survey::SurveyId(csat.clone()));
        let refused = amend(&services, by_id.clone(), &["survey_id"]).await.expect_err("9 of 5");
        assert_eq!(told(&refused).2, ["response.score"]);
        let fits = Response { score: Some(4), ..by_id };
        let moved = amend(&services, fits, &["survey_id", "score"]).await.expect("amended");
        assert_eq!((&moved.survey, moved.category()), (&Some(response::Survey::SurveyId(csat)), Category::Unspecified));
        let back = of(response::Survey::SurveyName("nps".to_owned()));
        let back = amend(&services, back, &["survey_name"]).await.expect("amended");
        assert_eq!((&back.survey, back.category()), (&Some(response::Survey::SurveyId(nps)), Category::Detractor));

        let undeclared = [("region".to_owned(), "x".to_owned()), ("shop".to_owned(), "1".to_owned())];
        let patch = Response { response_id: given.response_id, dimensions: undeclared.into(), ..Response::default() };
        let refused = amend(&services, patch, &["dimensions"]).await.expect_err("undeclared");
        assert_eq!(told(&refused).2, ["response.dimensions.shop"]);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn lists_take_one_survey() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        for name in ["one", "two"] {
            let survey = active(&services, name, SurveyKind::Nps).await;
            for hours in 0..3 {
                let given = Response { answer_time: Some(hour(hours)), dimensions: region("x"), ..sample(&survey, 9) };
                submit(&services, given).await.expect("submitted");
            }
            let request = ListResponsesRequest { survey_id: survey, start_time: Some(hour(1)), ..Default::default() };
            let page = services.surveys.clone().list_responses(request).await.expect("a list").into_inner();
            assert_eq!(
                page.responses.iter().map(|one| one.answer_time).collect::<Vec<_>>(),
                [Some(hour(2)), Some(hour(1))]
            );
        }
        services.stop().await;
    })
    .await;
}
