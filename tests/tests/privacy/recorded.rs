//! What all recorded facts have in common: they are recorded, imported, read, amended and withdrawn.

use barometer_tests::samples::mask;
use prost::Message;
use prost_reflect::{DynamicMessage, MapKey, ReflectMessage, Value};

use crate::caller::{Caller, MARK};

/// A kind of fact.
pub(crate) struct Noun<'n> {
    /// `barometer.….Service`.
    pub(crate) service: &'n str,
    /// `Record`, `Submit` or `Open`.
    pub(crate) verb: &'n str,
    /// `AttributeChange`.
    pub(crate) name: &'n str,
    /// `attribute_change`.
    pub(crate) field: &'n str,
    /// A good one, with a mark in everything personal, and with the mark as its key.
    pub(crate) sample: Vec<u8>,
}

/// Calls the methods that every kind has.
pub(crate) async fn call_all(caller: &mut Caller, noun: Noun<'_>) {
    let Noun { service, verb, name, field, sample } = noun;
    let (id, method) = (format!("{field}_id"), |verb: &str, end: &str| format!("{service}/{verb}{name}{end}"));

    let record = method(verb, "");
    let mut request = caller.request(&record);
    request.set_field_by_name(field, message(&request, field, &sample));
    let recorded = caller.call_dynamic(&record, request).await;
    let recorded_id = get(&recorded, &id);

    let import = method("Import", "s");
    let mut request = caller.request(&import);
    let rows = request.descriptor().get_field_by_name("rows").expect("rows");
    let mut row = DynamicMessage::new(rows.kind().as_message().expect("messages").clone());
    let mut second = message(&row, field, &sample);
    if let Some(Value::Message(key)) =
        second.as_message_mut().and_then(|fact| fact.get_field_by_name_mut("external_id"))
    {
        key.set_field_by_name("value", Value::String(format!("{MARK}2")));
    }
    row.set_field_by_name("row", Value::I64(1));
    row.set_field_by_name(field, second);
    request.set_field_by_name("rows", Value::List(vec![Value::Message(row)]));
    let imported = caller.call_dynamic(&import, request).await;
    assert_eq!(get(&imported, "rejected"), Value::List(Vec::new()), "{import}");

    for (by, value) in [(id.as_str(), recorded_id.clone()), ("external_id", get(&recorded, "external_id"))] {
        let mut request = caller.request(&method("Get", ""));
        request.set_field_by_name(by, value);
        caller.call_dynamic(&method("Get", ""), request).await;
    }
    caller.call_dynamic(&method("List", "s"), caller.request(&method("List", "s"))).await;

    let mut request = caller.request(&method("Amend", ""));
    let mut amended = recorded;
    if let Some(Value::Map(dimensions)) = amended.get_field_by_name_mut("dimensions") {
        dimensions.insert(MapKey::String("region".to_owned()), Value::String("south".to_owned()));
    }
    amended.clear_field_by_name("etag");
    request.set_field_by_name(field, Value::Message(amended));
    let paths = mask(&["dimensions"]).expect("a mask").encode_to_vec();
    request.set_field_by_name("update_mask", message(&request, "update_mask", &paths));
    caller.call_dynamic(&method("Amend", ""), request).await;

    let mut request = caller.request(&method("Withdraw", ""));
    request.set_field_by_name(&id, recorded_id);
    caller.call_dynamic(&method("Withdraw", ""), request).await;
}

fn get(message: &DynamicMessage, field: &str) -> Value {
    message.get_field_by_name(field).unwrap_or_else(|| panic!("no {field} in {message}")).into_owned()
}

/// A message for a field of another.
fn message(of: &DynamicMessage, field: &str, bytes: &[u8]) -> Value {
    let field = of.descriptor().get_field_by_name(field).unwrap_or_else(|| panic!("no {field} in {of}"));
    let descriptor = field.kind().as_message().expect("a message").clone();
    Value::Message(DynamicMessage::decode(descriptor, bytes).expect("a message of this kind"))
}
