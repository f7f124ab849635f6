"""Compares figures of complaints with a computation of our own: complaints.py BAROMETER HISTORIES DIRECTORY [CASES [SEED]].

HISTORIES makes up an event log of a complaint desk (services/simulator). A suite that BAROMETER serves from DIRECTORY takes it
in, under policies and a calendar that are published first, and answers queries on the command line. Here the same figures
are computed from the log itself, by code that has nothing in common with the suite's: cases are replayed, working time is
counted over the offsets of zoneinfo. Whatever differs is printed, and the program fails; it fails too when it has compared
too little, and when it does not notice a log that was falsified.
"""

import csv
import datetime as dt
import json
import os
import pathlib
import random
import subprocess
import sys
import time
from bisect import bisect_left, bisect_right
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import grpc

from barometer.complaints.v1 import calendar_pb2, case_pb2, clock_pb2, policy_pb2
from barometer.complaints.v1.policy_service_pb2_grpc import PolicyServiceStub
from suite import must_notice

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = 60_000_000
DAY = 1440 * MINUTE
PATIENCE = 60

ZONE = "Europe/Chisinau"
HOURS = [(9 * 60, 13 * 60), (14 * 60, 18 * 60)]
HOLIDAYS = ["2025-01-07", "2025-05-09", "2025-12-25"]
# Name, the kinds of cases that it is for, and its targets: clock, minutes, whether they are working minutes.
POLICIES = [
    ("losses", ["loss"], [("first_response", 120, True), ("next_response", 480, True), ("resolution", 2400, True)]),
    ("everything else", [], [("acknowledgement", 30, False), ("first_response", 960, True), ("next_response", 1440, False),
                             ("resolution", 4800, True), ("total_resolution", 43200, False)]),
]
# Which clocks stand while the case waits for the customer.
STANDING = {"resolution", "total_resolution"}
STATISTICS = {"p50": 50, "p75": 75, "p90": 90, "p95": 95, "p99": 99, "max": 100}


def main(program, histories, directory, cases="2000", seed=None):
    seed = seed or str(random.randrange(2**32))
    print(f"complaints: {cases} histories, seed {seed}")
    directory = pathlib.Path(directory)
    directory.mkdir()
    log = directory / "log.csv"
    log.write_bytes(subprocess.run([histories, cases, seed], capture_output=True, check=True).stdout)
    with Suite(program, directory) as suite:
        publish(suite.address)
        # It ends when the figures include everything.
        suite.run("import", "histories", str(log), "--map-by-name", "--source", "desk", "--customer-system", "crm")
        told = {query: suite.query(query) for query in queries()}
    rows = list(csv.DictReader(log.open()))
    now = micros(dt.datetime.now(UTC))
    counts = defaultdict(int)
    wrong = differences(told, Desk(rows, now), counts)
    print(f"complaints: {sum(counts.values())} cells of {len(told)} queries compared; {len(wrong)} differ")
    for line in wrong[:20]:
        print(line)
    if wrong:
        sys.exit(1)
    if poor := [query for query in told if counts[query] < least(query)]:
        sys.exit(f"complaints: too little was compared: {poor}")
    falsify(told, rows, now)


def least(query):
    """How many cells are to be compared: without groups and periods there is one. How many cases are open in the end is chance."""
    metric, by, every, _ = query
    if metric == "complaint_rate" or (metric in ("backlog", "backlog_age") and not every):
        return 0
    return 3 if by or every else 1


def falsify(told, rows, now):
    """A log in which one thing went otherwise must not come to the same figures."""
    events, times = defaultdict(list), defaultdict(list)
    for row in rows:
        events[row["case"]].append(row["event"])
        times[row["case"]].append(dt.datetime.fromisoformat(row["time"]))
    closed = {case for case, of in events.items() if "closed" in of}
    simple = {case for case in closed if "reopened" not in events[case]}
    minute = dt.timedelta(minutes=1)

    def other(name, cases, change, fits=lambda _: True):
        def is_noticed(place):
            false = [*rows[:place], rows[place] | change(rows[place]), *rows[place + 1:]]
            return differences(told, Desk(false, now), defaultdict(int))
        fitting = [place for place, row in enumerate(rows) if row["event"] == name and row["case"] in cases and fits(row)]
        must_notice(f"another {name}", fitting, is_noticed)

    def has_time(row):
        """Nothing else happened in the minute after it."""
        at = dt.datetime.fromisoformat(row["time"])
        return not any(at < other <= at + minute for other in times[row["case"]]) and times[row["case"]].count(at) == 1

    def later(row):
        return {"time": (dt.datetime.fromisoformat(row["time"]) + minute).isoformat()}

    other("acknowledged", closed, later, has_time)
    other("awaited_customer", closed, later, has_time)
    other("reopened", closed, later, has_time)
    other("outcome_set", simple, lambda row: {"finding": "rejected" if row["finding"] != "rejected" else "upheld"})
    other("acceptance_recorded", closed, lambda row: {"acceptance": "declined" if row["acceptance"] == "accepted" else "accepted"})
    other("opened", closed, lambda _: {"category": "elsewhere"})


