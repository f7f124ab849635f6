//! Messages to rows and back.

mod case;
mod case_entry;

pub(crate) use case::{AMENDABLE, Past, amended, case_fact, parse_case, parse_list_cases, parse_past, render_case};
pub(crate) use case_entry::{case_entry_fact, render_entry};

use barometer_proto::complaints::v1 as wire;

/// A fact for watchers.
fn fact(id: uuid::Uuid, number: i64, version: i64, fact: wire::fact::Fact) -> wire::Fact {
    wire::Fact { id: id.to_string(), number, version, fact: Some(fact) }
}
