//! The metrics of service: what it costs, what it saves, and what contacts bring.

use barometer_chassis::clock::Micros;
use barometer_proto::metrics::v1::{Additivity, Direction, Unit};

use super::{
    super::{BLANK, Metric, Test, parameters},
    WILSON,
};
use crate::{
    measures::{
        complaints::recovery,
        customers::{engagement, known, serving},
        sales::payments,
        surveys::{answers, consistency},
    },
    query::Table,
    rules::scale::Scale,
};

/// How contacts come by their cost.
macro_rules! priced {
    ($before:literal) => {
        concat!(
            $before,
            " A contact costs what was told of it itself; else the rate for each contact and the rate for each hour of its \
             handling time, where they hold at its beginning: those that name its channel and its team, else its channel, \
             else its team, else neither; else, when nothing holds, `hourly_rate`. Sums that were spent on being in touch \
             are not in it: rates are reckoned from them. Contacts of which all that leaves nothing are `unpriced`, in a row \
             without a currency, and in no other number; one with rates of two currencies is a contact in both."
        )
    };
}

const COST: Metric = Metric {
    unit: Unit::Money,
    direction: Direction::Down,
    sources: &["customers.interaction", "customers.cost", "complaints.case", "customers.attribute_change"],
    table: Table::Served,
    parameters: &[&parameters::HOURLY_RATE],
    counts: &["contacts", "unpriced", "redresses", "customers"],
    amounts: &["contact_cost", "redress", "total"],
    always_grouped_by: &["currency"],
    lowest: Some(0.0),
    // A rate holds long after it was told.
    looks_back: true,
    revisions: |facts| {
        vec![&facts.interactions.times.revisions, &facts.cases.times.revisions, &facts.costs.times.revisions]
    },
    extent: serving::extent,
    ..BLANK
};

const RECOVERY: Metric = Metric {
    direction: Direction::Up,
    sources: &["customers.purchase", "complaints.case", "customers.customer", "customers.attribute_change"],
    table: Table::Recoveries,
    parameters: &[&parameters::AFTER_DAYS, &parameters::INACTIVITY_DAYS, &parameters::LEVEL],
    always_grouped_by: &["complaint_outcome"],
    sample: &["customers"],
    awaits: &["pending"],
    additivity: Additivity::None,
    follows: |parameters| i64::from(parameters.after_days) * Micros::DAY,
    looks_back: true,
    revisions: |facts| {
        let cases = &facts.cases;
        vec![&facts.purchases.times.revisions, &cases.times.revisions, &cases.resolutions]
    },
    extent: recovery::extent,
    ..BLANK
};

