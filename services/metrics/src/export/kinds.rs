//! The kinds of facts that there are, as the contract says.

use std::sync::LazyLock;

use barometer_proto::FILE_DESCRIPTOR_SET;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor};

use super::fields::{Fields, time_of};
use crate::fold::Source;

/// The instants by which a fact is found, the first that its kind has.
const INSTANTS: [&str; 4] = ["time", "open_time", "start_time", "make_time"];

/// A kind of facts.
#[derive(Debug)]
pub(crate) struct FactKind {
    /// As the catalogue names it: `surveys.response`.
    pub(crate) name: String,
    /// Whose it is.
    pub(crate) source: Source,
    /// Its number in the feed.
    pub(crate) tag: i32,
    /// The fields of its message.
    pub(super) fields: Fields,
    /// The feed's message.
    pub(super) fact: MessageDescriptor,
    /// Where the kind stands in it.
    pub(super) field: FieldDescriptor,
    instant: Option<FieldDescriptor>,
}

impl FactKind {
    /// All kinds, by name.
    pub(crate) fn all() -> &'static [FactKind] {
        static KINDS: LazyLock<Vec<FactKind>> = LazyLock::new(|| {
            let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap_or_default();
            let mut kinds: Vec<_> = Source::ALL.into_iter().flat_map(|source| kinds_of(&pool, source)).collect();
            kinds.sort_by(|a, b| a.name.cmp(&b.name));
            kinds
        });
        &KINDS
    }

    /// The kind of that name.
    pub(crate) fn find(name: &str) -> Option<&'static FactKind> {
        Self::all().iter().find(|kind| kind.name == name)
    }

    /// Whether its facts happen at an instant.
    pub(crate) fn has_instant(&self) -> bool {
        self.instant.is_some()
    }

    /// When one of its facts happened, in microseconds.
    pub(super) fn instant_of(&self, message: &DynamicMessage) -> Option<i64> {
        time_of(message, self.instant.as_ref()?)
    }
}

/// What the feed of a source has besides tombstones.
fn kinds_of(pool: &DescriptorPool, source: Source) -> Vec<FactKind> {
    let package = format!("barometer.{}.v1", source.name());
    let fact = pool.get_message_by_name(&format!("{package}.Fact"));
    let tags = pool.get_enum_by_name(&format!("{package}.FactKind"));
    let (Some(fact), Some(tags)) = (fact, tags) else { return Vec::new() };
    let kinds = fact.oneofs().flat_map(|oneof| oneof.fields().collect::<Vec<_>>());
    let kind = |field: FieldDescriptor| {
        let tag = tags.get_value_by_name(&format!("FACT_KIND_{}", field.name().to_uppercase()))?.number();
        let message = field.kind().as_message()?.clone();
        let instant = INSTANTS.iter().find_map(|name| message.get_field_by_name(name));
        let name = format!("{}.{}", source.name(), field.name());
        Some(FactKind { name, source, tag, fields: Fields::of(&message), fact: fact.clone(), field, instant })
    };
    kinds.filter_map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new kind makes two decisions due: whether it may be exported, and by which instant it is found.
    #[test]
    fn these_are_the_kinds_and_their_instants() {
        let kinds: Vec<_> = FactKind::all()
            .iter()
            .map(|kind| (kind.name.as_str(), kind.instant.as_ref().map(|field| field.name().to_owned())))
            .collect();
        let kinds: Vec<_> = kinds.iter().map(|(name, instant)| (*name, instant.as_deref().unwrap_or(""))).collect();
        let expected = [
            ("complaints.case", "open_time"),
            ("complaints.case_clock", "start_time"),
            ("complaints.case_entry", "time"),
            ("complaints.claim", "start_time"),
            ("complaints.escalation", "time"),
            ("complaints.follow_up", "open_time"),
            ("complaints.incident", "start_time"),
            ("complaints.promise", "make_time"),
            ("customers.attribute_change", "time"),
            ("customers.cost", "time"),
            ("customers.customer", ""),
            ("customers.interaction", "time"),
            ("customers.membership_event", "time"),
            ("customers.purchase", "time"),
            ("customers.referral", "time"),
            ("customers.subscription_event", "time"),
            ("surveys.invitation", "time"),
            ("surveys.response", "time"),
            ("surveys.survey", ""),
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn what_metrics_are_made_of_can_be_exported() {
        for source in crate::catalogue::METRICS.iter().flat_map(|metric| metric.sources) {
            assert!(FactKind::find(source).is_some(), "{source}");
        }
    }
}