class Suite:
    """A running suite with a directory of its own."""

    def __init__(self, program, directory):
        self.program, self.directory = program, directory

    def __enter__(self):
        port = self.directory / "address"
        command = [self.program, "serve", "--data-dir", self.directory / "data", "--listen", "127.0.0.1:0",
                   "--port-file", port]
        self.log = (self.directory / "suite.log").open("w")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while not (port.exists() and port.read_text().strip()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"complaints: the suite does not listen; see {self.log.name}")
            time.sleep(0.05)
        self.address = port.read_text().strip()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments, "--endpoint", f"http://{self.address}"], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"complaints: {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def query(self, query):
        metric, by, every, parameters = query
        # All of 2025 and, for what there is at one instant, the time until nobody is asleep any more.
        arguments = ["query", metric, "--from", "2025-01-01T00:00:00Z", "--to", "2026-02-01T00:00:00Z", "--time-zone", "UTC",
                     "--format", "json"]
        if metric == "complaint_rate":
            # Customers are known since they were brought in: now.
            arguments[arguments.index("--to") + 1] = "2200-01-01T00:00:00Z"
        if every:
            arguments += ["--every", every]
        if by:
            arguments += ["--by", ",".join(by)]
        for name, value in parameters:
            arguments += ["--param", f"{name}={value}"]
        return json.loads(self.run(*arguments))["rows"]


def publish(address):
    """The calendar and the policies by which clocks are counted."""
    policies = PolicyServiceStub(grpc.insecure_channel(address))
    calendar = calendar_pb2.Calendar(name="office", time_zone=ZONE)
    for weekday in range(1, 6):
        for start, end in HOURS:
            calendar.working_times.add(weekday=weekday, start_minute=start, end_minute=end)
    for date in HOLIDAYS:
        calendar.holidays.add(date=date, start_minute=0, end_minute=1440, name="holiday")
    calendar = policies.CreateCalendar(calendar_pb2.CreateCalendarRequest(calendar=calendar))
    published = policy_pb2.PolicySet()
    for name, kinds, targets in POLICIES:
        policy = published.policies.add(name=name, calendar_id=calendar.calendar_id)
        policy.conditions.kinds.extend(case_pb2.CaseKind.Value(f"CASE_KIND_{kind.upper()}") for kind in kinds)
        for clock, amount, working in targets:
            unit = clock_pb2.DURATION_UNIT_WORKING_MINUTES if working else clock_pb2.DURATION_UNIT_ELAPSED_MINUTES
            policy.targets.add(kind=clock_pb2.ClockKind.Value(f"CLOCK_KIND_{clock.upper()}"),
                               target=clock_pb2.ClockDuration(amount=amount, unit=unit))
    policies.PublishPolicies(policy_pb2.PublishPoliciesRequest(policy_set=published))


def queries():
    """Metric, dimensions, length of periods, parameters."""
    asked = []
    groups = [(), ("category_1",), ("channel", "kind"), ("team",), ("root_cause_1", "finding")]
    for metric in ["complaints_opened", "time_to_acknowledgement", "time_to_first_response", "time_to_resolution",
                   "time_to_last_resolution", "reopen_rate", "backlog", "backlog_age", "hand_offs_per_case", "upheld_rate",
                   "acceptance_rate", "case_satisfaction"]:
        asked += [(metric, by, every, ()) for by in groups for every in ("", "month")]
    asked += [("hand_offs", by, "month", ()) for by in [(), ("team",), ("team", "to_team"), ("employee", "category_2")]]
    asked += [("redress_cost", by, "month", ()) for by in [(), ("remedy",), ("root_cause",), ("product", "finding")]]
    for by in [(), ("policy",), ("category_1", "policy"), ("team",)]:
        asked += [("clock_time", by, "month", (("time", span),)) for span in ("working", "elapsed")]
        asked += [("clock_on_time_rate", by, every, ()) for every in ("", "month")]
    asked += [("complaint_rate", by, "", ()) for by in [(), ("category_1",)]]
    return asked


