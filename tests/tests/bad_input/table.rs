//! Tables of bad input: one row a case, made of a good request and what is wrong with it.

use std::collections::BTreeSet;

use barometer_proto::FILE_DESCRIPTOR_SET;
use barometer_proto::{
    complaints::v1::complaint_service_client::ComplaintServiceClient,
    customers::v1::customer_service_client::CustomerServiceClient,
    surveys::v1::survey_service_client::SurveyServiceClient,
};
use barometer_tests::services::{count, told};
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, MapKey, MethodDescriptor, ReflectMessage, ServiceDescriptor, Value,
};
use tonic::{Code, transport::Channel};

use crate::wire;

/// The cases of one service.
pub(crate) struct Table {
    service: ServiceDescriptor,
    rows: Vec<Row>,
}

/// One case.
struct Row {
    rpc: String,
    what: String,
    sent: Vec<u8>,
    code: Code,
    reason: String,
    fields: Vec<String>,
}

/// The cases of one RPC.
pub(crate) struct Rpc<'t> {
    method: MethodDescriptor,
    good: DynamicMessage,
    rows: &'t mut Vec<Row>,
}

/// Something done to a good request.
pub(crate) type Edit = Box<dyn Fn(&mut DynamicMessage)>;

impl Table {
    pub(crate) fn of(service: &str) -> Self {
        Table { service: descriptor(service), rows: Vec::new() }
    }

    /// The cases of an RPC, by a request to it that is good.
    pub(crate) fn rpc(&mut self, name: &str, good: &[u8]) -> Rpc<'_> {
        let method = self.service.methods().find(|method| method.name() == name);
        let method = method.unwrap_or_else(|| panic!("there is no {name}"));
        let good = DynamicMessage::decode(method.input(), good).expect("the request of this RPC");
        Rpc { method, good, rows: &mut self.rows }
    }

    /// Sends every request: the answers must be as expected, and nothing may have changed.
    pub(crate) async fn check(self, channel: &Channel) {
        let covered: BTreeSet<&str> = self.rows.iter().map(|row| row.rpc.as_str()).collect();
        let all: BTreeSet<String> = self.service.methods().map(|method| method.name().to_owned()).collect();
        let missing: Vec<_> = all.iter().filter(|name| !covered.contains(name.as_str())).collect();
        assert!(missing.is_empty(), "no bad input for {missing:?}");

        let mut wrong = Vec::new();
        let mut before = positions(channel).await;
        for rows in self.rows.chunk_by(|row, next| row.rpc == next.rpc) {
            // At the same time: none of them changes anything.
            let checks = rows.iter().map(|row| self.check_row(channel, row));
            wrong.extend(futures_util::future::join_all(checks).await.into_iter().flatten());
            let after = positions(channel).await;
            if after != before {
                wrong.push(format!("{}: something changed", rows[0].rpc));
                before = after;
            }
        }
        assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), self.rows.len(), wrong.join("\n"));
    }

    /// What is wrong with the answer to a case.
    async fn check_row(&self, channel: &Channel, row: &Row) -> Option<String> {
        let path = format!("/{}/{}", self.service.full_name(), row.rpc);
        let (code, reason, mut fields) = match wire::call(channel.clone(), &path, vec![row.sent.clone()]).await {
            Ok(_) => (Code::Ok, String::new(), Vec::new()),
            Err(status) => told(&status),
        };
        fields.sort_unstable();
        fields.dedup();
        let said = (code, reason.as_str(), fields.as_slice());
        let expected = (row.code, row.reason.as_str(), row.fields.as_slice());
        (said != expected).then(|| format!("{}, {}:\n  expected {expected:?}\n  answered {said:?}", row.rpc, row.what))
    }
}

impl Rpc<'_> {
    /// INVALID_ARGUMENT, which names exactly these fields.
    pub(crate) fn invalid(&mut self, what: &str, edits: Vec<Edit>, fields: &[&str]) -> &mut Self {
        let mut fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
        fields.sort_unstable();
        self.row(what, edits, (Code::InvalidArgument, "INVALID"), fields)
    }

    /// Another error.
    pub(crate) fn refused(&mut self, what: &str, edits: Vec<Edit>, code: Code, reason: &str) -> &mut Self {
        self.row(what, edits, (code, reason), Vec::new())
    }

    /// NOT_FOUND.
    pub(crate) fn unknown(&mut self, what: &str, edits: Vec<Edit>) -> &mut Self {
        self.refused(what, edits, Code::NotFound, "NOT_FOUND")
    }

    /// No error: what is odd is put right.
    pub(crate) fn answered(&mut self, what: &str, edits: Vec<Edit>) -> &mut Self {
        self.row(what, edits, (Code::Ok, ""), Vec::new())
    }

    fn row(&mut self, what: &str, edits: Vec<Edit>, expected: (Code, &str), fields: Vec<String>) -> &mut Self {
        let mut message = self.good.clone();
        edits.iter().for_each(|edit| edit(&mut message));
        let (code, reason) = (expected.0, expected.1.to_owned());
        let (rpc, what) = (self.method.name().to_owned(), what.to_owned());
        self.rows.push(Row { rpc, what, sent: message.encode_to_vec(), code, reason, fields });
        self
    }
}

/// A service of the contract.
pub(crate) fn descriptor(service: &str) -> ServiceDescriptor {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the contract's descriptor");
    pool.get_service_by_name(service).unwrap_or_else(|| panic!("there is no {service}"))
}

