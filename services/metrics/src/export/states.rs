//! The rows of customers' states.

use std::vec;

use barometer_chassis::error::Error;
use barometer_proto::metrics::v1 as wire;
use barometer_statistics::lifecycle::Stage;

use super::{BATCH, Cell, CellKind, Column, Row, Rows};
use crate::{
    analysis::states::{Lifecycle, Loyalty, State},
    rules::scale::NpsGroup,
};

/// Types of surveys, in the order of a state's.
const TYPES: [&str; 2] = ["relational", "transactional"];
/// Columns of each type.
const OF_TYPE: [(&str, CellKind); 7] = [
    ("category", CellKind::Text),
    ("score", CellKind::Whole),
    ("answered", CellKind::Time),
    ("number", CellKind::Whole),
    ("since", CellKind::Time),
    ("former", CellKind::Text),
    ("answers", CellKind::Whole),
];

/// Where customers stand.
pub(crate) struct StateRows {
    columns: Vec<Column>,
    states: vec::IntoIter<State>,
    freshness: Vec<wire::Freshness>,
}

impl StateRows {
    /// These states, in their order.
    pub(crate) fn new(states: Vec<State>, freshness: Vec<wire::Freshness>) -> Self {
        let of_types = TYPES
            .iter()
            .flat_map(|of| OF_TYPE.iter().map(move |(name, kind)| Column::new(format!("{of}_{name}"), *kind)));
        let columns = std::iter::once(Column::new("customer_id", CellKind::Text))
            .chain(of_types)
            .chain([Column::new("last_activity", CellKind::Time), Column::new("lifecycle", CellKind::Text)]);
        StateRows { columns: columns.collect(), states: states.into_iter(), freshness }
    }
}

impl Rows for StateRows {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    async fn next(&mut self) -> Result<Option<Vec<Row>>, Error> {
        let some: Vec<_> = self.states.by_ref().take(BATCH).map(row).collect();
        Ok((!some.is_empty()).then_some(some))
    }

    fn freshness(&self) -> Vec<wire::Freshness> {
        self.freshness.clone()
    }
}

fn row(state: State) -> Row {
    let State { customer, loyalty, last_activity, lifecycle } = state;
    let mut row = vec![Cell::text(customer.to_string())];
    loyalty.into_iter().for_each(|of_type| row.extend(cells(of_type)));
    row.push(last_activity.map_or(Cell::Absent, Cell::Time));
    row.push(lifecycle.map_or(Cell::Absent, |lifecycle| Cell::text(stage(lifecycle))));
    row
}

fn cells(of_type: Option<Loyalty>) -> [Cell; OF_TYPE.len()] {
    let Some(Loyalty { last, since, former, answers }) = of_type else {
        let mut cells = [const { Cell::Absent }; OF_TYPE.len()];
        cells[OF_TYPE.len() - 1] = Cell::Whole(0);
        return cells;
    };
    [
        Cell::text(category(last.category)),
        Cell::Whole(last.score.into()),
        Cell::Time(last.at),
        Cell::Whole(last.number),
        Cell::Time(since),
        former.map_or(Cell::Absent, |former| Cell::text(category(former))),
        Cell::Whole(answers.into()),
    ]
}

fn category(category: NpsGroup) -> &'static str {
    match category {
        NpsGroup::Detractor => "detractor",
        NpsGroup::Passive => "passive",
        NpsGroup::Promoter => "promoter",
    }
}

fn stage(lifecycle: Lifecycle) -> &'static str {
    match lifecycle {
        Lifecycle::In(Stage::New) => "new",
        Lifecycle::In(Stage::Returning) => "returning",
        Lifecycle::In(Stage::Resurrecting) => "resurrecting",
        Lifecycle::In(Stage::Dormant) => "dormant",
        Lifecycle::Gone => "gone",
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::analysis::answered::Stood;

    #[tokio::test]
    async fn a_customer_is_a_row() {
        let last = Stood { category: NpsGroup::Promoter, score: 9, at: 5, number: 77 };
        let stood = Loyalty { last, since: 3, former: Some(NpsGroup::Detractor), answers: 4 };
        let state = |loyalty, last_activity, lifecycle| State {
            customer: Uuid::from_u128(1),
            loyalty,
            last_activity,
            lifecycle,
        };
        let lifecycle = Some(Lifecycle::In(Stage::Dormant));
        let states = vec![state([None, Some(stood)], Some(8), lifecycle), state([None, None], None, None)];
        let mut rows = StateRows::new(states, Vec::new());
        let names: Vec<_> = rows.columns().iter().map(|column| column.name.clone()).collect();
        assert_eq!((names.len(), names[8].as_str(), names[16].as_str()), (17, "transactional_category", "lifecycle"));
        let told = rows.next().await.expect("rows").expect("two");
        assert!(told.iter().all(|row| row.len() == names.len()));
        assert_eq!(told[0][1..8], cells(None));
        let expected = [
            Cell::text("promoter"),
            Cell::Whole(9),
            Cell::Time(5),
            Cell::Whole(77),
            Cell::Time(3),
            Cell::text("detractor"),
            Cell::Whole(4),
        ];
        assert_eq!(told[0][8..15], expected);
        assert_eq!((&told[0][15], &told[0][16]), (&Cell::Time(8), &Cell::text("dormant")));
        assert_eq!((&told[1][14], &told[1][15], &told[1][16]), (&Cell::Whole(0), &Cell::Absent, &Cell::Absent));
        assert!(rows.next().await.expect("no error").is_none());
    }
}
