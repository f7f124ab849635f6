"""The facts as frames, and the rows that a query is expected to have."""

import json
from collections import defaultdict

import pandas as pd

from facts.answers import outcomes, tiers
from facts.measures import MEASURES
from facts.sales import cohorts, sales_of, spans_of
from facts.service import complaints, known_since, micros, recoveries, serve
from facts.times import instant

# What an hour of a contact costs where nothing else says it.
HOURLY_RATE = "12.34CHF"


class Company:
    """The facts as frames, and what is computed of them."""

    def __init__(self, facts, asked):
        self.asked = asked
        self.known = {}
        surveys = facts["surveys.survey"].set_index("id")
        answers = facts["surveys.response"].copy()
        for column, of in [("survey", "name"), ("kind", "kind"), ("survey_type", "type")]:
            answers[column] = answers.survey_id.map(surveys[of])
        answers["survey_type"] = answers.survey_type.str.lower()
        answers["channel"], answers["language"] = answers.channel.fillna(""), answers.language.fillna("")
        for column in ["touchpoint", "journey_stage"]:
            answers[column] = answers[column].fillna("")
        answers["tier"] = tiers(answers, facts["customers.attribute_change"])
        answers["region"] = declared(answers, "region")
        answers["time"] = answers.time.astype("int64")
        self.answers = answers
        invitations = facts["surveys.invitation"].copy()
        invitations["survey"] = invitations.survey_id.map(surveys.name)
        invitations["survey_type"] = invitations.survey_id.map(surveys.type).str.lower()
        invitations["channel"] = invitations.channel.fillna("")
        invitations["outcome"] = outcomes(invitations, answers)
        invitations["time"] = invitations.time.astype("int64")
        self.invitations = invitations
        purchases = facts["customers.purchase"].copy()
        purchases["channel"] = purchases.channel.fillna("")
        purchases["currency"] = purchases.amount_currency
        purchases["voucher"] = purchases.voucher.map(lambda used: str(used).lower())
        purchases["tier"] = tiers(purchases, facts["customers.attribute_change"])
        purchases["region"] = declared(purchases, "region")
        purchases["time"] = purchases.time.astype("int64")
        purchases["day"] = pd.to_datetime(purchases.time, unit="us", utc=True).dt.tz_convert(asked.zone).dt.date
        self.purchases, self.interactions = purchases, facts["customers.interaction"]
        self.spending = defaultdict(list)
        for row in purchases.itertuples():
            self.spending[row.customer_id].append((row.time, row.currency, micros(row.amount)))
        purchases["due"] = purchases.due_time
        self.first_sales = purchases[purchases.amount >= 0].groupby("customer_id").time.min()

        contacts = self.interactions.copy()
        for column in ["channel", "team", "touchpoint", "journey_stage"]:
            contacts[column] = contacts[column].fillna("")
        contacts["direction"] = contacts.direction.str.lower()
        contacts["region"] = declared(contacts, "region")
        self.contacts, self.outreach = contacts, contacts[contacts.direction == "outbound"]
        cases = facts["complaints.case"].copy()
        for column in ["channel", "team", "category"]:
            cases[column] = cases[column].fillna("")
        cases["region"] = declared(cases, "region")
        cases["time"] = cases.open_time.astype("int64")
        self.cases = cases[cases.state != "MERGED"]
        self.served = serve(facts, HOURLY_RATE)
        self.known_since = known_since(facts)
        self.complaints = complaints(facts["complaints.case"])

    def rows(self, query):
        metric, by, every, parameters = query
        parameters = dict(parameters)
        source, always, measure = MEASURES[metric]
        of = source(self)
        names = list(by) + [name for name in always if name not in by and not (name == "survey_type" and "survey" in by)]
        if metric == "cohort_retention":
            return cohorts(of, self.asked, parameters)
        if metric in ("service_recovery", "spend_after_complaint"):
            return recoveries(self, metric, self.asked.periods(every), parameters)
        groups = self.groups(of, names)
        return {(instant(start), tuple(sorted(group.items()))): measure(self, some, start, end, parameters)
                for group, some in groups for start, end in self.asked.periods(every)}

    def groups(self, of, names):
        """The same frames for every query that is divided alike."""
        key = (id(of), *names)
        if key not in self.known:
            self.known[key] = [(dict(zip(names, values)), some) for values, some in of.groupby(names)] if names else [({}, of)]
        return self.known[key]

    def spans(self, some, days):
        key = (id(some), days)
        if key not in self.known:
            self.known[key] = spans_of(sales_of(some), days)
        return self.known[key]

    def of_kind(self, kind):
        if kind not in self.known:
            self.known[kind] = self.answers[self.answers.kind == kind]
        return self.known[kind]


def declared(facts, name):
    """A dimension that facts declare themselves."""
    return facts.dimensions.map(lambda text: json.loads(text or "{}").get(name, ""))
