//! Following the feed of one replica.

use std::time::Duration;

use barometer_chassis::{
    error::Error,
    position::Position,
    shutdown::Shutdown,
    testing::{DatabaseKind, TestDatabase, on_each_database},
};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio::time::{Instant, timeout};
use tokio_stream::StreamExt;
use tonic::Code;

use crate::{
    follower::{Follower, next},
    nouns::{FORBIDDEN, MEMO, NOTE, memo, note, request},
    replica::{PATIENCE, Replica, SERVICE, eventually, reason, status_reason},
};

#[tokio::test]
async fn a_watcher_gets_what_was_and_then_what_comes() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let (a, _) = replica.store.record_one(note("a")).await.expect("a note");
        let (b, _) = replica.store.record_one(note("b")).await.expect("a note");
        replica.amend(a.id, "a2").await;

        let mut watch = replica.watch("");
        let mut follower = Follower::default();
        follower.catch_up(&replica, &mut watch).await;
        assert_eq!(follower.texts(), ["a2", "b"]);

        let mut waited = Vec::new();
        for n in 0..20 {
            let started = Instant::now();
            let (_, token) = replica.store.record_one(note(&n.to_string())).await.expect("a note");
            follower.follow_until(&mut watch, |follower| follower.position == token).await.expect("it comes");
            waited.push(started.elapsed());
        }
        // As a rule at once; a busy machine may hold up one or the other.
        waited.sort_unstable();
        assert!(waited[10] < Duration::from_secs(1), "{waited:?}");
        replica.amend(b.id, "b2").await;
        replica.withdraw(a.id).await;
        follower.catch_up(&replica, &mut watch).await;
        // The withdrawn one stays, as a tombstone.
        assert_eq!((follower.len(), follower.texts().len(), follower.texts()[0]), (22, 21, "b2"));
        follower.expect_notes_of(&replica).await;
    })
    .await;
}

#[tokio::test]
async fn what_is_too_large_for_a_message_comes_in_parts_that_can_each_be_resumed() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        for n in 0..10 {
            replica.store.record_one(note(&n.to_string())).await.expect("a note");
        }
        let half_a_message = |_: &_| 1_500_000;
        let watch = |after: &str| {
            let watch =
                replica.store.feed.watch(after, vec![NOTE], Shutdown::new(), half_a_message, |delivery| delivery);
            watch.expect("a watch")
        };
        let (mut follower, mut position) = (Follower::default(), String::new());
        // Each part is the last that this watcher hears; the next goes on from there.
        while follower.len() < 10 {
            let delivery = next(&mut watch(&position)).await.expect("a part");
            assert!(delivery.facts.len() <= 2, "{delivery:?}");
            position.clone_from(&delivery.position);
            follower.apply(delivery);
        }
        assert_eq!(follower.delivered, 10);
    })
    .await;
}

#[tokio::test]
async fn a_watcher_gets_the_kinds_it_asks_for() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let [mut notes, mut memos] =
            [NOTE, MEMO].map(|kind| (replica.watch_kinds("", vec![kind]), Follower::default()));
        for n in 0..5 {
            replica.store.record_one(note(&format!("note {n}"))).await.expect("a note");
            replica.store.record_one(memo(&format!("memo {n}"))).await.expect("a memo");
        }
        for (watch, follower) in [&mut notes, &mut memos] {
            follower.catch_up(&replica, watch).await;
        }
        assert_eq!(notes.1.texts(), ["note 0", "note 1", "note 2", "note 3", "note 4"]);
        assert_eq!(memos.1.texts(), ["memo 0", "memo 1", "memo 2", "memo 3", "memo 4"]);
        // The position goes on without facts of one's kind, too.
        assert_eq!(notes.1.position, memos.1.position);

        let unknown = replica.store.feed.watch("", vec![NOTE, 9], Shutdown::new(), |_| 1, |delivery| delivery).err();
        let Some(Error::Invalid(violations)) = unknown else { panic!("{unknown:?}") };
        assert_eq!(violations[0].field, "kinds[1]");
    })
    .await;
}

#[tokio::test]
async fn a_token_that_is_none_of_this_service_is_refused() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let of_another = Position { n: 1, ..Position::START }.encode("surveys");
        for token in ["garbage", &of_another] {
            let refused =
                replica.store.feed.watch(token, Vec::new(), Shutdown::new(), |_| 1, |delivery| delivery).err();
            let Some(Error::Invalid(violations)) = refused else { panic!("{refused:?}") };
            assert_eq!((violations[0].field.as_str(), violations[0].reason), ("after", "NOT_A_POSITION"));
        }
        // Well-formed, but nowhere in this history.
        let [(head, last), beyond] = [(1, 1), (9, 1)].map(|(n, marker)| (n, uuid::Uuid::from_u128(marker)));
        for (n, marker) in [(head, last), beyond, (i64::MAX, last), (0, last)] {
            let mut watch = replica.watch(&Position { n, marker }.encode(SERVICE));
            let gone = next(&mut watch).await.expect_err("gone");
            assert_eq!((gone.code(), status_reason(&gone).as_str()), (Code::OutOfRange, "POSITION_GONE"));
        }
    })
    .await;
}

