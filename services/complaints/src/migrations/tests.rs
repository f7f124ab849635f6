//! Upgrades: what an older release wrote, and still writes while replicas of it run, is read by this one.

use barometer_chassis::{
    database::Database,
    testing::{TestDatabase, on_each_database},
};
use barometer_proto::complaints::v1::{CaseKind, Priority, ReplyType, Severity};
use sea_orm::{ConnectionTrait, EntityTrait};
use sea_orm_migration::prelude::*;

use super::{Migrator, m0001_complaints};
use crate::{case, case_entry};

/// The migrations of the first release.
struct First;

#[async_trait::async_trait]
impl MigratorTrait for First {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_complaints::Migration)]
    }
}

/// Writes a case and its first entry as the first release does.
async fn write(database: &Database, number: i64) {
    let id = uuid::Uuid::from_u128(number.unsigned_abs().into());
    let mut case = Query::insert();
    let times = ["open_time", "move_time", "create_time", "update_time"];
    let numbers = ["number", "position", "version", "fingerprint"];
    let texts = ["subject", "description", "category", "product", "channel", "touchpoint", "journey_stage", "employee"];
    let head: [SimpleExpr; 7] =
        [id.into(), "".into(), "anonymous".into(), serde_json::json!({}).into(), 1.into(), 0.into(), 0.into()];
    let rest = times.iter().chain(&numbers).map(|_| SimpleExpr::from(number)).chain(texts.iter().map(|_| "".into()));
    let all = ["id", "team", "actor", "dimensions", "state", "reopenings", "hand_offs"];
    case.into_table("case").columns(all.into_iter().chain(times).chain(numbers).chain(texts));
    case.values_panic(head.into_iter().chain(rest));
    database.write.execute(&case).await.expect("a case");

    let mut entry = Query::insert();
    let texts = ["actor", "text", "employee", "team", "previous_employee", "previous_team"];
    entry.into_table("case_entry").columns(
        ["id", "case_id", "type", "state", "position", "case_number", "time", "create_time"].into_iter().chain(texts),
    );
    let head: [SimpleExpr; 4] = [id.into(), id.into(), 3.into(), 3.into()];
    let rest = [number; 4].map(SimpleExpr::from).into_iter().chain(texts.map(|_| "".into()));
    entry.values_panic(head.into_iter().chain(rest));
    database.write.execute(&entry).await.expect("an entry");
}

async fn check(database: &Database, rows: usize) {
    let cases = case::Entity::find().all(&database.read).await.expect("readable");
    assert_eq!(cases.len(), rows);
    for case in cases {
        assert_eq!(
            (case.kind(), case.severity(), case.priority()),
            (CaseKind::Complaint, Severity::Medium, Priority::Normal)
        );
        assert_eq!(
            (case.value_band.as_str(), case.tags.is_empty(), case.attachments.is_empty()),
            ("unknown", true, true)
        );
        assert!(!case.priority_overridden && !case.self_served && case.cancel_time.is_none());
    }
    for entry in case_entry::Entity::find().all(&database.read).await.expect("readable") {
        assert_eq!((entry.reply, entry.needs_no_answer), (ReplyType::Unspecified.into(), false));
        assert!(entry.attachments.is_empty());
    }
}

#[tokio::test]
async fn what_the_first_release_wrote_and_writes_is_read() {
    on_each_database(async |database: &TestDatabase| {
        let open = async || Database::open::<Migrator>(&database.location(), "complaints").await.expect("it opens");
        let first = Database::open::<First>(&database.location(), "complaints").await.expect("it opens");
        write(&first, 1).await;
        drop(first);
        let second = open().await;
        check(&second, 1).await;
        // A replica of the first release goes on meanwhile.
        write(&second, 2).await;
        check(&second, 2).await;
    })
    .await;
}