def differences(told, desk, counts):
    """What the suite told otherwise, by query, period and group."""
    wrong = []
    for query, rows in told.items():
        metric, by, every, parameters = query
        expected = desk.figures(metric, by, every, dict(parameters))
        found = {}
        for row in rows:
            group = tuple(sorted(row["group"].items()))
            figure = {name: Decimal(str(value)) for name, value in (row["counts"] | row["amounts"]).items() if value is not None}
            if any(figure.values()):
                found[row["label"], group] = figure, row["value"], row["statistics"]
        for cell in sorted(found.keys() | expected.keys()):
            counts[query] += 1
            figure, value, statistics = found.get(cell, ({}, None, {}))
            numbers, durations, worth = expected.get(cell, ({}, [], None))
            numbers = {name: Decimal(str(number)) for name, number in numbers.items()}
            if numbers != figure:
                wrong.append(f"{query} {cell}: {figure}, not {numbers}")
            elif durations:
                wrong += [f"{query} {cell}: {name} is {statistics.get(name)}, not {expected}"
                          for name, expected in spread(durations).items() if not near(statistics.get(name), expected)]
                if not near(value, spread(durations)["mean"]):
                    wrong.append(f"{query} {cell}: {value} is not the mean")
            elif worth is not None and not near(value, worth):
                wrong.append(f"{query} {cell}: {value}, not {float(worth)}")
    return wrong


def near(found, expected):
    return found is not None and abs(found - float(expected)) <= 1e-9 * max(1, abs(float(expected)))


def spread(durations):
    """Mean and percentiles (type 7) in seconds, as fractions."""
    durations = sorted(durations)
    told = {"mean": Fraction(sum(durations), len(durations) * 1_000_000)}
    for name, percent in STATISTICS.items():
        place = Fraction((len(durations) - 1) * percent, 100)
        below = durations[int(place)]
        above = durations[min(int(place) + 1, len(durations) - 1)]
        told[name] = (below + (place - int(place)) * (above - below)) / 1_000_000
    return told


