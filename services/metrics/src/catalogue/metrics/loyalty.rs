//! The metrics of the loyalty programme, of referrals, and of what it costs to win customers.

use barometer_proto::metrics::v1::{Additivity, Direction, Unit};

use super::{
    super::{BLANK, Metric, Test, parameters},
    WILSON,
    customers::CUSTOMERS,
};
use crate::{
    measures::customers::{costs, members, memberships, referrals},
    query::Table,
};

const MEMBERSHIPS: Metric = Metric {
    sources: &["customers.membership_event", "customers.attribute_change"],
    table: Table::Memberships,
    revisions: |facts| vec![&facts.memberships.times.revisions],
    extent: memberships::extent,
    ..BLANK
};

const REFERRALS: Metric = Metric {
    sources: &["customers.referral", "customers.attribute_change"],
    table: Table::Referrals,
    revisions: |facts| vec![&facts.referrals.times.revisions],
    extent: referrals::extent,
    ..BLANK
};

/// Shares of customers when a period ends.
const SHARE: Metric = Metric {
    unit: Unit::Percent,
    direction: Direction::Up,
    interval: WILSON,
    lowest: Some(0.0),
    highest: Some(100.0),
    additivity: Additivity::None,
    test: Test::Share,
    is_state: true,
    stands: true,
    ..CUSTOMERS
};

