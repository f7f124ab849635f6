"""Metrics that are defined of built-in ones: how they are written in a file, and what rows they come to."""

import json
from collections import defaultdict
from dataclasses import dataclass, field, replace

from facts.company import HOURLY_RATE
from facts.intervals import share
from facts.measures import MEASURES
from facts.times import instant

# What facts are divided by.
ANSWERS = ["survey", "survey_type", "channel", "language", "tier", "touchpoint", "journey_stage", "region"]
PURCHASES = ["channel", "currency", "voucher", "tier", "region"]
# What is due may be so when the customer has another tier.
PAYMENTS = ["channel", "currency", "voucher", "region"]
CASES = ["channel", "team", "category", "region"]
INVITATIONS = ["channel", "survey", "survey_type"]
CONTACTS = ["channel", "direction", "team", "touchpoint", "journey_stage", "region"]
SERVED = ["channel", "currency"]
DEFAULTS = {"level": "0.95", "inactivity_days": "90", "definition": "churn_standard", "basis": "days", "within_days": "90", "rate": "rr1",
            "around_days": "30", "action": "sales", "statistic": "mean", "latest_per_customer": "false", "hourly_rate": HOURLY_RATE}
TIMES = {"percent": 100, "per_thousand": 1000}


@dataclass(frozen=True)
class Metric:
    """A built-in metric: its dimensions, unit and numbers, parameters and their values."""
    dimensions: list
    unit: str
    counts: list
    amounts: list = ()
    statistics: list = ()
    parameters: dict = field(default_factory=dict)
    # Whether values of parts add up to that of the whole.
    adds_up: bool = False
    # Whether counts do, and of a period none but its own facts tell, so that some are a part of all.
    counts_add_up: bool = False


LEVEL = {"level": ["0.8", "0.9", "0.95", "0.99"]}
INACTIVITY = {"inactivity_days": ["30", "60", "120"]}
BASIS = {"basis": ["days", "orders"]}
COST = {"hourly_rate": [HOURLY_RATE]}
OUTCOMES = ["complete", "partial", "refusal", "non_contact", "other", "unknown", "not_eligible"]
LEAVING = ["active_at_start", "churned", "retained", "joined", "joined_and_left", "departures"]
METRICS = {
    "nps": Metric(ANSWERS, "points", ["promoters", "passives", "detractors", "answers"], counts_add_up=True,
                  parameters=LEVEL | {"latest_per_customer": ["true", "false"]}),
    "csat": Metric(ANSWERS, "percent", ["satisfied", "answers"], parameters=LEVEL, counts_add_up=True),
    "ces": Metric(ANSWERS, "points", ["answers"], parameters=LEVEL, counts_add_up=True),
    "responses": Metric(ANSWERS, "count", ["responses", "scored", "unscored"], adds_up=True, counts_add_up=True),
    "channel_consistency": Metric(ANSWERS, "points", ["answers"], statistics=["found"], parameters=LEVEL),
    "invitations": Metric(INVITATIONS, "count", ["invited", "reminded"], adds_up=True, counts_add_up=True),
    "completion_rate": Metric(INVITATIONS, "percent", OUTCOMES, parameters=LEVEL, counts_add_up=True),
    "response_rate": Metric(INVITATIONS, "percent", OUTCOMES, parameters=LEVEL | {"rate": ["rr1", "rr2", "rr5", "rr6"]}, counts_add_up=True),
    "purchases": Metric(PURCHASES, "count", ["sales", "returns", "customers"], adds_up=True, counts_add_up=True),
    "revenue": Metric(PURCHASES, "money", ["sales", "returns", "customers"], ["gross", "net", "returns"], adds_up=True, counts_add_up=True),
    "average_order": Metric(PURCHASES, "money", ["sales"], ["gross"]),
    "purchase_frequency": Metric(PURCHASES, "ratio", ["sales", "buyers"]),
    "existing_sales_share": Metric(PURCHASES, "percent", ["customers"], ["existing", "new", "gross"]),
    "repeat_purchase_rate": Metric(PURCHASES, "percent", ["repeaters", "buyers"], parameters=LEVEL | BASIS),
    "second_purchase_rate": Metric(PURCHASES, "percent", ["first", "second"], parameters=LEVEL | BASIS | {"within_days": ["30", "90"]}),
    "active_customers": Metric(PURCHASES, "count", ["active", "buyers"], parameters=INACTIVITY),
    "inactive_share": Metric(PURCHASES, "percent", ["inactive", "buyers"], parameters=LEVEL | INACTIVITY),
    "churn_rate": Metric(PURCHASES, "percent", LEAVING, parameters=LEVEL | INACTIVITY | {
        "definition": ["churn_standard", "churn_all_departures", "churn_over_start_plus_new"]}),
    "retention_rate": Metric(PURCHASES, "percent", LEAVING, parameters=LEVEL | INACTIVITY),
    "late_payment_rate": Metric(PAYMENTS, "percent", ["late", "on_time", "waiting"], parameters=LEVEL, counts_add_up=True),
    "cost_to_serve": Metric(SERVED, "money", ["contacts", "unpriced", "redresses", "customers"], ["contact_cost", "redress", "total"],
                            parameters=COST, adds_up=True),
    "cost_per_contact": Metric(SERVED, "money", ["contacts", "unpriced"], ["contact_cost"], parameters=COST),
    "contacts": Metric(CONTACTS, "count", ["inbound", "outbound"], adds_up=True, counts_add_up=True),
    "actions_per_engagement": Metric(CONTACTS, "ratio", ["contacted", "comparison", "actions_before", "actions_after"],
                                     statistics=["standard_error"], parameters=LEVEL | {"around_days": ["20"], "action": ["sales", "contacts"]}),
    "complaints_opened": Metric(CASES, "count", ["opened", "responded", "resolved"], adds_up=True, counts_add_up=True),
    "time_to_first_response": Metric(CASES, "seconds", ["responded", "waiting"], statistics=["mean", "p50", "p75", "p90", "max"],
                                     parameters=LEVEL | {"statistic": ["mean", "median", "p90", "max"]}),
}


