"""Compares figures of subscriptions with a computation of our own: contracts.py BAROMETER DIRECTORY [CUSTOMERS [SEED]].

Random histories of subscriptions, in two currencies, with events at the same instants, cancellations that take effect much
later, changes of what has ended and customers who come back, are imported into a suite that BAROMETER serves from DIRECTORY.
Its answers on the command line are compared with what pandas makes of the same log: the stretches of each subscription are
joined to the instants at which periods begin and end, and shares are fractions until the last division. Whatever differs is
printed, and the program fails; it fails too when it has compared too little, and when it does not notice a log that was
falsified.
"""

import csv
import datetime as dt
import json
import math
import pathlib
import random
import sys
from bisect import bisect_left
from collections import defaultdict
from fractions import Fraction

import pandas as pd

from suite import Suite, conclude, must_notice

HOUR = 3600
DAY = 24 * HOUR
UTC = dt.timezone.utc
FIRST = int(dt.datetime(2024, 1, 1, tzinfo=UTC).timestamp())
LAST = int(dt.datetime(2025, 1, 1, tzinfo=UTC).timestamp())
EVER = 2**62
COLUMNS = ["customer", "subscription", "type", "time", "effective_time", "plan", "monthly_amount", "currency", "reason",
           "voluntary", "external_id"]
DEFINITIONS = ["churn_standard", "churn_all_departures", "churn_over_start_plus_new", "churn_daily_sum"]
SHARES = ["gross_revenue_churn", "net_revenue_churn", "gross_revenue_retention", "net_revenue_retention", "mrr_quick_ratio"]
MOVEMENTS = [("new", "began"), ("churn", "churned"), ("reactivation", "reactivated"), ("expansion", "expanded"),
             ("contraction", "contracted")]


def main(program, directory, customers="300", seed=None):
    seed = seed or str(random.randrange(2**32))
    print(f"contracts: {customers} customers, seed {seed}")
    directory = pathlib.Path(directory)
    directory.mkdir()
    log = make_up(random.Random(int(seed)), int(customers))
    path = directory / "subscriptions.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({**row, "time": instant(row["time"]), "effective_time": instant(row["effective_time"])} for row in log)
    with Asked(program, directory) as suite:
        suite.run("import", "subscriptions", str(path), "--map-by-name", "--source", "billing", "--customer-system", "crm")
        told = [(query, suite.query(query)) for query in queries()]
    compared = defaultdict(int)
    wrong = differences(told, log, compared)
    numbers = sum(compared.values())
    print(f"contracts: {len(told)} queries, {numbers} numbers compared; {len(wrong)} differ")
    conclude(wrong, sorted({query[0] for query, _ in told if compared[query[0]] < 50}))
    falsify(told, log)


def make_up(chance, customers):
    """A log of events, most of them in the year that is asked about."""
    log = []

    def tell(customer, subscription, what, agreed, later=0, amount=None, currency="", voluntary=""):
        log.append({
            "customer": f"c{customer}", "subscription": f"s{subscription}", "type": what, "time": agreed,
            "effective_time": agreed + later, "plan": chance.choice(["", "basic", "pro"]) if what != "start" else
            chance.choice(["basic", "pro", "pro", "max"]), "monthly_amount": "" if amount is None else amount,
            "currency": currency, "reason": chance.choice(["", "price", "service"]) if what == "cancel" else "",
            "voluntary": voluntary, "external_id": f"e{len(log)}"})

    for customer in range(customers):
        currency = "USD" if chance.random() < 0.3 else "EUR"
        for subscription in range(chance.choice([1, 1, 1, 2, 3])):
            at = FIRST - 200 * DAY + chance.randrange(500) * DAY
            for _ in range(chance.randrange(1, 9)):
                what = chance.choice(["start", "start", "change", "change", "cancel"])
                # Often at midnight, where periods begin.
                at += chance.choice([0, DAY, 7 * DAY, 30 * DAY, 45 * DAY, 5 * HOUR + 1])
                if at >= LAST + 100 * DAY:
                    break
                if what == "cancel":
                    later = chance.choice([0, 0, 0, 10 * DAY, 90 * DAY, 3000 * DAY])
                    tell(customer, subscription, what, at, later, voluntary=chance.choice(["", "true", "false"]))
                else:
                    if chance.random() < 0.03:
                        currency = "USD" if currency == "EUR" else "EUR"
                    amount = chance.choice(["0", "10", "10", "20", "29.99", "0.000001"])
                    tell(customer, subscription, what, at, chance.choice([0, 0, 0, -3 * DAY, 12 * DAY]), amount, currency)
    chance.shuffle(log)
    # What was recorded last is the last of what was agreed at one instant and takes effect at one: the suite goes by the
    # order of arrival, which is that of the file.
    return log


