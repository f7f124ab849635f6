//! Links between cases, seen from either end.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Case, CaseEntryType as Event, LinkCasesRequest, LinkType as Link, UnlinkCasesRequest, case::State,
};
use barometer_tests::services::{Services, told};
use tonic::{Code, Status};

use crate::{How, Verb, act, entries, get, opened, withdraw};

async fn link(services: &Services, case: &str, kind: Link, other: &str) -> Result<Case, Status> {
    let request = LinkCasesRequest {
        case_id: case.to_owned(),
        r#type: kind.into(),
        other_case_id: other.to_owned(),
        note: "see there".to_owned(),
        ..Default::default()
    };
    Ok(services.complaints.clone().link_cases(request).await?.into_inner())
}

async fn unlink(services: &Services, case: &str, kind: Link, other: &str) -> Result<Case, Status> {
    let (case_id, other_case_id) = (case.to_owned(), other.to_owned());
    let request = UnlinkCasesRequest { case_id, r#type: kind.into(), other_case_id, ..Default::default() };
    Ok(services.complaints.clone().unlink_cases(request).await?.into_inner())
}

fn links(case: &Case) -> Vec<(Link, String)> {
    case.links.iter().map(|link| (link.r#type(), link.other_case_id.clone())).collect()
}

#[tokio::test]
async fn a_link_is_listed_at_either_end_and_taken_away_from_either() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let (one, two) = (opened(&services).await, opened(&services).await.case_id);
        let id = one.case_id.as_str();
        let linked = link(&services, id, Link::CausedBy, &two).await.expect("linked");
        assert_eq!(links(&linked), [(Link::CausedBy, two.clone())]);
        assert_eq!((&linked.etag, linked.state()), (&one.etag, State::Received), "the case itself is as it was");
        let other = get(&services, &two).await;
        assert_eq!(links(&other), [(Link::CauseOf, id.to_owned())]);
        // Once more, from either end, makes no other.
        link(&services, &two, Link::CauseOf, id).await.expect("it is there");
        assert_eq!(link(&services, id, Link::CausedBy, &two).await.expect("it is there").links, linked.links);
        let history = get(&services, id).await.history;
        assert_eq!(
            (history[0].r#type(), history[0].link(), &history[0].other_case_id),
            (Event::Linked, Link::CausedBy, &two)
        );
        assert_eq!((history.len(), history[0].text.as_str()), (2, "see there"));
        assert_eq!((other.history[0].link(), other.history[0].other_case_id.as_str()), (Link::CauseOf, id));

        // Of another kind it is another link.
        link(&services, id, Link::DuplicateOf, &two).await.expect("linked");
        let left = unlink(&services, &two, Link::CauseOf, id).await.expect("unlinked");
        assert_eq!(links(&left), [(Link::HasDuplicate, id.to_owned())]);
        let refused = unlink(&services, id, Link::CausedBy, &two).await.expect_err("it is gone");
        assert_eq!(told(&refused).0, Code::NotFound);
        let expected = [Event::Opened, Event::Linked, Event::Linked, Event::Unlinked];
        assert_eq!(entries(&services, id).await, expected);
        assert_eq!(entries(&services, &two).await, expected);

        // In every state; and they go with a case that is withdrawn.
        act(&services, &two, Verb::Cancel, How::default()).await.expect("allowed");
        link(&services, id, Link::CausedBy, &two).await.expect("linked");
        withdraw(&services, &two).await;
        assert!(get(&services, id).await.links.is_empty());
        let refused = link(&services, id, Link::CausedBy, &two).await.expect_err("withdrawn");
        assert_eq!(told(&refused).1, "WITHDRAWN");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn nothing_is_its_own_cause_or_a_duplicate_twice() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(opened(&services).await.case_id);
        }
        let reason = |refused: Result<Case, Status>| told(&refused.expect_err("refused")).1;
        for kind in [Link::CausedBy, Link::DuplicateOf] {
            for pair in ids.windows(2) {
                link(&services, &pair[0], kind, &pair[1]).await.expect("linked");
            }
            for first in &ids[..3] {
                assert_eq!(reason(link(&services, &ids[3], kind, first).await), "LINK_CYCLE", "{kind:?}");
            }
        }
        assert_eq!(reason(link(&services, &ids[0], Link::DuplicateOf, &ids[2]).await), "DUPLICATE_ALREADY");
        assert_eq!(reason(link(&services, &ids[2], Link::HasDuplicate, &ids[0]).await), "DUPLICATE_ALREADY");
        link(&services, &ids[0], Link::CausedBy, &ids[2]).await.expect("there may be several causes");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_case_has_a_hundred_links_at_most() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let (cause, spare) = (opened(&services).await.case_id, opened(&services).await.case_id);
        for _ in 0..100 {
            let effect = opened(&services).await.case_id;
            link(&services, &effect, Link::CausedBy, &cause).await.expect("linked");
        }
        let refused = link(&services, &cause, Link::CauseOf, &spare).await.expect_err("too many");
        assert_eq!(told(&refused).1, "TOO_MANY_LINKS");
        assert_eq!(get(&services, &cause).await.links.len(), 100);
        services.stop().await;
    })
    .await;
}
