//! Update masks: which fields of a patch go into a message.

use std::sync::LazyLock;

use barometer_proto::FILE_DESCRIPTOR_SET;
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage};
use prost_types::FieldMask;

use crate::{
    door::Door,
    error::{Error, Violation},
};

#[allow(clippy::expect_used, reason = "the descriptor is made by the same build; a test reads it")]
static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the contract's own descriptor"));

/// Puts those top-level fields of `patch` into `current` that `mask` names: without a mask all that are present in
/// `patch`, with `*` all that are in `mutable`. Naming a field of a oneof also clears the others of it.
///
/// Errors: INVALID for a path that is no field or none of `mutable`; `field` is the path of the message in the request.
pub fn merge<M: Message + Name + Default>(
    current: &M,
    patch: &M,
    mask: Option<&FieldMask>,
    mutable: &[&str],
    field: &str,
) -> Result<M, Error> {
    let descriptor = descriptor_of::<M>()?;
    let (mut merged, patch) = (dynamic(&descriptor, current)?, dynamic(&descriptor, patch)?);
    let (names, refused) = names(&descriptor, &patch, mask, mutable, field);
    if !refused.is_empty() {
        return Err(Error::Invalid(refused));
    }
    put(&mut merged, &patch, &names);
    merged.transcode_to().map_err(|error| Error::Internal(error.to_string()))
}

/// Notes what is wrong with a patch whatever it is put into: with the paths of `mask`, and with the fields that it sets, as
/// `parse` finds them in a message that has nothing else; `field` is the path of the message in the request. So it tells of
/// what [`merge`] takes before there is anything to take it, together with all else that is wrong with a request. It is for
/// messages in which each field is right or wrong by itself.
pub fn check<M: Message + Name + Default, T>(
    door: &mut Door,
    field: &str,
    patch: &M,
    (mask, mutable): (Option<&FieldMask>, &[&str]),
    parse: impl FnOnce(&mut Door, M) -> T,
) {
    let set = || {
        let descriptor = descriptor_of::<M>()?;
        let (mut set, patch) = (DynamicMessage::new(descriptor.clone()), dynamic(&descriptor, patch)?);
        let (names, refused) = names(&descriptor, &patch, mask, mutable, field);
        put(&mut set, &patch, &names);
        let set: M = set.transcode_to().map_err(|error| Error::Internal(error.to_string()))?;
        Ok::<_, Error>((set, names, refused))
    };
    // What is wrong with the contract itself, merging tells.
    let Ok((set, names, refused)) = set() else { return };
    door.refuse_all(refused);
    if let Err(Error::Invalid(violations)) = Door::open(|door| door.inside(field, |door| parse(door, set))) {
        let is_set = |violation: &Violation| {
            let inner = violation.field.strip_prefix(field).and_then(|rest| rest.strip_prefix('.'));
            inner.and_then(|rest| rest.split(['.', '[']).next()).is_some_and(|name| names.iter().any(|set| set == name))
        };
        door.refuse_all(violations.into_iter().filter(is_set));
    }
}

fn descriptor_of<M: Name>() -> Result<MessageDescriptor, Error> {
    let descriptor = POOL.get_message_by_name(&M::full_name());
    descriptor.ok_or_else(|| Error::Internal(format!("{} is not in the contract", M::full_name())))
}

fn dynamic(descriptor: &MessageDescriptor, message: &impl Message) -> Result<DynamicMessage, Error> {
    DynamicMessage::decode(descriptor.clone(), message.encode_to_vec().as_slice())
        .map_err(|error| Error::Internal(error.to_string()))
}

/// Puts the fields of these names into a message: as they are in `patch`, or cleared.
fn put(message: &mut DynamicMessage, patch: &DynamicMessage, names: &[String]) {
    for name in names {
        let Some(field) = message.descriptor().get_field_by_name(name) else { continue };
        if patch.has_field(&field) {
            message.set_field(&field, patch.get_field(&field).into_owned());
        } else {
            message.clear_field(&field);
        }
    }
}

