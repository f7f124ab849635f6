//! The parameters that metrics have.

use super::{Allowed, Parameter};

pub(in crate::catalogue) static WEIGHTED: Parameter = Parameter {
    name: "weighted",
    description: "Counts each answer by its weight.",
    default: "false",
    allowed: Allowed::Words(&["true", "false"]),
};
pub(in crate::catalogue) static LATEST_PER_CUSTOMER: Parameter = Parameter {
    name: "latest_per_customer",
    description: "Counts only the last answer of each customer in each row; anonymous answers count all.",
    default: "false",
    allowed: Allowed::Words(&["true", "false"]),
};
pub(in crate::catalogue) static INTERVAL: Parameter = Parameter {
    name: "interval",
    description: "How the confidence interval is found. By `bootstrap` it is the BCa interval of resamples, of unweighted \
                  answers, and none where all answers are alike; rows times `resamples` may come to 10,000,000.",
    default: "score",
    allowed: Allowed::Words(&["score", "adjusted_wald", "bootstrap"]),
};
pub(in crate::catalogue) static SEED: Parameter = Parameter {
    name: "seed",
    description: "Of the bootstrap: chooses its random numbers. The same answers, seed and number of resamples give the same \
                  limits.",
    default: "0",
    allowed: Allowed::Whole(0, u64::MAX),
};
pub(in crate::catalogue) static RESAMPLES: Parameter = Parameter {
    name: "resamples",
    description: "Of the bootstrap: how many resamples. Of 1,000 the limits move with the seed by about 7 % of their distance \
                  from the figure, of 10,000 by 2 %, of 100,000 by less than 1 %.",
    default: "10000",
    allowed: Allowed::Whole(1_000, 100_000),
};
pub(crate) static LEVEL: Parameter = Parameter {
    name: "level",
    description: "Level of the confidence interval.",
    default: "0.95",
    allowed: Allowed::Level,
};
pub(in crate::catalogue) static INACTIVITY_DAYS: Parameter = Parameter {
    name: "inactivity_days",
    description: "Days of 24 hours after a sale for which a customer stays active.",
    default: "90",
    allowed: Allowed::Days,
};
pub(in crate::catalogue) static MEMBER_DAYS: Parameter = Parameter {
    name: "member_days",
    description: "Days of 24 hours after an event of the loyalty programme for which a member is active.",
    default: "90",
    allowed: Allowed::Days,
};
pub(in crate::catalogue) static REFERRAL_DAYS: Parameter = Parameter {
    name: "referral_days",
    description: "Days of 24 hours after a referral for which a customer is an advocate.",
    default: "365",
    allowed: Allowed::Days,
};
pub(in crate::catalogue) static DEFINITION: Parameter = Parameter {
    name: "definition",
    description: "What is divided by what, of the customers of a period: churn_standard, those active at its start and not \
                  at its end, by those active at its start; churn_all_departures, each time that somebody ceased to be \
                  active, by the same; churn_over_start_plus_new, those active at its start or from within it and not at \
                  its end, by all of those; churn_daily_sum, the sum over its days of departures by those active when the \
                  day begins. Retention is 100 less churn. The second and the fourth count departures, of which one \
                  customer can have several: churn can exceed 100, and there is no interval.",
    default: "churn_standard",
    allowed: Allowed::Words(&[
        "churn_standard",
        "churn_all_departures",
        "churn_over_start_plus_new",
        "churn_daily_sum",
    ]),
};
pub(in crate::catalogue) static BASIS: Parameter = Parameter {
    name: "basis",
    description: "What makes a second sale a repeat purchase: another day of the time zone, or another order.",
    default: "days",
    allowed: Allowed::Words(&["days", "orders"]),
};

pub(in crate::catalogue) static WITHIN_DAYS: Parameter = Parameter {
    name: "within_days",
    description: "Days of 24 hours after the first sale in which the second must be.",
    default: "90",
    allowed: Allowed::Days,
};
pub(in crate::catalogue) static VISITS: Parameter = Parameter {
    name: "unit",
    description: "What is counted: the days of the time zone on which somebody bought, or the weeks from Monday.",
    default: "day",
    allowed: Allowed::Words(&["day", "week"]),
};

pub(in crate::catalogue) static AFTER_DAYS: Parameter = Parameter {
    name: "after_days",
    description: "Days of 24 hours for which customers are watched, from the complaint on, or from the start of the period.",
    default: "90",
    allowed: Allowed::Days,
};
pub(in crate::catalogue) static AROUND_DAYS: Parameter = Parameter {
    name: "around_days",
    description: "Days of 24 hours before and after a contact in which actions count.",
    default: "30",
    allowed: Allowed::Days,
};
pub(in crate::catalogue) static ACTION: Parameter = Parameter {
    name: "action",
    description: "What counts as an action: a sale, an inbound contact, or a visit.",
    default: "sales",
    allowed: Allowed::Words(&["sales", "contacts", "visits"]),
};
pub(in crate::catalogue) static HOURLY_RATE: Parameter = Parameter {
    name: "hourly_rate",
    description: "What an hour of handling time costs where nothing else says what a contact cost: it did not tell, and no \
                  rate holds for it.",
    default: "none",
    allowed: Allowed::Money,
};

pub(in crate::catalogue) static STATISTIC: Parameter = Parameter {
    name: "statistic",
    description: "Which statistic of the durations is the value.",
    default: "mean",
    allowed: Allowed::Statistic,
};
pub(in crate::catalogue) static CLOCK: Parameter = Parameter {
    name: "clock",
    description: "What must be done within the limit: the first answer, or the first resolution.",
    default: "first_response",
    allowed: Allowed::Words(&["first_response", "resolution"]),
};
pub(in crate::catalogue) static LIMIT: Parameter = Parameter {
    name: "limit",
    description: "How long it may take: elapsed time, a day being 24 hours.",
    default: "24h",
    allowed: Allowed::Duration,
};

pub(in crate::catalogue) static TIME: Parameter = Parameter {
    name: "time",
    description: "Which time is told: what passed in the working time of the clock's calendar, or round the clock; in \
                  either without the stretches for which the clock stood.",
    default: "working",
    allowed: Allowed::Words(&["working", "elapsed"]),
};

pub(in crate::catalogue) static RESPONSE_RATE: Parameter = Parameter {
    name: "rate",
    description: "Which response rate: rr1 (complete of all who may have been eligible), rr2 (partial ones too), rr5 \
                  (complete of those who are known to have been eligible), rr6 (partial ones too).",
    default: "rr1",
    allowed: Allowed::Words(&["rr1", "rr2", "rr5", "rr6"]),
};
