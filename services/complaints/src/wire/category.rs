//! Paths in the company's trees: of categories, and of root causes.

use barometer_chassis::door::Door;

use crate::case::Category;

/// A path of up to 128 characters; empty when not given.
pub(crate) fn parse_category(door: &mut Door, field: &str, path: String) -> String {
    if Category::parse(&path).is_none() {
        let rule = "is no path of at most 8 parts such as `delivery/late`, none of them empty";
        door.refuse(field, "NOT_A_PATH", rule);
    }
    door.text(field, path, 128)
}
