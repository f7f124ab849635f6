"""Compares figures with what pandas makes of the exported facts: exports.py BAROMETER DIRECTORY [CUSTOMERS [SEED]].

BAROMETER brings up a simulated company of a random seed; invitations and answers that are made up here, with texts that are hard
to export, are imported beside it. All facts are exported twice: the CSV as pandas reads it must be what DuckDB reads of the
Parquet, cell for cell. From these facts alone the figures are computed anew, by pandas, with the intervals of statsmodels and
scipy, in months of a random time zone and by group, and compared with `barometer query` and with `barometer export metrics`.
Whatever differs is printed, and the program fails; it fails too when it has compared too little, and when it does not notice
facts that were falsified.
"""

import csv
import datetime as dt
import json
import math
import pathlib
import random
import re
import subprocess
import sys
import time
from collections import defaultdict
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint

from suite import must_notice

PATIENCE = 120
UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 10**6
DAY = 86_400 * SECOND
KINDS = ["surveys.survey", "surveys.response", "surveys.invitation", "customers.purchase", "customers.attribute_change",
         "customers.customer", "customers.interaction", "customers.subscription_event", "customers.membership_event", "customers.referral",
         "customers.cost", "complaints.case", "complaints.case_entry"]
ZONES = ["UTC", "Europe/Chisinau", "America/New_York", "Pacific/Apia", "Asia/Kathmandu"]
# Texts of answers: what spreadsheets would compute, and what CSV has to quote.
CHANNELS = ["web", "=1+1", "'quoted'", "-5", "a,b", "say \"so\"", "two\nlines", "naïve 🙂", ""]
OUTCOMES = ["", "", "", "", "refusal", "other", "not_eligible", "complete"]
DEFINITIONS = ["churn_standard", "churn_all_departures", "churn_over_start_plus_new", "churn_daily_sum"]
RATES = ["rr1", "rr2", "rr5", "rr6"]
# The columns of a file that are instants.
TIMES = {}
# What is not over by now has no end yet.
NOW = int(time.time() * SECOND)
# The least that is to be compared of a metric.
FEW = 40


def main(program, directory, customers="200", seed=None):
    seed = seed or str(random.randrange(2**32))
    chance = random.Random(int(seed))
    asked = Asked(chance)
    print(f"exports: {customers} customers until {asked.until}, seed {seed}, {asked.zone}, level {asked.level}, {asked.days} days")
    directory = pathlib.Path(directory)
    directory.mkdir()
    with Suite(program, directory, ["--customers", customers, "--seed", str(chance.randrange(10**6)), "--until", asked.until]) as suite:
        make_up(suite, directory, asked, chance)
        facts = {kind: export(suite, directory, kind) for kind in KINDS}
        told = [(query, suite.query(query, asked)) for query in asked.queries]
        tables = [(query, suite.table(query, asked)) for query in asked.queries[::5]]
    wrong = [line for query, rows in tables for line in table_differs(query, rows, told)]
    compared = defaultdict(int)
    wrong += differences(told, facts, asked, compared)
    print(f"exports: {sum(len(of) for of in facts.values())} facts, {len(told)} queries, {sum(compared.values())} numbers compared; "
          f"{len(wrong)} differ")
    for line in wrong[:20]:
        print(f"  {line}")
    if wrong:
        sys.exit(1)
    if few := {query[0] for query, _ in told if compared[query[0]] < FEW}:
        sys.exit(f"exports: too little was compared of {', '.join(sorted(few))}")
    falsify(told, facts, asked)


