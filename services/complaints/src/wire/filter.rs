//! The list of cases: its page and its filter.

use barometer_chassis::door::{Door, Page};
use barometer_proto::complaints::v1::{self as wire, CaseKind, Priority, Severity, case::State};
use sea_orm::{
    ColumnTrait, Condition, DbBackend,
    sea_query::{Expr, ExprTrait, Func, SimpleExpr},
};
use uuid::Uuid;

use crate::case::{Column, Order};

/// The most values that a filter names of each kind.
const MAX_VALUES: usize = 16;

/// The page, the filter and the order of a list, for a database of this kind.
pub(crate) fn parse_list_cases(
    door: &mut Door,
    request: wire::ListCasesRequest,
    backend: DbBackend,
) -> (Page, Condition, Order) {
    let wire::ListCasesRequest {
        page_size,
        page_token,
        customer_id,
        start_time,
        end_time,
        show_withdrawn,
        states,
        employee,
        team,
        kinds,
        severities,
        priorities,
        category,
        product,
        channel,
        tags,
        due_before,
        order,
    } = request;
    let page = door.page(page_size, &page_token);
    let customer: Option<Uuid> = door.optional_id("customer_id", &customer_id);
    let (start, end) = door.optional_span(("start_time", start_time), ("end_time", end_time));
    let mut filter = Condition::all()
        .add_option(customer.map(|id| Column::CustomerId.eq(id)))
        .add_option(start.map(|at| Column::OpenTime.gte(at)))
        .add_option(end.map(|at| Column::OpenTime.lt(at)))
        .add_option(door.optional_time("due_before", due_before).map(|at| Column::DueTime.lt(at)))
        .add_option(any_of::<State>(door, Column::State, "states", states))
        .add_option(any_of::<CaseKind>(door, Column::Kind, "kinds", kinds))
        .add_option(any_of::<Severity>(door, Column::Severity, "severities", severities))
        .add_option(any_of::<Priority>(door, Column::Priority, "priorities", priorities))
        .add_option((!show_withdrawn).then(|| Column::WithdrawTime.is_null()));
    let texts = [
        (Column::Employee, "employee", employee, 64),
        (Column::Team, "team", team, 64),
        (Column::Product, "product", product, 128),
        (Column::Channel, "channel", channel, 64),
    ];
    for (column, field, text, longest) in texts {
        let text = door.text(field, text, longest);
        filter = filter.add_option((!text.is_empty()).then(|| column.eq(text)));
    }
    let category = door.text("category", category, 128);
    filter = filter.add_option((!category.is_empty()).then(|| within(&category)));
    let tags = door.each("tags", tags, MAX_VALUES, |door, tag| door.required_text("", tag, 64));
    for tag in tags {
        filter = filter.add(has_tag(backend, tag));
    }
    let order = match door.optional_choice("order", order) {
        wire::CaseOrder::Unspecified | wire::CaseOrder::Newest => Order::Newest,
        wire::CaseOrder::Due => Order::Due,
    };
    (page, filter, order)
}

/// Whether a column is one of the values of an enum; nothing when none are named.
fn any_of<E>(door: &mut Door, column: Column, field: &str, values: Vec<i32>) -> Option<SimpleExpr>
where
    E: TryFrom<i32> + Default + PartialEq + Into<i32>,
{
    let values: Vec<i32> = door.each(field, values, MAX_VALUES, |door, value| door.choice::<E>("", value).into());
    (!values.is_empty()).then(|| column.is_in(values))
}

/// Whether the category is this one or below it, as [`crate::case::within`] has it. Not by `LIKE`: to that, in one of the
/// databases, small letters are capitals.
fn within(category: &str) -> Condition {
    let below = format!("{category}/");
    let length = i32::try_from(below.chars().count()).unwrap_or(i32::MAX);
    let beginning = Func::cust("substr").arg(Expr::col(Column::Category)).arg(1).arg(length);
    Condition::any().add(Column::Category.eq(category)).add(SimpleExpr::from(beginning).eq(below))
}

/// Whether a case has this tag.
fn has_tag(backend: DbBackend, tag: String) -> SimpleExpr {
    match backend {
        DbBackend::Postgres => Expr::cust_with_values("jsonb_exists(tags, $1)", [tag]),
        _ => Expr::cust_with_values("EXISTS (SELECT 1 FROM json_each(tags) WHERE json_each.value = ?)", [tag]),
    }
}