class Asked(Suite):
    """A running suite, and what is asked of it."""

    def query(self, query):
        metric, by, every, parameters = query
        arguments = ["query", metric, "--from", instant(FIRST), "--to", instant(LAST), "--time-zone", "UTC", "--format", "json"]
        if every:
            arguments += ["--every", every]
        if by:
            arguments += ["--by", ",".join(by)]
        for name, value in parameters:
            arguments += ["--param", f"{name}={value}"]
        return json.loads(self.run(*arguments))["rows"]


def queries():
    """Metric, dimensions, length of periods, parameters."""
    asked = []
    for every in ["month", "week", None]:
        for by in [(), ("plan",), ("currency", "plan")] if every != "week" else [()]:
            asked.append(("subscribers", by, every, ()))
            for definition in DEFINITIONS:
                asked.append(("contract_churn_rate", by, every, (("definition", definition),)))
        asked.append(("contract_retention_rate", (), every, ()))
        for metric in ["mrr", "mrr_movement", *SHARES]:
            asked.append((metric, (), every, ()))
            if every != "week":
                asked.append((metric, ("plan",), every, ()))
        for by in [(), ("reason",), ("plan", "voluntary")]:
            asked.append(("subscriptions_ended", by, every, ()))
    return asked


def differences(told, log, compared):
    company = Company(log)
    wrong = []
    for query, rows in told:
        expected = company.rows(query)
        for row in rows:
            key = (row["start"], tuple(sorted(row["group"].items())))
            of = expected.pop(key, None)
            numbers = {"value": row["value"], **row["counts"], **row["amounts"]}
            if of is None:
                # A group that only other periods have.
                of = {name: 0 if name != "value" else None for name in numbers}
                if query[0] in ("subscribers", "mrr", "mrr_movement"):
                    of["value"] = numbers["value"] if numbers["value"] in (None, 0) else "nothing"
            for name, number in of.items():
                if query[0] == "subscriptions_ended" and query[1] and name == "last_of_customer":
                    continue
                compared[query[0]] += 1
                if not same(numbers.get(name), number):
                    wrong.append(f"{query} {key} {name}: told {numbers.get(name)}, expected {number}")
        wrong.extend(f"{query} {key}: not told, expected {of}" for key, of in expected.items() if any(
            number for name, number in of.items() if name != "value"))
    return wrong


def same(told, expected):
    if told is None or expected is None or isinstance(expected, str):
        return told is expected
    return math.isclose(told, float(expected), rel_tol=1e-12, abs_tol=1e-9)


