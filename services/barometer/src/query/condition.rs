//! Conditions and parameters, as flags name them.

use barometer_proto::metrics::v1::Filter;

/// A condition on one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(super) dimension: String,
    pub(super) value: String,
    pub(super) exclude: bool,
}

/// The conditions on one dimension together: one of the values must hold, or none of the excluded ones.
pub(crate) fn filters(conditions: &[Condition]) -> Vec<Filter> {
    let mut filters: Vec<Filter> = Vec::new();
    for Condition { dimension, value, exclude } in conditions {
        let known = filters.iter_mut().find(|f| f.dimension == *dimension && f.exclude == *exclude);
        match known {
            Some(filter) => filter.values.push(value.clone()),
            None => {
                filters.push(Filter { dimension: dimension.clone(), values: vec![value.clone()], exclude: *exclude })
            }
        }
    }
    filters
}

/// Parses a condition.
///
/// # Errors
/// Unless it is a dimension and a value with `=` or `!=` between them.
pub(crate) fn condition(text: &str) -> Result<Condition, String> {
    let parts = text.split_once('=').filter(|(dimension, _)| !dimension.trim_end_matches('!').is_empty());
    let (dimension, value) = parts.ok_or("expected DIMENSION=VALUE or DIMENSION!=VALUE")?;
    let (dimension, exclude) = dimension.strip_suffix('!').map_or((dimension, false), |dimension| (dimension, true));
    Ok(Condition { dimension: dimension.to_owned(), value: value.to_owned(), exclude })
}

/// Parses a parameter.
///
/// # Errors
/// Unless it is a name and a value with `=` between them.
pub(crate) fn parameter(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    parts.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| "expected NAME=VALUE".to_owned())
}
