# ruff: noqa: S608  (SQL is put together from column numbers and our own patterns; paths are quoted)
"""Looking at a file: DuckDB counts what is in each column of its first rows, all read as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from features.errors import InputError, Place
from features.personal import DIGITS, EMAIL
from features.propose.dialect import Dialect, read_dialect
from features.propose.facts import ColumnFacts, FileFacts

ROWS = 100_000
"""Rows that are looked at: enough to tell a category from free text, and bounded for any file."""

NULLS = ("NULL", "null", "N/A", "n/a", "#N/A", "NaN", "nan", "\\N")
"""Texts that can only mean "no value"."""

MAYBE_NULLS = ("NA", "-", "None", "none", "?")
"""Texts that mean "no value" where all other values of the column are numbers."""

_NULLS = ", ".join(f"'{token}'" for token in NULLS)
_MAYBE = ", ".join(f"'{token}'" for token in MAYBE_NULLS)

_PATTERNS = {
    "numbers": r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?",
    "whole": r"[-+]?\d+",
    "comma_numbers": r"[-+]?\d+,\d+",
    "dot_groups": r"[-+]?\d{1,3}(\.\d{3})+(,\d+)?",
    "comma_groups": r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?",
    "iso": r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?( ?(Z|UTC|[-+]\d{2}(:?\d{2})?))?",
    "local_dates": r"\d{1,2}[./-]\d{1,2}[./-](\d{4}|\d{2})( \d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?)?",
    "emails": EMAIL,
    "phones": DIGITS,
}
_PARQUET = (".parquet", ".pq")
_MOST_VALUES = 12


def look(path: Path, *, outcome: str | None = None) -> FileFacts:
    """Count what a proposal needs, in the first ``ROWS`` rows of a file.

    Parameters
    ----------
    path
        CSV file, or Parquet file by its suffix (``.parquet``, ``.pq``).
    outcome
        Header of the outcome column, if this file may have one.

    Raises
    ------
    InputError
        The file is missing, no table, or without rows.
    """
    with _opened(path) as (db, dialect, headers):
        rows = int(_row(db, "SELECT count(*) FROM raw")[0])
        if rows == 0:
            raise InputError(
                f"'{path.name}' has no data rows", hint="export it again", place=Place("init", path.name)
            )
        columns = {name: _column(db, f"c{n}", name) for n, name in enumerate(headers)}
        facts = FileFacts(path, dialect, rows, columns)
        return _with_outcome(db, facts, outcome) if outcome in columns else facts


def texts(path: Path, column: str) -> tuple[str, ...]:
    """The different texts of one column in the rows looked at, in order: the fields that a history names."""
    with _opened(path) as (db, _, headers):
        name = f"c{headers.index(column)}"
        found = db.execute(f"SELECT DISTINCT {name} FROM filled WHERE {name} IS NOT NULL ORDER BY 1")
        return tuple(str(row[0]) for row in found.fetchall())


@contextmanager
def _opened(path: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Dialect | None, tuple[str, ...]]]:
    """Table ``raw`` with columns c0, c1 … as trimmed text, and the same as ``filled`` without null tokens."""
    with duckdb.connect() as db, TemporaryDirectory() as scratch:
        db.execute("SET threads = 2; SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        try:
            dialect, headers = _load(db, path, Path(scratch))
        except duckdb.Error:  # its message quotes rows
            raise InputError(
                f"'{path.name}' cannot be read as a table",
                hint="export it again as CSV or Parquet",
                place=Place("init", path.name),
            ) from None
        cells = ", ".join(
            f"CASE WHEN c{n} NOT IN ({_NULLS}) THEN c{n} END AS c{n}" for n in range(len(headers))
        )
        db.execute(f"CREATE TEMP TABLE filled AS SELECT {cells} FROM raw")
        yield db, dialect, headers


def _load(db: duckdb.DuckDBPyConnection, path: Path, scratch: Path) -> tuple[Dialect | None, tuple[str, ...]]:
    if path.suffix.lower() in _PARQUET:
        if not path.is_file():
            raise InputError(f"no file '{path.name}'", hint="check the path", place=Place("init", path.name))
        read, headers, dialect = _parquet(db, path)
    else:
        dialect = read_dialect(path)
        read, headers = _csv(_as_utf8(path, dialect, scratch), dialect), dialect.headers
    cells = ", ".join(f"nullif(trim(c{n}), '') AS c{n}" for n in range(len(headers)))
    db.execute(f"CREATE TEMP TABLE raw AS SELECT {cells} FROM ({read}) LIMIT {ROWS}")
    return dialect, headers


def _parquet(db: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, tuple[str, ...], None]:
    source = f"read_parquet({_literal(str(path))}, hive_partitioning = false)"
    headers = tuple(row[0] for row in db.execute(f"DESCRIBE FROM {source}").fetchall())
    cells = ", ".join(
        f'CAST("{h.replace(chr(34), chr(34) * 2)}" AS VARCHAR) AS c{n}' for n, h in enumerate(headers)
    )
    return f"SELECT {cells} FROM {source}", headers, None


def _csv(path: Path, dialect: Dialect) -> str:
    """A query over all columns as text; a row that does not parse is left out, as a load would do."""
    columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(dialect.headers)))
    return (
        f"SELECT * FROM read_csv({_literal(str(path))}, columns = {{{columns}}}, auto_detect = false,"
        f" header = false, skip = 1, delim = {_literal(dialect.separator)}, quote = '\"', escape = '\"',"
        " strict_mode = false, null_padding = true, ignore_errors = true, parallel = false)"
    )


def _as_utf8(path: Path, dialect: Dialect, scratch: Path) -> Path:
    """The file itself, or its beginning in UTF-8: DuckDB reads other encodings only with a download."""
    if dialect.encoding == "utf-8" and dialect.has_line_feeds:
        return path
    copy = scratch / "copy.csv"
    with (
        path.open(encoding=dialect.encoding, errors="replace") as text,
        copy.open("w", encoding="utf-8") as out,
    ):
        out.writelines(islice(text, ROWS + 1))
    return copy


def _column(db: duckdb.DuckDBPyConnection, c: str, name: str) -> ColumnFacts:
    counts = _counts(db, c)
    facts = ColumnFacts(name=name, **counts)
    if facts.local_dates:
        facts = replace(facts, **_local_dates(db, c))
    ordered = facts.whole or facts.iso
    return replace(facts, is_growing=ordered == facts.filled > 1 and _is_growing(db, c))


def _counts(db: duckdb.DuckDBPyConnection, c: str) -> dict[str, Any]:
    """All counts of one column, over its different values: a category is counted once, not once a row."""
    matches = ", ".join(
        _sum(f"regexp_full_match(v, '{pattern}')", name) for name, pattern in _PATTERNS.items()
    )
    maybe_cells = _sum(f"v IN ({_MAYBE})", "maybe_null_cells")
    query = f"""
        WITH cells AS (SELECT {c} AS v, count(*) AS n FROM raw WHERE {c} IS NOT NULL GROUP BY 1),
             filled AS (FROM cells WHERE v NOT IN ({_NULLS}))
        SELECT {_sum("true", "filled")}, count(*) AS distinct, sum(n * length(v)) / sum(n) AS mean_length,
               list(v ORDER BY n DESC, v)[:{_MOST_VALUES + 1}] AS values,
               min(TRY_CAST(v AS DOUBLE)) AS smallest, max(TRY_CAST(v AS DOUBLE)) AS largest,
               list(v ORDER BY v) FILTER (v IN ({_MAYBE})) AS maybe_nulls,
               {maybe_cells}, {matches},
               (SELECT list(v ORDER BY v) FROM cells WHERE v IN ({_NULLS})) AS nulls
        FROM filled"""
    row = _row(db, query)
    counts = dict(zip([column[0] for column in db.description or ()], row, strict=True))
    counts |= {name: tuple(counts[name] or ()) for name in ("values", "nulls", "maybe_nulls")}
    return counts | {"values": counts["values"] if counts["distinct"] <= _MOST_VALUES else ()}


def _sum(condition: str, name: str) -> str:
    return f"coalesce(sum(n) FILTER ({condition}), 0)::BIGINT AS {name}"


def _local_dates(db: duckdb.DuckDBPyConnection, c: str) -> dict[str, Any]:
    """Shape of the most frequent local date, digits as 0, and the evidence for the order of day and month."""
    query = f"""
        SELECT mode(regexp_replace(upper({c}), '\\d+', '0', 'g')),
               max(TRY_CAST(regexp_extract({c}, '^(\\d+)', 1) AS INTEGER)),
               max(TRY_CAST(regexp_extract({c}, '^\\d+[./-](\\d+)', 1) AS INTEGER)),
               max(length(regexp_extract({c}, '^\\d+[./-]\\d+[./-](\\d+)', 1)))
        FROM filled WHERE regexp_full_match({c}, '{_PATTERNS["local_dates"]}')"""
    shape, first, second, year = _row(db, query)
    return {"date_shape": shape, "first_max": first, "second_max": second, "year_digits": year}


def _is_growing(db: duckdb.DuckDBPyConnection, c: str) -> bool:
    value = f"coalesce(TRY_CAST({c} AS DOUBLE), epoch(TRY_CAST({c} AS TIMESTAMPTZ)))"
    query = f"""
        SELECT bool_and(step >= 0) OR bool_and(step <= 0)
        FROM (SELECT {value} - lag({value}) OVER (ORDER BY rowid) AS step FROM filled)"""
    return bool(_row(db, query)[0])


def _with_outcome(db: duckdb.DuckDBPyConnection, facts: FileFacts, outcome: str) -> FileFacts:
    """Add how often each column is filled for each outcome, if the outcome has few values."""
    if not facts.columns[outcome].values:
        return facts
    names = list(facts.columns)
    counts = ", ".join(f"count(c{n})" for n in range(len(names)))
    c = f"c{names.index(outcome)}"
    rows = db.execute(
        f"SELECT {c}, count(*), {counts} FROM filled WHERE {c} IS NOT NULL GROUP BY 1"
    ).fetchall()
    columns: Mapping[str, ColumnFacts] = {
        name: replace(facts.columns[name], filled_by_outcome={row[0]: row[2 + n] for row in rows})
        for n, name in enumerate(names)
    }
    return replace(facts, columns=columns, rows_by_outcome={row[0]: row[1] for row in rows})


def _row(db: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = db.execute(query).fetchone()
    return row if row is not None else ()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
