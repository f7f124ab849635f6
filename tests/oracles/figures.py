"""Compares differences and trends of figures with what statsmodels and scipy make of them: figures.py BAROMETER DIRECTORY [SEED…].

Random answers to surveys of the three kinds, on channels of which some are better than others and some have hardly any answers,
and random complaints, are imported into a suite that BAROMETER serves from DIRECTORY, one suite for each seed. Its comparisons and
trends on the command line are set beside those of the same rows: tests and intervals of scipy and statsmodels, the false discovery
rate of statsmodels, weighted least squares of statsmodels, slopes of scipy; which figures are tested at all follows from
the rows too. Whatever differs is printed, and the program fails; it fails too when it has compared too little, and when it does not
notice an answer, a row or a chance that was falsified.
"""

import copy
import csv
import datetime as dt
import json
import math
import pathlib
import random
import sys
from collections import defaultdict

import numpy as np
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests

from facts.intervals import shares_differ
from suite import Suite, conclude, must_notice

UTC = dt.timezone.utc
CHANNELS = ["web", "shop", "app", "phone", "letter", "", "fax", "kiosk"]
# By how much answers on a channel are better, and how many there are of a hundred.
BETTER = {"web": 0.0, "shop": 0.25, "app": -0.1, "phone": 0.0, "letter": 0.3, "": 0.0, "fax": 0.0, "kiosk": 0.0}
SHARE = {"web": 35, "shop": 20, "app": 15, "phone": 15, "letter": 8, "": 5, "fax": 1.6, "kiosk": 0.4}
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
MONTHS = 18


def main(program, directory, *seeds):
    seeds = seeds or [str(random.randrange(2**32)) for _ in range(2)]
    directory = pathlib.Path(directory)
    directory.mkdir()
    for seed in seeds:
        once(program, directory / seed, int(seed))


def once(program, directory, seed):
    directory.mkdir()
    rows = make_up(random.Random(seed))
    with Asked(program, directory) as suite:
        for kind in SCALES:
            suite.bring(kind, [row for row in rows if row["kind"] == kind])
        suite.bring("complaints", [row for row in rows if row["kind"] == "complaints"])
        told = [(query, suite.query(query)) for query in queries()]
    counts = defaultdict(int)
    wrong = differences(told, rows, counts)
    summary = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    print(f"figures: seed {seed}: {len(told)} queries, compared {summary}; {len(wrong)} differ")
    enough = {"tests": 80, "untested": 10, "slopes": 20, "turns": 10, "believed": 5}
    conclude(wrong, [name for name, least in enough.items() if counts[name] < least])
    falsify(told, rows)


