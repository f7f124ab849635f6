//! Case links: row → message.

use barometer_proto::complaints::v1::{self as wire, LinkType};

use crate::{
    case_entry::CaseId,
    case_link::{Model, inverse},
};

/// A link for callers, as the case `seen_from` sees it.
pub(crate) fn render_link(row: Model, seen_from: CaseId) -> wire::CaseLink {
    let Model { id: _, case_id, other_case_id, link_type, actor: _, create_time } = row;
    let kind = LinkType::try_from(link_type).unwrap_or_default();
    let (kind, other) = if case_id == seen_from { (kind, other_case_id) } else { (inverse(kind), case_id) };
    wire::CaseLink { r#type: kind.into(), other_case_id: other.to_string(), create_time: Some(create_time.to_wire()) }
}
