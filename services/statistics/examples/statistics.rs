//! Computes statistics for whoever asks, so that another program can compare: one JSON object a line comes in, one goes
//! out. What is asked for is named by `ask`; the other fields are the arguments of the rule, and those of the answer
//! are named as in its documentation. What has no answer is null. See tests/oracles/estimates.py.

use std::io::{BufRead as _, Write as _};

use barometer_statistics::{
    Interval, Level,
    bootstrap::{Bootstrap, Kind, Resampling},
    churn::{ChurnDefinition, ChurnTally},
    comparison::{MeanDifference, NpsCounts, NpsDifference, NpsMethod, Proportion, ProportionDifference, Sample},
    consistency::{Channel, Consistency},
    discovery::adjusted_p_values,
    drivers::Drivers,
    interval::student,
    lifecycle::{Lifecycle, Stage},
    percentile::Percentiles,
    presence::Presence,
    retention::{RetentionCell, RetentionDefinition, RetentionTable, Starts},
    revenue::RevenueTally,
    score::ScoreMethod,
    stickiness::Stickiness,
    survival::{self, AalenJohansen, Competing, KaplanMeier, LogRank, Observation, Step},
    transition::{PairedTest, TransitionMatrix},
    trend::{MannKendall, Pettitt, Point, SenSlope, WeightedChange, WeightedTrend},
};
use serde_json::{Value, json};

fn main() {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let ask: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        writeln!(out, "{}", answer(&ask)).expect("somebody reads it");
    }
}

fn answer(ask: &Value) -> Value {
    match ask["ask"].as_str().expect("a name") {
        "nps_interval" => nps_interval(ask),
        "mean_interval" => mean_interval(ask),
        "nps_difference" => nps_difference(ask),
        "proportion_difference" => proportion_difference(ask),
        "mean_difference" => mean_difference(ask),
        "adjusted_p_values" => json!({ "adjusted": adjusted_p_values(&numbers(&ask["p_values"])) }),
        "kaplan_meier" => kaplan_meier(ask),
        "log_rank" => log_rank(ask),
        "aalen_johansen" => aalen_johansen(ask),
        "consistency" => consistency(ask),
        "churn" => churn(ask),
        "revenue" => revenue(ask),
        "retention" => retention(ask),
        "lifecycle" => lifecycle(ask),
        "bootstrap" => bootstrap(ask),
        "trend" => trend(ask),
        "weighted_trend" => weighted_trend(ask),
        "drivers" => drivers(ask),
        "transitions" => transitions(ask),
        "percentiles" => percentiles(ask),
        other => panic!("nobody knows {other}"),
    }
}

fn nps_interval(ask: &Value) -> Value {
    let [promoters, passives, detractors] = numbers(&ask["counts"])[..] else { panic!("three counts") };
    let counts = NpsCounts::effective(promoters, passives, detractors).expect("answers");
    let interval = |method| limits(counts.interval(method, level(ask)));
    json!({ "score": interval(ScoreMethod::Score), "adjusted_wald": interval(ScoreMethod::AdjustedWald) })
}

fn mean_interval(ask: &Value) -> Value {
    let [mean, variance, size] = numbers(&ask["sample"])[..] else { panic!("mean, variance and size") };
    json!({ "limits": student(mean, variance, size, level(ask)).map(limits) })
}

fn nps_difference(ask: &Value) -> Value {
    let side = |name: &str| {
        let counts = numbers(&ask[name]);
        let sums = [counts[0], counts[1], counts[2]];
        NpsCounts::weighted(sums, counts[3]).expect("counts")
    };
    let method = if ask["plain"] == true { NpsMethod::Wald } else { NpsMethod::AdjustedWald };
    match NpsDifference::between(side("before"), side("after"), method, level(ask)) {
        Ok(NpsDifference { difference, interval, z, p_value }) => {
            json!({ "difference": difference, "interval": limits(interval), "z": z, "p_value": p_value })
        }
        Err(_) => Value::Null,
    }
}

fn proportion_difference(ask: &Value) -> Value {
    let side = |name: &str| {
        let counts = whole_numbers(&ask[name]);
        Proportion::new(counts[0], counts[1]).expect("counts")
    };
    let (before, after) = (side("before"), side("after"));
    let ProportionDifference { difference, interval, z, p_value } =
        ProportionDifference::between(before, after, level(ask));
    json!({
        "difference": difference,
        "interval": limits(interval),
        "z": z,
        "p_value": p_value,
        "before": limits(before.interval(level(ask))),
    })
}

