//! The contract keeps its own rules. Read from the descriptor that the services are built from.

use std::collections::{BTreeMap, BTreeSet};

use barometer_proto::FILE_DESCRIPTOR_SET;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value,
    prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto},
};

fn pool() -> DescriptorPool {
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the contract's descriptor")
}

fn files(pool: &DescriptorPool) -> Vec<FileDescriptor> {
    let files: Vec<_> = pool.files().filter(|file| file.package_name().starts_with("barometer.")).collect();
    assert!(files.len() > 10, "only {} files", files.len());
    files
}

fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let services = pool.services().filter(|service| service.full_name().starts_with("barometer."));
    services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

fn messages(pool: &DescriptorPool) -> impl Iterator<Item = MessageDescriptor> {
    pool.all_messages().filter(|message| message.full_name().starts_with("barometer.") && !message.is_map_entry())
}

/// Checks all at once: every offender is named.
fn assert_none(what: &str, offenders: impl IntoIterator<Item = impl ToString>) {
    let offenders: Vec<String> = offenders.into_iter().map(|offender| offender.to_string()).collect();
    assert!(offenders.is_empty(), "{what}: {offenders:#?}");
}

#[test]
fn every_method_names_the_permission_it_needs() {
    let pool = pool();
    let option = pool.get_extension_by_name("barometer.common.v1.permission").expect("the option");
    let words = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && !text.is_empty();
    let bad = methods(&pool).into_iter().filter_map(|method| {
        let options: DynamicMessage = method.options();
        let permission = match options.get_extension(&option).into_owned() {
            Value::String(permission) => permission,
            other => format!("{other:?}"),
        };
        let parts: Vec<&str> = permission.split('.').collect();
        let area = method.parent_service().package_name().split('.').nth(1).unwrap_or_default().to_owned();
        let good = parts.len() == 3 && parts[0] == area && parts.iter().all(|part| words(part));
        (!good).then(|| format!("{}: `{permission}`", method.full_name()))
    });
    assert_none("without a permission of the form `<service>.<noun>.<verb>`", bad);
}

/// What begins like this reads only. Whatever else a method is called, it changes something.
const READING: [&str; 9] = ["Get", "List", "BatchGet", "Lookup", "Explain", "Export", "Query", "Verify", "Watch"];
/// Idempotent by the caller's own keys, as their comments say.
const BY_KEYS: [&str; 2] = ["Import", "ResolveCustomers"];

#[test]
fn every_mutating_request_has_a_request_id() {
    let pool = pool();
    let begins = |method: &MethodDescriptor, words: &[&str]| words.iter().any(|word| method.name().starts_with(word));
    let mutating: Vec<_> = methods(&pool).into_iter().filter(|method| !begins(method, &READING)).collect();
    let (by_keys, by_id): (Vec<_>, Vec<_>) = mutating.into_iter().partition(|method| begins(method, &BY_KEYS));
    assert!(by_id.len() > 15, "{}", by_id.len());
    let has_id = |method: &MethodDescriptor| {
        let field = method.input().get_field_by_name("request_id");
        field.is_some_and(|field| field.kind() == Kind::String && !field.is_list())
    };
    assert_none("without a request_id", by_id.iter().filter(|method| !has_id(method)).map(|method| method.full_name()));
    assert_none("with a request_id of no use", by_keys.iter().filter(|m| has_id(m)).map(|method| method.full_name()));

    let comments = comments(&pool);
    let says = |method: &&MethodDescriptor| {
        let comment = comments.get(method.full_name()).map(String::as_str).unwrap_or_default();
        ["once only", "changes nothing", "Idempotent by"].iter().any(|words| comment.contains(words))
    };
    assert_none(
        "repeatable, but does not say why",
        by_keys.iter().filter(|m| !says(m)).map(|method| method.full_name()),
    );
}

