//! What becomes of each column when a customer is erased.

use self::Decision::{Emptied, Kept, Moved, Passing, Refused, Stripped};

/// What becomes of a column when a customer is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is emptied.
    Emptied,
    /// What is personal of it is emptied.
    Stripped,
    /// The new customer stands in it.
    Moved,
    /// It is emptied, and a keyed hash of it refuses whoever brings it again.
    Refused,
    /// It stays: it says nothing of a customer, or only what figures need of somebody without a name.
    Kept,
    /// It goes by itself after a while, or when the erasure is done.
    Passing,
}

/// Every column that could hold something personal: its table, its name, and what becomes of it. A test finds the columns of
/// texts, JSON, customers and hashes in the sources, and fails for one of which nothing is said.
pub const DECISIONS: &[(&str, &str, Decision)] = &[
    ("calendar_version", "actor", Kept),
    ("calendar_version", "calendar", Kept),
    ("calendar_version", "name", Kept),
    // Figures need what a case is about, who dealt with it, and of what sort of customer it is.
    ("case", "accepted", Kept),
    // A portal may open cases in the name of its customers.
    ("case", "actor", Emptied),
    ("case", "attachments", Emptied),
    ("case", "category", Kept),
    ("case", "channel", Kept),
    ("case", "customer_country", Kept),
    ("case", "customer_id", Moved),
    ("case", "customer_tier", Kept),
    ("case", "description", Emptied),
    ("case", "dimensions", Kept),
    ("case", "employee", Kept),
    ("case", "external_id", Refused),
    ("case", "external_system", Refused),
    // It would confirm a guess of the texts; without the key nobody compares it.
    ("case", "fingerprint", Emptied),
    ("case", "journey_stage", Kept),
    ("case", "outcome", Stripped),
    ("case", "policy_name", Kept),
    ("case", "product", Kept),
    ("case", "satisfaction", Kept),
    ("case", "subject", Emptied),
    // The company's words; the contract asks for nothing personal in them.
    ("case", "tags", Kept),
    ("case", "team", Kept),
    ("case", "touchpoint", Kept),
    ("case", "value_band", Kept),
    ("case_clock", "policy_name", Kept),
    ("case_entry", "accepted", Kept),
    // Of what customers do themselves: see `OF_CUSTOMERS`.
    ("case_entry", "actor", Stripped),
    ("case_entry", "attachments", Emptied),
    ("case_entry", "employee", Kept),
    ("case_entry", "outcome", Stripped),
    ("case_entry", "previous_employee", Kept),
    ("case_entry", "previous_team", Kept),
    ("case_entry", "rebase", Kept),
    ("case_entry", "satisfaction", Kept),
    ("case_entry", "team", Kept),
    ("case_entry", "text", Emptied),
    ("case_link", "actor", Kept),
    ("claim", "actor", Kept),
    ("claim", "employee", Kept),
    ("claim", "team", Kept),
    ("delivery", "body", Moved),
    ("erased_trace", "hash", Kept),
    ("erasure", "actor", Kept),
    ("erasure", "anonymous_id", Passing),
    ("erasure", "counts", Kept),
    ("erasure", "customer_hash", Kept),
    ("erasure", "customer_id", Passing),
    // What traces are hashed by.
    ("erasure_secret", "secret", Kept),
    ("escalation", "employee", Kept),
    ("escalation", "notified", Kept),
    ("escalation", "policy_name", Kept),
    ("escalation", "previous_employee", Kept),
    ("escalation", "previous_team", Kept),
    ("escalation", "team", Kept),
    ("feed_marker", "incarnation", Kept),
    // They lead to answers in surveys, until these are erased there.
    ("follow_up", "closing_response_id", Kept),
    ("follow_up", "customer_id", Moved),
    ("follow_up", "response_id", Kept),
    ("follow_up", "rule_name", Kept),
    ("follow_up", "score", Kept),
    ("follow_up_rule_set", "actor", Kept),
    ("follow_up_rule_set", "rules", Kept),
    // What the company says of an interruption, and its own key of it; the contract asks for nothing personal.
    ("incident", "actor", Kept),
    ("incident", "category", Kept),
    ("incident", "country", Kept),
    ("incident", "description", Kept),
    ("incident", "external_id", Kept),
    ("incident", "external_system", Kept),
    ("incident", "fingerprint", Kept),
    ("incident", "product", Kept),
    ("incident", "rule", Kept),
    ("incident", "title", Kept),
    ("incident_customer", "customer_id", Moved),
    ("incident_task", "actor", Kept),
    ("incident_task", "country", Kept),
    ("incident_task", "last_failure", Kept),
    // The same for all whom an incident affects.
    ("incident_task", "message", Kept),
    // The token of a page ends with a customer; it goes when the task is done.
    ("incident_task", "place", Passing),
    ("incident_task", "segment", Kept),
    ("incident_task", "tag", Kept),
    ("incident_task", "tier", Kept),
    ("policy_set", "actor", Kept),
    ("policy_set", "policies", Kept),
    ("promise", "actor", Kept),
    ("promise", "customer_id", Moved),
    ("promise", "description", Emptied),
    ("promise", "due_employee", Kept),
    ("promise", "due_team", Kept),
    ("promise", "employee", Kept),
    ("promise", "external_id", Refused),
    ("promise", "external_system", Refused),
    ("promise", "fingerprint", Emptied),
    ("promise", "policy_name", Kept),
    ("promise", "team", Kept),
    // The ledger forgets after eight days.
    ("request", "actor", Passing),
    ("request", "fingerprint", Passing),
    ("request", "method", Passing),
    ("request", "request_id", Passing),
    ("survey_answer", "customer_id", Moved),
    ("survey_answer", "response_id", Kept),
    ("survey_answer", "score", Kept),
    ("team", "actor", Kept),
    ("team", "lead", Kept),
    ("team", "manager", Kept),
    ("team", "name", Kept),
    ("upstream", "name", Kept),
    ("upstream", "position", Kept),
    ("webhook", "actor", Kept),
    ("webhook", "events", Kept),
    ("webhook", "name", Kept),
    ("webhook", "previous_secret", Kept),
    ("webhook", "secret", Kept),
    ("webhook", "url", Kept),
];

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        fs,
        path::{Path, PathBuf},
    };

    use super::*;

    /// Types of which a decision is due.
    const TYPES: [&str; 6] =
        ["String", "Option<String>", "CustomerId", "Option<CustomerId>", "Secret", "Option<Secret>"];
    /// Names of which one is due whatever their type is.
    const NAMES: [&str; 7] =
        ["accepted", "closing_response_id", "fingerprint", "request_id", "response_id", "satisfaction", "score"];

    /// The sources below a folder.
    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("the sources") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => sources(&path, found),
                false => found.push(path),
            }
        }
    }

    /// The columns of the tables in a source of which a decision is due.
    fn due(text: &str) -> BTreeSet<(String, String)> {
        let mut found = BTreeSet::new();
        for table in text.split("table_name = \"").skip(1) {
            let (table, rest) = table.split_once('"').expect("a name");
            let (_, body) = rest.split_once("struct Model {").expect("a row");
            let (body, _) = body.split_once("\n}").expect("its end");
            let (mut told, mut renamed) = (false, None);
            for line in body.lines().map(str::trim) {
                let said = line.starts_with("///") && line.contains("ersonal data");
                told |= said || line.contains("\"JsonBinary\"") || line.contains("\"Text\"");
                if let Some((_, name)) = line.split_once("column_name = \"") {
                    renamed = name.split('"').next().map(str::to_owned);
                }
                let Some((name, of_type)) = line.strip_suffix(',').and_then(|line| line.split_once(": ")) else {
                    continue;
                };
                let name = name.rsplit(' ').next().expect("a name");
                if told || TYPES.contains(&of_type) || NAMES.contains(&name) {
                    found.insert((table.to_owned(), renamed.take().unwrap_or_else(|| name.to_owned())));
                }
                (told, renamed) = (false, None);
            }
        }
        found
    }

    #[test]
    fn of_every_column_that_could_be_personal_it_is_decided_what_becomes_of_it() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut all = Vec::new();
        // The chassis keeps requests and markers in the same database.
        for folder in [here.join("src"), here.join("../chassis/src")] {
            sources(&folder, &mut all);
        }
        let found: BTreeSet<_> = all.iter().flat_map(|path| due(&fs::read_to_string(path).expect("text"))).collect();
        for (table, column) in [("case", "subject"), ("case_entry", "rebase"), ("request", "fingerprint")] {
            assert!(found.contains(&(table.to_owned(), column.to_owned())), "the sources are read: {found:?}");
        }
        let decided: BTreeSet<_> =
            DECISIONS.iter().map(|(table, column, _)| ((*table).to_owned(), (*column).to_owned())).collect();
        let undecided: Vec<_> = found.difference(&decided).collect();
        let gone: Vec<_> = decided.difference(&found).collect();
        assert_eq!((undecided, gone), (vec![], vec![]), "columns without a decision, decisions without a column");
        assert_eq!(decided.len(), DECISIONS.len(), "each once");
    }

    #[test]
    fn a_decision_is_due_of_texts_json_customers_and_hashes() {
        let source = "#[sea_orm(table_name = \"note\")]\npub struct Model {\n    /// A text.\n    pub text: String,\n    \
                      /// When.\n    pub time: Micros,\n    #[sea_orm(column_type = \"JsonBinary\")]\n    pub tags: Tags,\n    \
                      #[sea_orm(column_name = \"whose\")]\n    customer: Option<CustomerId>,\n    fingerprint: i64,\n}\n";
        let found: Vec<String> = due(source).into_iter().map(|(_, column)| column).collect();
        assert_eq!(found, ["fingerprint", "tags", "text", "whose"]);
    }
}
