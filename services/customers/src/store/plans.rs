//! Lists are read by indexes, however many customers there are.

use barometer_chassis::{
    clock::Micros,
    database::Database,
    door::Page,
    id,
    testing::{TestDatabase, on_each_database},
    writer::insert,
};
use barometer_proto::customers::v1::Attribute;
use sea_orm::{Condition, ConnectionTrait, DbBackend, QueryTrait, Statement};

use super::{CustomerFilter, list_customers, select};
use crate::{
    attribute_change,
    customer::{self, CustomerId, Segments},
    migrations::Migrator,
};

const CUSTOMERS: i64 = 20_000;
const SEGMENTS: i64 = 1_000;

/// Customers of as many segments, each of which one in three has left.
fn customers() -> (Vec<customer::Model>, Vec<attribute_change::Model>) {
    let segment = |n: i64| format!("segment-{}", n % SEGMENTS);
    let is_in = |n: i64| n % 3 != 0;
    let customer = |n: i64| customer::Model {
        id: CustomerId(id::new()),
        number: n,
        position: n,
        create_time: Micros(n * Micros::SECOND),
        segments: Segments(is_in(n).then(|| segment(n)).into_iter().collect()),
        ..customer::Model::default()
    };
    let customers: Vec<_> = (1..=CUSTOMERS).map(customer).collect();
    let entered = |customer: &customer::Model| attribute_change::Model {
        id: id::new(),
        number: customer.number,
        position: CUSTOMERS + customer.number,
        customer_id: customer.id,
        time: customer.create_time,
        attribute: Attribute::Segment.into(),
        value: segment(customer.number),
        ..attribute_change::Model::default()
    };
    let changes = customers.iter().map(entered).collect();
    (customers, changes)
}

fn of_segment(name: &str) -> CustomerFilter {
    CustomerFilter { columns: Condition::all(), tag: String::new(), segment: name.to_owned() }
}

#[tokio::test]
async fn the_customers_of_a_segment_are_found_by_an_index() {
    on_each_database(async |database: &TestDatabase| {
        let database = Database::open::<Migrator>(&database.location(), "customers").await.expect("it opens");
        let (customers, changes) = customers();
        insert(&database.write, &customers).await.expect("written");
        insert(&database.write, &changes).await.expect("written");
        database.write.execute_unprepared("ANALYZE").await.expect("counted");
        let (db, page) = (&database.read, Page { size: 500, after: None });
        let backend = db.get_database_backend();
        let (explain, column) = match backend {
            DbBackend::Postgres => ("EXPLAIN", "QUERY PLAN"),
            _ => ("EXPLAIN QUERY PLAN", "detail"),
        };
        let text = format!("{explain} {}", select(backend, page, of_segment("segment-7")).build(backend));
        let rows = db.query_all_raw(Statement::from_string(backend, text)).await.expect("it is understood");
        let lines: Vec<String> = rows.iter().map(|row| row.try_get("", column).expect("a line")).collect();
        let plan = lines.join("\n");
        assert!(plan.contains("attribute_change_value"), "{plan}");
        for scan in ["Seq Scan", "SCAN attribute_change", "SCAN \"attribute_change\""] {
            assert!(!plan.contains(scan), "{plan}");
        }

        let (found, _) = list_customers(db, page, of_segment("segment-7")).await.expect("a page");
        let numbers: Vec<i64> = found.iter().map(|profile| profile.row.number).collect();
        let expected = (1..=CUSTOMERS).rev().filter(|n| n % SEGMENTS == 7 && n % 3 != 0);
        assert_eq!(numbers, expected.collect::<Vec<_>>(), "who is there now, newest first");
    })
    .await;
}
