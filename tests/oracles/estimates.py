"""Compares the statistics with what scipy, statsmodels, lifelines and pandas make of them.

estimates.py PROGRAM [CASES [SEED]]

PROGRAM computes (see services/statistics/examples/statistics.rs). Each kind of question is asked CASES times about random
data, ties, single values and data without spread among them. Whatever differs by more than the tolerance that is written
beside the kind is printed, and the program fails; it fails too when a kind was refused too often, and when it does not
notice an answer that was falsified by three times the tolerance.
"""

import itertools
import json
import math
import random
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm
from lifelines import AalenJohansenFitter, KaplanMeierFitter
from lifelines.exceptions import StatError
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import restricted_mean_survival_time
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import SquareTable
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest

from suite import must_notice

SEQUENCES = (list, tuple, np.ndarray, pd.Index, pd.Series)
LEVELS = [0.8, 0.9, 0.95, 0.99]


class Kind:
    """A question: `case` makes one at random, `expected` answers it by other means, None where there is no answer."""

    def __init__(self, name, case, expected, tolerance=1e-9, answered=0.5, part=1.0):
        self.name, self.case, self.expected = name, case, expected
        self.tolerance, self.answered, self.part = tolerance, answered, part


def main(program, cases=300, seed=None):
    # What other programs think of data without spread.
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    seed = random.randrange(2**32) if seed is None else seed
    print(f"estimates: {len(KINDS)} kinds of {cases} random cases, seed {seed}")
    rng = np.random.default_rng(seed)
    failed = False
    for kind in KINDS:
        asks = [{"ask": kind.name, **kind.case(rng)} for _ in range(math.ceil(cases * kind.part))]
        answers = told(program, asks)
        expected = [kind.expected(ask) for ask in asks]
        answered = [index for index, of in enumerate(expected) if of is not None]
        wrong = [line for ask, of, answer in zip(asks, expected, answers) for line in differences(kind, ask, of, answer)]
        print(f"estimates: {kind.name}: {len(answered)} compared to {kind.tolerance:g}, {len(asks) - len(answered)} without "
              f"an answer; {len(wrong)} differ")
        for line in wrong[:5]:
            print(f"  {line[:1000]}")
        failed = failed or bool(wrong)
        if len(answered) < len(asks) * kind.answered:
            sys.exit(f"estimates: {kind.name}: too little was compared")
        if not wrong:
            falsify(kind, asks, expected, answers)
    if failed:
        sys.exit(1)


def told(program, asks):
    lines = "".join(json.dumps(ask) + "\n" for ask in asks)
    answers = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    if len(answers) != len(asks):
        sys.exit(f"estimates: {len(answers)} answers to {len(asks)} questions")
    return [json.loads(line) for line in answers]


def differences(kind, ask, expected, answer):
    if expected is None or answer is None:
        return [] if expected is answer else [f"expected {expected}, told {answer}: {json.dumps(ask)}"]
    return [f"{name}: expected {plain(value)}, told {answer.get(name)}: {json.dumps(ask)}"
            for name, value in expected.items() if not close(value, answer.get(name), kind.tolerance)]


def plain(value):
    return [plain(one) for one in value] if isinstance(value, SEQUENCES) else value


def close(expected, found, tolerance):
    """Equal, or as numbers no further apart than the tolerance, or than this part of the expected one if it exceeds 1."""
    if isinstance(expected, SEQUENCES):
        return (isinstance(found, list) and len(expected) == len(found)
                and all(close(one, other, tolerance) for one, other in zip(list(expected), found)))
    if expected is None or isinstance(expected, (bool, str)) or found is None:
        return expected == found
    if isinstance(expected, Limit):
        beyond = (found - expected) * expected.side
        return -2 * tolerance * max(1.0, abs(expected)) <= beyond <= 1e-9 * abs(expected)
    return abs(float(expected) - found) <= tolerance * max(1.0, abs(float(expected)))


def falsify(kind, asks, expected, answers):
    """Each figure of an answer, falsified by three times its tolerance, must be noticed."""
    for name in sorted({name for of in expected for name in of or ()}):
        false = ((ask, of, answer, falsified(answer[name], kind.tolerance)) for ask, of, answer in zip(asks, expected, answers) if of and name in of)
        must_notice(f"a false `{name}` of {kind.name}", [one for one in false if one[3] is not None],
                    lambda one: differences(kind, one[0], one[1], {**one[2], name: one[3]}))


def falsified(value, tolerance):
    """None where there is no number to falsify."""
    if isinstance(value, list):
        for index, one in enumerate(value):
            if (false := falsified(one, tolerance)) is not None:
                return [*value[:index], false, *value[index + 1:]]
        return None
    if isinstance(value, bool):
        return not value
    if value is None:
        return None
    return value + 1 if isinstance(value, int) else value + 3 * tolerance * max(1.0, abs(value))


def level(rng):
    return float(rng.choice(LEVELS))