class Company:
    """The stretches in which subscriptions ran, as a frame, and their ends."""

    def __init__(self, log):
        runs, ends = [], []
        subscriptions = defaultdict(list)
        for number, row in enumerate(log):
            subscriptions[row["customer"], row["subscription"]].append((row["effective_time"], row["time"], number, row))
        for (customer, subscription), events in subscriptions.items():
            plan, since, open_since, over = "", None, None, False
            state = None
            for at, _, _, row in sorted(events, key=lambda event: event[:3]):
                plan = row["plan"] or plan
                if row["type"] == "cancel":
                    over = True
                    if state:
                        runs.append((*state, at))
                        if since < at:
                            ends.append((customer, at, row["reason"], row["voluntary"], plan))
                    state = None
                elif row["type"] == "start" or state or not over:
                    if state:
                        runs.append((*state, at))
                    else:
                        since = at
                    amount = int(Fraction(row["monthly_amount"]) * 10**6)
                    state = (customer, subscription, plan, row["currency"], amount, at)
            if state:
                runs.append((*state, EVER))
        columns = ["customer", "subscription", "plan", "currency", "amount", "start", "end"]
        runs = pd.DataFrame(runs, columns=columns)
        self.runs = runs[runs.start < runs.end]
        self.known = {}
        self.ends = pd.DataFrame(ends, columns=["customer", "end", "reason", "voluntary", "plan"])

    def rows(self, query):
        metric, by, every, parameters = query
        of_money = metric not in ("subscribers", "contract_churn_rate", "contract_retention_rate")
        names = list(by) + (["currency"] if of_money and "currency" not in by else [])
        if metric == "subscriptions_ended":
            of_period, tell = self.ended, lambda numbers: numbers
        elif metric == "subscribers":
            of_period, tell = self.each(names, running), lambda numbers: numbers
        elif of_money:
            of_period, tell = self.each(names, movements), lambda numbers: of_revenue(metric, numbers)
        else:
            definition = dict(parameters).get("definition", DEFINITIONS[0])
            of_period, tell = self.each(names, departures), lambda numbers: of_churn(metric, definition, numbers)
        found = {}
        for start, end in periods(every):
            for group, numbers in of_period(by, start, end):
                found[instant(start), tuple(sorted(group.items()))] = tell(numbers)
        return found

    def each(self, names, compute):
        """Computes it for each group, once for all metrics that are made of it."""
        def of_period(_, start, end):
            key = (tuple(names), compute.__name__, start, end)
            if key not in self.known:
                runs = self.runs[self.runs.start < end]
                groups = [(dict(zip(names, values)), of) for values, of in runs.groupby(names)] if names else [({}, runs)]
                self.known[key] = [(group, compute(of, start, end)) for group, of in groups]
            return self.known[key]

        return of_period

    def ended(self, by, start, end):
        ends = self.ends[(self.ends.end >= start) & (self.ends.end < end)]
        if by:
            return [(dict(zip(by, values)), {"value": len(of), "ended": len(of)}) for values, of in ends.groupby(list(by))]
        last = [at for _, _, at in merged(self.runs) if start <= at < end]
        return [({}, {"value": len(ends) or None, "ended": len(ends), "last_of_customer": len(last)})]


def there(runs, at):
    return runs[(runs.start < at) & (runs.end >= at)]


def running(runs, start, end):
    after = there(runs, end)
    customers = after.customer.nunique()
    return {"value": customers if len(runs) else None, "subscribers": customers, "subscriptions": len(after)}


def movements(runs, start, end):
    was, now = (there(runs, at).groupby("customer").amount.sum() for at in (start, end))
    both = pd.DataFrame({"was": was, "now": now}).fillna(0).astype("int64")
    had_paid = set(runs[(runs.start < start) & (runs.amount > 0)].customer)
    moved, counts = defaultdict(int), defaultdict(int)
    for customer, of, to in both.itertuples():
        if of == to:
            continue
        movement = ("reactivation" if customer in had_paid else "new") if of == 0 else (
            "churn" if to == 0 else "expansion" if to > of else "contraction")
        moved[movement] += abs(to - of)
        counts[movement] += 1
    return {"moved": moved, "counts": counts, "start": int(both.was.sum()), "end": int(both.now.sum()), "known": runs.customer.nunique(),
            "kept": int(both.min(axis=1).sum()), "paying": (int((both.was > 0).sum()), int((both.now > 0).sum()))}


def of_revenue(metric, numbers):
    moved, counts, first, last = (numbers[name] for name in ("moved", "counts", "start", "end"))
    if metric == "mrr":
        return {"value": money(last) if numbers["known"] else None, "paying": numbers["paying"][1], "ever": numbers["known"],
                "mrr": money(last)}
    lost = moved["churn"] + moved["contraction"]
    value = {
        "mrr_movement": lambda: money(last - first) if numbers["known"] else None,
        "gross_revenue_churn": lambda: share(lost, first),
        "net_revenue_churn": lambda: share(lost - moved["expansion"] - moved["reactivation"], first),
        "gross_revenue_retention": lambda: share(numbers["kept"], first),
        "net_revenue_retention": lambda: share(numbers["kept"] + moved["expansion"], first),
        "mrr_quick_ratio": lambda: Fraction(moved["new"] + moved["expansion"], lost) if lost else None,
    }[metric]()
    told = {name: counts[movement] for movement, name in MOVEMENTS} | {of: money(moved[of]) for of, _ in MOVEMENTS}
    return {"value": value, "start": money(first), "end": money(last), "paying_at_start": numbers["paying"][0],
            "paying_at_end": numbers["paying"][1], **told}


