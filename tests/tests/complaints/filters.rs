//! Lists of cases by what they are.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{Case, CaseKind, ListCasesRequest, Priority, Severity};
use barometer_tests::{
    samples::{case, hour},
    services::Services,
};
use uuid::Uuid;

use crate::{How, Verb, act, open_one};

/// The subjects of the cases that a filter finds, oldest first.
async fn found(services: &Services, request: ListCasesRequest) -> Vec<String> {
    let page = services.complaints.clone().list_cases(request).await.expect("a page").into_inner();
    page.cases.into_iter().rev().map(|case| case.subject).collect()
}

async fn opened(services: &Services, hours: i64, subject: &str, change: impl FnOnce(&mut Case)) -> Case {
    let mut new = Case {
        subject: subject.to_owned(),
        open_time: Some(hour(hours)),
        category: String::new(),
        ..case(&Uuid::new_v4().to_string())
    };
    change(&mut new);
    open_one(services, new).await.expect("opened")
}

#[tokio::test]
async fn a_parent_category_finds_its_children() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let categories = [
            "delivery",
            "delivery/late",
            "delivery/late/abroad",
            "delivery-abroad",
            "Delivery/late",
            "delivery%",
            "été/é",
        ];
        for (at, category) in (1..).zip(categories) {
            opened(&services, at, category, |case| category.clone_into(&mut case.category)).await;
        }
        opened(&services, 9, "none", |_| {}).await;
        let below = async |category: &str| {
            found(&services, ListCasesRequest { category: category.to_owned(), ..Default::default() }).await
        };
        assert_eq!(below("delivery").await, categories[..3]);
        assert_eq!(below("delivery/late").await, categories[1..3]);
        assert_eq!(below("Delivery").await, ["Delivery/late"]);
        assert_eq!(below("delivery%").await, ["delivery%"]);
        assert_eq!(below("été").await, ["été/é"]);
        assert_eq!(below("delivery/").await, Vec::<String>::new());
        assert_eq!(below("").await.len(), 8);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn filters_hold_together() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let tags = |tags: &[&str]| tags.iter().map(ToString::to_string).collect::<Vec<_>>();
        opened(&services, 1, "one", |case| {
            (case.kind, case.severity) = (CaseKind::Loss.into(), Severity::Critical.into());
            (case.tags, case.channel) = (tags(&["vip", "press", "vip"]), "email".to_owned());
        })
        .await;
        let two =
            opened(&services, 2, "two", |case| (case.tags, case.product) = (tags(&["vip"]), "pens".to_owned())).await;
        opened(&services, 3, "three", |case| case.kind = CaseKind::Question.into()).await;
        act(&services, &two.case_id, Verb::Prioritize(Priority::Urgent), How::default()).await.expect("allowed");

        let list = async |change: &dyn Fn(&mut ListCasesRequest)| {
            let mut request = ListCasesRequest::default();
            change(&mut request);
            found(&services, request).await
        };
        assert_eq!(list(&|r| r.kinds = vec![CaseKind::Loss.into(), CaseKind::Question.into()]).await, ["one", "three"]);
        assert_eq!(list(&|r| r.severities = vec![Severity::Medium.into()]).await, ["two", "three"]);
        assert_eq!(list(&|r| r.priorities = vec![Priority::Urgent.into()]).await, ["one", "two"]);
        assert_eq!(list(&|r| r.tags = tags(&["vip"])).await, ["one", "two"]);
        assert_eq!(list(&|r| r.tags = tags(&["vip", "press"])).await, ["one"]);
        assert!(list(&|r| r.tags = tags(&["vi"])).await.is_empty());
        assert_eq!(list(&|r| r.product = "pens".to_owned()).await, ["two"]);
        assert_eq!(list(&|r| r.channel = "email".to_owned()).await, ["one"]);
        let both = |r: &mut ListCasesRequest| (r.tags, r.product) = (tags(&["vip"]), "pens".to_owned());
        assert_eq!(list(&|r| both(r)).await, ["two"]);
        services.stop().await;
    })
    .await;
}
