//! Cells of a file become values, or a problem that says what is wrong with them.

use std::str::FromStr;
use std::time::Duration;

use barometer_chassis::clock::Micros;
use barometer_chassis::door::Currency;
use barometer_proto::complaints::v1::{
    Acceptance, CaseEntryType, CaseKind, Finding, Priority, Remedy, ReplyType, Severity,
};
use barometer_proto::customers::v1::{CostKind, Direction, MembershipEventType, SubscriptionEventType};
use barometer_proto::surveys::v1::{Disposition, InvitationOutcome, SurveyKind, SurveyType};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::decimal::{Decimal, DecimalError};
use crate::instant;

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// A stable word for programs.
    pub(crate) reason: &'static str,
    /// For people.
    pub(crate) description: String,
}

/// Words and the values of an enum of the contract that they stand for.
pub(crate) type Words = fn() -> Vec<(&'static str, i32)>;

fn table<const N: usize>(words: [(&'static str, impl Into<i32>); N]) -> Vec<(&'static str, i32)> {
    words.into_iter().map(|(word, value)| (word, value.into())).collect()
}

/// Who turned to whom.
pub(crate) const DIRECTION: Words = || table([("inbound", Direction::Inbound), ("outbound", Direction::Outbound)]);

/// What happened to a subscription.
pub(crate) const EVENT_TYPE: Words = || {
    table([
        ("start", SubscriptionEventType::Start),
        ("change", SubscriptionEventType::Change),
        ("cancel", SubscriptionEventType::Cancel),
    ])
};

/// What happened in the loyalty programme.
pub(crate) const MEMBERSHIP_EVENT_TYPE: Words = || {
    table([
        ("join", MembershipEventType::Join),
        ("leave", MembershipEventType::Leave),
        ("earn", MembershipEventType::Earn),
        ("redeem", MembershipEventType::Redeem),
        ("expire", MembershipEventType::Expire),
        ("adjust", MembershipEventType::Adjust),
        ("grant_voucher", MembershipEventType::GrantVoucher),
        ("redeem_voucher", MembershipEventType::RedeemVoucher),
        ("expire_voucher", MembershipEventType::ExpireVoucher),
        ("gesture", MembershipEventType::Gesture),
    ])
};

/// What a cost is for.
pub(crate) const COST_KIND: Words = || {
    table([("acquisition", CostKind::Acquisition), ("contact", CostKind::Contact), ("programme", CostKind::Programme)])
};

/// Why there is no score.
pub(crate) const DISPOSITION: Words = || {
    table([
        ("no_answer", Disposition::NoAnswer),
        ("dont_know", Disposition::DontKnow),
        ("refused", Disposition::Refused),
        ("break_off", Disposition::BreakOff),
    ])
};

/// What came of an invitation.
pub(crate) const INVITATION_OUTCOME: Words = || {
    table([
        ("complete", InvitationOutcome::Complete),
        ("partial", InvitationOutcome::Partial),
        ("refusal", InvitationOutcome::Refusal),
        ("non_contact", InvitationOutcome::NonContact),
        ("other", InvitationOutcome::Other),
        ("unknown", InvitationOutcome::Unknown),
        ("not_eligible", InvitationOutcome::NotEligible),
    ])
};

/// Kinds of surveys.
pub(crate) const SURVEY_KIND: Words =
    || table([("nps", SurveyKind::Nps), ("csat", SurveyKind::Csat), ("ces", SurveyKind::Ces)]);

/// What a case is.
pub(crate) const CASE_KIND: Words = || {
    table([
        ("question", CaseKind::Question),
        ("suggestion", CaseKind::Suggestion),
        ("complaint", CaseKind::Complaint),
        ("loss", CaseKind::Loss),
        ("survey_follow_up", CaseKind::SurveyFollowUp),
    ])
};

/// How bad a case is.
pub(crate) const SEVERITY: Words = || {
    table([
        ("low", Severity::Low),
        ("medium", Severity::Medium),
        ("high", Severity::High),
        ("critical", Severity::Critical),
    ])
};

/// What makes good.
pub(crate) const REMEDY: Words = || {
    table([
        ("refund", Remedy::Refund),
        ("voucher", Remedy::Voucher),
        ("discount", Remedy::Discount),
        ("apology", Remedy::Apology),
        ("replacement", Remedy::Replacement),
    ])
};

/// Whether the customer was right.
pub(crate) const FINDING: Words =
    || table([("upheld", Finding::Upheld), ("partly_upheld", Finding::PartlyUpheld), ("rejected", Finding::Rejected)]);

/// How urgent a case is.
pub(crate) const PRIORITY: Words = || {
    table([
        ("low", Priority::Low),
        ("normal", Priority::Normal),
        ("high", Priority::High),
        ("urgent", Priority::Urgent),
    ])
};

/// What kind of reply a customer got.
pub(crate) const REPLY: Words =
    || table([("answer", ReplyType::Answer), ("holding", ReplyType::Holding), ("update", ReplyType::Update)]);

/// What a customer says of a solution.
pub(crate) const ACCEPTANCE: Words = || table([("accepted", Acceptance::Accepted), ("declined", Acceptance::Declined)]);

/// What happened to a case.
pub(crate) const CASE_EVENT: Words = || {
    table([
        ("opened", CaseEntryType::Opened),
        ("acknowledged", CaseEntryType::Acknowledged),
        ("responded", CaseEntryType::Responded),
        ("customer_wrote", CaseEntryType::CustomerWrote),
        ("awaited_customer", CaseEntryType::AwaitedCustomer),
        ("awaited_third_party", CaseEntryType::AwaitedThirdParty),
        ("resumed", CaseEntryType::Resumed),
        ("self_served", CaseEntryType::SelfServed),
        ("resolved", CaseEntryType::Resolved),
        ("reopened", CaseEntryType::Reopened),
        ("closed", CaseEntryType::Closed),
        ("cancelled", CaseEntryType::Cancelled),
        ("assigned", CaseEntryType::Assigned),
        ("prioritized", CaseEntryType::Prioritized),
        ("annotated", CaseEntryType::Annotated),
        ("outcome_set", CaseEntryType::OutcomeSet),
        ("acceptance_asked", CaseEntryType::AcceptanceAsked),
        ("acceptance_recorded", CaseEntryType::AcceptanceRecorded),
    ])
};

/// The occasion of a survey.
pub(crate) const SURVEY_TYPE: Words =
    || table([("relational", SurveyType::Relational), ("transactional", SurveyType::Transactional)]);

impl Problem {
    /// A problem.
    pub(crate) fn new(reason: &'static str, description: impl Into<String>) -> Self {
        Self { reason, description: description.into() }
    }

    /// An empty cell where none may be.
    pub(crate) fn required() -> Self {
        Self::new("REQUIRED", "is required")
    }
}

/// An instant, or a date or time in `zone`.
pub(crate) fn time(text: &str, zone: &TimeZone) -> Result<Micros, Problem> {
    instant::instant(text.trim(), zone).ok_or_else(|| {
        let examples = "2017-05-13, 2009-12-01T07:45:00 or 2009-12-01T07:45:00+02:00";
        Problem::new("NOT_A_TIME", format!("{text:?} is not a date or time such as {examples}"))
    })
}

/// A length of time: seconds, or with units.
pub(crate) fn span(text: &str) -> Result<Duration, Problem> {
    let problem =
        || Problem::new("NOT_A_DURATION", format!("{text:?} is neither a number of seconds nor a time such as 5m 30s"));
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).map_err(|_| problem());
    }
    let span: SignedDuration = text.parse().map_err(|_| problem())?;
    Duration::try_from(span).map_err(|_| problem())
}

/// An exact decimal number.
pub(crate) fn decimal(text: &str) -> Result<Decimal, Problem> {
    text.trim().parse().map_err(|error| {
        let reason = match error {
            DecimalError::NotANumber => "NOT_A_NUMBER",
            DecimalError::TooPrecise => "TOO_PRECISE",
            DecimalError::OutOfRange => "OUT_OF_RANGE",
        };
        Problem::new(reason, format!("{text:?} {error}"))
    })
}

/// A whole number; decimals that are all zero are passed over, as tools write them that know no missing whole numbers.
pub(crate) fn integer<T: FromStr>(text: &str) -> Result<T, Problem> {
    let digits = text.trim();
    let whole = match digits.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
        _ => digits,
    };
    whole.parse().map_err(|_| Problem::new("NOT_A_NUMBER", format!("{text:?} is not a whole number")))
}

