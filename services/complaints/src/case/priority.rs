//! Priorities: how urgent a case is, by a table of how bad it is and what its customer is worth.

use std::{fmt, str::FromStr};

use barometer_proto::complaints::v1::{Priority, Severity};

use super::Model;

/// The value band of whom nothing is known.
pub const UNKNOWN_BAND: &str = "unknown";

/// The bands that the table tells apart, from the lowest. Who is in none of them, e.g. `unknown`, is treated as `medium`.
const BANDS: [&str; 3] = ["low", "medium", "high"];
const OTHERWISE: usize = 1;

/// The severities, from the lowest.
const SEVERITIES: [(&str, Severity); 4] =
    [("low", Severity::Low), ("medium", Severity::Medium), ("high", Severity::High), ("critical", Severity::Critical)];

/// The priorities, from the lowest.
const PRIORITIES: [(&str, Priority); 4] =
    [("low", Priority::Low), ("normal", Priority::Normal), ("high", Priority::High), ("urgent", Priority::Urgent)];

/// The priority of each severity and value band. By default:
///
/// | severity | low    | medium, or unknown | high   |
/// |----------|--------|--------------------|--------|
/// | low      | low    | low                | normal |
/// | medium   | low    | normal             | high   |
/// | high     | normal | high               | urgent |
/// | critical | urgent | urgent             | urgent |
///
/// A danger is urgent whoever is in it; else the customers who are worth most come one step earlier, and those who are
/// worth least one step later. As text: `low=low,low,normal;medium=low,normal,high;…`, one row for each severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorityTable([[Priority; 3]; 4]);

impl Default for PriorityTable {
    fn default() -> Self {
        use Priority::{High, Low, Normal, Urgent};
        PriorityTable([[Low, Low, Normal], [Low, Normal, High], [Normal, High, Urgent], [Urgent; 3]])
    }
}

impl PriorityTable {
    /// The priority of a case of `severity` whose customer is in `band`. A severity that is not known counts as medium.
    pub fn priority(&self, severity: Severity, band: &str) -> Priority {
        let row = SEVERITIES.iter().position(|(_, known)| *known == severity).unwrap_or(OTHERWISE);
        let column = BANDS.iter().position(|known| *known == band).unwrap_or(OTHERWISE);
        self.0[row][column]
    }

    /// The priority of a case: as somebody set it, or by the table.
    pub fn of(&self, case: &Model) -> Priority {
        if case.priority_overridden { case.priority() } else { self.priority(case.severity(), &case.value_band) }
    }
}

impl FromStr for PriorityTable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut rows = [None; 4];
        for row in text.split(';') {
            let (severity, priorities) = row.split_once('=').ok_or_else(|| format!("`{row}` is no SEVERITY=…"))?;
            let at = SEVERITIES.iter().position(|(name, _)| *name == severity.trim());
            let at =
                at.ok_or_else(|| format!("`{severity}` is none of {}", names(SEVERITIES.map(|(name, _)| name))))?;
            let priorities: Vec<Priority> = priorities.split(',').map(priority).collect::<Result<_, _>>()?;
            let priorities = <[Priority; 3]>::try_from(priorities);
            let priorities =
                priorities.map_err(|_| format!("`{row}` names not one priority for each of {}", names(BANDS)))?;
            if rows[at].replace(priorities).is_some() {
                return Err(format!("`{}` is given twice", severity.trim()));
            }
        }
        let mut table = Self::default();
        for ((row, given), (name, _)) in table.0.iter_mut().zip(rows).zip(SEVERITIES) {
            *row = given.ok_or_else(|| format!("`{name}` is not given"))?;
        }
        Ok(table)
    }
}

impl fmt::Display for PriorityTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |of: &Priority| PRIORITIES.iter().find(|(_, known)| known == of).map_or("", |(name, _)| name);
        let row = |((severity, _), row): (&(&str, Severity), &[Priority; 3])| {
            format!("{severity}={}", row.iter().map(name).collect::<Vec<_>>().join(","))
        };
        f.write_str(&SEVERITIES.iter().zip(&self.0).map(row).collect::<Vec<_>>().join(";"))
    }
}

fn priority(name: &str) -> Result<Priority, String> {
    let found = PRIORITIES.iter().find(|(known, _)| *known == name.trim());
    found
        .map(|(_, found)| *found)
        .ok_or_else(|| format!("`{name}` is none of {}", names(PRIORITIES.map(|(name, _)| name))))
}

fn names<const N: usize>(names: [&str; N]) -> String {
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::{array, prelude::*, sample::select};

    use super::*;

    fn refused(text: &str) -> String {
        text.parse::<PriorityTable>().expect_err(text)
    }

    #[test]
    fn the_worse_and_the_more_valuable_the_sooner() {
        let table = PriorityTable::default();
        for band in BANDS {
            let column: Vec<_> = SEVERITIES.iter().map(|(_, severity)| table.priority(*severity, band)).collect();
            assert!(column.is_sorted(), "{band}: {column:?}");
        }
        for (_, severity) in SEVERITIES {
            let row: Vec<_> = BANDS.iter().map(|band| table.priority(severity, band)).collect();
            assert!(row.is_sorted(), "{severity:?}: {row:?}");
            assert_eq!(table.priority(severity, UNKNOWN_BAND), row[1]);
            assert_eq!(table.priority(severity, "platinum"), row[1]);
        }
        assert_eq!(table.priority(Severity::Unspecified, "high"), table.priority(Severity::Medium, "high"));
    }

    #[test]
    fn what_somebody_set_stays() {
        let case = Model { severity: Severity::High.into(), value_band: "high".to_owned(), ..Model::default() };
        let set = Model { priority: Priority::Low.into(), priority_overridden: true, ..case.clone() };
        let table = PriorityTable::default();
        assert_eq!((table.of(&case), table.of(&set)), (Priority::Urgent, Priority::Low));
    }

    #[test]
    fn a_table_names_every_severity_once() {
        assert_eq!(refused("low"), "`low` is no SEVERITY=…");
        assert_eq!(refused("awful=low,low,low"), "`awful` is none of low, medium, high, critical");
        assert_eq!(refused("low=low,soon,low"), "`soon` is none of low, normal, high, urgent");
        assert_eq!(refused("low=low,low"), "`low=low,low` names not one priority for each of low, medium, high");
        assert_eq!(refused("low=low,low,low;low=low,low,low"), "`low` is given twice");
        assert_eq!(refused("low=low,low,low;high=low,low,low;critical=low,low,low"), "`medium` is not given");
    }

    proptest! {
        #[test]
        fn tables_are_read_as_they_are_written(rows in array::uniform4(array::uniform3(select(PRIORITIES.map(|(_, p)| p).to_vec())))) {
            let table = PriorityTable(rows);
            prop_assert_eq!(table.to_string().parse(), Ok(table));
        }
    }
}
