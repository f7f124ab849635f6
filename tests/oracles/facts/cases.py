"""Figures of complaints."""

import numpy as np
from scipy import stats

from facts.times import SECOND, within

# Below so many times their mean has no interval.
ENOUGH = 200


def complaints_opened(_, cases, start, end, parameters):
    some = within(cases, start, end)
    responded, resolved = int(some.first_response_time.notna().sum()), int(some.first_resolve_time.notna().sum())
    return {"value": len(some) or None, "opened": len(some), "responded": responded, "resolved": resolved}


def time_to_first_response(_, cases, start, end, parameters):
    some = within(cases, start, end)
    is_answered = some.first_response_time.notna()
    waiting = int((~is_answered & (some.state != "CANCELLED")).sum())
    times = (some.first_response_time[is_answered] - some.time[is_answered]).to_numpy(dtype="float64") / SECOND
    told = {"value": None, "responded": len(times), "waiting": waiting, "low": None, "high": None}
    if not len(times):
        return told
    told |= {f"p{share}": np.percentile(times, share) for share in [50, 75, 90, 95, 99]} | {"mean": times.mean(), "max": times.max()}
    wanted = parameters.get("statistic", "mean")
    told["value"] = told["p50" if wanted == "median" else wanted]
    if wanted == "mean" and len(times) >= ENOUGH:
        told["low"], told["high"] = stats.t.interval(float(parameters["level"]), len(times) - 1, times.mean(), stats.sem(times))
    return told
