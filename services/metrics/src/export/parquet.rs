//! Tables as Parquet: row group after row group.

use std::{mem::size_of, sync::Arc};

use ::parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical},
    column::writer::ColumnWriter,
    data_type::{ByteArray, FixedLenByteArray},
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties, WriterVersion},
        writer::SerializedFileWriter,
    },
    schema::types::{Type, TypePtr},
};
use barometer_chassis::error::Error;

use super::{Cell, CellKind, Column, Row, Writer};

/// The most rows of a row group.
const GROUP_ROWS: usize = 100_000;
/// A row group is closed when the values that wait for it take so much memory.
const GROUP_BYTES: usize = 16 * 1024 * 1024;
/// Decimal digits of amounts, and how many of them come after the point.
const DIGITS: i32 = 38;
const DECIMALS: i32 = 6;

/// Writes row groups. It holds the values of one.
pub(super) struct Parquet {
    /// Until it is finished.
    file: Option<SerializedFileWriter<Vec<u8>>>,
    columns: Vec<Values>,
    rows: usize,
    /// Memory that the values take.
    held: usize,
}

impl Parquet {
    /// A table of these columns.
    pub(super) fn new(columns: &[Column]) -> Result<Self, Error> {
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_created_by(concat!("barometer ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .build();
        let schema = schema(columns).map_err(internal)?;
        let file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).map_err(internal)?;
        let columns = columns.iter().map(|column| Values::new(column.kind)).collect();
        Ok(Parquet { file: Some(file), columns, rows: 0, held: 0 })
    }

    fn push(&mut self, row: Row) -> Result<(), Error> {
        if row.len() != self.columns.len() {
            return Err(Error::Internal(format!("a row of {} cells", row.len())));
        }
        for (values, cell) in self.columns.iter_mut().zip(row) {
            self.held += values.push(cell)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Writes what waits as a row group.
    fn close_group(&mut self) -> Result<(), Error> {
        let Some(file) = self.file.as_mut().filter(|_| self.rows > 0) else { return Ok(()) };
        let mut group = file.next_row_group().map_err(internal)?;
        for values in &mut self.columns {
            let Some(mut column) = group.next_column().map_err(internal)? else { break };
            values.write(column.untyped()).map_err(internal)?;
            column.close().map_err(internal)?;
        }
        group.close().map_err(internal)?;
        (self.rows, self.held) = (0, 0);
        Ok(())
    }
}

impl Writer for Parquet {
    fn write(&mut self, rows: Vec<Row>) -> Result<Vec<u8>, Error> {
        for row in rows {
            self.push(row)?;
            if self.rows >= GROUP_ROWS || self.held >= GROUP_BYTES {
                self.close_group()?;
            }
        }
        Ok(self.file.as_mut().map(|file| std::mem::take(file.inner_mut())).unwrap_or_default())
    }

    fn finish(&mut self) -> Result<Vec<u8>, Error> {
        self.close_group()?;
        match self.file.take() {
            Some(file) => file.into_inner().map_err(internal),
            None => Ok(Vec::new()),
        }
    }
}

fn schema(columns: &[Column]) -> Result<TypePtr, ParquetError> {
    let fields = columns.iter().map(|Column { name, kind }| {
        let of = |physical| Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        let field = match kind {
            CellKind::Text => of(Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::String)),
            CellKind::Whole => of(Physical::INT64),
            CellKind::Real => of(Physical::DOUBLE),
            CellKind::Flag => of(Physical::BOOLEAN),
            CellKind::Time => {
                of(Physical::INT64).with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::MICROS)))
            }
            CellKind::Money => of(Physical::FIXED_LEN_BYTE_ARRAY)
                .with_length(16)
                .with_logical_type(Some(LogicalType::decimal(DECIMALS, DIGITS)))
                .with_precision(DIGITS)
                .with_scale(DECIMALS),
        };
        field.build().map(Arc::new)
    });
    let fields = fields.collect::<Result<_, _>>()?;
    Ok(Arc::new(Type::group_type_builder("table").with_fields(fields).build()?))
}

/// The values of a column that wait for their row group.
struct Values {
    values: Typed,
    /// 1 where there is a value, 0 where it is absent.
    present: Vec<i16>,
}

enum Typed {
    Text(Vec<ByteArray>),
    Whole(Vec<i64>),
    Real(Vec<f64>),
    Flag(Vec<bool>),
    Time(Vec<i64>),
    /// Big-endian, as Parquet has decimal numbers.
    Money(Vec<FixedLenByteArray>),
}