#[test]
fn every_enum_begins_unspecified() {
    let pool = pool();
    let enums = pool.all_enums().filter(|of| of.full_name().starts_with("barometer."));
    let bad = enums.filter(|of| {
        let name = of.get_value(0).map(|value| value.name().to_owned()).unwrap_or_default();
        let prefix: String = of.name().chars().enumerate().fold(String::new(), |mut prefix, (at, c)| {
            if c.is_uppercase() && at > 0 {
                prefix.push('_');
            }
            prefix.extend(c.to_uppercase());
            prefix
        });
        name != format!("{prefix}_UNSPECIFIED") || of.values().any(|value| !value.name().starts_with(&prefix))
    });
    assert_none(
        "not `<ENUM>_UNSPECIFIED` first, or values without the prefix",
        bad.map(|of| of.full_name().to_owned()),
    );
}

#[test]
fn packages_are_directories_with_a_version() {
    let pool = pool();
    let bad = files(&pool).into_iter().filter(|file| {
        let directory = file.name().rsplit_once('/').map_or("", |(directory, _)| directory).replace('/', ".");
        let version = file.package_name().rsplit('.').next().unwrap_or_default();
        let numbered = version.strip_prefix('v').is_some_and(|n| n.parse::<u32>().is_ok());
        directory != file.package_name() || !numbered
    });
    assert_none("package and directory differ, or have no version", bad.map(|file| file.name().to_owned()));
}

#[test]
fn every_list_has_pages() {
    let pool = pool();
    let is = |message: &MessageDescriptor, field: &str, kind: &Kind| {
        message.get_field_by_name(field).is_some_and(|field| &field.kind() == kind && !field.is_list())
    };
    let lists: Vec<_> = methods(&pool).into_iter().filter(|method| method.name().starts_with("List")).collect();
    assert!(lists.len() >= 7, "{}", lists.len());
    let bad = lists.iter().filter(|method| {
        let (request, answer) = (method.input(), method.output());
        let items = answer.fields().filter(FieldDescriptor::is_list).count();
        !is(&request, "page_size", &Kind::Int32)
            || !is(&request, "page_token", &Kind::String)
            || !is(&answer, "next_page_token", &Kind::String)
            || items != 1
    });
    assert_none("without pages", bad.map(|method| method.full_name()));
}

/// Words of names under which personal data, or a caller's own key, would hide.
const PERSONAL: [&str; 17] = [
    "display",
    "email",
    "phone",
    "comment",
    "text",
    "external",
    "address",
    "birth",
    "contact",
    "first_name",
    "last_name",
    "note",
    "subject",
    "voucher_code",
    "session",
    "journey_id",
    "in_answer_to",
];
/// The texts that facts may hold: ids of the suite, and words of the company's own that figures are grouped by.
const TEXTS: [&str; 37] = [
    "calendar_id",
    "campaign",
    "case_id",
    "category",
    "channel",
    "closing_response_id",
    "country",
    "customer_id",
    "employee",
    "exit_page",
    "id",
    "incident_id",
    "invitation_id",
    "journey_stage",
    "landing_page",
    "language",
    "merged_into",
    "name",
    "other_case_id",
    "outcome",
    "plan",
    "policy_name",
    "previous_employee",
    "previous_team",
    "programme",
    "promise_id",
    "reason",
    "referred_customer_id",
    "response_id",
    "root_cause",
    "subscription_id",
    "survey_id",
    "team",
    "touchpoint",
    "value",
    "value_band",
    "voucher_id",
];
/// Messages that facts may hold.
const PARTS: [&str; 6] = [
    "barometer.common.v1.Money",
    "barometer.complaints.v1.ClockAmount",
    "barometer.complaints.v1.ClockDuration",
    "barometer.complaints.v1.RedressFact",
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
];

#[test]
fn facts_have_no_room_for_personal_data() {
    let pool = pool();
    let facts: Vec<_> = messages(&pool).filter(|m| m.name().ends_with("Fact") || m.name() == "Tombstone").collect();
    assert!(facts.len() >= 9, "{}", facts.len());
    let bad = facts.iter().flat_map(MessageDescriptor::fields).filter(|field| !may_be_in_a_fact(field));
    assert_none("fields of facts that may be personal", bad.map(|field| field.full_name().to_owned()));
}

