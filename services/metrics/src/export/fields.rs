//! Messages as cells: what becomes of each field is read from the contract.

use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Cell, CellKind, Column, csv};

/// The fields of a message, in the order of their numbers.
#[derive(Clone, Debug)]
pub(super) struct Fields(Vec<Field>);

#[derive(Clone, Debug)]
struct Field {
    name: String,
    descriptor: FieldDescriptor,
    shape: Shape,
}

/// What becomes of a field.
#[derive(Clone, Debug)]
enum Shape {
    Text,
    Whole,
    Real,
    Flag,
    /// The name of the value, without what all its names begin with.
    Choice(EnumDescriptor),
    Time,
    /// Microseconds.
    Duration,
    /// An amount and its currency.
    Money,
    /// A cell for each of its fields.
    Part(Fields),
    /// A list of messages, as JSON.
    Parts(Fields),
    /// A list of values of an enum, as JSON.
    Choices(EnumDescriptor),
    /// Texts by name, as JSON.
    Texts,
}

impl Fields {
    /// Of messages of this kind. What no table can hold is left out; a test says that there is nothing such.
    pub(super) fn of(message: &MessageDescriptor) -> Self {
        let mut descriptors: Vec<_> = message.fields().collect();
        descriptors.sort_by_key(FieldDescriptor::number);
        let field = |descriptor: FieldDescriptor| {
            let shape = shape_of(&descriptor)?;
            let unit = if matches!(shape, Shape::Duration) { "_micros" } else { "" };
            Some(Field { name: format!("{}{unit}", descriptor.name()), descriptor, shape })
        };
        Fields(descriptors.into_iter().filter_map(field).collect())
    }

    /// The columns that they have.
    pub(super) fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        for Field { name, shape, .. } in &self.0 {
            let kind = match shape {
                Shape::Text | Shape::Choice(_) | Shape::Parts(_) | Shape::Choices(_) | Shape::Texts => CellKind::Text,
                Shape::Whole | Shape::Duration => CellKind::Whole,
                Shape::Real => CellKind::Real,
                Shape::Flag => CellKind::Flag,
                Shape::Time => CellKind::Time,
                Shape::Money => {
                    columns.push(Column::new(name, CellKind::Money));
                    columns.push(Column::new(format!("{name}_currency"), CellKind::Text));
                    continue;
                }
                Shape::Part(fields) => {
                    let inner = fields.columns().into_iter();
                    columns.extend(inner.map(|column| Column::new(format!("{name}_{}", column.name), column.kind)));
                    continue;
                }
            };
            columns.push(Column::new(name, kind));
        }
        columns
    }

    /// Appends the cells of a message, one for each column; they are absent when it is.
    pub(super) fn cells(&self, message: Option<&DynamicMessage>, cells: &mut Vec<Cell>) {
        for Field { descriptor, shape, .. } in &self.0 {
            let has = |message: &&DynamicMessage| !descriptor.supports_presence() || message.has_field(descriptor);
            let value = message.filter(has).map(|message| message.get_field(descriptor));
            let value = value.as_deref();
            match (shape, value) {
                (Shape::Money, value) => {
                    let money = value.and_then(Value::as_message);
                    cells.push(money.map_or(Cell::Absent, amount_of));
                    let currency = money.and_then(|money| money.get_field_by_name("currency_code"));
                    cells.push(Cell::text(currency.as_deref().and_then(Value::as_str).unwrap_or_default()));
                }
                (Shape::Part(fields), value) => fields.cells(value.and_then(Value::as_message), cells),
                (_, None) => cells.push(Cell::Absent),
                (shape, Some(value)) => cells.push(shape.cell(value)),
            }
        }
    }

    /// A message as an object.
    fn object(&self, message: &DynamicMessage) -> Object {
        let mut cells = Vec::new();
        self.cells(Some(message), &mut cells);
        let names = self.columns().into_iter().map(|column| column.name);
        Object(names.zip(cells).filter(|(_, cell)| *cell != Cell::Absent).collect())
    }
}

impl Shape {
    /// The one cell of a value.
    fn cell(&self, value: &Value) -> Cell {
        match (self, value) {
            (Shape::Text, Value::String(text)) => Cell::text(text),
            (Shape::Whole, value) => whole(value).map_or(Cell::Absent, Cell::Whole),
            (Shape::Real, Value::F64(number)) => Cell::Real(*number),
            (Shape::Flag, Value::Bool(flag)) => Cell::Flag(*flag),
            (Shape::Choice(of), Value::EnumNumber(number)) => Cell::text(choice(of, *number)),
            (Shape::Time, Value::Message(at)) => micros(at).map_or(Cell::Absent, Cell::Time),
            (Shape::Duration, Value::Message(length)) => micros(length).map_or(Cell::Absent, Cell::Whole),
            (Shape::Parts(fields), Value::List(parts)) => {
                json(&parts.iter().filter_map(Value::as_message).map(|part| fields.object(part)).collect::<Vec<_>>())
            }
            (Shape::Choices(of), Value::List(values)) => {
                let names = values.iter().filter_map(Value::as_enum_number).map(|number| choice(of, number));
                json(&names.map(Cell::Text).map(Item).collect::<Vec<_>>())
            }
            (Shape::Texts, Value::Map(texts)) => {
                let mut texts: Vec<_> =
                    texts.iter().filter_map(|(name, text)| Some((key(name)?, text.as_str()?))).collect();
                texts.sort_unstable();
                let cells = texts.into_iter().map(|(name, text)| (name.to_owned(), Cell::Text(text.to_owned())));
                let object = Object(cells.collect());
                if object.0.is_empty() { Cell::Absent } else { one(&object) }
            }
            _ => Cell::Absent,
        }
    }
}

