"""Asks DuckDB what the suite is asked, and prints JSON.

reference.py answers FILE START END WARM COUNTED CHANGED…
reference.py pages FILE UNTIL CUSTOMERS CUSTOMER TIME WARM COUNTED
reference.py callers FILE START END MILLISECONDS REPETITIONS CALLERS…
reference.py sales FILE UNTIL SHOWN WARM COUNTED
"""

import json
import sys
import threading
import time

import duckdb

CATEGORY = "CASE WHEN score >= 9 THEN 3 WHEN score >= 7 THEN 2 WHEN score >= 0 THEN 1 END"
PAGE = 50
COUNTS = """count(*) FILTER (score >= 9), count(*) FILTER (score BETWEEN 7 AND 8), count(*) FILTER (score <= 6)"""


def answers(file, start, end, warm, counted, *changed):
    db = duckdb.connect(":memory:")
    answer = {"version": duckdb.__version__, "threads": db.execute("SELECT current_setting('threads')").fetchone()[0]}
    for order, by in (("in order", "time"), ("shuffled", "hash(rowid)")):
        load_answers(db, file, by)
        queries = {
            "window": f"SELECT '', {COUNTS} FROM answers WHERE {between(start, end)}",
            "window_channel": by_channel(start, end),
            "channel": f"SELECT channel::VARCHAR, {COUNTS} FROM answers GROUP BY channel",
            "month_market": f"""SELECT strftime(month, '%Y-%m ') || market, promoters, passives, detractors
                FROM (SELECT date_trunc('month', time) AS month, market, {COUNTS} FROM answers GROUP BY ALL)
                AS t (month, market, promoters, passives, detractors)""",
        }
        answer[order] = {name: measure(db, query, warm, counted) for name, query in queries.items()}
        times = iter(changed)
        answer[order]["changed"] = measure(db, by_channel(start, end), warm, counted, lambda: lower(db, next(times)))
    return answer


def lower(db, time):
    """Makes 0 of the score of an answer."""
    db.execute(f"UPDATE answers SET score = 0 WHERE time = make_timestamp({time})")


def load_answers(db, file, by):
    db.execute(
        f"""CREATE OR REPLACE TABLE raw AS SELECT make_timestamp(us) AS time, score, channel, market, customer
        FROM read_csv('{file}', header = false, columns = {{us: BIGINT, score: TINYINT, channel: VARCHAR,
        market: VARCHAR, customer: INTEGER}})"""
    )
    db.execute("DROP TABLE IF EXISTS answers")
    # Dictionary-coded, as the suite keeps them.
    for name in ("channel", "market"):
        db.execute(f"DROP TYPE IF EXISTS {name}s")
        db.execute(f"CREATE TYPE {name}s AS ENUM (SELECT DISTINCT {name} FROM raw ORDER BY 1)")
    typed = "SELECT time, score, channel::channels AS channel, market::markets AS market, customer FROM raw"
    db.execute(f"CREATE TABLE answers AS {typed} ORDER BY {by}")


def between(start, end):
    return f"time >= make_timestamp({start}) AND time < make_timestamp({end})"


def by_channel(start, end):
    return f"SELECT channel::VARCHAR, {COUNTS} FROM answers WHERE {between(start, end)} GROUP BY channel"


def pages(file, until, customers, customer, time, warm, counted):
    """Pages of customers' states and of their moves: the first ones, those after a customer and before an instant."""
    db = duckdb.connect(":memory:")
    load_answers(db, file, "time")
    db.execute(f"CREATE TABLE customers AS SELECT unnest(range({customers}))::INTEGER AS customer")
    queries = {
        "states_first": states(-1, until),
        "states_middle": states(customer, until),
        "moves_first": moves(until),
        "moves_middle": moves(time),
    }
    return {name: measure(db, query, warm, counted) for name, query in queries.items()}


def states(after, until):
    return f"""WITH page AS (SELECT customer FROM customers WHERE customer > {after} ORDER BY customer LIMIT {PAGE}),
        own AS (SELECT customer, time, score, {CATEGORY} AS category FROM answers SEMI JOIN page USING (customer)
            WHERE time < make_timestamp({until})),
        chain AS (SELECT *, lag(category IGNORE NULLS) OVER (PARTITION BY customer ORDER BY time) AS former FROM own)
        SELECT customer, epoch_us(max(time)), arg_max(category, time), arg_max(score, time),
            epoch_us(max(time) FILTER (score IS NOT NULL)),
            epoch_us(max(time) FILTER (score IS NOT NULL AND category IS DISTINCT FROM former)),
            arg_max(former, time) FILTER (category <> former), count(score)
        FROM page LEFT JOIN chain USING (customer) GROUP BY customer ORDER BY customer"""