/// The names of the fields to take, and which paths of the mask are none.
fn names(
    descriptor: &MessageDescriptor,
    patch: &DynamicMessage,
    mask: Option<&FieldMask>,
    mutable: &[&str],
    field: &str,
) -> (Vec<String>, Vec<Violation>) {
    let present = |name: &&&str| descriptor.get_field_by_name(name).is_some_and(|field| patch.has_field(&field));
    let Some(mask) = mask.filter(|mask| !mask.paths.is_empty()) else {
        return (mutable.iter().filter(present).map(ToString::to_string).collect(), Vec::new());
    };
    if mask.paths.iter().any(|path| path == "*") {
        return (mutable.iter().map(ToString::to_string).collect(), Vec::new());
    }
    let refused = |(index, path): (usize, &String)| Violation {
        field: format!("update_mask.paths[{index}]"),
        reason: "NOT_MUTABLE",
        description: match descriptor.get_field_by_name(path) {
            Some(_) => format!("`{path}` of `{field}` can not be changed"),
            None => format!("`{path}` is no top-level field of `{field}`"),
        },
    };
    let is_mutable = |path: &String| mutable.contains(&path.as_str());
    let bad = mask.paths.iter().enumerate().filter(|(_, path)| !is_mutable(path));
    (mask.paths.iter().filter(|path| is_mutable(path)).cloned().collect(), bad.map(refused).collect())
}

#[cfg(test)]
mod tests {
    use barometer_proto::customers::v1::Customer;

    use super::*;

    const MUTABLE: [&str; 3] = ["display_name", "email", "tags"];

    fn customer(name: &str, email: &str, tags: &[&str]) -> Customer {
        let tags = tags.iter().map(ToString::to_string).collect();
        Customer { display_name: name.into(), email: email.into(), tags, ..Customer::default() }
    }

    fn merged(mask: Option<&[&str]>) -> Result<Customer, Error> {
        let mask = mask.map(|paths| FieldMask { paths: paths.iter().map(ToString::to_string).collect() });
        let current = customer("Ana", "ana@example.com", &["a"]);
        merge(&current, &customer("Eva", "", &[]), mask.as_ref(), &MUTABLE, "customer")
    }

    #[test]
    fn without_a_mask_what_is_present_is_taken() {
        assert_eq!(merged(None).ok(), Some(customer("Eva", "ana@example.com", &["a"])));
    }

    #[test]
    fn a_named_field_that_is_absent_is_cleared() {
        assert_eq!(merged(Some(&["tags", "email"])).ok(), Some(customer("Ana", "", &[])));
        assert_eq!(merged(Some(&["*"])).ok(), Some(customer("Eva", "", &[])));
    }

    #[test]
    fn what_can_not_be_changed_is_named() {
        let Err(Error::Invalid(violations)) = merged(Some(&["email", "customer_id", "nonsense"])) else {
            panic!("must be refused");
        };
        let fields: Vec<_> = violations.iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, ["update_mask.paths[1]", "update_mask.paths[2]"]);
    }

    #[test]
    fn a_patch_is_checked_by_what_it_sets_before_there_is_anything_to_put_it_into() {
        let told = |patch: Customer, paths: &[&str]| {
            let mask = FieldMask { paths: paths.iter().map(ToString::to_string).collect() };
            let parse = |door: &mut Door, customer: Customer| {
                door.required_text("display_name", customer.display_name, 3);
                door.required_text("email", customer.email, 20);
                door.each("tags", customer.tags, 2, |door, tag| door.required_text("", tag, 3));
            };
            let checked = Door::open(|door| {
                check(door, "customer", &patch, (Some(&mask).filter(|mask| !mask.paths.is_empty()), &MUTABLE), parse);
            });
            let violations = checked.err().and_then(|error| error.into_violations("").ok()).unwrap_or_default();
            violations.into_iter().map(|v| format!("{} {}", v.field, v.reason)).collect::<Vec<_>>()
        };
        let patch = customer("Olga", "", &["new", "often"]);
        assert_eq!(told(patch.clone(), &[]), ["customer.display_name TOO_LONG", "customer.tags[1] TOO_LONG"]);
        assert_eq!(
            told(patch.clone(), &["email", "customer_id", "tags"]),
            ["update_mask.paths[1] NOT_MUTABLE", "customer.email REQUIRED", "customer.tags[1] TOO_LONG"]
        );
        assert!(told(customer("Eva", "", &["new"]), &[]).is_empty(), "what is not set is of no account");
    }
}
