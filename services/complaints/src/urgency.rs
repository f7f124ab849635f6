//! Which case of a queue comes first: the one with the least remaining time, weighted by what it is worth.
//!
//! Each case has an instant at which it is due and a head start over others; the earlier the one less the other, the more
//! urgent it is. That order does not change with the hour: an index keeps it, and whoever takes the next case reads one row.
//! So the rule is one of the database; its test has it once more, for a case.

/// How urgent a case is, in microseconds: when it is due, or 7 days after it came in if nothing of it is, less a head start of 4
/// hours for high value, 2 for other value that is not low, and 8, 4 or 2 hours for its priority. Of the names of columns and
/// numbers only; the indices of the queues have the same text.
pub(crate) const SQL: &str = "COALESCE(due_time, open_time + 604800000000) \
     - CASE value_band WHEN 'high' THEN 14400000000 WHEN 'low' THEN 0 ELSE 7200000000 END \
     - CASE priority WHEN 4 THEN 28800000000 WHEN 3 THEN 14400000000 WHEN 2 THEN 7200000000 ELSE 0 END";

#[cfg(test)]
mod tests {
    use barometer_chassis::{
        clock::Micros,
        database::Database,
        testing::{TestDatabase, on_each_database},
    };
    use barometer_proto::complaints::v1::Priority;
    use proptest::{prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner};
    use sea_orm::{ConnectionTrait, Statement};

    use super::*;
    use crate::{case::Model, migrations::Migrator};

    const HOUR: i64 = 3_600 * Micros::SECOND;

    /// A case of which nothing is due stands as if it were due so long after it came in.
    const UNTIL_DUE: i64 = 7 * Micros::DAY;

    /// The head start of each value band; that of all others is [`OF_OTHERS`].
    const OF_BANDS: [(&str, i64); 2] = [("high", 4 * HOUR), ("low", 0)];
    const OF_OTHERS: i64 = 2 * HOUR;

    /// The head start of each priority; others have none.
    const OF_PRIORITIES: [(Priority, i64); 3] =
        [(Priority::Urgent, 8 * HOUR), (Priority::High, 4 * HOUR), (Priority::Normal, 2 * HOUR)];

    impl Model {
        /// How urgent it is against others, as far as that is asked of open cases: the earlier the more.
        fn urgency(&self) -> Micros {
            let due = self.due_time.map_or(self.open_time.0.saturating_add(UNTIL_DUE), |due| due.0);
            let of_band =
                OF_BANDS.iter().find(|(band, _)| *band == self.value_band).map_or(OF_OTHERS, |(_, start)| *start);
            let priority = self.priority();
            let of_priority = OF_PRIORITIES.iter().find(|(of, _)| *of == priority).map_or(0, |(_, start)| *start);
            Micros(due.saturating_sub(of_band).saturating_sub(of_priority))
        }
    }

    fn case(due: Option<i64>, open: i64, band: &str, priority: Priority) -> Model {
        let (due_time, open_time, value_band) = (due.map(Micros), Micros(open), band.to_owned());
        Model { due_time, open_time, value_band, priority: priority.into(), ..Model::default() }
    }

    fn hours(case: &Model) -> i64 {
        case.urgency().0 / HOUR
    }

    #[test]
    fn the_head_start_is_taken_off_what_is_due() {
        assert_eq!(hours(&case(Some(100 * HOUR), 0, "high", Priority::Urgent)), 88);
        assert_eq!(hours(&case(Some(100 * HOUR), 0, "unknown", Priority::Normal)), 96);
        assert_eq!(hours(&case(Some(100 * HOUR), 0, "low", Priority::Low)), 100);
        assert_eq!(hours(&case(None, HOUR, "low", Priority::Low)), 7 * 24 + 1);
    }

    fn any_case() -> impl Strategy<Value = Model> {
        let priorities = [Priority::Unspecified, Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];
        let instant = -4_000_000_000_000_000_i64..4_000_000_000_000_000;
        (
            prop::option::of(instant.clone()),
            instant,
            select(vec!["low", "medium", "high", "unknown", "platinum", ""]),
            select(priorities.to_vec()),
        )
            .prop_map(|(due, open, band, priority)| case(due, open, band, priority))
    }

    proptest! {
        #[test]
        fn the_earlier_due_the_more_valuable_and_the_prior_are_never_later(a in any_case(), by in 0..1_000 * HOUR) {
            let rank = |case: &Model| {
                let band = ["low", "", "high"].iter().position(|of| *of == case.value_band).unwrap_or(1);
                (band, case.priority)
            };
            let later = Model { due_time: a.due_time.map(|due| Micros(due.0 + by)), open_time: Micros(a.open_time.0 + by), ..a.clone() };
            prop_assert_eq!(later.urgency().0 - a.urgency().0, by, "all alike, it goes by what is due");
            for band in ["low", "medium", "high", "unknown"] {
                for priority in [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent] {
                    let b = Model { value_band: band.to_owned(), priority: priority.into(), ..a.clone() };
                    let (of_a, of_b) = (rank(&a), rank(&b));
                    if of_b.0 >= of_a.0 && of_b.1 >= of_a.1 {
                        prop_assert!(b.urgency() <= a.urgency(), "{of_b:?} before {of_a:?}");
                    }
                }
            }
        }

        #[test]
        fn nobody_is_passed_over_for_ever(a in any_case(), b in any_case()) {
            // Whatever they are worth, 12 hours are the most that one gets ahead of another.
            let due = |case: &Model| case.due_time.map_or(case.open_time.0 + UNTIL_DUE, |due| due.0);
            if due(&a) + 12 * HOUR < due(&b) {
                prop_assert!(a.urgency() < b.urgency());
            }
        }
    }

    #[tokio::test]
    async fn the_database_has_the_same_rule() {
        on_each_database(async |database: &TestDatabase| {
            let database = Database::open::<Migrator>(&database.location(), "complaints").await.expect("it opens");
            let db = &database.read;
            let mut runner = TestRunner::deterministic();
            for _ in 0..200 {
                let case = any_case().new_tree(&mut runner).expect("a case").current();
                let (open, band, priority) = (case.open_time.0, &case.value_band, case.priority);
                let due = case.due_time.map_or("CAST(NULL AS bigint)".to_owned(), |due| due.0.to_string());
                let text = format!(
                    "SELECT CAST({SQL} AS bigint) AS urgency FROM (SELECT {due} AS due_time, CAST({open} AS bigint) AS \
                     open_time, '{band}' AS value_band, {priority} AS priority) AS one"
                );
                let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), text)).await;
                let row = row.expect("it is understood").expect("a row");
                assert_eq!(row.try_get::<i64>("", "urgency").expect("a number"), case.urgency().0, "{case:?}");
            }
        })
        .await;
    }
}
