//! Messages to rows and back.

mod attachment;
mod case;
mod case_entry;
mod filter;
mod past;

pub(crate) use attachment::parse_attachments;
pub(crate) use case::{AMENDABLE, amended, case_fact, parse_case, render_case, render_reception};
pub(crate) use case_entry::{case_entry_fact, render_entry};
pub(crate) use filter::parse_list_cases;
pub(crate) use past::{Past, parse_past};

use barometer_proto::complaints::v1 as wire;

/// A fact for watchers.
fn fact(id: uuid::Uuid, number: i64, version: i64, fact: wire::fact::Fact) -> wire::Fact {
    wire::Fact { id: id.to_string(), number, version, fact: Some(fact) }
}
