//! Time zones of queries.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::tz::TimeZone;

use crate::rules::zone::LocalDays;

/// Zones that are kept beside the server's own: making the table of one takes milliseconds.
const KEPT: usize = 32;

/// The days of the server's reporting zone, and of zones that queries named.
#[derive(Debug)]
pub(crate) struct Zones {
    /// IANA name of the reporting zone.
    pub(crate) reporting_name: String,
    reporting: Arc<LocalDays>,
    named: Mutex<BTreeMap<String, Arc<LocalDays>>>,
}

impl Zones {
    /// With a reporting zone by its IANA name.
    ///
    /// # Errors
    /// When there is none of that name.
    pub(crate) fn new(reporting: &str) -> Result<Self, jiff::Error> {
        let days = LocalDays::new(&TimeZone::get(reporting)?);
        Ok(Zones { reporting_name: reporting.to_owned(), reporting: Arc::new(days), named: Mutex::default() })
    }

    /// The days of a zone by its IANA name, of the reporting zone when that is empty. `None` for what is no zone.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<LocalDays>> {
        if name.is_empty() {
            return Some(Arc::clone(&self.reporting));
        }
        let named = || self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(days) = named().get(name) {
            return Some(Arc::clone(days));
        }
        let days = Arc::new(LocalDays::new(&TimeZone::get(name).ok()?));
        let mut named = named();
        if named.len() >= KEPT {
            named.clear();
        }
        named.insert(name.to_owned(), Arc::clone(&days));
        Some(days)
    }
}
