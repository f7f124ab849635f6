//! Cases that changed hands: from the entries of their histories, which never change.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Stamp, dictionary::Column, times::Times};

/// All hand-offs. Which of them are known is kept with the turns of their cases.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct HandOffs {
    /// When each happened.
    pub(crate) times: Times,
    /// The row of the case.
    pub(crate) cases: Vec<u32>,
    /// The id of the entry.
    pub(crate) ids: Vec<Uuid>,
    /// Who had it before.
    pub(crate) employee: Column,
    /// The team that had it before.
    pub(crate) team: Column,
    /// Who got it.
    pub(crate) to_employee: Column,
    /// The team that got it.
    pub(crate) to_team: Column,
}

impl HandOffs {
    /// Adds a hand-off from an employee and a team to others.
    pub(crate) fn push(&mut self, stamp: Stamp, case: u32, at: i64, from: [&str; 2], to: [&str; 2]) {
        let row = self.cases.len();
        self.times.put(row, at, stamp.written);
        self.cases.push(case);
        self.ids.push(stamp.id);
        let columns = [&mut self.employee, &mut self.team, &mut self.to_employee, &mut self.to_team];
        columns.into_iter().zip([from, to].concat()).for_each(|(column, text)| column.set(row, text));
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.times.restore();
        let columns = [&mut self.employee, &mut self.team, &mut self.to_employee, &mut self.to_team];
        columns.into_iter().for_each(Column::restore);
    }
}
