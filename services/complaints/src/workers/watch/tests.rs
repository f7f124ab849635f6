//! Ladders of cases: each step once, whoever looks and whenever, and everything it does in one go.

use barometer_chassis::{
    id,
    testing::{DatabaseKind, TestDatabase, on_each_database},
    writer::{DEFAULT_QUEUE, Pending},
};
use barometer_proto::complaints::v1::{Audience, CaseEntryType, CaseKind, Priority, ReplyType, Severity, case::State};
use futures_util::future::BoxFuture;
use sea_orm::{EntityTrait, QueryOrder};
use tokio::task::JoinHandle;

use super::*;
use crate::{
    calendar::tests::{WORKDAYS, at, calendar},
    calendar_version::CalendarId,
    case::{self, Arrival, Holder, Incoming, Step, When as Instant},
    case_entry::{self, Said},
    clock::{ClockTarget, Kind, Target, Unit},
    escalation,
    ladder::{Ladder, Raise, Repeat, Rung, When},
    migrations::Migrator,
    policy::{Policy, PolicyList},
    promise,
};

/// A replica of the service, which does nothing by itself.
pub(crate) struct Replica {
    pub(crate) store: Store<wire::Fact>,
    pub(crate) book: Arc<Book>,
    stop: Shutdown,
    writer: JoinHandle<()>,
}

impl Replica {
    pub(crate) async fn start(database: &TestDatabase) -> Replica {
        let (stop, location) = (Shutdown::new(), database.location());
        let open = Store::open::<Migrator>(&location, crate::NAME, Vec::new(), DEFAULT_QUEUE, stop.clone());
        let (store, writer) = open.await.expect("it opens");
        Replica { store, book: Arc::default(), stop, writer }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        drop(self.store);
        self.writer.await.expect("it ends");
    }

    pub(crate) async fn write<W>(&self, work: W) -> Uuid
    where
        W: for<'w> FnOnce(&'w Write<'w>) -> BoxFuture<'w, Result<Done, Error>> + Send + 'static,
    {
        let request = Request { method: "Test", actor: "test".to_owned(), id: None, fingerprint: 0 };
        self.store.writer.run(request, work).await.expect("written").id
    }

    /// Ten working hours in Berlin until the first response, with this ladder.
    pub(crate) async fn promise(&self, steps: Vec<Rung>) {
        let office = calendar("Europe/Berlin", &WORKDAYS, &["08:00-18:00"], &["2024-03-29", "2024-04-01"]);
        let created =
            self.write(|write| Box::pin(store::create_calendar(write, "office".to_owned(), office, "test".to_owned())));
        let office = CalendarId(created.await);
        let mut target = ClockTarget::new(Kind::FirstResponse, 600, Unit::WorkingMinutes);
        target.pauses.third_party = true;
        let policies = PolicyList(vec![Policy {
            name: "all".to_owned(),
            calendar_id: office,
            targets: vec![target],
            promise_steps: steps.clone(),
            ladders: vec![Ladder { kind: Kind::FirstResponse, steps }],
            ..Policy::default()
        }]);
        self.write(|write| Box::pin(store::publish_policies(write, policies, "", "test".to_owned()))).await;
    }

    pub(crate) async fn open(&self, time: &str, arrival: Arrival) -> Uuid {
        let row = case::Model {
            state: State::Received.into(),
            kind: CaseKind::Complaint.into(),
            severity: Severity::Medium.into(),
            priority: Priority::Normal.into(),
            team: "desk".to_owned(),
            open_time: at(time),
            move_time: at(time),
            external_system: Some("test".to_owned()),
            external_id: Some(id::new().to_string()),
            ..case::Model::default()
        };
        let request = Request { method: "Open", actor: "test".to_owned(), id: None, fingerprint: 0 };
        let context = Incoming { arrival, book: self.book.clone() };
        self.store.record_one(Pending { row, context, request, refused: None }).await.expect("opened").0.id
    }

