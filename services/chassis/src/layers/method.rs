//! Which method is called.

/// A method as it stands in a request's path: `/barometer.customers.v1.CustomerService/GetCustomer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Method<'a> {
    full: &'a str,
}

/// A method that nobody has.
pub(crate) const OTHER: &str = "_OTHER";

impl<'a> Method<'a> {
    /// The method that a request with this path calls.
    pub(crate) fn of(path: &'a str) -> Self {
        Self { full: path.strip_prefix('/').unwrap_or(path) }
    }

    /// `barometer.customers.v1.CustomerService/GetCustomer`, as telemetry names it. A path that is not like that, and so may
    /// be anything, is `_OTHER`.
    pub(crate) fn told(self) -> &'a str {
        let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'/');
        let like_a_method = self.full.contains('/') && self.full.len() <= 200 && self.full.bytes().all(plain);
        if like_a_method { self.full } else { OTHER }
    }

    /// `GetCustomer`, or nothing when the path is not of that form.
    pub(crate) fn name(self) -> &'a str {
        self.full.rsplit_once('/').map_or("", |(_, name)| name)
    }

    /// Whether this follows something for as long as the caller likes.
    pub(crate) fn is_watch(self) -> bool {
        self.name().starts_with("Watch")
    }

    /// Whether the call may take any time: a watch, or much that is loaded, told or read again.
    pub(crate) fn is_long_lived(self) -> bool {
        self.is_watch() || ["Import", "Export", "Verify"].iter().any(|verb| self.name().starts_with(verb))
    }

    /// Whether this is health or reflection, which must answer when nothing else does.
    pub(crate) fn is_plumbing(self) -> bool {
        self.full.starts_with("grpc.health.") || self.full.starts_with("grpc.reflection.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_apart() {
        let method = Method::of("/barometer.customers.v1.CustomerService/GetCustomer");
        assert_eq!(method.told(), "barometer.customers.v1.CustomerService/GetCustomer");
        assert_eq!(method.name(), "GetCustomer");
        assert!(!method.is_long_lived());
    }

    #[test]
    fn a_path_of_another_form_is_no_watch() {
        for path in ["/", "", "/Watch", "/x"] {
            assert!(!Method::of(path).is_watch(), "{path:?}");
            assert_eq!(Method::of(path).told(), OTHER, "{path:?}");
        }
    }

    #[test]
    fn what_is_not_like_a_method_is_not_told() {
        assert_eq!(Method::of("/a.B/anna@example.org").told(), OTHER);
        assert_eq!(Method::of(&format!("/a.B/{}", "x".repeat(300))).told(), OTHER);
    }

    #[test]
    fn watches_and_imports_are_long_lived() {
        for (path, watch) in [("/a.B/WatchFacts", true), ("/a.B/ImportCustomers", false)] {
            assert!(Method::of(path).is_long_lived(), "{path}");
            assert_eq!(Method::of(path).is_watch(), watch, "{path}");
        }
        assert!(Method::of("/grpc.health.v1.Health/Check").is_plumbing());
        assert!(!Method::of("/a.Health/Check").is_plumbing());
    }
}