fn mean_difference(ask: &Value) -> Value {
    let side = |name: &str| Sample::of(&numbers(&ask[name])).expect("values");
    match MeanDifference::between(side("before"), side("after"), level(ask)) {
        Ok(MeanDifference { difference, interval, t, degrees_of_freedom, p_value }) => json!({
            "difference": difference,
            "interval": limits(interval),
            "t": t,
            "degrees_of_freedom": degrees_of_freedom,
            "p_value": p_value,
        }),
        Err(_) => Value::Null,
    }
}

fn kaplan_meier(ask: &Value) -> Value {
    let curve = KaplanMeier::of(&observations(&ask["lives"])).expect("somebody");
    let (lower, upper) = curve.median_limits(level(ask));
    let column = |of: fn(&Step) -> Value| curve.steps().iter().map(of).collect::<Value>();
    json!({
        "times": column(|step| json!(step.time)),
        "at_risk": column(|step| json!(step.at_risk)),
        "survival": column(|step| json!(step.survival)),
        "intervals": curve.steps().iter().map(|step| step.interval(level(ask)).map(limits)).collect::<Vec<_>>(),
        "median": curve.median(),
        "median_limits": [lower, upper],
        "restricted_mean": ask["until"].as_u64().and_then(|until| curve.restricted_mean(until)),
    })
}

/// Lives are `[entry or null, exit, cause from 0 or null]`.
fn aalen_johansen(ask: &Value) -> Value {
    let lives = ask["lives"].as_array().expect("lives");
    let customers: Vec<_> = lives
        .iter()
        .map(|life| {
            let (exit, cause) = (life[1].as_u64().expect("a time"), life[2].as_u64());
            let seen = match life[0].as_u64() {
                Some(entry) => Observation::entered_late(entry, exit, cause.is_some()).expect("a stretch of time"),
                None => Observation::new(exit, cause.is_some()),
            };
            Competing { seen, cause: usize::try_from(cause.unwrap_or_default()).expect("few") }
        })
        .collect();
    let causes = usize::try_from(ask["causes"].as_u64().expect("a count")).expect("few");
    let found = AalenJohansen::of(&customers, causes).expect("somebody");
    let of_causes = |of: fn(&survival::Incidence, Level) -> Value| {
        let of_cause = |cause| found.of_cause(cause).iter().map(|step| of(step, level(ask))).collect::<Value>();
        (0..causes).map(of_cause).collect::<Value>()
    };
    json!({
        "times": of_causes(|step, _| json!(step.time)),
        "events": of_causes(|step, _| json!(step.events)),
        "shares": of_causes(|step, _| json!(step.share)),
        "errors": of_causes(|step, _| json!(step.standard_error())),
        "intervals": of_causes(|step, level| json!(step.interval(level).map(limits))),
    })
}

/// Channels are counts of promoters, passives and detractors.
fn consistency(ask: &Value) -> Value {
    let channels = list(&ask["channels"], |counts| {
        let [promoters, passives, detractors] = numbers(counts)[..] else { panic!("three counts") };
        Channel::of_nps([promoters, passives, detractors])
    });
    let Some(of) = Consistency::of(&channels) else { return Value::Null };
    json!({ "spread": of.spread(), "found": of.found(), "limits": of.interval(level(ask)).map(limits) })
}

fn log_rank(ask: &Value) -> Value {
    let groups: Vec<_> = ask["groups"].as_array().expect("groups").iter().map(observations).collect();
    let groups: Vec<_> = groups.iter().map(Vec::as_slice).collect();
    match LogRank::of(&groups) {
        Ok(LogRank { statistic, degrees_of_freedom, p_value, groups: _ }) => {
            json!({ "statistic": statistic, "degrees_of_freedom": degrees_of_freedom, "p_value": p_value })
        }
        Err(_) => Value::Null,
    }
}

/// Each `[entry or null, exit, event]`.
fn observations(lives: &Value) -> Vec<Observation> {
    let life = |life: &Value| {
        let (exit, event) = (life[1].as_u64().expect("a time"), life[2].as_bool().expect("whether it happened"));
        match life[0].as_u64() {
            Some(entry) => Observation::entered_late(entry, exit, event).expect("a stretch of time"),
            None => Observation::new(exit, event),
        }
    };
    lives.as_array().expect("lives").iter().map(life).collect()
}