    async fn act(
        &self,
        case: Uuid,
        time: &str,
        verb: impl FnOnce(case::Model, Instant) -> Result<Step, Error> + Send + 'static,
    ) {
        let (book, given) = (self.book.clone(), Some(at(time)));
        self.write(move |write| {
            Box::pin(async move {
                let when = Instant { given, now: write.now };
                store::change_case(write, &book, case, "", "test", &Said::default(), |case| verb(case, when)).await
            })
        })
        .await;
    }

    async fn look(&self, time: &str) -> Option<Micros> {
        look(&self.store, &self.book, at(time), &Instruments::new(), &self.stop).await.expect("it looks")
    }

    /// Step and repetition of what was taken, in its order.
    async fn taken(&self) -> Vec<(i32, i32)> {
        let all = escalation::Entity::find().order_by_asc(escalation::Column::Position).all(self.store.db()).await;
        all.expect("readable").into_iter().map(|row| (row.step, row.repetition)).collect()
    }
}

fn rung(when: When) -> Rung {
    Rung { when, notify: vec![Audience::Owner.into()], ..Rung::default() }
}

fn usual() -> Vec<Rung> {
    let to = Holder { employee: String::new(), team: "legal".to_owned() };
    let hours = |hours: u32| Target { amount: 60 * hours, unit: Unit::WorkingMinutes };
    let every = Target { amount: 1, unit: Unit::WorkingDays };
    vec![
        rung(When::Percent(50)),
        Rung { raise: Some(Raise::ByOne), hand_over: Some(to), ..rung(When::Due) },
        Rung { repeat: Some(Repeat { every, times: 2 }), ..rung(When::After(hours(4))) },
    ]
}

/// Noon in Berlin of a Wednesday: half of it is over at 17 o'clock, all on Thursday at noon, four hours more at 16 o'clock.
pub(crate) const OPENED: &str = "2024-03-27T11:00:00Z";

#[tokio::test]
async fn replicas_that_look_at_the_same_time_take_each_step_once() {
    on_each_database(async |database| {
        let one = Replica::start(database).await;
        // An embedded database has one process only.
        let other = match database.kind() {
            DatabaseKind::Sqlite => None,
            DatabaseKind::Postgres => Some(Replica::start(database).await),
        };
        let others = other.as_ref().unwrap_or(&one);
        one.promise(usual()).await;
        for _ in 0..40 {
            one.open(OPENED, Arrival::Live).await;
        }
        for time in ["2024-03-27T15:59:59Z", "2024-03-27T16:00:00Z", "2024-03-28T11:00:00Z", "2024-03-28T15:00:00Z"] {
            tokio::join!(one.look(time), others.look(time), one.look(time));
        }
        let mut taken = one.taken().await;
        assert_eq!(taken.len(), 120);
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken, [(0, 0), (1, 0), (2, 0)]);
        for row in escalation::Entity::find().all(one.store.db()).await.expect("readable") {
            assert_eq!((row.fire_time, row.is_late(), row.missed), (row.time, false, 0));
        }
        one.stop().await;
        if let Some(other) = other {
            other.stop().await;
        }
    })
    .await;
}