pub(super) static ALL: &[Metric] = &[
    Metric {
        id: "actions_per_engagement",
        version: 1,
        title: "Actions per engagement",
        description: "What contacts bring: how much more customers to whom the company turned in the period did in the \
                      `around_days` days after it than in as many days before, less the same of comparable customers. Of \
                      several contacts with a customer the first of the period and group counts. Comparable at that very \
                      instant are all customers known then, in the same tier, country, segment and membership as far as \
                      it is asked for, who did as much in the days before and to whom the company did not turn in the days \
                      before or after. Contacted customers with fewer than two such are `unmatched` and in no other \
                      count; those whose days are not over are `pending`. `comparison` are the different customers who \
                      are compared. What distinguishes contacts, such as the campaign, divides the contacted alone. It \
                      tells what goes with contacts; of whom the company chose to turn to for other reasons it can not \
                      know.",
        formula: "Mean over the contacted of (after - before) - mean over those comparable of (after - before), which with as \
                  much before is after less their mean after. Before: [t - N * 24 h, t), after: [t, t + N * 24 h), t being \
                  the instant of the contact.",
        unit: Unit::Ratio,
        direction: Direction::Up,
        sources: &[
            "customers.interaction",
            "customers.purchase",
            "customers.customer",
            "customers.subscription_event",
            "customers.membership_event",
            "customers.referral",
            "surveys.response",
            "customers.attribute_change",
        ],
        table: Table::Contacts,
        parameters: &[&parameters::AROUND_DAYS, &parameters::ACTION, &parameters::LEVEL],
        counts: &["contacted", "comparison", "actions_before", "actions_after", "unmatched", "pending"],
        statistics: &["before", "after", "comparison_after", "standard_error"],
        interval: "Student's t; the variance is that of the contacted customers' differences over their number, and of those \
                   compared the sum of the squares of what each moves the mean by; none below 30 contacted",
        sample: &["contacted"],
        awaits: &["pending"],
        additivity: Additivity::None,
        example: "barometer query actions_per_engagement --every month --by campaign",
        follows: |parameters| i64::from(parameters.around_days) * Micros::DAY,
        looks_back: true,
        revisions: known::revisions,
        extent: |facts, _| facts.interactions.times.extent(),
        answer: engagement::actions_per_engagement,
        ..BLANK
    },
    Metric {
        id: "channel_consistency",
        version: 1,
        title: "Consistency of channels",
        description: "How far the Net Promoter Scores of the channels lie apart, in points: their standard deviation about the \
                      score of all, each channel weighted by its answers, without what chance alone would spread. 0 is \
                      full consistency. `found` is the spread of the scores as they are, chance included. Answers \
                      without a score or a channel are in no count. It needs two channels and more answers than channels.",
        formula: "sqrt(max(0, sum(n_c * (s_c - s)^2) - (k - 1) * v) / n), where s_c is the score of one of k channels with n_c \
                  answers, s that of all n, and v the variance of answers within channels.",
        unit: Unit::Points,
        direction: Direction::Down,
        sources: &["surveys.response", "surveys.survey", "customers.attribute_change"],
        table: Table::Responses,
        parameters: &[&parameters::LEVEL],
        counts: &["channels", "answers"],
        computed: &["channels"],
        statistics: &["found"],
        interval: "By the noncentral chi-squared distribution of the spread found; none where the answers of each channel are \
                   all alike",
        always_grouped_by: &["survey_type"],
        sample: &["answers"],
        lowest: Some(0.0),
        additivity: Additivity::None,
        example: "barometer query channel_consistency --every quarter",
        scale: Some(Scale::Nps),
        revisions: |facts| vec![&facts.responses.times.revisions],
        extent: answers::extent,
        answer: consistency::channel_consistency,
        ..BLANK
    },
    Metric {
        id: "cost_per_contact",
        version: 1,
        title: "Cost per contact",
        description: priced!("What the contacts that began in the period cost, each, by currency."),
        formula: "contact_cost / contacts.",
        counts: &["contacts", "unpriced"],
        amounts: &["contact_cost"],
        sources: &["customers.interaction", "customers.cost", "customers.attribute_change"],
        additivity: Additivity::Counts,
        example: "barometer query cost_per_contact --by channel --param hourly_rate=30EUR",
        revisions: |facts| vec![&facts.interactions.times.revisions, &facts.costs.times.revisions],
        extent: |facts, _| facts.interactions.times.extent(),
        answer: serving::cost_per_contact,
        ..COST
    },
    Metric {
        id: "cost_to_serve",
        version: 1,
        title: "Cost to serve",
        description: priced!(
            "What it cost to serve customers: the contacts that began in the period, either way, and what customers got \
             for the cases opened in it, by currency. `customers` are the different ones among them."
        ),
        formula: "contact_cost + redress.",
        additivity: Additivity::Sum,
        example: "barometer query cost_to_serve --every month --by channel",
        answer: serving::cost_to_serve,
        ..COST
    },
    Metric {
        id: "cost_to_serve_per_customer",
        version: 1,
        title: "Cost to serve a customer",
        description: priced!(
            "What it cost to serve customers, for each of those who were served: who had a contact that began in the \
             period, or got something for a case opened in it, by currency. What was given to nobody known is in the cost."
        ),
        formula: "(contact_cost + redress) / customers.",
        additivity: Additivity::None,
        example: "barometer query cost_to_serve_per_customer --by tier",
        answer: serving::cost_to_serve_per_customer,
        ..COST
    },
    Metric {
        id: "late_payment_rate",
        version: 1,
        title: "Late payments",
        description: "Of the sales whose payment was due in the period, those that were paid later than that, or are not paid \
                      although it is over. `waiting` are not paid and not due yet. Sales that tell no due time are in no \
                      count.",
        formula: "100 * late / (late + on_time).",
        unit: Unit::Percent,
        direction: Direction::Down,
        sources: &["customers.purchase", "customers.attribute_change"],
        table: Table::Purchases,
        parameters: &[&parameters::LEVEL],
        counts: &["late", "on_time", "waiting"],
        interval: WILSON,
        sample: &["late", "on_time"],
        lowest: Some(0.0),
        highest: Some(100.0),
        awaits: &["waiting"],
        additivity: Additivity::Counts,
        test: Test::Share,
        example: "barometer query late_payment_rate --every month --by country",
        revisions: |facts| vec![&facts.purchases.dues],
        extent: payments::extent,
        answer: payments::late_payment_rate,
        ..BLANK
    },
    Metric {
        id: "service_recovery",
        version: 1,
        title: "Service recovery",
        description: "Of the customers who were active, those who bought again within `after_days` days: after a complaint that \
                      was solved (`complaint_outcome`), one that was not, and none. The days begin when the complaint was \
                      opened, whatever came of it, so that all are watched for as long after the same; solved is what was \
                      resolved within these days. Of several complaints of a customer the first of the period counts. \
                      Without a complaint the days begin with the period, for those who open none in it nor in the days. \
                      Active is who bought in the `inactivity_days` days before. Complaints are those and losses; \
                      cancelled ones, withdrawn ones and those merged into another are none. `pending` are those \
                      whose days are not over; they are in no other count.",
        formula: "100 * retained / customers, where retained has a sale in [t, t + N * 24 h), t being the instant at which the \
                  days begin.",
        unit: Unit::Percent,
        counts: &["retained", "customers", "pending"],
        interval: WILSON,
        lowest: Some(0.0),
        highest: Some(100.0),
        test: Test::Share,
        example: "barometer query service_recovery --every quarter",
        answer: recovery::service_recovery,
        ..RECOVERY
    },
    Metric {
        id: "spend_after_complaint",
        version: 1,
        title: "Spend after a complaint",
        description: "What the customers of `service_recovery` spent in the same days, each, by currency: sales less returns, \
                      and nothing where they bought nothing. `spenders` are those for whom that is not 0. Each currency \
                      in which anybody ever bought has its rows.",
        formula: "spend / customers, where spend is what was bought and returned in [t, t + N * 24 h).",
        unit: Unit::Money,
        table: Table::RecoverySpend,
        counts: &["customers", "spenders", "pending"],
        amounts: &["spend"],
        interval: "Student's t; none below 200 customers",
        always_grouped_by: &["complaint_outcome", "currency"],
        test: Test::Mean,
        example: "barometer query spend_after_complaint --every quarter --by tier",
        answer: recovery::spend_after_complaint,
        ..RECOVERY
    },
];
