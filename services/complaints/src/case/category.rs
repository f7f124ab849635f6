//! Categories: paths in the company's tree of what cases are about.

/// The deepest path.
const MAX_DEPTH: usize = 8;

/// A path such as `delivery/late`, from the general to the particular; empty for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Category<'t>(&'t str);

impl<'t> Category<'t> {
    /// From text: 1 to 8 parts set apart by `/`, none of them empty. Nothing when it is no such path.
    pub fn parse(text: &'t str) -> Option<Self> {
        let parts = text.split('/');
        let good = text.is_empty() || (parts.clone().count() <= MAX_DEPTH && parts.into_iter().all(|p| !p.is_empty()));
        good.then_some(Category(text))
    }
}

/// Whether a category is `ancestor` itself or below it. Everything is below the empty one.
pub fn within(category: &str, ancestor: &str) -> bool {
    let below = || category.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    ancestor.is_empty() || below()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_has_no_empty_parts_and_an_end() {
        for good in ["", "late delivery", "delivery/late", "a/b/c/d/e/f/g/h"] {
            assert_eq!(Category::parse(good), Some(Category(good)));
        }
        for bad in ["/", "/a", "a/", "a//b", "a/b/c/d/e/f/g/h/i"] {
            assert_eq!(Category::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_parent_matches_its_children() {
        for (category, ancestor) in [("delivery/late", "delivery"), ("a", "a"), ("a/b/c", "a/b"), ("a", ""), ("", "")] {
            assert!(within(category, ancestor), "{category} {ancestor}");
        }
        for (category, ancestor) in
            [("delivery-abroad", "delivery"), ("delivery", "delivery/late"), ("", "a"), ("A/b", "a")]
        {
            assert!(!within(category, ancestor), "{category} {ancestor}");
        }
    }

    proptest! {
        #[test]
        fn within_is_an_order(a in "[ab]{1,2}(/[ab]{1,2}){0,3}", b in "[ab](/[ab]){0,3}", c in "[ab](/[ab]){0,3}") {
            prop_assert!(within(&a, &a));
            prop_assert!(!(within(&a, &b) && within(&b, &a)) || a == b);
            prop_assert!(!(within(&a, &b) && within(&b, &c)) || within(&a, &c));
            let child = format!("{a}/x");
            prop_assert!(within(&child, &a));
        }
    }
}
