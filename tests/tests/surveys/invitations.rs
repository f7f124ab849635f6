//! Invitations: what came of them, and the answers that follow them.

use barometer_chassis::testing::on_each_database;
use barometer_proto::surveys::v1::{
    AmendInvitationRequest, AmendResponseRequest, Disposition, GetInvitationRequest, Invitation, InvitationOutcome,
    ListInvitationsRequest, RecordInvitationRequest, Response, SurveyKind, WithdrawInvitationRequest,
    WithdrawResponseRequest, get_invitation_request, invitation, response,
};
use barometer_tests::{
    samples::{from_now, hour, invitation as sample, key, mask, response as answer},
    services::{Services, told},
};
use tonic::{Code, Status};

use crate::{active, submit};

const SOMEBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const ANOTHER: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

async fn record(services: &Services, invitation: Invitation) -> Invitation {
    let request = RecordInvitationRequest { invitation: Some(invitation), request_id: String::new() };
    services.invitations.clone().record_invitation(request).await.expect("recorded").into_inner()
}

async fn get(services: &Services, id: &str) -> Invitation {
    let by = Some(get_invitation_request::By::InvitationId(id.to_owned()));
    services.invitations.clone().get_invitation(GetInvitationRequest { by }).await.expect("there").into_inner()
}

async fn amend(services: &Services, patch: Invitation, paths: &[&str]) -> Result<Invitation, Status> {
    let request =
        AmendInvitationRequest { invitation: Some(patch), update_mask: mask(paths), request_id: String::new() };
    Ok(services.invitations.clone().amend_invitation(request).await?.into_inner())
}

/// The ids of the invitations that came to an outcome, in order of their names.
async fn listed(services: &Services, outcome: InvitationOutcome) -> Vec<String> {
    let request = ListInvitationsRequest { outcome: outcome.into(), ..Default::default() };
    let listed = services.invitations.clone().list_invitations(request).await.expect("a list").into_inner();
    assert!(listed.invitations.iter().all(|invitation| invitation.outcome() == outcome), "{listed:?}");
    let mut channels: Vec<_> = listed.invitations.into_iter().map(|invitation| invitation.channel).collect();
    channels.sort_unstable();
    channels
}

fn to(invitation: &Invitation, survey: &str) -> Response {
    let invitation = Some(response::Invitation::InvitationId(invitation.invitation_id.clone()));
    Response { invitation, ..answer(survey, 9) }
}

fn customer(response: &Response) -> Option<&str> {
    match response.customer.as_ref()? {
        response::Customer::CustomerId(id) => Some(id),
        response::Customer::CustomerKey(_) => None,
    }
}

