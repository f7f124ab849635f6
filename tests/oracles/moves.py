"""Compares moves, states, journeys and drivers with what Python makes of the exported facts: moves.py BAROMETER DIRECTORY [CUSTOMERS [SEED]].

BAROMETER brings up a simulated company of a random seed; answers of customers along a journey, their contacts, payments and
complaints, which are made up here, are imported beside it. All facts are exported, and from these alone the answers of
`barometer transitions`, `journeys`, `drivers` and `export states` are computed anew: matrices as pandas' crosstabs with the tests of
statsmodels, states and journeys customer by customer, drivers by numpy: relative weights from the eigenvalues of their correlations,
LMG by fitting every subset. Whatever differs is printed, and the program fails; it fails too when it has compared too little, and
when it does not notice facts that were falsified.
"""

import csv
import itertools
import json
import math
import pathlib
import random
import sys
from collections import Counter, defaultdict

import numpy as np
import pandas as pd
from scipy.stats import chi2
from statsmodels.stats.contingency_tables import SquareTable

from facts.files import export, frame
from facts.times import DAY, instant
from suite import Simulated, conclude, must_notice

KINDS = ["surveys.survey", "surveys.response", "customers.customer", "customers.purchase", "customers.interaction",
         "customers.subscription_event", "customers.membership_event", "customers.referral", "complaints.case"]
ZONES = ["UTC", "Europe/Chisinau", "America/New_York", "Asia/Kathmandu"]
CATEGORIES = ["detractor", "passive", "promoter"]
STAGES = ["awareness", "purchase", "delivery", "support", ""]
FAR = 2**62


def main(program, directory, customers="150", seed=None):
    seed = seed or str(random.randrange(2**32))
    chance = random.Random(int(seed))
    directory = pathlib.Path(directory)
    directory.mkdir()
    asked = Asked(chance)
    print(f"moves: {customers} customers until {asked.until}, seed {seed}, {asked.zone}, {asked.gap} and {asked.window} days")
    with Simulated(program, directory, customers, chance.randrange(10**6), asked.until) as suite:
        make_up(suite, directory, asked, chance)
        facts = {kind: export(suite, directory, kind) for kind in KINDS}
        told = {(command, of): json.loads(suite.run(command, *flags, "--to", instant(asked.end), "--time-zone", asked.zone, "--format", "json"))
                for (command, of), flags in asked.requests.items()}
        path = directory / "states.parquet"
        suite.run("export", "states", "--at", instant(asked.end), "--lifecycle-days", str(asked.window),
                  "--format", "parquet", "--output", str(path))
        told["states", ""] = frame(path).to_dict("records")
    compared = Counter()
    wrong = differences(told, facts, asked, compared)
    print(f"moves: {sum(len(of) for of in facts.values())} facts, {sum(compared.values())} numbers compared; {len(wrong)} differ")
    conclude(wrong, [of for of in ["transitions", "tests", "states", "journeys", "drivers"] if compared[of] < 40])
    falsify(told, facts, asked)


