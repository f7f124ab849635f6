"""By metric: of which facts it is, by what it is always grouped, and what is computed of those of a group in a period."""

from facts.answers import ces, channel_consistency, csat, invitations, nps, rate, responses
from facts.cases import complaints_opened, time_to_first_response
from facts.sales import (active_customers, average_order, churn_rate, existing_sales_share, inactive_share, late_payment_rate, lifecycle,
                         purchase_frequency, purchases, repeat_purchase_rate, retention_rate, revenue, second_purchase_rate)
from facts.service import actions_per_engagement, contacts, cost_to_serve

OF_SALES = {name: (lambda company: company.purchases, always, measure) for name, always, measure in [
    ("purchases", [], purchases), ("revenue", ["currency"], revenue), ("average_order", ["currency"], average_order),
    ("purchase_frequency", [], purchase_frequency), ("existing_sales_share", ["currency"], existing_sales_share),
    ("repeat_purchase_rate", [], repeat_purchase_rate), ("second_purchase_rate", [], second_purchase_rate), ("lifecycle", [], lifecycle),
    ("active_customers", [], active_customers), ("inactive_share", [], inactive_share), ("churn_rate", [], churn_rate),
    ("retention_rate", [], retention_rate), ("cohort_retention", [], None)]}
OF_SERVICE = {metric: (lambda company: company.served, ["currency"], lambda *arguments, metric=metric: cost_to_serve(*arguments, metric))
              for metric in ["cost_to_serve", "cost_to_serve_per_customer", "cost_per_contact"]} | {
    "late_payment_rate": (lambda company: company.purchases, [], late_payment_rate),
    "actions_per_engagement": (lambda company: company.outreach, [], actions_per_engagement),
    "service_recovery": (lambda company: company.purchases, ["complaint_outcome"], None),
    "spend_after_complaint": (lambda company: company.purchases, ["complaint_outcome", "currency"], None),
    "channel_consistency": (lambda company: company.of_kind("NPS"), ["survey_type"], channel_consistency),
}
MEASURES = OF_SALES | OF_SERVICE | {
    "nps": (lambda company: company.of_kind("NPS"), ["survey_type"], nps),
    "csat": (lambda company: company.of_kind("CSAT"), ["survey_type"], csat),
    "ces": (lambda company: company.of_kind("CES"), ["survey_type"], ces),
    "responses": (lambda company: company.answers, [], responses),
    "invitations": (lambda company: company.invitations, [], invitations),
    "completion_rate": (lambda company: company.invitations, [], rate),
    "response_rate": (lambda company: company.invitations, [], rate),
    "contacts": (lambda company: company.contacts, [], contacts),
    "complaints_opened": (lambda company: company.cases, [], complaints_opened),
    "time_to_first_response": (lambda company: company.cases, [], time_to_first_response),
}
