"""Read one of a run's report files through a scope: there is no way to read one without saying whose it is.

Territories None: every row, those without a territory among them. A set: rows of these territories only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import duckdb

from features.errors import InputError, StorageError
from serve.reporting.names import ABOUT, FOLDER

Territories: TypeAlias = frozenset[str] | None
Row: TypeAlias = dict[str, Any]


def about(run: Path) -> Row:
    """By what a run's reports were counted.

    Raises
    ------
    InputError
        The run has no reports: it was published before there were any.
    StorageError
        The file cannot be read.
    """
    return kept(run, ABOUT)


def kept(run: Path, name: str) -> Row:
    """A JSON file of the reports; else as `about`."""
    try:
        found = json.loads((run / FOLDER / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            "this ranking was published without reports", hint="run `leadrank score` for another moment"
        ) from None
    except (OSError, ValueError) as error:
        raise _damaged(name) from error
    if not isinstance(found, dict):
        raise _damaged(name)
    return found


def rows(run: Path, file: str, territories: Territories, sql: str) -> list[Row]:
    """What a query finds among the rows that may be seen.

    Parameters
    ----------
    sql
        A query over ``seen``: the rows of the file whose territory is in the scope.
    """
    path = str(run / FOLDER / file)
    where = "TRUE" if territories is None else "list_contains($2, territory)"
    values: list[Any] = [path] if territories is None else [path, sorted(territories)]
    query = f"WITH seen AS (SELECT * FROM read_parquet($1) WHERE {where}) {sql}"  # noqa: S608  # ours
    return _found(file, query, values)


def company(run: Path, file: str, sql: str) -> list[Row]:
    """What a query finds over ``seen``: every row of a file that knows no territory.

    Only for readers who see every lead.
    """
    query = f"WITH seen AS (SELECT * FROM read_parquet($1)) {sql}"  # noqa: S608  # ours
    return _found(file, query, [str(run / FOLDER / file)])


def _found(file: str, query: str, values: list[Any]) -> list[Row]:
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            found = connection.execute(query, values)
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    except duckdb.Error as error:
        raise _damaged(file) from error


def _damaged(name: str) -> StorageError:
    return StorageError(
        f"'{FOLDER}/{name}' cannot be read", hint="score that night again: a damaged run is made anew"
    )


def quartiles(counts: Mapping[float, int]) -> dict[str, float | None]:
    """Quartiles of values that are given as counts: ``q1``, ``median``, ``q3``; null of none.

    A quartile is the least value that so many of them do not exceed (Hyndman and Fan 1996, definition 1).

    >>> quartiles({1.0: 1, 2.0: 2, 9.0: 1})
    {'q1': 1.0, 'median': 2.0, 'q3': 2.0}
    """
    whole = sum(counts.values())
    return {name: _quantile(counts, whole * part / 4) for name, part in (("q1", 1), ("median", 2), ("q3", 3))}


def _quantile(counts: Mapping[float, int], needed: float) -> float | None:
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= needed:
            return value
    return None