class Asked:
    """What is asked for: two years until the beginning of a month, month by month, and the whole of it."""

    def __init__(self, chance):
        self.zone = chance.choice(ZONES)
        self.level = chance.choice([0.9, 0.95, 0.99])
        self.days = chance.choice([30, 60, 90, 180])
        end = pd.Timestamp(chance.choice([2025, 2026]), chance.randrange(1, 11), 1)
        self.until = end.strftime("%Y-%m-15")
        bounds = pd.date_range(end - pd.DateOffset(months=20), end, freq="MS", tz=self.zone)
        self.months = [at.value // 1000 for at in bounds]
        days = pd.date_range(bounds[0], bounds[-1], freq="D", tz=self.zone)
        # A day that a zone left out has no midnight.
        self.midnights = sorted({at.value // 1000 for at in days})
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

    def periods(self, every):
        return list(zip(self.months, self.months[1:])) if every else [(self.months[0], self.months[-1])]


class Suite:
    """The simulated company, running."""

    def __init__(self, program, directory, flags):
        self.program, self.directory = program, directory
        self.command = [program, "demo", "--listen", "127.0.0.1:0", "--ascii", *flags]

    def __enter__(self):
        path = self.directory / "suite.log"
        self.log = path.open("w")
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while "It stays up" not in path.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"exports: the suite does not come up; see {path}")
            time.sleep(0.05)
        self.endpoint = re.search(r"http://127\.0\.0\.1:\d+", path.read_text()).group()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments, "--endpoint", self.endpoint], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"exports: {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def asked(self, query, asked):
        metric, by, every, parameters = query
        arguments = [metric, "--from", instant(asked.months[0]), "--to", instant(asked.months[-1]), "--time-zone", asked.zone]
        arguments += ["--every", every] if every else []
        arguments += ["--by", ",".join(by)] if by else []
        for name, value in parameters:
            arguments += ["--param", f"{name}={value}"]
        return arguments

    def query(self, query, asked):
        return json.loads(self.run("query", *self.asked(query, asked), "--format", "json"))["rows"]

    def table(self, query, asked):
        path = self.directory / "table.parquet"
        self.run("export", "metrics", *self.asked(query, asked), "--format", "parquet", "--output", str(path))
        return frame(path).to_dict("records")


def make_up(suite, directory, asked, chance):
    """Invitations to a survey, and answers that follow them."""
    first, last = asked.months[0] - 40 * DAY, asked.months[-1] + 20 * DAY
    invitations, answers = [], []
    for number in range(600):
        sent = chance.randrange(first, last) // SECOND * SECOND
        later = lambda: instant(sent + chance.randrange(0, 20) * DAY)
        invitations.append({
            "external_id": f"i{number}", "survey": "made up", "time": instant(sent), "customer": chance.choice(["", f"x{number % 90}"]),
            "delivered": chance.choice(["", later()]), "opened": chance.choice(["", later()]), "begun": chance.choice(["", "", later()]),
            "reminders": chance.choice([0, 0, 1, 3]), "outcome": chance.choice(OUTCOMES), "channel": chance.choice(CHANNELS)})
        for _ in range(chance.choice([0, 0, 1, 1, 1, 2])):
            score = chance.choice(["", *range(11), 9, 10])
            answers.append({
                "external_id": f"a{len(answers)}", "time": later(), "score": score, "invitation": f"i{number}",
                "disposition": chance.choice(["break_off", "refused", "dont_know"]) if score == "" else "",
                "channel": chance.choice(CHANNELS), "language": chance.choice(["", "ro", "en"])})
    # Rates of some channels and teams, some of which end, and contacts that tell what they cost.
    rates, contacts = [], []
    for number in range(12):
        at = chance.randrange(first, last) // SECOND * SECOND
        rate = {"per_contact": "", "per_hour": "", chance.choice(["per_contact", "per_hour"]): f"{chance.randrange(0, 5000) / 100}"}
        rates.append({
            "external_id": f"r{number}", "kind": "contact", "time": instant(at), "currency": chance.choice(["EUR", "EUR", "USD"]),
            "end_time": chance.choice(["", instant(at + chance.randrange(1, 300) * DAY)]),
            "channel": chance.choice(["", "phone", "email", "web"]), "team": chance.choice(["", "", "service"]), **rate})
    # Those of letters are sure to cost what they take.
    rates.append({"external_id": "letters", "kind": "contact", "time": instant(first), "currency": "EUR", "end_time": "",
                  "channel": "letter", "team": "", "per_contact": "", "per_hour": "30"})
    for number in range(200):
        cost = chance.choice(["", "1.05", "0"])
        contacts.append({
            "external_id": f"t{number}", "customer": f"x{number % 90}", "time": instant(chance.randrange(first, last) // SECOND * SECOND),
            "direction": chance.choice(["inbound", "outbound"]), "channel": chance.choice(["phone", "letter", "web"]),
            "cost": cost, "currency": "EUR" if cost else "", "handling_time": chance.choice(["", "90s", "10m"])})
    # The first answer makes the survey.
    begin = [{"external_id": "first", "time": instant(first), "score": 7}]
    for kind, name, rows, more in [("responses", "begin", begin, ["--set", "survey=made up"]), ("invitations", "invitations", invitations, []),
                                   ("responses", "answers", answers, ["--set", "survey=made up"]),
                                   ("costs", "rates", rates, []), ("interactions", "contacts", contacts, [])]:
        path = directory / f"{name}.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        suite.run("import", kind, str(path), "--map-by-name", "--source", "made-up", *more)


def export(suite, directory, kind):
    """The facts of a kind, from Parquet; the CSV must be the same."""
    paths = {format: directory / f"{kind}.{format}" for format in ["csv", "parquet"]}
    for format, path in paths.items():
        suite.run("export", "facts", kind, "--format", format, "--output", str(path))
    facts = frame(paths["parquet"])
    lines = pd.read_csv(paths["csv"], dtype=str, keep_default_na=False, encoding="utf-8")
    if list(lines.columns) != list(facts.columns) or len(lines) != len(facts):
        sys.exit(f"exports: {kind}: {lines.shape} in CSV, {facts.shape} in Parquet")
    for column in facts.columns:
        for number, (cell, text) in enumerate(zip(facts[column], lines[column])):
            if written(cell, column in TIMES[paths["parquet"].name]) != text:
                sys.exit(f"exports: {kind} {column} of row {number}: {cell!r} in Parquet, {text!r} in CSV")
    if facts.number.duplicated().any() or facts.id.duplicated().any():
        sys.exit(f"exports: {kind}: a fact comes twice")
    return facts


def frame(path):
    """A file of Parquet with instants in microseconds and exact amounts."""
    duckdb.sql("SET TimeZone = 'UTC'")
    cells = duckdb.sql(f"FROM '{path}'")
    rows = [[(cell - EPOCH) // dt.timedelta(microseconds=1) if isinstance(cell, dt.datetime) else cell for cell in row] for row in cells.fetchall()]
    found = pd.DataFrame(rows, columns=cells.columns, dtype=object)
    # Not as an attribute of the frame, which its copies compare.
    TIMES[path.name] = {name for name, kind in zip(cells.columns, cells.types) if str(kind).startswith("TIMESTAMP")}
    return found


def written(cell, is_time):
    """A cell as CSV has it."""
    if cell is None:
        return ""
    if is_time:
        return (EPOCH + dt.timedelta(microseconds=cell)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, Decimal):
        text = f"{cell:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(cell, str):
        return "'" + cell if cell[0] in "=+-@\t\r\n'＝＋－＠" else cell
    return str(cell)


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
        expected = company.rows(query)
        for row in rows:
            key = (row["start"], tuple(sorted(row["group"].items())))
            of = expected.pop(key, None)
            if of is None:
                wrong.append(f"{query} {key}: not expected")
                continue
            limits = row["interval"] or {}
            amounts = {f"{name}_amount" if name in row["counts"] else name: amount for name, amount in row["amounts"].items()}
            numbers = {"value": row["value"], "low": limits.get("low"), "high": limits.get("high"), **row["counts"], **row["statistics"], **amounts}
            for name, number in of.items():
                compared[query[0]] += 1
                if not same(numbers.get(name), number):
                    wrong.append(f"{query} {key} {name}: told {numbers.get(name)}, expected {number}")
        # A group of which nothing is counted at any time has no rows.
        empty = defaultdict(bool)
        for (_, group), of in expected.items():
            empty[group] |= any(number for name, number in of.items())
        wrong += [f"{query} {group}: has no rows" for group, is_counted in empty.items() if is_counted]
    return wrong


def same(told, expected):
    if told is None or expected is None or isinstance(told, str):
        return told is expected or told == expected
    return math.isclose(told, expected, rel_tol=1e-9, abs_tol=2e-6)


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
        answers["tier"] = tiers(answers, facts["customers.attribute_change"])
        answers["time"] = answers.time.astype("int64")
        self.answers = answers
        invitations = facts["surveys.invitation"].copy()
        invitations["survey"] = invitations.survey_id.map(surveys.name)
        invitations["channel"] = invitations.channel.fillna("")
        invitations["outcome"] = outcomes(invitations, answers)
        invitations["time"] = invitations.time.astype("int64")
        self.invitations = invitations
        purchases = facts["customers.purchase"].copy()
        purchases["channel"] = purchases.channel.fillna("")
        purchases["currency"] = purchases.amount_currency
        purchases["time"] = purchases.time.astype("int64")
        purchases["day"] = pd.to_datetime(purchases.time, unit="us", utc=True).dt.tz_convert(asked.zone).dt.date
        self.purchases, self.interactions = purchases, facts["customers.interaction"]
        self.spending = defaultdict(list)
        for row in purchases.itertuples():
            self.spending[row.customer_id].append((row.time, row.currency, micros(row.amount)))
        purchases["due"] = purchases.due_time
        self.first_sales = purchases[purchases.amount >= 0].groupby("customer_id").time.min()

        self.served, self.outreach = serve(facts, "12.34CHF"), outreach(facts)
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


def tiers(answers, changes):
    """What tier the customer of each answer had when it was given."""
    changes = changes[changes.attribute == "TIER"]
    histories = defaultdict(list)
    for customer, at, number, value in zip(changes.customer_id, changes.time, changes.number, changes.value):
        histories[customer].append((at, number, value or ""))
    held = []
    for customer, at in zip(answers.customer_id, answers.time):
        before = [change for change in histories.get(customer, []) if change[0] <= at]
        held.append(max(before)[2] if before else "")
    return held


def outcomes(invitations, answers):
    """What came of each invitation by now: all of them are over."""
    first = {}
    for invitation, at, number, score, disposition in zip(answers.invitation_id, answers.time, answers.number, answers.score, answers.disposition):
        if invitation:
            outcome = "complete" if score is not None else "partial" if disposition == "BREAK_OFF" else "refusal"
            first[invitation] = min(first.get(invitation, (math.inf, 0, "")), (at, number, outcome))
    found = []
    for _, row in invitations.iterrows():
        if row.told_outcome:
            found.append(row.told_outcome.lower())
        elif row.id in first:
            found.append(first[row.id][2])
        elif row.begin_time is not None:
            found.append("partial")
        else:
            arrived = row.deliver_time is not None or row.open_time is not None
            found.append("non_contact" if row.customer_id or arrived else "unknown")
    return found


def within(frame, start, end):
    return frame[(frame.time >= start) & (frame.time < end)]


def share(hits, size, parameters, **counts):
    told = {"value": 100 * hits / size if size else None, **counts}
    if "level" in parameters:
        limits = proportion_confint(hits, size, alpha=1 - float(parameters["level"]), method="wilson") if size else (None, None)
        told |= {"low": limits[0] if limits[0] is None else 100 * limits[0], "high": limits[1] if limits[1] is None else 100 * limits[1]}
    return told


def nps(_, answers, start, end, parameters):
    scores = within(answers, start, end).score.dropna().astype(int)
    n, p, d = len(scores), int((scores >= 9).sum()), int((scores <= 6).sum())
    low, high = score_interval(p, d, n, float(parameters["level"])) if n else (None, None)
    return {"value": 100 * (p - d) / n if n else None, "answers": n, "promoters": p, "passives": n - p - d, "detractors": d,
            "low": low, "high": high}


def score_interval(p, d, n, level):
    """Tango's: where the score statistic reaches z."""
    z = stats.norm.ppf((1 + level) / 2)

    def statistic(delta):
        a, b, c = 2 * n, -p - d + (2 * n - p + d) * delta, -d * delta * (1 - delta)
        q = (math.sqrt(max(b * b - 4 * a * c, 0)) - b) / (2 * a)
        variance = n * (2 * q + delta * (1 - delta))
        away = p - d - n * delta
        return 0 if abs(away) < 1e-12 else away / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, away)

    def limit(end, aim):
        """Between the score and its end, where all of the variance goes and digits with it: there the limit is the end."""
        inside = end - math.copysign(1e-9, end)
        beyond = lambda delta: min(max(statistic(delta), -1e6), 1e6) - aim
        return end if (beyond(inside) > 0) == (beyond(middle) > 0) else optimize.brentq(beyond, inside, middle, xtol=1e-14)

    middle = (p - d) / n
    return 100 * limit(-1, z) if middle > -1 else -100, 100 * limit(1, -z) if middle < 1 else 100


def csat(_, answers, start, end, parameters):
    scores = within(answers, start, end).score.dropna().astype(int)
    hits = int((scores >= 4).sum())
    return share(hits, len(scores), parameters, satisfied=hits, answers=len(scores))


def ces(_, answers, start, end, parameters):
    scores = within(answers, start, end).score.dropna().astype(float)
    n = len(scores)
    low = high = None
    if n > 1:
        error = scores.sem()
        low, high = stats.t.interval(float(parameters["level"]), n - 1, scores.mean(), error) if error else (scores.mean(), scores.mean())
    return {"value": scores.mean() if n else None, "answers": n, "low": low, "high": high}


def responses(_, answers, start, end, parameters):
    some = within(answers, start, end)
    scored = int(some.score.notna().sum())
    return {"value": len(some) or None, "responses": len(some), "scored": scored, "unscored": len(some) - scored}


def invitations(_, asked, start, end, parameters):
    some = within(asked, start, end)
    return {"value": len(some) or None, "invited": len(some), "reminded": int((some.reminders > 0).sum())}


def rate(_, asked, start, end, parameters):
    found = within(asked, start, end).outcome.value_counts()
    names = ["complete", "partial", "refusal", "non_contact", "other", "unknown", "not_eligible"]
    counts = {name: int(found.get(name, 0)) for name in names} | {"pending": 0}
    definition = parameters.get("rate")
    over = ["complete", "partial"] if definition is None else ["complete", "partial", "refusal", "non_contact", "other"]
    over += ["unknown"] if definition in ("rr1", "rr2") else []
    hits = counts["complete"] + (counts["partial"] if definition in ("rr2", "rr6") else 0)
    return share(hits, sum(counts[name] for name in over), parameters, **counts)


def sales_of(purchases):
    return purchases[purchases.amount >= 0]


def purchases(_, some, start, end, parameters):
    some = within(some, start, end)
    sales = sales_of(some)
    return {"value": len(sales) if len(some) else None, "sales": len(sales), "returns": len(some) - len(sales), "customers": sales.customer_id.nunique()}


def revenue(_, some, start, end, parameters):
    some = within(some, start, end)
    sales = sales_of(some)
    gross, net = sales.amount.sum(), some.amount.sum()
    return {"value": float(net) if len(some) else None, "sales": len(sales), "returns": len(some) - len(sales), "customers": sales.customer_id.nunique(),
            "gross": float(gross), "net": float(net), "returns_amount": float(net - gross)}


def average_order(_, some, start, end, parameters):
    sales = sales_of(within(some, start, end))
    gross = float(sales.amount.sum())
    return {"value": gross / len(sales) if len(sales) else None, "sales": len(sales), "gross": gross}


def purchase_frequency(_, some, start, end, parameters):
    sales = sales_of(within(some, start, end))
    buyers = sales.customer_id.nunique()
    return {"value": len(sales) / buyers if buyers else None, "sales": len(sales), "buyers": buyers}


def existing_sales_share(company, some, start, end, parameters):
    sales = sales_of(within(some, start, end))
    is_existing = sales.customer_id.map(company.first_sales) < start
    existing, gross = sales.amount[is_existing].sum(), sales.amount.sum()
    return {"value": 100 * float(existing / gross) if gross else None, "customers": sales.customer_id.nunique(),
            "existing": float(existing), "new": float(gross - existing), "gross": float(gross)}


def repeat_purchase_rate(_, some, start, end, parameters):
    sales = sales_of(within(some, start, end)).groupby("customer_id")
    times = sales.day.nunique() if parameters["basis"] == "days" else sales.size()
    repeaters = int((times >= 2).sum())
    return share(repeaters, len(times), parameters, repeaters=repeaters, buyers=len(times))


def second_purchase_rate(_, some, start, end, parameters):
    sales = sales_of(some).sort_values(["time", "number"])
    first = sales.drop_duplicates("customer_id").set_index("customer_id")
    sales = sales.join(first[["time", "day", "number"]], on="customer_id", rsuffix="_first")
    later = sales[sales.day != sales.day_first] if parameters["basis"] == "days" else sales[sales.number != sales.number_first]
    later = later[later.time < later.time_first + int(parameters["within_days"]) * DAY]
    begun = set(within(first, start, end).index)
    second = len(begun & set(later.customer_id))
    return share(second, len(begun), parameters, first=len(begun), second=second)


def lifecycle(company, some, start, end, parameters):
    months = company.asked.months
    before = months[months.index(start) - 1] if start > months[0] else before_first(company.asked)
    sales = sales_of(some)
    now, then = (set(within(sales, *span).customer_id) for span in [(start, end), (before, start)])
    ever = set(sales[sales.time < start].customer_id)
    counts = {"new": len(now - ever), "returning": len(now & then), "resurrecting": len((now & ever) - then), "dormant": len(then - now)}
    told = len(now)
    return {"value": told if told + counts["dormant"] or len(ever) else None, **counts}


def before_first(asked):
    return (pd.Timestamp(asked.months[0] * 1000, tz="UTC").tz_convert(asked.zone) - pd.DateOffset(months=1)).value // 1000


def active_at(sales, at, days):
    return set(within(sales, at - days * DAY, at).customer_id)


def active_customers(_, some, start, end, parameters):
    sales = sales_of(some)
    active, ever = len(active_at(sales, end, int(parameters["inactivity_days"]))), (sales.time < end).any()
    return {"value": active if ever else None, "active": active, "buyers": within(sales, start, end).customer_id.nunique()}


def inactive_share(_, some, start, end, parameters):
    sales = sales_of(some)
    last = sales[sales.time < end].groupby("customer_id").time.max()
    inactive = int((last < end - int(parameters["inactivity_days"]) * DAY).sum())
    return share(inactive, len(last), parameters, inactive=inactive, buyers=len(last))


def churn_rate(company, some, start, end, parameters):
    days = int(parameters["inactivity_days"])
    sales = sales_of(some)
    spans = company.spans(some, days)
    was, now = (active_at(sales, at, days) for at in [start, end])
    came = set(within(sales, start, end).customer_id) - was
    left = sum(start <= over < end for _, over in spans)
    counts = {"active_at_start": len(was), "churned": len(was - now), "retained": len(was & now), "joined": len(came),
              "joined_and_left": len(came - now), "departures": left}
    definition = parameters.get("definition", DEFINITIONS[0])
    if definition == "churn_standard":
        return share(len(was - now), len(was), parameters, **counts)
    if definition == "churn_over_start_plus_new":
        return share(len(was - now) + len(came - now), len(was) + len(came), parameters, **counts)
    if definition == "churn_all_departures":
        return share(left, len(was), {}, **counts)
    rates = []
    midnights = [at for at in company.asked.midnights if start <= at < end] + [end]
    for day, next_day in zip(midnights, midnights[1:]):
        there = sum(begun < day <= over for begun, over in spans)
        if there:
            rates.append(100 * sum(day <= over < next_day for _, over in spans) / there)
    return {"value": math.fsum(rates) if rates else None, **counts}


def retention_rate(company, some, start, end, parameters):
    told = churn_rate(company, some, start, end, parameters)
    turned = lambda number: None if number is None else 100 - number
    return told | {"value": turned(told["value"]), "low": turned(told["high"]), "high": turned(told["low"])}


def spans_of(sales, days):
    """The times after a sale, until so many days after the last, in which customers were active without a break."""
    spans = []
    known = sales.sort_values(["customer_id", "time"])
    last = None
    for customer, at in zip(known.customer_id, known.time):
        if customer == last and at <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], at + days * DAY)
        else:
            spans.append([at, at + days * DAY])
        last = customer
    return spans


def cohorts(some, asked, parameters):
    sales = sales_of(some)
    first = sales.groupby("customer_id").time.min()
    periods = asked.periods("month")
    labels = [pd.Timestamp(start * 1000, tz="UTC").tz_convert(asked.zone).strftime("%Y-%m") for start, _ in periods]
    bought = [set(within(sales, *period).customer_id) for period in periods]
    rows = {}
    for cohort, (start, end) in enumerate(periods):
        begun = set(first[(first >= start) & (first < end)].index)
        for since in range(len(periods) - cohort if begun else 0):
            group = (("cohort", labels[cohort]), ("periods_since", str(since)))
            active = len(begun & bought[cohort + since])
            rows[instant(periods[cohort + since][0]), group] = share(active, len(begun), parameters, active=active, cohort_size=len(begun))
    return rows


def micros(amount):
    return int(Decimal(str(amount)) * SECOND)


def serve(facts, flat):
    """A row for each contact and currency that it cost something in, one for those of which nobody knows, and one for each redress."""
    rates = [(row.channel or "", row.team or "", row.time, row.number, row.end_time,
              "item" if row.per_item is not None else "hour", *((row.per_item, row.per_item_currency) if row.per_item is not None else (row.per_hour, row.per_hour_currency)))
             for row in facts["customers.cost"].itertuples() if row.kind == "CONTACT" and row.amount is None]
    lasting = []
    for channel, team, at, number, end, basis, amount, currency in rates:
        later = [other[2] for other in rates if other[:2] == (channel, team) and other[5] == basis and other[2] > at]
        until = end if end is not None else min(later, default=math.inf)
        lasting.append(((channel, team, basis), at, number, until, micros(amount), currency))

    def rate(channel, team, basis, at):
        for scope in [(channel, team), (channel, ""), ("", team), ("", "")]:
            held = [one for one in lasting if one[0] == (*scope, basis) and one[1] <= at < one[3]]
            if held:
                return max(held, key=lambda one: one[1:3])[4:]
        return None

    hourly = lambda amount, time: (amount * int(time) + 1_800 * SECOND) // (3_600 * SECOND)
    rows = []
    for row in facts["customers.interaction"].itertuples():
        parts = defaultdict(int)
        time, channel, team = row.handling_time_micros, row.channel or "", row.team or ""
        if row.cost is not None:
            parts[row.cost_currency] += micros(row.cost)
        else:
            each, hour = rate(channel, team, "item", row.time), rate(channel, team, "hour", row.time)
            if each:
                parts[each[1]] += each[0]
            if hour and time is not None:
                parts[hour[1]] += hourly(hour[0], time)
            if not each and not hour and time is not None:
                parts[flat[-3:]] += hourly(micros(flat[:-3]), time)
        rows += [(row.time, channel, currency, row.customer_id, "contact", cost) for currency, cost in parts.items()]
        rows += [] if parts else [(row.time, channel, "", None, "unpriced", 0)]
    for row in facts["complaints.case"].itertuples():
        if row.state != "MERGED":
            for given in json.loads(row.redress or "[]"):
                if given.get("amount"):
                    rows.append((row.open_time, row.channel or "", given["amount_currency"], row.customer_id or None, "redress", micros(given["amount"])))
    return pd.DataFrame(rows, columns=["time", "channel", "currency", "customer_id", "what", "cost"])


def cost_to_serve(_, served, start, end, parameters, metric="cost_to_serve"):
    some = within(served, start, end)
    contacts, unpriced, redress = (some[some.what == what] for what in ["contact", "unpriced", "redress"])
    of_contacts, total = int(contacts.cost.sum()) / SECOND, int(some.cost.sum()) / SECOND
    told = {"contacts": len(contacts), "unpriced": len(unpriced), "contact_cost": of_contacts}
    if metric == "cost_per_contact":
        return {"value": of_contacts / len(contacts) if len(contacts) else None, **told}
    customers = pd.concat([contacts, redress]).customer_id.dropna().nunique()
    told |= {"redresses": len(redress), "customers": customers, "redress": int(redress.cost.sum()) / SECOND, "total": total}
    over = customers if metric.endswith("customer") else min(1, len(contacts) + len(redress))
    return {"value": total / over if over else None, **told}


def late_payment_rate(_, some, start, end, parameters):
    sales = sales_of(some)
    sales = sales[sales.due.notna()]
    sales = sales[(sales.due >= start) & (sales.due < end)]
    unpaid = sales.paid_time.isna()
    waiting = int((unpaid & (sales.due >= NOW)).sum())
    late = int((unpaid & (sales.due < NOW)).sum() + (sales.paid_time[~unpaid] > sales.due[~unpaid]).sum())
    return share(late, len(sales) - waiting, parameters, late=late, on_time=len(sales) - waiting - late, waiting=waiting)


def outreach(facts):
    contacts = facts["customers.interaction"].copy()
    contacts["channel"] = contacts.channel.fillna("")
    return contacts[contacts.direction == "OUTBOUND"]


def known_since(facts):
    first = {}
    for kind in ["customers.purchase", "customers.interaction", "customers.subscription_event", "customers.membership_event",
                 "customers.referral", "surveys.response"]:
        for customer, at in facts[kind].groupby("customer_id").time.min().items():
            first[customer] = min(at, first.get(customer, math.inf))
    told = {}
    for row in facts["customers.customer"].itertuples():
        instants = [at for at in [row.since, first.get(row.id)] if at is not None]
        told[row.id] = min(instants, default=row.create_time)
    return told


def by_customer(frame):
    return {customer: np.sort(times.to_numpy(dtype="int64")) for customer, times in frame.groupby("customer_id").time}


def actions_per_engagement(company, contacts, start, end, parameters):
    around = int(parameters["around_days"]) * DAY
    key = ("engagement", parameters["action"])
    if key not in company.known:
        inbound = company.interactions[company.interactions.direction == "INBOUND"]
        company.known[key] = by_customer(sales_of(company.purchases) if parameters["action"] == "sales" else inbound), by_customer(company.outreach)
    actions, reached = company.known[key]
    nothing = np.array([], dtype="int64")
    count = lambda times, low, high: int(np.searchsorted(times, high) - np.searchsorted(times, low))
    firsts = within(contacts, start, end).groupby("customer_id").time.min()
    differences, moved, numbers = [], defaultdict(float), defaultdict(int)
    for customer, at in firsts.items():
        if at + around > NOW:
            numbers["pending"] += 1
            continue
        own = actions.get(customer, nothing)
        before, after = count(own, at - around, at), count(own, at, at + around)
        others = [(other, count(of, at, at + around)) for other, since in company.known_since.items() if since <= at
                  for of in [actions.get(other, nothing)]
                  if count(of, at - around, at) == before and not count(reached.get(other, nothing), at - around, at + around)]
        if len(others) < 2:
            numbers["unmatched"] += 1
            continue
        size, mean = len(others), sum(more for _, more in others) / len(others)
        differences.append(after - mean)
        numbers["actions_before"] += before
        numbers["actions_after"] += after
        for other, more in others:
            moved[other] += (more - mean) / math.sqrt(size * (size - 1))
    n, told = len(differences), {name: numbers[name] for name in ["actions_before", "actions_after", "unmatched", "pending"]}
    told |= {"contacted": n, "comparison": len(moved), "value": np.mean(differences) if n else None, "low": None, "high": None}
    if n > 1:
        error = math.sqrt(np.var(differences, ddof=1) / n + sum(part * part for part in moved.values()) / n ** 2)
        told["standard_error"] = error
        if n >= 30 and error > 0:
            told["low"], told["high"] = stats.t.interval(float(parameters["level"]), n - 1, told["value"], error)
    return told


def complaints(cases):
    some = cases[(~cases.state.isin(["MERGED", "CANCELLED"])) & cases.kind.isin(["COMPLAINT", "LOSS"])]
    told = defaultdict(list)
    for row in some.sort_values(["open_time", "number"]).itertuples():
        if row.customer_id:
            told[row.customer_id].append((row.open_time, row.first_resolve_time))
    return told


def recoveries(company, metric, periods, parameters):
    after, active = int(parameters["after_days"]) * DAY, int(parameters["inactivity_days"]) * DAY
    sales = by_customer(sales_of(company.purchases))
    found = defaultdict(list)
    for customer, times in sales.items():
        own = company.complaints.get(customer, [])
        for place, (start, end) in enumerate(periods):
            inside = [one for one in own if start <= one[0] < end]
            if inside:
                begun, solved = inside[0]
                outcome = "solved" if solved is not None and solved < begun + after else "unsolved"
            elif any(start <= one[0] < max(end, start + after) for one in own):
                continue
            else:
                begun, outcome = start, "none"
            if np.searchsorted(times, begun) - np.searchsorted(times, begun - active) > 0:
                found[outcome, place].append((customer, begun))
    rows = {}
    currencies = sorted(company.purchases.currency.unique())
    for outcome in {outcome for outcome, _ in found}:
        for place, (start, _) in enumerate(periods):
            over = [(customer, begun) for customer, begun in found[outcome, place] if begun + after <= NOW]
            pending = len(found[outcome, place]) - len(over)
            group = ("complaint_outcome", outcome)
            if metric == "service_recovery":
                retained = sum(1 for customer, begun in over
                               if np.searchsorted(sales[customer], begun + after) > np.searchsorted(sales[customer], begun))
                rows[instant(start), (group,)] = share(retained, len(over), parameters, retained=retained, customers=len(over), pending=pending)
                continue
            for currency in currencies:
                spent = [sum(amount for at, of, amount in company.spending.get(customer, []) if of == currency and begun <= at < begun + after)
                         for customer, begun in over]
                rows[instant(start), (group, ("currency", currency))] = {
                    "value": sum(spent) / SECOND / len(over) if over else None, "spend": sum(spent) / SECOND, "customers": len(over),
                    "spenders": sum(1 for amount in spent if amount), "pending": pending}
    return rows


def channel_consistency(_, answers, start, end, parameters):
    some = within(answers, start, end)
    some = some[some.score.notna() & (some.channel != "")]
    values = some.score.astype(int).map(lambda score: (score >= 9) - (score <= 6)).astype(float)
    channels = [of.to_numpy() for _, of in values.groupby(some.channel)]
    n, k = len(values), len(channels)
    told = {"channels": k, "answers": n, "value": None, "low": None, "high": None}
    if k < 2 or n <= k:
        return told
    between = sum(len(of) * (of.mean() - values.mean()) ** 2 for of in channels)
    variance = sum(((of - of.mean()) ** 2).sum() for of in channels) / (n - k)
    told |= {"value": 100 * math.sqrt(max(between - (k - 1) * variance, 0) / n), "found": 100 * math.sqrt(between / n)}
    if variance > 1e-12:
        tail = (1 - float(parameters["level"])) / 2
        limits = [noncentrality(found / variance, k - 1, side) for found, side in [(between, 1 - tail), (max(between, (k - 1) * variance), tail)]]
        told["low"], told["high"] = (min(100, 100 * math.sqrt(limit * variance / n)) for limit in limits)
    return told


def noncentrality(x, freedom, side):
    if stats.chi2.cdf(x, freedom) <= side:
        return 0.0
    return optimize.brentq(lambda away: stats.ncx2.cdf(x, freedom, away) - side, 1e-12, 10 * x + 100, xtol=1e-13, rtol=1e-13)


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
}


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
    is_only = lambda row: row.amount > 0 and buyers[row.customer_id] == 1
    # Due in a month that is asked about, paid by then, and over.
    is_in_time = lambda row: (row.amount > 0 and row.due_time is not None and row.paid_time is not None
                              and row.paid_time <= row.due_time < min(asked.months[-1], NOW))
    is_priced = lambda row: row.cost is None and row.handling_time_micros is not None and row.channel == "letter"
    is_only_mail = lambda row: row.direction == "OUTBOUND" and reached.get(row.customer_id) == 1
    other("another score", "nps", "surveys.response", lambda row: row.score == 10, changed("score", lambda _: 8))
    other("another currency", "revenue", "customers.purchase", is_sale, changed("amount_currency", lambda _: "CHF"))
    other("a cent more", "revenue", "customers.purchase", is_sale, changed("amount", lambda amount: amount + Decimal("0.01")))
    other("another buyer", "lifecycle", "customers.purchase", is_only, changed("customer_id", lambda _: buyers.index[0]))
    other("a buyer of long ago", "churn_rate", "customers.purchase", is_only, changed("time", lambda at: at - 3000 * DAY))
    other("another outcome", "response_rate", "surveys.invitation", lambda row: row.told_outcome == "REFUSAL", changed("told_outcome", lambda _: "OTHER"))
    other("a longer contact", "cost_to_serve", "customers.interaction", is_priced, changed("handling_time_micros", lambda time: time + 3_600 * SECOND))
    other("a payment that came late", "late_payment_rate", "customers.purchase", is_in_time, changed("paid_time", lambda _: NOW))
    other("a contact that is an answer", "actions_per_engagement", "customers.interaction", is_only_mail, changed("direction", lambda _: "INBOUND"))
    other("that an answer is missing", "responses", "surveys.response", lambda _: True, lambda rows, index: rows.drop(index=index))


def instant(micros):
    return (EPOCH + dt.timedelta(microseconds=int(micros))).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
