"""Rows of an answer beside those that are expected."""

import math
from collections import defaultdict


def rows_differ(name, rows, expected):
    """What differs, and how many numbers were compared. Rows of both are found by the start of the period and the group."""
    expected, wrong, compared = dict(expected), [], 0
    for row in rows:
        key = (row["start"], tuple(sorted(row["group"].items())))
        of = expected.pop(key, None)
        if of is None:
            wrong.append(f"{name} {key}: not expected")
            continue
        told = numbers_of(row)
        compared += len(of)
        wrong += [f"{name} {key} {number}: told {told.get(number)}, expected {is_so}"
                  for number, is_so in of.items() if not same(told.get(number), is_so)]
    # A group of which nothing is counted at any time has no rows.
    is_counted = defaultdict(bool)
    for (_, group), of in expected.items():
        is_counted[group] |= any(of.values())
    return wrong + [f"{name} {group}: has no rows" for group, is_so in is_counted.items() if is_so], compared


def numbers_of(row):
    limits = row["interval"] or {}
    amounts = {f"{name}_amount" if name in row["counts"] else name: amount for name, amount in row["amounts"].items()}
    return {"value": row["value"], "low": limits.get("low"), "high": limits.get("high"), **row["counts"], **row["statistics"], **amounts}


def same(told, expected):
    if told is None or expected is None or isinstance(told, str):
        return told is expected or told == expected
    return math.isclose(told, expected, rel_tol=1e-9, abs_tol=2e-6)