fn shape_of(field: &FieldDescriptor) -> Option<Shape> {
    let kind = field.kind();
    if field.is_map() {
        let entry = kind.as_message()?;
        let of_texts =
            [1, 2].iter().all(|number| entry.get_field(*number).is_some_and(|field| field.kind() == Kind::String));
        return of_texts.then_some(Shape::Texts);
    }
    if field.is_list() {
        return match kind {
            Kind::Enum(of) => Some(Shape::Choices(of)),
            Kind::Message(of) => Some(Shape::Parts(Fields::of(&of))),
            _ => None,
        };
    }
    Some(match kind {
        Kind::String => Shape::Text,
        Kind::Int32 | Kind::Int64 => Shape::Whole,
        Kind::Double => Shape::Real,
        Kind::Bool => Shape::Flag,
        Kind::Enum(of) => Shape::Choice(of),
        Kind::Message(of) => match of.full_name() {
            "google.protobuf.Timestamp" => Shape::Time,
            "google.protobuf.Duration" => Shape::Duration,
            "barometer.common.v1.Money" => Shape::Money,
            _ => Shape::Part(Fields::of(&of)),
        },
        _ => return None,
    })
}

/// The instant in a field of a message, in microseconds.
pub(super) fn time_of(message: &DynamicMessage, field: &FieldDescriptor) -> Option<i64> {
    message.has_field(field).then(|| micros(message.get_field(field).as_message()?)).flatten()
}

fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_i32().map(i64::from))
}

fn number_in(message: &DynamicMessage, name: &str) -> Option<i64> {
    whole(message.get_field_by_name(name)?.as_ref())
}

/// Instants and durations both are seconds and billionths.
fn micros(message: &DynamicMessage) -> Option<i64> {
    let (seconds, nanos) = (number_in(message, "seconds")?, number_in(message, "nanos")?);
    seconds.checked_mul(1_000_000)?.checked_add(nanos / 1_000)
}

fn amount_of(money: &DynamicMessage) -> Cell {
    match (number_in(money, "units"), number_in(money, "nanos")) {
        (Some(units), Some(nanos)) => Cell::Money(i128::from(units) * 1_000_000 + i128::from(nanos / 1_000)),
        _ => Cell::Absent,
    }
}

/// The name of a value of an enum; empty when it is unspecified, its number when this version does not know it.
fn choice(of: &EnumDescriptor, number: i32) -> String {
    let unspecified = of.default_value();
    let prefix = unspecified.name().strip_suffix("UNSPECIFIED").unwrap_or_default();
    match of.get_value(number) {
        _ if number == 0 => String::new(),
        Some(value) => value.name().strip_prefix(prefix).unwrap_or(value.name()).to_owned(),
        None => number.to_string(),
    }
}

fn key(key: &MapKey) -> Option<&str> {
    if let MapKey::String(key) = key { Some(key) } else { None }
}

/// A list as JSON; absent when it is empty.
fn json(list: &[impl Serialize]) -> Cell {
    if list.is_empty() { Cell::Absent } else { one(&list) }
}

fn one(value: &impl Serialize) -> Cell {
    serde_json::to_string(value).map_or(Cell::Absent, Cell::Text)
}

/// Cells by name, in this order.
struct Object(Vec<(String, Cell)>);

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, cell) in &self.0 {
            map.serialize_entry(name, &Item(cell.clone()))?;
        }
        map.end()
    }
}

/// A cell in JSON: amounts and instants are texts, as in CSV.
struct Item(Cell);

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Cell::Absent => serializer.serialize_none(),
            Cell::Text(text) => serializer.serialize_str(text),
            Cell::Whole(number) => serializer.serialize_i64(*number),
            Cell::Real(number) => serializer.serialize_f64(*number),
            Cell::Flag(flag) => serializer.serialize_bool(*flag),
            Cell::Time(micros) => serializer.serialize_str(&csv::instant(*micros)),
            Cell::Money(micros) => serializer.serialize_str(&csv::money(*micros)),
        }
    }
}

#[cfg(test)]
mod tests {
    use barometer_proto::{
        common::v1::Money, complaints::v1 as complaints, customers::v1 as customers, surveys::v1 as surveys,
    };
    use prost::Message;
    use prost_reflect::DescriptorPool;

    use super::*;
    use crate::export::kinds::FactKind;

