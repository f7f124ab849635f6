//! Tables as CSV: RFC 4180.

use std::borrow::Cow;

use ::csv::{Terminator, WriterBuilder};
use barometer_chassis::error::Error;
use jiff::{Timestamp, fmt::temporal::DateTimePrinter};

use super::{Cell, Column, Row, Writer};

/// Micro-units of a unit.
const MICROS: u128 = 1_000_000;

/// Writes lines.
pub(super) struct Csv {
    /// The header line, until it was given.
    header: Vec<u8>,
}

impl Csv {
    /// A table of these columns.
    pub(super) fn new(columns: &[Column]) -> Result<Self, Error> {
        let names = columns.iter().map(|column| inert(&column.name).into_owned()).collect();
        Ok(Csv { header: lines(Vec::new(), [names])? })
    }
}

impl Writer for Csv {
    fn write(&mut self, rows: Vec<Row>) -> Result<Vec<u8>, Error> {
        lines(std::mem::take(&mut self.header), rows.into_iter().map(|row| row.into_iter().map(text).collect()))
    }

    fn finish(&mut self) -> Result<Vec<u8>, Error> {
        Ok(std::mem::take(&mut self.header))
    }
}

/// Appends records to `to`.
fn lines(to: Vec<u8>, records: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>, Error> {
    let mut lines = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(to);
    for record in records {
        lines.write_record(record).map_err(|error| Error::Internal(error.to_string()))?;
    }
    lines.into_inner().map_err(|error| Error::Internal(error.to_string()))
}

fn text(cell: Cell) -> String {
    match cell {
        Cell::Absent => String::new(),
        Cell::Text(text) => match inert(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(inert) => inert,
        },
        Cell::Whole(number) => number.to_string(),
        Cell::Real(number) => real(number),
        Cell::Flag(flag) => flag.to_string(),
        Cell::Time(micros) => instant(micros),
        Cell::Money(micros) => money(micros),
    }
}

/// A text that no spreadsheet takes for a formula. Taking one apostrophe from its beginning, if there is one, gives the text.
fn inert(text: &str) -> Cow<'_, str> {
    let begins_a_formula = |first: char| "=+-@＝＋－＠\t\r\n'".contains(first);
    if text.starts_with(begins_a_formula) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// A number with all the digits that it takes to read the same one again; whole numbers without a point.
fn real(number: f64) -> String {
    // Beyond this not every whole number is a double.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < WHOLE {
        // Adding zero takes the sign from a negative zero.
        format!("{:.0}", number + 0.0)
    } else {
        format!("{number:?}")
    }
}

/// An instant in UTC, always with six decimals: programs that guess the form from the first line guess right.
pub(super) fn instant(micros: i64) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
    match Timestamp::from_microsecond(micros) {
        Ok(at) => PRINTER.timestamp_to_string(&at),
        // No fact lies beyond the calendar.
        Err(_) => String::new(),
    }
}

/// A decimal number without needless zeros.
pub(super) fn money(micros: i128) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let (units, rest) = (micros.unsigned_abs() / MICROS, micros.unsigned_abs() % MICROS);
    if rest == 0 {
        return format!("{sign}{units}");
    }
    let decimals = format!("{rest:06}");
    format!("{sign}{units}.{}", decimals.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::CellKind;

    fn written(columns: &[&str], rows: Vec<Row>) -> String {
        let columns: Vec<_> = columns.iter().map(|name| Column::new(*name, CellKind::Text)).collect();
        let mut csv = Csv::new(&columns).expect("columns");
        let mut bytes = csv.write(rows).expect("rows");
        bytes.extend(csv.finish().expect("an end"));
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn cells_that_need_it_are_quoted() {
        let texts = ["plain", "a,b", "say \"so\"", "two\nlines", "Chișinău 🙂", ""].map(Cell::text).to_vec();
        let told = written(&["a", "b", "c", "d", "e", "f"], vec![texts]);
        assert_eq!(told, "a,b,c,d,e,f\r\nplain,\"a,b\",\"say \"\"so\"\"\",\"two\nlines\",Chișinău 🙂,\r\n");
    }

    #[test]
    fn without_rows_there_is_a_header() {
        assert_eq!(written(&["a", "b"], vec![]), "a,b\r\n");
    }

    #[test]
    fn values_are_exact() {
        for (cell, told) in [
            (Cell::Absent, ""),
            (Cell::Whole(i64::MIN), "-9223372036854775808"),
            (Cell::Real(2746.0), "2746"),
            (Cell::Real(-0.0), "0"),
            (Cell::Real(1e300), "1e300"),
            (Cell::Real(0.1 + 0.2), "0.30000000000000004"),
            (Cell::Flag(true), "true"),
            (Cell::Time(0), "1970-01-01T00:00:00.000000Z"),
            (Cell::Time(-1), "1969-12-31T23:59:59.999999Z"),
            (Cell::Money(12_500_000), "12.5"),
            (Cell::Money(-50_000), "-0.05"),
            (Cell::Money(1), "0.000001"),
            (Cell::Money(i128::from(i64::MAX) * 1_000_000), "9223372036854775807"),
        ] {
            assert_eq!(text(cell.clone()), told, "{cell:?}");
        }
    }

    #[test]
    fn no_text_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1", "'=1"] {
            assert_eq!(text(Cell::text(formula)), format!("'{formula}"));
        }
        for plain in ["a=1", " =1", "web", "{\"a\":\"=1\"}", "\"=1"] {
            assert_eq!(text(Cell::text(plain)), plain);
        }
        // Numbers are no texts.
        assert_eq!(text(Cell::Whole(-1)), "-1");
        assert_eq!(text(Cell::Money(-1_000_000)), "-1");
    }
}