class Asked:
    """What is asked for: twenty months until the beginning of one, of a zone."""

    def __init__(self, chance):
        self.zone = chance.choice(ZONES)
        self.gap, self.window = chance.choice([20, 30, 45]), chance.choice([30, 60, 90])
        end = pd.Timestamp(chance.choice([2025, 2026]), chance.randrange(1, 11), 1)
        self.until = end.strftime("%Y-%m-15")
        self.months = [at.value // 1000 for at in pd.date_range(end - pd.DateOffset(months=20), end, freq="MS", tz=self.zone)]
        self.start, self.end = self.months[0], self.months[-1]
        within = ["--from", instant(self.start)]
        drivers = ["--window-days", str(self.window), *within]
        counts = "complaints,late-payments,contacts"
        self.requests = {
            ("transitions", ""): within, ("transitions", "carry"): [*within, "--carry"],
            ("transitions", "survey"): [*within, "--by", "survey"],
            ("journeys", ""): ["--gap-days", str(self.gap), "--max-length", "20", "--max-paths", "200", *within],
            ("drivers", "counts"): [*drivers, "--driver", f"{counts},purchases,tenure"],
            ("drivers", "lmg"): [*drivers, "--driver", f"{counts},spend", "--dimension", "wait", "--currency", "EUR", "--method", "shapley"],
            ("drivers", "means"): [*drivers, "--driver", "first-response,handling-time,contacts", "--method", "shapley"],
        }
        self.drivers = {
            "counts": ["complaints", "late-payments", "contacts", "purchases", "tenure"],
            "lmg": ["complaints", "late-payments", "contacts", "spend", "wait"],
            "means": ["first-response", "handling-time", "contacts"],
        }


def make_up(suite, directory, asked, chance):
    """Customers who answer along a journey; what happened to them moves their scores."""
    first = asked.start - 60 * DAY
    span = asked.end + 20 * DAY - first
    rows = defaultdict(list)
    for number in range(120):
        customer, patience = f"m{number}", chance.choice([5, 8, 9])
        at = first + chance.randrange(span // 2)
        while at < first + span:
            anger = chance.choice([0, 0, 1, 3])
            for _ in range(anger):
                began = at - chance.randrange(1, 100 * DAY // 10**6) * 10**6
                if chance.random() < 0.5:
                    answered = instant(began + chance.randrange(10**6, 3 * DAY)) if chance.random() < 0.8 else ""
                    rows["complaints"].append({"customer": customer, "opened": instant(began), "first_response": answered,
                                               "kind": chance.choice(["complaint", "question", "loss"])})
                else:
                    rows["interactions"].append({"customer": customer, "time": instant(began), "channel": "phone",
                                                 "direction": chance.choice(["inbound", "inbound", "outbound"]),
                                                 "handling_time": chance.choice(["", "90s", "5m", "12m"])})
            if chance.random() < 0.5:
                bought = at - chance.randrange(DAY, 80 * DAY)
                due = bought + 14 * DAY
                rows["purchases"].append({"customer": customer, "time": instant(bought), "currency": chance.choice(["EUR", "EUR", "USD"]),
                                          "amount": chance.choice(["19.99", "250", "-12.5"]), "due_time": chance.choice(["", instant(due)]),
                                          "paid_time": chance.choice(["", instant(due), instant(due + 3 * DAY)])})
            score = max(0, min(10, patience + chance.choice([-1, 0, 1, 1]) - 2 * anger))
            rows["responses"].append({"customer": chance.choice([customer] * 9 + [""]), "time": instant(at), "score": chance.choice([score] * 9 + [""]),
                                      "journey_stage": chance.choice(STAGES), "wait": chance.choice(["", "1", "2.5", "7.125", "-3", str(anger)])})
            at += chance.choice([0, 3600 * 10**6, 4 * DAY, 15 * DAY, asked.gap * DAY, 60 * DAY, 110 * DAY])
    for kind, of_kind in rows.items():
        for number, row in enumerate(of_kind):
            row["external_id"] = f"made-{number}"
        path = directory / f"{kind}.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, of_kind[0])
            writer.writeheader()
            writer.writerows(of_kind)
        more = ["--set", "survey=along the way", "--dimension", "wait"] if kind == "responses" else []
        suite.run("import", kind, str(path), "--map-by-name", "--source", "made-up", "--customer-system", "made-up", *more)


def differences(told, facts, asked, compared):
    wrong = []

    def same(kind, what, found, expected, tolerance=1e-9):
        compared[kind] += 1
        if found is None or expected is None or isinstance(expected, str):
            fits = found == expected
        else:
            fits = math.isclose(found, expected, rel_tol=tolerance, abs_tol=tolerance)
        if not fits:
            wrong.append(f"{kind} {what}: {found}, not {expected}")

    answers = scored(facts)
    for of in ["", "carry", "survey"]:
        compare_transitions(of, told["transitions", of], answers, asked, same)
    compare_states(told["states", ""], answers, facts, asked, same)
    compare_journeys(told["journeys", ""], answers, asked, same)
    for of in asked.drivers:
        compare_drivers(of, told["drivers", of], answers, facts, asked, same)
    return wrong


def scored(facts):
    """Answers to the recommend question, in the order of time."""
    surveys = facts["surveys.survey"].set_index("id")
    answers = facts["surveys.response"].copy()
    for name in ["kind", "type", "name"]:
        answers[f"survey_{name}"] = answers.survey_id.map(surveys[name])
    answers = answers[(answers.survey_kind == "NPS") & answers.score.notna()].sort_values(["time", "number"])
    answers["category"] = pd.cut(answers.score.astype(int), [-1, 6, 8, 10], labels=CATEGORIES).astype(str)
    answers["survey_type"] = answers.survey_type.str.lower()
    return answers


def compare_transitions(of, answer, answers, asked, same):
    by = "survey_name" if of == "survey" else "survey_type"
    named = answers[answers.customer_id.notna() & (answers.time < asked.end)]
    if of != "carry":
        named = named[named.time >= asked.start]
    month = np.searchsorted(asked.months, named.time.astype("int64"), side="right") - 1
    last = named.assign(month=np.maximum(month, 0)).groupby([by, "customer_id", "month"]).category.last().unstack("month")
    last = last.reindex(columns=range(len(asked.months) - 1))
    if of == "carry":
        last = last.ffill(axis=1)
    expected = {}
    for group, stands in last.groupby(level=0):
        for month in range(len(asked.months) - 2):
            before, after = stands[month].fillna("none"), stands[month + 1].fillna("none")
            square = pd.crosstab(before, after).reindex(index=[*CATEGORIES, "none"], columns=[*CATEGORIES, "none"], fill_value=0)
            if square.to_numpy().sum() > square.at["none", "none"]:
                expected[group, instant(asked.months[month])] = square
    found = {(next(iter(one["group"].values())), one["before"]["start"]): one for one in answer["matrices"]}
    same("transitions", f"{of} matrices", str(sorted(found)), str(sorted(expected)))
    for key in found.keys() & expected.keys():
        one, square = found[key], expected[key]
        for cell in one["cells"]:
            same("transitions", f"{of} {key} {cell['from']} {cell['to']}", cell["customers"], int(square.at[cell["from"], cell["to"]]))
        for category in CATEGORIES:
            same("transitions", f"{of} {key} joined {category}", one["joined"][f"{category}s"], int(square.at["none", category]))
            same("transitions", f"{of} {key} lost {category}", one["lost"][f"{category}s"], int(square.at[category, "none"]))
        compare_tests(f"{of} {key}", one, square.loc[CATEGORIES, CATEGORIES].to_numpy().astype(float), same)


def compare_tests(key, one, square, same):
    moved = square.sum() - np.trace(square)
    same("tests", f"{key} state", one["tests"], "ok" if moved else "nobody_moved" if square.sum() else "nobody")
    # Where the two do not agree on that, it was told above.
    if not moved or one["symmetry"] is None:
        return
    # Pairs between which nobody moved are no part of the statistic.
    pairs = [(square[i, j], square[j, i]) for i, j in itertools.combinations(range(3), 2) if square[i, j] + square[j, i]]
    statistic = sum((a - b) ** 2 / (a + b) for a, b in pairs)
    same("tests", f"{key} symmetry", one["symmetry"]["statistic"], statistic)
    same("tests", f"{key} symmetry p", one["symmetry"]["p_value"], float(chi2.sf(statistic, len(pairs))))
    if len(pairs) == 3:
        told = SquareTable(square, shift_zeros=False).symmetry()
        same("tests", f"{key} statsmodels' symmetry", one["symmetry"]["p_value"], float(told.pvalue))
    difference = square.sum(axis=1) - square.sum(axis=0)
    covariance = np.diag(square.sum(axis=1) + square.sum(axis=0)) - square - square.T
    rank = int(np.linalg.matrix_rank(covariance, hermitian=True))
    statistic = float(difference @ np.linalg.pinv(covariance, hermitian=True) @ difference)
    same("tests", f"{key} homogeneity", one["homogeneity"]["statistic"], statistic, 1e-7)
    same("tests", f"{key} degrees", one["homogeneity"]["degrees_of_freedom"], rank)
    if rank == 2:
        told = SquareTable(square, shift_zeros=False).homogeneity()
        same("tests", f"{key} statsmodels' homogeneity", one["homogeneity"]["p_value"], float(told.pvalue), 1e-7)


def compare_states(states, answers, facts, asked, same):
    answers = answers[answers.customer_id.notna() & (answers.time < asked.end)]
    expected = defaultdict(dict)
    for (customer, of), own in answers.groupby(["customer_id", "survey_type"]):
        runs = [list(run) for _, run in itertools.groupby(own.itertuples(), key=lambda answer: answer.category)]
        last = runs[-1][-1]
        expected[customer] |= {f"{of}_category": last.category, f"{of}_score": last.score, f"{of}_answered": last.time,
                               f"{of}_number": last.number, f"{of}_since": runs[-1][0].time, f"{of}_answers": len(own),
                               f"{of}_former": runs[-2][0].category if len(runs) > 1 else None}
    purchases = facts["customers.purchase"]
    sales = purchases[(purchases.amount >= 0) & (purchases.time < asked.end)].groupby("customer_id").time.apply(list)
    known = known_since(facts)
    everybody = {customer for customer, at in known.items() if at < asked.end}
    responses = facts["surveys.response"]
    everybody |= set(responses[responses.customer_id.notna() & (responses.time < asked.end)].customer_id)
    same("states", "customers", str([state["customer_id"] for state in states]), str(sorted(everybody)))
    for state in states:
        customer = state["customer_id"]
        for name in [name for name in state if name.startswith(("relational", "transactional"))]:
            same("states", f"{customer} {name}", state[name], expected[customer].get(name, 0 if name.endswith("_answers") else None))
        ago = [(asked.end - at) / DAY for at in sales.get(customer, [])]
        lately, before = any(of <= asked.window for of in ago), any(asked.window < of <= 2 * asked.window for of in ago)
        earlier = any(of > 2 * asked.window for of in ago)
        stage = {(True, True): "returning", (True, False): "resurrecting" if earlier else "new", (False, True): "dormant",
                 (False, False): "gone" if earlier else None}[lately, before]
        same("states", f"{customer} lifecycle", state["lifecycle"], stage)


def known_since(facts):
    """When customers became known."""
    firsts = {}
    for kind in ["customers.purchase", "customers.interaction", "customers.subscription_event", "customers.membership_event",
                 "customers.referral", "surveys.response"]:
        for customer, at in facts[kind].dropna(subset="customer_id").groupby("customer_id").time.min().items():
            firsts[customer] = min(at, firsts.get(customer, FAR))
    known = {}
    for customer in facts["customers.customer"].itertuples():
        since = customer.since if pd.notna(customer.since) else FAR
        first = min(since, firsts.get(customer.id, FAR))
        known[customer.id] = first if first < FAR else customer.create_time
    return known


def compare_journeys(answer, answers, asked, same):
    whole = [of for of in answers.survey_type.unique() if ((answers.survey_type == of) & (answers.time >= asked.start) & (answers.time < asked.end)).any()]
    same("journeys", "groups", str(sorted(one["group"]["survey_type"] for one in answer["journeys"])), str(sorted(whole)))
    for one in answer["journeys"]:
        of = one["group"]["survey_type"]
        own = answers[answers.survey_type == of]
        within = own[(own.time >= asked.start) & (own.time < asked.end)]
        for stage in one["stages"]:
            at = within[within.journey_stage.fillna("") == stage["stage"]]
            check_score(f"{of} {stage['stage']}", stage["score"], at.category, same)
        paths = defaultdict(list)
        for _, answered in own[own.customer_id.notna() & own.journey_stage.notna()].groupby("customer_id"):
            journey = []
            for next_one in [*answered.itertuples(), None]:
                ends = journey and (next_one is None or next_one.time - journey[-1].time >= asked.gap * DAY
                                    or next_one.journey_stage == journey[0].journey_stage)
                if ends:
                    if asked.start <= journey[0].time < asked.end:
                        paths[tuple(dict.fromkeys(answer.journey_stage for answer in journey))].append(journey[-1].category)
                    journey = []
                journey.append(next_one)
        same("journeys", f"{of} paths", str(sorted(tuple(path["stages"]) for path in one["paths"])), str(sorted(paths)))
        for path in one["paths"]:
            check_score(f"{of} {path['stages']}", path["score"], paths[tuple(path["stages"])], same)
        check_score(f"{of} whole", one["whole"], [category for last in paths.values() for category in last], same)
        for stage in one["stages"]:
            name = stage["stage"]
            through = {path: len(last) for path, last in paths.items() if name in path}
            same("journeys", f"{of} {name} reached", stage["reached"], sum(through.values()))
            same("journeys", f"{of} {name} ended", stage["ended"], sum(count for path, count in through.items() if path[-1] == name))
            following = Counter()
            for path, count in through.items():
                following.update({path[path.index(name) + 1]: count} if path[-1] != name else {})
            same("journeys", f"{of} {name} next", str(sorted((next_one["stage"], next_one["journeys"]) for next_one in stage["next"])),
                 str(sorted(following.items())))


def check_score(what, score, categories, same):
    counts = Counter(categories)
    for category in CATEGORIES:
        same("journeys", f"{what} {category}s", score[f"{category}s"], counts[category])
    size = sum(counts.values())
    same("journeys", f"{what} nps", score["nps"], 100 * (counts["promoter"] - counts["detractor"]) / size if size else None)


def compare_drivers(of, answer, answers, facts, asked, same):
    values = Happened(facts, asked.window)
    within = answers[(answers.time >= asked.start) & (answers.time < asked.end)]
    same("drivers", f"{of} groups", str([one["group"]["survey_type"] for one in answer["key_drivers"]]), str(sorted(within.survey_type.unique())))
    for one in answer["key_drivers"]:
        what = f"{of} {one['group']['survey_type']}"
        own = within[within.survey_type == one["group"]["survey_type"]]
        named = own[own.customer_id.notna()]
        rows = pd.DataFrame([[values.of(name, answer) for name in asked.drivers[of]] for answer in named.itertuples()], columns=asked.drivers[of],
                            dtype=float)
        scores = named.score.astype(float).to_numpy()
        complete = rows.notna().all(axis=1).to_numpy()
        same("drivers", f"{what} answers", one["answers"], len(own))
        same("drivers", f"{what} complete", one["complete"], int(complete.sum()))
        for driver in one["drivers"]:
            same("drivers", f"{what} {driver['driver']} missing", driver["missing"], int(rows[driver["driver"]].isna().sum()))
        x, y = rows[complete].to_numpy(), scores[complete]
        if len(y) < x.shape[1] + 2:
            same("drivers", f"{what} state", one["state"], "too_few")
            continue
        spreads = (x != x[0]).any(axis=0)
        if (y == y[0]).all():
            same("drivers", f"{what} state", one["state"], "no_spread")
            continue
        same("drivers", f"{what} state", one["state"], "ok")
        shares = lmg(x, y) if of != "counts" else relative_weights(x[:, spreads], y, spreads)
        same("drivers", f"{what} R²", one["r_squared"], fit(x, y), 1e-7)
        for driver, share, column, varies in zip(one["drivers"], shares, x.T, spreads, strict=True):
            name = f"{what} {driver['driver']}"
            same("drivers", f"{name} share", driver["share"], share, 1e-7)
            same("drivers", f"{name} mean", driver["mean"], float(column.mean()), 1e-6)
            same("drivers", f"{name} correlation", driver["correlation"], float(np.corrcoef(column, y)[0, 1]) if varies else None, 1e-7)


class Happened:
    """What happened to customers in the days before an answer."""

    def __init__(self, facts, days):
        self.window, self.known = days * DAY, known_since(facts)
        cases, purchases, contacts = (facts[kind] for kind in ["complaints.case", "customers.purchase", "customers.interaction"])
        cases = cases[(cases.state != "MERGED") & cases.customer_id.notna()]
        complaints = cases[cases.kind.fillna("COMPLAINT").isin(["COMPLAINT", "LOSS"])]
        due = purchases[purchases.due_time.notna() & (purchases.amount >= 0)]
        late = due[[pd.isna(paid) or paid > by for by, paid in zip(due.due_time, due.paid_time)]]
        sales, euros = purchases[purchases.amount >= 0], purchases[purchases.amount_currency == "EUR"]
        handled, inbound = contacts[contacts.handling_time_micros.notna()], contacts[contacts.direction == "INBOUND"]
        answered = cases[cases.first_response_time.notna()]
        pairs = lambda of, at, value: of.assign(pair=list(zip(of[at], value))).groupby("customer_id").pair.apply(list).to_dict() if len(of) else {}
        self.things = {
            "complaints": pairs(complaints, "open_time", complaints.open_time), "late-payments": pairs(late, "due_time", late.due_time),
            "contacts": pairs(inbound, "time", inbound.time), "purchases": pairs(sales, "time", sales.time),
            "spend": pairs(euros, "time", euros.amount), "handling-time": pairs(handled, "time", handled.handling_time_micros),
            "first-response": pairs(answered, "open_time", answered.first_response_time)}

    def of(self, name, answer):
        if name == "wait":
            wait = json.loads(answer.dimensions or "{}").get("wait")
            return None if wait is None else float(wait)
        if name == "tenure":
            since = self.known.get(answer.customer_id, FAR)
            return (answer.time - since) / DAY if since <= answer.time else None
        things = [(at, value) for at, value in self.things[name].get(answer.customer_id, [])
                  if answer.time - self.window <= at < answer.time]
        if name == "spend":
            return float(sum(value for _, value in things))
        if name == "first-response":
            things = [(at, end - at) for at, end in things if end < answer.time]
        if name in ("first-response", "handling-time"):
            return sum(value for _, value in things) // len(things) / 1e6 if things else None
        return len(things)


def fit(x, y):
    """R² of the least squares."""
    if not x.shape[1]:
        return 0.0
    # In units of the standard deviations, so that long times and few numbers can be solved for together.
    scale = x.std(axis=0)
    x = (x - x.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    y = y - y.mean()
    rest = y - x @ np.linalg.lstsq(x, y, rcond=1e-10)[0]
    return 1 - float(rest @ rest) / float(y @ y)


def lmg(x, y):
    """What each driver adds to R², averaged over all orders."""
    size = x.shape[1]
    fits = {subset: fit(x[:, list(subset)], y) for count in range(size + 1) for subset in itertools.combinations(range(size), count)}
    shares = []
    for driver in range(size):
        others = [other for other in range(size) if other != driver]
        subsets = (subset for count in range(size) for subset in itertools.combinations(others, count))
        shares.append(sum((fits[tuple(sorted((*subset, driver)))] - fits[subset])
                          * math.factorial(len(subset)) * math.factorial(size - 1 - len(subset)) for subset in subsets) / math.factorial(size))
    return shares


def relative_weights(x, y, spreads):
    """Johnson's, 0 for drivers without spread."""
    correlations = np.atleast_2d(np.corrcoef(x, rowvar=False))
    values, vectors = np.linalg.eigh(correlations)
    root = vectors @ np.diag(np.sqrt(np.clip(values, 0, None))) @ vectors.T
    beta = np.linalg.pinv(root) @ np.array([np.corrcoef(column, y)[0, 1] for column in x.T])
    weights = np.zeros(len(spreads))
    weights[spreads] = (root ** 2) @ (beta ** 2)
    return weights


def falsify(told, facts, asked):
    """A comparison that nothing can fail shows nothing."""

    # What promoters answered last.
    lasts = scored(facts)
    lasts = lasts[lasts.customer_id.notna() & (lasts.time >= asked.months[5]) & (lasts.time < asked.end)]
    lasts = lasts.groupby(["customer_id", "survey_type"]).tail(1)
    lasts = list(lasts[(lasts.category == "promoter") & lasts.journey_stage.notna()].itertuples())

    def notice(name, kind, of, falsified):
        def is_noticed(answer):
            false = {**facts, of: falsified(facts[of].copy(), answer)}
            return any(line.startswith(kind) for line in differences(told, false, asked, Counter()))
        must_notice(name, lasts, is_noticed)

    def changed(column, value):
        def falsified(rows, answer):
            rows.at[answer.Index, column] = value
            return rows
        return falsified

    def one_more(rows, answer):
        more = rows.iloc[:1].assign(number=-1, customer_id=answer.customer_id, time=answer.time - 1, direction="INBOUND")
        return pd.concat([rows, more])

    for kind in ["transitions", "states", "journeys", "drivers"]:
        notice(f"another score in {kind}", kind, "surveys.response", changed("score", 3))
    notice("another stage", "journeys", "surveys.response", changed("journey_stage", "use"))
    notice("one contact more", "drivers", "customers.interaction", one_more)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