impl Values {
    fn new(kind: CellKind) -> Self {
        let values = match kind {
            CellKind::Text => Typed::Text(Vec::new()),
            CellKind::Whole => Typed::Whole(Vec::new()),
            CellKind::Real => Typed::Real(Vec::new()),
            CellKind::Flag => Typed::Flag(Vec::new()),
            CellKind::Time => Typed::Time(Vec::new()),
            CellKind::Money => Typed::Money(Vec::new()),
        };
        Values { values, present: Vec::new() }
    }

    /// Takes a cell in; tells the memory that it takes.
    fn push(&mut self, cell: Cell) -> Result<usize, Error> {
        let present = cell != Cell::Absent;
        let taken = match (&mut self.values, cell) {
            (_, Cell::Absent) => 0,
            (Typed::Text(values), Cell::Text(text)) => {
                let taken = size_of::<ByteArray>() + text.len();
                values.push(ByteArray::from(text.into_bytes()));
                taken
            }
            (Typed::Whole(values), Cell::Whole(number)) | (Typed::Time(values), Cell::Time(number)) => {
                values.push(number);
                size_of::<i64>()
            }
            (Typed::Real(values), Cell::Real(number)) => {
                values.push(number);
                size_of::<f64>()
            }
            (Typed::Flag(values), Cell::Flag(flag)) => {
                values.push(flag);
                size_of::<bool>()
            }
            (Typed::Money(values), Cell::Money(micros)) => {
                values.push(FixedLenByteArray::from(micros.to_be_bytes().to_vec()));
                size_of::<FixedLenByteArray>() + size_of::<i128>()
            }
            (_, cell) => return Err(Error::Internal(format!("a cell of another kind: {cell:?}"))),
        };
        self.present.push(i16::from(present));
        Ok(taken + size_of::<i16>())
    }

    /// Writes the values and forgets them.
    fn write(&mut self, column: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        let present = Some(self.present.as_slice());
        match (&mut self.values, column) {
            (Typed::Text(values), ColumnWriter::ByteArrayColumnWriter(column)) => {
                column.write_batch(values, present, None)?;
                values.clear();
            }
            (Typed::Whole(values) | Typed::Time(values), ColumnWriter::Int64ColumnWriter(column)) => {
                column.write_batch(values, present, None)?;
                values.clear();
            }
            (Typed::Real(values), ColumnWriter::DoubleColumnWriter(column)) => {
                column.write_batch(values, present, None)?;
                values.clear();
            }
            (Typed::Flag(values), ColumnWriter::BoolColumnWriter(column)) => {
                column.write_batch(values, present, None)?;
                values.clear();
            }
            (Typed::Money(values), ColumnWriter::FixedLenByteArrayColumnWriter(column)) => {
                column.write_batch(values, present, None)?;
                values.clear();
            }
            _ => return Err(ParquetError::General("a column of another kind".to_owned())),
        }
        self.present.clear();
        Ok(())
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn internal(error: ParquetError) -> Error {
    Error::Internal(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it holds never passes the bound by more than a row, and everything that it gives is given at once.
    #[test]
    fn it_holds_one_row_group_at_most() {
        let columns = [Column::new("text", CellKind::Text), Column::new("number", CellKind::Whole)];
        let mut table = Parquet::new(&columns).expect("columns");
        let row = || vec![Cell::Text("x".repeat(10_000)), Cell::Whole(7)];
        let largest = 10_000 + 2 * size_of::<ByteArray>();
        let mut groups = 0;
        for _ in 0..60 {
            let given = table.write(vec![row(); 100]).expect("rows");
            assert!(table.held < GROUP_BYTES + largest, "{}", table.held);
            assert!(table.file.as_ref().is_some_and(|file| file.inner().is_empty()), "what is given is held no more");
            groups += usize::from(given.len() > 4);
        }
        // 60 MB of text are more than three of 16 MiB.
        assert_eq!(groups, 3);
        let rows = vec![vec![Cell::Absent, Cell::Absent]; GROUP_ROWS + 1];
        table.finish().expect("an end");
        let mut table = Parquet::new(&columns).expect("columns");
        table.write(rows).expect("rows");
        assert_eq!(table.rows, 1, "a group has 100,000 rows at most");
    }

    #[test]
    fn cells_of_another_kind_are_refused() {
        let mut table = Parquet::new(&[Column::new("number", CellKind::Whole)]).expect("a column");
        assert!(table.write(vec![vec![Cell::text("7")]]).is_err());
        assert!(table.write(vec![vec![Cell::Whole(7), Cell::Absent]]).is_err());
    }
}
