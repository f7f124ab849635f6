"""Figures of contacts: what they cost, and what came after them and after complaints."""

import json
import math
from collections import defaultdict
from decimal import Decimal

import numpy as np
import pandas as pd
from scipy import stats

from facts.intervals import share
from facts.sales import sales_of
from facts.times import DAY, NOW, SECOND, instant, within


def serve(facts, flat):
    """A row for each contact and currency that it cost something in, one for those of which nobody knows, and one for each redress."""
    rates = [(row.channel or "", row.team or "", row.time, row.number, row.end_time,
              "item" if row.per_item is not None else "hour", *((row.per_item, row.per_item_currency) if row.per_item is not None else (row.per_hour, row.per_hour_currency)))
             for row in facts["customers.cost"].itertuples() if row.kind == "CONTACT" and row.amount is None]
    lasting = []
    for channel, team, at, number, end, basis, amount, currency in rates:
        later = [other[2] for other in rates if other[:2] == (channel, team) and other[5] == basis and other[2] > at]
        until = end if end is not None else min(later, default=math.inf)
        lasting.append(((channel, team, basis), at, number, until, micros(amount), currency))

    def rate(channel, team, basis, at):
        for scope in [(channel, team), (channel, ""), ("", team), ("", "")]:
            held = [one for one in lasting if one[0] == (*scope, basis) and one[1] <= at < one[3]]
            if held:
                return max(held, key=lambda one: one[1:3])[4:]
        return None

    hourly = lambda amount, time: (amount * int(time) + 1_800 * SECOND) // (3_600 * SECOND)
    rows = []
    for row in facts["customers.interaction"].itertuples():
        parts = defaultdict(int)
        time, channel, team = row.handling_time_micros, row.channel or "", row.team or ""
        if row.cost is not None:
            parts[row.cost_currency] += micros(row.cost)
        else:
            each, hour = rate(channel, team, "item", row.time), rate(channel, team, "hour", row.time)
            if each:
                parts[each[1]] += each[0]
            if hour and time is not None:
                parts[hour[1]] += hourly(hour[0], time)
            if not each and not hour and time is not None:
                parts[flat[-3:]] += hourly(micros(flat[:-3]), time)
        rows += [(row.time, channel, currency, row.customer_id, "contact", cost) for currency, cost in parts.items()]
        rows += [] if parts else [(row.time, channel, "", None, "unpriced", 0)]
    for row in facts["complaints.case"].itertuples():
        if row.state != "MERGED":
            for given in json.loads(row.redress or "[]"):
                if given.get("amount"):
                    rows.append((row.open_time, row.channel or "", given["amount_currency"], row.customer_id or None, "redress", micros(given["amount"])))
    return pd.DataFrame(rows, columns=["time", "channel", "currency", "customer_id", "what", "cost"])


def cost_to_serve(_, served, start, end, parameters, metric="cost_to_serve"):
    some = within(served, start, end)
    contacts, unpriced, redress = (some[some.what == what] for what in ["contact", "unpriced", "redress"])
    of_contacts, total = int(contacts.cost.sum()) / SECOND, int(some.cost.sum()) / SECOND
    told = {"contacts": len(contacts), "unpriced": len(unpriced), "contact_cost": of_contacts}
    if metric == "cost_per_contact":
        return {"value": of_contacts / len(contacts) if len(contacts) else None, **told}
    customers = pd.concat([contacts, redress]).customer_id.dropna().nunique()
    told |= {"redresses": len(redress), "customers": customers, "redress": int(redress.cost.sum()) / SECOND, "total": total}
    over = customers if metric.endswith("customer") else min(1, len(contacts) + len(redress))
    return {"value": total / over if over else None, **told}


def micros(amount):
    return int(Decimal(str(amount)) * SECOND)


def contacts(_, some, start, end, parameters):
    found = within(some, start, end).direction.value_counts()
    counts = {name: int(found.get(name, 0)) for name in ["inbound", "outbound"]}
    return {"value": sum(counts.values()) or None, **counts}


def known_since(facts):
    first = {}
    for kind in ["customers.purchase", "customers.interaction", "customers.subscription_event", "customers.membership_event",
                 "customers.referral", "surveys.response"]:
        for customer, at in facts[kind].groupby("customer_id").time.min().items():
            first[customer] = min(at, first.get(customer, math.inf))
    told = {}
    for row in facts["customers.customer"].itertuples():
        instants = [at for at in [row.since, first.get(row.id)] if at is not None]
        told[row.id] = min(instants, default=row.create_time)
    return told


