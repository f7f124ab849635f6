//! Incidents: message ⇄ row.

use std::collections::BTreeSet;

use barometer_chassis::{
    clock::Micros,
    door::{Door, ExternalKey, Page},
};
use barometer_proto::complaints::v1::{self as wire, IncidentState, fact};
use sea_orm::{ColumnTrait, Condition};

use super::category::parse_category;
use crate::{
    incident::{Column, Model, Rule, word},
    incident_case, incident_customer, incident_task,
};

/// The most values of a condition, and of a filter.
const MAX_VALUES: usize = 100;
const MAX_STATES: usize = 16;

/// A new incident; when it began is left open when the caller did not say.
pub(crate) fn parse_incident(door: &mut Door, message: wire::Incident, actor: String) -> (Model, Option<Micros>) {
    let wire::Incident {
        title,
        description,
        product,
        category,
        country,
        start_time,
        rule,
        external_id,
        incident_id: _,
        state: _,
        end_time: _,
        close_time: _,
        affected_customers: _,
        linked_cases: _,
        resolved_cases: _,
        passed_over_cases: _,
        running_tasks: _,
        etag: _,
        create_time: _,
        update_time: _,
        position: _,
    } = message;
    let start_time = start_time.map(|at| door.past_time("start_time", Some(at)));
    let key = door.optional_key("external_id", external_id);
    let (external_system, external_id) = key.map(|key| (key.system, key.value)).unzip();
    let row = Model {
        state: IncidentState::Open.into(),
        title: door.required_text("title", title, 256),
        description: door.text("description", description, 10_000),
        product: door.text("product", product, 128),
        category: if category.is_empty() { category } else { parse_category(door, "category", category) },
        country: door.text("country", country, 64),
        start_time: start_time.unwrap_or_default(),
        rule: rule.map(|rule| door.inside("rule", |door| parse_rule(door, rule))),
        external_system,
        external_id,
        actor,
        ..Model::default()
    };
    (row, start_time)
}

fn parse_rule(door: &mut Door, message: wire::IncidentRule) -> Rule {
    let wire::IncidentRule { products, categories, countries, words } = message;
    let nothing = [&products, &categories, &countries, &words].iter().all(|condition| condition.is_empty());
    if nothing {
        door.refuse("", "EMPTY_RULE", "has no condition");
    }
    let texts = |door: &mut Door, field: &str, values: Vec<String>, longest: usize| -> BTreeSet<String> {
        let values = door.each(field, values, MAX_VALUES, |door, value| door.required_text("", value, longest));
        values.into_iter().collect()
    };
    let products = texts(door, "products", products, 128);
    let countries = texts(door, "countries", countries, 64);
    let categories = door.each("categories", categories, MAX_VALUES, |door, path| parse_category(door, "", path));
    let words = door.each("words", words, MAX_VALUES, |door, text| {
        word(&text).unwrap_or_else(|| {
            door.refuse("", "NOT_A_WORD", "is not one word of 2 to 64 letters or digits");
            String::new()
        })
    });
    Rule { products, categories: categories.into_iter().collect(), countries, words: words.into_iter().collect() }
}

/// The page and the filter of a list of incidents.
pub(crate) fn parse_list_incidents(door: &mut Door, request: wire::ListIncidentsRequest) -> (Page, Condition) {
    let wire::ListIncidentsRequest { page_size, page_token, states } = request;
    let page = door.page(page_size, &page_token);
    let states: Vec<i32> =
        door.each("states", states, MAX_STATES, |door, state| door.choice::<IncidentState>("", state).into());
    (page, Condition::all().add_option((!states.is_empty()).then(|| Column::State.is_in(states))))
}

/// An incident for callers.
pub(crate) fn render_incident(row: Model, running_tasks: u64, position: String) -> wire::Incident {
    let Model {
        id,
        number: _,
        position: _,
        version,
        state,
        title,
        description,
        product,
        category,
        country,
        start_time,
        rule,
        end_time,
        close_time,
        affected_customers,
        linked_cases,
        resolved_cases,
        passed_over_cases,
        external_system,
        external_id,
        fingerprint: _,
        actor: _,
        create_time,
        update_time,
        withdraw_time: _,
    } = row;
    let key = external_system.zip(external_id).map(|(system, value)| ExternalKey { system, value });
    let rule = rule.map(|Rule { products, categories, countries, words }| wire::IncidentRule {
        products: products.into_iter().collect(),
        categories: categories.into_iter().collect(),
        countries: countries.into_iter().collect(),
        words: words.into_iter().collect(),
    });
    wire::Incident {
        incident_id: id.to_string(),
        title,
        description,
        product,
        category,
        country,
        start_time: Some(start_time.to_wire()),
        rule,
        external_id: key.map(|key| key.to_wire()),
        state,
        end_time: end_time.map(Micros::to_wire),
        close_time: close_time.map(Micros::to_wire),
        affected_customers,
        linked_cases,
        resolved_cases,
        passed_over_cases,
        running_tasks: i64::try_from(running_tasks).unwrap_or(i64::MAX),
        etag: version.to_string(),
        create_time: Some(create_time.to_wire()),
        update_time: Some(update_time.to_wire()),
        position,
    }
}

/// An incident for watchers: nothing of its texts, and no counts.
pub(crate) fn incident_fact(row: Model) -> wire::Fact {
    let fact = wire::IncidentFact {
        state: row.state,
        product: row.product,
        category: row.category,
        country: row.country,
        start_time: Some(row.start_time.to_wire()),
        end_time: row.end_time.map(Micros::to_wire),
        close_time: row.close_time.map(Micros::to_wire),
    };
    super::fact(row.id, row.number, row.version, row.update_time, fact::Fact::Incident(fact))
}

/// A case of an incident, for callers.
pub(crate) fn render_incident_case(row: incident_case::Model) -> wire::IncidentCase {
    let incident_case::Model { id: _, incident_id: _, case_id, by_rule, unlinked: _, result, create_time } = row;
    wire::IncidentCase { case_id: case_id.to_string(), by_rule, result, create_time: Some(create_time.to_wire()) }
}

/// A customer whom an incident affects, for callers.
pub(crate) fn render_affected(row: incident_customer::Model) -> wire::AffectedCustomer {
    let incident_customer::Model { id: _, incident_id: _, customer_id, create_time, number: _ } = row;
    wire::AffectedCustomer { customer_id: customer_id.to_string(), create_time: Some(create_time.to_wire()) }
}

/// A task of an incident, for callers.
pub(crate) fn render_task(row: incident_task::Model) -> wire::IncidentTask {
    let incident_task::Model {
        id,
        incident_id: _,
        task_type,
        done,
        place: _,
        message: _,
        country: _,
        tier: _,
        tag: _,
        segment: _,
        count,
        last_failure,
        next_time: _,
        actor: _,
        create_time,
        end_time,
        last_number: _,
    } = row;
    wire::IncidentTask {
        task_id: id.to_string(),
        r#type: task_type,
        done,
        count,
        last_failure,
        create_time: Some(create_time.to_wire()),
        end_time: end_time.map(Micros::to_wire),
    }
}
