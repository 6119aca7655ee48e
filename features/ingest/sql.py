"""Writing SQL safely: every text and every name that comes from outside goes through here."""

from __future__ import annotations

import duckdb


def quoted(text: str) -> str:
    """An SQL string.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def named(name: str) -> str:
    """An SQL identifier.

    >>> print(named('a"b'))
    "a""b"
    """
    return '"' + name.replace('"', '""') + '"'


def count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The whole number that a query gives; 0 if it gives none."""
    row = connection.execute(query).fetchone()
    return int(row[0]) if row and row[0] is not None else 0
