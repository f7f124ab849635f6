"""Asks DuckDB what the suite is asked: reference.py FILE START END WARM COUNTED prints JSON."""

import json
import sys
import time

import duckdb

COUNTS = """count(*) FILTER (score >= 9), count(*) FILTER (score BETWEEN 7 AND 8), count(*) FILTER (score <= 6)"""


def main(file, start, end, warm, counted):
    db = duckdb.connect(":memory:")
    db.execute(
        f"""CREATE TABLE raw AS SELECT make_timestamp(us) AS time, score, channel, market FROM read_csv('{file}',
        header = false, columns = {{us: BIGINT, score: TINYINT, channel: VARCHAR, market: VARCHAR}})"""
    )
    # Dictionary-coded, as the suite keeps them.
    for name in ("channel", "market"):
        db.execute(f"CREATE TYPE {name}s AS ENUM (SELECT DISTINCT {name} FROM raw ORDER BY 1)")
    typed = "SELECT time, score, channel::channels AS channel, market::markets AS market FROM raw"
    answer = {"version": duckdb.__version__, "threads": db.execute("SELECT current_setting('threads')").fetchone()[0]}
    for order, by in (("in order", "time"), ("shuffled", "hash(rowid)")):
        db.execute(f"CREATE OR REPLACE TABLE answers AS {typed} ORDER BY {by}")
        queries = {
            "window": f"""SELECT '', {COUNTS} FROM answers
                WHERE time >= make_timestamp({start}) AND time < make_timestamp({end})""",
            "channel": f"SELECT channel::VARCHAR, {COUNTS} FROM answers GROUP BY channel",
            "month_market": f"""SELECT strftime(month, '%Y-%m ') || market, promoters, passives, detractors
                FROM (SELECT date_trunc('month', time) AS month, market, {COUNTS} FROM answers GROUP BY ALL)
                AS t (month, market, promoters, passives, detractors)""",
        }
        answer[order] = {name: measure(db, query, warm, counted) for name, query in queries.items()}
    json.dump(answer, sys.stdout)


def measure(db, query, warm, counted):
    milliseconds = []
    for _ in range(warm + counted):
        begun = time.perf_counter()
        rows = db.execute(query).fetchall()
        milliseconds.append((time.perf_counter() - begun) * 1e3)
    return {"milliseconds": milliseconds[warm:], "rows": rows}


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:6]))
