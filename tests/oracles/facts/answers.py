"""Figures of answers and of invitations to them."""

import math
from collections import defaultdict

from scipy import stats

from facts.intervals import noncentrality, score_interval, share
from facts.times import within


def nps(_, answers, start, end, parameters):
    scored = within(answers, start, end)
    scored = scored[scored.score.notna()]
    if parameters.get("latest_per_customer") == "true":
        scored = scored[scored.customer_id.isna() | ~scored.sort_values(["time", "number"]).duplicated("customer_id", keep="last")]
    scores = scored.score.astype(int)
    n, p, d = len(scores), int((scores >= 9).sum()), int((scores <= 6).sum())
    low, high = score_interval(p, d, n, float(parameters["level"])) if n else (None, None)
    return {"value": 100 * (p - d) / n if n else None, "answers": n, "promoters": p, "passives": n - p - d, "detractors": d,
            "low": low, "high": high}


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
