"""Figures of sales, of who bought and of who no longer does."""

import math

import pandas as pd

from facts.intervals import share
from facts.times import DAY, NOW, instant, within

DEFINITIONS = ["churn_standard", "churn_all_departures", "churn_over_start_plus_new", "churn_daily_sum"]


def sales_of(purchases):
    return purchases[purchases.amount >= 0]


def purchases(_, some, start, end, parameters):
    some = within(some, start, end)
    sales = sales_of(some)
    return {"value": len(sales) if len(some) else None, "sales": len(sales), "returns": len(some) - len(sales), "customers": sales.customer_id.nunique()}


def revenue(_, some, start, end, parameters):
    some = within(some, start, end)
    sales = sales_of(some)
    gross, net = sales.amount.sum(), some.amount.sum()
    return {"value": float(net) if len(some) else None, "sales": len(sales), "returns": len(some) - len(sales), "customers": sales.customer_id.nunique(),
            "gross": float(gross), "net": float(net), "returns_amount": float(net - gross)}


def average_order(_, some, start, end, parameters):
    sales = sales_of(within(some, start, end))
    gross = float(sales.amount.sum())
    return {"value": gross / len(sales) if len(sales) else None, "sales": len(sales), "gross": gross}


def purchase_frequency(_, some, start, end, parameters):
    sales = sales_of(within(some, start, end))
    buyers = sales.customer_id.nunique()
    return {"value": len(sales) / buyers if buyers else None, "sales": len(sales), "buyers": buyers}


def existing_sales_share(company, some, start, end, parameters):
    sales = sales_of(within(some, start, end))
    is_existing = sales.customer_id.map(company.first_sales) < start
    existing, gross = sales.amount[is_existing].sum(), sales.amount.sum()
    return {"value": 100 * float(existing / gross) if gross else None, "customers": sales.customer_id.nunique(),
            "existing": float(existing), "new": float(gross - existing), "gross": float(gross)}


def repeat_purchase_rate(_, some, start, end, parameters):
    sales = sales_of(within(some, start, end)).groupby("customer_id")
    times = sales.day.nunique() if parameters["basis"] == "days" else sales.size()
    repeaters = int((times >= 2).sum())
    return share(repeaters, len(times), parameters, repeaters=repeaters, buyers=len(times))


def second_purchase_rate(_, some, start, end, parameters):
    sales = sales_of(some).sort_values(["time", "number"])
    first = sales.drop_duplicates("customer_id").set_index("customer_id")
    sales = sales.join(first[["time", "day", "number"]], on="customer_id", rsuffix="_first")
    later = sales[sales.day != sales.day_first] if parameters["basis"] == "days" else sales[sales.number != sales.number_first]
    later = later[later.time < later.time_first + int(parameters["within_days"]) * DAY]
    begun = set(within(first, start, end).index)
    second = len(begun & set(later.customer_id))
    return share(second, len(begun), parameters, first=len(begun), second=second)


def lifecycle(company, some, start, end, parameters):
    months = company.asked.months
    before = months[months.index(start) - 1] if start > months[0] else before_first(company.asked)
    sales = sales_of(some)
    now, then = (set(within(sales, *span).customer_id) for span in [(start, end), (before, start)])
    ever = set(sales[sales.time < start].customer_id)
    counts = {"new": len(now - ever), "returning": len(now & then), "resurrecting": len((now & ever) - then), "dormant": len(then - now)}
    told = len(now)
    return {"value": told if told + counts["dormant"] or len(ever) else None, **counts}


def before_first(asked):
    return (pd.Timestamp(asked.months[0] * 1000, tz="UTC").tz_convert(asked.zone) - pd.DateOffset(months=1)).value // 1000


def active_at(sales, at, days):
    return set(within(sales, at - days * DAY, at).customer_id)


def active_customers(_, some, start, end, parameters):
    sales = sales_of(some)
    active, ever = len(active_at(sales, end, int(parameters["inactivity_days"]))), (sales.time < end).any()
    return {"value": active if ever else None, "active": active, "buyers": within(sales, start, end).customer_id.nunique()}


def inactive_share(_, some, start, end, parameters):
    sales = sales_of(some)
    last = sales[sales.time < end].groupby("customer_id").time.max()
    inactive = int((last < end - int(parameters["inactivity_days"]) * DAY).sum())
    return share(inactive, len(last), parameters, inactive=inactive, buyers=len(last))


def churn_rate(company, some, start, end, parameters):
    days = int(parameters["inactivity_days"])
    sales = sales_of(some)
    spans = company.spans(some, days)
    was, now = (active_at(sales, at, days) for at in [start, end])
    came = set(within(sales, start, end).customer_id) - was
    left = sum(start <= over < end for _, over in spans)
    counts = {"active_at_start": len(was), "churned": len(was - now), "retained": len(was & now), "joined": len(came),
              "joined_and_left": len(came - now), "departures": left}
    definition = parameters.get("definition", DEFINITIONS[0])
    if definition == "churn_standard":
        return share(len(was - now), len(was), parameters, **counts)
    if definition == "churn_over_start_plus_new":
        return share(len(was - now) + len(came - now), len(was) + len(came), parameters, **counts)
    if definition == "churn_all_departures":
        return share(left, len(was), {}, **counts)
    rates = []
    midnights = [at for at in company.asked.midnights if start <= at < end] + [end]
    for day, next_day in zip(midnights, midnights[1:]):
        there = sum(begun < day <= over for begun, over in spans)
        if there:
            rates.append(100 * sum(day <= over < next_day for _, over in spans) / there)
    return {"value": math.fsum(rates) if rates else None, **counts}


def retention_rate(company, some, start, end, parameters):
    told = churn_rate(company, some, start, end, parameters)
    turned = lambda number: None if number is None else 100 - number
    return told | {"value": turned(told["value"]), "low": turned(told["high"]), "high": turned(told["low"])}


def spans_of(sales, days):
    """The times after a sale, until so many days after the last, in which customers were active without a break."""
    spans = []
    known = sales.sort_values(["customer_id", "time"])
    last = None
    for customer, at in zip(known.customer_id, known.time):
        if customer == last and at <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], at + days * DAY)
        else:
            spans.append([at, at + days * DAY])
        last = customer
    return spans


def cohorts(some, asked, parameters):
    sales = sales_of(some)
    first = sales.groupby("customer_id").time.min()
    periods = asked.periods("month")
    labels = [pd.Timestamp(start * 1000, tz="UTC").tz_convert(asked.zone).strftime("%Y-%m") for start, _ in periods]
    bought = [set(within(sales, *period).customer_id) for period in periods]
    rows = {}
    for cohort, (start, end) in enumerate(periods):
        begun = set(first[(first >= start) & (first < end)].index)
        for since in range(len(periods) - cohort if begun else 0):
            group = (("cohort", labels[cohort]), ("periods_since", str(since)))
            active = len(begun & bought[cohort + since])
            rows[instant(periods[cohort + since][0]), group] = share(active, len(begun), parameters, active=active, cohort_size=len(begun))
    return rows


def late_payment_rate(_, some, start, end, parameters):
    sales = sales_of(some)
    sales = sales[sales.due.notna()]
    sales = sales[(sales.due >= start) & (sales.due < end)]
    unpaid = sales.paid_time.isna()
    waiting = int((unpaid & (sales.due >= NOW)).sum())
    late = int((unpaid & (sales.due < NOW)).sum() + (sales.paid_time[~unpaid] > sales.due[~unpaid]).sum())
    return share(late, len(sales) - waiting, parameters, late=late, on_time=len(sales) - waiting - late, waiting=waiting)