#[tokio::test]
async fn what_came_of_them_is_told_and_listed() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let survey = active(&services, "s", SurveyKind::Nps).await;
        let named = |name: &str| Invitation { channel: name.to_owned(), ..sample(&survey, SOMEBODY) };
        let nobody = |name: &str| Invitation { customer: None, ..named(name) };
        let open = |invitation| Invitation { expire_time: Some(from_now(3_600)), ..invitation };

        record(&services, named("non-contact")).await;
        record(&services, Invitation { deliver_time: Some(hour(2)), ..nobody("arrived") }).await;
        record(&services, nobody("unknown")).await;
        record(&services, Invitation { begin_time: Some(hour(2)), ..nobody("begun") }).await;
        record(&services, open(named("pending"))).await;
        let said = |name: &str, outcome: InvitationOutcome| Invitation { told_outcome: outcome.into(), ..named(name) };
        record(&services, said("not eligible", InvitationOutcome::NotEligible)).await;
        record(&services, said("other", InvitationOutcome::Other)).await;
        for (name, score, disposition) in [
            ("answered", Some(9), Disposition::Unspecified),
            ("broken off", None, Disposition::BreakOff),
            ("declined", None, Disposition::Refused),
        ] {
            let invited = record(&services, open(named(name))).await;
            assert_eq!(invited.outcome(), InvitationOutcome::Pending);
            let submitted = Response { score, disposition: disposition.into(), ..to(&invited, &survey) };
            submit(&services, submitted).await.expect("submitted");
        }
        for (outcome, names) in [
            (InvitationOutcome::Pending, &["pending"][..]),
            (InvitationOutcome::Complete, &["answered"]),
            (InvitationOutcome::Partial, &["begun", "broken off"]),
            (InvitationOutcome::Refusal, &["declined"]),
            (InvitationOutcome::NonContact, &["arrived", "non-contact"]),
            (InvitationOutcome::Other, &["other"]),
            (InvitationOutcome::Unknown, &["unknown"]),
            (InvitationOutcome::NotEligible, &["not eligible"]),
        ] {
            assert_eq!(listed(&services, outcome).await, names, "{outcome:?}");
        }
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_first_answer_that_is_left_counts() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let survey = active(&services, "s", SurveyKind::Nps).await;
        let invited = record(&services, sample(&survey, SOMEBODY)).await;
        let id = invited.invitation_id.as_str();
        let late = Response { answer_time: Some(hour(1_000)), ..to(&invited, &survey) };
        let late = submit(&services, late).await.expect("late answers count");
        assert_eq!(get(&services, id).await.response_id, late.response_id);
        let declined = Response {
            score: None,
            disposition: Disposition::Refused.into(),
            answer_time: Some(hour(2)),
            ..to(&invited, &survey)
        };
        let first = submit(&services, declined).await.expect("submitted");
        let read = get(&services, id).await;
        assert_eq!((read.response_id.as_str(), read.outcome()), (&*first.response_id, InvitationOutcome::Refusal));
        let request = WithdrawResponseRequest { response_id: first.response_id, ..Default::default() };
        services.surveys.clone().withdraw_response(request).await.expect("withdrawn");
        let read = get(&services, id).await;
        assert_eq!((read.response_id.as_str(), read.outcome()), (&*late.response_id, InvitationOutcome::Complete));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_of_whom_was_invited() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let survey = active(&services, "s", SurveyKind::Nps).await;
        let other = active(&services, "other", SurveyKind::Nps).await;
        let invited = record(&services, Invitation { external_id: Some(key("i")), ..sample(&survey, SOMEBODY) }).await;
        let by_key = Some(response::Invitation::InvitationKey(key("i")));
        let got = submit(&services, Response { invitation: by_key.clone(), ..answer(&survey, 3) }).await;
        let got = got.expect("submitted");
        assert_eq!(got.invitation, Some(response::Invitation::InvitationId(invited.invitation_id.clone())));
        assert_eq!(customer(&got), Some(SOMEBODY));

        let another = Some(response::Customer::CustomerId(ANOTHER.to_owned()));
        for (response, reason) in [
            (to(&invited, &other), "OTHER_SURVEY"),
            (Response { customer: another.clone(), ..to(&invited, &survey) }, "OTHER_CUSTOMER"),
            (
                Response { customer: Some(response::Customer::CustomerKey(key("new"))), ..to(&invited, &survey) },
                "OTHER_CUSTOMER",
            ),
        ] {
            let refused = submit(&services, response).await.expect_err(reason);
            assert_eq!(
                (told(&refused).0, told(&refused).2),
                (Code::InvalidArgument, vec!["response.invitation_id".to_owned()])
            );
        }
        let request = barometer_proto::customers::v1::LookupCustomerRequest { external_id: Some(key("new")) };
        let unknown = services.customers.clone().lookup_customer(request).await.expect_err("nobody was created");
        assert_eq!(unknown.code(), Code::NotFound);

        // An answer that came without one is put under it later.
        let alone = submit(&services, answer(&survey, 3)).await.expect("submitted");
        let patch = Response { response_id: alone.response_id, invitation: by_key, ..Response::default() };
        let request = AmendResponseRequest { response: Some(patch), ..Default::default() };
        let amended = services.surveys.clone().amend_response(request).await.expect("amended").into_inner();
        assert_eq!((customer(&amended), &amended.invitation), (Some(SOMEBODY), &got.invitation));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_answered_invitation_stays_with_its_survey_and_customer() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let survey = active(&services, "s", SurveyKind::Nps).await;
        let other = active(&services, "other", SurveyKind::Nps).await;
        let invited = record(&services, sample(&survey, SOMEBODY)).await;
        let patch = |customer: &str, survey: &str| Invitation {
            invitation_id: invited.invitation_id.clone(),
            customer: Some(invitation::Customer::CustomerId(customer.to_owned())),
            survey: Some(invitation::Survey::SurveyId(survey.to_owned())),
            reminders: 2,
            ..Invitation::default()
        };
        amend(&services, patch(ANOTHER, &survey), &["customer_id"]).await.expect("nobody has answered");
        submit(&services, to(&invited, &survey)).await.expect("submitted");
        for (patch, path) in [(patch(SOMEBODY, &survey), "customer_id"), (patch(ANOTHER, &other), "survey_id")] {
            let refused = amend(&services, patch, &[path]).await.expect_err("somebody has answered");
            assert_eq!(told(&refused).1, "ANSWERED");
        }
        let amended = amend(&services, patch(ANOTHER, &survey), &["reminders", "customer_id", "survey_id"]).await;
        assert_eq!(amended.expect("nothing moves").reminders, 2);

        let request = WithdrawInvitationRequest { invitation_id: invited.invitation_id.clone(), ..Default::default() };
        services.invitations.clone().withdraw_invitation(request).await.expect("withdrawn");
        let refused = submit(&services, to(&invited, &survey)).await.expect_err("it is no more");
        assert_eq!(refused.code(), Code::NotFound);
        services.stop().await;
    })
    .await;
}