/// A number.
pub(crate) fn number(text: &str) -> Result<f64, Problem> {
    let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| Problem::new("NOT_A_NUMBER", format!("{text:?} is not a number such as 0.75")))
}

/// True or false, in the words and digits that files use.
pub(crate) fn flag(text: &str) -> Result<bool, Problem> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" => Ok(true),
        "false" | "f" | "no" | "n" | "0" => Ok(false),
        _ => Err(Problem::new("NOT_A_FLAG", format!("{text:?} is neither true nor false"))),
    }
}

/// The code of a currency.
pub(crate) fn currency(text: &str) -> Result<String, Problem> {
    let code = text.trim();
    Currency::parse(code)
        .map(|_| code.to_owned())
        .ok_or_else(|| Problem::new("NOT_A_CURRENCY", format!("{text:?} is not three capital letters as in ISO 4217")))
}

/// One of a few words, in any case, with spaces or hyphens for underscores, and with or without apostrophes.
pub(crate) fn word(text: &str, words: Words) -> Result<i32, Problem> {
    let spelled = text.trim().to_ascii_lowercase().replace([' ', '-'], "_").replace(['\'', '’'], "");
    let known = words().into_iter().find(|(word, _)| *word == spelled);
    known.map(|(_, value)| value).ok_or_else(|| {
        let words: Vec<_> = words().into_iter().map(|(word, _)| word).collect();
        Problem::new("UNKNOWN_VALUE", format!("{text:?} is none of {}", words.join(", ")))
    })
}