#[tokio::test]
async fn replicas_take_each_step_of_a_promise_once() {
    on_each_database(async |database| {
        let one = Replica::start(database).await;
        let other = match database.kind() {
            DatabaseKind::Sqlite => None,
            DatabaseKind::Postgres => Some(Replica::start(database).await),
        };
        let others = other.as_ref().unwrap_or(&one);
        let every = Target { amount: 60, unit: Unit::ElapsedMinutes };
        let to = Holder { employee: String::new(), team: "legal".to_owned() };
        let steps = vec![
            rung(When::Percent(50)),
            Rung { hand_over: Some(to), ..rung(When::Due) },
            Rung { repeat: Some(Repeat { every, times: 2 }), ..rung(When::After(every)) },
        ];
        one.promise(steps).await;
        let (mut due, hour) = (Micros(0), 3_600 * Micros::SECOND);
        for _ in 0..40 {
            due = Micros(Micros::now().0 + 10 * hour);
            let row = promise::Model {
                make_time: Micros::now(),
                due_time: due,
                team: "desk".to_owned(),
                ..promise::Model::default()
            };
            let request = Request { method: "Make", actor: "test".to_owned(), id: None, fingerprint: 0 };
            let pending = Pending { row, context: one.book.clone(), request, refused: None };
            one.store.record_one(pending).await.expect("made");
        }
        for hours in [-6, -4, 0, 1, 2, 3] {
            // The last was made a moment after the first.
            let now = Micros(due.0 + hours * hour + Micros::SECOND);
            let (stop, instruments) = (&one.stop, Instruments::new());
            let looks =
                [&one, others, &one].map(|replica| look(&replica.store, &replica.book, now, &instruments, stop));
            for looked in futures_util::future::join_all(looks).await {
                looked.expect("it looks");
            }
        }
        let mut taken = one.taken().await;
        assert_eq!(taken.len(), 5 * 40);
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken, [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2)]);
        let promises = promise::Entity::find().all(one.store.db()).await.expect("readable");
        assert!(promises.iter().all(|promise| promise.team == "legal"));
        assert_eq!(
            store::next_alarm(one.store.db(), &KNOWN.map(Subject::number)).await.expect("readable"),
            None,
            "nothing is left"
        );
        one.stop().await;
        if let Some(other) = other {
            other.stop().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_step_does_everything_at_once_and_the_history_tells_of_it() {
    on_each_database(async |database| {
        let replica = Replica::start(database).await;
        replica.promise(usual()).await;
        let case = replica.open(OPENED, Arrival::Live).await;
        assert_eq!(replica.look("2024-03-27T12:00:00Z").await, Some(at("2024-03-27T16:00:00Z")), "the next alarm");
        replica.look("2024-03-28T11:00:00Z").await;
        assert_eq!(replica.taken().await, [(0, 0), (1, 0)]);
        let after = case::Entity::find_by_id(case).one(replica.store.db()).await.expect("readable").expect("there");
        assert_eq!((after.priority(), after.team.as_str(), after.hand_offs), (Priority::High, "legal", 1));
        assert!(after.priority_overridden);
        let entries = case_entry::Entity::find().order_by_asc(case_entry::Column::Position);
        let entries = entries.all(replica.store.db()).await.expect("readable");
        let told: Vec<_> = entries.iter().map(|entry| (entry.entry_type, entry.actor.as_str())).collect();
        let by_itself = |event: CaseEntryType| (i32::from(event), store::BY_ITSELF);
        let expected = [
            (CaseEntryType::Opened.into(), ""),
            by_itself(CaseEntryType::Escalated),
            by_itself(CaseEntryType::Escalated),
            by_itself(CaseEntryType::Prioritized),
            by_itself(CaseEntryType::Assigned),
        ];
        assert_eq!(told, expected);
        let taken = escalation::Entity::find().all(replica.store.db()).await.expect("readable");
        assert!(entries.iter().filter_map(|entry| entry.escalation_id).all(|id| taken.iter().any(|row| row.id == id)));
        let raised = taken.iter().find(|row| row.step == 1).expect("there");
        assert_eq!((raised.previous_priority, raised.priority), (Priority::Normal.into(), Priority::High.into()));
        assert_eq!((raised.previous_team.as_str(), raised.team.as_str()), ("desk", "legal"));
        replica.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_missed_while_everything_was_down_is_taken_once_and_marked_late() {
    on_each_database(async |database| {
        let replica = Replica::start(database).await;
        replica.promise(usual()).await;
        replica.open(OPENED, Arrival::Live).await;
        replica.stop().await;
        let replica = Replica::start(database).await;
        assert_eq!(replica.look("2024-06-01T00:00:00Z").await, None, "nothing is left to do");
        replica.look("2024-07-01T00:00:00Z").await;
        assert_eq!(replica.taken().await, [(0, 0), (1, 0), (2, 2)]);
        let rows = escalation::Entity::find().order_by_asc(escalation::Column::Step).all(replica.store.db()).await;
        let rows = rows.expect("readable");
        assert!(rows.iter().all(escalation::Model::is_late));
        assert_eq!(rows.iter().map(|row| row.missed).collect::<Vec<_>>(), [0, 0, 2]);
        replica.stop().await;
    })
    .await;
}

#[tokio::test]
async fn alarms_go_and_move_with_what_happens_to_the_case() {
    on_each_database(async |database| {
        let replica = Replica::start(database).await;
        replica.promise(usual()).await;
        let case = replica.open(OPENED, Arrival::Live).await;
        let next = async || store::next_alarm(replica.store.db(), &KNOWN.map(Subject::number)).await.expect("readable");
        assert_eq!(next().await, Some(at("2024-03-27T16:00:00Z")));
        replica.act(case, "2024-03-27T12:00:00Z", case::Model::await_third_party).await;
        assert_eq!(next().await, None, "it stands");
        replica.look("2024-04-10T00:00:00Z").await;
        assert_eq!(replica.taken().await, []);
        replica.act(case, "2024-04-10T07:00:00Z", case::Model::resume).await;
        assert_eq!(next().await, Some(at("2024-04-10T11:00:00Z")), "four hours were left to the half");
        replica.look("2024-04-10T11:00:00Z").await;
        assert_eq!(replica.taken().await, [(0, 0)]);
        replica.act(case, "2024-04-10T12:00:00Z", |case, when| case.respond(when, ReplyType::Answer)).await;
        assert_eq!(next().await, None, "it has stopped");

        let gone = replica.open(OPENED, Arrival::Live).await;
        assert!(next().await.is_some());
        replica.write(move |write| Box::pin(store::withdraw_case(write, gone, ""))).await;
        assert_eq!(next().await, None, "they go with it");
        replica.look("2024-06-01T00:00:00Z").await;
        assert_eq!(replica.taken().await, [(0, 0)]);
        replica.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_alarm_that_rings_in_vain_does_nothing() {
    on_each_database(async |database| {
        let replica = Replica::start(database).await;
        replica.promise(usual()).await;
        replica.open(OPENED, Arrival::Live).await;
        let alarms = alarm::Entity::find().all(replica.store.db()).await.expect("readable");
        // As if somebody had set it too early.
        let early = alarms.into_iter().map(|alarm| alarm::Model { time: at(OPENED), ..alarm }).collect();
        replica
            .write(move |write| {
                Box::pin(async move {
                    store::set_alarms(write, early).await?;
                    Ok(Done { id: Uuid::nil(), position: write.position() })
                })
            })
            .await;
        assert_eq!(replica.look("2024-03-27T12:00:00Z").await, Some(at("2024-03-27T16:00:00Z")));
        assert_eq!(replica.taken().await, []);
        replica.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_past_of_an_import_alerts_nobody_and_what_is_to_come_does() {
    on_each_database(async |database| {
        let replica = Replica::start(database).await;
        replica.promise(usual()).await;
        replica.open(OPENED, Arrival::Imported).await;
        assert_eq!(replica.look("2030-01-01T00:00:00Z").await, None);
        assert_eq!(replica.taken().await, []);
        // One that comes in tomorrow, as clocks that differ may have it.
        let tomorrow = Micros(Micros::now().0 + Micros::DAY - 60 * Micros::SECOND).to_string();
        replica.open(&tomorrow, Arrival::Imported).await;
        assert!(store::next_alarm(replica.store.db(), &KNOWN.map(Subject::number)).await.expect("readable").is_some());
        replica.stop().await;
    })
    .await;
}
