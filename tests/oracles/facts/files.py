"""Exported facts as frames."""

import datetime as dt
import sys
from decimal import Decimal

import duckdb
import pandas as pd

from facts.times import EPOCH
from suite import ORACLE

# The columns of a file that are instants.
TIMES = {}


def export(suite, directory, kind):
    """The facts of a kind, from Parquet; the CSV must be the same."""
    facts, path = read(suite, directory, kind), directory / f"{kind}.csv"
    suite.run("export", "facts", kind, "--format", "csv", "--output", str(path))
    lines = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    if list(lines.columns) != list(facts.columns) or len(lines) != len(facts):
        sys.exit(f"{ORACLE}: {kind}: {lines.shape} in CSV, {facts.shape} in Parquet")
    for column in facts.columns:
        for number, (cell, text) in enumerate(zip(facts[column], lines[column])):
            if written(cell, column in TIMES[f"{kind}.parquet"]) != text:
                sys.exit(f"{ORACLE}: {kind} {column} of row {number}: {cell!r} in Parquet, {text!r} in CSV")
    if facts.number.duplicated().any() or facts.id.duplicated().any():
        sys.exit(f"{ORACLE}: {kind}: a fact comes twice")
    return facts


def read(suite, directory, kind):
    """The facts of a kind, from Parquet alone."""
    path = directory / f"{kind}.parquet"
    suite.run("export", "facts", kind, "--format", "parquet", "--output", str(path))
    return frame(path)


def frame(path):
    """A file of Parquet with instants in microseconds and exact amounts."""
    duckdb.sql("SET TimeZone = 'UTC'")
    cells = duckdb.sql(f"FROM '{path}'")
    rows = [[(cell - EPOCH) // dt.timedelta(microseconds=1) if isinstance(cell, dt.datetime) else cell for cell in row] for row in cells.fetchall()]
    found = pd.DataFrame(rows, columns=cells.columns, dtype=object)
    # Not as an attribute of the frame, which its copies compare.
    TIMES[path.name] = {name for name, kind in zip(cells.columns, cells.types) if str(kind).startswith("TIMESTAMP")}
    return found


def written(cell, is_time):
    """A cell as CSV has it."""
    if cell is None:
        return ""
    if is_time:
        return (EPOCH + dt.timedelta(microseconds=cell)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, Decimal):
        text = f"{cell:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(cell, str):
        return "'" + cell if cell[0] in "=+-@\t\r\n'＝＋－＠" else cell
    return str(cell)