/// Customers are subscriptions `[start, end or null]` each; or sales, when there are `days`.
fn churn(ask: &Value) -> Value {
    let mut tally = ChurnTally::new(instants(&ask["bounds"])).expect("a period");
    let customers = list(&ask["customers"], |customer| match ask["days"].as_u64() {
        Some(days) => {
            Presence::by_inactivity(instants(customer), u32::try_from(days).expect("few days")).expect("days")
        }
        None => Presence::by_contract(list(customer, |of| (of[0].as_i64().expect("a start"), of[1].as_i64()))),
    });
    customers.iter().for_each(|customer| tally.add(customer));
    let at = ask["at"].as_i64().expect("an instant");
    let known: Vec<_> = customers.iter().filter_map(|customer| customer.is_inactive(at)).collect();
    let mut told = json!({
        "retention": tally.retention(),
        "inactive": [known.iter().filter(|inactive| **inactive).count(), known.len()],
    });
    for definition in ChurnDefinition::ALL {
        told[definition.name()] = json!(tally.rate(definition));
    }
    told
}

fn revenue(ask: &Value) -> Value {
    let mut tally = RevenueTally::default();
    for customer in ask["customers"].as_array().expect("customers") {
        let amount = |index: usize| customer[index].as_u64().expect("an amount");
        tally.add(amount(0), amount(1), customer[2].as_bool().expect("whether paid before"));
    }
    json!({
        "gross_churn": tally.gross_churn(),
        "net_churn": tally.net_churn(),
        "gross_retention": tally.gross_retention(),
        "net_retention": tally.net_retention(),
        "quick_ratio": tally.quick_ratio(),
    })
}

/// Customers are the periods in which they were active, of which those before `until` are over.
fn retention(ask: &Value) -> Value {
    let columns = u32::try_from(ask["columns"].as_u64().expect("a count")).expect("few columns");
    let mut table = match ask["definition"].as_str().expect("a definition") {
        "on" => RetentionTable::new(RetentionDefinition::OnPeriod, columns),
        "on_or_after" => RetentionTable::new(RetentionDefinition::OnOrAfter, columns),
        _ => RetentionTable::of_brackets((0..columns).map(|k| k * k..(k + 1) * (k + 1)).collect()),
    }
    .expect("columns");
    let starts = if ask["recurring"] == true { Starts::Recurring } else { Starts::FirstTime };
    let until = ask["until"].as_i64().expect("a period");
    for active in list(&ask["customers"], instants) {
        for (cohort, since) in starts.of(&active) {
            table.add(cohort, &since, u32::try_from((until - cohort).max(0)).expect("few periods"));
        }
    }
    let columns = usize::try_from(columns).expect("few columns");
    let rates = |cells: &[RetentionCell]| cells.iter().map(RetentionCell::percent).collect::<Vec<_>>();
    json!({
        "cohorts": table.cohorts().map(|(cohort, cells)| json!([cohort, cells[0].size])).collect::<Vec<_>>(),
        "rates": table.cohorts().map(|(_, cells)| json!(rates(&cells))).collect::<Vec<_>>(),
        "averages": (0..columns).map(|column| table.average(column).percent()).collect::<Vec<_>>(),
    })
}

/// Customers are the days on which they were active, from 0 to `days` − 1; `now` is one of the days.
fn lifecycle(ask: &Value) -> Value {
    let (now, days) = (ask["now"].as_i64().expect("a day"), ask["days"].as_u64().expect("days"));
    let (mut lifecycle, mut stickiness) =
        (Lifecycle::default(), Stickiness::new(usize::try_from(days).expect("few days")).expect("days"));
    for active in list(&ask["customers"], instants) {
        Stage::of(&active, now).into_iter().for_each(|stage| lifecycle.add(stage));
        assert!(stickiness.add(active.len()), "more days than there are");
    }
    let Lifecycle { new, returning, resurrecting, dormant } = lifecycle;
    json!({
        "stages": [new, returning, resurrecting, dormant],
        "quick_ratio": lifecycle.quick_ratio(),
        "stickiness": stickiness.ratio(),
    })
}

/// Kinds are `[value, weight, answers]` each.
fn bootstrap(ask: &Value) -> Value {
    let kinds = list(&ask["kinds"], |kind| Kind {
        value: kind[0].as_f64().expect("a value"),
        weight: kind[1].as_f64().expect("a weight"),
        answers: kind[2].as_u64().expect("a count"),
    });
    let resampling = Resampling { seed: ask["seed"].as_u64().expect("a seed"), resamples: 5_000 };
    match Bootstrap::of_mean(&kinds, resampling, level(ask)) {
        Ok(Bootstrap { estimate, interval, standard_error }) => {
            json!({ "estimate": estimate, "interval": limits(interval), "standard_error": standard_error })
        }
        Err(_) => Value::Null,
    }
}

