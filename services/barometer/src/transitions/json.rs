//! Moves for programs: one object whose keys stay as they are.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{
    CategoryCounts, PairedTest, QueryTransitionsResponse, TestState, TransitionMatrix, TransitionPeriod,
};
use serde_json::{Value, json};

use super::category;
use crate::output;
use crate::query::{json::Source, utc};

/// Writes the answer.
pub(super) fn write(answer: &QueryTransitionsResponse, out: &mut dyn Write) -> io::Result<()> {
    let told = json!({
        "matrices": answer.matrices.iter().map(matrix).collect::<Vec<_>>(),
        "freshness": answer.freshness.iter().map(Source::from).collect::<Vec<_>>(),
    });
    output::json(&told, out)
}

fn matrix(of: &TransitionMatrix) -> Value {
    let cells = of.cells.iter().map(|cell| {
        json!({
            "from": category(cell.from()),
            "to": category(cell.to()),
            "customers": cell.customers,
            "percent": cell.percent,
        })
    });
    json!({
        "group": of.group,
        "before": of.before.as_ref().map(period),
        "after": of.after.as_ref().map(period),
        "cells": cells.collect::<Vec<_>>(),
        "joined": of.joined.as_ref().map(counts),
        "lost": of.lost.as_ref().map(counts),
        "customers": of.customers,
        "raised": of.raised,
        "kept": of.kept,
        "lowered": of.lowered,
        "symmetry": of.symmetry.as_ref().map(test),
        "homogeneity": of.homogeneity.as_ref().map(test),
        "tests": match of.test_state() {
            TestState::Unspecified => "",
            TestState::Ok => "ok",
            TestState::Nobody => "nobody",
            TestState::NobodyMoved => "nobody_moved",
        },
        "suppressed": of.suppressed,
    })
}

fn period(of: &TransitionPeriod) -> Value {
    json!({
        "start": utc(of.start_time.as_ref()),
        "end": utc(of.end_time.as_ref()),
        "label": of.label,
        "partial": of.partial,
    })
}

fn counts(of: &CategoryCounts) -> Value {
    json!({ "detractors": of.detractors, "passives": of.passives, "promoters": of.promoters })
}

fn test(of: &PairedTest) -> Value {
    json!({ "statistic": of.statistic, "degrees_of_freedom": of.degrees_of_freedom, "p_value": of.p_value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transitions::tests::answer;

    #[test]
    fn keys_are_stable() {
        let mut out = Vec::new();
        write(&answer(), &mut out).expect("a vector takes everything");
        let read: Value = serde_json::from_slice(&out).expect("it is JSON");
        let keys: Vec<_> = read["matrices"][0].as_object().into_iter().flat_map(|object| object.keys()).collect();
        let expected = [
            "after",
            "before",
            "cells",
            "customers",
            "group",
            "homogeneity",
            "joined",
            "kept",
            "lost",
            "lowered",
            "raised",
            "suppressed",
            "symmetry",
            "tests",
        ];
        assert_eq!(keys, expected);
        assert_eq!(
            (&read["matrices"][0]["cells"][2]["to"], &read["matrices"][0]["tests"]),
            (&"promoter".into(), &"ok".into())
        );
        assert_eq!((&read["matrices"][1]["suppressed"], &read["matrices"][1]["joined"]), (&true.into(), &Value::Null));
    }
}
