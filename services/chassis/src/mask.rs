//! Update masks: which fields of a patch go into a message.

use std::sync::LazyLock;

use barometer_proto::FILE_DESCRIPTOR_SET;
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use prost_types::FieldMask;

use crate::error::{Error, Violation};

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
    let descriptor = POOL
        .get_message_by_name(&M::full_name())
        .ok_or_else(|| Error::Internal(format!("{} is not in the contract", M::full_name())))?;
    let dynamic = |message: &M| {
        DynamicMessage::decode(descriptor.clone(), message.encode_to_vec().as_slice())
            .map_err(|error| Error::Internal(error.to_string()))
    };
    let (mut merged, patch) = (dynamic(current)?, dynamic(patch)?);
    for name in names(&descriptor, &patch, mask, mutable, field)? {
        let Some(field) = descriptor.get_field_by_name(&name) else { continue };
        if patch.has_field(&field) {
            merged.set_field(&field, patch.get_field(&field).into_owned());
        } else {
            merged.clear_field(&field);
        }
    }
    merged.transcode_to().map_err(|error| Error::Internal(error.to_string()))
}

/// The names of the fields to take.
fn names(
    descriptor: &MessageDescriptor,
    patch: &DynamicMessage,
    mask: Option<&FieldMask>,
    mutable: &[&str],
    field: &str,
) -> Result<Vec<String>, Error> {
    let present = |name: &&&str| descriptor.get_field_by_name(name).is_some_and(|field| patch.has_field(&field));
    let Some(mask) = mask.filter(|mask| !mask.paths.is_empty()) else {
        return Ok(mutable.iter().filter(present).map(ToString::to_string).collect());
    };
    if mask.paths.iter().any(|path| path == "*") {
        return Ok(mutable.iter().map(ToString::to_string).collect());
    }
    let refused = |(index, path): (usize, &String)| Violation {
        field: format!("update_mask.paths[{index}]"),
        reason: "NOT_MUTABLE",
        description: match descriptor.get_field_by_name(path) {
            Some(_) => format!("`{path}` of `{field}` can not be changed"),
            None => format!("`{path}` is no top-level field of `{field}`"),
        },
    };
    let bad = mask.paths.iter().enumerate().filter(|(_, path)| !mutable.contains(&path.as_str()));
    let bad: Vec<_> = bad.map(refused).collect();
    if bad.is_empty() { Ok(mask.paths.clone()) } else { Err(Error::Invalid(bad)) }
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
}