@dataclass(frozen=True)
class Part:
    """A number of a metric: its value when `measure` is empty, else `count`, `amount` or `statistic`."""
    metric: str
    measure: str = ""
    number: str = "value"
    name: str = ""
    # Dimension, whether it is excluded, value.
    where: tuple = ()
    parameters: tuple = ()
    factor: float = 1.0

    @property
    def of(self):
        return METRICS[self.metric]

    @property
    def key(self):
        """Its name in rows."""
        return self.name or (self.number if self.measure else self.metric)

    @property
    def unit(self):
        return {"count": "count", "amount": "money"}.get(self.measure, self.of.unit)

    @property
    def place(self):
        """In which map of a row it is."""
        return "amounts" if self.measure == "amount" else "counts" if self.unit == "count" else "statistics"

    @property
    def is_zero_without_facts(self):
        return self.measure in ("count", "amount") or (not self.measure and self.of.adds_up)

    def always(self, by=(), where=()):
        """What it is always grouped by, also when nobody asks; under conditions of a query besides its own."""
        names = MEASURES[self.metric][1]
        named = {name for conditions in (where, self.where) for (name, excluded), values in filters(conditions).items()
                 if not excluded and len(values) == 1} | set(by)
        return [name for name in names if name not in by and not (name == "survey_type" and named & {"survey", "survey_type"})]

    def text(self):
        written = {"metric": self.metric} | ({self.measure: self.number} if self.measure else {}) | ({"name": self.name} if self.name else {})
        written |= {"where": [condition(one) for one in self.where]} if self.where else {}
        pairs = [f"{name} = {quoted(value)}" for name, value in written.items()]
        if self.parameters:
            pairs.append(f"parameters = {{ {', '.join(f'{name} = {quoted(value)}' for name, value in self.parameters)} }}")
        if self.factor != 1:
            pairs.append(f"factor = {float(self.factor)}")
        return f"{{ {', '.join(pairs)} }}"


def quoted(value):
    return json.dumps(value, ensure_ascii=False)


def condition(one):
    dimension, excluded, value = one
    return f"{dimension}{'!' if excluded else ''}={value}"


def filters(where):
    """The values of each dimension, that pass or do not."""
    found = defaultdict(set)
    for dimension, excluded, value in where:
        found[dimension, excluded].add(value)
    return found


@dataclass(frozen=True)
class Definition:
    """A metric that is defined: `kind` is `variant`, `ratio` or `sum`."""
    id: str
    kind: str
    parts: tuple
    unit: str = ""

    def text(self):
        lines = ["[[metrics]]", f'id = "{self.id}"', 'title = "Drawn"', 'description = "Drawn at random."']
        lines += [] if self.kind == "variant" else ['direction = "neutral"']
        lines += [f'unit = "{self.unit}"'] if self.kind == "ratio" else []
        return "\n".join([*lines, self.formula]) + "\n"

    @property
    def formula(self):
        texts = [part.text() for part in self.parts]
        if self.kind == "ratio":
            return f"ratio = {{ numerator = {texts[0]}, denominator = {texts[1]} }}"
        return f"variant = {texts[0]}" if self.kind == "variant" else f"sum = [{', '.join(texts)}]"

    @property
    def dimensions(self):
        """Those that all its facts have."""
        first, *others = [part.of.dimensions for part in self.parts]
        return [name for name in first if all(name in of for of in others)]

    @property
    def parameters(self):
        """Those that are free, with their values."""
        free = {name: values for part in self.parts for name, values in part.of.parameters.items()
                if name != "hourly_rate" and name not in dict(part.parameters)}
        return free | (LEVEL if self.is_share else {})

    def always(self, by=(), where=()):
        found = []
        for part in self.parts:
            found += [name for name in part.always(by, where) if name not in found]
        return found

    @property
    def is_share(self):
        """Whether the numerator is surely a part of the denominator, and so it has an interval."""
        if self.kind != "ratio" or self.unit != "percent":
            return False
        part, whole = self.parts
        of_part, of_whole = filters(part.where), filters(whole.where)
        is_same = replace(part, name="", where=()) == replace(whole, name="", where=()) and part.measure == "count" and part.of.counts_add_up
        return is_same and len(of_part) > len(of_whole) and all(of_part.get(name) == values for name, values in of_whole.items())

    @property
    def has_interval(self):
        return self.is_share and "latest_per_customer" not in {name for name, value in self.parts[0].parameters if value == "true"}


