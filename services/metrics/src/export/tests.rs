//! Both formats tell the same: what is read back is what was written.

use ::parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};
use bytes::Bytes;
use proptest::prelude::*;

use super::*;

const KINDS: [CellKind; 6] =
    [CellKind::Text, CellKind::Whole, CellKind::Real, CellKind::Flag, CellKind::Time, CellKind::Money];

fn written(format: Format, columns: &[Column], rows: &[Row], batch: usize) -> Vec<u8> {
    let mut writer = format.writer(columns).expect("columns");
    let mut bytes = Vec::new();
    for some in rows.chunks(batch) {
        bytes.extend(writer.write(some.to_vec()).expect("rows"));
    }
    bytes.extend(writer.finish().expect("an end"));
    bytes
}

fn read_csv(columns: &[Column], bytes: &[u8]) -> Vec<Row> {
    let mut lines = ::csv::Reader::from_reader(bytes);
    let names = columns.iter().map(|column| column.name.as_str());
    assert!(lines.headers().expect("a header").iter().eq(names));
    let cell = |kind: CellKind, text: &str| match kind {
        _ if text.is_empty() => Cell::Absent,
        CellKind::Text => Cell::text(text.strip_prefix('\'').unwrap_or(text)),
        CellKind::Whole => Cell::Whole(text.parse().expect("a whole number")),
        CellKind::Real => Cell::Real(text.parse().expect("a number")),
        CellKind::Flag => Cell::Flag(text.parse().expect("true or false")),
        CellKind::Time => Cell::Time(text.parse::<jiff::Timestamp>().expect("an instant").as_microsecond()),
        CellKind::Money => {
            let (units, decimals) = text.split_once('.').unwrap_or((text, ""));
            Cell::Money(format!("{units}{decimals:0<6}").parse().expect("a decimal number"))
        }
    };
    let row = |record: ::csv::StringRecord| {
        columns.iter().zip(&record).map(|(column, text)| cell(column.kind, text)).collect()
    };
    lines.records().map(|record| row(record.expect("as many cells as columns"))).collect()
}

fn read_parquet(columns: &[Column], bytes: Vec<u8>) -> Vec<Row> {
    let file = SerializedFileReader::new(Bytes::from(bytes)).expect("a file of Parquet");
    let fields = file.metadata().file_metadata().schema().get_fields().to_vec();
    assert!(fields.iter().map(|field| field.name()).eq(columns.iter().map(|column| column.name.as_str())));
    let cell = |field: &Field| match field {
        Field::Null => Cell::Absent,
        Field::Str(text) => Cell::text(text),
        Field::Long(number) => Cell::Whole(*number),
        Field::Double(number) => Cell::Real(*number),
        Field::Bool(flag) => Cell::Flag(*flag),
        Field::TimestampMicros(at) => Cell::Time(*at),
        Field::Decimal(decimal) => {
            assert_eq!((decimal.precision(), decimal.scale()), (38, 6));
            Cell::Money(i128::from_be_bytes(decimal.data().try_into().expect("16 bytes")))
        }
        other => panic!("{other:?}"),
    };
    let rows = file.get_row_iter(None).expect("rows");
    rows.map(|row| row.expect("a row").get_column_iter().map(|(_, field)| cell(field)).collect()).collect()
}

fn columns_of(kinds: &[CellKind]) -> Vec<Column> {
    kinds.iter().zip(0..).map(|(kind, at)| Column::new(format!("c{at}"), *kind)).collect()
}

fn check(kinds: &[CellKind], rows: &[Row], batch: usize) {
    let columns = columns_of(kinds);
    assert_eq!(read_csv(&columns, &written(Format::Csv, &columns, rows, batch)), rows);
    assert_eq!(read_parquet(&columns, written(Format::Parquet, &columns, rows, batch)), rows);
}

#[test]
fn tables_without_rows_are_tables() {
    check(&KINDS, &[], 1);
}

#[test]
fn the_extremes_are_kept() {
    let row = |text: &str, whole, real, time, money| {
        vec![
            Cell::text(text),
            Cell::Whole(whole),
            Cell::Real(real),
            Cell::Flag(whole > 0),
            Cell::Time(time),
            Cell::Money(money),
        ]
    };
    let rows = [
        row("\"', \r\n,;\u{feff}é🙂", i64::MAX, f64::MAX, 253_402_207_200_000_000, i128::MAX / 2),
        row("''", i64::MIN, f64::MIN_POSITIVE, -62_135_596_800_000_000, -i128::MAX / 2),
        vec![Cell::Absent; 6],
        row("\n", 0, -0.0, 0, 0),
    ];
    check(&KINDS, &rows, 1);
}

#[test]
fn tables_of_several_row_groups_keep_their_order() {
    let rows: Vec<Row> = (0..100_500).map(|n| vec![Cell::Whole(n), Cell::text(format!("=A{n}"))]).collect();
    check(&[CellKind::Whole, CellKind::Text], &rows, BATCH);
}

fn cell(kind: CellKind) -> BoxedStrategy<Cell> {
    let value = match kind {
        CellKind::Text => prop_oneof!["\\PC{0,20}", "[=+@'\"\r\n\t,;-]{1,4}[a-z]?"].prop_map(Cell::text).boxed(),
        CellKind::Whole => any::<i64>().prop_map(Cell::Whole).boxed(),
        CellKind::Real => any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Cell::Real).boxed(),
        CellKind::Flag => any::<bool>().prop_map(Cell::Flag).boxed(),
        CellKind::Time => (-62_135_596_800_000_000i64..253_402_207_200_000_000).prop_map(Cell::Time).boxed(),
        CellKind::Money => (-(10i128.pow(38) - 1)..10i128.pow(38)).prop_map(Cell::Money).boxed(),
    };
    prop_oneof![1 => Just(Cell::Absent), 3 => value].boxed()
}

proptest! {
    #[test]
    fn what_is_read_is_what_was_written(
        (kinds, rows) in proptest::collection::vec(proptest::sample::select(KINDS.to_vec()), 1..8).prop_flat_map(|kinds| {
            let row = kinds.iter().map(|kind| cell(*kind)).collect::<Vec<_>>();
            (Just(kinds), proptest::collection::vec(row, 0..30))
        }),
        batch in 1usize..40,
    ) {
        check(&kinds, &rows, batch);
    }

    /// How the rows are brought makes no difference.
    #[test]
    fn the_same_table_has_the_same_bytes(rows in proptest::collection::vec(cell(CellKind::Text), 0..60), batch in 1usize..40) {
        let columns = columns_of(&[CellKind::Text]);
        let rows: Vec<Row> = rows.into_iter().map(|cell| vec![cell]).collect();
        for format in [Format::Csv, Format::Parquet] {
            prop_assert_eq!(written(format, &columns, &rows, batch), written(format, &columns, &rows, 1));
        }
    }
}