#[tokio::test]
async fn batches_are_bounded_also_with_many_rows_of_several_kinds() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        // All notes first, then both kinds in turns, then all memos.
        for round in 0..12 {
            let size = if round % 4 == 3 { 37 } else { 400 };
            if round < 8 {
                replica.store.writer.record((0..size).map(|_| note("a")).collect()).await.expect("notes");
            }
            if round >= 4 {
                replica.store.writer.record((0..size).map(|_| memo("a")).collect()).await.expect("memos");
            }
        }
        let mut watch = replica.watch("");
        let mut follower = Follower::default();
        follower.catch_up(&replica, &mut watch).await;
        assert_eq!((follower.len(), follower.delivered), (4 * 1_237, 4 * 1_237));
        assert!(follower.sizes.len() < 10, "{:?}", follower.sizes);

        // A watcher that follows while much is written.
        let mut watch = replica.watch("");
        let mut live = Follower::default();
        let write = async {
            for _ in 0..3 {
                let notes = replica.store.writer.record((0..999).map(|_| note("b")).collect());
                let memos = replica.store.writer.record((0..1_000).map(|_| memo("b")).collect());
                let (notes, memos) = tokio::join!(notes, memos);
                assert_eq!((notes.expect("notes").len(), memos.expect("memos").len()), (999, 1_000));
            }
        };
        let whole = 4 * 1_237 + 3 * 1_999;
        let (followed, ()) = tokio::join!(live.follow_until(&mut watch, |live| live.len() == whole), write);
        followed.expect("the watch goes on");
        assert_eq!(live.delivered, whole);
    })
    .await;
}

#[tokio::test]
async fn exactly_a_full_batch_is_followed_by_the_rest() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let rows = (0..1_000).map(|_| note("a")).collect();
        let mut first = replica.store.writer.record(rows).await.expect("notes");
        let Ok(barometer_chassis::writer::Outcome::Recorded(row)) = first.pop().expect("a row") else { panic!() };
        // The last row of the batch moves away and leaves a hole at the batch's end.
        replica.amend(row.id, "b").await;
        let mut watch = replica.watch("");
        let mut follower = Follower::default();
        follower.catch_up(&replica, &mut watch).await;
        assert_eq!(follower.len(), 1_000);
        assert_eq!(follower.n(), replica.head().await);
    })
    .await;
}

#[tokio::test]
async fn a_batch_does_not_span_a_marker() {
    on_each_database(async |database| {
        let mut expected = Vec::new();
        for _ in 0..4 {
            let replica = Replica::open(&database.location()).await;
            for _ in 0..3 {
                replica.store.record_one(note("a")).await.expect("a note");
            }
            expected = replica.markers().await;
            replica.stop().await;
        }
        assert_eq!(expected, [1, 5, 9, 13]);
        let replica = Replica::open(&database.location()).await;
        let mut watch = replica.watch("");
        let mut follower = Follower::default();
        let mut reached = Vec::new();
        while follower.n() < replica.head().await {
            follower.apply(next(&mut watch).await.expect("a batch"));
            reached.push(follower.n());
        }
        assert_eq!(reached, [1, 5, 9, 13, 17]);
    })
    .await;
}

#[tokio::test]
async fn a_watch_is_taken_up_again_where_it_was_left() {
    on_each_database(async |database| {
        let mut follower = Follower::default();
        for n in 0..6 {
            // Each time another process.
            let replica = Replica::open(&database.location()).await;
            for _ in 0..n {
                replica.store.record_one(note("a")).await.expect("a note");
            }
            let mut watch = replica.watch(&follower.position);
            follower.catch_up(&replica, &mut watch).await;
            follower.expect_notes_of(&replica).await;
            drop(watch);
            replica.stop().await;
        }
        assert_eq!(follower.delivered, 1 + 2 + 3 + 4 + 5);

        // Every token of a write, too.
        let replica = Replica::open(&database.location()).await;
        for n in 0..3 {
            let (row, token) = replica.store.record_one(note(&n.to_string())).await.expect("a note");
            let mut watch = replica.watch(&token);
            let delivery = next(&mut watch).await.expect("the token is good");
            assert!(delivery.facts.is_empty() && delivery.position == token, "{delivery:?}");
            replica.amend(row.id, "b").await;
            let delivery = loop {
                let delivery = next(&mut watch).await.expect("the watch goes on");
                if !delivery.facts.is_empty() {
                    break delivery;
                }
            };
            assert_eq!((delivery.facts.len(), delivery.facts[0].number), (1, row.number));
        }
    })
    .await;
}