def moves(until):
    return f"""WITH scored AS (SELECT customer, time, score, {CATEGORY} AS category FROM answers
            WHERE score IS NOT NULL AND time < make_timestamp({until})),
        chain AS (SELECT *, lag(category) OVER w AS former, lag(score) OVER w AS former_score,
            lag(time) OVER w AS former_time FROM scored WINDOW w AS (PARTITION BY customer ORDER BY time))
        SELECT customer, former, former_score, epoch_us(former_time), category, score, epoch_us(time)
        FROM chain WHERE category <> former ORDER BY time DESC LIMIT {PAGE}"""


def callers(file, start, end, milliseconds, repetitions, *of):
    """Queries a second of so many threads, each with a connection of its own to the one database."""
    db = duckdb.connect(":memory:")
    load_answers(db, file, "time")
    query = by_channel(start, end)

    def rate(count):
        answered, until = [0] * count, time.perf_counter() + milliseconds / 1e3

        def call(index):
            cursor = db.cursor()
            while time.perf_counter() < until:
                cursor.execute(query).fetchall()
                answered[index] += 1

        threads = [threading.Thread(target=call, args=(index,)) for index in range(count)]
        begun = time.perf_counter()
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        return sum(answered) / (time.perf_counter() - begun)

    return {count: [rate(count) for _ in range(repetitions + 1)][1:] for count in of}


def sales(file, until, shown, warm, counted):
    db = duckdb.connect(":memory:")
    db.execute(
        f"""CREATE TABLE sales AS SELECT make_timestamp(us) AS time, customer, amount FROM read_csv('{file}',
        header = false, columns = {{us: BIGINT, customer: INTEGER, amount: INTEGER}}) WHERE amount >= 0"""
    )
    queries = {
        "retention": """WITH began AS (SELECT customer, date_trunc('month', min(time)) AS cohort FROM sales GROUP BY ALL),
            active AS (SELECT DISTINCT customer, date_trunc('month', time) AS month FROM sales)
            SELECT strftime(cohort, '%Y-%m'), datediff('month', cohort, month) AS since, count(*)
            FROM active JOIN began USING (customer) WHERE since < 24 GROUP BY ALL""",
        # Kaplan and Meier's curve with Greenwood's variance, its median, and where it stands after `shown` with
        # the limits of log(-log S).
        "survival": f"""WITH began AS (SELECT customer, min(time) AS first FROM sales GROUP BY customer),
            seconds AS (SELECT customer, first, min(time) FILTER (time::DATE > first::DATE) AS second
                FROM sales JOIN began USING (customer) GROUP BY ALL),
            watched AS (SELECT second IS NOT NULL AS event,
                epoch_us(coalesce(second, make_timestamp({until}))) - epoch_us(first) AS us FROM seconds),
            times AS (SELECT us, count(*) FILTER (event) AS events, count(*) AS gone FROM watched GROUP BY us),
            risk AS (SELECT us, events, sum(gone) OVER (ORDER BY us DESC) AS at_risk FROM times),
            curve AS (SELECT us, events,
                exp(sum(CASE WHEN events < at_risk THEN ln(1 - events / at_risk) END) OVER w) AS left_over,
                sum(events / (at_risk * (at_risk - events))) OVER w AS variance
                FROM risk WHERE events > 0 WINDOW w AS (ORDER BY us)),
            ends AS (SELECT arg_max(left_over, us) FILTER (us <= {shown}) AS s,
                arg_max(variance, us) FILTER (us <= {shown}) AS v, sum(events) AS events,
                min(us) FILTER (left_over <= 0.5) AS median FROM curve)
            SELECT (SELECT count(*) FROM watched), events::BIGINT, coalesce(median, -1), s,
                exp(-exp(ln(-ln(s)) - 1.959963984540054 * sqrt(v) / ln(s))),
                exp(-exp(ln(-ln(s)) + 1.959963984540054 * sqrt(v) / ln(s))) FROM ends""",
    }
    return {name: measure(db, query, warm, counted) for name, query in queries.items()}


def measure(db, query, warm, counted, before=lambda: None):
    milliseconds = []
    for _ in range(warm + counted):
        before()
        begun = time.perf_counter()
        rows = db.execute(query).fetchall()
        milliseconds.append((time.perf_counter() - begun) * 1e3)
    return {"milliseconds": milliseconds[warm:], "rows": rows}


if __name__ == "__main__":
    about = {"answers": answers, "callers": callers, "pages": pages, "sales": sales}[sys.argv[1]]
    json.dump(about(sys.argv[2], *map(int, sys.argv[3:])), sys.stdout)