def size(rng, least=1, most=3_000):
    """Few as often as many."""
    return int(round(math.exp(rng.uniform(math.log(least), math.log(most)))))


# Two scores: Wald of the counts (with n_eff in place of n), or of adjusted ones, with normal quantiles from scipy.

def nps_case(rng):
    def side():
        counts = rng.multinomial(size(rng), rng.dirichlet([1, 1, 1]))
        if rng.random() < 0.5:
            return [*map(float, counts), float(counts.sum())]
        weights = [rng.gamma(2, 1, count) + 0.01 for count in counts]
        return [*(float(of.sum()) for of in weights), float(sum((of ** 2).sum() for of in weights))]

    return {"before": side(), "after": side(), "plain": bool(rng.random() < 0.3), "level": level(rng)}


def nps_expected(ask):
    scores, means, errors = [], [], []
    for *sums, squares in (ask["before"], ask["after"]):
        total = sum(sums)
        effective = total ** 2 / squares
        counts = np.array(sums) * effective / total
        scores.append(100 * (counts[0] - counts[2]) / counts.sum())
        if ask["plain"]:
            if effective < 50:
                return None
        else:
            counts = counts + [0.75, 1.5, 0.75]
        values = np.repeat([100.0, 0.0, -100.0], 1)
        mean = np.average(values, weights=counts)
        means.append(mean)
        errors.append(np.average((values - mean) ** 2, weights=counts) / counts.sum())
    error = math.sqrt(sum(errors))
    if error == 0:
        return None
    shift = means[1] - means[0]
    limits = np.clip(stats.norm.interval(ask["level"], shift, error), -200, 200)
    return {"difference": scores[1] - scores[0], "interval": limits, "z": shift / error,
            "p_value": 2 * stats.norm.sf(abs(shift / error))}


# Two shares: statsmodels' Newcombe interval and pooled z test.

def proportion_case(rng):
    def side():
        count = size(rng)
        return [int(rng.binomial(count, rng.beta(0.7, 0.7))), count]

    return {"before": side(), "after": side(), "level": level(rng)}


def proportion_expected(ask):
    (hits1, size1), (hits2, size2) = ask["before"], ask["after"]
    alpha = 1 - ask["level"]
    limits = confint_proportions_2indep(hits2, size2, hits1, size1, method="newcomb", alpha=alpha)
    z, p_value = proportions_ztest([hits2, hits1], [size2, size1])
    if hits1 + hits2 in (0, size1 + size2):
        z, p_value = 0, 1
    return {"difference": 100 * (hits2 / size2 - hits1 / size1), "interval": [100 * limit for limit in limits], "z": z,
            "p_value": p_value,
            "before": [100 * limit for limit in proportion_confint(hits1, size1, alpha, method="wilson")]}


# Two means: scipy's Welch test.

def mean_case(rng):
    def side():
        values = rng.lognormal(rng.normal(), rng.uniform(0.1, 1.5), size(rng))
        return [float(value) for value in (np.round(values) if rng.random() < 0.4 else values)]

    return {"before": side(), "after": side(), "level": level(rng)}


def mean_expected(ask):
    before, after = np.array(ask["before"]), np.array(ask["after"])
    if min(len(before), len(after)) < 2 or (np.ptp(before) == 0 and np.ptp(after) == 0):
        return None
    test = stats.ttest_ind(after, before, equal_var=False)
    return {"difference": after.mean() - before.mean(), "interval": list(test.confidence_interval(ask["level"])),
            "t": test.statistic, "degrees_of_freedom": test.df, "p_value": test.pvalue}


# Many tests: statsmodels' adjustment.

def discovery_case(rng):
    p_values = np.where(rng.random(size(rng, 1, 300)) < 0.3, rng.random() * 1e-3, 1) * rng.random()
    p_values = p_values * rng.random(len(p_values))
    return {"p_values": [float(p) for p in (np.round(p_values, 2) if rng.random() < 0.3 else p_values)]}


def discovery_expected(ask):
    return {"adjusted": multipletests(ask["p_values"], method="fdr_bh")[1]}


# Survival: lifelines' Kaplan-Meier and log-rank test.

def lives(rng, late):
    count = size(rng, 1, 400)
    exits = np.ceil(rng.weibull(rng.uniform(0.6, 2), count) * rng.integers(5, 500))
    events = rng.random(count) < rng.random() ** 0.5
    entries = np.floor(exits * rng.random(count) * 0.8)
    # The first did not, for lifelines starts to count when the first entered.
    is_late = (np.arange(count) > 0) & (rng.random(count) < 0.3) & (entries < exits) & late
    return [[int(entry) if of else None, int(exit), bool(event)]
            for entry, of, exit, event in zip(entries, is_late, exits, events)]


def survival_case(rng):
    ask = {"lives": lives(rng, rng.random() < 0.4), "until": int(rng.integers(1, 600)), "level": level(rng)}
    try:
        survival_expected(ask)
    except StatError:
        # Everybody who was at risk early on had the event: lifelines refuses what then is a curve of zeros.
        return survival_case(rng)
    return ask


