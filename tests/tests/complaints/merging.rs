//! Merging duplicates, and undoing it.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Case, CaseEntryType as Event, MergeCaseRequest, UnmergeCaseRequest, WithdrawCaseRequest, case::State,
};
use barometer_tests::{
    samples::hour,
    services::{Services, told},
};
use tonic::{Code, Status};

use crate::{How, Verb, act, entries, get, opened};

async fn merge(services: &Services, case: &str, into: &str) -> Result<Case, Status> {
    let (case_id, into_case_id) = (case.to_owned(), into.to_owned());
    let request = MergeCaseRequest { case_id, into_case_id, note: "the same".to_owned(), ..Default::default() };
    Ok(services.complaints.clone().merge_case(request).await?.into_inner())
}

async fn unmerge(services: &Services, case: &str) -> Result<Case, Status> {
    let request = UnmergeCaseRequest { case_id: case.to_owned(), ..Default::default() };
    Ok(services.complaints.clone().unmerge_case(request).await?.into_inner())
}

/// A case without what every change changes.
fn bare(case: Case) -> Case {
    Case { etag: String::new(), position: String::new(), update_time: None, history: Vec::new(), ..case }
}

#[tokio::test]
async fn a_merge_is_undone_to_exactly_what_was() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let ways: [&[Verb]; 5] = [
            &[],
            &[Verb::Assign("ana", "billing"), Verb::Acknowledge, Verb::AwaitCustomer],
            &[Verb::Respond, Verb::AwaitThirdParty],
            &[Verb::Resolve, Verb::Reopen],
            &[Verb::Resolve],
        ];
        for way in ways {
            let (id, into) = (opened(&services).await.case_id, opened(&services).await.case_id);
            for verb in way {
                act(&services, &id, *verb, How::at(hour(2))).await.expect("allowed");
            }
            let (before, stays) = (get(&services, &id).await, get(&services, &into).await);
            let merged = merge(&services, &id, &into).await.expect("merged");
            assert_eq!((merged.state(), &merged.merged_into), (State::Merged, &into));
            let other = get(&services, &into).await;
            assert_eq!(other.merged_case_ids, std::slice::from_ref(&id));
            assert_eq!((&other.etag, other.state()), (&stays.etag, stays.state()), "only its history tells");
            assert_eq!((other.history[0].r#type(), &other.history[0].other_case_id), (Event::Absorbed, &id));
            assert_eq!(get(&services, &id).await.history[1..], before.history, "its own history stays");

            let undone = unmerge(&services, &id).await.expect("unmerged");
            assert_eq!(bare(undone), bare(before.clone()), "{way:?}");
            let stayed = get(&services, &into).await;
            assert_eq!(stayed.history[0].r#type(), Event::Released);
            assert_eq!(bare(stayed), bare(stays));
            let told = get(&services, &id).await.history;
            assert_eq!(
                (told[0].r#type(), told[0].state(), &told[0].other_case_id),
                (Event::Unmerged, before.state(), &into)
            );
            assert_eq!(
                (told[1].r#type(), told[1].state(), told[1].text.as_str()),
                (Event::Merged, State::Merged, "the same")
            );
        }
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_merged_takes_nothing_and_nobody() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(opened(&services).await.case_id);
        }
        let [one, two, three, gone] = &ids[..] else { panic!("four") };
        act(&services, gone, Verb::Cancel, How::default()).await.expect("allowed");
        merge(&services, one, two).await.expect("merged");
        let reason = |refused: Result<Case, Status>| told(&refused.expect_err("refused"));
        for refused in [
            act(&services, one, Verb::Resolve, How::default()).await,
            act(&services, one, Verb::Hear, How::default()).await,
            merge(&services, one, three).await,
            // There is no way round in a circle.
            merge(&services, two, one).await,
            merge(&services, three, one).await,
            merge(&services, three, gone).await,
            merge(&services, gone, three).await,
            unmerge(&services, two).await,
        ] {
            let (code, reason, _) = reason(refused);
            assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
        }
        act(&services, one, Verb::Annotate, How::default()).await.expect("a note");
        let request = WithdrawCaseRequest { case_id: two.clone(), ..Default::default() };
        let refused = services.complaints.clone().withdraw_case(request).await.expect_err("one is merged into it");
        assert_eq!(told(&refused).1, "HAS_MERGED");

        // One that has taken another in is merged itself, and each can be undone.
        merge(&services, two, three).await.expect("merged");
        assert_eq!(get(&services, two).await.merged_case_ids, std::slice::from_ref(one));
        unmerge(&services, one).await.expect("unmerged");
        unmerge(&services, two).await.expect("unmerged");
        assert!(get(&services, two).await.merged_case_ids.is_empty());
        let expected = [Event::Opened, Event::Absorbed, Event::Merged, Event::Released, Event::Unmerged];
        assert_eq!(entries(&services, two).await, expected);
        services.stop().await;
    })
    .await;
}
