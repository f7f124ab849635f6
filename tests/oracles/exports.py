"""Compares figures with what pandas makes of the exported facts: exports.py BAROMETER DIRECTORY [CUSTOMERS [SEED]].

BAROMETER brings up a simulated company of a random seed; invitations and answers that are made up here, with texts that are hard
to export, are imported beside it. All facts are exported twice: the CSV as pandas reads it must be what DuckDB reads of the
Parquet, cell for cell. From these facts alone the figures are computed anew, by pandas, with the intervals of statsmodels and
scipy, in months of a random time zone and by group, and compared with `barometer query` and with `barometer export metrics`.
Whatever differs is printed, and the program fails; it fails too when it has compared too little, and when it does not notice
facts that were falsified.
"""

import json
import pathlib
import random
import sys
from collections import defaultdict
from decimal import Decimal

import pandas as pd

from facts.company import Company
from facts.files import export, frame
from facts.invented import make_up
from facts.rows import rows_differ, same
from facts.sales import DEFINITIONS
from facts.times import DAY, NOW, SECOND, ZONES, Months, instant
from suite import Simulated, conclude, must_notice

KINDS = ["surveys.survey", "surveys.response", "surveys.invitation", "customers.purchase", "customers.attribute_change",
         "customers.customer", "customers.interaction", "customers.subscription_event", "customers.membership_event", "customers.referral",
         "customers.cost", "complaints.case", "complaints.case_entry"]
RATES = ["rr1", "rr2", "rr5", "rr6"]
# The least that is to be compared of a metric.
FEW = 40


def main(program, directory, customers="200", seed=None):
    seed = seed or str(random.randrange(2**32))
    chance = random.Random(int(seed))
    asked = Asked(chance)
    print(f"exports: {customers} customers until {asked.until}, seed {seed}, {asked.zone}, level {asked.level}, {asked.days} days")
    directory = pathlib.Path(directory)
    directory.mkdir()
    with Simulated(program, directory, customers, chance.randrange(10**6), asked.until) as suite:
        make_up(suite, directory, asked, chance)
        facts = {kind: export(suite, directory, kind) for kind in KINDS}
        told = [(query, asked.rows(suite, query)) for query in asked.queries]
        tables = [(query, asked.table(suite, query)) for query in asked.queries[::5]]
    wrong = [line for query, rows in tables for line in table_differs(query, rows, told)]
    compared = defaultdict(int)
    wrong += differences(told, facts, asked, compared)
    print(f"exports: {sum(len(of) for of in facts.values())} facts, {len(told)} queries, {sum(compared.values())} numbers compared; "
          f"{len(wrong)} differ")
    conclude(wrong, sorted({query[0] for query, _ in told if compared[query[0]] < FEW}))
    falsify(told, facts, asked)


class Asked(Months):
    """What is asked for: two years until the beginning of a month, month by month, and the whole of it."""

    def __init__(self, chance):
        zone = chance.choice(ZONES)
        self.level = chance.choice([0.9, 0.95, 0.99])
        self.days = chance.choice([30, 60, 90, 180])
        super().__init__(zone, pd.Timestamp(chance.choice([2025, 2026]), chance.randrange(1, 11), 1))
        level, inactivity = ("level", str(self.level)), ("inactivity_days", str(self.days))
        self.queries = []
        for every in ["month", None]:
            for by in [(), ("survey",), ("channel",), ("tier", "language")]:
                self.ask("nps", by, every, level)
                self.ask("responses", by, every)
            self.ask("csat", ("survey",), every, level)
            self.ask("ces", (), every, level)
            for by in [(), ("channel",)]:
                for metric in ["purchases", "revenue", "average_order", "purchase_frequency", "existing_sales_share"]:
                    self.ask(metric, by, every)
                for definition in DEFINITIONS:
                    parameters = [inactivity, ("definition", definition)]
                    self.ask("churn_rate", by, every, *parameters, level)
                self.ask("retention_rate", by, every, inactivity, level)
                for metric in ["inactive_share", "active_customers"]:
                    self.ask(metric, by, every, inactivity, *([level] if metric == "inactive_share" else []))
                for basis in ["days", "orders"]:
                    self.ask("repeat_purchase_rate", by, every, ("basis", basis), level)
                    self.ask("second_purchase_rate", by, every, ("basis", basis), ("within_days", str(self.days)), level)
            self.ask("invitations", ("channel",), every)
            self.ask("completion_rate", ("channel",), every, level)
            for rate in RATES:
                self.ask("response_rate", ("survey",), every, ("rate", rate), level)
            for by in [(), ("channel",)]:
                for metric in ["cost_to_serve", "cost_to_serve_per_customer", "cost_per_contact"]:
                    self.ask(metric, by, every, ("hourly_rate", "12.34CHF"))
                self.ask("late_payment_rate", by, every, level)
                for action in ["sales", "contacts"]:
                    self.ask("actions_per_engagement", by, every, ("around_days", "20"), ("action", action), level)
            for metric in ["service_recovery", "spend_after_complaint"]:
                self.ask(metric, (), every, ("after_days", "60"), inactivity, level)
            self.ask("channel_consistency", (), every, level)
        self.ask("lifecycle", (), "month")
        self.ask("lifecycle", ("channel",), "month")
        self.ask("cohort_retention", (), "month", level)

    def ask(self, metric, by, every, *parameters):
        self.queries.append((metric, by, every, parameters))

    def arguments(self, query):
        metric, by, every, parameters = query
        given = [metric, *self.flags(every, by)]
        for name, value in parameters:
            given += ["--param", f"{name}={value}"]
        return given

    def rows(self, suite, query):
        return json.loads(suite.run("query", *self.arguments(query), "--format", "json"))["rows"]

    def table(self, suite, query):
        path = suite.directory / "table.parquet"
        suite.run("export", "metrics", *self.arguments(query), "--format", "parquet", "--output", str(path))
        return frame(path).to_dict("records")


