//! Journeys for programs: one object whose keys stay as they are.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{JourneyPath, JourneyScore, JourneyStage, Journeys, QueryJourneysResponse};
use serde_json::{Value, json};

use crate::output;
use crate::query::json::{Limits, Source};

/// Writes the answer.
pub(super) fn write(answer: &QueryJourneysResponse, out: &mut dyn Write) -> io::Result<()> {
    let told = json!({
        "journeys": answer.journeys.iter().map(journeys).collect::<Vec<_>>(),
        "freshness": answer.freshness.iter().map(Source::from).collect::<Vec<_>>(),
    });
    output::json(&told, out)
}

fn journeys(of: &Journeys) -> Value {
    json!({
        "group": of.group,
        "stages": of.stages.iter().map(stage).collect::<Vec<_>>(),
        "paths": of.paths.iter().map(path).collect::<Vec<_>>(),
        "other": of.other.as_ref().map(path),
        "whole": of.whole.as_ref().map(score),
        "unfinished": of.unfinished,
    })
}

fn stage(of: &JourneyStage) -> Value {
    let next = of.next.iter().map(|next| json!({ "stage": next.stage, "journeys": next.journeys }));
    json!({
        "stage": of.stage,
        "score": of.score.as_ref().map(score),
        "reached": of.reached,
        "began": of.began,
        "ended": of.ended,
        "next": next.collect::<Vec<_>>(),
    })
}

fn path(of: &JourneyPath) -> Value {
    json!({ "stages": of.stages, "journeys": of.journeys, "score": of.score.as_ref().map(score) })
}

fn score(of: &JourneyScore) -> Value {
    json!({
        "nps": of.nps,
        "interval": of.interval.as_ref().map(Limits::from),
        "promoters": of.promoters,
        "passives": of.passives,
        "detractors": of.detractors,
        "suppressed": of.suppressed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journeys::tests::answer;

    #[test]
    fn keys_are_stable() {
        let mut out = Vec::new();
        write(&answer(), &mut out).expect("a vector takes everything");
        let read: Value = serde_json::from_slice(&out).expect("it is JSON");
        let keys = |value: &Value| value.as_object().into_iter().flat_map(|of| of.keys().cloned()).collect::<Vec<_>>();
        let journeys = &read["journeys"][0];
        assert_eq!(keys(journeys), ["group", "other", "paths", "stages", "unfinished", "whole"]);
        assert_eq!(keys(&journeys["stages"][0]), ["began", "ended", "next", "reached", "score", "stage"]);
        assert_eq!(
            (&journeys["paths"][1]["stages"][1], &journeys["whole"]["promoters"]),
            (&"support".into(), &6.into())
        );
        assert_eq!(
            (&journeys["other"]["score"]["suppressed"], &journeys["other"]["score"]["nps"]),
            (&true.into(), &Value::Null)
        );
    }
}