/// Sets a text, at a path such as `purchase.lines[0].category`. Messages on the way come to be.
pub(crate) fn text(path: &str, text: impl Into<String>) -> Edit {
    let text = text.into();
    set(path, move |_| Value::String(text.clone()))
}

/// Sets bytes.
pub(crate) fn bytes(path: &str, bytes: &[u8]) -> Edit {
    let bytes = bytes::Bytes::copy_from_slice(bytes);
    set(path, move |_| Value::Bytes(bytes.clone()))
}

/// Sets a whole number or a value of an enum.
pub(crate) fn number(path: &str, number: i64) -> Edit {
    set(path, move |old| match old {
        Value::I32(_) => Value::I32(i32::try_from(number).expect("an int32")),
        Value::EnumNumber(_) => Value::EnumNumber(i32::try_from(number).expect("an int32")),
        Value::I64(_) => Value::I64(number),
        other => panic!("no whole number: {other:?}"),
    })
}

/// Sets a number with decimals.
pub(crate) fn double(path: &str, number: f64) -> Edit {
    set(path, move |_| Value::F64(number))
}

/// Sets a truth value.
pub(crate) fn flag(path: &str, flag: bool) -> Edit {
    set(path, move |_| Value::Bool(flag))
}

/// Sets a list of texts.
pub(crate) fn texts(path: &str, texts: &[&str]) -> Edit {
    let texts: Vec<Value> = texts.iter().map(|text| Value::String((*text).to_owned())).collect();
    set(path, move |_| Value::List(texts.clone()))
}

/// Sets a list of values of an enum.
pub(crate) fn numbers(path: &str, numbers: Vec<i32>) -> Edit {
    let numbers: Vec<Value> = numbers.into_iter().map(Value::EnumNumber).collect();
    set(path, move |_| Value::List(numbers.clone()))
}

/// Makes a list hold its first item (or an empty one) so many times.
pub(crate) fn copies(path: &str, count: usize) -> Edit {
    edit(path, move |message, field| {
        let descriptor = message.descriptor().get_field_by_name(field).expect("a field");
        let empty = Value::default_value(&descriptor.kind());
        let Value::List(items) = message.get_field_mut(&descriptor) else { panic!("{field} is no list") };
        *items = vec![items.first().cloned().unwrap_or(empty); count];
    })
}

/// Puts a pair into a map.
pub(crate) fn pair(path: &str, key: &str, value: &str) -> Edit {
    let (key, value) = (key.to_owned(), value.to_owned());
    edit(path, move |message, field| {
        let Some(Value::Map(map)) = message.get_field_by_name_mut(field) else { panic!("{field} is no map") };
        map.insert(MapKey::String(key.clone()), Value::String(value.clone()));
    })
}

/// Takes a field away.
pub(crate) fn clear(path: &str) -> Edit {
    edit(path, |message, field| message.clear_field_by_name(field))
}

fn set(path: &str, value: impl Fn(&Value) -> Value + 'static) -> Edit {
    edit(path, move |message, field| {
        let old = message.get_field_by_name_mut(field).unwrap_or_else(|| panic!("there is no field {field}"));
        let new = value(old);
        *old = new;
    })
}

/// Goes to the message that holds the last field of a path.
fn edit(path: &str, act: impl Fn(&mut DynamicMessage, &str) + 'static) -> Edit {
    let path = path.to_owned();
    Box::new(move |message| {
        let (way, field) = path.rsplit_once('.').unwrap_or(("", &path));
        let mut at = message;
        for step in way.split('.').filter(|step| !step.is_empty()) {
            let (name, index) = match step.split_once('[') {
                Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
                None => (step, None),
            };
            let value = at.get_field_by_name_mut(name).unwrap_or_else(|| panic!("there is no field {name}"));
            let value = match (value, index) {
                (Value::List(items), Some(index)) => &mut items[index],
                (value, _) => value,
            };
            let Value::Message(inner) = value else { panic!("{name} is no message") };
            at = inner;
        }
        act(at, field);
    })
}

/// How far the feeds of the services go.
async fn positions(channel: &Channel) -> [i64; 3] {
    let all = || async {
        let mut watch =
            CustomerServiceClient::new(channel.clone()).watch_facts(wire::customers_from_start()).await?.into_inner();
        loop {
            let batch = watch.message().await?.expect("it goes on");
            if batch.caught_up {
                return Ok::<_, tonic::Status>(count(&batch.position));
            }
        }
    };
    let surveys = || async {
        let mut watch =
            SurveyServiceClient::new(channel.clone()).watch_facts(wire::surveys_from_start()).await?.into_inner();
        loop {
            let batch = watch.message().await?.expect("it goes on");
            if batch.caught_up {
                return Ok::<_, tonic::Status>(count(&batch.position));
            }
        }
    };
    let complaints = || async {
        let mut watch =
            ComplaintServiceClient::new(channel.clone()).watch_facts(wire::complaints_from_start()).await?.into_inner();
        loop {
            let batch = watch.message().await?.expect("it goes on");
            if batch.caught_up {
                return Ok::<_, tonic::Status>(count(&batch.position));
            }
        }
    };
    [
        all().await.expect("the feed of customers"),
        surveys().await.expect("the feed of surveys"),
        complaints().await.expect("the feed of complaints"),
    ]
}
