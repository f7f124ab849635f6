"""Compares cohorts and curves with a computation of our own: analyses.py BAROMETER DIRECTORY [CUSTOMERS [SEED]].

Random customers who buy, bring back, subscribe, cancel and come back, up to now, are imported into a suite that BAROMETER serves
from DIRECTORY. Its cohorts on the command line are compared with tables that pandas makes of the same sales, its curves with
lifelines' Kaplan-Meier estimates of lives that are read from the log one by one, late entries included, and its tests with the
sums of the log-rank test written out, and with lifelines' where nobody entered late. Whatever differs is printed, and the program
fails; it fails too when it has compared too little, and when it does not notice a log that was falsified.
"""

import csv
import datetime as dt
import json
import math
import pathlib
import random
import sys
import time
from collections import defaultdict

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import restricted_mean_survival_time
from scipy.stats import chi2

from suite import Suite, conclude, must_notice

DAY = 24 * 3600
UTC = dt.timezone.utc
NOW = int(time.time())
FIRST = NOW // DAY * DAY - 500 * DAY
FROM, TO = FIRST + 130 * DAY, FIRST + 310 * DAY
EVER = 2**62


def main(program, directory, customers="400", seed=None):
    seed = seed or str(random.randrange(2**32))
    print(f"analyses: {customers} customers, seed {seed}")
    directory = pathlib.Path(directory)
    directory.mkdir()
    log = make_up(random.Random(int(seed)), int(customers))
    with Asked(program, directory) as suite:
        for noun, rows in log.items():
            path = directory / f"{noun}.csv"
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, [name for name in rows[0] if name != "at"])
                writer.writeheader()
                writer.writerows({name: value for name, value in row.items() if name != "at"} for row in rows)
            extra = ["--dimension", "region"] if noun == "customers" else []
            suite.run("import", noun, str(path), "--map-by-name", "--source", "shop", "--customer-system", "crm", *extra)
        cohorts = [(asked, suite.ask("cohorts", asked)) for asked in cohorts_asked()]
        # Whoever is still there was watched until an instant that both know.
        curves = [(asked, suite.ask("survival", {"to": instant(NOW), **asked})) for asked in curves_asked()]
    compared = defaultdict(int)
    wrong = differences(cohorts, curves, log, compared)
    print(f"analyses: {len(cohorts) + len(curves)} requests, {sum(compared.values())} numbers compared; {len(wrong)} differ")
    conclude(wrong, [kind for kind in ["cells", "averages", "steps", "curves", "tests"] if compared[kind] < 15])
    falsify(cohorts, curves, log)


def make_up(chance, customers):
    """Customers with regions of their own, and what they did."""
    log = {"customers": [], "purchases": [], "subscriptions": [], "interactions": []}
    for customer in range(customers):
        name, region = f"c{customer}", chance.choice(["north", "south", "west"])
        log["customers"].append({"customer": name, "region": region})
        pause = {"north": 20, "south": 45, "west": 30}[region]
        at = FIRST + chance.randrange(440 * DAY)
        for _ in range(chance.choice([0, 1, 1, 2, 5, 9])):
            if at >= NOW - DAY:
                break
            log["purchases"].append({
                "customer": name, "time": instant(at), "at": at, "currency": "EUR",
                "amount": chance.choice(["10", "10", "0", "4.99", "-5"]), "channel": chance.choice(["web", "shop", ""])})
            at += chance.choice([0, 3600, int(chance.expovariate(1 / pause) * DAY), int(chance.expovariate(1 / pause) * DAY)])
        for _ in range(chance.choice([0, 0, 1, 1, 2, 6])):
            at = FIRST + chance.randrange(490 * DAY)
            log["interactions"].append({"customer": name, "time": instant(at), "at": at, "channel": chance.choice(["phone", "mail"]),
                                        "direction": chance.choice(["inbound", "inbound", "outbound"])})
        for subscription in range(chance.choice([0, 1, 1, 2])):
            at, running = FIRST + chance.randrange(400 * DAY), False
            for _ in range(chance.randrange(1, 5)):
                if at >= NOW - DAY:
                    break
                log["subscriptions"].append({
                    "customer": name, "subscription": f"s{subscription}", "type": "cancel" if running else "start",
                    "time": instant(at), "at": at, "monthly_amount": "" if running else "9", "currency": "" if running else "EUR",
                    "reason": chance.choice(["price", "service", ""]) if running else "",
                    "voluntary": chance.choice(["true", "false", ""]) if running else ""})
                running = not running
                at += 1 + int(chance.expovariate(1 / (90 if region == "north" else 50)) * DAY)
    for noun in ["purchases", "subscriptions", "interactions"]:
        for number, row in enumerate(log[noun]):
            row["external_id"] = f"e{number}"
    return log


