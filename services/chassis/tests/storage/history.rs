//! History that is rewound: who knows more of it than there is starts over.

use barometer_chassis::{
    database::Location,
    feed::{Delivery, Watch},
    testing::{Cluster, DatabaseKind, TestDatabase},
};
use tonic::{Code, Status};

use crate::{
    follower::{Follower, next},
    nouns::{Fact, note},
    replica::{Replica, SERVICE, eventually, position_of, status_reason},
};

#[tokio::test]
async fn who_knows_more_than_a_restored_dump_starts_over() {
    let cluster = Cluster::start().await;
    let location = Location::Postgres(cluster.create_database("world").await);
    let replica = Replica::open(&location).await;
    let mut before = Before::write(&replica, async || cluster.dump("world").await).await;
    cluster.restore("world", &before.backup).await;
    before.expect_rewound(&replica).await;
    // And so it is for a process that starts now.
    let other = Replica::open(&location).await;
    before.expect_tokens(&other).await;
}

#[tokio::test]
async fn who_knows_more_than_a_copy_of_the_server_starts_over() {
    let cluster = Cluster::start().await;
    let location = Location::Postgres(cluster.create_database("world").await);
    let replica = Replica::open(&location).await;
    let mut before = Before::write(&replica, async || cluster.copy_data().await).await;
    cluster.put_back(&before.backup).await;
    before.expect_rewound(&replica).await;

    // Recovered to a point in time, as a promoted standby is: another time line.
    let mut before = Before::write(&replica, async || cluster.copy_data().await).await;
    cluster.recover(&before.backup).await;
    before.expect_rewound(&replica).await;
    let other = Replica::open(&location).await;
    before.expect_tokens(&other).await;
}

#[tokio::test]
async fn who_knows_more_than_an_older_file_starts_over() {
    let database = TestDatabase::new(DatabaseKind::Sqlite).await;
    let file = database.directory().join(format!("{SERVICE}.sqlite"));
    let older = database.directory().join("older");

    let replica = Replica::open(&database.location()).await;
    let early = replica.store.record_one(note("early")).await.expect("a note").1;
    replica.stop().await;
    // Once the process has stopped the one file is all there is to copy.
    std::fs::copy(&file, &older).expect("a copy");

    let replica = Replica::open(&database.location()).await;
    let mut late = Vec::new();
    for _ in 0..5 {
        late.push(replica.store.record_one(note("late")).await.expect("a note").1);
    }
    let mut follower = Follower::default();
    follower.catch_up(&replica, &mut replica.watch("")).await;
    late.push(follower.position);
    replica.stop().await;
    std::fs::copy(&older, &file).expect("the copy is put back");

    let replica = Replica::open(&database.location()).await;
    assert_eq!(replica.notes().await.len(), 1);
    for writes in [0, 10] {
        for _ in 0..writes {
            replica.store.record_one(note("new")).await.expect("a note");
        }
        for token in &late {
            expect_gone(next(&mut replica.watch(token)).await.map(drop));
        }
        next(&mut replica.watch(&early)).await.expect("what both histories have is good");
    }
    let mut follower = Follower::default();
    follower.catch_up(&replica, &mut replica.watch("")).await;
    follower.expect_notes_of(&replica).await;
    replica.expect_dense().await;
}

/// What callers know before history is rewound to `backup`.
struct Before<B> {
    backup: B,
    /// Tokens of writes that the backup has, and of those that came after it.
    kept: Vec<String>,
    /// Tokens of writes that it has not.
    lost: Vec<String>,
    /// Watchers at the end of the feed.
    watches: Vec<(Watch<Delivery<Fact>>, Follower)>,
}

impl<B> Before<B> {
    /// Writes, backs up, writes more, and has watchers who have seen everything.
    async fn write(replica: &Replica, back_up: impl AsyncFnOnce() -> B) -> Self {
        let write = async |text: &str| replica.store.record_one(note(text)).await.expect("a note").1;
        let kept = vec![write("kept").await, write("kept").await, write("kept").await];
        let backup = back_up().await;
        let lost = vec![write("lost").await, write("lost").await, write("lost").await];
        let mut watches: Vec<_> = (0..2).map(|_| (replica.watch(""), Follower::default())).collect();
        for (watch, follower) in &mut watches {
            follower.catch_up(replica, watch).await;
        }
        Before { backup, kept, lost, watches }
    }

    /// Checks what the running process makes of it, as long as nothing and after something was written.
    async fn expect_rewound(&mut self, replica: &Replica) {
        for (watch, follower) in &mut self.watches {
            expect_gone(follower.follow_until(watch, |_| false).await);
        }
        let kept = position_of(&self.kept[2]).n;
        assert_eq!(replica.head().await, kept);
        self.expect_tokens(replica).await;

        // Until the counter is beyond where it was.
        for n in 0..5 {
            let mut token = None;
            let write = async || replica.store.record_one(note("new")).await.ok().map(|(_, token)| token);
            eventually("the running store writes again", async || {
                token = write().await;
                token.is_some()
            })
            .await;
            self.kept.extend(token);
            assert_eq!(replica.head().await, kept + 2 + n);
        }
        self.expect_tokens(replica).await;
        assert_eq!(replica.markers().await.last(), Some(&(kept + 1)));
        replica.expect_dense().await;
        let mut anew = Follower::default();
        anew.catch_up(replica, &mut replica.watch("")).await;
        anew.expect_notes_of(replica).await;
        assert!(!anew.texts().contains(&"lost"));
    }

    async fn expect_tokens(&self, replica: &Replica) {
        for token in &self.kept {
            next(&mut replica.watch(token)).await.expect("what both histories have is good");
        }
        for token in &self.lost {
            expect_gone(next(&mut replica.watch(token)).await.map(drop));
        }
    }
}

fn expect_gone(result: Result<(), Status>) {
    let gone = result.expect_err("gone");
    assert_eq!((gone.code(), status_reason(&gone).as_str()), (Code::OutOfRange, "POSITION_GONE"), "{gone:?}");
}
