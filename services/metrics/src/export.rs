//! Tables for other programs: rows of cells, written as CSV or as Parquet while they are made, and streamed.
//!
//! [`facts`], [`figures`] and [`states`] make the rows, [`csv`] and [`parquet`] write them, [`stream`] brings them to whoever asked, no
//! faster than they are read.

mod csv;
pub(crate) mod facts;
mod fields;
pub(crate) mod figures;
pub(crate) mod kinds;
mod parquet;
pub(crate) mod states;
pub(crate) mod stream;

use barometer_chassis::error::Error;
use barometer_proto::metrics::v1 as wire;

/// The most rows that are made at a time.
pub(crate) const BATCH: usize = 1_000;

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: CellKind,
}

impl Column {
    /// A column of that name.
    pub(crate) fn new(name: impl Into<String>, kind: CellKind) -> Self {
        Column { name: name.into(), kind }
    }
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellKind {
    /// Texts and ids.
    Text,
    /// Whole numbers.
    Whole,
    /// Other numbers.
    Real,
    /// Truth.
    Flag,
    /// Instants.
    Time,
    /// Amounts of money, whose currency is in another column.
    Money,
}

/// A cell: absent, or what its column says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Cell {
    /// There is nothing.
    #[default]
    Absent,
    /// Not empty: an empty text is absent.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// Another number.
    Real(f64),
    /// Truth.
    Flag(bool),
    /// Microseconds since 1970, UTC.
    Time(i64),
    /// Millionths of a unit.
    Money(i128),
}

impl Cell {
    /// A text; absent when it is empty.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Cell::Absent } else { Cell::Text(text) }
    }
}

/// The cells of a row, one for each column.
pub(crate) type Row = Vec<Cell>;

/// Where the rows of a table come from.
pub(crate) trait Rows: Send + 'static {
    /// The columns of each row.
    fn columns(&self) -> &[Column];

    /// The next rows, about [`BATCH`] at most and perhaps none; nothing once that was all.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Row>>, Error>> + Send;

    /// What the rows were made of, once that was all.
    fn freshness(&self) -> Vec<wire::Freshness>;
}

/// How a table is written.
trait Writer: Send {
    /// Takes rows in; gives the bytes that are ready.
    fn write(&mut self, rows: Vec<Row>) -> Result<Vec<u8>, Error>;

    /// The last bytes. Nothing is written after them.
    fn finish(&mut self) -> Result<Vec<u8>, Error>;
}

/// A format of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Lines of text.
    Csv,
    /// Columns in binary.
    Parquet,
}

impl Format {
    /// The format that a request names.
    pub(crate) fn find(format: wire::ExportFormat) -> Self {
        match format {
            wire::ExportFormat::Unspecified | wire::ExportFormat::Csv => Format::Csv,
            wire::ExportFormat::Parquet => Format::Parquet,
        }
    }

    /// The end of a file's name.
    fn extension(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Parquet => "parquet",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Parquet => "application/vnd.apache.parquet",
        }
    }

    fn writer(self, columns: &[Column]) -> Result<Box<dyn Writer>, Error> {
        Ok(match self {
            Format::Csv => Box::new(csv::Csv::new(columns)?),
            Format::Parquet => Box::new(parquet::Parquet::new(columns)?),
        })
    }
}

#[cfg(test)]
mod tests;
