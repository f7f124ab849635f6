"""Shares and scores with their intervals, by statsmodels and scipy."""

import math

from scipy import optimize, stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest


def share(hits, size, parameters, **counts):
    told = {"value": 100 * hits / size if size else None, **counts}
    if "level" in parameters:
        limits = proportion_confint(hits, size, alpha=1 - float(parameters["level"]), method="wilson") if size else (None, None)
        told |= {"low": limits[0] if limits[0] is None else 100 * limits[0], "high": limits[1] if limits[1] is None else 100 * limits[1]}
    return told


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


def noncentrality(x, freedom, side):
    if stats.chi2.cdf(x, freedom) <= side:
        return 0.0
    return optimize.brentq(lambda away: stats.ncx2.cdf(x, freedom, away) - side, 1e-12, 10 * x + 100, xtol=1e-13, rtol=1e-13)


def shares_differ(hits, sizes, level):
    """z, p and the limits of the difference of two shares, in percent; or why there is no test."""
    hit, size = sum(hits), sum(sizes)
    if hit in (0, size):
        return "no_spread"
    if min(hit, size - hit) * min(sizes) < 5 * size:
        return "too_few"
    z, p_value = proportions_ztest(hits, sizes)
    low, high = confint_proportions_2indep(hits[0], sizes[0], hits[1], sizes[1], method="newcomb", compare="diff", alpha=1 - level)
    return z, p_value, 100 * low, 100 * high
