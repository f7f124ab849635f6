//! Messages of customers and to them, and what waits for them.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{Attachment, Case, CaseEntryType as Event, ReplyType, case::State};
use barometer_tests::{
    samples::hour,
    services::{Services, told},
};
use tonic::Code;

use crate::{How, Verb, act, entries, get, opened};

#[tokio::test]
async fn a_customers_message_ends_the_wait_for_it() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = opened(&services).await.case_id;
        let asked = How { text: "which colour?".to_owned(), ..How::at(hour(2)) };
        let waiting = act(&services, &id, Verb::AwaitCustomer, asked).await.expect("allowed");
        assert_eq!((waiting.state(), waiting.first_response_time), (State::WaitingForCustomer, Some(hour(2))));
        let update = How { reply: ReplyType::Update, ..How::at(hour(3)) };
        let reminded = act(&services, &id, Verb::Respond, update).await.expect("allowed");
        assert_eq!(reminded.state(), State::WaitingForCustomer);

        // What crossed the reminder, and thanks, leave the case as it is; who wrote on it without having read them is told.
        let thanks = How { needs_no_answer: true, ..How::at(hour(4)) };
        for (how, etag) in [(How::at(hour(2)), "4"), (thanks, "5")] {
            let heard = act(&services, &id, Verb::Hear, how).await.expect("allowed");
            assert_eq!((heard.state(), heard.etag.as_str()), (State::WaitingForCustomer, etag));
        }
        let unread = How { etag: reminded.etag, ..How::at(hour(5)) };
        let refused = act(&services, &id, Verb::Resolve, unread).await.expect_err("the customer wrote");
        assert_eq!(told(&refused).1, "STALE_ETAG");
        let photo = Attachment { uri: "https://files.example/1".to_owned(), ..Attachment::default() };
        let answer = How { text: "blue".to_owned(), attachments: vec![photo.clone()], ..How::at(hour(5)) };
        let heard = act(&services, &id, Verb::Hear, answer).await.expect("allowed");
        assert_eq!((heard.state(), heard.etag.as_str()), (State::InProgress, "6"));

        let history = get(&services, &id).await.history;
        let told: Vec<_> = history.iter().map(|entry| (entry.r#type(), entry.state(), entry.needs_no_answer)).collect();
        let expected = [
            (Event::CustomerWrote, State::InProgress, false),
            (Event::CustomerWrote, State::WaitingForCustomer, true),
            (Event::Responded, State::WaitingForCustomer, false),
            (Event::CustomerWrote, State::WaitingForCustomer, false),
            (Event::AwaitedCustomer, State::WaitingForCustomer, false),
            (Event::Opened, State::Received, false),
        ];
        assert_eq!(told, expected);
        assert_eq!((history[0].text.as_str(), history[0].attachments.as_slice()), ("blue", &[photo][..]));
        assert_eq!((history[2].reply(), history[4].text.as_str()), (ReplyType::Update, "which colour?"));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_message_to_a_case_that_has_ended_reopens_it() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let ends: [&[Verb]; 3] = [&[Verb::Resolve], &[Verb::Resolve, Verb::Close], &[Verb::Cancel]];
        for end in ends {
            let id = opened(&services).await.case_id;
            let mut ended = Case::default();
            for verb in end {
                ended = act(&services, &id, *verb, How::at(hour(2))).await.expect("allowed");
            }
            let late = How::at(hour(2 + 30 * 24 + 1));
            for verb in [Verb::Hear, Verb::Reopen] {
                let refused = act(&services, &id, verb, late.clone()).await.expect_err("too late");
                let (code, reason, _) = told(&refused);
                assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "REOPEN_WINDOW_OVER"), "{verb:?}");
            }
            let thanks = How { needs_no_answer: true, ..late };
            let thanked = act(&services, &id, Verb::Hear, thanks).await.expect("thanks");
            assert_eq!((thanked.state(), thanked.reopenings), (ended.state(), 0));

            let still = How { text: "still broken".to_owned(), ..How::at(hour(2 + 30 * 24)) };
            let once = How { request_id: How::once().request_id, ..still };
            let reopened = act(&services, &id, Verb::Hear, once.clone()).await.expect("in time");
            assert_eq!((reopened.state(), reopened.reopenings), (State::InProgress, 1));
            assert_eq!(act(&services, &id, Verb::Hear, once).await.expect("the same"), reopened);
            let history = get(&services, &id).await.history;
            // It wrote, and was reopened by that: two entries of one instant, in this order. Then the thanks came.
            let told: Vec<_> =
                history.iter().map(|entry| (entry.r#type(), entry.state(), entry.text.as_str())).collect();
            assert_eq!(told[0], (Event::CustomerWrote, ended.state(), ""));
            assert_eq!(told[1], (Event::Reopened, State::InProgress, ""));
            assert_eq!(told[2], (Event::CustomerWrote, ended.state(), "still broken"));
        }
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn replies_are_answers_or_not() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = opened(&services).await.case_id;
        let reply = |reply, hours| How { reply, ..How::at(hour(hours)) };
        for (kind, hours) in [(ReplyType::Holding, 2), (ReplyType::Update, 3)] {
            let case = act(&services, &id, Verb::Respond, reply(kind, hours)).await.expect("allowed");
            assert_eq!((case.state(), case.first_response_time), (State::InProgress, None), "{kind:?}");
        }
        let case = act(&services, &id, Verb::Respond, reply(ReplyType::Unspecified, 4)).await.expect("allowed");
        assert_eq!(case.first_response_time, Some(hour(4)));
        let history = get(&services, &id).await.history;
        let replies: Vec<ReplyType> = history.iter().rev().skip(1).map(|entry| entry.reply()).collect();
        assert_eq!(replies, [ReplyType::Holding, ReplyType::Update, ReplyType::Answer]);
        assert_eq!(entries(&services, &id).await[1..], [Event::Responded; 3]);
        services.stop().await;
    })
    .await;
}