class Asked(Suite):
    """A running suite, and what is asked of it."""

    def ask(self, command, asked):
        arguments = [command, "--time-zone", "UTC", "--format", "json"]
        for name, value in asked.items():
            values = value if isinstance(value, tuple) else (value,)
            for one in values:
                arguments += [f"--{name}"] if one is True else [f"--{name}", str(one)]
        return json.loads(self.run(*arguments))


def cohorts_asked():
    """Flags by name."""
    within = {"from": instant(FROM), "to": instant(TO)}
    return [
        {}, {"by": "channel"}, {"every": "week", "periods": 60}, {"or-after": True, "periods": 18}, {"rolling-days": 30, **within},
        {"rolling-days": 7, "together": True, "periods": 40}, {"every": "week", "bracket": ("0..1", "1..4", "3..13")},
        {"recurring": True, **within}, {"every": "week", "recurring": True, "or-after": True}, {"every": "day", "periods": 3, **within},
        {"activity": "contact"}, {"activity": "contact", "by": "channel", "every": "week", "periods": 20},
        {"activity": "contact", "rolling-days": 30, "or-after": True, **within},
    ]


def curves_asked():
    within = {"from": instant(FROM), "to": instant(TO)}
    contract = {"beginning": "first-subscription", "ending": "contract"}
    return [
        {}, {"by": "region", "inactivity-days": 60}, {"by": "region", "inactivity-days": 60, **within}, {"ending": "second-purchase"},
        {"ending": "second-purchase", "by": "region", "max-days": 90, "level": 0.9}, {**contract, "by": "region"},
        {**contract, **within}, {**contract, "by": "region", **within}, {**contract, "reason": "price", "by": "region"},
        {**contract, "voluntary": "true"}, {**contract, "reason": ("service", "price"), "voluntary": "false", **within},
        {"ending": "contract", "by": "region"},
    ]


def differences(cohorts, curves, log, compared):
    wrong = []

    def same(asked, what, told, expected, tolerance=0.0):
        if expected is None or told is None or isinstance(expected, str):
            fits = told == expected
        else:
            fits = math.isclose(told, expected, rel_tol=tolerance, abs_tol=tolerance)
        if not fits:
            wrong.append(f"{asked} {what}: {told}, not {expected}")

    sales = pd.DataFrame([row for row in log["purchases"] if not row["amount"].startswith("-")])
    contacts = pd.DataFrame([row for row in log["interactions"] if row["direction"] == "inbound"])
    for asked, answer in cohorts:
        compare_cohorts(asked, answer, sales, contacts, same, compared)
    for asked, answer in curves:
        compare_curves(asked, answer, log, sales, same, compared)
    return wrong


def compare_cohorts(asked, answer, sales, contacts, same, compared):
    table, columns, over = cohort_table(asked, sales, contacts)
    told = {(one["group"].get("channel", ""), one["label"]): one for one in answer["cohorts"]}
    if set(told) != set(table):
        same(asked, "cohorts", str(sorted(told)), str(sorted(table)))
        return
    averages = defaultdict(lambda: [[0, 0] for _ in columns])
    for key, (size, retained, unfinished) in table.items():
        same(asked, f"{key} customers", told[key]["customers"], size)
        for cell, came, open_ones, average in zip(told[key]["cells"], retained, unfinished, averages[key[0]], strict=True):
            compared["cells"] += 4
            same(asked, f"{key} {cell['start']} retained", cell["retained"], came)
            same(asked, f"{key} {cell['start']} unfinished", cell["unfinished"], open_ones)
            same(asked, f"{key} {cell['start']} percent", cell["percent"], 100 * came / size, 1e-12)
            low, high = wilson(came, size)
            same(asked, f"{key} {cell['start']} low", cell["interval"]["low"], low, 1e-8)
            same(asked, f"{key} {cell['start']} high", cell["interval"]["high"], high, 1e-8)
            if not open_ones:
                average[0] += size
                average[1] += came
    for one in answer["averages"]:
        for cell, (size, came) in zip(one["cells"], averages[one["group"].get("channel", "")], strict=True):
            compared["averages"] += 2
            same(asked, f"average {cell['start']} customers", cell["customers"], size)
            same(asked, f"average {cell['start']} retained", cell["retained"], came)


