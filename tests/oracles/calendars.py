"""Compares calendars and clocks with what Python makes of them: calendars.py PROGRAM [CALENDARS [SEED]].

PROGRAM counts by random calendars (see tests/src/bin/timetables.rs). Its answers are compared with a count of our own over
the offsets of zoneinfo, and where it can express the calendar with businesstimedelta. Whatever differs is printed, and the
program fails; it fails too when it has compared too little, and when it does not notice an answer that was falsified.
"""

import datetime as dt
import json
import random
import subprocess
import sys
from bisect import bisect_right
from zoneinfo import ZoneInfo

import businesstimedelta
import pytz

from suite import must_notice

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 1440 * MINUTE
ZONES = ["UTC", "Europe/Berlin", "Europe/Chisinau", "Europe/London", "America/New_York", "America/Sao_Paulo",
         "America/St_Johns", "Asia/Kolkata", "Asia/Tehran", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham"]
ASKS = 6
SPAN_DAYS = 60


def main(program, calendars=10_000, seed=None):
    seed = random.randrange(2**32) if seed is None else seed
    print(f"calendars: {calendars} random ones, seed {seed}")
    rng = random.Random(seed)
    cases = [case(rng) for _ in range(calendars)]
    lines = "".join(json.dumps(of, separators=(",", ":")) + "\n" for of in cases)
    told = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    if len(told) != len(cases):
        sys.exit(f"calendars: {len(told)} answers to {len(cases)} questions")
    answers = [json.loads(line) for line in told]

    counts = {"zoneinfo": 0, "businesstimedelta": 0}
    wrong = differences(cases, answers, counts)
    print(f"calendars: {counts['zoneinfo']} answers compared with zoneinfo, {counts['businesstimedelta']} with "
          f"businesstimedelta; {len(wrong)} differ")
    for line in wrong[:10]:
        print(line)
    if wrong:
        sys.exit(1)
    if counts["zoneinfo"] < calendars * ASKS or counts["businesstimedelta"] < calendars // 10:
        sys.exit("calendars: too little was compared")
    falsify(cases[:50], answers[:50])


def falsify(cases, answers):
    """Each kind of answer, falsified by a second or a day, must be noticed."""
    def falsified(name, case, ask):
        false = [[dict(answer) for answer in of] for of in answers]
        false[case][ask][name] += 1 if name == "days" else SECOND
        return false

    for name in answers[0][0]:
        fitting = [(case, ask) for case, of in enumerate(answers) for ask, answer in enumerate(of) if answer[name] is not None]
        must_notice(f"a false `{name}`", fitting,
                    lambda place: differences(cases, falsified(name, *place), {"zoneinfo": 0, "businesstimedelta": 0}))


def differences(cases, answers, counts):
    wrong = []
    for of, answer in zip(cases, answers):
        ours = Calendar(of)
        theirs = business(of)
        for ask, told in zip(of["asks"], answer):
            expected = ours.answer(ask)
            counts["zoneinfo"] += 1
            wrong += [f"{name}: zoneinfo {value}, told {told[name]}, {json.dumps(ask)} {json.dumps(of['calendar'])}"
                      for name, value in expected.items() if value != told[name]]
            if theirs:
                counts["businesstimedelta"] += 1
                expected = by_business(theirs, ask)
                wrong += [f"{name}: businesstimedelta {value}, told {told[name]}, {json.dumps(ask)} "
                          f"{json.dumps(of['calendar'])}" for name, value in expected.items() if value != told[name]]
    return wrong


def case(rng):
    """A calendar and questions of it. Some are plain: the same hours on some days, which businesstimedelta knows."""
    zone = rng.choice(ZONES)
    plain = rng.random() < 0.15
    times, holidays = [], []
    first = dt.date(1975, 1, 1) + dt.timedelta(days=rng.randrange(60 * 365))
    if plain:
        start = rng.randrange(4 * 60, 14 * 60)
        end = rng.randrange(start + 30, 23 * 60)
        days = rng.sample(range(1, 8), rng.randrange(1, 7))
        times = [{"weekday": day, "start": start, "end": end} for day in sorted(days)]
    else:
        for day in range(1, 8):
            edges = sorted(rng.sample(range(0, 1441), 2 * rng.randrange(0, 4)))
            times += [{"weekday": day, "start": a, "end": b} for a, b in zip(edges[::2], edges[1::2])]
        times = times or [{"weekday": 3, "start": 0, "end": 1440}]
    for _ in range(rng.randrange(0, 8)):
        day = first + dt.timedelta(days=rng.randrange(-2, SPAN_DAYS + 20))
        a, b = (0, 1440) if plain or rng.random() < 0.5 else sorted(rng.sample(range(0, 1441), 2))
        holidays.append({"date": day.isoformat(), "start": a, "end": b, "name": f"holiday {len(holidays)}"})
    holidays.sort(key=lambda holiday: (holiday["date"], holiday["start"], holiday["end"], holiday["name"]))
    begin = int((dt.datetime.combine(first, dt.time(), UTC) - EPOCH).total_seconds()) * SECOND

    def instants(count):
        return sorted(begin + rng.randrange(SPAN_DAYS * 1440) * MINUTE + rng.choice([0, 0, 1, 30 * SECOND]) for _ in range(count))

    def ask():
        from_, *pauses, until = instants(2 + 2 * rng.randrange(0, 4))
        return {"from": from_, "until": until, "target": rng.randrange(1, 5000), "days": rng.randrange(1, 15),
                "pauses": [list(pause) for pause in zip(pauses[::2], pauses[1::2])]}

    calendar = {"time_zone": zone, "working_times": times, "holidays": holidays}
    return {"calendar": calendar, "asks": [ask() for _ in range(ASKS)], "first": first.isoformat(), "plain": plain}


class Calendar:
    """The working time of some months, by the clock on a wall: it stands still while clocks are put back, and jumps."""

    def __init__(self, of):
        self.zone = ZoneInfo(of["calendar"]["time_zone"])
        self.week = of["calendar"]["working_times"]
        self.off = {}
        for holiday in of["calendar"]["holidays"]:
            self.off.setdefault(holiday["date"], []).append((holiday["start"], holiday["end"]))
        self.first = dt.date.fromisoformat(of["first"]) - dt.timedelta(days=3)
        self.made, self.starts, self.ends, self.before, self.closings = self.first, [], [], [], []
        self.offsets = {}

    def extend(self):
        """One more month."""
        for _ in range(30):
            day = self.made
            hours = [(time["start"], time["end"]) for time in self.week if time["weekday"] == day.isoweekday()]
            for start, end in self.off.get(day.isoformat(), []):
                hours = [part for a, b in hours for part in ((a, min(b, start)), (max(a, end), b)) if part[0] < part[1]]
            closing = None
            for start, end in hours:
                a, b = self.instant(day, start), self.instant(day, end)
                if a < b:
                    total = self.before[-1] + self.ends[-1] - self.starts[-1] if self.starts else 0
                    self.starts.append(a)
                    self.ends.append(b)
                    self.before.append(total)
                    closing = b
            if closing is not None:
                self.closings.append((closing, day))
            self.made += dt.timedelta(days=1)

    def instant(self, day, minute):
        """The first instant at which clocks show this or a later local time, by looking for where offsets change."""
        day, minute = (day + dt.timedelta(days=1), 0) if minute == 1440 else (day, minute)
        local = (day - dt.date(1970, 1, 1)).days * DAY + minute * MINUTE
        low, high = local - 16 * 60 * MINUTE, local + 40 * 60 * MINUTE
        if self.offset(low) == self.offset(high):
            return local - self.offset(low)
        for begin, offset in self.changes(low, high):
            end = next((at for at, _ in self.changes(low, high) if at > begin), high)
            if end + offset > local:
                return max(begin, local - offset)
        raise AssertionError("no such time")

    def changes(self, low, high):
        """The offsets between two instants, each from when on it holds."""
        found, at = [(low, self.offset(low))], low
        step = 15 * MINUTE
        while at < high:
            if self.offset(at + step) != self.offset(at):
                a, b = at, at + step
                while b - a > SECOND:
                    middle = (a + b) // 2 // SECOND * SECOND
                    a, b = (middle, b) if self.offset(middle) == self.offset(at) else (a, middle)
                found.append((b, self.offset(b)))
            at += step
        return found

    def offset(self, at):
        if at not in self.offsets:
            shown = (EPOCH + dt.timedelta(microseconds=at)).astimezone(self.zone)
            self.offsets[at] = int(shown.utcoffset().total_seconds()) * SECOND
        return self.offsets[at]

    def reach(self, at):
        while not self.starts or self.starts[-1] <= at:
            self.extend()

    def worked_until(self, at):
        self.reach(at)
        index = bisect_right(self.starts, at) - 1
        return 0 if index < 0 else self.before[index] + min(at, self.ends[index]) - self.starts[index]

    def worked(self, a, b):
        return self.worked_until(b) - self.worked_until(a)

    def after(self, at, worked):
        """The instant at which so much was worked."""
        wanted = self.worked_until(at) + worked
        while not self.starts or self.before[-1] + self.ends[-1] - self.starts[-1] < wanted:
            self.extend()
        index = next(i for i in range(len(self.starts) - 1, -1, -1) if self.before[i] < wanted)
        return self.starts[index] + wanted - self.before[index]

    def opens(self, at):
        self.reach(at)
        while self.ends[-1] <= at:
            self.extend()
        return next(max(start, at) for start, end in zip(self.starts, self.ends) if end > at)

    def closes(self, at):
        index = 0
        self.reach(at)
        while index < len(self.starts) and self.starts[index] <= at:
            at = max(at, self.ends[index])
            index += 1
            self.reach(at)
        return at

    def date(self, at):
        """The latest date that clocks have shown."""
        day = (EPOCH + dt.timedelta(microseconds=at)).astimezone(self.zone).date()
        tomorrow = day + dt.timedelta(days=1)
        return tomorrow if self.instant(tomorrow, 0) <= at else day

    def answer(self, ask):
        from_, until = ask["from"], ask["until"]
        edges = [from_, *(at for pause in ask["pauses"] for at in pause), until]
        running = [(a, b) for a, b in zip(edges[::2], edges[1::2])]
        used, due, target = 0, None, ask["target"] * MINUTE
        days, days_due, opened = 0, None, self.date(from_)
        self.reach(until)
        for a, b in running:
            worked = self.worked(a, b)
            if due is None and worked and used + worked >= target:
                due = self.after(a, target - used)
            used += worked
            for closing, day in self.closings:
                if a < closing <= b and day > opened:
                    days += 1
                    days_due = closing if days == ask["days"] else days_due
        due = self.after(until, target - used) if due is None else due
        while days_due is None:
            left = [closing for closing, day in self.closings if closing > until and day > opened]
            if len(left) >= ask["days"] - days:
                days_due = left[ask["days"] - days - 1]
            else:
                self.extend()
        return {"worked": self.worked(from_, until), "opens": self.opens(from_), "closes": self.closes(from_), "due": due,
                "used": used, "days": days, "days_due": days_due}


def business(of):
    """The same in businesstimedelta, where it can say it and counts the same: pytz ends with 2037, a day of 24 hours that
    is off must be one, and some of the holidays must lie ahead."""
    zone, first = of["calendar"]["time_zone"], dt.date.fromisoformat(of["first"])
    if not of["plain"] or first.year > 2034 or zone not in ("UTC", "Europe/Berlin", "Europe/London", "America/New_York", "Asia/Kolkata"):
        return None
    tz = pytz.timezone(zone)
    times = of["calendar"]["working_times"]
    clock = lambda minute: dt.time(minute // 60, minute % 60)
    days = businesstimedelta.WorkDayRule(clock(times[0]["start"]), clock(times[0]["end"]),
                                         [time["weekday"] - 1 for time in times], tz=tz)
    off = [dt.date.fromisoformat(holiday["date"]) for holiday in of["calendar"]["holidays"]]
    offset = lambda day: tz.localize(dt.datetime.combine(day, dt.time())).utcoffset()
    if any(offset(day) != offset(day + dt.timedelta(days=1)) for day in off):
        return None
    # It looks for a next holiday up to five years ahead and fails when there is none.
    off += [first + dt.timedelta(days=1000 + 700 * n) for n in range(4)]
    return businesstimedelta.Rules([days, businesstimedelta.HolidayRule(off, tz=tz)])


def by_business(rules, ask):
    instant = lambda at: EPOCH + dt.timedelta(microseconds=at)
    micros = lambda delta: delta.timedelta // dt.timedelta(microseconds=1)
    # It cuts what it counts to seconds.
    worked = rules.difference(instant(ask["from"] // SECOND * SECOND), instant(ask["until"] // SECOND * SECOND))
    expected = {}
    if ask["from"] % SECOND == 0 and ask["until"] % SECOND == 0:
        expected["worked"] = micros(worked)
    if not ask["pauses"]:
        due = instant(ask["from"]) + businesstimedelta.BusinessTimeDelta(rules, seconds=ask["target"] * 60)
        expected["due"] = (due - EPOCH) // dt.timedelta(microseconds=1)
    return expected


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
