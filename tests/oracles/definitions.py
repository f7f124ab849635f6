"""Compares metrics that users define with what pandas makes of the exported facts: definitions.py BAROMETER DIRECTORY [CUSTOMERS [SEED]].

BAROMETER brings up a simulated company of a random seed. Definitions are drawn at random and published: variants of built-in metrics,
of some facts only or with other parameters; ratios, some of which are shares; sums with factors. They are asked for by month and for
the whole time in a random time zone, by random dimensions, under conditions and parameters on top, and from the exported facts alone
each part of each row is computed anew, by pandas. Beside that, shares are compared between groups and times, with the test and the
interval of statsmodels; a definition that was revised is asked for in both versions; and slices must add up to the whole. Whatever
differs is printed, and the program fails; it fails too when it has compared too little, and when it does not notice facts that were
falsified.
"""

import copy
import json
import pathlib
import random
import sys
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pandas as pd

from facts.comparisons import comparisons
from facts.company import Company
from facts.definition import METRICS, Query, condition, rows
from facts.draws import Draws, fixed
from facts.files import read
from facts.invented import make_up
from facts.rows import rows_differ, same
from facts.times import ZONES, Months, instant
from suite import Simulated, conclude, must_notice

KINDS = ["surveys.survey", "surveys.response", "surveys.invitation", "customers.purchase", "customers.attribute_change",
         "customers.customer", "customers.interaction", "customers.subscription_event", "customers.membership_event", "customers.referral",
         "customers.cost", "complaints.case"]
# How many are drawn of each kind.
DRAWN = {"variant": 5, "share": 5, "ratio": 6, "sum": 5}
PLAIN = Query(every="month")
PLACES = ["counts", "amounts", "statistics"]
# The least that is to be compared.
FEW = {"variant": 200, "share": 200, "ratio": 200, "sum": 200, "tests": 2, "comparisons": 30, "slices": 100, "versions": 100}


def main(program, directory, customers="150", seed=None):
    seed = seed or str(random.randrange(2**32))
    chance = random.Random(int(seed))
    asked = Months(chance.choice(ZONES), pd.Timestamp(chance.choice([2025, 2026]), chance.randrange(1, 11), 1))
    print(f"definitions: {customers} customers until {asked.until}, seed {seed}, {asked.zone}")
    directory = pathlib.Path(directory)
    directory.mkdir()
    with Simulated(program, directory, customers, chance.randrange(10**6), asked.until) as suite:
        make_up(suite, directory, asked, chance)
        facts = {kind: read(suite, directory, kind) for kind in KINDS}
        draws = Draws(Company(facts, asked), chance)
        told = ask(suite, asked, draws)
    compared = Counter()
    wrong = differences(told, facts, asked, compared)
    summary = ", ".join(f"{compared[kind]} of {kind}" for kind in FEW)
    print(f"definitions: {sum(map(len, facts.values()))} facts, {len(told)} answers, numbers compared: {summary}; {len(wrong)} differ")
    conclude(wrong, [kind for kind, least in FEW.items() if compared[kind] < least])
    falsify(told, facts, asked)


def ask(suite, asked, draws):
    """What is asked, beside what is told: rows of a definition in a version, slices of rows, comparisons."""
    drawn = [getattr(draws, kind)(f"custom.{kind}_{number}") for kind, count in DRAWN.items() for number in range(count)]
    known = fixed(draws)
    definitions = known + drawn
    publish(suite, definitions, "definitions")
    asks = [(definition, PLAIN) for definition in known]
    asks += [(definition, draws.query(definition, every)) for definition in definitions for every in ["month", None]]
    told = [("rows", definition, 1, query, ask_rows(suite, asked, definition.id, query)) for definition, query in asks]
    told += ask_slices(suite, asked, draws, definitions)
    told += ask_comparisons(suite, asked, draws, definitions)
    return told + ask_versions(suite, asked, draws, definitions)


def publish(suite, definitions, name):
    path = suite.directory / f"{name}.toml"
    path.write_text("\n".join(definition.text() for definition in definitions))
    return suite.run("definition", "publish", str(path))


def ask_rows(suite, asked, id, query):
    return json.loads(suite.run("query", id, *asked.flags(query.every, query.by), *conditions(query), "--format", "json"))


def conditions(query):
    given = [flag for one in query.where for flag in ("--where", condition(one))]
    return given + [flag for name, value in query.parameters for flag in ("--param", f"{name}={value}")]