def cohort_table(asked, sales, contacts):
    """By channel and label: size, and by column who was retained and for how many it may still come."""
    every = asked.get("every", "month")
    period = {
        "month": lambda at: (at.dt.year * 12 + at.dt.month - 1), "week": lambda at: (at.astype("int64") // 10**9 // DAY + 3) // 7,
        "day": lambda at: at.astype("int64") // 10**9 // DAY,
    }[every]
    columns = [(k, k + 1) for k in range(asked.get("periods", 13))]
    if "bracket" in asked:
        columns = [tuple(int(end) for end in text.split("..")) for text in asked["bracket"]]
    start, end = (FROM, TO) if "from" in asked else (0, NOW)
    rows = sales.reset_index().sort_values(["at", "index"])
    first = rows.groupby("customer").first()
    if asked.get("activity") == "contact":
        # Who began is there, also without a contact since.
        rows = pd.concat([rows.drop_duplicates("customer").assign(is_active=False), contacts.assign(is_active=True)])
    else:
        rows["is_active"] = True
    rows = rows.join(first[["at", "channel"]], on="customer", rsuffix="_first")
    rows = rows[rows["at"] >= rows["at_first"]].astype({"at_first": "int64"})
    stamp = lambda seconds: pd.to_datetime(seconds, unit="s").astype("datetime64[ns]")
    rows["number"], rows["own"] = period(stamp(rows["at"])), period(stamp(rows["at_first"]))
    now = int(period(stamp(pd.Series([NOW]))).iloc[0])
    length = asked.get("rolling-days", 0) * DAY
    if asked.get("recurring"):
        within = rows[(rows["at"] >= start) & (rows["at"] < end)]
        cohorts = within[["customer", "number"]].drop_duplicates().rename(columns={"number": "cohort"})
        members = cohorts.merge(rows[["customer", "number", "channel_first", "at_first", "is_active"]], on="customer")
        members["since"] = members["number"] - members["cohort"]
        members = members[members["since"] >= 0]
    else:
        members = rows[(rows["at_first"] >= start) & (rows["at_first"] < end)].copy()
        members["cohort"] = members["own"]
        members["since"] = (members["at"] - members["at_first"]) // length if length else members["number"] - members["own"]
    members["since"] = members["since"].where(members["is_active"], -1)
    members["over"] = (NOW - members["at_first"]) // length if length else now - members["cohort"]
    members["group"] = members["channel_first"] if "by" in asked else ""
    if asked.get("together"):
        members["cohort"] = -1
    found = {}
    for (group, cohort), of in members.groupby(["group", "cohort"]):
        one = of.groupby("customer").agg(last=("since", "max"), over=("over", "first"))
        retained, unfinished = [], []
        for low, high in columns:
            if asked.get("or-after"):
                retained.append(int((one["last"] >= low).sum()))
            else:
                retained.append(of[(of["since"] >= low) & (of["since"] < high)]["customer"].nunique())
            unfinished.append(int((one["over"] < high).sum()))
        found[group, label(every, int(cohort))] = (len(one), retained, unfinished)
    return found, columns, now


def label(every, cohort):
    if cohort < 0:
        return ""
    if every == "month":
        return f"{cohort // 12:04}-{cohort % 12 + 1:02}"
    day = dt.date(1970, 1, 1) + dt.timedelta(days=cohort * 7 - 3 if every == "week" else cohort)
    return day.isoformat() if every == "day" else "{:04}-W{:02}".format(*day.isocalendar()[:2])


def wilson(hits, size, z=1.959963984540054):
    share = hits / size
    middle, reach = share + z * z / (2 * size), z * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    return [100 * min(max((middle + sign * reach) / (1 + z * z / size), 0.0), 1.0) for sign in (-1, 1)]


def compare_curves(asked, answer, log, sales, same, compared):
    lives = watched(asked, log, sales)
    told = {one["group"].get("region", ""): one for one in answer["curves"]}
    if set(told) != set(lives):
        same(asked, "curves", str(sorted(told)), str(sorted(lives)))
        return
    for group, of_group in lives.items():
        one, level = told[group], asked.get("level", 0.95)
        entries = [0 if entry is None else entry + 0.5 for entry, _, _ in of_group]
        exits, events = [exit for _, exit, _ in of_group], [event for _, _, event in of_group]
        late = entries if any(entries) else None
        fitter = KaplanMeierFitter(alpha=1 - level).fit(exits, events, entry=late)
        until = min(max(exits), asked.get("max-days", 10**6) * DAY)
        table = fitter.event_table[(fitter.event_table["observed"] > 0) & (fitter.event_table.index <= until)]
        compared["curves"] += 4
        same(asked, f"{group} customers", one["customers"], len(of_group))
        same(asked, f"{group} events", one["events"], sum(events))
        same(asked, f"{group} steps", len(one["steps"]), len(table))
        same(asked, f"{group} until", one["until"], until / DAY, 1e-12)
        limits = fitter.confidence_interval_
        for step, (at, row) in zip(one["steps"], table.iterrows()):
            compared["steps"] += 5
            left, (low, high) = fitter.survival_function_.loc[at].iloc[0], limits.loc[at]
            same(asked, f"{group} {at} days", step["days"], at / DAY, 1e-12)
            same(asked, f"{group} {at} at risk", step["at_risk"], int(row["at_risk"]))
            same(asked, f"{group} {at} events", step["events"], int(row["observed"]))
            same(asked, f"{group} {at} survival", step["survival"], left, 1e-9)
            if step["interval"]:
                same(asked, f"{group} {at} low", step["interval"]["low"], low, 1e-8)
                same(asked, f"{group} {at} high", step["interval"]["high"], high, 1e-8)
            elif 0 < left < 1:
                same(asked, f"{group} {at} interval", None, left)
        # Rounding may leave a little more than a half.
        half = fitter.survival_function_.index[fitter.survival_function_.iloc[:, 0] <= 0.5 + 1e-12]
        same(asked, f"{group} median", one["median"], half[0] / DAY if len(half) else None, 1e-12)
        for name, side in [("median_low", 0), ("median_high", 1)]:
            falls = limits[(limits.iloc[:, side] <= 0.5) & limits.index.isin(fitter.event_table.index[fitter.event_table["observed"] > 0])]
            falls = falls[fitter.survival_function_.loc[falls.index].iloc[:, 0] > 0]
            same(asked, f"{group} {name}", one[name], falls.index[0] / DAY if len(falls) else None, 1e-12)
        if late is None:
            same(asked, f"{group} mean", one["restricted_mean"], restricted_mean_survival_time(fitter, t=until) / DAY, 1e-9)
    if answer["test"] or len(lives) > 1:
        observed, expected, statistic, freedom = log_rank(list(lives.values()))
        test = answer["test"] or {}
        compared["tests"] += 3 + 2 * len(lives)
        for place, group in enumerate(lives):
            same(asked, f"{group} observed", test["observed"][place], observed[place])
            same(asked, f"{group} expected", test["expected"][place], expected[place], 1e-9)
        same(asked, "degrees of freedom", test["degrees_of_freedom"], freedom)
        same(asked, "statistic", test["statistic"], statistic, 1e-7)
        same(asked, "p", test["p_value"], chi2.sf(statistic, freedom), 1e-7)
        if all(entry is None for of_group in lives.values() for entry, _, _ in of_group):
            flat = [(exit, event, group) for group, of_group in lives.items() for _, exit, event in of_group]
            exits, events, names = zip(*flat)
            same(asked, "lifelines", test["statistic"], multivariate_logrank_test(exits, names, events).test_statistic, 1e-7)


def watched(asked, log, sales):
    """By region, in its order: when each customer entered (none from the beginning on), left, and whether that was the event."""
    start, until = (FROM, TO) if "from" in asked else (-EVER, NOW)
    regions = {row["customer"]: row["region"] for row in log["customers"]}
    bought, runs = defaultdict(list), contracts(log)
    for customer, at in zip(sales["customer"], sales["at"]):
        bought[customer].append(at)
    lives = defaultdict(list)
    for customer, region in regions.items():
        mine, ran = sorted(bought[customer]), runs[customer]
        starts = [span[0] for span in ran] if asked.get("beginning") == "first-subscription" else mine
        if not starts or min(starts) >= until:
            continue
        begun = min(starts)
        if asked.get("ending") == "contract":
            after = [span for span in ran if span[1] > begun]
            if not after:
                continue
            came, ended, causes = after[0]
            event = any(is_wanted(asked, cause) for cause in causes)
        elif asked.get("ending") == "second-purchase":
            later = [at for at in mine if at // DAY > mine[0] // DAY]
            came, ended, event = mine[0], later[0] if later else EVER, True
        else:
            came, ended, event = begun, begun, True
            for at in mine:
                if at <= ended + asked.get("inactivity-days", 90) * DAY:
                    ended = at
            ended += asked.get("inactivity-days", 90) * DAY
        if ended >= until:
            ended, event = until, False
        entered = max(begun, came, start)
        if entered == begun:
            lives[region].append((None, ended - begun, event))
        elif entered < ended:
            lives[region].append((entered - begun, ended - begun, event))
    return dict(sorted(lives.items())) if "by" in asked else {"": [life for of in lives.values() for life in of]}


def is_wanted(asked, cause):
    reason, voluntary = cause
    reasons = asked.get("reason", ())
    return reason in ((reasons,) if isinstance(reasons, str) else reasons or (reason,)) and asked.get("voluntary", voluntary) == voluntary


def contracts(log):
    """By customer the times with some subscription, in order: from, until, and by what they ended."""
    events = defaultdict(list)
    for row in log["subscriptions"]:
        events[row["customer"], row["subscription"]].append(row)
    spans = defaultdict(list)
    for (customer, _), of_one in events.items():
        since = None
        for row in sorted(of_one, key=lambda row: row["at"]):
            if row["type"] == "start":
                since = row["at"]
            else:
                spans[customer].append([since, row["at"], [(row["reason"], row["voluntary"])]])
                since = None
        if since is not None:
            spans[customer].append([since, EVER, []])
    merged = defaultdict(list)
    for customer, of_customer in spans.items():
        for span in sorted(of_customer, key=lambda span: span[:2]):
            last = merged[customer][-1] if merged[customer] else None
            if last and span[0] <= last[1]:
                if span[1] >= last[1]:
                    last[2] = span[2] + (last[2] if span[1] == last[1] else [])
                last[1] = max(last[1], span[1])
            else:
                merged[customer].append(span)
    return merged


def log_rank(groups):
    size = len(groups)
    observed, expected, covariance = np.zeros(size), np.zeros(size), np.zeros((size, size))
    for at in sorted({exit for of in groups for _, exit, event in of if event}):
        there = np.array([sum((entry is None or entry < at) and exit >= at for entry, exit, _ in of) for of in groups], float)
        gone = np.array([sum(event and exit == at for _, exit, event in of) for of in groups], float)
        n, d = there.sum(), gone.sum()
        observed, expected = observed + gone, expected + d * there / n
        if n > 1:
            covariance += d * (n - d) / (n - 1) * (np.diag(there / n) - np.outer(there, there) / n**2)
    beyond = observed - expected
    return observed, expected, beyond @ np.linalg.pinv(covariance) @ beyond, np.linalg.matrix_rank(covariance)


def falsify(cohorts, curves, log):
    """A log in which one thing went otherwise must not come to the same answers."""
    def other(name, noun, which, change):
        """Of those whose rows fit, in a noun's."""
        def is_noticed(row):
            false = {**log, noun: [dict(of) for of in log[noun] if of is not row or change is not None]}
            if change is not None:
                place = log[noun].index(row)
                false[noun][place] |= change(row)
            return differences(cohorts, curves, false, defaultdict(int))
        must_notice(name, which, is_noticed)

    def of_customers(noun):
        rows = defaultdict(list)
        for row in log[noun]:
            rows[row["customer"]].append(row)
        return rows.values()

    singles = [rows[0] for rows in of_customers("purchases")
               if len(rows) == 1 and rows[0]["amount"] == "10" and rows[0]["at"] < NOW - 200 * DAY]
    other("a sale that is missing", "purchases", singles, None)
    other("a sale of another month", "purchases", singles, lambda row: {"at": row["at"] + 40 * DAY})
    other("a return", "purchases", singles, lambda _: {"amount": "-10"})
    other("another channel", "purchases", singles, lambda _: {"channel": "market"})
    began = {row["customer"]: row["at"] for row in singles}
    contacts = [row for row in log["interactions"] if row["direction"] == "inbound" and began.get(row["customer"], EVER) < row["at"]]
    other("a contact of the company", "interactions", contacts, lambda _: {"direction": "outbound"})
    other("another region", "customers", [row for row in log["customers"] if row["customer"] in began], lambda _: {"region": "east"})
    ended = [rows[-1] for rows in of_customers("subscriptions") if [row["type"] for row in rows] == ["start", "cancel"]]
    other("another end", "subscriptions", ended, lambda row: {"at": row["at"] + 1})
    for name, told, change in [
        ("a cell", cohorts, lambda answer: answer["cohorts"][0]["cells"][1].update(retained=10**6)),
        ("a curve", curves, lambda answer: answer["curves"][0]["steps"][3].update(survival=0.123)),
    ]:
        false = json.loads(json.dumps(told[0]))
        change(false[1])
        of = ([false], []) if told is cohorts else ([], [false])
        if not differences(*of, log, defaultdict(int)):
            sys.exit(f"analyses: nobody notices {name}")


def instant(seconds):
    return dt.datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    main(*sys.argv[1:])