fn may_be_in_a_fact(field: &FieldDescriptor) -> bool {
    if PERSONAL.iter().any(|word| field.name().contains(word)) {
        return false;
    }
    if field.is_map() {
        return field.name() == "dimensions";
    }
    match field.kind() {
        // `name` is a survey's only.
        Kind::String if field.name() == "name" => field.parent_message().name() == "SurveyFact",
        // What somebody bought is nobody's business, what somebody complains of is.
        Kind::String if field.name() == "product" => {
            ["CaseFact", "IncidentFact"].contains(&field.parent_message().name())
        }
        Kind::String => TEXTS.contains(&field.name()),
        Kind::Bytes => false,
        // A fact of a fact is checked itself.
        Kind::Message(part) => {
            PARTS.contains(&part.full_name()) || part.name().ends_with("Fact") || part.name() == "Tombstone"
        }
        _ => true,
    }
}

#[test]
fn everything_is_explained() {
    let pool = pool();
    let comments = comments(&pool);
    let mut names = BTreeSet::new();
    for service in pool.services().filter(|service| service.full_name().starts_with("barometer.")) {
        names.insert(service.full_name().to_owned());
    }
    names.extend(methods(&pool).iter().map(|method| method.full_name().to_owned()));
    for message in messages(&pool) {
        names.insert(message.full_name().to_owned());
        names.extend(message.fields().map(|field| field.full_name().to_owned()));
    }
    for of in pool.all_enums().filter(|of| of.full_name().starts_with("barometer.")) {
        names.insert(of.full_name().to_owned());
        names.extend(of.values().map(|value| format!("{}.{}", of.full_name(), value.name())));
    }
    assert!(names.len() > 400, "{}", names.len());
    let silent = names.iter().filter(|name| comments.get(*name).is_none_or(|text| text.trim().len() < 3));
    assert_none("without a comment", silent);
}

/// Leading comments by full name.
fn comments(pool: &DescriptorPool) -> BTreeMap<String, String> {
    let mut comments = BTreeMap::new();
    for file in files(pool) {
        let proto = file.file_descriptor_proto();
        let locations = proto.source_code_info.iter().flat_map(|info| &info.location);
        let by_path: BTreeMap<&[i32], &str> =
            locations.map(|location| (location.path.as_slice(), location.leading_comments())).collect();
        for (path, name) in paths(proto) {
            comments.insert(name, by_path.get(path.as_slice()).copied().unwrap_or_default().to_owned());
        }
    }
    comments
}

/// Where everything stands in a file, by the field numbers of `descriptor.proto`.
fn paths(file: &FileDescriptorProto) -> Vec<(Vec<i32>, String)> {
    let mut paths = Vec::new();
    let package = file.package();
    for (at, service) in numbered(&file.service) {
        let name = format!("{package}.{}", service.name());
        paths.extend(numbered(&service.method).map(|(n, of)| (vec![6, at, 2, n], format!("{name}.{}", of.name()))));
        paths.push((vec![6, at], name));
    }
    for (at, message) in numbered(&file.message_type) {
        of_message(message, package, vec![4, at], &mut paths);
    }
    for (at, of) in numbered(&file.enum_type) {
        of_enum(of, package, vec![5, at], &mut paths);
    }
    paths
}

fn of_message(message: &DescriptorProto, parent: &str, path: Vec<i32>, paths: &mut Vec<(Vec<i32>, String)>) {
    let name = format!("{parent}.{}", message.name());
    let below = |kind: i32, at: i32| [path.as_slice(), &[kind, at]].concat();
    paths.extend(numbered(&message.field).map(|(at, field)| (below(2, at), format!("{name}.{}", field.name()))));
    for (at, nested) in numbered(&message.nested_type) {
        of_message(nested, &name, below(3, at), paths);
    }
    for (at, nested) in numbered(&message.enum_type) {
        of_enum(nested, &name, below(4, at), paths);
    }
    paths.push((path, name));
}

fn of_enum(of: &EnumDescriptorProto, parent: &str, path: Vec<i32>, paths: &mut Vec<(Vec<i32>, String)>) {
    let name = format!("{parent}.{}", of.name());
    let value = |(at, value): (i32, &prost_reflect::prost_types::EnumValueDescriptorProto)| {
        ([path.as_slice(), &[2, at]].concat(), format!("{name}.{}", value.name()))
    };
    paths.extend(numbered(&of.value).map(value));
    paths.push((path, name));
}

fn numbered<T>(items: &[T]) -> impl Iterator<Item = (i32, &T)> {
    (0..).zip(items)
}