def make_up(chance):
    """Answers and complaints of a year and a half."""
    rows = []
    first = dt.datetime(2023, 1, 1, tzinfo=UTC)

    def at():
        month = chance.randrange(MONTHS)
        start = dt.datetime(2023 + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        return start + dt.timedelta(seconds=chance.randrange(28 * 86_400)), month

    for kind, (low, high) in SCALES.items():
        drift, turn = chance.choice([0, 0.01]), chance.choice([0, 0.2])
        for _ in range(chance.choice([900, 2_500])):
            when, month = at()
            channel = chance.choices(CHANNELS, SHARE.values())[0]
            # Between 0 and 1, mostly above the middle.
            better = BETTER[channel] + drift * month + (turn if month >= 12 else 0)
            place = min(1.0, max(0.0, chance.gauss(0.62 + better / 2, 0.3)))
            rows.append({"kind": kind, "time": when, "channel": channel, "score": low + round(place * (high - low)),
                         "weight": chance.choice(["1", "0.25", "2.5", "0.000001"])})
    for _ in range(1_800):
        when, month = at()
        channel = chance.choices(CHANNELS, SHARE.values())[0]
        took = math.ceil(chance.lognormvariate(9 + BETTER[channel] + 0.02 * month, 1))
        answered = when + dt.timedelta(seconds=took)
        rows.append({"kind": "complaints", "time": when, "channel": channel,
                     "answered": answered if chance.random() < 0.9 else None})
    assert all(row["time"] >= first for row in rows)
    return rows


class Asked(Suite):
    """A running suite, and what is asked of it."""

    def bring(self, kind, rows):
        path = self.directory / f"{kind}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["n", "at", "place", "points", "heavy", "reply"])
            for number, row in enumerate(rows):
                reply = row.get("answered")
                writer.writerow([f"{kind}{number}", instant(row["time"]), row["channel"], row.get("score", ""), row.get("weight", ""),
                                 instant(reply) if reply else ""])
        if kind == "complaints":
            self.run("import", "complaints", str(path), "--map", "external_id=n", "--map", "opened=at", "--map", "channel=place",
                     "--map", "first_response=reply", "--source", "desk")
        else:
            self.run("import", "responses", str(path), "--set", f"survey={kind} survey", "--set", f"kind={kind}", "--map", "score=points",
                     "--map", "time=at", "--map", "channel=place", "--map", "weight=heavy", "--map", "external_id=n", "--source", "forms")

    def query(self, query):
        metric, by, times, against, parameters = query
        arguments = ["query", metric, "--time-zone", "UTC", "--format", "json"]
        if times:
            arguments += ["--from", times[0], "--to", times[1]]
        if by:
            arguments += ["--by", "channel"]
        arguments += ["--every", "month", "--trend"] if against == "trend" else ["--against", against]
        for name, value in parameters:
            arguments += ["--param", f"{name}={value}"]
        return json.loads(self.run(*arguments))


ALL = ("2023-01", "2024-07")


def queries():
    """Metric, whether by channel, the time, against what (or `trend`), parameters."""
    asked = []
    for metric in [*SCALES, "time_to_first_response", "responses"]:
        tuned = [()] if metric == "responses" else [(), (("level", "0.8"),)]
        tuned += [(("weighted", "true"),)] if metric == "nps" else []
        for parameters in tuned:
            asked.append((metric, True, ALL, "rest", parameters))
            asked.append((metric, True, ALL, "web", parameters))
            asked.append((metric, True, ("2024-01", "2024-07"), "previous", parameters))
            asked.append((metric, False, ("2023-07", "2024-07"), "2023-01..2023-07", parameters))
            asked.append((metric, False, ("2023-03", "2023-09"), "2023-08..2024-01", parameters))
            for by in [False, True]:
                asked.append((metric, by, ALL, "trend", parameters))
    return asked


def falsify(told, rows):
    """What is not so must be noticed."""
    for kind in [*SCALES, "complaints"]:
        metric = "time_to_first_response" if kind == "complaints" else kind
        of_metric = [(query, answer) for query, answer in told if query[0] == metric and query[3] != "trend"]
        low, high = SCALES.get(kind, (None, None))
        fitting = [place for place, row in enumerate(rows) if row["kind"] == kind and row["channel"] == "web"
                   and (row["answered"] if kind == "complaints" else row["score"] == high)]

        def other_row(place):
            row = rows[place]
            false = {"answered": row["answered"] + dt.timedelta(hours=1)} if kind == "complaints" else {"score": low}
            return differences(of_metric, [*rows[:place], row | false, *rows[place + 1:]], defaultdict(int))

        must_notice(f"another row of {kind}", fitting, other_row)
    for name in ["difference", "p_value", "adjusted_p_value", "statistic", "verdict", "interval", "slope", "slope_interval",
                 "fit_p_value", "course", "turn", "untested"]:
        # Those that are neither 0 nor 1.
        fitting = [(query, answer, index) for query, answer in told for index, of in enumerate(all_of(answer))
                   if of.get(name) is not None and (not isinstance(of[name], float) or 1e-3 < abs(of[name]) < 0.999)]

        def other_number(one):
            query, answer, index = one
            false = copy.deepcopy(answer)
            of = all_of(false)[index]
            if isinstance(of[name], float):
                of[name] += 1e-6
            elif isinstance(of[name], str):
                of[name] = "other"
            elif name == "turn":
                of[name]["time"] = "2023-01-01T00:00:00Z"
            else:
                of[name]["low"] += 1e-6
            return differences([(query, false)], rows, defaultdict(int))

        must_notice(f"another {name}", fitting, other_number)


def all_of(answer):
    return answer.get("comparisons", []) + answer.get("trends", [])


def differences(told, rows, counts):
    wrong = []
    for query, answer in told:
        metric, by, times, against, parameters = query
        level = float(dict(parameters).get("level", 0.95))
        of = of_metric(rows, metric)
        if against == "trend":
            expected = trends(metric, of, by, parameters, level, counts)
            found = {of_group(one["group"], by): one for one in answer["trends"]}
        else:
            expected = comparisons(query, of, level, counts)
            found = {of_group(one["group"], by): one for one in answer["comparisons"]}
        if set(found) != set(expected):
            wrong.append(f"{query}: told of {sorted(found)}, expected {sorted(expected)}")
        for group in set(found) & set(expected):
            for name, value in expected[group].items():
                if not same(found[group].get(name), value):
                    wrong.append(f"{query} {group!r} {name}: told {found[group].get(name)}, expected {value}")
    return wrong


def same(told, expected):
    if isinstance(expected, Chance):
        return told is not None and abs(told - expected.value) <= expected.room
    if isinstance(expected, OneOf):
        return any(same(told, value) for value in expected.values)
    if isinstance(expected, dict):
        return told is not None and all(same(told.get(name), value) for name, value in expected.items())
    if expected is None or told is None or isinstance(expected, str):
        return told == expected
    return math.isclose(told, float(expected), rel_tol=1e-8, abs_tol=1e-9)


class OneOf:
    """Any of these."""

    def __init__(self, values):
        self.values = values

    def __repr__(self):
        return " or ".join(map(str, self.values))


class Chance:
    """A chance that is known by simulation only."""

    def __init__(self, value, room):
        self.value, self.room = value, room

    def __repr__(self):
        return f"{self.value} ± {self.room}"


def of_group(group, by):
    return group.get("channel", "") if by else ""


def of_metric(rows, metric):
    kinds = {"time_to_first_response": ["complaints"], "responses": list(SCALES)}.get(metric, [metric])
    return [row for row in rows if row["kind"] in kinds]


def during(rows, start, end):
    first, last = (dt.datetime.fromisoformat(f"{month}-01T00:00:00+00:00") for month in (start, end))
    return [row for row in rows if first <= row["time"] < last]


def comparisons(query, rows, level, counts):
    metric, by, times, against, parameters = query
    groups = sorted({row["channel"] for row in rows}) if by else [""]

    def on(some, group):
        return [row for row in some if not by or row["channel"] == group]

    now, pairs, overlap = during(rows, *times), {}, False
    if against == "rest":
        pairs = {group: (on(now, group), [row for row in now if row["channel"] != group]) for group in groups if on(now, group)}
    elif against == "web":
        pairs = {group: (on(now, group), on(now, "web")) for group in groups if group != "web" and on(now, group)}
    else:
        before = ("2023-07", "2024-01") if against == "previous" else tuple(against.split(".."))
        overlap = before[0] < times[1] and times[0] < before[1]
        other = during(rows, *before)
        pairs = {group: (on(now, group), on(other, group)) for group in groups if on(now, group) or on(other, group)}
    weighted = dict(parameters).get("weighted") == "true"
    found = {group: compare(metric, *pair, level, weighted, overlap) for group, pair in pairs.items()}
    tested = [group for group in found if found[group]["p_value"] is not None]
    adjusted = multipletests([found[group]["p_value"] for group in tested], method="fdr_bh")[1] if tested else []
    for group, p_value in zip(tested, adjusted):
        one = found[group]
        one["adjusted_p_value"] = p_value
        believed = p_value < 1 - level and (one["difference"] > 0) == (one["statistic"] > 0)
        one["verdict"] = "not_shown" if not believed else "higher" if one["difference"] > 0 else "lower"
        counts["believed"] += believed
    counts["tests"] += len(tested)
    counts["untested"] += len(found) - len(tested)
    if metric == "responses" and against == "rest":
        for one in found.values():
            one["difference"] = None
    return found


def compare(metric, side, other, level, weighted, overlap):
    told = {"difference": None, "interval": None, "statistic": None, "p_value": None, "adjusted_p_value": None,
            "verdict": "not_tested", "untested": None}
    values = [value_of(metric, rows, weighted) for rows in (side, other)]
    if None not in values:
        told["difference"] = values[0] - values[1]
    if metric == "responses":
        return {**told, "untested": "no_test"}
    if overlap:
        return {**told, "untested": "overlap"}
    if None in values:
        return {**told, "untested": "no_facts"}
    test = {"nps": scores, "csat": shares, "ces": means, "time_to_first_response": means}[metric]
    least = 200 if metric == "time_to_first_response" else 2
    tested = test(metric, side, other, level, weighted, least)
    if isinstance(tested, str):
        return {**told, "untested": tested}
    statistic, p_value, low, high = tested
    return {**told, "statistic": statistic, "p_value": p_value, "interval": {"low": low, "high": high, "level": level}}


def value_of(metric, rows, weighted=False):
    if metric == "responses":
        return float(len(rows)) if rows else None
    if metric == "time_to_first_response":
        times = durations(rows)
        return np.mean(times) if len(times) else None
    if not rows:
        return None
    if metric == "nps":
        promoters, passives, detractors = sums(rows, weighted)
        return 100 * (promoters - detractors) / (promoters + passives + detractors)
    points = np.array([row["score"] for row in rows])
    return 100 * np.mean(points >= 4) if metric == "csat" else np.mean(points)


def durations(rows):
    return np.array([(row["answered"] - row["time"]).total_seconds() for row in rows if row["answered"]])


def weights(rows, weighted):
    return np.array([float(row["weight"]) if weighted else 1.0 for row in rows])


def sums(rows, weighted):
    points, heavy = np.array([row["score"] for row in rows]), weights(rows, weighted)
    return np.array([heavy[points >= 9].sum(), heavy[(points >= 7) & (points <= 8)].sum(), heavy[points <= 6].sum()])


def effective(rows, weighted):
    heavy = weights(rows, weighted)
    return heavy.sum() ** 2 / (heavy**2).sum()


def moments(counts):
    """Mean and variance of one answer that counts 100, 0 or -100."""
    shares = counts / counts.sum()
    mean = 100 * (shares[0] - shares[2])
    return mean, 1e4 * (shares[0] + shares[2]) - mean**2


def scores(_, side, other, level, weighted, __):
    found = []
    for rows in (side, other):
        of = sums(rows, weighted)
        adjusted = of / of.sum() * effective(rows, weighted) + np.array([0.75, 1.5, 0.75])
        mean, variance = moments(adjusted)
        found.append((mean, variance / adjusted.sum()))
    shift, error = found[0][0] - found[1][0], math.sqrt(found[0][1] + found[1][1])
    reach = stats.norm.ppf(0.5 + level / 2) * error
    return shift / error, 2 * stats.norm.sf(abs(shift / error)), max(-200, shift - reach), min(200, shift + reach)


def shares(_, side, other, level, __, ___):
    hits = np.array([sum(row["score"] >= 4 for row in rows) for rows in (side, other)])
    sizes = np.array([len(side), len(other)])
    return shares_differ(hits, sizes, level)


def means(metric, side, other, level, _, least):
    if metric == "ces":
        side, other = (np.array([row["score"] for row in rows], dtype=float) for rows in (side, other))
    else:
        side, other = durations(side), durations(other)
    if min(len(side), len(other)) < least:
        return "too_few"
    if np.ptp(side) == 0 and np.ptp(other) == 0:
        return "no_spread"
    test = stats.ttest_ind(side, other, equal_var=False)
    limits = test.confidence_interval(level)
    return test.statistic, test.pvalue, limits.low, limits.high


def trends(metric, rows, by, parameters, level, counts):
    weighted = dict(parameters).get("weighted") == "true"
    found = {}
    for group in sorted({row["channel"] for row in rows}) if by else [""]:
        months = [[] for _ in range(MONTHS)]
        for row in rows:
            if not by or row["channel"] == group:
                months[(row["time"].year - 2023) * 12 + row["time"].month - 1].append(row)
        values = [value_of(metric, some, weighted) for some in months]
        places = [place for place, value in enumerate(values) if value is not None]
        found[group] = series(metric, places, [values[place] for place in places], [months[place] for place in places], level, weighted)
    of_slopes = [group for group in found if found[group]["p_value"] is not None]
    adjusted = multipletests([found[group]["p_value"] for group in of_slopes], method="fdr_bh")[1] if of_slopes else []
    for group, p_value in zip(of_slopes, adjusted):
        slope = found[group]["slope"]
        found[group]["adjusted_p_value"] = p_value
        found[group]["course"] = "not_shown" if p_value >= 1 - level or slope == 0 else "rises" if slope > 0 else "falls"
        counts["slopes"] += 1
        counts["turns"] += found[group]["turn"] is not None
    return found


def series(metric, places, values, months, level, weighted):
    told = {"points": len(values), "method": "sen", "slope": None, "slope_interval": None, "p_value": None, "adjusted_p_value": None,
            "fit_p_value": None, "course": "too_short", "turn": None}
    variances = variances_of(metric, months, weighted)
    places, values = np.array(places, dtype=float), np.array(values)
    if variances is not None and len(values) > 1:
        line = sm.WLS(values, sm.add_constant(places), weights=1 / variances).fit()
        slope, error = line.params[1], math.sqrt(line.normalized_cov_params[1, 1])
        reach = stats.norm.ppf(0.5 + level / 2) * error
        residual = ((values - line.fittedvalues) ** 2 / variances).sum()
        told.update(method="weighted", slope=slope, slope_interval={"low": slope - reach, "high": slope + reach, "level": level},
                    p_value=2 * stats.norm.sf(abs(slope / error)),
                    fit_p_value=stats.chi2.sf(residual, len(values) - 2) if len(values) > 2 else None)
        if len(values) >= 4 and np.ptp(values) > 0:
            told["turn"] = weighted_turn(places, values, variances)
        return told
    if variances is not None and len(values):
        told["method"] = "weighted"
    if variances is None and len(values) > 1:
        sen = stats.theilslopes(values, places, alpha=level)
        told.update(slope=sen.slope, slope_interval={"low": sen.low_slope, "high": sen.high_slope, "level": level})
        if len(values) >= 4:
            told["p_value"] = mann_kendall(values)
            if np.ptp(values) > 0:
                told["turn"] = pettitt(places, values)
    return told


def variances_of(metric, months, weighted):
    """Of each point; none where one has none."""
    if metric == "responses" or not months:
        return None
    if metric == "time_to_first_response":
        times = [durations(some) for some in months]
        return np.array([of.var(ddof=1) / len(of) for of in times]) if all(len(of) >= 200 for of in times) else None
    everything = [row for some in months for row in some]
    if metric == "nps":
        of_one = moments(sums(everything, weighted))[1]
    else:
        points = np.array([row["score"] for row in everything], dtype=float)
        of_one = (100 * (points >= 4)).var() if metric == "csat" else points.var(ddof=1) if len(points) > 1 else 0
    if of_one <= 1e-12:
        return None
    return np.array([of_one / effective(some, weighted) for some in months])


def month(place):
    place = int(place)
    return f"{2023 + place // 12}-{place % 12 + 1:02}-01T00:00:00Z"


def weighted_turn(places, values, variances):
    heavy = 1 / variances
    at_cuts = of_cuts(values[None, :], heavy)[0]
    z = at_cuts.max()
    # Of cuts that are equally good rounding chooses one.
    cuts = [int(cut) + 1 for cut in np.flatnonzero(at_cuts >= z * (1 - 1e-9))]
    shifts = [np.average(values[cut:], weights=heavy[cut:]) - np.average(values[:cut], weights=heavy[:cut]) for cut in cuts]
    bound = 2 * stats.norm.sf(z) * (len(values) - 1)
    simulated = np.random.default_rng(1).normal(size=(20_000, len(values))) * np.sqrt(variances)
    chance = np.mean(of_cuts(simulated, heavy).max(axis=1) >= z)
    room = 5 * math.sqrt(max(chance * (1 - chance), 1e-4) / 10_000) + 1e-3
    return {"time": OneOf([month(places[cut]) for cut in cuts]), "difference": OneOf(shifts),
            "p_value": Chance(bound, 1e-9) if bound < 1e-3 else Chance(min(chance, bound), room)}


def of_cuts(values, heavy):
    """Of each series the |z| of each cut, by how many points lie before it."""
    before, sums = np.cumsum(heavy)[:-1], np.cumsum(values * heavy, axis=1)
    after = heavy.sum() - before
    return np.abs((sums[:, -1:] - sums[:, :-1]) / after - sums[:, :-1] / before) / np.sqrt(1 / before + 1 / after)


def mann_kendall(values):
    size = len(values)
    s = sum(np.sign(values[later] - values[first]) for first in range(size) for later in range(first + 1, size))
    ties = np.unique(values, return_counts=True)[1]
    variance = (size * (size - 1) * (2 * size + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
    return 2 * stats.norm.sf(max(0, abs(s) - 1) / math.sqrt(variance)) if variance else 1.0


def pettitt(places, values):
    size, ranks = len(values), stats.rankdata(values)
    sums = np.array([2 * ranks[:cut].sum() - cut * (size + 1) for cut in range(1, size + 1)])
    cut = int(np.abs(sums).argmax()) + 1
    k = np.abs(sums).max()
    if k == 0:
        return None
    return {"time": month(places[cut]), "difference": np.median(values[cut:]) - np.median(values[:cut]),
            "p_value": min(1, 2 * math.exp(-6 * k**2 / (size**3 + size**2)))}


def instant(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    main(*sys.argv[1:])