def survival_expected(ask):
    entries, exits, events = zip(*ask["lives"])
    late = [entry or 0 for entry in entries] if any(entries) else None
    fitter = KaplanMeierFitter(alpha=1 - ask["level"]).fit(exits, events, entry=late)
    table = fitter.event_table[fitter.event_table["observed"] > 0]
    survival = fitter.survival_function_["KM_estimate"].loc[table.index]
    limits = fitter.confidence_interval_
    intervals = [None if not 0 < of < 1 else list(limits.loc[time]) for time, of in survival.items()]
    inside = limits[(fitter.survival_function_["KM_estimate"] > 0) & (fitter.survival_function_["KM_estimate"] < 1)]
    medians = [first(inside.index[inside[column] <= 0.5]) for column in inside.columns]
    known = ask["until"] <= max(exits) or survival.iloc[-1:].eq(0).any()
    # The table counts who enters at a time as at risk there; the estimate does not.
    at_risk = table["at_risk"] - table["entrance"] * (table.index > 0)
    return {"times": table.index, "at_risk": at_risk, "survival": survival, "intervals": intervals,
            "median": first(survival.index[survival <= 0.5 + 1e-12]), "median_limits": medians,
            "restricted_mean": restricted_mean_survival_time(fitter, ask["until"]) if known else None}


def first(times):
    return float(times[0]) if len(times) else None


def log_rank_case(rng):
    return {"groups": [lives(rng, False) for _ in range(int(rng.integers(2, 6)))]}


def log_rank_expected(ask):
    rows = [(exit, event, group) for group, of in enumerate(ask["groups"]) for _, exit, event in of]
    # lifelines counts groups that were gone before the first event; R does not.
    start = min((exit for exit, event, _ in rows if event), default=math.inf)
    present = {group for exit, _, group in rows if exit >= start}
    if len(present) < 2:
        return None
    rows = [row for row in rows if row[2] in present]
    exits, events, groups = map(np.array, zip(*rows))
    test = multivariate_logrank_test(exits, groups, events)
    if not np.isfinite(test.test_statistic):
        return None
    return {"statistic": test.test_statistic, "degrees_of_freedom": test.degrees_of_freedom, "p_value": test.p_value}


# Competing risks: what the definition makes of a table of times by pandas, and lifelines where no two ends are at the same time
# (it moves those apart at random).

def competing_case(rng):
    causes = int(rng.integers(1, 5))
    ask = {"lives": [[entry, exit, int(rng.integers(causes)) if event else None] for entry, exit, event in lives(rng, rng.random() < 0.3)],
           "causes": causes, "level": level(rng)}
    if rng.random() < 0.4:
        ask["lives"] = [[None, place + 1, cause] for place, (_, _, cause) in enumerate(ask["lives"])]
    return ask


def competing_expected(ask):
    rows = pd.DataFrame(ask["lives"], columns=["entry", "exit", "cause"], dtype=object)
    exits, causes = rows["exit"].astype(int).to_numpy(), rows["cause"].to_numpy()
    entries = np.array([-1 if entry is None else entry for entry in rows["entry"]])
    went = np.array([cause is not None for cause in causes])
    times = np.unique(exits[went])
    n = np.array([((entries < at) & (exits >= at)).sum() for at in times], dtype=float)
    d = np.array([[(went & (exits == at) & (causes == cause)).sum() for at in times] for cause in range(ask["causes"])],
                 dtype=float).reshape(ask["causes"], len(times))
    before = np.concatenate([[1.0], np.cumprod(1 - d.sum(axis=0) / n)[:-1]]) if len(times) else np.array([])
    z = stats.norm.ppf((1 + ask["level"]) / 2)
    told = {name: [] for name in ["times", "events", "shares", "errors", "intervals"]}
    for own in d:
        shares = np.cumsum(before * own / n)
        errors = []
        for place in range(len(times)):
            at = slice(0, place + 1)
            gone, all_of, mine, risk = shares[place] - shares[at], d.sum(axis=0)[at], own[at], n[at]
            # Who were all that were at risk leave nobody for a later time.
            greenwood = np.where(all_of < risk, all_of / np.where(all_of < risk, risk * (risk - all_of), 1), 0)
            variance = (gone ** 2 * greenwood + before[at] ** 2 * mine * (risk - mine) / risk ** 3 - 2 * gone * before[at] * mine / risk ** 2)
            errors.append(math.sqrt(max(variance.sum(), 0)))
        rises = np.flatnonzero(own)
        told["times"].append(times[rises])
        told["events"].append(own[rises])
        told["shares"].append(shares[rises])
        told["errors"].append([errors[place] for place in rises])
        told["intervals"].append([log_log(shares[place], errors[place], z) for place in rises])
    check_lifelines(ask, exits, causes, times, told)
    return told


def log_log(share, error, z):
    if share >= 1 - 1e-12:
        return None
    reach = z * error / (share * math.log(share))
    return sorted([math.exp(-math.exp(math.log(-math.log(share)) + side * reach)) for side in (-1, 1)])


