//! Several replicas on one PostgreSQL database.

use std::collections::BTreeSet;

use barometer_chassis::testing::{DatabaseKind, TestDatabase};
use futures_util::future::join_all;

use crate::{
    follower::{Follower, next},
    nouns::note,
    replica::{Replica, position_of},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_replicas_start_at_once_on_an_empty_database() {
    let database = TestDatabase::new(DatabaseKind::Postgres).await;
    let location = database.location();
    let replicas = join_all((0..6).map(|_| Replica::open(&location))).await;
    let write = |replica: &Replica| {
        let store = replica.store.clone();
        async move { store.record_one(note("a")).await.expect("a note").0.position }
    };
    let positions: BTreeSet<_> = join_all(replicas.iter().map(write)).await.into_iter().collect();
    assert_eq!(positions.len(), 6);
    assert_eq!(replicas[0].markers().await.len(), 6);
    replicas[0].expect_dense().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_of_each_replica_see_what_all_write() {
    let database = TestDatabase::new(DatabaseKind::Postgres).await;
    let replicas = [Replica::open(&database.location()).await, Replica::open(&database.location()).await];
    let mut followers: Vec<_> =
        replicas.iter().chain(&replicas).map(|replica| (replica.watch(""), Follower::default())).collect();
    let write = async |replica: &Replica| {
        for n in 0..25 {
            let (row, _) = replica.store.record_one(note(&n.to_string())).await.expect("a note");
            match n % 5 {
                0 => drop(replica.amend(row.id, "amended").await),
                1 => drop(replica.withdraw(row.id).await),
                _ => {}
            }
        }
    };
    let writers = join_all(replicas.iter().chain(&replicas).chain(&replicas).chain(&replicas).map(write));
    // 2 markers; 8 writers of 25 notes each, 10 of which are changed.
    let head = 2 + 8 * 35;
    let follow = join_all(
        followers.iter_mut().map(|(watch, follower)| follower.follow_until(watch, |follower| follower.n() == head)),
    );
    let (followed, _) = tokio::join!(follow, writers);
    assert!(followed.iter().all(Result::is_ok));
    assert_eq!(replicas[0].head().await, head);
    for (_, follower) in &followers {
        follower.expect_notes_of(&replicas[0]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_good_at_each_replica_while_one_comes_and_goes() {
    let database = TestDatabase::new(DatabaseKind::Postgres).await;
    let location = database.location();
    let steady = Replica::open(&location).await;
    let mut live = (steady.watch(""), Follower::default());
    let write = |_| {
        let store = steady.store.clone();
        tokio::spawn(async move {
            let mut tokens = Vec::new();
            for _ in 0..150 {
                tokens.push(store.record_one(note("steady")).await.expect("a note").1);
            }
            tokens
        })
    };
    let writers = join_all((0..4).map(write));
    let come_and_go = async {
        let mut tokens = Vec::new();
        for n in 0..12 {
            let replica = Replica::open(&location).await;
            for _ in 0..5 {
                tokens.push(replica.store.record_one(note("passing")).await.expect("a note").1);
            }
            if n % 2 == 0 { replica.stop().await } else { replica.kill().await }
        }
        tokens
    };
    let (written, mut tokens) = tokio::join!(writers, come_and_go);
    tokens.extend(written.into_iter().flat_map(|tokens| tokens.expect("no panic")));
    assert_eq!(tokens.len(), 660);

    live.1.catch_up(&steady, &mut live.0).await;
    live.1.expect_notes_of(&steady).await;
    steady.expect_dense().await;
    let markers = steady.markers().await;
    assert_eq!(markers.len(), 13);
    let other = Replica::open(&location).await;
    // What is near to a marker is what may go wrong.
    let near = |token: &&String| {
        let n = position_of(token).n;
        markers.iter().any(|marker| (marker - 2..marker + 12).contains(&n))
    };
    let mut gone = Vec::new();
    for token in tokens.iter().filter(near) {
        for replica in [&steady, &other] {
            if next(&mut replica.watch(token)).await.is_err() {
                gone.push(position_of(token).n);
            }
        }
    }
    assert!(gone.is_empty(), "gone: {gone:?}; markers: {markers:?}");
}
