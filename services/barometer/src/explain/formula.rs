//! A formula with the numbers put in.

use std::collections::BTreeMap;

/// The first clause of a formula, without a name that it is given, with these numbers in place of their names; nothing when it
/// has other names, or none of them.
pub(super) fn filled(formula: &str, numbers: &BTreeMap<String, String>) -> Option<String> {
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let formula = formula.split_once(" = ").filter(|(name, _)| is_name(name)).map_or(formula, |(_, formula)| formula);
    let end =
        [", ", "; ", ": ", ". ", " = "].iter().filter_map(|mark| formula.find(mark)).min().unwrap_or(formula.len());
    let clause = formula[..end].trim_end_matches('.');
    let mut filled = String::new();
    let mut found = false;
    let mut rest = clause;
    while let Some(first) = rest.chars().next() {
        let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first.is_alphabetic() {
            true => rest.find(|c| !is_of_name(c)).unwrap_or(rest.len()),
            false => rest.find(char::is_alphabetic).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        if !first.is_alphabetic() {
            filled.push_str(token);
            continue;
        }
        filled.push_str(numbers.get(token)?);
        found = true;
    }
    found.then_some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_numbers_where_all_of_them_are_known() {
        let numbers = [("satisfied", "2,000"), ("answers", "2,746"), ("new", "1")];
        let numbers = numbers.into_iter().map(|(name, number)| (name.to_owned(), number.to_owned())).collect();
        let filled = |formula| filled(formula, &numbers);
        assert_eq!(
            filled("100 * satisfied / answers, of surveys of the kind CSAT").as_deref(),
            Some("100 * 2,000 / 2,746")
        );
        assert_eq!(filled("100 * satisfied / answers = 100 - x.").as_deref(), Some("100 * 2,000 / 2,746"));
        assert_eq!(filled("satisfied + new.").as_deref(), Some("2,000 + 1"));
        assert_eq!(filled("new = answers + satisfied: sums, of all.").as_deref(), Some("2,746 + 2,000"));
        assert_eq!(filled("Number of answers."), None);
        assert_eq!(filled("100 * satisfied / others"), None);
        assert_eq!((filled(""), filled("1 + 2")), (None, None));
    }
}