def ask_slices(suite, asked, draws, definitions):
    """Of what adds up fact by fact the whole, and the same by a dimension of which each fact has one value."""
    adds_up = lambda part: METRICS[part.metric].counts_add_up and part.measure in ("count", "amount") and part.number != "customers"
    told = []
    for definition in definitions:
        alike = len({tuple(part.always()) for part in definition.parts}) == 1
        is_plain = definition.kind != "variant" and all(adds_up(part) and not is_latest(part) for part in definition.parts)
        dimensions = sliceable(definition)
        if is_plain and alike and dimensions:
            query = Query(where=draws.query(definition).where, every="month")
            sliced = replace(query, by=(draws.chance.choice(dimensions),))
            told.append(("slices", definition, 1, (query, sliced), [ask_rows(suite, asked, definition.id, of) for of in (query, sliced)]))
    return told


def sliceable(definition):
    """The dimensions that take the place of none that it is always grouped by."""
    return [name for name in definition.dimensions if name not in ("survey", "survey_type", "currency")]


def is_latest(part):
    return ("latest_per_customer", "true") in part.parameters


def ask_comparisons(suite, asked, draws, definitions):
    chance, told = draws.chance, []
    some = [definition for definition in definitions if definition.has_interval]
    some += chance.sample([definition for definition in definitions if definition.kind == "ratio" and not definition.is_share], 2)
    for definition in some:
        by = sliceable(definition)
        if not by:
            continue
        # Of one there are enough in each group.
        by, where = (("region",), ()) if definition.id == "custom.answers" else ((chance.choice(by),), draws.query(definition).where)
        half = asked.months[len(asked.months) // 2]
        value = draws.value(definition.parts[0].metric, by[0])
        before = asked.months[0], half
        reference = [value] if value and not set(value) & set("=,\n\"'") and value not in ("rest", "previous", "nowhere") else []
        for against in ["rest", before, *reference]:
            start, end = (half, asked.months[-1]) if against == before else (asked.months[0], asked.months[-1])
            level = chance.choice(["0.8", "0.95"])
            written = {"rest": "rest", before: "..".join(map(instant, before))}.get(against, f"{by[0]}={against}")
            times = ["--from", instant(start), "--to", instant(end), "--time-zone", asked.zone]
            more = conditions(Query(where=where, parameters=(("level", level),)))
            answer = suite.run("query", definition.id, *times, "--by", by[0], "--against", written, *more, "--format", "json")
            told.append(("comparisons", definition, 1, (by, where, level, against, (start, end)), json.loads(answer)))
    return told


def ask_versions(suite, asked, draws, definitions):
    """Revises some; the first version stays."""
    told = []
    for definition in draws.chance.sample(definitions, 4):
        part = definition.parts[0]
        value = draws.value(part.metric, "channel")
        more = ("channel", not any(one[:2] == ("channel", True) for one in part.where), value)
        revised = replace(definition, parts=(replace(part, where=(*part.where, more)), *definition.parts[1:]))
        said = publish(suite, [revised], "revised")
        if said != f"{definition.id}: revised, version 2\n":
            sys.exit(f"definitions: {said} of {revised.text()}")
        # A share may be none any more, and have no level.
        query = draws.query(revised, "month")
        query = replace(query, parameters=tuple(one for one in query.parameters if one[0] in definition.parameters))
        told += [("rows", of, version, query, ask_rows(suite, asked, f"{definition.id}{suffix}", query))
                 for of, version, suffix in [(definition, 1, "@1"), (revised, 2, ""), (revised, 2, "@2")]]
    if not any(answer["rows"] != later["rows"] for (*_, answer), (*_, later) in zip(told[::3], told[1::3])):
        sys.exit("definitions: no revision made a difference")
    return told


def differences(told, facts, asked, compared):
    company = Company(facts, asked)
    wrong = []
    for what, definition, version, query, answer in told:
        name = f"{definition.formula}: {what} {query}:"
        if what == "rows":
            wrong += row_differences(company, name, definition, version, query, answer, compared)
        elif what == "slices":
            wrong += slice_differences(name, query, answer, compared)
        else:
            wrong += comparison_differences(company, name, definition, query, answer, compared)
    return wrong


def row_differences(company, name, definition, version, query, answer, compared):
    periods = company.asked.periods(query.every)
    expected = rows(company, definition, query, periods)
    wrong, count = rows_differ(name, answer["rows"], expected)
    compared["share" if definition.has_interval else definition.kind] += count
    compared["versions"] += count if version == 2 else 0
    # Those who are in the answer must be there for each period, and in the place of their unit.
    groups = Counter(tuple(sorted(row["group"].items())) for row in answer["rows"])
    wrong += [f"{name} {group}: {count} rows of {len(periods)} periods" for group, count in groups.items() if count != len(periods)]
    wrong += [f"{name} {group}: has no rows" for group in {group for _, group in expected} - set(groups)]
    if answer["version"] != version:
        wrong.append(f"{name} version {answer['version']}, not {version}")
    if definition.kind != "variant":
        wrong += [f"{name} {row['start']} {row['group']}: {part.key} is not among its {part.place}" for row in answer["rows"]
                  for part in definition.parts if part.is_zero_without_facts and part.key not in row[part.place]]
        wrong += [f"{name} {row['start']} {row['group']}: {place} has {sorted(row[place])}" for row in answer["rows"] for place in PLACES
                  if not set(row[place]) <= {part.key for part in definition.parts if part.place == place}]
    return wrong


def slice_differences(name, query, answer, compared):
    whole, sliced = answer
    sums = Counter()
    for row in sliced["rows"]:
        group = tuple(sorted((dimension, value) for dimension, value in row["group"].items() if dimension not in query[1].by))
        for number, of in {**row["counts"], **row["amounts"]}.items():
            sums[row["start"], group, number] += of
    wrong = []
    for row in whole["rows"]:
        for number, of in {**row["counts"], **row["amounts"]}.items():
            compared["slices"] += 1
            key = row["start"], tuple(sorted(row["group"].items())), number
            if not same(sums.pop(key, 0), of):
                wrong.append(f"{name} {key}: {of}, but not its slices together")
    return wrong + [f"{name} {key}: {of} in slices only" for key, of in sums.items() if of]


def comparison_differences(company, name, definition, query, answer, compared):
    expected, there = comparisons(company, definition, *query)
    found = {tuple(sorted(one["group"].items())): one for one in answer["comparisons"]}
    if not there <= set(found) <= set(expected):
        return [f"{name} told of {sorted(found)}, expected {sorted(there)}"]
    wrong = []
    for group in found:
        of = expected[group]
        compared["comparisons"] += len(of)
        compared["tests"] += of["p_value"] is not None
        wrong += [f"{name} {group} {number}: told {found[group].get(number)}, expected {is_so}"
                  for number, is_so in of.items() if is_so is not ... and not alike(found[group].get(number), is_so)]
    return wrong


def alike(told, expected):
    if isinstance(expected, dict):
        return told is not None and all(same(told.get(name), value) for name, value in expected.items())
    return same(told, expected)


def falsify(told, facts, asked):
    """Facts of which one is another, and answers, must not come to the same."""
    def other(name, id, kind, fits, column, change):
        some = [one for one in told if one[0] == "rows" and one[1].id == id and one[3] == PLAIN]
        fitting = [index for index, row in facts[kind].iterrows() if asked.months[0] <= row.time < asked.months[-1] and fits(row)]

        def is_noticed(index):
            false = facts[kind].copy()
            false.at[index, column] = change(false.at[index, column])
            return differences(some, facts | {kind: false}, asked, Counter())
        must_notice(name, fitting, is_noticed)

    other("another score", "custom.score", "surveys.response", lambda row: row.score == 10, "score", lambda _: 8)
    other("an answer of long ago", "custom.answers", "surveys.response", lambda _: True, "time", lambda _: 0)
    other("a cent more", "custom.margin", "customers.purchase", lambda row: row.amount > 0, "amount", lambda amount: amount + Decimal("0.01"))
    other("another voucher", "custom.per_answer", "customers.purchase", lambda row: row.voucher, "voucher", lambda _: False)
    other("another direction", "custom.contacts_and_cases", "customers.interaction", lambda row: row.direction == "INBOUND", "direction",
          lambda _: "OUTBOUND")
    for name in ["value", "interval", "version"]:
        def is_noticed(one):
            what, definition, version, query, answer = one
            false = copy.deepcopy(answer)
            row = next(row for row in false["rows"] if row["value"] is not None and (name != "interval" or row["interval"]))
            if name == "version":
                false["version"] += 1
            elif name == "value":
                row["value"] += 1e-3
            else:
                row["interval"]["low"] += 1e-3
            return differences([(what, definition, version, query, false)], facts, asked, Counter())
        must_notice(f"another {name}", [one for one in told if one[0] == "rows" and any(
            row["value"] is not None and (name != "interval" or row["interval"]) for row in one[4]["rows"])], is_noticed)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
