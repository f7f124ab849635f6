"""Figures of definitions beside one another: of a group and the rest, or another group, or another time."""

from collections import defaultdict

from statsmodels.stats.multitest import multipletests

from facts.definition import Query, rows
from facts.intervals import shares_differ


def comparisons(company, definition, by, where, level, against, periods):
    """By group what is told, and the groups that have facts; `against` is `rest`, the value of a group, or the period of the other side."""
    query = Query(by, where, (("level", level),))
    sides = [of_groups(company, definition, query, period) for period in ([periods, against] if isinstance(against, tuple) else [periods])]
    pairs, overlaps = {}, set()
    if isinstance(against, tuple):
        pairs = {group: (sides[0].get(group), sides[1].get(group)) for group in {**sides[0], **sides[1]}}
    else:
        whole = of_groups(company, definition, Query((), where, query.parameters), periods)
        families = defaultdict(dict)
        for group, figure in sides[0].items():
            families[tuple((name, value) for name, value in group if name not in by)][group] = figure
        for family, figures in families.items():
            tallies = [tally(definition, figure) for figure in figures.values()]
            if definition.is_share and tuple(map(sum, zip(*tallies))) != tally(definition, whole[family]):
                overlaps |= set(figures)
            reference = next((figure for group, figure in figures.items() if dict(group)[by[0]] == against), None)
            for group, figure in figures.items():
                if against == "rest":
                    others = [tally(definition, other) for of, other in figures.items() if of != group]
                    pairs[group] = figure, tuple(map(sum, zip(*others))) if others and definition.is_share else None
                elif dict(group)[by[0]] != against:
                    pairs[group] = figure, reference
    found = {group: compare(definition, *pair, float(level), group in overlaps) for group, pair in pairs.items()}
    tested = [group for group in found if found[group]["p_value"] is not None]
    adjusted = multipletests([found[group]["p_value"] for group in tested], method="fdr_bh")[1] if tested else []
    for group, p_value in zip(tested, adjusted):
        one = found[group]
        one["adjusted_p_value"] = p_value
        is_believed = p_value < 1 - float(level)
        one["verdict"] = "not_shown" if not is_believed else "higher" if one["difference"] > 0 else "lower"
    return found, {group for group, pair in pairs.items() if any(has_facts(definition, side) for side in pair if isinstance(side, dict))}


def of_groups(company, definition, query, period):
    return {group: figure for (_, group), figure in rows(company, definition, query, [period]).items()}


def has_facts(definition, figure):
    return figure["value"] is not None or any(figure[part.key] for part in definition.parts if part.place == "counts")


def tally(definition, figure):
    """Of how many how many are so; a rest is nothing else already."""
    return figure if isinstance(figure, tuple) else tuple(figure[part.key] for part in definition.parts)


def compare(definition, figure, other, level, overlaps):
    told = {"difference": None, "interval": None, "statistic": None, "p_value": None, "adjusted_p_value": None, "verdict": "not_tested",
            "untested": None}
    if not definition.is_share:
        values = [side and side["value"] for side in (figure, other)]
        return told | {"difference": values[0] - values[1] if None not in values else None, "untested": "no_test"}
    sides = [side and tally(definition, side) for side in (figure, other)]
    if overlaps:
        return told | {"difference": ..., "untested": "overlap"}
    if not all(side and side[1] for side in sides):
        return told | {"untested": "no_facts"}
    told["difference"] = 100 * (sides[0][0] / sides[0][1] - sides[1][0] / sides[1][1])
    test = shares_differ(*(list(numbers) for numbers in zip(*sides)), level)
    if isinstance(test, str):
        return told | {"untested": test}
    z, p_value, low, high = test
    return told | {"statistic": z, "p_value": p_value, "interval": {"low": low, "high": high, "level": level}}