@dataclass(frozen=True)
class Query:
    """What is asked of a definition: by what, of which facts, with what parameters, by month or not."""
    by: tuple = ()
    where: tuple = ()
    parameters: tuple = ()
    every: str = None


def rows(company, definition, query, periods):
    """By start and group what is told there."""
    latest = ("latest_per_customer", "true")
    found = [figures(company, definition, part, query, periods) for part in definition.parts]
    most = max(len(names) for names, _ in found)
    groups = {frozenset(group): group for names, of in found if len(names) == most for group, of_group in of.items()
              if not names or any(is_counted(of_part) for of_part in of_group.values())}
    # Who does not group is told a row in any case.
    told, groups = {}, list(groups.values()) or ([] if query.by else [()])
    for group in groups:
        for start, _ in periods:
            own = [of.get(tuple((name, value) for name, value in group if name in names), {}).get(start) for names, of in found]
            if definition.kind == "variant":
                told[instant(start), tuple(sorted(group))] = own[0] or {"value": None}
                continue
            numbers = [number(part, figure) for part, figure in zip(definition.parts, own)]
            is_there = any(figure is not None and is_counted(figure) for figure in own)
            value, limits = value_of(definition, numbers if is_there else [None], query)
            has_interval = definition.has_interval and latest not in query.parameters
            told[instant(start), tuple(sorted(group))] = {
                "value": value, "low": limits.get("low") if has_interval else None, "high": limits.get("high") if has_interval else None,
                **{part.key: number for part, number in zip(definition.parts, numbers)}}
    return told


def figures(company, definition, part, query, periods):
    """By what it is divided, and by group and start the figures of a part."""
    always = definition.always(query.by, query.where)
    has = part.of.dimensions
    # What others are always grouped by is no condition on what has it not.
    is_free = lambda name: name in has or name not in definition.always()
    names = [name for name in [*query.by, *always] if name in has]
    where = tuple(one for one in query.where if is_free(one[0]))
    given = dict(query.parameters) | dict(part.parameters)
    known = {name: given.get(name, DEFAULTS[name]) for name in part.of.parameters}
    key = (part.metric, tuple(names), where + part.where, tuple(sorted(known.items())), query.every, periods[0])
    if key not in company.known:
        some = passing(company, part.metric, [where, part.where])
        measure = MEASURES[part.metric][2]
        company.known[key] = {tuple(group.items()): {start: measure(company, of, start, end, known) for start, end in periods}
                              for group, of in company.groups(some, names)}
    return names, company.known[key]


def passing(company, metric, conditions):
    """The same frame for all that are alike."""
    facts = MEASURES[metric][0](company)
    wanted = [(name, excluded, frozenset(values)) for where in conditions for (name, excluded), values in filters(where).items()]
    key = ("passing", id(facts), *sorted(wanted, key=str))
    if key not in company.known:
        passes = facts.time.notna()
        for name, excluded, values in wanted:
            held = facts.score.map(lambda score: "" if score is None else str(score)) if name == "score" else facts[name]
            passes &= held.isin(values) != excluded
        company.known[key] = facts[passes] if wanted else facts
    return company.known[key]


def is_counted(figure):
    """Whether there is any fact; amounts and limits are no count."""
    return figure["value"] is not None or any(isinstance(number, int) and number > 0 for number in figure.values())


def number(part, figure):
    if figure is not None:
        name = f"{part.number}_amount" if part.measure == "amount" and f"{part.number}_amount" in figure else part.number
        if figure.get(name) is not None:
            return figure[name]
    return 0 if part.is_zero_without_facts else None


def value_of(definition, numbers, query):
    """The value, and its limits when it were a share."""
    if None in numbers:
        return None, {}
    if definition.kind == "sum":
        return sum(part.factor * of for part, of in zip(definition.parts, numbers)), {}
    over, under = numbers
    if under == 0:
        return None, {}
    limits = share(over, under, DEFAULTS | dict(query.parameters)) if definition.is_share else {}
    return TIMES.get(definition.unit, 1) * over / under, limits
