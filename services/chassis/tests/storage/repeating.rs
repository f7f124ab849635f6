//! Requests and keys that come again.

use std::time::Duration;

use barometer_chassis::{
    error::Error,
    testing::{DatabaseKind, TestDatabase, on_each_database},
    writer::Outcome,
};
use futures_util::future::join_all;
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    nouns::{Note, REFUSED, keyed, note, request, requested},
    replica::{Replica, position_of, reason},
};

#[tokio::test]
async fn a_repeated_request_does_nothing_and_answers_what_the_first_did() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let id = Uuid::new_v4();
        let (first, first_token) = replica.store.record_one(requested(id, "a")).await.expect("a note");
        replica.store.record_one(note("in between")).await.expect("a note");
        let (again, token) = replica.store.record_one(requested(id, "a")).await.expect("the same");
        assert_eq!((&again, &token), (&first, &first_token));

        let other = replica.store.record_one(requested(id, "b")).await.expect_err("other values");
        assert!(matches!(other, Error::Exists { reason: "REQUEST_ID_REUSED", .. }), "{other:?}");
        assert_eq!(tonic::Status::from(other).code(), tonic::Code::AlreadyExists);

        // As it is now, at the position of the first write.
        let (amended, _) = replica.amend(first.id, "c").await;
        let again = replica.store.record_one(requested(id, "a")).await.expect("the same");
        assert_eq!(again, (amended, first_token.clone()));
        let (withdrawn, _) = replica.withdraw(first.id).await;
        let again = replica.store.record_one(requested(id, "a")).await.expect("the same");
        assert_eq!(again, (withdrawn, first_token.clone()));
        let reused = replica.store.record_one(requested(id, "b")).await.expect_err("other values");
        assert_eq!(reason(reused), "REQUEST_ID_REUSED");
        assert_eq!((replica.notes().await.len(), replica.head().await), (2, 5));

        // Another caller, another request.
        let mut other_caller = requested(id, "b");
        other_caller.request.actor = "somebody".to_owned();
        replica.store.record_one(other_caller).await.expect("a note");

        // Also after a new start.
        replica.stop().await;
        let replica = Replica::open(&database.location()).await;
        let (again, token) = replica.store.record_one(requested(id, "a")).await.expect("the same");
        assert_eq!((again.id, token), (first.id, first_token));
    })
    .await;
}

#[tokio::test]
async fn a_request_that_was_refused_may_be_repeated() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let id = Uuid::new_v4();
        let refused = replica.store.record_one(requested(id, REFUSED)).await.expect_err("refused");
        assert_eq!(reason(refused), "NOT_NOW");
        replica.store.record_one(requested(id, "mended")).await.expect("a note");
        assert_eq!(replica.notes().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn one_request_that_comes_64_times_at_once_is_written_once() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let id = Uuid::new_v4();
        let all = join_all((0..64).map(|_| replica.store.record_one(requested(id, "a")))).await;
        let answers: Vec<_> = all.into_iter().map(|answer| answer.expect("a note")).collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!((replica.notes().await.len(), replica.head().await), (1, 2));

        // Half of them with other values: whichever comes first wins, the others are told.
        let id = Uuid::new_v4();
        let text = |n: usize| ["even", "odd"][n % 2];
        let all = join_all((0..64).map(|n| replica.store.record_one(requested(id, text(n))))).await;
        let (written, reused): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
        assert_eq!((written.len(), reused.len()), (32, 32));
        assert!(reused.into_iter().all(|error| reason(error.expect_err("reused")) == "REQUEST_ID_REUSED"));
        assert_eq!(replica.notes().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_command_that_is_repeated_at_once_is_run_once() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let (row, _) = replica.store.record_one(note("a")).await.expect("a note");
        let withdrawal = request(Some(Uuid::new_v4()), "withdraw");
        for answer in join_all((0..16).map(|_| replica.try_withdraw(withdrawal.clone(), row.id, ""))).await {
            let (row, token) = answer.expect("withdrawn");
            assert_eq!((row.version, row.position, position_of(&token).n), (2, 3, 3));
        }
        // Without the request's id it is another request, and the row is withdrawn already.
        let again = replica.try_withdraw(request(None, "withdraw"), row.id, "");
        assert_eq!(reason(again.await.expect_err("withdrawn already")), "WITHDRAWN");
    })
    .await;
}

