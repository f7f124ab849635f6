//! What the counts of metrics mean, in plain words.

/// A name, the metrics of which this is so (none: of all others that have it), and its meaning.
type Meaning = (&'static str, &'static [&'static str], &'static str);

/// Of the same name those of single metrics come first.
const MEANINGS: &[Meaning] = &[
    ("accepted", &[], "cases whose customer accepts the outcome"),
    ("actions_after", &["actions_per_engagement"], "what the contacted did in the days after"),
    ("actions_before", &["actions_per_engagement"], "what the contacted did in the days before"),
    ("active", &["active_member_rate"], "members with an event of the programme within the last days"),
    ("active", &["cohort_retention"], "customers of the cohort who bought in the period"),
    ("active", &[], "customers who bought within the last days"),
    ("active_at_start", &[], "customers who are active when the period begins"),
    ("active_units", &[], "days or weeks on which each customer bought, added up"),
    ("advocates", &[], "customers who recommended somebody within the last days"),
    ("acknowledged", &[], "cases whose customer was told that it came in"),
    ("answered", &[], "contacts that the customer answered"),
    ("answers", &["case_satisfaction"], "cases whose customer said how satisfied they are"),
    ("answers", &[], "answers with a score"),
    ("away", &[], "customers who had bought, but were away when the period began"),
    ("began", &[], "customers who pay for the first time"),
    ("broken", &[], "promises that were not kept in time"),
    ("buyers", &["inactive_share"], "customers who ever bought until the period ends"),
    ("buyers", &[], "customers who bought in the period"),
    ("cases", &["handling_time"], "cases that somebody worked on"),
    ("cases", &["redress_cost", "redress_points"], "cases for which something was given"),
    ("cases", &["escalations"], "cases of which a step was taken"),
    ("cases", &["hand_offs"], "cases that changed hands"),
    ("cases", &[], "cases that were opened"),
    ("channels", &["channel_consistency"], "channels with answers"),
    (
        "churned",
        &["contract_churn_rate", "contract_retention_rate", "churn_rate", "retention_rate"],
        "customers who are active when the period begins and not when it ends",
    ),
    ("churned", &[], "customers who paid when the period began and pay nothing when it ends"),
    ("cohort_size", &[], "customers of the cohort: who bought first in its period"),
    ("comparison", &["actions_per_engagement"], "different customers who are compared"),
    ("complaints", &[], "complaints and losses that were opened"),
    ("complete", &[], "invitations that were answered"),
    ("contacted", &["actions_per_engagement"], "customers to whom the company turned, and who are compared"),
    ("contacts", &["cost_per_contact", "cost_to_serve", "cost_to_serve_per_customer"], "contacts whose cost is known"),
    ("contacts", &[], "contacts by which the company turned to a customer"),
    ("contracted", &[], "customers who pay less than when the period began"),
    ("converted", &[], "contacts by which the customer took what was offered"),
    (
        "customers",
        &["service_recovery", "spend_after_complaint"],
        "active customers who are watched and whose days are over",
    ),
    ("customers", &["cost_to_serve", "cost_to_serve_per_customer"], "customers who had a contact or got something"),
    (
        "customers",
        &["customers", "enrolment_rate", "advocate_share", "complaint_rate"],
        "customers who are known when the period ends",
    ),
    ("customers", &["new_customers"], "customers who became known in the period"),
    ("customers", &["points_issued", "points_redeemed"], "customers whose events they are"),
    ("customers", &[], "customers who bought in the period"),
    ("declined", &[], "cases whose customer does not accept the outcome"),
    ("departures", &[], "times that a customer ceased to be active"),
    ("detractors", &[], "answers with a score of 0 to 6"),
    ("dormant", &[], "customers who bought in the period before, and not in this one"),
    ("effective_answers", &[], "unweighted answers that would say as much as these weighted ones"),
    ("ended", &[], "subscriptions that ended"),
    ("escalations", &[], "steps of ladders that were taken"),
    ("events", &[], "events of the programme"),
    ("ever", &[], "customers who ever had a subscription"),
    ("expanded", &[], "customers who pay more than when the period began"),
    ("expired", &["redemption_rate"], "points that expired"),
    ("expired", &[], "vouchers that expired"),
    ("first", &[], "customers whose first sale lies in the period"),
    ("granted", &[], "vouchers that were granted"),
    ("handed_off", &[], "cases that changed hands at least once"),
    ("handled", &[], "contacts of which a working time was told"),
    ("hand_offs", &[], "times that a case changed hands"),
    ("inactive", &[], "customers who bought, but not within the last days"),
    ("inbound", &[], "contacts by which a customer turned to the company"),
    ("invited", &[], "invitations that were sent"),
    ("issued", &[], "points that were issued"),
    ("joined", &["enrolments"], "times that a customer joined the programme"),
    ("joined", &["referrals", "referral_conversion_rate"], "referrals that brought a customer"),
    ("joined", &[], "customers who became active within the period"),
    ("joined_and_left", &[], "customers who became active within the period and are not when it ends"),
    ("kept", &[], "promises that were kept in time"),
    ("kept_late", &[], "broken promises that were kept later"),
    ("last_of_customer", &[], "subscriptions that ended and were the customer's last"),
    ("late", &["late_payment_rate"], "sales paid after they were due, or due and not paid"),
    ("late", &["escalations"], "steps that were taken later than they were to be"),
    ("late", &[], "what was done late, or is not done and past due"),
    ("left", &[], "times that a customer left the programme"),
    ("members", &[], "members of the programme when the period ends"),
    ("new", &[], "customers who bought for the first time"),
    ("new_customers", &[], "customers who became known in the period"),
    ("no_answer", &[], "follow-ups after which the customer did not answer again"),
    ("non_contact", &[], "invitations from which nothing came back"),
    ("not_asked", &[], "cases whose customer was not asked about the outcome"),
    ("not_eligible", &[], "invitations that should not have been sent"),
    ("older", &[], "open cases of 30 days and more"),
    ("on_time", &["late_payment_rate"], "sales paid when they were due, or before"),
    ("on_time", &[], "what was done in time"),
    ("open", &["promise_kept_rate"], "promises that are not due yet"),
    ("open", &[], "cases that are open when the period ends"),
    ("opened", &["open_rate"], "contacts that the customer opened"),
    ("opened", &[], "cases that were opened"),
    ("other", &[], "invitations whose customer could not answer"),
    ("outbound", &[], "contacts by which the company turned to a customer"),
    ("partial", &[], "invitations whose answer was broken off"),
    ("partly_upheld", &[], "cases that were upheld in part"),
    ("passives", &[], "answers with a score of 7 or 8"),
    ("paying", &[], "customers who pay something"),
    ("paying_at_end", &[], "customers who pay something when the period ends"),
    ("paying_at_start", &[], "customers who paid something when the period began"),
    (
        "pending",
        &["actions_per_engagement", "service_recovery", "spend_after_complaint"],
        "customers whose days are not over",
    ),
    ("pending", &["recovery_rate"], "follow-ups whose customer may still answer again"),
    ("pending", &[], "invitations that can still be answered"),
    ("promoters", &[], "answers with a score of 9 or 10"),
    ("reactivated", &["reactivated_customers"], "of those who were away, the customers who bought in the period"),
    ("reactivated", &[], "customers who pay again after having paid nothing"),
    ("recovered", &[], "follow-ups whose customer is dissatisfied no longer"),
    ("redeemed", &["redemption_rate"], "points that were redeemed"),
    ("redeemed", &[], "vouchers that were redeemed"),
    ("redresses", &["cost_to_serve", "cost_to_serve_per_customer"], "things worth money that customers got"),
    ("redresses", &[], "things that were given to make good"),
    ("referrals", &[], "referrals that were made"),
    ("refusal", &[], "invitations that were declined"),
    ("rejected", &[], "cases that were rejected"),
    ("reminded", &[], "invitations of which the customer was reminded"),
    ("reopened", &[], "cases that were taken up again after they were resolved"),
    ("repeaters", &[], "customers who bought at least twice in the period"),
    ("resolved", &["reopen_rate"], "cases that were first resolved in the period"),
    ("resolved", &[], "cases that were resolved"),
    ("responded", &[], "cases whose customer got an answer"),
    ("responses", &[], "answers, with and without a score"),
    ("resurrecting", &[], "customers who bought, not in the period before, but earlier"),
    ("retained", &["service_recovery"], "customers who bought again within the days"),
    ("retained", &[], "customers who are active when the period begins and when it ends"),
    ("returning", &[], "customers who bought in this period and the one before"),
    ("returns", &[], "purchases that came to less than nothing"),
    ("running", &["clock_time"], "clocks that have not stopped"),
    ("running", &[], "vouchers that are neither redeemed nor expired"),
    ("sales", &[], "purchases that came to nothing or more"),
    ("satisfied", &["case_satisfaction"], "cases whose customer gave 4 or 5 of 5 points"),
    ("satisfied", &[], "answers with a score of 4 or 5"),
    ("scored", &[], "answers with a score"),
    ("second", &[], "of those, the customers who bought again in time"),
    ("spenders", &["spend_after_complaint"], "customers whose purchases and returns do not come to 0"),
    ("stopped", &[], "clocks that stopped"),
    ("subscribers", &[], "customers who have a subscription"),
    ("subscriptions", &[], "subscriptions that run"),
    ("unanswered", &[], "cases whose customer was asked about the outcome and has not answered"),
    ("unchanged", &[], "follow-ups whose customer is as dissatisfied as before"),
    ("undecided", &[], "cases without a finding"),
    ("under_1_day", &[], "open cases of less than a day"),
    ("under_3_days", &[], "open cases of 1 to 3 days"),
    ("under_7_days", &[], "open cases of 3 to 7 days"),
    ("under_30_days", &[], "open cases of 7 to 30 days"),
    ("units", &[], "days or weeks of the period"),
    ("unknown", &[], "invitations of which nobody knows whether they arrived"),
    ("unmatched", &["actions_per_engagement"], "contacted customers to whom fewer than two compare"),
    (
        "unpriced",
        &["cost_per_contact", "cost_to_serve", "cost_to_serve_per_customer"],
        "contacts of which nobody knows what they cost",
    ),
    ("unscored", &[], "answers without a score"),
    ("unsubscribed", &[], "contacts after which the customer wants no more of them"),
    ("upheld", &[], "cases that were upheld"),
    ("visits", &[], "visits: inbound contacts in a shop or on the web"),
    ("waiting", &[], "what is neither done nor past due"),
    ("worse", &[], "follow-ups whose customer is more dissatisfied"),
];

/// What a count of a metric means; empty when it has none of that name.
pub(crate) fn meaning(metric: &str, count: &str) -> &'static str {
    let of = |(name, metrics, _): &&Meaning| *name == count && (metrics.is_empty() || metrics.contains(&metric));
    MEANINGS.iter().find(of).map_or("", |(_, _, meaning)| meaning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::METRICS;

    #[test]
    fn every_count_has_a_meaning_and_every_meaning_a_count() {
        let has = |name: &str, of: &str| METRICS.iter().any(|metric| metric.id == of && metric.counts.contains(&name));
        for metric in METRICS.iter() {
            for count in metric.counts {
                assert!(!meaning(metric.id, count).is_empty(), "{} {count}", metric.id);
            }
            assert!(metric.computed.iter().all(|name| metric.counts.contains(name)), "{}", metric.id);
        }
        for (name, metrics, told) in MEANINGS {
            assert!(metrics.iter().all(|metric| has(name, metric)), "{name} of {metrics:?}");
            let is_used =
                METRICS.iter().any(|metric| metric.counts.contains(name) && meaning(metric.id, name) == *told);
            assert!(is_used, "{name}: {told}");
        }
    }
}