    fn cells(kind: &str, message: &impl Message) -> Vec<(String, Cell)> {
        let kind = FactKind::find(kind).expect("a kind");
        let descriptor = kind.field.kind().as_message().expect("a message").clone();
        let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).expect("its message");
        let mut cells = Vec::new();
        kind.fields.cells(Some(&message), &mut cells);
        let columns = kind.fields.columns();
        assert_eq!(columns.len(), cells.len());
        columns.into_iter().map(|column| column.name).zip(cells).collect()
    }

    fn there(cells: Vec<(String, Cell)>) -> Vec<(String, Cell)> {
        cells.into_iter().filter(|(_, cell)| *cell != Cell::Absent).collect()
    }

    fn expected(cells: &[(&str, Cell)]) -> Vec<(String, Cell)> {
        cells.iter().map(|(name, cell)| ((*name).to_owned(), cell.clone())).collect()
    }

    fn money(units: i64, nanos: i32) -> Option<Money> {
        Some(Money { currency_code: "EUR".to_owned(), units, nanos })
    }

    #[test]
    fn a_purchase_is_a_row() {
        let line = customers::PurchaseLineFact {
            category: "=shoes".to_owned(),
            quantity: 2,
            discount: None,
            amount: money(0, -50_000_000),
        };
        let purchase = customers::PurchaseFact {
            customer_id: "c".to_owned(),
            time: Some(prost_types::Timestamp { seconds: -1, nanos: 999_999_000 }),
            amount: money(12, 500_000_000),
            lines: vec![line],
            dimensions: [("store".to_owned(), "A \"1\"".to_owned()), ("brand".to_owned(), "b".to_owned())].into(),
            ..Default::default()
        };
        let told = there(cells("customers.purchase", &purchase));
        let lines = r#"[{"category":"=shoes","quantity":2,"amount":"-0.05","amount_currency":"EUR"}]"#;
        let row = [
            ("customer_id", Cell::text("c")),
            ("time", Cell::Time(-1)),
            ("amount", Cell::Money(12_500_000)),
            ("amount_currency", Cell::text("EUR")),
            ("lines", Cell::text(lines)),
            ("voucher", Cell::Flag(false)),
            ("dimensions", Cell::text(r#"{"brand":"b","store":"A \"1\""}"#)),
        ];
        assert_eq!(told, expected(&row));
    }

    #[test]
    fn what_is_absent_is_no_zero() {
        let answer = surveys::ResponseFact { score: Some(0), ..Default::default() };
        let row = [("score", Cell::Whole(0)), ("weight_trillionths", Cell::Whole(0)), ("imported", Cell::Flag(false))];
        assert_eq!(there(cells("surveys.response", &answer)), expected(&row));
        let none = there(cells("surveys.response", &surveys::ResponseFact::default()));
        assert_eq!(none, expected(&row[1..]));
    }

    #[test]
    fn enums_are_words_and_parts_have_columns_of_their_own() {
        let clock = complaints::CaseClockFact {
            kind: complaints::ClockKind::FirstResponse.into(),
            state: 77,
            target: Some(complaints::ClockDuration { amount: 3, unit: complaints::DurationUnit::Weeks.into() }),
            used: Some(complaints::ClockAmount { amount: Some(complaints::clock_amount::Amount::Days(0)) }),
            allowed: Some(complaints::ClockAmount {
                amount: Some(complaints::clock_amount::Amount::Time(prost_types::Duration {
                    seconds: 90,
                    nanos: 1_000,
                })),
            }),
            ..Default::default()
        };
        let told = there(cells("complaints.case_clock", &clock));
        let find = |name: &str| told.iter().find(|(column, _)| column == name).map(|(_, cell)| cell.clone());
        assert_eq!(find("kind"), Some(Cell::text("FIRST_RESPONSE")));
        assert_eq!(find("state"), Some(Cell::text("77")), "a value that a newer service has");
        assert_eq!((find("target_amount"), find("target_unit")), (Some(Cell::Whole(3)), Some(Cell::text("WEEKS"))));
        assert_eq!((find("used_days"), find("used_time_micros")), (Some(Cell::Whole(0)), None));
        assert_eq!((find("allowed_days"), find("allowed_time_micros")), (None, Some(Cell::Whole(90_000_001))));
        let step = complaints::EscalationFact {
            notified: vec![complaints::Audience::Owner.into(), complaints::Audience::TeamLead.into()],
            ..Default::default()
        };
        let told = cells("complaints.escalation", &step);
        assert!(told.contains(&("notified".to_owned(), Cell::text(r#"["OWNER","TEAM_LEAD"]"#))), "{told:?}");
    }

    #[test]
    fn no_field_of_a_fact_is_left_out_and_no_column_comes_twice() {
        let pool = DescriptorPool::decode(barometer_proto::FILE_DESCRIPTOR_SET).expect("the contract");
        assert!(pool.all_messages().len() > 100);
        for kind in FactKind::all() {
            let message = kind.field.kind().as_message().expect("a message").clone();
            assert_eq!(kind.fields.0.len(), message.fields().len(), "{}", kind.name);
            let columns = kind.fields.columns();
            let names: std::collections::BTreeSet<_> = columns.iter().map(|column| &column.name).collect();
            assert_eq!(names.len(), columns.len(), "{}", kind.name);
        }
    }
}
