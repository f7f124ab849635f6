//! Positions, and rows that are refused.

use barometer_chassis::{
    error::Error,
    testing::on_each_database,
    writer::{self, Done, Outcome},
};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    nouns::{FORBIDDEN, Note, REFUSED, note, request},
    replica::{Replica, position_of, reason},
};

#[tokio::test]
async fn positions_are_dense_from_one_and_the_marker_comes_first() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        assert_eq!((replica.markers().await, replica.head().await), (vec![1], 1));
        let mut ids = Vec::new();
        for expected in 2..=6 {
            let (row, token) = replica.store.record_one(note("a")).await.expect("a note");
            assert_eq!((row.number, row.position, row.version), (expected, expected, 1));
            assert_eq!(position_of(&token).n, expected);
            assert_eq!(row.create_time, row.update_time);
            ids.push(row.id);
        }
        replica.expect_dense().await;

        let (row, token) = replica.amend(ids[0], "b").await;
        assert_eq!((row.number, row.position, row.version, position_of(&token).n), (2, 7, 2, 7));
        let (row, token) = replica.withdraw(ids[1]).await;
        assert_eq!((row.number, row.position, row.version, position_of(&token).n), (3, 8, 2, 8));
        assert!(row.withdraw_time.is_some());
        // A correction that corrects nothing is no change.
        let (row, token) = replica.amend(ids[0], "b").await;
        assert_eq!((row.position, row.version, position_of(&token).n, replica.head().await), (7, 2, 7, 8));
    })
    .await;
}

#[tokio::test]
async fn a_row_that_is_refused_takes_no_position() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let rows = ["a", REFUSED, "b", FORBIDDEN, "c"].map(note).into_iter().collect();
        let outcomes = replica.store.writer.record(rows).await.expect("outcomes");
        let outcomes: Vec<_> = outcomes.into_iter().map(position_or_reason).collect();
        assert_eq!(outcomes, ["2", "NOT_NOW", "3", "INTERNAL", "4"]);
        replica.expect_dense().await;
        for bad in [REFUSED, FORBIDDEN] {
            assert!(replica.store.record_one(note(bad)).await.is_err());
        }
        let (row, _) = replica.store.record_one(note("d")).await.expect("a note");
        assert_eq!(row.position, 5);
    })
    .await;
}

#[tokio::test]
async fn of_a_thousand_rows_the_bad_ones_fail_alone() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let bad = [0, 1, 500, 999];
        let rows = (0..1_000).map(|n| note(if bad.contains(&n) { FORBIDDEN } else { "good" })).collect();
        let outcomes = replica.store.writer.record(rows).await.expect("outcomes");
        let failed: Vec<_> = (0..).zip(&outcomes).filter(|(_, outcome)| outcome.is_err()).map(|(n, _)| n).collect();
        assert_eq!(failed, bad);
        assert_eq!(replica.notes().await.len(), 996);
        replica.expect_dense().await;
    })
    .await;
}

#[tokio::test]
async fn an_import_tells_of_every_row_by_its_number() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let unreadable = Error::invalid("note.text", "REQUIRED", "is required");
        let rows = vec![(7, Ok(note("a"))), (8, Ok(note(REFUSED))), (9, Err(unreadable)), (10, Ok(note("b")))];
        let batch = replica.store.record_batch(rows, "note").await.expect("a batch");
        assert_eq!((batch.recorded, batch.unchanged), (2, 0));
        assert_eq!(position_of(&batch.position).n, 3);
        let rejected: Vec<_> = batch.rejected.iter().map(|row| (row.row, row.violations[0].field.as_str())).collect();
        assert_eq!(rejected, [(8, "external_id"), (9, "text")]);

        let nothing = vec![(1, Err::<Note, _>(Error::invalid("note.text", "REQUIRED", "is required")))];
        let batch = replica.store.record_batch(nothing, "note").await.expect("a batch");
        assert_eq!((batch.recorded, batch.rejected.len(), batch.position.as_str()), (0, 1, ""));
    })
    .await;
}

#[tokio::test]
async fn a_command_that_fails_leaves_nothing_behind() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let (row, _) = replica.store.record_one(note("a")).await.expect("a note");
        // All in one commit: what fails stands between two that succeed.
        let gate = replica.hold_writer().await;
        let failing = replica.store.writer.run(request(Some(Uuid::new_v4()), "fail"), move |write| {
            Box::pin(async move {
                writer::withdraw::<note::Model>(write, row.id, "").await?;
                Err(Error::Stale { noun: "note" })
            })
        });
        let (before, failed, after, ()) = tokio::join!(
            replica.store.record_one(note("b")),
            failing,
            replica.store.record_one(note("c")),
            gate.open()
        );
        assert_eq!(reason(failed.expect_err("it fails")), "STALE_ETAG");
        assert_eq!((before.expect("a note").0.position, after.expect("a note").0.position), (3, 4));
        replica.expect_dense().await;
        assert!(replica.notes().await.iter().all(|note| note.withdraw_time.is_none()));
    })
    .await;
}

/// On PostgreSQL a statement that failed spoils its transaction; a COMMIT is then a ROLLBACK that says nothing.
#[tokio::test]
async fn a_command_that_hides_a_failed_statement_spoils_no_other() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let gate = replica.hold_writer().await;
        let hiding = replica.store.writer.run(request(None, "hide"), move |write| {
            Box::pin(async move {
                let position = write.next_position();
                let hidden = write.db.execute_unprepared("SELECT * FROM nowhere").await;
                assert!(hidden.is_err());
                match write.db.get_database_backend() {
                    sea_orm::DbBackend::Postgres => Ok(Done { id: Uuid::nil(), position }),
                    // SQLite's transactions are not spoilt.
                    _ => Err(Error::Stale { noun: "note" }),
                }
            })
        });
        let (before, hidden, after, ()) =
            tokio::join!(replica.store.record_one(note("a")), hiding, replica.store.record_one(note("b")), gate.open());
        assert!(hidden.is_err());
        before.expect("a note");
        after.expect("a note");
        assert_eq!(replica.notes().await.len(), 2);
        replica.expect_dense().await;
    })
    .await;
}

#[tokio::test]
async fn a_command_that_panics_does_not_end_the_writer() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let panicking = replica.store.writer.run(request(None, "panic"), |_| Box::pin(async { panic!("on purpose") }));
        assert_eq!(reason(panicking.await.expect_err("it fails")), "WRITE_UNCONFIRMED");
        let (row, _) = replica.store.record_one(note("a")).await.expect("the writer goes on");
        assert_eq!(row.position, 2);
    })
    .await;
}

fn position_or_reason(outcome: Result<Outcome<note::Model>, Error>) -> String {
    match outcome {
        Ok(Outcome::Recorded(row)) => row.position.to_string(),
        Ok(Outcome::Unchanged(_, position)) => format!("unchanged {position}"),
        Err(error) => reason(error),
    }
}
