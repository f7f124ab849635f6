//! Outcomes: message ⇄ value.

use barometer_chassis::door::Door;
use barometer_proto::complaints::v1::{self as wire, Finding, Remedy, redress};

use super::category::parse_category;
use crate::case::{Outcome, Redress, Worth};

/// The most things by which a customer is compensated.
const MAX_REDRESS: usize = 16;

/// What became of a case.
pub(crate) fn parse_outcome(door: &mut Door, outcome: wire::Outcome) -> Outcome {
    let wire::Outcome { finding, redress, root_cause, lesson } = outcome;
    Outcome {
        finding: i32::from(door.choice::<Finding>("finding", finding)),
        redress: door.each("redress", redress, MAX_REDRESS, parse_redress),
        root_cause: parse_category(door, "root_cause", root_cause),
        lesson: door.text("lesson", lesson, 10_000),
    }
}

fn parse_redress(door: &mut Door, redress: wire::Redress) -> Redress {
    let wire::Redress { remedy, worth, reference } = redress;
    let remedy: Remedy = door.choice("remedy", remedy);
    let given = worth.is_some();
    let worth = worth.and_then(|worth| match worth {
        redress::Worth::Amount(amount) => door.optional_money("amount", Some(amount)).map(Worth::Money),
        redress::Worth::Points(points) => Some(Worth::Points(points)),
    });
    let field = if matches!(worth, Some(Worth::Points(_))) { "points" } else { "amount" };
    // Of what is no money that alone is told.
    if let Some(refusal) = Worth::refusal(remedy, worth).filter(|_| worth.is_some() == given) {
        door.refuse(field, "NOT_ITS_WORTH", refusal);
    }
    Redress { remedy: remedy.into(), worth, reference: door.text("reference", reference, 128) }
}

/// What became of a case, for callers.
pub(crate) fn render_outcome(outcome: Outcome) -> wire::Outcome {
    let Outcome { finding, redress, root_cause, lesson } = outcome;
    let render = |Redress { remedy, worth, reference }| {
        let worth = worth.map(|worth| match worth {
            Worth::Money(amount) => redress::Worth::Amount(amount.to_wire()),
            Worth::Points(points) => redress::Worth::Points(points),
        });
        wire::Redress { remedy, worth, reference }
    };
    wire::Outcome { finding, redress: redress.into_iter().map(render).collect(), root_cause, lesson }
}

/// What figures need of what the customer got.
pub(crate) fn redress_facts(outcome: Option<&Outcome>) -> Vec<wire::RedressFact> {
    let fact = |redress: &Redress| wire::RedressFact {
        remedy: redress.remedy,
        amount: match redress.worth {
            Some(Worth::Money(amount)) => Some(amount.to_wire()),
            _ => None,
        },
        points: match redress.worth {
            Some(Worth::Points(points)) => points,
            _ => 0,
        },
    };
    outcome.map(|outcome| outcome.redress.iter().map(fact).collect()).unwrap_or_default()
}