def by_customer(frame):
    return {customer: np.sort(times.to_numpy(dtype="int64")) for customer, times in frame.groupby("customer_id").time}


def actions_per_engagement(company, contacts, start, end, parameters):
    around = int(parameters["around_days"]) * DAY
    key = ("engagement", parameters["action"])
    if key not in company.known:
        inbound = company.interactions[company.interactions.direction == "INBOUND"]
        company.known[key] = by_customer(sales_of(company.purchases) if parameters["action"] == "sales" else inbound), by_customer(company.outreach)
    actions, reached = company.known[key]
    nothing = np.array([], dtype="int64")
    count = lambda times, low, high: int(np.searchsorted(times, high) - np.searchsorted(times, low))
    firsts = within(contacts, start, end).groupby("customer_id").time.min()
    differences, moved, numbers = [], defaultdict(float), defaultdict(int)
    for customer, at in firsts.items():
        if at + around > NOW:
            numbers["pending"] += 1
            continue
        own = actions.get(customer, nothing)
        before, after = count(own, at - around, at), count(own, at, at + around)
        others = [(other, count(of, at, at + around)) for other, since in company.known_since.items() if since <= at
                  for of in [actions.get(other, nothing)]
                  if count(of, at - around, at) == before and not count(reached.get(other, nothing), at - around, at + around)]
        if len(others) < 2:
            numbers["unmatched"] += 1
            continue
        size, mean = len(others), sum(more for _, more in others) / len(others)
        differences.append(after - mean)
        numbers["actions_before"] += before
        numbers["actions_after"] += after
        for other, more in others:
            moved[other] += (more - mean) / math.sqrt(size * (size - 1))
    n, told = len(differences), {name: numbers[name] for name in ["actions_before", "actions_after", "unmatched", "pending"]}
    told |= {"contacted": n, "comparison": len(moved), "value": np.mean(differences) if n else None, "low": None, "high": None}
    if n > 1:
        error = math.sqrt(np.var(differences, ddof=1) / n + sum(part * part for part in moved.values()) / n ** 2)
        told["standard_error"] = error
        if n >= 30 and error > 0:
            told["low"], told["high"] = stats.t.interval(float(parameters["level"]), n - 1, told["value"], error)
    return told


def complaints(cases):
    some = cases[(~cases.state.isin(["MERGED", "CANCELLED"])) & cases.kind.isin(["COMPLAINT", "LOSS"])]
    told = defaultdict(list)
    for row in some.sort_values(["open_time", "number"]).itertuples():
        if row.customer_id:
            told[row.customer_id].append((row.open_time, row.first_resolve_time))
    return told


def recoveries(company, metric, periods, parameters):
    after, active = int(parameters["after_days"]) * DAY, int(parameters["inactivity_days"]) * DAY
    sales = by_customer(sales_of(company.purchases))
    found = defaultdict(list)
    for customer, times in sales.items():
        own = company.complaints.get(customer, [])
        for place, (start, end) in enumerate(periods):
            inside = [one for one in own if start <= one[0] < end]
            if inside:
                begun, solved = inside[0]
                outcome = "solved" if solved is not None and solved < begun + after else "unsolved"
            elif any(start <= one[0] < max(end, start + after) for one in own):
                continue
            else:
                begun, outcome = start, "none"
            if np.searchsorted(times, begun) - np.searchsorted(times, begun - active) > 0:
                found[outcome, place].append((customer, begun))
    rows = {}
    currencies = sorted(company.purchases.currency.unique())
    for outcome in {outcome for outcome, _ in found}:
        for place, (start, _) in enumerate(periods):
            over = [(customer, begun) for customer, begun in found[outcome, place] if begun + after <= NOW]
            pending = len(found[outcome, place]) - len(over)
            group = ("complaint_outcome", outcome)
            if metric == "service_recovery":
                retained = sum(1 for customer, begun in over
                               if np.searchsorted(sales[customer], begun + after) > np.searchsorted(sales[customer], begun))
                rows[instant(start), (group,)] = share(retained, len(over), parameters, retained=retained, customers=len(over), pending=pending)
                continue
            for currency in currencies:
                spent = [sum(amount for at, of, amount in company.spending.get(customer, []) if of == currency and begun <= at < begun + after)
                         for customer, begun in over]
                rows[instant(start), (group, ("currency", currency))] = {
                    "value": sum(spent) / SECOND / len(over) if over else None, "spend": sum(spent) / SECOND, "customers": len(over),
                    "spenders": sum(1 for amount in spent if amount), "pending": pending}
    return rows
