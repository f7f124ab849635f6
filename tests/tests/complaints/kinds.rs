//! What cases are: what is said when they are opened, and who may answer them.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    AmendCaseRequest, Attachment, Case, CaseEntryType as Event, CaseKind, Priority, Remedy, Severity, case::State,
};
use barometer_tests::{
    samples::{case, key, mask},
    services::{Services, told},
};
use tonic::Code;
use uuid::Uuid;

use crate::{How, Verb, act, entries, get, open_one};

fn of_kind(kind: CaseKind) -> Case {
    Case { kind: kind.into(), ..case(&Uuid::new_v4().to_string()) }
}

#[tokio::test]
async fn a_case_keeps_what_was_said_of_it() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let attachment = Attachment {
            uri: "s3://claims/7/photo".to_owned(),
            media_type: "image/jpeg".to_owned(),
            name: "the box.jpg".to_owned(),
        };
        let new = Case {
            severity: Severity::High.into(),
            category: "delivery/damaged".to_owned(),
            remedy_sought: Remedy::Replacement.into(),
            tags: ["vip", "box", "vip"].map(ToOwned::to_owned).to_vec(),
            attachments: vec![attachment.clone()],
            external_id: Some(key("k-1")),
            ..of_kind(CaseKind::Loss)
        };
        let opened = open_one(&services, new.clone()).await.expect("opened");
        assert_eq!(open_one(&services, new.clone()).await.expect("the same"), opened);
        let other = Case { tags: vec!["vip".to_owned()], ..new.clone() };
        assert_eq!(told(&open_one(&services, other).await.expect_err("another")).1, "KEY_REUSED");

        let read = get(&services, &opened.case_id).await;
        assert_eq!((read.kind(), read.severity(), read.priority()), (CaseKind::Loss, Severity::High, Priority::High));
        assert_eq!(
            (read.remedy_sought(), read.tags.as_slice()),
            (Remedy::Replacement, &["box".to_owned(), "vip".to_owned()][..])
        );
        assert_eq!((read.attachments, read.reception), (vec![attachment.clone()], None));

        // What was said can be corrected, what came with it can not; more may come.
        let patch = Case {
            case_id: opened.case_id.clone(),
            kind: CaseKind::Complaint.into(),
            tags: Vec::new(),
            ..Case::default()
        };
        let update_mask = mask(&["kind", "tags", "remedy_sought"]);
        let request = AmendCaseRequest { case: Some(patch), update_mask, request_id: String::new() };
        let amended = services.complaints.clone().amend_case(request).await.expect("amended").into_inner();
        assert_eq!((amended.kind(), amended.tags, amended.remedy_sought), (CaseKind::Complaint, vec![], 0));
        let how = How { attachments: vec![attachment.clone(); 2], ..How::default() };
        act(&services, &opened.case_id, Verb::Annotate, how).await.expect("a note");
        let read = get(&services, &opened.case_id).await;
        assert_eq!(
            (read.attachments.len(), read.history[0].attachments.as_slice()),
            (1, &[attachment.clone(), attachment][..])
        );
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn self_service_answers_questions_and_nothing_else() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let question = open_one(&services, of_kind(CaseKind::Question)).await.expect("opened");
        assert!(question.reception.expect("told at once").self_service);
        let served = act(&services, &question.case_id, Verb::SelfServe, How::default()).await.expect("a question");
        assert_eq!((served.state(), served.self_served), (State::Resolved, true));
        assert_eq!((served.first_response_time, served.first_resolve_time), (served.resolve_time, served.resolve_time));
        let closed = act(&services, &question.case_id, Verb::Close, How::default()).await.expect("without a person");
        assert_eq!((closed.state(), closed.self_served), (State::Closed, true));
        assert_eq!(entries(&services, &question.case_id).await, [Event::Opened, Event::SelfServed, Event::Closed]);

        for kind in
            [CaseKind::Unspecified, CaseKind::Suggestion, CaseKind::Complaint, CaseKind::Loss, CaseKind::SurveyFollowUp]
        {
            let case = open_one(&services, of_kind(kind)).await.expect("opened");
            assert!(!case.reception.expect("told at once").self_service, "{kind:?}");
            let refused =
                act(&services, &case.case_id, Verb::SelfServe, How::default()).await.expect_err("no question");
            assert_eq!((told(&refused).0, told(&refused).1.as_str()), (Code::FailedPrecondition, "NEEDS_A_PERSON"));
            assert_eq!(entries(&services, &case.case_id).await, [Event::Opened]);
        }
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_turns_out_to_be_a_complaint_needs_a_person() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = open_one(&services, of_kind(CaseKind::Question)).await.expect("opened").case_id;
        act(&services, &id, Verb::SelfServe, How::default()).await.expect("a question");
        let patch = Case { case_id: id.clone(), kind: CaseKind::Complaint.into(), ..Case::default() };
        let request = AmendCaseRequest { case: Some(patch), update_mask: mask(&["kind"]), request_id: String::new() };
        services.complaints.clone().amend_case(request).await.expect("amended");
        let refused = act(&services, &id, Verb::Close, How::default()).await.expect_err("nobody answered");
        assert_eq!(told(&refused).1, "NEEDS_A_PERSON");
        for verb in [Verb::Reopen, Verb::Resolve, Verb::Close] {
            act(&services, &id, verb, How::default()).await.expect("a person answered");
        }
        assert!(!get(&services, &id).await.self_served);
        services.stop().await;
    })
    .await;
}
