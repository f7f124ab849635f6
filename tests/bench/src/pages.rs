//! Pages of where customers stand and of how they moved, over many answers, against DuckDB over the same.

use barometer_chassis::door::PageToken;
use barometer_metrics::memory::Memory;
use barometer_proto::metrics::v1::{
    CategoryMove, CustomerState, CustomerStateView, ListCategoryMovesRequest, ListCustomerStatesRequest, Scope,
};
use prost_types::Timestamp;
use uuid::Uuid;

use crate::{
    analyses::{COUNTED, ask},
    answers::{self, Answer, CUSTOMERS},
    process,
    reference::{self, Reference},
    report::{Line, Measured, Report, Unit},
    sales::customer_fact,
};

const PART: &str = "figures";
/// After the last answer.
const END: i64 = answers::START + answers::DAYS * 86_400;

/// Makes those who answered known, and asks for pages of usual size: the first, and one in the middle.
pub fn measure(memory: &mut Memory, facts: u64, reference: Option<&Reference<'_>>, report: &mut Report) {
    (0..CUSTOMERS).for_each(|customer| memory.put_customers(customer_fact(customer)).expect("a fact"));
    let (last, middle) = (CUSTOMERS / 2 - 1, Answer::new(facts / 2, facts));
    let duckdb = reference.map(|reference| {
        let count = |of: u64| i64::try_from(of).expect("a small number");
        let counted = i64::try_from(COUNTED).expect("a small number");
        let places = [END * 1_000_000, count(CUSTOMERS), count(last), middle.time];
        reference.ask("pages", &[places.as_slice(), &[1, counted]].concat())
    });
    let after = |key: i64, id: Uuid| PageToken { key, id }.encode();
    let pages = [
        ("states_first", "where 50 customers stand, the first page", String::new()),
        ("states_middle", "where 50 customers stand, a page in the middle", after(0, answers::id(last))),
        ("moves_first", "50 moves between categories, the first page", String::new()),
        (
            "moves_middle",
            "50 moves between categories, a page in the middle",
            after(middle.time, Uuid::from_u128(middle.number().into())),
        ),
    ];
    let of = format!("of {CUSTOMERS} customers with {facts} answers");
    for (index, (name, what, token)) in pages.into_iter().enumerate() {
        let before = process::Memory::own();
        let (first, times, rows) = ask(|| page(memory, name, &token));
        if index == 0 {
            let line = Line::new(PART, format!("{what}, {of}: first"), Measured::once(first), Unit::Milliseconds);
            report.lines.push(line);
            #[allow(clippy::cast_precision_loss, reason = "below 2^53")]
            let bytes = (process::Memory::own().private - before.private) * 1e6 / facts as f64;
            let what = "answers in the order of customers, kept once asked for";
            report.lines.push(Line::new("memory", what, Measured::once(bytes), Unit::BytesPerFact));
        }
        let mut line = Line::new(PART, format!("{what}, {of}"), Measured::of(times), Unit::Milliseconds);
        if let Some(theirs) = duckdb.as_ref().map(|duckdb| &duckdb[name]) {
            assert_eq!(rows, reference::rows(theirs), "{name}: both come to the same page");
            line = line.against("DuckDB", reference::milliseconds(theirs));
        }
        report.lines.push(line);
    }
}

/// A page as DuckDB tells it.
fn page(memory: &Memory, name: &str, token: &str) -> Vec<Vec<i64>> {
    let (end, page_token) = (Some(Timestamp { seconds: END, nanos: 0 }), token.to_owned());
    if name.starts_with("states") {
        let view = Some(CustomerStateView { as_of_time: end, ..CustomerStateView::default() });
        let request = ListCustomerStatesRequest { view, page_token, ..ListCustomerStatesRequest::default() };
        memory.states(request).expect("a page").customer_states.iter().map(state).collect()
    } else {
        let scope = Some(Scope { end_time: end, ..Scope::default() });
        let request = ListCategoryMovesRequest { scope, page_token, ..ListCategoryMovesRequest::default() };
        memory.moves(request).expect("a page").moves.iter().map(moved).collect()
    }
}

/// Customer, last activity, category, score, when it was given, since when in the category, category before, answers.
fn state(of: &CustomerState) -> Vec<i64> {
    let mut row = vec![customer(&of.customer_id), micros(of.last_activity_time.as_ref())];
    match of.loyalty.first() {
        None => row.extend([-1, -1, -1, -1, -1, 0]),
        Some(loyalty) => row.extend([
            loyalty.category.into(),
            loyalty.score.into(),
            micros(loyalty.answer_time.as_ref()),
            micros(loyalty.since_time.as_ref()),
            if loyalty.former_category == 0 { -1 } else { loyalty.former_category.into() },
            loyalty.answers,
        ]),
    }
    row
}

/// Customer; category, score and instant before, and since.
fn moved(of: &CategoryMove) -> Vec<i64> {
    let CategoryMove { customer_id, from, from_score, from_time, to, to_score, time, .. } = of;
    let (from_time, time) = (micros(from_time.as_ref()), micros(time.as_ref()));
    let [from, from_score, to, to_score] = [from, from_score, to, to_score].map(|number| i64::from(*number));
    vec![customer(customer_id), from, from_score, from_time, to, to_score, time]
}

/// The number of a customer, by its id.
fn customer(id: &str) -> i64 {
    let id = Uuid::try_parse(id).expect("an id").as_u128() & 0xffff_ffff_ffff;
    i64::try_from(id).expect("48 bits")
}

fn micros(at: Option<&Timestamp>) -> i64 {
    at.map_or(-1, |at| at.seconds * 1_000_000 + i64::from(at.nanos / 1_000))
}
