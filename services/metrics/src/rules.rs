//! The definitions behind every figure: functions and small types that know neither the wire nor storage.
//!
//! | module | answers |
//! |---|---|
//! | [`scale`] | which scores a kind of survey accepts, and where each of them counts |
//! | [`weight`] | how answers are weighed and counted, exactly |
//! | [`nps`] | Net Promoter Score |
//! | [`proportion`] | shares of a whole: CSAT, churn, repeat purchase, cohort cells |
//! | [`mean`] | means of scores: CES |
//! | [`spread`] | means and percentiles of durations |
//! | [`on_time`] | whether a limit was kept |
//! | [`course`] | when a case was open, whether it was reopened or handed over, how old it is |
//! | [`rate`] | how many for every thousand, or for each |
//! | [`money`] | gross, returns and net per currency |
//! | [`zone`] | local days and months of instants |
//! | [`granularity`] | how long periods are, and what they are called |
//! | [`period`] | calendar periods of a range of time |
//! | [`portion`] | what a part of a time bears of an amount that is spread over it |
//! | [`activity`] | active, churned, inactive and repeat customers |
//! | [`contact_rate`] | what a contact is reckoned at |
//! | [`engagement`] | what customers do after a contact, against others who had none |
//! | [`contract`] | what the events of a customer's subscriptions come to |
//! | [`cohort`] | customers by the period of their first purchase |
//!
//! They count, exactly and so that what was counted can be taken out again; what makes intervals, tests and curves of the counts is in
//! [`barometer_statistics`].
//!
//! Conventions. Percentages are 0 to 100, NPS is −100 to 100. Instants are `i64` microseconds since
//! 1970-01-01T00:00Z, ranges of them are half-open. A figure over nothing is `None`, never 0. All sums are integers, so
//! the order in which facts arrive, leave and are merged leaves no trace: every path gives the same digits.

pub mod activity;
pub mod cohort;
pub mod contact_rate;
pub mod contract;
pub mod course;
pub mod engagement;
pub mod granularity;
pub mod mean;
pub mod money;
pub mod nps;
pub mod on_time;
pub mod period;
pub mod portion;
pub mod proportion;
pub mod rate;
pub mod scale;
pub mod spread;
pub mod weight;
pub mod zone;