def check_lifelines(ask, exits, causes, times, told):
    if len(np.unique(exits)) < len(exits) or any(entry is not None for entry, _, _ in ask["lives"]) or not len(told["times"][0]):
        return
    kinds = np.array([0 if cause is None else cause + 1 for cause in causes])
    fitter = AalenJohansenFitter(alpha=1 - ask["level"], calculate_variance=True).fit(exits, kinds, event_of_interest=1)
    found = fitter.cumulative_density_.iloc[:, 0].loc[told["times"][0]]
    variances = fitter.variance_.loc[told["times"][0]].to_numpy().ravel()
    shares, errors = np.array(told["shares"][0]), np.array(told["errors"][0])
    # Where all that were at risk went, lifelines has no variance.
    known = np.isfinite(variances) & (shares < 1 - 1e-12) & (np.array(told["times"][0]) < times[-1])
    if not np.allclose(found, shares, atol=1e-9) or not np.allclose(variances[known], errors[known] ** 2, atol=1e-9):
        sys.exit(f"estimates: lifelines makes something else of {json.dumps(ask)}")


# Consistency of channels: a one-way analysis of variance, and scipy's noncentral chi-squared distribution.

def consistency_case(rng):
    channels = [list(map(int, rng.multinomial(size(rng, 1, 800), rng.dirichlet([2, 2, 1] if rng.random() < 0.5 else [5, 3, 2]))))
                for _ in range(int(rng.integers(2, 7)))]
    return {"channels": channels, "level": level(rng)}


def consistency_expected(ask):
    answers = [np.repeat([1.0, 0.0, -1.0], counts) for counts in ask["channels"]]
    every = np.concatenate(answers)
    n, k = len(every), len(answers)
    if n <= k:
        return None
    between = sum(len(of) * (of.mean() - every.mean()) ** 2 for of in answers)
    within = sum(((of - of.mean()) ** 2).sum() for of in answers) / (n - k)
    told = {"spread": math.sqrt(max(between - (k - 1) * within, 0) / n), "found": math.sqrt(between / n), "limits": None}
    if within > 1e-12:
        tail = (1 - ask["level"]) / 2
        limits = [noncentrality(found / within, k - 1, share)
                  for found, share in [(between, 1 - tail), (max(between, (k - 1) * within), tail)]]
        told["limits"] = [math.sqrt(limit * within / n) for limit in limits]
    return told


def noncentrality(x, freedom, share):
    if stats.chi2.cdf(x, freedom) <= share:
        return 0.0
    return optimize.brentq(lambda away: stats.ncx2.cdf(x, freedom, away) - share, 1e-12, 10 * x + 100, xtol=1e-13, rtol=1e-13)


# Churn, by a table of who is active at each instant of interest.

DAY = 86_400_000_000


