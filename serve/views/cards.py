"""What a list shows of a lead, as one JSON text by row: fifty leads from anywhere are fifty look-ups.

A wide table costs a decompression per column and lead; one text with an index costs one per lead.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import duckdb

from features.ingest.sql import named, quoted

NAMES = ("name", "full_name", "contact", "contact_name", "lead_name")
"""Published columns that are a lead's name, the first that is there."""
COMPANIES = ("company", "company_name", "account_name", "organisation", "organization")
"""Likewise its company's."""
SLICE_ROWS = 100_000
"""Leads whose cards are made at a time: the memory that it takes does not grow."""
_AS_THEY_ARE = (
    "lead_id", "rank", "score", "probability", "probability_low", "probability_high", "probability_withheld",
    "expected_value", "grade", "route", "change", "change_1", "rank_before", "owner", "territory", "source",
    "campaign", "stage", "account_id", "touches", "last_touch_kind", "last_touch_direction",
)  # fmt: skip
_MOMENTS = ("created_at", "last_touch_at")


def first_of(names: Sequence[str], columns: Collection[str]) -> str | None:
    """The first of the names that is a column; None if none is.

    >>> first_of(NAMES, ["contact", "name"])
    'name'
    """
    return next((name for name in names if name in columns), None)


def iso(column: str) -> str:
    """The SQL of a moment as ISO 8601 in UTC."""
    return f"strftime({column}, '%Y-%m-%dT%H:%M:%SZ')"


def make_cards(connection: duckdb.DuckDBPyConnection, published: Sequence[str]) -> None:
    """Make the table ``cards`` (``row``, ``card``) from ``shown``, ``reasons`` and ``calls``."""
    connection.execute("CREATE TABLE cards (row INTEGER, card VARCHAR)")
    rows = connection.execute("SELECT count(*) FROM shown").fetchone()
    query = _cards_sql(_columns(connection, "shown"), published, _most_reasons(connection))
    for start in range(0, rows[0] if rows else 0, SLICE_ROWS):
        connection.execute(f"INSERT INTO cards {query}", {"start": start, "end": start + SLICE_ROWS})
    connection.execute("CREATE INDEX by_row ON cards(row)")


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    return [row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()]


def _most_reasons(connection: duckdb.DuckDBPyConnection) -> int:
    """The most reasons that a lead has; 0 if the run has none."""
    if "rank_in_row" not in _columns(connection, "reasons"):
        return 0
    found = connection.execute("SELECT max(rank_in_row) FROM reasons").fetchone()
    return int(found[0] or 0) if found else 0


def _cards_sql(columns: Collection[str], published: Sequence[str], most: int) -> str:
    """A lead's sentences stand in the ranking, for before against; their points in the reasons."""
    parts = {name: f"s.{name}" for name in _AS_THEY_ARE}
    parts |= {name: iso(f"s.{name}") for name in _MOMENTS}
    parts["tags"] = "string_split(s.tags, ', ')"
    name, company = first_of(NAMES, published), first_of(COMPANIES, published)
    parts["name"] = "NULL" if name is None else f"s.{named(name)}::VARCHAR"
    parts["company"] = "NULL" if company is None else f"s.{named(company)}::VARCHAR"
    parts["call_why"] = "c.why"
    parts["fields"] = _struct({each: f"s.{named(each)}" for each in published})
    for direction in ("for", "against"):
        sentences = ", ".join(name for name in columns if re.fullmatch(rf"{direction}_\d+", name))
        parts[f"reasons_{direction}"] = f"[{sentences}]"
    points = [f"p{place}" for place in range(1, most + 1)]
    parts["points"] = f"[{', '.join(f'r.{name}' for name in points)}]"
    return f"""
        SELECT s.row, to_json({_struct(parts)})::VARCHAR
        FROM (FROM shown WHERE row >= $start AND row < $end) AS s
             LEFT JOIN ({_points_sql(most)}) AS r ON r.row = s.row
             LEFT JOIN (
                 SELECT row, any_value(why) AS why FROM calls GROUP BY row
             ) AS c ON c.row = s.row
        ORDER BY s.row
    """  # noqa: S608  # quoted


def _struct(parts: Mapping[str, str]) -> str:
    inner = ", ".join(f"{quoted(key)}: {value}" for key, value in parts.items())
    return f"{{{inner}}}" if parts else "NULL"


def _points_sql(most: int) -> str:
    if not most:
        return "SELECT NULL::INTEGER AS row LIMIT 0"
    points = ", ".join(
        f"max(points) FILTER (rank_in_row = {place} AND isfinite(points)) AS p{place}"
        for place in range(1, most + 1)
    )
    return f"SELECT row, {points} FROM reasons WHERE row >= $start AND row < $end GROUP BY row"  # noqa: S608
