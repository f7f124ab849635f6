"""Instants, in microseconds, and the months that are asked about."""

import datetime as dt
import time

import pandas as pd

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 10**6
DAY = 86_400 * SECOND
ZONES = ["UTC", "Europe/Chisinau", "America/New_York", "Pacific/Apia", "Asia/Kathmandu"]
# What is not over by now has no end yet.
NOW = int(time.time() * SECOND)


def instant(micros):
    return (EPOCH + dt.timedelta(microseconds=int(micros))).strftime("%Y-%m-%dT%H:%M:%SZ")


def within(frame, start, end):
    return frame[(frame.time >= start) & (frame.time < end)]


class Months:
    """The twenty months before the beginning of one, in a time zone, and days in it."""

    def __init__(self, zone, end):
        self.zone = zone
        # A simulated company goes on for some days.
        self.until = end.strftime("%Y-%m-15")
        bounds = pd.date_range(end - pd.DateOffset(months=20), end, freq="MS", tz=zone)
        self.months = [at.value // 1000 for at in bounds]
        days = pd.date_range(bounds[0], bounds[-1], freq="D", tz=zone)
        # A day that a zone left out has no midnight.
        self.midnights = sorted({at.value // 1000 for at in days})

    def periods(self, every):
        return list(zip(self.months, self.months[1:])) if every else [(self.months[0], self.months[-1])]

    def flags(self, every, by):
        """Of a query: from when until when, by what period and dimensions."""
        given = ["--from", instant(self.months[0]), "--to", instant(self.months[-1]), "--time-zone", self.zone]
        given += ["--every", every] if every else []
        return given + (["--by", ",".join(by)] if by else [])
