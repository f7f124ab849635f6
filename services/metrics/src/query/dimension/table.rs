//! Tables, and the names of their dimensions.

use std::collections::BTreeSet;

use crate::columns::Facts;

/// A table of facts that metrics are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// Answers.
    Responses,
    /// Invitations to answer.
    Invitations,
    /// Purchases and returns.
    Purchases,
    /// Contacts with customers.
    Contacts,
    /// Customers.
    Customers,
    /// Subscriptions.
    Subscriptions,
    /// Subscriptions that ended.
    Endings,
    /// Cases of complaints.
    Cases,
    /// Cases that changed hands, each time that they did.
    HandOffs,
    /// What customers got for their complaints.
    Redresses,
    /// Clocks of cases.
    Clocks,
    /// Spells of work on cases.
    Claims,
    /// Steps of ladders that were taken.
    Escalations,
    /// Promises to customers.
    Promises,
    /// Dissatisfied answers that were followed up.
    FollowUps,
    /// Events of the loyalty programme.
    Memberships,
    /// Who recommended whom.
    Referrals,
    /// What was spent.
    Costs,
    /// Contacts, and what customers got for complaints.
    Served,
    /// Customers after a complaint, or without one.
    Recoveries,
    /// What they spent.
    RecoverySpend,
}

/// The dimensions of cases, after those of a table whose rows belong to cases.
macro_rules! of_cases_and {
    ($($own:literal),*) => {
        &[
            $($own,)*
            "acceptance",
            "case_state",
            "category",
            "category_1",
            "category_2",
            "channel",
            "country",
            "country_now",
            "employee",
            "finding",
            "journey_stage",
            "kind",
            "member",
            "member_now",
            "policy",
            "priority",
            "product",
            "remedy_sought",
            "root_cause",
            "root_cause_1",
            "root_cause_2",
            "segment",
            "segment_now",
            "severity",
            "team",
            "tier",
            "tier_now",
            "touchpoint",
            "value_band",
        ]
    };
}

impl Table {
    /// The names of its built-in dimensions.
    pub(crate) fn dimensions(self) -> &'static [&'static str] {
        match self {
            Table::Responses => &[
                "category",
                "channel",
                "country",
                "country_now",
                "disposition",
                "journey_stage",
                "language",
                "member",
                "member_now",
                "score",
                "segment",
                "segment_now",
                "survey",
                "survey_kind",
                "survey_type",
                "tier",
                "tier_now",
                "touchpoint",
            ],
            Table::Invitations => &[
                "channel",
                "country",
                "country_now",
                "journey_stage",
                "language",
                "member",
                "member_now",
                "segment",
                "segment_now",
                "survey",
                "survey_kind",
                "survey_type",
                "tier",
                "tier_now",
                "touchpoint",
            ],
            Table::Purchases => &[
                "category",
                "channel",
                "country",
                "country_now",
                "currency",
                "customer_country",
                "member",
                "member_now",
                "segment",
                "segment_now",
                "tier",
                "tier_now",
                "voucher",
            ],
            Table::Contacts => &[
                "campaign",
                "channel",
                "country",
                "country_now",
                "direction",
                "employee",
                "exit_page",
                "journey_stage",
                "landing_page",
                "member",
                "member_now",
                "outcome",
                "segment",
                "segment_now",
                "team",
                "tier",
                "tier_now",
                "touchpoint",
            ],
            Table::Customers => {
                &["country", "country_now", "member", "member_now", "segment", "segment_now", "tier", "tier_now"]
            }
            Table::Subscriptions => &[
                "country",
                "country_now",
                "currency",
                "member",
                "member_now",
                "plan",
                "segment",
                "segment_now",
                "tier",
                "tier_now",
            ],
            Table::Endings => &[
                "country",
                "country_now",
                "member",
                "member_now",
                "plan",
                "reason",
                "segment",
                "segment_now",
                "tier",
                "tier_now",
                "voluntary",
            ],
            Table::Cases => of_cases_and![],
            Table::HandOffs => of_cases_and!["to_employee", "to_team"],
            Table::Redresses => of_cases_and!["currency", "remedy"],
            Table::Clocks => of_cases_and!["clock"],
            Table::Escalations => of_cases_and!["clock"],
            Table::Claims => of_cases_and![],
            Table::Memberships => &[
                "campaign",
                "channel",
                "country",
                "country_now",
                "currency",
                "member",
                "member_now",
                "programme",
                "reason",
                "segment",
                "segment_now",
                "tier",
                "tier_now",
            ],
            Table::Referrals => &[
                "campaign",
                "channel",
                "country",
                "country_now",
                "currency",
                "member",
                "member_now",
                "segment",
                "segment_now",
                "tier",
                "tier_now",
            ],
            Table::Costs => &["campaign", "channel", "currency", "team"],
            Table::Served => &[
                "channel",
                "country",
                "country_now",
                "currency",
                "employee",
                "journey_stage",
                "member",
                "member_now",
                "segment",
                "segment_now",
                "team",
                "tier",
                "tier_now",
                "touchpoint",
            ],
            Table::Recoveries => &[
                "complaint_outcome",
                "country",
                "country_now",
                "member",
                "member_now",
                "segment",
                "segment_now",
                "tier",
                "tier_now",
            ],
            Table::RecoverySpend => &[
                "complaint_outcome",
                "country",
                "country_now",
                "currency",
                "member",
                "member_now",
                "segment",
                "segment_now",
                "tier",
                "tier_now",
            ],
            Table::FollowUps => &[
                "country",
                "country_now",
                "member",
                "member_now",
                "segment",
                "segment_now",
                "survey",
                "tier",
                "tier_now",
            ],
            Table::Promises => &[
                "country",
                "country_now",
                "employee",
                "member",
                "member_now",
                "segment",
                "segment_now",
                "team",
                "tier",
                "tier_now",
            ],
        }
    }

    /// The names of its declared dimensions that some fact has.
    pub(crate) fn declared(self, facts: &Facts) -> Vec<String> {
        let declared = match self {
            Table::Responses => &facts.responses.declared,
            Table::Invitations => &facts.invitations.declared,
            Table::Purchases => &facts.purchases.declared,
            Table::Contacts => &facts.interactions.declared,
            Table::Customers | Table::Recoveries | Table::RecoverySpend => &facts.customers.declared,
            Table::Served => {
                let both = facts.interactions.declared.names().chain(facts.cases.declared.names());
                return both.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect();
            }
            Table::Subscriptions | Table::Endings => &facts.subscriptions.declared,
            Table::Cases | Table::HandOffs | Table::Redresses | Table::Clocks | Table::Claims | Table::Escalations => {
                &facts.cases.declared
            }
            Table::Memberships => &facts.memberships.declared,
            Table::Referrals => &facts.referrals.declared,
            Table::Costs => &facts.costs.declared,
            Table::Promises | Table::FollowUps => return Vec::new(),
        };
        declared.names().map(str::to_owned).collect()
    }
}
