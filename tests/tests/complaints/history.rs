//! The history of a case: latest first, page by page.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{CaseEntry, ListCaseEntriesRequest};
use barometer_tests::{samples::hour, services::Services};
use prost::Message;

use crate::{How, Verb, act, get, opened, withdraw};

async fn pages(services: &Services, id: &str, page_size: i32) -> Vec<Vec<CaseEntry>> {
    let (mut pages, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListCaseEntriesRequest { case_id: id.to_owned(), page_size, page_token };
        let page = services.complaints.clone().list_case_entries(request).await.expect("a page").into_inner();
        pages.push(page.case_entries);
        if page.next_page_token.is_empty() {
            return pages;
        }
        page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn pages_hold_each_entry_once_latest_first() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let (id, other) = (opened(&services).await.case_id, opened(&services).await.case_id);
        act(&services, &other, Verb::Annotate, How::default()).await.expect("a note");
        // Many at the same instant: they stand in the order in which they were written.
        for n in 0..130 {
            let (verb, time) = (Verb::Assign(if n % 2 == 0 { "ana" } else { "bob" }, ""), hour(2 + n / 60));
            let how = How { text: n.to_string(), ..How::at(time) };
            act(&services, &id, verb, how).await.expect("assigned");
        }
        let whole = pages(&services, &id, 1_000).await.concat();
        let texts: Vec<String> = whole.iter().map(|entry| entry.text.clone()).collect();
        let expected: Vec<String> = (0..130).rev().map(|n| n.to_string()).chain([String::new()]).collect();
        assert_eq!(texts, expected);
        for page_size in [1, 7, 130, 131] {
            assert_eq!(pages(&services, &id, page_size).await.concat(), whole, "pages of {page_size}");
        }
        assert_eq!(pages(&services, &id, 0).await[0].len(), 50);
        assert_eq!(get(&services, &id).await.history, whole[..100]);

        withdraw(&services, &id).await;
        assert!(pages(&services, &id, 0).await.concat().is_empty());
        assert_eq!(get(&services, &id).await.history.len(), 100, "what was withdrawn can still be read");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn long_notes_fit_into_messages() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = opened(&services).await.case_id;
        let notes =
            (0..110).map(|_| act(&services, &id, Verb::Annotate, How { text: "𝄞".repeat(10_000), ..How::default() }));
        assert!(futures_util::future::join_all(notes).await.iter().all(Result::is_ok));
        let read = get(&services, &id).await;
        assert!(read.encoded_len() < 4 * 1024 * 1024 && read.history.len() > 70, "{}", read.history.len());
        assert_eq!(pages(&services, &id, 1_000).await.concat().len(), 111);
        services.stop().await;
    })
    .await;
}