class Desk:
    """The cases of a log, and their figures."""

    def __init__(self, rows, now):
        self.now = now
        logs = defaultdict(list)
        for row in rows:
            logs[row["case"]].append(dict(row, at=micros(dt.datetime.fromisoformat(row["time"]))))
        self.cases = [Case(sorted(log, key=lambda row: row["at"])) for log in logs.values()]
        self.calendar = Calendar(2025, 2026)
        self.clocks = [clock for case in self.cases for clock in case.clocks(self.calendar, now)]
        starts = [dt.datetime(2025 + month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in range(14)]
        self.months = [(micros(start), micros(end), f"{start:%Y-%m}") for start, end in zip(starts, starts[1:])]

    def figures(self, metric, by, every, parameters):
        """By label and group: counts, durations, and the value where it is neither their share nor their mean."""
        cells = defaultdict(lambda: (defaultdict(int), [], None))
        whole = [(self.months[0][0], self.months[-1][1], "")]
        self.periods = self.months if every else whole
        if metric == "complaint_rate":
            return self.complaint_rate(by)

        def add(at, values, counts, duration=None):
            label = next((label for start, end, label in self.periods if start <= at < end), None)
            if label is not None:
                numbers, durations, _ = cells[label, tuple(sorted(values.items()))]
                for name, number in counts.items():
                    numbers[name] += number
                if duration is not None:
                    durations.append(duration)

        getattr(self, metric)(add, by, parameters)
        # The suite tells every count of a cell, those that are 0 too.
        names = COUNTS[metric]
        return {cell: ({name: numbers.get(name, 0) for name in names}, durations, worth)
                for cell, (numbers, durations, worth) in cells.items() if any(numbers.values())}

    def complaints_opened(self, add, by, _):
        for case in self.cases:
            add(case.opened, case.group(by), {"opened": 1, "responded": case.responded is not None,
                                              "resolved": case.first_resolved is not None})

    def times(self, add, by, moment, done):
        for case in self.cases:
            at = moment(case)
            if at is not None:
                add(case.opened, case.group(by), {done: 1}, at - case.opened)
            elif case.state != "cancelled":
                add(case.opened, case.group(by), {"waiting": 1})

    def time_to_acknowledgement(self, add, by, _):
        self.times(add, by, lambda case: case.acknowledged, "acknowledged")

    def time_to_first_response(self, add, by, _):
        self.times(add, by, lambda case: case.responded, "responded")

    def time_to_resolution(self, add, by, _):
        self.times(add, by, lambda case: case.first_resolved, "resolved")

    def time_to_last_resolution(self, add, by, _):
        def resolved(case):
            if case.state not in ("resolved", "closed"):
                return None
            return case.opened + sum(end - start for start, end in case.open_stretches)
        self.times(add, by, resolved, "resolved")

    def reopen_rate(self, add, by, _):
        for case in self.cases:
            if case.first_resolved is not None:
                add(case.first_resolved, case.group(by), {"resolved": 1, "reopened": case.reopened})

    def open_at_ends(self):
        for start, end, _ in self.periods:
            for case in self.cases:
                if any(begun < end and (until is None or end <= until) for begun, until in case.open_stretches):
                    yield case, start, end - case.opened

    def backlog(self, add, by, _):
        ages = [("under_1_day", DAY), ("under_3_days", 3 * DAY), ("under_7_days", 7 * DAY), ("under_30_days", 30 * DAY)]
        for case, period, age in self.open_at_ends():
            name = next((name for name, limit in ages if age < limit), "older")
            add(period, case.group(by), {"open": 1, name: 1})

    def backlog_age(self, add, by, _):
        for case, period, age in self.open_at_ends():
            add(period, case.group(by), {"open": 1}, age)

    def hand_offs(self, add, by, _):
        seen = set()
        for case in self.cases:
            for at, (employee, team), (to_employee, to_team) in case.hand_offs:
                of = {"team": team, "employee": employee, "to_team": to_team, "to_employee": to_employee}
                group = {name: of[name] if name in of else case.values[name] for name in by}
                month = next(label for start, end, label in self.periods if start <= at < end)
                first = (month, tuple(group.items()), case) not in seen
                seen.add((month, tuple(group.items()), case))
                add(at, group, {"hand_offs": 1, "cases": first})

    def hand_offs_per_case(self, add, by, _):
        for case in self.cases:
            number = len(case.hand_offs)
            add(case.opened, case.group(by), {"hand_offs": number, "handed_off": number > 0, "cases": 1})

    def upheld_rate(self, add, by, _):
        for case in self.cases:
            add(case.opened, case.group(by), {case.values["finding"] or "undecided": 1})

    def acceptance_rate(self, add, by, _):
        for case in self.cases:
            if case.acceptance:
                add(case.opened, case.group(by), {case.acceptance: 1})

    def case_satisfaction(self, add, by, _):
        for case in self.cases:
            if case.satisfaction:
                add(case.opened, case.group(by), {"answers": 1, "satisfied": case.satisfaction >= 4})

    def redress_cost(self, add, by, _):
        for case in self.cases:
            if case.redress:
                remedy, amount, currency = case.redress
                group = {name: remedy if name == "remedy" else case.values[name] for name in by}
                add(case.opened, {**group, "currency": currency}, {"redresses": 1, "cases": 1, "cost": amount})

    def clock_time(self, add, by, parameters):
        for clock in self.clocks:
            group = {**{name: clock.value(name) for name in by}, "clock": clock.kind}
            if clock.stopped:
                add(clock.start, group, {"stopped": 1}, clock.working if parameters["time"] == "working" else clock.elapsed)
            elif not clock.cancelled:
                add(clock.start, group, {"running": 1})

    def clock_on_time_rate(self, add, by, _):
        for clock in self.clocks:
            group = {**{name: clock.value(name) for name in by}, "clock": clock.kind}
            if clock.outcome:
                add(clock.start, group, {clock.outcome: 1})

    def complaint_rate(self, by):
        customers = len({case.customer for case in self.cases if case.customer})
        numbers = defaultdict(int)
        for case in self.cases:
            if case.values["kind"] in ("complaint", "loss"):
                numbers[tuple(sorted(case.group(by).items()))] += 1
        return {("", group): ({"complaints": number, "customers": customers}, [], Fraction(1000 * number, customers))
                for group, number in numbers.items()}


COUNTS = {
    "complaints_opened": ["opened", "responded", "resolved"],
    "time_to_acknowledgement": ["acknowledged", "waiting"],
    "time_to_first_response": ["responded", "waiting"],
    "time_to_resolution": ["resolved", "waiting"],
    "time_to_last_resolution": ["resolved", "waiting"],
    "reopen_rate": ["reopened", "resolved"],
    "backlog": ["open", "under_1_day", "under_3_days", "under_7_days", "under_30_days", "older"],
    "backlog_age": ["open"],
    "hand_offs": ["hand_offs", "cases"],
    "hand_offs_per_case": ["hand_offs", "handed_off", "cases"],
    "upheld_rate": ["upheld", "partly_upheld", "rejected", "undecided"],
    "acceptance_rate": ["accepted", "declined", "unanswered", "not_asked"],
    "case_satisfaction": ["satisfied", "answers"],
    "redress_cost": ["redresses", "cases", "cost"],
    "clock_time": ["stopped", "running"],
    "clock_on_time_rate": ["on_time", "late", "waiting"],
}


class Case:
    """A case, replayed."""

    def __init__(self, log):
        first = log[0]
        self.log, self.opened, self.customer = log, first["at"], first["customer"]
        self.acknowledged = self.responded = self.first_resolved = None
        self.reopened, self.satisfaction, self.redress, self.acceptance = False, None, None, ""
        self.hand_offs, self.open_stretches = [], [[self.opened, None]]
        # When it waited for the customer, when it had been cancelled, and when it had been resolved: from, to.
        self.waits, self.cancelled, self.resolved = [], [], []
        self.values = {name: first[name] for name in ["kind", "product", "channel"]}
        self.values.update(finding="", root_cause="")
        path(self.values, "category", first["category"])
        path(self.values, "root_cause", "")
        holder, self.state = (first["employee"], first["team"]), "received"
        for row in log[1:]:
            at, event = row["at"], row["event"]
            self.follow(at, event, row)
            if event == "assigned":
                to = row["employee"], row["team"]
                if any(before and before != after for before, after in zip(holder, to)):
                    self.hand_offs.append((at, holder, to))
                holder = to
        self.values["employee"], self.values["team"] = holder

    def follow(self, at, event, row):
        was = self.state
        is_answer = event in ("awaited_customer", "resolved", "self_served")
        if is_answer or (event == "responded" and row["reply"] in ("", "answer")):
            self.responded = at if self.responded is None else self.responded
        match event:
            case "acknowledged":
                self.acknowledged, self.state = at, "acknowledged"
            case "responded" if not was.startswith("waiting"):
                self.state = "in progress"
            case "awaited_customer":
                self.state = "waiting for customer"
            case "awaited_third_party":
                self.state = "waiting for third party"
            case "resumed":
                self.state = "in progress"
            case "customer_wrote" if was == "waiting for customer" and row["needs_no_answer"] != "true":
                self.state = "in progress"
            case "resolved" | "self_served":
                self.first_resolved = at if self.first_resolved is None else self.first_resolved
                self.state, self.open_stretches[-1][1] = "resolved", at
                self.resolved.append([at, None])
                self.acceptance = ""
            case "cancelled":
                self.state, self.open_stretches[-1][1] = "cancelled", at
                self.cancelled.append([at, None])
            case "reopened":
                self.reopened = self.reopened or was != "cancelled"
                (self.cancelled if was == "cancelled" else self.resolved)[-1][1] = at
                self.state, self.acceptance, self.satisfaction = "in progress", "", None
                self.open_stretches.append([at, None])
            case "closed":
                self.state = "closed"
                self.acceptance = self.acceptance or "not_asked"
            case "outcome_set":
                self.values["finding"] = row["finding"]
                path(self.values, "root_cause", row["root_cause"])
                amount = row["redress_amount"]
                self.redress = (row["redress"], Decimal(amount), row["currency"]) if amount else None
            case "acceptance_asked":
                self.acceptance = "unanswered"
            case "acceptance_recorded":
                self.acceptance = row["acceptance"]
                self.satisfaction = int(row["satisfaction"]) if row["satisfaction"] else None
        if (self.state == "waiting for customer") != (was == "waiting for customer"):
            if self.state == "waiting for customer":
                self.waits.append([at, None])
            else:
                self.waits[-1][1] = at

    def group(self, by):
        return {name: self.values[name] for name in by}

    def clocks(self, calendar, now):
        """What its policy demands: each run of each clock."""
        name, targets = next((name, targets) for name, kinds, targets in POLICIES if not kinds or self.values["kind"] in kinds)
        for kind, minutes, working in targets:
            for start, stop in getattr(self, kind)():
                # Cancelled or paused, it stands; and the total resolution while the case is resolved.
                standing = list(self.cancelled)
                standing += self.waits if kind in STANDING else []
                standing += self.resolved if kind == "total_resolution" else []
                yield Clock(self, name, kind, start, stop, standing, minutes * MINUTE, working, calendar, now)

    def acknowledgement(self):
        told = ("acknowledged", "responded", "awaited_customer", "resolved", "self_served")
        return [(self.opened, next((row["at"] for row in self.log if row["event"] in told), None))]

    def first_response(self):
        return [(self.opened, self.responded)]

    def resolution(self):
        return [(self.opened, self.first_resolved)]

    def total_resolution(self):
        return [(self.opened, self.resolved[-1][0] if self.state in ("resolved", "closed") else None)]

    def next_response(self):
        """From the oldest message that nobody answered, after the first answer; or from the reopening after it."""
        runs, since, answered, pending, ended = [], None, False, False, False
        for row in self.log[1:]:
            at, event = row["at"], row["event"]
            if event in ("resolved", "self_served", "awaited_customer") or (event == "responded" and row["reply"] in ("", "answer")):
                if since is not None:
                    runs.append((since, at))
                since, answered, pending = None, True, False
            if event == "customer_wrote" and row["needs_no_answer"] != "true":
                if ended:
                    pending = True
                elif answered and since is None:
                    since = at
            if event == "reopened":
                if pending and answered and since is None:
                    since = at
                pending = False
            if event in ("resolved", "self_served", "cancelled", "reopened"):
                ended = event != "reopened"
        return runs + ([(since, None)] if since is not None else [])


class Clock:
    """One run of a clock, measured."""

    def __init__(self, case, policy, kind, start, stop, standing, allowed, working, calendar, now):
        self.case, self.policy, self.kind, self.start = case, policy, kind, start
        self.stopped, self.cancelled = stop is not None, stop is None and case.state == "cancelled"
        end = stop if stop is not None else now
        counted = gaps(start, end, standing, now)
        self.elapsed = sum(until - since for since, until in counted)
        self.working = sum(calendar.until(until) - calendar.until(since) for since, until in counted)
        due = self.due(counted, allowed, working, calendar)
        late = due is not None and due < end
        if late:
            self.outcome = "late"
        elif self.stopped:
            self.outcome = "on_time"
        else:
            self.outcome = None if self.cancelled else "waiting"

    @staticmethod
    def due(counted, allowed, working, calendar):
        """The first instant at which so much was counted, if it was."""
        for since, until in counted:
            passed = calendar.until(until) - calendar.until(since) if working else until - since
            if passed >= allowed:
                return calendar.when(calendar.until(since) + allowed) if working else since + allowed
            allowed -= passed
        return None

    def value(self, name):
        return self.policy if name == "policy" else self.case.values[name]


class Calendar:
    """Working time: the intervals of some years, and how much of it there was before each."""

    def __init__(self, first, last):
        zone, intervals = ZoneInfo(ZONE), []
        day = dt.date(first, 1, 1)
        while day.year <= last:
            if day.weekday() < 5 and day.isoformat() not in HOLIDAYS:
                for start, end in HOURS:
                    local = [dt.datetime.combine(day, dt.time(minute // 60, minute % 60), zone) for minute in (start, end)]
                    intervals.append(tuple(micros(instant) for instant in local))
            day += dt.timedelta(days=1)
        self.starts, self.ends = zip(*intervals)
        self.before = [0]
        for start, end in intervals:
            self.before.append(self.before[-1] + end - start)

    def until(self, instant):
        """Working time before an instant."""
        at = bisect_right(self.starts, instant) - 1
        return 0 if at < 0 else self.before[at] + min(instant, self.ends[at]) - self.starts[at]

    def when(self, amount):
        """The first instant before which there was so much of it; more than nothing."""
        at = bisect_left(self.before, amount) - 1
        return self.starts[at] + amount - self.before[at]


def gaps(start, end, standing, now):
    """What is left of a stretch of time without others."""
    left = [(start, end)]
    for since, until in standing:
        until = now if until is None else until
        left = [piece for a, b in left for piece in ((a, min(b, since)), (max(a, until), b)) if piece[0] < piece[1]]
    return sorted(left)


def path(values, name, text):
    parts = text.split("/")
    values.update({name: text, f"{name}_1": "/".join(parts[:1]), f"{name}_2": "/".join(parts[:2])})


def micros(instant):
    return (instant.astimezone(UTC) - EPOCH) // dt.timedelta(microseconds=1)


if __name__ == "__main__":
    os.environ.setdefault("NO_COLOR", "1")
    main(*sys.argv[1:])
