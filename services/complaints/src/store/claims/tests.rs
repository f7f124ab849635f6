//! Claims whose lease has ended: each comes back by itself, and none holds up the others.

use barometer_chassis::testing::on_each_database;
use sea_orm::sea_query::Expr;

use super::*;
use crate::{
    case::Arrival,
    workers::{
        sweep::Sweep,
        watch::tests::{OPENED, Replica},
    },
};

fn asked(employee: &str, limit: u32) -> Asked {
    let (team, employee) = ("desk".to_owned(), employee.to_owned());
    Asked { team, employee, lease_micros: 3_600 * Micros::SECOND, limit }
}

/// Asks for a case; what there is, or why not.
async fn ask(replica: &Replica, asked: Asked) -> Result<Option<Model>, Error> {
    let book = replica.book.clone();
    let next = crate::store::in_writer(&replica.store, "Test", move |write| {
        Box::pin(async move { claim_next(write, &book, asked, "test").await })
    });
    let done = next.await?;
    Ok(Entity::find_by_id(done.id).one(replica.store.db()).await?)
}

/// Every lease has ended that runs, in the order in which the claims were made.
async fn end_leases(replica: &Replica) {
    let ended = replica.write(|write| {
        Box::pin(async move {
            let all = Entity::update_many().filter(Column::EndTime.is_null());
            all.col_expr(Column::LeaseTime, Expr::col(Column::Number)).exec(write.db).await?;
            Ok(Done { id: Uuid::nil(), position: write.position() })
        })
    });
    ended.await;
}

async fn holder(replica: &Replica, case: CaseId) -> String {
    let row = case::Entity::find_by_id(case.0).one(replica.store.db()).await.expect("readable");
    row.expect("there").employee
}

#[tokio::test]
async fn one_that_can_not_be_ended_holds_up_nobody() {
    on_each_database(async |database| {
        let replica = Replica::start(database).await;
        replica.promise(Vec::new()).await;
        for _ in 0..2 {
            replica.open(OPENED, Arrival::Live).await;
        }
        let stuck = ask(&replica, asked("ana", 5)).await.expect("an answer").expect("a claim");
        let other = ask(&replica, asked("eve", 5)).await.expect("an answer").expect("a claim");
        // Its clocks can not be counted.
        let case = stuck.case_id.0;
        replica
            .write(move |write| {
                Box::pin(async move {
                    let all = case::Entity::update_many().filter(case::Column::Id.eq(case));
                    all.col_expr(case::Column::PolicyName, Expr::value("gone")).exec(write.db).await?;
                    Ok(Done { id: Uuid::nil(), position: write.position() })
                })
            })
            .await;
        end_leases(&replica).await;
        let next = ask(&replica, asked("bob", 5)).await.expect("an answer").expect("what came back");
        assert_eq!(next.case_id, other.case_id);
        let still = async |id| get_claim(replica.store.db(), id).await.expect("there").end_time.is_none();
        assert!(still(stuck.id).await && !still(other.id).await);
        assert_eq!(holder(&replica, stuck.case_id).await, "ana", "all of it or nothing");

        end_leases(&replica).await;
        let mut sweep = Sweep::new(replica.store.clone(), replica.book.clone());
        assert!(!sweep.look().await.expect("it goes on"));
        assert!(still(stuck.id).await && !still(next.id).await, "also behind it");
        assert_eq!(holder(&replica, next.case_id).await, "");
        assert!(!sweep.look().await.expect("it goes on"));
        drop(sweep);
        replica.stop().await;
    })
    .await;
}

#[tokio::test]
async fn claims_whose_lease_has_ended_do_not_count() {
    on_each_database(async |database| {
        let replica = Replica::start(database).await;
        replica.promise(Vec::new()).await;
        for n in 0..60 {
            replica.open(OPENED, Arrival::Live).await;
            let employee = if n < 55 { "ana" } else { "bob" };
            assert!(ask(&replica, asked(employee, 100)).await.expect("an answer").is_some());
        }
        assert!(ask(&replica, asked("bob", 5)).await.is_err(), "five run");
        end_leases(&replica).await;
        assert!(ask(&replica, asked("bob", 5)).await.expect("none runs").is_some());
        replica.stop().await;
    })
    .await;
}

/// When a case is due, as if its clocks had been counted so.
async fn set_due(replica: &Replica, case: CaseId, due: Option<Micros>) {
    let set = replica.write(move |write| {
        Box::pin(async move {
            let of_case = case::Entity::update_many().filter(case::Column::Id.eq(case.0));
            of_case.col_expr(case::Column::DueTime, Expr::value(due)).exec(write.db).await?;
            Ok(Done { id: Uuid::nil(), position: write.position() })
        })
    });
    set.await;
}

#[tokio::test]
async fn what_was_finished_comes_again_when_it_has_fallen_past_due_since_and_once_for_each_time() {
    on_each_database(async |database| {
        let replica = Replica::start(database).await;
        replica.promise(Vec::new()).await;
        replica.open(OPENED, Arrival::Live).await;
        let next = async || ask(&replica, asked("ana", 5)).await.expect("an answer");
        let finish = async |claim: &Model| {
            let id = claim.id;
            replica.write(move |write| Box::pin(async move { finish_claim(write, id).await })).await;
            let ended = get_claim(replica.store.db(), id).await.expect("there").end_time.expect("it ended");
            // The clock goes on between this and the next.
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            ended
        };
        let first = next().await.expect("a claim");
        let ended = finish(&first).await;
        let (long_ago, since, ahead) = (Micros(ended.0 - 1), Micros(ended.0 + 1), Micros(ended.0 + Micros::DAY));
        for due in [None, Some(long_ago), Some(ended), Some(ahead)] {
            set_due(&replica, first.case_id, due).await;
            assert_eq!(next().await, None, "{due:?}, finished at {ended}");
        }
        set_due(&replica, first.case_id, Some(since)).await;
        let second = next().await.expect("it fell past due");
        finish(&second).await;
        assert_eq!(next().await, None, "it was past due already");
        replica.stop().await;
    })
    .await;
}