def churn_case(rng):
    days = int(rng.integers(1, 40))
    bounds = [day * DAY for day in range(days + 1)]
    instants = [int(instant) for instant in rng.integers(-20, days + 20, 60) * DAY + rng.integers(0, 3, 60) * DAY // 2]
    ask = {"bounds": bounds, "at": int(rng.choice(instants))}
    count = int(rng.integers(0, 60))
    if rng.random() < 0.5:
        return {**ask, "customers": [subscriptions(rng, instants) for _ in range(count)]}
    return {**ask, "days": int(rng.integers(1, 20)),
            "customers": [[int(sale) for sale in rng.choice(instants, rng.integers(0, 6))] for _ in range(count)]}


def subscriptions(rng, instants):
    pairs = [sorted(int(instant) for instant in rng.choice(instants, 2)) for _ in range(rng.integers(0, 4))]
    return [[start, None if rng.random() < 0.4 else end] for start, end in pairs]


def churn_expected(ask):
    start, end = ask["bounds"][0], ask["bounds"][-1]
    counts = pd.DataFrame([churned(ask, customer) for customer in ask["customers"]], columns=["was", "came", "is"])
    departures = np.zeros(len(ask["bounds"]) - 1)
    present = np.zeros(len(departures))
    for customer in ask["customers"]:
        for index, (day, after) in enumerate(zip(ask["bounds"], ask["bounds"][1:])):
            present[index] += active(ask, customer, day)
            departures[index] += sum(active(ask, customer, instant) and not active(ask, customer, instant + 1)
                                     for instant in ends(ask, customer) if day <= instant < after)
    gone = counts[~counts["is"].astype(bool)]
    at_start = counts["was"].sum()
    with_new = (counts["was"] | counts["came"]).sum()
    at = ask["at"]
    ever = [customer for customer in ask["customers"] if begun(ask, customer, at)]
    return {"churn_standard": share(gone["was"].sum(), at_start), "churn_all_departures": share(departures.sum(), at_start),
            "churn_over_start_plus_new": share((gone["was"] | gone["came"]).sum(), with_new),
            "churn_daily_sum": 100 * (departures / present)[present > 0].sum() if present.any() else None,
            "retention": share((counts["was"] & counts["is"]).sum(), at_start),
            "inactive": [sum(not active(ask, customer, at) for customer in ever), len(ever)]}


def active(ask, customer, at):
    if "days" in ask:
        return any(at - ask["days"] * DAY <= sale < at for sale in customer)
    return any(start <= at and (end is None or at < end) for start, end in customer)


def begun(ask, customer, at):
    return any(sale < at for sale in customer) if "days" in ask else any(
        start <= at and (end is None or start < end) for start, end in customer)


def ends(ask, customer):
    """The last instants at which the customer can have been active."""
    if "days" in ask:
        return {sale + ask["days"] * DAY for sale in customer}
    return {end - 1 for _, end in customer if end is not None}


def starts(ask, customer):
    if "days" in ask:
        return {sale + 1 for sale in customer}
    return {start for start, _ in customer}


def churned(ask, customer):
    start, end = ask["bounds"][0], ask["bounds"][-1]
    came = any(active(ask, customer, instant) and not active(ask, customer, instant - 1)
               for instant in starts(ask, customer) if start < instant <= end)
    return [active(ask, customer, start), came, active(ask, customer, end)]


def share(part, whole):
    return 100 * part / whole if whole else None


# Retention of cohorts, revenue, lifecycle and stickiness, by pandas.

def retention_case(rng):
    periods = int(rng.integers(1, 15))
    often = rng.random() * 0.6 + 0.05
    return {"definition": str(rng.choice(["on", "on_or_after", "brackets"])), "recurring": bool(rng.random() < 0.4),
            "columns": int(rng.integers(1, 8)), "until": int(rng.integers(0, periods + 1)),
            "customers": [[int(period) for period in np.flatnonzero(rng.random(periods) < often)]
                          for _ in range(rng.integers(0, 50))]}


def retention_expected(ask):
    rows = pd.DataFrame([(customer, period) for customer, active in enumerate(ask["customers"]) for period in active],
                        columns=["customer", "period"])
    starts = rows if ask["recurring"] else rows.groupby("customer", as_index=False).min()
    pairs = starts.merge(rows, on="customer", suffixes=("_start", ""))
    pairs["since"] = pairs["period"] - pairs["period_start"]
    sizes = starts.groupby("period").size()
    rates, averages = {cohort: [] for cohort in sizes.index}, []
    for k in range(ask["columns"]):
        first, end = {"on": (k, k + 1), "on_or_after": (k, math.inf), "brackets": (k * k, (k + 1) ** 2)}[ask["definition"]]
        inside = pairs[(pairs["since"] >= first) & (pairs["since"] < end)]
        kept = inside.groupby("period_start")["customer"].nunique().reindex(sizes.index, fill_value=0)
        for cohort in sizes.index:
            rates[cohort].append(share(kept[cohort], sizes[cohort]))
        over = k + 1 if ask["definition"] == "on_or_after" else end
        finished = sizes.index + over <= ask["until"]
        averages.append(share(kept[finished].sum(), sizes[finished].sum()))
    return {"cohorts": [[cohort, size] for cohort, size in sizes.items()], "rates": list(rates.values()),
            "averages": averages}


def revenue_case(rng):
    amounts = rng.integers(0, 5, (int(rng.integers(0, 80)), 2))
    return {"customers": [[int(previous), int(now), bool(previous > 0 or rng.random() < 0.5)] for previous, now in amounts]}


def revenue_expected(ask):
    table = pd.DataFrame(ask["customers"], columns=["previous", "now", "paid"])
    start, change = table["previous"].sum(), table["now"] - table["previous"]
    lost = -change[(table["previous"] > 0) & (change < 0)].sum()
    expansion = change[(table["previous"] > 0) & (change > 0)].sum()
    first = table["now"][(table["previous"] == 0) & ~table["paid"].astype(bool)].sum()
    again = table["now"][(table["previous"] == 0) & table["paid"].astype(bool)].sum()
    return {"gross_churn": share(lost, start), "net_churn": share(lost - expansion - again, start),
            "gross_retention": share(table[["previous", "now"]].min(axis=1).sum(), start),
            "net_retention": share(table["now"][table["previous"] > 0].sum(), start),
            "quick_ratio": (first + expansion) / lost if lost else None}


def lifecycle_case(rng):
    days = int(rng.integers(2, 15))
    often = rng.random()
    return {"days": days, "now": int(rng.integers(1, days)),
            "customers": [[int(day) for day in np.flatnonzero(rng.random(days) < often * rng.random())]
                          for _ in range(rng.integers(0, 60))]}


def lifecycle_expected(ask):
    seen = pd.DataFrame(np.zeros((len(ask["customers"]), ask["days"]), dtype=bool))
    for row, days in enumerate(ask["customers"]):
        seen.loc[row, days] = True
    now, before = seen[ask["now"]], seen[ask["now"] - 1]
    ever = seen.loc[:, :ask["now"] - 1].any(axis=1)
    stages = [(now & ~ever).sum(), (now & before).sum(), (now & ever & ~before).sum(), (before & ~now).sum()]
    return {"stages": stages, "quick_ratio": (stages[0] + stages[2]) / stages[3] if stages[3] else None,
            "stickiness": share(seen.sum().mean(), seen.any(axis=1).sum())}


# Resampling: scipy's BCa interval. Both vary with their seeds; figures are in units of the standard error.

def bootstrap_case(rng):
    values = rng.gamma(rng.uniform(0.5, 5), 1, size(rng, 15, 150))
    whole = np.round(values * 2)
    # Sums of these are exact, so that resamples that are equal to the estimate are so for scipy too; and of two means that
    # follow one another none is further from the other than the tolerance.
    scale = 2.0 ** round(math.log2(math.sqrt(len(whole)) / whole.std(ddof=1))) if np.ptp(whole) else math.inf
    if rng.random() < 0.5 and scale / len(whole) <= 0.2:
        values = whole * scale
    else:
        values = (values - values.mean()) / values.std(ddof=1) * math.sqrt(len(values))
    kinds, counts = np.unique(values, return_counts=True)
    return {"kinds": [[float(value), 1, int(count)] for value, count in zip(kinds, counts)],
            "seed": int(rng.integers(2**63)), "level": float(rng.choice([0.8, 0.9, 0.95]))}


def bootstrap_expected(ask):
    values = np.repeat([value for value, _, _ in ask["kinds"]], [count for _, _, count in ask["kinds"]])
    if len(ask["kinds"]) < 2:
        return None
    found = stats.bootstrap([values], np.mean, n_resamples=9999, confidence_level=ask["level"], method="BCa",
                            vectorized=True, rng=np.random.default_rng(ask["seed"]))
    return {"estimate": values.mean(), "interval": list(found.confidence_interval), "standard_error": found.standard_error}


# Trend: scipy's Kendall and Theil-Sen estimates, Mann and Kendall's z from its variance, and Pettitt's K of all pairs.

def trend_case(rng):
    count = size(rng, 2, 120)
    values = rng.normal(0, 10, count) + rng.normal(0, 0.3) * np.arange(count)
    values = np.round(values / 5) if rng.random() < 0.4 else values
    times = np.cumsum(rng.integers(1, 4, count)) if rng.random() < 0.3 else np.arange(count)
    return {"values": [float(value) for value in values], "times": [float(time) for time in times], "level": level(rng)}


def trend_expected(ask):
    values, times, count = np.array(ask["values"]), np.array(ask["times"]), len(ask["values"])
    if count < 4 or np.ptp(values) == 0:
        return None
    signs = np.sign(values[None, :] - values[:, None])
    s = np.triu(signs, 1).sum()
    ties = np.unique(values, return_counts=True)[1]
    variance = (count * (count - 1) * (2 * count + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
    z = (s - np.sign(s)) / math.sqrt(variance)
    line = stats.theilslopes(values, times, ask["level"], method="joint")
    changes = [abs(signs[:k, k:].sum()) for k in range(1, count)]
    k = max(changes)
    if k == 0:
        return None
    return {"s": s, "z": z, "p_value": 2 * stats.norm.sf(abs(z)), "tau": stats.kendalltau(range(count), values).statistic,
            "slope": line.slope, "interval": [line.low_slope, line.high_slope], "intercept": line.intercept,
            "k": k, "before": 1 + changes.index(k), "p_change": min(1, 2 * math.exp(-6 * k**2 / (count**3 + count**2)))}


# Scores of known variances: statsmodels' weighted least squares with its scale fixed.

def weighted_trend_case(rng):
    count = size(rng, 1, 60)
    times = np.arange(count) if rng.random() < 0.7 else rng.integers(0, 30, count)
    points = zip(times, rng.normal(30, 20, count), rng.lognormal(2, 2, count))
    return {"points": [[float(number) for number in point] for point in points], "level": level(rng)}


def weighted_trend_expected(ask):
    times, values, variances = np.array(ask["points"]).T
    if np.ptp(times) == 0:
        return None
    line = sm.WLS(values, sm.add_constant(times), 1 / variances).fit(cov_type="fixed scale", use_t=False)
    residual = (line.wresid ** 2).sum()
    return {"slope": line.params[1], "interval": line.conf_int(1 - ask["level"])[1], "standard_error": line.bse[1],
            "z": line.tvalues[1], "p_value": line.pvalues[1], "intercept": line.params[0], "residual": residual,
            "fit": stats.chi2.sf(residual, len(times) - 2) if len(times) > 2 else None,
            "change": max((cut(values, variances, k) for k in range(1, len(values))), key=lambda of: abs(of[2]))}


def cut(values, variances, before):
    means = [np.average(values[of], weights=1 / variances[of]) for of in (slice(before), slice(before, None))]
    errors = [1 / (1 / variances[of]).sum() for of in (slice(before), slice(before, None))]
    return [before, means[1] - means[0], (means[1] - means[0]) / math.sqrt(sum(errors))]


# Key drivers: R² of statsmodels' regressions on all subsets, and relative weights by numpy's matrices.

def drivers_case(rng):
    drivers, count = int(rng.integers(1, 7)), size(rng, 5, 300)
    columns = rng.normal(0, 1, (drivers, count)) + rng.normal(0, 1, count) * rng.uniform(0, 2)
    outcome = rng.normal(0, 1, drivers) @ columns + rng.normal(0, 2, count)
    if rng.random() < 0.3:
        columns[0] = columns[-1] * 3 + 1
    if drivers > 2 and rng.random() < 0.3:
        columns[1] = columns[0] + columns[-1]
    if rng.random() < 0.1:
        columns[0] = 4
    if rng.random() < 0.3:
        columns, outcome = np.round(columns), np.round(outcome)
    return {"outcome": [float(of) for of in outcome], "drivers": [[float(of) for of in column] for column in columns]}


def drivers_expected(ask):
    outcome, columns = np.array(ask["outcome"]), np.array(ask["drivers"])
    count = len(columns)
    if len(outcome) < count + 2 or np.ptp(outcome) == 0:
        return None
    explained = {subset: sm.OLS(outcome, sm.add_constant(columns[list(subset)].T, has_constant="add")).fit().rsquared
                 if subset else 0 for of in range(count + 1) for subset in itertools.combinations(range(count), of)}
    shapley = [sum((explained[tuple(sorted((*subset, driver)))] - explained[subset])
                   / count / math.comb(count - 1, len(subset)) for subset in explained if driver not in subset)
               for driver in range(count)]
    varies = np.ptp(columns, axis=1) > 0
    correlations = np.zeros((count + 1, count + 1))
    inside = np.ix_([*varies, True], [*varies, True])
    correlations[inside] = np.corrcoef([*columns[varies], outcome])
    among = correlations[:count, :count]
    values, vectors = np.linalg.eigh(among)
    root = (vectors * np.sqrt(np.clip(values, 0, None) * (values > 1e-9))) @ vectors.T
    weights = root ** 2 @ (np.linalg.pinv(root, rcond=1e-6) @ correlations[:count, count]) ** 2
    return {"r_squared": explained[tuple(range(count))], "rank": np.linalg.matrix_rank(among, tol=1e-9),
            "relative_weights": weights, "shapley": shapley}


# Moves between categories: pandas' table, and statsmodels' tests of it where all pairs of categories occur.

def transitions_case(rng):
    categories, count = int(rng.integers(2, 5)), size(rng, 1, 500)
    chances = rng.dirichlet(np.ones(categories) * rng.uniform(0.3, 3), categories)
    starts = rng.integers(0, categories, count)
    return {"categories": categories, "moves": [[int(of), int(rng.choice(categories, p=chances[of]))] for of in starts]}


def transitions_expected(ask):
    categories = range(ask["categories"])
    moves = pd.DataFrame(ask["moves"], columns=["before", "after"])
    counts = pd.crosstab(moves["before"], moves["after"]).reindex(index=categories, columns=categories, fill_value=0)
    table = counts.to_numpy()
    if not (table + table.T > 0).all():
        return transitions_of_some(table)
    tests = SquareTable(table, shift_zeros=False)
    return {**transitions_of_some(table), **{
        name: [of.statistic, of.df, of.pvalue]
        for name, of in (("symmetry", tests.symmetry()), ("homogeneity", tests.homogeneity()))}}


def transitions_of_some(table):
    """What is known without a test."""
    rows = [[share(cell, row.sum()) for cell in row] for row in table]
    return {"shares": rows, "directions": [np.trace(table), np.triu(table, 1).sum(), np.tril(table, -1).sum()]}


# Percentiles: numpy's, exactly up to 100,000 values and to 0.1 % beyond, within the limits that are told.

def percentiles_case(rng):
    values = np.round(rng.lognormal(rng.uniform(2, 20), rng.uniform(0.1, 3), size(rng, 1, 2_000)))
    values = values * np.where(rng.random(len(values)) < 0.2 * rng.integers(0, 2), -1, 1)
    return {"values": [int(value) for value in values], "times": 1,
            "shares": [0.0, *map(float, rng.random(5)), 0.5, 0.95, 1.0]}


def percentiles_expected(ask):
    found = np.quantile(ask["values"], ask["shares"])
    return {"exact": True, "values": found, "limits": [[value, value] for value in found]}


def sketch_case(rng):
    count = int(rng.integers(1_000, 2_000))
    values = np.round(rng.lognormal(rng.uniform(2, 20), rng.uniform(0.1, 3), count))
    return {"values": [int(value) for value in values], "times": 101, "shares": [*map(float, rng.random(20)), 0.5, 0.99]}


def sketch_expected(ask):
    found = np.quantile(np.tile(ask["values"], ask["times"]), ask["shares"])
    return {"exact": False, "values": found, "limits": [[Limit(value, 1), Limit(value, -1)] for value in found]}


class Limit(float):
    """What lies below (side 1) or above (−1) a value, and no further from it than twice the tolerance."""

    def __new__(cls, value, side):
        limit = super().__new__(cls, value)
        limit.side = side
        return limit


# Intervals: of scores by solving for the limits and, at each, for the likeliest shares; of means scipy's.

def interval_case(rng):
    counts = rng.integers(0, 10 ** int(rng.integers(1, 5)), 3) * (rng.random(3) < 0.8)
    counts = counts if counts.sum() else np.array([0, 1, 0])
    return {"counts": [float(count) for count in counts * rng.choice([1.0, 0.37])], "level": float(rng.choice(LEVELS))}


def interval_expected(ask):
    promoters, passives, detractors = ask["counts"]
    size, z = sum(ask["counts"]), stats.norm.ppf(0.5 + ask["level"] / 2)
    net = (promoters - detractors) / size

    def variance(delta):
        # The two extremes differ by delta; of the room that leaves, t is what makes the likelihood greatest for both of
        # them together. Told so, nothing is subtracted from what it nearly equals, however close delta is to 1 or -1.
        room = 1 - abs(delta)
        more, less = (promoters, detractors) if delta >= 0 else (detractors, promoters)
        slope = lambda t: (more / (2 * abs(delta) / room + t) if more else 0) + (less / t if less else 0) - (
            passives / (1 - t) if passives else 0)
        lowest, highest = 1e-13, 1 - 1e-13
        if room == 0 or slope(lowest) <= 0:
            t = 0.0
        elif slope(highest) >= 0:
            t = 1.0
        else:
            t = optimize.brentq(slope, lowest, highest, xtol=1e-16, rtol=1e-15)
        return room * (abs(delta) + t)

    def limit(end):
        if net == end:
            return end
        excess = lambda delta: abs(net - delta) * math.sqrt(size) - z * math.sqrt(variance(delta))
        # At the score itself both may be 0, which is no limit.
        return optimize.brentq(excess, end, net + (end - net) * 1e-9, xtol=1e-15, rtol=1e-14)

    more = np.array(ask["counts"]) + [0.75, 1.5, 0.75]
    values = np.array([100, 0, -100])
    mean = (more * values).sum() / more.sum()
    reach = z * math.sqrt((more * (values - mean) ** 2).sum() / more.sum() ** 2)
    return {"score": [100 * limit(-1.0), 100 * limit(1.0)],
            "adjusted_wald": np.clip([mean - reach, mean + reach], -100, 100)}


def mean_interval_case(rng):
    size = max(1.5, rng.uniform(1, 1e5) ** rng.uniform(0, 1)) if rng.random() < 0.9 else rng.uniform(1.0, 1.49)
    sample = [rng.normal() * 100, rng.exponential() * 50 * (rng.random() < 0.9), size]
    return {"sample": [float(of) for of in sample], "level": float(rng.choice(LEVELS))}


def mean_interval_expected(ask):
    mean, variance, size = ask["sample"]
    if size - 1 < 0.5:
        return {"limits": None}
    reach = stats.t.ppf(0.5 + ask["level"] / 2, size - 1) * math.sqrt(variance / size)
    return {"limits": [mean - reach, mean + reach]}


KINDS = [
    Kind("nps_interval", interval_case, interval_expected, tolerance=1e-7),
    Kind("mean_interval", mean_interval_case, mean_interval_expected, tolerance=1e-8),
    Kind("nps_difference", nps_case, nps_expected),
    Kind("proportion_difference", proportion_case, proportion_expected),
    Kind("mean_difference", mean_case, mean_expected),
    Kind("adjusted_p_values", discovery_case, discovery_expected, tolerance=1e-14),
    Kind("kaplan_meier", survival_case, survival_expected),
    Kind("log_rank", log_rank_case, log_rank_expected, tolerance=1e-7),
    Kind("aalen_johansen", competing_case, competing_expected, tolerance=1e-7, part=0.5),
    Kind("consistency", consistency_case, consistency_expected, tolerance=1e-5),
    Kind("churn", churn_case, churn_expected),
    Kind("retention", retention_case, retention_expected),
    Kind("revenue", revenue_case, revenue_expected),
    Kind("lifecycle", lifecycle_case, lifecycle_expected),
    Kind("bootstrap", bootstrap_case, bootstrap_expected, tolerance=0.3, part=0.2),
    Kind("trend", trend_case, trend_expected),
    Kind("weighted_trend", weighted_trend_case, weighted_trend_expected, tolerance=1e-8),
    Kind("drivers", drivers_case, drivers_expected, tolerance=1e-7, part=0.5),
    Kind("transitions", transitions_case, transitions_expected, tolerance=1e-8),
    Kind("percentiles", percentiles_case, percentiles_expected, tolerance=1e-12),
    Kind("percentiles", sketch_case, sketch_expected, tolerance=1 / 1024, part=0.03),
]

if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