def table_differs(query, rows, told):
    """The table of a query has the numbers of its answer."""
    answer = next(answer for of, answer in told if of == query)
    wrong = [] if len(rows) == len(answer) else [f"{query}: {len(rows)} rows in the table, {len(answer)} in the answer"]
    for row, figure in zip(rows, answer):
        expected = {"value": figure["value"], "start": figure["start"], **figure["group"]}
        table = {**row, "start": instant(row["start"]), **{name: row[name] or "" for name in figure["group"]}}
        for name, count in figure["counts"].items():
            expected[f"{name}_count" if f"{name}_count" in row else name] = count
        for name, amount in figure["amounts"].items():
            expected[f"{name}_amount" if f"{name}_amount" in row else name] = amount
        limits = figure["interval"] or {}
        expected |= {"low": limits.get("low"), "high": limits.get("high")}
        wrong += [f"{query} {figure['start']} {name}: {table[name]} in the table, {number} in the answer"
                  for name, number in expected.items() if not (table[name] == number or same(table[name], number))]
    return wrong


def differences(told, facts, asked, compared):
    company = Company(facts, asked)
    wrong = []
    for query, rows in told:
        differ, count = rows_differ(query, rows, company.rows(query))
        wrong += differ
        compared[query[0]] += count
    return wrong


def falsify(told, facts, asked):
    """Facts of which one is another must not come to the same figures."""
    def other(name, metric, kind, fits, falsified):
        some = [(query, rows) for query, rows in told if query[0] == metric and query[2] == "month"][:1]
        fitting = [index for index, row in facts[kind].iterrows() if asked.months[0] <= row.time < asked.months[-1] and fits(row)]
        must_notice(name, fitting, lambda index: differences(some, facts | {kind: falsified(facts[kind], index)}, asked, defaultdict(int)))

    def changed(column, change):
        def falsified(rows, index):
            rows = rows.copy()
            rows.at[index, column] = change(rows.at[index, column])
            return rows
        return falsified

    purchases, contacts = facts["customers.purchase"], facts["customers.interaction"]
    buyers = purchases[purchases.amount >= 0].customer_id.value_counts()
    reached = contacts[contacts.direction == "OUTBOUND"].customer_id.value_counts()
    is_sale = lambda row: row.amount > 0
    is_another = lambda row: row.amount > 0 and row.customer_id != buyers.index[0]
    # Due in a month that is asked about, paid by then, and over.
    is_in_time = lambda row: (row.amount > 0 and row.due_time is not None and row.paid_time is not None
                              and row.paid_time <= row.due_time < min(asked.months[-1], NOW))
    is_priced = lambda row: row.cost is None and row.handling_time_micros is not None and row.channel == "letter"
    is_only_mail = lambda row: row.direction == "OUTBOUND" and reached.get(row.customer_id) == 1
    other("another score", "nps", "surveys.response", lambda row: row.score == 10, changed("score", lambda _: 8))
    other("another currency", "revenue", "customers.purchase", is_sale, changed("amount_currency", lambda _: "CHF"))
    other("a cent more", "revenue", "customers.purchase", is_sale, changed("amount", lambda amount: amount + Decimal("0.01")))
    other("another buyer", "lifecycle", "customers.purchase", is_another, changed("customer_id", lambda _: buyers.index[0]))
    other("a buyer of long ago", "churn_rate", "customers.purchase", is_sale, changed("time", lambda at: at - 3000 * DAY))
    other("another outcome", "response_rate", "surveys.invitation", lambda row: row.told_outcome == "REFUSAL", changed("told_outcome", lambda _: "OTHER"))
    other("a longer contact", "cost_to_serve", "customers.interaction", is_priced, changed("handling_time_micros", lambda time: time + 3_600 * SECOND))
    other("a payment that came late", "late_payment_rate", "customers.purchase", is_in_time, changed("paid_time", lambda _: NOW))
    other("a contact that is an answer", "actions_per_engagement", "customers.interaction", is_only_mail, changed("direction", lambda _: "INBOUND"))
    other("that an answer is missing", "responses", "surveys.response", lambda _: True, lambda rows, index: rows.drop(index=index))


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
