//! A PostgreSQL that goes away, and comes back.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use barometer_chassis::{
    database::Location,
    health::Health,
    reader,
    testing::{Cluster, StopMode},
};
use futures_util::future::join_all;
use uuid::Uuid;

use crate::{
    follower::{Follower, next},
    nouns::{note, requested},
    replica::{Replica, eventually},
};

#[tokio::test]
async fn while_the_database_is_away_writes_fail_and_afterwards_nobody_has_lost_anything() {
    let cluster = Cluster::start().await;
    let replica = Replica::open(&Location::Postgres(cluster.create_database("world").await)).await;
    let health = Health::default();
    replica.store.report_health(health.clone(), "notes");
    eventually("healthy", async || health.is_serving()).await;
    let (row, token) = replica.store.record_one(note("a")).await.expect("a note");
    let (mut watch, mut follower) = (replica.watch(""), Follower::default());
    follower.catch_up(&replica, &mut watch).await;

    cluster.stop(StopMode::Fast).await;
    let (refused, unread) =
        tokio::join!(replica.store.record_one(note("b")), reader::get::<note::Model>(replica.store.db(), row.id));
    for error in [refused.map(drop).expect_err("nobody to write it"), unread.map(drop).expect_err("nobody to ask")] {
        assert_eq!(tonic::Status::from(error).code(), tonic::Code::Unavailable);
    }
    eventually("unhealthy", async || !health.is_serving()).await;

    cluster.start_again().await;
    eventually("healthy again", async || health.is_serving()).await;
    // A connection that was used just before the outage is found to be dead by whoever takes it first.
    eventually("it writes again", async || replica.store.record_one(note("c")).await.is_ok()).await;
    assert_eq!(replica.notes().await.len(), 2);
    replica.expect_dense().await;

    // The history is the same: nobody starts over. One marker of the process's start, one of the server's.
    assert_eq!(replica.markers().await, [1, 3]);
    follower.catch_up(&replica, &mut watch).await;
    follower.expect_notes_of(&replica).await;
    next(&mut replica.watch(&token)).await.expect("the token is good");

    // A server that is gone for a moment only.
    cluster.restart(StopMode::Immediate).await;
    eventually("it writes again", async || replica.store.record_one(note("d")).await.is_ok()).await;
    follower.catch_up(&replica, &mut watch).await;
    follower.expect_notes_of(&replica).await;
    assert_eq!(replica.markers().await, [1, 3, 5]);
    replica.expect_dense().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_acknowledged_when_the_database_was_killed_is_repeated_and_written_once() {
    let cluster = Cluster::start().await;
    let location = Location::Postgres(cluster.create_database("world").await);
    let replicas = [Replica::open(&location).await, Replica::open(&location).await];
    let mut live = (replicas[0].watch(""), Follower::default());
    let stop = Arc::new(AtomicBool::new(false));
    // Each writes until it is told to stop, and repeats what was not acknowledged until it is.
    let write = |n: usize| {
        let (store, stop) = (replicas[n % 2].store.clone(), stop.clone());
        tokio::spawn(async move {
            let (mut acknowledged, mut repeated) = (BTreeMap::new(), 0);
            while !stop.load(Ordering::Relaxed) {
                let id = Uuid::new_v4();
                let row = loop {
                    match store.record_one(requested(id, &id.to_string())).await {
                        Ok((row, _)) => break row,
                        Err(error) => {
                            assert_eq!(tonic::Status::from(error).code(), tonic::Code::Unavailable);
                            repeated += 1;
                        }
                    }
                };
                acknowledged.insert(row.id, row);
            }
            (acknowledged, repeated)
        })
    };
    let before = replicas[0].head().await;
    let writers = join_all((0..32).map(write));
    let kill = async {
        eventually("they write", async || replicas[0].head().await > before + 200).await;
        cluster.kill9().await;
        cluster.start_again().await;
        let written = async || replicas[1].store.record_one(note("after")).await.is_ok();
        eventually("they write again", written).await;
        stop.store(true, Ordering::Relaxed);
    };
    let (written, ()) = tokio::join!(writers, kill);
    let (mut acknowledged, mut repeated) = (BTreeMap::new(), 0);
    for writer in written {
        let (rows, repeats) = writer.expect("no panic");
        acknowledged.extend(rows);
        repeated += repeats;
    }
    assert!(repeated > 0, "the kill came too late");
    let notes = replicas[0].notes().await;
    let texts: std::collections::BTreeSet<_> = notes.iter().map(|note| &note.text).collect();
    // Each text is of one request; only the kill's own notes share one.
    assert_eq!(texts.len(), notes.iter().filter(|note| note.text != "after").count() + 1);
    for (id, row) in &acknowledged {
        assert_eq!(notes.iter().find(|note| note.id == *id), Some(row));
    }
    replicas[0].expect_dense().await;
    // A watch may end with the server; it is taken up where it was left.
    let head = replicas[0].head().await;
    while let Err(ended) = live.1.follow_until(&mut live.0, |follower| follower.n() >= head).await {
        assert_eq!(ended.code(), tonic::Code::Unavailable);
        live.0 = replicas[0].watch(&live.1.position);
    }
    live.1.expect_notes_of(&replicas[0]).await;
}