def departures(runs, start, end):
    was, now = set(there(runs, start).customer), set(there(runs, end).customer)
    spans = merged(runs)
    return {"was": was, "now": now, "came": set(runs[runs.start >= start].customer) - was, "daily": daily(spans, start, end),
            "departures": sum(1 for _, _, at in spans if start <= at < end)}


def of_churn(metric, definition, numbers):
    was, now, came, left = (numbers[name] for name in ("was", "now", "came", "departures"))
    rate = {
        "churn_standard": lambda: share(len(was - now), len(was)),
        "churn_all_departures": lambda: share(left, len(was)),
        "churn_over_start_plus_new": lambda: share(len(was - now) + len(came - now), len(was) + len(came)),
        "churn_daily_sum": lambda: numbers["daily"],
    }[definition]()
    if metric == "contract_retention_rate" and rate is not None:
        rate = 100 - rate
    return {"value": rate, "active_at_start": len(was), "churned": len(was - now), "retained": len(was & now),
            "joined": len(came), "joined_and_left": len(came - now), "departures": left}


def merged(runs):
    """The times for which customers had some subscription."""
    spans = []
    for customer, start, end in runs[["customer", "start", "end"]].sort_values(["customer", "start"]).itertuples(index=False):
        if spans and spans[-1][0] == customer and start <= spans[-1][2]:
            spans[-1][2] = max(spans[-1][2], end)
        else:
            spans.append([customer, start, end])
    return spans


def daily(spans, start, end):
    begun, over = sorted(span[1] for span in spans), sorted(span[2] for span in spans)
    rates = []
    for day in range(start, end, DAY):
        there_then = bisect_left(begun, day) - bisect_left(over, day)
        left = bisect_left(over, day + DAY) - bisect_left(over, day)
        if there_then:
            rates.append(Fraction(100 * left, there_then))
    # Many fractions with denominators of their own are a number of thousands of digits.
    return math.fsum(rates) if rates else None


def periods(every):
    if every is None:
        return [(FIRST, LAST)]
    bounds, at = [], dt.datetime.fromtimestamp(FIRST, UTC)
    while at.timestamp() < LAST:
        bounds.append(int(at.timestamp()))
        # The year begins on a Monday.
        at = at + dt.timedelta(days=7) if every == "week" else (at.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    return list(zip(bounds, [*bounds[1:], LAST]))


def falsify(told, log):
    """A log in which one thing went otherwise must not come to the same figures."""
    some = [(query, rows) for query, rows in told if query[2] == "month" and query[0] in ("subscribers", "mrr")]
    paid = {"10", "20", "29.99"}
    starts = [place for place, row in enumerate(log)
              if row["type"] == "start" and row["monthly_amount"] in paid and FIRST < row["effective_time"] < LAST - 40 * DAY]
    # What is the only event of its subscription is sure to matter, if there is one.
    single = {key for key, of in groups(log).items() if len(of) == 1}
    alone = [place for place in starts if (log[place]["customer"], log[place]["subscription"]) in single]

    def other(name, false):
        must_notice(name, alone or starts, lambda place: differences(some, [*log[:place], *false(log[place]), *log[place + 1:]], defaultdict(int)))

    other("another amount", lambda row: [row | {"monthly_amount": "21"}])
    other("another plan", lambda row: [row | {"plan": "none"}])
    other("another currency", lambda row: [row | {"currency": "CHF"}])
    other("a month earlier", lambda row: [row | {"effective_time": row["effective_time"] - 31 * DAY}])
    other("an event that is missing", lambda _: [])


def groups(log):
    found = defaultdict(list)
    for row in log:
        found[row["customer"], row["subscription"]].append(row)
    return found


def share(part, whole):
    return Fraction(100 * part, whole) if whole else None


def money(micros):
    return Fraction(micros, 10**6)


def instant(seconds):
    return dt.datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    main(*sys.argv[1:])
