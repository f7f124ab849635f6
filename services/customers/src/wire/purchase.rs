//! Purchases: message ⇄ row.

use barometer_chassis::{
    clock::Micros,
    door::{Amount, Currency, Door, MAX_MONEY, PageToken, Stages, money},
};
use barometer_proto::common::v1::Money;
use barometer_proto::customers::v1::{self as wire, FactKind, fact::Fact, purchase::Customer};

use crate::{
    customer::CustomerId,
    noun::{Noun, columns, external_id, not_reversed, parse_customer},
    purchase::{Line, Lines, Model},
    store::CustomerRef,
};

impl Noun for Model {
    type Wire = wire::Purchase;
    const FIELD: &'static str = "purchase";
    const ID_FIELD: &'static str = "purchase_id";
    const AMENDABLE: &'static [&'static str] = &[
        "customer_id",
        "customer_key",
        "time",
        "amount",
        "lines",
        "return_of",
        "channel",
        "country",
        "voucher",
        "due_time",
        "paid_time",
        "dimensions",
    ];

    fn parse(door: &mut Door, message: wire::Purchase, _stages: &Stages, actor: String) -> (Self, CustomerRef) {
        let wire::Purchase {
            customer,
            time,
            amount,
            lines,
            return_of,
            channel,
            country,
            voucher,
            due_time,
            paid_time,
            external_id: key,
            dimensions,
            purchase_id: _,
            etag: _,
            create_time: _,
            update_time: _,
            withdraw_time: _,
            position: _,
        } = message;
        let customer = match customer {
            Some(Customer::CustomerId(id)) => parse_customer(door, Some(id), None),
            Some(Customer::CustomerKey(key)) => parse_customer(door, None, Some(key)),
            None => parse_customer(door, None, None),
        };
        let time = door.past_time("time", time);
        let (amount, lines) = parse_amounts(door, amount, lines);
        let (return_of_system, return_of_id) = columns(door.optional_key("return_of", return_of));
        let due_time = door.optional_time("due_time", due_time);
        let paid_time = door.optional_time("paid_time", paid_time);
        not_reversed(door, "due_time", time, due_time);
        let (external_system, external_key) = columns(door.optional_key("external_id", key));
        let row = Model {
            time,
            currency: amount.currency.as_str().to_owned(),
            amount: amount.micros,
            lines: Lines(lines),
            return_of_system,
            return_of_id,
            channel: door.text("channel", channel, 64),
            country: door.text("country", country, 64),
            voucher: door.text("voucher", voucher, 64),
            due_time,
            paid_time,
            dimensions: door.dimensions(dimensions),
            external_system,
            external_id: external_key,
            actor,
            ..Model::default()
        };
        (row, customer)
    }

    fn render(self, position: String) -> wire::Purchase {
        let Model {
            id,
            number: _,
            position: _,
            version,
            customer_id,
            time,
            currency,
            amount,
            lines,
            return_of_system,
            return_of_id,
            channel,
            country,
            voucher,
            due_time,
            paid_time,
            dimensions,
            external_system,
            external_id: external_key,
            fingerprint: _,
            actor: _,
            create_time,
            update_time,
            withdraw_time,
        } = self;
        wire::Purchase {
            purchase_id: id.to_string(),
            customer: Some(Customer::CustomerId(customer_id.to_string())),
            time: Some(time.to_wire()),
            amount: Some(money(&currency, amount)),
            lines: lines.0.into_iter().map(|line| render_line(&currency, line)).collect(),
            return_of: external_id(return_of_system, return_of_id),
            channel,
            country,
            voucher,
            due_time: due_time.map(Micros::to_wire),
            paid_time: paid_time.map(Micros::to_wire),
            external_id: external_id(external_system, external_key),
            dimensions: dimensions.0,
            etag: version.to_string(),
            create_time: Some(create_time.to_wire()),
            update_time: Some(update_time.to_wire()),
            withdraw_time: withdraw_time.map(Micros::to_wire),
            position,
        }
    }

    /// With lines the amount is their sum.
    fn leave_out_derived(message: &mut wire::Purchase) {
        if !message.lines.is_empty() {
            message.amount = None;
        }
    }

    fn amended(old: Self, new: Self) -> Self {
        let Model {
            customer_id,
            time,
            currency,
            amount,
            lines,
            return_of_system,
            return_of_id,
            channel,
            country,
            voucher,
            due_time,
            paid_time,
            dimensions,
            id: _,
            number: _,
            position: _,
            version: _,
            external_system: _,
            external_id: _,
            fingerprint: _,
            actor: _,
            create_time: _,
            update_time: _,
            withdraw_time: _,
        } = new;
        Model {
            customer_id,
            time,
            currency,
            amount,
            lines,
            return_of_system,
            return_of_id,
            channel,
            country,
            voucher,
            due_time,
            paid_time,
            dimensions,
            ..old
        }
    }

    fn place(&self) -> PageToken {
        PageToken { key: self.time.0, id: self.id }
    }

    fn named(message: &wire::Purchase) -> (&str, &str) {
        (&message.purchase_id, &message.etag)
    }

    fn set_customer(&mut self, customer: CustomerId) {
        self.customer_id = customer;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }
}