/// Of `values` at `times`.
fn trend(ask: &Value) -> Value {
    let values = numbers(&ask["values"]);
    let points: Vec<_> = numbers(&ask["times"]).into_iter().zip(values.iter().copied()).collect();
    let (Ok(test), Ok(change)) = (MannKendall::of(&values), Pettitt::of(&values)) else { return Value::Null };
    let SenSlope { slope, interval, intercept } = SenSlope::of(&points, level(ask)).expect("a slope");
    let MannKendall { s, variance: _, z, p_value, tau } = test;
    json!({
        "s": s, "z": z, "p_value": p_value, "tau": tau,
        "slope": slope, "interval": limits(interval), "intercept": intercept,
        "k": change.k, "before": change.before, "p_change": change.p_value,
    })
}

/// Points are `[time, value, variance]` each.
fn weighted_trend(ask: &Value) -> Value {
    let points = list(&ask["points"], |point| {
        let of = numbers(point);
        Point::new(of[0], of[1], of[2]).expect("a point")
    });
    let change = WeightedChange::of(&points).ok();
    match WeightedTrend::of(&points, level(ask)) {
        Ok(WeightedTrend { slope, interval, standard_error, z, p_value, intercept, residual, fit }) => json!({
            "slope": slope, "interval": limits(interval), "standard_error": standard_error, "z": z,
            "p_value": p_value, "intercept": intercept, "residual": residual, "fit": fit,
            "change": change.map(|of| json!([of.before, of.difference, of.z])),
        }),
        Err(_) => Value::Null,
    }
}

fn drivers(ask: &Value) -> Value {
    match Drivers::of(&numbers(&ask["outcome"]), &list(&ask["drivers"], numbers)) {
        Ok(drivers) => json!({
            "r_squared": drivers.r_squared(),
            "rank": drivers.rank(),
            "relative_weights": drivers.relative_weights(),
            "shapley": drivers.shapley().expect("few drivers"),
        }),
        Err(_) => Value::Null,
    }
}

/// Moves are `[from, to]` each.
fn transitions(ask: &Value) -> Value {
    let categories = usize::try_from(ask["categories"].as_u64().expect("a count")).expect("few categories");
    let mut matrix = TransitionMatrix::new(categories).expect("categories");
    for of in list(&ask["moves"], whole_numbers) {
        let [from, to] = [of[0], of[1]].map(|category| usize::try_from(category).expect("a category"));
        assert!(matrix.add(from, to), "no such category");
    }
    let shares_of = |from: usize| (0..categories).map(|to| matrix.share(from, to)).collect::<Vec<_>>();
    let test = |of: Option<PairedTest>| of.map(|of| json!([of.statistic, of.degrees_of_freedom, of.p_value]));
    json!({
        "shares": (0..categories).map(shares_of).collect::<Vec<_>>(),
        "directions": [matrix.stayed(), matrix.raised(), matrix.lowered()],
        "symmetry": test(matrix.symmetry()),
        "homogeneity": test(matrix.homogeneity()),
    })
}

/// `values`, each so many `times`, in two halves that are merged.
fn percentiles(ask: &Value) -> Value {
    let mut halves = [Percentiles::new(), Percentiles::new()];
    for _ in 0..ask["times"].as_u64().expect("a count") {
        let values = instants(&ask["values"]);
        let (left, right) = values.split_at(values.len() / 2);
        halves[0].extend(left.iter().copied());
        halves[1].extend(right.iter().copied());
    }
    let [mut whole, half] = halves;
    whole.merge(&half);
    let Some(found) = whole.at(&numbers(&ask["shares"])) else { return Value::Null };
    json!({
        "exact": whole.is_exact(),
        "values": found.iter().map(|of| of.value).collect::<Vec<_>>(),
        "limits": found.iter().map(|of| [of.lowest, of.highest]).collect::<Vec<_>>(),
    })
}

fn list<T>(value: &Value, of: impl FnMut(&Value) -> T) -> Vec<T> {
    value.as_array().expect("a list").iter().map(of).collect()
}

fn instants(value: &Value) -> Vec<i64> {
    list(value, |instant| instant.as_i64().expect("an instant"))
}

fn level(ask: &Value) -> Level {
    ask["level"].as_f64().and_then(Level::new).expect("a level")
}

fn limits(interval: Interval) -> [f64; 2] {
    [interval.lower, interval.upper]
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("numbers").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn whole_numbers(value: &Value) -> Vec<u64> {
    value.as_array().expect("numbers").iter().map(|number| number.as_u64().expect("a whole number")).collect()
}