#[tokio::test]
async fn an_idle_watcher_hears_that_nothing_happens() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let (_, token) = replica.store.record_one(note("a")).await.expect("a note");
        let mut watch = replica.watch("");
        let mut follower = Follower::default();
        follower.catch_up(&replica, &mut watch).await;
        let mut before = None;
        for _ in 0..2 {
            let delivery = timeout(Duration::from_secs(3), next(&mut watch)).await.expect("a sign of life");
            let delivery = delivery.expect("the watch goes on");
            assert!(delivery.facts.is_empty() && delivery.caught_up && delivery.position == token, "{delivery:?}");
            assert!(before < Some(delivery.read_time));
            before = Some(delivery.read_time);
        }
    })
    .await;
}

#[tokio::test]
async fn a_slow_watcher_holds_up_nobody_and_catches_up() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let (mut slow, mut quick) = (replica.watch(""), replica.watch(""));
        let mut follower = Follower::default();
        let mut ids = Vec::new();
        for n in 0..100 {
            let (row, token) = replica.store.record_one(note(&n.to_string())).await.expect("a note");
            follower.follow_until(&mut quick, |follower| follower.position == token).await.expect("it comes");
            ids.push(row.id);
        }
        for id in &ids[..50] {
            replica.amend(*id, "amended").await;
        }
        follower.catch_up(&replica, &mut quick).await;
        assert_eq!(follower.delivered, 150);

        let mut late = Follower::default();
        late.catch_up(&replica, &mut slow).await;
        late.expect_notes_of(&replica).await;
        assert!(late.delivered < 150, "it gets the latest state, not every one: {}", late.delivered);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_watchers_see_the_same_while_rows_come_and_change() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let mut followers: Vec<_> = (0..20).map(|_| (replica.watch(""), Follower::default())).collect();
        let write = async {
            for n in 0..60 {
                let (row, _) = replica.store.record_one(note(&n.to_string())).await.expect("a note");
                match n % 3 {
                    0 => drop(replica.amend(row.id, "amended").await),
                    1 => drop(replica.withdraw(row.id).await),
                    _ => assert!(replica.store.record_one(note(FORBIDDEN)).await.is_err()),
                }
            }
        };
        // 60 notes, 40 of which were changed, after one marker.
        let follow = join_all(
            followers.iter_mut().map(|(watch, follower)| follower.follow_until(watch, |follower| follower.n() == 101)),
        );
        let (followed, ()) = tokio::join!(follow, write);
        assert!(followed.iter().all(Result::is_ok));
        for (_, follower) in &followers {
            follower.expect_notes_of(&replica).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_watch_ends_with_its_watcher_and_with_the_process() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        // The first watch opens the connection that is read with, and with it whatever tasks that has.
        next(&mut replica.watch("")).await.expect("a batch");
        eventually("the first watch ends", async || tasks() <= 8).await;
        let before = tasks();
        let mut watches: Vec<_> = (0..50).map(|_| replica.watch("")).collect();
        for watch in watches.iter_mut().take(25) {
            next(watch).await.expect("a batch");
        }
        assert!(tasks() >= 50, "each watch has a task");
        drop(watches);
        eventually("tasks end with their watchers", async || tasks() <= before).await;

        let mut watch = replica.watch("");
        next(&mut watch).await.expect("a batch");
        replica.stop().await;
        let last = timeout(PATIENCE, async { while let Some(Ok(_)) = watch.next().await {} });
        last.await.expect("the watch ends");
        assert!(watch.next().await.is_none());
    })
    .await;
}

/// The driver forgets a transaction whose BEGIN was broken off; whoever got its connection next would read in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_who_leave_at_once_leave_no_transaction_open() {
    let database = TestDatabase::new(DatabaseKind::Postgres).await;
    let replica = Replica::open(&database.location()).await;
    let observer = sea_orm::Database::connect(database.postgres_url().expect("a server")).await.expect("a connection");
    let sql = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    let open = async || observer.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.expect("rows");
    for n in 0..200 {
        let watch = replica.watch("");
        // At one moment or another while it begins to read.
        let leaves = Instant::now() + Duration::from_micros(10 * n);
        while Instant::now() < leaves {
            tokio::task::yield_now().await;
        }
        drop(watch);
        // Soon, and not only when the server ends them.
        let closed = eventually("no transaction is open", async || open().await.is_empty());
        timeout(Duration::from_secs(3), closed).await.expect("soon");
    }
}

#[tokio::test]
async fn a_stale_etag_moves_nothing() {
    on_each_database(async |database| {
        let replica = Replica::open(&database.location()).await;
        let (row, _) = replica.store.record_one(note("a")).await.expect("a note");
        replica.amend(row.id, "b").await;
        let withdraw = |etag| replica.try_withdraw(request(None, etag), row.id, etag);
        assert_eq!(reason(withdraw("1").await.expect_err("stale")), "STALE_ETAG");
        assert_eq!(replica.head().await, 3);
        withdraw("2").await.expect("fresh");
    })
    .await;
}
