//! Writes that share a commit, and a queue that is full.

use std::collections::BTreeSet;

use barometer_chassis::testing::on_each_database;
use futures_util::{FutureExt, future::join_all};
use tokio::time::timeout;
use tonic_types::StatusExt;

use crate::{
    nouns::note,
    replica::{PATIENCE, Replica},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_at_once_are_each_acknowledged_once() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let write = |n: usize| {
            let store = replica.store.clone();
            tokio::spawn(async move { store.record_one(note(&n.to_string())).await.expect("a note").0 })
        };
        let rows: Vec<_> =
            join_all((0..1_000).map(write)).await.into_iter().map(|row| row.expect("no panic")).collect();
        assert_eq!(rows.iter().map(|row| row.id).collect::<BTreeSet<_>>().len(), 1_000);
        assert_eq!(rows.iter().map(|row| row.position).collect::<BTreeSet<_>>(), (2..=1_001).collect());
        assert!((0..).zip(&rows).all(|(n, row)| row.text == n.to_string()));
        replica.expect_dense().await;
    })
    .await;
}

#[tokio::test]
async fn when_the_queue_is_full_single_writes_are_refused_and_imports_wait() {
    on_each_database(async |database| {
        let replica = Replica::try_open(&database.location(), 5).await.expect("a store");
        let gate = replica.hold_writer().await;
        // The command that holds the writer takes one of the five places.
        let mut singles = join_all((0..10).map(|_| replica.store.record_one(note("single"))));
        assert!((&mut singles).now_or_never().is_none());
        let import = |size: i64| {
            let rows = (0..size).map(|n| (n, Ok(note("import")))).collect();
            replica.store.record_batch(rows, "note")
        };
        let mut imports = join_all([import(1), import(3), import(7), import(1)]);
        assert!((&mut imports).now_or_never().is_none());
        let (singles, imports, ()) = tokio::join!(singles, imports, gate.open());

        let (written, refused): (Vec<_>, Vec<_>) = singles.into_iter().partition(Result::is_ok);
        assert_eq!((written.len(), refused.len()), (4, 6));
        for refused in refused {
            let status = tonic::Status::from(refused.expect_err("refused"));
            assert_eq!(status.code(), tonic::Code::ResourceExhausted);
            let retry = status.get_error_details().retry_info().and_then(|info| info.retry_delay);
            assert!(retry.is_some_and(|delay| !delay.is_zero()));
        }
        let recorded: Vec<_> = imports.into_iter().map(|batch| batch.expect("imports wait").recorded).collect();
        assert_eq!(recorded, [1, 3, 7, 1]);
        assert_eq!(replica.notes().await.len(), 4 + 12);
        replica.expect_dense().await;
    })
    .await;
}

#[tokio::test]
async fn imports_that_wait_leave_room_for_single_writes() {
    on_each_database(async |database| {
        let replica = Replica::try_open(&database.location(), 10).await.expect("a store");
        let gate = replica.hold_writer().await;
        let import = |_| replica.store.record_batch((0..10).map(|n| (n, Ok(note("import")))).collect(), "note");
        let mut imports = join_all((0..5).map(import));
        assert!((&mut imports).now_or_never().is_none());
        let mut single = Box::pin(replica.store.record_one(note("single")));
        assert!((&mut single).now_or_never().is_none());
        let (imports, single, ()) = tokio::join!(imports, single, gate.open());
        single.expect("there is room");
        assert!(imports.into_iter().all(|batch| batch.is_ok_and(|batch| batch.recorded == 10)));
    })
    .await;
}

/// The place of a write is free when it is acknowledged, so that callers who wait for their answers always find room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_acknowledged_finds_room_again() {
    on_each_database(async |database| {
        let replica = Replica::try_open(&database.location(), 4).await.expect("a store");
        let caller = |_| {
            let store = replica.store.clone();
            tokio::spawn(async move {
                for _ in 0..100 {
                    store.record_one(note("a")).await.expect("there is room");
                }
            })
        };
        for caller in join_all((0..4).map(caller)).await {
            caller.expect("no panic");
        }
    })
    .await;
}

#[tokio::test]
async fn a_writer_that_is_stopped_writes_what_waits() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let store = replica.store.clone();
        let gate = replica.hold_writer().await;
        // More than share a commit.
        let mut waiting = join_all((0..600).map(|_| store.record_one(note("a"))));
        assert!((&mut waiting).now_or_never().is_none());
        let stopping = replica.begin_to_stop();
        let (waiting, (), stopped) = tokio::join!(waiting, gate.open(), timeout(PATIENCE, stopping));
        stopped.expect("it ends").expect("no panic");
        assert!(waiting.iter().all(Result::is_ok));
        let late = store.record_one(note("late")).await.expect_err("nobody writes any more");
        assert_eq!(tonic::Status::from(late).code(), tonic::Code::Unavailable);
        drop(store);

        let replica = Replica::open(&database.location()).await;
        assert_eq!(replica.notes().await.len(), 600);
        replica.expect_dense().await;
    })
    .await;
}

#[tokio::test]
async fn a_writer_that_nobody_holds_any_more_ends() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let task = replica.forget();
        timeout(PATIENCE, task).await.expect("it ends").expect("no panic");
    })
    .await;
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_still_written() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let gate = replica.hold_writer().await;
        let mut given_up = Box::pin(replica.store.record_one(note("a")));
        assert!((&mut given_up).now_or_never().is_none());
        drop(given_up);
        gate.open().await;
        let (row, _) = replica.store.record_one(note("b")).await.expect("a note");
        assert_eq!(row.position, 3);
    })
    .await;
}
