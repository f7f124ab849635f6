"""Definitions and queries of them, drawn at random."""

from dataclasses import replace

from facts.definition import HOURLY_RATE, METRICS, Definition, Part, Query, passing

PLAIN = [name for name, metric in METRICS.items() if metric.counts_add_up]
# A company of some hundred customers has few answers on a channel.
MOST_VALUES = 3


class Draws:
    """Draws from the facts of a company."""

    def __init__(self, company, chance):
        self.company, self.chance, self.held = company, chance, {}

    def value(self, metric, dimension):
        """One that facts have, now and then one that none has."""
        key = (metric, dimension)
        if key not in self.held:
            self.held[key] = sorted(passing(self.company, metric, [])[dimension].unique())
        return self.chance.choice(self.held[key] + (["nowhere"] if self.chance.random() < 0.05 else []))

    def conditions(self, metric, dimensions=None, least=0, but=()):
        """On at most two dimensions of those of a metric; scores as a range of them."""
        chance, found = self.chance, []
        if dimensions is None and metric in ("nps", "responses") and "score" not in but and chance.random() < 0.2:
            low = chance.randrange(10)
            return tuple(("score", False, str(score)) for score in range(low, chance.randrange(low + 1, 12)))
        dimensions = [name for name in dimensions or METRICS[metric].dimensions if name not in but]
        for dimension in chance.sample(dimensions, min(len(dimensions), chance.choice([least, 1, 1, 2]))):
            values = {self.value(metric, dimension) for _ in range(chance.randint(1, MOST_VALUES))}
            excluded = chance.random() < 0.4
            values = list(sorted(values))
            chance.shuffle(values)
            found += [(dimension, excluded, value) for value in values]
        return tuple(found)

    def parameters(self, metric, least=0):
        of = METRICS[metric].parameters
        fixed = {"hourly_rate": HOURLY_RATE} if "hourly_rate" in of else {}
        free = [name for name in of if name not in fixed]
        names = self.chance.sample(free, min(len(free), self.chance.choice([least, 0, 1, 2])))
        return tuple((fixed | {name: self.chance.choice(of[name]) for name in sorted(names)}).items())

    def part(self, name, units=None):
        """A number of a metric; of one of the units."""
        while True:
            metric = self.chance.choice(list(METRICS))
            of = METRICS[metric]
            numbers = [("", "value"), *(("count", one) for one in of.counts), *(("amount", one) for one in of.amounts),
                       *(("statistic", one) for one in of.statistics)]
            # As often an amount or a statistic as a count.
            kind = self.chance.choice(sorted({measure for measure, _ in numbers}))
            measure, number = self.chance.choice([one for one in numbers if one[0] == kind])
            part = Part(metric, measure, number, name, self.conditions(metric), self.parameters(metric))
            if not units or part.unit in units:
                return part

    def variant(self, id):
        metric = self.chance.choice(list(METRICS))
        where, parameters = self.conditions(metric), self.parameters(metric)
        if not where and not parameters:
            where = self.conditions(metric, least=1) or (("channel", True, "nowhere"),)
        return Definition(id, "variant", (Part(metric, where=where, parameters=parameters),))

    def share(self, id):
        """Of a count the same under more conditions; sometimes under others, which make it no share."""
        metric = self.chance.choice(PLAIN)
        count = self.chance.choice(METRICS[metric].counts)
        whole = Part(metric, "count", count, "whole", self.conditions(metric), self.parameters(metric))
        more = ()
        while not more:
            but = {name for name, *_ in whole.where} if self.chance.random() < 0.8 else ()
            more = self.conditions(metric, least=1, but=but)
        shuffled = list(dict.fromkeys(whole.where + more))
        if self.chance.random() < 0.5:
            self.chance.shuffle(shuffled)
        return Definition(id, "ratio", (replace(whole, name="some", where=tuple(shuffled)), whole), "percent")

    def ratio(self, id):
        while True:
            parts = self.part("over"), self.part("under")
            if self.chance.random() < 0.4:
                parts = (replace(parts[0], name=""), replace(parts[1], name=""))
            over, under = (part.unit for part in parts)
            units = ["percent", "per_thousand", "ratio"] if over == under else [over] if under == "count" else ["per_thousand", "ratio"]
            definition = Definition(id, "ratio", parts, self.chance.choice(units))
            if are_together(parts):
                return definition

    def sum(self, id):
        while True:
            first = self.part("a")
            parts = [first, *(self.part(name, [first.unit]) for name in "bcd"[:self.chance.randint(1, 3)])]
            parts = tuple(replace(part, factor=self.chance.choice([1, 1, -1, 0.5, -2.25, 1000])) for part in parts)
            always = {name for part in parts for name in part.always()}
            if are_together(parts) and all(always <= set(part.of.dimensions) for part in parts):
                return Definition(id, "sum", parts)

    def query(self, definition, every=None):
        chance, metric = self.chance, definition.parts[0].metric
        common = definition.dimensions
        by = tuple(chance.sample(common, min(len(common), chance.choice([0, 1, 1, 2]))))
        where = self.conditions(metric, common) if common and chance.random() < 0.5 else ()
        free = definition.parameters
        names = chance.sample(sorted(free), min(len(free), chance.choice([0, 1, 2])))
        parameters = tuple((name, chance.choice(free[name])) for name in names)
        return Query(by, where, parameters, every or chance.choice(["month", "month", None]))


def are_together(parts):
    """Whether they can stand in one row: what each is always grouped by is within what another is, and their names differ."""
    always = [set(part.always()) for part in parts]
    widest = max(always, key=len)
    return all(names <= widest for names in always) and len({part.key for part in parts}) == len(parts)


def fixed(draws):
    """Some of which much is known, so that every company has them."""
    elsewhere = lambda metric: (("region", True, draws.value(metric, "region")),)
    answers = Part("responses", "count", "responses", "answers")
    at_touchpoint = replace(answers, name="some", where=(("touchpoint", False, draws.value("responses", "touchpoint")),))
    net, customers = Part("revenue", "amount", "net"), Part("purchases", "count", "customers")
    with_voucher = replace(net, where=(("voucher", False, "true"),))
    cost = Part("cost_to_serve", "amount", "total", parameters=(("hourly_rate", HOURLY_RATE),), factor=-1)
    p90, p50 = (Part("time_to_first_response", "statistic", number) for number in ["p90", "p50"])
    ratio = lambda name, over, under, unit: Definition(f"custom.{name}", "ratio", (over, under), unit)
    return [
        Definition("custom.score", "variant", (Part("nps", where=elsewhere("nps")),)),
        Definition("custom.satisfied", "variant", (Part("csat", where=elsewhere("csat")),)),
        ratio("answers", at_touchpoint, answers, "percent"),
        ratio("per_answer", with_voucher, answers, "money"),
        ratio("tail", p90, p50, draws.chance.choice(["ratio", "percent"])),
        ratio("recurring", Part("repeat_purchase_rate", "count", "repeaters"), customers, "percent"),
        Definition("custom.margin", "sum", (net, cost)),
        Definition("custom.contacts_and_cases", "sum", (Part("contacts", "count", "inbound"), Part("complaints_opened", factor=2.5))),
    ]