/// A purchase for watchers.
pub(crate) fn purchase_fact(row: Model) -> wire::Fact {
    let head = (row.id, row.number, row.version, row.update_time);
    super::fact(head, FactKind::Purchase, row.withdraw_time.is_some(), || {
        Fact::Purchase(wire::PurchaseFact {
            customer_id: row.customer_id.to_string(),
            time: Some(row.time.to_wire()),
            amount: Some(money(&row.currency, row.amount)),
            voucher: !row.voucher.is_empty() || row.lines.0.iter().any(|line| !line.voucher.is_empty()),
            lines: row.lines.0.into_iter().map(|line| line_fact(&row.currency, line)).collect(),
            channel: row.channel,
            country: row.country,
            due_time: row.due_time.map(Micros::to_wire),
            paid_time: row.paid_time.map(Micros::to_wire),
            dimensions: row.dimensions.0,
        })
    })
}

/// The amount of a purchase and its lines: all of one currency, and the amount is their sum.
fn parse_amounts(door: &mut Door, amount: Option<Money>, lines: Vec<wire::PurchaseLine>) -> (Amount, Vec<Line>) {
    let absent = amount.is_none() && lines.is_empty();
    let given = door.optional_money("amount", amount);
    let mut currency = given.map(|amount| amount.currency);
    let lines = door.each("lines", lines, 500, |door, line| parse_line(door, line, &mut currency));
    let sum = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount));
    let sum = sum.filter(|sum| (-MAX_MONEY..=MAX_MONEY).contains(sum));
    match (given, sum) {
        (None, _) if absent => door.missing("amount"),
        (_, None) => door.refuse("lines", "OUT_OF_RANGE", "come to more than 9,000,000,000,000"),
        (Some(amount), Some(sum)) if !lines.is_empty() && amount.micros != sum => {
            door.refuse("amount", "NOT_THE_SUM", "is not the sum of the lines");
        }
        _ => {}
    }
    let nothing = Currency::parse("XXX").map(|currency| Amount { currency, micros: 0 });
    let of_lines = currency.zip(sum).map(|(currency, micros)| Amount { currency, micros });
    (given.or(of_lines).or(nothing).unwrap_or_else(|| unreachable!("XXX is three letters")), lines)
}

/// One line; the first currency that is met is that of the whole purchase.
fn parse_line(door: &mut Door, line: wire::PurchaseLine, currency: &mut Option<Currency>) -> Line {
    let wire::PurchaseLine { product, category, quantity, list_price, discount, voucher, amount } = line;
    if amount.is_none() {
        door.missing("amount");
    }
    let amount = door.optional_money("amount", amount);
    let list_price = door.optional_money("list_price", list_price);
    let discount = door.optional_cost("discount", discount);
    for (field, money) in [("amount", amount), ("list_price", list_price), ("discount", discount)] {
        let Some(money) = money else { continue };
        if *currency.get_or_insert(money.currency) != money.currency {
            door.refuse(field, "OTHER_CURRENCY", "is in another currency than the rest of the purchase");
        }
    }
    if !(0..=1_000_000_000).contains(&quantity) {
        door.refuse("quantity", "OUT_OF_RANGE", "is not within 0 to 1,000,000,000");
    }
    Line {
        product: door.text("product", product, 128),
        category: door.text("category", category, 64),
        quantity: quantity.max(1),
        list_price: list_price.map(|money| money.micros),
        discount: discount.map(|money| money.micros),
        voucher: door.text("voucher", voucher, 64),
        amount: amount.map(|money| money.micros).unwrap_or_default(),
    }
}

fn render_line(currency: &str, line: Line) -> wire::PurchaseLine {
    let Line { product, category, quantity, list_price, discount, voucher, amount } = line;
    wire::PurchaseLine {
        product,
        category,
        quantity,
        list_price: list_price.map(|micros| money(currency, micros)),
        discount: discount.map(|micros| money(currency, micros)),
        voucher,
        amount: Some(money(currency, amount)),
    }
}

fn line_fact(currency: &str, line: Line) -> wire::PurchaseLineFact {
    let Line { product: _, category, quantity, list_price: _, discount, voucher: _, amount } = line;
    wire::PurchaseLineFact {
        category,
        quantity,
        discount: discount.map(|micros| money(currency, micros)),
        amount: Some(money(currency, amount)),
    }
}