pub(super) static ALL: &[Metric] = &[
    Metric {
        id: "acquisition_cost",
        version: 1,
        title: "Cost of winning a customer",
        description: "What was spent in the period to win customers, for each who became known in it, by currency. A sum \
                      that was spent over a time is spread over it evenly; what customers got for recommending counts \
                      when they did. `team`, `channel` and all else that distinguishes costs divides what was spent, \
                      not the customers. `new_customers` are those of the period, whoever brought them.",
        formula: "(costs + rewards) / new_customers, where costs are sums of the kind ACQUISITION and rewards those of \
                  referrals; customers are known as in `customers`.",
        unit: Unit::Money,
        direction: Direction::Down,
        sources: &[
            "customers.cost",
            "customers.referral",
            "customers.customer",
            "customers.purchase",
            "customers.interaction",
            "customers.subscription_event",
            "customers.membership_event",
            "surveys.response",
        ],
        table: Table::Costs,
        counts: &["new_customers"],
        amounts: &["costs", "rewards", "total"],
        always_grouped_by: &["currency"],
        additivity: Additivity::None,
        example: "barometer query acquisition_cost --every month",
        looks_back: true,
        revisions: |facts| vec![&facts.costs.times.revisions],
        extent: costs::extent,
        answer: costs::acquisition_cost,
        ..BLANK
    },
    Metric {
        id: "active_member_rate",
        version: 1,
        title: "Active members",
        description: "Of the members when the period ends, those who joined, earned or redeemed something within the last \
                      `member_days` days.",
        formula: "100 * active / members, where active has an event JOIN, EARN, REDEEM or REDEEM_VOUCHER in \
                  [end - N * 24 h, end).",
        parameters: &[&parameters::MEMBER_DAYS, &parameters::LEVEL],
        counts: &["active", "members"],
        sample: &["members"],
        example: "barometer query active_member_rate --every month --by tier",
        answer: members::active_member_rate,
        ..SHARE
    },
    Metric {
        id: "advocate_share",
        version: 1,
        title: "Advocates",
        description: "Of the customers known when the period ends, those who recommended the company within the last \
                      `referral_days` days, with effect or without.",
        formula: "100 * advocates / customers, where an advocate made a referral in [end - N * 24 h, end).",
        parameters: &[&parameters::REFERRAL_DAYS, &parameters::LEVEL],
        counts: &["advocates", "customers"],
        sample: &["customers"],
        example: "barometer query advocate_share --every month",
        answer: members::advocate_share,
        ..SHARE
    },
    Metric {
        id: "enrolment_rate",
        version: 1,
        title: "Members among customers",
        description: "Of the customers known when the period ends, those who are members then.",
        formula: "100 * members / customers, both as in the metrics of these names.",
        parameters: &[&parameters::LEVEL],
        counts: &["members", "customers"],
        sample: &["customers"],
        example: "barometer query enrolment_rate --every month --by country",
        answer: members::enrolment_rate,
        ..SHARE
    },
    Metric {
        id: "enrolments",
        version: 1,
        title: "Enrolments",
        description: "How often customers joined the loyalty programme in the period, and how often they left it. Who \
                      joins again counts again.",
        formula: "Events JOIN; `left` are events LEAVE.",
        unit: Unit::Count,
        direction: Direction::Up,
        counts: &["joined", "left"],
        lowest: Some(0.0),
        additivity: Additivity::Sum,
        example: "barometer query enrolments --every month --by channel",
        answer: memberships::enrolments,
        ..MEMBERSHIPS
    },
    Metric {
        id: "members",
        version: 1,
        title: "Members",
        description: "Customers known when the period ends who are members of the loyalty programme then.",
        formula: "By the changes of the attribute MEMBER; of customers for whom there is none, by the events JOIN and LEAVE.",
        unit: Unit::Count,
        direction: Direction::Up,
        counts: &["members"],
        lowest: Some(0.0),
        additivity: Additivity::Groups,
        example: "barometer query members --every month --by tier",
        is_state: true,
        answer: members::members,
        ..CUSTOMERS
    },
    Metric {
        id: "points_issued",
        version: 1,
        title: "Points issued",
        description: "Points that were earned in the period, or set right, up or down. `events` are those by which, \
                      `customers` whose they are.",
        formula: "Sum of the points of events EARN and ADJUST.",
        unit: Unit::Count,
        direction: Direction::Up,
        counts: &["events", "customers"],
        additivity: Additivity::Sum,
        example: "barometer query points_issued --every month --by programme",
        answer: memberships::points_issued,
        ..MEMBERSHIPS
    },
    Metric {
        id: "points_liability",
        version: 1,
        title: "What members are owed",
        description: "What points and vouchers that are neither redeemed nor expired when the period ends are worth to \
                      customers, by currency, as their events say. Events without a value are no part of it, nor are \
                      gestures.",
        formula: "Sum of the values of EARN and GRANT_VOUCHER, less those of REDEEM, EXPIRE, REDEEM_VOUCHER and \
                  EXPIRE_VOUCHER; those of ADJUST in the direction of its points. All events before the end.",
        unit: Unit::Money,
        direction: Direction::Down,
        counts: &["events"],
        amounts: &["liability"],
        always_grouped_by: &["currency"],
        additivity: Additivity::Groups,
        example: "barometer query points_liability --every month",
        is_state: true,
        answer: memberships::points_liability,
        ..MEMBERSHIPS
    },
    Metric {
        id: "points_redeemed",
        version: 1,
        title: "Points redeemed",
        description: "Points that were redeemed in the period. `events` are those by which, `customers` who did.",
        formula: "Sum of the points of events REDEEM.",
        unit: Unit::Count,
        direction: Direction::Up,
        counts: &["events", "customers"],
        lowest: Some(0.0),
        additivity: Additivity::Sum,
        example: "barometer query points_redeemed --every month",
        answer: memberships::points_redeemed,
        ..MEMBERSHIPS
    },
    Metric {
        id: "redemption_rate",
        version: 1,
        title: "Points redeemed of those issued",
        description: "Points redeemed in the period for each that was issued in it. More than one where members redeem \
                      what they saved before.",
        formula: "redeemed / issued, of points, as in `points_redeemed` and `points_issued`; `expired` are those of \
                  events EXPIRE.",
        unit: Unit::Ratio,
        direction: Direction::Up,
        counts: &["issued", "redeemed", "expired"],
        lowest: Some(0.0),
        additivity: Additivity::Counts,
        example: "barometer query redemption_rate --every quarter --by tier",
        answer: memberships::redemption_rate,
        ..MEMBERSHIPS
    },
    Metric {
        id: "referral_conversion_rate",
        version: 1,
        title: "Referrals that brought a customer",
        description: "Of the referrals made in the period, those that brought a customer so far. Of several for the same \
                      customer the first did.",
        formula: "100 * joined / referrals.",
        unit: Unit::Percent,
        direction: Direction::Up,
        parameters: &[&parameters::LEVEL],
        counts: &["joined", "referrals"],
        interval: WILSON,
        sample: &["referrals"],
        lowest: Some(0.0),
        highest: Some(100.0),
        additivity: Additivity::Counts,
        test: Test::Share,
        example: "barometer query referral_conversion_rate --every quarter --by channel",
        answer: referrals::referral_conversion_rate,
        ..REFERRALS
    },
    Metric {
        id: "referrals",
        version: 1,
        title: "Referrals",
        description: "How often customers recommended the company in the period. Attributes such as `tier` are those of who \
                      recommends, held then.",
        formula: "Number of referrals; `joined` are those that brought a customer, of several for the same the first.",
        unit: Unit::Count,
        direction: Direction::Up,
        counts: &["referrals", "joined"],
        lowest: Some(0.0),
        additivity: Additivity::Sum,
        example: "barometer query referrals --every month --by campaign",
        answer: referrals::referrals,
        ..REFERRALS
    },
    Metric {
        id: "voucher_redemption_rate",
        version: 1,
        title: "Vouchers redeemed",
        description: "Of the vouchers granted in the period, those that were redeemed so far. `running` are neither \
                      redeemed nor expired yet and may still be.",
        formula: "100 * redeemed / granted, where granted are events GRANT_VOUCHER, and redeemed those whose voucher has \
                  an event REDEEM_VOUCHER.",
        unit: Unit::Percent,
        direction: Direction::Up,
        parameters: &[&parameters::LEVEL],
        counts: &["granted", "redeemed", "expired", "running"],
        interval: WILSON,
        sample: &["granted"],
        lowest: Some(0.0),
        highest: Some(100.0),
        additivity: Additivity::Counts,
        test: Test::Share,
        example: "barometer query voucher_redemption_rate --every month --by campaign",
        answer: memberships::voucher_redemption_rate,
        ..MEMBERSHIPS
    },
];