/// Texts set apart by semicolons.
pub(crate) fn list(text: &str) -> Vec<String> {
    text.split(';').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_have_decimals_of_zero() {
        assert_eq!(integer("9"), Ok(9));
        assert_eq!(integer(" 10.0 "), Ok(10));
        assert_eq!(integer("-1"), Ok(-1));
        for bad in ["", ".0", "9.5", "nine", "9,0", "99999999999"] {
            assert_eq!(integer::<i32>(bad).map_err(|problem| problem.reason), Err("NOT_A_NUMBER"), "{bad}");
        }
    }

    #[test]
    fn numbers_are_finite() {
        assert_eq!(number("0.2847177143"), Ok(0.284_717_714_3));
        for bad in ["", "NaN", "inf", "1,5"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn spans_are_seconds_or_have_units() {
        assert_eq!(span("90.5"), Ok(Duration::from_millis(90_500)));
        assert_eq!(span("5m 30s"), Ok(Duration::from_secs(330)));
        assert_eq!(span("PT5M30S"), Ok(Duration::from_secs(330)));
        assert_eq!(span("00:05:30"), Ok(Duration::from_secs(330)));
        for bad in ["-1", "-5m", "soon", "inf"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_are_read_in_any_spelling() {
        assert_eq!(word("No Answer", DISPOSITION), Ok(1));
        assert_eq!(word("dont-know", DISPOSITION), Ok(2));
        assert_eq!(word("Don't know", DISPOSITION), Ok(2));
        let problem = word("up", DIRECTION).expect_err("no direction");
        assert_eq!(problem.description, "\"up\" is none of inbound, outbound");
    }

    #[test]
    fn flags_currencies_and_lists() {
        assert_eq!((flag("Yes"), flag("0")), (Ok(true), Ok(false)));
        assert!(flag("maybe").is_err());
        assert_eq!(currency("GBP"), Ok("GBP".to_owned()));
        assert!(currency("gbp").is_err());
        assert_eq!(list("new; vip ;;"), ["new", "vip"]);
    }
}
