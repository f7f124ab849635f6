"""Compares yearly recurrences of iCalendar files with what dateutil makes of them: recurrences.py PROGRAM [RULES [SEED]].

PROGRAM reads files (see tests/src/bin/timetables.rs). Whatever differs is printed, and the program fails; it fails too when
too few rules could be compared, and when it does not notice a date that is missing.
"""

import datetime as dt
import json
import random
import subprocess
import sys

from dateutil.rrule import rrulestr

from suite import must_notice

# Holidays of a calendar, and the last day that it may name.
MOST = 2_000
LAST = dt.date(2200, 12, 31)
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def main(program, rules=5_000, seed=None):
    seed = random.randrange(2**32) if seed is None else seed
    print(f"recurrences: {rules} random rules, seed {seed}")
    rng = random.Random(seed)
    cases = [case(rng) for _ in range(rules)]
    lines = "".join(json.dumps({"icalendar": file(*of), "time_zone": "UTC"}) + "\n" for of in cases)
    told = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    answers = [json.loads(line) for line in told]
    if len(answers) != len(cases):
        sys.exit(f"recurrences: {len(answers)} answers to {len(cases)} questions")

    expected = [dates(*of) for of in cases]
    wrong = differences(cases, expected, answers)
    compared = sum(days is not None for days in expected)
    print(f"recurrences: {compared} rules compared with dateutil, {len(expected) - compared} refused; {len(wrong)} differ")
    for line in wrong[:10]:
        print(line)
    if wrong:
        sys.exit(1)
    if compared < rules // 10:
        sys.exit("recurrences: too little was compared")
    some = [index for index, days in enumerate(expected) if days]
    must_notice("that a date is missing", some,
                lambda index: differences(cases, expected, [*answers[:index], answers[index][1:], *answers[index + 1:]]))


def differences(cases, expected, answers):
    return [f"{start} {rule}: dateutil {days}, told {answer}" for (start, rule), days, answer in zip(cases, expected, answers)
            if days != answer]


def case(rng):
    start = dt.date(2020, 1, 1) + dt.timedelta(days=rng.randrange(1500))
    parts = ["FREQ=YEARLY"]
    if rng.random() < 0.3:
        parts.append(f"INTERVAL={rng.randrange(1, 5)}")
    if rng.random() < 0.6:
        months = {start.month, *rng.sample(range(1, 13), rng.randrange(0, 3))}
        parts.append("BYMONTH=" + ",".join(map(str, sorted(months))))
    if rng.random() < 0.4:
        days = {start.day, *rng.sample([*range(-31, 0), *range(1, 32)], rng.randrange(0, 4))}
        parts.append("BYMONTHDAY=" + ",".join(map(str, days)))
    elif rng.random() < 0.8:
        # All with ordinals or all without, which dateutil would take for both at once; one falls on the start.
        ordinal = rng.random() < 0.5 and "BYMONTH" in parts[-1]
        own = f"{(start.day + 6) // 7 if ordinal else ''}{WEEKDAYS[start.weekday()]}"
        others = [f"{rng.choice([1, 2, 3, 4, 5, -1, -2]) if ordinal else ''}{rng.choice(WEEKDAYS)}"
                  for _ in range(rng.randrange(0, 3))]
        parts.append("BYDAY=" + ",".join([own, *others]))
    if rng.random() < 0.5:
        parts.append(f"COUNT={rng.randrange(1, 30)}")
    else:
        parts.append(f"UNTIL={start + dt.timedelta(days=rng.randrange(0, 6000)):%Y%m%d}")
    return start, ";".join(parts)


def file(start, rule):
    lines = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", f"DTSTART;VALUE=DATE:{start:%Y%m%d}", f"RRULE:{rule}", "END:VEVENT",
             "END:VCALENDAR"]
    return "\r\n".join(lines)


def dates(start, rule):
    """The dates that a calendar can hold, or nothing where they are too many, or the start is none of them: what that
    means is undefined."""
    found = [moment.date() for moment in rrulestr(f"DTSTART:{start:%Y%m%d}\nRRULE:{rule}")]
    held = [day.isoformat() for day in found if day <= LAST]
    return held if found[:1] == [start] and len(held) <= MOST else None


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
