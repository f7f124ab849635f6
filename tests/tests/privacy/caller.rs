//! Calls methods rightly, and wrongly in every way that their descriptor suggests.

use std::collections::BTreeSet;

use barometer_proto::{FILE_DESCRIPTOR_SET, metrics::v1::ExportFactsRequest};
use barometer_tests::{eventually, wire};
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, MethodDescriptor, ReflectMessage,
    Value,
};
use tonic::{Status, transport::Channel};

/// Stands in every field of good requests that is personal, free text, or a caller's key.
pub(crate) const MARK: &str = "mark7f3a@me";
/// Stands in every text of bad requests.
pub(crate) const BAD: &str = "bad7f3a@me";
/// Longer than any text may be.
const LONG: usize = 20_000;
/// How deep messages are looked into.
const DEEPEST: usize = 4;

/// A client of everything, which notes what it called.
pub(crate) struct Caller {
    pool: DescriptorPool,
    channel: Channel,
    called: BTreeSet<String>,
}

impl Caller {
    /// A client of the suite at an endpoint, once it serves figures.
    pub(crate) async fn new(endpoint: &str) -> Self {
        let channel = Channel::from_shared(endpoint.to_owned()).expect("a URL").connect_lazy();
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the contract's descriptor");
        let ask = async || {
            let query = barometer_proto::metrics::v1::QueryMetricsRequest {
                metrics: vec!["responses".to_owned()],
                ..Default::default()
            };
            let path = "/barometer.metrics.v1.MetricsService/QueryMetrics";
            wire::call(channel.clone(), path, vec![query.encode_to_vec()]).await.is_ok()
        };
        eventually("figures are served", ask).await;
        Caller { pool, channel, called: BTreeSet::new() }
    }

    /// Calls `barometer.….Service/Method` with a good request, which must succeed, and then with bad ones made of it. The first answer.
    pub(crate) async fn call<A: Message + Default>(&mut self, method: &str, good: &impl Message) -> A {
        let descriptor = self.method(method);
        let good = DynamicMessage::decode(descriptor.input(), good.encode_to_vec().as_slice()).expect("its request");
        A::decode(self.call_dynamic(method, good).await.encode_to_vec().as_slice()).expect("its answer")
    }

    /// The same with messages by descriptor.
    pub(crate) async fn call_dynamic(&mut self, method: &str, good: DynamicMessage) -> DynamicMessage {
        let descriptor = self.method(method);
        let answers = self.send(method, good.encode_to_vec()).await;
        let answers = answers.unwrap_or_else(|status| panic!("{method} with {good}: {status:?}"));
        self.send_all(method, &wrong(&good)).await;
        self.called.insert(method.to_owned());
        let answer = answers.into_iter().next().unwrap_or_default();
        DynamicMessage::decode(descriptor.output(), answer.as_slice()).expect("its answer")
    }

    /// Calls what does not exist.
    pub(crate) async fn call_nonsense(&self) {
        for path in [format!("{BAD}/{BAD}"), format!("barometer.customers.v1.CustomerService/{BAD}")] {
            self.send(&path, BAD.into()).await.expect_err("no such method");
        }
    }

    /// An empty request of a method.
    pub(crate) fn request(&self, method: &str) -> DynamicMessage {
        DynamicMessage::new(self.method(method).input())
    }

    /// Everything in all feeds.
    pub(crate) async fn feeds(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for method in self.methods().filter(|method| method.name() == "WatchFacts") {
            let path = format!("/{}/WatchFacts", method.parent_service().full_name());
            let batches = wire::watch(self.channel.clone(), &path, Vec::new(), |batch| {
                let batch = DynamicMessage::decode(method.output(), batch).expect("a batch");
                batch.get_field_by_name("caught_up").is_some_and(|caught_up| *caught_up == Value::Bool(true))
            });
            bytes.extend(batches.await.expect("the feed"));
        }
        assert!(!bytes.is_empty());
        bytes
    }

