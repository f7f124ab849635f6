//! Cases that an older release wrote have their clocks soon after an upgrade.

use barometer_chassis::{
    clock::Micros,
    id,
    testing::{TestDatabase, on_each_database},
    writer::{DEFAULT_QUEUE, Write, insert},
};
use futures_util::future::BoxFuture;
use sea_orm::EntityTrait;

use super::*;
use crate::{
    calendar::tests::{WORKDAYS, at, calendar},
    calendar_version::CalendarId,
    case, case_clock, case_entry,
    clock::{ClockTarget, Kind, Unit},
    migrations::Migrator,
    policy::{Policy, PolicyList},
};

async fn write<W>(store: &Store<wire::Fact>, work: W) -> Uuid
where
    W: for<'w> FnOnce(&'w Write<'w>) -> BoxFuture<'w, Result<Done, Error>> + Send + 'static,
{
    let request = Request { method: "Test", actor: "test".to_owned(), id: None, fingerprint: 0 };
    store.writer.run(request, work).await.expect("written").id
}

/// A case that is bound to the policies, as a release that keeps no clocks writes it.
async fn old_case(store: &Store<wire::Fact>, calendar: CalendarId) {
    write(store, move |write| {
        Box::pin(async move {
            let position = write.next_position();
            let case = case::Model {
                id: id::new(),
                number: position,
                position,
                version: 1,
                state: wire::case::State::Received.into(),
                open_time: at("2024-03-04T09:00:00Z"),
                policy_set_version: 1,
                policy_name: "all".to_owned(),
                calendar_id: Some(calendar),
                calendar_version: 1,
                ..case::Model::default()
            };
            insert(write.db, std::slice::from_ref(&case)).await?;
            store::add_entries(write, case_entry::of_new(&case, write.now)).await?;
            Ok(Done { id: case.id, position })
        })
    })
    .await;
}

#[tokio::test]
async fn the_clocks_of_an_older_release_are_kept_once_they_are_found() {
    on_each_database(async |database: &TestDatabase| {
        let (stop, location) = (Shutdown::new(), database.location());
        let open = Store::open::<Migrator>(&location, NAME, Vec::new(), DEFAULT_QUEUE, stop.clone());
        let (store, writer) = open.await.expect("it opens");
        let office = calendar("UTC", &WORKDAYS, &["08:00-18:00"], &[]);
        let office = write(&store, |write| {
            Box::pin(store::create_calendar(write, "office".to_owned(), office, "test".to_owned()))
        });
        let office = CalendarId(office.await);
        let policies = PolicyList(vec![Policy {
            name: "all".to_owned(),
            calendar_id: office,
            targets: vec![ClockTarget::new(Kind::FirstResponse, 60, Unit::WorkingMinutes)],
            ..Policy::default()
        }]);
        write(&store, |write| Box::pin(store::publish_policies(write, policies, "", "test".to_owned()))).await;
        // More than share a transaction.
        for _ in 0..=BATCH {
            old_case(&store, office).await;
        }
        let book = Arc::new(Book::default());
        let cases = usize::try_from(BATCH).expect("few") + 1;
        assert_eq!(catch_up(&store, &book, &stop).await.expect("done"), cases);
        assert_eq!(catch_up(&store, &book, &stop).await.expect("done"), 0, "once");
        let due = Some(at("2024-03-04T10:00:00Z"));
        for case in case::Entity::find().all(store.db()).await.expect("readable") {
            assert_eq!((case.version, case.clocked, case.due_time), (1, 1, due));
        }
        let clocks = case_clock::Entity::find().all(store.db()).await.expect("readable");
        assert_eq!(clocks.len(), cases);
        assert!(clocks.iter().all(|clock| clock.due_time == due && clock.version == 1));

        // A replica of the older release answers one of them: its clock has stopped.
        let answered: case::Model = case::Entity::find().one(store.db()).await.expect("readable").expect("one");
        write(&store, move |write| {
            Box::pin(async move {
                let when = case::When { given: Some(at("2024-03-04T09:30:00Z")), now: write.now };
                let step = answered.clone().respond(when, wire::ReplyType::Answer)?;
                let entries = case_entry::of_step(&step, "test", &case_entry::Said::default(), write.now);
                store::add_entries(write, entries).await?;
                barometer_chassis::writer::replace(write, step.before, step.case).await
            })
        })
        .await;
        assert_eq!(catch_up(&store, &book, &stop).await.expect("done"), 1);
        let stopped = case_clock::Entity::find().all(store.db()).await.expect("readable");
        let stopped: Vec<_> = stopped.into_iter().filter(|clock| clock.stop_time.is_some()).collect();
        let [clock] = &stopped[..] else { panic!("{stopped:?}") };
        assert_eq!((clock.version, clock.working_micros), (2, Some(30 * 60 * Micros::SECOND)));
        stop.cancel();
        drop(store);
        writer.await.expect("it ends");
    })
    .await;
}