#[tokio::test]
async fn a_key_is_written_once() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let (first, _) = replica.store.record_one(keyed("k", "a")).await.expect("a note");
        let (again, _) = replica.store.record_one(keyed("k", "a")).await.expect("the same");
        assert_eq!(again, first);
        let other = replica.store.record_one(keyed("k", "b")).await.expect_err("other values");
        assert_eq!(reason(other), "KEY_REUSED");

        // What was recorded first counts: an import that is run again changes nothing that was corrected since.
        let (amended, _) = replica.amend(first.id, "c").await;
        assert_eq!(replica.store.record_one(keyed("k", "a")).await.expect("the same").0, amended);
        let (withdrawn, _) = replica.withdraw(first.id).await;
        assert_eq!(replica.store.record_one(keyed("k", "a")).await.expect("the same").0, withdrawn);
        assert_eq!((replica.notes().await.len(), replica.head().await), (1, 4));

        // The key of another system is another key.
        let mut elsewhere = keyed("k", "b");
        elsewhere.row.external_system = Some("till".to_owned());
        replica.store.record_one(elsewhere).await.expect("a note");
    })
    .await;
}

#[tokio::test]
async fn keys_and_requests_that_come_twice_in_a_batch_are_written_once() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let id = Uuid::new_v4();
        let both = |key: &str, text: &str| Note { row: keyed(key, text).row, ..requested(id, text) };
        let rows = vec![
            keyed("k", "a"),
            keyed("k", "a"),
            keyed("k", "b"),
            requested(id, "c"),
            requested(id, "c"),
            requested(id, "d"),
            keyed("r", REFUSED),
            keyed("r", "e"),
            keyed("r", "e"),
            both("k", "a"),
        ];
        let outcomes = replica.store.writer.record(rows).await.expect("outcomes");
        let told: Vec<_> = outcomes
            .into_iter()
            .map(|outcome| match outcome {
                Ok(Outcome::Recorded(row)) => format!("recorded {}", row.text),
                Ok(Outcome::Unchanged(row, _)) => format!("unchanged {}", row.text),
                Err(error) => reason(error),
            })
            .collect();
        let expected = [
            "recorded a",
            "unchanged a",
            "KEY_REUSED",
            "recorded c",
            "unchanged c",
            "REQUEST_ID_REUSED",
            "NOT_NOW",
            "recorded e",
            "unchanged e",
            "REQUEST_ID_REUSED",
        ];
        assert_eq!(told, expected);
        assert_eq!(replica.notes().await.len(), 3);
        replica.expect_dense().await;
    })
    .await;
}

#[tokio::test]
async fn a_batch_of_one_key_only_takes_no_longer_than_another() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let rows = (0..1_000).map(|_| keyed("k", "a")).collect();
        let outcomes = timeout(Duration::from_secs(2), replica.store.writer.record(rows)).await.expect("in time");
        let outcomes = outcomes.expect("outcomes");
        assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Recorded(_)))).count(), 1);
        assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Unchanged(..)))).count(), 999);
    })
    .await;
}

#[tokio::test]
async fn a_request_or_a_key_that_comes_to_two_replicas_at_once_is_written_once() {
    let database = TestDatabase::new(DatabaseKind::Postgres).await;
    let [one, two] = [Replica::open(&database.location()).await, Replica::open(&database.location()).await];
    for round in 0..10 {
        let id = Uuid::new_v4();
        let repeat = |n: usize| [&one, &two][n % 2].store.record_one(requested(id, "a"));
        let answers: Vec<_> = join_all((0..16).map(repeat)).await.into_iter().map(|a| a.expect("a note")).collect();
        assert!(answers.iter().all(|(row, token)| *row == answers[0].0 && position_of(token).n == row.position));

        let keys: Vec<_> = (0..50).map(|n| format!("{round}/{n}")).collect();
        let forth = keys.iter().map(|key| keyed(key, "a")).collect();
        let back = keys.iter().rev().map(|key| keyed(key, "a")).collect();
        let (forth, back) = tokio::join!(one.store.writer.record(forth), two.store.writer.record(back));
        let outcomes: Vec<_> = forth.expect("outcomes").into_iter().chain(back.expect("outcomes")).collect();
        let recorded = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Recorded(_)))).count();
        let unchanged = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Unchanged(..)))).count();
        assert_eq!((recorded, unchanged), (50, 50));
    }
    assert_eq!(one.notes().await.len(), 510);
    one.expect_dense().await;
}