    /// All bytes of a table of facts.
    pub(crate) async fn table(&self, method: &str, kind: &str) -> Vec<u8> {
        let request = ExportFactsRequest { kind: kind.to_owned(), ..Default::default() };
        let chunks = self.send(method, request.encode_to_vec()).await.expect("a table");
        chunks.concat()
    }

    /// Fails when a method of the contract was left out.
    pub(crate) fn assert_all_called(&self) {
        let all: BTreeSet<String> = self.methods().map(|method| name(&method)).collect();
        let left_out: Vec<_> = all.difference(&self.called).collect();
        assert!(left_out.is_empty(), "nobody calls {left_out:#?}");
    }

    fn methods(&self) -> impl Iterator<Item = MethodDescriptor> {
        let services = self.pool.services().filter(|service| service.full_name().starts_with("barometer."));
        services.flat_map(|service| service.methods().collect::<Vec<_>>())
    }

    fn method(&self, method: &str) -> MethodDescriptor {
        self.methods().find(|found| name(found) == method).unwrap_or_else(|| panic!("there is no {method}"))
    }

    /// Sends them at the same time; whatever the answers are.
    async fn send_all(&self, method: &str, messages: &[Vec<u8>]) {
        for some in messages.chunks(64) {
            let calls = some.iter().map(|message| self.send(method, message.clone()));
            drop(futures_util::future::join_all(calls).await);
        }
    }

    async fn send(&self, method: &str, message: Vec<u8>) -> Result<Vec<Vec<u8>>, Status> {
        wire::call(self.channel.clone(), &format!("/{method}"), vec![message]).await
    }
}

fn name(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().full_name(), method.name())
}

/// Bad requests: the good one with each text replaced or added that it may have, with all of them, and broken off.
fn wrong(good: &DynamicMessage) -> Vec<Vec<u8>> {
    let paths = texts(&good.descriptor(), DEEPEST);
    let with = |paths: &[Vec<FieldDescriptor>], text: &str| {
        let mut message = good.clone();
        paths.iter().for_each(|path| put(&mut message, path, text));
        message.encode_to_vec()
    };
    let mut wrong: Vec<_> = paths.iter().map(|path| with(std::slice::from_ref(path), BAD)).collect();
    // All that is wrong with a request is told together.
    for text in [BAD, &format!("{BAD}\u{0}"), &BAD.repeat(LONG / BAD.len())] {
        wrong.push(with(&paths, text));
    }
    let mut broken = with(&paths, BAD);
    broken.pop();
    wrong.push(broken);
    wrong
}

/// The paths of all texts in messages of this kind.
fn texts(message: &MessageDescriptor, depth: usize) -> Vec<Vec<FieldDescriptor>> {
    let mut paths = Vec::new();
    for field in message.fields() {
        match field.kind() {
            Kind::String => paths.push(vec![field]),
            Kind::Message(_) if field.is_map() => paths.push(vec![field]),
            Kind::Message(inner) if depth > 0 => {
                paths.extend(texts(&inner, depth - 1).into_iter().map(|rest| [vec![field.clone()], rest].concat()));
            }
            _ => {}
        }
    }
    paths
}

/// Puts a text at a path; messages on the way come to be.
fn put(message: &mut DynamicMessage, path: &[FieldDescriptor], text: &str) {
    let Some((field, rest)) = path.split_first() else { return };
    let string = Value::String(text.to_owned());
    match (field.kind(), message.get_field_mut(field)) {
        (_, Value::Map(map)) => {
            let value = match map.values().next() {
                Some(Value::String(_)) | None => string,
                Some(other) => other.clone(),
            };
            map.insert(MapKey::String(text.to_owned()), value);
        }
        (Kind::String, Value::List(items)) => *items = vec![string],
        (Kind::String, value) => *value = string,
        (Kind::Message(inner), Value::List(items)) => {
            if items.is_empty() {
                items.push(Value::Message(DynamicMessage::new(inner)));
            }
            let Some(Value::Message(inner)) = items.first_mut() else { panic!("{field:?} has messages") };
            put(inner, rest, text);
        }
        (_, Value::Message(inner)) => put(inner, rest, text),
        _ => panic!("no text in {field:?}"),
    }
}
