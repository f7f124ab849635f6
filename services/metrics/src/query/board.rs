//! Cells of groups of which some dimensions are in no column: the currency of what a contact comes to, or what became of a
//! complaint.

use std::collections::BTreeMap;

use barometer_chassis::error::Error;

use super::{
    Ask, Condition, MAX_ROWS, Table,
    cut::Cutter,
    figures::{Figure, Measured, Name},
    too_many_rows,
};

/// A row of cells, one for each period, for each group.
#[derive(Debug)]
pub(crate) struct Board<T> {
    group_by: Vec<String>,
    periods: usize,
    numbers: BTreeMap<Name, usize>,
    rows: Vec<Vec<T>>,
}

impl<T: Default + Clone> Board<T> {
    /// Without any group.
    pub(crate) fn new(ask: &Ask<'_>) -> Self {
        Board { group_by: ask.group_by(), periods: ask.periods.len(), numbers: BTreeMap::new(), rows: Vec::new() }
    }

    /// The number of the row of a group; its dimensions may come in any order, those that are not asked for are left out.
    ///
    /// Errors: INVALID when there are more rows than an answer may have.
    pub(crate) fn row(&mut self, group: impl IntoIterator<Item = (String, String)>) -> Result<usize, Error> {
        let place = |(name, _): &(String, String)| self.group_by.iter().position(|asked| asked == name);
        let mut name: Name = group.into_iter().filter(|of| place(of).is_some()).collect();
        name.sort_by_key(place);
        if let Some(number) = self.numbers.get(&name) {
            return Ok(*number);
        }
        let number = self.rows.len();
        if (number + 1).saturating_mul(self.periods) > MAX_ROWS {
            return Err(too_many_rows());
        }
        self.rows.push(vec![T::default(); self.periods]);
        self.numbers.insert(name, number);
        Ok(number)
    }

    /// The cell of a row and a period.
    pub(crate) fn cell(&mut self, row: usize, period: usize) -> &mut T {
        &mut self.rows[row][period]
    }

    /// Measures each cell, as [`Ask::figures`] does.
    pub(crate) fn figures(self, ask: &Ask<'_>, measure: impl Fn(&T) -> Measured) -> Vec<Figure> {
        let Board { numbers, rows, periods, .. } = self;
        let counted =
            |row: &[Measured]| row.iter().flat_map(|measured| &measured.counts).any(|(_, count)| *count != 0.0);
        let mut groups: Vec<_> = numbers
            .into_iter()
            .map(|(name, number)| (name, rows[number].iter().map(&measure).collect::<Vec<_>>()))
            .filter(|(name, row)| name.is_empty() || counted(row))
            .collect();
        if groups.is_empty() && ask.query.group_by.is_empty() {
            groups.push((Name::new(), vec![measure(&T::default()); periods]));
        }
        ask.assemble(groups)
    }
}

impl<'q> Ask<'q> {
    /// The filters and groups of the query, for the dimensions of which `is_own` says so, over a table.
    pub(crate) fn cutter_of(&self, table: Table, is_own: impl Fn(&str) -> bool) -> Cutter<'q> {
        let filters = self.query.filters.iter().filter(|condition| is_own(&condition.dimension));
        let filters: Vec<Condition> = filters.cloned().collect();
        let group_by: Vec<String> = self.group_by().into_iter().filter(|name| is_own(name)).collect();
        Cutter::new(self.facts, table, &filters, &group_by, MAX_ROWS / self.periods.len().max(1))
    }

    /// Whether a value passes the filters on a dimension that is in no column.
    pub(crate) fn passes(&self, dimension: &str, value: &str) -> bool {
        let mut conditions = self.query.filters.iter().filter(|condition| condition.dimension == dimension);
        conditions.all(|condition| condition.values.iter().any(|of| of == value) != condition.exclude)
    }
}
